"""How the units of a source are read: each in the fastest way that its content allows, as often as that takes."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from polars.exceptions import PolarsError

from translate.archive import units as units_of_work
from translate.archive.batches import Lines
from translate.archive.stored import SourceFile
from translate.archive.stretches import Walk, stretches_of
from translate.archive.units import Unit, open_unit, text_bytes, units_of
from translate.conversion import plan
from translate.conversion.job import Job
from translate.errors import OutputError
from translate.passes import Asked, Passes
from translate.reader.recognition import Origin, Recognised

Result = TypeVar("Result")
Made = TypeVar("Made")
# Of a unit that may be on its way beside another one: whoever interrupts a run waits for it.
TEXT_BYTES_MAX = 256 << 20
NO_SPACE = ("no space left", "os error 28", "disk quota")


def soundly(
    unit: Unit, scratch: Path, recognised: Recognised, attempt: Callable[[Lines], tuple[Result, set[str]]],
    *, digested: bool = False,
) -> tuple[Result, dict[str, str]]:  # fmt: skip
    """Work on a unit's lines in the fastest way that its content allows; give the result and, if asked, the files' digests.

    Where the text cannot be read as it is stored, a clean copy of it is; where records reach over
    several lines, they are put together first.
    """
    joined: frozenset[str] = frozenset()
    salvaged, refused = False, recognised.refused_in(unit.files)
    while True:
        opened = open_unit(unit, scratch, joined=joined, salvage=salvaged, refused=refused, digested=digested)
        try:
            result, unsound = attempt(opened.lines)
            digests = opened.digests()
        except (PolarsError, OSError) as error:  # the engine tells damaged compression as either
            refuse_full_disk(error)
            if salvaged and isinstance(error, OSError):
                raise
            if salvaged:
                reason = str(error).strip().splitlines()[0]
                names = ", ".join(file.shown for file in unit.files[:3])
                raise OutputError(
                    f"{names}: could not be converted ({reason}); please report this"
                ) from error
            salvaged = True
            continue
        finally:
            opened.close()
        if not unsound:
            return result, digests
        joined |= unsound


def refuse_full_disk(error: BaseException) -> None:
    """Raise OutputError if the error means that there is no room to write."""
    if any(words in str(error).lower() for words in NO_SPACE):
        message = f"the disk of the target directory, or of temporary files ({tempfile.gettempdir()}), is full; make room and repeat the call: it resumes"
        raise OutputError(message) from error


@dataclass(frozen=True)
class Readings:
    """The units of a source, and how each of them is read for a job; those that write what is told of files need digests."""

    job: Job
    recognised: Recognised
    scratch: Path
    digested: bool = False
    cut: bool = True  # whether large files are

    @cached_property
    def units(self) -> list[Unit]:
        """Give the units, in their order."""
        return units_of(map(self._pieces, self.recognised.sources), self._part_bytes)

    @property
    def _part_bytes(self) -> int:
        return self.job.part_bytes or units_of_work.PART_BYTES

    def _pieces(self, source: Origin) -> Iterator[SourceFile]:
        """Give the files of a layout, the large ones in stretches; a table's quotes would have to be followed from its beginning."""
        for file in source.files:
            if not self.cut or source.layout.records != "json-lines" or file.shown in self.recognised.refused:
                yield file
            else:
                yield from stretches_of(file, self._part_bytes)

    @cached_property
    def _walk(self) -> Walk:
        return Walk((file for unit in self.units for file in unit.files), digested=self.digested)

    def told(self, unit: Unit) -> Unit:
        """Give a unit that knows how many lines of its file come before it."""
        if unit.files[0].stretch is None:
            return unit
        return replace(unit, files=tuple(map(self._walk.told, unit.files)))

    def job_of(self, unit: Unit) -> Job:
        """Give the job for a unit's layout."""
        return self.job.reading(self.recognised.sources[unit.source])

    def read(self, unit: Unit, attempt: Callable[[Lines], tuple[Result, set[str]]]) -> Result:
        """Work on a unit's lines; give the result."""
        return soundly(self.told(unit), self.scratch, self.recognised, attempt)[0]

    def read_digested(
        self, unit: Unit, attempt: Callable[[Lines], tuple[Result, set[str]]]
    ) -> tuple[Result, dict[str, str]]:
        """Work on a unit's lines; give the result and the files' digests."""
        return soundly(self.told(unit), self.scratch, self.recognised, attempt, digested=True)

    def each(self, attempt: Callable[[Job, Lines], tuple[Result, set[str]]]) -> Iterator[tuple[Unit, Result]]:
        """Work on unit after unit."""
        for unit in self.units:
            yield unit, self.read(unit, partial(attempt, self.job_of(unit)))


def look_through(readings: Readings, asked: Asked) -> Passes:
    """Read the whole archive for what the passes need to know."""
    passes = Passes(readings.scratch, asked)
    for unit in readings.units:
        look_into(readings, unit, passes)
    passes.find()
    return passes


def look_into(readings: Readings, unit: Unit, passes: Passes) -> None:
    """Read a unit for what the passes need to know."""

    def attempt(lines: Lines) -> tuple[None, set[str]]:
        surveyed, unsound = plan.survey(readings.job_of(unit), lines)
        passes.gather(unit.number, surveyed)
        return None, unsound

    readings.read(unit, attempt)


# -- how far a run is ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Progress: what is done so far, of how much."""

    files: int
    files_total: int
    bytes: int
    bytes_total: int
    events: int


Progress = Callable[[Step], None]


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


# -- units one after the other, each begun while the last rows of the one before are still on their way ---------------
# Of a unit the engine's first and last batches keep one processor busy, and settling its files none.


def in_relay(
    units: Iterable[Unit], make: Callable[[Unit, Callable[[], None]], Made]
) -> Generator[tuple[Unit, Made], None, None]:
    """Make units, and give them in their order; `make` gets what to call once all lines of its unit are drawn.

    Two of them are on their way at most. Those that may be long are made by themselves.
    """

    def made_in_relay(unit: Unit, is_drawn: threading.Event) -> Made:
        try:
            return make(unit, is_drawn.set)
        finally:
            is_drawn.set()  # however its lines were drawn

    with ThreadPoolExecutor(2, thread_name_prefix="unit") as makers:
        before: tuple[Unit, Future[Made]] | None = None
        for unit in units:
            if not _is_short(unit):
                if before is not None:
                    yield before[0], before[1].result()
                    before = None
                yield unit, make(unit, lambda: None)
                continue
            is_drawn = threading.Event()
            made = makers.submit(made_in_relay, unit, is_drawn)
            if before is not None:
                yield before[0], before[1].result()
            is_drawn.wait()
            before = unit, made
        if before is not None:
            yield before[0], before[1].result()


def _is_short(unit: Unit) -> bool:
    """Tell whether a unit is read from here in a moment; one of several files is."""
    first, *others = unit.files
    return not first.is_remote and (bool(others) or text_bytes(first) <= TEXT_BYTES_MAX)
