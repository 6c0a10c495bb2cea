"""Entities of one key: the second one is `key#2` in the hub, and a second `key` in a list of entities."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
        if _come_back(before, keys, bases, accepted | {base}):
            accepted.add(base)
    return _written(keys, bases, accepted) if accepted else None


def _written(keys: Sequence[str], bases: dict[str, str], accepted: set[str]) -> list[str]:
    return [bases[key] if bases.get(key) in accepted else key for key in keys]


def _come_back(before: Sequence[str], keys: Sequence[str], bases: dict[str, str], accepted: set[str]) -> bool:
    return read_keys([*before, *_written(keys, bases, accepted)]) == [*before, *keys]
