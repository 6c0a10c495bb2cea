"""What the figures need of an event, as columns of the query: a digest stands for what is only told apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from translate import events
from translate.mapping.personal import Marked
from translate.passes.distinct import SEEDS, combined, digest_of
from translate.recipe.tallies import DESELECTED

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
CONTAINERS = ("attributes", "metrics", "other")
SENDERS = ("forwarded_address", "user_agent")
AS_THEY_ARE = [
    "code", DESELECTED, "name", "time", "arrival_time", "value", "price", "quantity", "currency", "store", "attribution_source",
    *SENDERS, *DETAILED, *CONTAINERS,
]  # fmt: skip
PERSON = pl.coalesce("user_id", "cognito_id", "client_id")  # whom Personalize takes for the user
PERSON_OF_SESSION = pl.coalesce("client_id", "user_id")
SESSION_MS = pl.coalesce(
    "session.duration", (pl.col("session.stop") - pl.col("session.start")).dt.total_milliseconds()
)
CONTENT = [name for name in events.CONTENT if events.SCHEMA[name] != events.MAP]
CONTENT_MAPS = [
    name for name in (*events.CONTENT, *events.CONTENT_ADDED) if events.SCHEMA[name] == events.MAP
]
TELLING = ("name", "time", "client_id", "user_id", "session.id")
KEY_SEED, VALUE_SEED, ENTRY_SEED = 13, 14, 15

IDS, DETAILS_DIGEST, STARTED, STOPPED, LENGTH = "ids", "details", "started", "stopped", "length"
LONG_TEXTS, MANY_KEYS = "texts_too_long", "too_many_keys"
OF_UNREADABLE = ("file", "line", "message")  # of records that cannot be read, and of no others


@dataclass(frozen=True)
class KeyLimits:
    """What values are held against: the first documented limit of its kind among the layouts of the source's model."""

    text_characters: int | None = None
    keys: int | None = None


@dataclass(frozen=True)
class Population:
    """Something whose different values are counted: what it consists of, and what of it has to be there."""

    values: tuple[pl.Expr, ...]
    needed: tuple[pl.Expr, ...]

    def is_said(self, provided: Collection[str]) -> bool:
        """Tell whether a source can say it."""
        return all({*each.meta.root_names()} & {*provided} for each in self.needed)

    def digests(self, name: str) -> Iterator[pl.Expr]:
        """Give the two halves of its digest, null where it is not there."""
        is_there = pl.all_horizontal(each.is_not_null() for each in self.needed)
        for half, digest in zip(halves(name), digest_of(self.values), strict=True):
            yield pl.when(is_there).then(digest).alias(half)


PEOPLE = {
    "clients": Population((pl.col("client_id"),), (pl.col("client_id"),)),
    "users": Population((pl.col("user_id"),), (pl.col("user_id"),)),
    "identities": Population((pl.col("cognito_id"),), (pl.col("cognito_id"),)),
    "devices": Population((pl.col("device_id"),), (pl.col("device_id"),)),
    "persons": Population((PERSON,), (PERSON,)),
}
TOLD = {
    **PEOPLE,
    "sessions": Population((PERSON_OF_SESSION, pl.col("session.id")), (pl.col("session.id"),)),
    "moments": Population(
        (PERSON, pl.col("item_id"), pl.col("name"), pl.col("time")), (PERSON, pl.col("item_id"))
    ),
}


def halves(name: str) -> tuple[str, str]:
    """Name the two columns of a digest."""
    return f"{name}.a", f"{name}.b"


def looked_at(provided: Collection[str], marked: Sequence[Marked], limits: KeyLimits) -> list[pl.Expr]:
    """Give the columns; there is none for what a layout cannot say, but for those that are taken as they are."""
    told = [each for name, told in TOLD.items() if told.is_said(provided) for each in told.digests(name)]
    is_stop = (pl.col("name") == "session.stop") | pl.col("session.stop").is_not_null()
    is_start = pl.col("name") == "session.start"
    flags = [is_stop.alias(STOPPED), is_start.alias(STARTED), SESSION_MS.alias(LENGTH)]
    details = [pl.col(name).hash(SEEDS[0]) for name in DETAILED if name in provided]
    together = [combined(details).alias(DETAILS_DIGEST)] if details else []
    values = [pairs(name).alias(pairs_column(name)) for name in CONTAINERS]
    counted = [each.alias(name) for name, each in _over(limits).items()]
    return [
        *map(pl.col, AS_THEY_ARE), *_unreadable(), *told, *flags, *together, *values, *counted, *_ids(provided), *_personal(provided, marked),
    ]  # fmt: skip


def _unreadable() -> Iterator[pl.Expr]:
    for name in OF_UNREADABLE:
        yield pl.when(pl.col("code").is_not_null()).then(pl.col(name)).alias(f"unreadable.{name}")


def _over(limits: KeyLimits) -> dict[str, pl.Expr]:
    """Tell how much of an event is over a limit."""
    found = {}
    if limits.text_characters is not None:
        is_long = pl.element().str.len_chars() > limits.text_characters
        found[LONG_TEXTS] = pl.col("attributes").map.values().list.eval(is_long).list.sum()
    if limits.keys is not None:
        held = pl.sum_horizontal(pl.col(name).map.len() for name in CONTAINERS)
        found[MANY_KEYS] = held > limits.keys
    return found


def personal(provided: Collection[str], marked: Sequence[Marked]) -> dict[str, Marked]:
    """Name the columns that tell whether a marked place has something."""
    said = [any(spot.column in provided for spot in place.spots) for place in marked]
    return {f"personal.{number}": place for number, place in enumerate(marked) if said[number]}


def _personal(provided: Collection[str], marked: Sequence[Marked]) -> Iterator[pl.Expr]:
    for name, place in personal(provided, marked).items():
        spots = [spot.is_there() for spot in place.spots if spot.column in provided]
        yield pl.any_horizontal(spots).alias(name)


def _ids(provided: Collection[str]) -> Iterator[pl.Expr]:
    """Give an event's digest: of its own id, else `a` of all that it holds and `b` of what tells most events apart."""
    maps = [name for name in CONTENT_MAPS if name in provided]
    content = [
        *(pl.col(name).hash(SEEDS[0]) for name in CONTENT if name in provided),
        *(pl.col(name).is_null().hash(SEEDS[0]) for name in maps),
    ]
    telling = [pl.col(name).hash(SEEDS[1]) for name in TELLING if name in provided]
    made = (pl.sum_horizontal([combined(content), *map(_entries, maps)]), combined(telling))
    own = digest_of([pl.col("event_id")])
    is_own = pl.col("event_id").is_not_null()
    for half, of_id, of_content in zip(halves(IDS), own, made, strict=True):
        either = pl.when(is_own).then(of_id).otherwise(of_content)
        yield (either if "event_id" in provided else of_content).alias(half)


def _entries(name: str) -> pl.Expr:
    """Give a digest of what a map holds, whatever the order of its keys."""
    entry = pl.element().struct
    pair = entry.field("key").hash(KEY_SEED) * 3 + entry.field("value").hash(VALUE_SEED)
    return pl.col(name).map.entries().list.eval(pair.hash(ENTRY_SEED)).list.sum().fill_null(0)


# -- the keys of free-form values: of which event type each is, in how many events, and what its values look like ------


LOOKS = ("text", "empty", "number", "true or false", "JSON", "whole number", "fraction", "list", "object", "null")  # fmt: skip
LOOKS_ROOM = 16  # a pair's hash leaves room for what its value looks like, so that one key groups by both
NAME_SEED, KEY_NAME_SEED = 21, 22


def pairs_column(container: str) -> str:
    """Name the column of a container's pairs."""
    return f"pairs.{container}"


def pairs(container: str) -> pl.Expr:
    """Give a hash for each value of an event: of type, container and key, and what the value looks like."""
    entry = pl.element().struct
    key = entry.field("key").hash(KEY_NAME_SEED + CONTAINERS.index(container)) // LOOKS_ROOM * LOOKS_ROOM
    hashes = pl.col(container).map.entries().list.eval(key + looks(container, entry.field("value")))
    return hashes + pl.col("name").hash(NAME_SEED) // LOOKS_ROOM * LOOKS_ROOM


def looks(container: str, value: pl.Expr) -> pl.Expr:
    """Tell what a value looks like, as the index of its word in LOOKS."""
    if container == "metrics":
        is_fraction = value.str.contains_any([".", "e", "E"])
        return pl.when(is_fraction).then(_look("fraction")).otherwise(_look("whole number"))
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
