"""What a writer put elsewhere, given back: names that it had to change, and an event's own values.

Presets leave the maps that they were written into, a purchase's own item its list of items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import replaced, spread
from translate.mapping.spec import Field
from translate.reader.record import Record
from translate.vocabulary import money, notation
from translate.vocabulary.notation import COMPARED_MAX, quoted

KINDS = ("attributes", "metrics", "other")


@dataclass(frozen=True)
class Originals:
    """What travelled along: the event's own name, by maps the names of keys, and the keys of what was a list."""

    name: str | None
    keys: dict[str, dict[str, str]]
    lists: dict[str, list[str]]


@lru_cache(maxsize=1024)
def originals_of(text: str) -> Originals | None:
    """Read what travelled along; None if the text does not say."""
    try:
        names = json.loads(text)
        quoted(names).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    if not isinstance(names, dict) or not names.keys() <= {"name", "lists", "user_properties", *KINDS}:
        return None
    own, lists = names.pop("name", None), names.pop("lists", {})
    is_sound = (own is None or isinstance(own, str)) and all(map(_are_names, names.values()))
    return Originals(own, names, lists) if is_sound and _are_lists(lists) else None


def maps_changed(text: str) -> Iterable[str]:
    """Name the maps that giving names back may change."""
    originals = originals_of(text)
    if originals is None:
        return ("attributes",)
    if originals.lists:
        return events.MAPS
    return (*originals.keys, *(["user_property_times"] if "user_properties" in originals.keys else []))


def restore_names(record: Record, text: str, key: str) -> None:
    """Give keys the names back that they had before a target could not take them; a text that does not say stays under its key."""
    originals = originals_of(text)
    if originals is None:
        record.put("attributes", key, text)
        return
    record.original_name = originals.name
    for home, keys in originals.lists.items():
        written = {key: name for name, key in originals.keys.get(home, {}).items()}
        _make_lists(record, home, [written.get(key, key) for key in keys])
    for kind, table in originals.keys.items():
        _rename(record, kind, table)
    if "user_properties" in originals.keys:
        _rename(record, "user_property_times", originals.keys["user_properties"])


def _are_names(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(name, str) for name in table.values())


def _are_lists(lists: Any) -> bool:
    """Tell if keys are named whose values were lists, by their maps."""
    return (
        isinstance(lists, dict)
        and lists.keys() <= {"user_properties", "other"}
        and all(
            isinstance(keys, list) and all(isinstance(key, str) for key in keys) for keys in lists.values()
        )
    )


def _make_lists(record: Record, home: str, keys: list[str]) -> None:
    """Make lists of the values that the writer took out of them, whatever map the reader put these into."""
    for key in keys:
        for kind in (home, *KINDS) if home == "other" else (home,):
            text = record.maps.get(kind, {}).pop(key, None)
            if text is not None:
                record.maps = {name: values for name, values in record.maps.items() if values}
                record.put(home, key, f"[{quoted(text) if kind == 'attributes' else text}]")
                break


def _rename(record: Record, kind: str, table: dict[str, str]) -> None:
    values = record.maps.get(kind)
    if values is None:
        return
    renamed = {table.get(key, key): text for key, text in values.items()}
    if len(renamed) == len(values):
        record.maps[kind] = renamed


# -- an event's own values ---------------------------------------------------------------------------------------------

NUMBER = r"(-?[0-9][0-9.]*)"
OWN_ITEM = rf'^\[\{{"id":"((?:[^"\\]|\\.)*)"(?:,"price":{NUMBER})?(?:,"quantity":{NUMBER})?(?:,"currency":"([A-Z]{{3}})")?\}}\]$'


class WayOut:
    """How presets leave the maps of the events that they belong to: few events, so that only these are looked at."""

    def __init__(
        self, when: tuple[str, ...], homes: dict[str, list[Field]], read: Callable[[Field, pl.Expr], pl.Expr]
    ) -> None:
        self._when = when
        self._homes = [*homes]
        self._texts: list[pl.Expr] = []
        self._exact: list[pl.Expr] = []
        self._made: list[pl.Expr] = []
        for home, entries in homes.items():
            found = {entry.hub[0]: pl.col(home).map.get(entry.key) for entry in entries}
            self._texts += [text.alias(f"text:{home}:{column}") for column, text in found.items()]
            texts = {column: pl.col(f"text:{home}:{column}") for column in found}
            keys = [entry.key for entry in entries]
            others = pl.element().filter(~pl.element().struct.field("key").is_in(keys))
            rest = pl.col(home).map.entries().list.eval(others).list.to_map()
            exact = f"exact:{home}"
            self._exact.append(_are_exact(entries, texts).alias(exact))
            self._made.append(pl.when(exact).then(rest).otherwise(pl.col(home)).alias(home))
            self._made += [
                pl.when(exact).then(read(entry, texts[entry.hub[0]])).alias(entry.hub[0]) for entry in entries
            ]

    def taken_out(self, batch: pl.DataFrame) -> list[pl.Series]:
        """Give the presets' columns, and what is left of their maps; maps that lack a digit of a number keep all of it."""
        rows = self._rows(batch)
        given = batch[self._homes].filter(rows).lazy()
        chosen = given.with_columns(self._texts).with_columns(self._exact).select(self._made)
        taken = chosen.collect(engine="in-memory", optimizations=pl.QueryOptFlags.none())  # of few rows
        columns = spread(taken.drop(self._homes), rows).get_columns()
        if not taken.height:
            return columns
        return [*columns, *(replaced(batch[home], rows, taken[home]).alias(home) for home in self._homes)]

    def _rows(self, batch: pl.DataFrame) -> pl.Series:
        """Tell which rows may have presets."""
        if not self._when:
            return reduce(or_, [batch[home].is_not_null() for home in self._homes])
        if len(self._when) > COMPARED_MAX:
            return batch["name"].is_in(self._when).fill_null(value=False)
        return reduce(or_, [batch["name"].eq_missing(name) for name in self._when])


def _are_exact(entries: list[Field], texts: dict[str, pl.Expr]) -> pl.Expr:
    """Tell for which events a double holds every digit of the numbers; else they all stay in their map."""
    checks = [
        texts[entry.hub[0]].is_null()
        | (notation.digits(texts[entry.hub[0]].cast(pl.Float64, strict=False)) == texts[entry.hub[0]])
        for entry in entries
        if entry.word.as_double
    ]
    return pl.all_horizontal(checks).fill_null(value=False) if checks else pl.lit(True)


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
