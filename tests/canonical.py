"""The zoo as a hub frame: events that between them use every hub column, with awkward values."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import polars as pl

from translate import events
from translate.conversion.plan import from_hub, without_recipe
from translate.mapping.settings import Settings
from translate.reader.literals import number_digits
from translate.writer.packing import ROW, Packer
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, Writer

SAMPLES = Path(__file__).resolve().parent.parent / "sample_data"
ZOO = SAMPLES / "canonical" / "zoo.jsonl"
TEXT_MAPS = ("attributes",)
JSON_TEXTS = ("items", "impression")


class Number(str):
    """A number as it stands in the file, so that no digit is lost."""

    __slots__ = ()


def compact(value):
    """Write a value parsed with exact numbers as compact JSON, numbers by their canonical digits."""
    if isinstance(value, Number):
        return number_digits(value)[0]
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(key)}:{compact(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def milliseconds(text):
    """Give an ISO time as milliseconds since 1970."""
    return round((dt.datetime.fromisoformat(text) - events.EPOCH) / dt.timedelta(milliseconds=1))


def column_value(name, value):
    """Give a zoo value as its hub column holds it."""
    dtype = events.SCHEMA[name]
    if name in JSON_TEXTS:
        return compact(value)
    if name == "user_property_times":
        return {key: str(milliseconds(time)) for key, time in value.items()}
    if dtype == events.MAP:
        return dict(value) if name in TEXT_MAPS else {key: compact(inner) for key, inner in value.items()}
    if dtype == events.TIME:
        return dt.datetime.fromisoformat(value)
    if dtype == events.WHOLE:
        return int(value)
    return float(value) if dtype == events.NUMBER else value


def hub_frame(rows):
    """Make a hub frame of events given as parsed zoo lines."""
    columns = {
        name: [column_value(name, row[name]) if name in row else None for row in rows]
        for name in events.SCHEMA
    }
    columns["line"] = list(range(1, len(rows) + 1))
    columns["file"] = ["zoo.jsonl"] * len(rows)
    return pl.DataFrame(columns, schema=events.SCHEMA)


def zoo():
    """Read the zoo."""
    lines = ZOO.read_text(encoding="utf-8").strip("\n").split("\n")
    return hub_frame([json.loads(line, parse_int=Number, parse_float=Number) for line in lines])


def requests(frame, mapping, layout, settings=None, **options):
    """Write events as requests; give their lines, and for each the numbers of its events as a reader meets them."""
    writer = Writer(mapping, layout, settings or Settings(), Source(frozenset(events.SCHEMA), {}, **options))
    rows = writer.rows(without_recipe(from_hub(frame.lazy())))
    written = (
        rows.filter(pl.col("code").is_null() & pl.col(FILTERED).is_null()).select(writer.members()).collect()
    )
    output, held = io.BytesIO(), []
    packer = Packer(layout, settings or Settings(), output, tell=held.append)
    packer.add(written)
    packer.finish()
    return output.getvalue().decode().removesuffix("\n").split("\n"), held


def judged(frame, mapping, layout, settings=None):
    """Write events with everything the writer says about each: row or columns, code, message, filtered."""
    writer = Writer(mapping, layout, settings or Settings(), Source(frozenset(events.SCHEMA), {}))
    rows = writer.rows(without_recipe(from_hub(frame.lazy())))
    columns = [ROW] if layout.records == "json-lines" else [f"={entry.place}" for entry in writer.columns]
    return rows.select("line", "name", "code", "message", FILTERED, *columns).collect()
