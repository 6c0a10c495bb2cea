"""The figures that people judge a migration by, each a grouping of the facts of events.

Those of users and sessions are Amazon's own recipes for the key figures of Mobile Analytics, as it published them for
the time after the service: daily users are the clients with a session start on that day, new users those whose first one
it is, sessions are session starts, revenue is the sum over purchases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from translate.mapping.spec import Addition
from translate.telling.figures.facts import MICROS

MILLISECONDS = 1000
DAYS = (1, 7, 30)
WEEKS = (1, 2, 3)

Grouping = Callable[[pl.LazyFrame], pl.LazyFrame]


@dataclass(frozen=True)
class Measure:
    """One figure: what it is, which hub columns it is made of, and the grouping that gives `key` and `value`."""

    name: str
    about: str
    columns: tuple[str, ...]
    grouping: Grouping
    is_mean: bool = False  # where nobody was, there is none: no 0


def _starts(facts: pl.LazyFrame) -> pl.LazyFrame:
    return facts.filter("starts")


def _day() -> pl.Expr:
    return pl.col("day").dt.strftime("%Y-%m-%d")


def _month() -> pl.Expr:
    return pl.col("day").dt.strftime("%Y-%m")


def _counted(facts: pl.LazyFrame, key: pl.Expr) -> pl.LazyFrame:
    return facts.group_by(key=key).agg(value=pl.len().cast(pl.Float64))


def _distinct(facts: pl.LazyFrame, key: pl.Expr, who: str) -> pl.LazyFrame:
    return _counted(facts.filter(pl.col(who).is_not_null()).select(key=key, who=who).unique(), pl.col("key"))


def _new_users(facts: pl.LazyFrame) -> pl.LazyFrame:
    clients = _starts(facts).filter(pl.col("client").is_not_null()).group_by("client")
    return _counted(clients.agg(pl.col("day").min()), _day())


def _session_length(facts: pl.LazyFrame) -> pl.LazyFrame:
    mean = pl.col("length").sum() / pl.len() / MILLISECONDS
    return facts.filter(pl.col("length").is_not_null()).group_by(key=_day()).agg(value=mean.round(3))


def _revenue(facts: pl.LazyFrame) -> pl.LazyFrame:
    key = pl.concat_str(_day(), pl.lit(" "), pl.col("currency"))
    paid = facts.filter(pl.col("currency").is_not_null())
    return paid.group_by(key=key).agg(value=pl.col("amount").cast(pl.Int128).sum().cast(pl.Float64) / MICROS)


def _retention(facts: pl.LazyFrame) -> pl.LazyFrame:
    """Give the share of the clients that were new on a day, or in a week, and were there again so many later.

    A day's cohort is asked for the day exactly 1, 7 and 30 days later, a week's (from Monday) for the calendar weeks
    1 to 3 later. Cohorts whose time has not come within the archive are left out.
    """
    starts = _starts(facts).filter(pl.col("client").is_not_null()).select("client", "day").unique()
    first = starts.group_by("client").agg(first=pl.col("day").min())
    seen = starts.join(first, on="client")
    last = starts.select(last=pl.col("day").max())
    return pl.concat([
        *(_returned(seen, first, last, pl.col("first"), pl.col("day"), number, f"day {number}") for number in DAYS),
        *(_returned(seen, first, last, _monday("first"), _monday("day"), 7 * number, f"week {number}") for number in WEEKS),
    ])  # fmt: skip


def _monday(name: str) -> pl.Expr:
    return pl.col(name).dt.truncate("1w")


def _returned(
    seen: pl.LazyFrame, first: pl.LazyFrame, last: pl.LazyFrame, cohort: pl.Expr, day: pl.Expr, days: int, label: str,
) -> pl.LazyFrame:  # fmt: skip
    asked = pl.col("cohort") + pl.duration(days=days)
    size = first.group_by(cohort=cohort).agg(clients=pl.len())
    there = seen.select("client", cohort=cohort, day=day).filter(pl.col("day") == asked).unique()
    back = there.group_by("cohort").agg(back=pl.len())
    shares = size.join(back, on="cohort", how="left").join(last, how="cross").filter(asked <= pl.col("last"))
    share = (pl.col("back").fill_null(0) / pl.col("clients")).round(6)
    key = pl.concat_str(pl.col("cohort").dt.strftime("%Y-%m-%d"), pl.lit(f" {label}"))
    return shares.select(key=key, value=share)


CLIENTS = ("name", "time", "client_id")
PEOPLE = ("time", "user_id", "cognito_id", "client_id")
PERSON = "who did anything: distinct users, else Cognito identities, else clients"

MEASURES: tuple[Measure, ...] = (
    Measure("events", "events on a day of what the target's own reader takes for one type", ("name", "time"),
            lambda facts: _counted(facts, pl.concat_str(_day(), pl.lit(" "), pl.col("type")))),
    Measure("daily users", "distinct clients with a session start on a day", CLIENTS, lambda facts: _distinct(_starts(facts), _day(), "client")),
    Measure("monthly users", "distinct clients with a session start in a calendar month", CLIENTS,
            lambda facts: _distinct(_starts(facts), _month(), "client")),
    Measure("new users", "clients by the day of their first session start", CLIENTS, _new_users),
    Measure("daily people", f"{PERSON} on a day", PEOPLE, lambda facts: _distinct(facts, _day(), "person")),
    Measure("monthly people", f"{PERSON} in a calendar month", PEOPLE, lambda facts: _distinct(facts, _month(), "person")),
    Measure("sessions", "session starts on a day", ("name", "time"), lambda facts: _counted(_starts(facts), _day())),
    Measure("session length", "mean of the sessions that end on a day, in seconds",
            ("name", "time", "session.duration", "session.start", "session.stop"), _session_length, is_mean=True),
    Measure("revenue", "sum over the purchases of a day, per currency; virtual stores are no money",
            ("name", "time", "value", "price", "quantity", "currency", "store"), _revenue),
    Measure("retention", "share of the clients new on a day (in a week) that were there again so many days (weeks) later",
            CLIENTS, _retention, is_mean=True),
)  # fmt: skip


def _first_touches(given: pl.LazyFrame) -> pl.LazyFrame:
    touched = given.filter(pl.col("touched").is_not_null() & pl.col("client").is_not_null())
    return _counted(touched.group_by("client").agg(day=pl.col("touched").min()), _day())


def _duration(given: pl.LazyFrame) -> pl.LazyFrame:
    sessions = given.filter(pl.col("session").is_not_null()).group_by("day", "session")
    mean = pl.col("lasted").sum() / pl.len() / MILLISECONDS
    lasted = sessions.agg(pl.col("lasted").max()).drop_nulls("lasted")
    return lasted.group_by(key=_day()).agg(value=mean.round(3))


def _engagement(given: pl.LazyFrame) -> pl.LazyFrame:
    seconds = (pl.col("engaged").sum() / MILLISECONDS).round(3)
    return given.filter(pl.col("engaged").is_not_null()).group_by(key=_day()).agg(value=seconds)


def dashboard_measures(additions: Mapping[str, Addition]) -> tuple[Measure, ...]:
    """Give the figures of a target's dashboards that its rows alone tell."""
    known = {
        "first_open": (
            Measure("first touches", "clients by the day on which they were first seen, for new and returning users and retention",
                    ("client_id", "user_properties"), _first_touches),
        ),
        "engagement": (
            Measure("session duration", "mean of the longest length that a session's events tell on a day, in seconds",
                    ("time", "client_id", "session.id", "session.duration", "session.start", "session.stop"), _duration, is_mean=True),
            Measure("engagement time", "engagement on a day, in seconds", ("name", "time", "metrics"), _engagement),
        ),
    }  # fmt: skip
    return tuple(measure for name, own in known.items() if name in additions for measure in own)
