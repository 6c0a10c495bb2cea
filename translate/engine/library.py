"""The way of frames through the kernel: how polars hands them over and takes them back."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import polars as pl

from translate.engine.choice import library

__all__ = ["ArrowStream", "frame_of", "handed_over", "library", "row_by_row", "through"]

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
    capsules = [frame.rechunk().__arrow_c_stream__() for frame in frames]
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
