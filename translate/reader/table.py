"""Rows of tables: CSV with a header, and Parquet that comes as JSON texts."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence

import polars as pl

QUOTE = '"'
LINE_BREAK = "\x1e"  # stands for one inside of a cell whose record was put onto one line
PARQUET_ROW = '{"parquet":'


def headers(frame: pl.LazyFrame, files: Sequence[str], first_rows: Sequence[int]) -> dict[str, list[str]]:
    """Read the names of the columns of each file: its first line, or the names inside of a row of Parquet."""
    first = frame.head(1) if len(files) == 1 else frame.filter(pl.col("row").is_in(list(first_rows)))
    lines = dict(first.select("row", "text").collect(engine="streaming").iter_rows())
    return {file: names(lines.get(row, "")) for file, row in zip(files, first_rows, strict=True)}


def names(line: str) -> list[str]:
    """Give the names in a header, or in a row of Parquet."""
    if line.startswith(PARQUET_ROW):
        return list(json.loads(line)["parquet"])
    return [cell or "" for cell in cells(line.removeprefix("\ufeff"), joined=False) or ()]


def cells(line: str, *, joined: bool) -> list[str | None] | None:
    """Split a row into its cells, an empty one without quotes being absent; None if a quoted one does not end."""
    if line.startswith(PARQUET_ROW):
        return list(json.loads(line)["parquet"].values())
    line = line.removesuffix("\r")
    if QUOTE not in line:
        return [cell or None for cell in line.split(",")]
    if line.count(QUOTE) % 2:
        return None
    found = _quoted_cells(line)
    return [cell.replace(LINE_BREAK, "\n") if cell else cell for cell in found] if joined else found


def _quoted_cells(line: str) -> list[str | None]:
    """Split a row some of whose cells are quoted: an empty text is told from an absent one by its quotes."""
    texts = next(csv.reader([line]))
    found: list[str | None] = []
    position = 0
    for text in texts:
        quoted = line.startswith(QUOTE, position)
        found.append(text if text or quoted else None)
        position = _after_cell(line, position)
    return found


def _after_cell(line: str, position: int) -> int:
    """Tell where the next cell begins."""
    inside = False
    while position < len(line) and (inside or line[position] != ","):
        inside ^= line[position] == QUOTE
        position += 1
    return position + 1


def is_header(line: str) -> bool:
    """Tell whether a line may be a table's header: names, and nothing that is JSON."""
    return bool(line) and not line.lstrip().startswith(("{", "[")) and all(cells(line, joined=False) or [None])
