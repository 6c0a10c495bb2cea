"""What a pass adds up, exactly: events by value and by key, as many as there is room for; and in which files records cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from translate.passes.distinct import merged_in_parts
from translate.telling.inspection.columns import CONTAINERS, LOOKS, LOOKS_ROOM, pairs_column

VALUES_MAX = 10_000  # of a column, listed with their counts

WAITING_ROWS = 300_000  # counted together from time to time
EVENTS = pl.col("events").sum()


class Counts:
    """Events by value, in the order in which the values came; those that came too late are only counted."""

    def __init__(self, values_max: int = VALUES_MAX) -> None:
        self._max = values_max
        self.events: dict[tuple[str | None, ...], int] = {}
        self.beyond = 0

    def add(self, values: Iterable[tuple[str | None, ...]], events: Sequence[int]) -> None:
        """Count events by their values."""
        for value, count in zip(values, events, strict=True):
            if value in self.events:
                self.events[value] += count
            elif len(self.events) < self._max:
                self.events[value] = count
            else:
                self.beyond += count

    def absorb(self, other: Counts) -> None:
        """Add the counts of another one."""
        self.add(other.events, list(other.events.values()))
        self.beyond += other.beyond

    def sorted(self) -> list[tuple[tuple[str | None, ...], int]]:
        """Give the values, frequent ones first, then by their spelling; nothing comes last."""
        known = [
            (value, count) for value, count in self.events.items() if any(part is not None for part in value)
        ]
        return sorted(known, key=lambda entry: (-entry[1], [(part is None, part or "") for part in entry[0]]))


class Sums:
    """Events by `hash`; `texts` has the hashes in the order in which they came, and what each stands for.

    Hashes are admitted before they are counted; what finds no room is a sum, `beyond`. Those with the same texts
    differ in their last digit only, if there is room for it: `apart` is how many there may be.
    """

    def __init__(self, told: Sequence[str], room: int, apart: int = 1) -> None:
        self._room = room
        self._apart = apart
        self.texts = pl.DataFrame(schema={"hash": pl.UInt64(), **dict.fromkeys(told, pl.String())})
        self._counts: list[pl.DataFrame] = []
        self._waiting = 0
        self.beyond = 0

    def unknown(self, hashes: pl.Series) -> pl.DataFrame:
        """Give the hashes without texts, once each, and where each is `first`."""
        rows = self._named(hashes).to_frame("hash").with_row_index("first")
        return rows.filter(~self._is_known(rows["hash"])).unique("hash", keep="first", maintain_order=True)

    def admit(self, texts: pl.DataFrame) -> None:
        """Take the texts of the hashes that are new, so long as there is room."""
        new = texts.filter(~self._is_known(texts["hash"])).head(self._room - self.texts.height)
        # Copies: what is gathered from a batch would keep all of it in memory.
        own = new.with_columns(pl.concat_str(name, pl.lit("")) for name in new.columns if name != "hash")
        self.texts = pl.concat([self.texts, own])

    def count(self, hashes: pl.Series) -> None:
        """Count events by their hashes."""
        self._count(hashes.to_frame("hash").group_by("hash").agg(events=pl.len()))

    def absorb(self, other: Sums) -> None:
        """Add the events of another one."""
        self.admit(other.texts)
        for counted in other._counts:
            self._count(counted)
        self.beyond += other.beyond

    def together(self) -> pl.DataFrame:
        """Give `hash` and `events`."""
        counts = self._counts or [pl.DataFrame(schema={"hash": pl.UInt64, "events": pl.UInt32})]
        return merged_in_parts(pl.concat(counts), "hash", lambda part: part.group_by("hash").agg(EVENTS))

    def _count(self, counted: pl.DataFrame) -> None:
        if self.texts.height >= self._room:
            is_known = self._is_known(self._named(counted["hash"]))
            self.beyond += int(counted.filter(~is_known)["events"].sum())
            counted = counted.filter(is_known)
        self._counts.append(counted)
        self._waiting += counted.height
        if self._waiting > WAITING_ROWS + self._counts[0].height:
            self._counts = [self.together()]
            self._waiting = 0

    def _named(self, hashes: pl.Series) -> pl.Series:
        """Give the hashes that texts are kept by."""
        return hashes - hashes % self._apart if self._apart > 1 else hashes

    def _is_known(self, hashes: pl.Series) -> pl.Series:
        return hashes.is_in(self.texts["hash"].implode())


# -- the keys of free-form values: in how many events of each type each is, and what its values look like -----------

PAIRS_MAX = 500_000  # pairs of event type and key that are listed: some 60 MB
EXAMPLE_CHARACTERS = 80


class Census:
    """Counts keys; exact for the first PAIRS_MAX pairs of type and key, the values of others are only counted."""

    def __init__(self, *, examples: bool) -> None:
        self._examples = examples
        self._sums = Sums(("name", "container", "key", "value"), PAIRS_MAX, apart=LOOKS_ROOM)

    @property
    def beyond(self) -> int:
        """Count the values whose keys are not listed."""
        return self._sums.beyond

    def add(self, batch: pl.DataFrame) -> None:
        """Count the values of a batch, by their pairs."""
        pairs = {name: batch[pairs_column(name)] for name in CONTAINERS}
        hashes = {name: each.explode(empty_as_null=False, keep_nulls=False) for name, each in pairs.items()}
        together = pl.concat(hashes.values())
        new = self._sums.unknown(together)
        begin = 0
        for name, each in hashes.items():
            here = new.filter(pl.col("first").is_between(begin, begin + len(each), closed="left"))
            if here.height:
                self._sums.admit(self._named(batch, name, here["hash"], here["first"] - begin))
            begin += len(each)
        self._sums.count(together)

    def _named(
        self, batch: pl.DataFrame, container: str, hashes: pl.Series, places: pl.Series
    ) -> pl.DataFrame:
        """Tell of which type and key values are, by their places among all values of a container."""
        ends = batch[pairs_column(container)].list.len().fill_null(0).cum_sum()
        rows = ends.search_sorted(places, side="right")
        inside = places.cast(pl.Int64) - ends.shift(1, fill_value=0).cast(pl.Int64).gather(rows)
        entry = pl.col(container).map.entries().list.get(pl.lit(inside)).struct
        example = entry.field("value").str.slice(0, EXAMPLE_CHARACTERS)
        return batch.select("name", container)[rows].select(
            hashes,
            "name",
            container=pl.lit(container),
            key=entry.field("key"),
            value=example if self._examples else pl.lit(None, pl.String),
        )

    def absorb(self, other: Census) -> None:
        """Add what another census counted."""
        self._sums.absorb(other._sums)

    def frame(self, events_of: dict[str, int]) -> pl.DataFrame:
        """Give the keys: `name`, `container`, `key`, `events`, `fill` (of the type's events), `looks`, `example`.

        Types and containers in order, frequent keys first; `looks` are lists of `look` and `events`, frequent ones first.
        """
        totals = pl.DataFrame([*events_of.items()], schema={"name": pl.String, "of": pl.Int64}, orient="row")
        schema = {"look": pl.UInt8, "word": pl.String}
        words = pl.DataFrame({"look": range(len(LOOKS)), "word": LOOKS}, schema=schema)
        look = pl.col("hash") % LOOKS_ROOM
        parts = {"hash": pl.col("hash") - look, "look": look.cast(pl.UInt8)}
        counted = self._sums.together().select(pl.col("events").cast(pl.Int64), **parts)
        counted = counted.sort(["events", "look"], descending=[True, False])
        named = counted.join(words, on="look", maintain_order="left").group_by("hash", maintain_order=True)
        wide = named.agg(pl.col("events").sum(), looks=pl.struct(look="word", events="events"))
        rows = self._sums.texts.join(wide, on="hash").join(totals, on="name", how="left").with_columns(
            place=pl.col("container").replace_strict(dict(zip(CONTAINERS, range(3), strict=True)), return_dtype=pl.UInt8),
            fill=pl.col("events") / pl.col("of"),
        )  # fmt: skip
        rows = rows.sort(["name", "place", "events", "key"], descending=[False, False, True, False])
        return rows.select("name", "container", "key", "events", "fill", "looks", example="value")

    def events_of_keys_over(self, characters: int) -> int:
        """Count the values whose keys are longer than so many characters."""
        long = self._sums.texts.filter(pl.col("key").str.len_chars() > characters)
        if not long.height:
            return 0
        counted = self._sums.together().with_columns(pl.col("hash") // LOOKS_ROOM * LOOKS_ROOM)
        return int(counted.join(long, on="hash", how="semi")["events"].sum())


# -- in which files records cannot be read: how many of each, and the first with its line and its reason -----

FILES_MAX = 10_000
# Their messages repeat what stands in the record; these words do not.
VALUED = {
    "time_implausible": "its time cannot be: outside of 2000 to 2100, or of the settings, as where seconds are taken for milliseconds",
    "bad_time": "its time is none", "bad_number": "has a number that is none", "bad_body": "its body cannot be read",
    "wrong_type": "has a value of another type", "not_a_record": "is no record",
}  # fmt: skip


class Damages:
    """Records that cannot be read, by file; of files that are too many to list only the count is known."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[int, int, str, str]] = {}

    def add(self, bad: pl.DataFrame) -> None:
        """Count the unreadable records of a batch."""
        first = pl.col("unreadable.line").arg_min()
        firsts = (pl.col(name).get(first) for name in ("unreadable.line", "code", "unreadable.message"))
        counted = bad.group_by(file="unreadable.file").agg(pl.len().alias("records"), *firsts)
        for file, *told in counted.sort("file").iter_rows():
            self._take(str(file), *told)

    def absorb(self, other: Damages) -> None:
        """Add those of another one."""
        for file, told in other._files.items():
            self._take(file, *told)

    def _take(self, file: str, records: int, line: int | None, code: str, message: str | None) -> None:
        known = self._files.get(file)
        if known is None:
            if len(self._files) < FILES_MAX:
                self._files[file] = (records, line or 0, code, message or "")
            return
        first = known[1:] if known[1] <= (line or 0) else (line or 0, code, message or "")
        self._files[file] = (known[0] + records, *first)

    def worst_first(self, *, examples: bool) -> Iterator[dict[str, Any]]:
        """Give the files, those with the most such records first; a reason holds no value of the record without `examples`."""
        ordered = sorted(self._files.items(), key=lambda entry: (-entry[1][0], entry[0]))
        for file, (records, line, code, message) in ordered:
            told = message or code.replace("_", " ")
            told = told if examples else VALUED.get(code, told)
            yield {"file": file, "records": records, "line": line, "code": code, "reason": told}
