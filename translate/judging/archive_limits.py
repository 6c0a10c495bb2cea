"""What only a whole archive can break, and what a receiver alters for its age: gathered on disk, so that memory does not grow with it.

Each unit leaves a file of sightings for each kind of key: the application, a hash of the key, how often it was met.
In the end the hashes are shared out into buckets that fit in memory.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from translate.judging.preflight import Forecast, judge, moment_of
from translate.judging.survey import MARK, TIME, Count, Questions, Surveyed
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout, Limit, Mapping
from translate.passes.sightings import hashed, in_buckets
from translate.reader.tree import slots
from translate.wording.rendering import Report

BUCKET_SIGHTINGS = 2_000_000
TYPE_AND_VALUE = (("name",), ("value",))  # optional columns too, though of the model's own
COLUMNS_MAX = 10_000  # a bound on what a broken header can cost

APP = "app.id"
USER = "_user"
# What the frame that is gathered from has to have.
COLUMNS = [APP, "name", "time", "attributes", "metrics", "other", USER]
# What is gathered for each limit: which column or maps hold its keys.
GATHERED = {
    "event_types_max": "event_type",
    "event_types_and_columns_max": "event_type",
    "attribute_keys_max": "attribute_key",
    "metric_keys_max": "metric_key",
    "users_with_two_min": "user",
    "columns_max": "column",
}
NAME = f"{MARK}name"


@dataclass
class Archive:
    """What one layout's events are, all together."""

    mapping: Mapping
    layout: Layout
    folder: Path
    events: int = 0
    header: set[str] = field(default_factory=set)
    first_time: Any = None
    last_time: Any = None

    @property
    def kinds(self) -> list[str]:
        """Name the kinds of keys that the layout's limits count."""
        wanted = {GATHERED[name] for name in self.layout.archive_limits if name in GATHERED}
        if "event_types_and_columns_max" in self.layout.archive_limits:
            wanted.add("column")
        return sorted(wanted)

    # -- gathering ----------------------------------------------------------------------------------------------

    def gather(self, unit: int, judged: pl.LazyFrame, header: set[str]) -> None:
        """Write down what a unit's events show: the frame has their hub columns, and `_user`."""
        if not self.layout.archive_limits:
            return
        if len(self.header) < COLUMNS_MAX:
            self.header |= header
        counts = judged.select(pl.len(), first=pl.col("time").min(), last=pl.col("time").max())
        count, first, last = counts.collect(engine="streaming").row(0)
        self.events += count
        self.first_time = min(filter(None, [self.first_time, first]), default=None)
        self.last_time = max(filter(None, [self.last_time, last]), default=None)
        for kind in self.kinds:
            sightings = self._keys(kind, judged).filter(pl.col("key").is_not_null())
            schema = {"app": pl.String, "key": pl.String, "times": pl.UInt32}
            met = sightings.map_batches(_met, schema=schema, streamable=True)
            counted = met.select("app", "times", hash=hashed("key"))
            counted.sink_parquet(self._file(kind, f"{unit:05}"), engine="streaming")

    def _file(self, kind: str, unit: str) -> Path:
        return self.folder / f"{self.layout.model}-{self.layout.name}-{kind}-{unit}.parquet"

    def _keys(self, kind: str, judged: pl.LazyFrame) -> pl.LazyFrame:
        """Give `app` and `key`: the custom names of events, the keys of free-form values, the users."""
        app = pl.col(APP).fill_null("").alias("app")
        if kind == "event_type":
            name = pl.col("name")
            marks = [name.str.starts_with(beginning) for beginning in self.layout.mark_names]
            is_known = pl.any_horizontal(name.is_in(list(self.mapping.names)), *marks)
            of_all = "event_types_and_columns_max" in self.layout.archive_limits
            return (judged if of_all else judged.filter(~is_known)).select(app, key=name)
        if kind == "user":
            return judged.select(app, key=pl.col(USER))
        maps = {"attribute_key": ["attributes"], "metric_key": ["metrics"]}.get(
            kind, ["attributes", "metrics", "other"]
        )
        keys = pl.concat_list([pl.col(name).map.keys().fill_null([]) for name in maps])
        return judged.select(app, key=keys).explode("key")

    # -- judging ------------------------------------------------------------------------------------------------

    def findings(self) -> Iterator[dict[str, Any]]:
        """Judge all events together; each limit that is not kept, with the number found."""
        for name, limit in self.layout.archive_limits.items():
            found, message = self._judged(name, limit)
            if found < limit.value if name.endswith("_min") else found > limit.value:
                yield {
                    "limit": name, "layout": self.layout.address, "value": limit.value, "found": found,
                    "message": message, "hard": limit.hard, "observed": limit.observed, "source": limit.source,
                }  # fmt: skip

    def _judged(self, name: str, limit: Limit) -> tuple[int, str]:
        most = limit.value
        if name == "interactions_min":
            return self.events, f"interactions: {self.events:,} (at least {most:,} are needed)"
        if name == "distinct_times_min":
            is_one = self.events > 1 and self.first_time == self.last_time
            return (1 if is_one else most), "all events have the same time"
        if name == "users_with_two_min":
            found = sum(twice for _, twice in self._distinct("user").values())
            return found, f"users with two interactions or more: {found:,} (at least {most:,} are needed)"
        if name in ("columns_max", "event_types_and_columns_max"):
            return self._columns(name, most)
        counts = sorted((count for count, _ in self._distinct(GATHERED[name]).values()), reverse=True)
        found = counts[0] if counts else 0
        over = sum(count > most for count in counts)
        own = {
            "event_type": "event types of its own",
            "attribute_key": "attribute names",
            "metric_key": "metric names",
        }
        what = own[GATHERED[name]]
        where = "an application" if over <= 1 else f"each of {over:,} applications, at most"
        return found, f"{what} in {where}: {found:,} (at most {most:,} are allowed)"

    def _columns(self, name: str, most: int) -> tuple[int, str]:
        met = sum(count for count, _ in self._distinct("column").values())
        places = {entry.place: entry.hub[:1] for _, entry in slots(self.layout)}
        columns = max(met, len(self.header - places.keys()))
        if name == "columns_max":
            return columns, f"columns of its own: {columns:,} (at most {most:,} are allowed)"
        types = sum(count for count, _ in self._distinct("event_type").values())
        standing = sum(places.get(name) in TYPE_AND_VALUE for name in self.header) if self.header else 1
        message = f"event types: {types:,}, optional columns: {columns + standing:,} (at most {most:,} together are allowed)"
        return types + columns + standing, message

    def _distinct(self, kind: str) -> dict[str, tuple[int, int]]:
        """Count by application the different keys, and those met more than once."""
        files = sorted(self.folder.glob(self._file(kind, "*").name))
        found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        if not files:
            return found
        for _, bucket in in_buckets(pl.scan_parquet(files), "hash", BUCKET_SIGHTINGS):
            keys = bucket.group_by("app", "hash").agg(pl.col("times").sum())
            counts = keys.group_by("app").agg(pl.len(), twice=(pl.col("times") > 1).sum())
            for app, count, twice in counts.collect(engine="streaming").iter_rows():
                before = found[app]
                found[app] = (before[0] + count, before[1] + twice)
        return found


def _met(batch: pl.DataFrame) -> pl.DataFrame:
    return batch.group_by("app", "key").agg(times=pl.len().cast(pl.UInt32))


class Ages:
    """The ages of one layout's events, held against what its sheet says of them."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings) -> None:
        self._layout = layout
        self._settings = settings
        self._mapping = mapping
        self._spelled = {hub: spelling.name for hub, spelling in mapping.names.items()}
        self._count: Count | None = None
        if mapping.delivery and (altering := mapping.delivery.altering(layout.name)):
            delivery = replace(mapping.delivery, preflight=altering)
            self._mapping = replace(mapping, delivery=delivery)
            self._count = Count(Questions(delivery, layout))

    def add(self, events: pl.LazyFrame) -> None:
        """Count the ages of events, of which the hub columns `time` and `name` are there."""
        if self._count is None:
            return
        asked = {TIME: pl.col("time").dt.timestamp("ms"), NAME: pl.col("name").replace(self._spelled)}
        for batch in events.select(**asked).collect_batches(engine="streaming"):
            self._count.add(batch)

    def result(self) -> Aged:
        """Give what was counted; nothing can be added afterwards."""
        surveyed = self._count.result() if self._count else Surveyed()
        return Aged(self._mapping, self._layout, self._settings, surveyed)


class Aged:
    """What was counted of one layout's events, to be judged as of any moment."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings, surveyed: Surveyed) -> None:
        self._mapping = mapping
        self._layout = layout
        self._settings = settings
        self._surveyed = surveyed

    def told(self) -> list[dict[str, Any]]:
        """Say what is altered as of the latest event or a given day, never as of today."""
        now = moment_of(self._surveyed, self._settings)
        if now is None:
            return []
        about = {"layout": self._layout.address, "as_of": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        return [{**about, **found.to_json()} for found in self.at(now)]

    def at(self, now: dt.datetime) -> list[Forecast]:
        """Say what is altered if the events come at a moment."""
        overrides, layout = self._settings.overrides, self._layout.name
        return judge(
            self._mapping, self._surveyed, self._settings, now=now, overrides=overrides, layout=layout
        )


class Validated(Report):
    """The answer of `validate`, which can also say what the receiver alters for its age at any moment."""

    def __init__(self, values: dict[str, Any], aged: list[Aged]) -> None:
        super().__init__(values)
        self._aged = aged

    def ages_at(self, now: dt.datetime) -> list[Forecast]:
        """Say what the receiver alters if the events come at a moment: `ages` are those as of the archive's own span."""
        return [found for aged in self._aged for found in aged.at(now)]
