"""Judges an archive against its layout's limits, documented and observed; reads it, and never changes it."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from translate.archive import parquet, table
from translate.archive.batches import Lines
from translate.archive.units import Unit, units_of
from translate.conversion import intake
from translate.conversion.job import Job
from translate.conversion.reading import Course, Progress, soundly
from translate.judging import questions
from translate.judging.archive_limits import COLUMNS, USER, Aged, Ages, Archive
from translate.judging.questions import Judge, Question, needs_of
from translate.judging.views import read_rows, with_original_name
from translate.mapping.spec import Layout, Limit
from translate.reader.hub import Hub
from translate.reader.reader import Reader, Tally
from translate.reader.recognition import Origin, Recognised
from translate.reader.tree import slots
from translate.recipe.expressions import moved_keys
from translate.recipe.rules import selected
from translate.recipe.tallies import DESELECTED

EXAMPLES_MAX = 3
LOOKED_AT = 100  # a request's events lie on one line
SHOWN_CHARACTERS = 200
BREACHED = "_breached"
REFUSED = "_refused"

# Why a record is no event, without what stands in it.
REASONS = {
    "wrong_type": "is not of the type that it should be",
    "bad_number": "is no number: NaN, infinite, or beyond what a double holds",
    "bad_time": "is no time as its place spells one",
    "bad_text": "a text holds half of a surrogate pair",
    "bad_json": "is not JSON",
    "bad_row": "has more or fewer cells than its header",
    "incomplete": "the record is cut off",
    "missing_required": "and time are what every event needs",  # of the hub's files, whose reader names the name first
    "not_a_record": "there is no record where one should be",
    "time_implausible": "is outside of {window}",
}
# What an event misses is asked by the judge of rows, place by place; of the hub's own files by nobody but their reader.
ASKED_ANYWAY = "missing_required"

Key = tuple[str, str, str]


@dataclass
class Breach:
    """A limit that events do not keep, how many, and where the first of them are."""

    layout: str
    limit: Limit
    message: str
    events: int = 0
    requests: int | None = None
    examples: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Give the breach as JSON values."""
        counted = {} if self.requests is None else {"requests": self.requests}
        return {
            "limit": self.limit.name, "layout": self.layout, "hard": self.limit.hard, "observed": self.limit.observed,
            "source": self.limit.source, "message": self.message, "events": self.events, **counted,
            **({"receiver_changes": self.limit.alters} if self.limit.alters else {}), "examples": self.examples,
        }  # fmt: skip


class Validation:
    """A run of `validate`."""

    def __init__(self, job: Job, recognised: Recognised, *, progress: Progress | None = None) -> None:
        self.job = job
        self.recognised = recognised
        self.events: Counter[str] = Counter()
        self.breaches: dict[Key, Breach] = {}
        self.aged: list[Aged] = []  # once it ran
        self._course = Course(recognised.files, progress)
        self._judges = [_Judge(job, origin) for origin in recognised.sources]

    def run(self) -> dict[str, Any]:
        """Judge all units; give the result as JSON values."""
        with tempfile.TemporaryDirectory(prefix="translate-") as folder:
            scratch = Path(folder)
            origins = self.recognised.sources
            archives = [Archive(origin.mapping, origin.layout, scratch) for origin in origins]
            ages = [Ages(origin.mapping, origin.layout, self.job.settings) for origin in origins]
            limit = self.job.selection.limit
            for unit in units_of(origin.files for origin in origins):
                if limit is not None and self.events["read"] - self.events["filtered"] >= limit:
                    break
                self._judge(unit, scratch, archives[unit.source], ages[unit.source])
            findings = [finding for archive in archives for finding in archive.findings()]
            self.aged = [each.result() for each in ages]
        told = [found for aged in self.aged for found in aged.told()]
        files = self.recognised.files
        return {
            "as": self.recognised.address,
            "inputs": {"files": len(files), "bytes": sum(file.bytes for file in files)},
            "events": {name: self.events[name] for name in ("read", "filtered", "breached", "refused")},
            "breaches": [breach.to_json() for breach in sorted(self.breaches.values(), key=_rank)],
            "archive": findings,
            **({"ages": told} if told else {}),
        }

    # -- one unit -----------------------------------------------------------------------------------------------

    def _judge(self, unit: Unit, scratch: Path, archive: Archive, ages: Ages) -> None:
        judge, file = self._judges[unit.source], scratch / "judged.parquet"
        taken = self.events["read"] - self.events["filtered"]

        def attempt(lines: Lines) -> tuple[_Judged, set[str]]:
            tally = Tally(on_batch=self._course.count) if self._course.show else Tally()
            frame, unsound = judge.rows(lines, taken, tally=tally)
            frame.sink_parquet(file, compression="lz4", engine="streaming")
            columns: set[str] = set()
            if archive.layout.records == "csv":
                header = table.headers(lines.frame, lines.files, lines.first_rows, lines.joined)
                columns = {name for names in header.values() for name in names}
            numbers = questions.without_events(lines, archive.layout)
            empty = [lines.origin(number // questions.REQUESTS_MAX) for number in numbers]
            return _Judged(questions.over_by_bytes(lines, archive.layout), columns, empty), unsound

        done, _ = soundly(unit, scratch, self.recognised, attempt)
        rows = pl.scan_parquet(file)
        chosen = rows.filter(pl.col(DESELECTED).is_null())
        over = self._judge_requests(rows, archive.layout, done)
        self._count(rows, over)
        self._count_codes(chosen, judge)
        self._count_questions(chosen, judge)
        events = chosen.filter(pl.col("code").is_null()).select(COLUMNS)
        archive.gather(unit.number, events, done.header)
        ages.add(events)
        self._course.finish(unit.files)

    def _count(self, rows: pl.LazyFrame, over: dict[bool, set[int]]) -> None:
        kept = pl.col(DESELECTED).is_null()
        refused = pl.col(REFUSED) | pl.col("_request").is_in(sorted(over[True]))
        breached = pl.col(BREACHED) | refused | pl.col("_request").is_in(sorted(over[False]))
        flags = {"filtered": ~kept, "breached": breached & kept, "refused": refused & kept}
        counts = rows.select(read=pl.len(), **{name: flag.sum() for name, flag in flags.items()})
        self.events.update(counts.collect(engine="streaming").row(0, named=True))

    def _judge_requests(self, rows: pl.LazyFrame, layout: Layout, done: _Judged) -> dict[bool, set[int]]:
        over: dict[bool, set[int]] = {True: set(), False: set()}
        for limit, message in questions.messages(layout):
            limit_of_requests = dataclasses.replace(limit, name=f"request_{limit.name}")
            if limit.name == "events_min":
                self._count_empty(layout, limit_of_requests, message, done.empty)
                continue
            found = done.over_by_bytes if limit.name == "bytes_max" else questions.over_by_events(rows, limit)
            over[limit.hard] |= set(found)
            theirs = rows.filter(pl.col("_request").is_in(found) & pl.col(DESELECTED).is_null())
            counts = theirs.select(pl.len(), requests=pl.col("_request").n_unique())
            count, in_requests = counts.collect(engine="streaming").row(0)
            if count:
                breach = self._breach(layout, limit_of_requests, message, count, theirs)
                breach.requests = (breach.requests or 0) + in_requests
        return over

    def _count_empty(self, layout: Layout, limit: Limit, message: str, empty: list[tuple[str, int]]) -> None:
        """Count requests without events, which no row tells of."""
        if empty:
            nothing = {name: pl.Series([None] * len(empty), dtype=pl.String) for name in ("text", "message")}
            where = {"file": [file for file, _ in empty], "line": [line for _, line in empty]}
            breach = self._breach(layout, limit, message, 0, pl.LazyFrame({**where, **nothing}))
            breach.requests = (breach.requests or 0) + len(empty)

    def _count_codes(self, chosen: pl.LazyFrame, judge: _Judge) -> None:
        """Count the records that are no events, by code and by the place that it is about."""
        bad = chosen.filter(judge.told)
        counts = bad.group_by("code", "_place").len().sort("code", "_place").collect(engine="streaming")
        for code, place, count in counts.iter_rows():
            limit, message = judge.verdict(code, place)
            here = bad.filter((pl.col("code") == code) & pl.col("_place").eq_missing(place))
            self._breach(judge.layout, limit, message, count, here)

    def _count_questions(self, chosen: pl.LazyFrame, judge: _Judge) -> None:
        if not judge.asked:
            return
        sums = chosen.select(pl.col(*judge.asked).sum()).collect(engine="streaming").row(0, named=True)
        for name, question in judge.asked.items():
            if sums[name]:
                wrong = chosen.filter(pl.col(name))
                self._breach(judge.layout, question.limit, question.message, sums[name], wrong)

    def _breach(self, layout: Layout, limit: Limit, message: str, events: int, rows: pl.LazyFrame) -> Breach:
        key = (layout.address, limit.name, message)
        breach = self.breaches.setdefault(key, Breach(layout.address, limit, message))
        breach.events += events
        missing = EXAMPLES_MAX - len(breach.examples)
        if missing > 0:
            shown = ["file", "line", *(["text", "message"] if self.job.examples else [])]
            first = rows.select(shown).head(LOOKED_AT).collect(engine="streaming")
            found = first.unique(["file", "line"], maintain_order=True).head(missing)
            breach.examples += [
                {name: value for name, value in row.items() if value is not None} for row in found.iter_rows(named=True)
            ]  # fmt: skip
        return breach


@dataclass(frozen=True)
class _Judged:
    """What is known of a unit beside its rows."""

    over_by_bytes: list[int]
    header: set[str]
    empty: list[tuple[str, int]]


class _Judge:
    """Reads the rows of one layout, and tells of each what it is wrong in."""

    def __init__(self, job: Job, origin: Origin) -> None:
        self.job = job.reading(origin)
        self.layout = origin.layout
        self._read_as = origin.layout.as_written
        is_hub = origin.layout.model == parquet.HUB.model
        rows = None if is_hub else read_rows(self._read_as)
        self._rows = Judge(rows, needs_of(rows, job.settings)) if rows else None
        asked = self._rows.questions if self._rows else []
        self.asked: dict[str, Question] = {f"_asked{number}": each for number, each in enumerate(asked)}
        has_code = pl.col("code").is_not_null()
        self.told = has_code & (pl.col("code") != ASKED_ANYWAY) if self._rows else has_code
        known = {entry.place for entry in origin.layout.all_fields}
        places = sorted(known, key=lambda place: (-len(place), place))
        self._place = f"^({'|'.join(map(re.escape, places))})(?:[ .]|$)"

    def rows(self, lines: Lines, taken: int, *, tally: Tally) -> tuple[pl.LazyFrame, set[str]]:
        """Give a unit's rows: where they are, which are chosen, a flag for each question, what the archive's limits need."""
        if self.layout.model == parquet.HUB.model:
            found = intake.take_in(self.job, lines, tally=tally)
            text = parquet.text_of(found.events)
            frame = found.events.with_columns(pl.lit(None, pl.String).alias(USER), text=text)
            unsound = found.unsound
        else:
            reader = Reader(
                self._read_as, self.job.source_mapping.names, tally=tally, keeps_lines=True,
                record_bytes=self.job.settings.record_bytes,
            )  # fmt: skip
            frame, unsound = self._judged(reader.records(lines)), reader.unsound
        frame = selected(self.job.selection, frame, moved_keys(self._read_as), taken=taken)
        frame = frame.with_columns(_place=pl.col("message").str.extract(self._place))
        is_asked = pl.col("code").is_null() | (pl.col("code") == ASKED_ANYWAY)
        frame = frame.with_columns(pl.col(name) & is_asked for name in self.asked)
        hard = [pl.col(name) for name, question in self.asked.items() if question.limit.hard]
        frame = frame.with_columns(
            pl.any_horizontal(self.told, *hard).alias(REFUSED),
            pl.any_horizontal(self.told, *map(pl.col, self.asked)).alias(BREACHED),
        )
        numbered = self.layout.request is not None and self._rows is not None
        frame = frame.with_columns(_request=questions.REQUEST if numbered else pl.col("row").cast(pl.UInt64))
        shown = ["text"] if self.job.examples else []
        kept = [
            "row", "part", "_request", "file", "line", *shown, "code", "message", "_place", DESELECTED, REFUSED, BREACHED,
            *self.asked, *COLUMNS,
        ]  # fmt: skip
        short = [pl.col(name).str.slice(0, SHOWN_CHARACTERS) for name in [*shown, "message"]]
        return frame.select(kept).with_columns(short), unsound

    def _judged(self, records: pl.LazyFrame) -> pl.LazyFrame:
        looked = self._rows.look(records) if self._rows else records
        flags = {name: question.wrong.fill_null(value=False) for name, question in self.asked.items()}
        users = (pl.col(f"${slot}") for slot, entry in slots(self._read_as) if entry.hub[:1] == ("user_id",))
        user = next(users, pl.lit(None, pl.String))
        frame = looked.with_columns(**flags, **{USER: user.cast(pl.String)})
        hub = Hub(self.job.source_mapping, self._read_as, self.job.settings)
        return hub.events(with_original_name(frame, self.layout), beside=[*self.asked, USER])

    def verdict(self, code: str, place: str | None) -> tuple[Limit, str]:
        """Say what a reader's code means, as a limit of the layout's document."""
        since, until = self.job.settings.time_window
        if code == "time_implausible":
            reason = REASONS[code].format(window=f"{since:%Y-%m-%d} to {until:%Y-%m-%d}")
            source = "the window of plausible times (settings earliest and latest)"
            limit = Limit(code, 0, hard=True, source=source, observed=True)
        else:
            reason = REASONS.get(code, code.replace("_", " "))
            limit = Limit(code, 0, hard=True, source=self.layout.source)
        return limit, f"{place} {reason}" if place else reason


def _rank(breach: Breach) -> tuple[Any, ...]:
    """Put the documented ones first, the hard ones before the others, the frequent ones before the rare."""
    limit = breach.limit
    return limit.observed, not limit.hard, -breach.events, breach.layout, limit.name, breach.message
