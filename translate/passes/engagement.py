"""How long a session lasted, and how much of that somebody was engaged: only what is recorded, or can be measured.

A session (of a client and an application) lasted as long as its stop says; else from its start to its stop, as their
columns or the times of these events say; else as long as any of its events says. Every event of it that says no
length, and has not both start and stop, gets this one.

Engaged is the length without the pauses that have a resume, each from the last pause before the resume. SDKs differ in
what they record: where the length is not stop minus start, it is taken as it is, for it knows of the pauses already.
One event of engagement goes before the session's stop, else before its last event; a session that has one gets none,
and without a length, or with one of nothing, none is made.
"""

from __future__ import annotations

import polars as pl

WHERE = ["unit", "row", "part"]


def found(here: pl.DataFrame) -> pl.DataFrame:
    """Say of a bucket's events which length their session has, and before which of them how much engagement goes."""
    in_sessions = here.filter(pl.col("session").is_not_null())
    sessions = _lengths(in_sessions).join(_paused(in_sessions), on="session", how="left")
    is_wall = pl.col("length").eq_missing(pl.col("wall"))
    engaged = pl.col("length") - pl.when(is_wall).then(pl.col("paused").fill_null(0)).otherwise(0)
    sessions = sessions.with_columns(_engaged=pl.when((engaged > 0) & ~pl.col("has_own")).then(engaged))
    last = (
        in_sessions.sort(pl.col("turn").eq_missing("stop"), "time", *WHERE)
        .group_by("session")
        .agg(pl.col(WHERE).last())
    )
    at_last = last.join(sessions.select("session", "_engaged"), on="session").select(*WHERE, "_engaged")
    says_length = pl.col("duration").is_not_null() | (
        pl.col("start").is_not_null() & pl.col("stop").is_not_null()
    )
    return (
        here.join(sessions.select("session", "length"), on="session", how="left", maintain_order="left")
        .join(at_last, on=WHERE, how="left", maintain_order="left")
        .with_columns(
            session_duration=pl.when(~says_length).then(pl.col("length")), engagement=pl.col("_engaged")
        )
        .drop("length", "_engaged")
    )


def _lengths(in_sessions: pl.DataFrame) -> pl.DataFrame:
    """Give each session's `begins` and `ends`, its `length`, and `wall`: stop minus start."""
    turn, duration = pl.col("turn"), pl.col("duration").filter(pl.col("duration") >= 0)
    is_stop = turn.eq_missing("stop")
    sessions = in_sessions.group_by("session").agg(
        begins=pl.coalesce(pl.col("start").min(), pl.col("time").filter(turn == "start").min()),
        ends=pl.coalesce(pl.col("stop").max(), pl.col("time").filter(is_stop).max()),
        recorded=pl.col("duration").filter(is_stop & (pl.col("duration") >= 0)).max(),
        elsewhere=duration.max(),
        has_own=pl.col("is_engagement").any(),
    )
    wall = (pl.col("ends") - pl.col("begins")).dt.total_milliseconds()
    sessions = sessions.with_columns(wall=pl.when(wall >= 0).then(wall))
    return sessions.with_columns(length=pl.coalesce("recorded", "wall", "elsewhere"))


def _paused(in_sessions: pl.DataFrame) -> pl.DataFrame:
    """Give the milliseconds for which each session was paused, up to a resume."""
    turns = in_sessions.filter(pl.col("turn").is_in(["pause", "resume"])).sort(
        "session", "time", "turn", *WHERE
    )
    before = {
        "_turn": pl.col("turn").shift(1).over("session"),
        "_since": pl.col("time").shift(1).over("session"),
    }
    ended = turns.with_columns(**before).filter((pl.col("turn") == "resume") & (pl.col("_turn") == "pause"))
    return ended.group_by("session").agg(
        paused=(pl.col("time") - pl.col("_since")).dt.total_milliseconds().sum()
    )
