"""Questions that analysts ask of events, each a function over a hub frame that gives a frame: `funnel`, `retention`, `sessions`, `lengths`, `revenue`, `users`.

They take what `translate.scan` gives, whole or filtered, lazy or collected, and look at the columns that they need only. Who
counts is the client unless `who` names another column, or several, of which the first that is there counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from translate.analysis.cohorts import (
    CLIENT,
    Events,
    Who,
    lazy,
    lengths,
    named,
    person,
    retention,
    revenue,
    sessions,
    users,
    warn_of_absent,
)
from translate.errors import UsageError
from translate.wording.arguments import checked

__all__ = ["funnel", "lengths", "retention", "revenue", "sessions", "users"]
Step = str | pl.Expr


def __dir__() -> list[str]:
    return [*__all__]


@checked
def funnel(
    events: Events,
    steps: Sequence[Step] | Mapping[str, Step],
    *,
    who: Who = CLIENT,
    within: dt.timedelta | str | None = None,
) -> pl.DataFrame:
    """Count who came to each step, having taken all the steps before it, each at or after the one before.

    A step is the name of an event, or a condition of polars on its columns; a dict gives steps names of their own. With
    `within`, a timedelta or a text of polars such as `1h` or `7d`, all of it has to happen in that time from the first step
    on. A name that no event has is warned of. Columns: `step`, `users`, `rate` (of those of
    the step before), `share` (of those of the first) and `median_seconds` since the step before.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive")
    >>> translate.analysis.funnel(events, ["Product View", "Add To Cart", "purchase"]).select("step", "users").rows()
    [('Product View', 76), ('Add To Cart', 45), ('purchase', 15)]
    """
    named_steps = _named(steps)
    _check_within(within)
    conditions = [pl.col("name") == step if isinstance(step, str) else step for step in named_steps.values()]
    looked_at = {name for condition in conditions for name in condition.meta.root_names()}
    frame = lazy(events, "funnel", ["time", *named(who), *sorted(looked_at)])
    flags = {f"_{number}": condition for number, condition in enumerate(conditions)}
    taken = frame.select(who=person(who), time="time", **flags).filter(
        pl.col("who").is_not_null() & pl.any_horizontal(pl.col(name) for name in flags)
    )
    rows = taken.sort("time").collect()
    for flag, step in zip(flags, named_steps.values(), strict=True):
        if isinstance(step, str) and not rows[flag].any():
            warn_of_absent(step, events.lazy(), "funnel")
    chains = rows.filter("_0").select("who", begun="time", at="time")
    told = []
    for number, name in enumerate(named_steps):
        waited = None
        if number:
            repeats = named_steps[name] is list(named_steps.values())[number - 1]
            came = rows.filter(f"_{number}").select("who", came="time")
            chains = _next(chains, came, within, repeats=repeats)
            waited = _waited(chains)
            chains = chains.drop("before")
        told.append((name, chains["who"].n_unique(), waited))
    return _rates(told)


def _named(steps: Sequence[Step] | Mapping[str, Step]) -> dict[str, Step]:
    """Give the steps by their names; raise UsageError for what are none."""
    if isinstance(steps, Mapping):
        named_steps = dict(steps)
    elif isinstance(steps, Sequence) and not isinstance(steps, str):
        names = [
            step if isinstance(step, str) else f"step {number}" for number, step in enumerate(steps, start=1)
        ]
        told = [
            f"{name} ({names[:place].count(name) + 1})" if name in names[:place] else name
            for place, name in enumerate(names)
        ]
        named_steps = dict(zip(told, steps, strict=True))
    else:
        named_steps = {}
    if not named_steps or not all(isinstance(step, str | pl.Expr) for step in named_steps.values()):
        raise UsageError(
            "funnel: steps should be a list of names of events, or of conditions of polars, or a dict of these"
        )
    return named_steps


def _check_within(within: Any) -> None:
    """Raise UsageError for what is no length of time."""
    try:
        if within is not None:
            pl.select(_later(pl.lit(dt.datetime(2000, 1, 1, tzinfo=dt.UTC)), within))
    except (TypeError, pl.exceptions.PolarsError):
        raise UsageError(
            f'funnel: within should be a timedelta, or text such as "1h" or "7d", but is {within!r}'
        ) from None


def _later(time: pl.Expr, length: dt.timedelta | str) -> pl.Expr:
    return time + length if isinstance(length, dt.timedelta) else time.dt.offset_by(length)


def _next(
    chains: pl.DataFrame, taken: pl.DataFrame, within: dt.timedelta | str | None, *, repeats: bool
) -> pl.DataFrame:
    """Let each beginning go on to the next event of a step; of two steps that are one, the same event is not both."""
    on = chains.sort("at").join_asof(
        taken.sort("came"), left_on="at", right_on="came", by="who", strategy="forward",
        allow_exact_matches=not repeats, check_sortedness=False, coalesce=False,
    )  # fmt: skip
    on = on.drop_nulls("came")
    if within is not None:
        on = on.filter(pl.col("came") <= _later(pl.col("begun"), within))
    return on.select("who", "begun", before="at", at="came")


def _waited(chains: pl.DataFrame) -> float | None:
    """Give the median of the seconds since the step before, by the earliest way of each."""
    first = chains.sort("begun").unique("who", keep="first", maintain_order=True)
    median = (first["at"] - first["before"]).dt.total_milliseconds().median()
    return None if median is None else float(str(median)) / 1000


def _rates(told: list[tuple[str, int, float | None]]) -> pl.DataFrame:
    schema = {"step": pl.String, "users": pl.UInt32, "median_seconds": pl.Float64}
    frame = pl.DataFrame(told, schema=schema, orient="row")
    users, before = pl.col("users"), pl.col("users").shift(1)
    rate = pl.when(before > 0).then(users / before)
    share = pl.when(users.first() > 0).then(users / users.first())
    return frame.select("step", "users", rate=rate, share=share, median_seconds="median_seconds")
