"""A purchase's items: the event's list, else its own item."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from translate import events
from translate.conversion.report import Finding
from translate.vocabulary import money
from translate.vocabulary.notation import as_it_is
from translate.vocabulary.word import Scalar, Written

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
