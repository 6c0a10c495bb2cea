"""Expressions that several codecs share: digits, JSON text, ISO times, digests."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from dateutil import parser as dateutil_parser

# Absent values are never written: a null of one of these names is taken out of encoded text.
COMPACT = (",", ":")


def digits(number: pl.Expr) -> pl.Expr:
    """Write a double as its shortest digits, a whole one without a fraction."""
    return number.cast(pl.String).str.strip_suffix(".0")


def json_text(text: pl.Expr) -> pl.Expr:
    """Write text as a JSON string, quotes and all; null stays null."""
    encoded = pl.struct(text.alias("t")).struct.json_encode()
    return pl.when(text.is_not_null()).then(encoded.str.slice(5).str.strip_suffix("}"))


def joined(parts: list[pl.Expr]) -> pl.Expr:
    """Join texts by commas, leaving out the empty and the absent ones."""
    with_commas = [
        pl.when(part.str.len_bytes() > 0).then(pl.concat_str(part, pl.lit(","))).otherwise(pl.lit(""))
        for part in parts
    ]
    return pl.concat_str(with_commas).str.strip_suffix(",")


def json_object(values: Mapping[str, pl.Expr]) -> pl.Expr:
    """Write a JSON object of values that are JSON text already; absent ones are left out."""
    members = [
        pl.concat_str(pl.lit(json.dumps(name, ensure_ascii=False) + ":"), value)
        for name, value in values.items()
    ]
    return pl.concat_str(pl.lit("{"), joined(members), pl.lit("}"))


def by_distinct_value(column: pl.Expr, function: Callable[[str], str | None]) -> pl.Expr:
    """Apply a function to each distinct text of a batch once."""

    def apply(series: pl.Series) -> pl.Series:
        distinct = series.unique().drop_nulls()
        if distinct.len() == 0:
            return series
        results = pl.Series([function(value) for value in distinct], dtype=pl.String)
        return series.replace_strict(distinct, results, default=None, return_dtype=pl.String)

    return column.map_batches(apply, return_dtype=pl.String, is_elementwise=True)


def digest(column: pl.Expr, length: int) -> pl.Expr:
    """Give the first characters of a text's SHA-256 in hexadecimal."""
    return by_distinct_value(column, lambda text: hashlib.sha256(text.encode()).hexdigest()[:length])


def _any_iso8601(text: str) -> str | None:
    try:
        time = dateutil_parser.isoparse(text)
    except (ValueError, OverflowError):
        return None
    return str((time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC).isoformat())


def time_from_iso8601(text: pl.Expr) -> pl.Expr:
    """Read ISO 8601 in all its forms; times without a zone are UTC, finer digits are floored."""
    usual = text.str.strptime(pl.Datetime("us"), "%Y-%m-%dT%H:%M:%S%.fZ", strict=False)
    odd = pl.when(usual.is_null()).then(text)
    read_odd = by_distinct_value(odd, _any_iso8601).str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False
    )
    return usual.dt.replace_time_zone("UTC").fill_null(read_odd).dt.cast_time_unit("ms")


def piped(text: pl.Expr) -> pl.Expr:
    """Join a JSON list of texts by bars."""
    return by_distinct_value(text, lambda value: "|".join(map(str, json.loads(value))))


def user_object(user_id: pl.Expr, properties: pl.Expr, times: pl.Expr, time: pl.Expr) -> pl.Expr:
    """Write the user's id and properties as `{name: {value, set_timestamp}}`; set with the event if unknown."""
    milliseconds = time.dt.timestamp("ms")
    own = json_object({"value": json_text(user_id), "set_timestamp": milliseconds.cast(pl.String)})
    own_member = pl.when(user_id.is_not_null()).then(pl.concat_str(pl.lit('"_user_id":'), own))
    members = pl.struct(p=properties, s=times, t=milliseconds).map_batches(
        _property_members, return_dtype=pl.String, is_elementwise=True
    )
    inner = joined([own_member, members])
    return pl.when(inner.str.len_bytes() > 0).then(pl.concat_str(pl.lit("{"), inner, pl.lit("}")))


def _property_members(batch: pl.Series) -> pl.Series:
    if batch.struct.field("p").null_count() == len(batch):
        return pl.Series([None] * len(batch), dtype=pl.String)
    return pl.Series([_members(row["p"], row["s"] or {}, row["t"]) for row in batch], dtype=pl.String)


def _members(properties: dict[str, str] | None, times: dict[str, str], time: int) -> str | None:
    if not properties:
        return None
    return ",".join(
        f'{_quoted(name)}:{{"value":{value},"set_timestamp":{times.get(name, time)}}}'
        for name, value in properties.items()
        if name != "_user_id"
    )


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=COMPACT)
