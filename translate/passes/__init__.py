"""What needs the whole archive before its events can be written: named passes, off unless asked.

All of them together cost one more reading of the source, and room on the disk for what is written down of each
event while the run lasts. Memory does not grow with the archive: what is written down is shared out, by the hash
of who it is about, into buckets that fit in memory; only a single client with more events than a bucket holds
needs more. What is found lies on disk too, and each batch of events looks up its own stretch of it.

Sightings are the events that will be taken: those that can be read, are no duplicates where duplicates are
removed, and pass `--where`, `--since` and `--until`. `--limit` is not looked at: an event beyond it is a sighting
all the same. Recipes come after the passes, and see what these made.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import mapping
from translate.engine.library import by_batches
from translate.errors import UsageError, suggest
from translate.mapping.keys import ADDITIONS
from translate.mapping.spec import Addition
from translate.passes import additions, fold, sightings
from translate.passes.sightings import Duplicates, Shards, UnitMarks
from translate.vocabulary.notes import Finding

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


BUCKET_ROWS = 500_000


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
    changed = by_batches(frame, lambda batch: _changed(batch, marks))
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


@dataclass(frozen=True)
class Asked:
    """Which passes a call asks for; what is added is called as the target's mapping says."""

    dedupe: bool = False
    add: dict[str, Addition] = field(default_factory=dict)
    fold: bool = False

    def __bool__(self) -> bool:
        """Tell whether there is anything to look for in the whole archive."""
        return self.dedupe or bool(self.add) or self.fold

    def described(self) -> dict[str, Any]:
        """Give the passes as JSON values."""
        return {"dedupe": self.dedupe, "add": list(self.add), "fold": self.fold}


def asked_for(
    *, dedupe: bool, add: Iterable[str], fold: bool, model: str, mappings: Path | None = None
) -> Asked:
    """Judge what a call asks for; raise UsageError for what is unknown or not for the target's model."""
    names = [add] if isinstance(add, str) else list(add)
    wanted = [name.strip() for given in names for name in given.split(",") if name.strip()]
    if names and not wanted:  # a variable of a shell that is not set
        raise UsageError(f'--add "{",".join(names)}": names nothing to add (one of: {", ".join(ADDITIONS)})')
    for name in wanted:
        if name not in ADDITIONS:
            raise UsageError(
                f"--add {name}: there is nothing of this name to add{suggest(name, ADDITIONS)} (one of: {', '.join(ADDITIONS)})"
            )
    known = mapping.load(model, mappings).additions if wanted and model != mapping.HUB else {}
    for name in wanted:
        if name not in known:
            others = [
                other for other in mapping.models(mappings) if name in mapping.load(other, mappings).additions
            ]
            raise UsageError(
                f"--add {name}: {model} does not count by it; leave it out (it is for {' and '.join(others) or 'no model'})"
            )
    return Asked(dedupe, {name: addition for name, addition in known.items() if name in wanted}, fold)


class Passes:
    """The passes of a run: gathers what is needed of each unit, finds what there is to find, and tells each unit."""

    def __init__(self, scratch: Path, asked: Asked) -> None:
        self.asked = asked
        self._folder = scratch / "passes"
        self._written = self._folder / "sightings"
        self._taken = self._folder / "taken" if asked.dedupe else self._written
        self._found = self._folder / "found"
        self._duplicates = Duplicates(self._folder / "duplicates") if asked.dedupe else None
        for folder in (self._written, self._taken, self._found):
            folder.mkdir(parents=True, exist_ok=True)

    # -- gathering ----------------------------------------------------------------------------------------------

    def gather(self, unit: int, events: pl.LazyFrame) -> None:
        """Write down what the passes need of a unit's events, as `plan.survey` gives them."""
        seen = sightings.of(events, self.asked.add, dedupe=self.asked.dedupe, fold=self.asked.fold)
        apart = self._folder / uuid.uuid4().hex  # whoever was given up may still be writing
        seen.with_columns(unit=pl.lit(unit, pl.UInt32)).sink_parquet(apart, engine="streaming")
        apart.replace(self._file(self._written, unit))

    def _file(self, folder: Path, unit: int) -> Path:
        return folder / f"unit-{unit:05}.parquet"

    # -- finding ------------------------------------------------------------------------------------------------

    def find(self) -> None:
        """Go through what was written down, here or elsewhere, and write down what each unit has to do."""
        units = sorted(int(file.stem.partition("-")[2]) for file in self._written.glob("*.parquet"))
        if self._duplicates:
            self._duplicates.find(pl.scan_parquet(self._written / "*.parquet"))
        if not (self.asked.add or self.asked.fold):
            return
        if self._duplicates:
            for unit in units:
                seen = pl.scan_parquet(self._file(self._written, unit))
                others = seen.join(self._duplicates.of_unit(unit), on=sightings.EVENT, how="anti")
                others.sink_parquet(self._file(self._taken, unit), engine="streaming")
        taken = pl.scan_parquet(self._taken / "*.parquet").filter("taken")
        if self.asked.add:
            of_clients = taken.filter(pl.col("client").is_not_null())
            for number, bucket in sightings.in_buckets(of_clients, "client", BUCKET_ROWS):
                here = bucket.select(*sightings.WHERE, *sightings.CLIENT).collect(engine="streaming")
                file = self._found / f"additions-{number:05}.parquet"
                additions.find(here, self.asked.add).write_parquet(file)
        if self.asked.fold:
            self._find_pairs(taken.filter(pl.col("pair").is_not_null()), units)

    def _find_pairs(self, halves: pl.LazyFrame, units: list[int]) -> None:
        pairs = self._folder / "pairs"
        pairs.mkdir()
        for number, bucket in sightings.in_buckets(halves, "pair", BUCKET_ROWS):
            here = bucket.select(*sightings.WHERE, "pair", "is_end", "time").collect(engine="streaming")
            found, marks = fold.pairs(here)
            found.write_parquet(pairs / f"bucket-{number:05}.parquet")
            marks.write_parquet(self._found / f"halves-{number:05}.parquet")
        for unit in units:
            taken, paired = (
                pl.scan_parquet(self._file(self._taken, unit)),
                pl.scan_parquet(pairs / "*.parquet"),
            )
            fold.send_ends(taken, unit, paired, self._folder / "ends")

    # -- telling ------------------------------------------------------------------------------------------------

    def of_unit(self, unit: int, scratch: Path | None = None) -> UnitMarks:
        """Give what a unit has to do; it is laid out in a scratch folder, if one is given."""
        shards = []
        own = (scratch or self._folder) / "marks" / f"{unit:05}"
        for kind in ("additions", "halves"):
            if any(self._found.glob(f"{kind}-*.parquet")):
                marks = pl.scan_parquet(self._found / f"{kind}-*.parquet").filter(pl.col("unit") == unit)
                shards.append(Shards(own / kind, marks.drop("unit")))
        folder = self._folder / "ends" / f"{unit:05}"
        ends = Shards(own / "ends", pl.scan_parquet(folder / "*.parquet")) if folder.exists() else None
        duplicates_here = self._duplicates.of_unit(unit) if self._duplicates else None
        return UnitMarks(self.asked.add, self.asked.fold, duplicates_here, shards, ends)
