"""Packs rows into requests, under count and byte limits, in the order of the source.

A request is assembled from nothing but its layout: the way to its events, the places of its own members, and
which of its texts hold JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import polars as pl

from translate.mapping.spec import Layout, Request
from translate.settings import Settings
from translate.vocabulary.words.stamps import StampedRequest
from translate.writer import assembly
from translate.writer.assembly import ANY, Leaf, Path
from translate.writer.shape import is_made, request_fields

ROW = "_row"
EXTRA = "_extra_of_request"
EXTRA_BESIDE = "_extra_beside_events"
TIME = "_time"
HOUR = 3_600_000  # milliseconds
# Requests that are open at a time may hold so much: beyond it, all are written, so that memory does not grow.
OPEN_BYTES_MAX = 64 * 1024 * 1024


@dataclass(slots=True)
class _Event:
    """An event on its way into a request: its row and what its request says around it; names as JSON text and bare."""

    number: int
    text: str
    time: int | None
    names: Path
    bare: Path
    inside: tuple[tuple[Path, str], ...]


@dataclass
class _Open:
    """A request that still takes events."""

    head: tuple[str | None, ...]
    extra: tuple[tuple[Path, str], ...]
    events: list[_Event] = field(default_factory=list)
    members: dict[Path, tuple[tuple[Path, str], ...]] = field(default_factory=dict)
    names: set[Path] = field(default_factory=set)
    bytes: int = 0


class Packer:
    """Packs rows into a layout's requests, one open request for each set of values around the events.

    `tell` gets, for each request that is written, the numbers of its events, counted from 0 in the order in which
    they were added, and listed in the order in which a reader meets them.
    """

    def __init__(
        self, layout: Layout, settings: Settings, output: IO[bytes], *, sequence: int = 1,
        tell: Callable[[list[int]], None] | None = None,
    ) -> None:  # fmt: skip
        if layout.request is None:
            raise AssertionError
        self._request: Request = layout.request
        self._output = output
        self._tell = tell
        self._sequence = sequence
        self._open: dict[Any, _Open] = {}
        self._open_bytes = 0
        self._taken = 0
        self.requests = 0
        self.events = 0  # counted where they are written, to be held against the account
        entries = request_fields(layout, settings)
        self._head = [entry for entry in entries if ANY not in entry.path and not is_made(entry)]
        self._inside = [entry for entry in entries if ANY in entry.path and entry.path[-1] != ANY]
        self._made = [entry for entry in entries if is_made(entry)]
        self._named = list(_places_of_names(self._request.each))
        self._by_hour = any(entry.word.keeps_hours_apart for entry in self._made)

    # -- taking in ----------------------------------------------------------------------------------------------

    def add(self, batch: pl.DataFrame) -> None:
        """Take in rows, writing each request that is full.

        Columns: `_row`, the event as JSON text; a column for each place around it, as JSON text; `_time`, in
        milliseconds, where requests are kept apart by hours; what else the request held, as lists of ways and JSON texts.
        """
        heads = _rows_of(batch, [entry.place for entry in self._head])
        names = _rows_of(batch, self._named)
        inside = _rows_of(batch, [entry.place for entry in self._inside])
        times = batch[TIME].to_list() if TIME in batch.columns else [None] * batch.height
        extras = batch[EXTRA].to_list() if EXTRA in batch.columns else [None] * batch.height
        besides = batch[EXTRA_BESIDE].to_list() if EXTRA_BESIDE in batch.columns else [None] * batch.height
        given = zip(batch[ROW], heads, names, inside, times, extras, besides, strict=True)
        for text, head, name, own, time, extra, beside in given:
            values = tuple(
                (entry.path, value)
                for entry, value in zip(self._inside, own, strict=True)
                if value is not None
            )
            values += assembly.members_of(beside) if beside else ()
            bare = tuple(map(assembly.bare_name, name))
            self._take(_Event(self._taken, text, time, name, bare, values), head, extra)
            self._taken += 1

    def _take(self, event: _Event, head: tuple[str | None, ...], extra: str | None) -> None:
        hour = event.time // HOUR if self._by_hour and event.time is not None else None
        key = (head, hour, extra)
        waiting = self._open.get(key)
        if waiting is None:
            waiting = self._begin(key)
        size = self._size(event, waiting)
        if waiting.events and (self._is_full(waiting, size) or _meets(event, waiting)):
            self._close(key)
            waiting = self._begin(key)
            size = self._size(event, waiting)
        waiting.events.append(event)
        waiting.bytes += size
        waiting.names.add(event.names)
        waiting.members.setdefault(event.names[:-1], event.inside)
        self._open_bytes += size
        if self._open_bytes > OPEN_BYTES_MAX:
            self.finish()

    def _begin(self, key: Any) -> _Open:
        head, _, extra = key
        opened = _Open(head, assembly.members_of(extra) if extra else ())
        tree: dict[str, Any] = {}
        self._put_head(tree, opened)
        opened.bytes = self._bytes_of_body(self._frame(tree))
        self._open_bytes += opened.bytes
        self._open[key] = opened
        return opened

    def _is_full(self, waiting: _Open, size: int) -> bool:
        most, bytes_max = self._request.events_max, self._request.bytes_max
        return (most is not None and len(waiting.events) >= most) or (
            bytes_max is not None and waiting.bytes + size > bytes_max
        )

    def _size(self, event: _Event, waiting: _Open) -> int:
        """Give what an event adds to the body: its row, its name, a comma, and what is written around it."""
        size = len(event.text.encode()) + 1
        if event.names and self._request.each[-1] == ANY:
            size += len(event.names[-1].encode()) + 1
        if event.names and event.names[:-1] not in waiting.members:
            around: dict[str, Any] = {}
            self._put_around(around, event)
            assembly.container(around, self._way(event), named=self._request.each[-1] == ANY)
            size += self._bytes_of_body(around) - self._bytes_of_body(self._frame({})) + 1
        return size

    def _bytes_of_body(self, tree: dict[str, Any]) -> int:
        body = assembly.at(tree, self._request.each[:1] or ("",))
        return len(assembly.text_of(body).encode())

    def _frame(self, tree: dict[str, Any]) -> dict[str, Any]:
        """Put what the events, or the members with names of their own, will lie in."""
        each = self._request.each
        if ANY in each:
            assembly.at(tree, each[: each.index(ANY)], make=True)
        else:
            assembly.container(tree, each, named=False)
        return tree

    # -- writing ------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Write what is left, in the order in which the requests were begun."""
        for key in list(self._open):
            self._close(key)

    def _close(self, key: Any) -> None:
        waiting = self._open.pop(key)
        self._open_bytes -= waiting.bytes
        tree: dict[str, Any] = {}
        self._put_head(tree, waiting)
        members: set[Path] = set()
        for event in waiting.events:
            if event.names[:-1] not in members:
                members.add(event.names[:-1])
                self._put_around(tree, event)
            self._put_event(tree, event)
        self._put_made(tree, waiting)
        held = list(assembly.events_of(tree))
        self.events += len(held)
        if self._tell:
            self._tell(held)
        for place in self._request.closed:
            assembly.close_text(tree, assembly.split(place))
        is_list = not self._request.each or (self._request.listed and [*tree] == [*self._request.each])
        whole = assembly.text_of(next(iter(tree.values())) if is_list else tree)
        self._output.write(whole.encode() + b"\n")
        self.requests += 1

    def _put_head(self, tree: dict[str, Any], waiting: _Open) -> None:
        for entry, value in zip(self._head, waiting.head, strict=True):
            if value is not None:
                assembly.put(tree, entry.path, value)
        for place in self._request.empty:
            if ANY not in assembly.split(place):
                assembly.at(tree, assembly.split(place), make=True)
        for path, value in waiting.extra:
            assembly.put(tree, path, value)

    def _put_around(self, tree: dict[str, Any], event: _Event) -> None:
        """Put what a member with a name of its own says beside its events."""
        for path, value in event.inside:
            assembly.put(tree, assembly.resolved(path, event.bare, self._request.each), value)
        for place in self._request.empty:
            path = assembly.split(place)
            if ANY in path:
                assembly.at(tree, assembly.resolved(path, event.bare, self._request.each), make=True)

    def _way(self, event: _Event) -> Path:
        return (
            assembly.resolved(self._request.each, event.bare, self._request.each)
            if event.bare
            else self._request.each
        )

    def _put_event(self, tree: dict[str, Any], event: _Event) -> None:
        way = self._way(event)
        leaf = Leaf(event.text, event.number)
        if self._request.each and self._request.each[-1] == ANY:
            assembly.container(tree, way, named=True)[way[-1]] = leaf
        else:
            assembly.container(tree, way, named=False).append(leaf)

    def _put_made(self, tree: dict[str, Any], waiting: _Open) -> None:
        times = [event.time for event in waiting.events if event.time is not None]
        body = assembly.text_of(assembly.at(tree, self._request.each[:1]) or {})
        head = {
            entry.hub[0]: value
            for entry, value in zip(self._head, waiting.head, strict=True)
            if entry.hub and value is not None
        }
        stamped = StampedRequest(self._sequence + self.requests, body, max(times, default=None), head)
        for entry in self._made:
            value = entry.word.make(stamped, entry.template) if entry.word.make else None
            if value is not None:
                assembly.put(tree, entry.path, value)


def _places_of_names(each: Path) -> Iterator[str]:
    for depth, segment in enumerate(each, 1):
        if segment == ANY:
            yield ".".join(each[:depth])


def _rows_of(batch: pl.DataFrame, places: Sequence[str]) -> list[tuple[Any, ...]]:
    return batch.select(places).rows() if places else [()] * batch.height


def _meets(event: _Event, waiting: _Open) -> bool:
    """Tell whether a request has an event of this name, or says something else of the member that the event lies in."""
    if event.names and event.names in waiting.names:
        return True
    said = waiting.members.get(event.names[:-1], event.inside)
    return said != event.inside
