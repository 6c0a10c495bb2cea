"""Lines of a text for the engine, in batches that are worth its while: each has its price, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from polars.io.plugins import register_io_source

BATCH_BYTES = 2 << 20
SCHEMA = pl.Schema({"row": pl.UInt32, "text": pl.String})


def lines_in(text: bytes) -> pl.LazyFrame:
    """Give the lines of a text in UTF-8, which ends with a line break, as `row` and `text`."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        row = 0
        for block in _blocks(text):
            batch = _batch(block, row)
            row += batch.height
            if rows_wanted is not None:
                batch = batch.head(batch.height - max(0, row - rows_wanted))
            batch = batch if predicate is None else batch.filter(predicate)
            yield batch if columns is None else batch.select(columns)
            if rows_wanted is not None and row >= rows_wanted:
                return

    return register_io_source(read, schema=SCHEMA, is_pure=True)  # pure: else each sink would read it anew


def _blocks(text: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + BATCH_BYTES) + 1 or len(text)
        yield text[start:end]
        start = end


def _batch(block: bytes, row: int) -> pl.DataFrame:
    lines = block.decode().removesuffix("\n").split("\n")
    if b"\r" in block:
        lines = [line.removesuffix("\r") for line in lines]
    numbers = pl.int_range(row, row + len(lines), dtype=pl.UInt32, eager=True)
    return pl.DataFrame({"row": numbers, "text": lines}, schema=SCHEMA)
