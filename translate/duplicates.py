"""Finds events of the same id, and rows that are identical, on disk: memory does not grow with the archive.

The ids of all units are hashed and shared out by hash into buckets that fit in memory. Of each id the first
event in the order of the source stays. It costs a second reading of the source.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import polars_hash

from translate.plan import WRITTEN, Query
from translate.writer import ROW

BUCKET_ROWS = 2_000_000
SEPARATOR = "\x1f"


def _hashed(column: str) -> pl.Expr:
    return polars_hash.col(column).nchash.xxh3_128()


class Duplicates:
    """The duplicates of a run, by unit."""

    def __init__(self, scratch: Path) -> None:
        self._ids = scratch / "ids"
        self._found = scratch / "duplicates"
        self._ids.mkdir(parents=True, exist_ok=True)
        self._found.mkdir(exist_ok=True)

    def gather(self, unit: int, ids: pl.LazyFrame) -> None:
        """Write down the ids of a unit's events: `row`, `part`, `event_id`."""
        hashed = ids.select("row", "part", unit=pl.lit(unit, pl.UInt32), hash=_hashed("event_id"))
        hashed.sink_parquet(self._ids / f"unit-{unit:05}.parquet", engine="streaming")

    def find(self) -> None:
        """Go through the ids, bucket by bucket, and write down which events are not the first of their id."""
        ids = pl.scan_parquet(self._ids / "*.parquet")
        count = ids.select(pl.len()).collect().item()
        buckets = max(1, -(-count // BUCKET_ROWS))
        for bucket in range(buckets):
            here = ids.filter(pl.col("hash") % buckets == bucket).collect(engine="streaming").sort("unit", "row", "part")
            later = here.filter(~pl.col("hash").is_first_distinct()).select("unit", "row", "part")
            later.write_parquet(self._found / f"bucket-{bucket:05}.parquet")

    def of_unit(self, unit: int) -> pl.LazyFrame:
        """Give `row` and `part` of a unit's duplicates."""
        found = pl.scan_parquet(self._found / "*.parquet").filter(pl.col("unit") == unit)
        return found.select("row", "part").sort("row", "part")


def row_digests(query: Query) -> pl.LazyFrame:
    """Hash the rows that are written, by all that the target will see of them."""
    if query.columns == [ROW]:
        return query.rows.select(hash=_hashed(ROW).filter(WRITTEN))
    columns = [pl.col(name).cast(pl.String).fill_null("\x00") for name in query.columns]
    text = query.rows.with_columns(_text=pl.concat_str(columns, separator=SEPARATOR))
    return text.select(hash=_hashed("_text").filter(WRITTEN))


def count_identical(files: Iterable[Path], rows: int) -> int:
    """Count the rows that are identical to an earlier one."""
    found = list(files)
    if not found:
        return 0
    hashes = pl.scan_parquet(found)
    buckets = max(1, -(-rows // BUCKET_ROWS))
    distinct: int = sum(
        hashes.filter(pl.col("hash") % buckets == bucket).select(pl.col("hash").n_unique()).collect(engine="streaming").item()
        for bucket in range(buckets)
    )
    return rows - distinct
