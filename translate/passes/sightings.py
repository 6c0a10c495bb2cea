"""What is written down of each event, for the passes to find out what the whole archive says; the duplicates among it; and what was found."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from translate import events
from translate.engine.library import by_batches
from translate.mapping.spec import Addition
from translate.vocabulary import notation

BUCKET_ROWS = 2_000_000
EVENT = ["row", "part"]  # where an event stands in its unit
WHERE = ["unit", *EVENT]


def hashed(column: str) -> pl.Expr:
    """Hash the text of a column; null stays null."""
    hash_of: pl.Expr = notation.hashing(pl.col(column)).nchash.xxh3_128()
    return pl.when(pl.col(column).is_not_null()).then(hash_of)


def in_buckets(rows: pl.LazyFrame, key: str, bucket_rows: int) -> Iterator[tuple[int, pl.LazyFrame]]:
    """Share rows out by a hash, into buckets that fit in memory: rows of the same hash are in the same one."""
    count = rows.select(pl.len()).collect(engine="streaming").item()
    number_of_buckets = max(1, -(-count // bucket_rows))
    for bucket in range(number_of_buckets):
        yield bucket, rows.filter(pl.col(key) % number_of_buckets == bucket)


class Duplicates:
    """The duplicates of a run, by unit: of each id the first event in the order of the source stays."""

    def __init__(self, folder: Path) -> None:
        self._found = folder
        self._found.mkdir(parents=True, exist_ok=True)

    def find(self, ids: pl.LazyFrame) -> None:
        """Go through `unit`, `row`, `part`, `hash` of all events, and write down which are not the first of their id."""
        for number, bucket in in_buckets(ids.select(*WHERE, "hash"), "hash", BUCKET_ROWS):
            here = bucket.collect(engine="streaming").sort(WHERE)
            later = here.filter(~pl.col("hash").is_first_distinct()).select(WHERE)
            later.write_parquet(self._found / f"bucket-{number:05}.parquet")

    def of_unit(self, unit: int) -> pl.LazyFrame:
        """Give `row` and `part` of a unit's duplicates."""
        found = pl.scan_parquet(self._found / "*.parquet").filter(pl.col("unit") == unit)
        return found.select(EVENT).sort(EVENT)


# -- what is written down, and what was found ----------------------------------------------------------------

SEPARATOR = "\x1f"
ABSENT = "-"  # no length
END = "end:"  # before the names of the hub's columns as the end of a pair has them

# What the additions need to know of an event.
CLIENT = [
    "client", "time", "session", "is_first_open", "touch", "number", "start", "is_profile", "user", "profile",
    "stop", "duration", "turn", "is_engagement",
]  # fmt: skip
SESSION = "session.start"
# The events that a session's length is made of.
TURNS = {
    "session.start": "start",
    "session.pause": "pause",
    "session.resume": "resume",
    "session.stop": "stop",
}

SHARD_ROWS = 50_000
STRETCH_ROWS = 20 * SHARD_ROWS


def of(frame: pl.LazyFrame, add: Mapping[str, Addition], *, dedupe: bool, fold: bool) -> pl.LazyFrame:
    """Give of each event `row`, `part`, `taken`, and what the passes that are asked for need."""
    columns = [*EVENT, "taken"]
    needed = pl.lit(dedupe)
    if dedupe:
        columns.append("hash")
        frame = frame.with_columns(hash=hashed("event_id"))
    if add:
        columns += CLIENT
        frame = _client(frame, add)
        needed = needed | pl.col("client").is_not_null()
    if fold:
        frame = _halves(frame)
        columns += ["pair", "is_end", *(["time"] if not add else [])]
        needed = needed | pl.col("pair").is_not_null()
    frame = frame.filter(needed)
    if not fold:
        return frame.select(columns)
    whole = frame.select(*columns, **_whole_ends())
    return by_batches(whole, _copied)


def _copied(batch: pl.DataFrame) -> pl.DataFrame:
    """Copy a batch: what is left of a filtered one holds on to all of its texts, until enough of them are together."""
    return pl.DataFrame.deserialize(io.BytesIO(batch.serialize()))


def _key(*columns: str) -> pl.Expr:
    """Put ids together, each after its length: so that no character of theirs makes two keys one."""
    told = [
        pl.concat_str(pl.col(name).str.len_bytes().cast(pl.String), pl.lit(":"), pl.col(name))
        for name in columns
    ]
    return pl.concat_str([text.fill_null(ABSENT) for text in told])


def _client(frame: pl.LazyFrame, add: Mapping[str, Addition]) -> pl.LazyFrame:
    """Say whose an event is, in which session, and what it says of its user and of the session's length."""
    known = pl.col("client_id").is_not_null()
    in_session = known & pl.col("session.id").is_not_null()
    of_sessions, of_users = {"session_number", "engagement"} & add.keys(), "profile_set" in add
    nothing = pl.lit(None, pl.String)
    session = pl.when(in_session).then(_key("app.id", "client_id", "session.id"))
    has_profile = known & (pl.col("user_properties").map.len() > 0)
    profile = pl.when(has_profile).then(in_order("user_properties"))
    texts = {
        "client": pl.when(known).then(_key("app.id", "client_id")),
        "session": session if of_sessions else nothing,
        "user": pl.when(known).then(pl.col("user_id")) if of_users else nothing,
        "profile": profile if of_users else nothing,
    }
    frame = frame.with_columns(**{f"_{name}": text for name, text in texts.items()})
    return frame.with_columns(
        **{name: hashed(f"_{name}") for name in texts},
        is_first_open=_is_called("first_open", add),
        touch=_stated_touch(add),
        is_profile=_is_called("profile_set", add),
        number=pl.col("session.number"),
        start=pl.col("session.start"),
        stop=pl.col("session.stop"),
        duration=pl.col("session.duration"),
        turn=notation.exchanged(pl.col("name"), TURNS, nothing),
        is_engagement=_is_called("engagement", add),
    )


def _is_called(kind: str, add: Mapping[str, Addition]) -> pl.Expr:
    """Tell which events the source has of a kind that is added."""
    return pl.col("name") == add[kind].event if kind in add else pl.lit(False)


def _stated_touch(add: Mapping[str, Addition]) -> pl.Expr:
    """Give the milliseconds at which the source says that the user was first seen."""
    if "first_open" not in add:
        return pl.lit(None, pl.Int64)
    told = pl.col("user_properties").map.get(add["first_open"].user_property)
    return told.str.strip_chars('"').cast(pl.Int64, strict=False)


def in_order(name: str) -> pl.Expr:
    """Write a map as text, in the order of its keys."""
    by_key = pl.element().sort_by(pl.element().struct.field("key"))
    return pl.struct(m=pl.col(name).map.entries().list.eval(by_key).list.to_map()).struct.json_encode()


def _halves(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Say which events begin or end something, by what the two halves of a pair share."""
    phase = pl.coalesce("phase", notation.exchanged(pl.col("name"), events.PHASES, pl.lit(None, pl.String)))
    is_half = phase.is_in(["START", "END"]) & pl.col("session.id").is_not_null()
    is_phase = pl.col("name").is_in(list(events.PHASES))
    of_sessions = pl.when(is_phase).then(pl.lit(SESSION)).otherwise(pl.col("name"))
    frame = frame.with_columns(_of=of_sessions, _is_end=phase == "END", _is_half=is_half)
    shared = pl.when("_is_half").then(_key("_of", "session.id", "client_id", "user_id", "app.id"))
    frame = frame.with_columns(_pair=shared)
    return frame.with_columns(pair=hashed("_pair"), is_end=pl.col("_is_half") & pl.col("_is_end"))


def _whole_ends() -> dict[str, pl.Expr]:
    """Give the columns of ends, whole but for where they lie; an id only if the source gave it."""
    columns = {name: name for name in events.SCHEMA if name not in ("file", "line")} | {"event_id": "own_id"}
    return {f"{END}{name}": pl.when("is_end").then(pl.col(column)) for name, column in columns.items()}


class Shards:
    """Marks upon the rows of a unit, in files of so many rows each; `marks` has `row`, `part`, and what is said of them."""

    def __init__(self, folder: Path, marks: pl.LazyFrame) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._numbers: set[int] = set()
        self._last: tuple[int, pl.DataFrame] | None = None
        self.empty = pl.DataFrame(schema=marks.collect_schema())
        last_row: int | None = marks.select(pl.col("row").max()).collect(engine="streaming").item()
        for start in range(0, -1 if last_row is None else last_row + 1, STRETCH_ROWS):
            stretch = marks.filter(pl.col("row").is_between(start, start + STRETCH_ROWS, closed="left"))
            self._write(stretch.collect(engine="streaming").sort(EVENT))

    def _write(self, marks: pl.DataFrame) -> None:
        for (number,), shard in marks.group_by(pl.col("row") // SHARD_ROWS, maintain_order=True):
            shard.write_ipc_stream(self._file(int(str(number))))
            self._numbers.add(int(str(number)))

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:05}.arrow"

    def around(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Give what is said of a batch's events, and of some around it."""
        numbers: list[int] = (batch["row"] // SHARD_ROWS).unique().sort().to_list()
        return pl.concat([self.empty, *(self._read(number) for number in numbers if number in self._numbers)])

    def join(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Set what is said of them beside a batch's events, in their order."""
        return batch.join(self.around(batch), on=EVENT, how="left", maintain_order="left")

    def _read(self, number: int) -> pl.DataFrame:
        """Read a shard, unless it is the one that was read last: batches come in order, but from several threads."""
        last = self._last
        if last is None or last[0] != number:
            # As a stream: what scans a file is the streaming engine's own work, and this is one of its threads.
            self._last = last = (number, pl.read_ipc_stream(self._file(number)))
        return last[1]


@dataclass(frozen=True)
class UnitMarks:
    """What one unit has to do: its duplicates, what to add, what to fold, and the ENDs of its STARTs."""

    add: dict[str, Addition] = field(default_factory=dict)
    fold: bool = False
    duplicates: pl.LazyFrame | None = None
    shards: list[Shards] = field(default_factory=list)
    ends: Shards | None = None

    def join(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Set all marks beside a batch's events."""
        for shards in self.shards:
            batch = shards.join(batch)
        return batch
