"""The keys of free-form values: of which event type each is, in how many events, and what its values look like."""

from __future__ import annotations

import polars as pl

PAIRS_MAX = 500_000  # pairs of event type and key that are listed: some 60 MB
WAITING_ROWS = 300_000  # counted together from time to time
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
NAME_SEED, KEY_SEED, VALUE_SEED = 11, 12, 13


def exploded(batch: pl.DataFrame, container: str) -> pl.DataFrame:
    """Give a row for each value of a container: `row` in the batch, `pair` (hash of type and key), `key`, `value`."""
    rows = batch.lazy().select(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        named=pl.col("name").hash(NAME_SEED),
        entry=pl.col(container).map.entries(),
    )
    rows = rows.filter(pl.col("entry").list.len() > 0).explode("entry").unnest("entry")
    pair = (
        (pl.col("named") + pl.col("key").hash(KEY_SEED + CONTAINERS.index(container) * 100))
        // LOOKS_ROOM
        * LOOKS_ROOM
    )
    return rows.select("row", "key", "value", pair=pair).collect(engine="in-memory")


def values_of(batch: pl.DataFrame, container: str) -> pl.DataFrame:
    """Give a row for each value of a map: `row` in the batch, `key`, `value`."""
    rows = batch.lazy().select(
        row=pl.int_range(pl.len(), dtype=pl.UInt32), entry=pl.col(container).map.entries()
    )
    return (
        rows.filter(pl.col("entry").list.len() > 0)
        .explode("entry")
        .unnest("entry")
        .collect(engine="in-memory")
    )


def digest_by_row(batch: pl.DataFrame, container: str, values: pl.DataFrame) -> pl.Series:
    """Give a digest of what each row of a batch holds, whatever the order of its keys."""
    ends = batch.select(pl.col(container).map.len().fill_null(0).cum_sum()).to_series()
    pair = pl.col("key").hash(VALUE_SEED) * 3 + pl.col("value").hash(VALUE_SEED + 1)
    sums = values.select(pair.hash(VALUE_SEED + 2).cum_sum()).to_series()
    sums = pl.concat([pl.Series(sums.name, [0], dtype=pl.UInt64), sums])
    return (sums.gather(ends) - sums.gather(ends.shift(1, fill_value=0))).alias(container)


def looks(container: str) -> pl.Expr:
    """Tell what a value looks like, as the index of its word in LOOKS."""
    value = pl.col("value")
    if container == "metrics":
        return (
            pl.when(value.str.contains_any([".", "e", "E"]))
            .then(_look("fraction"))
            .otherwise(_look("whole number"))
        )
    first = value.str.slice(0, 1)
    is_word = value.is_in(["true", "false"])
    if container == "other":
        kinds = pl.when(first == "[").then(_look("list")).when(first == "{").then(_look("object"))
        return kinds.when(is_word).then(_look("true or false")).when(value == "null").then(_look("null")).when(
            first == '"').then(_look("text")).otherwise(_look("number"))  # fmt: skip
    is_number = value.cast(pl.Float64, strict=False).is_finite().fill_null(value=False)
    return (
        pl.when(is_number).then(_look("number"))
        .when(value == "").then(_look("empty"))
        .when(is_word).then(_look("true or false"))
        .when(first.is_in(["[", "{"])).then(_look("JSON"))
        .otherwise(_look("text"))
    )  # fmt: skip


def _look(word: str) -> pl.Expr:
    return pl.lit(LOOKS.index(word), pl.UInt8)


class Census:
    """Counts keys; exact for the first PAIRS_MAX pairs of type and key, the values of others are only counted."""

    def __init__(self, *, examples: bool = False, pairs_max: int = PAIRS_MAX) -> None:
        self._examples = examples
        self._max = pairs_max
        self._pairs = pl.DataFrame(
            schema={
                "pair": pl.UInt64,
                "name": pl.String,
                "container": pl.String,
                "key": pl.String,
                "value": pl.String,
            }
        )
        self._counts: list[pl.DataFrame] = []
        self._waiting = 0
        self.beyond = 0

    def add(self, batch: pl.DataFrame, container: str, values: pl.DataFrame) -> None:
        """Count the values of a batch, as `exploded` gives them."""
        looked = values.lazy().select(both=pl.col("pair") + looks(container)).with_row_index("first")
        grouped = looked.group_by("both").agg(pl.col("first").first(), events=pl.len())
        look = pl.col("both") % LOOKS_ROOM
        counted = grouped.select(
            "first", (pl.col("both") - look).alias("pair"), look.cast(pl.UInt8).alias("look"), "events"
        ).collect(engine="in-memory")
        new = (
            counted.filter(~pl.col("pair").is_in(self._pairs["pair"].implode()))
            .sort("first")
            .unique("pair", keep="first", maintain_order=True)
        )
        if new.height:
            named = values[new["first"]]
            example = (
                pl.col("value").str.slice(0, EXAMPLE_CHARACTERS)
                if self._examples
                else pl.lit(None, pl.String)
            )
            named = named.select(
                "pair",
                name=batch["name"].gather(named["row"]),
                container=pl.lit(container),
                key="key",
                value=example,
            )
            # As texts of their own: what is gathered would keep the whole batch in memory.
            self._know(
                named.with_columns(
                    pl.concat_str(pl.col(name), pl.lit("")) for name in ("name", "key", "value")
                )
            )
        self._count(counted.drop("first"))

    def absorb(self, other: Census) -> None:
        """Add what another census counted."""
        self._know(other._pairs.filter(~pl.col("pair").is_in(self._pairs["pair"].implode())))
        for counted in other._counts:
            self._count(counted)
        self.beyond += other.beyond

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
        told = (
            self._together()
            .sort(["events", "look"], descending=[True, False])
            .join(words, on="look", maintain_order="left")
        )
        kinds = pl.struct(look="word", events=pl.col("events").cast(pl.Int64))
        wide = told.group_by("pair", maintain_order=True).agg(
            pl.col("events").cast(pl.Int64).sum(), looks=kinds
        )
        rows = self._pairs.join(wide, on="pair").join(totals, on="name", how="left").with_columns(
            place=pl.col("container").replace_strict(dict(zip(CONTAINERS, range(3), strict=True)), return_dtype=pl.UInt8),
            fill=pl.col("events") / pl.col("of"),
        )  # fmt: skip
        rows = rows.sort(["name", "place", "events", "key"], descending=[False, False, True, False])
        return rows.select("name", "container", "key", "events", "fill", "looks", example="value")

    def events_of_keys_over(self, characters: int) -> int:
        """Count the values whose keys are longer than so many characters."""
        long = self._pairs.filter(pl.col("key").str.len_chars() > characters)
        return (
            int(self._together().filter(pl.col("pair").is_in(long["pair"].implode()))["events"].sum())
            if long.height
            else 0
        )

    def _know(self, named: pl.DataFrame) -> None:
        room = self._max - self._pairs.height
        self._pairs = pl.concat([self._pairs, named.head(max(room, 0))])

    def _count(self, counted: pl.DataFrame) -> None:
        if self._pairs.height >= self._max:
            known = counted["pair"].is_in(self._pairs["pair"].implode())
            self.beyond += int(counted.filter(~known)["events"].sum())
            counted = counted.filter(known)
        self._counts.append(counted)
        self._waiting += counted.height
        if self._waiting > WAITING_ROWS + self._counts[0].height:
            self._counts = [self._together()]
            self._waiting = 0

    def _together(self) -> pl.DataFrame:
        schema = {"pair": pl.UInt64, "look": pl.UInt8, "events": pl.UInt32}
        return (
            pl.concat(self._counts or [pl.DataFrame(schema=schema)])
            .group_by("pair", "look")
            .agg(pl.col("events").sum())
        )
