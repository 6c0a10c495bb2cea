"""What no column tells of a row: what stands in its lists, and how its members stand, which only their JSON text shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

Wrong = Callable[[Any], bool]
ABSENT = object()


@dataclass(frozen=True)
class Look:
    """A look into the value of one place: what it must not be. `of_row`: a member of the row, whose text is taken apart for it."""

    place: str
    wrong: Wrong
    of_row: bool = False


def with_looks(
    frame: pl.LazyFrame, looks: dict[str, Look], lists: dict[str, pl.Expr], whole: pl.Expr | None
) -> pl.LazyFrame:
    """Add a column of flags for each look; texts that do not name the member are not taken apart."""
    into_lists = {
        place: f"_list{number}"
        for number, place in enumerate(
            dict.fromkeys(look.place for look in looks.values() if not look.of_row)
        )
    }
    into_rows = {name: look for name, look in looks.items() if look.of_row}
    if not looks:
        return frame
    given = {column: lists[place] for place, column in into_lists.items()}
    prepared = frame.with_columns(**given, _whole=pl.lit(None, pl.String) if whole is None else whole)

    def look_at(batch: pl.DataFrame) -> pl.DataFrame:
        flags: dict[str, list[bool]] = {}
        for place, column in into_lists.items():
            theirs = {
                name: look.wrong for name, look in looks.items() if not look.of_row and look.place == place
            }
            flags |= _flags(
                theirs,
                batch[column],
            )
        flags |= _of_rows(into_rows, batch)
        return batch.drop(*into_lists.values(), "_whole").with_columns(
            pl.Series(name, flags[name], pl.Boolean) for name in looks
        )

    schema = {**frame.collect_schema(), **dict.fromkeys(looks, pl.Boolean())}
    return prepared.map_batches(look_at, schema=schema, validate_output_schema=False, streamable=True)


def _flags(wrongs: dict[str, Wrong], texts: pl.Series) -> dict[str, list[bool]]:
    flags = {name: [False] * len(texts) for name in wrongs}
    for row in texts.is_not_null().arg_true():
        value = _parsed(texts[row])
        for name, wrong in wrongs.items():
            flags[name][row] = value is not ABSENT and wrong(value)
    return flags


def _of_rows(looks: dict[str, Look], batch: pl.DataFrame) -> dict[str, list[bool]]:
    if not looks:
        return {}
    texts = batch["_whole"]
    named = pl.Series([False]).new_from_index(0, batch.height)
    if texts.null_count() < batch.height:
        for place in {look.place for look in looks.values()}:
            named |= texts.str.contains(f'"{place}"', literal=True).fill_null(value=False)
    if not named.any():
        return {name: [False] * batch.height for name in looks}
    rows = [_parsed(text) if there else ABSENT for text, there in zip(texts, named, strict=True)]
    return {
        name: [isinstance(row, dict) and look.place in row and look.wrong(row[look.place]) for row in rows]
        for name, look in looks.items()
    }


def _parsed(text: str | None) -> Any:
    if text is None:
        return ABSENT
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ABSENT


# -- what is looked for -----------------------------------------------------------------------------------------------


def is_no_text(value: Any) -> bool:
    """Tell whether something is there that is no text."""
    return value is not None and not isinstance(value, str)


def lacks(name: str) -> Wrong:
    """Look for an object without a member."""
    return lambda value: isinstance(value, dict) and value.get(name) is None


def is_not_exactly(key: str, names: list[str]) -> Wrong:
    """Look for a member that is no object of just these members."""
    wanted = set(names)

    def wrong(home: Any) -> bool:
        given = home.get(key) if isinstance(home, dict) else None
        return given is not None and not (isinstance(given, dict) and given.keys() == wanted)

    return wrong


def has_more_than(most: int) -> Wrong:
    """Look for a list of too many elements."""
    return lambda value: isinstance(value, list) and len(value) > most


def needs_one_of(names: list[str]) -> Wrong:
    """Look for an element that has none of these members."""
    return lambda value: any(all(element.get(name) is None for name in names) for element in _objects(value))


def has_own(most: int, known: list[str]) -> Wrong:
    """Look for an element with too many members that are not known."""
    names = set(known)
    return lambda value: any(len(element.keys() - names) > most for element in _objects(value))


def has_text(least: int, most: int | None) -> Wrong:
    """Look for an element with a text, or that is one, of too few or too many characters."""

    def is_wrong(text: str) -> bool:
        return len(text) < least or (most is not None and len(text) > most)

    return lambda value: any(map(is_wrong, _texts(value)))


def is_deeper_than(most: int) -> Wrong:
    """Look for what is nested deeper, the value itself counted."""
    return lambda value: _depth(value) > most


def has_larger_than(most: int) -> Wrong:
    """Look inside of a value for an object or a list of more members."""
    return lambda value: any(isinstance(inner, dict | list) and len(inner) > most for inner in _inside(value))


def has_longer_inside(most: int) -> Wrong:
    """Look inside of a value for a text of more characters."""
    return lambda value: any(isinstance(inner, str) and len(inner) > most for inner in _inside(value))


def _members_of(value: Any) -> list[Any]:
    return [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []


def _depth(value: Any) -> int:
    depth, layer = 0, [value]
    while any(isinstance(each, dict | list) for each in layer):
        layer = [inner for each in layer for inner in _members_of(each)]
        depth += 1
    return depth


def _inside(value: Any) -> Iterator[Any]:
    """Give all that lies in a value, at any depth, without the value itself."""
    layer = _members_of(value)
    while layer:
        yield from layer
        layer = [inner for each in layer for inner in _members_of(each)]


def is_no_list_of_texts(elements: tuple[int, int], characters: tuple[int, int]) -> Wrong:
    """Look for what is no list of so many texts of so many characters."""

    def wrong(value: Any) -> bool:
        if not isinstance(value, list) or not elements[0] <= len(value) <= elements[1]:
            return True
        return not all(
            isinstance(text, str) and characters[0] <= len(text) <= characters[1] for text in value
        )

    return wrong


def _objects(value: Any) -> list[dict[str, Any]]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    for element in value if isinstance(value, list) else ():
        members = element.values() if isinstance(element, dict) else [element]
        yield from (text for text in members if isinstance(text, str))


__all__ = [
    "Look", "has_more_than", "has_own", "has_text", "is_no_list_of_texts", "is_no_text", "is_not_exactly", "lacks", "needs_one_of", "with_looks",
]  # fmt: skip
