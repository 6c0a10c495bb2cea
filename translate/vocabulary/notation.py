"""Expressions that several words share: plain values, digits, JSON text, entities."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import replaced, spread

COMPACT = (",", ":")
# One for all: it takes longer to make than to use.
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=COMPACT)
COMPARED_MAX = 12  # texts that are compared one by one: each takes a walk over the column
FEW = 256  # values that are worked on faster one by one
MILLISECONDS = 1000
EARLIEST_ISO8601 = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
LATEST_ISO8601 = dt.datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=dt.UTC)


def first(columns: Sequence[pl.Expr]) -> pl.Expr:
    """Write the first column as it is."""
    return columns[0]


def as_it_is(text: pl.Expr) -> pl.Expr:
    """Read a text as it is."""
    return text


def hashing(column: pl.Expr) -> Any:
    """Give a column with its hashes, in namespaces that polars has not."""
    import polars_hash  # noqa: PLC0415  slow to import, and few runs hash

    return polars_hash.HExpr._from_pyexpr(column._pyexpr)  # noqa: SLF001  its namespaces hang on its own class


def whole(text: pl.Expr) -> pl.Expr:
    """Read a whole number; what is none is absent."""
    return text.cast(pl.Int64, strict=False)


def number(text: pl.Expr) -> pl.Expr:
    """Read a double; what is none is absent."""
    return text.cast(pl.Float64, strict=False)


def has_four_digit_year(time: pl.Expr) -> pl.Expr:
    """Tell which times a year of four digits can say."""
    return time.is_between(EARLIEST_ISO8601, LATEST_ISO8601)


class Digits(str):
    """A number as it stood in the record."""

    __slots__ = ()


def digits(double: pl.Expr) -> pl.Expr:
    """Write a double as its shortest digits: a whole one without a fraction, none with an exponent; `-0` is `0`."""
    return double.map_batches(_digits, return_dtype=pl.String, is_elementwise=True)


def _digits(numbers: pl.Series) -> pl.Series:
    """Write those that are there: most columns of numbers are all but empty."""
    if numbers.null_count() == len(numbers):
        return numbers.cast(pl.String)
    if len(numbers) <= FEW:
        each = [None if number is None else shortest(number) for number in numbers]
        return pl.Series(numbers.name, each, dtype=pl.String)
    are_there = numbers == numbers  # noqa: PLR0124  null where there is none, as `present` says
    there = numbers.filter(are_there)
    texts = pl.Series([*map(shortest, there)], dtype=pl.String) if len(there) <= FEW else _of_many(there)
    return spread(texts.to_frame(numbers.name), are_there).to_series()


def shortest(number: float) -> str:
    """Write one number so, or `NaN`, `inf`, `-inf`.

    >>> shortest(2.0), shortest(-0.0), shortest(1e21), shortest(2.5e-7)
    ('2', '0', '1000000000000000000000', '0.00000025')
    """
    text = repr(number).removesuffix(".0")
    return {"-0": "0", "nan": "NaN"}.get(text, text) if "e" not in text else _without_exponent(text)


def _of_many(numbers: pl.Series) -> pl.Series:
    texts = numbers.cast(pl.String).str.strip_suffix(".0")
    texts = texts.set(texts == "-0", "0")
    odd = texts.str.contains("e", literal=True)
    if odd.any():
        plain = pl.Series([_without_exponent(text) for text in texts.filter(odd)], dtype=pl.String)
        texts = replaced(texts, odd, plain)
    return texts


def _without_exponent(text: str) -> str:
    return f"{Decimal(text):f}"


def writable(text: str) -> str:
    """Spell halves of surrogate pairs out, which no file can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def json_text(text: pl.Expr) -> pl.Expr:
    """Write text as a JSON string, quotes and all; null stays null."""
    encoded = pl.struct(text.alias("t")).struct.json_encode()
    return pl.when(text.is_not_null()).then(encoded.str.slice(5).str.strip_suffix("}"))


def joined(parts: list[pl.Expr]) -> pl.Expr:
    """Join texts by commas, leaving out the absent ones."""
    return pl.concat_str(parts, separator=",", ignore_nulls=True)


def exchanged(text: pl.Expr, table: Mapping[str, str], default: pl.Expr | None = None) -> pl.Expr:
    """Exchange texts by a table; others become the default, or stay.

    Batch by batch, because the engine does not stream `replace`: it would gather all of the archive.
    """
    otherwise = text if default is None else default
    if len(table) > COMPARED_MAX:
        exchange = partial(_exchanged, old=[*table], new=[*table.values()])
        return pl.map_batches([text, otherwise], exchange, return_dtype=pl.String, is_elementwise=True)
    chain: Any = pl
    for old, new in table.items():
        chain = chain.when(text == old).then(pl.lit(new))
    return otherwise if chain is pl else chain.otherwise(otherwise)


def _exchanged(columns: Sequence[pl.Series], old: list[str], new: list[str]) -> pl.Series:
    height = len(columns[0]) if len(columns[0]) != 1 else len(columns[1])  # either may be a literal
    text, default = (each if len(each) == height else each.new_from_index(0, height) for each in columns)
    found = text.replace_strict(old, new, default=None, return_dtype=pl.String)
    if default.null_count() == height:
        return found
    return found.zip_with(found == found, default)  # noqa: PLR0124  null where there is none


def exchanged_back(text: pl.Expr, table: Mapping[str, str]) -> pl.Expr:
    """Exchange texts by a table that is read backwards; others stay."""
    return exchanged(text, {new: old for old, new in table.items()})


def object_of_map(column: pl.Expr, turned: Callable[[pl.Expr], pl.Expr] | None = None) -> pl.Expr:
    """Write a map of JSON texts as an object, each value turned into another if need be."""
    entries = column.map.entries()
    value = pl.element().struct.field("value")
    member = pl.concat_str(
        json_text(pl.element().struct.field("key")), pl.lit(":"), turned(value) if turned else value
    )
    inner = entries.list.eval(member).list.join(",")
    return pl.when(column.is_not_null()).then(pl.concat_str(pl.lit("{"), inner, pl.lit("}")))


def struct_of(values: Mapping[str, pl.Expr]) -> pl.Expr:
    """Put named values into one struct."""
    return pl.struct([value.alias(name) for name, value in values.items()])


def members_of_struct(values: Mapping[str, pl.Expr]) -> pl.Expr:
    """Write the members of an object of texts, whole numbers and flags, without its braces."""
    encoded = without_nulls(struct_of(values).struct.json_encode())
    return encoded.str.strip_prefix("{").str.strip_suffix("}")


def without_nulls(encoded: pl.Expr) -> pl.Expr:
    """Take null members with plain names out of encoded objects.

    Inside a JSON text every quote is escaped, and outside of one neither a plain letter nor $ can follow a quote: so
    `"name":null` can only be a member.
    """
    later = encoded.str.replace_all(r',"[0-9A-Za-z_.$]+":null', "")
    return later.str.replace_all(r'\{"[0-9A-Za-z_.$]+":null,?', "{")


def json_object(values: Mapping[str, pl.Expr]) -> pl.Expr:
    """Write a JSON object of values that are JSON text already; absent ones are left out."""
    return pl.concat_str(pl.lit("{"), json_members(values), pl.lit("}"))


def json_members(values: Mapping[str, pl.Expr]) -> pl.Expr:
    """Write the members of such an object, without its braces."""
    return joined(
        [
            pl.concat_str(pl.lit(json.dumps(name, ensure_ascii=False) + ":"), value)
            for name, value in values.items()
        ]
    )


def by_distinct_value(series: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """Apply a function to each distinct text of a batch once."""
    if series.null_count() == len(series):
        return series.cast(pl.String)
    if len(series) <= FEW:
        values = series.to_list()
        found = {value: None if value is None else function(value) for value in {*values}}
        return pl.Series(series.name, [found[value] for value in values], dtype=pl.String)
    distinct = series.unique().drop_nulls()
    results = pl.Series([function(value) for value in distinct], dtype=pl.String)
    return series.replace_strict(distinct, results, default=None, return_dtype=pl.String)


def members(values: Mapping[str, str]) -> str | None:
    """Write JSON values as the members of an object, without its braces."""
    return ",".join(f"{quoted(key)}:{value}" for key, value in values.items()) or None


def entities(values: Mapping[str, str]) -> str | None:
    """Write JSON values as entities, objects of key and value, without brackets."""
    return ",".join(f'{{"key":{quoted(key)},"value":{value}}}' for key, value in values.items()) or None


def entities_of(maps: pl.Series) -> pl.Series:
    """Write maps of JSON values so; nothing of a map without entries."""
    if maps.null_count() == len(maps):
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(maps))
    entry = pl.element().struct
    key, value = json_text(entry.field("key")), entry.field("value")
    written = pl.concat_str(pl.lit('{"key":'), key, pl.lit(',"value":'), value, pl.lit("}"))
    listed = pl.col("maps").map.entries().list.eval(written).list.join(",")
    return maps.alias("maps").to_frame().select_seq(pl.when(listed != "").then(listed)).to_series()


def quoted(value: Any) -> str:
    """Write a value as compact JSON."""
    return ENCODER.encode(value)


def maps_of(values: list[dict[str, str] | None]) -> pl.Series:
    """Make a column of maps, by way of JSON: the engine takes in texts six times as fast as dictionaries."""
    if not any(value is not None for value in values):
        return pl.Series([None], dtype=events.MAP).new_from_index(0, len(values))
    texts = [None if value is None else quoted(value) for value in values]
    return pl.Series(texts, dtype=pl.String).str.json_decode(events.MAP)
