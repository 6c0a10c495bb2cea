"""Different values, counted exactly: as digests, in memory and beyond a stated number on disk.

A digest is two 64-bit hashes of the engine's, `a` and `b`, made with different seeds: one value counts as two never,
two as one once in some 10^18 archives of a thousand million events. They hold within one process only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl
from polars.io.plugins import register_io_source

from translate.passes import sightings

KEPT_ROWS = 180_000  # in memory, of each store: 3 to 6 MB
NEW_SHARE = 3  # a third of them may be new before all are merged, which takes some times what it is given
PARTS = 8  # in which what is in memory is merged: grouping takes ten times what the groups do
BUCKET_ROWS = 2_000_000  # counted at once: some 100 MB
SEEDS = (0x5EED, 0xB0B)
Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)
# Odd numbers, so that nothing of a hash is lost: by each place another one, without a pattern.
ODD = [
    pl.lit(int.from_bytes(hashlib.sha256(bytes([place])).digest()[:8]) | 1, pl.UInt64) for place in range(128)
]


def digest_of(columns: Sequence[pl.Expr]) -> list[pl.Expr]:
    """Give `a` and `b` of the values of several columns, each of which counts in its place."""
    return [
        combined([column.hash(seed) for column in columns]).alias(name)
        for name, seed in zip("ab", SEEDS, strict=True)
    ]


def combined(hashes: Sequence[pl.Expr]) -> pl.Expr:
    """Make one hash of several, each of which counts in its place."""
    weighed = (hashed * ODD[place % len(ODD)] for place, hashed in enumerate(hashes))
    return pl.sum_horizontal(pl.lit(0, pl.UInt64), *weighed)


def merged_in_parts(
    rows: pl.DataFrame, key: str, merge: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Merge rows of the same hash, some of the hashes at a time."""
    part = pl.col(key) // 2**32 % PARTS  # the last digits may tell something
    return pl.concat(merge(rows.filter(part == number)) for number in range(PARTS))


class Digests:
    """Rows of `a` and `b`, or of other columns to tell values apart by, and of what else is told of each; `told` says how two tellings become one."""

    def __init__(
        self, folder: Path, told: Sequence[pl.Expr] = (), kept_rows: int = KEPT_ROWS, by: Sequence[str] = ("a", "b"),
    ) -> None:  # fmt: skip
        self._folder = folder
        self._by = list(by)
        self._told = list(told)
        self._new_rows = kept_rows // NEW_SHARE
        self._merged_rows_max = kept_rows - self._new_rows
        self._kept: list[pl.DataFrame] = []
        self._rows = 0
        self._merged_rows = 0
        self._files: list[Path] = []
        self._is_repetitive = True  # so that merging makes rows fewer

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows; they may repeat what was told before."""
        if not rows.height:
            return
        self._kept.append(rows)
        self._rows += rows.height
        if self._rows - self._merged_rows <= self._new_rows:
            return
        together = pl.concat(self._kept)
        if self._is_repetitive:
            together = merged_in_parts(together, self._by[0], self._merged)
            self._is_repetitive = together.height <= self._merged_rows_max
        if self._is_repetitive:
            self._kept, self._rows, self._merged_rows = [together], together.height, together.height
        else:
            self._spill(together)

    def _spill(self, rows: pl.DataFrame) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._next_file()
        # As a stream: anything else is written by the engine, one of whose threads this may be.
        rows.write_ipc_stream(file)
        self._files.append(file)
        self._kept, self._rows, self._merged_rows = [], 0, 0

    def _next_file(self) -> Path:
        return self._folder / f"{len(self._files):05}.arrows"

    def absorb(self, other: Digests) -> None:
        """Take over what another one holds; it is empty afterwards."""
        for file in other._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            target = self._next_file()
            file.replace(target)
            self._files.append(target)
        for rows in other._kept:
            self.add(rows)
        other._kept, other._files = [], []

    def buckets(self, rows: int | None = None) -> Iterator[pl.DataFrame]:
        """Give the different values, with what is told of each, so many at a time as fit in memory."""
        frames = [pl.concat(self._kept).lazy()] if self._kept else []
        frames += [_spilled(self._files)] if self._files else []
        if not frames:
            return
        for _, bucket in sightings.in_buckets(pl.concat(frames), self._by[0], rows or BUCKET_ROWS):
            yield self._merged(bucket).collect(engine="streaming")

    def count(self) -> int:
        """Count the different values."""
        return sum(bucket.height for bucket in self.buckets())

    def _merged(self, rows: Rows) -> Rows:
        return rows.group_by(self._by).agg(*self._told) if self._told else rows.unique(self._by)


def _spilled(files: Sequence[Path]) -> pl.LazyFrame:
    """Give the rows of files one after the other, each time anew."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        for file in files:
            rows = pl.read_ipc_stream(file, columns=columns)
            rows = rows if predicate is None else rows.filter(predicate)
            yield rows if rows_wanted is None else rows.head(rows_wanted)

    return register_io_source(read, schema=pl.read_ipc_stream(files[0], n_rows=0).schema)


LAST_SEEN = (pl.col("hour").max(), pl.col("events").sum())  # told of each user


@dataclass(frozen=True)
class SeenUsers:
    """The users of a column: all, those of two events or more, and (users, events) by the hour they were last seen."""

    users: int
    several: int
    hours: dict[int, tuple[int, int]]

    @classmethod
    def of(cls, buckets: Iterable[pl.DataFrame]) -> SeenUsers:
        """Add up users of several frames, each user in one of them alone."""
        hours: dict[int, tuple[int, int]] = {}
        users = several = 0
        for seen in buckets:
            users += len(seen)
            several += int((seen["events"] >= 2).sum())
            counted = seen.drop_nulls("hour").group_by("hour").agg(pl.len(), pl.col("events").sum())
            for hour, here, events in counted.iter_rows():
                before = hours.get(hour, (0, 0))
                hours[hour] = (before[0] + here, before[1] + events)
        return cls(users, several, dict(sorted(hours.items())))
