"""JSON values as they are, and lists of texts in one text."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from translate import events
from translate.vocabulary.notation import as_it_is, by_distinct_value, first, quoted
from translate.vocabulary.word import Scalar

WITHOUT_BARS = r'^\["(?:[^"\\|]|\\.)*"(?:,"(?:[^"\\|]|\\.)*")*\]$'


def _piped(columns: Sequence[pl.Series], _member: str) -> pl.Series:
    """Join JSON lists of texts by bars."""
    return by_distinct_value(
        columns[0],
        lambda value: "|".join(item if isinstance(item, str) else quoted(item) for item in json.loads(value)),
    )


def _unpiped(text: pl.Expr) -> pl.Expr:
    """Write a text's parts between bars as a JSON list."""
    encoded = pl.struct(l=text.str.split("|")).struct.json_encode()
    return pl.when(text.is_not_null()).then(encoded.str.slice(5).str.strip_suffix("}"))


def _not_pipeable(columns: Sequence[pl.Expr]) -> pl.Expr:
    return ~columns[0].str.contains(WITHOUT_BARS) | (columns[0] == '[""]')


JSON_TEXT = Scalar(
    "json_text", "any JSON value",
    types=(events.TEXT,), kept_in=events.LISTS, wire="json", read=as_it_is, write=first, example=(("[1]",), "[1]"),
)  # fmt: skip

PIPED = Scalar(
    "piped", "a list of texts, joined by |",
    types=(events.TEXT,), kept_in=events.LISTS, wire="text", read=_unpiped, rowwise=_piped,
    changed=_not_pipeable, why="not a list of texts without bars", example=(('["a","b"]',), "a|b"),
)  # fmt: skip
