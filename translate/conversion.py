"""The full journey: files of one model to files of another, unit by unit."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from polars.exceptions import PolarsError

from translate import plan
from translate.duplicates import Duplicates, count_identical, row_digests
from translate.envelope import PinpointBatches
from translate.errors import ConservationError, OutputError, UsageError
from translate.files import Unit, open_unit, text_bytes, units
from translate.output import OWNER_ONLY, Output, digest
from translate.plan import Job, Query
from translate.reader import Damage, Lines, Tally
from translate.recognition import Recognised
from translate.report import Report
from translate.schema import avro_schema
from translate.version import VERSION
from translate.writer import ROW

COMPRESSIONS = {"none": ("", "uncompressed"), "gzip": (".gz", "gzip"), "zstd": (".zst", "zstd")}
ENDINGS = {"json-lines": ".ndjson", "csv": ".csv", "parquet": ".parquet"}
NO_SPACE = ("no space left", "os error 28", "disk quota")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """Progress: what is done so far, of how much."""

    files: int
    files_total: int
    bytes: int
    bytes_total: int
    events: int


Progress = Callable[[Step], None]


def soundly(
    unit: Unit, scratch: Path, refused: dict[str, Damage], attempt: Callable[[Lines, bool], tuple[Result, set[str]]]
) -> tuple[Result, dict[str, str]]:
    """Work on a unit's lines in the fastest way that its content allows; give the result and the files' digests.

    Where the fast way fails, a clean copy of the text is read, batch by protected batch; where records reach over
    several lines, they are put together first.
    """
    joined: frozenset[str] = frozenset()
    protected = False
    while True:
        opened = open_unit(unit, scratch, joined=joined, salvage=protected, refused=refused)
        try:
            result, unsound = attempt(opened.lines, protected)
            digests = opened.digests()
        except (PolarsError, OSError) as error:  # the engine tells damaged compression as either
            refuse_full_disk(error)
            if protected and isinstance(error, OSError):
                raise
            if protected:
                reason = str(error).strip().splitlines()[0]
                names = ", ".join(file.shown for file in unit.files[:3])
                raise OutputError(f"{names}: could not be converted ({reason}); please report this") from error
            protected = True
            continue
        finally:
            opened.close()
        if not unsound:
            return result, digests
        joined |= unsound


def refuse_full_disk(error: BaseException) -> None:
    """Raise OutputError if the error means that there is no room to write."""
    if any(words in str(error).lower() for words in NO_SPACE):
        message = "the disk of the target directory is full; make room and repeat the call: it resumes"
        raise OutputError(message) from error


class Conversion:
    """A run of `convert`."""

    def __init__(
        self, job: Job, recognised: Recognised, directory: Path, *, compression: str = "none",
        dedupe: bool = False, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        if compression not in COMPRESSIONS:
            raise UsageError(f'no compression "{compression}" (one of: {", ".join(COMPRESSIONS)})')
        self.job = job
        self.recognised = recognised
        self.units = units(recognised.files)
        self.compression = compression
        self.dedupe = dedupe
        self.output = Output(directory, self._identity())
        self._progress = progress
        self._packed_events = 0
        self._step = Step(0, len(recognised.files), 0, sum(text_bytes(file) for file in recognised.files), 0)

    # -- what the run is ----------------------------------------------------------------------------------------

    @property
    def _target(self) -> str:
        return self.job.target_layout.address if self.job.target_layout else plan.HUB_MODEL

    def _identity(self) -> dict[str, Any]:
        """Say what makes a job the same job: inputs, mappings, recipe, settings, and how it is written."""
        job = self.job
        return {
            "inputs": digest([[file.shown, file.bytes, file.modified] for file in self.recognised.files]),
            "from": job.source_layout.address,
            "to": self._target,
            "mappings": self._mapping_digests(),
            "settings": digest(job.settings.described()),
            "selection": job.selection.described() if job.selection else None,
            "compression": self.compression,
            "dedupe": self.dedupe,
            "examples": job.examples,
            "version": VERSION,
        }

    def _mapping_digests(self) -> dict[str, str]:
        job = self.job
        digests = {job.source_mapping.file: job.source_mapping.digest}
        if job.target_mapping:
            digests[job.target_mapping.file] = job.target_mapping.digest
        if job.recipe:
            digests[Path(job.recipe.file).name] = job.recipe.digest
        return dict(sorted(digests.items()))

    def _head(self) -> dict[str, Any]:
        files = self.recognised.files
        return {
            "inputs": {"files": len(files), "bytes": sum(file.bytes for file in files)},
            "from": self.job.source_layout.address,
            "to": self._target,
            "mapping": self._mapping_digests(),
            "settings": self.job.settings.described(),
            "selection": self.job.selection.described() if self.job.selection else {},
            "version": VERSION,
        }

    def _schema(self) -> dict[str, Any] | None:
        layout = self.job.target_layout
        if layout is None or layout.schema is None:
            return None
        return avro_schema(layout, self.job.recipe.set_columns if self.job.recipe else frozenset())

    # -- the run ------------------------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Convert all units; give the report as JSON values."""
        total = Report()
        with self.output:
            try:
                duplicates = self._find_duplicates() if self.dedupe else None
                for unit in self.units:
                    report = self.output.finished(unit.number) or self._convert(unit, self._rest(total), duplicates)
                    report.check(f"unit {unit.number}")
                    total.add(report)
                    self._finish_step(unit, report)
                    if self._has_enough(total):
                        break
                total.check("in total")
                self._find_identical(total)
                return self.output.complete(total, self._head(), len(self.units), self._schema())
            except OSError as error:
                refuse_full_disk(error)
                raise OutputError(f"{self.output.directory}: {error.strerror or error}") from error

    def _taken(self, total: Report) -> int:
        left_out = sum(total.filtered[option] for option in ("--where", "--since", "--until"))
        return total.events["read"] - left_out

    def _has_enough(self, total: Report) -> bool:
        selection = self.job.selection
        return selection is not None and selection.limit is not None and self._taken(total) >= selection.limit

    def _rest(self, total: Report) -> Job:
        """Give the job with what is left of its limit."""
        selection = self.job.selection
        if selection is None or selection.limit is None:
            return self.job
        rest = dataclasses.replace(selection, limit=selection.limit - self._taken(total))
        return dataclasses.replace(self.job, selection=rest)

    def _find_duplicates(self) -> Duplicates:
        duplicates = Duplicates(self.output.scratch)
        for unit in self.units:

            def attempt(lines: Lines, protected: bool, number: int = unit.number) -> tuple[None, set[str]]:  # noqa: FBT001
                ids, unsound = plan.event_ids(self.job, lines, protected=protected)
                duplicates.gather(number, ids)
                return None, unsound()

            soundly(unit, self.output.scratch, self.recognised.refused_in(unit.files), attempt)
        duplicates.find()
        return duplicates

    def _convert(self, unit: Unit, job: Job, duplicates: Duplicates | None) -> Report:
        marked = duplicates.of_unit(unit.number) if duplicates else None

        def attempt(lines: Lines, protected: bool) -> tuple[tuple[Report, Path | None, Path], set[str]]:  # noqa: FBT001
            tally = Tally(on_batch=self._count_batch) if self._progress else Tally()
            query = plan.build(job, lines, protected=protected, tally=tally, duplicates=marked)
            result = self._write(unit, query)
            if not query.reader.unsound:
                self._hold_against(tally, *result[:2])
            return result, query.reader.unsound

        (report, part, rejects), digests = soundly(unit, self.output.scratch, self.recognised.refused_in(unit.files), attempt)
        self._describe_files(unit, report, digests)
        self.output.finish_unit(unit.number, part, rejects, report)
        return report

    def _hold_against(self, tally: Tally, report: Report, part: Path | None) -> None:
        """Hold the account against what the reader handed over and what lies in the part: counted apart from it."""
        selection = self.job.selection
        if tally.records != report.events["read"] and (selection is None or selection.limit is None):
            raise ConservationError(f"{tally.records} records were read, but {report.events['read']} are accounted for")
        written = 0 if part is None else self._events_in(part)
        if written != report.events["written"]:
            raise ConservationError(f"{report.events['written']} events should be in {part}, but {written} are")

    def _events_in(self, part: Path) -> int:
        layout = self.job.target_layout
        if layout is None:
            return int(pl.scan_parquet(part).select(pl.len()).collect().item())
        if layout.envelope is not None:
            return self._packed_events
        lines = int(pl.scan_lines(part).select(pl.len()).collect(engine="streaming").item())
        return lines - (layout.records == "csv")

    def _describe_files(self, unit: Unit, report: Report, digests: dict[str, str]) -> None:
        counted = {file["path"]: file for file in report.files}
        report.files = []
        for file in unit.files:
            model, _, layout = self.recognised.layouts.get(file.shown, "").partition("/")
            about = {"path": file.shown, "bytes": file.bytes, "digest": digests.get(file.shown, ""), "model": model, "layout": layout}
            report.files.append({**about, **counted.get(file.shown, dict.fromkeys(plan.FILE_COUNTS, 0))})

    # -- writing ------------------------------------------------------------------------------------------------

    def _write(self, unit: Unit, query: Query) -> tuple[Report, Path | None, Path]:
        """Run a unit's query once, into all its sinks."""
        scratch = self.output.scratch
        rejects = scratch / f"rejects-{unit.number:05}.ndjson"
        notes = scratch / "notes.parquet"
        os.close(os.open(rejects, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY))
        part, sink, finish = self._data_sink(unit, query)
        lazy = [
            sink,
            plan.rejects(query.rows).sink_csv(rejects, include_header=False, quote_style="never", lazy=True, check_extension=False),
            plan.counts(query.rows),
            plan.counts_of_flags(query.rows),
            plan.notes(query.rows).sink_parquet(notes, lazy=True),
        ]
        if self._rows_may_meet():
            lazy.append(row_digests(query).sink_parquet(self._digests_file(unit), lazy=True))
        results = pl.collect_all(lazy, engine="streaming")
        finish()
        noted = plan.counts_of_notes(pl.scan_parquet(notes), query.source).collect(engine="streaming")
        report = plan.account(query, results[2], results[3], noted)
        return report, part if report.events["written"] else None, rejects

    def _data_sink(self, unit: Unit, query: Query) -> tuple[Path, pl.LazyFrame, Callable[[], None]]:
        rows = query.rows.filter(plan.WRITTEN)
        layout = self.job.target_layout
        if layout is None:
            part = self._part(unit, ENDINGS["parquet"])
            return part, rows.select(query.columns).sink_parquet(part, lazy=True), _nothing
        ending, compression = COMPRESSIONS[self.compression]
        part = self._part(unit, ENDINGS[layout.records] + ending)
        options: Any = {"compression": compression, "check_extension": False, "lazy": True}
        if layout.records == "csv":
            table = rows.select(pl.col(name).alias(name.removeprefix("=")) for name in query.columns)
            return part, table.sink_csv(part, quote_style="necessary", **options), _nothing
        if layout.envelope is None:
            return part, rows.select(ROW).sink_csv(part, include_header=False, quote_style="never", **options), _nothing
        return self._packed(part, rows.select(query.columns), options)

    def _packed(self, part: Path, rows: pl.LazyFrame, options: dict[str, Any]) -> tuple[Path, pl.LazyFrame, Callable[[], None]]:
        """Pack rows into requests as they come; compress what came of it."""
        layout = self.job.target_layout
        if layout is None or layout.envelope is None:
            raise AssertionError
        plain = part.with_name("requests")
        output = plain.open("wb")
        batches = PinpointBatches(layout.envelope, output)

        def finish() -> None:
            batches.finish()
            self._packed_events = batches.packed
            output.close()
            if self.compression == "none" or plain.stat().st_size == 0:
                plain.replace(part)
                return
            requests = pl.scan_lines(plain)
            requests.sink_csv(part, include_header=False, quote_style="never", engine="streaming", **{**options, "lazy": False})

        return part, rows.sink_batches(batches.add, lazy=True, maintain_order=True), finish

    def _part(self, unit: Unit, ending: str) -> Path:
        return self.output.scratch / f"part-{unit.number:05}{ending}"

    # -- rows that become identical -----------------------------------------------------------------------------

    def _rows_may_meet(self) -> bool:
        """Tell whether the target has whole seconds only, and no id that keeps rows apart."""
        layout = self.job.target_layout
        return layout is not None and any(entry.codec == "epoch_s" for entry in layout.fields)

    def _digests_file(self, unit: Unit) -> Path:
        return self.output.state / f"digests-{unit.number:05}.parquet"

    def _find_identical(self, total: Report) -> None:
        if self._rows_may_meet():
            files = [self._digests_file(unit) for unit in self.units]
            count = count_identical([file for file in files if file.exists()], total.events["written"])
            total.find("identical_rows", "rows that are identical to an earlier one", count)

    # -- progress -----------------------------------------------------------------------------------------------

    def _count_batch(self, count_bytes: int, events: int) -> None:
        self._step = dataclasses.replace(self._step, bytes=self._step.bytes + count_bytes, events=self._step.events + events)
        if self._progress:
            self._progress(self._step)

    def _finish_step(self, unit: Unit, report: Report) -> None:
        del report
        self._step = dataclasses.replace(self._step, files=self._step.files + len(unit.files))
        if self._progress:
            self._progress(self._step)


def _nothing() -> None:
    """Do nothing: the sink wrote all there is."""
