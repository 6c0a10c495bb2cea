"""The rows of tables in their raw text: a column whose cell is there is a key of the row.

A row of Parquet has no text of its own: its keys are counted in the text that its file gives for it.
"""

from __future__ import annotations

import json
from itertools import starmap

from translate.reader.reader import Lines
from translate.reader.table import first_lines
from translate.telling.census import Members, Value, members_of, scan

PARQUET_ROW = '{"parquet":'
QUOTE = '"'


class Tables:
    """Finds the keys in the rows of a unit's tables; the first line of each file names its columns."""

    def __init__(self, lines: Lines) -> None:
        first = first_lines(lines.frame, lines.files, lines.first_rows)
        self._headers = {
            file: [cell or "" for cell in cells(text.removeprefix("\ufeff"))] for file, text in first.items()
        }

    def row(self, text: str, file: str, line: int) -> Value:
        """Give a row as the object that its columns make of it; nothing of the header."""
        if text.startswith(PARQUET_ROW):
            given = dict(members_of(scan(text))).get("parquet", "")
            return Members(pair for pair in members_of(given) if pair[1] != "null")
        if line == 1:
            return ""
        named = zip(self._headers[file], cells(text), strict=False)  # a row of another length is refused
        return Members(starmap(_member, ((name, cell) for name, cell in named if cell is not None)))


def _member(name: str, cell: str) -> tuple[str, Value]:
    return name, json.dumps(cell)


def cells(row: str) -> list[str | None]:
    """Split a row: None for an empty cell, but a text for one that is nothing but quotes.

    >>> cells('a,,"","b, ""c"", d",e"f')
    ['a', None, '', 'b, "c", d', 'e"f']
    """
    row = row.removesuffix("\r")
    found: list[str | None] = []
    position = 0
    while position <= len(row):
        if row.startswith(QUOTE, position):
            cell, position = _quoted(row, position + 1)
            found.append(cell)
        else:
            end = _comma(row, position)
            found.append(row[position:end] or None)
            position = end + 1
    return found


def _quoted(row: str, begin: int) -> tuple[str, int]:
    """Give the cell whose text begins here, and where the next one does; one that is never closed takes the rest."""
    end = row.find(QUOTE, begin)
    while end >= 0 and row.startswith(QUOTE, end + 1):
        end = row.find(QUOTE, end + 2)
    if end < 0:
        return row[begin:], len(row) + 1
    comma = _comma(row, end)
    return row[begin:end].replace(QUOTE * 2, QUOTE) + row[end + 1 : comma], comma + 1


def _comma(row: str, begin: int) -> int:
    found = row.find(",", begin)
    return len(row) if found < 0 else found
