"""Sessions, a row each: whose, when, how long, and how much happened in them."""

from __future__ import annotations

import polars as pl

from translate.analysis.frames import CLIENT, Events, Who, lazy, named, person

MILLISECONDS = 1000


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
