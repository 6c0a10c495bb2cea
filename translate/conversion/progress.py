"""A progress bar on standard error; silent where that is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress  # noqa: TID251

    from translate.conversion.run import Step


class Bar:
    """Shows files, bytes, events, rate and the time left."""

    def __init__(self) -> None:
        self._progress = _progress() if sys.stderr.isatty() else None

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
            total=max(step.bytes_total, step.bytes),
            completed=step.bytes,
            files=f"{step.files:,}/{step.files_total:,}",
            events=step.events,
        )


def _progress() -> Progress:
    """Make the bar; rich takes a while to import, and most runs have no terminal."""
    from rich.console import Console  # noqa: PLC0415, TID251
    from rich.progress import (  # noqa: PLC0415, TID251
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        BarColumn(),
        TextColumn("{task.fields[files]} files"),
        DownloadColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
