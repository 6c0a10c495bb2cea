"""What figures are made of: a few short columns of each event, whatever the rest of it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from translate.mapping.spec import Addition
from translate.vocabulary import money

START, STOP, PURCHASE = "session.start", "session.stop", "purchase"

# The hub columns that figures look at.
COLUMNS = (
    "name", "phase", "time", "client_id", "user_id", "cognito_id",
    "session.start", "session.stop", "session.duration",
    "value", "price", "quantity", "currency", "store",
    "session.id", "user_properties", "metrics",
)  # fmt: skip

FACTS: dict[str, pl.DataType] = {
    "type": pl.String(),
    "starts": pl.Boolean(),
    "day": pl.Date(),
    "client": pl.UInt64(),
    "person": pl.UInt64(),
    "length": pl.Int64(),
    "currency": pl.String(),
    "amount": pl.Int64(),
    # what dashboards count by
    "touched": pl.Date(),
    "session": pl.UInt64(),
    "lasted": pl.Int64(),
    "engaged": pl.Int64(),
}

MICROS = 1_000_000


def facts(
    column: Callable[[str], pl.Expr], event_type: pl.Expr, additions: Mapping[str, Addition]
) -> dict[str, pl.Expr]:
    """Give the facts of an event whose hub columns are given by name; `additions` say what a target's dashboards count by.

    `event_type` is what the target calls it; `starts` tells whether it starts a session. `client` and `person` (the
    user, else the Cognito identity, else the client) are hashes of 64 bits, the same within a process; `length` is an ended session's in milliseconds, the recorded one, else stop minus start; `amount` is
    what a purchase is worth in real money, in millionths, so that sums do not depend on their order.
    """
    name, money_of = (
        column("name"),
        [column(part) for part in ("value", "price", "quantity", "currency", "store")],
    )
    value, price, quantity, code, store = money_of
    length = column("session.duration").fill_null(
        (column("session.stop") - column("session.start")).dt.total_milliseconds()
    )
    amount = (money.amount(*money_of) * MICROS).round().cast(pl.Int64, strict=False)
    is_purchase = name == PURCHASE
    return {
        "type": event_type,
        "starts": name == START,
        "day": column("time").dt.date(),
        "client": _hashed(column("client_id")),
        "person": _hashed(pl.coalesce(column("user_id"), column("cognito_id"), column("client_id"))),
        "length": pl.when(name == STOP).then(length),
        "currency": pl.when(is_purchase).then(money.currency(code, store, value, price, quantity)),
        "amount": pl.when(is_purchase).then(amount),
        **_of_dashboards(column, additions, length),
    }


def _of_dashboards(
    column: Callable[[str], pl.Expr], additions: Mapping[str, Addition], length: pl.Expr
) -> dict[str, pl.Expr]:
    """Give of an event the day on which its client was first seen, its session, how long that lasted, and the engagement."""
    touch = engaged = pl.lit(None, pl.Int64)
    if "first_open" in additions:
        touch = (
            column("user_properties")
            .map.get(additions["first_open"].user_property)
            .str.strip_chars('"')
            .cast(pl.Int64, strict=False)
        )
    if "engagement" in additions:
        told = (
            column("metrics")
            .map.get(additions["engagement"].metric)
            .cast(pl.Float64, strict=False)
            .cast(pl.Int64, strict=False)
        )
        engaged = pl.when(column("name") == additions["engagement"].event).then(told)
    is_session = column("session.id").is_not_null() & column("client_id").is_not_null()
    session = pl.concat_str(column("client_id"), pl.lit("\x1f"), column("session.id"))
    return {
        "touched": touch.cast(pl.Datetime("ms")).dt.date(),
        "session": pl.when(is_session).then(session.hash(0)),
        "lasted": length,
        "engaged": engaged,
    }


def _hashed(text: pl.Expr) -> pl.Expr:
    return pl.when(text.is_not_null()).then(text.hash(0))
