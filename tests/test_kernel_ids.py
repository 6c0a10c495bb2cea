"""Event ids by the kernel are those that the engine's expressions make, whatever the columns hold."""

from __future__ import annotations

import hashlib
import struct
import uuid
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from translate import events
from translate.engine.library import library
from translate.engine.texts import event_ids, instants
from translate.reader.hub import _with_event_ids_by_expressions

KERNEL: Any = library()
pytestmark = pytest.mark.skipif(KERNEL is None, reason="there is no kernel")

WHOLE = st.integers(-(2**63), 2**63 - 1)
# What JSON escapes, and what it only looks as if it did.
SPECIAL = [*map(chr, range(0x20)), '"', "\\", "/", "\x7f", "\x80", "\u2028", "é", "日", "😀"]
TEXT = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.text(st.sampled_from([*SPECIAL, "a", "b"]), max_size=40),
    st.integers(0, 70).map("x".__mul__),
)
OF_TYPE = {
    events.TEXT: TEXT,
    events.WHOLE: WHOLE,
    events.NUMBER: st.one_of(st.floats(), st.floats(-1e6, 1e6), WHOLE.map(float)),
    events.TIME: st.integers(-(2**45), 2**45),
}
ENTRIES = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))


def maps(values: list[dict[str, str | None] | None]) -> pl.Series:
    """Give a column of maps."""
    entries = [
        None if value is None else [{"key": key, "value": text} for key, text in value.items()]
        for value in values
    ]
    return pl.Series(entries, dtype=ENTRIES).list.to_map()


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Draw a frame of the hub, whose columns may begin anywhere in their buffers."""
    height = draw(st.integers(0, 6))
    few = st.dictionaries(TEXT, st.none() | TEXT, max_size=4)
    columns = []
    for name, dtype in events.SCHEMA.items():
        each = few if dtype == events.MAP else OF_TYPE[dtype]
        values: list[Any] = draw(st.lists(st.none() | each, min_size=height, max_size=height))
        series = maps(values) if dtype == events.MAP else pl.Series(values, dtype=dtype, strict=False)
        columns.append(series.cast(dtype).alias(name))
    frame = pl.DataFrame(columns)
    if draw(st.booleans()):
        frame = pl.concat([frame, frame.slice(1), frame], rechunk=False)
    if draw(st.booleans()):
        frame = frame.slice(draw(st.integers(0, height)), draw(st.integers(0, height)))
    if draw(st.booleans()):
        kept = draw(st.lists(st.booleans(), min_size=frame.height, max_size=frame.height))
        frame = frame.filter(pl.Series(kept, dtype=pl.Boolean))
    return frame


def both_ways(frame: pl.DataFrame, provided: set[str]) -> list[list[str]]:
    """Give the ids by the expressions, by the kernel, and by its SHA-1 that asks nothing of the processor."""
    expected = _with_event_ids_by_expressions(frame.lazy(), provided).collect()["event_id"]
    made = [
        frame.select(event_ids(KERNEL, provided, instructions=choice)).to_series() for choice in (True, False)
    ]
    return [series.to_list() for series in (expected, *made)]


@given(frames(), st.sets(st.sampled_from([*events.SCHEMA])))
def test_the_kernel_makes_the_same_ids(frame: pl.DataFrame, left_out: set[str]) -> None:
    """All kinds of values, absent ones, columns that no event has, and frames that are a part of another."""
    expected, *made = both_ways(frame, set(events.SCHEMA) - left_out)
    assert made == [expected, expected]


@given(st.lists(st.dictionaries(TEXT, TEXT, min_size=20, max_size=120), min_size=1, max_size=3))
def test_many_keys_come_in_order(values: list[dict[str, str]]) -> None:
    """Maps of few and of many keys are sorted by the bytes of their keys."""
    expected, *made = both_ways(_with_maps(values), {"attributes"})
    assert made == [expected, expected]


def test_texts_are_escaped_as_the_engine_escapes_them() -> None:
    """Each special character at each place of short and long texts, as a key and as a value."""
    texts = ["x" * before + one + "x" * (length - before) for one in SPECIAL for length in (0, 2, 3, 4, 7, 8, 12, 13, 15, 16, 17, 31, 32, 35)
             for before in range(length + 1)]  # fmt: skip
    expected, *made = both_ways(_with_maps([{text: text} for text in texts]), {"attributes"})
    assert made == [expected, expected]
    assert len(set(expected)) == len(set(texts))


def test_whole_numbers_of_every_length_are_spelled() -> None:
    """Around each power of ten, and at both ends of what 64 bits hold."""
    near = [10**digits + more for digits in range(19) for more in (-1, 0, 1, 5)]
    numbers = [*near, *(-number for number in near), 2**63 - 1, -(2**63)]
    whole = next(name for name, dtype in events.SCHEMA.items() if dtype == events.WHOLE)
    frame = _without_ids(len(numbers)).with_columns(pl.Series(whole, numbers, dtype=events.WHOLE))
    expected, *made = both_ways(frame, {whole})
    assert made == [expected, expected]
    assert len(set(expected)) == len(set(numbers))


def test_texts_of_every_length_are_hashed() -> None:
    """The ids are name-based UUIDs, whatever part of a block of the hash the content ends in."""
    frame = _without_ids(130).with_columns(user_id=pl.Series(["y" * length for length in range(130)]))
    absent = len(events.CONTENT) - 1
    contents = ["y" * length + "\x1f\x00" * absent for length in range(130)]
    expected = [str(uuid.uuid5(uuid.UUID(events.NAMESPACE), content)) for content in contents]
    assert both_ways(frame, {"user_id"}) == [expected] * 3


def test_blocks_are_hashed_as_the_standard_says() -> None:
    """A long content goes through whole blocks: the digest is that of another implementation."""
    text = "".join(chr(0x20 + number % 0x5F) for number in range(100_000))
    frame = _without_ids(1).with_columns(user_id=pl.lit(text))
    content = text + "\x1f\x00" * (len(events.CONTENT) - 1)
    digest = hashlib.sha1(uuid.UUID(events.NAMESPACE).bytes + content.encode()).digest()[:16]
    high, low = struct.unpack(">QQ", digest)
    fields = (high & ~0xF000 | 0x5000) << 64 | low & ~(3 << 62) | 2 << 62
    assert both_ways(frame, {"user_id"}) == [[str(uuid.UUID(int=fields))]] * 3


def _without_ids(height: int) -> pl.DataFrame:
    return pl.DataFrame({"event_id": pl.Series([None] * height, dtype=pl.String)})


def _with_maps(values: list[dict[str, str]]) -> pl.DataFrame:
    return _without_ids(len(values)).with_columns(attributes=maps(list(values)))


def test_what_lies_in_the_place_of_an_absent_text_is_not_followed() -> None:
    """Arrow says nothing of it: with other makers of frames it may point anywhere."""
    year, nowhere = struct.pack("<i12s", 4, b"2024"), struct.pack("<i4sii", 100, b"2024", 2**30, 2**30)
    there, views = pa.py_buffer(b"\x55" * 8), pa.py_buffer((year + nowhere) * 32)
    texts = pl.from_arrow(pa.Array.from_buffers(pa.string_view(), 64, [there, views]))
    times = pl.DataFrame({"text": texts}).select(
        instants(pl.col("text"), lambda text: text.str.to_datetime("%Y", time_unit="ms", time_zone="UTC"))
    )
    assert [time and time.year for time in times.to_series()] == [2024, None] * 32
