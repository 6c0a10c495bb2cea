"""One pass over all requests: what the preflight asks of them, whatever the hour at which it asks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from translate.delivery.columns import MILLISECONDS, Column, asked_columns, clock_of, find_column
from translate.delivery.shipments import PackedRequest
from translate.delivery.tallies import KEPT_ROWS, Repeats, Users
from translate.mapping.spec import Delivery, Hazard, Layout

HOUR_MS = 3_600 * MILLISECONDS
CHUNK_EVENTS = 50_000
DISTINCT_MAX = 100_000  # exact up to here; more values than that are "at least" so many
SEPARATOR = "\x1f"
REPEATING = ("repeated", "repeated_ids")
MISSING = ("column_missing", "setting_missing")


@dataclass(frozen=True)
class Seen:
    """The users of a column: all, those of two events or more, and (users, events) by the hour they were last seen."""

    users: int
    several: int
    hours: dict[int, tuple[int, int]]


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
    users: dict[str, Seen] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    at_least: tuple[str, ...] = ()
    repeated: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    values: dict[str, dict[str, int]] = field(default_factory=dict)

    def written(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_surveyed(text: str) -> Surveyed:
    """Read what `Surveyed.written` wrote."""
    given = json.loads(text)
    users = {
        column: Seen(
            seen["users"],
            seen["several"],
            {int(hour): (users, events) for hour, (users, events) in seen["hours"].items()},
        )
        for column, seen in given["users"].items()
    }
    excepted = {name: _hours(hours) for name, hours in given["excepted"].items()}
    rest = {"hours": _hours(given["hours"]), "at_least": tuple(given["at_least"])}
    return Surveyed(**{**given, **rest, "excepted": excepted, "users": users})


def identity(hazard: Hazard) -> str:
    """Name the columns that a hazard takes for an event's identity."""
    return ",".join(hazard.columns)


class Survey:
    """Looks at each request once.

    Memory is bounded whatever comes: counts by hour, at most 100,000 values of a column, one chunk of events, and of
    each tally at most `kept_rows` rows; what is beyond lies in temporary files (in `folder`), 16 bytes an event for each
    identity that is asked about, 32 a user.
    """

    def __init__(
        self, delivery: Delivery, layout: Layout, folder: Path | None = None, kept_rows: int = KEPT_ROWS
    ) -> None:
        hazards = [hazard for hazard in delivery.preflight.values() if hazard.concerns(layout.name)]
        self._clock = clock_of(layout)
        self._found = {"requests": 0, "events": 0, "bytes": 0, "untimed": 0}
        self._earliest: int | None = None
        self._latest: int | None = None
        self._latest_of_others: int | None = None
        self._hours: Counter[int] = Counter()
        self._excepted: dict[str, Counter[int]] = {
            name: Counter()
            for hazard in hazards
            if hazard.check in ("older_than", "newer_than_now")
            for name in hazard.names
        }
        self._missing = {hazard.columns[0]: 0 for hazard in hazards if hazard.check in MISSING}
        self._values: dict[str, Counter[str]] = {
            hazard.columns[0]: Counter()
            for hazard in hazards
            if hazard.check in ("distinct_max", "user_agent_matches")
        }
        self._outside = sorted({hazard.columns[0] for hazard in hazards if hazard.check == "values_outside"})
        self._values |= {name: Counter() for name in ("name", *self._outside)}
        self._at_least: set[str] = set()
        self._users = {
            hazard.columns[0]: Users(folder, kept_rows)
            for hazard in hazards
            if hazard.check in ("users_last_seen_before", "fewer_users_than")
        }
        self._repeats = {
            identity(hazard): Repeats(folder, kept_rows) for hazard in hazards if hazard.check in REPEATING
        }
        settings = {
            hazard.setting: 0
            for hazard in hazards
            if hazard.check == "endpoint_overwritten" and hazard.setting
        }
        self._asked = settings
        self._asked_columns = {setting: asked_columns(layout, setting) for setting in settings}
        wanted = {
            "time",
            *self._missing,
            *self._values,
            *self._users,
            *(name for key in self._repeats for name in key.split(",")),
        }
        self._columns: dict[str, Column | None] = {name: find_column(layout, name) for name in sorted(wanted)}
        self._chunk: dict[str, list[Any]] = {name: [] for name in self._columns}

    def add(self, request: PackedRequest, line_bytes: int = 0) -> None:
        """Look at a request, whose line has so many bytes."""
        events = [request.event(way) for way in request.ways]
        self._found["requests"] += 1
        self._found["events"] += len(events)
        self._found["bytes"] += line_bytes
        for name, column in self._columns.items():
            self._chunk[name] += column.values(request, events) if column else [None] * len(events)
        for setting, columns in self._asked_columns.items():
            beside = zip(*(column.values(request, events) for column in columns), strict=True)
            self._asked[setting] += sum(any(value is not None for value in values) for values in beside)
        if len(self._chunk["time"]) >= CHUNK_EVENTS:
            self._count()

    def result(self) -> Surveyed:
        """Give what was found; nothing can be added afterwards."""
        self._count()
        try:
            users = {name: tally.by_hour() for name, tally in self._users.items()}
            repeated = {key: tally.count() for key, tally in self._repeats.items()}
        finally:
            self.close()
        return Surveyed(
            **self._found,
            earliest=self._earliest,
            latest=self._latest,
            latest_of_others=self._latest_of_others,
            hours=dict(sorted(self._hours.items())),
            names=dict(sorted(self._values["name"].items())),
            excepted={name: dict(sorted(hours.items())) for name, hours in self._excepted.items()},
            users={
                name: Seen(everyone, several, hours) for name, (hours, everyone, several) in users.items()
            },
            missing=self._missing,
            distinct={
                name: len(values) for name, values in self._values.items() if name not in self._outside
            },
            at_least=tuple(sorted(self._at_least)),
            repeated=repeated,
            asked=self._asked,
            agents=dict(sorted(self._values.get("user_agent", Counter()).items())),
            values={name: dict(sorted(self._values[name].items())) for name in self._outside},
        )

    def close(self) -> None:
        """Remove the temporary files; done by `result` too."""
        for tally in (*self._users.values(), *self._repeats.values()):
            tally.close()

    def _count(self) -> None:
        chunk, self._chunk = self._chunk, {name: [] for name in self._columns}
        if not chunk["time"]:
            return
        hours = self._count_times(
            chunk["time"], [name if isinstance(name, str) else None for name in chunk["name"]]
        )
        for name in self._missing:
            self._missing[name] += sum(value is None or value == "" for value in chunk[name])
        for name, values in self._values.items():
            self._count_values(name, values, chunk[name])
        for name, users in self._users.items():
            pairs = [
                (str(user), hour) for user, hour in zip(chunk[name], hours, strict=True) if user is not None
            ]
            users.add([user for user, _ in pairs], [hour for _, hour in pairs])
        for key, repeats in self._repeats.items():
            whole = zip(*(chunk[name] for name in key.split(",")), strict=True)
            repeats.add([SEPARATOR.join(map(_text, values)) for values in whole if None not in values])

    def _count_times(self, spelt: Sequence[Any], names: Sequence[str | None]) -> list[int | None]:
        times = list(map(self._clock, spelt))
        known = [time for time in times if time is not None]
        self._found["untimed"] += len(times) - len(known)
        if known:
            self._earliest = min(known) if self._earliest is None else min(self._earliest, *known)
            self._latest = max(known) if self._latest is None else max(self._latest, *known)
        hours = [None if time is None else time // HOUR_MS for time in times]
        self._hours.update(hour for hour in hours if hour is not None)
        others = [
            time
            for name, time in zip(names, times, strict=True)
            if time is not None and name not in self._excepted
        ]
        if others:
            self._latest_of_others = (
                max(others) if self._latest_of_others is None else max(self._latest_of_others, *others)
            )
        if len(others) < len(known):
            for name, hour in zip(names, hours, strict=True):
                if name in self._excepted and hour is not None:
                    self._excepted[name][hour] += 1
        return hours

    def _count_values(self, name: str, counted: Counter[str], values: Sequence[Any]) -> None:
        found = Counter(_text(value) for value in values if value is not None)
        for value, count in found.items():
            if value in counted or len(counted) < DISTINCT_MAX:
                counted[value] += count
            else:
                self._at_least.add(name)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def _hours(given: dict[str, int]) -> dict[int, int]:
    return {int(hour): count for hour, count in given.items()}
