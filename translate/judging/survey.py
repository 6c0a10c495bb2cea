"""One pass over all requests, or over the rows that a conversion writes: what a preflight asks of them, whatever the hour."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import polars as pl

from translate.mapping.sending import Delivery, Hazard
from translate.mapping.spec import Field, Layout
from translate.passes.distinct import KEPT_ROWS, LAST_SEEN, Digests, SeenUsers, digest_of
from translate.reader import shipments
from translate.reader.shipments import MILLISECONDS, PackedRequest

HOUR_MS = 3_600 * MILLISECONDS
MISSING = ("column_missing", "setting_missing")
AGED = ("older_than", "newer_than", "newer_than_now")
REPEATING = ("repeated", "repeated_ids")
MARK = "~"
TIME = f"{MARK}time"
CHUNK_EVENTS = 50_000
DISTINCT_MAX = 100_000  # exact up to here; more values than that are "at least" so many
HOUR = f"{MARK}hour"
SPELT = f"{MARK}:time"  # as the request spells it


def identity(hazard: Hazard) -> str:
    """Name the columns that a hazard takes for an event's identity."""
    return ",".join(hazard.columns)


@dataclass(frozen=True)
class Surveyed:
    """What was found in all requests; hours are counted from 1970 (UTC), times are milliseconds since then.

    `bytes` of the lines. `names` and `distinct` are exact up to 100,000 values of a column; a column in `at_least` has
    more. `excepted`: hours of the events of some names; `latest_of_others`: the latest time of all others. `missing`: events without a column. `repeated`: events that
    are equal to an earlier one in the columns (by 16-byte digests). `asked`: events beside what only a setting asks for.
    `agents`: events by the user agent that their request names. `values`: events by the values of a column that a hazard
    knows the good ones of.
    """

    requests: int = 0
    events: int = 0
    bytes: int = 0
    earliest: int | None = None
    latest: int | None = None
    latest_of_others: int | None = None
    untimed: int = 0
    hours: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    excepted: dict[str, dict[int, int]] = field(default_factory=dict)
    users: dict[str, SeenUsers] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    at_least: tuple[str, ...] = ()
    repeated: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    values: dict[str, dict[str, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values, whose keys are texts."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        """Read back what `to_json` gave."""
        users = {}
        for column, seen in given["users"].items():
            hours = {int(hour): (users, events) for hour, (users, events) in seen["hours"].items()}
            users[column] = SeenUsers(seen["users"], seen["several"], hours)
        excepted = {name: _hours(hours) for name, hours in given["excepted"].items()}
        rest = {"hours": _hours(given["hours"]), "at_least": tuple(given["at_least"])}
        return cls(**{**given, **rest, "excepted": excepted, "users": users})


def _hours(given: dict[str, int]) -> dict[int, int]:
    return {int(hour): count for hour, count in given.items()}


class Questions:
    """What the hazards of a target ask of its events: hub columns, and what is there only where a setting asks for it."""

    def __init__(self, delivery: Delivery | None, layout: Layout, *, repeats: bool = False) -> None:
        self.layout = layout
        known = delivery.preflight.values() if delivery else ()
        mine = [hazard for hazard in known if hazard.concerns(layout.name)]
        self.hazards = [hazard for hazard in mine if repeats or hazard.check not in REPEATING]
        aged = [hazard for hazard in self.hazards if hazard.check in AGED]
        self.excepted = sorted({name for hazard in aged for name in hazard.names})
        looked_at = {name for hazard in self.hazards for name in hazard.columns}
        self.columns = sorted({"name", *looked_at} - {"time"})
        overwriting = (hazard.setting for hazard in self.hazards if hazard.check == "endpoint_overwritten")
        self.asked = sorted({*filter(None, overwriting)})
        self.identities = [hazard.columns for hazard in self.hazards if hazard.check in REPEATING]

    def columns_of(self, *checks: str) -> list[str]:
        """Name the hub columns that checks of some kinds look at."""
        return sorted({hazard.columns[0] for hazard in self.hazards if hazard.check in checks})

    def expressions(self, inside: Sequence[Field], around: Sequence[Field]) -> dict[str, pl.Expr]:
        """Give what is asked of rows with some places inside and around: `~time`, `~` and a hub column, `~:` and a setting that was asked."""
        files = self.layout.files
        if not self.hazards and (files is None or files.order is None):  # nobody asks, nor wants an order
            return {}
        found = {TIME: pl.col("time").dt.timestamp("ms")}
        found |= {
            f"{MARK}{name}": self._written(inside, around, name).cast(pl.String) for name in self.columns
        }
        for setting in self.asked:
            entries = [entry for entry in around if entry.asked == setting]
            beside = [pl.col(f"@{entry.place}").is_not_null() for entry in entries]
            found[f"{MARK}:{setting}"] = pl.any_horizontal(beside) if beside else pl.lit(False)
        return found

    def _written(self, inside: Sequence[Field], around: Sequence[Field], name: str) -> pl.Expr:
        """Give a hub column's value where the layout has it: in the row, or around it."""
        entry, lies_around = shipments.entry_of(self.layout, name) or (None, False)
        is_there = entry is not None and entry in (around if lies_around else inside)
        if entry is None or not is_there:
            return pl.lit(None, pl.String)
        return pl.col(f"{'@' if lies_around else '='}{entry.place}")


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
        self._scratch = tempfile.TemporaryDirectory(prefix="survey-", dir=folder)
        files = Path(self._scratch.name)
        self._users = {name: Digests(files / name, LAST_SEEN, kept_rows) for name in people}
        identities = questions.identities
        self._identities = {each: Digests(files / ",".join(each), (), kept_rows) for each in identities}
        self._identified: Counter[tuple[str, ...]] = Counter()
        self._asked: Counter[str] = Counter(dict.fromkeys(questions.asked, 0))

    def with_all(self, answers: Iterable[pl.DataFrame]) -> Self:
        """Count all that was kept of rows, so that a resumed run knows those of finished units."""
        for batch in answers:
            self.add(batch)
        return self

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
            name = f"{MARK}{column}"
            told = {"hour": pl.col(HOUR), "events": pl.lit(1, pl.Int64)}
            users.add(batch.drop_nulls(name).select(*digest_of([pl.col(name)]), **told))
        for columns, identities in self._identities.items():
            spelt = [SPELT if name == "time" else f"{MARK}{name}" for name in columns]
            there = batch.drop_nulls(spelt)
            self._identified[columns] += there.height
            identities.add(there.select(digest_of([pl.col(name) for name in spelt])))
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
            users = {name: SeenUsers.of(seen.buckets()) for name, seen in self._users.items()}
            repeated = {
                ",".join(columns): self._identified[columns] - identities.count()
                for columns, identities in self._identities.items()
            }
        finally:
            self._scratch.cleanup()
        outside = self.questions.columns_of("values_outside")
        return Surveyed(
            **self._sums, **more,
            earliest=min((first for first, _ in self._bounds), default=None),
            latest=max((last for _, last in self._bounds), default=None),
            latest_of_others=max(self._latest_of_others, default=None),
            hours=dict(sorted(self._hours.items())),
            names=dict(sorted(self._values["name"].items())),
            excepted={name: dict(sorted(hours.items())) for name, hours in self._excepted.items()},
            users=users, missing=dict(self._missing),
            distinct={name: len(values) for name, values in self._values.items() if name not in outside},
            at_least=tuple(sorted(self._at_least)), repeated=repeated, asked=dict(self._asked),
            agents=dict(sorted(self._values.get("user_agent", Counter()).items())),
            values={name: dict(sorted(self._values[name].items())) for name in outside},
        )  # fmt: skip


class Survey:
    """Looks at each request of a replay once, a chunk of events at a time."""

    def __init__(
        self, delivery: Delivery, layout: Layout, folder: Path | None = None, kept_rows: int = KEPT_ROWS
    ) -> None:
        questions = Questions(delivery, layout, repeats=True)
        self._count = Count(questions, folder, kept_rows)
        self._clock = shipments.clock_of(layout)
        self._sums = {"requests": 0, "bytes": 0}
        self._asked = {setting: shipments.asked_columns(layout, setting) for setting in questions.asked}
        self._columns = {name: shipments.find_column(layout, name) for name in ("time", *questions.columns)}
        self._chunk = self._empty()

    def _empty(self) -> dict[str, list[Any]]:
        return {name: [] for name in (*self._columns, *(f":{setting}" for setting in self._asked))}

    def add(self, request: PackedRequest) -> None:
        """Look at a request."""
        events = [request.event(way) for way in request.ways]
        self._sums["requests"] += 1
        self._sums["bytes"] += request.line_bytes
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
        frame = {TIME: pl.Series(map(self._clock, chunk["time"]), dtype=pl.Int64, strict=False)}
        for name in self._columns:
            texts = pl.Series([_text(value) for value in chunk[name]], dtype=pl.String)
            frame[SPELT if name == "time" else f"{MARK}{name}"] = texts
        for setting in self._asked:
            frame[f"{MARK}:{setting}"] = pl.Series(chunk[f":{setting}"], dtype=pl.Boolean)
        self._count.add(pl.DataFrame(frame))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)


def _whole(value: Any) -> int:
    return int(value)
