"""One TOML file under reading: its tables, and every complaint with its path inside the file."""

from __future__ import annotations

import hashlib
import tomllib  # noqa: TID251  the one place that reads TOML
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from translate.errors import Complaint, MappingError, suggest
from translate.mapping.toml_lines import located

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

    def known_keys(self, table: dict[str, Any], path: str, known: Iterable[str]) -> None:
        """Complain about each key that nobody asked for."""
        names = list(known)
        for key in table:
            if key not in names:
                self.complain(join(path, key), f'no such key "{key}"{suggest(key, names)}')

    def get(self, table: dict[str, Any], path: str, key: str, kind: type, default: Any = None) -> Any:
        """Give a key's value if it is of the kind, else complain and give the default."""
        value = table.get(key, default)
        if value is default and key not in table:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.complain(join(path, key), f"should be {KINDS[kind]}, but is {value!r}")
            return default
        return value

    def need(self, table: dict[str, Any], path: str, key: str, kind: type, default: Any) -> Any:
        """Like `get`, but a missing key is a complaint too."""
        if key not in table:
            self.complain(join(path, key), "is missing")
            return default
        return self.get(table, path, key, kind, default)

    def one_of(self, value: Any, path: str, what: str, known: Iterable[str]) -> bool:
        """Complain unless the value is a known name."""
        names = list(known)
        if value in names:
            return True
        shown = f'"{value}"{suggest(value, names)}' if isinstance(value, str) else repr(value)
        self.complain(path, f"no {what} {shown}")
        return False

    def texts(self, table: dict[str, Any], path: str, key: str) -> tuple[str, ...] | None:
        """Give a text, or a list of texts, as a tuple; nothing if it is neither."""
        value = table.get(key, [])
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return tuple(value)
        self.complain(join(path, key), f"should be text or a list of texts, but is {value!r}")
        return None

    def tables(self, table: dict[str, Any], path: str) -> dict[str, dict[str, Any]]:
        """Give those members of a table that are tables themselves; complain about the others."""
        found = {name: self.get(table, path, name, dict) for name in table}
        return {name: inner for name, inner in found.items() if inner is not None}

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
        return tomllib.loads(content.decode()), digest_of(content)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: {error.reason} at byte {error.start}"
    except tomllib.TOMLDecodeError as error:
        message = f"is not TOML: {error}"
    raise MappingError([Complaint(shown, "", message)])
