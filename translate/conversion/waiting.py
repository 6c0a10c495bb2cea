"""Batches that wait for others: what is counted over rows costs little a row, but much a time."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

ROWS_TOGETHER = 20_000  # what waits holds the texts of the batches that it came from


class Waiting:
    """Hands batches on when there are many rows of them, and what is left at the end."""

    def __init__(self, work: Callable[[pl.DataFrame], None]) -> None:
        self._work = work
        self._batches: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, batch: pl.DataFrame) -> None:
        """Take in a batch."""
        if batch.height:
            self._batches.append(batch)
            self._rows += batch.height
        if self._rows >= ROWS_TOGETHER:
            self.finish()

    def finish(self) -> None:
        """Hand on what waits."""
        if self._batches:
            self._work(pl.concat(self._batches))
        self._batches, self._rows = [], 0
