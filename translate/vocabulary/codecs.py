"""The closed vocabulary between a model's values and the hub's: one codec, one page.

A *scalar* codec turns one value. Reading, it gets the value's text as it stood in the record (numbers as
their exact digits) and gives the hub's column; writing, it gets the hub's columns and gives what the wire
takes. `changed` tells for which events writing lost something. A *container* holds a whole map of free-form
values; its place may hold presets, which are fields of their own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from translate import events
from translate.vocabulary import money, notation

Wire = Literal["text", "whole", "number", "flag", "json"]
Unit = Literal["iso8601", "milliseconds", "seconds", "seconds_or_iso8601"]
Write = Callable[[Sequence[pl.Expr]], pl.Expr]

MILLISECONDS = 1000
EARLIEST_ISO8601 = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
LATEST_ISO8601 = dt.datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=dt.UTC)
# JSON lists of texts: any, and of texts without bars.
LIST_OF_TEXTS = r'^\[(?:"(?:[^"\\]|\\.)*"(?:,"(?:[^"\\]|\\.)*")*)?\]$'
PIPEABLE = r'^\["(?:[^"\\|]|\\.)*"(?:,"(?:[^"\\|]|\\.)*")*\]$'
# The beginning of a locale, as Java, iOS and browsers write it: a language, perhaps a script, a country of two letters.
LANGUAGE = r"^([A-Za-z]{2,3})(?:[^0-9A-Za-z]|$)"
COUNTRY = r"^[A-Za-z]{2,3}(?:[_-][A-Za-z]{4})?[_-]([A-Za-z]{2})(?:[^0-9A-Za-z]|$)"

KIND_NAMES: dict[pl.DataType, str] = {
    events.TEXT: "text",
    events.WHOLE: "whole numbers",
    events.NUMBER: "numbers",
    events.TIME: "times",
    events.MAP: "maps",
}


@dataclass(frozen=True, eq=False)
class Codec:
    """How one value is read and written; `hub` lists the types of its hub columns (the last one repeats)."""

    name: str
    about: str
    hub: tuple[pl.DataType, ...]
    wire: Wire
    write: Write | None
    read: Callable[[pl.Expr], pl.Expr] | None = None
    rowwise: Callable[[Sequence[pl.Series], str], pl.Series] | None = (
        None  # where no expression can do it; told the field's member
    )
    has_member: bool = False
    changed: Write | None = None
    why: str = ""
    columns: tuple[int, int] = (1, 1)
    carries: int = 1  # how many of the hub columns, from the left, arrive in the value
    example: tuple[tuple[object, ...], object] | None = None
    unit: Unit | None = None  # of a time, as it is read

    @property
    def raw(self) -> Wire:
        """Tell as what a value is kept until its codec reads it: seconds may come with a fraction."""
        return "number" if self.unit == "seconds" else self.wire


@dataclass(frozen=True)
class Container:
    """A map of free-form values: which hub maps it holds, in this order.

    A `shared` one holds texts, numbers and the rest together. `example`: what these maps hold, and the value that they make,
    of columns as an object.
    """

    name: str
    about: str
    hub: tuple[str, ...]
    example: tuple[tuple[dict[str, str] | None, ...], str]
    shared: bool = False
    write_as_text: bool = False
    readable_only: bool = False


def _first(columns: Sequence[pl.Expr]) -> pl.Expr:
    return columns[0]


def _floored_seconds(columns: Sequence[pl.Expr]) -> pl.Expr:
    return columns[0].dt.timestamp("ms").floordiv(MILLISECONDS)


def _whole(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Int64, strict=False)


def _as_it_is(text: pl.Expr) -> pl.Expr:
    return text


def _unless_empty(text: pl.Expr) -> pl.Expr:
    """Read an empty text as absent: a client that has no session sends one."""
    return pl.when(text != "").then(text)


def _number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Float64, strict=False)


def _time_from_milliseconds(text: pl.Expr) -> pl.Expr:
    return _whole(text).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def _time_from_seconds(text: pl.Expr) -> pl.Expr:
    """Read seconds and their fraction; what is finer than a millisecond is floored."""
    text = text.cast(pl.String)
    microseconds = (text.cast(pl.Float64, strict=False) * 1_000_000).round()
    with_fraction = (microseconds / MILLISECONDS).floor().cast(pl.Int64, strict=False)
    whole = _whole(pl.concat_str(text, pl.lit("000")))
    milliseconds = pl.when(text.str.contains(".", literal=True)).then(with_fraction).otherwise(whole)
    return milliseconds.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def _has_four_digit_year(columns: Sequence[pl.Expr]) -> pl.Expr:
    return columns[0].is_between(EARLIEST_ISO8601, LATEST_ISO8601)


def _measured(start: pl.Expr, stop: pl.Expr) -> pl.Expr:
    """Give the milliseconds between two times, unless they are so far apart that the difference would wrap around."""
    sane = _has_four_digit_year([start]) & _has_four_digit_year([stop])
    return pl.when(sane).then((stop - start).dt.total_milliseconds())


def _recorded_or_measured(columns: Sequence[pl.Expr]) -> pl.Expr:
    duration, start, stop = columns
    return duration.fill_null(_measured(start, stop))


def _measured_or_recorded(columns: Sequence[pl.Expr]) -> pl.Expr:
    duration, start, stop = columns
    return _measured(start, stop).fill_null(duration)


def _disagrees(columns: Sequence[pl.Expr]) -> pl.Expr:
    duration, start, stop = columns
    return duration != _measured(start, stop)


def _is_short(session: pl.Expr) -> pl.Expr:
    return session.str.len_chars().is_between(8, 20)


def _short_session(columns: Sequence[pl.Expr]) -> pl.Expr:
    session = columns[0]
    return pl.when(_is_short(session)).then(session).otherwise(notation.digest(session, 20))


def _long_session(columns: Sequence[pl.Expr]) -> pl.Expr:
    return pl.when(~_is_short(columns[0])).then(columns[0])


def _action(columns: Sequence[pl.Expr]) -> pl.Expr:
    phase, name = columns
    return phase.fill_null(notation.exchanged(name, events.PHASES, pl.lit(None, pl.String)))


def _iso8601(columns: Sequence[pl.Expr]) -> pl.Expr:
    time = pl.when(_has_four_digit_year(columns)).then(columns[0])
    return time.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")


def _not_pipeable(columns: Sequence[pl.Expr]) -> pl.Expr:
    return ~columns[0].str.contains(PIPEABLE) | (columns[0] == '[""]')


def _as_a_text(value: pl.Expr) -> pl.Expr:
    return pl.when(value.str.starts_with('"')).then(value).otherwise(notation.json_text(value))


def _as_a_list(value: pl.Expr) -> pl.Expr:
    listed = pl.concat_str(pl.lit("["), _as_a_text(value), pl.lit("]"))
    return pl.when(value.str.contains(LIST_OF_TEXTS)).then(value).otherwise(listed)


def _holds_other_than_texts(columns: Sequence[pl.Expr]) -> pl.Expr:
    return columns[0].map.values().list.eval(~pl.element().str.starts_with('"')).list.any()


def _holds_other_than_lists(columns: Sequence[pl.Expr]) -> pl.Expr:
    return columns[0].map.values().list.eval(~pl.element().str.contains(LIST_OF_TEXTS)).list.any()


SCALARS: dict[str, Codec] = {
    codec.name: codec
    for codec in [
        Codec(
            "text", "text as it is", (events.TEXT,), "text", _first, read=_as_it_is,
            example=(("ünï",), "ünï"),
        ),
        Codec(
            "whole", "a whole number", (events.WHOLE,), "whole", _first, read=_whole, example=((12,), 12),
        ),
        Codec(
            "number", "a number, as the shortest digits of its double", (events.NUMBER,), "number",
            lambda columns: notation.digits(columns[0]),
            read=_number, example=((2.0,), "2"),
        ),
        Codec(
            "epoch_ms", "milliseconds since 1970", (events.TIME,), "whole",
            lambda columns: columns[0].dt.timestamp("ms"), read=_time_from_milliseconds,
            example=((events.EPOCH,), 0), unit="milliseconds",
        ),
        Codec(
            "epoch_s", "seconds since 1970, milliseconds floored", (events.TIME,), "whole", _floored_seconds,
            read=_time_from_seconds,
            changed=lambda columns: columns[0].dt.millisecond() != 0, why="milliseconds floored",
            example=((events.EPOCH,), 0), unit="seconds",
        ),
        Codec(
            "iso8601", "ISO 8601 text, read in all its forms, written in UTC with milliseconds",
            (events.TIME,), "text", _iso8601, read=notation.time_from_iso8601,
            changed=lambda columns: ~_has_four_digit_year(columns), why="left out: its year has no four digits",
            example=((events.EPOCH,), "1970-01-01T00:00:00.000Z"), unit="iso8601",
        ),
        Codec(
            "event_name", "an event's name, well-known ones as the model spells them", (events.TEXT,), "text",
            _first, read=_as_it_is, why="made legal",
        ),
        Codec(
            "app_id", "an application's id, exchanged as the settings say", (events.TEXT,), "text", _first,
            read=_as_it_is, why="exchanged by the settings",
        ),
        Codec(
            "first_of", "the first of several columns that is there", (events.TEXT,), "text",
            lambda columns: pl.coalesce(*columns), columns=(2, 9), read=_as_it_is, example=((None, "b"), "b"),
        ),
        Codec(
            "language", "the language, else the one that the locale names", (events.TEXT,), "text",
            lambda columns: columns[0].fill_null(columns[1].str.extract(LANGUAGE).str.to_lowercase()), columns=(2, 2),
            read=_as_it_is, example=((None, "zh-Hans_CN"), "zh"),
        ),
        Codec(
            "country", "the country, else the one that the locale names", (events.TEXT,), "text",
            lambda columns: columns[0].fill_null(columns[1].str.extract(COUNTRY).str.to_uppercase()), columns=(2, 2),
            read=_as_it_is, example=((None, "sr_RS_#Latn"), "RS"),
        ),
        Codec(
            "duration", "a session's length: the recorded one, else stop minus start",
            (events.WHOLE, events.TIME, events.TIME), "whole", _recorded_or_measured, columns=(3, 3),
            read=_whole, example=((5, events.EPOCH, events.EPOCH), 5),
        ),
        Codec(
            "exact_duration", "a session's length: stop minus start, else the recorded one",
            (events.WHOLE, events.TIME, events.TIME), "whole", _measured_or_recorded, columns=(3, 3),
            changed=_disagrees, why="disagreed with stop minus start",
            read=_whole, example=((5, events.EPOCH, events.EPOCH), 0),
        ),
        Codec(
            "action", "START, UPDATE or END; by the name where the event has no phase",
            (events.TEXT, events.TEXT), "text", _action, columns=(2, 2),
            read=_as_it_is, example=((None, "session.stop"), "END"),
        ),
        Codec(
            "short_session", "a session id of 8 to 20 characters, else 20 characters of its SHA-256",
            (events.TEXT,), "text", _short_session, changed=lambda columns: ~_is_short(columns[0]),
            why="hashed to 20 characters", read=_unless_empty, example=(("8nc92io9q",), "8nc92io9q"),
        ),
        Codec(
            "long_session", "a session id that is not of 8 to 20 characters", (events.TEXT,), "text",
            _long_session, read=_as_it_is, example=(("8nc92io9q",), None),
        ),
        Codec(
            "worth", "the value, else price times quantity", (events.NUMBER,), "number",
            lambda columns: notation.digits(money.worth(*columns)), columns=(3, 3),
            read=_number, example=((None, 9.99, 3.0), "29.97"),
        ),
        Codec(
            "money", "what real money an event is worth", (events.NUMBER,) * 3 + (events.TEXT,) * 2, "number",
            lambda columns: notation.digits(money.amount(*columns)), columns=(5, 5),
            read=_number, example=((None, 9.99, 3.0, "USD", None), "29.97"),
        ),
        Codec(
            "money_currency", "the currency of real money",
            (events.TEXT, events.TEXT, events.NUMBER), "text",
            lambda columns: money.currency(*columns), columns=(5, 5),
            changed=lambda columns: columns[0] != money.currency(*columns), why="written in capitals", read=_as_it_is, example=(("Gold", "Virtual", None, 1.0, 1.0), None),
        ),
        Codec(
            "loose_value", "a value that is no real money", (events.NUMBER,) * 3 + (events.TEXT,) * 2, "number",
            lambda columns: notation.digits(money.loose_value(*columns)), columns=(5, 5),
            read=_number, example=((2500.0, 2500.0, 1.0, "Gold", "Virtual"), "2500"),
        ),
        Codec(
            "loose_item_id", "an item's id beside a list of items", (events.TEXT,), "text",
            lambda columns: money.loose_item_id(*columns), columns=(2, 2),
            read=_as_it_is, example=(("i", "[]"), "i"),
        ),
        Codec(
            "loose_price", "a price that neither a money value nor an item carries",
            (events.NUMBER,) * 3 + (events.TEXT,), "number",
            lambda columns: notation.digits(money.loose_price(*columns)), columns=(7, 7),
            read=_number, example=((1.5, None, 2.0, "Gold", "Virtual", "i", None), "1.5"),
        ),
        Codec(
            "loose_quantity", "a quantity that neither a money value nor an item carries",
            (events.NUMBER, events.TEXT, events.TEXT, events.NUMBER, events.NUMBER, events.TEXT), "number",
            lambda columns: notation.digits(money.loose_quantity(*columns)), columns=(7, 7),
            read=_number, example=((2.0, None, None, None, 1.5, "USD", None), "2"),
        ),
        Codec(
            "loose_currency", "a currency that no money value carries",
            (events.TEXT, events.TEXT, events.NUMBER), "text",
            lambda columns: money.loose_currency(*columns), columns=(5, 5),
            read=_as_it_is, example=(("Gold", "Virtual", None, 1.0, 1.0), "Gold"),
        ),
        Codec(
            "item_list", "a list of items; a purchase's own item where there is none",
            (events.TEXT, events.TEXT, events.NUMBER, events.NUMBER, events.TEXT, events.TEXT, events.NUMBER), "json",
            lambda columns: money.item_list(*columns), columns=(7, 7), carries=2,
            read=_as_it_is, example=((None, "i", 1.5, 2.0, "USD", None, None), '[{"id":"i","price":1.5,"quantity":2,"currency":"USD"}]'),
        ),
        Codec(
            "user_object", "the user's properties, each with the time when it was set",
            (events.TEXT, events.MAP, events.MAP, events.TIME), "json",
            None, rowwise=notation.user_object, has_member=True, columns=(4, 4), carries=3,
            read=_as_it_is, example=(("u", None, None, events.EPOCH), '{"id":{"value":"u","set_timestamp":0}}'),
        ),
        Codec(
            "piped", "a list of texts, joined by |", (events.TEXT,), "text",
            None, rowwise=lambda columns, _: notation.piped(columns), read=notation.unpiped,
            changed=_not_pipeable, why="not a list of texts without bars",
            example=(('["a","b"]',), "a|b"),
        ),
        Codec(
            "epoch_s_exact", "seconds since 1970 with a fraction", (events.TIME,), "number",
            lambda columns: notation.seconds(columns[0]), read=_time_from_seconds,
            example=((events.EPOCH,), "0"), unit="seconds_or_iso8601",
        ),
        Codec(
            "epoch_ms_text", "milliseconds since 1970, as text", (events.TIME,), "text",
            lambda columns: columns[0].dt.timestamp("ms").cast(pl.String), read=_time_from_milliseconds,
            example=((events.EPOCH,), "0"), unit="milliseconds",
        ),
        Codec(
            "whole_text", "a whole number, as text", (events.WHOLE,), "text",
            lambda columns: columns[0].cast(pl.String), read=_whole, example=((12,), "12"),
        ),
        Codec(
            "json_text", "any JSON value", (events.TEXT,), "json", _first, read=_as_it_is, example=(("[1]",), "[1]"),
        ),
        Codec(
            "json_map", "an object of any JSON values", (events.MAP,), "json",
            lambda columns: notation.object_of_map(columns[0]), example=(({"a": "1"},), '{"a":1}'),
        ),
        Codec(
            "map_of_texts", "an object of texts; any other value as its JSON text", (events.MAP,), "json",
            lambda columns: notation.object_of_map(columns[0], _as_a_text),
            changed=_holds_other_than_texts, why="what was no text is one now", example=(({"a": "1"},), '{"a":"1"}'),
        ),
        Codec(
            "map_of_lists", "an object of lists of texts; any other value as a list of one text", (events.MAP,), "json",
            lambda columns: notation.object_of_map(columns[0], _as_a_list),
            changed=_holds_other_than_lists, why="what was no list of texts is one now", example=(({"a": "1"},), '{"a":["1"]}'),
        ),
        Codec(
            "own_column", "a column of the dataset's own, as its type takes it", (events.MAP,), "text", None, read=_as_it_is, carries=0,
        ),
        Codec(
            "original_names", "JSON text of the names that the target could not take as they were", (), "text",
            None, columns=(0, 0), read=_as_it_is,
        ),
    ]
}  # fmt: skip

CONTAINERS: dict[str, Container] = {
    container.name: container
    for container in [
        Container("text_map", "an object of texts", ("attributes", "other"), (({"sku": "b-1"}, None), '{"sku":"b-1"}')),
        Container("number_map", "an object of numbers", ("metrics",), (({"score": "2.5"},), '{"score":2.5}')),
        Container(
            "mixed_map", "one object of mixed types", ("attributes", "metrics", "other"),
            (({"sku": "b-1"}, {"score": "2.5"}, {"new": "true"}), '{"sku":"b-1","score":2.5,"new":true}'), shared=True,
        ),
        Container(
            "entities", "a list of key and value", ("attributes", "metrics", "other"),
            (({"sku": "b-1"}, {"score": "2.5"}, None), '[{"key":"sku","value":"b-1"},{"key":"score","value":2.5}]'), shared=True,
        ),
        Container(
            "properties", "JSON text of an object of texts, its keys in camel case", ("attributes", "metrics", "other"),
            (({"item_sku": "b-1"}, None, None), '"{\\"itemSku\\":\\"b-1\\"}"'), shared=True, write_as_text=True,
        ),
        Container("text_columns", "a column each, of text", ("attributes",), (({"sku": "b-1"},), '{"sku":"b-1"}'), readable_only=True),
        Container("number_columns", "a column each, of numbers", ("metrics",), (({"score": "2.5"},), '{"score":2.5}'), readable_only=True),
    ]
}  # fmt: skip

# Codecs of a whole hub map of JSON texts, which the reader takes in as it stands.
WHOLE_MAPS = ("json_map", "map_of_texts", "map_of_lists")

# What is made anew for each request, and therefore not read.
STAMPS: dict[str, str] = {
    "sequence": "a running number, from 1",
    "body_digest": "the first eight hexadecimal digits of the SHA-256 of the body's text",
    "latest_time": "the latest event's time in milliseconds since 1970, up to the next whole second",
    "transport": "how the body came, which is not how it is written",
    "uri": "the path and query of the request as the endpoint would have seen it, by a template",
    "request_id": "32 hexadecimal digits, made of the body's text",
}

# A request: its number, its body, its latest event's time, its head by hub column; and what each is for it, as JSON.
EXAMPLE_REQUEST: dict[str, Any] = {"sequence": 3, "body": "[]", "latest": 1500, "head": {"app.id": '"game"'}}
EXAMPLE_TEMPLATE = "/collect?app={app.id}&number={sequence}"
STAMP_EXAMPLES: dict[str, str | None] = {
    "sequence": "3",
    "body_digest": '"4f53cda1"',
    "latest_time": "2000",
    "transport": None,
    "uri": '"/collect?app=game&number=3"',
    "request_id": '"4f53cda18c2baa0c0354bb5f9a3ecbe5"',
}

# Those of them that a template of an address may hold, beside hub columns.
IN_TEMPLATES = ("sequence", "body_digest", "request_id")
PARAMETER = re.compile(r"([^=&]+)=\{([^{}&]*)\}")


def parameters(query: str) -> list[tuple[str, str]]:
    """Take the query of a template apart: the name of each parameter, and whence it comes; what is none has no name.

    >>> parameters("a={app.id}&b"), parameters("a={sequence}")
    ([('a', 'app.id'), ('', 'b')], [('a', 'sequence')])
    """
    found = [(part, PARAMETER.fullmatch(part)) for part in query.split("&")]
    return [(match[1], match[2]) if match else ("", part) for part, match in found]


# What a recipe or the settings name, a mapping does not.
NOT_OF_MAPPINGS = ("own_column",)
VOCABULARY = sorted({*SCALARS, *CONTAINERS} - {*NOT_OF_MAPPINGS})
