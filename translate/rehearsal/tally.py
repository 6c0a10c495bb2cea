"""Counts of what came in, in total and by target, and the busiest second."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

WINDOW_SECONDS = 1.0


class Busiest:
    """The most requests and events in any window of a second, wherever it begins; memory for one second only."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()
        self._events = self._latest = 0.0
        self.requests = self.events = 0

    def add(self, at_seconds: float, events: int) -> None:
        """Count a request that arrived at this monotonic time."""
        # Two connections may finish in another order than they began.
        self._latest = at = max(at_seconds, self._latest)
        recent = self._recent
        while recent and recent[0][0] <= at - WINDOW_SECONDS:
            self._events -= recent.popleft()[1]
        recent.append((at, events))
        self._events += events
        self.requests = max(self.requests, len(recent))
        self.events = max(self.events, int(self._events))


class Tally:
    """Counts of one target, or of all: events = accepted + rejected + deferred."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.misbehaviour: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.busiest = Busiest()

    def to_json(self) -> dict[str, Any]:
        """Give the counts as `/_stats` tells them."""
        names = (
            "requests",
            "events",
            "accepted",
            "rejected",
            "deferred",
            "lost_later",
            "answers_lost",
            "bytes",
        )
        return {
            **{name: self.counts[name] for name in names},
            "statuses": dict(sorted(self.statuses.items())),
            "reasons": dict(sorted(self.reasons.items())),
            "misbehaviour": dict(sorted(self.misbehaviour.items())),
            "notes": dict(sorted(self.notes.items())),
            "busiest_second": {"requests": self.busiest.requests, "events": self.busiest.events},
        }


class Quota:
    """Lets a number of requests through in any second."""

    def __init__(self) -> None:
        self._passed: deque[float] = deque()

    def lets(self, at_seconds: float, per_second: int) -> bool:
        """Tell whether a request that comes at this monotonic time is within the quota; count it if it is."""
        while self._passed and self._passed[0] <= at_seconds - WINDOW_SECONDS:
            self._passed.popleft()
        if len(self._passed) >= per_second:
            return False
        self._passed.append(at_seconds)
        return True
