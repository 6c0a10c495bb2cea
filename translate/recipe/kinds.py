"""Of which kinds the parts of an expression are: choices of several kinds, comparisons that cannot be made, and numbers of few bits.

What is made exact is put together from its leaves on. Each node is rewritten by itself, over columns that stand for its
operands, and these are set in after: nothing nests deeper than one node until the whole is read, once.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from translate import events
from translate.recipe.expressions import kind_of, nodes, type_of
from translate.recipe.mistakes import Mistake, place_of, place_of_text, place_of_token, written_out

COMPARISONS = frozenset("Eq NotEq Lt LtEq Gt GtEq EqValidity NotEqValidity".split())
WHOLE = pl.Int64()
WIDER = pl.Int128()  # holds whatever two whole numbers give
DIVISIONS = frozenset(["Div", "TrueDivide"])
ARITHMETIC = DIVISIONS | frozenset("Plus Minus Multiply Mul Rem Modulus IntDiv FloorDivide Abs".split())
# What SQL's `//` is made of gives 64 bits and stops where these are too few, and its `*` nests deeper.
OF_WHOLE = {"IntDiv": "TruncDivide", "Mul": "Multiply"}
NOTHING = {"Literal": {"Scalar": {"Null": "Null"}}}
OPERANDS = frozenset("left right predicate truthy falsy expr".split())
# What is written twice at each level grows beyond all bounds, and more nodes than these take the engine seconds.
TREE_MAX = 20_000
SIZE_MAX = 5_000


class Overgrown(Exception):  # noqa: N818  it is told as a mistake
    """An expression is too large to be run."""


class Exact(NamedTuple):
    """An expression as the engine writes it in bytes, its type and its size."""

    packed: bytes
    dtype: pl.DataType
    size: int = 1  # of how many nodes it is made

    @property
    def expr(self) -> pl.Expr:
        """The expression itself."""
        return pl.Expr.deserialize(io.BytesIO(self.packed))


def tree_of(expr: pl.Expr) -> Any:
    """Give the tree of an expression; raise Overgrown where that alone is too large."""
    written = expr.meta.serialize(format="json")
    if written.count("{") > TREE_MAX:
        raise Overgrown
    return json.loads(written)


def exact(tree: dict[str, Any], made: dict[int, Exact] | None = None) -> Exact:
    """Make an expression whose whole numbers keep their value, or are absent beyond 64 bits, and whose places count characters.

    The engine counts hours in 8 bits and characters in 32, without a sign, and goes on from the other end; places are bytes.
    `made` keeps what was made, by the identity of its tree.
    """
    made = {} if made is None else made
    if id(tree) in made:
        return made[id(tree)]
    if "Column" in tree:
        return Exact(pl.col(tree["Column"]).meta.serialize(), type_of(tree["Column"]) or pl.Null())
    node, operands = _apart(_placed(tree) or tree)
    # No comprehension: a long chain is as deep as it has links, and Python's stack would hold half as many.
    parts = []
    for operand in operands:
        parts.append(exact(operand, made))  # noqa: PERF401
    packed, dtype = _alone(json.dumps(node), tuple(part.dtype for part in parts))
    size = 1
    for position, part in enumerate(parts):
        size += packed.count(_stand_in(position)) * part.size
        if size > SIZE_MAX:
            raise Overgrown
        packed = packed.replace(_stand_in(position), part.packed)
    made[id(tree)] = Exact(packed, dtype, size)
    return made[id(tree)]


def _placed(tree: dict[str, Any]) -> dict[str, Any] | None:
    """Give the search that STRPOS is made of: its place from 0, and one, else 0."""
    inner = tree.get("Function", {})
    if inner.get("function") != "FillNull":
        return None
    found: dict[str, Any] = inner["input"][0].get("BinaryExpr", {}).get("left", {})
    return found if _of_text(found) == "Find" else None


def _of_text(node: dict[str, Any]) -> str:
    """Give the name of a node's function, if it is one of texts."""
    function = node.get("Function", {}).get("function")
    name = function.get("StringExpr", "") if isinstance(function, dict) else ""
    return next(iter(name)) if isinstance(name, dict) else name


def _apart(tree: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give a node over columns that stand for its operands, and these; what is written out stays where it is."""
    operands: list[dict[str, Any]] = []

    def held(inner: dict[str, Any]) -> dict[str, Any]:
        if "Literal" in inner:
            return inner
        operands.append(inner)
        return {"Column": str(len(operands) - 1)}

    kind, inner = next(iter(tree.items()))
    if kind == "Function":
        return {kind: {**inner, "input": [held(entry) for entry in inner["input"]]}}, operands
    if kind == "Literal":
        return tree, operands
    return {kind: {name: held(part) if name in OPERANDS else part for name, part in inner.items()}}, operands


@lru_cache(maxsize=64)
def _stand_in(position: int) -> bytes:
    return pl.col(str(position)).meta.serialize()


@lru_cache(maxsize=1024)
def _alone(node: str, dtypes: tuple[pl.DataType, ...]) -> tuple[bytes, pl.DataType]:
    """Make a node exact, over columns of the types that its operands are of."""
    frame = pl.DataFrame(schema={str(position): dtype for position, dtype in enumerate(dtypes)})
    expr = _made(json.loads(node), frame)
    return expr.meta.serialize(), _type_of(expr, frame)


def _type_of(expr: pl.Expr, frame: pl.DataFrame) -> pl.DataType:
    return frame.select(x=expr).schema["x"]


def _read(tree: Any) -> pl.Expr:
    return pl.Expr.deserialize(io.BytesIO(json.dumps(tree).encode()), format="json")


def _made(node: dict[str, Any], frame: pl.DataFrame) -> pl.Expr:
    expr = _read(node)
    if _of_text(node) == "Find":
        return _in_characters(expr, _read(node["Function"]["input"][0]))
    if _of_text(node) == "Slice":
        return _cut(node["Function"])
    operation, operands = _operation(node)
    if operation in ARITHMETIC:
        return _calculated(node, operation, operands, frame)
    if not {"Function", "Cast"} & node.keys():
        return expr
    dtype = _type_of(expr, frame)
    if "Cast" in node and dtype.is_float() and _type_of(_read(node["Cast"]["expr"]), frame) == events.TEXT:
        return pl.when(expr.is_finite()).then(expr)  # NaN and Infinity are texts, and no numbers
    return expr.cast(WHOLE, strict=False) if dtype.is_integer() and dtype != WHOLE else expr


def _in_characters(place: pl.Expr, text: pl.Expr) -> pl.Expr:
    """Count in characters where a text is found, from 1: those before it and one put in front, else none of them."""
    bytes_before = (place + 1).fill_null(0)
    before = (pl.lit("^") + text).cast(pl.Binary).bin.slice(0, bytes_before)
    return before.cast(pl.String, strict=False).str.len_chars().cast(WHOLE)


def _cut(inner: dict[str, Any]) -> pl.Expr:
    """Take from a text's first character on, and no less than none of them."""
    text, *bounds = inner["input"]
    first, length = [bound if "Literal" in bound else tree_of(_read(bound).clip(0)) for bound in bounds]
    if "Literal" in length:
        return _read({"Function": {**inner, "input": [text, first, length]}})
    rest = {"Function": {**inner, "input": [text, first, NOTHING]}}
    # A cut of no length is the rest of a text, a head of none is absent; heads count with a sign.
    return _read(rest).str.head(_read(length).cast(pl.UInt64).clip(upper_bound=2**63 - 1))


def _operation(node: dict[str, Any]) -> tuple[str, list[Any]]:
    """Give what a node calculates, and of what."""
    if "BinaryExpr" in node:
        inner = node["BinaryExpr"]
        return inner["op"], [inner["left"], inner["right"]]
    if "Function" not in node:
        return "", []
    inner = node["Function"]
    name = inner["function"]
    if isinstance(name, dict):
        name = name["Sql"].get("Binary", "") if isinstance(name.get("Sql"), dict) else ""
    return name, inner["input"]


def _calculated(node: dict[str, Any], operation: str, operands: list[Any], frame: pl.DataFrame) -> pl.Expr:
    """Calculate whole numbers in more bits than they have, and divide fractions as doubles, not to seven places."""
    types = [_type_of(_read(operand), frame) for operand in operands]
    if operation in DIVISIONS:
        is_fraction = any(dtype.is_decimal() for dtype in types)
        return _of(node, _cast(operands[0], events.NUMBER)) if is_fraction else _read(node)
    if not all(dtype.is_integer() for dtype in types):
        return _read(node)
    wide = _cast(operands[0], WIDER)
    if operation in OF_WHOLE:
        node = {"BinaryExpr": {"left": wide, "op": OF_WHOLE[operation], "right": operands[1]}}
    return _of(node, wide).cast(WHOLE, strict=False)


def _cast(operand: Any, dtype: pl.DataType) -> Any:
    return tree_of(_read(operand).cast(dtype))


def _of(node: dict[str, Any], first: Any) -> pl.Expr:
    """Give the same calculation, its first operand exchanged."""
    kind, inner = next(iter(node.items()))
    if kind == "BinaryExpr":
        return _read({kind: {**inner, "left": first}})
    return _read({kind: {**inner, "input": [first, *inner["input"][1:]]}})


def mixed(tree: Any) -> Iterator[str]:
    """Say where a choice has branches of several kinds: the engine would silently make text of them."""
    made: dict[int, Exact] = {}
    for node in nodes(tree):
        branches = [node["Ternary"][name] for name in ("truthy", "falsy")] if "Ternary" in node else []
        if node.get("Function", {}).get("function") in ("Coalesce", "MaxHorizontal", "MinHorizontal"):
            branches = node["Function"]["input"]
        kinds = {kind_of(exact(branch, made).dtype) for branch in branches} - {"nothing"}
        if len(kinds) > 1:
            yield f"one choice is {' and the other '.join(sorted(kinds))}; make them alike with TRY_CAST(... AS ...)"


def uncomparable(tree: Any, sql: str) -> Iterator[Mistake]:
    """Say where an expression compares a time, a number or a text with one of the others, and what to write."""
    for node in nodes(tree):
        yield from _meant_as_text(node, sql)
        for value, literal in _compared(node):
            try:
                kind = kind_of(exact(value).dtype)
            except pl.exceptions.PolarsError:
                continue  # what is wrong there is told for itself
            yield from _told(kind, literal, sql)


def _meant_as_text(node: dict[str, Any], sql: str) -> Iterator[Mistake]:
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
            if kind_of(exact(other).dtype) == "text":
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
