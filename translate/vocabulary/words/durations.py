"""A session's length: recorded, or measured from its start to its stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from translate import events
from translate.conversion.report import FILLED_IN, Finding
from translate.vocabulary.notation import has_four_digit_year, whole
from translate.vocabulary.word import Scalar, Written

OF_SESSION = (events.WHOLE, events.TIME, events.TIME)


def _measured(start: pl.Expr, stop: pl.Expr) -> pl.Expr:
    """Give the milliseconds between two times, unless they are so far apart that the difference would wrap around."""
    sane = has_four_digit_year(start) & has_four_digit_year(stop)
    return pl.when(sane).then((stop - start).dt.total_milliseconds())


def _recorded_or_measured(columns: Sequence[pl.Expr]) -> pl.Expr:
    duration, start, stop = columns
    return duration.fill_null(_measured(start, stop))


def _measured_or_recorded(columns: Sequence[pl.Expr]) -> pl.Expr:
    duration, start, stop = columns
    return _measured(start, stop).fill_null(duration)


def _disagrees(columns: Sequence[pl.Expr]) -> pl.Expr:
    duration, start, stop = columns
    return duration != _measured(start, stop)


def _supplements(written: Written) -> Iterator[Finding]:
    filled_in = pl.col(written.hub[0]).is_null() & written.value.is_not_null() & written.is_there
    yield Finding(FILLED_IN, f"{written.place} is stop minus start", filled_in, written.hub[0])


DURATION = Scalar(
    "duration", "a session's length: the recorded one, else stop minus start",
    types=OF_SESSION, columns=(3, 3), wire="whole", read=whole, write=_recorded_or_measured,
    example=((5, events.EPOCH, events.EPOCH), 5), supplements=_supplements, made_of_several=True,
)  # fmt: skip

EXACT_DURATION = Scalar(
    "exact_duration", "a session's length: stop minus start, else the recorded one",
    types=OF_SESSION, columns=(3, 3), wire="whole", read=whole, write=_measured_or_recorded,
    changed=_disagrees, why="disagreed with stop minus start",
    example=((5, events.EPOCH, events.EPOCH), 0), supplements=_supplements, made_of_several=True,
    in_figures="a length is stop minus start",
)  # fmt: skip
