"""What became of each key of the source: exactly one fate per key and event, held against the census of the raw text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any, NamedTuple

import polars as pl

from translate.archive.batches import Lines
from translate.conversion import census
from translate.conversion.census import Key, Value
from translate.conversion.census.destinations import Fate, Ways, worse
from translate.conversion.census.evidence import Evidence, Trail
from translate.conversion.census.forms import Tables
from translate.conversion.census.requests import OpenLine, RequestPart, Requests
from translate.conversion.job import Job
from translate.conversion.plan import BEFORE, FIRST, Query
from translate.errors import ConservationError
from translate.reader.reader import OF_LINES
from translate.vocabulary.notation import json_text
from translate.vocabulary.notes import RENAMED, USED, InSource, Loss, Note, Spot, read_all
from translate.writer.writer import FILTERED, NOTES

FATES = ("kept", "renamed", "changed", "dropped", "no_place", "unknown", "rejected", "null")
OF_LOSS = {"changed": "changed", "cannot": "no_place", "not_mapped": "no_place", "on_purpose": "dropped"}
PASSED_OVER = Fate("changed", "a later member of the same key took its place")
WITHOUT_EVENT = Fate("dropped", "a request, or a part of one, without an event")
TRAVELLERS = (
    "file", "line", "text", "base64", "code", FILTERED, "_copy", "_added", "nulls", "name", USED, NOTES, "notes",
    "_names", *OF_LINES,
)  # fmt: skip

# Of what counts are: there is one of each type of event, key and fate.
COUNTS = {"event_type": pl.String, "key": pl.String, "fate": pl.String, "how": pl.String, "events": pl.Int64}
LINE = '{{"event_type": {}, "key": {}, "fate": {}, "how": {}, "events": {}}}'

EventType = str | None


class Found(NamedTuple):
    """One event as the raw text has it: its record, and its keys with their names."""

    record: Value
    event_type: EventType
    keys: list[tuple[Key, str]]


class Account:
    """Two counts of a unit's keys: the census', and the one of what became of them; `agreed` has what both say of others."""

    def __init__(self) -> None:
        self.census: Counter[tuple[EventType, str]] = Counter()
        self.fates: Counter[tuple[EventType, str, Fate]] = Counter()
        self.agreed = pl.DataFrame(schema=COUNTS)
        self.first_lost = ""

    def check(self) -> None:
        """Raise ConservationError unless both counts agree for each event type and key."""
        told: Counter[tuple[EventType, str]] = Counter()
        for (event_type, name, _), count in self.fates.items():
            told[event_type, name] += count
        if dict.__eq__(told, self.census):
            return
        for event_type, name in sorted({*self.census, *told}, key=lambda pair: (pair[0] or "", pair[1])):
            counted, accounted = self.census[event_type, name], told[event_type, name]
            if counted != accounted:
                where = f"; the first one is missing from {self.first_lost}" if self.first_lost else ""
                raise ConservationError(
                    f"the key {name} stands in the text of {counted} events of type {event_type}, but {accounted} are "
                    f"accounted for{where}; please report this"
                )

    def checked(self) -> pl.DataFrame:
        """Give the counts, if both agree."""
        self.check()
        rows = [(event_type, name, *fate, count) for (event_type, name, fate), count in self.fates.items()]
        return together([self.agreed.lazy(), pl.LazyFrame(rows, schema=COUNTS, orient="row")])


def together(counts: Iterable[pl.LazyFrame]) -> pl.DataFrame:
    """Add up counts, and set them in the order of their names."""
    names = [name for name in COUNTS if name != "events"]
    return pl.concat(counts).group_by(names).agg(pl.col("events").sum()).sort(names).collect()


def as_lines(counts: pl.DataFrame) -> str:
    """Write counts as JSON lines."""
    texts = [json_text(pl.col(name)).fill_null("null") for name in counts.columns[:-1]]
    line = pl.format(LINE, *texts, "events")
    return "".join(counts.select(line + "\n").to_series())


def summary(counts: pl.DataFrame) -> list[dict[str, Any]]:
    """Sum counts over event types, by key and fate."""
    return counts.group_by("key", "fate").agg(pl.col("events").sum()).sort("key", "fate").to_dicts()


class Fates:
    """Tells for one unit's rows, batch by batch, what became of their keys; `account` holds the counts."""

    def __init__(self, job: Job, query: Query, lines: Lines) -> None:
        self.account = Account()
        names = query.rows.collect_schema().names()
        self._before = [name for name in names if name.startswith(BEFORE)]
        self._flags = [f"_loss{number}" for number, _ in enumerate(query.counts.losses)]
        self._travellers = [name for name in TRAVELLERS if name in names]
        self.columns = [*dict.fromkeys([*self._travellers, *self._before, *self._flags])]
        self._losses = query.counts.losses
        self._source = query.source
        self.evidence = Evidence(job.source_layout)
        self._ways = Ways(job, query)
        self._tables = Tables(lines) if job.source_layout.records == "csv" else None
        request, around = job.source_layout.request, self.evidence.around
        self._requests = Requests(request, around.tree, around.names) if request else None
        self._is_cut = job.selection.limit is not None
        self._line = OpenLine([])
        self._lock = Lock()

    def add(self, batch: pl.DataFrame) -> None:
        """Count a batch's keys, in the raw text and in what became of them."""
        first = batch.filter(FIRST)
        flagged: dict[int, list[int]] = {}
        for number, flag in enumerate(self._flags):
            for index in first[flag].arg_true():
                flagged.setdefault(index, []).append(number)
        before = [name.removeprefix(BEFORE) for name in self._before]
        rows = first.select(self._travellers).iter_rows(named=True)
        given = zip(*(_values(first[name]) for name in self._before), strict=True)
        with self._lock:
            for index, (row, held) in enumerate(zip(rows, given, strict=True)):
                self._add(row, dict(zip(before, held, strict=True)), flagged.get(index, []))

    def add_empty_line(self, text: str) -> None:
        """Count the keys of a line in which the reader found no event; where events were cut off by a limit, no such line counts."""
        if self._requests is not None and not self._is_cut:
            with self._lock:
                self._close(OpenLine(self._requests.of_line(text)))

    def checked(self) -> pl.DataFrame:
        """Give the counts, if both agree."""
        if not self._is_cut:
            self._close(self._line)
        return self.account.checked()

    def of_one(
        self, found: Found, row: dict[str, Any], held: dict[str, Any], flagged: list[int]
    ) -> Iterator[tuple[str, Fate]]:
        """Give the fates of an event's keys; `held` is what the hub held of it before any recipe."""
        if row["code"] is not None:
            yield from ((name, Fate("rejected", row["code"])) for _, name in found.keys)
        else:
            yield from self._fates(found, row, held, self._losses_of(row, flagged))

    # -- in the raw text ----------------------------------------------------------------------------------------

    def _found(self, row: dict[str, Any]) -> Found:
        """Find an event in the raw text; one that is not there has no keys."""
        if self._requests is not None:
            part = self._line.event(row["request"] - row["first_request"])
            return self._of_part(part) if part else Found("", None, [])
        text = None if row["base64"] else row["text"]
        if self._tables is not None:
            return self._of_record(self._tables.row(text or "", row["file"], row["line"]))
        return self._of_record(census.scan(text or ""))

    def _of_record(self, record: Value, around: Iterable[Key] = ()) -> Found:
        found = [*around, *census.keys(record, self.evidence.tree)]
        named = [(key, self.evidence.name_of(key)) for key in found]
        return Found(record, self.evidence.event_type(record), named)

    def _of_part(self, part: RequestPart) -> Found:
        return self._of_record(part.value, part.around)

    def _open(self, row: dict[str, Any]) -> None:
        """Begin with a line of requests: what was not told of the one before it is missing."""
        if self._requests is not None and row["whole_line"] is not None:
            self._close(self._line)
            self._line = OpenLine([] if row["base64"] else self._requests.of_line(row["whole_line"]))

    def _close(self, line: OpenLine) -> None:
        for part in line.rest(0):
            if part.passed_over or part.is_empty:
                self._settle(part, PASSED_OVER if part.passed_over else WITHOUT_EVENT)
            else:
                self._count(self._of_part(part))

    # -- what became of it --------------------------------------------------------------------------------------

    def _add(self, row: dict[str, Any], held: dict[str, Any], flagged: list[int]) -> None:
        self._open(row)
        if self._requests is not None and row["refuses"] is not None:
            self._refuse(row)
            return
        found = self._found(row)
        self._count(found)
        told = self.of_one(found, row, held, flagged)
        self.account.fates.update((found.event_type, name, fate) for name, fate in told)

    def _refuse(self, row: dict[str, Any]) -> None:
        """Let all go that was refused together: a request, or what is left of a line."""
        number = row["request"] - row["first_request"]
        for part in self._line.rest(number, number + 1 if row["refuses"] == "request" else None):
            self._settle(part, PASSED_OVER if part.passed_over else Fate("rejected", row["code"]))

    def _settle(self, part: RequestPart, fate: Fate) -> None:
        """Give all keys of a part the same fate."""
        found = self._of_part(part)
        self._count(found)
        self.account.fates.update((found.event_type, name, fate) for _, name in found.keys)

    def _count(self, found: Found) -> None:
        self.account.census.update((found.event_type, name) for _, name in found.keys)

    def _fates(
        self, found: Found, row: dict[str, Any], before: dict[str, Any], losses: dict[Spot, Fate]
    ) -> Iterator[tuple[str, Fate]]:
        """Give the fate of each key that the hub speaks for, and of what it holds without any key."""
        spots = [
            *losses,
            *(noted.spot for noted in read_all(row["notes"])),
        ]  # of what no target sees there is no other word
        noted = frozenset(spot for spot in spots if isinstance(spot, InSource))
        trail = Trail(self.evidence, found.record, before, noted)
        nulls = row["nulls"]
        for key, name in found.keys:
            if key.passed_over:
                yield name, PASSED_OVER
                continue
            # The layout's own object has no member that could speak for it.
            is_known = key.kind == "object" and key.known == len(key.path)
            empty = is_known and self.evidence.holds_members(key)
            held = None if empty else trail.find(key)
            if empty:
                yield name, Fate("null", "an object without members")
            elif held is None and key.kind == "null" and nulls:
                nulls -= 1
                yield name, Fate("null")
            elif key.kind == "empty" and self.evidence.empty_is_none(key):
                yield name, Fate("null", "an empty text stands for none")
            elif held is None:
                self.account.first_lost = self.account.first_lost or f"{row['file']}, line {row['line']}"
            elif row[FILTERED] is not None:
                yield name, Fate("dropped", row[FILTERED])
            elif key.kind == "null":
                yield name, Fate("null")
            else:
                yield name, self._ways.fate(name, InSource(key.path, key.around), held, row, losses)
        for left in trail.left():
            yield f"{left.column}.{left.key}", Fate("unknown", "not in the text")

    def _losses_of(self, row: dict[str, Any], flagged: list[int]) -> dict[Spot, Fate]:
        """Gather by place what the conversion itself says to have lost of a row."""
        losses: dict[Spot, Fate] = {}
        noted: list[Note | Loss] = [*read_all(row[NOTES]), *(self._losses[number] for number in flagged)]
        for told in noted:
            fate = Fate("renamed" if told.why == RENAMED else OF_LOSS[told.kind], told.why)
            before = losses.get(told.spot)
            losses[told.spot] = worse(before, fate) if before else fate
        return losses


def _values(column: pl.Series) -> list[Any]:
    """Give a column's values, times as numbers: those of a rejected event may lie where Python has none."""
    return (column.to_physical() if isinstance(column.dtype, pl.Datetime) else column).to_list()
