"""Paths of members inside a record, as `extra` names them."""

from __future__ import annotations

import re
from functools import lru_cache

AROUND = "^"  # before what lies around the events: a place of the request, not of the event
TOLD_APART = re.compile(r"\\*\^")


def path_of(segments: tuple[str, ...], known_heads: frozenset[str] = frozenset()) -> str:
    r"""Write a member's path; dots inside of its segments are escaped where they could be taken for others.

    So is what an event's own path begins with where that could be taken for the mark of what lies around the events.

    >>> path_of(("client", "a.b")), path_of(("a.b",)), path_of(("client.x",), frozenset({"client"})), path_of(("^x", "y"))
    ('client.a\\.b', 'a.b', 'client\\.x', '\\^x.y')
    """
    path = segments[0]
    if len(segments) > 1 or path.partition(".")[0] in known_heads:
        path = ".".join(segment.replace("\\", "\\\\").replace(".", "\\.") for segment in segments)
    return f"\\{path}" if TOLD_APART.match(segments[0]) else path


def path_around(segments: tuple[str, ...], known_heads: frozenset[str] = frozenset()) -> str:
    """Write the path of a member that lies around the events: marked, from the top of the request."""
    return AROUND + path_of(segments, known_heads)


def lies_around(path: str) -> bool:
    """Tell whether a path leads to what lies around the events."""
    return path.startswith(AROUND)


def shown(path: str) -> str:
    r"""Give a path as reports show it, without the mark.

    >>> shown("^query.foo"), shown(r"\^x"), shown("a.b")
    ('query.foo', '^x', 'a.b')
    """
    path = path.removeprefix(AROUND)
    return path[1:] if TOLD_APART.match(path) else path


def segments_of(path: str, known_heads: frozenset[str]) -> tuple[str, ...]:
    """Give the segments of a path without its mark; one whose head is no known object is a single one."""
    return (_known if len(path) <= KEPT_LENGTH else _segments_of)(path, known_heads)


def _segments_of(path: str, known_heads: frozenset[str]) -> tuple[str, ...]:
    if lies_around(path):
        return _segments_of(path[1:], known_heads)
    if "." not in path or re.split(r"(?<!\\)\.|\\", path, maxsplit=1)[0] not in known_heads:
        return (path[1:] if TOLD_APART.match(path) else path,)
    parts = re.findall(r"(?:^|\.)((?:\\.|[^\\.])*)", path)
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in parts)


# The same few paths stand in all records of an archive; what is long may be anything.
KEPT_LENGTH = 200
_known = lru_cache(maxsize=8_192)(_segments_of)
