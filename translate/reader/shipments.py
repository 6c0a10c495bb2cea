"""Shipments: requests on their way, whole or with some of their events, and the hub columns that they hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from translate.mapping.spec import Field, Layout, Request
from translate.vocabulary.notation import quoted

ANY = "*"
Way = tuple[str | int, ...]
_NOTHING: Any = object()

MILLISECONDS = 1000


@dataclass(frozen=True)
class Shipment:
    """Some events of one request, as they are sent: their part, its line (from 1), their positions in it (from 0).

    `request` is the request with only these events, its texts of JSON opened; `body` is the text of the events
    exactly as it was packed, where all of them go and the layout has one.
    """

    part: str
    line: int
    events: tuple[int, ...]
    request: Any
    body: str | None = None


@dataclass(frozen=True)
class PackedRequest:
    """One line of a part: a request and the ways to its events."""

    part: str
    line: int
    tree: Any
    body: str | None
    layout: Layout
    line_bytes: int = 0

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """Give the way to each event, in their order."""
        return tuple(_ways(self.tree, _request(self.layout).each))

    def event(self, way: Way) -> Any:
        """Give the event at the end of a way."""
        return _at(self.tree, way)

    def shipment(self, positions: Collection[int] | None = None) -> Shipment:
        """Take all events, or those at these positions."""
        if positions is None or len(positions) == len(self.ways):
            return Shipment(self.part, self.line, tuple(range(len(self.ways))), self.tree, self.body)
        chosen = frozenset(positions)
        count = iter(range(len(self.ways)))
        kept = _kept(self.tree, _request(self.layout).each, lambda: next(count) in chosen)
        return Shipment(self.part, self.line, tuple(sorted(chosen)), kept)


def unpack(part: str, line: int, text: str | bytes, layout: Layout) -> PackedRequest:
    """Read one line of a part; raise ValueError where it is no JSON."""
    tree = json.loads(text)
    if isinstance(tree, list) and _request(layout).listed:
        tree = {_request(layout).each[0]: tree}
    body = None
    for place in _request(layout).closed:
        *way, name = place.split(".")
        outer = _follow(tree, way)
        if isinstance(outer, dict) and isinstance(outer.get(name), str):
            body = outer[name]
            outer[name] = json.loads(body)
    return PackedRequest(part, line, tree, body, layout, len(text))


def closed(request: Any, layout: Layout) -> str:
    """Write a request as a line of its layout, its texts of JSON closed again."""
    copied = dict(request) if isinstance(request, dict) else request
    for place in _request(layout).closed:
        if place in copied:
            copied[place] = quoted(copied[place])
    if _request(layout).listed and [*copied] == [*_request(layout).each]:
        copied = copied[_request(layout).each[0]]
    return quoted(copied)


def events_of(request: Any, layout: Layout) -> Iterator[Any]:
    """Give the events of a request, in their order."""
    return (_at(request, way) for way in _ways(request, _request(layout).each))


def _request(layout: Layout) -> Request:
    assert layout.request is not None
    return layout.request


def _follow(node: Any, path: Iterable[str]) -> Any:
    for segment in path:
        if not isinstance(node, dict):
            return None
        node = node.get(segment)
    return node


def _at(node: Any, way: Way) -> Any:
    for segment in way:
        node = node[segment]
    return node


def _ways(node: Any, each: tuple[str, ...], before: Way = ()) -> Iterator[Way]:
    if not each:
        if isinstance(node, list):
            yield from ((*before, position) for position in range(len(node)))
        elif before:
            yield before
        return
    names = list(node) if each[0] == ANY else [each[0]]
    for name in names:
        yield from _ways(node[name], each[1:], (*before, name))


def _kept(node: Any, each: tuple[str, ...], wanted: Callable[[], bool]) -> Any:
    """Copy the way to the events, leaving out those that are not wanted, and what nothing is left in."""
    if not each:
        if isinstance(node, list):
            return [event for event in node if wanted()] or _NOTHING
        return node if wanted() else _NOTHING
    copied = dict(node)
    for name in list(node) if each[0] == ANY else [each[0]]:
        inner = _kept(node[name], each[1:], wanted)
        if inner is _NOTHING:
            del copied[name]
        else:
            copied[name] = inner
    return _NOTHING if not copied or (each[0] != ANY and each[0] not in copied) else copied


class PlacedColumn:
    """Where a layout has a hub column, around its events or in each of them; what lies around several is looked up once.

    Events that have nothing there have it `instead` elsewhere, as their kind where they have no name.
    """

    def __init__(self, field: Field, *, around: bool, instead: PlacedColumn | None = None) -> None:
        self._around = around
        self._instead = instead
        self._path = path = field.path
        self._ends_in_name = around and path[-1] == ANY
        stars = [index for index, segment in enumerate(path) if segment == ANY]
        self._shared = stars[-1] + 1 if stars else 0  # so much of an event's way settles what lies around it

    def values(self, request: PackedRequest, events: Sequence[Any]) -> list[Any]:
        """Give the column's value for each event, None where there is none."""
        if self._instead is not None:
            both = zip(self._in(events), self._instead.values(request, events), strict=True)
            return [own if own is not None else other for own, other in both]
        if not self._around:
            return self._in(events)
        if self._ends_in_name:
            return [way[self._shared - 1] for way in request.ways]
        known: dict[Way, Any] = {}
        for way in request.ways:
            if way[: self._shared] not in known:
                named = (str(way[at]) if segment == ANY else segment for at, segment in enumerate(self._path))
                known[way[: self._shared]] = _follow(request.tree, named)
        return [known[way[: self._shared]] for way in request.ways]

    def of_events(self, events: Sequence[Any]) -> list[Any]:
        """Give the column's value for each of some events, by what lies in them alone."""
        return [None] * len(events) if self._around else self._in(events)

    def _in(self, events: Sequence[Any]) -> list[Any]:
        name, *rest = self._path
        found = [event.get(name) if isinstance(event, dict) else None for event in events]
        for segment in rest:
            found = [_member(value, segment) for value in found]
        return found


def find_column(layout: Layout, hub: str) -> PlacedColumn | None:
    """Find a hub column in a layout's packed requests."""
    found = entry_of(layout, hub)
    kinds = [entry for entry in layout.fields if entry.word.tells_kind and hub in entry.hub]
    instead = PlacedColumn(kinds[0], around=False) if kinds else None
    return None if found is None else PlacedColumn(found[0], around=found[1], instead=instead)


def entry_of(layout: Layout, hub: str) -> tuple[Field, bool] | None:
    """Find the place of a hub column, and if it lies around the events; of several the one that holds it alone goes first."""
    found = [(entry, around) for entry, around in _entries(layout) if hub in entry.hub]
    return min(found, key=lambda place: (place[0].hub.index(hub), len(place[0].hub)), default=None)


def asked_columns(layout: Layout, setting: str) -> list[PlacedColumn]:
    """Find all places that are written only where a setting asks for them."""
    return [
        PlacedColumn(entry, around=around) for entry, around in _entries(layout) if entry.asked == setting
    ]


def _entries(layout: Layout) -> Iterator[tuple[Field, bool]]:
    """Give each field, and if it lies around the events."""
    yield from ((entry, True) for entry in (layout.request.fields if layout.request else ()))
    yield from ((entry, False) for entry in layout.fields)


def clock_of(layout: Layout) -> Callable[[Any], int | None]:
    """Give what turns the layout's spelling of an event's time into milliseconds since 1970, None if it is no time."""
    entry = next(entry for entry in layout.fields if entry.hub == ("time",))
    spelt = entry.word.clock

    def clock(value: Any) -> int | None:
        try:
            return spelt(value) if spelt else None
        except (TypeError, ValueError, OverflowError):
            return None

    return clock


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):  # entities
        named = (each for each in value if isinstance(each, dict) and each.get("key") == name)
        return next((each.get("value") for each in named), None)
    return None
