"""How far lines are drawn ahead of whoever reads them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

# Half as many as the engine works on at a time; asked for its threads, it would start them.
PROCESSORS = os.cpu_count() or 1
THREADS = os.environ.get("POLARS_MAX_THREADS") or str(PROCESSORS)
BATCHES = max(1, (int(THREADS) if THREADS.isdecimal() else PROCESSORS) // 2)
WAIT_SECONDS = 1.0  # longer than a batch is worked on; after that whoever read before may have had enough


class Ahead:
    """Holds batches of lines back until those before them are read: else the engine draws as many as it has room for."""

    def __init__(self) -> None:
        self.on_end: Callable[[], None] = lambda: None  # is called once all is drawn
        self._waiting = 0  # that nobody reads yet
        self._is_read = False
        self._changed = threading.Condition()

    def begin(self) -> None:
        """Begin to draw a text, perhaps anew."""
        with self._changed:
            self._waiting, self._is_read = 0, False

    def draw(self) -> None:
        """Wait for room for another batch; where nobody tells of reading, there always is some."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_read or self._waiting < BATCHES, WAIT_SECONDS)
            self._waiting += 1

    def read(self) -> None:
        """Tell that a batch is being read."""
        with self._changed:
            self._waiting, self._is_read = self._waiting - 1, True
            self._changed.notify()
