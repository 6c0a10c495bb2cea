"""Counts the rows that became identical to an earlier one, on disk: memory does not grow with the archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from translate.conversion.plan import WRITTEN, Query
from translate.passes import duplicates
from translate.passes.duplicates import hashed
from translate.vocabulary import notation
from translate.writer.packing import ROW


def row_digests(query: Query) -> pl.LazyFrame:
    """Hash the rows that are written, by all that the target will see of them."""
    if query.columns == [ROW]:
        return query.rows.select(hash=hashed(ROW).filter(WRITTEN))
    columns = [notation.json_text(pl.col(name).cast(pl.String)).fill_null("null") for name in query.columns]
    text = query.rows.with_columns(_text=pl.concat_str(columns, separator=","))
    return text.select(hash=hashed("_text").filter(WRITTEN))


def count_identical(files: Iterable[Path], rows: int) -> int:
    """Count the rows that are identical to an earlier one."""
    found = list(files)
    if not found:
        return 0
    hashes = pl.scan_parquet(found)
    distinct: int = sum(
        bucket.select(pl.col("hash").n_unique()).collect(engine="streaming").item()
        for _, bucket in duplicates.buckets(hashes, "hash", duplicates.BUCKET_ROWS)
    )
    return rows - distinct
