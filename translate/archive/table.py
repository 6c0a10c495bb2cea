"""Rows of tables: CSV with a header, and Parquet that comes as JSON texts."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

import polars as pl

from translate.engine.library import by_batches

QUOTE = '"'
CELL = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")([^,]*)|([^",][^,]*)?')
# A row that was put onto one line begins with this sign; in it, what follows the sign says what stood there.
MARK = "\x1e"
MARKED = {"n": "\n", "m": MARK}
PARQUET_ROW = '{"parquet":'


def on_one_line(lines: Sequence[bytes]) -> bytes:
    """Put the lines of a row onto one; a row that has only one stays as it is, unless it begins as a marked one does."""
    mark = MARK.encode()
    if len(lines) == 1 and not lines[0].startswith(mark):
        return lines[0]
    return mark + (mark + b"n").join(line.replace(mark, mark + b"m") for line in lines)


def rows_of(text: str) -> list[str]:
    """Split a table's text into its rows, each put onto one line."""
    rows: list[list[bytes]] = []
    inside = False
    for line in text.removesuffix("\n").split("\n"):
        if not inside:
            rows.append([])
        rows[-1].append(line.encode())
        inside = is_open(line, inside=inside)
    return [on_one_line(lines).decode() for lines in rows]


def as_it_stood(line: str) -> str:
    """Give a row of a file whose rows were put onto one line each, with its line breaks."""
    if not line.startswith(MARK):
        return line
    return re.sub(f"{MARK}([nm])", lambda found: MARKED[found[1]], line[1:])


def headers(
    frame: pl.LazyFrame, files: Sequence[str], first_rows: Sequence[int], joined: Collection[str]
) -> dict[str, list[str]]:
    """Read the names of the columns of each file: its first line, or the names inside of a row of Parquet."""
    texts = first_lines(frame, files, first_rows)
    return {file: names(as_it_stood(text) if file in joined else text) for file, text in texts.items()}


def first_lines(frame: pl.LazyFrame, files: Sequence[str], first_rows: Sequence[int]) -> dict[str, str]:
    """Give the first line of each file; where files begin may be known only as their lines go by."""
    if len(files) == 1:
        found = frame.select("text").head(1).collect(engine="streaming")["text"]
        return {files[0]: "".join(found)}

    def chosen(batch: pl.DataFrame) -> pl.DataFrame:
        return batch.filter(batch["row"].is_in(list(first_rows)))

    schema = pl.Schema({"row": pl.UInt32, "text": pl.String})
    passing = frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
    lines = dict(by_batches(passing, chosen).collect(engine="streaming").iter_rows())
    return {file: lines.get(row, "") for file, row in zip(files, first_rows, strict=True)}


def names(line: str) -> list[str]:
    """Give the names in a header, or in a row of Parquet."""
    if line.startswith(PARQUET_ROW):
        return list(json.loads(line)["parquet"])
    header = line.partition("\r")[0] if ends_in_returns(line) else line
    return [cell or "" for cell in cells(header.removeprefix("\ufeff")) or ()]


def ends_in_returns(header: str) -> bool:
    """Tell whether a first line is all of a file, whose lines end in carriage returns alone."""
    return "\r" in header.rstrip("\r") and "\n" not in header


def cells(line: str) -> list[str | None] | None:
    """Split a row into its cells, an empty one without quotes being absent; None if a quoted one does not end."""
    if line.startswith(PARQUET_ROW):
        return list(json.loads(line)["parquet"].values())
    return _cells(line.rstrip("\r"))  # two of them are what Windows makes of a line break in a cell


def is_open(line: str, *, inside: bool) -> bool:
    """Tell whether a line ends inside of a quoted cell; `inside` says whether it begins there."""
    return _cells(f"{QUOTE}{line}" if inside else line) is None


def _cells(line: str) -> list[str | None] | None:
    """Split a row: an empty text is told from an absent one by its quotes.

    A quote inside of a cell without quotes stands for itself, and so does what follows a closing one.
    """
    at_once = _plain_cells(line)
    if at_once is not None:
        return at_once
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


def _plain_cells(line: str) -> list[str | None] | None:
    """Split a row at once whose quotes stand at both ends of a cell, or doubled within; None if one stands elsewhere."""
    first, *pieces = line.split(QUOTE)
    if not pieces:
        return [cell or None for cell in line.split(",")]
    if len(pieces) % 2:
        return None
    outside, quoted = [first], list[str | None]()
    for text, after in zip(pieces[::2], pieces[1::2], strict=True):
        if quoted and not outside[-1]:
            quoted[-1] = f"{quoted[-1]}{QUOTE}{text}"
            outside[-1] = after
        else:
            quoted.append(text)
            outside.append(after)
    begins, *between, ends = outside
    if not (
        (begins or ",").endswith(",")
        and (ends or ",").startswith(",")
        and all(part.startswith(",") and part.endswith(",") for part in between)
    ):
        return None
    in_turn = iter(quoted)
    return [next(in_turn) if cell == QUOTE else cell or None for cell in QUOTE.join(outside).split(",")]


def is_header(line: str) -> bool:
    """Tell whether a line may be a table's header: names, and nothing that is JSON."""
    return not line.lstrip().startswith(("{", "[")) and any(names(line))
