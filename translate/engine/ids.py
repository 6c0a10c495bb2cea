"""Made event ids by the kernel: the content's columns go in as they are, numbers as the text that polars makes of them."""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Sequence

import polars as pl

from translate import events
from translate.engine.library import row_by_row

AS_THEY_ARE = (events.TEXT, events.WHOLE, events.MAP)
ABSENT = -1
NAMESPACE = uuid.UUID(events.NAMESPACE).bytes


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
