"""Notes of events, put together of several parts."""

from __future__ import annotations

import polars as pl

from translate.vocabulary import notes

PARTS = {
    "first": [["a"], None, None, []],
    "second": [["b", "c"], [], ["d"], None],
    "third": [None, None, ["e"], ["f"]],
}


def test_parts_are_put_together_in_their_order() -> None:
    """Events with notes of several parts have all, those of one part keep them, and the others have none."""
    frame = pl.DataFrame(PARTS, schema=dict.fromkeys(PARTS, notes.NOTES_TYPE))
    told = frame.select(notes.together(map(pl.col, PARTS))).to_series()
    assert [each or [] for each in told.to_list()] == [["a", "b", "c"], [], ["d", "e"], ["f"]]


def test_batches_without_notes_stay_so() -> None:
    """What says nothing needs not be put together."""
    frame = pl.DataFrame(
        {"first": [None, None], "second": [None, []]},
        schema=dict.fromkeys(("first", "second"), notes.NOTES_TYPE),
    )
    told = frame.select(notes.together([pl.col("first"), pl.col("second")])).to_series()
    assert told.dtype == notes.NOTES_TYPE
    assert not any(told.to_list())
