"""Members that no hub column holds, put back where the record had them: into the row, or into the request around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from translate.mapping.spec import Layout
from translate.notation import quoted
from translate.reader.literals import DECODER, Pairs, as_it_stood
from translate.reader.paths import segments_of
from translate.reader.tree import places_of

Way = tuple[str, ...]
Members = list[tuple[Way, str]]
ANY = "*"


class Extras:
    """Knows of one layout where a member belongs, by its path."""

    def __init__(self, layout: Layout) -> None:
        places = places_of(layout)
        request = layout.request
        self._heads = places.heads | (frozenset(request.each[:1]) if request else frozenset())
        around = {entry.path[0] for entry in request.fields} if request else set()
        self._around = around | (set(request.each[:1]) if request else set())
        self._own = frozenset(places.event)
        self._fixed = frozenset(entry.path for entry in layout.all_fields if entry.const is not None)

    def share_out(self, extra: dict[str, str]) -> tuple[Members, Members, Members]:
        """Give the members of the row, those of the request, and those beside the events in a member of its own."""
        row: Members = []
        around: Members = []
        beside: Members = []
        for path, text in extra.items():
            way = segments_of(path, self._heads)
            if way[0] in self._around or (self._around and way in self._own_members):
                (beside if ANY in way else around).append((way, text))
            else:
                row.append((way, text))
        return row, around, beside

    @property
    def _own_members(self) -> frozenset[Way]:
        """Name what the row has itself: a member of that name lay in the request."""
        return frozenset((name,) for name in self._own if (name,) not in self._fixed)

    def into_row(self, text: str, members: Members) -> str:
        """Put members into a row; one that stands there already is replaced, for only a constant can."""
        if all(len(way) == 1 and way[0] not in self._own for way, _ in members):
            return f"{text[:-1]},{','.join(f'{quoted(way[0])}:{value}' for way, value in members)}}}"
        row = DECODER.decode(text)
        for way, value in members:
            row = _with(row, way, DECODER.decode(value))
        return as_it_stood(row)


def listed(members: Members) -> str | None:
    """Write members as JSON text, for the packing."""
    return f"[{','.join(f'[{quoted(list(way))},{quoted(text)}]' for way, text in members)}]" if members else None


def _with(node: Any, way: Way, value: Any) -> Any:
    """Give an object with a member at the end of a way, which is made where it is missing."""
    if not way:
        return value
    members: Iterable[tuple[str, Any]] = node if isinstance(node, Pairs) else ()
    found = [name for name, _ in members]
    if way[0] not in found:
        return Pairs([*members, (way[0], _with(Pairs(), way[1:], value))])
    return Pairs((name, _with(inner, way[1:], value) if name == way[0] else inner) for name, inner in members)
