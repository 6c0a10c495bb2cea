"""How values with places of their own leave the maps of the events that they belong to."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from translate.engine.library import replaced, spread
from translate.mapping.spec import Field
from translate.vocabulary import notation


class WayOut:
    """How presets leave the maps of the events that they belong to: few events, so that only these are looked at."""

    def __init__(
        self, when: tuple[str, ...], homes: dict[str, list[Field]], read: Callable[[Field, pl.Expr], pl.Expr]
    ) -> None:
        self._when = when
        self._homes = [*homes]
        self._exact: list[pl.Expr] = []
        self._made: list[pl.Expr] = []
        for home, entries in homes.items():
            texts = {entry.hub[0]: pl.col(home).map.get(entry.key) for entry in entries}
            keys = [entry.key for entry in entries]
            others = pl.element().filter(~pl.element().struct.field("key").is_in(keys))
            rest = pl.col(home).map.entries().list.eval(others).list.to_map()
            exact = f"exact:{home}"
            self._exact.append(_are_exact(entries, texts).alias(exact))
            self._made.append(pl.when(exact).then(rest).otherwise(pl.col(home)).alias(home))
            self._made += [
                pl.when(exact).then(read(entry, texts[entry.hub[0]])).alias(entry.hub[0]) for entry in entries
            ]

    def taken_out(self, batch: pl.DataFrame) -> list[pl.Series]:
        """Give the presets' columns, and what is left of their maps; maps that lack a digit of a number keep all of it."""
        rows = batch[self._homes[0]].is_not_null()
        for home in self._homes[1:]:
            rows = rows | batch[home].is_not_null()
        if self._when:
            rows = rows & batch["name"].is_in(self._when).fill_null(value=False)
        chosen = batch.select(self._homes).filter(rows).lazy().with_columns(self._exact).select(self._made)
        taken = chosen.collect(engine="in-memory")
        columns = spread(taken.drop(self._homes), rows).get_columns()
        if not taken.height:
            return columns
        return [*columns, *(replaced(batch[home], rows, taken[home]).alias(home) for home in self._homes)]


def _are_exact(entries: list[Field], texts: dict[str, pl.Expr]) -> pl.Expr:
    """Tell for which events a double holds every digit of the numbers; else they all stay in their map."""
    checks = [
        texts[entry.hub[0]].is_null()
        | (notation.digits(texts[entry.hub[0]].cast(pl.Float64, strict=False)) == texts[entry.hub[0]])
        for entry in entries
        if entry.word.as_double
    ]
    return pl.all_horizontal(checks).fill_null(value=False) if checks else pl.lit(True)
