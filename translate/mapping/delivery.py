"""How a model's requests are delivered, and what its service does with old data: the table [delivery] of a mapping."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any

from translate import events
from translate.mapping import keys
from translate.mapping.description import read_sending
from translate.mapping.protocols import PROTOCOLS
from translate.mapping.sending import CHECKS, OF_SENDER, Delivery, Hazard, HazardCheck, Quota, Support
from translate.mapping.sheet import Sheet, Table, join
from translate.mapping.spec import Layout

VERIFY_PLACES = ("events", "earliest", "latest", "earliest_ms", "latest_ms")
# What a sentence has places for; which of them, depends on the sentence.
PLACES = {
    "events": "how many events it concerns, or were sent",
    "share": "these as a share of all",
    "value": "the number or text that was crossed",
    "found": "what was found instead",
    "users": "how many users it concerns",
    "earliest": "the time of the earliest event",
    "earliest_ms": "the same in milliseconds since 1970",
    "latest": "the time of the latest event",
    "latest_ms": "the same in milliseconds since 1970",
}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FOUND = ("events", "share")


def read_delivery(sheet: Sheet, table: Table | None, layouts: Mapping[str, Layout]) -> Delivery | None:
    """Read the table, or None where the mapping has none; complain to the sheet."""
    return None if table is None else _DeliveryParser(sheet, layouts).delivery(table)


class _DeliveryParser:
    """Walks the table of one mapping."""

    def __init__(self, sheet: Sheet, layouts: Mapping[str, Layout]) -> None:
        self.sheet = sheet
        self.layouts = layouts
        self.columns: tuple[str, ...] = tuple(events.SCHEMA)

    def delivery(self, table: Table) -> Delivery:
        sheet, path = self.sheet, "delivery"
        sheet.known_keys(table, path, keys.DELIVERY)
        layout = sheet.need(table, path, "layout", str, "")
        if isinstance(table.get("layout"), str):
            self.layout(layout)
        protocol: str | None = sheet.get(table, path, "protocol", str)
        if protocol is not None and sheet.one_of(protocol, "delivery.protocol", "protocol", PROTOCOLS):
            self.protocol(protocol, layout)
        described: Table | None = sheet.get(table, path, "http", dict)
        if described is not None and protocol is not None:
            told = "says how requests are sent, and so does protocol: give one of the two"
            sheet.complain("delivery.http", told)
        http = None if described is None else read_sending(sheet, described, self.layouts.get(layout))
        order = self.needed_texts(table, path, "order")
        for column in order:
            self.column(column, "delivery.order")
        verify = sheet.texts(table, path, "verify") or ()
        for text in verify:
            self.sentence(text, "delivery.verify", VERIFY_PLACES)
        quota = self.quota(sheet.need(table, path, "quota", dict, None))
        support = self.support(sheet.get(table, path, "support", dict))
        preflight = {
            name: self.hazard(name, where, hazard, has_end=support is not None)
            for name, where, hazard in sheet.inner(table, path, "preflight")
        }
        return Delivery(layout, protocol, order, quota, support, verify, preflight, http)

    def layout(self, name: str) -> None:
        if not self.sheet.one_of(name, "delivery.layout", "layout", self.layouts):
            return
        layout = self.layouts[name]
        if layout.request is None:
            self.sheet.complain("delivery.layout", f'layout "{name}" has no requests')
        elif not layout.write:
            self.sheet.complain("delivery.layout", f'layout "{name}" is only read')
        self.columns = tuple(dict.fromkeys(column for entry in layout.all_fields for column in entry.hub))

    def protocol(self, name: str, layout: str) -> None:
        """Complain unless the layout's requests have the form that the protocol sends."""
        request = self.layouts[layout].request if layout in self.layouts else None
        if request is None:
            return
        protocol = PROTOCOLS[name]
        if request.each != protocol.each:
            told = f'"{name}" needs a request to have its events at "{".".join(protocol.each)}"'
            self.sheet.complain("delivery.protocol", told)
        written = {entry.path[0] for entry in request.fields}
        for member in protocol.members:
            if member not in written:
                told = f'"{name}" needs a request to have a member "{member}", and no field lies there'
                self.sheet.complain("delivery.protocol", told)

    def column(self, name: Any, path: str) -> None:
        """Complain unless it is a hub column that the layout has a place for."""
        if self.sheet.one_of(name, path, "hub column", events.SCHEMA) and name not in self.columns:
            self.sheet.complain(path, f'the layout has no place for "{name}"')

    def quota(self, table: Table | None) -> Quota:
        path, given = "delivery.quota", table or {}
        sheet = self.sheet
        if table is None:
            return Quota(1, "", 1, "", dt.date.min)
        sheet.known_keys(given, path, keys.QUOTA)
        return Quota(
            self.number(given, path, "requests_per_second", "a number above 0", lambda value: value > 0),
            sheet.need(given, path, "scope", str, ""),
            self.number(given, path, "share", "a number above 0 and up to 1", lambda value: 0 < value <= 1),
            sheet.need(given, path, "source", str, ""),
            self.date(given, path, "date"),
            sheet.get(given, path, "documented", bool, default=True),
        )

    def support(self, table: Table | None) -> Support | None:
        if table is None:
            return None
        path = "delivery.support"
        self.sheet.known_keys(table, path, keys.SUPPORT)
        return Support(self.date(table, path, "ended"), self.sheet.need(table, path, "source", str, ""))

    def hazard(self, name: str, path: str, table: Table, *, has_end: bool) -> Hazard:
        sheet = self.sheet
        if not _NAME.fullmatch(name):
            told = "a name that can be accepted has small letters, digits, and single - between them"
            sheet.complain(path, told)
        check, is_said = sheet.need(table, path, "check", str, ""), isinstance(table.get("check"), str)
        known = is_said and sheet.one_of(check, join(path, "check"), "check", CHECKS)
        kind = CHECKS[check] if known else HazardCheck("")
        if known:
            sheet.known_keys(table, path, (*keys.HAZARD, *kind.keys))
        if check == "support_ended" and not has_end:
            sheet.complain(path, "needs a table [delivery.support]")
        says = sheet.need(table, path, "says", str, "")
        if known:
            self.sentence(says, join(path, "says"), (*_FOUND, *kind.says))
        value, unit = self.most(table, path, kind)
        return Hazard(
            name=name,
            check=check,
            loses=sheet.need(table, path, "loses", bool, default=True),
            says=says,
            instead=sheet.need(table, path, "instead", str, ""),
            source=sheet.need(table, path, "source", str, ""),
            date=self.date(table, path, "date"),
            value=value,
            unit=unit,
            columns=self.hub_columns(table, path, kind),
            names=self.names(table, path, kind),
            setting=self.setting(table, path, kind),
            layouts=sheet.choices(table, path, "layouts", "layout", self.layouts),
            alters=sheet.get(table, path, "alters", str, "") if kind.of_age else "",
        )

    def most(self, table: Table, path: str, kind: HazardCheck) -> tuple[int | None, str]:
        """Give the number of a check, and the key that says its unit."""
        if not kind.number:
            return None, ""
        given = [key for key in kind.number if key in table]
        if len(given) != 1:
            told = f"takes {' or '.join(kind.number)}, not both" if given else "is missing"
            self.sheet.complain(join(path, kind.number[0]), told)
            return None, kind.number[0]
        return self.sheet.most(table, path, given[0]), given[0]

    def hub_columns(self, table: Table, path: str, kind: HazardCheck) -> tuple[str, ...]:
        if kind.setting == OF_SENDER and table.get("setting") in OF_SENDER:
            return (table["setting"],)  # the hub column that the setting fills
        if kind.columns is None:
            return kind.implied
        names = self.needed_texts(table, path, kind.columns)
        for name in names:
            self.column(name, join(path, kind.columns))
        if kind.columns == "column" and len(names) > 1:
            self.sheet.complain(join(path, "column"), "takes one hub column")
        return names

    def names(self, table: Table, path: str, kind: HazardCheck) -> tuple[str, ...]:
        if kind.names is None or (kind.names == "except" and "except" not in table):
            return ()
        names = self.needed_texts(table, path, kind.names)
        for pattern in names if kind.names == "patterns" else ():
            try:
                re.compile(pattern)
            except re.error as error:
                self.sheet.complain(join(path, "patterns"), f'"{pattern}" is no regular expression: {error}')
        return names

    def needed_texts(self, table: Table, path: str, key: str) -> tuple[str, ...]:
        texts = self.sheet.texts(table, path, key)
        if texts == ():
            self.sheet.complain(join(path, key), "names nothing" if key in table else "is missing")
        return texts or ()

    def setting(self, table: Table, path: str, kind: HazardCheck) -> str | None:
        if not kind.setting:
            return None
        ask = self.sheet.need if kind.setting_required else self.sheet.get
        name: str | None = ask(table, path, "setting", str, None)
        where = join(path, "setting")
        if name is not None and self.sheet.one_of(name, where, "setting of this check", kind.setting):
            units = [unit for unit in kind.number if unit in table]
            if units and not name.endswith(f"_{units[0]}"):
                self.sheet.complain(where, f'"{name}" is not in {units[0]}')
        return name

    def sentence(self, text: str, path: str, places: Iterable[str]) -> None:
        """Complain about each place of a sentence that nothing is put into."""
        try:
            parts = [part for _, *part in Formatter().parse(text) if part[0] is not None]
        except ValueError:
            self.sheet.complain(path, "is no sentence with places: write each brace that is none twice")
            return
        for name, form, conversion in parts:
            if self.sheet.one_of(name, path, "place", places) and (form or conversion):
                self.sheet.complain(path, f'a place is a name only: "{name}"')

    def number(self, table: Table, path: str, key: str, wanted: str, holds: Callable[[float], bool]) -> float:
        value = table.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if isinstance(value, int | float) and is_number and holds(value):
            return value
        told = f"should be {wanted}, but is {value!r}" if key in table else "is missing"
        self.sheet.complain(join(path, key), told)
        return 1

    def date(self, table: Table, path: str, key: str) -> dt.date:
        text = self.sheet.need(table, path, key, str, None)
        try:
            return dt.date.fromisoformat(text) if text is not None else dt.date.min
        except ValueError:
            self.sheet.complain(join(path, key), f"should be a date, YYYY-MM-DD, but is {text!r}")
            return dt.date.min
