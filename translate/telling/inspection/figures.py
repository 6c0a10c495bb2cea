"""What one pass over events gathers, batch by batch: small sums, bounded lists, and digests on disk."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from translate import analysis, events
from translate.mapping.personal import Marked
from translate.passes.distinct import LAST_SEEN, Digests
from translate.recipe.tallies import DESELECTED
from translate.telling.inspection.columns import (
    DETAILED,
    DETAILS,
    DETAILS_DIGEST,
    IDS,
    LENGTH,
    LONG_TEXTS,
    MANY_KEYS,
    PEOPLE,
    SENDERS,
    STARTED,
    STOPPED,
    KeyLimits,
    halves,
    looked_at,
    personal,
)
from translate.telling.inspection.sums import Census, Counts, Damages, Sums
from translate.vocabulary import money

COMBINATIONS_MAX = 20_000  # in memory
ROOM = 2**32

HOUR_MS = 3_600_000
HOURS_OF_A_DAY = 24
LATE_HOURS = (1, 24, 72, 720)
MILLIONTHS = 10**6
BOUGHT_ROWS = 10_000
HOUR = pl.col("time").to_physical() // HOUR_MS
DAY = (HOUR // HOURS_OF_A_DAY).cast(pl.Int32)
Key = TypeVar("Key", bound=Hashable)


class Details:
    """Events by each detail that a source can say."""

    def __init__(self, provided: Collection[str]) -> None:
        self._given = [name for name in DETAILED if name in provided]
        self._counts = {name: Counts() for name in DETAILS}
        self._combinations = Sums(self._given, ROOM)

    def add(self, batch: pl.DataFrame) -> None:
        """Count a batch."""
        if not self._given:
            return
        new = self._combinations.unknown(batch[DETAILS_DIGEST])
        if new.height:
            texts = batch.select(self._given)[new["first"]]
            self._combinations.admit(texts.select(new["hash"], *self._given))
        self._combinations.count(batch[DETAILS_DIGEST])
        if self._combinations.texts.height > COMBINATIONS_MAX:
            self._settle()

    def absorb(self, other: Details) -> None:
        """Add the details of other events."""
        for name, counts in other.counts.items():
            self.counts[name].absorb(counts)

    @property
    def counts(self) -> dict[str, Counts]:
        """Give the events by the values of each detail."""
        if self._combinations.texts.height:
            self._settle()
        return self._counts

    def _settle(self) -> None:
        combinations = self._combinations
        values = combinations.texts.join(combinations.together(), on="hash", maintain_order="left")
        for detail, names in DETAILS.items():
            given = [name for name in names if name in self._given]
            if given:
                counted = values.group_by(given, maintain_order=True).agg(pl.col("events").sum())
                nothing = {name: pl.lit(None, pl.String) for name in names if name not in given}
                listed = counted.with_columns(**nothing).select(names)
                self._counts[detail].add(listed.iter_rows(), counted["events"].to_list())
        self._combinations = Sums(self._given, ROOM)


@dataclass
class Figures:
    """Sums over events; `add` takes a batch with the `columns` of events, readable or not (`code`), chosen or not (`_deselected`)."""

    folder: Path
    provided: frozenset[str] = frozenset(events.SCHEMA)
    limits: KeyLimits = field(default_factory=KeyLimits)
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
    revenue: dict[tuple[str | None, bool], list[int]] = field(default_factory=dict)
    takings: dict[tuple[dt.date, str], list[int]] = field(default_factory=dict)  # purchases and millionths

    def __post_init__(self) -> None:
        """Make the stores."""
        self.people = {name: Digests(self.folder / name, LAST_SEEN) for name in PEOPLE}
        of_session = (pl.col(name).max() for name in ("stopped", "started", LENGTH))
        self.sessions = Digests(self.folder / "sessions", tuple(of_session))
        self.presence = Digests(self.folder / "presence", (pl.col("started").max(),), by=("a", "day"))
        self.ids = Digests(self.folder / IDS)
        self.moments = Digests(self.folder / "moments")
        self.details = Details(self.provided)
        self._bought: list[pl.DataFrame] = []
        self._places = personal(self.provided, self.marked)
        self.census = Census(examples=self.examples)
        self.damages = Damages()

    @property
    def columns(self) -> list[pl.Expr]:
        """Give what of hub events is looked at."""
        return looked_at(self.provided, self.marked, self.limits)

    # -- gathering ----------------------------------------------------------------------------------------------

    def add(self, batch: pl.DataFrame) -> None:
        """Look at a batch once."""
        self.counts["read"] += batch.height
        good = batch
        if batch["code"].null_count() < batch.height:
            bad = batch.filter(pl.col("code").is_not_null())
            self.codes.update(dict(bad["code"].value_counts().iter_rows()))
            self.damages.add(bad)
            good = batch.filter(pl.col("code").is_null())
        if good[DESELECTED].null_count() < good.height:
            good = good.filter(pl.col(DESELECTED).is_null())
            self.counts["filtered"] += batch.height - good.height - batch["code"].count()
        if not good.height:
            return
        self.counts["events"] += good.height
        self._add_sums(good)
        self._add_lists(good)
        self.details.add(good)
        self._add_people(good)
        self._keep_purchases(good.filter(pl.col("name") == money.PURCHASE))
        self.census.add(good)
        self.ids.add(_digests(good, IDS))

    def _add_sums(self, good: pl.DataFrame) -> None:
        """Add what is one number of a batch."""
        time, arrival = (pl.col(name).to_physical() for name in ("time", "arrival_time"))
        behind = arrival - time
        over = [name for name in (LONG_TEXTS, MANY_KEYS) if name in good.columns]
        others = time.filter(~pl.col("name").is_in(sorted(self.watched))) if self.watched else time
        found = good.select(
            first_event=time.min(), last_event=time.max(), first_arrival=arrival.min(), last_arrival=arrival.max(),
            last_of_others=others.max(), with_arrival=arrival.count(), least=behind.min(), skewed=(behind < 0).sum(),
            without_address=pl.col("forwarded_address").null_count(),
            **{f"late_{hours}": (behind > HOUR_MS * hours).sum() for hours in LATE_HOURS},
            **{name: pl.col(name).sum() for name in (*self._places, *over)},
        ).row(0, named=True)  # fmt: skip
        for name in ("first_event", "last_event", "first_arrival", "last_arrival", "last_of_others"):
            if found[name] is not None:
                self._bound(name, found[name])
        if found["skewed"]:
            self._bound("largest_skew", -found["least"])
        for name in ("with_arrival", "skewed", "without_address", *over):
            self.counts[name] += found[name]
        for hours in LATE_HOURS:
            self.late[hours] += found[f"late_{hours}"]
        for name, place in self._places.items():
            self.personal[place.place, place.kind] += found[name]

    def _bound(self, name: str, value: int) -> None:
        """Keep the first of what is called so, and else the largest."""
        known = self.bounds.get(name, value)
        self.bounds[name] = min(known, value) if name.startswith("first") else max(known, value)

    def _add_lists(self, good: pl.DataFrame) -> None:
        """Count the values of single columns."""
        self.hours.update(dict(good.select(hour=HOUR)["hour"].value_counts().iter_rows()))
        if self.watched:
            watched = good.filter(pl.col("name").is_in(sorted(self.watched)))
            for name, hour, count in watched.group_by("name", hour=HOUR).len().iter_rows():
                self.watched_hours.setdefault(name, Counter())[hour] += count
        lists = {"name": self.names, "attribution_source": self.sources, **self.senders}
        for column, counted in lists.items():
            if column in self.provided:
                found = good.group_by(column, maintain_order=True).len().drop_nulls()
                counted.add(((value,) for value in found[column]), found["len"].to_list())

    def _add_people(self, good: pl.DataFrame) -> None:
        """Add the digests of whom and what events are of."""
        for name, store in self.people.items():
            seen = _digests(good, name, hour=HOUR, events=pl.lit(1, pl.UInt32))
            self.counts[f"of_{name}"] += seen.height
            store.add(seen)
        told = {name: pl.col(name) for name in (STOPPED, STARTED, LENGTH)}
        self.sessions.add(_digests(good, "sessions", **told))
        self.counts["starts"] += int(good[STARTED].sum() or 0)
        who = "clients" if "client_id" in self.provided else "persons"
        there = _digests(good, who, day=DAY, started=pl.col(STARTED).fill_null(value=False))
        self.presence.add(there.drop("b").unique() if there.width else there)
        moments = _digests(good, "moments")
        self.counts["moments"] += moments.height
        self.moments.add(moments)

    def _keep_purchases(self, bought: pl.DataFrame) -> None:
        """Keep copies of what is bought: it is little, and costs as much for one as for many."""
        if bought.height:
            texts = [pl.concat_str(name, pl.lit("")) for name in ("currency", "store")]
            self._bought.append(bought.select("name", "time", "value", "price", "quantity", *texts))
        if sum(each.height for each in self._bought) > BOUGHT_ROWS:
            self.finish()

    def finish(self) -> None:
        """Add up what waits for more of its kind."""
        if not self._bought:
            return
        bought, self._bought = pl.concat(self._bought), []
        names = ("value", "price", "quantity", "currency", "store")
        worth = money.worth(*map(pl.col, names[:3]))
        is_money = money.amount(*map(pl.col, names)).is_not_null()
        millionths = (worth * MILLIONTHS).round().cast(pl.Int64, strict=False)
        parts = map(pl.col, ("currency", "store", "value", "price", "quantity"))
        code = pl.coalesce(money.currency(*parts), pl.col("currency"))
        sums = bought.group_by(currency=code, money=is_money).agg(
            pl.len(), millionths.count().alias("worth"), amount=millionths.cast(pl.Int128).sum()
        )
        for currency, is_real, purchases, worthy, amount in sums.iter_rows():
            known = self.revenue.setdefault((currency, is_real), [0, 0, 0])
            for place, value in enumerate((purchases, worthy, int(amount or 0))):
                known[place] += value
        daily = analysis.revenue(bought.with_columns(client_id=pl.lit(None, pl.String)))
        _add(self.takings, {(day, currency): [purchases, round(amount * MILLIONTHS)] for day, currency, purchases, _, amount in daily.iter_rows()})  # fmt: skip

    # -- together -----------------------------------------------------------------------------------------------

    def absorb(self, other: Figures) -> None:
        """Add the figures of other events."""
        for name in ("counts", "codes", "personal", "hours", "late"):
            getattr(self, name).update(getattr(other, name))
        for name, hours in other.watched_hours.items():
            self.watched_hours.setdefault(name, Counter()).update(hours)
        for name, value in other.bounds.items():
            self._bound(name, value)
        _add(self.revenue, other.revenue)
        _add(self.takings, other.takings)
        for mine, theirs in zip(self._stores(), other._stores(), strict=True):
            mine.absorb(theirs)

    def _stores(self) -> list[Any]:
        """Give what absorbs its like."""
        return [
            self.names, self.sources, *self.senders.values(), *self.people.values(), self.sessions, self.presence, self.ids, self.moments,
            self.details, self.census, self.damages,
        ]  # fmt: skip


def _add(mine: dict[Key, list[int]], theirs: Mapping[Key, list[int]]) -> None:
    """Add sums to those of the same key."""
    for key, sums in theirs.items():
        mine[key] = [sum(pair) for pair in zip(mine.get(key, [0] * len(sums)), sums, strict=True)]


def _digests(good: pl.DataFrame, name: str, **told: pl.Expr) -> pl.DataFrame:
    """Give the digests of what is there, and what is told of each."""
    if halves(name)[0] not in good.columns:
        return pl.DataFrame()
    digest = dict(zip("ab", map(pl.col, halves(name)), strict=True))
    return good.select(**digest, **told).drop_nulls("a")
