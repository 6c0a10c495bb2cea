"""Of which kinds the parts of an expression are: choices of several kinds, comparisons that cannot be made, and numbers of few bits."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import json
import math
import operator
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import polars as pl

from translate import events
from translate.recipe.expressions import NAIVE_TIME, kind_of, type_of
from translate.recipe.mistakes import Mistake, place_of, place_of_text, place_of_token, written_out

WHOLE = pl.Int64()
WIDER = pl.Int128()  # holds whatever two whole numbers give
DIVISIONS = frozenset(["Div", "TrueDivide"])
ARITHMETIC = DIVISIONS | frozenset("Plus Minus Multiply Mul Rem Modulus IntDiv FloorDivide Abs".split())
LEVELS = 40  # of JSON, of which the engine reads no more than 128
CHAINED = {
    "And": operator.and_,
    "Or": operator.or_,
    "Plus": operator.add,
    "Minus": operator.sub,
    "Multiply": operator.mul,
}
COMPARISONS = frozenset("Eq NotEq Lt LtEq Gt GtEq EqValidity NotEqValidity".split())
# What a value may be at its worst: an expression that stops on one of these would stop a run.
EXTREMES: dict[Any, list[Any]] = {
    events.TEXT: [None, "", "x", "2.5", "-1", "a-\u00e9,b", "-9223372036854775808"],
    events.WHOLE: [None, 0, -1, 2**63 - 1, -(2**63), 5, 1],
    events.NUMBER: [None, 0.0, -1.5, 1e308, math.nan, math.inf, -math.inf],
    NAIVE_TIME: [None, dt.datetime(1970, 1, 1), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), dt.datetime(2016, 2, 29), dt.datetime(1677, 1, 1), dt.datetime(2016, 12, 31)],  # noqa: DTZ001  expressions see times without a zone
}  # fmt: skip
CROSSED = 3  # so many columns of an expression are tried in every combination


@lru_cache(maxsize=16)
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
    if isinstance(branch, dict) and "Cast" in branch:
        return _cast_to(branch["Cast"])
    return worst_frame(names).clear().select(x=expression_of(branch)).schema["x"]


def tree_of(expr: pl.Expr) -> Any:
    """Give the tree of an expression."""
    return json.loads(expr.meta.serialize(format="json"))


def expression_of(tree: Any) -> pl.Expr:
    """Give the expression of a tree; long chains of operators are put together link by link, for JSON nests no deeper."""
    inner = tree.get("BinaryExpr") if isinstance(tree, dict) else None
    if inner and inner["op"] in CHAINED and _nests(inner["left"]):
        link: pl.Expr = CHAINED[inner["op"]](expression_of(inner["left"]), expression_of(inner["right"]))
        return link
    inner = tree.get("Cast") if isinstance(tree, dict) else None
    if inner and _nests(inner["expr"]):
        return expression_of(inner["expr"]).cast(_cast_to(inner), strict=inner["options"] == "Strict")
    return _read(tree)


def _cast_to(cast: dict[str, Any]) -> pl.DataType:
    """Give the type that a node casts to, whatever it casts."""
    of_nothing = _read({"Cast": {**cast, "expr": {"Column": ""}}})
    return pl.DataFrame({"": [None]}).select(of_nothing).dtypes[0]


def _read(tree: Any) -> pl.Expr:
    return pl.Expr.deserialize(io.BytesIO(json.dumps(tree).encode()), format="json")


def _nests(tree: Any) -> bool:
    """Tell whether a tree nests deeply."""
    level = [tree]
    for _ in range(LEVELS):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def exact(tree: Any, names: tuple[str, ...]) -> Any:
    """Rewrite a tree so that whole numbers keep their value, or are absent beyond 64 bits, and places count characters.

    The engine counts hours in 8 bits and characters in 32, without a sign, and goes on from the other end; places are bytes.
    """
    if isinstance(tree, list):
        return [exact(inner, names) for inner in tree]
    if not isinstance(tree, dict) or "Literal" in tree:
        return tree
    searched = exact(_searched(tree), names)
    tree = {name: exact(inner, names) for name, inner in tree.items()}
    if searched is not None:  # nothing in nothing has no place, 0 is that of nothing in something
        return tree_of(pl.when(expression_of(searched).is_not_null()).then(expression_of(tree)))
    if isinstance(tree.get("Function"), dict):
        tree = _in_characters(tree, tree["Function"])
    operation, operands = _operation(tree)
    if operation in ARITHMETIC:
        return _calculated(tree, operation, operands, names)
    if (
        "Cast" in tree
        and _type_of(tree, names).is_float()
        and _type_of(tree["Cast"]["expr"], names) == events.TEXT
    ):
        number = expression_of(tree)  # NaN and Infinity are texts, and no numbers
        return tree_of(pl.when(number.is_finite()).then(number))
    return _widened(tree, names) if "Function" in tree or "Cast" in tree else tree


def _searched(tree: dict[str, Any]) -> Any:
    """Give what STRPOS looks in, where a node is made of it: the place from 0, and one, else 0."""
    inner = tree.get("Function")
    if not isinstance(inner, dict) or inner["function"] != "FillNull":
        return None
    found = inner["input"][0].get("BinaryExpr", {}).get("left", {}).get("Function", {})
    function = found.get("function")
    family = function.get("StringExpr") if isinstance(function, dict) else None
    return found["input"][0] if isinstance(family, dict) and "Find" in family else None


def _in_characters(tree: Any, inner: dict[str, Any]) -> Any:
    """Count in characters where a text is found, and take from its first one on, and no less than none of them."""
    function = inner["function"].get("StringExpr") if isinstance(inner["function"], dict) else None
    if isinstance(function, dict) and "Find" in function:
        place = expression_of(tree)
        before = expression_of(inner["input"][0]).cast(pl.Binary).bin.slice(0, place)
        found = before.cast(pl.String, strict=False).str.len_chars().cast(WHOLE)
        return tree_of(pl.when(place.is_not_null()).then(found))
    if function != "Slice":
        return tree
    text, *bounds = inner["input"]
    cut = [bound if "Literal" in bound else tree_of(expression_of(bound).clip(0)) for bound in bounds]
    tree = {"Function": {**inner, "input": [text, *cut]}}
    if "Literal" in bounds[1]:
        return tree
    # Without a length the engine takes the rest.
    return tree_of(pl.when(expression_of(bounds[1]).is_not_null()).then(expression_of(tree)))


def _widened(tree: Any, names: tuple[str, ...]) -> Any:
    dtype = _type_of(tree, names)
    return _cast(tree, WHOLE) if dtype.is_integer() and dtype != WHOLE else tree


def _cast(tree: Any, dtype: pl.DataType, options: str = "NonStrict") -> Any:
    """Give a cast of a node: put together, because reading long chains back link by link takes the square of their length."""
    return {"Cast": {"expr": tree, "dtype": {"Literal": str(dtype)}, "options": options}}


def _operation(tree: dict[str, Any]) -> tuple[str, list[Any]]:
    """Give what a node calculates, and of what."""
    kind, inner = next(iter(tree.items()), ("", None))
    if kind == "BinaryExpr" and isinstance(inner, dict):
        return inner["op"], [inner["left"], inner["right"]]
    if kind != "Function" or not isinstance(inner, dict):
        return "", []
    function = inner["function"]
    if isinstance(function, dict) and isinstance(function.get("Sql"), dict):
        return function["Sql"].get("Binary", ""), inner["input"]
    return ("Abs", inner["input"]) if function == "Abs" else ("", [])


def _calculated(tree: Any, operation: str, operands: list[Any], names: tuple[str, ...]) -> Any:
    """Calculate whole numbers in more bits than they have, and divide fractions as doubles, not to seven places."""
    types = [_type_of(operand, names) for operand in operands]
    if operation in DIVISIONS:
        is_fraction = any(dtype.is_decimal() for dtype in types)
        return _of(tree, _cast(operands[0], events.NUMBER, "Strict")) if is_fraction else tree
    if not all(dtype.is_integer() for dtype in types):
        return tree
    wide = _cast(operands[0], WIDER, "Strict")
    if operation != "IntDiv":
        return _cast(_of(tree, wide), WHOLE)
    by = expression_of(operands[1])  # the engine gives 64 bits, and stops where these are too few
    divided = expression_of(_of(tree, operands[0], tree_of(pl.when(by == -1).then(1).otherwise(by))))
    turned = (0 - expression_of(wide)).cast(WHOLE, strict=False)
    return tree_of(pl.when(by == -1).then(turned).otherwise(divided))


def _of(tree: Any, *operands: Any) -> Any:
    """Give the same calculation, its first operands exchanged."""
    kind, inner = next(iter(tree.items()))
    if kind == "BinaryExpr":
        return {kind: {**inner, **dict(zip(("left", "right"), operands, strict=False))}}
    return {kind: {**inner, "input": [*operands, *inner["input"][len(operands) :]]}}


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
