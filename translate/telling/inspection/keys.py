"""The keys of free-form values: of which event type each is, in how many events, and what its values look like."""

from __future__ import annotations

import polars as pl

from translate.telling.inspection.sums import Sums

PAIRS_MAX = 500_000  # pairs of event type and key that are listed: some 60 MB
EXAMPLE_CHARACTERS = 80

CONTAINERS = ("attributes", "metrics", "other")
LOOKS = (
    "text",
    "empty",
    "number",
    "true or false",
    "JSON",
    "whole number",
    "fraction",
    "list",
    "object",
    "null",
)
LOOKS_ROOM = 16  # a pair's hash leaves room for what its value looks like, so that one key groups by both
NAME_SEED, KEY_SEED = 21, 22


def column(container: str) -> str:
    """Name the column of a container's pairs."""
    return f"pairs.{container}"


def pairs(container: str) -> pl.Expr:
    """Give a hash for each value of an event: of type, container and key, and what the value looks like."""
    entry = pl.element().struct
    key = entry.field("key").hash(KEY_SEED + CONTAINERS.index(container)) // LOOKS_ROOM * LOOKS_ROOM
    hashes = pl.col(container).map.entries().list.eval(key + looks(container, entry.field("value")))
    return hashes + pl.col("name").hash(NAME_SEED) // LOOKS_ROOM * LOOKS_ROOM


def looks(container: str, value: pl.Expr) -> pl.Expr:
    """Tell what a value looks like, as the index of its word in LOOKS."""
    if container == "metrics":
        return (
            pl.when(value.str.contains_any([".", "e", "E"]))
            .then(_look("fraction"))
            .otherwise(_look("whole number"))
        )
    is_list, is_object = (value.str.starts_with(bracket) for bracket in "[{")
    is_word = (value == "true") | (value == "false")
    if container == "other":
        kinds = pl.when(is_list).then(_look("list")).when(is_object).then(_look("object"))
        return kinds.when(is_word).then(_look("true or false")).when(value == "null").then(_look("null")).when(
            value.str.starts_with('"')).then(_look("text")).otherwise(_look("number"))  # fmt: skip
    is_number = value.cast(pl.Float64, strict=False).is_finite().fill_null(value=False)
    return (
        pl.when(is_number).then(_look("number"))
        .when(value == "").then(_look("empty"))
        .when(is_word).then(_look("true or false"))
        .when(is_list | is_object).then(_look("JSON"))
        .otherwise(_look("text"))
    )  # fmt: skip


def _look(word: str) -> pl.Expr:
    return pl.lit(LOOKS.index(word), pl.UInt8)


class Census:
    """Counts keys; exact for the first PAIRS_MAX pairs of type and key, the values of others are only counted."""

    def __init__(self, *, examples: bool = False, pairs_max: int = PAIRS_MAX) -> None:
        self._examples = examples
        self._sums = Sums(("name", "container", "key", "value"), pairs_max, apart=LOOKS_ROOM)

    @property
    def beyond(self) -> int:
        """Count the values whose keys are not listed."""
        return self._sums.beyond

    def add(self, batch: pl.DataFrame) -> None:
        """Count the values of a batch, by their pairs."""
        hashes = {name: _hashes(batch, name) for name in CONTAINERS}
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
        ends = batch[column(container)].list.len().fill_null(0).cum_sum()
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
        totals = pl.DataFrame(
            {"name": list(events_of), "of": list(events_of.values())},
            schema={"name": pl.String, "of": pl.Int64},
        )
        words = pl.DataFrame(
            {"look": range(len(LOOKS)), "word": LOOKS}, schema={"look": pl.UInt8, "word": pl.String}
        )
        look = pl.col("hash") % LOOKS_ROOM
        counted = self._sums.together().select(
            pl.col("events").cast(pl.Int64), hash=pl.col("hash") - look, look=look.cast(pl.UInt8)
        )
        told = counted.sort(["events", "look"], descending=[True, False]).join(
            words, on="look", maintain_order="left"
        )
        wide = told.group_by("hash", maintain_order=True).agg(
            pl.col("events").sum(), looks=pl.struct(look="word", events="events")
        )
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


def _hashes(batch: pl.DataFrame, container: str) -> pl.Series:
    return batch[column(container)].explode(empty_as_null=False, keep_nulls=False)
