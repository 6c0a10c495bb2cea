"""Hub columns as packed requests hold them: one value for each event, in their order."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from typing import Any

from translate.delivery.shipments import ANY, PackedRequest, Place, Way
from translate.mapping.spec import Field, Layout

MILLISECONDS = 1000


class Column:
    """Where a layout has a hub column, read fast: what lies around several events is looked up once."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._path = path = place.field.path
        self._ends_in_name = place.around and path[-1] == ANY
        stars = [index for index, segment in enumerate(path) if segment == ANY]
        self._shared = stars[-1] + 1 if stars else 0  # so much of an event's way settles what lies around it

    def values(self, request: PackedRequest, events: Sequence[Any]) -> list[Any]:
        """Give the column's value for each event, None where there is none."""
        if not self._place.around:
            return self._in(events)
        if self._ends_in_name:
            return [way[self._shared - 1] for way in request.ways]
        if not self._shared:
            return [self._place.value(request.tree, (), None)] * len(events)
        known: dict[Way, Any] = {}
        for way in request.ways:
            if way[: self._shared] not in known:
                known[way[: self._shared]] = self._place.value(request.tree, way, None)
        return [known[way[: self._shared]] for way in request.ways]

    def _in(self, events: Sequence[Any]) -> list[Any]:
        name, *rest = self._path
        found = [event.get(name) if isinstance(event, dict) else None for event in events]
        for segment in rest:
            found = [_member(value, segment) for value in found]
        return found


def find_column(layout: Layout, hub: str) -> Column | None:
    """Find a hub column in a layout's packed requests."""
    found = entry_of(layout, hub)
    return None if found is None else Column(Place(*found))


def entry_of(layout: Layout, hub: str) -> tuple[Field, bool] | None:
    """Find the place of a hub column, and if it lies around the events; of several the one that holds it alone goes first."""
    entries = [(entry, True) for entry in (layout.request.fields if layout.request else ())]
    entries += [(entry, False) for entry in layout.fields]
    found = [(entry, around) for entry, around in entries if hub in entry.hub]
    return min(found, key=lambda place: (place[0].hub.index(hub), len(place[0].hub)), default=None)


def asked_columns(layout: Layout, setting: str) -> list[Column]:
    """Find all places that are written only where a setting asks for them."""
    entries = [(True, entry) for entry in (layout.request.fields if layout.request else ())]
    entries += [(False, entry) for entry in layout.fields]
    return [Column(Place(entry, around)) for around, entry in entries if entry.asked == setting]


def clock_of(layout: Layout) -> Callable[[Any], int | None]:
    """Give what turns the layout's spelling of an event's time into milliseconds since 1970, None if it is no time."""
    entry = next(entry for entry in layout.fields if entry.hub == ("time",))
    spelt = CLOCKS[entry.codec]

    def clock(value: Any) -> int | None:
        try:
            return spelt(value)
        except (TypeError, ValueError, OverflowError):
            return None

    return clock


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):  # entities
        return next(
            (each.get("value") for each in value if isinstance(each, dict) and each.get("key") == name), None
        )
    return None


def _from_iso8601(text: str) -> int:
    time = dt.datetime.fromisoformat(text)
    time = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    return (time - EPOCH) // dt.timedelta(milliseconds=1)


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
CLOCKS: dict[str, Callable[[Any], int]] = {
    "epoch_ms": int,
    "epoch_ms_text": int,
    "epoch_s": lambda seconds: int(seconds) * MILLISECONDS,
    "epoch_s_exact": lambda seconds: math.floor(round(float(seconds) * 1_000_000) / MILLISECONDS),
    "iso8601": _from_iso8601,
}
