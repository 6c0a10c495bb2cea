"""A request under construction: objects, lists, and leaves of JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from translate.vocabulary.notation import quoted
from translate.vocabulary.words.stamps import text_of as text_inside

Path = tuple[str, ...]
ANY = "*"


@dataclass(frozen=True)
class Leaf:
    """JSON text at the end of a way through a request; an event's carries its number."""

    text: str
    event: int | None = None


def split(place: str) -> Path:
    """Split a place into its segments."""
    return tuple(place.split("."))


def members_of(extra: str) -> tuple[tuple[Path, str], ...]:
    """Give the paths and JSON texts of what a request holds beside all that is known, from JSON text of both."""
    return tuple((tuple(path), text) for path, text in json.loads(extra))


def resolved(path: Path, names: Sequence[str], each: Path) -> Path:
    """Put the names in the places of the stars on the way to the events; any other star is a member's name."""
    given = iter(names)
    return tuple(
        next(given) if segment == ANY and path[: depth + 1] == each[: depth + 1] else segment
        for depth, segment in enumerate(path)
    )


def bare_name(name: str) -> str:
    """Give the name that a JSON text stands for."""
    return name[1:-1] if "\\" not in name else text_inside(name)


def put(tree: dict[str, Any], path: Path, text: str) -> None:
    """Put a JSON text at the end of a way, making the objects on it."""
    inner = at(tree, path[:-1], make=True)
    if isinstance(inner, dict):
        inner[path[-1]] = Leaf(text)


def at(tree: dict[str, Any], path: Path, *, make: bool = False) -> Any:
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


def container(tree: dict[str, Any], way: Path, *, named: bool) -> Any:
    """Give the object or list that the events lie in; a request that is a list itself has it under no name."""
    path = way or ("",)
    if named:
        return at(tree, path[:-1], make=True)
    return at(tree, path[:-1], make=True).setdefault(path[-1], [])


def close_text(tree: dict[str, Any], path: Path) -> None:
    """Write what lies at the end of a way as a JSON text."""
    outer = at(tree, path[:-1])
    if isinstance(outer, dict) and path[-1] in outer:
        outer[path[-1]] = Leaf(quoted(text_of(outer[path[-1]])))


def text_of(node: Any) -> str:
    """Write what was put together as JSON."""
    if isinstance(node, Leaf):
        return node.text
    if isinstance(node, list):
        return "[" + ",".join(map(text_of, node)) + "]"
    return "{" + ",".join(f"{quoted(name)}:{text_of(inner)}" for name, inner in node.items()) + "}"


def events_of(node: Any) -> Iterator[int]:
    """Give the numbers of the events, in the order in which a reader meets them."""
    if isinstance(node, Leaf):
        if node.event is not None:
            yield node.event
        return
    for inner in node if isinstance(node, list) else node.values():
        yield from events_of(inner)
