"""Whole hub maps of JSON texts, which the reader takes in as they stand."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from translate import events
from translate.vocabulary.notation import json_text, object_of_map
from translate.vocabulary.word import Scalar

LIST_OF_TEXTS = r'^\[(?:"(?:[^"\\]|\\.)*"(?:,"(?:[^"\\]|\\.)*")*)?\]$'
MAPS_OF_JSON = ("user_properties", "client_properties", "other")


def _as_a_text(value: pl.Expr) -> pl.Expr:
    return pl.when(value.str.starts_with('"')).then(value).otherwise(json_text(value))


def _as_a_list(value: pl.Expr) -> pl.Expr:
    listed = pl.concat_str(pl.lit("["), _as_a_text(value), pl.lit("]"))
    return pl.when(value.str.contains(LIST_OF_TEXTS)).then(value).otherwise(listed)


def _holds_other_than_texts(columns: Sequence[pl.Expr]) -> pl.Expr:
    return columns[0].map.values().list.eval(~pl.element().str.starts_with('"')).list.any()


def _holds_other_than_lists(columns: Sequence[pl.Expr]) -> pl.Expr:
    return columns[0].map.values().list.eval(~pl.element().str.contains(LIST_OF_TEXTS)).list.any()


JSON_MAP = Scalar(
    "json_map", "an object of any JSON values",
    types=(events.MAP,), kept_in=MAPS_OF_JSON, wire="json", form="whole",
    write=lambda columns: object_of_map(columns[0]), example=(({"a": "1"},), '{"a":1}'),
)  # fmt: skip

MAP_OF_TEXTS = Scalar(
    "map_of_texts", "an object of texts; any other value as its JSON text",
    types=(events.MAP,), kept_in=MAPS_OF_JSON, wire="json", form="whole",
    write=lambda columns: object_of_map(columns[0], _as_a_text),
    changed=_holds_other_than_texts, why="what was no text is one now", example=(({"a": "1"},), '{"a":"1"}'),
)  # fmt: skip

MAP_OF_LISTS = Scalar(
    "map_of_lists", "an object of lists of texts; any other value as a list of one text",
    types=(events.MAP,), kept_in=MAPS_OF_JSON, wire="json", form="whole",
    write=lambda columns: object_of_map(columns[0], _as_a_list),
    changed=_holds_other_than_lists, why="what was no list of texts is one now", example=(({"a": "1"},), '{"a":["1"]}'),
)  # fmt: skip
