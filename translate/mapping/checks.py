"""What a mapping may ask of rows, of requests and of whole archives: the words, what each takes, where each can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from translate.errors import suggest
from translate.mapping.places import KINDS, kind_of
from translate.mapping.spec import Layout, Limit

Found = tuple[tuple[str, ...], str]

REQUEST_LIMITS = ("events_min", "events_max", "bytes_max")
ARCHIVE_LIMITS = (
    "event_types_max", "attribute_keys_max", "metric_keys_max", "interactions_min", "users_with_two_min",
    "event_types_and_columns_max", "columns_max", "distinct_times_min",
)  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A judge by its name in a mapping: which kinds of places it judges, and what its value has to be.

    One that `wants` nothing takes no value.
    """

    kinds: tuple[str, ...]
    wants: str = ""
    holds: Callable[[Any], bool] = lambda value: value is None

    def complaint(self, value: Any) -> str | None:
        """Say what is wrong with a value, if anything."""
        if self.holds(value):
            return None
        if value is None:
            return f"is missing: {self.wants}"
        return (
            f"should be {self.wants}, but is {value!r}"
            if self.wants
            else f"takes no value, but has {value!r}"
        )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


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


def _is_table_of(**holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == holds.keys()
        and all(hold(value[name]) for name, hold in holds.items())
    )


TEXTS = ("text", "map", "key", "names", "user")
SCALARS = ("text", "whole", "number", "flag", "json", "list", "map", "object", "user", "key")
WHOLE = ("a whole number", _is_whole)
PATTERN = ("a regular expression", _is_pattern)
LIST = ("a list of texts", _is_texts)
RANGE = ("a least and a most", _is_range)

WORDS: dict[str, Word] = {
    "required": Word(SCALARS),
    "required_in": Word(("key",), "a list of event names", _is_texts),
    "characters_max": Word((*TEXTS, "list"), *WHOLE),
    "characters_min": Word((*TEXTS, "list"), *WHOLE),
    "characters_between": Word((*TEXTS, "list"), *RANGE),
    "bytes_max": Word(("row",), *WHOLE),
    "line_breaks_max": Word(("text", "map"), *WHOLE),
    "pattern": Word(TEXTS, *PATTERN),
    "one_of": Word(("text",), *LIST),
    "one_of_any_case": Word(("text",), *LIST),
    "none_of_any_case": Word(("text", "names"), *LIST),
    "own_begin": Word(("text", "names"), "a table of prefix and known", _is_table_of(prefix=lambda value: isinstance(value, str), known=_is_texts)),
    "number_max": Word(("whole", "number"), *WHOLE),
    "float_bits_max": Word(("number",), "16, 32 or 64", lambda value: value in (16, 32, 64) and _is_whole(value)),
    "plain_whole_numbers": Word(("whole",)),
    "numbers_of_bits": Word(("key",), "32 or 64", lambda value: value in (32, 64) and _is_whole(value)),
    "whole_numbers_of_bits": Word(("key",), "32 or 64", lambda value: value in (32, 64) and _is_whole(value)),
    "spelled_as": Word(("key",), "a list of JSON texts", _is_texts),
    "no_objects": Word(("key",)),
    "texts_only": Word(("text",)),
    "exact_types": Word(("map",)),
    "exact_duration": Word(("whole",)),
    "maps_of_texts": Word(("object",)),
    "maps_of_lists": Word(("object",)),
    "members_max": Word(("map", "user", "list"), *WHOLE),
    "list_of_texts": Word(("list",), "a table of elements and characters, each a least and a most", _is_table_of(elements=_is_range, characters=_is_range)),
    "objects_whole": Word(("fields",), *LIST),
    "members_needed": Word(("fields",), *LIST),
    "members_exactly": Word(("key",), *LIST),
    "elements_need": Word(("list",), *LIST),
    "elements_own_max": Word(("list",), "a table of most and known", _is_table_of(most=_is_whole, known=_is_texts)),
}  # fmt: skip


def asked_in_vain(layout: Layout) -> Iterator[Found]:
    """Find what can judge nothing: places that the layout does not have, or that hold what the judge does not judge."""
    for table, limits in (("limits", layout.limits), ("checks", layout.checks)):
        for name, limit in limits.items():
            if limit.judge in WORDS:
                yield from (((table, name, key), message) for key, message in _in_vain(layout, limit))
    known = {entry.place for entry in layout.all_fields}
    yield from (
        (("taken_without",), f'no field "{place}"') for place in layout.taken_without if place not in known
    )


def _in_vain(layout: Layout, limit: Limit) -> Iterator[tuple[str, str]]:
    known = [entry.place for entry in layout.all_fields]
    for place in limit.places:
        kind = kind_of(layout, place)
        if kind is None:
            yield "places", f'no place "{place}"{suggest(place, known)}: nothing would be judged there'
        elif kind not in WORDS[limit.judge].kinds:
            yield "places", f'"{place}" is {KINDS[kind]}, of which "{limit.judge}" says nothing'
        elif limit.judge == "objects_whole" and isinstance(limit.value, list):
            needs = [f"{place}.{name}" for name in limit.value]
            yield from (("value", f'no field "{need}"') for need in needs if need not in known)
    if limit.beside is not None and limit.judge != "members_max":
        yield "beside", f'"{limit.judge}" counts nothing'
