"""Parquet files: their columns, their rows as lines of text for the readers of tables, and those that hold the hub's own events.

The latter are written for notebooks, DuckDB and pandas, and read again.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.exceptions import PolarsError

from translate import events
from translate.archive.batches import rows_of
from translate.archive.drawing import Ahead
from translate.archive.stored import ReadError, SourceFile, path_of
from translate.engine.library import by_batches
from translate.mapping.spec import Field, Layout, Mapping
from translate.vocabulary import notes
from translate.vocabulary.notation import COMPACT
from translate.vocabulary.notes import InHub, InSource, Note, note
from translate.vocabulary.times import FIRST_MILLISECOND, LAST_MILLISECOND, OUTSIDE

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

MAGIC = b"PAR1"
# Where a time has an offset and no place (+05:30), as Arrow and pandas write it, polars' own thread would end over the name.
os.environ.setdefault("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")
KEYS = pl.String, pl.Categorical, pl.Enum  # that JSON and the hub's maps can have


def columns_of(file: SourceFile) -> list[str]:
    """Name the columns of a file; none if it cannot be read."""
    try:
        return scan(file).collect_schema().names()
    except (PolarsError, OSError, ReadError):
        return []


def fault(file: SourceFile) -> str:
    """Say why a file cannot be read, from its last bytes, where Parquet says what it holds; nothing if it can."""
    try:
        schema = scan(file).collect_schema()
    except (PolarsError, OSError, ReadError) as error:
        return f"is no whole Parquet file: {str(error).partition(chr(10))[0]}"
    for name in filter(lambda name: _is_too_precise(schema[name]), schema):
        return f"none of its rows can be read: column {name} holds decimals of more than 38 digits; write it as text or DOUBLE"
    return "" if schema else "is no whole Parquet file: it has no columns"


def _is_too_precise(dtype: PolarsDataType) -> bool:
    """Tell of decimals that the engine tells and does not hold: it would stop, or come down."""
    if isinstance(dtype, pl.Struct):
        return any(_is_too_precise(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.Map):
        return _is_too_precise(dtype.key) or _is_too_precise(dtype.value)
    if isinstance(dtype, pl.List | pl.Array):
        return _is_too_precise(dtype.inner)
    return isinstance(dtype, pl.Decimal) and dtype.precision > 38  # all that the engine holds


def scan(file: SourceFile) -> pl.LazyFrame:
    """Scan a file."""
    return pl.scan_parquet(path_of(file), glob=False)


def rows_as_lines(file: SourceFile, ahead: Ahead) -> pl.LazyFrame:
    """Give `row` and `text`: each row as JSON text of its cells, every one of them text or null."""
    number = max(columns_of(file), key=len, default="") + "#"  # longer than all of them
    # Numbered as they are drawn: later, the engine would keep some until others come, which are not drawn before these are written.
    frame = _with_values_for_json(rows_of(scan(file).with_row_index(number), ahead))
    columns = frame.drop(number).collect_schema().items()
    cells = [_as_text(pl.col(name), dtype).alias(name) for name, dtype in columns]
    encoded = pl.struct(parquet=pl.struct(cells)).struct.json_encode()
    return frame.select(pl.col(number).alias("row"), text=encoded)


def table(file: SourceFile) -> pl.LazyFrame:
    """Scan a file whose values JSON can hold.

    Bytes are taken for the text that older writers kept in them, what is no UTF-8 being `{"base64": ...}`, and keys of maps for texts.
    """
    return _with_values_for_json(scan(file))


def _with_values_for_json(frame: pl.LazyFrame) -> pl.LazyFrame:
    schema = frame.collect_schema()
    beyond = [name for name, dtype in schema.items() if _is_beyond_json(dtype)]
    turned = {name: _for_json(pl.col(name), schema[name]) for name in beyond}

    def texts(batch: pl.DataFrame) -> pl.DataFrame:
        return batch.with_columns_seq(value.alias(name) for name, value in turned.items())

    return by_batches(frame, texts, texts(schema.to_frame()).schema) if turned else frame


def _for_json(value: pl.Expr, dtype: PolarsDataType) -> pl.Expr:
    """Give a value with texts for the bytes and keys that it is, or that are inside of it."""
    if not _is_beyond_json(dtype):
        return value
    if isinstance(dtype, pl.Array):
        return _for_json(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return value.list.eval(_for_json(pl.element(), dtype.inner))
    if isinstance(dtype, pl.Map):
        entry = pl.element().struct
        key, content = _for_json(entry.field("key"), dtype.key), _for_json(entry.field("value"), dtype.value)
        texts = pl.struct(key=key.cast(pl.String), value=content)
        return value.map.entries().list.eval(texts).list.to_map()
    if isinstance(dtype, pl.Struct):
        own = ((each.name, each.dtype) for each in dtype.fields)
        members = [_for_json(value.struct.field(name), inner).alias(name) for name, inner in own]
        return pl.when(value.is_not_null()).then(pl.struct(members))
    return value.map_batches(_texts_of, return_dtype=pl.String, is_elementwise=True)


def _is_beyond_json(dtype: PolarsDataType) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_is_beyond_json(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.Map):
        return not isinstance(dtype.key, KEYS) or _is_beyond_json(dtype.value)
    return _is_beyond_json(dtype.inner) if isinstance(dtype, pl.List | pl.Array) else dtype == pl.Binary


def _texts_of(cells: pl.Series) -> pl.Series:
    try:
        return cells.cast(pl.String)
    except PolarsError:  # each by itself, since a single one fails all of them
        return pl.Series(cells.name, map(_text_of, cells), pl.String)


def _text_of(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return json.dumps({"base64": base64.b64encode(value or b"").decode()}, separators=COMPACT)


def _as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        utc = column if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        zone = pl.lit("" if dtype.time_zone is None else "Z")
        text = utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
        if dtype.time_unit == "ns":  # the same text for the same time
            text += utc.dt.strftime("%9f").str.slice(6).str.strip_suffix("000")
        return text + zone
    if isinstance(dtype, pl.Duration | pl.Time):
        return column.dt.to_string("iso")
    if dtype.is_nested():
        encoded = pl.struct(v=column).struct.json_encode()
        return pl.when(column.is_not_null()).then(encoded.str.slice(5).str.strip_suffix("}"))
    return column.cast(pl.String)


# -- the hub's own files ----------------------------------------------------------------------------------------------

NEEDED = ("name", "time")

HUB = Mapping(
    model="hub",
    title="The hub's own events",
    source="translate.events",
    names={},
    tables={},
    layouts={
        "events": Layout(
            model="hub",
            name="events",
            about="the hub's own events as Parquet, for notebooks, DuckDB and pandas",
            source="translate.events",
            records="parquet",
            fields=tuple(
                Field(name, (name,), required=name in NEEDED)
                for name in events.SCHEMA
                if name not in ("file", "line")
            ),
            default=True,
        )
    },
    digest="",
    file="hub",
)


def is_hub(names: list[str]) -> bool:
    """Tell whether columns are the hub's: those that every event needs, and no other than the hub has."""
    return set(NEEDED) <= set(names) and set(names) <= set(events.SCHEMA)


def misfit(schema: pl.Schema) -> str:
    """Say which column is of a type that the hub's cannot be read from; nothing if all fit."""
    for name, dtype in schema.items():
        if name in events.SCHEMA and not _fits(dtype, events.SCHEMA[name]):
            return f"the column {name} should be {events.SCHEMA[name]}, but is {dtype}"
    return ""


def _fits(dtype: pl.DataType, wanted: PolarsDataType) -> bool:
    if dtype in (wanted, pl.Null):
        return True
    if wanted == events.MAP:
        return _is_map(dtype)
    if wanted == events.TIME:
        return isinstance(dtype, pl.Datetime)
    if wanted == pl.String:
        return isinstance(dtype, pl.Categorical | pl.Enum)
    return dtype.is_integer() if wanted.is_integer() else dtype.is_numeric()


def _is_map(dtype: pl.DataType) -> bool:
    """Tell whether it holds keys and single values: as a map, or as a list of pairs."""
    if isinstance(dtype, pl.Map):
        return not dtype.value.is_nested()
    pair = dtype.inner if isinstance(dtype, pl.List) else None
    if not isinstance(pair, pl.Struct) or [field.name for field in pair.fields] != ["key", "value"]:
        return False
    key, value = (field.dtype for field in pair.fields)
    return isinstance(key, KEYS) and not value.is_nested()


def events_of(frame: pl.LazyFrame, file: str) -> pl.LazyFrame:
    """Give a file's events with the hub's types, their rows as JSON text, and notes; where they come from is this file, row by row.

    Columns that the hub does not have, and what is finer than its times, are noted as lost.
    """
    schema = frame.collect_schema()
    fitting = [name for name in events.SCHEMA if name in schema and _fits(schema[name], events.SCHEMA[name])]
    columns = [
        _value(name, schema[name]) if name in fitting else pl.lit(None, dtype).alias(name)
        for name, dtype in events.SCHEMA.items()
    ]
    text = pl.struct(_in_years(name, schema[name]) for name in schema if name in events.SCHEMA)
    numbered = frame.select(*columns, text=text, notes=_notes(schema, fitting)).with_row_index("row")
    return numbered.with_columns(file=pl.lit(file), line=pl.col("row").cast(pl.Int64) + 1)


def text_of(frame: pl.LazyFrame) -> pl.Expr:
    """Give the text of the records that events come from; for rows of a table it is made here, where few are asked for theirs."""
    text = pl.col("text")
    return text.struct.json_encode() if frame.collect_schema()["text"].is_nested() else text


def _value(name: str, dtype: pl.DataType) -> pl.Expr:
    """Give a column in the hub's type; a time that no calendar has is none, but for the event's own, which is judged."""
    value = pl.col(name) if name in NEEDED else _in_years(name, dtype)
    return value.cast(events.SCHEMA[name], strict=events.SCHEMA[name] != pl.Int64)


def _in_years(name: str, dtype: pl.DataType) -> pl.Expr:
    if not isinstance(dtype, pl.Datetime):
        return pl.col(name)
    return pl.when(~_is_outside(name)).then(pl.col(name)).alias(name)


def _is_outside(name: str) -> pl.Expr:
    return ~pl.col(name).dt.timestamp("ms").is_between(FIRST_MILLISECOND, LAST_MILLISECOND)


def _notes(schema: pl.Schema, fitting: list[str]) -> pl.Expr:
    lost: dict[Note, pl.Expr] = {
        note("not_mapped", InSource((name,))): pl.col(name).is_not_null()
        for name in schema
        if name not in events.SCHEMA
    }
    for name in fitting:
        dtype = schema[name]
        if isinstance(dtype, pl.Datetime) and name not in NEEDED:
            lost[note("cannot", InHub(name), f"no time ({OUTSIDE})")] = _is_outside(name)
        if isinstance(dtype, pl.Datetime) and dtype.time_unit != "ms":
            finer = pl.col(name).dt.cast_time_unit("ms").dt.cast_time_unit(dtype.time_unit) != pl.col(name)
            lost[note("changed", InHub(name), "finer than milliseconds: floored")] = finer
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
            lost[note("changed", InHub(name), "without a zone: read as UTC")] = pl.col(name).is_not_null()
        if events.SCHEMA[name] == pl.Float64 and (dtype.is_integer() or dtype.is_decimal()):
            rounded = note("changed", InHub(name), notes.ROUNDED)
            lost[rounded] = _as_double(name, dtype).ne_missing(pl.col(name))
    told = notes.together(notes.where(is_lost, noted) for noted, is_lost in lost.items())
    return pl.when(told.list.len() > 0).then(told)


def _as_double(name: str, dtype: pl.DataType) -> pl.Expr:
    """Give what a double keeps of a number, by its shortest digits; nothing where that is beyond the column."""
    double = pl.col(name).cast(pl.Float64)
    return (double.cast(pl.String) if dtype.is_decimal() else double).cast(dtype, strict=False)


def as_json(event: dict[str, Any]) -> dict[str, Any]:
    """Give an event's columns as JSON values: times as ISO 8601 text, and nothing for what is absent."""
    return {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, dt.datetime)
        else value
        for name, value in event.items()
        if value is not None
    }
