"""Events that were read before damage showed: no checksum vouches for them, and the report counts them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from translate.conversion.report import Finding
from translate.reader.reader import Damage

MAY_BE_ALTERED = "events that precede damage in the same part of a compressed file: no checksum vouches for them, they may be altered"


def findings(damage: Mapping[int, Damage]) -> list[Finding]:
    """Give the finding that counts the events of doubtful lines, of a unit with such lines."""
    spans = sorted((row - found.doubtful, row) for row, found in damage.items() if found.doubtful)
    if not spans:
        return []
    starts, ends = (pl.Series(bounds, dtype=pl.Int64) for bounds in zip(*spans, strict=True))

    def is_doubtful(rows: pl.Series) -> pl.Series:
        index = ends.search_sorted(rows.cast(pl.Int64), side="right")
        return (index < len(ends)) & (
            starts.gather(index.clip(upper_bound=len(ends) - 1)) <= rows.cast(pl.Int64)
        )

    events = pl.col("row").map_batches(is_doubtful, return_dtype=pl.Boolean, is_elementwise=True)
    return [Finding("may_be_altered", MAY_BE_ALTERED, events)]
