"""The two sides of a pair: which fields a layout has, which hub columns each gives and takes, and what stands in a record's own."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from translate import events, mapping
from translate.archive.parquet import HUB
from translate.errors import UsageError
from translate.mapping.spec import Field, Layout, Mapping
from translate.reader.tree import slots
from translate.vocabulary.notes import InSource, read_all
from translate.vocabulary.word import Word

# Real money, a game's own, and an empty list: what codecs of several columns tell texts apart by.
SAMPLES: dict[pl.DataType, list[Any]] = {
    events.TEXT: ["USD", "Virtual", "[]"],
    events.WHOLE: [5],
    events.NUMBER: [2.0],
    events.TIME: [events.EPOCH],
}

Part = Literal["event", "request"]

# The hub on either side has all its columns, each as it is.
HUB_LAYOUT = replace(
    HUB.default_layout(), fields=tuple(Field(name, (name,), codec="hub") for name in events.COLUMNS)
)


@functools.cache
def gives_value(word: Word, hub: tuple[str, ...], columns: frozenset[str], needed: str | None = None) -> bool:
    """Tell whether events that have only these columns, and the needed one for sure, can have a value."""
    if not columns:
        return False
    if word.write is None or len(hub) == 1 or any(events.SCHEMA[name] not in SAMPLES for name in hub):
        return needed is not None  # what is carried as it is
    rows = list(itertools.product(*(_choices(name, columns, needed) for name in hub)))
    frame = pl.DataFrame(rows, schema={name: events.SCHEMA[name] for name in hub}, orient="row")
    value = word.write([pl.col(name) for name in hub])
    return bool(frame.select(value.is_not_null().any()).item())


def _choices(name: str, columns: frozenset[str], needed: str | None) -> list[Any]:
    if name not in columns:
        return [None]
    samples = [*events.PHASES] if name == "name" else SAMPLES[events.SCHEMA[name]]  # a name may imply a phase
    return samples if name == needed else [None, *samples]


def find(address: str, mappings: Path | None, *, to_read: bool) -> tuple[Mapping, Layout]:
    """Find a layout that can be read, or written; raise UsageError that names those that can be."""
    if address in (HUB.model, HUB_LAYOUT.address):
        return HUB, HUB_LAYOUT
    if address.startswith(f"{HUB.model}/"):
        raise UsageError(
            f'{HUB.model} has no layout "{address.partition("/")[2]}" (layouts: {HUB_LAYOUT.name})'
        )
    model, layout = mapping.find_layout(address, mappings)
    able = [name for name, other in model.layouts.items() if (other.read if to_read else other.write)]
    if layout.name not in able:
        done, kind = ("read", "readable") if to_read else ("written", "writable")
        known = ", ".join(able) or "none"
        raise UsageError(f"{layout.address} cannot be {done} ({kind} layouts of {model.model}: {known})")
    return model, layout


@dataclass(frozen=True)
class FieldPlace:
    """One field of a layout, in the event or in the request around it."""

    part: Part
    entry: Field
    shown: str

    @property
    def gives(self) -> tuple[str, ...]:
        """Name the hub columns that are read from here."""
        return self.entry.word.gives(self.entry.hub)

    @property
    def carries(self) -> tuple[str, ...]:
        """Name the hub columns whose value arrives here."""
        return self.entry.carries if self.is_written else ()

    @property
    def looks_at(self) -> tuple[str, ...]:
        """Name the hub columns that have a say in the value without arriving in it."""
        if not self.is_written or self.entry.word.is_stamp:
            return ()
        return tuple(column for column in self.entry.hub if column not in self.carries)

    @property
    def is_written(self) -> bool:
        """Tell whether the place is written at all; some containers are for reading only."""
        return not self.entry.word.readable_only

    def fed_by(self, columns: frozenset[str]) -> tuple[str, ...]:
        """Name those of the hub columns of which a value can come here: its own, and those that it can be made of."""
        given = columns & frozenset(self.entry.hub)
        own = frozenset(self.carries) & given
        fed = {column for column in own if gives_value(self.entry.word, self.entry.hub, given, column)}
        helpers, word, hub = given - own, self.entry.word, self.entry.hub
        if gives_value(word, hub, helpers):
            fed |= {each for each in helpers if not gives_value(word, hub, helpers - {each})} or helpers
        return tuple(column for column in hub if column in fed)


def places(layout: Layout) -> list[FieldPlace]:
    """Give all fields of a layout in the mapping's order, the event's before the request's."""
    own = {entry.place: " of the request" for entry in layout.fields}
    around = layout.request.fields if layout.request else ()
    return [
        *(FieldPlace("event", entry, entry.place) for entry in (*layout.fields, *layout.own)),
        *(FieldPlace("request", entry, f"{entry.place}{own.get(entry.place, '')}") for entry in around),
    ]


@dataclass(frozen=True)
class HubOrigin:
    """Where a target field's value comes from: a place of the source, or the expression of a rule.

    `column` is the hub column in between, `when` the well-known events that have it, `condition` the rule's, and
    `looks_at` the hub columns in the rule's expression.
    """

    place: str
    column: str
    also: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    rule: str | None = None
    condition: str | None = None
    looks_at: tuple[str, ...] = ()
    about: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """Say the place in a table's cell."""
        text = ", else ".join([self.place, *self.also])
        clauses = [f"only for {', '.join(self.when)}"] if self.when else []
        if self.rule:
            clauses.append(f"{self.rule}, when {self.condition}" if self.condition else self.rule)
        return f"{text} ({'; '.join(clauses)})" if clauses else text

    def to_json(self) -> dict[str, object]:
        """Give the origin as JSON values, without what it does not have."""
        members = {"place": self.place, "column": self.column, "also": list(self.also), "when": list(self.when),
                   "rule": self.rule, "condition": self.condition, "looks_at": list(self.looks_at)}  # fmt: skip
        return {name: value for name, value in members.items() if value}


# -- what stands in a record's places ------------------------------------------------------------------------------

NO_PLACE = "no place in the source"  # how the reason begins where a model knows nothing of the kind
EMPTY = "{}"

Record = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """A place of the source, and the value as it stands there; null where it is absent."""

    place: str
    raw: str | None

    def to_json(self) -> dict[str, Any]:
        """Give the place as JSON values."""
        return {"place": self.place, "raw": self.raw}


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

    def given(self, column: str, raw: Record, before: Record) -> Iterator[tuple[FieldPlace, str | None]]:
        """Give each of a column's places with the text that stands there, which is null where there is none."""
        for place in self.of(column):
            yield place, self._text(place, column, raw, before)

    def _text(self, place: FieldPlace, column: str, raw: Record, before: Record) -> str | None:
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

    def first(self, column: str, raw: Record, before: Record) -> Given | None:
        """Give the first place of a column that holds something."""
        found = ((place, text) for place, text in self.given(column, raw, before) if text is not None)
        return next((Given(_names(place), text) for place, text in found), None)

    def absent(self, column: str, event: str, raw: Record, before: Record) -> str:
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
