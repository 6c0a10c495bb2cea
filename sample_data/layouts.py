"""Writes the small examples of every layout that can be read, two of them as Parquet."""

from datetime import UTC, datetime

import destinations
import discontinued
import polars as pl
import successors
import wrapping
from zoo import ZOO

from translate import events
from translate.reader.literals import DECODER, canonical

TEXTS = {**discontinued.FILES, **successors.FILES, **destinations.FILES}
SQL_TIMES = ("event_timestamp", "arrival_timestamp", "session_start_timestamp", "session_stop_timestamp")
JSON_TEXTS = ("items", "impression")


def write_layouts(folder):
    """Write all of them."""
    for name, text in TEXTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    for name, frame in tables().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path, compression="uncompressed", statistics=False)


def tables():
    """Make the tables that are Parquet."""
    return {"mobile_analytics/redshift_full.parquet": redshift(), "hub/events_full.parquet": hub()}


def redshift():
    """Make the table as UNLOAD writes it as Parquet: SQL timestamps, numbers that are numbers."""
    frame = pl.DataFrame(
        discontinued.REDSHIFT, schema=discontinued.REDSHIFT_COLUMNS, infer_schema_length=None
    )
    return frame.with_columns(pl.col(*SQL_TIMES).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us"))


def hub():
    """Make the zoo as a hub frame."""
    columns = {name: [hub_value(name, row.get(name)) for row in ZOO] for name in events.SCHEMA}
    columns["file"] = ["zoo.jsonl"] * len(ZOO)
    columns["line"] = list(range(1, len(ZOO) + 1))
    return pl.DataFrame(columns, schema=events.SCHEMA)


def hub_value(name, value):
    """Give a value of the zoo as its hub column holds it."""
    if value is None:
        return None
    if name in JSON_TEXTS:
        return as_json(value)
    if name == "user_property_times":
        return {
            key: str(round(datetime.fromisoformat(time).timestamp() * 1000)) for key, time in value.items()
        }
    if events.SCHEMA[name] == events.MAP:
        return {key: inner if name == "attributes" else as_json(inner) for key, inner in value.items()}
    if events.SCHEMA[name] == events.TIME:
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


def as_json(value):
    """Write a value as the hub spells JSON."""
    return canonical(DECODER.decode(wrapping.compact(value)))
