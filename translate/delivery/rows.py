"""The rows that a conversion writes, surveyed for the hazards of their target as a replay surveys its requests.

Of each row a few short columns lie on disk until the run is complete, so that a resumed run knows those of finished
units. Repeated events are not looked for: that is what `--dedupe` and the preflight of a replay do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from translate.delivery.columns import entry_of
from translate.delivery.survey import DISTINCT_MAX, HOUR_MS, MISSING, REPEATING, Seen, Surveyed
from translate.delivery.tallies import Users
from translate.mapping.spec import Hazard, Layout, Mapping
from translate.writer.writer import Writer

MARK = "~"
HOUR = f"{MARK}hour"


class Questions:
    """What the hazards of a target ask of its rows, as columns beside them."""

    def __init__(self, sheet: Mapping, layout: Layout) -> None:
        self.layout = layout
        preflight = sheet.delivery.preflight.values() if sheet.delivery else ()
        self.hazards: list[Hazard] = [
            hazard for hazard in preflight if hazard.concerns(layout.name) and hazard.check not in REPEATING
        ]
        self.excepted = sorted(
            {
                name
                for hazard in self.hazards
                if hazard.check in ("older_than", "newer_than_now")
                for name in hazard.names
            }
        )
        self.columns = sorted(
            {"name", *(name for hazard in self.hazards for name in hazard.columns)} - {"time"}
        )
        self.asked = sorted(
            {
                hazard.setting
                for hazard in self.hazards
                if hazard.check == "endpoint_overwritten" and hazard.setting
            }
        )

    def columns_of(self, *checks: str) -> list[str]:
        """Name the hub columns that checks of some kinds look at."""
        return sorted({hazard.columns[0] for hazard in self.hazards if hazard.check in checks})

    def expressions(self, writer: Writer) -> dict[str, pl.Expr]:
        """Give the columns, as the row holds them: `~time`, `~` and a hub column, and `~:` and a setting that was asked."""
        if not self.hazards:
            return {}
        found = {f"{MARK}time": pl.col("time").dt.timestamp("ms")}
        found |= {f"{MARK}{name}": _written(writer, name).cast(pl.String) for name in self.columns}
        for setting in self.asked:
            beside = [
                pl.col(f"@{entry.place}").is_not_null()
                for entry in writer.shape.around
                if entry.asked == setting
            ]
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


class Rows:
    """Counts what the questions' columns say, batch by batch, within a stated memory."""

    def __init__(self, questions: Questions, folder: Path) -> None:
        self.questions = questions
        self._events = 0
        self._bounds: list[tuple[int, int]] = []
        self._latest_of_others: list[int] = []
        self._hours: Counter[int] = Counter()
        self._excepted: dict[str, Counter[int]] = {name: Counter() for name in questions.excepted}
        self._missing: Counter[str] = Counter(dict.fromkeys(questions.columns_of(*MISSING), 0))
        counted = {*questions.columns_of("distinct_max", "user_agent_matches", "values_outside"), "name"}
        self._values: dict[str, Counter[str]] = {name: Counter() for name in sorted(counted)}
        self._at_least: set[str] = set()
        self._users = {
            name: Users(folder) for name in questions.columns_of("users_last_seen_before", "fewer_users_than")
        }
        self._asked: Counter[str] = Counter(dict.fromkeys(questions.asked, 0))

    def add(self, batch: pl.DataFrame) -> None:
        """Count a batch of rows."""
        if not batch.height:
            return
        time, name = batch[f"{MARK}time"], batch[f"{MARK}name"]
        batch = batch.with_columns((pl.col(f"{MARK}time") // HOUR_MS).alias(HOUR))
        self._events += batch.height
        self._bounds.append((_whole(time.min()), _whole(time.max())))
        self._hours.update(dict(batch[HOUR].value_counts().iter_rows()))
        is_excepted = name.is_in(self.questions.excepted).fill_null(value=False)
        latest = time.filter(~is_excepted).max()
        self._latest_of_others += [] if latest is None else [_whole(latest)]
        if is_excepted.any():
            for known, hour, events in (
                batch.filter(is_excepted).group_by(f"{MARK}name", HOUR).len().iter_rows()
            ):
                self._excepted[known][hour] += events
        for column in self._missing:
            self._missing[column] += int((batch[f"{MARK}{column}"].fill_null("") == "").sum())
        for column, values in self._values.items():
            self._count(column, values, batch[f"{MARK}{column}"])
        for column, users in self._users.items():
            users.add_rows(batch.select(text=f"{MARK}{column}", hour=HOUR).drop_nulls("text"))
        for setting in self._asked:
            self._asked[setting] += int(batch[f"{MARK}:{setting}"].sum())

    def _count(self, column: str, values: Counter[str], given: pl.Series) -> None:
        for value, events in given.drop_nulls().value_counts().iter_rows():
            if value in values or len(values) < DISTINCT_MAX:
                values[value] += events
            else:
                self._at_least.add(column)

    def result(self) -> Surveyed:
        """Give what was found; nothing can be added afterwards."""
        users = {}
        for name, tally in self._users.items():
            hours, everyone, several = tally.by_hour()
            users[name] = Seen(everyone, several, hours)
            tally.close()
        outside = self.questions.columns_of("values_outside")
        return Surveyed(
            events=self._events,
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
            asked=dict(self._asked),
            agents=dict(sorted(self._values.get("user_agent", Counter()).items())),
            values={name: dict(sorted(self._values[name].items())) for name in outside},
        )


def survey(questions: Questions, files: Iterable[Path], folder: Path) -> Surveyed:
    """Survey the rows of all units, as they lie in files."""
    found = Rows(questions, folder)
    for file in files:
        for batch in pl.scan_parquet(file).collect_batches(engine="streaming"):
            found.add(batch)
    return found.result()


def _whole(value: Any) -> int:
    return int(value)
