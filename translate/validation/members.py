"""What no column tells of a row: how its members stood, which only its text shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate.mapping.spec import Layout

USER_MEMBER = {"value", "set_timestamp"}

Wrong = Callable[[Any], bool]


@dataclass(frozen=True)
class Look:
    """A look into one top-level member of a row: what its value must not be, and what to say if it is."""

    check: str
    head: str
    message: str
    wrong: Wrong

    @property
    def column(self) -> str:
        """Name the column that says in which rows it is wrong."""
        return f"_look:{self.check}:{self.message}"


def looks(layout: Layout) -> list[Look]:
    """Give the looks that a layout's checks ask for."""
    return [look for name, limit in layout.checks.items() if name in LOOKS for look in LOOKS[name](limit.value)]


def with_looks(records: pl.LazyFrame, layout: Layout) -> pl.LazyFrame:
    """Add a column of flags for each look; texts that do not name the member are not parsed."""
    wanted = looks(layout)
    if not wanted:
        return records

    def look_at(batch: pl.DataFrame) -> pl.DataFrame:
        named = {head: batch["text"].str.contains(f'"{head}"', literal=True).fill_null(value=False) for head in {look.head for look in wanted}}
        is_named = pl.DataFrame(named).select(pl.any_horizontal(pl.all())).to_series()
        found: list[dict[str, Any]] = [
            _object(text) if there else {} for text, there in zip(batch["text"], is_named, strict=True)
        ]
        flags = [pl.Series(look.column, [look.head in row and look.wrong(row[look.head]) for row in found], pl.Boolean) for look in wanted]
        return batch.with_columns(flags)

    schema = {**records.collect_schema(), **{look.column: pl.Boolean() for look in wanted}}
    return records.map_batches(look_at, schema=schema, validate_output_schema=False, streamable=True)


def asked(check: str, value: Any) -> Iterator[tuple[pl.Expr, str]]:
    """Give what a check asks of the columns of its looks."""
    for look in LOOKS[check](value):
        yield pl.col(look.column), look.message


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# -- checks -----------------------------------------------------------------------------------------------------------


def _texts_only(places: list[str]) -> Iterator[Look]:
    for place in places:
        yield Look("texts_only", place, f"{place} is no text", lambda value: value is not None and not isinstance(value, str))


def _members_needed(objects: dict[str, list[str]]) -> Iterator[Look]:
    for place, names in objects.items():
        for name in names:
            yield Look("members_needed", place, f"{place} without {name}", _without(name))


def _without(name: str) -> Wrong:
    return lambda value: isinstance(value, dict) and value.get(name) is None


def _user_values_whole(names: list[str]) -> Iterator[Look]:
    for name in names:
        message = f"user.{name} is not an object of value and set_timestamp, and nothing else"
        yield Look("user_values_whole", "user", message, _not_whole(name))


def _not_whole(name: str) -> Wrong:
    def wrong(user: Any) -> bool:
        given = user.get(name) if isinstance(user, dict) else None
        return given is not None and not (isinstance(given, dict) and given.keys() == USER_MEMBER)

    return wrong


def _items_need(names: list[str]) -> Iterator[Look]:
    def wrong(items: Any) -> bool:
        return any(all(item.get(name) is None for name in names) for item in _objects(items))

    yield Look("items_need", "items", f"an item without {' or '.join(names)}", wrong)


def _item_custom_max(value: dict[str, Any]) -> Iterator[Look]:
    most, known = value["most"], set(value["known"])

    def wrong(items: Any) -> bool:
        return any(len(item.keys() - known) > most for item in _objects(items))

    yield Look("item_custom_max", "items", f"an item with more than {most} attributes of its own", wrong)


def _objects(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


LOOKS: dict[str, Callable[[Any], Iterator[Look]]] = {
    "texts_only": _texts_only,
    "members_needed": _members_needed,
    "user_values_whole": _user_values_whole,
    "items_need": _items_need,
    "item_custom_max": _item_custom_max,
}
