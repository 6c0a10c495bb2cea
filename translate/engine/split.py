"""A text in UTF-8 as a column of its lines, by the kernel where it runs."""

from __future__ import annotations

import ctypes

import polars as pl
from polars.exceptions import ComputeError

from translate.engine.library import ArrowStream, frame_of, library

BYTES_BEFORE_COMPRESSED = b"\n"  # so that what looks compressed is not taken for it
NOT_UTF8 = 84  # as kernel/split.c says


def split(text: bytes | memoryview) -> pl.Series | None:
    """Give the lines of a text, without what ends them; nothing if it is not UTF-8."""
    kernel = library()
    if kernel is None:
        return _split_by_polars(bytes(text))
    made = ArrowStream()
    failed = kernel.translate_split(_place(text), ctypes.c_int64(len(text)), ctypes.byref(made))
    if failed == NOT_UTF8:
        return None
    if failed:
        raise MemoryError
    return frame_of(made).to_series()


def _place(text: bytes | memoryview) -> ctypes.Array[ctypes.c_char] | bytes:
    return text if isinstance(text, bytes) else (ctypes.c_char * len(text)).from_buffer(text)


def _split_by_polars(text: bytes) -> pl.Series | None:
    try:
        return pl.read_lines(BYTES_BEFORE_COMPRESSED + text, name="text").to_series()[1:]
    except ComputeError:
        return None
