"""One TOML file under reading: its tables, and every complaint with its path and line in the file."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tomllib  # noqa: TID251  the one place that reads TOML
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from translate.errors import Complaint, MappingError, suggest

Table = dict[str, Any]
ENCODING = "utf-8-sig"  # editors of Windows put a mark before it, which nobody sees
KINDS = {str: "text", bool: "true or false", int: "a whole number", list: "a list", dict: "a table"}


class Sheet:
    """One TOML file under reading: collects complaints, each with its path inside the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.name
        self.complaints: list[Complaint] = []

    def complain(self, path: str, message: str, excerpt: str = "") -> None:
        """Note a complaint; an excerpt shows the place in an expression."""
        self.complaints.append(Complaint(self.file, path, message, excerpt=excerpt))

    def known_keys(self, table: Table, path: str, known: Iterable[str]) -> None:
        """Complain about each key that nobody asked for."""
        names = list(known)
        for key in table:
            if key not in names:
                self.complain(join(path, key), f'no such key "{key}"{suggest(key, names)}')

    def get(self, table: Table, path: str, key: str, kind: type, default: Any = None) -> Any:
        """Give a key's value if it is of the kind, else complain and give the default."""
        value = table.get(key, default)
        if value is default and key not in table:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.complain(join(path, key), f"should be {KINDS[kind]}, but is {value!r}")
            return default
        return value

    def need(self, table: Table, path: str, key: str, kind: type, default: Any) -> Any:
        """Like `get`, but a missing key is a complaint too."""
        if key not in table:
            self.complain(join(path, key), "is missing")
            return default
        return self.get(table, path, key, kind, default)

    def most(self, table: Table, path: str, key: str) -> int | None:
        """Give a number that there may be at most, above 0."""
        value: int | None = self.get(table, path, key, int)
        if value is not None and value <= 0:
            self.complain(join(path, key), f"should be more than 0, but is {value}")
        return value

    def one_of(self, value: Any, path: str, what: str, known: Iterable[str]) -> bool:
        """Complain unless the value is a known name."""
        names = list(known)
        if value in names:
            return True
        shown = f'"{value}"{suggest(value, names)}' if isinstance(value, str) else repr(value)
        self.complain(path, f"no {what} {shown}")
        return False

    def choice(
        self, table: Table, path: str, key: str, what: str, known: Iterable[str], default: Any = None
    ) -> Any:
        """Give a text; complain unless it is a known name."""
        text = self.get(table, path, key, str, default)
        if isinstance(table.get(key), str):
            self.one_of(text, join(path, key), what, known)
        return text

    def choices(self, table: Table, path: str, key: str, what: str, known: Iterable[str]) -> tuple[str, ...]:
        """Give texts; complain of each that is no known name."""
        texts = self.texts(table, path, key) or ()
        for text in texts:
            self.one_of(text, join(path, key), what, known)
        return texts

    def texts(self, table: Table, path: str, key: str) -> tuple[str, ...] | None:
        """Give a text, or a list of texts, as a tuple; nothing if it is neither."""
        value = table.get(key, [])
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return tuple(value)
        self.complain(join(path, key), f"should be text or a list of texts, but is {value!r}")
        return None

    def tables(self, table: Table, path: str) -> dict[str, Table]:
        """Give those members of a table that are tables themselves; complain about the others."""
        found = {name: self.get(table, path, name, dict) for name in table}
        return {name: inner for name, inner in found.items() if inner is not None}

    def inner(self, table: Table, path: str, key: str) -> Iterator[tuple[str, str, Table]]:
        """Give the name, path and content of each table in a table's member."""
        where = join(path, key)
        for name, inner in self.tables(self.get(table, path, key, dict, {}), where).items():
            yield name, join(where, name), inner

    def finish(self) -> None:
        """Raise all complaints, if there are any."""
        if self.complaints:
            raise MappingError(located(self.complaints, self.path))


def join(path: str, key: str) -> str:
    """Add a key to a path, quoted where it is empty or holds a dot or a blank."""
    segment = f'"{key}"' if not key or "." in key or " " in key else key
    return f"{path}.{segment}" if path else segment


def digest_of(content: bytes) -> str:
    """Give a digest of what a sheet or a recipe says, with its algorithm's name."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def read_toml(path: Path, shown: str) -> tuple[dict[str, Any], str]:
    """Read a TOML file and its digest; raise MappingError if it is none."""
    try:
        content = path.read_bytes()
        return tomllib.loads(content.decode(ENCODING)), digest_of(content)
    except IsADirectoryError:
        message = f"is a folder; name the files in it, such as {path}/*.toml"
    except FileNotFoundError:
        message = "there is no such file"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: {error.reason} at byte {error.start}"
    except tomllib.TOMLDecodeError as error:
        raise MappingError([_no_toml(shown, error, content.decode(ENCODING))]) from None
    raise MappingError([Complaint(shown or str(path), "", message)])  # "." has no name


def _no_toml(shown: str, error: tomllib.TOMLDecodeError, text: str) -> Complaint:
    """Say why a text is no TOML, in which line, with a caret below the place."""
    place = re.search(r"at line (\d+), column (\d+)", str(error))
    line, column = (int(place[1]), int(place[2])) if place else (len(text.splitlines()) or 1, 0)
    excerpt = f"    {text.splitlines()[line - 1]}\n    {' ' * (column - 1)}^" if column else ""
    return Complaint(shown, "", f"is not TOML: {error}", line, excerpt)


RECIPE, SHEET = "a recipe", "the data sheet of a model"
OPTIONS = {RECIPE: "--recipe", SHEET: "--mappings with its folder"}


def refuse_other(table: Table, path: Path, wanted: str) -> None:
    """Raise MappingError for a file that may be right, but is of another kind than the one that is wanted here."""
    kind = SHEET if "layout" in table else None if {"to", "extends"}.isdisjoint(table) else RECIPE
    if kind not in (None, wanted):
        raise MappingError([Complaint(path.name, "", f"is {kind}, not {wanted}; say {OPTIONS[kind]}")])


# -- on which line a complaint is: the parser of Python's library keeps that to itself -----------------------

SEGMENT = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+))\s*(\.?)""")
PIECE = re.compile(r""""{3}|\'{3}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#.*|[\[{]|[\]}]""")
QUOTES = ('"""', "'''")
IN_BRACKETS = re.compile(r"\[(\d+)\]$")


def located(complaints: Iterable[Complaint], file: Path) -> list[Complaint]:
    """Give complaints with the lines of those that are of a file."""
    try:
        lines = lines_of(file.read_text(encoding=ENCODING))
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
