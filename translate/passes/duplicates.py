"""Finds events of the same id, on disk: memory does not grow with the archive.

The hashed ids of all units are shared out by hash into buckets that fit in memory. Of each id the first event in
the order of the source stays. It costs a second reading of the source, the one that all passes share.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import polars_hash

BUCKET_ROWS = 2_000_000


def hashed(column: str) -> pl.Expr:
    """Hash the text of a column; null stays null."""
    hash_of: pl.Expr = polars_hash.col(column).nchash.xxh3_128()
    return pl.when(pl.col(column).is_not_null()).then(hash_of)


def buckets(rows: pl.LazyFrame, key: str, bucket_rows: int) -> Iterator[tuple[int, pl.LazyFrame]]:
    """Share rows out by a hash, into buckets that fit in memory: rows of the same hash are in the same one."""
    count = rows.select(pl.len()).collect(engine="streaming").item()
    number_of_buckets = max(1, -(-count // bucket_rows))
    for bucket in range(number_of_buckets):
        yield bucket, rows.filter(pl.col(key) % number_of_buckets == bucket)


class Duplicates:
    """The duplicates of a run, by unit."""

    def __init__(self, folder: Path) -> None:
        self._found = folder
        self._found.mkdir(parents=True, exist_ok=True)

    def find(self, ids: pl.LazyFrame) -> None:
        """Go through `unit`, `row`, `part`, `hash` of all events, and write down which are not the first of their id."""
        for number, bucket in buckets(ids.select("unit", "row", "part", "hash"), "hash", BUCKET_ROWS):
            here = bucket.collect(engine="streaming").sort("unit", "row", "part")
            later = here.filter(~pl.col("hash").is_first_distinct()).select("unit", "row", "part")
            later.write_parquet(self._found / f"bucket-{number:05}.parquet")

    def of_unit(self, unit: int) -> pl.LazyFrame:
        """Give `row` and `part` of a unit's duplicates."""
        found = pl.scan_parquet(self._found / "*.parquet").filter(pl.col("unit") == unit)
        return found.select("row", "part").sort("row", "part")
