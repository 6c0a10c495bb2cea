"""The figures as JSON text, piece by piece: keys are many, so the engine writes theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from translate.vocabulary import notation

# Where the types go: no text in JSON holds a line break.
NO_TYPES = '\n  "types": []'
TYPE = """
    {{
      "name": {name},
      "events": {events},
      "keys": [{keys}]
    }}"""
KEY = """
        {{
          "container": {},
          "key": {},
          "events": {},
          "fill": {},
          "looks": {{{}
          }}{}
        }}"""
LOOK = '\n            "{}": {}'
EXAMPLE = ',\n          "example": {}'


def pieces(values: dict[str, Any], keys: pl.DataFrame, *, examples: bool) -> Iterator[str]:
    """Give the text, as `json` indents it by two."""
    head, _, tail = json.dumps({**values, "types": []}, indent=2, ensure_ascii=False).partition(NO_TYPES)
    if not values["types"]:
        yield head + NO_TYPES + tail
        return
    listed = dict(_by_type(keys, examples=examples).iter_rows())
    yield f'{head}\n  "types": ['
    for number, entry in enumerate(values["types"]):
        text = listed.get(entry["name"])
        told = {
            "name": notation.quoted(entry["name"]),
            "events": entry["events"],
            "keys": f"{text}\n      " if text else "",
        }
        yield f"{',' if number else ''}{TYPE.format(**told)}"
    yield f"\n  ]{tail}"


def _by_type(keys: pl.DataFrame, *, examples: bool) -> pl.DataFrame:
    """Give the text of each type's keys."""
    look = pl.format(LOOK, pl.element().struct.field("look"), pl.element().struct.field("events"))
    shown = {
        "container": _texts(keys["container"]), "key": _texts(keys["key"]), "events": keys["events"],
        "fill": pl.Series(["null" if fill is None else repr(fill) for fill in keys["fill"]], dtype=pl.String),
        "looks": keys.select(pl.col("looks").list.eval(look).list.join(",")).to_series(),
        "example": keys.select(pl.format(EXAMPLE, _texts(keys["example"]).fill_null("null"))).to_series() if examples else pl.lit(""),
    }  # fmt: skip
    rows = keys.select("name", text=pl.format(KEY, *shown.values()))
    return rows.group_by("name", maintain_order=True).agg(pl.col("text").str.join(","))


def _texts(values: pl.Series) -> pl.Series:
    return notation.by_distinct_value(values, notation.quoted)
