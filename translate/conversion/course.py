"""How far a pass over an archive is, for whoever is shown it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from translate.archive.stored import SourceFile
from translate.archive.units import text_bytes
from translate.conversion.progress import Progress, Step


class Course:
    """How far a run is: of what is to come it knows the stored bytes, and how long the text of such was so far."""

    def __init__(self, files: Iterable[SourceFile], show: Progress | None) -> None:
        self.show = show
        self._guard = threading.Lock()
        self._files = self._files_total = self._bytes = self._events = 0
        self._to_come = 0  # the text of what is to come, as it was estimated
        self._counted = self._estimated = self._at_last = 0  # the text of what is done
        for file in files:
            self._files_total += 1
            self._to_come += text_bytes(file)

    def count(self, count_bytes: int, events: int) -> None:
        """Take note of a batch that is read, here or elsewhere."""
        with self._guard:
            self._bytes += count_bytes
            self._events += events
            self._tell()

    def finish(self, files: Iterable[SourceFile]) -> None:
        """Take note of a unit that is done, now or by an earlier run."""
        with self._guard:
            estimated = 0
            for file in files:
                self._files += file.ends_here
                estimated += text_bytes(file)
            self._to_come -= estimated
            if self._bytes > self._at_last:
                self._counted += self._bytes - self._at_last
                self._estimated += estimated
                self._at_last = self._bytes
            self._tell()

    def _tell(self) -> None:
        if self.show is not None:
            likely = self._to_come * self._counted // self._estimated if self._estimated else self._to_come
            total = max(self._counted + likely, self._bytes)
            self.show(Step(self._files, self._files_total, self._bytes, total, self._events))
