"""Texts by the kernel where it runs: long ones as a column of their lines, put together of lines, and searched; times as texts, and made event ids."""

from __future__ import annotations

import ctypes
import itertools
import re
import uuid
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl
from polars.exceptions import ComputeError

from translate import events
from translate.engine.library import ArrowStream, frame_of, handed_over, library, present, row_by_row, through

BYTES_BEFORE_COMPRESSED = b"\n"  # so that what looks compressed is not taken for it
NOTHING = pl.Series([""])
WITHIN_WORD = re.compile(rb"[0-9A-Za-z]{2}")


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
    rows = present(lines["begin"])
    begins, ends = (lines[name][rows] for name in ("begin", "end"))
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


class _Buffer(ctypes.Structure):
    """Memory of the kernel's, as kernel/memory.h says."""

    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("capacity", ctypes.c_size_t)]

    def shown(self) -> memoryview:
        """Give what lies there, as long as it does."""
        return (
            memoryview((ctypes.c_char * self.length).from_address(self.data))
            if self.data
            else memoryview(b"")
        )


@contextmanager
def lines_of(rows: pl.Series) -> Iterator[memoryview]:
    """Give the lines that texts are, each with its end; they are there until the block is left."""
    kernel, lines = library(), _Buffer()
    if kernel is not None and handed_over(
        lambda given: kernel.translate_joined(given, ctypes.byref(lines)), rows.to_frame()
    ):
        try:
            yield lines.shown()
        finally:
            kernel.translate_free(ctypes.byref(lines))
    else:
        yield memoryview("".join(f"{row}\n" for row in rows if row is not None).encode())


def bytes_of(texts: pl.Series) -> int:
    """Count the bytes of texts; of one that is alone in its column each step of a query would make a copy."""
    return int(pl.concat([texts, NOTHING]).str.len_bytes().sum())


def line_breaks(text: bytes) -> int:
    """Count the line breaks in a text, ten times as fast as Python does, and beside it."""
    kernel = library()
    if kernel is None:
        return text.count(b"\n")
    kernel.translate_line_breaks.restype = ctypes.c_int64
    return int(kernel.translate_line_breaks(ctypes.c_char_p(text), ctypes.c_int64(len(text))))


class Search:
    """Looks for some texts, made ready once; none of them is empty.

    Those with fewer bytes than `words` are found only where they are no part of a longer word of ASCII's letters and digits.
    """

    def __init__(self, texts: Sequence[bytes], *, words: int = 0) -> None:
        self._words = ctypes.c_int64(words)
        self._kernel = library() if texts else None
        if self._kernel is None:
            self._numbers = {text: number for number, text in reversed([*enumerate(texts)])}
            self._lengths = sorted({len(text) for text in texts}, reverse=True)
            self._begins = {text[: self._lengths[-1]] for text in texts}
            return
        self._texts = b"".join(texts)  # the kernel looks into both
        self._ends = (ctypes.c_int64 * len(texts))(*itertools.accumulate(map(len, texts)))
        self._kernel.translate_search.restype = ctypes.c_void_p
        self._kernel.translate_search_next.restype = ctypes.c_int64
        made = self._kernel.translate_search(self._texts, self._ends, len(texts))
        if made is None:
            raise MemoryError
        self._made = ctypes.c_void_p(made)
        weakref.finalize(self, self._kernel.translate_search_end, self._made)

    def finds_one(self, content: bytes) -> bool:
        """Tell whether a content holds one of the texts."""
        if self._kernel is None and not self._words.value:
            return any(text in content for text in self._numbers)
        return self.next(content) is not None

    def next(self, content: bytes, at: int = 0) -> tuple[int, int] | None:
        """Give the first place from `at` on where one of the texts stands, the longest if several do, and its number."""
        if self._kernel is None:
            return self._next(content, at)
        which = ctypes.c_int32()
        found = self._kernel.translate_search_next(
            self._made, content, ctypes.c_int64(len(content)), ctypes.c_int64(at), self._words, ctypes.byref(which)
        )  # fmt: skip
        return None if found < 0 else (found, which.value)

    def _next(self, content: bytes, at: int) -> tuple[int, int] | None:
        shortest = self._lengths[-1] if self._lengths else len(content) + 1
        for place in range(at, len(content) - shortest + 1):
            if content[place : place + shortest] in self._begins:
                for end in (place + length for length in self._lengths if place + length <= len(content)):
                    number = self._numbers.get(content[place:end])
                    if number is not None and not self._is_within_word(content, place, end):
                        return place, number
        return None

    def _is_within_word(self, content: bytes, at: int, end: int) -> bool:
        if end - at >= self._words.value:
            return False
        return any(
            WITHIN_WORD.fullmatch(content[edge - 1 : edge + 1])
            for edge in (at, end)
            if 0 < edge < len(content)
        )


# -- times as texts, read and written, and made event ids ----------------------------------------------------------------

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
