"""What the limits look at in rows that are read: the raw columns of the reader, and nothing that a writer would do."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate.limits import Rows, impression_length
from translate.mapping.codecs import CONTAINERS, SCALARS
from translate.mapping.spec import Layout
from translate.reader import ORIGINAL_NAME
from translate.reader.tree import ANY, is_read, slots

COUNTED: dict[str, Any] = {"_item_count": pl.Int64, "_impression_count": pl.Int64, "_item_characters": pl.Int64}
NAMES_CODEC = "original_names"
NO_COUNT = pl.lit(0, pl.UInt32)


@dataclass(frozen=True)
class ReadRows(Rows):
    """What a limit or a check may look at in a row that was read; `layout` is the one that it was read as."""

    layout: Layout
    other: pl.Expr
    user_properties: pl.Expr
    user_attribute_count: pl.Expr
    item_characters: pl.Expr

    @property
    def keys(self) -> pl.Expr:
        """Give the keys of the free-form values."""
        return pl.concat_list([column.map.keys().fill_null([]) for column in (self.attributes, self.metrics, self.other)])

    def value(self, place: str) -> pl.Expr:
        """Give what was read from a place."""
        return self.values[place]

    def of_hub(self, column: str) -> pl.Expr:
        """Give a hub column, read from the place that it has in the row."""
        slot, entry = next((slot, entry) for slot, entry in slots(self.layout) if entry.hub[:1] == (column,))
        read = SCALARS[entry.codec].read
        return read(pl.col(f"${slot}")) if read else pl.col(f"${slot}")

    def is_missing(self, place: str) -> pl.Expr:
        """Tell whether nothing lies in a place; an empty object of free-form values is something."""
        container = next((entry for entry in self.layout.fields if entry.place == place and entry.codec in CONTAINERS), None)
        return self.values[place].is_null() if container is None else pl.col(container.hub[0]).is_null()


def judged_layout(layout: Layout) -> Layout:
    """Give a layout whose free-form values are read under the names that they have in the row.

    What the tool itself wrote carries the names that the target could not take, and reading puts them back.
    """
    return dataclasses.replace(layout, fields=tuple(entry for entry in layout.fields if entry.codec != NAMES_CODEC))


def with_original_name(records: pl.LazyFrame, layout: Layout) -> pl.LazyFrame:
    """Put an event's name back all the same, for the choice of events: the judges look at the row's own."""
    key = next((entry.key for entry in layout.fields if entry.codec == NAMES_CODEC), None)
    if key is None:
        return records
    told = pl.col("attributes").map.get(key).str.json_path_match("$.name")
    return records.with_columns(told.alias(ORIGINAL_NAME))


def read_rows(layout: Layout) -> ReadRows:
    """Say where the raw columns of a layout have what the judges ask for."""
    columns = {entry.place: pl.col(f"${slot}") for slot, entry in slots(layout) if is_read(entry)}
    containers = {entry.place: entry for entry in layout.fields if entry.codec in CONTAINERS}
    inside = [entry for slot, entry in slots(layout) if is_read(entry) and entry.path[0] in containers]
    is_shared = any(CONTAINERS[entry.codec].shared for entry in containers.values())
    values = {place: column for place, column in columns.items() if place not in {entry.place for entry in inside}}
    for entry in layout.fields:
        if isinstance(entry.const, str) and entry.place in values:  # any other text is a member like those without a place
            spelled = pl.coalesce(values[entry.place], pl.col("extra").map.get(entry.place))
            values[entry.place] = spelled.str.strip_prefix('"').str.strip_suffix('"')
    if layout.records == "csv":
        values[ANY] = pl.col("attributes").map.values().list.join("")
    properties = next((place for place, entry in containers.items() if entry.codec == "properties"), None)
    if properties is not None:
        values[properties] = pl.col("text").str.json_path_match(f"$.{properties}")
    user = [pl.col(f"${slot}") for slot, entry in slots(layout) if entry.codec == "user_object"]
    presets = {entry.place: columns[entry.place] for entry in inside}
    return ReadRows(
        text=None if layout.records == "csv" else pl.col("text"),
        attributes=pl.col("attributes"),
        metrics=pl.col("metrics"),
        other_count=pl.col("other").map.len().fill_null(0) + _own_presets(layout, presets) if is_shared else NO_COUNT,
        item_count=pl.col("_item_count"),
        impression_count=pl.col("_impression_count"),
        values=values,
        presets=presets,
        texts={entry.place: columns[entry.place] for entry in inside if entry.const is None and SCALARS[entry.codec].wire == "text"},
        layout=layout,
        other=pl.col("other"),
        user_properties=pl.col("user_properties"),
        user_attribute_count=_sum([pl.col("user_properties").map.len().fill_null(0), *(id_.is_not_null() for id_ in user)]),
        item_characters=pl.col("_item_characters"),
    )


def _own_presets(layout: Layout, presets: dict[str, pl.Expr]) -> pl.Expr:
    """Count the presets that the model does not know as such: to it they are free-form values like others."""
    reserved = layout.checks.get("names_reserved")
    prefix = reserved.value["prefix"] if reserved else None
    own = [column for place, column in presets.items() if prefix is None or not place.partition(".")[2].startswith(prefix)]
    return _sum([column.is_not_null() for column in own])


def _sum(counts: list[pl.Expr]) -> pl.Expr:
    return pl.sum_horizontal([count.cast(pl.UInt32) for count in counts]) if counts else NO_COUNT


# -- lists, which no expression looks into --------------------------------------------------------------------------


def with_counts(records: pl.LazyFrame, layout: Layout) -> pl.LazyFrame:
    """Add how many items and impressions an event lists, and how long the longest text of an item is."""
    given = {entry.hub[0]: f"${slot}" for slot, entry in slots(layout) if entry.hub[:1] in (("items",), ("impression",))}

    def count(batch: pl.DataFrame) -> pl.DataFrame:
        return batch.with_columns(
            _each(batch, given.get("items"), _length).alias("_item_count"),
            _each(batch, given.get("impression"), impression_length).alias("_impression_count"),
            _each(batch, given.get("items"), _longest).alias("_item_characters"),
        )

    schema = {**records.collect_schema(), **COUNTED}
    return records.map_batches(count, schema=schema, validate_output_schema=False, streamable=True)


def _each(batch: pl.DataFrame, column: str | None, function: Callable[[list[Any]], int]) -> pl.Series:
    if column is None or batch[column].null_count() == batch.height:
        return pl.Series([None] * batch.height, dtype=pl.Int64)
    lists = (_list(text) for text in batch[column])
    return pl.Series([None if found is None else function(found) for found in lists], dtype=pl.Int64)


def _list(text: str | None) -> list[Any] | None:
    try:
        found = json.loads(text) if text else None
    except ValueError:  # several texts, joined by |
        return None
    return found if isinstance(found, list) else None


def _length(found: list[Any]) -> int:
    return len(found)


def _longest(found: list[Any]) -> int:
    texts = [text for item in found if isinstance(item, dict) for text in item.values() if isinstance(text, str)]
    return max(map(len, texts), default=0)
