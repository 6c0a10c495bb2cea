"""Mapping files to their spec, or every complaint at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from translate import events
from translate.mapping.codecs import CONTAINERS, KIND_NAMES, SCALARS, VOCABULARY
from translate.mapping.proof import contradictions, failures
from translate.mapping.sheet import Sheet, join, read_toml
from translate.mapping.spec import Envelope, Field, Layout, Limit, Mapping, Only, Spelling

RECORDS = ("json-lines", "csv")
SHAPES = ("pinpoint_batch",)
PHASES = ("START", "UPDATE", "END")
LIMITS = (
    "items_max", "user_attributes_max", "attributes_max", "bytes_max", "value_characters_max",
    "names_and_values_max", "key_characters_max", "text_characters_max", "name_characters_max",
    "id_characters_max", "line_breaks_max", "impression_characters_max",
)  # fmt: skip


def _at(path: str, where: tuple[str, ...]) -> str:
    for segment in where:
        path = join(path, segment)
    return path


def parse(path: Path) -> Mapping:
    """Read one mapping; raise MappingError with every complaint."""
    table, digest = read_toml(path, path.name)
    sheet = Sheet(path.name)
    mapping = _Parser(sheet, path.stem).mapping(table, digest)
    sheet.finish()
    for layout in mapping.layouts.values():
        for where, message in failures(mapping, layout):
            sheet.complain(_at(join("layout", layout.name), where), message)
    sheet.finish()
    return mapping


class _Parser:
    """Walks one mapping's tables."""

    def __init__(self, sheet: Sheet, model: str) -> None:
        self.sheet = sheet
        self.model = model
        self.tables: dict[str, dict[str, str]] = {}

    def mapping(self, table: dict[str, Any], digest: str) -> Mapping:
        sheet = self.sheet
        sheet.known_keys(table, "", ("title", "source", "names", "tables", "layout"))
        title = sheet.need(table, "", "title", str, "")
        source = sheet.need(table, "", "source", str, "")
        names = self.names(sheet.get(table, "", "names", dict, {}))
        self.tables = self.value_tables(sheet.get(table, "", "tables", dict, {}))
        layouts = {
            name: self.layout(name, layout)
            for name, layout in sheet.tables(sheet.need(table, "", "layout", dict, {}), "layout").items()
        }
        if layouts and sum(layout.default for layout in layouts.values()) != 1:
            sheet.complain("layout", "exactly one layout has to say default = true")
        return Mapping(self.model, title, source, names, self.tables, layouts, digest, sheet.file)

    def names(self, table: dict[str, Any]) -> dict[str, Spelling]:
        spellings = {}
        for hub, spelling in table.items():
            path = join("names", hub)
            self.sheet.one_of(hub, path, "well-known event", events.WELL_KNOWN)
            if isinstance(spelling, str):
                spellings[hub] = Spelling(spelling)
                continue
            if not isinstance(spelling, dict):
                self.sheet.complain(path, f"should be a name, or a table of name and phase, but is {spelling!r}")
                continue
            inner = spelling
            self.sheet.known_keys(inner, path, ("name", "phase"))
            phase = self.sheet.get(inner, path, "phase", str)
            if phase is not None:
                self.sheet.one_of(phase, f"{path}.phase", "phase", PHASES)
            spellings[hub] = Spelling(self.sheet.need(inner, path, "name", str, ""), phase)
        return spellings

    def value_tables(self, table: dict[str, Any]) -> dict[str, dict[str, str]]:
        tables = {}
        for name, pairs in self.sheet.tables(table, "tables").items():
            path = join("tables", name)
            tables[name] = {key.lower(): self.sheet.get(pairs, path, key, str, "") for key in pairs}
        return tables

    def layout(self, name: str, table: dict[str, Any]) -> Layout:
        sheet, path = self.sheet, join("layout", name)
        known = ("about", "records", "default", "read", "write", "legal_names", "schema", "source", "fields",
                 "objects", "limits", "cannot", "only", "envelope")  # fmt: skip
        sheet.known_keys(table, path, known)
        records = sheet.need(table, path, "records", str, RECORDS[0])
        sheet.one_of(records, f"{path}.records", "kind of records", RECORDS)
        fields = tuple(
            self.field(f"{path}.fields", place, field)
            for place, field in sheet.need(table, path, "fields", dict, {}).items()
        )
        layout = Layout(
            model=self.model,
            name=name,
            about=sheet.need(table, path, "about", str, ""),
            source=sheet.need(table, path, "source", str, ""),
            records=records,
            fields=fields,
            default=sheet.get(table, path, "default", bool, default=False),
            read=sheet.get(table, path, "read", bool, default=True),
            write=sheet.get(table, path, "write", bool, default=True),
            legal_names=sheet.get(table, path, "legal_names", bool, default=False),
            schema=sheet.get(table, path, "schema", str),
            objects=self.objects(path, table),
            limits=self.limits(path, sheet.get(table, path, "limits", dict, {})),
            cannot=self.cannot(path, sheet.get(table, path, "cannot", dict, {})),
            only=self.only(path, table),
            envelope=self.envelope(path, table),
        )
        if fields:
            for where, message in contradictions(layout):
                sheet.complain(_at(path, where), message)
        elif table.get("fields") == {}:
            sheet.complain(f"{path}.fields", "has no field")
        return layout

    def field(self, path: str, place: str, value: Any) -> Field:
        sheet = self.sheet
        path = join(path, place)
        if isinstance(value, str):
            value = {"hub": value}
        elif not isinstance(value, dict):
            sheet.complain(path, f"should be a hub column or a table, but is {value!r}")
            return Field(place, ())
        known = ("hub", "as", "required", "required_for", "when", "table", "default", "const", "optional")
        sheet.known_keys(value, path, known)
        hub = sheet.texts(value, path, "hub")
        if hub is None:
            return Field(place, ())
        codec = sheet.get(value, path, "as", str, "text")
        field = Field(
            place=place,
            hub=hub,
            codec=codec,
            required=sheet.get(value, path, "required", bool, default=False),
            required_for=sheet.get(value, path, "required_for", str),
            when=self.when(path, value),
            table=sheet.get(value, path, "table", str),
            default=self.literal(path, value, "default"),
            const=self.literal(path, value, "const"),
            optional=sheet.get(value, path, "optional", bool, default=False),
        )
        self.check_field(field, path)
        return field

    def when(self, path: str, value: dict[str, Any]) -> tuple[str, ...]:
        names = self.sheet.texts(value, path, "when") or ()
        for name in names:
            self.sheet.one_of(name, f"{path}.when", "well-known event", events.WELL_KNOWN)
        return names

    def literal(self, path: str, value: dict[str, Any], key: str) -> Any:
        literal = value.get(key)
        if literal is None or isinstance(literal, str | int | float | bool):
            return literal
        self.sheet.complain(join(path, key), f"should be text, a number, true or false, but is {literal!r}")
        return None

    def check_field(self, field: Field, path: str) -> None:
        sheet = self.sheet
        if field.table is not None:
            sheet.one_of(field.table, f"{path}.table", "value table", self.tables)
        if field.required_for is not None:
            sheet.one_of(field.required_for, f"{path}.required_for", "phase", PHASES)
        columns_known = all(sheet.one_of(column, f"{path}.hub", "hub column", events.SCHEMA) for column in field.hub)
        if field.const is not None:
            if field.hub:
                sheet.complain(path, "has both a hub column and a constant: say one of them")
            if field.codec != "text":
                sheet.complain(f"{path}.as", "a constant takes no codec")
            return
        if not sheet.one_of(field.codec, f"{path}.as", "codec", VOCABULARY) or not columns_known:
            return
        if field.codec in CONTAINERS:
            self.check_container(field, path)
        else:
            self.check_scalar(field, path)

    def check_scalar(self, field: Field, path: str) -> None:
        codec = SCALARS[field.codec]
        fewest, most = codec.columns
        if not fewest <= len(field.hub) <= most:
            wanted = f"{fewest} hub column{'s' * (fewest != 1)}" if fewest == most else f"{fewest} to {most} hub columns"
            self.sheet.complain(f"{path}.hub", f'codec "{codec.name}" takes {wanted}, not {len(field.hub)}')
            return
        for position, column in enumerate(field.hub):
            dtype = codec.hub[min(position, len(codec.hub) - 1)]
            if events.SCHEMA[column] != dtype:
                message = f'codec "{codec.name}" takes {KIND_NAMES[dtype]} here, but hub column "{column}" holds {KIND_NAMES[events.SCHEMA[column]]}'
                self.sheet.complain(f"{path}.hub", message)
        if field.table is not None and codec.wire != "text":
            self.sheet.complain(f"{path}.table", f'a value table takes texts, but codec "{codec.name}" gives none')

    def check_container(self, field: Field, path: str) -> None:
        wanted = CONTAINERS[field.codec].hub
        if field.hub != wanted:
            message = f'codec "{field.codec}" holds {", ".join(wanted)}, not {", ".join(field.hub) or "nothing"}'
            self.sheet.complain(f"{path}.hub", message)

    def objects(self, path: str, table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        objects = {}
        given = self.sheet.get(table, path, "objects", dict, {})
        for name, inner in self.sheet.tables(given, f"{path}.objects").items():
            where = join(f"{path}.objects", name)
            self.sheet.known_keys(inner, where, ("needs",))
            if "needs" not in inner:
                self.sheet.complain(f"{where}.needs", "is missing")
            objects[name] = self.sheet.texts(inner, where, "needs") or ()
        return objects

    def limits(self, path: str, table: dict[str, Any]) -> dict[str, Limit]:
        limits = {}
        for name, inner in self.sheet.tables(table, f"{path}.limits").items():
            where = join(f"{path}.limits", name)
            self.sheet.one_of(name, where, "limit", LIMITS)
            self.sheet.known_keys(inner, where, ("value", "hard", "source"))
            limits[name] = Limit(
                name,
                self.sheet.need(inner, where, "value", int, 0),
                self.sheet.need(inner, where, "hard", bool, default=True),
                self.sheet.need(inner, where, "source", str, ""),
            )
        return limits

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
        self.sheet.known_keys(inner, where, ("hub", "names", "rule"))
        hub = self.sheet.need(inner, where, "hub", str, "name")
        self.sheet.one_of(hub, f"{where}.hub", "hub column", events.SCHEMA)
        names = self.sheet.texts(inner, where, "names") or ()
        for name in names:
            self.sheet.one_of(name, f"{where}.names", "well-known event", events.WELL_KNOWN)
        return Only(hub, names, self.sheet.need(inner, where, "rule", str, ""))

    def envelope(self, path: str, table: dict[str, Any]) -> Envelope | None:
        inner = self.sheet.get(table, path, "envelope", dict)
        if inner is None:
            return None
        where = f"{path}.envelope"
        places = ("application", "endpoint", "event")
        self.sheet.known_keys(inner, where, ("shape", "events_max", "bytes_max", *places))
        shape = self.sheet.need(inner, where, "shape", str, SHAPES[0])
        self.sheet.one_of(shape, f"{where}.shape", "shape", SHAPES)
        fields = {place: self.field(where, place, inner[place]) for place in places if place in inner}
        for place in places:
            if place not in inner:
                self.sheet.complain(join(where, place), "is missing")
        return Envelope(
            shape,
            fields,
            self.sheet.need(inner, where, "events_max", int, 1),
            self.sheet.need(inner, where, "bytes_max", int, 1),
        )
