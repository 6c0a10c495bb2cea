"""Figures over time: users and who came back, sessions, revenue, and how the page draws these, events and missing days.

They are worked out by the functions that notebooks have, of so many persons at a time as fit in memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import polars as pl

from translate import analysis
from translate.analysis.cohorts import by_length
from translate.telling import charts
from translate.telling.inspection.figures import HOURS_OF_A_DAY, MILLIONTHS, Figures
from translate.telling.inspection.tables import no_money, percent
from translate.telling.pages import Markup, chart, element, heat, joined, legend, paragraph, share, table
from translate.wording.rendering import many

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
    nobody = pl.DataFrame({"day": days}, schema={"day": pl.Int64})
    nobody = nobody.select(client_id=pl.lit(None, pl.UInt64), name=pl.lit("", pl.String), time=time)
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
    seconds = pl.col("length") / 1000
    parts = [by_length(bucket.select(seconds=seconds)) for bucket in figures.sessions.buckets()]
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


# -- on the page ----------------------------------------------------------------------------------------------------

GAPS_MAX = 200
COHORTS_SHOWN_MAX = 40
CURRENCIES_MAX = 8


def part(count: int, total: int) -> Markup:
    """Write a share as a bar with its figure."""
    return share(count / total, percent(count / total))


def events(values: dict[str, Any]) -> Iterator[Markup]:
    """Draw events by day, and name the days without any."""
    days = [(entry["day"], entry["events"]) for entry in values["days"]]
    if not days:
        return
    unit = charts.unit_of(days)
    yield chart(charts.by_time(days), f"Events by {unit}, in UTC.", table(
        "Events by day", ("day", "events"), days, [1], is_told=False))  # fmt: skip
    missing = values["missing_days"]
    if not missing["days"]:
        yield paragraph(f"There are events on each of the {many(missing['of'], 'day')}.")
        return
    gaps = [(gap["first"], gap["last"], gap["days"]) for gap in missing["gaps"][:GAPS_MAX]]
    told = f"{missing['days']:,} of {missing['of']:,} days have no event, in {many(len(missing['gaps']), 'gap')}; the longest: {gaps[0][0]} to {gaps[0][1]}."
    listed = table("Days without events", ("from", "to", "days"), gaps, [2], is_told=False)
    yield element("h3", "Missing days")
    yield chart(
        charts.strip([day for day, _ in days]), joined([told, legend({"": "events", "gap": "none"})]), listed
    )


def users(found: dict[str, Any]) -> Iterator[Markup]:
    """Draw users by month and by day, and how many of them came back."""
    if not found["daily"]:
        return
    counted = "starts a session" if found["seen"] else "has an event"
    yield paragraph(f"A user is a client that {counted}; new where that is its first day in the archive.", quiet=True)  # fmt: skip
    months = [(row["month"][:7], row["users"], row["new"], row["returning"]) for row in found["monthly"]]
    shown = [charts.Pillar(dt.date.fromisoformat(row["month"]), row["users"], row["new"]) for row in found["monthly"]]  # fmt: skip
    key = legend({"second": "new", "": "seen before"})
    yield element("h3", "Monthly users")
    head = ("users", "new", "returning")
    yield chart(charts.bars("month", charts.filled(shown, "month"), "users", "of them new"), joined(["Users by month:", key]),
                table("Monthly users", ("month", *head), months, [1, 2, 3], is_told=False))  # fmt: skip
    yield element("h3", "Daily users")
    days = [(row["day"], row["users"], row["new"], row["returning"]) for row in found["daily"]]
    pillars = [charts.Pillar(dt.date.fromisoformat(day), *counts[:2]) for day, *counts in days]
    unit, drawn = charts.means(pillars)
    told = "Users by day:" if unit == "day" else f"Users of a day, the mean of each {unit}'s days with any:"
    yield chart(charts.bars(unit, drawn, "daily users", "of them new"), joined([told, key]),
                table("Daily users", ("day", *head), days, [1, 2, 3], is_told=False))  # fmt: skip
    yield from _retention(found["retention"])


def _retention(found: dict[str, Any]) -> Iterator[Markup]:
    cohorts, period = found["cohorts"][:COHORTS_SHOWN_MAX], found["period"]
    longest = max((len(cohort["back"]) for cohort in cohorts), default=0)
    if not longest:
        return
    yield element("h3", "Retention")
    yield paragraph(
        f"Of the users that were new in a {period}, how many were there again so many {period}s later; an empty field: not yet, or no event of that {period} is known.",
        quiet=True,
    )
    rows = [
        ((cohort["cohort"][: 10 if period in ("day", "week") else 7], cohort["size"]), [None if back is None else back / cohort["size"] for back in cohort["back"]] + [None] * (longest - len(cohort["back"])))
        for cohort in cohorts
    ]  # fmt: skip
    head = (f"{period} from", "users", *(f"+{number}" for number in range(1, longest + 1)))
    yield heat(f"Retention by {period}", head, rows)
    left = len(found["cohorts"]) - COHORTS_SHOWN_MAX
    if left > 0:
        yield paragraph(f"and {left:,} later ones in the JSON", quiet=True)


def sessions(values: dict[str, Any]) -> Iterator[Markup]:
    """Tell how many sessions there are, and how long they are."""
    counted, lengths = values["people"]["sessions"], values["session_lengths"]
    if not counted["different"]:
        return
    known = sum(row["sessions"] for row in lengths)
    told = f"{many(counted['different'], 'session')}, of which {counted['started']:,} have their start"
    yield paragraph(f"{told}, and {counted['stopped']:,} their end; of {known:,} the length is known.")
    if lengths:
        rows = [
            (_span(row["at_least"], row["below"]), row["sessions"], part(row["sessions"], known)) for row in lengths
        ]  # fmt: skip
        yield table("How long sessions are", ("length", "sessions", "share"), rows, [1])


def _span(at_least: int, below: int | None) -> str:
    unit, length = ("seconds", 1) if at_least < 60 else ("minutes", 60)
    begin = at_least // length
    if below is None:
        return f"{begin} {unit} and longer"
    return f"{begin} to {below // length} {unit}" if at_least else f"under {below} {unit}"


def revenue(purchases: dict[str, Any]) -> Iterator[Markup]:
    """Tell what was bought, by currency and by month."""
    if not purchases["events"]:
        return
    rows = [
        (row["currency"] or "(none)", row["purchases"], f"{row['amount']:,.2f}", no_money(row))
        for row in purchases["revenue"]
    ]
    yield table("Purchases by currency", ("currency", "purchases", "amount", "to know"), rows, [1, 2])
    yield from _by_month(purchases["by_month"])


def _by_month(rows: list[dict[str, Any]]) -> Iterator[Markup]:
    """Write a column for each currency, if there is room for them."""
    currencies = list(dict.fromkeys(row["currency"] for row in rows))
    if not rows:
        return
    if len(currencies) > CURRENCIES_MAX:
        cells = [(row["month"], row["currency"], row["purchases"], f"{row['amount']:,.2f}") for row in rows]
        yield table("Revenue by month", ("month", "currency", "purchases", "amount"), cells, [2, 3])
        return
    months: dict[str, dict[str, float]] = {}
    for row in rows:
        months.setdefault(row["month"], {})[row["currency"]] = row["amount"]
    told = [
        (month, *(f"{sums[code]:,.2f}" if code in sums else "" for code in currencies)) for month, sums in months.items()
    ]  # fmt: skip
    yield table("Revenue by month", ("month", *currencies), told, range(1, len(currencies) + 1))
