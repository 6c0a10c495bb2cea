"""Sessions, a row each: whose, when, how long, and how much happened in them."""

from __future__ import annotations

import polars as pl

from translate.analysis.frames import CLIENT, Events, Who, lazy, named, person

MILLISECONDS = 1000
SECONDS = (0, 10, 30, 60, 180, 600, 1800, 3600)  # from which on a length is told apart


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
