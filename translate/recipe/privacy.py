"""What a recipe does with personal data, before its rules see any: keyed hashes in its place, or nothing.

The table [personal] names kinds, which data sheets mark places as, hub columns, or keys of their maps. A hash is the
HMAC-SHA-256 (RFC 2104) of the text, in 64 hexadecimal digits; the key is in the environment and nowhere else, so that the
same value gives the same hash in every run with that key, and nobody else can try values out.
"""

from __future__ import annotations

import functools
import hmac
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import by_batches, replaced
from translate.errors import UsageError
from translate.mapping.personal import EXTRA, Marked, Spot
from translate.reader.literals import DECODER, Pairs, canonical
from translate.vocabulary import notes
from translate.vocabulary.notation import Digits, maps_of
from translate.vocabulary.notes import OF_RECIPE, InHub, note

KEY = "TRANSLATE_HASH_KEY"
KEY_CHARACTERS_MIN = 16
# What tests inside a recipe are hashed with: their expectations are no secrets.
TRIAL_KEY = "the key of tests"
ACTIONS = {
    "hash": "a keyed hash stands in its place",
    "remove": "it is removed",
    "keep": "it stays, and is not told again",
}
HASHED = "a keyed hash stands in its place"
REMOVED = "removed as personal data"
WHY = {"hash": HASHED, "remove": REMOVED}
NO_HASH = "removed as personal data: the place of a number holds no hash"

_GONE: Any = object()
Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Treatment:
    """What is done with one kind of personal data, or with one column or key."""

    what: str
    action: str
    spot: Spot | None = None  # where `what` is no kind


def key_of_environment(needed_for: str = "the recipe hashes personal data") -> str:
    """Give the key; raise UsageError where there is none, or one that could be guessed."""
    key = os.environ.get(KEY, "")
    if len(key) < KEY_CHARACTERS_MIN:
        said = f"is shorter than {KEY_CHARACTERS_MIN} characters" if key else "is not set"
        raise UsageError(
            f"{needed_for}, and {KEY} {said}: put a secret into the environment, such as "
            f"export {KEY}=$(openssl rand -hex 32), and keep it for as long as hashes have to be the same"
        )
    return key


def fingerprint(key: str) -> str:
    """Tell keys apart without telling them, so that a run is resumed with its own."""
    return digest_by(key)("translate: which key")[:16]


def digest_by(key: str) -> Callable[[str], str]:
    """Give the hash of texts by a key."""
    return functools.lru_cache(maxsize=100_000)(
        lambda text: hmac.digest(key.encode(), text.encode(), "sha256").hex()
    )


def chosen(treatments: Iterable[Treatment], marked: Iterable[Marked]) -> dict[Spot, str]:
    """Give the action for each spot: what a recipe says of a column or key counts more than what it says of a kind."""
    said, places = list(treatments), list(marked)
    actions = {treatment.what: treatment.action for treatment in said if treatment.spot is None}
    spots = {spot: actions[place.kind] for place in places for spot in place.spots if place.kind in actions}
    for treatment in said:
        if treatment.spot is not None:
            # What the source says in a second place too would tell there what was hidden here.
            copies = [spot for place in places if treatment.spot in place.spots for spot in place.spots]
            spots |= dict.fromkeys([treatment.spot, *copies], treatment.action)
    return spots


def treat(frame: pl.LazyFrame, spots: Mapping[Spot, str], key: str) -> pl.LazyFrame:
    """Hash or remove what lies at the spots; the notes of each event tell what was done to it."""
    acted = {spot: action for spot, action in spots.items() if action != "keep"}
    if not acted:
        return frame
    digest = digest_by(key)
    changes: dict[str, Change] = {"hash": lambda value: _hashed(value, digest), "remove": lambda _: _GONE}

    def work(batch: pl.DataFrame) -> pl.DataFrame:
        for spot, action in acted.items():
            there = batch.select(there=spot.is_there() & pl.col("code").is_null())["there"]
            if there.any():
                in_numbers = action == "hash" and spot.column == "metrics"
                why = NO_HASH if in_numbers else WHY[action]
                batch = _changed(batch, there, spot, changes["remove" if in_numbers else action], why)
        return batch

    return by_batches(frame, work)


def _changed(batch: pl.DataFrame, there: pl.Series, spot: Spot, change: Change, why: str) -> pl.DataFrame:
    rows = batch[[spot.column, OF_RECIPE]].filter(there)
    values, keys = zip(*(_of_event(value, spot, change) for value in rows[spot.column]), strict=True)
    dtype = events.SCHEMA[spot.column]
    given = maps_of([*values]) if dtype == events.MAP else pl.Series(values, dtype=dtype)
    noted = _noted(rows[OF_RECIPE], keys, spot, why)
    return batch.with_columns(
        replaced(batch[spot.column], there, given).alias(spot.column),
        replaced(batch[OF_RECIPE], there, noted).alias(OF_RECIPE),
    )


def _noted(before: pl.Series, keys: Sequence[tuple[str | None, ...]], spot: Spot, why: str) -> pl.Series:
    """Add to events' notes what was done to these keys of a column of theirs: most events have the same ones."""
    kind = "changed" if why == HASHED else "on_purpose"
    numbers = {own: number for number, own in enumerate(dict.fromkeys(keys))}
    distinct = notes.series([note(kind, InHub(spot.column, key), why) for key in own] for own in numbers)
    noted = distinct.gather([numbers[own] for own in keys])
    if before.null_count() == len(before):
        return noted
    both = pl.DataFrame([before.alias("before"), noted.alias("noted")])
    lists = (pl.col(name).fill_null([]) for name in both.columns)
    return both.select_seq(pl.concat_list(lists).list.unique(maintain_order=True)).to_series()


def _of_event(value: Any, spot: Spot, change: Change) -> tuple[Any, tuple[str | None, ...]]:
    """Give an event's column with the spot changed, and the keys of its map that were; the column itself is none."""
    if spot.key is None and spot.column not in events.MAPS:
        new = change(value)
        return (None if new is _GONE else new), (None,)
    entries: dict[str, Any] = dict(value)
    told: list[str | None] = []
    for key in _keys(spot, entries):
        entries[key], was_there = _of_text(entries[key], spot, change, is_json=spot.column != "attributes")
        if was_there:
            told.append(key)
        if entries[key] is _GONE:
            del entries[key]
    return entries, tuple(told)


def _keys(spot: Spot, entries: dict[str, str]) -> list[str]:
    if spot.key is None:
        return list(entries)
    goes_below, below = spot.column == EXTRA and not spot.inside, f"{spot.key}."
    return [key for key in entries if key == spot.key or (goes_below and key.startswith(below))]


def _of_text(text: str, spot: Spot, change: Change, *, is_json: bool) -> tuple[Any, bool]:
    """Change a map's text, which may be JSON, or a way inside of it."""
    if not is_json and not spot.inside:
        return change(text), True
    value = _parsed(text)
    if spot.inside:
        value, was_there = _inside(value, spot.inside, change)
        return canonical(value), was_there
    new = change(value)
    return (new if new is _GONE else canonical(new)), True


def _inside(value: Any, way: tuple[str, ...], change: Change) -> tuple[Any, bool]:
    """Change what lies at the end of a way, be it JSON within a text; tell whether there was anything."""
    if type(value) is str:
        inner = _parsed(value, None)
        if not isinstance(inner, Pairs):
            return value, False
        new, was_there = _inside(inner, way, change)
        return (canonical(new) if was_there else value), was_there
    if not isinstance(value, Pairs):
        return value, False
    members, found = Pairs(), False
    for name, member in value:
        new, was_there = member, False
        if name == way[0] and member is not None:
            new, was_there = (change(member), True) if len(way) == 1 else _inside(member, way[1:], change)
        found = found or was_there
        if new is not _GONE:
            members.append((name, new))
    return members, found


def _hashed(value: Any, digest: Callable[[str], str]) -> Any:
    """Hash a text or a number, and in a list or an object each of them; true, false and null tell too little to hide."""
    if isinstance(value, Digits):
        return digest(canonical(value))
    if isinstance(value, Pairs):
        return Pairs((name, _hashed(member, digest)) for name, member in value)
    if isinstance(value, list):
        return [_hashed(member, digest) for member in value]
    return digest(value) if isinstance(value, str) else value


def _parsed(text: str, otherwise: Any = _GONE) -> Any:
    """Read JSON text; what is none stands for itself, or for what the caller says."""
    try:
        return DECODER.decode(text)
    except (json.JSONDecodeError, RecursionError):
        return text if otherwise is _GONE else otherwise
