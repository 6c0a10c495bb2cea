"""Lines of a text for the engine, in batches that are worth its while: each has its price, whatever it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import polars as pl
from polars.io.plugins import register_io_source

from translate.archive.compression import ZLIB

BATCH_BYTES = 4 << 20
SCHEMA = pl.Schema({"row": pl.UInt32, "text": pl.String})


def lines_in(text: bytes) -> pl.LazyFrame:
    """Give the lines of a text in UTF-8 as `row` and `text`."""
    return lines_of(lambda: (text[start : start + BATCH_BYTES] for start in range(0, len(text), BATCH_BYTES)))


def lines_of(chunks: Callable[[], Iterable[bytes]]) -> pl.LazyFrame:
    """Give the lines of a text in UTF-8 that comes in chunks, each time anew, as `row` and `text`.

    What is not UTF-8 raises PolarsError when the lines are drawn.
    """

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        row = 0
        for block in _blocks(chunks()):
            batch = _batch(block, row)
            row += batch.height
            if rows_wanted is not None:
                batch = batch.head(batch.height - max(0, row - rows_wanted))
            batch = batch if predicate is None else batch.filter(predicate)
            yield batch if columns is None else batch.select(columns)
            if rows_wanted is not None and row >= rows_wanted:
                return

    return register_io_source(read, schema=SCHEMA, is_pure=True)  # pure: else each sink would read it anew


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Put chunks together, and cut them apart after line breaks."""
    waiting: list[bytes] = []
    length = 0
    for chunk in chunks:
        waiting.append(chunk)
        length += len(chunk)
        if length >= BATCH_BYTES and (end := chunk.rfind(b"\n") + 1):
            yield b"".join([*waiting[:-1], chunk[:end]])
            waiting = [chunk[end:]]
            length = len(waiting[0])
    if length:
        yield b"".join(waiting)


def _batch(block: bytes, row: int) -> pl.DataFrame:
    if not block.startswith(ZLIB):
        return pl.read_lines(block, name="text", row_index_name="row", row_index_offset=row).cast(SCHEMA)
    # The engine takes such a text for compressed, unless a line comes before it.
    batch = pl.read_lines(b"\n" + block, name="text")[1:]
    return batch.with_row_index("row", offset=row).cast(SCHEMA)
