"""What one pass over events gathers, batch by batch: small sums, bounded lists, and digests on disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from translate import events
from translate.mapping.personal import Marked
from translate.telling.inspection import keys
from translate.telling.inspection.counters import Counts
from translate.telling.inspection.digests import SEEDS, Digests, combined, digest_of
from translate.vocabulary import money

HOUR_MS = 3_600_000
DETAILS: dict[str, tuple[str, ...]] = {
    "apps": ("app.id", "app.title"),
    "versions": ("app.version",),
    "sdks": ("sdk.name", "sdk.version"),
    "platforms": ("device.platform",),
    "platform_versions": ("device.platform", "device.platform_version"),
    "devices": ("device.make", "device.model"),
    "countries": ("device.country",),
    "languages": ("device.language",),
}
DETAILED = list(dict.fromkeys(name for names in DETAILS.values() for name in names))
SENDERS = ("forwarded_address", "user_agent")
LATE_HOURS = (1, 24, 72, 720)
PERSON = pl.coalesce("user_id", "cognito_id", "client_id")  # whom Personalize takes for the user
PERSON_OF_SESSION = pl.coalesce("client_id", "user_id")
MILLIONTHS = 10**6
CONTENT = [name for name in events.CONTENT if events.SCHEMA[name] != events.MAP]
CONTENT_MAPS = [
    name for name in (*events.CONTENT, *events.CONTENT_ADDED) if events.SCHEMA[name] == events.MAP
]
HASHED = list(dict.fromkeys([*CONTENT, *DETAILED]))
TELLING = ("name", "time", "client_id", "user_id", "session.id")
LAST_SEEN = (pl.col("hour").max(), pl.col("events").sum())
WHOSE = {
    "clients": pl.col("client_id"),
    "users": pl.col("user_id"),
    "identities": pl.col("cognito_id"),
    "devices": pl.col("device_id"),
    "persons": PERSON,
}


@dataclass(frozen=True)
class Limits:
    """What values are held against: the first documented limit of its kind among the layouts of the source's model."""

    text_characters: int | None = None
    keys: int | None = None


@dataclass
class Figures:
    """Sums over events; `add` takes a batch of hub events, readable or not (`code`), chosen or not (`_deselected`)."""

    folder: Path
    provided: frozenset[str] = frozenset(events.SCHEMA)
    limits: Limits = field(default_factory=Limits)
    watched: frozenset[str] = frozenset()  # names whose hours are counted apart
    examples: bool = False
    marked: tuple[Marked, ...] = ()
    personal: Counter[tuple[str, str]] = field(default_factory=Counter)  # place and kind of personal data
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    watched_hours: dict[str, Counter[int]] = field(default_factory=dict)
    late: Counter[int] = field(default_factory=Counter)
    bounds: dict[str, int] = field(default_factory=dict)  # earliest and latest, in milliseconds since 1970
    names: Counts = field(default_factory=Counts)
    sources: Counts = field(default_factory=Counts)  # of attribution
    senders: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in SENDERS})
    details: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in DETAILS})
    revenue: dict[tuple[str | None, bool], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the stores."""
        self.people = {name: Digests(self.folder / name, LAST_SEEN) for name in WHOSE}
        self.sessions = Digests(self.folder / "sessions", (pl.col("stopped").max(), pl.col("started").max()))
        self.ids = Digests(self.folder / "ids")
        self.moments = Digests(self.folder / "moments")
        self.census = keys.Census(examples=self.examples)

    # -- gathering ----------------------------------------------------------------------------------------------

    def add(self, batch: pl.DataFrame) -> None:
        """Look at a batch once."""
        self.counts["read"] += batch.height
        good = batch
        if batch["code"].null_count() < batch.height:
            bad = batch.filter(pl.col("code").is_not_null())
            self.codes.update(dict(bad["code"].value_counts().iter_rows()))
            good = batch.filter(pl.col("code").is_null())
        if good["_deselected"].null_count() < good.height:
            good = good.filter(pl.col("_deselected").is_null())
            self.counts["filtered"] += batch.height - good.height - batch["code"].count()
        if not good.height:
            return
        self.counts["events"] += good.height
        self._add_times(good)
        self._add_names(good)
        self._add_personal(good)
        wanted = HASHED if good["event_id"].null_count() else DETAILED
        hashed = good.select(pl.col(name).hash(SEEDS[0]) for name in wanted if name in self.provided)
        self._add_details(good, hashed)
        self._add_people(good)
        self._add_purchases(good.filter(pl.col("name") == "purchase"))
        self._add_contents(good, hashed)

    def _add_times(self, good: pl.DataFrame) -> None:
        time, behind = (
            pl.col("time").to_physical(),
            pl.col("arrival_time").to_physical() - pl.col("time").to_physical(),
        )
        found = good.select(
            first_event=time.min(), last_event=time.max(), first_arrival=pl.col("arrival_time").to_physical().min(),
            last_arrival=pl.col("arrival_time").to_physical().max(), with_arrival=pl.col("arrival_time").count(),
            least=behind.min(), skewed=(behind < 0).sum(), **{f"late_{hours}": (behind > HOUR_MS * hours).sum() for hours in LATE_HOURS},
        ).row(0, named=True)  # fmt: skip
        for name in ("first_event", "last_event", "first_arrival", "last_arrival"):
            if found[name] is not None:
                self._bound(name, found[name])
        for hours in LATE_HOURS:
            self.late[hours] += found[f"late_{hours}"]
        for name in ("with_arrival", "skewed"):
            self.counts[name] += found[name]
        if found["skewed"]:
            self._bound("largest_skew", -found["least"])
        self.hours.update(dict(good.select(hour=time // HOUR_MS)["hour"].value_counts().iter_rows()))

    def _add_personal(self, good: pl.DataFrame) -> None:
        there = {
            place: [spot.is_there() for spot in place.spots if spot.column in good.columns]
            for place in self.marked
        }
        found = good.select(
            pl.any_horizontal(spots).sum().alias(str(number))
            for number, spots in enumerate(there.values())
            if spots
        )
        for number, place in enumerate(there):
            if str(number) in found.columns:
                self.personal[place.place, place.kind] += found[str(number)].item()

    def _bound(self, name: str, value: int) -> None:
        """Keep the first of what is called so, and else the largest."""
        known = self.bounds.get(name, value)
        self.bounds[name] = min(known, value) if name.startswith("first") else max(known, value)

    def _add_names(self, good: pl.DataFrame) -> None:
        names = good["name"].value_counts()
        self.names.add(((name,) for name in names["name"]), names["count"].to_list())
        watched = good.filter(pl.col("name").is_in(sorted(self.watched))) if self.watched else good.clear()
        hours = watched.group_by("name", hour=pl.col("time").to_physical() // HOUR_MS).len()
        for name, hour, count in hours.iter_rows():
            self.watched_hours.setdefault(name, Counter())[hour] += count
        if watched.height < good.height:
            others = good.filter(~pl.col("name").is_in(sorted(self.watched))) if self.watched else good
            self._bound("last_of_others", others.select(pl.col("time").to_physical().max()).item())
        for column, counted in (("attribution_source", self.sources), *self.senders.items()):
            if column in self.provided:
                found = good[column].drop_nulls().value_counts()
                counted.add(((value,) for value in found[column]), found["count"].to_list())

    def _add_details(self, good: pl.DataFrame, hashed: pl.DataFrame) -> None:
        """Count what describes apps and devices: each combination of values is looked at once."""
        given = [name for name in DETAILED if name in self.provided]
        if not given:
            return
        whole = hashed.select(a=combined([pl.col(name) for name in given])).with_row_index("row")
        each = whole.group_by("a").agg(pl.first("row"), events=pl.len()).sort("row")
        values = good.select(given)[each["row"]].with_columns(each["events"])
        for detail, names in DETAILS.items():
            if not set(names) & set(given):
                continue
            columns = [
                pl.col(name) if name in given else pl.lit(None, pl.String).alias(name) for name in names
            ]
            counted = values.group_by(columns, maintain_order=True).agg(pl.col("events").sum())
            self.details[detail].add(counted.drop("events").iter_rows(), counted["events"].to_list())

    def _add_people(self, good: pl.DataFrame) -> None:
        hour = (pl.col("time").to_physical() // HOUR_MS).alias("hour")
        self.counts["without_client"] += good["client_id"].null_count()
        self.counts["without_address"] += good["forwarded_address"].null_count()
        for name, whose in WHOSE.items():
            if not set(whose.meta.root_names()) & self.provided:
                continue
            hashed = good.lazy().filter(whose.is_not_null()).select(*digest_of([whose]), hour)
            seen = (
                hashed.group_by("a", "b")
                .agg(pl.col("hour").max(), events=pl.len())
                .collect(engine="in-memory")
            )
            self.counts[f"of_{name}"] += int(seen["events"].sum())
            self.people[name].add(seen)
        if "session.id" in self.provided:
            stopped = (pl.col("name") == "session.stop") | pl.col("session.stop").is_not_null()
            started = pl.col("name") == "session.start"
            flags = [stopped.alias("stopped"), started.alias("started")]
            hashed = (
                good.lazy()
                .filter(pl.col("session.id").is_not_null())
                .select(*digest_of([PERSON_OF_SESSION, pl.col("session.id")]), *flags)
            )
            self.sessions.add(
                hashed.group_by("a", "b")
                .agg(pl.col("stopped").max(), pl.col("started").max())
                .collect(engine="in-memory")
            )
        if {"item_id"} & self.provided:
            whole = good.lazy().filter(PERSON.is_not_null() & pl.col("item_id").is_not_null())
            moments = whole.select(
                digest_of([PERSON, pl.col("item_id"), pl.col("name"), pl.col("time")])
            ).collect(engine="in-memory")
            self.counts["moments"] += moments.height
            self.moments.add(moments)

    def _add_purchases(self, bought: pl.DataFrame) -> None:
        if not bought.height:
            return
        names = ("value", "price", "quantity", "currency", "store")
        worth = money.worth(*map(pl.col, names[:3]))
        is_money = money.amount(*map(pl.col, names)).is_not_null()
        millionths = (worth * MILLIONTHS).round().cast(pl.Int64, strict=False)
        code = pl.coalesce(
            money.currency(*map(pl.col, ("currency", "store", "value", "price", "quantity"))),
            pl.col("currency"),
        )
        sums = bought.group_by(currency=code, money=is_money).agg(
            pl.len(), millionths.count().alias("worth"), amount=millionths.cast(pl.Int128).sum()
        )
        for currency, is_real, purchases, worthy, amount in sums.iter_rows():
            known = self.revenue.setdefault((currency, is_real), [0, 0, 0])
            for place, value in enumerate((purchases, worthy, int(amount or 0))):
                known[place] += value

    def absorb(self, other: Figures) -> None:
        """Add the figures of other events."""
        self.counts.update(other.counts)
        self.codes.update(other.codes)
        self.personal.update(other.personal)
        self.hours.update(other.hours)
        self.late.update(other.late)
        for name, hours in other.watched_hours.items():
            self.watched_hours.setdefault(name, Counter()).update(hours)
        for name, value in other.bounds.items():
            self._bound(name, value)
        self.names.absorb(other.names)
        self.sources.absorb(other.sources)
        for name, senders in other.senders.items():
            self.senders[name].absorb(senders)
        for name, counts in other.details.items():
            self.details[name].absorb(counts)
        for key, sums in other.revenue.items():
            self.revenue[key] = [
                sum(pair) for pair in zip(self.revenue.get(key, [0, 0, 0]), sums, strict=True)
            ]
        for name, digests in other.people.items():
            self.people[name].absorb(digests)
        self.sessions.absorb(other.sessions)
        self.ids.absorb(other.ids)
        self.moments.absorb(other.moments)
        self.census.absorb(other.census)

    # -- what events hold ---------------------------------------------------------------------------------------

    def _add_contents(self, good: pl.DataFrame, hashed: pl.DataFrame) -> None:
        """Count keys, and the digests of events: an event without an id of its own is what it holds."""
        made = good["event_id"].null_count() > 0
        maps: list[pl.Series] = []
        held = pl.lit(0, pl.UInt32)
        for name in CONTENT_MAPS if made else keys.CONTAINERS:
            if name not in self.provided or good[name].null_count() == good.height:
                continue
            is_counted = name in keys.CONTAINERS
            values = keys.exploded(good, name) if is_counted else keys.values_of(good, name)
            if is_counted:
                held = held + pl.col(name).map.len().fill_null(0)
                self.census.add(good, name, values)
                self._judge_texts(name, values)
            if made:
                maps.append(keys.digest_by_row(good, name, values))
        if self.limits.keys is not None:
            self.counts["too_many_keys"] += good.select((held > self.limits.keys).sum()).item()
        self._add_ids(good, hashed, maps)

    def _judge_texts(self, container: str, values: pl.DataFrame) -> None:
        most = self.limits.text_characters
        if most is not None and container == "attributes" and values.height:
            self.counts["texts_too_long"] += int((values["value"].str.len_chars() > most).sum())

    def _add_ids(self, good: pl.DataFrame, hashed: pl.DataFrame, maps: list[pl.Series]) -> None:
        """Add an event's digest: of its own id, else `a` of all that it holds and `b` of what tells most events apart."""
        own = good.select(digest_of([pl.col("event_id")]))
        if good["event_id"].null_count() == 0:
            self.ids.add(own)
            return
        given = [pl.col(name) for name in CONTENT if name in hashed.columns]
        absent = [good[name].is_null().hash(SEEDS[0]) for name in CONTENT_MAPS if name in self.provided]
        made = hashed.select(
            a=combined([*given, *map(pl.lit, absent)]) + pl.sum_horizontal([pl.lit(0, pl.UInt64), *maps]),
            b=combined([pl.col(name).hash(SEEDS[1]) for name in TELLING if name in hashed.columns]),
        )
        is_own = good["event_id"].is_not_null()
        self.ids.add(
            made.select(pl.when(is_own).then(own[name]).otherwise(pl.col(name)).alias(name) for name in "ab")
        )
