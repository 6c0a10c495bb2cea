"""Users, sessions and revenue over time, by the functions that notebooks have: of so many persons at a time as fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from translate import analysis
from translate.analysis.cohorts import by_length
from translate.telling.inspection.figures import HOURS_OF_A_DAY, MILLIONTHS, Figures

START, MS_OF_A_DAY = "session.start", 86_400_000
COHORTS_MAX = 15  # the shortest period that gives no more of them
DAYS_OF = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
AFTER_MAX = 12
PRESENT_ROWS = 500_000  # looked at together: grouping takes several times what they do


def users_of(figures: Figures) -> dict[str, Any]:
    """Give users by day and by month, and which of them came back; a user is a client, where the archive names clients.

    As for Mobile Analytics, one counts who starts a session; where none starts, who does anything.
    """
    days = sorted({hour // HOURS_OF_A_DAY for hour in figures.hours})
    seen = START if figures.counts["starts"] else None
    period = _period(days)
    daily, monthly, retention = [], [], []
    for part in _parts(figures, days):
        daily.append(analysis.users(part, seen=seen))
        monthly.append(analysis.users(part, period="month", seen=seen))
        retention.append(analysis.retention(part, period=period, after=range(1, AFTER_MAX + 1), seen=seen))
    return {
        "seen": seen,
        "daily": _added(daily, "day"),
        "monthly": _added(monthly, "month"),
        "retention": {"period": period, "cohorts": list(_cohorts(retention))},
    }


def _parts(figures: Figures, days: list[int]) -> Iterator[pl.DataFrame]:
    """Give what each person did on which day, as events; those of nobody say on which days there were any."""
    time = (pl.col("day").cast(pl.Int64) * MS_OF_A_DAY).cast(pl.Datetime("ms", "UTC"))
    nobody = pl.DataFrame({"day": days}, schema={"day": pl.Int64}).select(
        client_id=pl.lit(None, pl.UInt64), name=pl.lit("", pl.String), time=time
    )
    for bucket in figures.presence.buckets(PRESENT_ROWS):
        name = pl.when("started").then(pl.lit(START)).otherwise(pl.lit(""))
        yield pl.concat([bucket.select(client_id="a", name=name, time=time), nobody])


def _period(days: list[int]) -> str:
    span = days[-1] - days[0] + 1 if days else 1
    return next((name for name, length in DAYS_OF.items() if span <= length * COHORTS_MAX), "year")


def _added(parts: list[pl.DataFrame], key: str) -> list[dict[str, Any]]:
    """Add up what was counted of different persons."""
    if not parts:
        return []
    sums = pl.concat(parts).group_by(key).agg(pl.exclude(key).sum()).sort(key)
    return sums.with_columns(pl.col(key).cast(pl.String)).to_dicts()


def _cohorts(parts: list[pl.DataFrame]) -> Iterator[dict[str, Any]]:
    """Give each cohort: its `size`, and how many were `back` after one period, after two ...; null where nothing is known."""
    if not parts:
        return
    is_known = pl.col("back").null_count() == 0
    sums = pl.concat(parts).group_by("cohort", "after").agg(pl.col("size").sum(), back=pl.when(is_known).then(pl.col("back").sum()))  # fmt: skip
    for (cohort,), mine in sums.sort("cohort", "after").group_by("cohort", maintain_order=True):
        yield {"cohort": str(cohort), "size": mine["size"][0], "back": mine["back"].to_list()}


def lengths_of(figures: Figures) -> list[dict[str, Any]]:
    """Give how long sessions were: `at_least`, `below` (seconds), `sessions`."""
    parts = [
        by_length(bucket.select(seconds=pl.col("length") / 1000)) for bucket in figures.sessions.buckets()
    ]
    if not parts:
        return []
    sums = pl.concat(parts).group_by("at_least", "below", maintain_order=True).agg(pl.col("sessions").sum())
    return sums.to_dicts() if sums["sessions"].sum() else []


def revenue_by_month(figures: Figures) -> list[dict[str, Any]]:
    """Give what was taken in each month, by currency."""
    sums: dict[tuple[str, str], list[int]] = {}
    for (day, currency), (purchases, millionths) in figures.takings.items():
        month = sums.setdefault((f"{day:%Y-%m}", currency), [0, 0])
        month[0] += purchases
        month[1] += millionths
    return [
        {"month": month, "currency": currency, "purchases": purchases, "amount": millionths / MILLIONTHS}
        for (month, currency), (purchases, millionths) in sorted(sums.items())
    ]
