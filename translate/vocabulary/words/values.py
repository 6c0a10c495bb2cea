"""What an event is worth: real money, its currency, its items, and what is left of price, quantity and currency where it is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from translate import events
from translate.vocabulary import money
from translate.vocabulary.notation import as_it_is, digits, number
from translate.vocabulary.notes import FILLED_IN, SAID_ONCE, Finding
from translate.vocabulary.word import Scalar, Written


def _of_worth(written: Written, own_item: pl.Expr) -> Finding:
    """Tell of a value that is price times quantity, and is not said by the event's own item."""
    filled_in = written.value.is_not_null() & pl.col("value").is_null() & ~own_item
    return Finding(FILLED_IN, f"{written.place} is price times quantity", filled_in, "value")


def _supplements_of_worth(written: Written) -> Iterator[Finding]:
    yield _of_worth(written, pl.lit(False))


def _supplements_of_money(written: Written) -> Iterator[Finding]:
    own_item = pl.col("item_id").is_not_null() & pl.col("items").is_null()
    yield _of_worth(written, own_item)
    product = money.worth(pl.lit(None, pl.Float64), pl.col("price"), pl.col("quantity"))
    said_once = written.value.is_not_null() & own_item & (pl.col("value") == product)
    yield Finding(SAID_ONCE, f"{written.place} is price times quantity", said_once, "value")
    yield from _worthless(written)


def _supplements_of_revenue(written: Written) -> Iterator[Finding]:
    yield _of_worth(written, pl.lit(False))
    yield from _worthless(written)


def _worthless(written: Written) -> Iterator[Finding]:
    """Tell why a real purchase has no value."""
    value, price, quantity, code, store = (pl.col(name) for name in written.hub)
    left = written.value.is_null() & (pl.col("name") == money.PURCHASE) & money.is_real(store)
    for reason, holds in money.why_worthless(value, price, quantity, code).items():
        message = f"{written.place} of a purchase is missing: {reason}"
        yield Finding("purchase_without_value", message, left & holds)
        left = left & ~holds


def _amount(name: str, about: str, of: Callable[..., pl.Expr], **own: Any) -> Scalar:
    """Make a word of a number that is worked out of several hub columns."""
    return Scalar(name, about, wire="number", read=number, write=lambda columns: digits(of(*columns)), **own)


# Of the hub's columns of a purchase: three amounts and its texts, currency first.
PURCHASE: dict[str, Any] = {"types": (events.NUMBER,) * 3 + (events.TEXT,) * 2, "columns": (5, 5)}
OF_CURRENCY: dict[str, Any] = {"types": (events.TEXT, events.TEXT, events.NUMBER), "columns": (5, 5)}

WORTH = _amount(
    "worth", "the value, else price times quantity", money.worth, types=(events.NUMBER,), columns=(3, 3),
    example=((None, 9.99, 3.0), "29.97"), supplements=_supplements_of_worth, needs_finite=True,
)  # fmt: skip

MONEY = _amount(
    "money", "what real money an event is worth", money.amount, **PURCHASE,
    example=((None, 9.99, 3.0, "USD", None), "29.97"), supplements=_supplements_of_money,
    states_money=True, needs_finite=True,
)  # fmt: skip

REVENUE = _amount(
    "revenue", "what real money an event is worth, where no list of items says it", money.amount, **PURCHASE,
    example=((None, 9.99, 3.0, "USD", None), "29.97"), supplements=_supplements_of_revenue, needs_finite=True,
)  # fmt: skip

MONEY_CURRENCY = Scalar(
    "money_currency", "the currency of real money",
    **OF_CURRENCY, wire="text", read=as_it_is, write=lambda columns: money.currency(*columns),
    changed=lambda columns: columns[0] != money.currency(*columns), why="written in capitals",
    example=(("Gold", "Virtual", None, 1.0, 1.0), None),
)  # fmt: skip

SUMMED_PRICE = _amount(
    "summed_price", "a price that, times the quantity, is the real money that the event is worth",
    lambda price, value, *rest: money.summed(price, value, price, *rest), **PURCHASE,
    example=((9.99, None, 3.0, "USD", None), "9.99"), needs_finite=True,
)  # fmt: skip

SUMMED_QUANTITY = _amount(
    "summed_quantity", "a quantity that, times the price, is the real money that the event is worth",
    lambda quantity, value, price, *rest: money.summed(quantity, value, price, quantity, *rest), **PURCHASE,
    example=((3.0, None, 9.99, "USD", None), "3"), needs_finite=True,
)  # fmt: skip

PLAIN_PRICE = _amount(
    "plain_price", "a price of which no receiver may make money",
    lambda price, value, *rest: money.not_summed(price, value, price, *rest), **PURCHASE,
    example=((500.0, None, 3.0, "Gold", "Virtual"), "500"), needs_finite=True,
)  # fmt: skip

PLAIN_QUANTITY = _amount(
    "plain_quantity", "a quantity of which no receiver may make money",
    lambda quantity, value, price, *rest: money.not_summed(quantity, value, price, quantity, *rest), **PURCHASE,
    example=((3.0, None, 500.0, "Gold", "Virtual"), "3"), needs_finite=True,
)  # fmt: skip

LOOSE_VALUE = _amount(
    "loose_value", "a value that is no real money", lambda value, *rest: money.not_money(value, value, *rest), **PURCHASE,
    example=((2500.0, 2500.0, 1.0, "Gold", "Virtual"), "2500"),
)  # fmt: skip

LOOSE_PRICE = _amount(
    "loose_price", "a price that neither a money value nor an item carries",
    lambda price, value, *rest: money.not_carried(price, value, price, *rest),
    types=(events.NUMBER,) * 3 + (events.TEXT,), columns=(7, 7),
    example=((1.5, None, 2.0, "Gold", "Virtual", "i", None), "1.5"),
)  # fmt: skip

LOOSE_QUANTITY = _amount(
    "loose_quantity", "a quantity that neither a money value nor an item carries",
    lambda quantity, item_id, items, value, price, code, store: money.not_carried(
        quantity, value, price, quantity, code, store, item_id, items
    ),
    types=(events.NUMBER, events.TEXT, events.TEXT, events.NUMBER, events.NUMBER, events.TEXT), columns=(7, 7),
    example=((2.0, None, None, None, 1.5, "USD", None), "2"),
)  # fmt: skip

LOOSE_CURRENCY = Scalar(
    "loose_currency", "a currency that no money value carries",
    **OF_CURRENCY, wire="text", read=as_it_is, write=lambda columns: money.not_money(columns[0], *columns[2:], *columns[:2]),
    example=(("Gold", "Virtual", None, 1.0, 1.0), "Gold"),
)  # fmt: skip


# A list of one plain item, as an event's own item is written.
PLAIN_ITEM = r'^\[\{"id":"(?:[^"\\]|\\.)*"(?:,"price":-?[0-9.]+)?(?:,"quantity":-?[0-9.]+)?(?:,"currency":"[A-Z]{3}")?\}\]$'


def _supplements(written: Written) -> Iterator[Finding]:
    """Tell of a list of items that looks like an event's own item, which it will be read as."""
    alone = pl.col("item_id").is_null() & pl.col("items").str.contains(PLAIN_ITEM)
    for column in ("items", "item_id", "price", "quantity", "value"):
        message = f"{written.place} of one plain item: cannot be told from the event's own {column}"
        yield Finding("taken_for", message, alone, column)


ITEM_LIST = Scalar(
    "item_list", "a list of items; a purchase's own item where there is none",
    types=(events.TEXT, events.TEXT, events.NUMBER, events.NUMBER, events.TEXT, events.TEXT, events.NUMBER),
    columns=(7, 7), carries=2, stands_for=("items", "item_id", "price", "quantity", "currency", "store", "value"),
    wire="json", read=as_it_is, write=lambda columns: money.item_list(*columns),
    example=((None, "i", 1.5, 2.0, "USD", None, None), '[{"id":"i","price":1.5,"quantity":2,"currency":"USD"}]'),
    supplements=_supplements, lists_own_item=True, also_gives=("item_id", "price", "quantity", "currency"),
)  # fmt: skip

LOOSE_ITEM_ID = Scalar(
    "loose_item_id", "an item's id beside a list of items",
    types=(events.TEXT,), columns=(2, 2), wire="text", read=as_it_is,
    write=lambda columns: money.loose_item_id(*columns), example=(("i", "[]"), "i"),
)  # fmt: skip
