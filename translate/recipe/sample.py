"""The event of a test: hub columns as TOML says them, checked, in the hub's types."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from translate import events
from translate.errors import suggest
from translate.mapping.sheet import Sheet
from translate.notes import NOTES_TYPE
from translate.reader.hub import TRAVELLERS
from translate.reader.literals import Refused, number_digits
from translate.settings import parse_time
from translate.vocabulary.notation import quoted

JSON_TEXT = ("other", "user_properties", "extra")
TRAVELLING: dict[str, tuple[Any, Any]] = {
    "row": (pl.UInt32, 0),
    "part": (pl.UInt32, 0),
    "text": (pl.String, ""),
    "base64": (pl.Boolean, False),
    "code": (pl.String, None),
    "message": (pl.String, None),
    "careful": (pl.Boolean, False),
    "nulls": (pl.UInt32, 0),
    "notes": (NOTES_TYPE, None),
}


def read(sheet: Sheet, path: str, table: dict[str, Any], head: str = "") -> dict[str, Any]:
    """Give an event's hub columns; complain about what is none, or not of its type."""
    event: dict[str, Any] = {}
    for key, value in table.items():
        column, where = f"{head}{key}", f"{path}.{key}"
        if column not in events.SCHEMA:
            if isinstance(value, dict):
                event |= read(sheet, where, value, f"{column}.")
            else:
                sheet.complain(where, f'no hub column "{column}"{suggest(column, events.SCHEMA)}')
            continue
        try:
            event[column] = _value(column, value)
        except (ValueError, OverflowError) as error:
            sheet.complain(where, str(error))
    return event


def frame(samples: list[dict[str, Any]]) -> pl.LazyFrame:
    """Make hub events of samples, each with its number as its row."""
    rows = [
        {name: default for name, (_, default) in TRAVELLING.items()} | {"row": number} | sample
        for number, sample in enumerate(samples)
    ]
    schema = {**{name: TRAVELLING[name][0] for name in TRAVELLERS}, **events.SCHEMA}
    columns = {
        name: pl.Series([row.get(name) for row in rows], dtype=dtype) for name, dtype in schema.items()
    }
    return pl.DataFrame(columns).lazy()


def _value(column: str, value: Any) -> Any:
    dtype = events.SCHEMA[column]
    if column in events.MAPS:
        return _map(column, value)
    if dtype == events.TIME:
        return _time(value)
    if dtype == events.TEXT:
        if column in ("items", "impression") and isinstance(value, list):
            return json_text(value)
        return _checked(value, isinstance(value, str), "text")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if dtype == events.WHOLE:
        return _checked(value, is_number and isinstance(value, int), "a whole number")
    return float(_checked(value, is_number, "a number"))


def _checked(value: Any, fits: bool, kind: str) -> Any:  # noqa: FBT001  the one thing to check
    if not fits:
        raise ValueError(f"should be {kind}, but is {value!r}")
    return value


def _time(value: Any) -> dt.datetime:
    if isinstance(value, str):
        try:
            return parse_time(value)
        except ValueError:
            raise ValueError(f"should be a time, but is {value!r}") from None
    time: dt.datetime = _checked(value, isinstance(value, dt.datetime), "a time")
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _map(column: str, value: Any) -> dict[str, str]:
    _checked(value, isinstance(value, dict), "a table")
    return {key: _member(column, key, inner) for key, inner in value.items()}


def _member(column: str, key: str, value: Any) -> str:
    if column in JSON_TEXT:
        return json_text(value)
    if column == "attributes":
        return str(_checked(value, isinstance(value, str), f"text under {key}"))
    if column == "user_property_times" and not isinstance(value, int):
        return str(int(_time(value).timestamp() * 1000))
    return number_text(
        _checked(
            value, isinstance(value, int | float) and not isinstance(value, bool), f"a number under {key}"
        )
    )


def number_text(number: float) -> str:
    """Give a number's digits as the hub holds them."""
    if isinstance(number, int):
        return str(number)
    try:
        return number_digits(repr(number))[0]
    except (ArithmeticError, Refused):
        raise ValueError(f"should be a finite number, but is {number!r}") from None


def json_text(value: Any) -> str:
    """Write a TOML value as JSON text."""
    try:
        return quoted(value)
    except TypeError:
        raise ValueError(f"has no form in JSON: {value!r}") from None
