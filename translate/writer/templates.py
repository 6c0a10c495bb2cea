"""What a layout writes around its events: templates, each made once for all that says something in the same places."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from itertools import compress

from translate.mapping.spec import Layout
from translate.settings import Settings
from translate.writer import assembly
from translate.writer.assembly import ANY, Path, Slot, Template, Tree, Way
from translate.writer.shape import request_fields

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
        if layout.request is None:
            raise AssertionError
        self._request = layout.request
        self._each = each = layout.request.each
        self._empty = [assembly.split(place) for place in layout.request.empty]
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
        return Template.of(assembly.at(self._tree(places), self._each[:1] or ("",)))

    def _whole(self, places: Places, stamped: tuple[bool, ...]) -> Template:
        """Give a request with the stamps that it has; their values come last."""
        tree = self._tree(places)
        fields, others = places
        made = [entry.path for entry in compress(self.made, stamped)]
        _put(tree, made, first=1 + sum(fields) + len(others))
        for place in self._request.closed:
            assembly.close(tree, assembly.split(place))
        is_list = not self._each or (self._request.listed and [*tree] == [*self._each])
        return Template.of(next(iter(tree.values())) if is_list else tree)

    def _tree(self, places: Places) -> Tree:
        tree: Tree = {}
        fields, others = places
        _put(tree, [entry.path for entry in compress(self.head, fields)], first=1)
        for way in self._empty:
            if ANY not in way:
                assembly.at(tree, way, make=True)
        _put(tree, others, first=1 + sum(fields))
        way = self._each[: self._each.index(ANY)] if self.names else self._each
        assembly.fill(tree, way, EVENTS, named=bool(self.names))
        return tree

    def _member(self, places: Places) -> Template:
        """Give a member that has a name of its own."""
        tree: Tree = {}
        fields, others = places
        inside = [entry.path for entry in compress(self.inside, fields)]
        _put(tree, [self._within(way) for way in (*inside, *others)], first=2)
        for way in self._empty:
            if ANY in way:
                assembly.at(tree, self._within(way), make=True)
        way = self._each[:-1] if self.has_own_names else self._each
        assembly.fill(tree, self._within(way), EVENTS, named=self.has_own_names)
        return Template.of_members(assembly.at(tree, self._each[: self._each.index(ANY)]))

    def _within(self, way: Path) -> Way:
        """Give a way through the member's name."""
        depth = self._each.index(ANY)
        return (*way[:depth], NAME, *way[depth + 1 :])


def _put(tree: Tree, ways: Iterable[Way], *, first: int) -> None:
    for number, way in enumerate(ways, first):
        assembly.put(tree, way, Slot(number))
