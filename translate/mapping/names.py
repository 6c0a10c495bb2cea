"""Names on their way between the hub and a model: well-known events, and names that a target can take."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from translate import events
from translate.mapping.spec import Mapping, Spelling

LEGAL = re.compile(r"(?![0-9])[0-9A-Za-z_]{1,50}")
LENGTH_MAX = 50
CUT_LENGTH = 41
HASH_LENGTH = 8


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:HASH_LENGTH]


def with_hash(legal: str, name: str) -> str:
    """Tell a legal name apart by the hash of the full name, within 50 characters."""
    return f"{legal[:CUT_LENGTH]}_{_hash(name)}"


@lru_cache(maxsize=65536)
def legal_name(name: str) -> str:
    """Make a name legal: letters, digits and `_`, no digit first, at most 50 characters."""
    if LEGAL.fullmatch(name):
        return name
    plain = re.sub(r"[^0-9A-Za-z_]", "_", name)
    if not plain or plain[0].isdigit():
        plain = "_" + plain
    return with_hash(plain, name) if len(plain) > LENGTH_MAX else plain


def legal_keys(keys: Iterable[str], taken: frozenset[str], *, make_legal: bool) -> dict[str, str]:
    """Give each key a name that is legal, not taken, and its own.

    A key that is legal and free keeps its name; of the others, each that would meet another one is told
    apart by the hash of its full name.
    """
    keys = list(keys)
    wanted = {key: legal_name(key) if make_legal else key for key in keys}
    counts = Counter(wanted.values())
    names = {}
    for key, name in wanted.items():
        meets = name in taken or (counts[name] > 1 and name != key)
        names[key] = with_hash(name, key) if meets else name
    return names


class EventNames:
    """One model's spelling of event names, both ways."""

    def __init__(self, mapping: Mapping, *, make_legal: bool = False) -> None:
        self.spellings = {hub: mapping.names.get(hub, Spelling(hub)) for hub in events.WELL_KNOWN}
        self.make_legal = make_legal
        self._hub_of: dict[str, str] = {}
        for hub, spelling in self.spellings.items():
            self._hub_of.setdefault(spelling.name, hub)
        shared = Counter((spelling.name, spelling.phase) for spelling in self.spellings.values())
        self._shared = {key for key, count in shared.items() if count > 1}

    def read(self, name: str) -> str:
        """Give the hub's name of a model's event."""
        return self._hub_of.get(name) or events.own_name(name)

    def write(self, name: str) -> str:
        """Give the model's name of a hub event."""
        spelling = self.spellings.get(name)
        spelled = spelling.name if spelling else events.spoken_name(name)
        return legal_name(spelled) if self.make_legal else spelled

    def original(self, name: str) -> str | None:
        """Give the hub's name if the model's spelling alone does not lead back to it."""
        spelling = self.spellings.get(name)
        if spelling:
            one_to_one = (spelling.name, spelling.phase) not in self._shared
            return None if one_to_one and not self.cut(name) else name
        return None if self.read(self.write(name)) == name else name

    def cut(self, name: str) -> str | None:
        """Give the hub's name if it had to be made legal."""
        spelling = self.spellings.get(name)
        spelled = spelling.name if spelling else events.spoken_name(name)
        return name if self.make_legal and legal_name(spelled) != spelled else None
