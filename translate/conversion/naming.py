"""Under which name each of an archive's names was written: gathered batch by batch, carried by each unit's record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

import polars as pl

EVENT_TYPES, ATTRIBUTES, USER_ATTRIBUTES = "event types", "attribute keys", "user attributes"
# Whose keys lie together in a target's row.
KINDS = {
    "attributes": ATTRIBUTES,
    "metrics": ATTRIBUTES,
    "other": ATTRIBUTES,
    "user_properties": USER_ATTRIBUTES,
}
# A bound on what keys that are values can cost: an archive has thousands of names, not millions.
NAMES_MAX = 500_000
# A bound on what waits to be looked at: a batch holds the texts that it was read from.
ROWS_TOGETHER = 4_000


class Name(NamedTuple):
    """A name of the hub's, and what it is called in the target's rows."""

    kind: str
    name: str
    written: str


@dataclass
class Names:
    """In how many events each name was written under which; `left_out` are those beyond the bound."""

    events: dict[Name, int] = field(default_factory=dict)
    left_out: int = 0

    def add(self, other: Names) -> None:
        """Add another unit's names, in an order that depends on nothing but them."""
        self.left_out += other.left_out
        for name, count in sorted(other.events.items()):
            if name in self.events or len(self.events) < NAMES_MAX:
                self.count(name, count)
            else:
                self.left_out += 1

    def count(self, name: Name, events: int) -> None:
        """Count events that have a name."""
        self.events[name] = self.events.get(name, 0) + events

    def to_json(self) -> dict[str, Any]:
        """Give them as JSON values."""
        return {
            "left_out": self.left_out,
            "events": [[*name, count] for name, count in sorted(self.events.items())],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Names:
        """Read them back."""
        return cls(
            {Name(kind, name, written): count for kind, name, written, count in values["events"]},
            values["left_out"],
        )


class Gathering:
    """Gathers names from batches of written rows, whatever thread they come from."""

    def __init__(self) -> None:
        self._names = Names()
        self._waiting: list[pl.DataFrame] = []
        self._lock = Lock()

    def add(self, batch: pl.DataFrame) -> None:
        """Take in a batch: `name` and `_legal`, the free-form maps, and `_names` for their keys that were renamed.

        Several are looked at together: each look has a price of its own, however few its rows.
        """
        with self._lock:
            self._waiting.append(batch)
            if sum(waiting.height for waiting in self._waiting) < ROWS_TOGETHER:
                return
            batches, self._waiting = self._waiting, []
        self._count(batches)

    def names(self) -> Names:
        """Give the names of all batches."""
        batches, self._waiting = self._waiting, []
        if batches:
            self._count(batches)
        return self._names

    def _count(self, batches: list[pl.DataFrame]) -> None:
        found = list(names_in(pl.concat(batches).filter("_written")))
        with self._lock:
            for name, count in found:
                self._names.count(name, count)


def names_in(batch: pl.DataFrame) -> Iterator[tuple[Name, int]]:
    """Give each name that a batch's rows have, and in how many of them."""
    for name, written, count in batch.group_by("name", "_legal").len().iter_rows():
        yield Name(EVENT_TYPES, name, written), count
    for column, kind in KINDS.items():
        if column in batch.columns and batch[column].null_count() < batch.height:
            yield from _keys_in(batch, column, kind)


def _keys_in(batch: pl.DataFrame, column: str, kind: str) -> Iterable[tuple[Name, int]]:
    keys = batch.select("_names", key=pl.col(column).map.keys()).explode("key").drop_nulls("key")
    for originals, key, count in keys.group_by("_names", "key").len().iter_rows():
        yield Name(kind, key, _written(originals, column).get(key, key)), count


@lru_cache(maxsize=4096)
def _written(originals: str | None, column: str) -> dict[str, str]:
    """Turn the names that travel along around: what each original key became."""
    found: dict[str, str] = json.loads(f"{{{originals}}}").get(column, {}) if originals else {}
    return {key: name for name, key in found.items()}
