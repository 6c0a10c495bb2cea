"""Rows to standard output while records come in, so that a conversion can stand between other programs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import polars as pl
from polars.exceptions import PolarsError

from translate.archive.batches import Lines, lines_of
from translate.archive.compression import DamagedError, layers
from translate.archive.drawing import Ahead, LongLines
from translate.archive.lines import Damage
from translate.archive.stored import PIPE, standard_input
from translate.archive.units import Unit
from translate.conversion.calls import (
    Erased,
    Folder,
    Given,
    Moment,
    Sources,
    job_of,
    selection_of,
    settings_of,
)
from translate.conversion.closing import (
    find_identical,
    find_meetings,
    find_slips,
    has_enough,
    hazards_told,
    rest_of,
    rules_told,
)
from translate.conversion.erased import Looking, Proof
from translate.conversion.identity import Task
from translate.conversion.job import Job
from translate.conversion.nothing import verdict_of
from translate.conversion.output import OWNER_ONLY, WrittenUnit
from translate.conversion.reading import Readings
from translate.conversion.report import RunReport
from translate.conversion.sinks import Sinks, rows_beside
from translate.engine.choice import engine_name
from translate.errors import OutputError, SourceError, UsageError
from translate.judging.survey import Count, Questions
from translate.passes import Asked
from translate.reader.reader import Tally
from translate.reader.recognition import Recognised
from translate.wording.arguments import checked
from translate.wording.rendering import Report

SAVE = "write it to a file first, and name that"
REPORT = "report"
HASHES = (
    "--erase lists keyed hashes: for whom they stand is known once all events went by, and by then so have the rows; name a "
    "directory in place of --out -"
)


@checked
def stream(
    source: Sources, *, to: str, output: IO[bytes], rejects: str | os.PathLike[str] | None = None,
    from_: str | None = None, recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: Moment = None, until: Moment = None, limit: int | None = None, settings: Given = None, set_: Iterable[str] = (),
    compression: str = "none", examples: bool = False, mappings: Folder | None = None, erase: Erased = None,
) -> Streamed:  # fmt: skip
    """Convert and write the rows to an open file, as records come in; give the report.

    The source `-` is standard input, read once. Rejects go to a new file, or are counted only. Other arguments and errors as in
    `convert`; BrokenPipeError where nobody reads any more. With `erase`, rows are looked through while they go by.

    >>> import translate
    >>> with open("rows.ndjson", "wb") as output:
    ...     report = translate.stream("sample_data/mobile_analytics/archive_full.jsonl", to="clickstream", output=output)
    >>> report["events"]["written"]
    2
    """
    job, recognised = job_of(
        source, to=to, from_=from_, recipe=recipe, settings=settings_of(settings, set_, mappings),
        selection=selection_of(where, since, until, limit, erase), examples=examples, drawn=True,
    )  # fmt: skip
    kept = None if rejects is None else Path(rejects)
    streaming = Streaming(job, recognised, _descriptor_of(output), kept, compression=compression)
    return Streamed(streaming.run(), streaming.first_reject)


class Streamed(Report):
    """The report of a stream; `first_reject` is the first record that was rejected, as `rejects.ndjson` has it."""

    def __init__(self, values: dict[str, Any], first_reject: dict[str, Any] | None) -> None:
        super().__init__(values)
        self.first_reject = first_reject


def _descriptor_of(output: IO[bytes]) -> int:
    """Give the descriptor of an open file, once what its caller wrote has gone there."""
    try:
        descriptor = output.fileno()
    except (AttributeError, OSError):
        raise UsageError(
            "output: rows go to a file that is open for writing, which has a descriptor"
        ) from None
    output.flush()
    return descriptor


class Streaming:
    """A conversion whose rows go to a descriptor; there is nothing to resume, and nothing is read twice."""

    def __init__(
        self,
        job: Job,
        recognised: Recognised,
        output: int,
        rejects: Path | None,
        *,
        compression: str = "none",
    ) -> None:
        if job.target is None:
            raise UsageError("--out -: Parquet is no stream; name a directory, or another --to than hub")
        if compression == "zstd":
            raise UsageError(
                "--out -: zstd is written to files only; say --compression gzip, or pipe the rows through zstd"
            )
        mapping, layout = job.target
        self.job = job
        self.recognised = recognised
        self._output = output
        self._rejects = rejects
        self._compression = compression
        self._questions = Questions(mapping.delivery, layout)
        self._total = RunReport()
        listed = job.selection.erase
        if listed and listed.is_by_hash:
            raise UsageError(HASHES)
        self._proof = Proof(listed) if listed else None
        self._looks: list[Looking] = []  # at the rows, and at the rejects where these are kept
        if self._proof:
            self._looks.append(Looking(self._proof.traces, PIPE, is_json=layout.records != "csv"))
            self._looks += [Looking(self._proof.traces, str(rejects))] if rejects else []
        self.first_reject: dict[str, Any] | None = None  # once it ran

    def run(self) -> dict[str, Any]:
        """Convert; give the report as JSON values."""
        with (
            tempfile.TemporaryDirectory(prefix="translate-") as scratch,
            _rejects_file(self._rejects) as rejects,
        ):
            readings = Readings(self.job, self.recognised, Path(scratch), cut=False)
            sinks = Sinks(self.job, Path(scratch), Path(scratch), compression=self._compression)
            sinks.cuts = False
            for unit in readings.units:
                sinks.is_headed = not self._total.events["written"]
                written = (
                    self._drawn(unit, readings, sinks)
                    if _is_piped(unit)
                    else self._read(unit, readings, sinks)
                )
                written.report.check(f"unit {unit.number}")
                self._total.add(written.report)
                self._keep_rejects(written.rejects, rejects)
                if has_enough(self.job, self._total):
                    break
            find_identical(self._total, sinks, readings.units)
            answers = rows_beside(sinks.answers_file(unit.number) for unit in readings.units)
            hazards = self._hazards(answers, Path(scratch))
        find_meetings(self._total, self.job)
        find_slips(self._total, self.job)
        head = Task(self.job, self.recognised, Asked(), self._compression).head()
        if any(_is_piped(unit) for unit in readings.units):
            head["inputs"]["bytes"] = standard_input().bytes
        engine = engine_name(careful=self.job.careful_only)
        rules = rules_told(self._total, self.job)
        is_nothing = self._total.events["read"] and not self._total.events["written"]
        verdict = {"verdict": verdict_of(self._total)} if is_nothing else {}
        said = {**verdict, **head, "hazards": hazards, **rules, "engine": engine}
        if self._proof is None:
            return {**self._total.to_json(), **said}
        erasure = self._proof.told([look.end() for look in self._looks], self._total, said, name=REPORT)
        return {**self._total.to_json(), **said, "erasure": erasure}

    def _keep_rejects(self, file: Path, rejects: IO[bytes]) -> None:
        """Add a unit's rejects to those before; the first of all is what is told of them."""
        with file.open("rb") as lines:
            first = lines.readline()
            if first and self.first_reject is None:
                self.first_reject = json.loads(first)
            rejects.write(first)
            shutil.copyfileobj(lines, rejects)
        for look in self._looks[1:]:
            look.add_file(file)

    def _hazards(self, answers: Iterator[pl.DataFrame], scratch: Path) -> list[dict[str, Any]]:
        if not self._questions.hazards:
            return []
        return hazards_told(self.job, Count(self._questions, scratch).with_all(answers).result())

    def _read(self, unit: Unit, readings: Readings, sinks: Sinks) -> WrittenUnit:
        """Convert a unit of files into a part, for it may be read anew, and hand that on."""

        def attempt(lines: Lines) -> tuple[WrittenUnit, set[str]]:
            return self._written(rest_of(readings.job_of(unit), self._total), unit, lines, sinks)

        written = readings.read(unit, attempt)
        for part in written.parts:
            with part.open("rb") as rows, os.fdopen(self._output, "wb", closefd=False) as output:
                shutil.copyfileobj(rows, output)
            for look in self._looks[:1]:
                look.add_file(part)
            part.unlink()
        return written

    def _drawn(self, unit: Unit, readings: Readings, sinks: Sinks) -> WrittenUnit:
        """Convert what comes in."""
        long_lines, damage, ahead = LongLines(), dict[int, Damage](), Ahead()
        frame = lines_of(lambda: _text(layers(standard_input().let_go())), long_lines, damage, ahead)
        lines = Lines(frame, [PIPE], [0], damage, long_lines=long_lines, ahead=ahead, are_read_once=True)
        sinks.output, sinks.seen = self._output, self._looks[0].add if self._looks else None
        try:
            written, unsound = self._written(rest_of(readings.job_of(unit), self._total), unit, lines, sinks)
        except (PolarsError, OSError) as error:
            raise _told(error) from error
        finally:
            ahead.end()
        if unsound:
            raise SourceError(
                f"{PIPE}: records reach over several lines, which are put together in files only; {SAVE}"
            )
        return written

    def _written(self, job: Job, unit: Unit, lines: Lines, sinks: Sinks) -> tuple[WrittenUnit, set[str]]:
        sequence = self._total.requests + 1
        written, query, _ = sinks.convert(
            job, unit.number, lines, sequence, tally=Tally(), questions=self._questions
        )
        if query.erasing and self._proof:
            self._proof.meet(query.erasing)
        return written, query.unsound


def _is_piped(unit: Unit) -> bool:
    return unit.files[0].location == PIPE


def _text(blocks: Iterator[Any]) -> Iterator[bytes]:
    """Give text as it is decompressed; what is no text any more ends it."""
    for block in blocks:
        if isinstance(block, Damage):
            raise DamagedError(block.message)
        yield block


def _told(error: Exception) -> Exception:
    """Say what went wrong with a stream; whoever closed it knows."""
    if "broken pipe" in str(error).lower():
        return BrokenPipeError()
    reason = str(error).strip().splitlines()[0]
    return SourceError(
        f"{PIPE}: cannot be read to its end ({reason}); rows of what came before it went out; {SAVE}"
    )


@contextmanager
def _rejects_file(place: Path | None) -> Iterator[IO[bytes]]:
    """Open a file of rejects that only its owner can read; without a place they are counted only."""
    target = Path(os.devnull) if place is None else place
    try:
        flags = os.O_WRONLY if place is None else os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(target, flags, OWNER_ONLY)
    except FileExistsError:
        raise UsageError(f"--rejects {place}: is there already; name a new file") from None
    except OSError as error:
        raise OutputError(f"--rejects {place}: {error.strerror or error}") from error
    with os.fdopen(descriptor, "wb") as file:
        yield file
