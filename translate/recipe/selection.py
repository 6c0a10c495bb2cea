"""Which events a run takes: by an expression, by time, by number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from translate.recipe import erasure, tallies
from translate.recipe.erasure import Erasing, Erasure
from translate.recipe.expressions import NOTHING_MOVED, Condition, Moved, evaluate
from translate.recipe.tallies import DESELECTED

OPTIONS = (erasure.OPTION, "--where", "--since", "--until")

ROWS_MAX = 2**32 - 1  # no frame of the engine has more


@dataclass(frozen=True)
class Selection:
    """What `--where`, `--since`, `--until`, `--limit` and `--erase` say."""

    where: Condition | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    limit: int | None = None
    erase: Erasure | None = None

    def described(self) -> dict[str, Any]:
        """Give the selection as JSON values."""
        return {
            "where": self.where.sql if self.where else None,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "limit": self.limit,
            **({"erase": self.erase.described()} if self.erase else {}),
        }

    def apply(
        self, frame: pl.LazyFrame, moved: Mapping[str, Moved] = NOTHING_MOVED, *, tallied: bool = False,
        erasing: Erasing | None = None,
    ) -> pl.LazyFrame:  # fmt: skip
        """Tell in a column `_deselected` which option leaves an event out; cut the frame where the limit is reached.

        `moved` are the keys that the source's reader put into columns; with `tallied` a flag for each count of
        `translate.recipe.tallies` stands beside.
        """
        reasons = [pl.lit(None, pl.String)]
        if erasing:
            reasons.append(pl.when(erasing.is_listed()).then(pl.lit(erasure.OPTION)))
        time = pl.col("time")
        if self.since:
            reasons.append(pl.when(time < self.since).then(pl.lit("--since")))
        if self.until:
            reasons.append(pl.when(time >= self.until).then(pl.lit("--until")))
        if self.where:
            where, read = self.where.expression, pl.col("code").is_null()
            flags = tallies.of_condition(tallies.WHERE, where, read, where.columns) if tallied else {}
            frame = evaluate(frame, where.columns, {"_wanted": where.expr, **flags}, moved)
            reasons.append(pl.when(~pl.col("_wanted").fill_null(value=False)).then(pl.lit("--where")))
        deselected = pl.when(pl.col("code").is_null()).then(pl.coalesce(reasons)).alias(DESELECTED)
        frame = frame.with_columns(deselected).drop("_wanted", strict=False)
        if self.limit is None:
            return frame
        limit = min(self.limit, ROWS_MAX)
        if len(reasons) == 1:
            return frame.head(limit)
        taken = pl.col(DESELECTED).is_null().cast(pl.UInt32)
        return frame.filter(taken.cum_sum() - taken < limit)  # what comes after is not read


def selected(
    selection: Selection | None, frame: pl.LazyFrame, moved: Mapping[str, Moved], *, taken: int = 0,
    tallied: bool = False, erasing: Erasing | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """Tell which events a selection takes that took so many before; no selection takes all."""
    if selection is None:
        return frame.with_columns(pl.lit(None, pl.String).alias(DESELECTED))
    if selection.limit is not None:
        selection = replace(selection, limit=selection.limit - taken)
    return selection.apply(frame, moved, tallied=tallied, erasing=erasing)


def is_taken() -> pl.Expr:
    """Tell events that can be read and that the selection takes."""
    return pl.col("code").is_null() & pl.col(DESELECTED).is_null()
