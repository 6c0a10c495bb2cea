"""What expressions alone do not tell of a row, or not cheaply: what stands in its maps, which a batch's distinct keys tell; what stands in its lists; how its members stand, which only their JSON text shows."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate.engine.keys import keys_of

Test = Callable[[pl.Expr], pl.Expr]
KNOWN_MAX = 100_000  # keys that need no second look; beyond, all of them are looked at anew


@dataclass(frozen=True)
class Seldom:
    """What rows may be wrong in because of what lies in the maps of one `home`, which the keys that a batch has tell.

    There has to be a key as `key` tests for, a value of more than `bytes_max`, or a row of more than `entries_max`. What is wrong
    `besides` lies in columns of their own.
    """

    home: str
    wrong: pl.Expr
    key: Test | None = None
    bytes_max: int | None = None
    entries_max: int | None = None
    besides: pl.Expr | None = None

    def told_by(self, column: str) -> pl.Expr:
        """Tell which rows are wrong, once a column says so of the maps."""
        flags = [pl.col(column), *([] if self.besides is None else [self.besides])]
        return pl.any_horizontal(flag.fill_null(value=False) for flag in flags)


def is_key(key: str) -> Test:
    """Test for one key."""
    return lambda name: name == key


class _Keys:
    """Remembers which keys of one home the questions test for: each is tested once."""

    def __init__(self, asked: Mapping[str, Seldom]) -> None:
        self._asked = asked
        self._known: set[str] = set()
        self._found: dict[str, set[str]] = {}
        self._lock = threading.Lock()  # batches come from several threads

    def possible(self, keys: pl.DataFrame) -> Iterator[str]:
        """Name the questions that rows with such keys may be wrong in; `keys` as `keys_of` lists them."""
        names = {*keys["key"]}
        with self._lock:
            self._learn(names)
            found = {name: not names.isdisjoint(wrong) for name, wrong in self._found.items()}
        longest = max(keys["longest"], default=0)
        entries = int(keys.group_by("map").agg(pl.col("most").max())["most"].sum())
        for name, question in self._asked.items():
            if question.key is not None:
                may_be = found[name]
            elif question.bytes_max is not None:
                may_be = longest > question.bytes_max
            else:
                may_be = question.entries_max is None or entries > question.entries_max
            if may_be:
                yield name

    def _learn(self, names: set[str]) -> None:
        if not self._found or len(self._known) > KNOWN_MAX:
            self._known, self._found = set(), {name: set() for name in self._asked}
        new = pl.DataFrame({"key": sorted(names - self._known)}, schema={"key": pl.String})
        self._known |= names
        for name, question in self._asked.items() if new.height else ():
            if question.key is not None:
                self._found[name] |= {*new.filter(question.key(pl.col("key")))["key"]}


def with_seldom(
    frame: pl.LazyFrame, asked: Mapping[str, Seldom], homes: Mapping[str, Sequence[pl.Expr]]
) -> pl.LazyFrame:
    """Add a column of flags for each question."""
    if not asked:
        return frame
    maps = {
        f"{home}{number}": column for home, columns in homes.items() for number, column in enumerate(columns)
    }
    keys = {
        home: _Keys({name: question for name, question in asked.items() if question.home == home})
        for home in homes
    }

    def look(batch: pl.DataFrame) -> pl.DataFrame:
        given = batch.select(**maps)
        possible = [
            name
            for home, columns in homes.items()
            for name in keys[home].possible(
                keys_of([given[f"{home}{number}"] for number in range(len(columns))])
            )
        ]
        none = pl.Series([False]).new_from_index(0, batch.height)
        flags = {name: asked[name].wrong.fill_null(value=False) for name in possible}
        found = batch.select(**flags).to_dict()
        return pl.DataFrame([*batch.get_columns(), *(found.get(name, none.alias(name)) for name in asked)])

    schema = {**frame.collect_schema(), **dict.fromkeys(asked, pl.Boolean())}
    return frame.map_batches(look, schema=schema, validate_output_schema=False, streamable=True)


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
    places = dict.fromkeys(look.place for look in looks.values() if not look.of_row)
    into_lists = {place: f"_list{number}" for number, place in enumerate(places)}
    into_rows = {name: look for name, look in looks.items() if look.of_row}
    if not looks:
        return frame
    given = {column: lists[place] for place, column in into_lists.items()}
    prepared = frame.with_columns(**given, _whole=pl.lit(None, pl.String) if whole is None else whole)

    def look_at(batch: pl.DataFrame) -> pl.DataFrame:
        flags: dict[str, list[bool]] = {}
        for place, column in into_lists.items():
            into = {name: look for name, look in looks.items() if not look.of_row and look.place == place}
            flags |= _flags(into, batch[column])
        flags |= _of_rows(into_rows, batch)
        return batch.drop(*into_lists.values(), "_whole").with_columns(
            pl.Series(name, flags[name], pl.Boolean) for name in looks
        )

    schema = {**frame.collect_schema(), **dict.fromkeys(looks, pl.Boolean())}
    return prepared.map_batches(look_at, schema=schema, validate_output_schema=False, streamable=True)


def _flags(looks: dict[str, Look], texts: pl.Series) -> dict[str, list[bool]]:
    flags = {name: [False] * len(texts) for name in looks}
    for row in texts.is_not_null().arg_true():
        value = _parsed(texts[row])
        for name, look in looks.items():
            flags[name][row] = value is not ABSENT and look.wrong(value)
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
