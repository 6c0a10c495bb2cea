"""A purchase's own item, taken back out of the list of items that it was written into."""

from __future__ import annotations

import polars as pl

from translate.vocabulary import money

NUMBER = r"(-?[0-9][0-9.]*)"
OWN_ITEM = rf'^\[\{{"id":"((?:[^"\\]|\\.)*)"(?:,"price":{NUMBER})?(?:,"quantity":{NUMBER})?(?:,"currency":"([A-Z]{{3}})")?\}}\]$'


def take_out_own_item(frame: pl.LazyFrame, worth: pl.Expr) -> pl.LazyFrame:
    """Give an event its item's id, price and quantity, where writing these gives the same list and value again.

    `worth` is the value that the record states as money. Needs the columns `items`, `item_id`, `value`, `price`, `quantity`, `currency` and `store`; a value that is price
    times quantity is left to these two.
    """
    spelled = pl.when(pl.col("item_id").is_null()).then(pl.col("items"))
    decoded = pl.concat_str(pl.lit('{"t":"'), pl.col("_id"), pl.lit('"}')).str.json_decode(
        pl.Struct({"t": pl.String})
    )
    frame = frame.with_columns(_id=spelled.str.extract(OWN_ITEM, 1)).with_columns(
        _id=pl.when(pl.col("_id").is_not_null()).then(decoded.struct.field("t")),
        _own_price=pl.coalesce(spelled.str.extract(OWN_ITEM, 2).cast(pl.Float64), pl.col("price")),
        _own_quantity=pl.coalesce(spelled.str.extract(OWN_ITEM, 3).cast(pl.Float64), pl.col("quantity")),
    )
    value, price, quantity = pl.col("value"), pl.col("_own_price"), pl.col("_own_quantity")
    code, store = pl.col("currency"), pl.col("store")
    frame = frame.with_columns(_worth=money.worth(pl.lit(None, pl.Float64), price, quantity))
    frame = frame.with_columns(
        _own_value=pl.when((pl.col("_worth") != worth).fill_null(value=True)).then(value)
    )
    stated = pl.col("_own_value")
    frame = frame.with_columns(
        _items=money.item_list(pl.lit(None, pl.String), pl.col("_id"), price, quantity, code, store, stated),
        _amount=money.amount(stated, price, quantity, code, store),
    )
    own = (
        pl.col("_id").is_not_null()
        & (pl.col("_items") == pl.col("items"))
        & pl.col("_amount").eq_missing(worth)
    )
    return (
        frame.with_columns(_own=own.fill_null(value=False))
        .with_columns(
            item_id=pl.when("_own").then(pl.col("_id")).otherwise(pl.col("item_id")),
            price=pl.when("_own").then(pl.col("_own_price")).otherwise(pl.col("price")),
            quantity=pl.when("_own").then(pl.col("_own_quantity")).otherwise(pl.col("quantity")),
            value=pl.when("_own").then(pl.col("_own_value")).otherwise(pl.col("value")),
            items=pl.when(~pl.col("_own")).then(pl.col("items")),
        )
        .drop("_id", "_own_price", "_own_quantity", "_worth", "_own_value", "_items", "_amount", "_own")
    )
