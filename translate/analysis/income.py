"""What was taken in: the worth of purchases, in real money, each currency for itself."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from translate.analysis.frames import CLIENT, PERIODS, Events, Who, began, lazy, named, one_of, person
from translate.vocabulary import money

MICROS = 1_000_000  # so that sums do not depend on their order
PARTS = ("value", "price", "quantity", "currency", "store")


def revenue(
    events: Events, *, period: str | None = "day", by: str | Sequence[str] = (), who: Who = CLIENT
) -> pl.DataFrame:
    """Add up what purchases are worth: `purchases`, `payers` and `amount` of each `currency`, by day or any other period.

    `period=None` is the whole time; `by` names more columns to tell apart, such as `app.id`. What is no money is left out:
    virtual stores, purchases without a currency of ISO 4217, without a price or a quantity.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive")
    >>> translate.analysis.revenue(events, period=None).filter(currency="EUR").rows()
    [('EUR', 5, 5, 39.9)]
    """
    keys = named(by, "revenue: by")
    if period is not None:
        one_of(period, "period", "revenue", PERIODS)
    frame = lazy(events, "revenue", ["name", "time", *PARTS, *named(who), *keys])
    told = frame.filter(pl.col("name") == money.PURCHASE).select(
        *([began(period).alias(period)] if period else []),
        *keys,
        _payer=person(who),
        _code=money.currency(*map(pl.col, ("currency", "store", "value", "price", "quantity"))),
        _amount=(money.amount(*map(pl.col, PARTS)) * MICROS).round().cast(pl.Int64, strict=False),
    )
    groups = [*([period] if period else []), *keys, "currency"]
    summed = (
        told.drop_nulls("_code")
        .rename({"_code": "currency"} if "currency" not in keys else {})
        .group_by(groups)
        .agg(
            purchases=pl.len(),
            payers=pl.col("_payer").drop_nulls().n_unique(),
            amount=pl.col("_amount").cast(pl.Int128).sum().cast(pl.Float64) / MICROS,
        )
    )
    return summed.sort(groups).collect()
