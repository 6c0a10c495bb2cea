"""How far a run is, and a bar that shows it on standard error; silent where that is no terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from translate.archive.stored import SourceFile
from translate.archive.units import text_bytes

if TYPE_CHECKING:
    import rich.progress  # noqa: TID251


@dataclass(frozen=True)
class Step:
    """Progress: what is done so far, of how much."""

    files: int
    files_total: int
    bytes: int
    bytes_total: int
    events: int


Progress = Callable[[Step], None]


class Bar:
    """Shows files, bytes, events, rate and the time left."""

    def __init__(self) -> None:
        self._progress = _rich_progress() if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._task = self._progress.add_task("convert", total=None, files="0", events=0)
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Leave the terminal to what comes next."""
        if self._progress is not None:
            self._progress.stop()

    def show(self, step: Step) -> None:
        """Show how far the run is."""
        if self._progress is None:
            return
        self._progress.update(
            self._task,
            total=step.bytes_total,
            completed=step.bytes,
            files=f"{step.files:,}/{step.files_total:,}",
            events=step.events,
        )


def _rich_progress() -> rich.progress.Progress:
    """Make the bar; rich takes a while to import, and most runs have no terminal."""
    from rich import console, progress  # noqa: PLC0415, TID251

    return progress.Progress(
        progress.BarColumn(),
        progress.TextColumn("{task.fields[files]} files"),
        progress.DownloadColumn(),
        progress.TextColumn("{task.fields[events]:,} events"),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=console.Console(file=sys.stderr),
        transient=True,
    )


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
