"""Keys of free-form values that a layout's reader moves into hub columns: they answer under their own names all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from translate import events
from translate.mapping.spec import Field, Layout
from translate.vocabulary import notation

ANSWERING = ("attributes", "metrics")  # as text, and as a double


@dataclass(frozen=True)
class Moved:
    """One such key: the column that has its value, for events of some names (as they were read) or of all."""

    column: str
    when: tuple[str, ...]
    text: Callable[[], pl.Expr]

    def value(self, name: pl.Expr) -> pl.Expr:
        """Give the value as text, as it stood under the key; `name` is the event's name as it was read."""
        return pl.when(name.is_in(list(self.when))).then(self.text()) if self.when else self.text()


def moved_keys(layout: Layout) -> dict[str, Moved]:
    """Give the keys that reading a layout moves, by their names in expressions (`metrics.x`)."""
    homes = {entry.place: entry.hub for entry in layout.fields if entry.word.is_container}
    found: dict[str, Moved] = {}
    for entry in layout.fields:
        if entry.path[0] not in homes or entry.place in homes or not entry.hub or entry.word.holds_whole_map:
            continue
        for home in homes[entry.path[0]]:
            if home in ANSWERING:
                found[f"{home}.{entry.key}"] = Moved(entry.hub[0], entry.when, _text_of(entry))
    return found


def _text_of(entry: Field) -> Callable[[], pl.Expr]:
    column = entry.hub[0]
    write = entry.word.write
    if len(entry.hub) == 1 and write is not None:
        return lambda: write([pl.col(column)]).cast(pl.String)
    if events.SCHEMA[column] == events.NUMBER:
        return lambda: notation.digits(pl.col(column))
    return lambda: pl.col(column).cast(pl.String)
