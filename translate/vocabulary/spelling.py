"""Names on their way between the hub and a model: well-known events, names and keys that a target can take, keys that stand twice."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import polars as pl

from translate import events
from translate.vocabulary import notation

LEGAL = r"^[A-Za-z_][0-9A-Za-z_]{0,49}$"
LENGTH_MAX = 50
CUT_LENGTH = 41
HASH_LENGTH = 8


def with_hash(legal: str, name: str) -> str:
    """Tell a legal name apart by the hash of the full name, within 50 characters."""
    return f"{legal[:CUT_LENGTH]}_{hashlib.sha256(name.encode()).hexdigest()[:HASH_LENGTH]}"


@lru_cache(maxsize=65536)
def legal_name(name: str) -> str:
    """Make a name legal: letters, digits and `_`, no digit first, at most 50 characters.

    One that is cut, or that has characters outside of ASCII, ends in a hash: else all names of one length would be
    one in many scripts.

    >>> legal_name("ad.view"), legal_name("3D mode"), legal_name("écran")
    ('ad_view', '_3D_mode', '_cran_62975fe3')
    """
    plain = re.sub(r"[^0-9A-Za-z_]", "_", name)
    if not plain or plain[0].isdigit():
        plain = "_" + plain
    return with_hash(plain, name) if len(plain) > LENGTH_MAX or not name.isascii() else plain


def name_of(key: str, taken: frozenset[str], *, make_legal: bool) -> str | None:
    """Give a key that meets no other one a name that is legal, and not taken; none where one hash does not do."""
    name = legal_name(key) if make_legal else key
    name = with_hash(name, key) if name in taken else name
    return None if name in taken else name


def each_its_own(
    names: dict[str, str], taken: frozenset[str], tell_apart: Callable[[str, str], str]
) -> dict[str, str]:
    """Tell names apart that are one in spite of their hashes: a key can be spelled like another one's."""
    if len(set(names.values())) == len(names) and taken.isdisjoint(names.values()):
        return names
    own = {key for key, name in names.items() if name == key and name not in taken}
    used = {*taken, *own}
    found = {}
    for key, name in names.items():
        free = name
        while key not in own and free in used:
            free = tell_apart(name, free + key)
        used.add(free)
        found[key] = free
    return found


def legal_keys(keys: Iterable[str], taken: frozenset[str], *, make_legal: bool) -> dict[str, str]:
    """Give each key a name that is legal, not taken, and its own.

    A key that is legal and free keeps its name; of the others, each that would meet another one is told
    apart by the hash of its full name.
    """
    wanted = {key: legal_name(key) if make_legal else key for key in keys}
    counts = Counter(wanted.values())
    names = {
        key: with_hash(name, key) if name in taken or (counts[name] > 1 and name != key) else name
        for key, name in wanted.items()
    }
    return each_its_own(names, taken, with_hash)


def legal_user(
    properties: dict[str, str] | None,
    times: dict[str, str] | None,
    taken: frozenset[str],
    *,
    make_legal: bool,
) -> tuple[dict[str, str] | None, dict[str, str] | None, dict[str, str]]:
    """Give a user's properties and their times under legal names that are not taken, and the name of each."""
    names = legal_keys(properties or {}, taken, make_legal=make_legal)
    return _renamed(properties, names), _renamed(times, names), names


def _renamed(values: dict[str, str] | None, names: dict[str, str]) -> dict[str, str] | None:
    return values and {names.get(key, key): value for key, value in values.items()}


@dataclass(frozen=True)
class Spelling:
    """How a model spells one well-known event: its name there and, for some, its phase."""

    name: str
    phase: str | None = None


class EventNames:
    """One model's spelling of event names, both ways."""

    def __init__(
        self, names: Mapping[str, Spelling], phase_of_others: str | None, *, make_legal: bool = False
    ) -> None:
        self._spellings = {hub: names.get(hub, Spelling(hub)) for hub in events.WELL_KNOWN}
        self._make_legal = make_legal
        self._phase_of_others = phase_of_others
        # What the mapping does not spell, an event of that name does not mean: it is an app's own. Of several
        # meanings with one spelling the first one is read.
        self._hub_of: dict[tuple[str, str | None], str] = {}
        for hub, spelling in names.items():
            self._hub_of.setdefault((spelling.name, spelling.phase), hub)

    def read(self, name: pl.Expr, phase: pl.Expr | None = None) -> pl.Expr:
        """Give the hub's name of a model's event; an app's own name keeps out of the well-known ones' way."""
        collides = name.str.contains(events.COLLIDES)
        own = pl.when(collides).then(pl.lit(events.OWN_PREFIX) + name).otherwise(name)
        chain: Any = pl
        for (spelled, spelled_phase), hub in self._hub_of.items():
            meant = name == spelled
            if spelled_phase is not None and phase is not None:
                meant = meant & (phase == spelled_phase)
            chain = chain.when(meant).then(pl.lit(hub))
        return own if chain is pl else chain.otherwise(own)

    def implied_phase(self, name: pl.Expr) -> pl.Expr:
        """Give the phase that an event has by its hub name: as the hub or the model's spelling says, or as all others."""
        stated = {hub: spelling.phase for hub, spelling in self._spellings.items() if spelling.phase}
        return notation.exchanged(name, {**events.PHASES, **stated}, pl.lit(self._phase_of_others, pl.String))

    def spelled(self, name: pl.Expr) -> pl.Expr:
        """Give the model's name of a hub event, legal or not."""
        table = {hub: spelling.name for hub, spelling in self._spellings.items()}
        collides = name.str.starts_with(events.OWN_PREFIX) & name.str.contains(events.COLLIDES)
        own = pl.when(collides).then(name.str.strip_prefix(events.OWN_PREFIX)).otherwise(name)
        return notation.exchanged(name, table, own)

    def written(self, name: pl.Expr) -> pl.Expr:
        """Give the name of a hub event as it stands in the model's rows."""
        if not self._make_legal:
            return self.spelled(name)
        made_legal = partial(notation.by_distinct_value, function=legal_name)
        return self.spelled(name).map_batches(made_legal, return_dtype=pl.String, is_elementwise=True)

    def is_illegal(self, spelled: pl.Expr) -> pl.Expr:
        """Tell which names the target could not take."""
        return ~spelled.str.contains(LEGAL) if self._make_legal else pl.lit(False)


# -- keys in camel case, as Amazon Personalize has them among an event's properties --------------------------
# https://docs.aws.amazon.com/personalize/latest/dg/recording-item-interaction-events.html: `NUM_RATINGS` is `numRatings` there.

CAMEL_WORD = re.compile(r"[^\W_]+")
CAMEL_CASE = r"^[a-z][0-9A-Za-z]*$"
NAMELESS = "key"


def camel_case(key: str) -> str:
    """Write a key in camel case.

    >>> camel_case("NUM_RATINGS"), camel_case("num ratings"), camel_case("numRatings"), camel_case("Level")
    ('numRatings', 'numRatings', 'numRatings', 'level')
    """
    words = [word.lower() if word.isascii() and word.isupper() else word for word in CAMEL_WORD.findall(key)]
    if not words:
        return NAMELESS
    first, *others = words
    return _with_first(first, str.lower) + "".join(_with_first(word, str.upper) for word in others)


def _with_first(word: str, change: Callable[[str], str]) -> str:
    """Change the first letter of a word, if it is one of ASCII: of others the case is not always one letter."""
    return change(word[0]) + word[1:] if word[0].isascii() else word


def camel_keys(keys: Iterable[str], taken: frozenset[str], reserved: frozenset[str]) -> dict[str, str]:
    """Give each key a name in camel case that is not reserved (in any case), not taken, and its own."""
    wanted = {key: camel_case(key) for key in keys}
    counts = Counter(wanted.values())
    refused = {
        key for key, name in wanted.items()
        if name.lower() in reserved or name in taken or (counts[name] > 1 and name != key)
    }  # fmt: skip
    return {key: told_apart(name, key) if key in refused else name for key, name in wanted.items()}


def told_apart(name: str, key: str) -> str:
    """Tell a name in camel case apart by the hash of its key; it stays one word, so that it is camel case again."""
    return f"{name}{hashlib.sha256(key.encode()).hexdigest()[:HASH_LENGTH]}"


# -- entities of one key: the second one is `key#2` in the hub, and a second `key` in a list -----------------

REPEATED = r"#[0-9]+$"
NUMBERED = re.compile(r"(.*)#[0-9]+", re.DOTALL)


def read_keys(written: Sequence[str]) -> list[str]:
    """Give the keys that a reader makes of a list's, which tells those that stand twice apart.

    >>> read_keys(["k", "k", "x", "k"])
    ['k', 'k#2', 'x', 'k#3']
    """
    names: list[str] = []
    counts: dict[str, int] = {}
    for key in written:
        counts[key] = counts.get(key, 0) + 1
        name = key if counts[key] == 1 else f"{key}#{counts[key]}"
        while name in names:
            counts[key] += 1
            name = f"{key}#{counts[key]}"
        names.append(name)
    return names


def in_groups(keys: Sequence[str]) -> list[str]:
    """Put the keys of one entity together, in the order of their numbers, where the first of them stands.

    >>> in_groups(["k#3", "x", "k", "k#2"])
    ['k', 'k#2', 'k#3', 'x']
    """
    places: dict[str, int] = {}
    found = []
    for key in keys:
        match = NUMBERED.fullmatch(key)
        base, number = (match[1], key[len(match[1]) + 1 :]) if match else (key, "")
        found.append((places.setdefault(base, len(places)), len(number), number, key))
    return [key for *_, key in sorted(found)]


def written_keys(before: Sequence[str], keys: Sequence[str]) -> list[str] | None:
    """Give the keys to write, numbered ones without their number where reading gives it back; None if no key changes.

    `before` are the keys that stand before these in the list.

    >>> written_keys([], ["k", "k#2", "x#2"]), written_keys(["app"], ["app#2"]), written_keys([], ["k#2", "k"])
    (['k', 'k', 'x#2'], ['app'], None)
    """
    bases = {key: match[1] for key in keys if (match := NUMBERED.fullmatch(key))}
    accepted: set[str] = set()
    for base in dict.fromkeys(bases.values()):
        if read_keys([*before, *_written(keys, bases, accepted | {base})]) == [*before, *keys]:
            accepted.add(base)
    return _written(keys, bases, accepted) if accepted else None


def _written(keys: Sequence[str], bases: dict[str, str], accepted: set[str]) -> list[str]:
    return [bases[key] if bases.get(key) in accepted else key for key in keys]
