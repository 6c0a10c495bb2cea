"""Event types that got other names on the way: one row tells of them, under both names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from translate.telling.figures.fates import RULES, SOURCE

NAMES_MAX = 3  # that became one, by their names
ARROW = " \N{RIGHTWARDS ARROW} "


@dataclass(frozen=True)
class Renames:
    """Under which text the rows of a type stand, on both sides, if it was renamed."""

    texts: Mapping[str, str]

    def told(self, facts: pl.LazyFrame) -> pl.LazyFrame:
        """Give facts with the types as the rows name them."""
        return facts.with_columns(pl.col("type").replace(dict(self.texts))) if self.texts else facts


def renames_in(fates: pl.LazyFrame) -> Renames:
    """Find the types all of whose written events have one other name after the rules, which no others get."""
    before, after = f"{SOURCE}.type", f"{RULES}.type"
    written = fates.filter((pl.col("outcome") == "written") & pl.col("first"))
    pairs = written.group_by(before, after).len().drop_nulls().collect(engine="streaming")
    became: dict[str, set[str]] = defaultdict(set)
    came_from: dict[str, set[str]] = defaultdict(set)
    for old, new, _ in pairs.iter_rows():
        became[old].add(new)
        came_from[new].add(old)
    texts: dict[str, str] = {}
    for new, olds in sorted(came_from.items()):
        is_clear = all(became[old] == {new} and (old == new or old not in came_from) for old in olds)
        if olds != {new} and is_clear and became.get(new, {new}) == {new}:
            names = sorted(olds)
            told = ", ".join(names) if len(names) <= NAMES_MAX else f"{len(names)} types"
            texts |= dict.fromkeys([*names, new], f"{told}{ARROW}{new}")
    return Renames(texts)
