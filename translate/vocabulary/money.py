"""What a purchase is worth, and when that is money: an ISO 4217 currency, in any case, and a store other than `Virtual`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

from translate import events
from translate.engine.library import where_there
from translate.vocabulary import notation
from translate.vocabulary.notes import Finding

CODES = Path(__file__).with_name("iso_4217.txt")
CODE_LETTERS = 3
VIRTUAL_STORE = "virtual"
EXACT_WHOLE_MAX = 2**53
PURCHASE = "purchase"
MISSING_QUANTITY = "missing_quantity"  # the setting


@cache
def currencies() -> frozenset[str]:
    """Give the codes of ISO 4217."""
    lines = CODES.read_text(encoding="utf-8").splitlines()
    return frozenset(code for line in lines if not line.startswith("#") for code in line.split())


def is_currency(code: pl.Expr) -> pl.Expr:
    """Tell which texts are codes of currencies."""
    # Of ASCII alone: other letters, too, have these as their capitals.
    is_plain = (code.str.len_bytes() == CODE_LETTERS) & (code.str.len_chars() == CODE_LETTERS)
    return (is_plain & code.str.to_uppercase().is_in(currencies())).fill_null(value=False)


def worth(value: pl.Expr, price: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Give the value, else price times quantity: exact where it is whole, else to the 15 digits that a double guarantees."""
    product = price * quantity
    is_exact = (quantity == 1) | ((product == product.floor()) & (product.abs() < EXACT_WHOLE_MAX))
    return value.fill_null(pl.when(is_exact).then(product).otherwise(product.round_sig_figs(15)))


def _is_money(value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr) -> pl.Expr:
    return is_currency(code) & is_real(store) & worth(value, price, quantity).is_not_null()


def is_real(store: pl.Expr) -> pl.Expr:
    """Tell which stores take real money: any but the virtual one, and where none is named."""
    return store.str.to_lowercase().ne_missing(VIRTUAL_STORE)


def amount(value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr) -> pl.Expr:
    """Give what an event is worth, if that is money."""
    return pl.when(_is_money(value, price, quantity, code, store)).then(worth(value, price, quantity))


def currency(code: pl.Expr, store: pl.Expr, value: pl.Expr, price: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Give the currency of an event that is worth money, in capitals."""
    return pl.when(_is_money(value, price, quantity, code, store)).then(code.str.to_uppercase())


def not_money(
    part: pl.Expr, value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr
) -> pl.Expr:
    """Give the value or the currency of an event that is worth no money."""
    return pl.when(~_is_money(value, price, quantity, code, store)).then(part)


def _is_product(value: pl.Expr, price: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Tell which values are price times quantity, said or not: of these a receiver may do the sum itself."""
    product = worth(pl.lit(None, pl.Float64), price, quantity)
    return (value.fill_null(product) == product).fill_null(value=False)


def summed(
    part: pl.Expr, value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr
) -> pl.Expr:
    """Give a price or quantity whose product is the real money that the event is worth."""
    is_summed = _is_money(value, price, quantity, code, store) & _is_product(value, price, quantity)
    return pl.when(is_summed).then(part)


def not_summed(
    part: pl.Expr, value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr
) -> pl.Expr:
    """Give a price or quantity of which no receiver may make money."""
    is_summed = _is_money(value, price, quantity, code, store) & _is_product(value, price, quantity)
    return pl.when(~is_summed).then(part)


def not_carried(
    part: pl.Expr, value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr,
    item_id: pl.Expr, items: pl.Expr,
) -> pl.Expr:  # fmt: skip
    """Give a price or quantity that no item carries."""
    carried = _is_money(value, price, quantity, code, store) & _has_own_item(item_id, items)
    return pl.when(~carried).then(part)


def loose_item_id(item_id: pl.Expr, items: pl.Expr) -> pl.Expr:
    """Give an item's id that no item of one's own carries, because the event has a list of items."""
    return pl.when(~_has_own_item(item_id, items)).then(item_id)


def _has_own_item(item_id: pl.Expr, items: pl.Expr) -> pl.Expr:
    return item_id.is_not_null() & items.is_null()


def item_list(
    items: pl.Expr, item_id: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr,
    value: pl.Expr,
) -> pl.Expr:  # fmt: skip
    """Give the list of items as JSON text; price and currency of one's own item only if they are money."""
    is_money = _is_money(value, price, quantity, code, store)
    said = notation.json_members(
        {
            "price": notation.digits(price),
            "quantity": notation.digits(quantity),
            "currency": notation.json_text(code.str.to_uppercase()),
        }
    )
    named = notation.json_members({"id": notation.json_text(item_id)})
    own = pl.concat_str(pl.lit("[{"), notation.joined([named, pl.when(is_money).then(said)]), pl.lit("}]"))
    return items.fill_null(where_there([item_id], own, events.TEXT))


# -- purchases without a value ----------------------------------------------------------------------------------


def why_worthless(value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr) -> dict[str, pl.Expr]:
    """Give the reasons why a real purchase has no value, each with what tells it; the first one counts."""
    has_none = value.is_null()
    no_quantity = f"no quantity; where the app's SDK meant one, say --set {MISSING_QUANTITY}=1"
    return {
        "no currency; a recipe can set it (set.currency)": code.is_null(),
        "its currency is no code of ISO 4217; a recipe can set it (set.currency)": ~is_currency(code),
        "no price; a recipe can set it (set.price)": has_none & price.is_null(),
        no_quantity: has_none & quantity.is_null(),
    }


def with_quantity(frame: pl.LazyFrame, quantity: float | None) -> pl.LazyFrame:
    """Fill in the quantity of purchases that have a price only, and tell which in `_quantity_filled`."""
    if quantity is None:
        return frame
    bare = pl.col("price").is_not_null() & pl.col("quantity").is_null() & pl.col("value").is_null()
    frame = frame.with_columns(_quantity_filled=(pl.col("name") == PURCHASE) & bare)
    filled = pl.when("_quantity_filled").then(pl.lit(float(quantity)))
    return frame.with_columns(quantity=filled.otherwise(pl.col("quantity")))


def quantity_filled() -> Finding:
    """Say what there is to tell of the quantities that were filled in."""
    message = f"the quantity of a purchase that tells none is the setting {MISSING_QUANTITY}"
    return Finding("quantity_filled", message, pl.col("_quantity_filled"), "quantity")
