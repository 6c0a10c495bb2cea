"""What a layout writes around its events: templates, each made once for all that says something in the same places, and the bytes they give."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress, count
from typing import Any

from translate.mapping.settings import Settings
from translate.mapping.spec import Layout
from translate.reader.tree import ANY
from translate.vocabulary.notation import quoted
from translate.writer.shape import request_fields

Path = tuple[str, ...]
NOT_CONTROL = bytes(range(0x20, 0x100))


@dataclass(frozen=True)
class Slot:
    """Where one of the values goes, each JSON text: of a member, its name, or the contents of a list or an object."""

    number: int
    depth: int = 0  # in how many texts it stands, one inside of the other


EVENTS, NAME = Slot(0), Slot(1)  # the first values; of those that a member is made of alone, its name

Way = tuple[str | Slot, ...]
Tree = dict[str | Slot, Any]
Template = tuple[str | Slot, ...]

# Which fields have a value, and the ways to what else is there.
Places = tuple[tuple[bool, ...], tuple[Path, ...]]
# The places where something stands around events, and the JSON texts there.
Said = tuple[Places, tuple[bytes, ...]]


def said(values: tuple[bytes | None, ...], others: str | None) -> Said:
    """Give what fields say, and what else is there."""
    members = json.loads(others) if others else []
    places = tuple([value is not None for value in values]), tuple([tuple(way) for way, _ in members])
    texts = [value for value in values if value is not None]
    return places, (*texts, *(text.encode() for _, text in members))


def filled(template: Template, values: Sequence[bytes]) -> bytes:
    """Write the text with the values in their slots."""
    return b"".join(
        _inside_of_texts(values[part.number], part.depth) if isinstance(part, Slot) else part.encode()
        for part in template
    )


def _inside_of_texts(value: bytes, depth: int) -> bytes:
    """Write JSON as it stands inside of JSON texts; without control characters, of which it seldom has any, in a third of the time."""
    for _ in range(depth):
        if value.translate(None, NOT_CONTROL):
            value = quoted(value.decode())[1:-1].encode()
        else:
            value = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return value


class Templates:
    """Makes a layout's templates: they are filled with the events, and the texts in the order of their places.

    `head` are the fields of a request, `made` its stamps, `inside` what stands beside the events in a member that has a
    name of its own; `names` are the places of such names, the events' own among them.
    """

    def __init__(self, layout: Layout, settings: Settings) -> None:
        assert layout.request is not None
        self.request = layout.request
        self._each = each = layout.request.each
        self._closed = frozenset(map(_split, layout.request.closed))
        entries = request_fields(layout, settings)
        self.head = [entry for entry in entries if ANY not in entry.path and not entry.word.is_stamp]
        self.made = [entry for entry in entries if entry.word.is_stamp]
        self.inside = [entry for entry in entries if ANY in entry.path and entry.path[-1] != ANY]
        self.names = [".".join(each[:depth]) for depth, segment in enumerate(each, 1) if segment == ANY]
        self.has_own_names = each[-1:] == (ANY,)
        self.has_members = ANY in each[:-1]
        self.body = cache(self._body)
        self.whole = cache(self._whole)
        self.member = cache(self._member)

    def _body(self, places: Places) -> Template:
        """Give the body of a request, without its stamps and what makes a text of it."""
        return tuple(_parts(_at(self._tree(places), self._each[:1] or ("",)), frozenset()))

    def _whole(self, places: Places, stamped: tuple[bool, ...]) -> Template:
        """Give a request with the stamps that it has; their values come last."""
        tree = self._tree(places)
        fields, others = places
        for number, entry in enumerate(compress(self.made, stamped), 1 + sum(fields) + len(others)):
            _put(tree, entry.path, Slot(number))
        (first, inner), *rest = tree.items()
        is_list = not self._each or (self.request.listed and not rest and (first,) == self._each)
        return tuple(_parts(inner, self._closed, (first,)) if is_list else _parts(tree, self._closed))

    def _tree(self, places: Places) -> Tree:
        fields, others = places
        head = [entry.path for entry in compress(self.head, fields)]
        return _tree(head, [way for way in self._empty if ANY not in way], others, self._each, first=1)

    def _member(self, places: Places) -> Template:
        """Give a member that has a name of its own."""
        fields, others = places
        inside = [self._named(entry.path) for entry in compress(self.inside, fields)]
        empty = [self._named(way) for way in self._empty if ANY in way]
        said = [*inside, *map(self._named, others)]
        tree = _tree(said, empty, (), self._named(self._each), first=2)
        return tuple(_members(_at(tree, self._each[: self._each.index(ANY)]), frozenset()))

    @property
    def _empty(self) -> Iterator[Path]:
        return map(_split, self.request.empty)

    def _named(self, way: Path) -> Way:
        """Give a way through the member's name."""
        depth = self._each.index(ANY)
        return (*way[:depth], NAME, *way[depth + 1 :])


def _split(place: str) -> Path:
    return tuple(place.split("."))


def _tree(
    fields: Iterable[Way], empty: Iterable[Way], others: Iterable[Way], each: Way, *, first: int
) -> Tree:
    """Put slots at the ends of ways, and the events at that of theirs; a request that is a list itself has it under no name."""
    tree: Tree = {}
    numbers = count(first)
    for way in fields:
        _put(tree, way, Slot(next(numbers)))
    for way in empty:
        _at(tree, way)
    for way in others:
        _put(tree, way, Slot(next(numbers)))
    if ANY in each:
        _at(tree, each[: each.index(ANY)])[EVENTS] = None
    else:
        _put(tree, each or ("",), [EVENTS])
    return tree


def _put(tree: Tree, way: Way, value: Any) -> None:
    inner = _at(tree, way[:-1])
    if isinstance(inner, dict):
        inner[way[-1]] = value


def _at(tree: Tree, way: Way) -> Any:
    """Give what lies at the end of a way, making the objects on it; None where something else is on it."""
    inner: Any = tree
    for segment in way:
        if not isinstance(inner, dict):
            return None
        inner = inner.setdefault(segment, {})
    return inner


def _parts(node: Any, closed: frozenset[Way], way: Way = ()) -> Iterator[str | Slot]:
    """Give the parts of a value's text; what lies at the end of a closed way is written as a JSON text."""
    if way in closed:
        yield '"'
        for part in _parts(node, closed - {way}, way):
            yield quoted(part)[1:-1] if isinstance(part, str) else Slot(part.number, part.depth + 1)
        yield '"'
    elif isinstance(node, Slot):
        yield node
    elif isinstance(node, list):
        yield from ("[", *node, "]")
    else:
        yield "{"
        yield from _members(node, closed, way)
        yield "}"


def _members(tree: Tree, closed: frozenset[Way], way: Way = ()) -> Iterator[str | Slot]:
    """Give the parts of an object between its braces."""
    comma = ""
    for name, inner in tree.items():
        yield comma
        comma = ","
        yield name if isinstance(name, Slot) else quoted(name)
        if inner is not None:
            yield ":"
            yield from _parts(inner, closed, (*way, name))
