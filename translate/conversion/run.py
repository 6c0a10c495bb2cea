"""The full journey: files of one model to files of another, unit by unit."""

from __future__ import annotations

import contextlib
import datetime as dt
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from translate.archive.batches import Lines
from translate.archive.units import Unit
from translate.conversion import closing, nothing, ordered
from translate.conversion.erased import note_unit, proof_of
from translate.conversion.identity import Task, changed, is_same, refuse_changed
from translate.conversion.job import Job, refuse_uncounted
from translate.conversion.output import BEFORE_ORDER, FILES, WrittenUnit, output_of
from translate.conversion.reading import (
    Course,
    Progress,
    Readings,
    in_relay,
    look_into,
    look_through,
    refuse_full_disk,
)
from translate.conversion.report import RunReport
from translate.conversion.sinks import Sinks, rows_beside
from translate.engine.choice import engine_name, give_back
from translate.errors import OutputError, refuse_bytes
from translate.judging.preflight import Forecast
from translate.judging.survey import Count, Questions, Surveyed
from translate.passes import Asked, Passes
from translate.reader.reader import Tally
from translate.reader.recognition import Recognised

if TYPE_CHECKING:
    from translate.conversion.bucket_output import BucketTarget
    from translate.conversion.errands import Crew

NOTHING = Asked()


class Conversion:
    """A run of `convert`."""

    def __init__(
        self, job: Job, recognised: Recognised, directory: Path | BucketTarget, *, compression: str = "none",
        asked: Asked = NOTHING, progress: Progress | None = None, attempt: str = "",
    ) -> None:  # fmt: skip
        refuse_bytes(str(directory), "a target directory")
        self.job = job
        self.recognised = recognised
        if job.census:
            refuse_uncounted(source.layout for source in recognised.sources)
        self.asked = asked
        self._task = Task(job, recognised, asked, compression)
        self.target = directory
        self.output = output_of(directory, self.identity(), attempt)
        if job.lake or job.order:
            self.output.rows = self.output.state / BEFORE_ORDER
        self._readings = Readings(job, recognised, self.output.scratch, digested=True)
        self.units = self._readings.units
        self.sinks = Sinks(job, self.output.scratch, self.output.beside, compression=compression)
        self.crew: Crew | None = None  # else all units are made here
        self.kept_texts: Path | None = None  # where that is kept which events had for hashes of a list
        self.finished_already = False  # once it ran
        self.surveyed = Surveyed()
        self._questions = None
        self._answers: Count | None = None
        if job.target:
            mapping, layout = job.target
            self._questions = Questions(mapping.delivery, layout)
        self.course = Course(recognised.files, progress)

    def identity(self) -> dict[str, Any]:
        """Say what makes a job the same job."""
        return self._task.identity()

    # -- the run ------------------------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Convert all units; give the report as JSON values, the one that lies there if this was done already."""
        done = self.output.result()
        if done is not None and is_same(self._task.head(), done) and self._is_of_these_files():
            self.output.tidy()
            self.finished_already = True
            return done
        total = RunReport()
        with self.output:
            try:
                passes = self._look_through() if self.asked else None
                if self.crew:
                    self.crew.make(self, passes)
                files = closing.FileAccounts(self.output.scratch / FILES)
                with contextlib.closing(self._accounts(passes, total)) as accounts:
                    for unit, report in accounts:
                        report.check(f"unit {unit.number}")
                        total.add(report)
                        self._take_answers(unit)
                        files.add(report.files)
                        report.files = []  # there may be ten thousand, while the next unit is made
                        if self.crew is None:
                            self.course.finish(unit.files)
                        if closing.has_enough(self.job, total):
                            break
                total.check("in total")
                closing.find_identical(total, self.sinks, self.units)
                closing.find_unordered(total, self.job, self.sinks, self.units)
                closing.find_meetings(total, self.job)
                closing.find_slips(total, self.job)
                head = {
                    **nothing.why_nothing_written(total, self._readings), **self._task.head(), "hazards": self._look_at_hazards(),
                    **closing.rules_told(total, self.job), **(self._gather_keys() if self.job.census else {}),
                    "engine": engine_name(careful=self.job.careful_only),
                }  # fmt: skip
                if self.job.lake or self.job.order:
                    compression, written = self.sinks.compression, total.events["written"]
                    ordered.complete(self.output, self.job, compression, written)
                told, proof = files.finish(unit.files[-1]), proof_of(self, map(self._erased_file, self.units))
                return self.output.complete(total, head, len(self.units), self._task.schema(), told, proof)
            except OSError as error:
                refuse_full_disk(error)
                raise OutputError(f"{self.output.shown}: {error.strerror or error}") from error

    def _accounts(
        self, passes: Passes | None, total: RunReport
    ) -> Generator[tuple[Unit, RunReport], None, None]:
        """Give the account of each unit, made now or kept; `total` is what those before it add up to."""
        if not self._are_apart:
            for unit in self.told_units():
                kept = self._kept(unit, trusted=self.crew is not None)
                yield (
                    unit,
                    kept or self._convert(unit, closing.rest_of(self.job, total), passes, total.requests + 1),
                )
            return

        def make(unit: Unit, on_drawn: Callable[[], None]) -> RunReport | tuple[WrittenUnit, dict[str, str]]:
            return self._kept(unit) or self._written(unit, self.job, passes, sequence=1, on_drawn=on_drawn)

        # Closed here, not whenever Python finds it: it waits for units, and who is interrupted then is to be told.
        with contextlib.closing(in_relay(self.told_units(), make)) as relay:
            for unit, made in relay:
                yield unit, made if isinstance(made, RunReport) else self._finished(unit, *made)

    @property
    def _are_apart(self) -> bool:
        """Tell whether each unit can be made here without knowing what came of those before it."""
        selection, layout = self.job.selection, self.job.target_layout
        knows_enough = selection.limit is None and not selection.erase
        return self.crew is None and knows_enough and (layout is None or layout.request is None)

    def _is_of_these_files(self) -> bool:
        """Tell whether the result that lies there was made of the files that are here, as they are."""
        try:
            return not any(changed(self.output.told_files(), self.recognised.files))
        except (OSError, ValueError, RecursionError):
            return False

    def _look_through(self) -> Passes:
        if self.crew is None:
            return look_through(self._readings, self.asked)
        passes = Passes(self.output.scratch, self.asked)
        self.crew.survey(self, passes)
        passes.find()
        return passes

    def told_units(self) -> Iterator[Unit]:
        """Give all units, each with what comes before it."""
        return map(self._readings.told, self.units)

    def remaining(self) -> Iterator[Unit]:
        """Give the units that no earlier run finished."""
        for unit in self.told_units():
            if self._kept(unit) is None:
                yield unit
            else:
                self.course.finish(unit.files)

    def look_into(self, unit: Unit, passes: Passes) -> None:
        """Read a unit for what the passes of the run that holds the directory need to know."""
        look_into(self._readings, unit, passes)

    def make(self, unit: Unit, passes: Passes | None, sequence: int) -> None:
        """Make a unit for the run that holds the directory."""
        self._convert(unit, self.job, passes, sequence).check(f"unit {unit.number}")

    def requests_of(self, unit: Unit, passes: Passes | None) -> int:
        """Count the requests that a unit becomes; what was written for that is not kept."""
        return self._written(unit, self.job, passes, sequence=1)[0].report.requests

    def _kept(self, unit: Unit, *, trusted: bool = False) -> RunReport | None:
        """Give the account of a finished unit; nothing if its files are not as they were left, which a crew is trusted in."""
        kept = self.output.kept(unit.number, trusted=trusted)
        if kept is None:
            return None
        report, different = kept
        if not trusted:
            refuse_changed(report.files, unit.files)
        for path in different:
            warnings.warn(f"{path}: is not as it was written; it is made again", stacklevel=2)
        return None if different else report

    def _convert(self, unit: Unit, job: Job, passes: Passes | None, sequence: int) -> RunReport:
        return self._finished(unit, *self._written(unit, job, passes, sequence))

    def _finished(self, unit: Unit, written: WrittenUnit, digests: dict[str, str]) -> RunReport:
        """Let a unit's files appear, and write down that it is done; give its account."""
        address = self.recognised.sources[unit.source].layout.address
        layouts = {file.shown: address for file in unit.files if file.shown not in self.recognised.refused}
        written.report.files = closing.described_files(unit, written.report.files, digests, layouts)
        beside = [
            file
            for file in (
                self.sinks.digests_file(unit.number),
                self.sinks.answers_file(unit.number),
                self._keys_file(unit, self.output.beside),
                self._erased_file(unit, self.output.beside),
            )
            if file.exists()
        ]
        self.output.finish_unit(unit.number, written, beside)
        give_back()  # or what was freed of each unit would stay between what the next ones use
        return written.report

    def _written(
        self, unit: Unit, job: Job, passes: Passes | None, sequence: int, on_drawn: Callable[[], None] | None = None
    ) -> tuple[WrittenUnit, dict[str, str]]:  # fmt: skip
        """Write a unit's rows to scratch; give what came of it, and the digests of its files."""
        marks = passes.of_unit(unit.number, self.output.scratch) if passes else None
        job = job.reading(self.recognised.sources[unit.source])

        def attempt(lines: Lines) -> tuple[WrittenUnit, set[str]]:
            if on_drawn is not None:
                lines.ahead.on_end = on_drawn
            tally = Tally(on_batch=self.course.count if self.course.show else None)
            written, query, keys = self.sinks.convert(
                job, unit.number, lines, sequence, tally=tally, questions=self._questions, marks=marks
            )
            if query.erasing:
                note_unit(query.erasing, self._erased_file(unit, self.output.beside))
            if keys is not None and not query.unsound:
                keys.checked().write_parquet(self._keys_file(unit, self.output.beside))
            return written, query.unsound

        return self._readings.read_digested(unit, attempt)

    # -- hazards ------------------------------------------------------------------------------------------------

    def _take_answers(self, unit: Unit) -> None:
        """Count what a unit's rows answer to the questions of the target's hazards, while the next ones are made."""
        if self._questions is None or not self._questions.hazards:
            return
        self._answers = self._answers or Count(self._questions, self.output.scratch)
        self._answers.with_all(rows_beside([self.sinks.answers_file(unit.number)]))

    def _look_at_hazards(self) -> list[dict[str, Any]]:
        if self._answers is None:
            return []
        self.surveyed = self._answers.result()
        return closing.hazards_told(self.job, self.surveyed)

    def hazards_at(self, now: dt.datetime) -> list[Forecast]:
        """Say what the target does with the rows that were written, as of some moment."""
        return closing.hazards_at(self.job, self.surveyed, now)

    # -- what lies beside a unit's rows --------------------------------------------------------------------------

    def _erased_file(self, unit: Unit, folder: Path | None = None) -> Path:
        return (folder or self.output.state) / f"erased-{unit.number:05}.json"

    def _keys_file(self, unit: Unit, folder: Path | None = None) -> Path:
        return (folder or self.output.state) / f"keys-{unit.number:05}.parquet"

    def _gather_keys(self) -> dict[str, Any]:
        """Write down what became of each key; give the sums for the report."""
        from translate.conversion.census.fates import as_lines, summary, together  # noqa: PLC0415  seldom asked for

        whole = together(map(pl.scan_parquet, filter(Path.exists, map(self._keys_file, self.units))))
        self.output.write_whole(self.output.directory / "keys.ndjson", as_lines(whole))
        return {"keys": summary(whole)}
