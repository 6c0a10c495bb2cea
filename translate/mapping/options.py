"""The options of a field of a mapping: what each means, and where one would have no effect."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from translate.mapping.checks import is_pattern
from translate.mapping.sheet import Sheet, join
from translate.mapping.spec import Field

# What a mapping may take from the settings: texts that no event says, and whether something is wanted.
SETTINGS = ("app_id", "tracking_id", "user_agent", "forwarded_address", "client_id", "app_title", "platform")
WISHES = (
    "keep_names",
    "fill_endpoints",
    "update_profiles",
    "locate_by_sender",
    "reach_destinations",
    "live_events",
)
PHASES = ("START", "UPDATE", "END")
OPTIONS = {
    "required": "true: an event without it is rejected",
    "required_for": "the phase (START, UPDATE or END) whose events are rejected without it",
    "when": "the well-known events that have it; no other event does",
    "table": "the value table through which its text goes, both ways",
    "back": "true: its value table is read backwards, too",
    "default": "what is written where nothing says it",
    "absent": "what stands there where nothing says it, and is read as nothing",
    "optional": "true: a column that is there only if the source can have it, or a recipe fills it",
    "also": "other places where older or foreign records have it; they are only read",
    "asked": f"the setting without which it is not written: `{'`, `'.join(WISHES)}`",
    "unless": "the setting with which it is not written, one of the same",
    "setting": f"the setting that says it, whatever the events say: `{'`, `'.join(SETTINGS)}`",
    "fills": "true: the setting says it only where the events do not",
    "member": "the name of the hub's first column within an object of several values",
    "template": "the address that is made, with `{hub column}` in its query",
    "fits": "the form, a regular expression, of ids that are taken as they are",
    "texts": "true: its number is read from a text, too",
}
# What may stand for nothing, by the wire of the value in whose place it does.
ABSENT_OF: dict[str, tuple[type, ...]] = {"text": (str,), "whole": (int,), "number": (int, float)}


class OptionsCheck:
    """Looks at the options of the fields of one mapping; `tables` are its value tables."""

    def __init__(self, sheet: Sheet, tables: dict[str, dict[str, str]]) -> None:
        self.sheet = sheet
        self.tables = tables

    def check(self, field: Field, path: str, value: dict[str, Any], *, around: bool) -> None:
        """Complain about each option that could not take effect."""
        for who, options in _without_effect(field, around=around):
            for option in options:
                if option in value:
                    self.sheet.complain(join(path, option), f"{who} takes none")
        self._check_member(field, path)
        self._check_default(field, path)
        self._check_absent(field, path)
        self._check_form(field, path)
        self._check_back(field, path)
        if field.unless is not None and field.unless == field.asked:
            self.sheet.complain(join(path, "unless"), "is what it is asked by: it would never be written")
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
            told = f'should be {wanted}, as codec "{word.name}" gives, but is {field.default!r}'
            self.sheet.complain(join(path, "default"), told)

    def _check_absent(self, field: Field, path: str) -> None:
        """Complain about what stands for nothing where it could not stand, or where something else already does."""
        if field.absent is None or not field.word.is_scalar or field.const is not None:
            return
        path = join(path, "absent")
        if field.default is not None:
            self.sheet.complain(path, "has no effect: the default stands there")
        fits = ABSENT_OF.get(field.word.wire)
        if fits is None or not field.hub:
            self.sheet.complain(path, f'codec "{field.codec}" takes none')
        elif type(field.absent) not in fits:
            wanted = "text" if str in fits else "a whole number" if float not in fits else "a number"
            self.sheet.complain(
                path, f'should be {wanted}, as codec "{field.codec}" gives, but is {field.absent!r}'
            )

    def _check_form(self, field: Field, path: str) -> None:
        """Complain about a kind without a table, and about a form that no id is held against, or that is none."""
        if field.word.tells_kind and (field.table is None or field.default is None):
            self.sheet.complain(path, f'codec "{field.codec}" needs a value table, and a default')
        if not field.fits or field.word.is_container:
            return
        if field.word.of_form is None:
            self.sheet.complain(join(path, "fits"), f'codec "{field.codec}" takes none')
        elif not is_pattern(field.fits):
            self.sheet.complain(join(path, "fits"), f"should be a regular expression, but is {field.fits!r}")

    def _check_back(self, field: Field, path: str) -> None:
        """Complain about a table that cannot be read backwards: none, or one of two ways to a value."""
        if not field.back:
            return
        if field.table is None:
            self.sheet.complain(join(path, "back"), "needs a value table")
            return
        seen: set[str] = set()
        for value in self.tables[field.table].values():
            if value in seen:
                self.sheet.complain(join(path, "back"), f'table "{field.table}" leads to "{value}" twice')
            seen.add(value)


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
        yield "a constant", ("table", "back", "default", "absent", "optional", "also", "setting", "texts")
    elif word.rowwise is not None:
        yield f'codec "{word.name}"', ("table", "default", "absent", "when", "setting")
    elif not word.takes_table:
        yield f'codec "{word.name}"', ("table",)
    if field.const is None and word.wire not in ("whole", "number"):
        yield f'codec "{word.name}"', ("texts",)
    if not word.takes_other_places:
        yield f'codec "{word.name}"', ("also",)
    if around and not (word.is_container or word.is_stamp):
        yield "a request's field", ("required_for", "optional")
