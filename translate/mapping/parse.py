"""Mapping files to their spec, or every complaint at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from translate import events
from translate.mapping import keys
from translate.mapping.agreement import contradictions, failures
from translate.mapping.checks import ARCHIVE_LIMITS, REQUEST_LIMITS, WORDS
from translate.mapping.columns import TYPES
from translate.mapping.delivery import read_delivery
from translate.mapping.fields import FieldParser
from translate.mapping.options import PHASES
from translate.mapping.personal import KINDS, wrong_with
from translate.mapping.portions import read_files
from translate.mapping.sheet import SHEET, Sheet, digest_of, inherit, join, read_toml, refuse_other
from translate.mapping.spec import Addition, Layout, Limit, Mapping, Mark, Only, Request, Schema, Spelling

FOLDER = re.compile(r"[\w=-]+")
JSON_VALUES = ("other", "user_properties")


def _at(path: str, where: tuple[str, ...]) -> str:
    for segment in where:
        path = join(path, segment)
    return path


def parse(path: Path, *, proven: bool = False) -> Mapping:
    """Read one mapping; raise MappingError with every complaint; `proven` says that its fields have run already."""
    table, digest = read_toml(path, path.name)
    refuse_other(table, path, SHEET)
    sheet = Sheet(path)
    digests = [digest, *inherit(path, table, sheet)]
    if len(digests) > 1:
        digest = digest_of("".join(digests).encode())
    mapping = _SheetParser(sheet, path.stem).mapping(table, digest)
    sheet.finish()
    for layout in () if proven else mapping.layouts.values():
        for where, message in failures(mapping, layout):
            sheet.complain(_at(join("layout", layout.name), where), message)
    sheet.finish()
    return mapping


class _SheetParser:
    """Walks one mapping's tables."""

    def __init__(self, sheet: Sheet, model: str) -> None:
        self.sheet = sheet
        self.model = model
        self.fields = FieldParser(sheet, {})

    def mapping(self, table: dict[str, Any], digest: str) -> Mapping:
        sheet = self.sheet
        sheet.known_keys(table, "", keys.SHEET)
        title = sheet.need(table, "", "title", str, "")
        source = sheet.need(table, "", "source", str, "")
        names = self.names(sheet.get(table, "", "names", dict, {}))
        phase = sheet.get(table, "", "phase_of_others", str)
        if phase is not None:
            sheet.one_of(phase, "phase_of_others", "phase", PHASES)
        tables = self.value_tables(sheet.get(table, "", "tables", dict, {}))
        self.fields = FieldParser(sheet, tables)
        layouts = {
            name: self.layout(name, layout)
            for name, layout in sheet.tables(sheet.need(table, "", "layout", dict, {}), "layout").items()
        }
        if layouts and sum(layout.default for layout in layouts.values()) != 1:
            sheet.complain("layout", "exactly one layout has to say default = true")
        way = read_delivery(sheet, sheet.get(table, "", "delivery", dict), layouts)
        additions = self.additions(sheet.get(table, "", "additions", dict, {}))
        dashboards = sheet.get(table, "", "dashboards", dict, {})
        sheet.known_keys(dashboards, "dashboards", keys.DASHBOARDS)
        beyond = sheet.texts(dashboards, "dashboards", "beyond") or ()
        return Mapping(
            self.model, title, source, names, tables, layouts, digest, sheet.file, phase, way, additions, beyond,
        )  # fmt: skip

    def additions(self, table: dict[str, Any]) -> dict[str, Addition]:
        """Read what can be added, in the order in which it is made."""
        given = self.sheet.tables(table, "additions")
        for name in given:
            self.sheet.one_of(name, join("additions", name), "addition", keys.ADDITIONS)
        return {name: self.addition(name, given[name]) for name in keys.ADDITIONS if name in given}

    def addition(self, name: str, table: dict[str, Any]) -> Addition:
        path, own = join("additions", name), keys.ADDITIONS[name].keys
        self.sheet.known_keys(table, path, (*own, "source"))
        self.sheet.need(table, path, "source", str, "")
        return Addition(name, **{key: self.sheet.need(table, path, key, str, "") for key in own})

    def names(self, table: dict[str, Any]) -> dict[str, Spelling]:
        spellings = {}
        for hub, spelling in table.items():
            path = join("names", hub)
            self.sheet.one_of(hub, path, "well-known event", events.WELL_KNOWN)
            if isinstance(spelling, str):
                spellings[hub] = Spelling(spelling)
                continue
            if not isinstance(spelling, dict):
                told = f"should be a name, or a table of name and phase, but is {spelling!r}"
                self.sheet.complain(path, told)
                continue
            self.sheet.known_keys(spelling, path, keys.SPELLING)
            phase = self.sheet.get(spelling, path, "phase", str)
            if phase is not None:
                self.sheet.one_of(phase, f"{path}.phase", "phase", PHASES)
            spellings[hub] = Spelling(self.sheet.need(spelling, path, "name", str, ""), phase)
        return spellings

    def value_tables(self, table: dict[str, Any]) -> dict[str, dict[str, str]]:
        tables: dict[str, dict[str, str]] = {}
        for name, pairs in self.sheet.tables(table, "tables").items():
            path = join("tables", name)
            tables[name] = {}
            for key in pairs:
                if key.lower() in tables[name]:
                    self.sheet.complain(join(path, key), "stands there twice: capitals make no difference")
                tables[name][key.lower()] = self.sheet.get(pairs, path, key, str, "")
        return tables

    def layout(self, name: str, table: dict[str, Any]) -> Layout:
        sheet, path = self.sheet, join("layout", name)
        sheet.known_keys(table, path, keys.LAYOUT)
        is_whole = "like" not in table  # else the other layout was not found, and that is complaint enough
        need = sheet.need if is_whole else sheet.get
        records = need(table, path, "records", str, "json-lines")
        sheet.one_of(records, f"{path}.records", "kind of records", keys.RECORDS)
        given = need(table, path, "fields", dict, {}).items()
        fields = tuple(self.fields.field(f"{path}.fields", place, field) for place, field in given)
        layout = Layout(
            model=self.model,
            name=name,
            about=need(table, path, "about", str, ""),
            source=need(table, path, "source", str, ""),
            records=records,
            fields=fields,
            default=sheet.get(table, path, "default", bool, default=False),
            read=sheet.get(table, path, "read", bool, default=True),
            write=sheet.get(table, path, "write", bool, default=True),
            legal_names=sheet.get(table, path, "legal_names", bool, default=False),
            schema=self.schema(join(path, "schema"), sheet.get(table, path, "schema", dict)),
            folder=self.folder(path, table),
            files=read_files(sheet, path, table),
            objects=self.objects(path, table),
            limits=self.row_limits(path, table, "limits"),
            checks=self.row_limits(path, table, "checks"),
            archive_limits=self.limits(path, table, "archive_limits", ARCHIVE_LIMITS),
            cannot=self.cannot(path, sheet.get(table, path, "cannot", dict, {})),
            only=self.only(path, table),
            request=self.request(path, table),
            taken_without=sheet.texts(table, path, "taken_without") or (),
            marks=sheet.texts(table, path, "marks") or (),
            mark_names=sheet.texts(table, path, "mark_names") or (),
            lists=self.of_values(path, table, "lists"),
            single_values=self.of_values(path, table, "single_values"),
            personal=self.personal(path, table),
        )
        for mark in layout.personal:
            wrong = wrong_with(layout, mark)
            if wrong is not None:
                where = (*(("request",) if mark.around else ()), "personal", mark.place)
                sheet.complain(_at(path, where), wrong)
        if fields and is_whole:
            for where, message in contradictions(layout):
                sheet.complain(_at(path, where), message)
        elif table.get("fields") == {}:
            sheet.complain(f"{path}.fields", "has no field")
        return layout

    def folder(self, path: str, table: dict[str, Any]) -> str | None:
        """Read the folder that files of a day lie in; complain about one that leads elsewhere, or that no day makes."""
        folder: str | None = self.sheet.get(table, path, "folder", str)
        if folder is None:
            return None
        try:
            made = folder.format(day=dt.date(2000, 1, 1))
        except (KeyError, IndexError, ValueError, AttributeError):
            made = ""
        if not all(FOLDER.fullmatch(name) for name in made.split("/")):
            told = (
                f"should be names with / between, and with {{day:%Y}} and the like in them, but is {folder!r}"
            )
            self.sheet.complain(join(path, "folder"), told)
        return folder

    def personal(self, path: str, table: dict[str, Any]) -> tuple[Mark, ...]:
        """Read which places hold personal data, in the events and around them."""
        inner = table.get("request")
        around = inner if isinstance(inner, dict) else {}
        marks = []
        for where, home in ((path, table), (join(path, "request"), around)):
            given = self.sheet.get(home, where, "personal", dict, {})
            for place in given:
                at = join(f"{where}.personal", place)
                kind = self.sheet.get(given, f"{where}.personal", place, str)
                if kind is not None and self.sheet.one_of(kind, at, "kind of personal data", KINDS):
                    marks.append(Mark(place, kind, home is around))
        return tuple(marks)

    def schema(self, path: str, table: dict[str, Any] | None) -> Schema | None:
        if table is None:
            return None
        self.sheet.known_keys(table, path, keys.SCHEMA)
        said = {key: self.sheet.need(table, path, key, str, "") for key in ("name", "namespace", "version")}
        own = self.sheet.tables(self.sheet.get(table, path, "own", dict, {}), join(path, "own"))
        for dtype in own:
            self.sheet.one_of(dtype, join(join(path, "own"), dtype), "Avro type", TYPES)
        return Schema(**said, own=own)

    def of_values(self, path: str, table: dict[str, Any], key: str) -> tuple[str, ...]:
        """Give hub columns of JSON values."""
        columns = self.sheet.texts(table, path, key) or ()
        for column in columns:
            self.sheet.one_of(column, join(path, key), "column of JSON values", JSON_VALUES)
        return columns

    def objects(self, path: str, table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        objects = {}
        given = self.sheet.get(table, path, "objects", dict, {})
        for name, inner in self.sheet.tables(given, f"{path}.objects").items():
            where = join(f"{path}.objects", name)
            self.sheet.known_keys(inner, where, keys.OBJECT)
            if "needs" not in inner:
                self.sheet.complain(f"{where}.needs", "is missing")
            objects[name] = self.sheet.texts(inner, where, "needs") or ()
        return objects

    def row_limits(self, path: str, table: dict[str, Any], key: str) -> dict[str, Limit]:
        """Read what is asked of rows: whose places these are is told once all fields are known."""
        limits = {}
        given = self.sheet.get(table, path, key, dict, {})
        for name, inner in self.sheet.tables(given, join(path, key)).items():
            where = join(join(path, key), name)
            self.sheet.known_keys(inner, where, keys.LIMIT)
            word = self.sheet.get(inner, where, "judge", str, name)
            if self.sheet.one_of(word, join(where, "judge") if "judge" in inner else where, "judge", WORDS):
                wrong = WORDS[word].complaint(inner.get("value"))
                if wrong is not None:
                    self.sheet.complain(join(where, "value"), wrong)
            places = self.sheet.texts(inner, where, "places")
            if places == ():
                told = "is missing: a limit names the places that it judges"
                self.sheet.complain(join(where, "places"), told)
            alters = self.sheet.get(inner, where, "alters", str, "")
            if alters and inner.get("hard") is True:
                told = "has no effect: what is beyond a hard limit is refused"
                self.sheet.complain(join(where, "alters"), told)
            said = {key: self.sheet.get(inner, where, key, str) for key in ("beside", "says")}
            limit = Limit(name, inner.get("value"), *self._why(inner, where), alters=alters, judge=word)
            limits[name] = replace(limit, places=places or (), **said)
        return limits

    def limits(self, path: str, table: dict[str, Any], key: str, names: Iterable[str]) -> dict[str, Limit]:
        limits = {}
        given = self.sheet.get(table, path, key, dict, {})
        for name, inner in self.sheet.tables(given, join(path, key)).items():
            where = join(join(path, key), name)
            self.sheet.one_of(name, where, "limit", names)
            self.sheet.known_keys(inner, where, keys.COUNTED)
            value = self.sheet.need(inner, where, "value", int, 0)
            if value < 0:
                self.sheet.complain(join(where, "value"), f"should not be negative, but is {value}")
            limits[name] = Limit(name, value, *self._why(inner, where))
        return limits

    def _why(self, inner: dict[str, Any], where: str) -> tuple[bool, str, bool]:
        """Read whether a limit is hard, who says so, and whether that was only seen."""
        sheet = self.sheet
        return (
            sheet.need(inner, where, "hard", bool, default=True),
            sheet.need(inner, where, "source", str, ""),
            sheet.get(inner, where, "observed", bool, default=False),
        )

    def cannot(self, path: str, table: dict[str, Any]) -> dict[str, str]:
        where = f"{path}.cannot"
        for column in table:
            self.sheet.one_of(column, join(where, column), "hub column", events.SCHEMA)
        return {column: self.sheet.get(table, where, column, str, "") for column in table}

    def only(self, path: str, table: dict[str, Any]) -> Only | None:
        inner = self.sheet.get(table, path, "only", dict)
        if inner is None:
            return None
        where = f"{path}.only"
        self.sheet.known_keys(inner, where, keys.ONLY)
        hub = self.sheet.need(inner, where, "hub", str, "name")
        self.sheet.one_of(hub, f"{where}.hub", "hub column", events.SCHEMA)
        names = self.sheet.texts(inner, where, "names") or ()
        for name in names:
            self.sheet.one_of(name, f"{where}.names", "well-known event", events.WELL_KNOWN)
        return Only(hub, names, self.sheet.need(inner, where, "rule", str, ""))

    def request(self, path: str, table: dict[str, Any]) -> Request | None:
        sheet = self.sheet
        inner = sheet.get(table, path, "request", dict)
        if inner is None:
            return None
        where = f"{path}.request"
        sheet.known_keys(inner, where, keys.REQUEST)
        each = sheet.need(inner, where, "each", str, "")
        also = sheet.get(inner, where, "also", dict, {})
        closed = sheet.texts(inner, where, "closed") or ()
        fields = sheet.get(inner, where, "fields", dict, {})
        return Request(
            each=tuple(each.split(".")) if each else (),
            fields=tuple(self.fields.field(f"{where}.fields", *pair, around=True) for pair in fields.items()),
            opened=tuple(dict.fromkeys([*(sheet.texts(inner, where, "opened") or ()), *closed])),
            closed=closed,
            empty=sheet.texts(inner, where, "empty") or (),
            also={name: sheet.texts(also, f"{where}.also", name) or () for name in also},
            events_max=sheet.most(inner, where, "events_max"),
            bytes_max=sheet.most(inner, where, "bytes_max"),
            bare=sheet.get(inner, where, "bare", bool, default=True),
            listed=sheet.get(inner, where, "listed", bool, default=False),
            limits=self.limits(where, inner, "limits", REQUEST_LIMITS),
        )
