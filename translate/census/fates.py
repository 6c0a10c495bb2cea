"""What became of each key of the source: exactly one fate per key and event, held against the census of the raw text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from translate import census
from translate.account import WHY_NOTED
from translate.census import Key, Value
from translate.census.destinations import Fate, Ways, worse
from translate.census.evidence import Evidence
from translate.errors import ConservationError, UsageError
from translate.mapping.spec import Layout
from translate.plan import BEFORE, FIRST, Job, Query
from translate.reader.record import parts_of
from translate.writer import FILTERED, NOTES

FATES = ("kept", "renamed", "changed", "dropped", "no_place", "unknown", "rejected", "null")
OF_LOSS = {"changed": "changed", "cannot": "no_place", "not_mapped": "no_place", "on_purpose": "dropped"}
PASSED_OVER = "a later member of the same key took its place"
TRAVELLERS = ("file", "line", "text", "base64", "code", FILTERED, "_copy", "_added", "nulls", "name", "_used", NOTES)

EventType = str | None


def refuse_uncounted(layouts: Iterable[Layout]) -> None:
    """Raise UsageError for a layout whose records do not stand one by one in the text: their keys are not counted."""
    for layout in layouts:
        if layout.records != "json-lines" or layout.request is not None:
            raise UsageError(f"--census: counts the keys of JSON records that are events; {layout.address} holds requests or a table: leave --census out")


Counts = Counter[tuple[EventType, str, Fate]]


class Account:
    """Two counts of a unit's keys: the census', and the one of what became of them."""

    def __init__(self) -> None:
        self.census: Counter[tuple[EventType, str]] = Counter()
        self.fates: Counts = Counter()
        self.first_lost = ""

    def check(self) -> None:
        """Raise ConservationError unless both counts agree for each event type and key."""
        told: Counter[tuple[EventType, str]] = Counter()
        for (event_type, name, _), count in self.fates.items():
            told[event_type, name] += count
        for event_type, name in sorted({*self.census, *told}, key=lambda pair: (pair[0] or "", pair[1])):
            counted, accounted = self.census[event_type, name], told[event_type, name]
            if counted != accounted:
                where = f"; the first one is missing from {self.first_lost}" if self.first_lost else ""
                raise ConservationError(
                    f"the key {name} stands in the text of {counted} events of type {event_type}, but {accounted} are "
                    f"accounted for{where}; please report this"
                )

    def checked(self) -> str:
        """Give the counts as JSON lines, if both agree."""
        self.check()
        return as_lines(self.fates)


def as_lines(fates: Counts) -> str:
    """Write counts as JSON lines, in the order of their names."""
    rows = [
        {"event_type": event_type, "key": name, "fate": fate, "how": how, "events": count}
        for (event_type, name, (fate, how)), count in sorted(fates.items(), key=_by_name)
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def together(texts: Iterable[str]) -> Counts:
    """Read the counts of several units, and add them up."""
    fates: Counts = Counter()
    for text in texts:
        for line in filter(None, text.split("\n")):
            row = json.loads(line)
            fates[row["event_type"], row["key"], Fate(row["fate"], row["how"])] += row["events"]
    return fates


def summary(fates: Counts) -> list[dict[str, Any]]:
    """Sum counts over event types, by key and fate."""
    counts: Counter[tuple[str, str]] = Counter()
    for (_, name, fate), count in fates.items():
        counts[name, fate.fate] += count
    return [{"key": key, "fate": fate, "events": count} for (key, fate), count in sorted(counts.items())]


def _by_name(item: tuple[tuple[EventType, str, Fate], int]) -> tuple[bool, str, str, Fate]:
    event_type, name, fate = item[0]
    return event_type is not None, event_type or "", name, fate


class Fates:
    """Tells for one unit's rows, batch by batch, what became of their keys; `account` holds the counts."""

    def __init__(self, job: Job, query: Query) -> None:
        self.account = Account()
        names = query.rows.collect_schema().names()
        self._before = [name for name in names if name.startswith(BEFORE)]
        self._flags = [f"_loss{number}" for number, _ in enumerate(query.counts.losses)]
        self._travellers = [name for name in (*TRAVELLERS, "_names") if name in names]
        self.columns = [*dict.fromkeys([*self._travellers, *self._before, *self._flags])]
        self._losses = query.counts.losses
        self._source = query.source
        self._evidence = Evidence(job.source_layout)
        self._ways = Ways(job, query)

    def add(self, batch: pl.DataFrame) -> None:
        """Count a batch's keys, in the raw text and in what became of them."""
        first = batch.filter(FIRST)
        flagged: dict[int, list[int]] = {}
        for number, flag in enumerate(self._flags):
            for index in first[flag].arg_true():
                flagged.setdefault(index, []).append(number)
        before = [name.removeprefix(BEFORE) for name in self._before]
        rows = first.select(self._travellers).iter_rows(named=True)
        given = zip(*(first[name].to_list() for name in self._before), strict=True)
        for index, (row, held) in enumerate(zip(rows, given, strict=True)):
            self._add(row, dict(zip(before, held, strict=True)), flagged.get(index, []))

    def _add(self, row: dict[str, Any], held: dict[str, Any], flagged: list[int]) -> None:
        record: Value = "" if row["base64"] or row["text"] is None else census.scan(row["text"])
        event_type = self._evidence.event_type(record)
        keys = census.keys(record, self._evidence.tree)
        names = [self._evidence.name_of(key) for key in keys]
        self.account.census.update((event_type, name) for name in names)
        told = self.account.fates
        if row["code"] is not None:
            told.update((event_type, name, Fate("rejected", row["code"])) for name in names)
            return
        if keys:
            for name, fate in self._fates(record, list(zip(keys, names, strict=True)), row, held, self._losses_of(row, flagged)):
                told[event_type, name, fate] += 1

    def _fates(
        self, record: Value, keys: list[tuple[Key, str]], row: dict[str, Any], held: dict[str, Any], losses: dict[str, Fate]
    ) -> Iterator[tuple[str, Fate]]:
        """Give the fate of each key that the hub speaks for, and of what it holds without any key."""
        trail = self._evidence.of_event(record, held, frozenset(losses))
        nulls = row["nulls"]
        for key, name in keys:
            if key.passed_over:
                yield name, Fate("changed", PASSED_OVER)
                continue
            empty = key.kind == "object" and self._is_known_object(key)
            found = None if empty else trail.find(key)
            if empty:
                yield name, Fate("null", "an object without members")
            elif found is None and key.kind == "null" and nulls:
                nulls -= 1
                yield name, Fate("null")
            elif key.kind == "empty" and self._evidence.empty_is_none(key.path):
                yield name, Fate("null", "an empty text stands for none")
            elif found is None:
                self.account.first_lost = self.account.first_lost or f"{row['file']}, line {row['line']}"
            elif row[FILTERED] is not None:
                yield name, Fate("dropped", row[FILTERED])
            elif key.kind == "null":
                yield name, Fate("null")
            else:
                yield name, self._ways.fate(name, found, row, losses)
        for left in trail.left():
            yield f"{left.column}.{left.key}", Fate("unknown", "not in the text")

    def _is_known_object(self, key: Key) -> bool:
        """Tell an empty object of the layout's own from a value: it has no member that could speak for it."""
        return key.known == len(key.path) and self._evidence.holds_members(key.path)

    def _losses_of(self, row: dict[str, Any], flagged: list[int]) -> dict[str, Fate]:
        """Gather by place what the conversion itself says to have lost of a row."""
        losses: dict[str, Fate] = {}
        for noted in row[NOTES] or ():
            kind, place, why = parts_of(noted)
            fate = Fate("renamed" if why == "renamed" else OF_LOSS[kind], why or WHY_NOTED[kind])
            before = losses.get(place)
            losses[place] = worse(before, fate) if before else fate
        for number in flagged:
            loss = self._losses[number]
            fate = Fate(OF_LOSS[loss.kind], loss.why)
            losses[loss.field] = worse(losses[loss.field], fate) if loss.field in losses else fate
        return losses
