"""Tries, with a few values of each kind, if a codec can make a value of some hub columns alone."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import polars as pl

from translate import events
from translate.vocabulary.word import Word

# Real money, a game's own, and an empty list: what codecs of several columns tell texts apart by.
SAMPLES: dict[pl.DataType, list[Any]] = {
    events.TEXT: ["USD", "Virtual", "[]"],
    events.WHOLE: [5],
    events.NUMBER: [2.0],
    events.TIME: [events.EPOCH],
}


@functools.cache
def gives_value(word: Word, hub: tuple[str, ...], columns: frozenset[str], needed: str | None = None) -> bool:
    """Tell whether events that have only these columns, and the needed one for sure, can have a value."""
    if not columns:
        return False
    if word.write is None or len(hub) == 1 or any(events.SCHEMA[name] not in SAMPLES for name in hub):
        return needed is not None  # what is carried as it is
    choices = [_choices(name, columns, needed) for name in hub]
    rows = list(itertools.product(*choices))
    frame = pl.DataFrame(rows, schema={name: events.SCHEMA[name] for name in hub}, orient="row")
    value = word.write([pl.col(name) for name in hub])
    return bool(frame.select(value.is_not_null().any()).item())


def _choices(name: str, columns: frozenset[str], needed: str | None) -> list[Any]:
    if name not in columns:
        return [None]
    samples = [*events.PHASES] if name == "name" else SAMPLES[events.SCHEMA[name]]  # a name may imply a phase
    return samples if name == needed else [None, *samples]
