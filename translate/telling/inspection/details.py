"""What describes apps and devices: each combination of values is looked at once, then counted by each of its parts."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from translate.telling.inspection.columns import DETAILED, DETAILS, DETAILS_DIGEST
from translate.telling.inspection.counters import Counts
from translate.telling.inspection.sums import Sums

COMBINATIONS_MAX = 20_000  # in memory
ROOM = 2**32


class Details:
    """Events by each detail that a source can say."""

    def __init__(self, provided: Collection[str]) -> None:
        self._given = [name for name in DETAILED if name in provided]
        self._counts = {name: Counts() for name in DETAILS}
        self._combinations = Sums(self._given, ROOM)

    def add(self, batch: pl.DataFrame) -> None:
        """Count a batch."""
        if not self._given:
            return
        new = self._combinations.unknown(batch[DETAILS_DIGEST])
        if new.height:
            self._combinations.admit(
                batch.select(self._given)[new["first"]].select(new["hash"], *self._given)
            )
        self._combinations.count(batch[DETAILS_DIGEST])
        if self._combinations.texts.height > COMBINATIONS_MAX:
            self._settle()

    def absorb(self, other: Details) -> None:
        """Add the details of other events."""
        for name, counts in other.counts.items():
            self.counts[name].absorb(counts)

    @property
    def counts(self) -> dict[str, Counts]:
        """Give the events by the values of each detail."""
        if self._combinations.texts.height:
            self._settle()
        return self._counts

    def _settle(self) -> None:
        combinations = self._combinations
        values = combinations.texts.join(combinations.together(), on="hash", maintain_order="left")
        for detail, names in DETAILS.items():
            given = [name for name in names if name in self._given]
            if given:
                counted = values.group_by(given, maintain_order=True).agg(pl.col("events").sum())
                listed = counted.select(
                    *(name if name in given else pl.lit(None, pl.String).alias(name) for name in names)
                )
                self._counts[detail].add(listed.iter_rows(), counted["events"].to_list())
        self._combinations = Sums(self._given, ROOM)
