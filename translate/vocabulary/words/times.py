"""Times, in each unit that a model spells them in, and the length of a session between two of them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence

import polars as pl

from translate import events
from translate.engine.texts import instants, spelled
from translate.vocabulary.notation import MILLISECONDS, has_four_digit_year, whole
from translate.vocabulary.notes import FILLED_IN, Finding
from translate.vocabulary.times import milliseconds_of_either
from translate.vocabulary.word import Scalar, Written


def from_milliseconds(text: pl.Expr) -> pl.Expr:
    """Read whole milliseconds since 1970."""
    return whole(text).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def _from_seconds(text: pl.Expr) -> pl.Expr:
    """Read seconds and their fraction; what is finer than a millisecond is floored."""
    return instants(text, _seconds_by_expressions, in_seconds=True)


def _seconds_by_expressions(text: pl.Expr) -> pl.Expr:
    text = text.cast(pl.String)
    microseconds = (text.cast(pl.Float64, strict=False) * 1_000_000).round()
    with_fraction = (microseconds / MILLISECONDS).floor().cast(pl.Int64, strict=False)
    without = whole(pl.concat_str(text, pl.lit("000")))
    milliseconds = pl.when(text.str.contains(".", literal=True)).then(with_fraction).otherwise(without)
    return milliseconds.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def _in_seconds(time: pl.Expr) -> pl.Expr:
    """Write a time as seconds since 1970, with a fraction where there are milliseconds."""
    milliseconds = time.dt.timestamp("ms")
    whole, rest = milliseconds.floordiv(1000), milliseconds.mod(1000)
    below, nothing = (milliseconds < 0) & (rest != 0), pl.lit("")
    sign = pl.when(below).then(pl.lit("-")).otherwise(nothing)
    shown = pl.when(below).then((whole + 1).abs()).otherwise(whole).cast(pl.String)
    digits = pl.when(below).then(1000 - rest).otherwise(rest).cast(pl.String).str.zfill(3)
    fraction = pl.concat_str(pl.lit("."), digits.str.strip_chars_end("0"))
    return pl.concat_str(sign, shown, pl.when(rest == 0).then(nothing).otherwise(fraction))


def _from_iso8601(text: pl.Expr) -> pl.Expr:
    """Read ISO 8601 in its usual form, in UTC; the reader of times has brought the others into it."""
    return instants(text, _iso8601_by_expressions)


def _iso8601_by_expressions(text: pl.Expr) -> pl.Expr:
    """Read them by polars.

    With three digits of a fraction, as most are written, each character has its place, and polars is many times as fast.
    """
    placed = text.str.strptime(pl.Datetime("ms"), "%Y-%m-%dT%H:%M:%S.%3fZ", strict=False, cache=False)
    others = pl.when(placed.is_null()).then(text)
    found = others.str.strptime(pl.Datetime("us"), "%Y-%m-%dT%H:%M:%S%.fZ", strict=False)
    return pl.coalesce(placed, found.dt.cast_time_unit("ms")).dt.replace_time_zone("UTC")


def _iso8601(columns: Sequence[pl.Expr]) -> pl.Expr:
    time = pl.when(has_four_digit_year(columns[0])).then(columns[0])
    return spelled(time, lambda time: time.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))


def _clock_of_iso8601(text: str) -> int:
    time = dt.datetime.fromisoformat(text)
    time = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    return (time - events.EPOCH) // dt.timedelta(milliseconds=1)


EPOCH_MS = Scalar(
    "epoch_ms", "milliseconds since 1970",
    types=(events.TIME,), wire="whole", unit="milliseconds",
    read=from_milliseconds, write=lambda columns: columns[0].dt.timestamp("ms"), clock=int,
    example=((events.EPOCH,), 0), as_its_column=True,
)  # fmt: skip

EPOCH_MS_TEXT = Scalar(
    "epoch_ms_text", "milliseconds since 1970, as text",
    types=(events.TIME,), wire="text", unit="milliseconds",
    read=from_milliseconds, write=lambda columns: columns[0].dt.timestamp("ms").cast(pl.String), clock=int,
    example=((events.EPOCH,), "0"),
)  # fmt: skip

EPOCH_MS_OR_S = Scalar(
    "epoch_ms_or_s", "milliseconds since 1970; read, too, where they are seconds, which their size tells",
    types=(events.TIME,), wire="whole", unit="seconds_or_milliseconds",
    read=from_milliseconds, write=lambda columns: columns[0].dt.timestamp("ms"), clock=milliseconds_of_either,
    example=((events.EPOCH,), 0), as_its_column=True,
)  # fmt: skip

EPOCH_S = Scalar(
    "epoch_s", "seconds since 1970, milliseconds floored",
    types=(events.TIME,), wire="whole", unit="seconds",
    read=_from_seconds, write=lambda columns: columns[0].dt.timestamp("ms").floordiv(MILLISECONDS),
    clock=lambda seconds: int(seconds) * MILLISECONDS,
    changed=lambda columns: columns[0].dt.millisecond() != 0, why="milliseconds floored",
    example=((events.EPOCH,), 0), whole_seconds=True, in_figures="milliseconds floored",
)  # fmt: skip

EPOCH_S_EXACT = Scalar(
    "epoch_s_exact", "seconds since 1970 with a fraction",
    types=(events.TIME,), wire="number", unit="seconds_or_iso8601",
    read=_from_seconds, write=lambda columns: _in_seconds(columns[0]),
    clock=lambda seconds: math.floor(round(float(seconds) * 1_000_000) / MILLISECONDS),
    example=((events.EPOCH,), "0"),
)  # fmt: skip

ISO8601 = Scalar(
    "iso8601", "ISO 8601 text, read in all its forms, written in UTC with milliseconds",
    types=(events.TIME,), wire="text", unit="iso8601",
    read=_from_iso8601, write=_iso8601, clock=_clock_of_iso8601,
    changed=lambda columns: ~has_four_digit_year(columns[0]), why="left out: its year has no four digits",
    example=((events.EPOCH,), "1970-01-01T00:00:00.000Z"),
)  # fmt: skip


OF_SESSION = (events.WHOLE, events.TIME, events.TIME)


def _measured(start: pl.Expr, stop: pl.Expr) -> pl.Expr:
    """Give the milliseconds between two times, unless they are so far apart that the difference would wrap around."""
    sane = has_four_digit_year(start) & has_four_digit_year(stop)
    return pl.when(sane).then((stop - start).dt.total_milliseconds())


def _supplements(written: Written) -> Iterator[Finding]:
    filled_in = pl.col(written.hub[0]).is_null() & written.value.is_not_null() & written.is_there
    yield Finding(FILLED_IN, f"{written.place} is stop minus start", filled_in, written.hub[0])


DURATION = Scalar(
    "duration", "a session's length: the recorded one, else stop minus start",
    types=OF_SESSION, columns=(3, 3), wire="whole", read=whole,
    write=lambda columns: columns[0].fill_null(_measured(*columns[1:])),
    example=((5, events.EPOCH, events.EPOCH), 5), supplements=_supplements, made_of_several=True,
)  # fmt: skip

EXACT_DURATION = Scalar(
    "exact_duration", "a session's length: stop minus start, else the recorded one",
    types=OF_SESSION, columns=(3, 3), wire="whole", read=whole,
    write=lambda columns: _measured(*columns[1:]).fill_null(columns[0]),
    changed=lambda columns: columns[0] != _measured(*columns[1:]), why="disagreed with stop minus start",
    example=((5, events.EPOCH, events.EPOCH), 0), supplements=_supplements, made_of_several=True,
    in_figures="a length is stop minus start",
)  # fmt: skip
