"""Rows of tables: CSV with a header, and Parquet that comes as JSON texts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import polars as pl

QUOTE = '"'
CELL = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")([^,]*)|([^",][^,]*)?')
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
    found = _quoted_cells(line)
    if found is None or not joined:
        return found
    return [cell.replace(LINE_BREAK, "\n") if cell else cell for cell in found]


def is_open(line: str, *, inside: bool) -> bool:
    """Tell whether a line ends inside of a quoted cell; `inside` says whether it begins there."""
    return _quoted_cells(f"{QUOTE}{line}" if inside else line) is None


def _quoted_cells(line: str) -> list[str | None] | None:
    """Split a row some of whose cells are quoted: an empty text is told from an absent one by its quotes.

    A quote inside of a cell without quotes stands for itself, and so does what follows a closing one.
    """
    found: list[str | None] = []
    position = 0
    while match := CELL.match(line, position):
        position = match.end()
        if line[position : position + 1] not in ("", ","):
            return None  # only a quote that is never closed stops a cell
        quoted, rest, plain = match.groups()
        found.append(plain if quoted is None else quoted.replace('""', QUOTE) + rest)
        if position == len(line):
            return found
        position += 1
    return found


def is_header(line: str) -> bool:
    """Tell whether a line may be a table's header: names, and nothing that is JSON."""
    return bool(line) and not line.lstrip().startswith(("{", "[")) and all(cells(line, joined=False) or [None])
