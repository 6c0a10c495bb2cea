"""The places of a layout as a tree that a record is held against, member by member."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from translate.mapping.paths import AROUND
from translate.mapping.spec import Field, Layout

ANY = "*"


@dataclass(frozen=True)
class Leaf:
    """A place that is read: its field, where its text goes, and whether it is only another place of the field.

    `beside` is where what was made of an original goes.
    """

    entry: Field
    slot: str
    is_other: bool = False
    beside: str = ""

    @cached_property
    def wire(self) -> str:
        """Tell as what the value stands on the wire."""
        return self.entry.word.wire

    @cached_property
    def way(self) -> str:
        """Tell how the value is read: at once as `text`, `scalar`, `time`, `const` or `map`, `later`, or not at all."""
        entry = self.entry
        if self.is_other or entry.word.is_read_late:
            return "later"
        if entry.word.is_stamp:
            return "scalar" if entry.hub else "stamp"
        if entry.const is not None:
            return "const"
        if entry.word.holds_whole_map:
            return "map"
        if self.is_time:
            return "time"
        return "text" if self.wire == "text" else "scalar"

    @property
    def is_time(self) -> bool:
        """Tell whether a time stands there."""
        return self.entry.word.unit is not None


Tree = dict[str, Any]


@dataclass
class Places:
    """The trees of a layout: its events', its request's, the presets inside of its containers, and what lies in texts."""

    event: Tree = field(default_factory=dict)
    request: Tree = field(default_factory=dict)
    presets: dict[str, dict[str, Leaf]] = field(default_factory=dict)
    prefixes: list[tuple[str, Field]] = field(default_factory=list)
    names: dict[tuple[str, ...], Leaf] = field(default_factory=dict)
    peeked: list[tuple[tuple[str, ...], Leaf]] = field(default_factory=list)
    each: tuple[str, ...] = ()

    @property
    def heads(self) -> frozenset[str]:
        """Name the members of an event that hold places of their own below them."""
        return frozenset(name for name, inner in self.event.items() if isinstance(inner, dict))

    @property
    def heads_around(self) -> frozenset[str]:
        """Name those of the request around the events."""
        return frozenset(
            [*(name for name, inner in self.request.items() if isinstance(inner, dict)), *self.each[:1]]
        )


def is_read(entry: Field) -> bool:
    """Tell whether what lies in a field's place is read; what is made anew, or comes from a setting alone, is not."""
    return bool(entry.hub) or entry.const is not None or entry.word.travels_with_names


def slots(layout: Layout) -> Iterable[tuple[str, Field]]:
    """Give each field that fills a raw column of its own, with its slot; the event's before the request's."""
    containers = {entry.place: entry for entry in layout.fields if entry.word.is_container}
    presets = [
        entry for entry in layout.fields if entry.path[0] in containers and entry.place not in containers
    ]
    plain = [
        entry for entry in layout.fields if entry.path[0] not in containers and entry.place not in containers
    ]
    for entry in presets:
        if containers[entry.path[0]].word.shared or not entry.when:
            yield entry.place, entry
    for entry in plain:
        yield entry.place, entry
    for entry in layout.request.fields if layout.request else ():
        yield f"{AROUND}{entry.place}", entry


def raw_type(entry: Field) -> pl.DataType:
    """Give the type in which a scalar of a record is kept until its codec reads it."""
    return pl.Int64() if entry.word.raw == "whole" else pl.String()


def _made_of(original: Field, layout: Layout) -> str:
    """Give the slot of what is made of an original."""
    made = (slot for slot, entry in slots(layout) if entry.word.is_made_short and entry.hub == original.hub)
    return next(made, "") if original.word.confirms is not None else ""


def overruled(layout: Layout) -> list[tuple[str, str]]:
    """Give the slots that fill a hub column of another one, which counts: of those around the events, and of later texts in them."""
    found = list(slots(layout))
    pairs = itertools.product(found, found)
    return [
        (outer, inner)
        for (outer, around), (inner, within) in pairs
        if around.hub
        and around.hub[:1] == within.hub[:1]
        and _yields((outer, around), (inner, within), found)
    ]


def _yields(one: tuple[str, Field], other: tuple[str, Field], found: list[tuple[str, Field]]) -> bool:
    """Tell whether a slot gives way to another one."""
    (outer, around), (inner, within) = one, other
    if outer.startswith(AROUND):
        return not inner.startswith(AROUND) and not around.word.is_stamp
    both = (around.word, within.word)
    are_texts = all(word.is_plain_text for word in both)
    return are_texts and not inner.startswith(AROUND) and found.index(one) > found.index(other)


def places_of(layout: Layout) -> Places:
    """Arrange a layout's places."""
    places = Places(each=layout.request.each if layout.request else ())
    containers = {entry.place: entry for entry in layout.fields if entry.word.is_container}
    for slot, entry in slots(layout):
        if slot.startswith(AROUND):
            _grow(places, places.request, entry.path, Leaf(entry, slot), is_request=True)
        elif entry.path[0] in containers:
            leaf = Leaf(entry, slot, beside=_made_of(entry, layout))
            places.presets.setdefault(entry.path[0], {})[entry.key] = leaf
        else:
            _grow(places, places.event, entry.path, Leaf(entry, slot), is_request=False)
    for place, entry in containers.items():
        if place.endswith(ANY):
            places.prefixes.append((place.removesuffix(ANY), entry))
        else:
            _grow(places, places.event, entry.path, Leaf(entry, place), is_request=False)
    places.prefixes.sort(key=lambda pair: -len(pair[0]))
    for slot, entry in slots(layout):
        for other in entry.also:
            _grow_other(places, slot, entry, tuple(other.split(".")), containers)
    return places


def _grow(places: Places, tree: Tree, path: tuple[str, ...], leaf: Leaf, *, is_request: bool) -> None:
    if is_request and path[-1] == ANY:
        places.names[path] = leaf
        return
    word = leaf.entry.word
    if not (is_read(leaf.entry) or word.is_stamp or word.is_container):
        return
    for segment in path[:-1]:
        tree = tree.setdefault(segment, {})
    tree[path[-1]] = leaf


def _grow_other(
    places: Places, slot: str, entry: Field, path: tuple[str, ...], containers: dict[str, Field]
) -> None:
    leaf = Leaf(entry, slot, is_other=True)
    if path[0] in containers:
        places.presets.setdefault(path[0], {})[".".join(path[1:])] = leaf
        return
    tree = places.request if slot.startswith(AROUND) else places.event
    branch: Any = tree
    for segment in path[:-1]:
        branch = branch.get(segment, {}) if isinstance(branch, dict) else branch
        if isinstance(branch, Leaf):  # the place lies inside of what is carried whole
            places.peeked.append((path, leaf))
            return
    branch = tree
    for segment in path[:-1]:
        branch = branch.setdefault(segment, {})
    branch.setdefault(path[-1], leaf)
