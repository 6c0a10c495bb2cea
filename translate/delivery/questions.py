"""What the hazards of a target ask of its events, and what was found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

import polars as pl

from translate.delivery.shipments import MILLISECONDS, entry_of
from translate.mapping.sending import Delivery, Hazard
from translate.mapping.spec import Layout
from translate.writer.writer import Writer

HOUR_MS = 3_600 * MILLISECONDS
MISSING = ("column_missing", "setting_missing")
AGED = ("older_than", "newer_than", "newer_than_now")
REPEATING = ("repeated", "repeated_ids")
MARK = "~"
TIME = f"{MARK}time"


def identity(hazard: Hazard) -> str:
    """Name the columns that a hazard takes for an event's identity."""
    return ",".join(hazard.columns)


@dataclass(frozen=True)
class SeenUsers:
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
    users: dict[str, SeenUsers] = field(default_factory=dict)
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
        column: SeenUsers(
            seen["users"],
            seen["several"],
            {int(hour): (users, events) for hour, (users, events) in seen["hours"].items()},
        )
        for column, seen in given["users"].items()
    }
    excepted = {name: _hours(hours) for name, hours in given["excepted"].items()}
    rest = {"hours": _hours(given["hours"]), "at_least": tuple(given["at_least"])}
    return Surveyed(**{**given, **rest, "excepted": excepted, "users": users})


def _hours(given: dict[str, int]) -> dict[int, int]:
    return {int(hour): count for hour, count in given.items()}


class Questions:
    """What the hazards of a target ask of its events: hub columns, and what is there only where a setting asks for it."""

    def __init__(self, delivery: Delivery | None, layout: Layout, *, repeats: bool = False) -> None:
        self.layout = layout
        concerning = (
            [hazard for hazard in delivery.preflight.values() if hazard.concerns(layout.name)]
            if delivery
            else []
        )
        self.hazards = [hazard for hazard in concerning if repeats or hazard.check not in REPEATING]
        aged = [hazard for hazard in self.hazards if hazard.check in AGED]
        self.excepted = sorted({name for hazard in aged for name in hazard.names})
        self.columns = sorted(
            {"name", *(name for hazard in self.hazards for name in hazard.columns)} - {"time"}
        )
        overwriting = [hazard.setting for hazard in self.hazards if hazard.check == "endpoint_overwritten"]
        self.asked = sorted({setting for setting in overwriting if setting})
        self.identities = [hazard.columns for hazard in self.hazards if hazard.check in REPEATING]

    @property
    def is_ordered(self) -> bool:
        """Tell whether the receiver of the rows' files wants them in an order."""
        return self.layout.files is not None and self.layout.files.order is not None

    def columns_of(self, *checks: str) -> list[str]:
        """Name the hub columns that checks of some kinds look at."""
        return sorted({hazard.columns[0] for hazard in self.hazards if hazard.check in checks})

    def expressions(self, writer: Writer) -> dict[str, pl.Expr]:
        """Give what is asked of rows: `~time`, `~` and a hub column, and `~:` and a setting that was asked."""
        if not self.hazards and not self.is_ordered:
            return {}
        found = {TIME: pl.col("time").dt.timestamp("ms")}
        found |= {f"{MARK}{name}": _written(writer, name).cast(pl.String) for name in self.columns}
        for setting in self.asked:
            entries = [entry for entry in writer.shape.around if entry.asked == setting]
            beside = [pl.col(f"@{entry.place}").is_not_null() for entry in entries]
            found[f"{MARK}:{setting}"] = pl.any_horizontal(beside) if beside else pl.lit(False)
        return found


def _written(writer: Writer, name: str) -> pl.Expr:
    """Give a hub column's value where the layout has it: in the row, or around it."""
    found = entry_of(writer.shape.layout, name)
    if found is None:
        return pl.lit(None, pl.String)
    entry, around = found
    there = writer.shape.around if around else [*writer.columns, *writer.shape.wanted_presets()]
    return pl.col(f"{'@' if around else '='}{entry.place}") if entry in there else pl.lit(None, pl.String)
