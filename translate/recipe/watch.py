"""Looks out for keys and names that a recipe or a selection wants, and for what is like those that are not there."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from translate.conversion.nearness import VALUES_KEPT, Watched, nearest
from translate.recipe import erasure, tallies
from translate.recipe.expressions import KEYED, NAIVE_TIME, Expression, Moved, key_of, type_of, view
from translate.recipe.rules import Recipe
from translate.recipe.selection import DESELECTED
from translate.recipe.tallies import texts_in

if TYPE_CHECKING:
    from translate.recipe.selection import Selection

KNOWN_MAX = (
    20_000  # keys and names that need no second look; what is beyond is looked at each time that it comes
)

# A batch goes by on a thread of the streaming engine: one that waited there for the streaming engine would wait without end.
NESTED: Literal["in-memory"] = "in-memory"

TOLD_OF = pl.col("code").is_null() & pl.col(DESELECTED).ne_missing(
    erasure.OPTION
)  # others are to be forgotten

PRINTABLE = (dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))  # noqa: DTZ001  expressions see times without a zone


@dataclass(frozen=True)
class Wanted:
    """What to look out for: keys, names of events, and columns of which the span or some values are asked for."""

    keys: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()

    @classmethod
    def by(cls, recipe: Recipe | None, selection: Selection | None, *, examples: bool) -> Wanted:
        """Tell what a recipe's own rules and a selection want; values of an archive are only looked at for examples."""
        where = selection.where.expression if selection and selection.where else None
        rules = recipe.rules[recipe.inherited :] if recipe else ()
        conditions = [where, *(rule.when for rule in rules)]
        looked_at = set(where.columns) - {"name"} if where else set()
        keys = {key for rule in rules for key in tallies.keys_looked_at(rule)} | set(
            filter(key_of, looked_at)
        )
        names = {name for condition in conditions if condition for name in names_in(condition)}
        columns = {column for column in looked_at if examples or type_of(column) == NAIVE_TIME}
        if selection and (selection.since or selection.until):
            columns.add("time")
        return cls(frozenset(keys), frozenset(names), frozenset(columns))


def names_in(condition: Expression) -> list[str]:
    """Give the names of events that a condition compares with."""
    return [
        text
        for part in tallies.conditions(condition)
        if part.columns == ("name",)
        for text in texts_in(part.sql)
    ]


class Watch:
    """Sees events go by, and stops looking once all that is wanted is there."""

    def __init__(self, wanted: Wanted, moved: Mapping[str, Moved]) -> None:
        self._keys, self._names, self._columns = set(wanted.keys), set(wanted.names), sorted(wanted.columns)
        self._moved = moved
        self._known: dict[str, set[str]] = {"keys": set(), "names": set()}
        self._lock = threading.Lock()
        self.watched = Watched(near={wanted: [] for wanted in (*self._keys, *self._names)})

    def over(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Look at a frame's batches while they go by."""
        if not self.watched.near and not self._columns:
            return frame
        return frame.map_batches(
            self._look, schema=dict(frame.collect_schema()), validate_output_schema=False, streamable=True
        )

    def told(self) -> Watched:
        """Give what was seen, the same whatever the order of the batches was."""
        near = {
            wanted: found
            for wanted, found in sorted(self.watched.near.items())
            if wanted not in self.watched.met
        }
        return replace(self.watched, near=near)

    def _look(self, batch: pl.DataFrame) -> pl.DataFrame:
        keys, names = self._keys - self.watched.met, self._names - self.watched.met
        if keys or names:
            events = batch.lazy().filter(TOLD_OF)
            found_keys = self._keys_in(events) if keys else set()
            found_names = (
                set(events.select(pl.col("name").drop_nulls().unique()).collect(engine=NESTED)["name"])
                if names
                else set()
            )
            with self._lock:
                self._compare("keys", keys, found_keys)
                self._compare("names", names, found_names)
        if self._columns:
            self._look_at_values(batch.lazy().filter(TOLD_OF))
        return batch

    def _look_at_values(self, events: pl.LazyFrame) -> None:
        shown = {name: view(name, self._moved.get(name)) for name in self._columns}
        columns = {name: pl.col(name) if value is None else value for name, value in shown.items()}
        seen = events.select(**columns).collect(engine=NESTED)
        with self._lock:
            for column in seen.get_columns():
                values = column.drop_nulls().unique()
                if values.dtype.is_temporal():
                    values = values.filter(values.is_between(*PRINTABLE))
                if values.dtype == pl.String:
                    self.watched.note(column.name, values.bottom_k(VALUES_KEPT))
                elif values.len():
                    self.watched.widen(column.name, *(_told(value) for value in (values.min(), values.max())))

    def _keys_in(self, events: pl.LazyFrame) -> set[str]:
        keys = [
            events.select(key=pl.col(kind).map.keys()).explode("key").drop_nulls().unique() for kind in KEYED
        ]
        is_there = {key: view(key, moved).is_not_null().any() for key, moved in self._moved.items()}  # type: ignore[union-attr]
        *own, moved = pl.collect_all([*keys, events.select(**is_there)], engine=NESTED)
        present = [f"{kind}.{key}" for kind, frame in zip(KEYED, own, strict=True) for key in frame["key"]]
        return {*present, *(key for key in moved.columns if moved[key][0])}

    def _compare(self, of: str, wanted: set[str], found: set[str]) -> None:
        self.watched.met |= wanted & found
        new = found - self._known[of]
        for want in (wanted - self.watched.met) if new else ():
            self.watched.near[want] = nearest(want, [*self.watched.near[want], *new])
        if len(self._known[of]) < KNOWN_MAX:
            self._known[of] |= new


def _told(value: Any) -> Any:
    """Give a number as it is, a time as text; both keep their order."""
    return value.isoformat(sep=" ", timespec="milliseconds") if isinstance(value, dt.datetime) else value
