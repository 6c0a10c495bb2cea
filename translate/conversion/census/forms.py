"""What is not as it stands in the raw text: captured requests, by the names of their parts, rows of tables, by their columns, and names that keys got back."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, unquote

from translate.archive.batches import Lines
from translate.archive.table import first_lines
from translate.conversion.census import Elements, Members, Value, as_texts, members_of, scan, text_of
from translate.mapping.spec import Field

# -- captured requests: headers, query and path by name, each as one member ----------------------------------

PATHS = ("path", "raw_path")


def member_at(members: Members, head: str, rest: str) -> Value:
    """Give a member, or one inside of it; null if it is not there."""
    value = dict(members).get(head, "null")
    if not rest:
        return value
    if head == "path":
        segments = _path_of(members)
        return dict(as_texts(pairwise(segments))).get(rest, "null")
    return dict(value).get(rest, "null") if isinstance(value, Members) else "null"


def _path_of(members: Members) -> list[str]:
    """Give the segments of a captured request's path; it stays what it is, for it is one key."""
    if any(name == "path" and text_of(value) is None for name, value in members):
        return []
    text = next(
        (text for name, value in members if name in PATHS and (text := text_of(value)) is not None), ""
    )
    return [unquote(segment) for segment in text.partition("?")[0].split("/") if segment]


def named_parts(members: Members) -> Members:
    """Give a captured request's headers by lower-case name, and its query by name, even where the path holds it."""
    whole = Members()
    for name, value in members:
        if name == "headers":
            whole.append((name, _combined(_opened_by(value, str.lower))))
        elif name == "query":
            whole.append((name, _opened_by(value, str)))
        else:
            whole.append((name, value))
    texts = [text for name, value in members if name in PATHS and (text := text_of(value)) is not None]
    query = next((query for text in texts if (query := text.partition("?")[2])), "")
    if query and "query" not in dict(members):
        whole.append(("query", as_texts(parse_qsl(query, keep_blank_values=True))))
    return whole


def _opened_by(value: Value, spelled: Callable[[str], str]) -> Value:
    """Give an object's members, a list's pairs or a query's text by name; anything else as it is."""
    text = text_of(value)
    if text is not None:
        return as_texts(parse_qsl(text.removeprefix("?"), keep_blank_values=True))
    if isinstance(value, Elements):
        pairs = [pair for pair in value if isinstance(pair, Elements) and len(pair) == 2]
        named = [(name, pair[1]) for pair in pairs if (name := text_of(pair[0])) is not None]
        return Members((spelled(name), inner) for name, inner in named) if len(named) == len(value) else value
    return Members((spelled(name), inner) for name, inner in value) if isinstance(value, Members) else value


def _combined(headers: Value) -> Value:
    """Give headers with the texts of one name, in a list or one after the other, as one."""
    if not isinstance(headers, Members):
        return headers
    combined = Members()
    for name in dict.fromkeys(name for name, _ in headers):
        values = [value for key, value in headers if key == name]
        texts = [
            text_of(inner)
            for value in values
            for inner in (value if isinstance(value, Elements) else [value])
        ]
        if texts and None not in texts:
            combined += as_texts([(name, ", ".join(filter(None, texts)))])
        else:
            combined += [(name, value) for value in values]
    return combined


def without_member(members: Members, head: str, rest: str) -> Iterator[tuple[str, Value]]:
    """Leave a member out, or one inside of it; a path is left as it is, and an object of nothing else with it."""
    for name, value in members:
        if name != head or (rest and head == "path"):
            yield name, value
        elif rest and isinstance(value, Members):
            others = Members(pair for pair in value if pair[0] != rest)
            if others:
                yield name, others


# -- rows of tables: a column whose cell is there is a key; of Parquet the text counts that its file gives for a row --

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
        return as_texts((name, cell) for name, cell in named if cell is not None)


def cells(row: str) -> list[str | None]:
    """Split a row: None for an empty cell, but a text for one that is nothing but quotes.

    >>> cells('a,,"","b, ""c"", d",e"f')
    ['a', None, '', 'b, "c", d', 'e"f']
    """
    row = row.rstrip("\r")
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


# -- names that a target could not take, which travelled along in the record ---------------------------------------------

Row = Mapping[str, Any]  # the hub's columns before any recipe
Presets = Mapping[tuple[str, ...], list[Field]]


class NamesBack:
    """Knows of one event under which names the hub's maps have its keys."""

    def __init__(self, presets: Presets, record: Value, row: Row) -> None:
        told = _told(presets, record)
        self.are_told = told is not None
        self._tables = {
            home: table for home, table in (told or {}).items() if _went_back(table, row.get(home) or ())
        }

    def in_home(self, home: str, name: str) -> str | None:
        """Give the name that a home has for a key; None if it has another key under that name."""
        table = self._tables.get(home, {})
        return table.get(name, None if name in table.values() else name)


def _told(presets: Presets, record: Value) -> dict[str, dict[str, str]] | None:
    """Read from the raw text the names that the keys had before a target could not take them; None if it has none."""
    for (head, rest), entries in presets.items():
        if not entries[0].word.travels_with_names or not isinstance(record, Members):
            continue
        text = text_of(dict(members_of(dict(record).get(head, ""))).get(rest, ""))
        names = scan(text) if text else None
        if isinstance(names, Members):
            return {
                kind: {written: text_of(original) or "" for written, original in table}
                for kind, table in names
                if isinstance(table, Members)
            }
    return None


def _went_back(table: Mapping[str, str], names: Container[str]) -> bool:
    """Tell whether a home's keys have their names back; where two would have the same one, all keep what was written."""
    return not any(written in names for written in table.keys() - table.values())
