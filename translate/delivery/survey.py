"""One pass over all requests, or over the rows that a conversion writes: what a preflight asks of them, whatever the hour."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from translate.delivery.questions import HOUR_MS, MARK, MISSING, TIME, Questions, SeenUsers, Surveyed
from translate.delivery.shipments import PackedRequest, asked_columns, clock_of, find_column
from translate.delivery.tallies import KEPT_ROWS, Repeats, Users
from translate.mapping.sending import Delivery
from translate.mapping.spec import Layout

CHUNK_EVENTS = 50_000
DISTINCT_MAX = 100_000  # exact up to here; more values than that are "at least" so many
SEPARATOR = "\x1f"
HOUR = f"{MARK}hour"
SPELT = f"{MARK}:time"  # as the request spells it


class Count:
    """Counts what is asked of events, batch by batch, within a stated memory.

    Counts by hour, at most 100,000 values of a column, and of each tally at most `kept_rows` rows; what is beyond lies in
    temporary files (in `folder`), 16 bytes an event for each identity that is asked about, 32 a user.
    """

    def __init__(self, questions: Questions, folder: Path | None = None, kept_rows: int = KEPT_ROWS) -> None:
        self.questions = questions
        self._sums: Counter[str] = Counter(events=0, untimed=0)
        self._bounds: list[tuple[int, int]] = []
        self._latest_of_others: list[int] = []
        self._hours: Counter[int] = Counter()
        self._excepted: dict[str, Counter[int]] = {name: Counter() for name in questions.excepted}
        self._missing: Counter[str] = Counter(dict.fromkeys(questions.columns_of(*MISSING), 0))
        counted = {*questions.columns_of("distinct_max", "user_agent_matches", "values_outside"), "name"}
        self._values: dict[str, Counter[str]] = {name: Counter() for name in sorted(counted)}
        self._at_least: set[str] = set()
        people = questions.columns_of("users_last_seen_before", "fewer_users_than")
        self._users = {name: Users(folder, kept_rows) for name in people}
        self._repeats = {columns: Repeats(folder, kept_rows) for columns in questions.identities}
        self._asked: Counter[str] = Counter(dict.fromkeys(questions.asked, 0))

    def add(self, batch: pl.DataFrame) -> None:
        """Count a batch of events."""
        if not batch.height:
            return
        batch = batch.with_columns((pl.col(TIME) // HOUR_MS).alias(HOUR))
        self._count_times(batch)
        self._sums["events"] += batch.height
        for column in self._missing:
            self._missing[column] += int((batch[f"{MARK}{column}"].fill_null("") == "").sum())
        for column, values in self._values.items():
            self._count_values(column, values, batch[f"{MARK}{column}"])
        for column, users in self._users.items():
            users.add(batch.select(text=f"{MARK}{column}", hour=HOUR).drop_nulls("text"))
        for columns, repeats in self._repeats.items():
            spelt = [SPELT if name == "time" else f"{MARK}{name}" for name in columns]
            repeats.add(batch.select(text=pl.concat_str(spelt, separator=SEPARATOR)).drop_nulls())
        for setting in self._asked:
            self._asked[setting] += int(batch[f"{MARK}:{setting}"].sum())

    def _count_times(self, batch: pl.DataFrame) -> None:
        time = batch[TIME].drop_nulls()
        self._sums["untimed"] += batch.height - len(time)
        if not len(time):
            return
        self._bounds.append((_whole(time.min()), _whole(time.max())))
        self._hours.update(dict(batch[HOUR].drop_nulls().value_counts().iter_rows()))
        is_excepted = batch[f"{MARK}name"].is_in(self.questions.excepted).fill_null(value=False)
        latest = batch[TIME].filter(~is_excepted).max()
        self._latest_of_others += [] if latest is None else [_whole(latest)]
        excepted = batch.filter(is_excepted).drop_nulls(HOUR)
        for known, hour, events in excepted.group_by(f"{MARK}name", HOUR).len().iter_rows():
            self._excepted[known][hour] += events

    def _count_values(self, column: str, values: Counter[str], given: pl.Series) -> None:
        for value, events in given.drop_nulls().value_counts().iter_rows():
            if value in values or len(values) < DISTINCT_MAX:
                values[value] += events
            else:
                self._at_least.add(column)

    def result(self, **more: int) -> Surveyed:
        """Give what was found; nothing can be added afterwards."""
        try:
            users = {name: SeenUsers(*tally.by_hour()) for name, tally in self._users.items()}
            repeated = {",".join(columns): tally.count() for columns, tally in self._repeats.items()}
        finally:
            for tally in (*self._users.values(), *self._repeats.values()):
                tally.close()
        outside = self.questions.columns_of("values_outside")
        return Surveyed(
            **self._sums,
            **more,
            earliest=min((first for first, _ in self._bounds), default=None),
            latest=max((last for _, last in self._bounds), default=None),
            latest_of_others=max(self._latest_of_others, default=None),
            hours=dict(sorted(self._hours.items())),
            names=dict(sorted(self._values["name"].items())),
            excepted={name: dict(sorted(hours.items())) for name, hours in self._excepted.items()},
            users=users,
            missing=dict(self._missing),
            distinct={name: len(values) for name, values in self._values.items() if name not in outside},
            at_least=tuple(sorted(self._at_least)),
            repeated=repeated,
            asked=dict(self._asked),
            agents=dict(sorted(self._values.get("user_agent", Counter()).items())),
            values={name: dict(sorted(self._values[name].items())) for name in outside},
        )


def survey_rows(questions: Questions, files: Iterable[Path], folder: Path) -> Surveyed:
    """Survey the rows of all units: of each a few short columns lie in files, so that a resumed run knows those of finished ones.

    Repeated events are not looked for: that is what `--dedupe` and the preflight of a replay do.
    """
    found = Count(questions, folder)
    for file in files:
        for batch in pl.scan_parquet(file).collect_batches(engine="streaming"):
            found.add(batch)
    return found.result()


class Survey:
    """Looks at each request of a replay once, a chunk of events at a time."""

    def __init__(
        self, delivery: Delivery, layout: Layout, folder: Path | None = None, kept_rows: int = KEPT_ROWS
    ) -> None:
        questions = Questions(delivery, layout, repeats=True)
        self._count = Count(questions, folder, kept_rows)
        self._clock = clock_of(layout)
        self._sums = {"requests": 0, "bytes": 0}
        self._asked = {setting: asked_columns(layout, setting) for setting in questions.asked}
        self._columns = {name: find_column(layout, name) for name in ("time", *questions.columns)}
        self._chunk = self._empty()

    def _empty(self) -> dict[str, list[Any]]:
        return {name: [] for name in (*self._columns, *(f":{setting}" for setting in self._asked))}

    def add(self, request: PackedRequest, line_bytes: int = 0) -> None:
        """Look at a request, whose line has so many bytes."""
        events = [request.event(way) for way in request.ways]
        self._sums["requests"] += 1
        self._sums["bytes"] += line_bytes
        for name, column in self._columns.items():
            self._chunk[name] += column.values(request, events) if column else [None] * len(events)
        for setting, columns in self._asked.items():
            beside = zip(*(column.values(request, events) for column in columns), strict=True)
            self._chunk[f":{setting}"] += [any(value is not None for value in values) for values in beside]
        if len(self._chunk["time"]) >= CHUNK_EVENTS:
            self._flush()

    def result(self) -> Surveyed:
        """Give what was found; nothing can be added afterwards."""
        self._flush()
        return self._count.result(**self._sums)

    def _flush(self) -> None:
        chunk, self._chunk = self._chunk, self._empty()
        asked = {
            f"{MARK}:{setting}": pl.Series(chunk[f":{setting}"], dtype=pl.Boolean) for setting in self._asked
        }
        texts = {
            name: pl.Series([_text(value) for value in chunk[name]], dtype=pl.String)
            for name in self._columns
        }
        time = pl.Series(map(self._clock, chunk["time"]), dtype=pl.Int64, strict=False)
        columns = {SPELT if name == "time" else f"{MARK}{name}": values for name, values in texts.items()}
        self._count.add(pl.DataFrame({TIME: time, **columns, **asked}))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def _whole(value: Any) -> int:
    return int(value)
