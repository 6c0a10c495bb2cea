"""What the passes found about a unit's events, on disk: each batch of events looks up its own stretch of it."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from translate.mapping.spec import Addition

SHARD_ROWS = 50_000
STRETCH_ROWS = 20 * SHARD_ROWS
EVENT = ["row", "part"]


class Shards:
    """Marks upon the rows of a unit, in files of so many rows each; `marks` has `row`, `part`, and what is said of them."""

    def __init__(self, folder: Path, marks: pl.LazyFrame) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._numbers: set[int] = set()
        self._last: tuple[int, pl.DataFrame] | None = None
        self._lock = threading.Lock()
        self.empty = pl.DataFrame(schema=marks.collect_schema())
        last_row: int | None = marks.select(pl.col("row").max()).collect(engine="streaming").item()
        for start in range(0, -1 if last_row is None else last_row + 1, STRETCH_ROWS):
            stretch = marks.filter(pl.col("row").is_between(start, start + STRETCH_ROWS, closed="left"))
            self._write(stretch.collect(engine="streaming").sort(EVENT))

    def _write(self, marks: pl.DataFrame) -> None:
        for (number,), shard in marks.group_by(pl.col("row") // SHARD_ROWS, maintain_order=True):
            shard.write_ipc_stream(self._file(int(str(number))))
            self._numbers.add(int(str(number)))

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:05}.arrow"

    def around(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Give what is said of a batch's events, and of some around it."""
        numbers: list[int] = (batch["row"] // SHARD_ROWS).unique().sort().to_list()
        return pl.concat([self.empty, *(self._read(number) for number in numbers if number in self._numbers)])

    def join(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Set what is said of them beside a batch's events, in their order."""
        return batch.join(self.around(batch), on=EVENT, how="left", maintain_order="left")

    def _read(self, number: int) -> pl.DataFrame:
        """Read a shard, unless it is the one that was read last: batches come in order, but from several threads."""
        with self._lock:
            if self._last is None or self._last[0] != number:
                # As a stream: what scans a file is the streaming engine's own work, and this is one of its threads.
                self._last = (number, pl.read_ipc_stream(self._file(number)))
            return self._last[1]


@dataclass(frozen=True)
class UnitMarks:
    """What one unit has to do: its duplicates, what to add, what to fold, and the ENDs of its STARTs."""

    add: dict[str, Addition] = field(default_factory=dict)
    fold: bool = False
    duplicates: pl.LazyFrame | None = None
    shards: list[Shards] = field(default_factory=list)
    ends: Shards | None = None

    def join(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Set all marks beside a batch's events."""
        for shards in self.shards:
            batch = shards.join(batch)
        return batch
