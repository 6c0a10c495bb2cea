"""Records that hold many events: where these lie, and what is said around them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

from translate.mapping.spec import Request
from translate.reader.literals import Pairs, Refused, an_object, as_it_stood, shown
from translate.reader.opening import body_of, object_in, opened, request_parts
from translate.reader.record import DOUBLED, Record
from translate.reader.tree import ANY, Places, Tree
from translate.vocabulary.notes import InSource

HEADERS = "headers"
QUERY = "query"
PARTS = (HEADERS, QUERY, "path")
WHOLE_PARTS = {"path", "raw_path"}  # members of a captured request that are taken apart
OF_TRANSPORT = "of the transport, not of the event"
NO_EVENT = object()
CAPTURED = {HEADERS, "method"}  # members that show a request as it went over the wire

Walk = Callable[[Record, Tree, Pairs, tuple[str, ...]], None]


class RequestReader:
    """Finds the events of one layout's requests; what stands around them is read into each of them."""

    def __init__(self, request: Request, places: Places, walk: Walk) -> None:
        self._request = request
        self._places = places
        self._walk = walk
        self._has_parts = has_parts(request)

    def events(self, raw: str, value: Any) -> Iterator[tuple[Record, Any]]:
        """Give each event's value with a record of what the request says; raise Refused if it is none.

        Where there are none, NO_EVENT stands in their place. Without a text of the request its events have none.
        """
        record = Record(raw)
        if self._request.bare and type(value) is str:
            body = body_of(value)
            value = value if body is None else body
        if isinstance(value, Pairs):
            value = self._innermost(record, value)
        if self._request.bare and isinstance(value, Pairs) and value.names() & CAPTURED:
            value = self._of_the_request(record, self._in_parts(value))
        for found, event in self._descend(
            record, self._places.request, self._rooted(value), self._request.each, ()
        ):
            if event is not NO_EVENT:
                found.raw = _own_text(event, raw) if raw else ""
            yield found, event

    def _in_parts(self, value: Pairs) -> Pairs:
        return request_parts(value) if self._has_parts else value

    def _innermost(self, record: Record, members: Pairs) -> Pairs:
        """Give the request that lies in the body of another one, and so on; what lies beside it belongs to the transport."""
        names = {*self._request.each[:1], *self._request.also.get(".".join(self._request.each[:1]), ())}
        for name, value in members:
            inner = object_in(value) if name in names else None
            if inner is not None and inner.names() & names:
                _wanted(record, members, {name})
                return self._innermost(record, inner)
        return members

    def _of_the_request(self, record: Record, captured: Pairs) -> Pairs:
        """Leave what belongs to the transport of a captured request, most headers and the like, and note that."""
        kept = Pairs()
        for name, value in self._with_others(captured):
            tree = self._places.request.get(name)
            if name == HEADERS and isinstance(tree, dict) and isinstance(value, Pairs):
                kept += [(name, own)] if (own := _wanted(record, value, tree, (name,))) else []
            else:
                kept += _wanted(
                    record, Pairs([(name, value)]), {*self._places.request, *self._request.each[:1]}
                )
        return kept

    # -- where a request begins -----------------------------------------------------------------------------------

    def _rooted(self, value: Any) -> Any:
        """Give the request from its top: a record may begin anywhere on the way to its events."""
        each = self._request.each
        if isinstance(value, Pairs):
            value = self._opened(self._with_others(self._in_parts(value)))
        if not self._request.bare:
            return an_object(value, "the record")
        if not each:
            return value
        if isinstance(value, Pairs) and each[0] not in value.names():
            for depth, segment in enumerate(each[1:], 1):
                if segment != ANY and segment in value.names():
                    beside = [pair for pair in value if pair[0] in self._places.request]
                    inside = Pairs(pair for pair in value if pair[0] not in self._places.request)
                    return Pairs([*beside, *_wrapped(inside, each[:depth])])
        if not isinstance(value, Pairs) and isinstance(value, list) and each[-1] != ANY:
            return _wrapped(value, each)
        return an_object(value, "the request")

    def _with_others(self, record: Pairs) -> Pairs:
        """Move members from their other places to where the layout has them."""
        for name, others in self._request.also.items():
            if name in record.names():
                continue
            for other in others:
                head, _, rest = other.partition(".")
                found = record.get(head)
                if rest:
                    found = found.get(rest) if isinstance(found, Pairs) else None
                if found is not None:
                    record = Pairs([*_without(record, head, rest), (name, found)])
                    break
        return record

    def _opened(self, record: Pairs) -> Pairs:
        return Pairs(
            (name, opened(value, name) if name in self._request.opened else value) for name, value in record
        )

    # -- down to the events ---------------------------------------------------------------------------------------

    def _descend(
        self, record: Record, tree: Tree, value: Any, way: tuple[str, ...], path: tuple[str, ...]
    ) -> Iterator[tuple[Record, Any]]:
        here = ".".join(path) or "the request"
        if not way:
            if path and path[-1] == ANY:
                yield record, value
                return
            if not isinstance(value, list) or isinstance(value, Pairs):
                raise Refused("not_a_record", f"{here} should be a list of events, but is {shown(value)}")
            for element in value or [NO_EVENT]:
                yield record.copy(), element
            return
        segment, rest = way[0], way[1:]
        members = an_object(value, here)
        if segment == ANY:
            yield from self._members(record, tree, members, rest, path)
            return
        self._walk(record, tree, Pairs(pair for pair in members if pair[0] != segment), path)
        if segment not in members.names():
            raise Refused(
                "not_a_record", f"{'.'.join((*path, segment))} is missing: it should hold the events"
            )
        place = (*path, segment)
        if sum(name == segment for name, _ in members) > 1:
            record.note("changed", InSource(place, around=True), DOUBLED)
        yield from self._descend(record, tree.get(segment, {}), members.get(segment), rest, place)

    def _members(
        self, record: Record, tree: Tree, members: Pairs, rest: tuple[str, ...], path: tuple[str, ...]
    ) -> Iterator[tuple[Record, Any]]:
        leaf = self._places.names.get((*path, ANY))
        if not members:
            yield record, NO_EVENT
        for name, inner in members:
            child = record.copy()
            if leaf:
                child.values[leaf.slot] = name
            yield from self._descend(child, tree.get(ANY, {}), inner, rest, (*path, ANY))


def has_parts(request: Request) -> bool:
    """Tell whether something that a layout reads lies in a part of a captured request."""
    sources = [place for other in request.also.values() for place in other]
    sources += [place for entry in request.fields for place in (entry.place, *entry.also)]
    return any("." in place and place.partition(".")[0] in PARTS for place in sources)


def _wanted(record: Record, members: Pairs, names: Container[str], above: tuple[str, ...] = ()) -> Pairs:
    """Keep the members of some names; note the others as of the transport."""
    for name, _ in members:
        if name not in names:
            record.note("on_purpose", InSource((*above, name), around=True), OF_TRANSPORT)
    return Pairs(pair for pair in members if pair[0] in names)


def _own_text(event: Any, raw: str) -> str:
    """Give the text of one event; the whole request's if it is nested too deeply to be written again."""
    try:
        return as_it_stood(event)
    except Refused:
        return raw


def _wrapped(value: Any, segments: tuple[str, ...]) -> Pairs:
    for segment in reversed(segments):
        value = Pairs([(segment, value)])
    return an_object(value, "the request")


def _without(record: Pairs, head: str, rest: str) -> Iterator[tuple[str, Any]]:
    for name, value in record:
        if name != head:
            yield name, value
        elif rest and isinstance(value, Pairs):
            yield name, Pairs(pair for pair in value if pair[0] != rest)
