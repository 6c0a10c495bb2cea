"""What a mapping may ask of rows that are read, of requests and of whole archives, and what each question takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

REQUEST_LIMITS = ("events_min", "events_max", "bytes_max")
ARCHIVE_LIMITS = (
    "event_types_max", "attribute_keys_max", "metric_keys_max", "interactions_min", "users_with_two_min",
    "event_types_and_columns_max", "columns_max", "distinct_times_min",
)  # fmt: skip


def complaint(name: str, value: Any) -> str | None:
    """Say what is wrong with the value of a check, if anything."""
    wanted, holds = CHECKS[name]
    return None if holds(value) else f"should be {wanted}, but is {value!r}"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pattern(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        pl.select(pl.lit("").str.contains(value))
    except PolarsError:
        return False
    return True


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))


def _by_place(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and bool(value) and all(map(holds, value.values()))


def _is_prefix(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"prefix", "known"} and isinstance(value["prefix"], str) and _is_texts(value["known"])


def _is_most(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"most", "known"} and _is_whole(value["most"]) and _is_texts(value["known"])


CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "places_required": ("a list of places", _is_texts),
    "places_advised": ("a list of places", _is_texts),
    "places_optional": ("a list of places", _is_texts),
    "objects_whole": ("a list of objects", _is_texts),
    "values_only": ("a table of places, each with a list of texts", _by_place(_is_texts)),
    "values_usual": ("a table of places, each with a list of texts", _by_place(_is_texts)),
    "values_pattern": ("a table of places, each with a regular expression", _by_place(_is_pattern)),
    "characters_between": ("a table of places, each with a least and a most", _by_place(_is_range)),
    "whole_numbers": ("a list of places", _is_texts),
    "exact_types": ("true", lambda value: value is True),
    "exact_duration": ("true", lambda value: value is True),
    "texts_only": ("a list of members", _is_texts),
    "members_needed": ("a table of members, each with a list of names", _by_place(_is_texts)),
    "user_values_whole": ("a list of names", _is_texts),
    "items_need": ("a list of names", _is_texts),
    "item_custom_max": ("a table of most and known", _is_most),
    "keys_numeric": ("a list of names", _is_texts),
    "keys_of_events": ("a table of event names, each with a list of names", _by_place(_is_texts)),
    "maps_of_texts": ("a list of places", _is_texts),
    "maps_of_lists": ("a list of places", _is_texts),
    "names_pattern": ("a regular expression", _is_pattern),
    "names_characters_max": ("a whole number", _is_whole),
    "names_reserved": ("a table of prefix and known", _is_prefix),
    "keys_reserved": ("a list of names", _is_texts),
    "user_value_characters_max": ("a whole number", _is_whole),
    "item_value_characters_max": ("a whole number", _is_whole),
}
