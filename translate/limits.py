"""Judges rows against a layout's documented limits; never changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate.mapping.spec import Layout, Limit


@dataclass(frozen=True)
class Rows:
    """What a limit may look at: the row as text, the free-form values as written, and single values by place."""

    text: pl.Expr | None
    attributes: pl.Expr
    metrics: pl.Expr
    other_count: pl.Expr
    item_count: pl.Expr
    impression_count: pl.Expr
    values: dict[str, pl.Expr]
    presets: dict[str, pl.Expr]
    texts: dict[str, pl.Expr]  # those presets that are texts


@dataclass(frozen=True)
class Breach:
    """A limit, which rows are over it, and what to say about them."""

    limit: Limit
    over: pl.Expr
    message: str


def breaches(layout: Layout, rows: Rows) -> Iterator[Breach]:
    """Give each limit of a layout with the rows that are over it."""
    for limit in layout.limits.values():
        over, what = JUDGES[limit.name](limit.value, rows)
        yield Breach(limit, over.fill_null(value=False), f"{what} ({limit.source})")


def _count(rows: Rows) -> pl.Expr:
    return (
        rows.attributes.map.len().fill_null(0)
        + rows.metrics.map.len().fill_null(0)
        + pl.sum_horizontal([preset.is_not_null().cast(pl.UInt32) for preset in rows.presets.values()] or [pl.lit(0, pl.UInt32)])
    )


def _free_form_count(rows: Rows) -> pl.Expr:
    return rows.attributes.map.len().fill_null(0) + rows.metrics.map.len().fill_null(0) + rows.other_count


def _key_longer(value: int, rows: Rows) -> pl.Expr:
    longer = pl.element().str.len_chars() > value
    return (
        rows.attributes.map.keys().list.eval(longer).list.any().fill_null(value=False)
        | rows.metrics.map.keys().list.eval(longer).list.any().fill_null(value=False)
    )


def _text_longer(value: int, rows: Rows) -> pl.Expr:
    in_map = rows.attributes.map.values().list.eval(pl.element().str.len_chars() > value).list.any()
    in_presets = [preset.str.len_chars() > value for preset in rows.texts.values()]
    return pl.any_horizontal([flag.fill_null(value=False) for flag in [in_map, *in_presets]])


def _any_value(rows: Rows, places: tuple[str, ...], test: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    there = [test(rows.values[place]).fill_null(value=False) for place in places if place in rows.values]
    return pl.any_horizontal(there) if there else pl.lit(False)


def _key_shorter(value: int, rows: Rows) -> pl.Expr:
    shorter = pl.element().str.len_chars() < value
    return pl.any_horizontal([
        column.map.keys().list.eval(shorter).list.any().fill_null(value=False) for column in (rows.attributes, rows.metrics)
    ])  # fmt: skip


# The largest number that a float of so many bits holds.
LARGEST = {16: 65504.0, 32: 3.4028234663852886e38, 64: 1.7976931348623157e308}

IDS = ("USER_ID", "ITEM_ID", "EVENT_TYPE", "userId", "itemId", "eventType", "sessionId", "trackingId", "eventId")
NAMES = ("EventType", "eventType")
# What AWS's service model demands of an attribution: printable ASCII that is not all blanks.
ATTRIBUTION = r"^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$"


JUDGES: dict[str, Callable[[int, Rows], tuple[pl.Expr, str]]] = {
    "items_max": lambda value, rows: (
        rows.item_count > value,
        f"more than {value} items",
    ),
    "user_attributes_max": lambda value, rows: (
        rows.values["user"].str.count_matches('"set_timestamp":', literal=True) > value,
        f"more than {value} user attributes",
    ),
    "attributes_max": lambda value, rows: (_free_form_count(rows) > value, f"more than {value} attributes"),
    "bytes_max": lambda value, rows: (_row_bytes(rows) > value, f"more than {value} bytes"),
    "value_characters_max": lambda value, rows: (_text_longer(value, rows), f"a value of more than {value} characters"),
    "names_and_values_max": lambda value, rows: (
        _count(rows) > value,
        f"more than {value} attributes and metrics",
    ),
    "key_characters_max": lambda value, rows: (
        _key_longer(value, rows),
        f"an attribute or metric name of more than {value} characters",
    ),
    "key_characters_min": lambda value, rows: (
        _key_shorter(value, rows),
        f"an attribute or metric name of less than {value} characters",
    ),
    "session_characters_max": lambda value, rows: (
        _any_value(rows, ("session.id",), lambda column: ~column.str.len_chars().is_between(1, value)),
        f"a session id that is empty or has more than {value} characters",
    ),
    "timestamp_max": lambda value, rows: (
        _any_value(rows, ("timestamp",), lambda column: column.cast(pl.Float64, strict=False) > value),
        f"a timestamp above {value}",
    ),
    "value_bits_max": lambda value, rows: (
        _any_value(rows, ("eventValue",), lambda column: column.cast(pl.Float64, strict=False).abs() > LARGEST[value]),
        f"an event value beyond what a float of {value} bits holds",
    ),
    "text_characters_max": lambda value, rows: (
        _text_longer(value, rows),
        f"an attribute value of more than {value} characters",
    ),
    "name_characters_max": lambda value, rows: (
        _any_value(rows, NAMES, lambda column: ~column.str.len_chars().is_between(1, value)),
        f"an event type that is empty or has more than {value} characters",
    ),
    "id_characters_max": lambda value, rows: (
        _any_value(rows, IDS, lambda column: ~column.str.len_chars().is_between(1, value)),
        f"an id or event type that is empty or has more than {value} characters",
    ),
    "line_breaks_max": lambda _value, rows: (
        _any_value(rows, tuple(rows.values), lambda column: column.cast(pl.String).str.contains(r"[\r\n]")),
        "a line break in a value",
    ),
    "impression_characters_max": lambda value, rows: (
        _any_value(rows, ("IMPRESSION",), lambda column: column.str.len_chars() > value),
        f"an impression of more than {value} characters",
    ),
    "impression_items_max": lambda value, rows: (
        ~rows.impression_count.is_between(1, value),
        f"an impression that is not a list of 1 to {value} item ids",
    ),
    "properties_characters_max": lambda value, rows: (
        _any_value(rows, ("properties",), lambda column: column.str.len_chars() > value),
        f"properties of more than {value} characters",
    ),
    "recommendation_id_characters_max": lambda value, rows: (
        _any_value(rows, ("recommendationId",), lambda column: ~column.str.len_chars().is_between(1, value)),
        f"a recommendation id that is empty or has more than {value} characters",
    ),
    "attribution_source_characters_max": lambda value, rows: (
        _any_value(
            rows,
            ("metricAttribution.eventAttributionSource",),
            lambda column: (column.str.len_chars() > value) | ~column.str.contains(ATTRIBUTION),
        ),
        f"an attribution source of more than {value} characters, or not of printable ASCII, or all blanks",
    ),
}


NO_IMPRESSION = -1
ITEM_ID_CHARACTERS_MAX = 256  # botocore 1.44.5, personalize-events: ItemId


def impression_length(found: Any) -> int:
    """Count the items of an impression; NO_IMPRESSION for what is no list, or holds anything but ids of items."""
    if not isinstance(found, list):
        return NO_IMPRESSION
    is_fine = all(isinstance(item, str) and 1 <= len(item) <= ITEM_ID_CHARACTERS_MAX for item in found)
    return len(found) if is_fine else NO_IMPRESSION


def _row_bytes(rows: Rows) -> pl.Expr:
    return pl.lit(0) if rows.text is None else rows.text.str.len_bytes()
