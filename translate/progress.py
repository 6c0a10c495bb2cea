"""A progress bar on standard error; silent where that is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console  # noqa: TID251
from rich.progress import (  # noqa: TID251
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from translate.conversion import Step


class Bar:
    """Shows files, bytes, events, rate and the time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[files]} files"),
            DownloadColumn(),
            TextColumn("{task.fields[events]:,} events"),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("convert", total=None, files="0", events=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def clear(self) -> None:
        """Leave the terminal to what comes next."""
        self._progress.stop()

    def show(self, step: Step) -> None:
        """Show how far the run is."""
        self._progress.update(
            self._task,
            total=max(step.bytes_total, step.bytes),
            completed=step.bytes,
            files=f"{step.files:,}/{step.files_total:,}",
            events=step.events,
        )
