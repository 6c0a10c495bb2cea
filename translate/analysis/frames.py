"""What all questions have in common: the frame that is asked, who counts, and the spans of time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from translate import events
from translate.errors import UsageError, suggest

Events = pl.LazyFrame | pl.DataFrame
Who = str | Sequence[str]
CLIENT = "client_id"
SEEN = "session.start"  # by which Mobile Analytics, and whoever follows it, counts users
PERIODS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


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
        warnings.warn(f'{question}: no event is called "{name}"{suggest(name, names)}{way_out}', stacklevel=3)


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
