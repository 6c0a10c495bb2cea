"""What the passes do to a unit's events: fill in, add, fold. Batch by batch, each with its own marks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import polars as pl

from translate.conversion.report import Finding
from translate.passes import additions, fold
from translate.passes.marks import UnitMarks

if TYPE_CHECKING:
    from collections.abc import Mapping

FILTERED = "_filtered"
MERGED = "merged"

# What travels beside the events to tell what the passes did.
TOLD: Mapping[str, Any] = {
    "_added": pl.String(), **dict.fromkeys(["_merged", "_cut", "_numbered", "_measured", "_touched"], pl.Boolean()),
}  # fmt: skip

# What was added, by kind.
ADDED = {
    "first_open": "a first open was added before the client's earliest event",
    "profile_set": "a profile was added where a client's user or user properties are new",
    "engagement": "an engagement was added at the end of a session: its length without the pauses that have a resume",
}
# The findings that tell, by pass, that it did something that figures are made of.
DID = {"first_open": ("first_open_added", "first_touch_filled"), "profile_set": ("profile_set_added",),
       "engagement": ("engagement_added", "session_duration_filled")}  # fmt: skip


def untouched(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Say of events that no pass looked at them."""
    return frame.with_columns(**_nothing())


def _nothing() -> dict[str, pl.Expr]:
    return {name: pl.lit(None if dtype == pl.String else False, dtype) for name, dtype in TOLD.items()}


def apply(frame: pl.LazyFrame, marks: UnitMarks) -> tuple[pl.LazyFrame, frozenset[str]]:
    """Do with a unit's events what was found for them; name the hub columns that may hold something by it."""
    filled = (fold.FILLED if marks.fold else frozenset()) | additions.filled_columns(marks.add)
    frame = untouched(frame)
    if not marks.shards:
        return frame, filled
    schema = frame.collect_schema()
    changed = frame.map_batches(
        lambda batch: _changed(batch, marks), schema=schema, validate_output_schema=False, streamable=True
    )
    return changed, filled


def _changed(batch: pl.DataFrame, marks: UnitMarks) -> pl.DataFrame:
    """Fill in, add and fold; what is added stands before the event that it was made from."""
    columns = batch.columns
    marked = marks.join(batch)
    frames = []
    if "session_number" in marked.columns:
        marked = additions.with_sessions(marked)
        frames = [additions.with_first_touch(frame, marks.add) for frame in additions.made(marked, marks.add)]
        marked = additions.with_first_touch(marked, marks.add)
    if marks.fold and "merged" in marked.columns:
        merged = pl.col("merged").fill_null(value=False)
        if marks.ends is not None:
            marked = fold.folded(marked, marks.ends.around(marked))
        marked = marked.with_columns(
            pl.when(merged).then(pl.lit(MERGED)).otherwise(pl.col(FILTERED)).alias(FILTERED),
            _merged=merged,
            _cut=pl.col("cut").fill_null(value=False),
        )
    return _in_order([*(frame.select(columns) for frame in frames), marked.select(columns)])


def _in_order(frames: list[pl.DataFrame]) -> pl.DataFrame:
    if len(frames) == 1:
        return frames[0]
    numbered = [frame.with_columns(_order=pl.lit(order)) for order, frame in enumerate(frames)]
    return pl.concat(numbered).sort("row", "part", "_order").drop("_order")


def findings() -> Iterable[Finding]:
    """Say what there is to tell of the events that are written."""
    filled = "the session's number was counted, by client and start"
    measured = "the session's length, as its events tell it, was put into those that tell none"
    touched = "when the client was first seen was put into the event's user"
    cut = "a start without its end, or an end without its start: left as it is"
    yield Finding("session_number_filled", filled, pl.col("_numbered"), "session.number")
    yield Finding("session_duration_filled", measured, pl.col("_measured"), "session.duration")
    yield Finding("first_touch_filled", touched, pl.col("_touched"), "user_properties")
    yield Finding("cut_pairs", cut, pl.col("_cut"))
