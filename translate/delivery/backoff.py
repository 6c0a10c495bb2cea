"""Backoff: how long to wait before trying again, exponentially longer, with full jitter."""

from __future__ import annotations

from random import Random

BASE_SECONDS = 0.2
MOST_SECONDS = 60.0


def wait_seconds(attempt: int, random: Random) -> float:
    """Give the seconds before an attempt after this one (from 1): anything from none to the doubled bound."""
    return random.uniform(0, min(MOST_SECONDS, BASE_SECONDS * 2.0 ** (attempt - 1)))
