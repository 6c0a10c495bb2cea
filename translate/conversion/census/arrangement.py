"""The places of a layout, arranged as the kernel goes down them to tally keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from translate.conversion.census import Below, Key
from translate.conversion.census.evidence import HOMES, Evidence
from translate.engine.tables import SORTS, WATCHED_MAX
from translate.engine.tally import NAMES_MAX, Site
from translate.mapping.spec import Field

BELOW = {
    Below.NOTHING: "nothing", Below.KEYS: "keys", Below.PROPERTIES: "properties", Below.ENTITIES: "entities",
    Below.JSON_OF_KEYS: "json_of_keys",
}  # fmt: skip

Silence = Callable[[Key], bool]  # whether a key has a fate though nothing of its row speaks for it


class Arrangement:
    """The places of one layout, as the kernel goes down them."""

    def __init__(self, evidence: Evidence, may_be_silent: Silence) -> None:
        self._evidence = evidence
        self._may_be_silent = may_be_silent

    def root(self) -> Site | None:
        """Give the record's own place; None where the kernel could not tell an event's type."""
        below = [self._place(name, (name,), inner) for name, inner in self._evidence.tree.items()]
        root, paths = Site("", "tree", below), self._evidence.name_paths
        return root if len(paths) <= NAMES_MAX and all(self._rank(path, root) for path in paths) else None

    def _rank(self, path: tuple[str, ...], root: Site) -> bool:
        """Mark a place of the event's name by its rank among these; tell whether it is one of the layout's."""
        place: Site | None = root
        for segment in path:
            children = place.children if place and place.below == "tree" else []
            place = next((child for child in children if child.name == segment), None)
        if place is None or place.below != "nothing":
            return False
        place.name_rank = self._evidence.name_paths.index(path) + 1
        return True

    def _place(self, name: str, path: tuple[str, ...], below: Any) -> Site:
        if isinstance(below, dict):
            inside = [self._place(each, (*path, each), inner) for each, inner in below.items()]
            return Site(name, "tree", inside, silent=self._silent(path))
        leaf = self._evidence.leaf(_key(path))
        columns = leaf.entry.hub if leaf else ()
        place = Site(name, BELOW[below], watched=columns, silent=self._silent(path))
        place.is_for_python = len(columns) > WATCHED_MAX
        around, _ = self._evidence.home_of(_key((*path, "")))
        if around is not None:
            place.homes = {sort: _home(around, sort) for sort in SORTS}
            place.children = list(self._presets(path, around))
        return place

    def _presets(self, path: tuple[str, ...], around: Field) -> Iterator[Site]:
        """Give the members of a map that have places of their own."""
        named = {rest: entries for (head, rest), entries in self._evidence.presets.items() if (head,) == path}
        if around.member:
            named.setdefault(around.member, [])
        for rest, entries in named.items():
            own = ["user_id"] if rest == around.member else []
            columns = list(dict.fromkeys([*own, *(column for entry in entries for column in entry.hub)]))
            place = Site(rest, "nothing", watched=columns, silent=self._silent((*path, rest)))
            travels = any(entry.word.travels_with_names for entry in entries)
            place.is_for_python = travels or len(columns) > WATCHED_MAX
            yield place

    def _silent(self, path: tuple[str, ...]) -> list[str]:
        return [sort for sort in SORTS if self._may_be_silent(_key(path, sort))]


def _key(path: tuple[str, ...], sort: str = "text") -> Key:
    return Key(path, sort, len(path), doubled=False)


def _home(around: Field, sort: str) -> str:
    if around.word.holds_whole_map:
        return around.hub[0]
    return "user_properties" if around.word.is_user else HOMES.get(sort, "other")
