"""The two sides of a pair: which fields a layout has, and which hub columns each gives and takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from translate import events, mapping
from translate.archive.hub_files import HUB
from translate.errors import UsageError
from translate.mapping.spec import Field, Layout, Mapping
from translate.telling.explanation.trial import gives_value
from translate.vocabulary.codecs import CONTAINERS, SCALARS, STAMPS

Part = Literal["event", "request"]

# The hub on either side has all its columns, each as it is.
HUB_LAYOUT = replace(
    HUB.default_layout(), fields=tuple(Field(name, (name,), codec="hub") for name in events.COLUMNS)
)

# What an event's own item in a list of items gives beside the list (the reader takes it out of there).
OWN_ITEM = ("item_id", "price", "quantity", "currency")


def find(address: str, mappings: Path | None, *, to_read: bool) -> tuple[Mapping, Layout]:
    """Find a layout that can be read, or written; raise UsageError that names those that can be."""
    if address in (HUB.model, HUB_LAYOUT.address):
        return HUB, HUB_LAYOUT
    if address.startswith(f"{HUB.model}/"):
        raise UsageError(
            f'{HUB.model} has no layout "{address.partition("/")[2]}" (layouts: {HUB_LAYOUT.name})'
        )
    model, layout = mapping.find_layout(address, mappings)
    if to_read and not layout.read:
        known = ", ".join(name for name, other in model.layouts.items() if other.read) or "none"
        raise UsageError(f"{layout.address} cannot be read (readable layouts of {model.model}: {known})")
    if not to_read and not layout.write:
        known = ", ".join(name for name, other in model.layouts.items() if other.write) or "none"
        raise UsageError(f"{layout.address} cannot be written (writable layouts of {model.model}: {known})")
    return model, layout


@dataclass(frozen=True)
class Place:
    """One field of a layout, in the event or in the request around it."""

    part: Part
    entry: Field
    shown: str

    @property
    def gives(self) -> tuple[str, ...]:
        """Name the hub columns that are read from here."""
        entry = self.entry
        if entry.codec == "original_names":
            return ("name",)  # it tells of which event a name that several have is
        if entry.codec in STAMPS or not entry.hub:
            return ()
        if entry.codec in CONTAINERS:
            return entry.hub
        if entry.codec == "item_list":
            return (entry.hub[0], *OWN_ITEM)
        return entry.hub[: SCALARS[entry.codec].carries] if entry.codec == "user_object" else entry.hub[:1]

    @property
    def carries(self) -> tuple[str, ...]:
        """Name the hub columns whose value arrives here."""
        entry = self.entry
        codec = SCALARS.get(entry.codec)
        if not self.is_written or entry.codec in STAMPS:
            return ()
        if codec is None or entry.codec == "first_of":
            return entry.hub
        return entry.hub[: codec.carries]

    @property
    def looks_at(self) -> tuple[str, ...]:
        """Name the hub columns that have a say in the value without arriving in it."""
        if not self.is_written or self.entry.codec in STAMPS:
            return ()
        return tuple(column for column in self.entry.hub if column not in self.carries)

    @property
    def is_written(self) -> bool:
        """Tell whether the place is written at all; some containers are for reading only."""
        container = CONTAINERS.get(self.entry.codec)
        return container is None or not container.readable_only

    def fed_by(self, columns: frozenset[str]) -> tuple[str, ...]:
        """Name those of the hub columns of which a value can come here: its own, and those that it can be made of."""
        given = columns & frozenset(self.entry.hub)
        own = frozenset(self.carries) & given
        fed = {column for column in own if gives_value(self.entry.codec, self.entry.hub, given, column)}
        helpers = given - own
        if gives_value(self.entry.codec, self.entry.hub, helpers):
            needed = {
                column
                for column in helpers
                if not gives_value(self.entry.codec, self.entry.hub, helpers - {column})
            }
            fed |= needed or helpers
        return tuple(column for column in self.entry.hub if column in fed)


def places(layout: Layout) -> list[Place]:
    """Give all fields of a layout in the mapping's order, the event's before the request's."""
    return list(_places(layout))


def _places(layout: Layout) -> Iterator[Place]:
    own = {entry.place for entry in layout.fields}
    for entry in (*layout.fields, *layout.own):
        yield Place("event", entry, entry.place)
    for entry in layout.request.fields if layout.request else ():
        yield Place("request", entry, f"{entry.place} of the request" if entry.place in own else entry.place)


@dataclass(frozen=True)
class Origin:
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
