"""What a mapping may say: frozen types, no file format, no engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from translate import events
from translate.mapping.columns import Column
from translate.mapping.portions import Files
from translate.mapping.sending import Delivery
from translate.vocabulary.spelling import Spelling
from translate.vocabulary.word import Wire, Word
from translate.vocabulary.words import word_of

Records = Literal["json-lines", "csv", "parquet"]


@dataclass(frozen=True)
class Field:
    """One place in a model's record, the hub columns that it stands for, and the word for what is between them.

    `also` are other places where older or foreign records have the value; `asked`, `unless` and `setting` name a setting:
    without the first the field is not written, nor with the second; from the third comes what no event says. `absent` stands
    where nothing says the value, and is read as nothing; a table that goes `back` is read backwards, too. A setting stands in place of
    what the events say, too, unless it only `fills` what they do not. `texts`: its number is read from a text, too.
    `member`: the name under which an object of several values has the first one. `template`: what an address is made of.
    `fits`: the form of ids that are taken as they are.
    `own` is what makes it a column of a dataset's own.
    """

    place: str
    hub: tuple[str, ...]
    codec: str = "text"
    required: bool = False
    required_for: str | None = None
    when: tuple[str, ...] = ()
    table: str | None = None
    default: Any = None
    back: bool = False
    absent: Any = None
    const: Any = None
    optional: bool = False
    texts: bool = False
    also: tuple[str, ...] = ()
    asked: str | None = None
    unless: str | None = None
    setting: str | None = None
    fills: bool = False
    member: str = ""
    template: str = ""
    fits: str = ""
    own: Column | None = None

    @property
    def word(self) -> Word:
        """Give the word between the place and the columns: what is asked of a field's codec, is asked of it."""
        word = word_of(self.codec)
        return word.of_form(self.fits) if self.fits and word.of_form is not None else word

    @property
    def wire(self) -> Wire:
        """Tell as what a value stands in its place."""
        if self.const is None:
            return self.word.wire
        return "text" if isinstance(self.const, str) else "flag" if isinstance(self.const, bool) else "whole"

    @property
    def is_always_said(self) -> bool:
        """Tell whether something stands there, whatever an event says."""
        return self.const is not None or self.default is not None or self.absent is not None

    @property
    def holds_list(self) -> bool:
        """Tell whether its hub column is the text of a JSON list."""
        return bool(self.hub) and self.hub[0] in events.LISTS

    @property
    def carries(self) -> tuple[str, ...]:
        """Name the hub columns whose value arrives in it."""
        return self.word.carried(self.hub)

    @property
    def path(self) -> tuple[str, ...]:
        """Split the place into its segments."""
        return tuple(self.place.split("."))

    @property
    def key(self) -> str:
        """Give what follows the first segment: the key of a preset in its container."""
        return self.place.partition(".")[2]


@dataclass(frozen=True)
class Limit:
    """What a receiver allows; hard means that it refuses or drops what is beyond.

    An `observed` one is not documented, but was seen in its code, in its SDKs or in what it did. A row's is judged by one of
    translate.mapping.checks.WORDS, in each of its `places`; what begins as `beside` says is not counted. `says` is a sentence
    in place of the judge's own. What is beyond may be taken all the same, and altered: `alters` says how.
    """

    name: str
    value: Any
    hard: bool
    source: str
    observed: bool = False
    judge: str = ""
    places: tuple[str, ...] = ()
    beside: str | None = None
    says: str | None = None
    alters: str = ""


@dataclass(frozen=True)
class Mark:
    """A place that holds personal data of a kind, one of translate.mapping.personal.KINDS; `around` the events, or in each."""

    place: str
    kind: str
    around: bool = False


@dataclass(frozen=True)
class Only:
    """Which events a layout takes: those with this hub column, and those of these well-known names."""

    hub: str
    names: tuple[str, ...]
    rule: str


@dataclass(frozen=True)
class Request:
    """What stands around the events where a record holds many of them.

    `each` is the way to them, `*` standing for the name of any member; an empty way: the record is their list.
    A field whose place ends in `*` is that name. `opened` texts hold JSON, plain or as base64, gzipped or not;
    `closed` ones are written so. `also` are other places of a member of the request, `empty` the objects that are
    written even when nothing is in them. A `bare` request may begin anywhere on the way to its events; a `listed` one that
    holds nothing beside them is written as their list.
    """

    each: tuple[str, ...]
    fields: tuple[Field, ...]
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)
    events_max: int | None = None
    bytes_max: int | None = None
    bare: bool = True
    listed: bool = False
    limits: dict[str, Limit] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """The Avro schema of a table: what is around its fields, and what marks those of the dataset's own, by their type."""

    name: str
    namespace: str
    version: str
    own: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """One way in which a model's events lie in files.

    `marks` are members, `mark_names` beginnings of event names, that tell its records from those of a layout that
    shares their form. `limits` and `checks` hold for each row, read or written, the latter for rows of a layout that is like
    this one, too; `archive_limits` hold for all events together. `taken_without` are places that a receiver does without,
    though they are always written. `own` are the columns of a dataset's own that a run writes; `folder` is the one that a
    reader looks for files of a day in, with places for the day. `lists` are hub columns of JSON values of which the model
    makes a list even where there is one; `single_values` those where it has single values.
    """

    model: str
    name: str
    about: str
    source: str
    records: Records
    fields: tuple[Field, ...]
    default: bool = False
    read: bool = True
    write: bool = True
    legal_names: bool = False
    schema: Schema | None = None
    folder: str | None = None
    files: Files | None = None
    objects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: dict[str, Limit] = field(default_factory=dict)
    checks: dict[str, Limit] = field(default_factory=dict)
    archive_limits: dict[str, Limit] = field(default_factory=dict)
    cannot: dict[str, str] = field(default_factory=dict)
    only: Only | None = None
    request: Request | None = None
    taken_without: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    mark_names: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    single_values: tuple[str, ...] = ()
    personal: tuple[Mark, ...] = ()
    own: tuple[Field, ...] = ()

    @property
    def takes_columns(self) -> bool:
        """Tell whether it is a table that is written with columns of a dataset's own."""
        return self.write and any(
            entry.word.takes_own_columns and entry.place == "*" for entry in self.fields
        )

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Give the fields of the event and of the request around it."""
        return self.fields + (self.request.fields if self.request else ())

    @cached_property
    def by_place(self) -> dict[str, Field]:
        """Give them by their places."""
        return {entry.place: entry for entry in self.all_fields}

    @property
    def app_id_pattern(self) -> str | None:
        """Give the regular expression of the application ids that the receiver takes, if a check names one."""
        places = {entry.place for entry in self.fields if entry.word.is_app_id}
        return next((limit.value for limit in self._asked("pattern") if places & {*limit.places}), None)

    def _asked(self, judge: str) -> list[Limit]:
        return [limit for limit in (*self.limits.values(), *self.checks.values()) if limit.judge == judge]

    def reserved_in(self, *containers: str) -> frozenset[str]:
        """Give, in lower case, the keys of objects that the receiver refuses there, or would take for the event's own."""
        within = [f"{container}." for container in containers]
        refused = {
            key
            for limit in self._asked("none_of_any_case")
            if {f"{start}*" for start in within} & {*limit.places}
            for key in limit.value
        }
        read = {
            place.removeprefix(start)
            for entry in self.fields
            for place in entry.also
            for start in within
            if place.startswith(start)
        }
        return frozenset(key.lower() for key in refused | read)

    @property
    def as_written(self) -> Layout:
        """Give the layout whose events are read under the names that stand in their rows, not under their original ones."""
        fields = tuple(entry for entry in self.fields if not entry.word.travels_with_names)
        return replace(self, fields=fields)

    @property
    def original_names(self) -> str | None:
        """Give the key under which the original names travel along."""
        return next((entry.key for entry in self.fields if entry.word.travels_with_names), None)

    @property
    def address(self) -> str:
        """Write the layout as the command line takes it."""
        return f"{self.model}/{self.name}"


@dataclass(frozen=True)
class Addition:
    """What `--add` puts in under a name, as the model's reader calls it: an event, a property of users, a metric."""

    name: str
    event: str = ""
    user_property: str = ""
    metric: str = ""


@dataclass(frozen=True)
class Mapping:
    """The data sheet of one model."""

    model: str
    title: str
    source: str
    names: dict[str, Spelling]
    tables: dict[str, dict[str, str]]
    layouts: dict[str, Layout]
    digest: str
    file: str
    phase_of_others: str | None = None  # of events whose name says none
    delivery: Delivery | None = None
    additions: dict[str, Addition] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()  # what its dashboards show that rows alone do not tell

    def default_layout(self) -> Layout:
        """Give the layout that is written where none is named."""
        return next(layout for layout in self.layouts.values() if layout.default)
