"""Cuts what is free-form to lengths and counts, and notes every value, name and key that this touched.

Notes name the keys as they were before the rule. Characters are Unicode code points.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from functools import partial

import polars as pl

from translate import events
from translate import notes as noting
from translate.notes import InHub, Note, note
from translate.recipe.spec import Cut
from translate.vocabulary.spelling import HASH_LENGTH
from translate.writer.keys import keys_used

KINDS = ("attributes", "metrics")  # in the order in which they are counted
# A shorter key has no room for what tells it from another one: a character, `_`, and the digits of a hash.
KEY_CHARACTERS_MIN = HASH_LENGTH + 2


def cut(frame: pl.LazyFrame, match: pl.Expr, limits: Cut, *, notes: str, used: str) -> pl.LazyFrame:
    """Cut the matching events' attributes and metrics; `notes` and `used` name columns of lists of texts.

    What is too many goes first, so that it makes no other key give way. It is noted unless a rule used its value.
    """
    if limits.count is not None:
        frame = _keep_first(frame, match, limits.count, notes, used)
    if limits.values is not None:
        frame = _cut_values(frame, match, limits.values, notes)
    if limits.keys is not None:
        frame = _cut_keys(frame, match, limits.keys, notes)
    return frame


def _keep_first(frame: pl.LazyFrame, match: pl.Expr, count: int, notes: str, used: str) -> pl.LazyFrame:
    """Keep the first attributes and, where there are fewer, the first metrics."""
    attributes, metrics = (pl.col(kind).map.len().fill_null(0).cast(pl.Int64) for kind in KINDS)
    room = {"attributes": pl.lit(count), "metrics": (count - attributes).clip(lower_bound=0)}
    over = match & (attributes + metrics > count)
    kept = {kind: pl.col(kind).map.entries().list.head(room[kind]).list.to_map() for kind in KINDS}
    gone = {
        kind: pl.col(kind)
        .map.keys()
        .list.slice(room[kind])
        .list.set_difference(keys_used(pl.col(used), kind))
        .list.sort()
        for kind in KINDS
    }
    why = f"beyond the first {count} attributes and metrics"
    told = noting.together(noting.of_keys(keys, "on_purpose", kind, why) for kind, keys in gone.items())
    return frame.with_columns(
        *(_where(over, kept[kind], kind) for kind in KINDS), _where(over, pl.concat_list(notes, told), notes)
    )


def _where(over: pl.Expr, value: pl.Expr, column: str) -> pl.Expr:
    return pl.when(over).then(value).otherwise(pl.col(column)).alias(column)


def _cut_values(frame: pl.LazyFrame, match: pl.Expr, length: int, notes: str) -> pl.LazyFrame:
    key, value = (pl.element().struct.field(name) for name in ("key", "value"))
    entries = pl.col("attributes").map.entries()
    over = match & _any_longer(pl.col("attributes").map.values(), length)
    longer = entries.list.eval(pl.when(value.str.len_chars() > length).then(key)).list.drop_nulls()
    told = noting.of_keys(longer, "changed", "attributes", f"cut to {length} characters")
    short = entries.list.eval(pl.struct(key=key, value=value.str.slice(0, length))).list.to_map()
    return frame.with_columns(
        _where(over, short, "attributes"), _where(over, pl.concat_list(notes, told), notes)
    )


def _any_longer(texts: pl.Expr, length: int) -> pl.Expr:
    return texts.list.eval(pl.element().str.len_chars() > length).list.any().fill_null(value=False)


# -- keys: what becomes one must be told apart, so those events that have a long one are taken one by one ----------------


def _cut_keys(frame: pl.LazyFrame, match: pl.Expr, length: int, notes: str) -> pl.LazyFrame:
    longer = pl.any_horizontal([_any_longer(pl.col(kind).map.keys(), length) for kind in KINDS])
    marked = frame.with_columns(_over=match & longer)
    work = partial(_cut_keys_of_batch, length, notes)
    schema = dict(marked.collect_schema())
    return marked.map_batches(work, schema=schema, validate_output_schema=False, streamable=True).drop(
        "_over"
    )


def _cut_keys_of_batch(length: int, notes: str, batch: pl.DataFrame) -> pl.DataFrame:
    over = batch["_over"]
    if not over.any():
        return batch
    cut_events = _cut_keys_of_events(length, notes, batch.filter(over))
    positions = pl.concat([(~over).arg_true(), over.arg_true()])
    return pl.concat([batch.filter(~over), cut_events])[positions.arg_sort()]


def _cut_keys_of_events(length: int, notes: str, batch: pl.DataFrame) -> pl.DataFrame:
    told: list[list[Note]] = [[] for _ in range(batch.height)]
    columns = []
    for kind in KINDS:
        cut_maps = []
        for values, own in zip(batch[kind], told, strict=True):
            names = short_keys(values or {}, length)
            own += [
                note("changed", InHub(kind, key), f"name cut to {length} characters")
                for key, name in names.items()
                if name != key
            ]
            cut_maps.append(values and {names[key]: value for key, value in values.items()})
        columns.append(pl.Series(kind, cut_maps, dtype=events.MAP))
    more = noting.series(told).fill_null([])
    return batch.with_columns(*columns, pl.concat_list(notes, more).alias(notes))


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
