"""A text in UTF-8 as a column of its lines, by the kernel where it runs."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import polars as pl
from polars.exceptions import ComputeError

from translate.engine.library import ArrowStream, frame_of, library

BYTES_BEFORE_COMPRESSED = b"\n"  # so that what looks compressed is not taken for it


class Split(NamedTuple):
    """The lines of a text, without what ends them; those that are not UTF-8 are empty, and `broken` has their bytes by number."""

    texts: pl.Series
    broken: dict[int, bytes]


def split(text: bytes | memoryview) -> Split:
    """Give the lines of a text."""
    kernel = library()
    if kernel is None:
        return _split_by_polars(bytes(text))
    made = ArrowStream()
    if kernel.translate_split(_place(text), ctypes.c_int64(len(text)), ctypes.byref(made)):
        raise MemoryError
    lines = frame_of(made)
    if lines.width == 1:
        return Split(lines.to_series(), {})
    rows = lines["begin"].is_not_null().arg_true()
    begins, ends = (lines[name].gather(rows) for name in ("begin", "end"))
    return Split(
        lines["text"],
        {row: bytes(text[begin:end]) for row, begin, end in zip(rows, begins, ends, strict=True)},
    )


def _place(text: bytes | memoryview) -> ctypes.Array[ctypes.c_char] | bytes:
    return text if isinstance(text, bytes) else (ctypes.c_char * len(text)).from_buffer(text)


def _split_by_polars(text: bytes) -> Split:
    try:
        return Split(pl.read_lines(BYTES_BEFORE_COMPRESSED + text, name="text").to_series()[1:], {})
    except ComputeError:
        lines = text.removesuffix(b"\n").split(b"\n")
        broken = {number: line for number, line in enumerate(lines) if not _is_utf8(line)}
        sound = (b"" if number in broken else line for number, line in enumerate(lines))
        texts = [line.removesuffix(b"\r").decode() for line in sound]
        return Split(pl.Series("text", texts, dtype=pl.String), broken)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
