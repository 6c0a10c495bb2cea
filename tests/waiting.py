"""Waiting for what has to come, with an end: what does not come is named."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
PAUSE_SECONDS = 0.01


def wait_for(find: Callable[[], Found], what: str, seconds: float = 120) -> Found:
    """Give what is found as soon as it is anything."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, f"not within {seconds} seconds: {what}"
        time.sleep(PAUSE_SECONDS)
    return found
