"""What a mapping has to keep before a row is read: its fields fit together, and each alone runs on an empty frame.

On an empty frame the engine tells every operation that a type does not have; it does not tell a text that
silently came of a number, so the types that come out are compared too.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from polars.exceptions import PolarsError

from translate import events, notation
from translate.mapping.codecs import CONTAINERS, KIND_NAMES, SCALARS, Codec
from translate.mapping.spec import Field, Layout, Mapping

Found = tuple[tuple[str, ...], str]

WIRE_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "whole": pl.Int64(),
    "number": pl.String(),
    "flag": pl.Boolean(),
    "json": pl.String(),
}
NEEDED_TO_READ = ("name", "time")


# -- how fields fit together ------------------------------------------------------------------------------------


def contradictions(layout: Layout) -> Iterator[Found]:
    """Tell what a layout's fields say against one another, each with its path below the layout."""
    if not (layout.read or layout.write):
        yield (), "can neither be read nor written"
    yield from _of_places(layout)
    yield from _of_csv(layout)
    yield from _of_helpers(layout)
    if layout.read:
        yield from _of_reading(layout)


def _of_places(layout: Layout) -> Iterator[Found]:
    places = {entry.place: entry for entry in layout.fields}
    containers = {entry.place for entry in layout.fields if entry.codec in CONTAINERS}
    for entry in layout.fields:
        where = ("fields", entry.place)
        if entry.place in containers and len(entry.path) > 1:
            yield where, f'codec "{entry.codec}" holds a whole object, which has to lie at the top of the record'
        above = next((".".join(entry.path[:depth]) for depth in range(1, len(entry.path)) if ".".join(entry.path[:depth]) in places), None)
        if above is not None and above not in containers:
            yield where, f'lies inside of "{above}", which is no object'
        if above in containers:
            if len(entry.path) > 2 or entry.codec in CONTAINERS or entry.codec == "json":
                yield where, f'only single values may lie inside of "{above}"'
            if entry.required:
                yield where, f'what lies inside of "{above}" cannot be required'


def _of_csv(layout: Layout) -> Iterator[Found]:
    if layout.records != "csv":
        return
    if layout.read:
        yield (), "csv records cannot be read: say read = false"
    if layout.envelope is not None:
        yield ("envelope",), "csv records are not packed into requests"
    for entry in layout.fields:
        if len(entry.path) > 1 or entry.codec in CONTAINERS:
            yield ("fields", entry.place), "a csv record holds single values only"


def _of_helpers(layout: Layout) -> Iterator[Found]:
    """Find fields that need another one."""
    codecs = {entry.codec for entry in layout.fields}
    places = {entry.place for entry in layout.fields}
    for entry in layout.fields:
        if entry.codec == "original_names" and "event_name" not in codecs:
            yield ("fields", entry.place), 'codec "original_names" needs a field with codec "event_name"'
        if entry.required_for is not None and "action" not in places:
            yield ("fields", entry.place, "required_for"), 'needs a field "action"'
    for name, needs in layout.objects.items():
        for need in needs:
            if f"{name}.{need}" not in places:
                yield ("objects", name, "needs"), f'no field "{name}.{need}"'


def _of_reading(layout: Layout) -> Iterator[Found]:
    """Find codecs that cannot read, and hub columns that two places give."""
    seen: dict[str, str] = {}
    for entry in layout.fields:
        where = ("fields", entry.place)
        container, codec = CONTAINERS.get(entry.codec), SCALARS.get(entry.codec)
        readable = container.readable if container else codec is None or codec.read is not None
        if not readable:
            yield where, f'codec "{entry.codec}" cannot read what it writes: say read = false for the layout'
        column = entry.hub[0] if entry.hub else ""
        if column in seen and column not in ("", "extra"):
            yield where, f'hub column "{column}" is read from {seen[column]} already'
        seen[column] = entry.place
    for column in NEEDED_TO_READ:
        if column not in seen:
            yield ("fields",), f'no field is read into hub column "{column}", which every event needs'


# -- each field alone -------------------------------------------------------------------------------------------


def failures(mapping: Mapping, layout: Layout) -> Iterator[Found]:
    """Run each field's codec alone on an empty frame; tell what fails or gives another type than it should."""
    fields = [(("fields", entry.place), entry) for entry in layout.fields]
    if layout.envelope:
        fields += [(("envelope", place), entry) for place, entry in layout.envelope.fields.items()]
    for where, entry in fields:
        codec = SCALARS.get(entry.codec)
        if codec is None or entry.const is not None or codec.name == "json":
            continue
        trials = []
        if layout.write:
            trials.append(("written", *_written(mapping, entry, codec)))
        if layout.read and codec.read is not None and where[0] == "fields":
            trials.append(("read", *_read(entry, codec)))
        for verb, given, wanted in trials:
            if isinstance(given, PolarsError):
                yield where, f'codec "{codec.name}" cannot be {verb}: {str(given).splitlines()[0]}'
            elif given is not None and given != wanted:
                kinds = [KIND_NAMES.get(dtype, str(dtype)) for dtype in (given, wanted)]
                yield where, f'codec "{codec.name}" gives {kinds[0]} where it is {verb}, which should be {kinds[1]}'


def _written(mapping: Mapping, entry: Field, codec: Codec) -> tuple[pl.DataType | PolarsError | None, pl.DataType]:
    wanted = WIRE_TYPES[codec.wire]
    empty = {name: pl.Series(name, [], events.SCHEMA[name]) for name in entry.hub}
    try:
        if codec.rowwise is not None:
            return codec.rowwise([empty[name] for name in entry.hub]).dtype, wanted
        if codec.write is None:
            return None, wanted
        value = codec.write([pl.col(name) for name in entry.hub])
        if entry.table is not None:
            value = notation.exchanged(value.str.to_lowercase(), mapping.tables[entry.table], value)
        if entry.default is not None:
            value = value.fill_null(entry.default)
        return _type_of(pl.DataFrame(empty), value), wanted
    except PolarsError as error:
        return error, wanted


def _read(entry: Field, codec: Codec) -> tuple[pl.DataType | PolarsError | None, pl.DataType]:
    wanted = events.SCHEMA[entry.hub[0]]
    raw = pl.Series("raw", [], pl.Int64 if codec.wire == "whole" else pl.String)
    if codec.read is None:
        return None, wanted
    try:
        return _type_of(raw.to_frame(), codec.read(pl.col("raw"))), wanted
    except PolarsError as error:
        return error, wanted


def _type_of(empty: pl.DataFrame, value: pl.Expr) -> pl.DataType:
    return empty.select(value.alias("value")).schema["value"]
