"""Columns of a dataset's own: what a recipe or the settings say of them, and what their types take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate import events
from translate.errors import suggest
from translate.mapping.sheet import join

NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")
KEYED = ("attributes", "metrics", "other")
WHOLE = r"^(-?[0-9]+)(?:\.0+)?$"
NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
HOLDS = {events.TIME: "times", events.MAP: "maps"}


def _whole(dtype: pl.DataType) -> Callable[[pl.Expr], pl.Expr]:
    return lambda text: text.str.extract(WHOLE).cast(dtype, strict=False).cast(pl.String)


def _number(dtype: pl.DataType) -> Callable[[pl.Expr], pl.Expr]:
    return lambda text: pl.when(
        text.str.contains(NUMBER) & text.cast(pl.Float64, strict=False).cast(dtype, strict=False).is_finite()
    ).then(text)


def _boolean(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    return pl.when(lower.is_in(["true", "false"])).then(lower)


# Avro's types of single values, and what of a text each takes: nothing where it is no such value.
TYPES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "string": lambda text: text,
    "int": _whole(pl.Int32()),
    "long": _whole(pl.Int64()),
    "float": _number(pl.Float32()),
    "double": _number(pl.Float64()),
    "boolean": _boolean,
}
KEYS = {
    "type": f"its Avro type, `{'`, `'.join(TYPES)}`; unless said, what the source holds",
    "source": "the hub column, or the key like `attributes.x`, that it is filled from; unless said, the key of its own name",
}


@dataclass(frozen=True)
class Column:
    """A column of a dataset's own: its Avro type, and the hub column or key that fills it; none: the key of its name.

    `spelled` is how a schema beside the source has it.
    """

    name: str
    type: str = "string"
    source: str | None = None
    spelled: Any = field(default=None, compare=False)

    @property
    def home(self) -> str:
        """Name the key that holds its values once they are where they belong."""
        return f"attributes.{self.name}"

    @property
    def whence(self) -> tuple[str, ...]:
        """Name what fills it, a hub column or a map and its key; without a source the key of its name."""
        source = self.source or self.home
        home, _, key = source.partition(".")
        return (source,) if source in events.SCHEMA else (home, key)


def read_columns(given: Any, complain: Callable[[str, str], None]) -> tuple[Column, ...]:
    """Read the table `columns`: each a source, perhaps with `:type` behind it, or a table of type and source."""
    if not isinstance(given, dict):
        complain("columns", f"should be a table of columns, each with its source, but is {given!r}")
        return ()
    found = [_read(name, value, join("columns", name), complain) for name, value in given.items()]
    columns = tuple(column for column in found if column is not None)
    for one, other in _meeting(columns):
        told = f"{one} and {other} are one name to the service, which looks at letters and digits only"
        complain("columns", told)
    return columns


def _read(name: str, value: Any, path: str, complain: Callable[[str, str], None]) -> Column | None:
    if not NAME.fullmatch(name):
        complain(path, "should be letters, digits and _, no digit first, as Avro has names")
        return None
    if isinstance(value, str):
        said, colon, kind = value.rpartition(":")
        value = {"source": said, "type": kind} if colon else {"source": value}
    if not isinstance(value, dict):
        complain(path, f"should be a source, or a table of type and source, but is {value!r}")
        return None
    for key in value:
        if key not in KEYS:
            complain(join(path, key), f'no such key "{key}"{suggest(key, KEYS)}')
    source, dtype = value.get("source") or None, value.get("type")
    wrong = _wrong_source(source) if source is not None else None
    if wrong is None and dtype is not None and dtype not in TYPES:
        wrong = f'no type "{dtype}"{suggest(str(dtype), TYPES)} (types: {", ".join(TYPES)})'
    if wrong is not None:
        complain(path, wrong)
        return None
    return Column(name, dtype or _type_of(source), source)


def _wrong_source(source: Any) -> str | None:
    if not isinstance(source, str):
        return f"its source should be a hub column or a key, in quotes, but is {source!r}"
    if source in events.SCHEMA:
        kind = HOLDS.get(events.SCHEMA[source])
        return kind and f"{source} holds {kind}, and a column holds a text, a number, true or false"
    head, _, key = source.partition(".")
    if head in KEYED and key:
        return None
    return f'"{source}" is no hub column and no key like "attributes.x"{suggest(source, events.SCHEMA)}'


def _type_of(source: str | None) -> str:
    dtype = events.SCHEMA.get(source or "")
    if dtype == events.WHOLE:
        return "long"
    return "float" if dtype == events.NUMBER or (source or "").startswith("metrics.") else "string"


def _meeting(columns: Iterable[Column]) -> Iterable[tuple[str, str]]:
    met: dict[str, str] = {}
    for column in columns:
        plain = column.name.replace("_", "").lower()
        if plain in met:
            yield met[plain], column.name
        met.setdefault(plain, column.name)
