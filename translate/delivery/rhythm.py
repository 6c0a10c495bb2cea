"""Rhythm: sends events as far apart as they were recorded, or so many times faster."""

from __future__ import annotations

from translate.delivery.columns import MILLISECONDS, clock_of, find_column
from translate.delivery.shipments import PackedRequest
from translate.mapping.spec import Layout


class Rhythm:
    """The time of the first event of all is the run's start; the others follow, `speedup` times as fast."""

    def __init__(self, layout: Layout, speedup: float) -> None:
        self._speedup = speedup
        self._column = find_column(layout, "time")
        self._clock = clock_of(layout)
        self._origin: int | None = None

    def due(self, packed: PackedRequest, started: float) -> float:
        """Give when a request is due, which is when the earliest of its events is, on the clock of the start."""
        events = [packed.event(way) for way in packed.ways]
        times = map(self._clock, self._column.values(packed, events) if self._column else ())
        earliest = min((time for time in times if time is not None), default=None)
        if earliest is None:
            return started
        if self._origin is None:
            self._origin = earliest
        return started + (earliest - self._origin) / MILLISECONDS / self._speedup
