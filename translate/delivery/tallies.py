"""Counts over more users and identities than fit in memory: 16-byte digests, beyond a stated number on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from translate.passes import sightings

KEPT_ROWS = 2_000_000  # in memory, of each tally: 32 MB of identities, 64 MB of users
BUCKET_ROWS = 2_000_000  # counted at once: some 300 MB


class _Tally:
    """Rows with a `hash`, in memory up to a number, then in files of that many."""

    def __init__(self, folder: Path | None = None, kept_rows: int = KEPT_ROWS) -> None:
        self._given = folder
        self._kept_rows = kept_rows
        self._kept: list[pl.DataFrame] = []
        self._rows = 0
        self._files = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def _take(self, rows: pl.DataFrame) -> None:
        self._kept.append(rows)
        self._rows += len(rows)
        if self._rows <= self._kept_rows:
            return
        merged = self._merged(pl.concat(self._kept).lazy()).collect(engine="in-memory")
        if self._files == 0 and len(merged) <= self._kept_rows // 2:
            self._kept, self._rows = [merged], len(merged)
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="survey-", dir=self._given)
        merged.write_parquet(Path(self._folder.name) / f"{self._files:05}.parquet")
        self._files += 1
        self._kept, self._rows = [], 0

    def _merged(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows

    def _all(self) -> pl.LazyFrame | None:
        frames = [pl.concat(self._kept).lazy()] if self._kept else []
        if self._folder is not None:
            frames.append(pl.scan_parquet(Path(self._folder.name) / "*.parquet"))
        return pl.concat(frames) if frames else None

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


class Repeats(_Tally):
    """Counts how many of the texts that it was given are equal to an earlier one."""

    def __init__(self, folder: Path | None = None, kept_rows: int = KEPT_ROWS) -> None:
        super().__init__(folder, kept_rows)
        self._count = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take identities, in the column `text`."""
        self.add_hashes(rows.select(hash=sightings.hashed("text")))

    def add_hashes(self, rows: pl.DataFrame) -> None:
        """Take identities as they are kept, in the column `hash`."""
        if rows.height:
            self._count += rows.height
            self._take(rows)

    def count(self) -> int:
        """Count those that are equal to an earlier one."""
        rows = self._all()
        if rows is None:
            return 0
        distinct: Iterator[int] = (
            bucket.select(pl.col("hash").n_unique()).collect(engine="streaming").item()
            for _, bucket in sightings.in_buckets(rows, "hash", BUCKET_ROWS)
        )
        return self._count - sum(distinct)


class Users(_Tally):
    """Counts users and their events by the hour in which each was last seen."""

    def add(self, rows: pl.DataFrame) -> None:
        """Take the user of each event as `text`, and the event's `hour`, counted from 1970."""
        if rows.height:
            seen = rows.group_by("text").agg(pl.col("hour").max(), events=pl.len().cast(pl.Int64))
            self._take(seen.select("hour", "events", hash=sightings.hashed("text")))

    def _merged(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        seen = rows.group_by("hash").agg(pl.col("hour").max(), pl.col("events").sum())
        return seen.select("hour", "events", "hash")

    def by_hour(self) -> tuple[int, int, dict[int, tuple[int, int]]]:
        """Give all users, those of two events or more, and (users, events) by the hour in which they were last seen."""
        rows = self._all()
        buckets = sightings.in_buckets(rows, "hash", BUCKET_ROWS) if rows is not None else ()
        return by_hour(self._merged(bucket).collect(engine="streaming") for _, bucket in buckets)


def by_hour(buckets: Iterable[pl.DataFrame]) -> tuple[int, int, dict[int, tuple[int, int]]]:
    """Add up users of several frames, each user in one of them alone, by the hour in which they were last seen."""
    hours: dict[int, tuple[int, int]] = {}
    users = several = 0
    for seen in buckets:
        users += len(seen)
        several += int((seen["events"] >= 2).sum())
        counted = seen.drop_nulls("hour").group_by("hour").agg(pl.len(), pl.col("events").sum())
        for hour, here, events in counted.iter_rows():
            before = hours.get(hour, (0, 0))
            hours[hour] = (before[0] + here, before[1] + events)
    return users, several, dict(sorted(hours.items()))
