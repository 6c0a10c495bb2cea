"""What a layout writes around its events: templates, each made once for all that says something in the same places, and the bytes they give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress
from operator import itemgetter
from typing import Any, Self

from translate.mapping.spec import Layout
from translate.settings import Settings
from translate.vocabulary.notation import quoted
from translate.writer.shape import request_fields

Path = tuple[str, ...]
ANY = "*"
NOT_CONTROL = bytes(range(0x20, 0x100))


@dataclass(frozen=True)
class Slot:
    """Where one of the values goes, each JSON text: of a member, its name, or the contents of a list or an object."""

    number: int
    depth: int = 0  # in how many texts it stands, one inside of the other


@dataclass(frozen=True)
class Closed:
    """What is written as a JSON text."""

    inner: Any


Way = tuple[str | Slot, ...]
Tree = dict[str | Slot, Any]


def split(place: str) -> Path:
    """Split a place into its segments."""
    return tuple(place.split("."))


def put(tree: Tree, path: Way, value: Slot) -> None:
    """Put a value at the end of a way, making the objects on it."""
    inner = at(tree, path[:-1], make=True)
    if isinstance(inner, dict):
        inner[path[-1]] = value


def at(tree: Tree, path: Way, *, make: bool = False) -> Any:
    """Give what lies at the end of a way; None if nothing does, unless objects are to be made there."""
    inner: Any = tree
    for segment in path:
        if not isinstance(inner, dict):
            return None
        if make:
            inner = inner.setdefault(segment, {})
        elif segment in inner:
            inner = inner[segment]
        else:
            return None
    return inner


def fill(tree: Tree, way: Way, contents: Slot, *, named: bool) -> None:
    """Put the events into the object or list at the end of a way; a request that is a list itself has it under no name."""
    path = way or ("",)
    if named:
        at(tree, path, make=True)[contents] = None
    else:
        at(tree, path[:-1], make=True)[path[-1]] = [contents]


def close(tree: Tree, path: Path) -> None:
    """Write what lies at the end of a way as a JSON text."""
    outer = at(tree, path[:-1])
    if isinstance(outer, dict) and path[-1] in outer:
        outer[path[-1]] = Closed(outer[path[-1]])


class Template:
    """The text of a tree, to be filled with values."""

    def __init__(self, parts: Iterable[str | Slot]) -> None:
        self.parts = parts = [*parts]
        form = ("%b" if isinstance(part, Slot) else part.replace("%", "%%") for part in parts)
        self._form = "".join(form).encode()
        self.literals_size = len("".join(part for part in parts if isinstance(part, str)).encode())
        self.slots = [part for part in parts if isinstance(part, Slot)]
        self._closed = {slot.number: slot.depth for slot in self.slots if slot.depth}
        self._in_order: Callable[[list[bytes]], Any] = itemgetter(*(slot.number for slot in self.slots))

    @classmethod
    def of(cls, node: Any) -> Self:
        """Make a template of a whole value."""
        return cls(_parts(node))

    @classmethod
    def of_members(cls, tree: Tree) -> Self:
        """Make a template of an object's members, without its braces."""
        return cls(_members(tree))

    def filled(self, values: list[bytes]) -> bytes:
        """Write the text with the values in their slots."""
        if self._closed:
            values = values.copy()
            for number, depth in self._closed.items():
                values[number] = _inside_of_texts(values[number], depth)
        text: bytes = self._form % self._in_order(values)
        return text

    def size(self, values: Sequence[bytes]) -> int:
        """Tell how many bytes it has with such values, none of them inside of a text."""
        return self.literals_size + sum(len(values[slot.number]) for slot in self.slots)


def _parts(node: Any) -> Iterator[str | Slot]:
    if isinstance(node, Slot):
        yield node
    elif isinstance(node, Closed):
        yield '"'
        for part in _parts(node.inner):
            yield quoted(part)[1:-1] if isinstance(part, str) else Slot(part.number, part.depth + 1)
        yield '"'
    elif isinstance(node, list):
        yield "["
        for inner in node:
            yield from _parts(inner)
        yield "]"
    else:
        yield "{"
        yield from _members(node)
        yield "}"


def _members(tree: Tree) -> Iterator[str | Slot]:
    """Give the parts of an object between its braces."""
    comma = ""
    for name, inner in tree.items():
        yield comma
        comma = ","
        yield name if isinstance(name, Slot) else quoted(name)
        if inner is not None:
            yield ":"
            yield from _parts(inner)


def _inside_of_texts(value: bytes, depth: int) -> bytes:
    """Write JSON as it stands inside of JSON texts; it has no control characters, unless somebody gave it so."""
    if value.translate(None, NOT_CONTROL):
        value = json.dumps(value.decode(), ensure_ascii=False)[1:-1].encode()
        depth -= 1
    for _ in range(depth):
        value = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return value


EVENTS, NAME = Slot(0), Slot(1)  # the first values; of those that a member is made of alone, its name

# Which fields have a value, and the ways to what else is there.
Places = tuple[tuple[bool, ...], tuple[Path, ...]]
# The places where something stands around events, and the JSON texts there.
Said = tuple[Places, tuple[bytes, ...]]

NOTHING: Said = (((), ()), ())


def said(values: tuple[bytes | None, ...], others: str | None) -> Said:
    """Give what fields say, and what else is there."""
    fields = _there(tuple([value is not None for value in values]))
    texts = tuple([value for value in values if value is not None])
    if others is None:
        return fields, texts
    members = [(tuple(way), text) for way, text in json.loads(others)]
    places = fields[0], tuple(way for way, _ in members)
    return places, (*texts, *(text.encode() for _, text in members))


@cache
def _there(fields: tuple[bool, ...]) -> Places:
    """Give places of fields alone: the same ones for all that say something there, of whom there may be as many as events."""
    return fields, ()


class Templates:
    """Makes a layout's templates: they are filled with the events, and the texts in the order of their places.

    `head` are the fields of a request, `made` its stamps, `inside` what stands beside the events in a member that has a
    name of its own; `names` are the places of such names, the events' own among them.
    """

    def __init__(self, layout: Layout, settings: Settings) -> None:
        assert layout.request is not None
        self._request = layout.request
        self._each = each = layout.request.each
        self._empty = [split(place) for place in layout.request.empty]
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
        self._member_size = cache(self._size_of_nameless)
        self._empty_size = self.body(NOTHING[0]).size([b""])
        self._has_head_in_body = any(entry.path[:1] == each[:1] for entry in self.head)

    def size_of_body(self, said: Said) -> int:
        """Tell how many bytes a body has in which nothing but this is said."""
        (_, others), texts = said
        if not others and not self._has_head_in_body:
            return self._empty_size
        return self.body(said[0]).size([b"", *texts])

    def size_of_member(self, name: str, said: Said) -> int:
        """Tell how many bytes a member of this name has in which nothing but this is said, with its comma."""
        return self._member_size(said) + len(name.encode()) if self.has_members else 0

    def _size_of_nameless(self, said: Said) -> int:
        places, texts = said
        return self.member(places).size([b"", b"", *texts]) + 1

    def _body(self, places: Places) -> Template:
        """Give the body of a request, without its stamps."""
        return Template.of(at(self._tree(places), self._each[:1] or ("",)))

    def _whole(self, places: Places, stamped: tuple[bool, ...]) -> Template:
        """Give a request with the stamps that it has; their values come last."""
        tree = self._tree(places)
        fields, others = places
        made = [entry.path for entry in compress(self.made, stamped)]
        _put(tree, made, first=1 + sum(fields) + len(others))
        for place in self._request.closed:
            close(tree, split(place))
        is_list = not self._each or (self._request.listed and [*tree] == [*self._each])
        return Template.of(next(iter(tree.values())) if is_list else tree)

    def _tree(self, places: Places) -> Tree:
        tree: Tree = {}
        fields, others = places
        _put(tree, [entry.path for entry in compress(self.head, fields)], first=1)
        for way in self._empty:
            if ANY not in way:
                at(tree, way, make=True)
        _put(tree, others, first=1 + sum(fields))
        way = self._each[: self._each.index(ANY)] if self.names else self._each
        fill(tree, way, EVENTS, named=bool(self.names))
        return tree

    def _member(self, places: Places) -> Template:
        """Give a member that has a name of its own."""
        tree: Tree = {}
        fields, others = places
        inside = [entry.path for entry in compress(self.inside, fields)]
        _put(tree, [self._within(way) for way in (*inside, *others)], first=2)
        for way in self._empty:
            if ANY in way:
                at(tree, self._within(way), make=True)
        way = self._each[:-1] if self.has_own_names else self._each
        fill(tree, self._within(way), EVENTS, named=self.has_own_names)
        return Template.of_members(at(tree, self._each[: self._each.index(ANY)]))

    def _within(self, way: Path) -> Way:
        """Give a way through the member's name."""
        depth = self._each.index(ANY)
        return (*way[:depth], NAME, *way[depth + 1 :])


def _put(tree: Tree, ways: Iterable[Way], *, first: int) -> None:
    for number, way in enumerate(ways, first):
        put(tree, way, Slot(number))
