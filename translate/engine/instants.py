"""Times as texts by the kernel, read and written: those in a usual form; of what is left the expressions say what they are."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from translate import events
from translate.engine.library import library, through

MILLISECONDS = pl.Datetime("ms")


def instants(
    text: pl.Expr, by_expressions: Callable[[pl.Expr], pl.Expr], *, in_seconds: bool = False
) -> pl.Expr:
    """Read texts as times: by the kernel where there is one, those that it leaves by expressions."""
    kernel = library()
    if kernel is None:
        return by_expressions(text)

    def read(column: pl.Series) -> pl.Series:
        if column.dtype != pl.String:
            return column.to_frame().select(by_expressions(pl.col(column.name))).to_series()
        frame = pl.DataFrame([column.alias("text")])
        found = through(
            lambda given, made: kernel.translate_instants(given, in_seconds, made), frame
        ).to_series()
        times = found.cast(MILLISECONDS).dt.replace_time_zone("UTC")
        left = times.is_null() & column.is_not_null()
        if not left.any():
            return times
        rest = frame.lazy().filter(left).select(by_expressions(pl.col("text")))
        return times.scatter(left.arg_true(), rest.collect(engine="in-memory").to_series())

    return text.map_batches(read, return_dtype=events.TIME, is_elementwise=True)


def spelled(time: pl.Expr, by_expressions: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Write times whose years have four digits as ISO 8601 in UTC, with milliseconds: by the kernel where there is one."""
    kernel = library()
    if kernel is None:
        return by_expressions(time)

    def write(column: pl.Series) -> pl.Series:
        frame = column.dt.timestamp("ms").to_frame()
        return through(kernel.translate_spelled_instants, frame).to_series()

    return time.map_batches(write, return_dtype=pl.String, is_elementwise=True)
