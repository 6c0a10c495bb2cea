"""Questions about maps that most batches cannot be wrong in: their distinct keys tell, so that no row has to be looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
        entries = sum(
            int(most or 0)
            for (most,) in keys.group_by("map").agg(pl.col("most").max()).select("most").iter_rows()
        )
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
        found = batch.select(_flag(name, asked[name]) for name in possible).to_dict()
        return pl.DataFrame([*batch.get_columns(), *(found.get(name, none.alias(name)) for name in asked)])

    schema = {**frame.collect_schema(), **dict.fromkeys(asked, pl.Boolean())}
    return frame.map_batches(look, schema=schema, validate_output_schema=False, streamable=True)


def _flag(name: str, question: Seldom) -> pl.Expr:
    return question.wrong.fill_null(value=False).alias(name)
