"""What expressions see: hub columns, keys of the event's maps, and keys that a layout's reader moved into columns, under their own names."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import polars as pl

from translate import events
from translate.mapping.spec import Field, Layout
from translate.vocabulary import notation

NAIVE_TIME = pl.Datetime("ms")
ITEM = "_item"
CALLED = "_called"  # the event's name as it was read, whatever the rules made of it
NOTHING_MOVED: Mapping[str, Moved] = {}
KEYED = ("attributes", "metrics", "other")
# What a value may be at its worst: an expression that stops on one of these would stop a run.
EXTREMES: dict[Any, list[Any]] = {
    events.TEXT: [None, "", "x", "2.5", "-1", "a-\u00e9,b", "-9223372036854775808"],
    events.WHOLE: [None, 0, -1, 2**63 - 1, -(2**63), 5, 1],
    events.NUMBER: [None, 0.0, -1.5, 1e308, math.nan, math.inf, -math.inf],
    NAIVE_TIME: [None, dt.datetime(1970, 1, 1), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), dt.datetime(2016, 2, 29), dt.datetime(1677, 1, 1), dt.datetime(2016, 12, 31)],  # noqa: DTZ001  expressions see times without a zone
}  # fmt: skip
CROSSED = 3  # so many columns of an expression are tried in every combination


@dataclass(frozen=True)
class Expression:
    """A proven SQL expression: what it looks at, and the type of what it gives."""

    sql: str
    expr: pl.Expr = field(compare=False)
    columns: tuple[str, ...]
    dtype: pl.DataType


def evaluate(
    frame: pl.LazyFrame,
    names: Iterable[str],
    values: Mapping[str, pl.Expr],
    moved: Mapping[str, Moved] = NOTHING_MOVED,
) -> pl.LazyFrame:
    """Add columns of values that look at the given names as expressions see them; `moved` are keys that are columns now."""
    called = pl.col(
        CALLED if any(name in moved for name in names) and CALLED in frame.collect_schema() else "name"
    )
    views = {name: shown for name in names if (shown := view(name, moved.get(name), called)) is not None}
    times = [name for name in views if name in events.SCHEMA]
    return (
        frame.with_columns(**views, **{f"${name}": pl.col(name) for name in times})
        .with_columns(**values)
        .with_columns(**{name: pl.col(f"${name}") for name in times})
        .drop(name if name not in times else f"${name}" for name in views)
    )


def key_of(name: str) -> tuple[str, str] | None:
    """Split `attributes.x`, `metrics.x`, `other.x` into map and key; anything else is None."""
    home, dot, key = name.partition(".")
    return (home, key) if dot and key and home in KEYED else None


def type_of(name: str) -> pl.DataType | None:
    """Give the type under which expressions see a name; None if there is no such name."""
    keyed = key_of(name)
    if keyed:
        return events.NUMBER if keyed[0] == "metrics" else events.TEXT
    if name.startswith("item.") and name != "item.":
        return events.TEXT
    dtype = events.SCHEMA.get(name)
    if dtype is None or dtype == events.MAP:
        return None
    return NAIVE_TIME if dtype == events.TIME else dtype


def view(name: str, moved: Moved | None = None, called: pl.Expr | None = None) -> pl.Expr | None:
    """Give what expressions see under a name, where that is not the hub's column as it is."""
    keyed = key_of(name)
    if keyed:
        text = pl.col(keyed[0]).map.get(keyed[1])
        if moved is not None:
            text = pl.coalesce(text, moved.value(pl.col("name") if called is None else called))
        return text.cast(pl.Float64, strict=False) if keyed[0] == "metrics" else text
    if name.startswith("item."):
        return pl.col(ITEM).map.get(name.removeprefix("item."))
    return pl.col(name).dt.replace_time_zone(None) if events.SCHEMA[name] == events.TIME else None


def kind_of(dtype: pl.DataType) -> str:
    """Name a type as complaints do."""
    if dtype == pl.Null:
        return "nothing"
    if dtype == pl.Boolean:
        return "true or false"
    if dtype == pl.String:
        return "text"
    if dtype.is_numeric():
        return "a number"
    return {pl.Datetime: "a time", pl.Date: "a date"}.get(dtype.base_type(), str(dtype))


def misfit(expression: Expression, wanted: pl.DataType, target: str) -> str | None:
    """Say why an expression's result cannot stand in a place of a type, and the way out."""
    kind = kind_of(expression.dtype)
    if kind == "nothing":
        return f'is always absent; to take a value away, write remove = ["{target}"]'
    needs = {
        events.TEXT: ("text", "VARCHAR", kind == "text"),
        events.WHOLE: ("a whole number", "BIGINT", expression.dtype.is_integer()),
        events.NUMBER: ("a number", "DOUBLE", kind == "a number"),
        events.TIME: ("a time", "TIMESTAMP", kind == "a time"),
        pl.Boolean(): ("true or false", "BOOLEAN", kind == "true or false"),
    }
    name, sql_type, fits = needs[wanted]
    if fits:
        return None
    castable = (
        kind == "a date" if wanted == events.TIME else kind in ("text", "a number") and wanted != pl.Boolean()
    )
    way_out = f"; write TRY_CAST(... AS {sql_type})" if castable else ""
    return f"should give {name}, but gives {kind}{way_out}"


ANSWERING = ("attributes", "metrics")  # as text, and as a double


@dataclass(frozen=True)
class Moved:
    """One such key: the column that has its value, for events of some names (as they were read) or of all."""

    column: str
    when: tuple[str, ...]
    text: Callable[[], pl.Expr]

    def value(self, name: pl.Expr) -> pl.Expr:
        """Give the value as text, as it stood under the key; `name` is the event's name as it was read."""
        return pl.when(name.is_in(list(self.when))).then(self.text()) if self.when else self.text()


def moved_keys(layout: Layout) -> dict[str, Moved]:
    """Give the keys that reading a layout moves, by their names in expressions (`metrics.x`)."""
    homes = {entry.place: entry.hub for entry in layout.fields if entry.word.is_container}
    found: dict[str, Moved] = {}
    for entry in layout.fields:
        if entry.path[0] not in homes or entry.place in homes or not entry.hub or entry.word.holds_whole_map:
            continue
        for home in homes[entry.path[0]]:
            if home in ANSWERING:
                found[f"{home}.{entry.key}"] = Moved(entry.hub[0], entry.when, _text_of(entry))
    return found


def _text_of(entry: Field) -> Callable[[], pl.Expr]:
    column = entry.hub[0]
    write = entry.word.write
    if len(entry.hub) == 1 and write is not None:
        return lambda: write([pl.col(column)]).cast(pl.String)
    if events.SCHEMA[column] == events.NUMBER:
        return lambda: notation.digits(pl.col(column))
    return lambda: pl.col(column).cast(pl.String)


@lru_cache(maxsize=16)
def worst_frame(names: tuple[str, ...]) -> pl.DataFrame:
    """Make rows of the worst values that columns can have, in many combinations."""
    types = {name: type_of(name) for name in names}
    count = len(EXTREMES[events.TEXT])
    combinations = list(itertools.product(range(count), repeat=min(len(names), CROSSED)))
    columns = {}
    for position, (name, dtype) in enumerate(types.items()):
        indexes = [
            combination[position] if position < CROSSED else (row + position) % count
            for row, combination in enumerate(combinations)
        ]
        columns[name] = pl.Series([EXTREMES[dtype][index] for index in indexes], dtype=dtype)
    return pl.DataFrame(columns) if columns else pl.DataFrame({"": [0]})


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Give the objects of an expression's tree, each before those inside of it."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            found = list(found.values())
        if isinstance(found, list):
            waiting += reversed(found)
