"""Rhythm: sends events as far apart as they were recorded, or so many times faster."""

from __future__ import annotations

from collections.abc import Sequence

from translate.delivery.columns import MILLISECONDS, clock_of, find_column
from translate.delivery.shipments import PackedRequest
from translate.mapping.spec import Layout

BAR_SECONDS = 0.25  # what is due within it goes together


class Rhythm:
    """The time of the first event of all is the run's start; the others follow, `speedup` times as fast."""

    def __init__(self, layout: Layout, speedup: float) -> None:
        self._speedup = speedup
        self._column = find_column(layout, "time")
        self._clock = clock_of(layout)
        self._origin: int | None = None

    def due(self, packed: PackedRequest, started: float) -> float:
        """Give when the first event of a request is due, on the clock of the start."""
        return self.bars(packed, range(len(packed.ways)), started)[0][1]

    def bars(
        self, packed: PackedRequest, positions: Sequence[int], started: float
    ) -> list[tuple[tuple[int, ...], float]]:
        """Cut the events at these positions of a request, in their order, into those that are due together.

        Give each bar's positions, and when its first event is due, on the clock of the start. An event without a
        time goes with its predecessor, and so does one that is out of order.
        """
        events = [packed.event(way) for way in packed.ways]
        times = (
            [self._clock(value) for value in self._column.values(packed, events)]
            if self._column
            else [None] * len(events)
        )
        bars: list[tuple[list[int], float]] = []
        for position in positions:
            due = self._due(times[position], started)
            if not bars or (due is not None and due >= bars[-1][1] + BAR_SECONDS):
                bars.append(([position], started if due is None else due))
            else:
                bars[-1][0].append(position)
        return [(tuple(bar), due) for bar, due in bars]

    def _due(self, time: int | None, started: float) -> float | None:
        if time is None:
            return None
        if self._origin is None:
            self._origin = time
        return started + (time - self._origin) / MILLISECONDS / self._speedup
