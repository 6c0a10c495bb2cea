"""Lists of one value, written as that value: for sources that make a list of every value, and targets that have single ones.

Which hub columns these are is what the layouts say (`lists` of the source's, `single_values` of the target's). The keys
travel along with the original names, so that the reader makes lists of their values again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from translate import events
from translate.vocabulary.notation import quoted
from translate.vocabulary.notes import InHub, Note, note
from translate.writer.shape import Shape

# A list of one text, number, true or false, as the hub writes JSON.
OF_ONE = r'^\[(?:"(?:[^"\\]|\\.)*"|-?[0-9][^,\]]*|true|false)\]$'
IS_OF_ONE = re.compile(OF_ONE)
BECAME = "a list of one value became the value"
NAME = "lists"  # of the member that travels along


@dataclass(frozen=True)
class SingleValues:
    """A batch's maps of JSON texts with single values, and by event the keys that had lists."""

    maps: dict[str, pl.Series]
    keys: dict[str, list[list[str]]]

    def members(self) -> list[str | None]:
        """Write for each event the member that travels along, where there is one."""
        rows = zip(*self.keys.values(), strict=True)
        found = [{name: keys for name, keys in zip(self.keys, row, strict=True) if keys} for row in rows]
        return [f"{quoted(NAME)}:{quoted(lists)}" if lists else None for lists in found]

    def notes(self) -> list[list[Note]]:
        """Note each value that is no list any more."""
        columns = [
            [[note("changed", InHub(name, key), BECAME) for key in keys] for keys in rows]
            for name, rows in self.keys.items()
        ]
        return [[each for own in row for each in own] for row in zip(*columns, strict=True)]


def single_values(batch: pl.DataFrame, shape: Shape) -> SingleValues | None:
    """Take the values out of a batch's lists of one, where source and target ask for it; None if there are none."""
    maps: dict[str, pl.Series] = {}
    keys: dict[str, list[list[str]]] = {}
    for name in _columns(shape):
        values = (
            batch[name]
            .to_frame()
            .select(pl.col(name).map.values().list.eval(pl.element().str.contains(OF_ONE)).list.any())
            .to_series()
        )
        if values.fill_null(value=False).any():
            keys[name] = [
                [key for key, text in row.items() if _is_of_one(text)] if row else [] for row in batch[name]
            ]
            texts = [
                row and {key: text[1:-1] if key in own else text for key, text in row.items()}
                for row, own in zip(batch[name], keys[name], strict=True)
            ]
            maps[name] = pl.Series(texts, dtype=events.MAP)
    return SingleValues(maps, keys) if maps else None


def _columns(shape: Shape) -> Iterable[str]:
    return [name for name in shape.layout.single_values if name in shape.source.lists]


def _is_of_one(text: str) -> bool:
    return IS_OF_ONE.match(text) is not None
