"""One field of a mapping: its place, its hub columns, its codec, and the options that go with that."""

from __future__ import annotations

import math
from typing import Any

from translate import events
from translate.mapping.options import OPTIONS, PHASES, SETTINGS, WISHES, OptionsCheck
from translate.mapping.sheet import Sheet, join
from translate.mapping.spec import Field
from translate.vocabulary.word import KIND_NAMES
from translate.vocabulary.words import VOCABULARY, WORDS
from translate.vocabulary.words.stamps import parameters

KEYS = {
    "hub": "the hub column, or a list of them, as its codec takes them; a text in place of the table says this alone",
    "as": "the codec between the two; `text`, unless said",
    "const": "what always stands there, in place of a hub column",
    **OPTIONS,
}
SMALLEST, LARGEST = -(2**63), 2**63 - 1

IN_TEMPLATES = [name for name, word in WORDS.items() if word.in_templates]


class FieldParser:
    """Reads the fields of one mapping; `tables` are its value tables."""

    def __init__(self, sheet: Sheet, tables: dict[str, dict[str, str]]) -> None:
        self.sheet = sheet
        self.tables = tables

    def field(self, path: str, place: str, value: Any, *, around: bool = False) -> Field:
        """Read one field, of the event or of the request around it; complain about what is wrong with it alone."""
        sheet = self.sheet
        path = join(path, place)
        if "" in place.split("."):
            sheet.complain(path, "has a segment without a name")
        if isinstance(value, str):
            value = {"hub": value}
        elif not isinstance(value, dict):
            sheet.complain(path, f"should be a hub column or a table, but is {value!r}")
            return Field(place, ())
        sheet.known_keys(value, path, KEYS)
        hub = sheet.texts(value, path, "hub")
        if hub is None:
            return Field(place, ())
        field = Field(
            place=place,
            hub=hub,
            codec=sheet.get(value, path, "as", str, Field.codec),
            required=sheet.get(value, path, "required", bool, default=False),
            required_for=self._one_of(value, path, "required_for", "phase", PHASES),
            when=self._when(path, value),
            table=self._one_of(value, path, "table", "value table", self.tables),
            default=self._literal(path, value, "default"),
            back=sheet.get(value, path, "back", bool, default=False),
            absent=self._literal(path, value, "absent"),
            const=self._literal(path, value, "const"),
            optional=sheet.get(value, path, "optional", bool, default=False),
            texts=sheet.get(value, path, "texts", bool, default=False),
            also=sheet.texts(value, path, "also") or (),
            asked=self._one_of(value, path, "asked", "setting of true or false", WISHES),
            unless=self._one_of(value, path, "unless", "setting of true or false", WISHES),
            setting=self._one_of(value, path, "setting", "setting of text", SETTINGS),
            fills=sheet.get(value, path, "fills", bool, default=False),
            member=sheet.get(value, path, "member", str, ""),
            template=sheet.get(value, path, "template", str, ""),
            fits=sheet.get(value, path, "fits", str, ""),
        )
        is_spoilt = field.const is None and "const" in value
        if not is_spoilt and self._check_codec(field, path, around=around):
            OptionsCheck(sheet, self.tables).check(field, path, value, around=around)
        return field

    # -- its options ------------------------------------------------------------------------------------------------

    def _one_of(self, value: dict[str, Any], path: str, key: str, what: str, known: Any) -> str | None:
        name: str | None = self.sheet.get(value, path, key, str)
        if name is not None and not self.sheet.one_of(name, join(path, key), what, known):
            return None
        return name

    def _when(self, path: str, value: dict[str, Any]) -> tuple[str, ...]:
        names = self.sheet.texts(value, path, "when") or ()
        for name in names:
            self.sheet.one_of(name, f"{path}.when", "well-known event", events.WELL_KNOWN)
        return names

    def _literal(self, path: str, value: dict[str, Any], key: str) -> Any:
        literal: Any = value.get(key)
        is_number = isinstance(literal, int | float) and not isinstance(literal, bool)
        fits = not isinstance(literal, int | float) or (
            math.isfinite(literal) if isinstance(literal, float) else SMALLEST <= literal <= LARGEST
        )
        if not fits:
            self.sheet.complain(join(path, key), f"should be a finite number of 64 bits, but is {literal!r}")
            return None
        if literal is None or is_number or isinstance(literal, str | bool):
            return literal
        self.sheet.complain(join(path, key), f"should be text, a number, true or false, but is {literal!r}")
        return None

    # -- its codec --------------------------------------------------------------------------------------------------

    def _check_codec(self, field: Field, path: str, *, around: bool) -> bool:
        """Complain about a codec that does not fit its hub columns; tell whether it is known at least."""
        sheet = self.sheet
        known = [sheet.one_of(column, f"{path}.hub", "hub column", events.SCHEMA) for column in field.hub]
        if field.const is not None:
            if field.hub:
                sheet.complain(path, "has both a hub column and a constant: say one of them")
            if not field.word.is_default:
                sheet.complain(f"{path}.as", "a constant takes no codec")
            return True
        if field.word.is_stamp:
            self._check_stamp(field, path, around=around)
            return True
        if not sheet.one_of(field.codec, f"{path}.as", "codec", VOCABULARY):
            return False
        if not all(known) or (field.setting is not None and not field.hub):
            return True
        if field.word.is_container or self._check_scalar(field, path):
            self._check_fixed(field, path, field.word.stands_for or field.hub)
            if field.hub[0:1] and field.hub[0] not in (field.word.kept_in or field.hub):
                told = f'codec "{field.codec}" takes JSON, and hub column "{field.hub[0]}" holds none'
                sheet.complain(f"{path}.hub", told)
        return True

    def _check_stamp(self, field: Field, path: str, *, around: bool) -> None:
        if not around and not field.word.is_left_out:
            self.sheet.complain(
                f"{path}.as", f'codec "{field.codec}" is made for a request: it belongs among its fields'
            )
        elif field.word.takes_template:
            self._check_template(field, join(path, "template"))
        elif field.hub and tuple(map(events.SCHEMA.get, field.hub)) != field.word.types:
            wanted = "one hub column of times" if field.word.types else "no hub column: it is made anew"
            self.sheet.complain(f"{path}.hub", f'codec "{field.codec}" takes {wanted}')

    def _check_template(self, field: Field, path: str) -> None:
        """Complain about an address without a query, or of what no request has."""
        _, query, pairs = field.template.partition("?")
        if not query:
            self.sheet.complain(path, "should be a path and a query, like /path?name={app.id}")
        known = [*events.SCHEMA, *IN_TEMPLATES]
        for _, source in parameters(pairs):
            self.sheet.one_of(source, path, "hub column or number that a request is given", known)

    def _check_scalar(self, field: Field, path: str) -> bool:
        word = field.word
        fewest, most = word.columns
        if not fewest <= len(field.hub) <= most:
            several = f"{fewest} to {most} hub columns"
            wanted = f"{fewest} hub column{'s' * (fewest != 1)}" if fewest == most else several
            self.sheet.complain(f"{path}.hub", f'codec "{word.name}" takes {wanted}, not {len(field.hub)}')
            return False
        fits = True
        for position, column in enumerate(field.hub):
            dtype = word.types[min(position, len(word.types) - 1)]
            if events.SCHEMA[column] != dtype:
                fits = False
                message = f'codec "{word.name}" takes {KIND_NAMES[dtype]} here, but hub column "{column}" holds {KIND_NAMES[events.SCHEMA[column]]}'
                self.sheet.complain(f"{path}.hub", message)
        if field.table is not None and word.wire != "text":
            told = f'a value table takes texts, but codec "{word.name}" gives none'
            self.sheet.complain(f"{path}.table", told)
        return fits

    def _check_fixed(self, field: Field, path: str, wanted: tuple[str, ...]) -> None:
        if field.hub != wanted:
            given = ", ".join(field.hub) or "nothing"
            self.sheet.complain(
                f"{path}.hub", f'codec "{field.codec}" holds {", ".join(wanted)}, not {given}'
            )
