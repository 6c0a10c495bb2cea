"""A request under construction: objects, lists, and slots for the values in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Self

from translate.vocabulary.notation import quoted

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
