"""Where a hub column's value lies in the source's record, and what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translate import events
from translate.mapping.spec import Layout
from translate.reader.tree import slots
from translate.telling.explanation.sides import HUB_LAYOUT, FieldPlace, places
from translate.telling.tracing.result import NO_PLACE, Given
from translate.vocabulary.notes import InSource, read_all

Row = dict[str, Any]
EMPTY = "{}"


class SourcePlaces:
    """The places of one source layout."""

    def __init__(self, layout: Layout) -> None:
        self.is_hub = layout.model == HUB_LAYOUT.model
        self._places = places(HUB_LAYOUT if self.is_hub else layout)
        self._slots = {} if self.is_hub else {id(entry): slot for slot, entry in slots(layout)}
        self._homes = {entry.place: entry for entry in layout.fields if entry.word.is_container}

    def of(self, column: str) -> list[FieldPlace]:
        """Give the places that a hub column is read from."""
        return [
            place
            for place in self._places
            if column in place.gives or (place.entry.word.is_stamp and column in place.entry.hub)
        ]

    def given(self, column: str, raw: Row, before: Row) -> Iterator[tuple[FieldPlace, str | None]]:
        """Give each of a column's places with the text that stands there, which is null where there is none."""
        for place in self.of(column):
            yield place, self._text(place, column, raw, before)

    def _text(self, place: FieldPlace, column: str, raw: Row, before: Row) -> str | None:
        entry = place.entry
        if self.is_hub:
            return shown(before.get(column))
        if entry.word.holds_names and column in events.MAPS:
            return shown(raw.get(column))
        slot = self._slots.get(id(entry))
        if slot is not None:
            return shown(raw.get(f"${slot}"))
        home = self._homes.get(entry.path[0])
        if home is None:
            return None
        kinds = [kind for kind in home.hub if kind in events.MAPS]
        found = [(raw.get(kind) or {}).get(entry.key) for kind in kinds]
        return next((shown(text) for text in found if text is not None), None)

    def first(self, column: str, raw: Row, before: Row) -> Given | None:
        """Give the first place of a column that holds something."""
        found = ((place, text) for place, text in self.given(column, raw, before) if text is not None)
        return next((Given(_names(place), text) for place, text in found), None)

    def absent(self, column: str, event: str, raw: Row, before: Row) -> str:
        """Say why an event has no value in a hub column, where no rule has a say in it: the first condition that failed."""
        candidates = list(self.given(column, raw, before))
        if not candidates:
            return f"{NO_PLACE} gives {column}"
        noted = [
            (noted.spot.shown, noted.why)
            for noted in read_all(before.get("notes"))
            if isinstance(noted.spot, InSource)
        ]
        return "; ".join(dict.fromkeys(_why_absent(place, text, event, noted) for place, text in candidates))


def _why_absent(place: FieldPlace, text: str | None, event: str, noted: list[tuple[str, str]]) -> str:
    """Say why what stands in a place, if anything, is not in the column that it is read into."""
    if place.entry.when and event not in place.entry.when:
        return f"{place.shown} is read only for {', '.join(place.entry.when)}, and this is {event}"
    if text is None:
        told = (why for spot, why in noted if spot in (place.entry.place, *place.entry.also))
        why = next(told, None)
        return f"{place.shown}: {why}" if why else f"absent in the source: {_names(place)}"
    if text == EMPTY:
        return f"{place.shown} is empty in the source"
    if place.entry.word.is_container:
        return f"all that {place.shown} holds has fields of its own"
    kind = place.entry.word.about or "what it should be"
    return f"{place.shown} holds {text}: other fields say that already, or it cannot be read as {kind}"


def _names(place: FieldPlace) -> str:
    return ", else ".join([place.shown, *place.entry.also])


def shown(value: Any) -> str | None:
    """Write a value as text: texts as they are, times as ISO 8601, maps as their members."""
    if value is None:
        return None
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {text}" for key, text in value.items()) + "}"
    return value.isoformat(timespec="milliseconds") if hasattr(value, "isoformat") else str(value)
