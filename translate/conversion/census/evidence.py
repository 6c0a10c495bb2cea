"""What of a record's keys reached the hub: for each key of the census, the column or the map's key that holds its value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from translate.conversion.census import Below, Key, Members, Tree, Value, text_of
from translate.conversion.census.forms import NamesBack, Row
from translate.mapping.paths import path_around, path_of
from translate.mapping.spec import Field, Layout
from translate.reader.tree import Leaf, Places, places_of
from translate.vocabulary.notation import writable
from translate.vocabulary.notes import InSource
from translate.vocabulary.word import Form

BELOW: dict[Form, Below] = {
    "maps": Below.KEYS, "object": Below.KEYS, "whole": Below.KEYS, "user": Below.PROPERTIES,
    "entities": Below.ENTITIES, "properties": Below.JSON_OF_KEYS,
}  # fmt: skip


def below(tree: Mapping[str, Any]) -> Tree:
    """Turn the reader's tree into what the census asks of one."""
    return {
        name: below(node) if isinstance(node, dict) else BELOW.get(node.entry.word.form, Below.NOTHING)
        for name, node in tree.items()
    }


class Around:
    """What a layout knows of the places around its events."""

    def __init__(self, layout: Layout, places: Places) -> None:
        fields = layout.request.fields if layout.request else ()
        self.tree: Tree = below(places.request)
        self.names = places.names
        self.maps = {entry.path: entry for entry in fields if entry.word.holds_whole_map}
        self.heads = places.heads_around
        self.nodes = places.request


MIXED = ("attributes", "metrics", "other")
HOMES = {"text": "attributes", "empty": "attributes", "number": "metrics"}
HOLDING_MEMBERS = (Below.KEYS, Below.PROPERTIES, Below.ENTITIES, Below.JSON_OF_KEYS)
OTHER_NAMES = {"raw_path": "path"}  # of a captured request: both are read as one


class Held(NamedTuple):
    """Where the hub holds a key's value: a column, and the key in it where that is a map; what nothing holds, why.

    `noted` is the place of the source that the conversion itself tells of.
    """

    column: str
    key: str | None = None
    why: str = ""
    noted: InSource | None = None


class Evidence:
    """Knows of one layout which hub columns speak for a key; of one event, what is left to speak for another."""

    def __init__(self, layout: Layout) -> None:
        self._places: Places = places_of(layout)
        self._heads = self._places.heads
        self.tree: Tree = below(self._places.event)
        self.around = Around(layout, self._places)
        self.name_paths = [
            tuple(place.split("."))
            for entry in layout.fields
            if "name" in entry.hub[:1]
            for place in (entry.place, *entry.also)
        ]
        containers = {entry.place: entry for entry in layout.fields if entry.word.is_container}
        self._containers: dict[tuple[str, ...], Field] = {entry.path: entry for entry in containers.values()}
        self._maps = {
            tuple(place.split(".")): entry
            for entry in layout.fields
            if entry.word.holds_whole_map or entry.word.is_user
            for place in (entry.place, *entry.also)
        }
        self.presets: dict[tuple[str, ...], list[Field]] = {}
        for entry in layout.fields:
            for place in (entry.place, *entry.also) if entry.place not in containers else ():
                head, _, rest = place.partition(".")
                if head in containers:
                    self.presets.setdefault((head, rest), []).append(entry)
        self._leaves: dict[tuple[bool, tuple[str, ...]], Leaf | None] = {}
        self._names: dict[tuple[tuple[str, ...], int, bool], str] = {}
        self._homes: dict[tuple[str, ...], tuple[Field | None, list[Field]]] = {}

    def event_type(self, record: Value) -> str | None:
        """Give the event's name as the record spells it, halves of surrogate pairs escaped; None if it has none."""
        for path in self.name_paths:
            found: Value | None = record
            for segment in path:
                found = dict(found).get(segment) if isinstance(found, Members) else None
            if isinstance(found, str) and found != "null":
                text = text_of(found)
                return writable(found if text is None else text)
        return None

    def name_of(self, key: Key) -> str:
        """Write a key's path as the report's losses do; that of one around the events with a mark, to tell them apart."""
        name = self._names.get((key.path, key.known, key.around))
        if name is None:
            is_inside = not key.around and key.known > 0 and key.path[:-1] in self._containers
            name = writable(".".join(key.path) if is_inside else self._path(key.path, around=key.around))
            self._names[key.path, key.known, key.around] = name
        return name

    def _path(self, path: tuple[str, ...], *, around: bool) -> str:
        return path_around(path, self.around.heads) if around else path_of(path, self._heads)

    # -- one event ----------------------------------------------------------------------------------------------

    def leaf(self, key: Key) -> Leaf | None:
        """Find the leaf of a key."""
        if (key.around, key.path) not in self._leaves:
            found = _node(self.around.nodes if key.around else self._places.event, key.path)
            named = self.around.names.get(key.path) if key.around else None
            self._leaves[key.around, key.path] = found if isinstance(found, Leaf) else named
        return self._leaves[key.around, key.path]

    def home_of(self, key: Key) -> tuple[Field | None, list[Field]]:
        """Give the container or map that a key lies in, and the fields that have this very key of it."""
        path = key.path
        if key.around:
            return self.around.maps.get(path[:-1]), []
        if path not in self._homes:
            around = self._containers.get(path[:-1]) or self._maps.get(path[:-1])
            self._homes[path] = around, self.presets.get((path[0], ".".join(path[1:])), []) if around else []
        return self._homes[path]

    def of_column(self, name: str) -> tuple[str, str] | None:
        """Give the map and the key of a table's column whose name begins as the layout says."""
        for prefix, entry in self._places.prefixes:
            if name.startswith(prefix) and name != prefix:
                return entry.hub[0], name.removeprefix(prefix)
        return None

    def holds_members(self, key: Key) -> bool:
        """Tell whether a key's place is an object that is known by its members."""
        node = _node(self.around.tree if key.around else self.tree, key.path)
        return isinstance(node, dict) or node in HOLDING_MEMBERS

    def empty_is_none(self, key: Key) -> bool:
        """Tell whether an empty text stands for no value at a key's place."""
        leaf = self.leaf(key)
        return leaf is not None and leaf.entry.word.empty_is_absent

    def extra_paths(self, key: Key) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give the names under which `extra` may hold a key, with the rest of the way inside of its value."""
        for path in self._spellings(key):
            for depth in range(len(path), 0, -1):
                yield self._path(path[:depth], around=key.around), path[depth:]

    def noted_places(self, key: Key) -> Iterator[InSource]:
        """Give the places under which the conversion may tell of a key: its own, around the events also what it lies in."""
        for path in self._spellings(key):
            for depth in range(len(path), 0 if key.around else len(path) - 1, -1):
                yield InSource(path[:depth], key.around)

    def _spellings(self, key: Key) -> Iterator[tuple[str, ...]]:
        yield key.path
        if key.around and not OTHER_NAMES.keys().isdisjoint(key.path):
            yield tuple(OTHER_NAMES.get(segment, segment) for segment in key.path)


class Trail:
    """Looks for the keys of one event; what spoke for one key speaks for no other."""

    def __init__(self, evidence: Evidence, record: Value, row: Row, noted: frozenset[InSource]) -> None:
        self._evidence = evidence
        self._row = row
        self._noted = noted
        self._names = NamesBack(evidence.presets, record, row)
        self._spoken: set[tuple[str, str]] = set()
        self._inside: dict[str, Any] = {}

    def find(self, key: Key) -> Held | None:
        """Give where the hub holds a key's value; None if nothing speaks for it."""
        around, presets = self._evidence.home_of(key)
        if around is not None:
            held = self._in_map(around, presets, key)
        elif key.known == len(key.path):
            held = self._in_columns(key)
        else:
            held = None if key.around else self._in_table(key.path)
        return held or self._in_extra(key) or self._in_notes(key)

    def left(self) -> Iterator[Held]:
        """Give what the hub holds in its free-form maps that no key spoke for."""
        for column in (*MIXED, "extra"):
            for name in self._row.get(column) or ():
                if (column, name) not in self._spoken:
                    yield Held(column, name)

    def _in_columns(self, key: Key) -> Held | None:
        leaf = self._evidence.leaf(key)
        if leaf is None:
            return None
        if held := self._in_extra(key):
            return held  # not what always stands there, or what its column should hold, or another place was first
        if not leaf.entry.hub:
            return Held("", None, "the same in every record") if leaf.entry.const is not None else None
        return self._in_columns_of(leaf.entry)

    def _in_columns_of(self, entry: Field) -> Held | None:
        held = next((Held(column) for column in entry.hub if self._row.get(column) is not None), None)
        is_none = held is None and entry.absent is not None
        return Held("", None, f"{entry.absent!r} stands for nothing") if is_none else held

    def _said_once(self, entry: Field) -> Held | None:
        if entry.word.travels_with_names and self._names.are_told:
            return Held("", None, "the names that it tells went back to their places")
        return Held("", None, "the same in every such event") if entry.const is not None else None

    def _in_map(self, around: Field, presets: list[Field], key: Key) -> Held | None:
        if key.kind == "null":
            return None  # no map holds any, but another map's key may have the same name
        name = key.path[-1]
        free = [entry for entry in presets if not any(self._has(home, name) for home in MIXED)]
        if told := next((told for entry in free if (told := self._said_once(entry))), None):
            return told
        home, *other_homes = self._homes(around, key.kind)
        if held := self._take(home, self._names.in_home(home, name)):
            return held
        in_column = self._in_own_column(around, presets, name)
        # A value of another type than its map's never leaves for a column: another place may have filled that.
        if in_column and (around.word.shared or home == around.hub[0]):
            return in_column
        strayed = (self._take(other, self._names.in_home(other, name)) for other in other_homes)
        return next((held for held in strayed if held), in_column)

    def _in_own_column(self, around: Field, presets: list[Field], name: str) -> Held | None:
        if around.member and name == around.member and self._row.get("user_id") is not None:
            return Held("user_id")
        return next((held for entry in presets if (held := self._in_columns_of(entry))), None)

    def _homes(self, around: Field, kind: str) -> list[str]:
        if around.word.holds_whole_map:
            return [around.hub[0]]
        if around.word.is_user:
            return ["user_properties"]
        own = HOMES.get(kind, "other")
        return [own, *(home for home in MIXED if home != own)]

    def _has(self, home: str, name: str) -> bool:
        return self._names.in_home(home, name) in (self._row.get(home) or ())

    def _take(self, column: str, name: str | None) -> Held | None:
        if name is None or name not in (self._row.get(column) or ()) or (column, name) in self._spoken:
            return None
        self._spoken.add((column, name))
        return Held(column, name)

    def _in_table(self, path: tuple[str, ...]) -> Held | None:
        found = self._evidence.of_column(path[0]) if len(path) == 1 else None
        return self._take(*found) if found else None

    def _in_extra(self, key: Key) -> Held | None:
        extra = self._row.get("extra") or {}
        for name, rest in self._evidence.extra_paths(key) if extra else ():
            if name in extra:
                self._spoken.add(("extra", name))
                return Held("extra", name) if self._lies_inside(extra[name], rest) else None
        return None

    def _lies_inside(self, text: str, rest: tuple[str, ...]) -> bool:
        if text not in self._inside:
            self._inside[text] = json.loads(text)
        value = self._inside[text]
        for segment in rest:
            if not isinstance(value, dict) or segment not in value:
                return False
            value = value[segment]
        return True

    def _in_notes(self, key: Key) -> Held | None:
        noted = next((place for place in self._evidence.noted_places(key) if place in self._noted), None)
        return None if noted is None else Held("", noted=noted)


def _node(tree: Any, path: tuple[str, ...]) -> Any:
    """Give what a tree has at the end of a path; None if the path leaves it."""
    for segment in path:
        tree = tree.get(segment) if isinstance(tree, dict) else None
    return tree
