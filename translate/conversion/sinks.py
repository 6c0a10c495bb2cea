"""Where a unit's rows go: its part of the data, its rejects, its counts; all of it in one run of its query."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Self

import polars as pl

from translate.archive.batches import Lines
from translate.conversion import ordered, plan
from translate.conversion.account import UnitAccount, digests_of
from translate.conversion.job import Job
from translate.conversion.lines_file import ENDINGS, LinesFile
from translate.conversion.naming import Gathering
from translate.conversion.output import OWNER_ONLY, WrittenUnit
from translate.conversion.part import CutPart, LinesPart, ParquetPart, PartOfUnit, RequestsPart, shared
from translate.conversion.plan import Query
from translate.errors import ConservationError, UsageError
from translate.judging.survey import Questions
from translate.mapping.spec import Layout
from translate.passes.sightings import UnitMarks
from translate.reader.reader import Tally
from translate.recipe.expressions import moved_keys
from translate.recipe.tallies import Wanted, Watch

if TYPE_CHECKING:
    from translate.conversion.census.tallied import KeysAccount

ROWS_TOGETHER = 5_000  # what waits to be written holds the batches that it came from
ROWS_BESIDE = 25_000  # that are read together: each query has its price, and so has what is held beside it
BATCHES_BESIDE = 1_000  # of few rows: each takes room of its own
LENGTH_BYTES = 8  # before each batch that is kept beside the rows
NO_DAY = (
    "{address} needs --set day=YYYY-MM-DD: the day that the pipeline will take the files to have come in. It reads "
    "only the folders of the days that its next run covers, so name a day that lies there"
)

EMPTY_REQUESTS = "requests, or parts of them, without an event: nothing of what they hold is read"
WITHHELD = "rejects without their text and message, for these tell of somebody listed, or may do so"


def hold_against(job: Job, tally: Tally, written: WrittenUnit) -> None:
    """Hold the account against what the reader handed over and what lies in the part: counted apart from it."""
    report, selection = written.report, job.selection
    if tally.records != report.events["read"] and selection.limit is None:
        raise ConservationError(
            f"{tally.records} records were read, but {report.events['read']} are accounted for"
        )
    if written.events != report.events["written"]:
        raise ConservationError(
            f"{report.events['written']} events should be in {', '.join(map(str, written.parts))}, but {written.events} are"
        )


class Sinks:
    """Writes units into a scratch folder, each into files of its own."""

    def __init__(self, job: Job, scratch: Path, state: Path, *, compression: str = "none") -> None:
        if compression not in ENDINGS:
            raise UsageError(f'no compression "{compression}" (one of: {", ".join(ENDINGS)})')
        self.job = job
        self.compression = compression
        self.scratch = scratch
        self._state = state
        self._folder = _day_folder(job.target_layout, job.settings.day)
        self.cuts = True  # unless what is written becomes one stream
        self.output: int | None = None  # a descriptor in place of the parts
        self.seen: Callable[[bytes | memoryview], object] | None = (
            None  # gets the text of what goes there, too
        )
        self.is_headed = True  # whether the next part of a table begins with the names of its columns

    def convert(
        self, job: Job, number: int, lines: Lines, sequence: int, *, tally: Tally, questions: Questions | None,
        marks: UnitMarks | None = None,
    ) -> tuple[WrittenUnit, Query, KeysAccount | None]:  # fmt: skip
        """Write what becomes of a unit's lines, and hold the account against what the reader handed over."""
        watch = Watch(
            Wanted.by(job.recipe, job.selection, examples=job.examples), moved_keys(job.source_layout)
        )
        query = plan.build(job, lines, tally=tally, marks=marks, questions=questions, watch=watch)
        keys = None
        if job.census:
            from translate.conversion.census.tallied import keys_account  # noqa: PLC0415  a room of its own, seldom asked for

            keys = keys_account(job, query, lines)
            tally.on_empty_line = keys.add_empty_line
        written = self.write(number, query, sequence, keys)
        written.report.find("empty_requests", EMPTY_REQUESTS, tally.empty_requests)
        written.report.watched = watch.told()
        if query.erasing:
            written.report.find("rejects_withheld", WITHHELD, query.erasing.withheld)
        if not query.unsound:
            hold_against(job, tally, written)
        return written, query, keys

    def write(
        self, number: int, query: Query, sequence: int = 1, keys: KeysAccount | None = None
    ) -> WrittenUnit:
        """Run a unit's query once; the first request gets this number, `keys` all rows."""
        if self._is_parquet:
            query = replace(query, rows=shared(query.rows))
        with ExitStack() as opened:
            rejects = LinesFile(self.scratch / f"rejects-{number:05}.ndjson", mode=OWNER_ONLY)
            opened.callback(rejects.let_go)
            part = self._part_of(number, query, sequence)
            opened.callback(part.let_go)
            beside = [opened.enter_context(kept) for kept in self._beside(number, query)]
            return self._written(query, rejects, part, beside, keys)

    def _written(
        self, query: Query, rejects: LinesFile, part: PartOfUnit, beside: list[RowsBeside], keys: KeysAccount | None
    ) -> WrittenUnit:  # fmt: skip
        account = UnitAccount(query, rejects, examples=self.job.examples)
        gathering = Gathering(query.named)
        needed = [*dict.fromkeys([*query.columns, *gathering.columns, *query.asked])]

        def add(batch: pl.DataFrame) -> None:
            with query.ahead.writing(batch.height):
                account.add(batch)
                if keys is not None:
                    keys.add(batch)
                written = batch[needed]
                if not account.is_written_whole(batch):  # a query of its own would wait for others' work
                    is_written = batch.select_seq(plan.WRITTEN).to_series()
                    written = pl.DataFrame([column.filter(is_written) for column in written])
                part.add(written)
                gathering.add(written)
                for kept in beside:
                    kept.add(written)

        # What a limit leaves out is never written, and to find out what that is the engine may want all lines first.
        query.ahead.awaits_writing = self.job.selection.limit is None
        rows = query.rows.sink_batches(add, lazy=True, maintain_order=True)
        pl.collect_all([rows, *part.beside], engine="streaming")
        digests = {**rejects.close(), **part.finish()}
        report = account.report()
        report.requests = part.requests
        report.names = gathering.names()
        parts = part.paths if report.events["written"] else []
        return WrittenUnit(report, parts, rejects.path, part.events, digests)

    def _beside(self, number: int, query: Query) -> Iterator[RowsBeside]:
        """Give what else is kept of the rows that are written, each in a file of its own."""
        if self.rows_may_meet:
            yield RowsBeside(self.digests_file(number), partial(digests_of, columns=query.columns))
        if query.asked:
            yield RowsBeside(self.answers_file(number), itemgetter(query.asked))

    @property
    def _is_parquet(self) -> bool:
        return self.job.target_layout is None or self.job.order is not None

    def _part_of(self, number: int, query: Query, sequence: int) -> PartOfUnit:
        """Say how a unit's rows become its part; below the scratch folder it lies as it will below `data`."""
        layout = self.job.target_layout
        folder = self.scratch / self._folder
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"part-{number:05}"
        if self.job.order:
            return ParquetPart(part.with_suffix(".parquet"), query, [*ordered.COLUMNS], ROWS_TOGETHER)
        if layout is None:
            together = ROWS_TOGETHER if self.job.lake else None  # a lake's parts are read again
            return ParquetPart(part.with_suffix(".parquet"), query, query.columns, together)
        is_table = layout.records == "csv"
        part = part.with_suffix((".csv" if is_table else ".ndjson") + ENDINGS[self.compression])
        if layout.files is not None and layout.files.cuts and self.cuts:
            begin = partial(LinesFile, compression=self.compression)
            return CutPart(begin, part, layout.files, query.columns if is_table else ())
        lines = LinesFile(part, self.compression, output=self.output, seen=self.seen)
        if layout.request is None:
            return LinesPart(lines, query.columns, is_table=is_table, is_headed=self.is_headed)
        return RequestsPart(lines, query, layout, self.job.settings, sequence)

    # -- rows that become identical -----------------------------------------------------------------------------

    @property
    def rows_may_meet(self) -> bool:
        """Tell whether the target has whole seconds only, and no id that keeps rows apart."""
        layout = self.job.target_layout
        return layout is not None and any(entry.word.whole_seconds for entry in layout.fields)

    def digests_file(self, number: int) -> Path:
        """Name the file of the digests of a unit's rows."""
        return self._state / f"digests-{number:05}.arrows"

    def answers_file(self, number: int) -> Path:
        """Name the file of what a unit's rows answer to the questions of the target's hazards."""
        return self._state / f"answers-{number:05}.arrows"


def _day_folder(layout: Layout | None, day: dt.date | None) -> str:
    if layout is None or layout.folder is None:
        return ""
    if day is None:
        raise UsageError(NO_DAY.format(address=layout.address))
    return layout.folder.format(day=day)


class RowsBeside:
    """A file of a little of each row, batch by batch, each as a stream of Arrow behind its length: no row waits for another one."""

    def __init__(self, path: Path, little_of: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._file = path.open("wb")
        self._little_of = little_of

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: pl.DataFrame) -> None:
        """Keep a batch of rows."""
        if not rows.height:
            return
        kept = io.BytesIO()
        # As a stream: anything else is written by the engine, one of whose threads this is.
        self._little_of(rows).write_ipc_stream(kept, compression="lz4")
        self._file.write(len(kept.getbuffer()).to_bytes(LENGTH_BYTES))
        self._file.write(kept.getbuffer())


def rows_beside(files: Iterable[Path]) -> Iterator[pl.DataFrame]:
    """Give what files keep, many batches together; those that are not there keep none."""
    waiting: list[pl.DataFrame] = []
    rows = 0
    for batch in _batches_beside(files):
        waiting.append(batch)
        rows += batch.height
        if rows >= ROWS_BESIDE or len(waiting) >= BATCHES_BESIDE:
            yield pl.concat(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pl.concat(waiting)


def _batches_beside(files: Iterable[Path]) -> Iterator[pl.DataFrame]:
    for file in filter(Path.exists, files):
        with file.open("rb") as kept:
            while length := kept.read(LENGTH_BYTES):
                yield pl.read_ipc_stream(kept.read(int.from_bytes(length)))
