"""What a target's row is made of, for events from a given source: columns, containers, the presets inside them, and what no hub column holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from translate.mapping.columns import Column
from translate.mapping.paths import AROUND, lies_around, segments_of, shown
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout, Mapping, Schema
from translate.reader.tree import ANY, places_of
from translate.vocabulary import notation
from translate.vocabulary.notation import quoted
from translate.vocabulary.notes import InSource, Spot

SCANNER = json.JSONDecoder(parse_int=str, parse_float=str)  # what it reads is not looked at
AVRO_TYPES = {"text": "string", "whole": "long", "number": "float"}


@dataclass(frozen=True)
class Source:
    """What the writer has to know of where the events come from: which columns can hold something, and their places."""

    provided: frozenset[str]
    places: dict[str, str]
    set_by_recipe: frozenset[str] = frozenset()
    # Only its own layout, or one of the same events, has places for what no hub column holds.
    keeps_extra: bool = False
    keeps_around: bool = True  # and for what lay around the events only its own
    # Columns whose values the source makes lists of, also where there is one.
    lists: frozenset[str] = frozenset()

    def place(self, column: str) -> str:
        """Name a hub column as the source spells it."""
        return self.places.get(column, column)

    def shown(self, spot: Spot) -> str:
        """Name a place as reports show it: as the source spells it."""
        if isinstance(spot, InSource):
            return spot.shown
        if spot.column == "extra" and spot.key is not None:
            return shown(spot.key)
        place = self.place(spot.column)
        if spot.key is None:
            return place
        return f"{place.removesuffix(ANY)}{spot.key}" if place.endswith(ANY) else f"{place}.{spot.key}"


class Shape:
    """The fields of one layout that events from a source can fill."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings, source: Source) -> None:
        self.mapping = mapping
        self.layout = layout
        self.settings = settings
        self.source = replace(source, provided=source.provided | {"app.id"}) if settings.app_id else source
        self.containers = {
            entry.place: entry
            for entry in layout.fields
            if entry.word.is_container and not entry.word.readable_only
        }
        self.presets: dict[str, list[Field]] = {place: [] for place in self.containers}
        for entry in layout.fields:
            if entry.path[0] in self.containers and entry.place not in self.containers:
                self.presets[entry.path[0]].append(entry)
        inside = [*self.containers.values(), *self.all_presets()]
        inside += [entry for entry in layout.fields if entry.word.is_container]
        self.around = [entry for entry in request_fields(layout, settings) if not entry.word.is_stamp]
        left_out = [*inside, *(entry for entry in layout.fields if entry.word.is_stamp)]
        self.columns = [entry for entry in layout.fields if entry not in left_out and self.is_wanted(entry)]
        self.columns += layout.own

    def is_wanted(self, entry: Field) -> bool:
        """Leave out what no event can have; of a table's columns only optional ones."""
        if entry.word.is_left_out or not is_asked_for(entry, self.settings):
            return False
        if entry.optional:
            return entry.hub[0] in self.source.provided
        if self.said(entry) is not None:
            return True
        if self.layout.records == "csv" or entry.required or entry.is_always_said:
            return True
        return not entry.hub or any(column in self.source.provided for column in entry.hub)

    def said(self, entry: Field) -> str | None:
        """Give what the settings say in place of the event, if the field asks them."""
        value: str | None = getattr(self.settings, entry.setting) if entry.setting is not None else None
        return value

    @property
    def keeps_hours_apart(self) -> bool:
        """Tell whether requests say when they came in, by their latest event."""
        return any(entry.word.keeps_hours_apart for entry in request_fields(self.layout, self.settings))

    def own_presets(self) -> list[Field]:
        """Give the presets that only some events have: elsewhere their key is as good as any."""
        return [entry for entry in self.all_presets() if entry.when and entry.hub]

    def all_presets(self) -> list[Field]:
        """Give the presets of all containers."""
        return [entry for entries in self.presets.values() for entry in entries]

    def wanted_presets(self) -> list[Field]:
        """Give the presets that events from the source can fill."""
        return [entry for entry in self.all_presets() if self.is_wanted(entry)]


def is_asked_for(entry: Field, settings: Settings) -> bool:
    """Tell whether the settings want a field written, as far as it leaves that to them."""
    is_wanted = entry.asked is None or getattr(settings, entry.asked)
    return bool(is_wanted) and not (entry.unless is not None and getattr(settings, entry.unless))


def request_fields(layout: Layout, settings: Settings) -> list[Field]:
    """Give the fields of a layout's requests that are written under these settings."""
    request = layout.request
    if request is None:
        return []
    said = [entry for entry in request.fields if is_asked_for(entry, settings)]
    return [
        entry
        for entry in said
        if entry.setting is None or entry.hub or getattr(settings, entry.setting) is not None
    ]


def is_json(entry: Field) -> bool:
    """Tell whether a field's value comes as JSON text, to be put in as it is."""
    return entry.wire in ("number", "json")


def as_json(entry: Field, value: pl.Expr) -> pl.Expr:
    """Write a field's value as JSON text."""
    if is_json(entry):
        return value
    text = value.cast(pl.String)
    return notation.json_text(text) if entry.wire == "text" else text


def avro_schema(layout: Layout, schema: Schema, provided: frozenset[str]) -> dict[str, Any]:
    """Give the schema of a layout's columns, in their order; optional ones only if the events can have them."""
    standing = [
        {"name": entry.place, "type": _type(entry)}
        for entry in layout.fields
        if not entry.word.is_container and (not entry.optional or entry.hub[0] in provided)
    ]
    own = [_own(entry.own, schema) for entry in layout.own if entry.own is not None]
    return {
        "type": "record",
        "name": schema.name,
        "namespace": schema.namespace,
        "fields": [*standing, *own],
        "version": schema.version,
    }


def _type(entry: Field) -> str | list[str]:
    avro = AVRO_TYPES[entry.word.wire]
    return avro if entry.required else [avro, "null"]


def _own(column: Column, schema: Schema) -> dict[str, Any]:
    if column.spelled is not None:
        return dict(column.spelled)
    return {"name": column.name, "type": [column.type, "null"], **schema.own.get(column.type, {})}


def way_out(entry: Field) -> str:
    """Say what can give an event what it has not."""
    setting = entry.setting or ("app_id" if entry.hub == ("app.id",) else None)
    return f"say --set {setting}=..." if setting else "a recipe can set it"


# -- members that no hub column holds, put back where the record had them: into the row, or into the request around it --

Way = tuple[str, ...]
Members = list[tuple[Way, str]]


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
        return _with(text, members)


def listed(members: Members) -> str | None:
    """Write members as JSON text, for the packing."""
    return (
        f"[{','.join(f'[{quoted(list(way))},{quoted(text)}]' for way, text in members)}]" if members else None
    )


def _with(text: str, members: Members) -> str:
    """Give an object's compact text with members at the ends of their ways, along which objects are made where there are none."""
    asked: dict[str, Members] = {}
    for way, value in members:
        if way:
            asked.setdefault(way[0], []).append((way[1:], value))
        else:
            text, asked = value, {}
    return _grown(text if text.startswith("{") else "{}", asked) if asked else text


def _grown(text: str, asked: dict[str, Members]) -> str:
    """Spell out only what is on the ways: the rest stays as it is written."""
    parts, at = [], 1
    while text[at] != "}":
        name, colon = SCANNER.raw_decode(text, at)
        _, end = SCANNER.raw_decode(text, colon + 1)
        members = asked.pop(name, [])
        parts.append(text[at : colon + 1] + _with(text[colon + 1 : end], members))
        at = end + (text[end] == ",")
    parts += [f"{quoted(name)}:{_with('{}', members)}" for name, members in asked.items()]
    return f"{{{','.join(parts)}}}"
