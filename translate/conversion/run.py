"""The full journey: files of one model to files of another, unit by unit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from polars.exceptions import PolarsError

from translate.archive.recognition import Recognised
from translate.archive.units import Unit, open_unit, text_bytes, units_of
from translate.conversion import nothing_written, plan
from translate.conversion.identical import count_identical
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.meetings import meetings
from translate.conversion.naming import NAMES_MAX
from translate.conversion.output import Output, digest
from translate.conversion.report import COUNTS, NAMES_MEET, Report
from translate.conversion.resumption import changed, is_same, refuse_changed
from translate.conversion.sinks import Sinks, Written
from translate.delivery.preflight import Forecast, judge
from translate.delivery.questions import Questions, Surveyed
from translate.delivery.survey import survey_rows
from translate.engine.choice import engine_name
from translate.errors import ConservationError, OutputError, refuse_bytes
from translate.events import EPOCH
from translate.mapping.moved import moved_keys
from translate.passes import Asked, Passes
from translate.reader.hub import Hub
from translate.reader.reader import Damage, Lines, Tally
from translate.recipe import slips
from translate.recipe.privacy import fingerprint, key_of_environment
from translate.recipe.selection import OPTIONS
from translate.recipe.watch import Wanted, Watch
from translate.telling.census.fates import Fates, as_lines, refuse_uncounted, summary, together
from translate.version import VERSION
from translate.writer.schema import avro_schema

NOTHING = Asked()
EMPTY_REQUESTS = "requests, or parts of them, without an event: nothing of what they hold is read"
MEETINGS_MAX = 100
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
    unit: Unit, scratch: Path, refused: dict[str, Damage], attempt: Callable[[Lines], tuple[Result, set[str]]],
    *, digested: bool = False,
) -> tuple[Result, dict[str, str]]:  # fmt: skip
    """Work on a unit's lines in the fastest way that its content allows; give the result and, if asked, the files' digests.

    Where the text cannot be read as it is stored, a clean copy of it is; where records reach over
    several lines, they are put together first.
    """
    joined: frozenset[str] = frozenset()
    salvaged = False
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
        message = "the disk of the target directory is full; make room and repeat the call: it resumes"
        raise OutputError(message) from error


class Conversion:
    """A run of `convert`."""

    def __init__(
        self, job: Job, recognised: Recognised, directory: Path, *, compression: str = "none",
        asked: Asked = NOTHING, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        refuse_bytes(str(directory), "a target directory")
        self.job = job
        self.recognised = recognised
        if job.census:
            refuse_uncounted(source.layout for source in recognised.sources)
        self.units = units_of(source.files for source in recognised.sources)
        self.compression = compression
        self.asked = asked
        self.output = Output(directory, self.identity())
        self.sinks = Sinks(job, self.output.scratch, self.output.state, compression=compression)
        self.finished_already = False  # once it ran
        self.surveyed = Surveyed()
        self._questions = None
        if job.target_mapping and job.target_layout:
            self._questions = Questions(job.target_mapping.delivery, job.target_layout)
        self._progress = progress
        self._step = Step(0, len(recognised.files), 0, sum(text_bytes(file) for file in recognised.files), 0)

    # -- what the run is ----------------------------------------------------------------------------------------

    @property
    def _target(self) -> str:
        return self.job.target_layout.address if self.job.target_layout else HUB_MODEL

    def identity(self) -> dict[str, Any]:
        """Say what makes a job the same job: inputs, mappings, recipe, settings, and how it is written."""
        job = self.job
        return {
            "inputs": digest(
                [[file.shown, file.bytes, file.modified, file.tag] for file in self.recognised.files]
            ),
            "from": self.recognised.address,
            "to": self._target,
            "mappings": self._mapping_digests(),
            "settings": digest(job.settings.described()),
            **self._own_columns(),
            "selection": job.selection.described() if job.selection else None,
            **self._options(),
            "hash_key": fingerprint(key_of_environment()) if job.recipe and job.recipe.needs_key else None,
            "version": VERSION,
        }

    def _options(self) -> dict[str, Any]:
        return {
            "compression": self.compression,
            **self.asked.described(),
            "examples": self.job.examples,
            "census": self.job.census,
        }

    def _own_columns(self) -> dict[str, Any]:
        """Say which columns of its own the target gets, if it gets some: those of the source's tables are in no file of ours."""
        own = self.job.target_layout.own if self.job.target_layout else ()
        return {"columns": [[entry.place, entry.own.type] for entry in own if entry.own]} if own else {}

    def _mapping_digests(self) -> dict[str, str]:
        job = self.job
        digests = {source.mapping.file: source.mapping.digest for source in self.recognised.sources}
        if job.target_mapping:
            digests[job.target_mapping.file] = job.target_mapping.digest
        if job.recipe:
            digests[Path(job.recipe.file).name] = job.recipe.digest
        return dict(sorted(digests.items()))

    def _head(self) -> dict[str, Any]:
        files = self.recognised.files
        return {
            "inputs": {"files": len(files), "bytes": sum(file.bytes for file in files)},
            "from": self.recognised.address,
            "to": self._target,
            "mapping": self._mapping_digests(),
            "settings": self.job.settings.described(),
            "selection": self.job.selection.described() if self.job.selection else {},
            "options": self._options(),
            "version": VERSION,
        }

    def _schema(self) -> dict[str, Any] | None:
        layout = self.job.target_layout
        if layout is None or layout.schema is None:
            return None
        readers = [
            Hub(source.mapping, source.layout, self.job.settings) for source in self.recognised.sources
        ]
        provided = frozenset().union(
            *(reader.provided for reader in readers), self.job.recipe.set_columns if self.job.recipe else ()
        )
        return avro_schema(layout, layout.schema, provided)

    # -- the run ------------------------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Convert all units; give the report as JSON values, the one that lies there if this was done already."""
        done = self.output.result()
        told = self.output.told_files()
        if (
            done is not None
            and told
            and is_same(self._head(), done)
            and not any(changed(told, self.recognised.files))
        ):
            self.output.tidy()
            self.finished_already = True
            return done
        total = Report()
        with self.output:
            try:
                passes = self._look_through() if self.asked else None
                for unit in self.units:
                    report = self._kept(unit) or self._convert(
                        unit, self._rest(total), passes, total.requests + 1
                    )
                    report.check(f"unit {unit.number}")
                    total.add(report)
                    self._finish_step(unit, report)
                    if self._has_enough(total):
                        break
                total.check("in total")
                self._find_identical(total)
                self._find_meetings(total)
                self._find_slips(total)
                head = {
                    **self._nothing_written(total), **self._head(), "hazards": self._look_at_hazards(), **self._rules(total),
                    **(self._gather_keys() if self.job.census else {}), "engine": engine_name(careful=self.job.careful_only),
                }  # fmt: skip
                return self.output.complete(total, head, len(self.units), self._schema())
            except OSError as error:
                refuse_full_disk(error)
                raise OutputError(f"{self.output.directory}: {error.strerror or error}") from error

    def _kept(self, unit: Unit) -> Report | None:
        """Give the account of a unit that an earlier run finished; nothing if its files are not as that run left them."""
        kept = self.output.kept(unit.number)
        if kept is None:
            return None
        refuse_changed(kept.report.files, unit.files)
        for path in kept.changed:
            warnings.warn(f"{path}: is not as it was written; it is made again", stacklevel=2)
        return None if kept.changed else kept.report

    def _taken(self, total: Report) -> int:
        left_out = sum(total.filtered[option] for option in OPTIONS)
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

    def _look_through(self) -> Passes:
        """Read the whole archive for what the passes need to know."""
        passes = Passes(self.output.scratch, self.asked)
        for unit in self.units:
            job = self.job.reading(self.recognised.sources[unit.source])

            def attempt(
                lines: Lines,
                unit: Unit = unit,
                job: Job = job,
            ) -> tuple[None, set[str]]:
                events, unsound = plan.survey(job, lines)
                passes.gather(unit.number, events)
                return None, unsound()

            soundly(unit, self.output.scratch, self.recognised.refused_in(unit.files), attempt)
        passes.find()
        return passes

    def _convert(self, unit: Unit, job: Job, passes: Passes | None, sequence: int) -> Report:
        marks = passes.of_unit(unit.number) if passes else None
        job = job.reading(self.recognised.sources[unit.source])

        def attempt(lines: Lines) -> tuple[Written, set[str]]:
            tally = Tally(on_batch=self._count_batch) if self._progress else Tally()
            watch = Watch(
                Wanted.by(job.recipe, job.selection, examples=job.examples), moved_keys(job.source_layout)
            )
            query = plan.build(
                job,
                lines,
                tally=tally,
                marks=marks,
                questions=self._questions,
                watch=watch,
            )
            fates = Fates(job, query, lines) if job.census else None
            if fates is not None:
                tally.on_empty_line = fates.add_empty_line
            written = self.sinks.write(unit.number, query, sequence, fates)
            written.report.find("empty_requests", EMPTY_REQUESTS, tally.empty_requests)
            written.report.watched = watch.told()
            if not query.unsound:
                self._hold_against(tally, written)
                if fates is not None:
                    self.output.write_whole(self._keys_file(unit), fates.checked())
            return written, query.unsound

        written, digests = soundly(
            unit, self.output.scratch, self.recognised.refused_in(unit.files), attempt, digested=True
        )
        self._describe_files(unit, written.report, digests)
        beside = [
            file for file in (*self.sinks.files_beside(unit.number), self._keys_file(unit)) if file.exists()
        ]
        self.output.finish_unit(unit.number, written.part, written.rejects, written.report, beside)
        return written.report

    def _hold_against(self, tally: Tally, written: Written) -> None:
        """Hold the account against what the reader handed over and what lies in the part: counted apart from it."""
        report, selection = written.report, self.job.selection
        if tally.records != report.events["read"] and (selection is None or selection.limit is None):
            raise ConservationError(
                f"{tally.records} records were read, but {report.events['read']} are accounted for"
            )
        if written.events != report.events["written"]:
            raise ConservationError(
                f"{report.events['written']} events should be in {written.part}, but {written.events} are"
            )

    def _describe_files(self, unit: Unit, report: Report, digests: dict[str, str]) -> None:
        counted = {file["path"]: file for file in report.files}
        report.files = []
        for file in unit.files:
            model, _, layout = self.recognised.layouts.get(file.shown, "").partition("/")
            about = {
                "path": file.shown,
                "bytes": file.bytes,
                "digest": digests.get(file.shown, ""),
                "model": model,
                "layout": layout,
            }
            report.files.append({**about, **counted.get(file.shown, dict.fromkeys(COUNTS, 0))})

    # -- what rules and the selection did -----------------------------------------------------------------------

    def _find_slips(self, total: Report) -> None:
        told = [slips.of_recipe(self.job.recipe, total.tallies, total.watched)] if self.job.recipe else []
        if self.job.selection:
            left_out = Counter({option: total.filtered[option] for option in OPTIONS})
            taken = self._taken(total) - total.events["rejected"]
            told.append(
                slips.of_selection(
                    self.job.selection, total.tallies, total.watched, left_out=left_out, taken=taken
                )
            )
        for code, message, events in chain(*told):
            total.find(code, message, events)

    def _nothing_written(self, total: Report) -> dict[str, Any]:
        if total.events["written"] or not total.events["read"]:
            return {}

        def read(unit: Unit, attempt: Callable[[Lines], tuple[Any, set[str]]]) -> Any:
            return soundly(unit, self.output.scratch, self.recognised.refused_in(unit.files), attempt)[0]

        source = nothing_written.Source(
            self.units, lambda unit: self.job.reading(self.recognised.sources[unit.source]), read
        )
        return nothing_written.told(total, source, self.job.settings.mappings)

    def _rules(self, total: Report) -> dict[str, Any]:
        return {"rules": slips.of_rules(self.job.recipe, total.tallies)} if self.job.recipe else {}

    # -- rows that become identical -----------------------------------------------------------------------------

    def _find_identical(self, total: Report) -> None:
        if self.sinks.rows_may_meet:
            files = [self.sinks.digests_file(unit.number) for unit in self.units]
            count = count_identical([file for file in files if file.exists()], total.events["written"])
            total.find("identical_rows", "rows that are identical to an earlier one", count)

    # -- hazards ------------------------------------------------------------------------------------------------

    def _look_at_hazards(self) -> list[dict[str, Any]]:
        """Say what the target does with the rows, as of the archive's latest event or a given day: never as of today."""
        if self._questions is None or not self._questions.hazards:
            return []
        files = [self.sinks.answers_file(unit.number) for unit in self.units]
        self.surveyed = survey_rows(
            self._questions, [file for file in files if file.exists()], self.output.scratch
        )
        if self.surveyed.latest is None:
            return []
        day = self.job.settings.day
        now = (
            dt.datetime.combine(day, dt.time(), dt.UTC)
            if day
            else EPOCH + dt.timedelta(milliseconds=self.surveyed.latest)
        )
        as_of = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        return [{"as_of": as_of, **dataclasses.asdict(finding)} for finding in self.hazards_at(now)]

    def hazards_at(self, now: dt.datetime) -> list[Forecast]:
        """Say what the target does with the rows that were written, as of some moment."""
        job = self.job
        if job.target_mapping is None or job.target_layout is None:
            return []
        return judge(
            job.target_mapping,
            self.surveyed,
            job.settings,
            now=now,
            overrides=job.settings.overrides,
            layout=job.target_layout.name,
        )

    # -- names that become one ----------------------------------------------------------------------------------

    def _find_meetings(self, total: Report) -> None:
        met = meetings(total.names, self.job)
        for meeting in met[:MEETINGS_MAX]:
            total.find(NAMES_MEET, meeting.message, meeting.events)
        rest = met[MEETINGS_MAX:]
        total.find(
            NAMES_MEET,
            f"and {len(rest):,} more names that several became",
            sum(meeting.events for meeting in rest),
        )
        total.find(
            "names_not_compared",
            f"names beyond {NAMES_MAX:,}: whether they met another one was not looked at",
            total.names.left_out,
        )

    # -- keys ---------------------------------------------------------------------------------------------------

    def _keys_file(self, unit: Unit) -> Path:
        return self.output.state / f"keys-{unit.number:05}.ndjson"

    def _gather_keys(self) -> dict[str, Any]:
        """Write down what became of each key; give the sums for the report."""
        files = [file for unit in self.units if (file := self._keys_file(unit)).exists()]
        whole = together(file.read_text(encoding="utf-8") for file in files)
        self.output.write_whole(self.output.directory / "keys.ndjson", as_lines(whole))
        return {"keys": summary(whole)}

    # -- progress -----------------------------------------------------------------------------------------------

    def _count_batch(self, count_bytes: int, events: int) -> None:
        self._step = dataclasses.replace(
            self._step, bytes=self._step.bytes + count_bytes, events=self._step.events + events
        )
        if self._progress:
            self._progress(self._step)

    def _finish_step(self, unit: Unit, report: Report) -> None:
        del report
        self._step = dataclasses.replace(self._step, files=self._step.files + len(unit.files))
        if self._progress:
            self._progress(self._step)
