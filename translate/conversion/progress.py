"""How far a run is, and a bar that shows it on standard error; silent where that is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

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

    def __exit__(self, *_: object) -> None:
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
