"""On which line of a TOML file a complaint is, by its path: the parser of Python's library keeps that to itself."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from translate.errors import Complaint

SEGMENT = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+))\s*(\.?)""")
PIECE = re.compile(
    r""""{3}|\'{3}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#.*|[\[{]|[\]}]""",
)
QUOTES = ('"""', "'''")
IN_BRACKETS = re.compile(r"\[(\d+)\]$")


def located(complaints: Iterable[Complaint], file: Path) -> list[Complaint]:
    """Give complaints with the lines of those that are of a file."""
    try:
        lines = lines_of(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        lines = {}
    return [
        dataclasses.replace(complaint, line=_nearest(lines, complaint.path))
        if complaint.file == file.name and complaint.line is None
        else complaint
        for complaint in complaints
    ]


def lines_of(text: str) -> dict[str, int]:
    """Give the line, from 1, of each table and key; of those in arrays by their number, from 1: `rule[2].when`."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in _beginnings(text):
        stripped = line.strip()
        if stripped.startswith("["):
            is_array = stripped.startswith("[[")
            path = ".".join(_segments(stripped.lstrip("[")))
            head, _, last = path.rpartition(".")
            path = f"{_counted(head, counts)}.{last}" if head else last
            if is_array:
                counts[path] = counts.get(path, 0) + 1
            table = _counted(path, counts)
            found.setdefault(table, number)
            continue
        segments = list(_segments(stripped))
        for depth in range(1, len(segments) + 1):
            path = ".".join(segments[:depth])
            found.setdefault(f"{table}.{path}" if table else path, number)
    return found


def _nearest(lines: dict[str, int], path: str) -> int | None:
    """Give the line of a path, or of what is around it."""
    path = path.replace('"', "")
    while path and path not in lines:
        shorter = IN_BRACKETS.sub("", path)
        path = shorter if shorter != path else path.rpartition(".")[0]
    return lines.get(path)


def _counted(path: str, counts: dict[str, int]) -> str:
    return f"{path}[{counts[path]}]" if path in counts else path


def _segments(text: str) -> Iterator[str]:
    """Give the segments of a dotted key at the beginning of a line."""
    at = 0
    while found := SEGMENT.match(text, at):
        yield next(part for part in found.groups()[:3] if part is not None)
        at = found.end()
        if not found[4]:
            return


def _beginnings(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines on which a table or a key begins: not those inside of a list or a text of several lines."""
    depth, closing = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not depth and not closing:
            stripped = line.lstrip()
            if not stripped or stripped.startswith("#"):
                continue
            yield number, line
            if stripped.startswith("["):
                continue
        depth, closing = _after(line, depth, closing)


def _after(line: str, depth: int, closing: str) -> tuple[int, str]:
    """Tell how many brackets are open after a line, and which quotes close the text that it is in."""
    at = 0
    while True:
        if closing:
            end = line.find(closing, at)
            if end < 0:
                return depth, closing
            at, closing = end + len(closing), ""
        found = PIECE.search(line, at)
        if found is None:
            return depth, closing
        at = found.end()
        closing = found[0] if found[0] in QUOTES else ""
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
