"""One field of a mapping: its place, its hub columns, its codec, and the options that go with that."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from translate import events
from translate.mapping.sheet import Sheet, join
from translate.mapping.spec import Field
from translate.vocabulary.word import KIND_NAMES
from translate.vocabulary.words import VOCABULARY, WORDS
from translate.vocabulary.words.stamps import parameters

# What a mapping may take from the settings: texts that no event says, and whether something is wanted.
SETTINGS = ("app_id", "tracking_id", "user_agent", "forwarded_address", "client_id", "app_title", "platform")
WISHES = ("keep_names", "fill_endpoints")
PHASES = ("START", "UPDATE", "END")
OPTIONS = {
    "required": "true: an event without it is rejected",
    "required_for": "the phase (START, UPDATE or END) whose events are rejected without it",
    "when": "the well-known events that have it; no other event does",
    "table": "the value table through which its text goes, both ways",
    "default": "what is written where nothing says it",
    "optional": "true: a column that is there only if the source can have it, or a recipe fills it",
    "also": "other places where older or foreign records have it; they are only read",
    "asked": f"the setting without which it is not written: `{'` or `'.join(WISHES)}`",
    "setting": f"the setting that says it, whatever the events say: `{'`, `'.join(SETTINGS)}`",
    "fills": "true: the setting says it only where the events do not",
    "member": "the name of the hub's first column within an object of several values",
    "template": "the address that is made, with `{hub column}` in its query",
    "texts": "true: its number is read from a text, too",
}
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
            const=self._literal(path, value, "const"),
            optional=sheet.get(value, path, "optional", bool, default=False),
            texts=sheet.get(value, path, "texts", bool, default=False),
            also=sheet.texts(value, path, "also") or (),
            asked=self._one_of(value, path, "asked", "setting of true or false", WISHES),
            setting=self._one_of(value, path, "setting", "setting of text", SETTINGS),
            fills=sheet.get(value, path, "fills", bool, default=False),
            member=sheet.get(value, path, "member", str, ""),
            template=sheet.get(value, path, "template", str, ""),
        )
        is_spoilt = field.const is None and "const" in value
        if not is_spoilt and self._check_codec(field, path, around=around):
            self._check_options(field, path, value, around=around)
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
        if is_number and not (
            SMALLEST <= literal <= LARGEST if isinstance(literal, int) else math.isfinite(literal)
        ):
            self.sheet.complain(join(path, key), f"should be a finite number of 64 bits, but is {literal!r}")
            return None
        if literal is None or is_number or isinstance(literal, str | bool):
            return literal
        self.sheet.complain(join(path, key), f"should be text, a number, true or false, but is {literal!r}")
        return None

    def _check_options(self, field: Field, path: str, value: dict[str, Any], *, around: bool) -> None:
        for who, options in _without_effect(field, around=around):
            for option in options:
                if option in value:
                    self.sheet.complain(join(path, option), f"{who} takes none")
        self._check_member(field, path)
        self._check_default(field, path)
        if not field.hub and field.const is None and not field.word.is_stamp:
            if field.optional:
                self.sheet.complain(join(path, "optional"), "needs a hub column, which a recipe may fill")
            if field.setting is not None and not around:
                self.sheet.complain(join(path, "setting"), "an event's field needs a hub column beside it")
        self._check_setting(field, path)
        for other in field.also:
            if "*" in other or "" in other.split("."):
                self.sheet.complain(
                    join(path, "also"), f'"{other}" is no place: it is names with dots between'
                )

    def _check_member(self, field: Field, path: str) -> None:
        """Complain unless exactly the codec that has a member to name names one."""
        if not field.word.is_scalar or field.const is not None:
            return
        wanted = field.word.has_member
        if wanted and not field.member:
            self.sheet.complain(
                join(path, "member"), f'is missing: codec "{field.codec}" has {field.hub[0]} under a name'
            )
        if field.member and not wanted:
            self.sheet.complain(join(path, "member"), f'codec "{field.codec}" takes none')

    def _check_setting(self, field: Field, path: str) -> None:
        if field.fills and (field.setting is None or not field.hub):
            self.sheet.complain(join(path, "fills"), "needs a setting, and a hub column beside it")
        if field.setting is not None and field.word.is_scalar and field.word.wire != "text":
            self.sheet.complain(
                join(path, "setting"), f'settings are texts, but codec "{field.codec}" gives none'
            )

    def _check_default(self, field: Field, path: str) -> None:
        """Complain about a text that would stand in a record where a number or JSON should."""
        word = field.word
        if not isinstance(field.default, str) or word.wire not in ("number", "json"):
            return
        try:
            value = json.loads(field.default, parse_constant=float)
        except ValueError:
            value = math.nan
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value != value or (word.wire == "number" and not is_number):  # noqa: PLR0124  NaN alone differs from itself
            wanted = "a number" if word.wire == "number" else "JSON"
            self.sheet.complain(
                join(path, "default"),
                f'should be {wanted}, as codec "{word.name}" gives, but is {field.default!r}',
            )

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
                sheet.complain(
                    f"{path}.hub",
                    f'codec "{field.codec}" takes JSON, and hub column "{field.hub[0]}" holds none',
                )
        return True

    def _check_stamp(self, field: Field, path: str, *, around: bool) -> None:
        if not around:
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
        for _, source in parameters(pairs):
            self.sheet.one_of(
                source, path, "hub column or number that a request is given", [*events.SCHEMA, *IN_TEMPLATES]
            )

    def _check_scalar(self, field: Field, path: str) -> bool:
        word = field.word
        fewest, most = word.columns
        if not fewest <= len(field.hub) <= most:
            wanted = (
                f"{fewest} hub column{'s' * (fewest != 1)}"
                if fewest == most
                else f"{fewest} to {most} hub columns"
            )
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
            self.sheet.complain(
                f"{path}.table", f'a value table takes texts, but codec "{word.name}" gives none'
            )
        return fits

    def _check_fixed(self, field: Field, path: str, wanted: tuple[str, ...]) -> None:
        if field.hub != wanted:
            message = (
                f'codec "{field.codec}" holds {", ".join(wanted)}, not {", ".join(field.hub) or "nothing"}'
            )
            self.sheet.complain(f"{path}.hub", message)


def _effective_in(stamp: Field) -> set[str]:
    """Name the options that something made for a request can have."""
    return {"asked", *(["also"] if stamp.hub else []), *(["template"] if stamp.word.takes_template else [])}


def _without_effect(field: Field, *, around: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give options that a field cannot have, with the reason: nothing would come of them."""
    word = field.word
    if word.is_container:
        yield "a container", tuple(OPTIONS)
    elif word.is_stamp:
        yield (
            "what is made for a request",
            tuple(option for option in OPTIONS if option not in _effective_in(field)),
        )
    elif field.const is not None:
        yield "a constant", ("table", "default", "optional", "also", "setting", "texts")
    elif word.rowwise is not None:
        yield f'codec "{word.name}"', ("table", "default", "when", "setting")
    elif not word.takes_table:
        yield f'codec "{word.name}"', ("table",)
    if field.const is None and word.wire not in ("whole", "number"):
        yield f'codec "{word.name}"', ("texts",)
    if not word.takes_other_places:
        yield f'codec "{word.name}"', ("also",)
    if around and not (word.is_container or word.is_stamp):
        yield "a request's field", ("required_for", "optional")
