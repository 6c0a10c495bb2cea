"""The way of frames through the kernel: how polars hands them over and takes them back, whole, or for some of their rows."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import events
from translate.engine.choice import library

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

__all__ = [
    "ArrowStream",
    "by_batches",
    "frame_of",
    "handed_over",
    "library",
    "places",
    "present",
    "replaced",
    "row_by_row",
    "spread",
    "through",
    "where_there",
]

STREAM = b"arrow_array_stream"  # the capsules' name has to outlive them

ctypes.pythonapi.PyCapsule_New.restype = ctypes.py_object
ctypes.pythonapi.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
ctypes.pythonapi.PyCapsule_GetPointer.restype = ctypes.c_void_p
ctypes.pythonapi.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class ArrowStream(ctypes.Structure):
    """A stream of arrays, as the Arrow C stream interface lays it out."""

    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("get_schema", "get_next", "get_last_error", "release", "private_data")
    ]


class _Given:
    """A stream that the kernel filled, for polars to take over."""

    def __init__(self, stream: ArrowStream) -> None:
        self._stream = stream

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        del requested_schema
        return ctypes.pythonapi.PyCapsule_New(ctypes.addressof(self._stream), STREAM, None)


def through(call: Callable[..., int], *frames: pl.DataFrame) -> pl.DataFrame:
    """Hand frames' columns to a function of the kernel, which takes a stream of each and fills another; give the latter's frame."""
    made = ArrowStream()
    if not handed_over(lambda *given: call(*given, ctypes.byref(made)), *frames):
        raise MemoryError
    return frame_of(made)


def frame_of(made: ArrowStream) -> pl.DataFrame:
    """Take over the frame in a stream that the kernel filled."""
    return pl.DataFrame(_Given(made))


def handed_over(call: Callable[..., int], *frames: pl.DataFrame) -> bool:
    """Hand frames' columns to a function of the kernel, a stream of each; tell if it did its work."""
    whole = [frame if frame.n_chunks("all") == [1] * frame.width else frame.rechunk() for frame in frames]
    capsules = [frame.__arrow_c_stream__() for frame in whole]
    given = [ctypes.c_void_p(ctypes.pythonapi.PyCapsule_GetPointer(capsule, STREAM)) for capsule in capsules]
    return call(*given) == 0


def row_by_row(call: Callable[..., int], frame: pl.DataFrame) -> pl.DataFrame:
    """Do the same with a function that makes a row of each row: in halves where what it makes of all would be over 2 GB."""
    try:
        return through(call, frame)
    except MemoryError:
        if frame.height <= 1:
            raise
    middle = frame.height // 2
    return pl.concat([row_by_row(call, frame[:middle]), row_by_row(call, frame[middle:])])


def places(rows: pl.Series) -> pl.Series:
    """Give the places of the rows that are chosen: a fifth of the time that `arg_true` takes, which begins a query."""
    return pl.int_range(len(rows), dtype=pl.UInt32, eager=True).filter(rows)


def present(column: pl.Series) -> pl.Series:
    """Give the places of the rows that have a value, of texts or numbers: asked whether it has none, a column begins a query."""
    return places(column == column)  # noqa: PLR0124  null where there is none


def spread(values: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Give each row that is chosen its values, one after the other; the others have null."""
    chosen = places(rows)
    return pl.DataFrame([_spread(column, chosen, len(rows)) for column in values])


def _spread(values: pl.Series, chosen: pl.Series, height: int) -> pl.Series:
    whole = pl.Series(values.name, [None], values.dtype).new_from_index(0, height)
    return whole.scatter(chosen, values) if len(values) else whole


def replaced(whole: pl.Series, rows: pl.Series, values: pl.Series) -> pl.Series:
    """Put values, one for each row that is chosen, into a column."""
    kernel = library()
    if whole.dtype == events.MAP and kernel is not None:
        frame = pl.DataFrame([rows.alias("chosen"), whole.alias("map")])
        others = pl.DataFrame([values.cast(events.MAP).alias("map")])
        with suppress(MemoryError):  # also where an entry has no value
            return through(kernel.translate_replaced, frame, others).to_series().cast(events.MAP)
    order = pl.int_range(len(whole), eager=True).scatter(
        places(rows), pl.int_range(len(whole), len(whole) + len(values), eager=True)
    )
    return pl.concat([whole, values.cast(whole.dtype)]).gather(order)


def where_there(given: Sequence[pl.Expr], value: pl.Expr, dtype: PolarsDataType) -> pl.Expr:
    """Work a value out for the rows that have one of some columns: where no row of a batch has, nothing is asked of the engine."""
    names = sorted({*value.meta.root_names()})

    def work(columns: Sequence[pl.Series]) -> pl.Series:
        watched, needed = columns[: len(given)], columns[len(given) :]
        height = max(map(len, columns))
        there = [column for column in watched if column.null_count() < len(column)]
        if not there:
            return pl.Series([None], dtype=dtype).new_from_index(0, height)
        chosen = reduce(or_, (column.is_not_null() for column in there))
        rows = places(chosen)
        values = pl.DataFrame(needed)[rows].select_seq(value).to_series()
        return _back_in_place(values, rows, height)

    return pl.map_batches([*given, *map(pl.col, names)], work, return_dtype=dtype, is_elementwise=True)


def _back_in_place(values: pl.Series, rows: pl.Series, height: int) -> pl.Series:
    if not values.dtype.is_nested():
        return _spread(values, rows, height)
    numbers = pl.int_range(len(rows), dtype=pl.UInt32, eager=True)
    return values.gather(_spread(numbers, rows, height))


def by_batches(
    frame: pl.LazyFrame,
    work: Callable[[pl.DataFrame], pl.DataFrame],
    added: Mapping[str, PolarsDataType] | None = None,
) -> pl.LazyFrame:
    """Have work done on a frame's batches while they go by; it gives the same columns, in their types, and those that are `added`.

    Such work asks for one column after the other (`select_seq`, `value_counts`): what asks for several at once, or for groups,
    waits for threads that work on other batches.
    """
    schema = {**frame.collect_schema(), **(added or {})}
    return frame.map_batches(work, schema=schema, validate_output_schema=False, streamable=True)
