"""The way of frames through the kernel: how polars hands them over and takes them back."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import polars as pl

from translate.engine.choice import library

__all__ = ["ArrowStream", "library", "through"]

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


def through(frame: pl.DataFrame, call: Callable[[Any, Any], int]) -> pl.DataFrame:
    """Hand a frame's columns to a function of the kernel, which takes one stream and fills another; give the latter's frame."""
    capsule = frame.rechunk().__arrow_c_stream__()
    given = ctypes.c_void_p(ctypes.pythonapi.PyCapsule_GetPointer(capsule, STREAM))
    made = ArrowStream()
    if call(given, ctypes.byref(made)) != 0:
        raise MemoryError
    return pl.DataFrame(_Given(made))
