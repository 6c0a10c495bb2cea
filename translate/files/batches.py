"""Lines of text for the engine, in batches that are worth its while: each has its price, whatever it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl
from polars.exceptions import ComputeError
from polars.io.plugins import register_io_source

from translate.files.lines import Block, blocks_of_lines, checked
from translate.files.sources import ReadError
from translate.reader import Damage

BATCH_BYTES = 2 << 20
SCHEMA = pl.Schema({"row": pl.UInt32, "text": pl.String})


def lines_in(chunks: Callable[[], Iterator[Block]], damage: dict[int, Damage]) -> pl.LazyFrame:
    """Give the lines of a text, read anew for each query, as `row` and `text`.

    A line that is no UTF-8 is empty, and a damage of its row from when it is given out on. The query raises ComputeError
    where the text itself is damaged.
    """

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        row = 0
        for block in _joined(blocks_of_lines(chunks())):
            batch = _batch(block, row, damage)
            row += batch.height
            if rows_wanted is not None:
                batch = batch.head(batch.height - max(0, row - rows_wanted))
            batch = batch if predicate is None else batch.filter(predicate)
            yield batch if columns is None else batch.select(columns)
            if rows_wanted is not None and row >= rows_wanted:
                return

    return register_io_source(read, schema=SCHEMA, is_pure=True)


def _joined(blocks: Iterator[Block]) -> Iterator[bytes]:
    """Put small blocks together."""
    waiting: list[bytes] = []
    try:
        for block in blocks:
            if isinstance(block, Damage):
                raise ComputeError(block.message)
            waiting.append(block)
            if sum(map(len, waiting)) >= BATCH_BYTES:
                yield b"".join(waiting)
                waiting = []
    except ReadError as error:
        raise ComputeError(str(error)) from error
    if waiting:
        yield b"".join(waiting)


def _batch(block: bytes, row: int, damage: dict[int, Damage]) -> pl.DataFrame:
    try:
        lines = block.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        lines = _readable(block, row, damage)
    if b"\r" in block:
        lines = [line.removesuffix("\r") for line in lines]
    numbers = pl.int_range(row, row + len(lines), dtype=pl.UInt32, eager=True)
    return pl.DataFrame({"row": numbers, "text": lines}, schema=SCHEMA)


def _readable(block: bytes, row: int, damage: dict[int, Damage]) -> list[str]:
    """Give the lines of a block; what is no text is a damage in its place."""
    lines: list[str] = []
    for line in checked(iter([block])):
        if isinstance(line, Damage):
            damage[row + len(lines)] = line
        lines.append("" if isinstance(line, Damage) else line.decode().removesuffix("\n"))
    return lines
