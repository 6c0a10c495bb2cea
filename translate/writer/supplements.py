"""What writing says beyond the event, or says once where the event said it twice.

Nothing is lost by it, but reading it back gives the event another value there, or none.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from translate.conversion.report import Finding
from translate.mapping.spec import Field
from translate.vocabulary import money
from translate.vocabulary.spelling import EventNames
from translate.writer.shape import Shape, is_made, request_fields

FILLED_IN = "filled_in"
SAID_ONCE = "said_once"
# A list of one plain item, as an event's own item is written.
OWN_ITEM = r'^\[\{"id":"(?:[^"\\]|\\.)*"(?:,"price":-?[0-9.]+)?(?:,"quantity":-?[0-9.]+)?(?:,"currency":"[A-Z]{3}")?\}\]$'


def supplements(shape: Shape, names: EventNames) -> list[Finding]:
    """Tell what a layout's rows say more, or less often, than the events."""
    found: list[Finding] = []
    for entry in [*shape.columns, *shape.wanted_presets()]:
        if entry.codec in ("duration", "exact_duration"):
            found += _of_duration(shape, entry)
        elif entry.codec in ("worth", "money"):
            found += _of_worth(entry)
            found += _of_worthless(entry) if entry.codec == "money" else ()
        elif entry.codec == "user_object":
            found += _of_user(entry)
        elif entry.codec in ("language", "country"):
            found.append(_of_locale(entry))
        elif entry.codec == "action":
            found += _of_action(entry, names)
        elif entry.codec == "item_list":
            found += _of_items(entry)
    for entry in request_fields(shape.layout, shape.settings):
        if is_made(entry) and entry.hub:
            message = f"{entry.place} is made anew, and read as the event's {entry.hub[0]}"
            found.append(Finding(FILLED_IN, message, pl.col(entry.hub[0]).is_null(), entry.hub[0]))
    return found


def _of_duration(shape: Shape, entry: Field) -> Iterator[Finding]:
    written = pl.col(entry.hub[0]).is_null() & pl.col(f"={entry.place}").is_not_null()
    home = ".".join(entry.path[:-1])
    places = {other.place for other in shape.columns}
    for name in shape.layout.objects.get(home, ()):
        written = written & (
            pl.col(f"={home}.{name}").is_not_null() if f"{home}.{name}" in places else pl.lit(False)
        )
    yield Finding(FILLED_IN, f"{entry.place} is stop minus start", written, entry.hub[0])


def _of_worth(entry: Field) -> Iterator[Finding]:
    """Tell of a value that is price times quantity."""
    value, price, quantity = (pl.col(name) for name in ("value", "price", "quantity"))
    written = pl.col(f"={entry.place}").is_not_null()
    own_item = (
        pl.col("item_id").is_not_null() & pl.col("items").is_null()
        if entry.codec == "money"
        else pl.lit(False)
    )
    yield Finding(
        FILLED_IN, f"{entry.place} is price times quantity", written & value.is_null() & ~own_item, "value"
    )
    if entry.codec == "money":
        product = money.worth(pl.lit(None, pl.Float64), price, quantity)
        yield Finding(
            SAID_ONCE,
            f"{entry.place} is price times quantity",
            written & own_item & (value == product),
            "value",
        )


def _of_worthless(entry: Field) -> Iterator[Finding]:
    """Tell why a real purchase has no value."""
    value, price, quantity, code, store = (pl.col(name) for name in entry.hub)
    left = pl.col(f"={entry.place}").is_null() & (pl.col("name") == money.PURCHASE) & money.is_real(store)
    for reason, holds in money.why_worthless(value, price, quantity, code).items():
        yield Finding(
            "purchase_without_value", f"{entry.place} of a purchase is missing: {reason}", left & holds
        )
        left = left & ~holds


def _of_user(entry: Field) -> Iterator[Finding]:
    """Tell of properties of the user that have no time of their own, or none but the event's."""
    properties, times = pl.col(entry.hub[1]), pl.col(entry.hub[2])
    now = pl.col(entry.hub[3]).dt.timestamp("ms").cast(pl.String)
    untimed = properties.map.len() > times.map.len().fill_null(0)
    timed_now = times.map.values().list.contains(now).fill_null(value=False)
    some = (properties.map.len() > 0) & (untimed | timed_now)
    yield Finding(
        FILLED_IN, "user attributes without a time of their own have their event's", some, entry.hub[2]
    )
    others = times.map.keys().list.set_difference(properties.map.keys().fill_null([]))
    own = (
        pl.when(pl.col(entry.hub[0]).is_not_null() & others.list.contains(entry.member)).then(1).otherwise(0)
    )
    yield Finding(
        "not_written",
        "times of user attributes that the event does not have",
        others.list.len() > own,
        entry.hub[2],
    )


def _of_locale(entry: Field) -> Finding:
    """Tell of a language or a country that is the locale's."""
    own, locale = entry.hub
    written = pl.col(own).is_null() & pl.col(f"={entry.place}").is_not_null()
    return Finding(FILLED_IN, f"{entry.place} is what the event's {locale} says", written, own)


def _of_action(entry: Field, names: EventNames) -> Iterator[Finding]:
    phase, name = (pl.col(column) for column in entry.hub)
    yield Finding(
        SAID_ONCE,
        f"{entry.place} is what the event's name says",
        phase == names.implied_phase(name),
        entry.hub[0],
    )


def _of_items(entry: Field) -> Iterator[Finding]:
    """Tell of a list of items that looks like an event's own item, which it will be read as."""
    alone = pl.col("item_id").is_null() & pl.col("items").str.contains(OWN_ITEM)
    for column in ("items", "item_id", "price", "quantity", "value"):
        message = f"{entry.place} of one plain item: cannot be told from the event's own {column}"
        yield Finding("taken_for", message, alone, column)
