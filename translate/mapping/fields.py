"""One field of a mapping: its place, its hub columns, its codec, and the options that go with that, where one would have no effect, too."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from translate import events
from translate.mapping.checks import is_pattern
from translate.mapping.keys import FIELD, FIELD_OPTIONS, PHASES, SETTINGS, WISHES
from translate.mapping.sheet import Sheet, Table, join
from translate.mapping.spec import Field
from translate.vocabulary.word import KIND_NAMES
from translate.vocabulary.words import VOCABULARY, WORDS
from translate.vocabulary.words.stamps import parameters

# What may stand for nothing, by the wire of the value in whose place it does.
ABSENT_OF: dict[str, tuple[type, ...]] = {"text": (str,), "whole": (int,), "number": (int, float)}

# In the order in which they are complained of.
OPTIONS = [name for name in Field.__dataclass_fields__ if name in FIELD_OPTIONS or name == "const"]
SMALLEST, LARGEST = -(2**63), 2**63 - 1
IN_TEMPLATES = [name for name, word in WORDS.items() if word.in_templates]


class FieldParser:
    """Reads the fields of one mapping; `tables` are its value tables."""

    def __init__(self, sheet: Sheet, tables: dict[str, dict[str, str]]) -> None:
        self.sheet = sheet
        self.tables = tables
        wish = ("setting of true or false", WISHES)
        phase, setting = ("phase", PHASES), ("setting of text", SETTINGS)
        self._known = {"required_for": phase, "setting": setting, "asked": wish, "unless": wish, "table": ("value table", tables)}  # fmt: skip
        self._right: dict[tuple[str, int, bool], Field] = {}

    def field(self, path: str, place: str, value: Any, *, around: bool = False) -> Field:
        """Read one field, of the event or of the request around it; complain about what is wrong with it alone."""
        said = (place, id(value), around)  # a layout that is like another one has the very values of that one
        field = self._right.get(said)
        if field is None:
            complaints = len(self.sheet.complaints)
            field = self._field(join(path, place), place, value, around=around)
            if len(self.sheet.complaints) == complaints:
                self._right[said] = field
        return field

    def _field(self, path: str, place: str, value: Any, *, around: bool) -> Field:
        sheet = self.sheet
        if "" in place.split("."):
            sheet.complain(path, "has a segment without a name")
        if isinstance(value, str):
            value = {"hub": value}
        elif not isinstance(value, dict):
            sheet.complain(path, f"should be a hub column or a table, but is {value!r}")
            return Field(place, ())
        sheet.known_keys(value, path, FIELD)
        hub = sheet.texts(value, path, "hub")
        if hub is None:
            return Field(place, ())
        codec = sheet.get(value, path, "as", str, Field.codec)
        said = {option: self._option(value, path, option) for option in OPTIONS if option in value}
        field = Field(place, hub, codec, **said)
        is_spoilt = field.const is None and "const" in value
        check = _FieldCheck(sheet, self.tables, field, path, value, around=around)
        if not is_spoilt and check.codec():
            check.options()
        return field

    def _option(self, value: Table, path: str, key: str) -> Any:
        if key in ("default", "absent", "const"):
            return self._literal(path, value, key)
        if key == "when":
            return self.sheet.choices(value, path, key, "well-known event", events.WELL_KNOWN)
        if key == "also":
            return self.sheet.texts(value, path, key) or ()
        unsaid = getattr(Field, key)
        said = self.sheet.get(value, path, key, str if unsaid is None else type(unsaid), unsaid)
        known = self._known.get(key)
        if known and said is not None and not self.sheet.one_of(said, join(path, key), *known):
            return None
        return said

    def _literal(self, path: str, value: Table, key: str) -> Any:
        literal, wanted = value[key], "text, a number, true or false"
        if isinstance(literal, int | float):
            wanted = "a finite number of 64 bits"
            fits = math.isfinite(literal) if isinstance(literal, float) else SMALLEST <= literal <= LARGEST
        else:
            fits = isinstance(literal, str)
        if fits:
            return literal
        self.sheet.complain(join(path, key), f"should be {wanted}, but is {literal!r}")
        return None


class _FieldCheck:
    """Looks at one field: whether its codec fits its hub columns, and whether each option could take effect."""

    def __init__(
        self, sheet: Sheet, tables: dict[str, dict[str, str]], field: Field, path: str, value: Table, *, around: bool
    ) -> None:  # fmt: skip
        self.sheet = sheet
        self.tables = tables
        self.field = field
        self.word = field.word
        self.path = path
        self.value = value
        self.around = around

    def complain(self, option: str, message: str) -> None:
        self.sheet.complain(join(self.path, option), message)

    # -- its codec --------------------------------------------------------------------------------------------------

    def codec(self) -> bool:
        """Complain about a codec that does not fit its hub columns; tell whether it is known at least."""
        field, hub, word = self.field, f"{self.path}.hub", self.word
        known = [self.sheet.one_of(column, hub, "hub column", events.SCHEMA) for column in field.hub]
        if field.const is not None:
            if field.hub:
                self.sheet.complain(self.path, "has both a hub column and a constant: say one of them")
            if not word.is_default:
                self.complain("as", "a constant takes no codec")
            return True
        if word.is_stamp:
            self._stamp()
            return True
        if not self.sheet.one_of(field.codec, f"{self.path}.as", "codec", VOCABULARY):
            return False
        if not all(known) or (field.setting is not None and not field.hub):
            return True
        if word.is_container or self._scalar():
            wanted = word.stands_for or field.hub
            if field.hub != wanted:
                given = ", ".join(field.hub) or "nothing"
                self.complain("hub", f'codec "{field.codec}" holds {", ".join(wanted)}, not {given}')
            if field.hub[0:1] and field.hub[0] not in (word.kept_in or field.hub):
                told = f'codec "{field.codec}" takes JSON, and hub column "{field.hub[0]}" holds none'
                self.complain("hub", told)
        return True

    def _stamp(self) -> None:
        field, word = self.field, self.word
        if not self.around and not word.is_left_out:
            self.complain("as", f'codec "{field.codec}" is made for a request: it belongs among its fields')
        elif word.takes_template:
            self._template()
        elif field.hub and tuple(map(events.SCHEMA.get, field.hub)) != word.types:
            wanted = "one hub column of times" if word.types else "no hub column: it is made anew"
            self.complain("hub", f'codec "{field.codec}" takes {wanted}')

    def _template(self) -> None:
        """Complain about an address without a query, or of what no request has."""
        _, query, pairs = self.field.template.partition("?")
        if not query:
            self.complain("template", "should be a path and a query, like /path?name={app.id}")
        what, known = "hub column or number that a request is given", [*events.SCHEMA, *IN_TEMPLATES]
        for _, source in parameters(pairs):
            self.sheet.one_of(source, join(self.path, "template"), what, known)

    def _scalar(self) -> bool:
        hub, word = self.field.hub, self.word
        fewest, most = word.columns
        if not fewest <= len(hub) <= most:
            several = f"{fewest} to {most} hub columns"
            wanted = f"{fewest} hub column{'s' * (fewest != 1)}" if fewest == most else several
            self.complain("hub", f'codec "{word.name}" takes {wanted}, not {len(hub)}')
            return False
        fits = True
        for position, column in enumerate(hub):
            dtype = word.types[min(position, len(word.types) - 1)]
            if events.SCHEMA[column] != dtype:
                fits = False
                takes, holds = KIND_NAMES[dtype], KIND_NAMES[events.SCHEMA[column]]
                told = f'codec "{word.name}" takes {takes} here, but hub column "{column}" holds {holds}'
                self.complain("hub", told)
        if self.field.table is not None and word.wire != "text":
            self.complain("table", f'a value table takes texts, but codec "{word.name}" gives none')
        return fits

    # -- its options ------------------------------------------------------------------------------------------------

    def options(self) -> None:
        """Complain about each option that could not take effect."""
        field = self.field
        for who, options in self._without_effect():
            for option in options:
                if option in self.value:
                    self.complain(option, f"{who} takes none")
        self._member()
        self._default()
        self._absent()
        self._form()
        self._back()
        if field.unless is not None and field.unless == field.asked:
            self.complain("unless", "is what it is asked by: it would never be written")
        self._setting()
        for other in field.also:
            if "*" in other or "" in other.split("."):
                self.complain("also", f'"{other}" is no place: it is names with dots between')

    def _without_effect(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give options that the field cannot have, with the reason: nothing would come of them."""
        field, word = self.field, self.word
        if word.is_container:
            yield "a container", tuple(FIELD_OPTIONS)
        elif word.is_stamp:
            may = {"asked", *(["also"] if field.hub else []), *(["template"] if word.takes_template else [])}
            yield "what is made for a request", tuple(option for option in FIELD_OPTIONS if option not in may)
        elif field.const is not None:
            yield "a constant", ("table", "back", "default", "absent", "optional", "also", "setting", "texts")
        elif word.rowwise is not None:
            yield f'codec "{word.name}"', ("table", "default", "absent", "when", "setting")
        elif not word.takes_table:
            yield f'codec "{word.name}"', ("table",)
        if field.const is None and word.wire not in ("whole", "number"):
            yield f'codec "{word.name}"', ("texts",)
        if not word.takes_other_places:
            yield f'codec "{word.name}"', ("also",)
        if self.around and not (word.is_container or word.is_stamp):
            yield "a request's field", ("required_for", "optional")

    def _setting(self) -> None:
        """Complain about a setting that nothing could take, and what only stands beside a hub column."""
        field = self.field
        if not field.hub and field.const is None and not self.word.is_stamp:
            if field.optional:
                self.complain("optional", "needs a hub column, which a recipe may fill")
            if field.setting is not None and not self.around:
                self.complain("setting", "an event's field needs a hub column beside it")
        if field.fills and (field.setting is None or not field.hub):
            self.complain("fills", "needs a setting, and a hub column beside it")
        if field.setting is not None and self.word.is_scalar and self.word.wire != "text":
            self.complain("setting", f'settings are texts, but codec "{field.codec}" gives none')

    def _member(self) -> None:
        """Complain unless exactly the codec that has a member to name names one."""
        field, word = self.field, self.word
        if word.is_scalar and field.const is None and word.has_member and not field.member:
            told = f'is missing: codec "{field.codec}" has {field.hub[0]} under a name'
            self.complain("member", told)
        if word.is_scalar and field.const is None and field.member and not word.has_member:
            self.complain("member", f'codec "{field.codec}" takes none')

    def _default(self) -> None:
        """Complain about a text that would stand in a record where a number or JSON should."""
        default, wire = self.field.default, self.word.wire
        if not isinstance(default, str) or wire not in ("number", "json"):
            return
        try:
            value = json.loads(default, parse_constant=float)
        except ValueError:
            value = math.nan
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value != value or (wire == "number" and not is_number):  # noqa: PLR0124  NaN alone differs from itself
            wanted = "a number" if wire == "number" else "JSON"
            self.complain(
                "default", f'should be {wanted}, as codec "{self.word.name}" gives, but is {default!r}'
            )

    def _absent(self) -> None:
        """Complain about what stands for nothing where it could not stand, or where something else already does."""
        field = self.field
        if field.absent is None or not self.word.is_scalar or field.const is not None:
            return
        if field.default is not None:
            self.complain("absent", "has no effect: the default stands there")
        fits = ABSENT_OF.get(self.word.wire)
        if fits is None or not field.hub:
            self.complain("absent", f'codec "{field.codec}" takes none')
        elif type(field.absent) not in fits:
            wanted = "text" if str in fits else "a whole number" if float not in fits else "a number"
            told = f'should be {wanted}, as codec "{field.codec}" gives, but is {field.absent!r}'
            self.complain("absent", told)

    def _form(self) -> None:
        """Complain about a kind without a table, and about a form that no id is held against, or that is none."""
        field = self.field
        if self.word.tells_kind and (field.table is None or field.default is None):
            self.sheet.complain(self.path, f'codec "{field.codec}" needs a value table, and a default')
        if not field.fits or self.word.is_container:
            return
        if self.word.of_form is None:
            self.complain("fits", f'codec "{field.codec}" takes none')
        elif not is_pattern(field.fits):
            self.complain("fits", f"should be a regular expression, but is {field.fits!r}")

    def _back(self) -> None:
        """Complain about a table that cannot be read backwards: none, or one of two ways to a value."""
        table = self.field.table
        if self.field.back and table is None:
            self.complain("back", "needs a value table")
        seen: set[str] = set()
        for value in self.tables[table].values() if self.field.back and table is not None else ():
            if value in seen:
                self.complain("back", f'table "{table}" leads to "{value}" twice')
            seen.add(value)
