"""One row per item: the elements of the hub's `items`, each as a map of texts."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from translate import events
from translate.reader.literals import Refused, number_digits
from translate.recipe.expressions import ITEM
from translate.vocabulary.notation import ENCODER, quoted

COPY = "_copy"
ELEMENTS = "_elements"
ELEMENTS_TYPE = pl.List(pl.Struct({"number": pl.UInt32, "item": events.MAP}))


def explode(frame: pl.LazyFrame, match: pl.Expr, *, once: str) -> pl.LazyFrame:
    """Make one row per item of the matching events; one without items stays one row without an item.

    An event is taken apart once: rows that have an item already stay as they are. Flags whose names begin with `once`
    stay with the first of the rows that an event becomes.
    """
    flags = [name for name in frame.collect_schema().names() if name.startswith(once)]
    marked = frame.with_columns(_explode=match & pl.col(ITEM).is_null() & pl.col("items").is_not_null())
    parsed = marked.map_batches(
        _with_elements,
        schema={**marked.collect_schema(), ELEMENTS: ELEMENTS_TYPE},
        validate_output_schema=False,
        streamable=True,
    )
    element = pl.col(ELEMENTS).struct
    return (
        parsed.explode(ELEMENTS, empty_as_null=True)
        .with_columns(
            pl.coalesce(element.field("number"), COPY).alias(COPY),
            pl.coalesce(element.field("item"), ITEM).alias(ITEM),
            *(pl.col(name) & (element.field("number") == 0).fill_null(value=True) for name in flags),
        )
        .drop("_explode", ELEMENTS)
    )


def _with_elements(batch: pl.DataFrame) -> pl.DataFrame:
    """Add the elements of each marked event's list, by way of JSON text that holds nothing odd any more."""
    if not batch["_explode"].any():
        return batch.with_columns(pl.lit(None, ELEMENTS_TYPE).alias(ELEMENTS))
    wanted = zip(batch["_explode"], batch["items"], strict=True)
    lists = [_elements(text) if marked else None for marked, text in wanted]
    texts = pl.Series(ELEMENTS, lists, dtype=pl.String)
    return batch.with_columns(texts.str.json_decode(ELEMENTS_TYPE))


def _elements(text: str) -> str | None:
    """Give the elements of a JSON list, numbered, their values as texts; null if there are none."""
    try:
        elements = _DECODER.decode(text)
        if not isinstance(elements, list) or not elements:
            return None
        plain = ENCODER.encode(
            [{"number": number, "item": _texts(item)} for number, item in enumerate(elements)]
        )
        plain.encode()  # half of a surrogate pair is no text: the whole list is then left alone
    except (ValueError, RecursionError):
        return None
    return plain


def _texts(element: Any) -> dict[str, str]:
    if not isinstance(element, dict):
        return {}
    return {key: _text(value) for key, value in element.items() if value is not None}


def _text(value: Any) -> str:
    """Give text as it is, numbers as their digits, anything else as JSON text."""
    if isinstance(value, str):
        return value
    return number_digits(repr(value))[0] if isinstance(value, float) else quoted(value)


def _number(literal: str) -> int | float:
    digits, _ = number_digits(literal)
    return float(digits) if "." in digits else int(digits)


def _refuse(constant: str) -> None:
    raise Refused("bad_number", f"{constant} is not a number in JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_refuse)
