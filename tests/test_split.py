"""A text as a column of its lines: the kernel's agree with Python's decoding and with the reference, byte for byte."""

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from translate.archive import batches
from translate.archive.drawing import Ahead, LongLines
from translate.engine.texts import Split, bytes_of, split

LETTERS = ["a", "\n", "\r", "\x00", "é", "漢", "🎈", "\ud7ff", "\ue000", "\U0010ffff", "x" * 17, "y" * 13]
NO_UTF8 = [
    b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xc3", b"\xe0\x9f\xbf", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf",
    b"\xf0\x9f\x8e", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"\xe2\x28\xa1", b"\xf0\x9f\x28\x88",
]  # fmt: skip
texts = st.lists(st.sampled_from(LETTERS) | st.text(max_size=40)).map("".join)


def expected(text: str) -> list[str]:
    """Give the lines of a text, as they are to be."""
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def memory(text: bytes) -> memoryview:
    """Give bytes that end where their memory does."""
    return memoryview(bytearray(text))


@given(text=texts)
@example(text="x\x9c" + "b" * 40)
@example(text="\r\r\n\n\r")
def test_lines_are_those_of_the_text(engine, text):
    encoded = text.encode("utf-8", "replace")
    assert split(encoded).texts.to_list() == expected(encoded.decode())
    if encoded:
        assert split(memory(encoded)).texts.to_list() == expected(encoded.decode())


@pytest.mark.parametrize("wrong", NO_UTF8)
@pytest.mark.parametrize("before", [0, 1, 7, 15, 16, 31])
@pytest.mark.parametrize("behind", [b"", b"\n", b"z" * 20])
def test_a_line_that_is_not_utf8_is_told_apart(engine, wrong, before, behind):
    texts, broken = split(b"one\n" + b"a" * before + wrong + behind)
    assert texts.to_list() == ["one", ""]
    assert broken == {1: (b"a" * before + wrong + behind).removesuffix(b"\n")}


@given(st.lists(st.binary(max_size=20)).map(b"\n".join))
def test_both_engines_take_the_same(engine, text):
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    texts, broken = split(text)
    assert broken == {number: line for number, line in enumerate(lines) if decoded(line) is None}
    assert texts.to_list() == [(decoded(line) or "").removesuffix("\r") for line in lines]


def test_a_line_that_only_the_kernel_finds_broken_is_no_damage_that_goes_unseen(monkeypatch):
    monkeypatch.setattr(batches, "split", lambda block: Split(split(block).texts, {1: b"sound"}))
    with pytest.raises(AssertionError, match="line 2 is UTF-8 to Python"):
        batches.lines_of(lambda: [b"one\nsound\n"], LongLines(), {}, Ahead()).collect(engine="in-memory")


@pytest.mark.parametrize(("rows", "count"), [([], 0), ([None], 0), (["é🎈"], 6), (["é", None, "abc"], 5)])
def test_bytes_of_texts_are_counted_also_of_one_that_is_alone(rows, count):
    assert bytes_of(pl.Series("text", rows, dtype=pl.String)) == count


def decoded(line: bytes) -> str | None:
    """Decode a line; give nothing if it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
