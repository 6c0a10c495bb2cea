"""The events in the raw text of requests, each with the keys around it: found by the layout's words, not by its reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from translate.conversion.census import (
    Below,
    Elements,
    Key,
    Members,
    Tree,
    Value,
    keys_below,
    kind_of,
    opened,
    scan_all,
    text_of,
    unpacked,
)
from translate.conversion.census.forms import member_at, named_parts, without_member
from translate.mapping.spec import Request

ANY = "*"
HEADERS = "headers"
PARTS = ("headers", "query", "path")
CAPTURED = {HEADERS, "method"}
BEGINNINGS = ("{", "[", '"')

Path = tuple[str, ...]


class RequestPart(NamedTuple):
    """An event of a request, and the keys around it; or what the request has in place of any."""

    value: Value
    around: list[Key]
    holds_event: bool = True
    is_empty: bool = False  # events might stand there, but none does
    passed_over: bool = False  # a later member of the same key took its place


class Requests:
    """Finds the events in the lines of one layout of requests; `tree` is what the layout knows around them."""

    def __init__(self, request: Request, tree: Tree, names: Iterable[Path]) -> None:
        self._request = request
        self._tree = tree
        self._names = frozenset(names)
        places = [place for other in request.also.values() for place in other]
        places += [place for entry in request.fields for place in (entry.place, *entry.also)]
        self._has_parts = any(place.partition(".")[0] in PARTS and "." in place for place in places)

    def of_line(self, line: str) -> list[list[RequestPart]]:
        """Give the parts of each request on a line."""
        text = line.strip("\ufeff \t\r\n")
        body = None if text.startswith(BEGINNINGS) else unpacked(text)
        return [list(self._parts(value)) for value in (scan_all(text) if body is None else [body])]

    def _parts(self, value: Value) -> Iterator[RequestPart]:
        around: list[Key] = []
        if self._request.bare:
            value = opened(value)
        if isinstance(value, Members):
            value = _innermost(
                value,
                {*self._request.each[:1], *self._request.also.get(".".join(self._request.each[:1]), ())},
                around,
            )
        if isinstance(value, Members):
            value = self._with_parts(value, around)
        yield from self._descend(self._from_the_top(value), self._request.each, (), self._tree, around)

    # -- where a request begins ---------------------------------------------------------------------------------

    def _with_parts(self, members: Members, around: list[Key]) -> Members:
        """Open what the layout says to be closed; set aside what a captured request has of the transport alone."""
        is_captured = self._request.bare and not CAPTURED.isdisjoint(dict(members))
        whole = self._moved(named_parts(members) if self._has_parts else members)
        if is_captured:
            whole = self._without_transport(whole, around)
        texts = self._request.opened
        return Members((name, opened(value) if name in texts else value) for name, value in whole)

    def _without_transport(self, members: Members, around: list[Key]) -> Members:
        """Leave what a captured request has of the transport, headers that the layout does not know among it; gather its keys."""
        kept = Members()
        for name, value in members:
            tree = self._tree.get(name)
            if name == HEADERS and isinstance(tree, dict) and isinstance(value, Members):
                around += _keys(Members(pair for pair in value if pair[0] not in tree), None, (name,))
                own = Members(pair for pair in value if pair[0] in tree)
                kept += [(name, own)] if own else []
            elif name in (*self._tree, *self._request.each[:1]):
                kept.append((name, value))
            else:
                around += _keys(Members([(name, value)]), None)
        return kept

    def _moved(self, members: Members) -> Members:
        """Put members from their other places to where the layout has them."""
        for name, others in self._request.also.items():
            if name in dict(members):
                continue
            for other in others:
                head, _, rest = other.partition(".")
                found = member_at(members, head, rest)
                if found != "null":
                    members = Members([*without_member(members, head, rest), (name, found)])
                    break
        return members

    def _from_the_top(self, value: Value) -> Value:
        """Give a request that begins somewhere on the way to its events as if it began at the top."""
        each = self._request.each
        if not self._request.bare or not each:
            return value
        if isinstance(value, Elements):
            return value if each[-1] == ANY else _wrapped(value, each)
        if not isinstance(value, Members) or each[0] in dict(value):
            return value
        depth = next(
            (depth for depth, segment in enumerate(each) if segment != ANY and segment in dict(value)), 0
        )
        if not depth:
            return value
        beside = [pair for pair in value if pair[0] in self._tree]
        inside = Members(pair for pair in value if pair[0] not in self._tree)
        return Members([*beside, (each[0], _wrapped(inside, each[1:depth]))])

    # -- down to the events -------------------------------------------------------------------------------------

    def _descend(
        self, value: Value, way: Path, path: Path, tree: Tree, around: list[Key]
    ) -> Iterator[RequestPart]:
        if not way:
            yield from _events(value, path, around)
            return
        if not isinstance(value, Members):
            yield _obstacle(value, path, around)
            return
        segment, rest = way[0], way[1:]
        below = tree.get(segment, {})
        inner_tree = below if isinstance(below, dict) else {}
        here = (*path, segment)
        if segment == ANY:
            named = [Key(here, "text", len(here), doubled=False, around=True)] if here in self._names else []
            for _, inner in value:
                yield from self._descend(inner, rest, here, inner_tree, [*around, *named])
            if not value:
                yield RequestPart("", around, holds_event=False, is_empty=True)
            return
        around = [*around, *_keys(Members(pair for pair in value if pair[0] != segment), tree, path)]
        found = [inner for name, inner in value if name == segment]
        for earlier in found[:-1]:
            for part in self._descend(earlier, rest, here, inner_tree, []):
                yield part._replace(passed_over=True)
        if found:
            yield from self._descend(found[-1], rest, here, inner_tree, around)
        else:
            yield RequestPart("", around, holds_event=False)


class OpenLine:
    """A line's parts, handed out as its events come by; each part once."""

    def __init__(self, requests: list[list[RequestPart]]) -> None:
        self._requests = requests

    def event(self, number: int) -> RequestPart | None:
        """Take the next event of a request; None if there is none."""
        parts = self._requests[number] if number < len(self._requests) else []
        with_event = (at for at, part in enumerate(parts) if part.holds_event and not part.passed_over)
        index = next(with_event, None)
        return None if index is None else parts.pop(index)

    def rest(self, beginning: int, end: int | None = None) -> list[RequestPart]:
        """Take what is left of some requests."""
        chosen = self._requests[beginning:end]
        left = [part for parts in chosen for part in parts]
        for parts in chosen:
            parts.clear()
        return left


def _events(value: Value, path: Path, around: list[Key]) -> Iterator[RequestPart]:
    if path and path[-1] == ANY:
        yield RequestPart(value, around)
    elif not isinstance(value, Elements):
        yield _obstacle(value, path, around)
    else:
        for element in value:
            yield RequestPart(element, around)
        if not value:
            yield RequestPart("", around, holds_event=False, is_empty=True)


def _obstacle(value: Value, path: Path, around: list[Key]) -> RequestPart:
    """Give what stands where the way to the events should go on."""
    inside = _keys(value, None, path) if isinstance(value, Members) and value else []
    alone = [Key(path, kind_of(value), 0, doubled=False, around=True)] if path and not inside else []
    return RequestPart("", [*around, *inside, *alone], holds_event=False)


def _keys(members: Members, tree: Tree | Below | None, path: Path = ()) -> list[Key]:
    """Give the keys of what stands around events."""
    return [
        key._replace(around=True, known=key.known if tree is not None else 0)
        for key in keys_below(members, tree, path)
    ]


def _innermost(members: Members, names: set[str], around: list[Key]) -> Members:
    """Give the request that lies in the body of another one, and so on; gather the keys beside it."""
    for name, value in members:
        text = text_of(value) if name in names else None
        may_hold = name in names and (not text or text.strip().startswith("{") or "=" in text)
        inner = opened(value) if may_hold else None
        if isinstance(inner, Members) and not names.isdisjoint(dict(inner)):
            around += _keys(Members(pair for pair in members if pair[0] != name), None)
            return _innermost(inner, names, around)
    return members


def _wrapped(value: Value, segments: Iterable[str]) -> Value:
    for segment in reversed([*segments]):
        value = Members([(segment, value)])
    return value
