"""What figures are made of: a few short columns of each event, whatever the rest of it holds."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from translate import money

START, STOP, PURCHASE = "session.start", "session.stop", "purchase"

# The hub columns that figures look at.
COLUMNS = (
    "name", "phase", "time", "client_id", "user_id", "cognito_id",
    "session.start", "session.stop", "session.duration",
    "value", "price", "quantity", "currency", "store",
)  # fmt: skip

FACTS: dict[str, pl.DataType] = {
    "type": pl.String(),
    "day": pl.Date(),
    "client": pl.UInt64(),
    "person": pl.UInt64(),
    "length": pl.Int64(),
    "currency": pl.String(),
    "amount": pl.Int64(),
}

MICROS = 1_000_000


def facts(column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    """Give the facts of an event whose hub columns are given by name.

    `client` and `person` (the user, else the Cognito identity, else the client) are hashes of 64 bits, the same within
    a process; `length` is an ended session's in milliseconds, the recorded one, else stop minus start; `amount` is
    what a purchase is worth in real money, in millionths, so that sums do not depend on their order.
    """
    name, money_of = column("name"), [column(part) for part in ("value", "price", "quantity", "currency", "store")]
    value, price, quantity, code, store = money_of
    length = column("session.duration").fill_null((column("session.stop") - column("session.start")).dt.total_milliseconds())
    amount = (money.amount(*money_of) * MICROS).round().cast(pl.Int64, strict=False)
    is_purchase = name == PURCHASE
    return {
        "type": name,
        "day": column("time").dt.date(),
        "client": _hashed(column("client_id")),
        "person": _hashed(pl.coalesce(column("user_id"), column("cognito_id"), column("client_id"))),
        "length": pl.when(name == STOP).then(length),
        "currency": pl.when(is_purchase).then(money.currency(code, store, value, price, quantity)),
        "amount": pl.when(is_purchase).then(amount),
    }


def _hashed(text: pl.Expr) -> pl.Expr:
    return pl.when(text.is_not_null()).then(text.hash(0))
