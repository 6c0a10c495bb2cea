"""The compiled kernel as ctypes sees it: whether there is one, and how polars hands frames over to it and takes them back."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

CHOICE = "TRANSLATE_ENGINE"  # `kernel` or `reference`; unset: the kernel where there is one
FILE = Path(__file__).parent / "kernel" / "kernel.so"
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


@cache
def library() -> ctypes.CDLL | None:
    """Load the kernel; None where there is none, or where the reference was chosen."""
    if os.environ.get(CHOICE) == "reference" or not FILE.exists():
        return None
    return ctypes.CDLL(str(FILE))


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
