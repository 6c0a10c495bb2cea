"""Mapping files to their spec, or every complaint at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from translate import events
from translate.errors import suggest
from translate.mapping import keys
from translate.mapping.agreement import contradictions, failures
from translate.mapping.checks import ARCHIVE_LIMITS, REQUEST_LIMITS, read_limits, read_row_limits
from translate.mapping.columns import TYPES
from translate.mapping.delivery import read_delivery
from translate.mapping.fields import FieldParser
from translate.mapping.keys import PHASES
from translate.mapping.personal import read_marks, wrong_with
from translate.mapping.portions import read_files, read_folder
from translate.mapping.sheet import SHEET, Sheet, Table, digest_of, join, read_toml, refuse_other
from translate.mapping.spec import Addition, Layout, Mapping, Only, Request, Schema
from translate.vocabulary.spelling import Spelling

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

    def mapping(self, table: Table, digest: str) -> Mapping:
        sheet = self.sheet
        sheet.known_keys(table, "", keys.SHEET)
        title = sheet.need(table, "", "title", str, "")
        source = sheet.need(table, "", "source", str, "")
        names = self.names(sheet.get(table, "", "names", dict, {}))
        phase = sheet.choice(table, "", "phase_of_others", "phase", PHASES)
        tables = self.value_tables(table)
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

    def additions(self, table: Table) -> dict[str, Addition]:
        """Read what can be added, in the order in which it is made."""
        given = self.sheet.tables(table, "additions")
        for name in given:
            self.sheet.one_of(name, join("additions", name), "addition", keys.ADDITIONS)
        return {name: self.addition(name, given[name]) for name in keys.ADDITIONS if name in given}

    def addition(self, name: str, table: Table) -> Addition:
        path, own = join("additions", name), keys.ADDITIONS[name].keys
        self.sheet.known_keys(table, path, (*own, "source"))
        self.sheet.need(table, path, "source", str, "")
        return Addition(name, **{key: self.sheet.need(table, path, key, str, "") for key in own})

    def names(self, table: Table) -> dict[str, Spelling]:
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
            phase = self.sheet.choice(spelling, path, "phase", "phase", PHASES)
            spellings[hub] = Spelling(self.sheet.need(spelling, path, "name", str, ""), phase)
        return spellings

    def value_tables(self, table: Table) -> dict[str, dict[str, str]]:
        tables: dict[str, dict[str, str]] = {}
        for name, path, pairs in self.sheet.inner(table, "", "tables"):
            tables[name] = {}
            for key in pairs:
                if key.lower() in tables[name]:
                    self.sheet.complain(join(path, key), "stands there twice: capitals make no difference")
                tables[name][key.lower()] = self.sheet.get(pairs, path, key, str, "")
        return tables

    def layout(self, name: str, table: Table) -> Layout:
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
            folder=read_folder(sheet, path, table),
            files=read_files(sheet, path, table),
            objects=self.objects(path, table),
            limits=read_row_limits(sheet, path, table, "limits"),
            checks=read_row_limits(sheet, path, table, "checks"),
            archive_limits=read_limits(sheet, path, table, "archive_limits", ARCHIVE_LIMITS),
            cannot=self.cannot(path, sheet.get(table, path, "cannot", dict, {})),
            only=self.only(path, table),
            request=self.request(path, table),
            taken_without=sheet.texts(table, path, "taken_without") or (),
            marks=sheet.texts(table, path, "marks") or (),
            mark_names=sheet.texts(table, path, "mark_names") or (),
            lists=sheet.choices(table, path, "lists", "column of JSON values", JSON_VALUES),
            single_values=sheet.choices(table, path, "single_values", "column of JSON values", JSON_VALUES),
            personal=read_marks(sheet, path, table),
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

    def schema(self, path: str, table: Table | None) -> Schema | None:
        if table is None:
            return None
        self.sheet.known_keys(table, path, keys.SCHEMA)
        said = {key: self.sheet.need(table, path, key, str, "") for key in ("name", "namespace", "version")}
        own = self.sheet.tables(self.sheet.get(table, path, "own", dict, {}), join(path, "own"))
        for dtype in own:
            self.sheet.one_of(dtype, join(join(path, "own"), dtype), "Avro type", TYPES)
        return Schema(**said, own=own)

    def objects(self, path: str, table: Table) -> dict[str, tuple[str, ...]]:
        objects = {}
        for name, where, inner in self.sheet.inner(table, path, "objects"):
            self.sheet.known_keys(inner, where, keys.OBJECT)
            if "needs" not in inner:
                self.sheet.complain(f"{where}.needs", "is missing")
            objects[name] = self.sheet.texts(inner, where, "needs") or ()
        return objects

    def cannot(self, path: str, table: Table) -> dict[str, str]:
        where = f"{path}.cannot"
        for column in table:
            self.sheet.one_of(column, join(where, column), "hub column", events.SCHEMA)
        return {column: self.sheet.get(table, where, column, str, "") for column in table}

    def only(self, path: str, table: Table) -> Only | None:
        inner = self.sheet.get(table, path, "only", dict)
        if inner is None:
            return None
        where = f"{path}.only"
        self.sheet.known_keys(inner, where, keys.ONLY)
        hub = self.sheet.need(inner, where, "hub", str, "name")
        self.sheet.one_of(hub, f"{where}.hub", "hub column", events.SCHEMA)
        names = self.sheet.choices(inner, where, "names", "well-known event", events.WELL_KNOWN)
        return Only(hub, names, self.sheet.need(inner, where, "rule", str, ""))

    def request(self, path: str, table: Table) -> Request | None:
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
            limits=read_limits(sheet, where, inner, "limits", REQUEST_LIMITS),
        )


# -- layouts that are like another one: what they do not say themselves, they take from it -------------------

MERGED = ("fields", "checks", "personal")
OWN = ("like", "about", "default", "request", "folder", "files", "marks", "mark_names")


def inherit(path: Path, table: Table, sheet: Sheet) -> Iterator[str]:
    """Put into each layout what the one has that it is `like`; give the digests of the other files read for it.

    Fields are put together, the layout's own last; any other member is taken over only where it is missing. The
    other layout has to stand on its own: nobody could follow a chain. A `like` that leads nowhere stays in its layout.
    """
    layouts = table.get("layout")
    if not isinstance(layouts, dict):
        return
    likes = _likes(layouts)
    for name, like in likes.items():
        where = join(join("layout", name), "like")
        if not isinstance(like, str):
            sheet.complain(where, f"should be a layout, but is {like!r}")
            continue
        model, slash, other = like.rpartition("/")
        found, leaning = layouts, set(likes)
        if slash:
            files = {beside.stem: beside for beside in path.parent.glob("*.toml")}
            if model not in files:
                sheet.complain(where, f'no model "{model}"{suggest(model, files)}')
                continue
            content, digest = read_toml(files[model], files[model].name)
            yield digest
            found = content.get("layout", {})
            found = found if isinstance(found, dict) else {}
            leaning = set(_likes(found))
        if other == name and found is layouts:
            sheet.complain(where, "a layout is not like itself")
        elif not isinstance(found.get(other), dict):
            sheet.complain(where, f'no layout "{other}"{suggest(other, found)}')
        elif other in leaning:
            sheet.complain(where, f'"{like}" is like another layout itself: name that one')
        else:
            del layouts[name]["like"]
            _take_over(layouts[name], found[other])


def _likes(layouts: Table) -> Table:
    """Give what layouts say that they are like."""
    said = ((name, layout) for name, layout in layouts.items() if isinstance(layout, dict))
    return {name: layout["like"] for name, layout in said if "like" in layout}


def _take_over(layout: Table, other: Table) -> None:
    for key, value in other.items():
        if key in MERGED and isinstance(layout.get(key), dict) and isinstance(value, dict):
            layout[key] = {**value, **layout[key]}
        elif key not in OWN:
            layout.setdefault(key, value)
