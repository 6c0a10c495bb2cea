"""Texts are passed over and copied in blocks: nothing is lost or added where a block ends, whatever stands there."""

from __future__ import annotations

import json

import polars as pl
import pytest
from held import HEAD, read_alike

from translate.engine.library import library

pytestmark = pytest.mark.skipif(library() is None, reason="no kernel here")

LENGTHS = range(36)  # around those of a view, of a block and of two
PIECES = [r"\"", r"\\", r"\n", r"\/", r"\u00e9", r"\ud83d\ude00", "é", "値", "😀", "\x7f", " ", "{", ":"]
TEXTS = ["x" * length for length in LENGTHS] + [
    "x" * before + piece + "y" * after for piece in PIECES for before in range(34) for after in (0, 1, 5, 20)
]


def test_a_text_says_the_same_wherever_its_blocks_end() -> None:
    """As a name, as a value of an attribute, as a value of the event and as a member that is taken along."""
    lines = [
        HEAD + f',"attributes":{{"{text}":"{text}"}},"device":{{"make":"{text}"}},"odd":"{text}"}}'
        for text in TEXTS
    ]
    found = read_alike(lines)
    assert found["code"].null_count() == found.height == len(lines)
    said = [json.loads(f'"{text}"') for text in TEXTS]
    assert [dict(row) for row in found["attributes"]] == [{text: text} for text in said]
    assert [dict(row) for row in found["extra"]] == [
        {"odd": json.dumps(text, ensure_ascii=False)} for text in said
    ]
    assert found["careful"].sum() == 0


@pytest.mark.parametrize("wrong", ["\x00", "\x1f", "\t", '"', "\\", r"\x", r"\u12g4", r"\ud800", ""])
def test_a_text_that_is_none_is_refused_wherever_its_blocks_end(wrong: str) -> None:
    """A control character, an escape that there is not, and the line's own end."""
    starts = [HEAD + ',"odd":"' + "x" * length + wrong for length in LENGTHS]
    for end in ("", "y" * 20, "y" * 20 + '"}'):
        lines = [start + end for start in starts if wrong or not end.endswith("}")]
        for line in lines:
            found = read_alike([line])
            assert found.filter(pl.col("code").is_null() & ~pl.col("careful")).height == 0


def test_names_are_told_apart_to_their_last_byte() -> None:
    """Names that are as long as known ones, and begin or end like them, are names of their own; the known ones are found again."""
    known = ["make", "model", "locale", "platform"]
    odd = [name[:at] + "#" + name[at + 1 :] for name in known for at in range(len(name))]
    devices = [{"make": "m"}, *({name: "x", "make": "m"} for name in odd), {"model": "n", "make": "m"}]
    found = read_alike([HEAD + f',"device":{json.dumps(device)}}}' for device in devices])
    extra = [None if row is None else dict(row) for row in found["extra"]]
    assert extra == [None, *({f"device.{name}": '"x"'} for name in odd), None]
