"""Members that no hub column holds, put back where the record had them: into the row, or into the request around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from translate.mapping.spec import Layout
from translate.reader.literals import DECODER, Pairs, as_it_stood
from translate.reader.paths import AROUND, lies_around, segments_of
from translate.reader.tree import places_of
from translate.settings import Settings
from translate.vocabulary.notation import quoted

Way = tuple[str, ...]
Members = list[tuple[Way, str]]
ANY = "*"


def same_events(one: Layout, other: Layout) -> bool:
    """Tell whether two layouts hold the same events, whatever they put around them."""
    return one.model == other.model and one.records == other.records and one.fields == other.fields


def withheld_members(layout: Layout, settings: Settings, *, keeps_around: bool) -> dict[str, tuple[str, str]]:
    """Give the beginnings of the paths of members that do not go back, with the kind of the loss and the reason."""
    request = layout.request
    if request is None or not request.each or not keeps_around:
        return {AROUND: ("not_mapped", f"{layout.address} has no place for it around its events")}
    withheld = {f"{AROUND}{'.'.join(request.each)}.": ("not_mapped", "the events lie there")}
    for place in request.empty:
        asked = {entry.asked for entry in request.fields if entry.place.startswith(f"{place}.")}
        if asked and not any(name is None or getattr(settings, name) for name in asked):
            named = ", ".join(f"--set {name}=true" for name in sorted(filter(None, asked)))
            withheld[f"{AROUND}{place}."] = ("cannot", f"{place} stays empty unless {named}")
    return withheld


class Extras:
    """Knows of one layout where a member belongs, by its path."""

    def __init__(self, layout: Layout, settings: Settings, *, keeps_around: bool) -> None:
        places = places_of(layout)
        self._heads, self._heads_around = places.heads, places.heads_around
        each = places.each
        self._named = each[: each.index(ANY) + 1] if ANY in each else ()
        self._withheld = tuple(withheld_members(layout, settings, keeps_around=keeps_around))
        self._own = frozenset(places.event)

    def share_out(self, extra: dict[str, str]) -> tuple[Members, Members, Members]:
        """Give the members of the row, those of the request, and those beside the events in a member of its own."""
        row: Members = []
        around: Members = []
        beside: Members = []
        for path, text in extra.items():
            if not lies_around(path):
                row.append((segments_of(path, self._heads), text))
            elif not path.startswith(self._withheld):
                way = segments_of(path, self._heads_around)
                (beside if self._named and way[: len(self._named)] == self._named else around).append(
                    (way, text)
                )
        return row, around, beside

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
    return (
        f"[{','.join(f'[{quoted(list(way))},{quoted(text)}]' for way, text in members)}]" if members else None
    )


def _with(node: Any, way: Way, value: Any) -> Any:
    """Give an object with a member at the end of a way, which is made where it is missing."""
    if not way:
        return value
    members: Iterable[tuple[str, Any]] = node if isinstance(node, Pairs) else ()
    found = [name for name, _ in members]
    if way[0] not in found:
        return Pairs([*members, (way[0], _with(Pairs(), way[1:], value))])
    return Pairs((name, _with(inner, way[1:], value) if name == way[0] else inner) for name, inner in members)
