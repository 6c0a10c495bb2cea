"""The hub's own files: Parquet of the hub frame, written for notebooks, DuckDB and pandas, and read again."""

from __future__ import annotations

import polars as pl

from translate import events
from translate.mapping.spec import Field, Layout, Mapping

NEEDED = ("name", "time")

HUB = Mapping(
    model="hub",
    title="The hub's own events",
    source="translate.events",
    names={},
    tables={},
    layouts={
        "events": Layout(
            model="hub",
            name="events",
            about="the hub's own events as Parquet, for notebooks, DuckDB and pandas",
            source="translate.events",
            records="parquet",
            fields=tuple(Field(name, (name,), required=name in NEEDED) for name in events.SCHEMA if name not in ("file", "line")),
            default=True,
        )
    },
    digest="",
    file="hub",
)


def is_hub(names: list[str]) -> bool:
    """Tell whether columns are the hub's: those that every event needs, and no other than the hub has."""
    return set(NEEDED) <= set(names) and set(names) <= set(events.SCHEMA)


def events_of(frame: pl.LazyFrame, file: str) -> pl.LazyFrame:
    """Give a file's events with the hub's types, and their rows as JSON text; where they come from is this file, row by row."""
    names = frame.collect_schema().names()
    columns = [pl.col(name).cast(dtype) if name in names else pl.lit(None, dtype).alias(name) for name, dtype in events.SCHEMA.items()]
    text = pl.struct(pl.col(name) for name in names if name in events.SCHEMA).struct.json_encode()
    numbered = frame.select(*columns, text=text).with_row_index("row")
    return numbered.with_columns(file=pl.lit(file), line=pl.col("row").cast(pl.Int64) + 1)
