"""What an archive has that is most like something that it has not: real keys and names for mistyped ones."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

KEPT = 3  # of what is like each one
VALUES_KEPT = 5
ALIKE = 0.75  # from here on one may be meant for the other
CONTAINED = 3  # characters that a word needs to be found within another


@dataclass
class Watched:
    """What was seen of wanted keys (`attributes.x`) and names of events: which are there, and what is like the others.

    Of columns that were asked for, `spans` have the least and the greatest value, `values` the first few texts.
    """

    met: set[str] = field(default_factory=set)
    near: dict[str, list[str]] = field(default_factory=dict)
    spans: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)

    def add(self, other: Watched) -> None:
        """Add what was seen elsewhere; the order does not matter."""
        self.met |= other.met
        for wanted, found in other.near.items():
            self.near[wanted] = nearest(wanted, [*self.near.get(wanted, []), *found])
        self.near = {wanted: found for wanted, found in self.near.items() if wanted not in self.met}
        for column, span in other.spans.items():
            self.widen(column, *span)
        for column, values in other.values.items():
            self.note(column, values)

    def widen(self, column: str, least: Any, greatest: Any) -> None:
        """Take in a column's least and greatest value of some events."""
        low, high = self.spans.get(column, (least, greatest))
        self.spans[column] = min(low, least), max(high, greatest)

    def note(self, column: str, values: Iterable[str]) -> None:
        """Take in some of a column's values: the first ones in their order stay."""
        self.values[column] = heapq.nsmallest(VALUES_KEPT, {*self.values.get(column, ()), *values})

    def to_json(self) -> dict[str, Any]:
        """Give all of it as JSON values."""
        return {"met": sorted(self.met), "near": self.near, "spans": self.spans, "values": self.values}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Watched:
        """Read back what `to_json` gave."""
        spans = {column: (least, greatest) for column, (least, greatest) in values["spans"].items()}
        return cls(set(values["met"]), values["near"], spans, values["values"])


def nearest(wanted: str, known: Iterable[str], count: int = KEPT) -> list[str]:
    """Give those that are most like the wanted one, the nearest first."""
    ranked = {name: (-likeness(wanted, name), name) for name in known}
    return [name for _, name in heapq.nsmallest(count, ranked.values())]


def meant(wanted: str, known: Iterable[str]) -> str | None:
    """Give the one that must have been meant, if there is any."""
    found = nearest(wanted, known, 1)
    return found[0] if found and likeness(wanted, found[0]) >= ALIKE else None


def likeness(wanted: str, name: str) -> float:
    """Tell how much two keys or names are alike, from 0 to 1: spelling counts more than case, signs and the kind of value."""
    (kind, bare), (other_kind, other) = _of_kind(wanted), _of_kind(name)
    same_kind = 0.01 if kind == other_kind else 0.0
    if bare == other:
        return 0.99 + same_kind
    mine, theirs = _plain(bare), _plain(other)
    if mine == theirs:
        return 0.98 + same_kind
    shorter, longer = sorted((mine, theirs), key=len)
    contained = ALIKE if len(shorter) >= CONTAINED and shorter in longer else 0.0
    return max(contained, SequenceMatcher(None, mine, theirs, autojunk=False).ratio() * 0.97) + same_kind


def _of_kind(name: str) -> tuple[str, str]:
    kind, dot, key = name.partition(".")
    return (kind, key) if dot and kind in ("attributes", "metrics", "other") else ("", name)


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum()) or text
