"""What a target's row is made of, for events from a given source: columns, containers, and the presets inside them."""

from __future__ import annotations

from dataclasses import dataclass

from translate.mapping.codecs import CONTAINERS, SCALARS
from translate.mapping.spec import Field, Layout, Mapping
from translate.settings import Settings


@dataclass(frozen=True)
class Source:
    """What the writer has to know of where the events come from: which columns can hold something, and their places."""

    provided: frozenset[str]
    places: dict[str, str]
    set_by_recipe: frozenset[str] = frozenset()

    def place(self, column: str) -> str:
        """Name a hub column as the source spells it."""
        return self.places.get(column, column)


class Shape:
    """The fields of one layout that events from a source can fill."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings, source: Source) -> None:
        self.mapping = mapping
        self.layout = layout
        self.settings = settings
        self.source = source
        self.containers = {entry.place: entry for entry in layout.fields if entry.codec in CONTAINERS}
        self.presets: dict[str, list[Field]] = {place: [] for place in self.containers}
        for entry in layout.fields:
            if entry.path[0] in self.containers and entry.place not in self.containers:
                self.presets[entry.path[0]].append(entry)
        inside = [*self.containers.values(), *self.all_presets()]
        self.columns = [entry for entry in layout.fields if entry not in inside and self.is_wanted(entry)]

    def is_wanted(self, entry: Field) -> bool:
        """Leave out what no event can have; an optional column is there only if the recipe fills it."""
        if entry.optional:
            return entry.hub[0] in self.source.set_by_recipe
        if self.layout.records == "csv" or entry.required or entry.const is not None or entry.default is not None:
            return True
        return not entry.hub or any(column in self.source.provided for column in entry.hub)

    def all_presets(self) -> list[Field]:
        """Give the presets of all containers."""
        return [entry for entries in self.presets.values() for entry in entries]

    def wanted_presets(self) -> list[Field]:
        """Give the presets that events from the source can fill."""
        return [entry for entry in self.all_presets() if self.is_wanted(entry)]


def is_json(entry: Field) -> bool:
    """Tell whether a field's value comes as JSON text, to be put in as it is."""
    return entry.codec in SCALARS and entry.const is None and SCALARS[entry.codec].wire in ("number", "json")


def is_text(entry: Field) -> bool:
    """Tell whether a field's value is text."""
    return isinstance(entry.const, str) if entry.const is not None else SCALARS[entry.codec].wire == "text"
