"""What was worked out for some rows of a batch, put into the place of these rows."""

from __future__ import annotations

from contextlib import suppress

import polars as pl

from translate import events
from translate.engine.library import library, through


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
