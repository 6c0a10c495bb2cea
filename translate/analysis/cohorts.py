"""Users: how many there were in spans of time and how many came back, how long their sessions were, and what they paid."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from translate import events
from translate.errors import UsageError, suggest
from translate.vocabulary import money
from translate.wording.arguments import checked

Events = pl.LazyFrame | pl.DataFrame
Who = str | Sequence[str]
CLIENT = "client_id"
SEEN = "session.start"  # by which Mobile Analytics, and whoever follows it, counts users
PERIODS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
AFTER = {
    "day": (1, 7, 30),
    "week": (1, 2, 3, 4),
    "month": (1, 2, 3, 6, 12),
    "quarter": (1, 2, 3, 4),
    "year": (1, 2),
}

SPANS_MAX = 10**6

ANY = " (seen=None takes any event)"


def lazy(asked: Events, question: str, columns: Iterable[str]) -> pl.LazyFrame:
    """Give the frame of events; raise UsageError for one that lacks a column that is looked at."""
    frame = asked.lazy()
    known = frame.collect_schema().names()
    for name in columns:
        if name not in known:
            raise UsageError(f'{question}: events have no column "{name}"{_meant(name)}')
    return frame


def _meant(name: str) -> str:
    """Say what may have been meant by a column that is none; a key of a map becomes one by a call of polars."""
    if name in events.SCHEMA:
        return ", which a hub frame has"
    container, _, key = name.partition(".")
    near = suggest(name, events.SCHEMA)
    if not key and not near:
        container, key = "attributes", name
    if not key or not isinstance(events.SCHEMA.get(container), pl.Map):
        return near
    return f"; give it one: events.with_columns(pl.col({container!r}).map.get({key!r}).alias({name!r}))"


def named(columns: Who) -> list[str]:
    """Name the columns of those who count, or that are told apart."""
    return [columns] if isinstance(columns, str) else list(columns)


def warn_of_absent(name: str, frame: pl.LazyFrame, question: str, way_out: str = "") -> None:
    """Warn if no event has a name: a slip gives zeros, and these look like an answer."""
    names = frame.select(pl.col("name").drop_nulls().unique()).collect()["name"].to_list()
    if any(names) and name not in names:
        text = f'{question}: no event is called "{name}"{suggest(name, names)}{way_out}'
        warnings.warn(text, stacklevel=4)  # where the question was asked, which is `checked`


def person(who: Who) -> pl.Expr:
    """Give whoever did something: of several columns the first that is there; raise UsageError for no column."""
    if not named(who):
        raise UsageError(
            'who should be the name of a column, or a list of names, but names none; say who="client_id"'
        )
    return pl.coalesce(named(who))


def one_of(value: Any, name: str, question: str, known: Iterable[str]) -> str:
    """Give a word if it is known; raise UsageError."""
    words = list(known)
    if value not in words:
        near = suggest(value, words) if isinstance(value, str) else ""
        raise UsageError(f"{question}: no {name} {value!r}{near} (one of: {', '.join(words)})")
    return str(value)


def began(period: str) -> pl.Expr:
    """Give the first day of the span of time that an event lies in; weeks begin on Mondays, all of it in UTC."""
    return pl.col("time").dt.truncate(PERIODS[period]).dt.date()


def number_of(day: pl.Expr, period: str) -> pl.Expr:
    """Give the number of the span that begins on a day, so that the next one has the next number."""
    if period in MONTHS:
        months = day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1
        return months // MONTHS[period]
    days = day.to_physical().cast(pl.Int64)
    return (days + 3) // 7 if period == "week" else days  # 1970 began on a Thursday


@checked
def users(events: Events, *, period: str = "day", who: Who = CLIENT, seen: str | None = SEEN) -> pl.DataFrame:
    """Count users by day, week, month, quarter or year: `users`, and which of them were `new` and `returning`.

    A user is one with an event called `seen` (a session start; None: any event) in that time, and new where that is the
    first one of the frame. Spans without anybody have no row.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive")
    >>> translate.analysis.users(events, period="month").head(2).rows()
    [(datetime.date(2016, 4, 1), 39, 39, 0), (datetime.date(2016, 5, 1), 20, 17, 3)]
    """
    one_of(period, "period", "users", PERIODS)
    there = _there(events, "users", period, who, seen)
    there = there.with_columns(new=pl.col("began") == pl.col("began").min().over("who"))
    counted = there.group_by("began").agg(users=pl.len(), new=pl.col("new").sum())
    told = counted.select("began", "users", "new", returning=pl.col("users") - pl.col("new")).collect()
    if seen is not None and told.is_empty():
        warn_of_absent(seen, events.lazy(), "users", ANY)
    return told.sort("began").rename({"began": period})


@checked
def retention(
    events: Events,
    *,
    period: str = "day",
    after: int | Iterable[int] | None = None,
    who: Who = CLIENT,
    seen: str | None = SEEN,
) -> pl.DataFrame:
    """Tell of those who were new in a day (week, month ...) how many were there again so many later.

    Columns: `cohort` (the first day of its span), `size`, `after`, `back`, `share`. A span that lies after the last event
    has no row; of one without any event at all nothing is known, so that `back` and `share` are null there.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive")
    >>> translate.analysis.retention(events, period="quarter", after=[1]).head(1).rows()
    [(datetime.date(2016, 4, 1), 56, 1, 10, 0.17857142857142858)]
    """
    one_of(period, "period", "retention", PERIODS)
    number = number_of(pl.col("began"), period)
    there = _there(events, "retention", period, who, seen).with_columns(number=number)
    there = there.with_columns(
        first=pl.col("number").min().over("who"), cohort=pl.col("began").min().over("who")
    )
    met = there.select("cohort", "first", "number", "who").collect()
    if seen is not None and met.is_empty():
        warn_of_absent(seen, events.lazy(), "retention", ANY)
    days = lazy(events, "retention", ["time"]).select(began=began(period)).unique()
    known = days.select(number=number).collect()["number"]
    sizes = met.filter(pl.col("number") == pl.col("first")).group_by("cohort", "first").agg(size=pl.len())
    steps = pl.DataFrame({"after": _steps(after, period)}, schema={"after": pl.Int64})
    asked = sizes.join(steps, how="cross").with_columns(number=pl.col("first") + pl.col("after"))
    back = met.group_by("first", "number").agg(back=pl.len())
    told = asked.filter(pl.col("number") <= (known.max() if known.len() else 0)).join(
        back, on=["first", "number"], how="left"
    )
    is_known = pl.col("number").is_in(known.implode())
    told = told.with_columns(back=pl.when(is_known).then(pl.col("back").fill_null(0)))
    share = pl.col("back") / pl.col("size")
    return told.select("cohort", "size", "after", "back", share=share).sort("cohort", "after")


def _steps(after: int | Iterable[int] | None, period: str) -> list[int]:
    """Give after how many spans is asked, in order; raise UsageError for what is no number of any."""
    asked = AFTER[period] if after is None else [after] if isinstance(after, int) else [*after]
    if not all(isinstance(number, int) and 0 <= number <= SPANS_MAX for number in asked):
        raise UsageError(
            f"retention: after should be numbers of {period}s, such as [1, 7, 30], but is {after!r}"
        )
    return sorted(set(asked))


def _there(events: Events, question: str, period: str, who: Who, seen: str | None) -> pl.LazyFrame:
    """Give who was there in which span, once each."""
    frame = lazy(events, question, ["name", "time", *named(who)])
    if seen is not None:
        frame = frame.filter(pl.col("name") == seen)
    return frame.select(who=person(who), began=began(period)).drop_nulls().unique()


MILLISECONDS = 1000
SECONDS = (0, 10, 30, 60, 180, 600, 1800, 3600)  # from which on a length is told apart


@checked
def sessions(events: Events, *, who: Who = CLIENT) -> pl.DataFrame:
    """Give the sessions: whose (`client_id`, or `who`), `session`, `first` and `last` event, `events`, whether it `started` and `stopped`, and `seconds`.

    A session is what has one `session.id` of one client. `seconds` is the length that its events record, else stop minus
    start where they record both; of a session that nothing says the end of it is null: how long it was, nobody knows.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive")
    >>> told = translate.analysis.sessions(events)
    >>> told.height, told["seconds"].count()
    (417, 368)
    """
    needed = ["name", "time", "session.id", "session.start", "session.stop", "session.duration", *named(who)]
    frame = lazy(events, "sessions", needed).filter(pl.col("session.id").is_not_null())
    measured = (pl.col("session.stop") - pl.col("session.start")).dt.total_milliseconds()
    length = pl.coalesce("session.duration", measured)
    whose = who if isinstance(who, str) else "who"
    told = frame.group_by(person(who).alias(whose), session=pl.col("session.id")).agg(
        first=pl.col("time").min(),
        last=pl.col("time").max(),
        events=pl.len(),
        started=(pl.col("name") == "session.start").any(),
        stopped=((pl.col("name") == "session.stop") | pl.col("session.stop").is_not_null()).any(),
        seconds=length.max() / MILLISECONDS,
    )
    return told.sort("first", whose, "session", nulls_last=True).collect()


@checked
def lengths(events: Events, *, who: Who = CLIENT) -> pl.DataFrame:
    """Count sessions by how long they were: `at_least` so many seconds and `below` so many, `sessions`, `share`.

    Sessions of which nothing says how long they were are left out, as those that end before they begin.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive")
    >>> translate.analysis.lengths(events).filter(at_least=60).select("below", "sessions").rows()
    [(180, 120)]
    """
    told = by_length(sessions(events, who=who))
    return told if told["sessions"].sum() else told.clear()


def by_length(told: pl.DataFrame) -> pl.DataFrame:
    """Count sessions by their `seconds`, as `lengths` does: of some of them, so that others can be added."""
    seconds = pl.col("seconds")
    place = pl.sum_horizontal(seconds >= step for step in SECONDS).cast(pl.Int64) - 1
    counted = told.filter(seconds >= 0).group_by(place=place).agg(sessions=pl.len().cast(pl.Int64))
    steps = pl.DataFrame(
        {"place": range(len(SECONDS)), "at_least": SECONDS, "below": [*SECONDS[1:], None]},
        schema=dict.fromkeys(("place", "at_least", "below"), pl.Int64),
    )
    found = steps.join(counted, on="place", how="left", maintain_order="left").with_columns(
        pl.col("sessions").fill_null(0)
    )
    total = pl.col("sessions").sum()
    return found.select(
        "at_least", "below", "sessions", share=pl.when(total > 0).then(pl.col("sessions") / total)
    )


MICROS = 1_000_000  # so that sums do not depend on their order
PARTS = ("value", "price", "quantity", "currency", "store")


@checked
def revenue(
    events: Events, *, period: str | None = "day", by: str | Sequence[str] = (), who: Who = CLIENT
) -> pl.DataFrame:
    """Add up what purchases are worth: `purchases`, `payers` and `amount` of each `currency`, by day or any other period.

    `period=None` is the whole time; `by` names more columns to tell apart, such as `app.id`. What is no money is left out:
    virtual stores, purchases without a currency of ISO 4217, without a price or a quantity.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive")
    >>> translate.analysis.revenue(events, period=None).filter(currency="EUR").rows()
    [('EUR', 5, 5, 39.9)]
    """
    keys = named(by)
    if period is not None:
        one_of(period, "period", "revenue", PERIODS)
    frame = lazy(events, "revenue", ["name", "time", *PARTS, *named(who), *keys])
    told = frame.filter(pl.col("name") == money.PURCHASE).select(
        *([began(period).alias(period)] if period else []),
        *keys,
        _payer=person(who),
        _code=money.currency(*map(pl.col, ("currency", "store", "value", "price", "quantity"))),
        _amount=(money.amount(*map(pl.col, PARTS)) * MICROS).round().cast(pl.Int64, strict=False),
    )
    groups = [*([period] if period else []), *keys, "currency"]
    summed = (
        told.drop_nulls("_code")
        .rename({"_code": "currency"} if "currency" not in keys else {})
        .group_by(groups)
        .agg(
            purchases=pl.len(),
            payers=pl.col("_payer").drop_nulls().n_unique(),
            amount=pl.col("_amount").cast(pl.Int128).sum().cast(pl.Float64) / MICROS,
        )
    )
    return summed.sort(groups).collect()
