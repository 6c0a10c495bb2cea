"""What a word of the mapping language is: how a value is read and written, and what the rest of the code may ask of it.

Nobody asks which word a field has: they ask for its traits, and each word says its own in `translate.vocabulary.words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import polars as pl

from translate import events

if TYPE_CHECKING:
    from translate.vocabulary.notes import Finding
    from translate.vocabulary.words.stamps import StampedRequest

Wire = Literal["text", "whole", "number", "flag", "json"]
Unit = Literal["iso8601", "milliseconds", "seconds", "seconds_or_iso8601", "seconds_or_milliseconds"]
# How what has several values lies in a row: free-form ones as a map of one type, as one object, as a list, as JSON text of
# an object of texts, as columns of a table; a hub map as it is; a user's attributes.
Form = Literal["value", "maps", "object", "entities", "properties", "columns", "whole", "user"]
Write = Callable[[Sequence[pl.Expr]], pl.Expr]

KIND_NAMES: dict[pl.DataType, str] = {
    events.TEXT: "text",
    events.WHOLE: "whole numbers",
    events.NUMBER: "numbers",
    events.TIME: "times",
    events.MAP: "maps",
}


@dataclass(frozen=True)
class Written:
    """A field as it is written, for a word to tell what it says more, or less often, than the event.

    `value` stands there, if the object that it lies in `is_there`; `implied_phase` is the phase that a name implies.
    """

    place: str
    hub: tuple[str, ...]
    member: str
    value: pl.Expr
    is_there: pl.Expr
    implied_phase: Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True, eq=False)
class Word:
    """A word and its traits; those of a word that says nothing else are here."""

    name: str
    about: str
    _: KW_ONLY
    # The example: what stands in the hub's columns, and what the word makes of it.
    example: tuple[tuple[Any, ...], Any] | None = None

    # What it reads and writes. Reading, it gets the value's text as it stood in the record (numbers as their exact digits)
    # and gives the hub's column; writing, it gets the hub's columns and gives what the wire takes.
    types: tuple[pl.DataType, ...] = ()  # of its hub columns; the last one repeats
    columns: tuple[int, int] = (1, 1)  # how few and how many there are
    carries: int = 1  # how many of them, from the left, arrive in the value
    wire: Wire = "whole"
    unit: Unit | None = None  # of a time, as it is read
    form: Form = "value"
    read: Callable[[pl.Expr], pl.Expr] | None = None
    write: Write | None = None
    # Where no expression can do it; told the field's member.
    rowwise: Callable[[Sequence[pl.Series], str], pl.Series] | None = None
    clock: Callable[[Any], int] | None = None  # milliseconds since 1970 of a time as it stands in a request
    # Anew for each request; told the template.
    make: Callable[[StampedRequest, str], str | None] | None = None

    # What it loses, and what writing it says beyond the event.
    changed: Write | None = None  # tells for which events writing lost something
    why: str = ""
    supplements: Callable[[Written], Iterator[Finding]] | None = None
    in_figures: str = ""  # what it does to figures that look at its column
    whole_seconds: bool = False
    made_of_several: bool = False  # columns: what is written may be another one's value

    # What it asks of a mapping.
    stands_for: tuple[str, ...] = ()  # these hub columns and no others
    kept_in: tuple[str, ...] = ()  # the hub columns that hold what it writes; none: any of its types
    has_member: bool = False
    takes_table: bool = True
    takes_other_places: bool = True
    takes_template: bool = False
    gathered: str = ""  # the word of the same values as members of one object
    takes_own_columns: bool = False  # a layout of such columns is written with columns of a dataset's own
    preset_wires: tuple[Wire, ...] = ()  # a container that may have values of its own inside only as these
    of_events: bool = False  # has no place around them
    of_mappings: bool = True  # what a recipe or the settings name, a mapping does not
    is_default: bool = False  # of a field that names none
    in_templates: bool = False  # may stand in the template of an address, beside hub columns

    # What it is to the reader and the writer.
    of_numbers: bool = False  # a container of numbers alone
    also_gives: tuple[str, ...] = ()  # hub columns that are read from there, beside its first one
    as_its_column: bool = False  # is there just where its hub column is
    as_double: bool = False  # read only where a double holds every digit
    needs_finite: bool = False
    is_app_id: bool = False
    spells_event: bool = False  # as the model calls it
    # Of record that an event of its name is: others than the default's have no name beside it.
    tells_kind: bool = False
    gives_action: bool = False  # the phase
    first_of_several: bool = False
    digits_as_text: bool = False
    empty_is_absent: bool = False
    confirms_session: bool = False  # the full id that the session's own was made of
    confirms: Callable[[str], str] | None = None  # an original: what was made of it
    is_made_short: bool = False  # made of an original, which may stand elsewhere
    of_form: Callable[[str], Word] | None = None  # the word for ids of another form than its own
    lists_own_item: bool = False  # of an event without a list of items
    states_money: bool = False
    travels_with_names: bool = False  # holds the names that the target could not take
    is_left_out: bool = False  # read over, and never written, be it in a request or in an event
    keeps_hours_apart: bool = False  # of a request: it tells when that was sent

    is_scalar: ClassVar[bool] = False
    is_container: ClassVar[bool] = False
    is_stamp: ClassVar[bool] = False

    @property
    def raw(self) -> Wire:
        """Tell as what a value is kept until its word reads it: seconds may come with a fraction."""
        return "number" if self.unit == "seconds" else self.wire

    @property
    def in_seconds(self) -> bool:
        """Tell whether it is a time that stands in seconds."""
        return self.unit in ("seconds", "seconds_or_iso8601")

    @property
    def is_plain_text(self) -> bool:
        """Tell whether the text that stands there is the hub column's own."""
        return (
            self.wire == "text"
            and self.types == (events.TEXT,)
            and not (self.confirms or self.is_made_short or self.tells_kind)
        )

    @property
    def holds_whole_map(self) -> bool:
        """Tell whether it is a whole hub map of JSON texts, which the reader takes in as it stands."""
        return self.form == "whole"

    @property
    def is_user(self) -> bool:
        """Tell whether it is an object of a user's attributes."""
        return self.form == "user"

    @property
    def holds_names(self) -> bool:
        """Tell whether there are names in it that no mapping knows."""
        return self.is_container or self.holds_whole_map or self.is_user

    @property
    def is_read_late(self) -> bool:
        """Tell whether it has to wait until the plain values of a record are known."""
        return self.is_container or self.is_user

    @property
    def way(self) -> str:
        """Name the way of its own in which the kernel reads it; single values have those of their wires."""
        return self.name if self.is_read_late else ""

    @property
    def tells_how_it_is_read(self) -> bool:
        """Tell whether what it is says how it is read, too."""
        return True

    @property
    def kind(self) -> str:
        """Tell what lies in its place, by one of translate.mapping.checks.KINDS."""
        return self.wire

    @property
    def shared(self) -> bool:
        """Tell whether it holds texts, numbers and the rest together."""
        return self.form in ("object", "entities", "properties")

    @property
    def write_as_text(self) -> bool:
        """Tell whether it is JSON text of an object."""
        return self.form == "properties"

    @property
    def readable_only(self) -> bool:
        """Tell whether it is for reading only."""
        return self.form == "columns"

    def carried(self, hub: tuple[str, ...]) -> tuple[str, ...]:
        """Give those of its hub columns whose value arrives in it."""
        return hub

    def gives(self, hub: tuple[str, ...]) -> tuple[str, ...]:
        """Give the hub columns that are read from it."""
        return hub

    def maps_held(self, hub: tuple[str, ...]) -> tuple[str, ...]:
        """Give the hub maps that it fills alone."""
        return (
            tuple(name for name in hub if events.SCHEMA.get(name) == events.MAP) if self.holds_names else ()
        )


class Scalar(Word):
    """A word of one value."""

    is_scalar = True

    @property
    def kind(self) -> str:
        """Tell what lies in its place."""
        return {"whole": "object", "user": "user"}.get(self.form, self.wire)

    def carried(self, hub: tuple[str, ...]) -> tuple[str, ...]:
        """Give those of its hub columns whose value arrives in it."""
        return hub if self.first_of_several else hub[: self.carries]

    def gives(self, hub: tuple[str, ...]) -> tuple[str, ...]:
        """Give the hub columns that are read from it."""
        return (*hub[:1], *self.also_gives)

    @property
    def tells_how_it_is_read(self) -> bool:
        """Tell whether what it is says how it is read, too: of several columns in one value only the first is read back."""
        return bool(self.types) and (self.columns[1] == 1 or self.carries > 1)


class Container(Word):
    """A word of a whole map of free-form values, whose place may hold presets, which are fields of their own.

    `stands_for` are the hub maps that it holds, in this order.
    """

    is_container = True

    @property
    def kind(self) -> str:
        """Tell what lies in its place."""
        return "text" if self.write_as_text else "map"

    def maps_held(self, hub: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Give the hub maps that it fills alone."""
        return self.stands_for


class Stamp(Word):
    """A word of what is made anew for each request, and therefore not read."""

    is_stamp = True

    def carried(self, hub: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Give no hub column: none arrives in it."""
        return ()

    def gives(self, hub: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Give no hub column: at most one that no event says."""
        return ()
