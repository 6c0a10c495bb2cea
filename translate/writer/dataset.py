"""A target's columns of its own: which there are, and the way of their values into the attributes that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from translate import events
from translate.archive import table
from translate.archive.parquet import MAGIC, columns_of
from translate.archive.stored import ReadError, SourceFile
from translate.errors import Complaint, MappingError
from translate.mapping.columns import NAME, TYPES, Column
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout, Mapping
from translate.reader.looks import head, schema_in
from translate.reader.recognition import Origin, Recognised
from translate.vocabulary import notation
from translate.vocabulary.notes import USED, InHub, Spot
from translate.vocabulary.spelling import camel_case
from translate.writer.writer import FILTERED

TEXTS = pl.List(pl.String)


def named(target: Mapping, by_recipe: Sequence[Column], settings: Settings) -> tuple[Column, ...]:
    """Give the columns that a recipe and the settings name, if the target has a table for them; settings go before."""
    if not any(layout.takes_columns for layout in target.layouts.values()):
        return ()
    said = {column.name: column for column in (*by_recipe, *settings.columns)}
    return tuple(said.values())


def of_job(
    target: Mapping, layout: Layout, by_recipe: Sequence[Column], settings: Settings, recognised: Recognised
) -> tuple[Layout, tuple[Column, ...]]:
    """Give a layout with the columns that are named, and those that its own tables have; and those named."""
    said = named(target, by_recipe, settings)
    standing = {
        column.name: column
        for origin in recognised.sources
        if origin.layout.address == layout.address
        for column in kept(origin, recognised.schemas)
    }
    return with_columns(
        layout, tuple({**standing, **{column.name: column for column in said}}.values())
    ), said


def kept(origin: Origin, schemas: Iterable[SourceFile] = ()) -> tuple[Column, ...]:
    """Give the columns of its own that a table's files have, with the types that a schema beside them says."""
    if not origin.layout.takes_columns:
        return ()
    spelled = {field["name"]: field for file in schemas for field in _fields_of(file)}
    standing = {entry.place for entry in origin.layout.fields}
    names = dict.fromkeys(
        name
        for file in origin.files
        for name in _header_of(file)
        if NAME.fullmatch(name) and name not in standing
    )
    return tuple(Column(name, _type_in(spelled.get(name)), None, spelled.get(name)) for name in names)


def with_columns(layout: Layout, columns: Sequence[Column]) -> Layout:
    """Give a layout with columns of its own; raise MappingError if it has one of that name."""
    if not layout.takes_columns or not columns:
        return layout
    standing = {entry.place for entry in layout.fields}
    wrong = [column for column in columns if column.name in standing]
    if wrong:
        message = f"{layout.address} has a column of that name already"
        raise MappingError([Complaint("settings", f"columns.{column.name}", message) for column in wrong])
    own = tuple(Field(column.name, ("attributes",), codec="own_column", own=column) for column in columns)
    return replace(layout, own=own)


# -- what stands in a table -----------------------------------------------------------------------------------------


def _header_of(file: SourceFile) -> list[str]:
    try:
        content = head(file)
    except ReadError:
        return []
    if content.startswith(MAGIC):
        return list(columns_of(file))
    return table.names(content.decode(errors="replace").split("\n", 1)[0].removesuffix("\r"))


def _fields_of(file: SourceFile) -> Iterator[dict[str, object]]:
    for entry in schema_in(file)["fields"]:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and "type" in entry:
            yield entry


def _type_in(spelled: dict[str, object] | None) -> str:
    """Read the type that a schema says, beside its null."""
    types = spelled["type"] if spelled else "string"
    known = [name for name in (types if isinstance(types, list) else [types]) if name in TYPES]
    return known[0] if known else "string"


# -- the way of the values ------------------------------------------------------------------------------------------


def moved(frame: pl.LazyFrame, columns: Sequence[Column]) -> pl.LazyFrame:
    """Put each column's values where they belong, among the attributes under its name; `_used` tells whence they came."""
    for column in columns:
        for source in sources(column):
            frame = _moved(frame, column, source)
    return frame


def sources(column: Column) -> list[str]:
    """Name what fills a column: its source, else a key of its name, also as requests spell it."""
    if column.source is not None:
        return [column.source] if column.source != column.home else []
    spelled = dict.fromkeys([column.name, camel_case(column.name)])
    return [
        f"{kind}.{name}"
        for name in spelled
        for kind in ("attributes", "metrics", "other")
        if f"{kind}.{name}" != column.home
    ]


def ways(columns: Iterable[Column]) -> Iterator[tuple[pl.Expr, Spot, str]]:
    """Tell of the values that were moved, where they lay and where they lie now: of which events, where, and why."""
    for column in columns:
        for source in sources(column):
            is_moved = pl.col(USED).list.contains(source).fill_null(value=False)
            for place in (source, column.home):
                kind, _, key = place.partition(".")
                spot = InHub(place) if place in events.SCHEMA else InHub(kind, key)
                yield is_moved, spot, f"moved: into {column.name}, a column of the dataset's own"


def _moved(frame: pl.LazyFrame, column: Column, source: str) -> pl.LazyFrame:
    kind, _, key = source.partition(".")
    is_key = source not in events.SCHEMA
    value = _text(source, kind, key)
    there = pl.col("code").is_null() & pl.col(FILTERED).is_null() & value.is_not_null()
    if column.source is None:
        there = there & pl.col("attributes").map.get(column.name).is_null()
    gone = {"attributes": [column.name, *([key] if is_key and kind == "attributes" else [])]}
    if is_key and kind != "attributes":
        gone[kind] = [key]
    changed = {home: _without(home, keys) for home, keys in gone.items()}
    own = pl.concat_list(pl.struct(key=pl.lit(column.name), value=value))
    changed["attributes"] = pl.concat_list(changed["attributes"].fill_null([]), own)
    changes = {
        home: pl.when(there).then(entries.list.to_map()).otherwise(pl.col(home))
        for home, entries in changed.items()
    }
    used = pl.when(there).then(pl.lit([source], TEXTS)).otherwise(pl.lit([], TEXTS))
    return frame.with_columns(**changes, **{USED: pl.concat_list(pl.col(USED).fill_null([]), used)})


def _text(source: str, kind: str, key: str) -> pl.Expr:
    if source not in events.SCHEMA:
        return pl.col(kind).map.get(key)
    column = pl.col(source)
    return notation.digits(column) if events.SCHEMA[source] == events.NUMBER else column.cast(pl.String)


def _without(home: str, keys: list[str]) -> pl.Expr:
    others = pl.element().filter(~pl.element().struct.field("key").is_in(keys))
    return pl.col(home).map.entries().list.eval(others)
