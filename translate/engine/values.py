"""Values of columns by the kernel: made event ids, and times as texts, read and written."""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Callable, Sequence

import polars as pl

from translate import events
from translate.engine.library import library, row_by_row, through

MILLISECONDS = pl.Datetime("ms")
AS_THEY_ARE = (events.TEXT, events.WHOLE, events.MAP)
ABSENT = -1
NAMESPACE = uuid.UUID(events.NAMESPACE).bytes


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


def event_ids(kernel: ctypes.CDLL, provided: set[str], *, instructions: bool = True) -> pl.Expr:
    """Give the event ids, made ones where there are none; `instructions` says if the processor's own for SHA-1 may be used."""
    names = [*events.CONTENT, *(name for name in events.CONTENT_ADDED if name in provided)]
    later = len(names) - len(events.CONTENT)
    there = [name for name in names if name in provided]
    numbers = {name: number for number, name in enumerate(there, start=1)}
    places = (ctypes.c_int32 * len(names))(*(numbers.get(name, ABSENT) for name in names))

    def made(columns: Sequence[pl.Series]) -> pl.Series:
        frame = pl.DataFrame([_readable(column) for column in columns])
        return row_by_row(
            lambda given, out: kernel.translate_event_ids(
                given, places, len(names) - later, later, NAMESPACE, int(instructions), out
            ),
            frame,
        ).to_series()

    return pl.map_batches(
        [pl.col("event_id"), *map(_content, there)], made, return_dtype=pl.String, is_elementwise=True
    )


def _content(name: str) -> pl.Expr:
    column = pl.col(name)
    if events.SCHEMA[name] == events.TIME:
        return column.dt.timestamp("ms")
    return column.cast(pl.String) if events.SCHEMA[name] == events.NUMBER else column


def _readable(column: pl.Series) -> pl.Series:
    return column if column.dtype in AS_THEY_ARE else column.cast(pl.String)
