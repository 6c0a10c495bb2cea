"""Of which kinds the parts of an expression are: choices of several kinds, and comparisons that cannot be made."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import polars as pl

from translate import events
from translate.recipe.expressions import NAIVE_TIME, kind_of, type_of
from translate.recipe.mistakes import Mistake, place_of, place_of_text, place_of_token, written_out

COMPARISONS = frozenset("Eq NotEq Lt LtEq Gt GtEq EqValidity NotEqValidity".split())
# What a value may be at its worst: an expression that stops on one of these would stop a run.
EXTREMES: dict[Any, list[Any]] = {
    events.TEXT: [None, "", "x", "2.5", "-1", "a-\u00e9,b"],
    events.WHOLE: [None, 0, -1, 2**63 - 1, -(2**63), 5],
    events.NUMBER: [None, 0.0, -1.5, 1e308, math.nan, math.inf],
    NAIVE_TIME: [None, dt.datetime(1970, 1, 1), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), dt.datetime(2016, 2, 29), dt.datetime(1677, 1, 1)],  # noqa: DTZ001  expressions see times without a zone
}  # fmt: skip
CROSSED = 3  # so many columns of an expression are tried in every combination


def worst_frame(names: tuple[str, ...]) -> pl.DataFrame:
    """Make rows of the worst values that columns can have, in many combinations."""
    types = {name: type_of(name) for name in names}
    count = len(EXTREMES[events.TEXT])
    combinations = list(itertools.product(range(count), repeat=min(len(names), CROSSED)))
    columns = {}
    for position, (name, dtype) in enumerate(types.items()):
        indexes = [
            combination[position] if position < CROSSED else (row + position) % count
            for row, combination in enumerate(combinations)
        ]
        columns[name] = pl.Series([EXTREMES[dtype][index] for index in indexes], dtype=dtype)
    return pl.DataFrame(columns) if columns else pl.DataFrame({"": [0]})


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Give the objects of an expression's tree, each before those inside of it."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    for inner in tree if isinstance(tree, list) else ():
        yield from nodes(inner)


def mixed(tree: Any, names: tuple[str, ...]) -> Iterator[str]:
    """Say where a choice has branches of several kinds: the engine would silently make text of them."""
    for node in nodes(tree):
        branches = [node["Ternary"][name] for name in ("truthy", "falsy")] if "Ternary" in node else []
        if node.get("Function", {}).get("function") in ("Coalesce", "MaxHorizontal", "MinHorizontal"):
            branches = node["Function"]["input"]
        kinds = {kind_of(_type_of(branch, names)) for branch in branches} - {"nothing"}
        if len(kinds) > 1:
            yield f"one choice is {' and the other '.join(sorted(kinds))}; make them alike with TRY_CAST(... AS ...)"


def _type_of(branch: Any, names: tuple[str, ...]) -> pl.DataType:
    expr = pl.Expr.deserialize(io.BytesIO(json.dumps(branch).encode()), format="json")
    return worst_frame(names).clear().select(x=expr).schema["x"]


def uncomparable(tree: Any, names: tuple[str, ...], sql: str) -> Iterator[Mistake]:
    """Say where an expression compares a time, a number or a text with one of the others, and what to write."""
    for node in nodes(tree):
        yield from _meant_as_text(node, names, sql)
        for value, literal in _compared(node):
            try:
                kind = kind_of(_type_of(value, names))
            except pl.exceptions.PolarsError:
                continue  # what is wrong there is told for itself
            yield from _told(kind, literal, sql)


def _meant_as_text(node: dict[str, Any], names: tuple[str, ...], sql: str) -> Iterator[Mistake]:
    """Say where a text is compared with a column of another kind, whose name in double quotes was meant as a text."""
    inner = node.get("BinaryExpr")
    if not inner or inner["op"] not in COMPARISONS:
        return
    for side, other in ((inner["left"], inner["right"]), (inner["right"], inner["left"])):
        name = side.get("Column") if isinstance(side, dict) else None
        dtype = type_of(name) if isinstance(name, str) else None
        if (
            not name
            or dtype is None
            or f'"{name}"' not in sql
            or kind_of(dtype) == "text"
            or "Literal" in other
        ):
            continue
        with contextlib.suppress(pl.exceptions.PolarsError):
            if kind_of(_type_of(other, names)) == "text":
                told = f"text is not compared with {kind_of(dtype)}, the column \"{name}\"; as a text it stands in single quotes: '{name}'"
                yield Mistake(told, place_of(sql, name))


def _compared(node: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Give what a node compares with what is written out."""
    inner = node.get("BinaryExpr")
    if inner and inner["op"] in COMPARISONS:
        sides = [(inner["left"], inner["right"]), (inner["right"], inner["left"])]
    elif "IsBetween" in json.dumps(node.get("Function", {}).get("function")):
        value, *bounds = node["Function"]["input"]
        sides = [(value, bound) for bound in bounds]
    else:
        return
    yield from ((value, other["Literal"]) for value, other in sides if "Literal" in other)


def _told(kind: str, literal: Any, sql: str) -> Iterator[Mistake]:
    text = literal.get("Scalar", {}).get("String")
    number = next(iter(literal.get("Dyn", {}).values()), None)
    if text is not None and kind in ("a time", "a date"):
        what = "TIMESTAMP" if kind == "a time" else "DATE"
        told = f"{kind} is not compared with text; write {what} {written_out(text)}"
        yield Mistake(told, place_of_text(sql, text))
    elif text is not None and kind == "a number":
        way_out = f"write {text}, without quotes" if _is_number(text) else "write a number, without quotes"
        yield Mistake(f"a number is not compared with text; {way_out}", place_of_text(sql, text))
    elif number is not None and kind == "text":
        yield Mistake(
            f"text is not compared with a number; write '{number}'", place_of_token(sql, str(number))
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
