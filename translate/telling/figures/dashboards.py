"""What a target's dashboards make of its rows, where its data sheet says by what they count (`additions`)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from translate.mapping.spec import Addition
from translate.telling.figures.measures import MILLISECONDS, Measure


def _first_touches(given: pl.LazyFrame) -> pl.LazyFrame:
    clients = (
        given.filter(pl.col("touched").is_not_null() & pl.col("client").is_not_null())
        .group_by("client")
        .agg(day=pl.col("touched").min())
    )
    return clients.group_by(key=pl.col("day").dt.strftime("%Y-%m-%d")).agg(value=pl.len().cast(pl.Float64))


def _duration(given: pl.LazyFrame) -> pl.LazyFrame:
    told = (
        given.filter(pl.col("session").is_not_null())
        .group_by("day", "session")
        .agg(pl.col("lasted").max())
        .drop_nulls("lasted")
    )
    mean = pl.col("lasted").sum() / pl.len() / MILLISECONDS
    return told.group_by(key=pl.col("day").dt.strftime("%Y-%m-%d")).agg(value=mean.round(3))


def _engagement(given: pl.LazyFrame) -> pl.LazyFrame:
    told = given.filter(pl.col("engaged").is_not_null())
    return told.group_by(key=pl.col("day").dt.strftime("%Y-%m-%d")).agg(
        value=(pl.col("engaged").sum() / MILLISECONDS).round(3)
    )


def measures(additions: Mapping[str, Addition]) -> tuple[Measure, ...]:
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
