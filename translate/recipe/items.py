"""One row per item: the elements of the hub's `items`, each as a map of texts."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from translate.notation import quoted
from translate.reader.careful import Refused, number_digits
from translate.recipe.expression import ITEM

COPY = "_copy"
ELEMENTS = "_elements"
ENTRIES = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
ELEMENTS_TYPE = pl.List(pl.Struct({"number": pl.UInt32, "entries": ENTRIES}))


def explode(frame: pl.LazyFrame, match: pl.Expr) -> pl.LazyFrame:
    """Make one row per item of the matching events; one without items stays one row without an item.

    An event is taken apart once: rows that have an item already stay as they are.
    """
    marked = frame.with_columns(_explode=match & pl.col(ITEM).is_null() & pl.col("items").is_not_null())
    parsed = marked.map_batches(
        _with_elements,
        schema={**marked.collect_schema(), ELEMENTS: ELEMENTS_TYPE},
        validate_output_schema=False,
        streamable=True,
    )
    element = pl.col(ELEMENTS).struct
    return (
        parsed.explode(ELEMENTS)
        .with_columns(
            pl.coalesce(element.field("number"), COPY).alias(COPY),
            pl.coalesce(element.field("entries").list.to_map(), ITEM).alias(ITEM),
        )
        .drop("_explode", ELEMENTS)
    )


def _with_elements(batch: pl.DataFrame) -> pl.DataFrame:
    wanted = zip(batch["_explode"], batch["items"], strict=True)
    lists = [_elements(text) if marked else None for marked, text in wanted]
    return batch.with_columns(pl.Series(ELEMENTS, lists, dtype=ELEMENTS_TYPE))


def _elements(text: str) -> list[dict[str, Any]] | None:
    """Give the elements of a JSON list; null if there are none."""
    try:
        elements = json.loads(text, parse_float=_number, parse_constant=_refuse)
        text.encode()
        if not isinstance(elements, list) or not elements:
            return None
        return [{"number": number, "entries": _entries(element)} for number, element in enumerate(elements)]
    except (ValueError, RecursionError):
        return None


def _number(literal: str) -> int | float:
    digits, _ = number_digits(literal)
    return float(digits) if "." in digits else int(digits)


def _refuse(constant: str) -> None:
    raise Refused("bad_number", f"{constant} is not a number in JSON")


def _entries(element: Any) -> list[dict[str, str]]:
    if not isinstance(element, dict):
        return []
    return [{"key": key, "value": _text(value)} for key, value in element.items() if value is not None]


def _text(value: Any) -> str:
    """Give text as it is, numbers as their digits, anything else as JSON text."""
    if isinstance(value, float):
        return number_digits(repr(value))[0]
    text = value if isinstance(value, str) else quoted(value)
    text.encode()  # half of a surrogate pair is no text: the whole list is then left alone
    return text
