"""What a mapping has to keep before a row is read: each field, alone, runs on an empty frame.

On an empty frame the engine tells every operation that a type does not have; it does not tell a text that
silently came of a number, so the types that come out are compared too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import polars as pl
from polars.exceptions import PolarsError

from translate import events
from translate.mapping.spec import Field, Layout, Mapping
from translate.vocabulary import notation
from translate.vocabulary.word import KIND_NAMES, Word

Found = tuple[tuple[str, ...], str]

WIRE_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "whole": pl.Int64(),
    "number": pl.String(),
    "flag": pl.Boolean(),
    "json": pl.String(),
}


def failures(mapping: Mapping, layout: Layout) -> Iterator[Found]:
    """Run each word alone on an empty frame; tell what fails or gives another type than it should."""
    fields: list[tuple[tuple[str, ...], Field]] = [
        (("fields", entry.place), entry) for entry in layout.fields
    ]
    if layout.request:
        fields += [(("request", "fields", entry.place), entry) for entry in layout.request.fields]
    for where, entry in fields:
        word = entry.word
        if not word.is_scalar or entry.const is not None or not (entry.hub or word.columns == (0, 0)):
            continue
        trials = []
        if layout.write:
            trials.append(("written", *_written(mapping, entry, word)))
        if layout.read and word.read is not None and entry.hub:
            trials.append(("read", *_read(entry, word)))
        for verb, given, wanted in trials:
            if isinstance(given, PolarsError):
                yield where, f'codec "{word.name}" cannot be {verb}: {str(given).splitlines()[0]}'
            elif given is not None and given != wanted:
                kinds = [KIND_NAMES.get(dtype, str(dtype)) for dtype in (given, wanted)]
                yield (
                    where,
                    f'codec "{word.name}" gives {kinds[0]} where it is {verb}, which should be {kinds[1]}',
                )


def _written(
    mapping: Mapping, entry: Field, word: Word
) -> tuple[pl.DataType | PolarsError | None, pl.DataType]:
    table = entry.table is not None and tuple(mapping.tables[entry.table].items())
    return _written_type(
        word, tuple(events.SCHEMA[name] for name in entry.hub), table or None, entry.default
    ), WIRE_TYPES[word.wire]


@cache
def _written_type(
    word: Word, types: tuple[pl.DataType, ...], table: tuple[tuple[str, str], ...] | None, default: object
) -> pl.DataType | PolarsError | None:
    empty = pl.DataFrame([pl.Series(str(place), [], dtype) for place, dtype in enumerate(types)])
    try:
        if word.rowwise is not None:
            return word.rowwise(empty.get_columns(), "").dtype
        if word.write is None:
            return None
        value = word.write([pl.col(name) for name in empty.columns])
        if table is not None:
            value = notation.exchanged(value.str.to_lowercase(), dict(table), value)
        if default is not None:
            value = value.fill_null(default)
        return _type_of(empty, value)
    except PolarsError as error:
        return error


def _read(entry: Field, word: Word) -> tuple[pl.DataType | PolarsError | None, pl.DataType]:
    return _read_type(word), events.SCHEMA[entry.hub[0]]


@cache
def _read_type(word: Word) -> pl.DataType | PolarsError | None:
    raw = pl.Series("raw", [], pl.Int64 if word.raw == "whole" else pl.String)
    if word.read is None:
        return None
    try:
        return _type_of(raw.to_frame(), word.read(pl.col("raw")))
    except PolarsError as error:
        return error


def _type_of(empty: pl.DataFrame, value: pl.Expr) -> pl.DataType:
    return empty.select(value.alias("value")).schema["value"]
