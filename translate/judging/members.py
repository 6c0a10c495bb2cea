"""What expressions alone do not tell of a row, or not cheaply: what stands in its maps, which a batch's distinct keys tell; what stands in its lists; how its members stand, which only their JSON text shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate.engine.library import places, present
from translate.vocabulary.kernel_keys import keys_of, rows_with

Test = Callable[[pl.Expr], pl.Expr]
KNOWN_MAX = 100_000  # keys that need no second look; beyond, all of them are looked at anew


@dataclass(frozen=True)
class Seldom:
    """What rows may be wrong in because of what lies in the maps of one `home`, which the keys that a batch has tell.

    There has to be a key as `key` tests for, a value of more than `bytes_max`, or a row of more than `entries_max`. Without
    `wrong` such a key is all that is wrong; what is so `besides` lies in columns of their own.
    """

    home: str
    wrong: pl.Expr | None = None
    key: Test | None = None
    bytes_max: int | None = None
    entries_max: int | None = None
    besides: pl.Expr | None = None

    def told_by(self, column: str) -> pl.Expr:
        """Tell which rows are wrong, once a column says so of the maps."""
        flags = [pl.col(column), *([] if self.besides is None else [self.besides])]
        return pl.any_horizontal(flag.fill_null(value=False) for flag in flags)


class _Keys:
    """Remembers which keys of one home the questions test for: each is tested once."""

    def __init__(self, asked: Mapping[str, Seldom]) -> None:
        self._asked = asked
        self._tests = {name: question.key for name, question in asked.items() if question.key is not None}
        self._learned = self._nothing()

    def _nothing(self) -> tuple[set[str], dict[str, set[str]]]:
        return set(), {name: set() for name in self._tests}

    def possible(self, keys: pl.DataFrame) -> Iterator[tuple[str, set[str]]]:
        """Name the questions that rows with such keys may be wrong in, and the keys tested for; `keys` as `keys_of` lists them."""
        found = self._wrong_of({*keys["key"].to_list()})
        longest = max(keys["longest"].to_list(), default=0)
        most_of_map = dict(sorted(keys[["map", "most"]].iter_rows()))  # the last one stays
        entries = sum(most_of_map.values())
        for name, question in self._asked.items():
            if question.key is not None:
                may_be = bool(found[name])
            elif question.bytes_max is not None:
                may_be = longest > question.bytes_max
            else:
                may_be = question.entries_max is None or entries > question.entries_max
            if may_be:
                yield name, found.get(name, set())

    def _wrong_of(self, names: set[str]) -> dict[str, set[str]]:
        """Give the names that each question finds wrong.

        Batches come from several threads: they may test the same name, but none waits for another one while the engine tests.
        """
        if len(self._learned[0]) > KNOWN_MAX:
            self._learned = self._nothing()
        known, found = self._learned
        new = pl.DataFrame({"key": sorted(names - known)}, schema={"key": pl.String})
        for name, wrong in found.items() if new.height else ():
            wrong |= {*new.filter(self._tests[name](pl.col("key")))["key"]}
        known |= names
        return {name: names & wrong for name, wrong in found.items()}


class _Seldoms:
    """What few rows may be wrong in: as long as the keys that a batch has tell that none is, nothing is worked out."""

    def __init__(self, asked: Mapping[str, Seldom], homes: Mapping[str, Sequence[pl.Expr]]) -> None:
        self._asked = asked
        self._homes = {
            home: {f"_{home}{number}": column for number, column in enumerate(columns)}
            for home, columns in homes.items()
        }
        self.maps = {name: column for columns in self._homes.values() for name, column in columns.items()}
        self._keys = {
            home: _Keys({name: question for name, question in asked.items() if question.home == home})
            for home in homes
        }

    def flags(self, batch: pl.DataFrame) -> dict[str, pl.Series]:
        """Answer those questions that rows may be wrong in; the maps lie in columns of the batch."""
        found: dict[str, pl.Series] = {}
        to_work_out: dict[str, pl.Expr] = {}
        for home, columns in self._homes.items():
            maps = [batch[column] for column in columns]
            for name, keys in self._keys[home].possible(keys_of(maps)):
                wrong = self._asked[name].wrong
                if wrong is None:
                    found[name] = rows_with(maps, keys).alias(name)
                else:
                    to_work_out[name] = wrong.fill_null(value=False)
        return found | (batch.select_seq(**to_work_out).to_dict() if to_work_out else {})


Wrong = Callable[[Any], bool]
ABSENT = object()


@dataclass(frozen=True)
class Look:
    """A look into the value of one place: what it must not be. `of_row`: a member of the row, whose text is taken apart for it."""

    place: str
    wrong: Wrong
    of_row: bool = False


def looked_into(
    frame: pl.LazyFrame, seldom: Mapping[str, Seldom], homes: Mapping[str, Sequence[pl.Expr]],
    looks: Mapping[str, Look], lists: Mapping[str, pl.Expr], whole: pl.Expr | None,
) -> pl.LazyFrame:  # fmt: skip
    """Add a column of flags for each question and each look: one step of the query, for each step has its price."""
    if not (seldom or looks):
        return frame
    seldoms = _Seldoms(seldom, homes)
    into_lists = {place: f"_list:{place}" for place in lists}
    into_rows = {name: look for name, look in looks.items() if look.of_row}
    given = {**seldoms.maps, **{column: lists[place] for place, column in into_lists.items()}}
    if into_rows and whole is not None:
        given["_whole"] = whole

    def look(batch: pl.DataFrame) -> pl.DataFrame:
        flags = seldoms.flags(batch)
        for place, column in into_lists.items():
            into = {name: look for name, look in looks.items() if not look.of_row and look.place == place}
            flags |= _flags(into, batch[column])
        if "_whole" in given:
            flags |= _of_rows(into_rows, batch["_whole"])
        none = pl.Series([False]).new_from_index(0, batch.height)
        return batch[before.names()].hstack([flags.get(name, none.alias(name)) for name in (*seldom, *looks)])

    before = frame.collect_schema()
    schema = {**before, **dict.fromkeys((*seldom, *looks), pl.Boolean())}
    return frame.with_columns(**given).map_batches(
        look, schema=schema, validate_output_schema=False, streamable=True
    )


def _flags(looks: Mapping[str, Look], texts: pl.Series) -> dict[str, pl.Series]:
    rows = present(texts)
    values = [_parsed(text) for text in texts[rows]]
    given = {
        name: [value is not ABSENT and look.wrong(value) for value in values] for name, look in looks.items()
    }
    return _scattered(given, rows, len(texts))


def _scattered(given: Mapping[str, list[bool]], rows: pl.Series, height: int) -> dict[str, pl.Series]:
    """Give those flags as columns that tell of any of the rows."""
    none = pl.Series([False]).new_from_index(0, height)
    return {name: none.alias(name).scatter(rows, flags) for name, flags in given.items() if any(flags)}


def _of_rows(looks: Mapping[str, Look], texts: pl.Series) -> dict[str, pl.Series]:
    if texts.null_count() == len(texts):
        return {}
    named = pl.Series([False]).new_from_index(0, len(texts))
    for place in {look.place for look in looks.values()}:
        named |= texts.str.contains(f'"{place}"', literal=True).fill_null(value=False)
    rows = places(named)
    values = [_parsed(text) for text in texts.gather(rows)]

    def is_wrong(look: Look, row: Any) -> bool:
        return isinstance(row, dict) and look.place in row and look.wrong(row[look.place])

    given = {name: [is_wrong(look, value) for value in values] for name, look in looks.items()}
    return _scattered(given, rows, len(texts))


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
        least, most = characters
        return not all(isinstance(text, str) and least <= len(text) <= most for text in value)

    return wrong


def _objects(value: Any) -> list[dict[str, Any]]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    for element in value if isinstance(value, list) else ():
        members = element.values() if isinstance(element, dict) else [element]
        yield from (text for text in members if isinstance(text, str))
