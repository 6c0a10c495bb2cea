"""Where a replay stops on its own, and how much it does at a time, if nobody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

IN_FLIGHT_MAX = 8  # requests under way at a time
ATTEMPTS_MAX = 30  # in a row, for one shipment: about ten minutes with backoff


@dataclass(frozen=True)
class Bounds:
    """Where a run stops on its own: `hours`, `requests` and `events` are caps; the others count events never accepted."""

    errors: int = 1000
    error_share: float = 0.1
    events: int | None = None
    requests: int | None = None
    hours: float | None = None
    attempts: int = ATTEMPTS_MAX
