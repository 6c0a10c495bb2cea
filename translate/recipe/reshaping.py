"""What a rule does that no expression can: one row per item of an event, and texts, names and counts cut to what a target takes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import by_batches
from translate.reader.literals import Refused, number_digits
from translate.recipe.expressions import ITEM
from translate.recipe.spec import Cut
from translate.recipe.tallies import TALLY
from translate.vocabulary import notes
from translate.vocabulary.notation import ENCODER, maps_of, quoted
from translate.vocabulary.notes import OF_RECIPE, USED, InHub, Note, note
from translate.vocabulary.spelling import HASH_LENGTH
from translate.writer.keys import keys_used

# -- one row per item: the elements of the hub's `items`, each as a map of texts -----------------------------

COPY = "_copy"
ELEMENTS = "_elements"
ELEMENTS_TYPE = pl.List(pl.Struct({"number": pl.UInt32, "item": events.MAP}))


def explode(frame: pl.LazyFrame, match: pl.Expr) -> pl.LazyFrame:
    """Make one row per item of the matching events; one without items stays one row without an item.

    An event is taken apart once: rows that have an item already stay as they are. Flags of counts stay
    with the first of the rows that an event becomes.
    """
    flags = [name for name in frame.collect_schema().names() if name.startswith(TALLY)]
    marked = frame.with_columns(_explode=match & pl.col(ITEM).is_null() & pl.col("items").is_not_null())
    parsed = by_batches(marked, _with_elements, {ELEMENTS: ELEMENTS_TYPE})
    number, item = (pl.col(ELEMENTS).struct.field(name) for name in ("number", "item"))
    rows = parsed.explode(ELEMENTS, empty_as_null=True).with_columns(
        pl.coalesce(number, COPY).alias(COPY),
        pl.coalesce(item, ITEM).alias(ITEM),
        *(pl.col(name) & (number == 0).fill_null(value=True) for name in flags),
    )
    return rows.drop("_explode", ELEMENTS)


def _with_elements(batch: pl.DataFrame) -> pl.DataFrame:
    """Add the elements of each marked event's list, by way of JSON text that holds nothing odd any more."""
    if not batch["_explode"].any():
        return batch.with_columns(pl.lit(None, ELEMENTS_TYPE).alias(ELEMENTS))
    wanted = zip(batch["_explode"], batch["items"], strict=True)
    lists = [_elements(text) if marked else None for marked, text in wanted]
    texts = pl.Series(ELEMENTS, lists, dtype=pl.String)
    return batch.with_columns(texts.str.json_decode(ELEMENTS_TYPE))


def _elements(text: str) -> str | None:
    """Give the elements of a JSON list, numbered, their values as texts; null if there are none."""
    try:
        elements = _DECODER.decode(text)
        if not isinstance(elements, list) or not elements:
            return None
        numbered = [{"number": number, "item": _texts(item)} for number, item in enumerate(elements)]
        plain = ENCODER.encode(numbered)
        plain.encode()  # half of a surrogate pair is no text: the whole list is then left alone
    except (ValueError, RecursionError):
        return None
    return plain


def _texts(element: Any) -> dict[str, str]:
    if not isinstance(element, dict):
        return {}
    return {key: _text(value) for key, value in element.items() if value is not None}


def _text(value: Any) -> str:
    """Give text as it is, numbers as their digits, anything else as JSON text."""
    if isinstance(value, str):
        return value
    return number_digits(repr(value))[0] if isinstance(value, float) else quoted(value)


def _number(literal: str) -> int | float:
    digits, _ = number_digits(literal)
    return float(digits) if "." in digits else int(digits)


def _refuse(constant: str) -> None:
    raise Refused("bad_number", f"{constant} is not a number in JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_refuse)


# -- cuts: each value, name and key that they touch is noted, keys as they were before the rule --------------

KINDS = ("attributes", "metrics")  # in the order in which they are counted


def cut(frame: pl.LazyFrame, match: pl.Expr, limits: Cut) -> pl.LazyFrame:
    """Cut the matching events' attributes and metrics, and note it.

    What is too many goes first, so that it makes no other key give way. It is noted unless a rule used its value.
    """
    if limits.count is not None:
        frame = _keep_first(frame, match, limits.count)
    if limits.values is not None:
        frame = _cut_values(frame, match, limits.values)
    if limits.keys is not None:
        frame = _cut_keys(frame, match, limits.keys)
    return frame


def _keep_first(frame: pl.LazyFrame, match: pl.Expr, count: int) -> pl.LazyFrame:
    """Keep the first attributes and, where there are fewer, the first metrics."""
    attributes, metrics = (pl.col(kind).map.len().fill_null(0).cast(pl.Int64) for kind in KINDS)
    room = {"attributes": pl.lit(count), "metrics": (count - attributes).clip(lower_bound=0)}
    over = match & (attributes + metrics > count)
    kept = {kind: pl.col(kind).map.entries().list.head(room[kind]).list.to_map() for kind in KINDS}
    why = f"beyond the first {count} attributes and metrics"

    def told_of(kind: str) -> pl.Expr:
        gone = pl.col(kind).map.keys().list.slice(room[kind])
        unused = gone.list.set_difference(keys_used(pl.col(USED), kind)).list.sort()
        return notes.of_keys(unused, "on_purpose", kind, why)

    told = pl.concat_list(OF_RECIPE, notes.together(map(told_of, KINDS)).fill_null([]))
    return frame.with_columns(
        *(_where(over, kept[kind], kind) for kind in KINDS), _where(over, told, OF_RECIPE)
    )


def _where(over: pl.Expr, value: pl.Expr, column: str) -> pl.Expr:
    return pl.when(over).then(value).otherwise(pl.col(column)).alias(column)


def _cut_values(frame: pl.LazyFrame, match: pl.Expr, length: int) -> pl.LazyFrame:
    key, value = (pl.element().struct.field(name) for name in ("key", "value"))
    entries = pl.col("attributes").map.entries()
    over = match & _any_longer(pl.col("attributes").map.values(), length)
    longer = entries.list.eval(pl.when(value.str.len_chars() > length).then(key)).list.drop_nulls()
    told = notes.of_keys(longer, "changed", "attributes", f"cut to {length} characters")
    short = entries.list.eval(pl.struct(key=key, value=value.str.slice(0, length))).list.to_map()
    told = pl.concat_list(OF_RECIPE, told)
    return frame.with_columns(_where(over, short, "attributes"), _where(over, told, OF_RECIPE))


def _any_longer(texts: pl.Expr, length: int) -> pl.Expr:
    return texts.list.eval(pl.element().str.len_chars() > length).list.any().fill_null(value=False)


# -- keys: what becomes one must be told apart, so those events that have a long one are taken one by one ----------------


def _cut_keys(frame: pl.LazyFrame, match: pl.Expr, length: int) -> pl.LazyFrame:
    longer = pl.any_horizontal([_any_longer(pl.col(kind).map.keys(), length) for kind in KINDS])
    marked = frame.with_columns(_over=match & longer)
    return by_batches(marked, partial(_cut_keys_of_batch, length)).drop("_over")


def _cut_keys_of_batch(length: int, batch: pl.DataFrame) -> pl.DataFrame:
    over = batch["_over"]
    if not over.any():
        return batch
    cut_events = _cut_keys_of_events(length, batch.filter(over))
    positions = pl.concat([(~over).arg_true(), over.arg_true()])
    return pl.concat([batch.filter(~over), cut_events])[positions.arg_sort()]


def _cut_keys_of_events(length: int, batch: pl.DataFrame) -> pl.DataFrame:
    told: list[list[Note]] = [[] for _ in range(batch.height)]
    columns = []
    for kind in KINDS:
        cut_maps = []
        for values, own in zip(batch[kind], told, strict=True):
            names = short_keys(values or {}, length)
            why = f"name cut to {length} characters"
            own += [note("changed", InHub(kind, key), why) for key, name in names.items() if name != key]
            cut_maps.append(values and {names[key]: value for key, value in values.items()})
        columns.append(maps_of(cut_maps).alias(kind))
    more = notes.series(told).fill_null([])
    return batch.with_columns(*columns, pl.concat_list(OF_RECIPE, more).alias(OF_RECIPE))


def short_keys(keys: Iterable[str], length: int) -> dict[str, str]:
    """Give each key a name of at most so many characters, and its own: none takes the place of another.

    A key that is short enough keeps its name; of the others, each that would meet another one is told apart by
    the hash of its full name.
    """
    wanted = {key: key[:length] for key in keys}
    counts = Counter(wanted.values())
    names = {key: name for key, name in wanted.items() if name == key or counts[name] == 1}
    taken = set(names.values())
    for key in wanted:
        if key not in names:
            names[key] = _free_name(key, length, taken)
            taken.add(names[key])
    return names


def _free_name(key: str, length: int, taken: set[str]) -> str:
    """Tell a cut key apart by the hash of its full name; by the hash of that, should even this name be taken."""
    digest = key
    while True:
        digest = hashlib.sha256(digest.encode()).hexdigest()
        name = f"{key[: length - HASH_LENGTH - 1]}_{digest[:HASH_LENGTH]}"
        if name not in taken:
            return name
