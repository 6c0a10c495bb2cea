"""Parquet files: their columns, and their rows as lines of text for the readers of tables."""

from __future__ import annotations

import base64
import json

import polars as pl
from polars.exceptions import PolarsError

from translate.archive.stored import ReadError, SourceFile, path_of
from translate.vocabulary.notation import COMPACT

MAGIC = b"PAR1"


def columns_of(file: SourceFile) -> list[str]:
    """Name the columns of a file; none if it cannot be read."""
    try:
        return scan(file).collect_schema().names()
    except (PolarsError, OSError, ReadError):
        return []


def fault(file: SourceFile) -> str:
    """Say why a file cannot be read, from its last bytes, where Parquet says what it holds; nothing if it can."""
    try:
        names = scan(file).collect_schema().names()
    except (PolarsError, OSError, ReadError) as error:
        return str(error).partition("\n")[0]
    return "" if names else "it has no columns"


def scan(file: SourceFile) -> pl.LazyFrame:
    """Scan a file."""
    return pl.scan_parquet(path_of(file), glob=False)


def rows_as_lines(file: SourceFile) -> pl.LazyFrame:
    """Give `row` and `text`: each row as JSON text of its cells, every one of them text or null."""
    frame = _with_texts(scan(file))
    schema = frame.collect_schema()
    cells = [_as_text(pl.col(name), dtype).alias(name) for name, dtype in schema.items()]
    encoded = pl.struct(parquet=pl.struct(cells)).struct.json_encode()
    return frame.select(text=encoded).with_row_index("row")


def _with_texts(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Take bytes for the text that older writers kept in them; what is no UTF-8 is `{"base64": ...}`."""
    schema = frame.collect_schema()
    names = [name for name, dtype in schema.items() if dtype == pl.Binary]
    if not names:
        return frame
    return frame.map_batches(
        lambda batch: batch.with_columns(
            pl.Series(name, [_text_of(value) for value in batch[name]], pl.String) for name in names
        ),
        schema={**schema, **dict.fromkeys(names, pl.String)},
        validate_output_schema=False,
        streamable=True,
    )


def _text_of(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return json.dumps({"base64": base64.b64encode(value or b"").decode()}, separators=COMPACT)


def _as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        utc = column if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f") + pl.lit("" if dtype.time_zone is None else "Z")
    if dtype.is_nested():
        return pl.when(column.is_not_null()).then(
            pl.struct(v=column).struct.json_encode().str.slice(5).str.strip_suffix("}")
        )
    return column.cast(pl.String)
