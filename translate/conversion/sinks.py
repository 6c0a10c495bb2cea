"""Where a unit's rows go: its part of the data, its rejects, its counts; all of it in one run of its query."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from translate.archive.compression import layers
from translate.archive.sources import CHUNK
from translate.conversion import account, plan
from translate.conversion.account import row_digests
from translate.conversion.job import Job
from translate.conversion.naming import Gathering
from translate.conversion.output import OWNER_ONLY
from translate.conversion.plan import Query
from translate.conversion.report import RunReport
from translate.errors import UsageError
from translate.mapping.spec import Layout
from translate.telling.census.fates import Fates
from translate.writer.packing import Packer
from translate.writer.writer import ROW

COMPRESSIONS = {"none": ("", "uncompressed"), "gzip": (".gz", "gzip"), "zstd": (".zst", "zstd")}
ENDINGS = {"json-lines": ".ndjson", "csv": ".csv", "parquet": ".parquet"}
ROWS_TOGETHER = 10_000  # what waits to be written holds the batches that it came from
NO_DAY = (
    "{address} needs --set day=YYYY-MM-DD: the day that the pipeline will take the files to have come in. It reads "
    "only the folders of the days that its next run covers, so name a day that lies there"
)


@dataclass(frozen=True)
class WrittenUnit:
    """What came of a unit: its account, its files, and how many events lie in its part by a count of their own."""

    report: RunReport
    part: Path | None
    rejects: Path
    events: int


@dataclass(frozen=True)
class _Sink:
    """The sink of the data: where it writes, what to run, what to do after it; how many requests and events it packed."""

    part: Path
    rows: pl.LazyFrame
    finish: Callable[[], tuple[int, int] | None]


class Sinks:
    """Writes units into a scratch folder, each into files of its own."""

    def __init__(self, job: Job, scratch: Path, state: Path, *, compression: str = "none") -> None:
        if compression not in COMPRESSIONS:
            raise UsageError(f'no compression "{compression}" (one of: {", ".join(COMPRESSIONS)})')
        self.job = job
        self.compression = compression
        self._scratch = scratch
        self._state = state
        self._folder = _day_folder(job.target_layout, job.settings.day)

    def write(self, number: int, query: Query, sequence: int = 1, fates: Fates | None = None) -> WrittenUnit:
        """Run a unit's query once, into all its sinks; the first request gets this number, `fates` all rows."""
        rejects = self._scratch / f"rejects-{number:05}.ndjson"
        notes = self._scratch / "notes.parquet"
        os.close(os.open(rejects, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY))
        data = self._data_sink(number, query, sequence)
        lazy = [
            data.rows,
            account.rejects(query.rows).sink_csv(
                rejects, include_header=False, quote_style="never", lazy=True, check_extension=False
            ),
            account.counts(query.rows),
            account.counts_of_flags(query.rows),
            account.noted(query.rows, examples=self.job.examples).sink_parquet(
                notes, row_group_size=ROWS_TOGETHER, lazy=True
            ),
        ]
        if self.rows_may_meet:
            lazy.append(
                row_digests(query).sink_parquet(
                    self.digests_file(number), row_group_size=ROWS_TOGETHER, lazy=True
                )
            )
        if query.asked:
            answers = query.rows.select(*query.asked, taken=plan.WRITTEN).filter("taken").select(query.asked)
            lazy.append(
                answers.sink_parquet(self.answers_file(number), row_group_size=ROWS_TOGETHER, lazy=True)
            )
        if fates is not None:
            lazy.append(query.rows.select(fates.columns).sink_batches(fates.add, lazy=True))
        gathering = Gathering()
        if query.named:
            told = (pl.col(f"{plan.NAMED}{name}").alias(name) for name in query.named)
            lazy.append(
                query.rows.select(*told, _written=plan.WRITTEN).sink_batches(gathering.add, lazy=True)
            )
        results = pl.collect_all(lazy, engine="streaming")
        packed = data.finish()
        noted = account.counts_of_notes(pl.scan_parquet(notes), query.source).collect(engine="streaming")
        report = account.put_together(query, results[2], results[3], noted)
        events = self._events_in(data.part) if packed is None else packed[1]
        report.requests = 0 if packed is None else packed[0]
        report.names = gathering.names()
        return WrittenUnit(report, data.part if report.events["written"] else None, rejects, events)

    # -- the data -----------------------------------------------------------------------------------------------

    def _data_sink(self, number: int, query: Query, sequence: int) -> _Sink:
        rows = query.rows.filter(plan.WRITTEN)
        layout = self.job.target_layout
        if layout is None:
            part = self._part(number, ENDINGS["parquet"])
            return _Sink(part, rows.select(query.columns).sink_parquet(part, lazy=True), _nothing)
        ending, compression = COMPRESSIONS[self.compression]
        part = self._part(number, ENDINGS[layout.records] + ending)
        options: Any = {"compression": compression, "check_extension": False, "lazy": True}
        if layout.records == "csv":
            table = rows.select(pl.col(name).alias(name.removeprefix("=")) for name in query.columns)
            return _Sink(part, table.sink_csv(part, quote_style="necessary", **options), _nothing)
        if layout.request is None:
            return _Sink(
                part,
                rows.select(ROW).sink_csv(part, include_header=False, quote_style="never", **options),
                _nothing,
            )
        return self._packed(part, rows.select(query.members), layout, options, sequence)

    def _packed(
        self, part: Path, rows: pl.LazyFrame, layout: Layout, options: dict[str, Any], sequence: int
    ) -> _Sink:
        """Pack rows into requests as they come; compress what came of it."""
        plain = part.with_name("requests")
        output = plain.open("wb")
        packer = Packer(layout, self.job.settings, output, sequence=sequence)

        def finish() -> tuple[int, int]:
            packer.finish()
            output.close()
            if self.compression == "none" or plain.stat().st_size == 0:
                plain.replace(part)
            else:
                requests = pl.scan_lines(plain)
                requests.sink_csv(
                    part,
                    include_header=False,
                    quote_style="never",
                    engine="streaming",
                    **{**options, "lazy": False},
                )
            return packer.requests, packer.events

        return _Sink(part, rows.sink_batches(packer.add, lazy=True, maintain_order=True), finish)

    def _part(self, number: int, ending: str) -> Path:
        """Name a unit's part; below the scratch folder it lies as it will below `data`."""
        folder = self._scratch / self._folder
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"part-{number:05}{ending}"

    def _events_in(self, part: Path) -> int:
        layout = self.job.target_layout
        if layout is None:
            return int(pl.scan_parquet(part).select(pl.len()).collect().item())
        if self.compression == "zstd":
            lines = int(pl.scan_lines(part).select(pl.len()).collect(engine="streaming").item())
        else:
            with part.open("rb") as content:
                stored = iter(lambda: content.read(CHUNK), b"")
                lines = sum(block.count(b"\n") for block in layers(stored) if isinstance(block, bytes))
        return lines - (layout.records == "csv")

    # -- rows that become identical -----------------------------------------------------------------------------

    @property
    def rows_may_meet(self) -> bool:
        """Tell whether the target has whole seconds only, and no id that keeps rows apart."""
        layout = self.job.target_layout
        return layout is not None and any(entry.word.whole_seconds for entry in layout.fields)

    def digests_file(self, number: int) -> Path:
        """Name the file of the digests of a unit's rows."""
        return self._state / f"digests-{number:05}.parquet"

    def files_beside(self, number: int) -> tuple[Path, ...]:
        """Name what may lie in the state of a unit until the run is complete."""
        return self.digests_file(number), self.answers_file(number)

    def answers_file(self, number: int) -> Path:
        """Name the file of what a unit's rows answer to the questions of the target's hazards."""
        return self._state / f"answers-{number:05}.parquet"


def _day_folder(layout: Layout | None, day: dt.date | None) -> str:
    if layout is None or layout.folder is None:
        return ""
    if day is None:
        raise UsageError(NO_DAY.format(address=layout.address))
    return layout.folder.format(day=day)


def _nothing() -> None:
    """Do nothing: the sink wrote all there is."""
