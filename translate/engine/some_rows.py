"""What was worked out for some rows of a batch, put into the place of these rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import polars as pl

from translate import events
from translate.engine.library import library, through

if TYPE_CHECKING:
    from polars._typing import PolarsDataType


def spread(values: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Give each row that is chosen its values, one after the other; the others have null."""
    places = rows.arg_true()
    return pl.DataFrame([_spread(column, places, len(rows)) for column in values])


def _spread(values: pl.Series, places: pl.Series, height: int) -> pl.Series:
    whole = pl.Series(values.name, [None], values.dtype).new_from_index(0, height)
    return whole.scatter(places, values) if len(values) else whole


def replaced(whole: pl.Series, rows: pl.Series, values: pl.Series) -> pl.Series:
    """Put values, one for each row that is chosen, into a column."""
    kernel = library()
    if whole.dtype == events.MAP and kernel is not None:
        frame = pl.DataFrame([rows.alias("chosen"), whole.alias("map")])
        others = pl.DataFrame([values.cast(events.MAP).alias("map")])
        with suppress(MemoryError):  # also where an entry has no value
            return through(kernel.translate_replaced, frame, others).to_series().cast(events.MAP)
    order = pl.int_range(len(whole), eager=True).scatter(
        rows.arg_true(), pl.int_range(len(whole), len(whole) + len(values), eager=True)
    )
    return pl.concat([whole, values.cast(whole.dtype)]).gather(order)


def for_some(rows: pl.Expr, value: pl.Expr, dtype: PolarsDataType) -> pl.Expr:
    """Work a value out for some rows only, where it is dear and few need it; the others have null."""
    names = sorted({*rows.meta.root_names(), *value.meta.root_names()})

    def work(columns: Sequence[pl.Series]) -> pl.Series:
        frame = pl.DataFrame(columns)
        chosen = frame.select(rows.fill_null(value=False)).to_series()
        if not chosen.any():
            return pl.Series([None], dtype=dtype).new_from_index(0, frame.height)
        values = frame.filter(chosen).select(value).to_series()
        return values.gather(pl.select(pl.when(chosen).then(chosen.cum_sum() - 1)).to_series())

    return pl.map_batches([*map(pl.col, names)], work, return_dtype=dtype, is_elementwise=True)
