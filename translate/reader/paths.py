"""Paths of members inside a record, as `extra` names them."""

from __future__ import annotations

import re


def path_of(segments: tuple[str, ...], known_heads: frozenset[str] = frozenset()) -> str:
    r"""Write a member's path; dots inside of its segments are escaped where they could be taken for others.

    >>> path_of(("client", "a.b")), path_of(("a.b",)), path_of(("client.x",), frozenset({"client"}))
    ('client.a\\.b', 'a.b', 'client\\.x')
    """
    if len(segments) > 1 or segments[0].partition(".")[0] in known_heads:
        return ".".join(segment.replace("\\", "\\\\").replace(".", "\\.") for segment in segments)
    return segments[0]


def segments_of(path: str, known_heads: frozenset[str]) -> tuple[str, ...]:
    """Give a path's segments; one whose head is no known object is a single one."""
    if "." not in path or re.split(r"(?<!\\)\.|\\", path, maxsplit=1)[0] not in known_heads:
        return (path,)
    parts = re.findall(r"(?:\\.|[^\\.])+|(?<=\.)(?=\.|$)|^(?=\.)", path)
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in parts)
