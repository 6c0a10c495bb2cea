"""SQL expressions of recipes: read, held against an allow-list, and proven before any row."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from translate import events
from translate.errors import UsageError, refuse_bytes
from translate.recipe.expressions import KEYED, Expression, misfit, nodes, type_of, worst_frame
from translate.recipe.kinds import Overgrown, exact, mixed, tree_of, uncomparable
from translate.recipe.mistakes import (
    Mistake,
    Unfit,
    as_hub,
    first_line,
    instead_of,
    is_compared_with,
    of_engine,
    of_parser,
    place_of,
    place_of_word,
    words_here,
)

QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
REFUSED_TEXT = {
    re.compile(r"--|/\*"): "comments belong into the TOML, not into the expression",
    re.compile(r"\b(?:NOW|TODAY|CURRENT_\w+|LOCALTIME\w*)\b", re.IGNORECASE): (
        "the time of day is not allowed: the same files must give the same rows"
    ),
    re.compile(r"\bCAST\s*\(|::", re.IGNORECASE): (
        "CAST stops the run at the first value that does not fit; write TRY_CAST(... AS ...)"
    ),
    re.compile(r"\bSELECT\b", re.IGNORECASE): "an expression sees one event; there is nothing to SELECT from",
    re.compile(r"^\s*WHERE\b", re.IGNORECASE): "leave WHERE out: what follows it is all that is asked for",
    re.compile(r";"): "leave the semicolon out",
    re.compile(r"&&"): "&& is no operator here; write AND",
    re.compile("[\u2018\u2019\u201c\u201d]"): "a text stands in straight single quotes, 'purchase'",
    re.compile(r"\b\d{4}-\d\d-\d\d\b"): r"a day stands in quotes: DATE '\g<0>'",  # else it is a subtraction
    re.compile(r"(?:==?|!=|<>)\s*NULL\b", re.IGNORECASE): (
        "nothing is ever = NULL or <> NULL; write IS NULL or IS NOT NULL"
    ),
    re.compile(r"\bIS(?:\s+NOT)?(?=\s*')", re.IGNORECASE): (
        "IS takes NULL, TRUE or FALSE; a text is compared by = or <>"
    ),
}

# The parser, and whatever walks the tree that it gives, would run out of stack beyond these.
NESTED_MAX = 40
LINKS_MAX = 300
LINKS = re.compile(r"\b(?:AND|OR|XOR|NOT|WHEN|IS|IN|LIKE|ILIKE)\b|[-+*/%|<>=!~^&]+", re.IGNORECASE)
TOO_DEEP = f"is nested too deeply: more than {NESTED_MAX} levels, or too long a chain; share it out over several rules"

OPERATORS = frozenset(
    """
    Eq NotEq Lt LtEq Gt GtEq Plus Minus Multiply Divide TrueDivide FloorDivide Modulus And Or Xor LogicalAnd LogicalOr
    EqValidity NotEqValidity
    """.split()
)
FUNCTIONS: dict[str, frozenset[str]] = {
    "": frozenset("Coalesce FillNull Abs Floor Ceil Sign MaxHorizontal MinHorizontal Clip".split()),
    "Boolean": frozenset("IsNull IsNotNull Not IsIn IsBetween AnyHorizontal AllHorizontal".split()),
    "StringExpr": frozenset(
        """
        Uppercase Lowercase Titlecase StripChars StripCharsStart StripCharsEnd StripPrefix StripSuffix Slice Head Tail
        Replace LenChars LenBytes ConcatHorizontal StartsWith EndsWith Contains Find Split PadStart PadEnd Reverse
        """.split()
    ),
    "TemporalExpr": frozenset(
        """
        Year IsoYear Quarter Month Week WeekDay Day OrdinalDay Hour Minute Second Millisecond Date ToString OffsetBy
        """.split()
    ),
    "ListExpr": frozenset(["Get"]),  # what SPLIT_PART is made of
    "Sql": frozenset(["IsIn", "Round", "Binary", "ToFloat"]),
}
PATTERNS = {("StringExpr", "Contains"), ("StringExpr", "Find")}
NODES = {
    "Len": "an expression sees one event; aggregates such as COUNT are not possible",
    "Agg": "an expression sees one event; aggregates such as SUM are not possible",
    "Over": "an expression sees one event; window functions are not possible",
    "Explode": 'UNNEST is not possible; write explode = "items" in a rule of its own',
    "Selector": "names no single column; name each column in full",
    "Alias": "AS gives a name, and the column's is known already; leave it out",
}
TIME_FROM_TEXT = "a time is not read from text: one that does not fit would stop the run; the day of a time is TRY_CAST(time AS DATE)"
AGGREGATES = frozenset(
    """
    COUNT SUM MIN MAX AVG MEAN MEDIAN FIRST LAST STDDEV STDEV STDDEV_SAMP STDEV_SAMP VARIANCE VAR VAR_SAMP ARRAY_AGG
    """.split()
)
# By which words of SQL such a node comes about.
SPELLED = {
    "Strptime": {"DATE", "TIME", "TIMESTAMP", "STRPTIME"},
    "Len": AGGREGATES,
    "Agg": AGGREGATES,
    "Over": {"OVER"},
    "Explode": {"UNNEST"},
    "Alias": {"AS"},
}


def condition(sql: str, shown: str) -> Expression:
    """Read a condition over hub events; raise UsageError with everything that is wrong with it."""
    refuse_bytes(sql, shown)
    try:
        found = read(sql, exploded=False)
    except Unfit as unfit:
        raise UsageError("\n".join(filter(None, (f"{shown}: {unfit}", unfit.excerpt)))) from None
    wrong = misfit(found, pl.Boolean(), "")
    if wrong:
        raise UsageError(f"{shown}: {wrong}")
    return found


def read(sql: str, *, exploded: bool) -> Expression:
    """Read an SQL expression and prove it; raise Unfit with everything that is wrong.

    `exploded` tells that an earlier rule makes one row per item, so that there is an `item` to look at.
    """
    if not sql.strip():
        raise Unfit(sql, [Mistake("is empty; write an expression, for example name = 'purchase'")])
    outside = QUOTED.sub(lambda text: "'" * len(text[0]), sql)
    mistakes = [
        Mistake(found.expand(message), found.span())
        for pattern, message in REFUSED_TEXT.items()
        if (found := pattern.search(outside))
    ]
    mistakes += map(Mistake, _too_large(outside))
    if mistakes:
        raise Unfit(sql, mistakes)
    try:
        expr = pl.sql_expr(sql)
    except pl.exceptions.PolarsError as error:
        raise Unfit(sql, [of_parser(sql, error)]) from None
    try:
        return _judged(expr, sql, exploded=exploded)
    # A long CASE is as deep as it has branches.
    except (RecursionError, Overgrown, pl.exceptions.PolarsError):
        raise Unfit(sql, [Mistake(TOO_DEEP)]) from None


def _too_large(outside: str) -> Iterator[str]:
    """Say what of an expression, without its texts and names in quotes, is more than can be judged."""
    depth = itertools.accumulate({"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0) for sign in outside)
    if max(depth, default=0) > NESTED_MAX:
        yield TOO_DEEP
    links = len(LINKS.findall(outside))
    if links > LINKS_MAX:
        yield f"has {links} operators, more than {LINKS_MAX}: write name IN ('a', 'b') for many ORs, or share it out over several rules"


def _judged(expr: pl.Expr, sql: str, *, exploded: bool) -> Expression:
    tree = tree_of(expr)
    mistakes = [
        Mistake(message, place_of_word(sql, SPELLED.get(name, {name})) or place_of(sql, name))
        for message, name in _refused(tree, sql)
    ]
    if mistakes:
        raise Unfit(sql, mistakes)
    # `root_names` would try to resolve what is refused anyway.
    names = tuple(sorted({node["Column"] for node in nodes(tree) if isinstance(node.get("Column"), str)}))
    mistakes = [mistake for name in names if (mistake := _unknown(name, sql, exploded=exploded))]
    if mistakes:
        raise Unfit(sql, mistakes)
    expr, dtype = _proven(expr, names, sql, tree)
    messages = list(mixed(tree))
    if messages:
        raise Unfit(sql, map(Mistake, messages))
    return Expression(sql, expr, names, dtype)


def _unknown(name: str, sql: str, *, exploded: bool) -> Mistake | None:
    place = place_of(sql, name)
    if type_of(name) is not None:
        if name.startswith("item.") and not exploded:
            return Mistake(f'"{name}" needs an earlier rule with explode = "items"', place)
        return None
    if name in events.MAPS:
        key = f"{name if name in KEYED else 'attributes'}.KEY"
        return Mistake(f'{name} is a map; name one of its keys, in quotes: "{key}"', place)
    return Mistake(f'no hub column "{name}"{instead_of(name, sql, place)}', place)


def _refused(node: Any, sql: str, parent: str = "") -> Iterator[tuple[str, str]]:
    """Say what in a tree is not on the allow-list, and by which word of the expression it can be found."""
    if isinstance(node, str):
        yield NODES.get(node, f"{node} is not allowed in a recipe"), node
        return
    kind, inner = next(iter(node.items()))
    if kind in ("Column", "Literal"):
        return
    if kind == "BinaryExpr":
        if inner["op"] not in OPERATORS:
            yield f"the operator {inner['op']} is not allowed in a recipe", ""
        yield from _refused(inner["left"], sql)
        yield from _refused(inner["right"], sql)
    elif kind == "Ternary":
        for branch in ("predicate", "truthy", "falsy"):
            yield from _refused(inner[branch], sql)
    elif kind == "Cast":
        # NOT wraps its operand in a strict cast to truth; the proof shows that the operand is one.
        if inner["options"] != "NonStrict" and parent != "Not":
            told = "CAST stops the run at the first value that does not fit; write TRY_CAST(... AS ...)"
            yield told, "CAST"
        yield from _refused(inner["expr"], sql)
    elif kind == "Function":
        yield from _refused_function(inner, sql)
    else:
        yield NODES.get(kind, f"{kind} is not allowed in a recipe"), kind


def _refused_function(node: dict[str, Any], sql: str) -> Iterator[tuple[str, str]]:
    family, name, argument = _function_name(node["function"])
    if (family, name) == ("StructExpr", "FieldByName"):
        column = _dotted(node)
        place = place_of(sql, column)
        known = type_of(as_hub(column)) is not None
        if words_here(column) or (place is not None and not known and is_compared_with(sql, place)):
            yield f'no hub column "{column}"{instead_of(column, sql, place)}', column
        else:
            yield f'write the name in quotes: "{as_hub(column)}"', column
        return
    if (family, name) == ("StringExpr", "Strptime"):
        yield TIME_FROM_TEXT, "Strptime"
        return
    if name not in FUNCTIONS.get(family, ()):
        yield f"the function {name} is not allowed in a recipe", name
    for entry in node["input"]:
        yield from _refused(entry, sql, parent=name)
    if (family, name) in PATTERNS and argument.get("literal") is False:
        pattern = node["input"][1]
        if "Literal" not in pattern:
            yield "a pattern must be written out, not taken from a column", ""


def _function_name(function: Any) -> tuple[str, str, Any]:
    """Give a function's family, name and argument."""
    if isinstance(function, str):
        return "", function, {}
    family, inner = next(iter(function.items()))
    if isinstance(inner, str):
        return family, inner, {}
    if isinstance(inner, dict) and inner and family != "Clip":  # what LEFT and SUBSTR are made of
        name, argument = next(iter(inner.items()))
        return family, name, argument
    return "", family, inner


def _dotted(node: Any) -> str:
    """Write a chain of members as its user wrote it."""
    if "Column" in node:
        return str(node["Column"])
    inner = node.get("Function", node)
    return f"{_dotted(inner['input'][0])}.{inner['function']['StructExpr']['FieldByName']}"


def _proven(expr: pl.Expr, names: tuple[str, ...], sql: str, tree: Any) -> tuple[pl.Expr, pl.DataType]:
    """Make an expression exact, run it on no rows for its type, and on the worst values to see that it never stops."""
    frame = worst_frame(names)
    try:
        frame.clear().select(x=expr)  # what is wrong is told of what was written
        made = exact(tree)
    except pl.exceptions.PolarsError as error:
        raise _unfit(error, sql, tree) from None
    expr = made.expr
    try:
        dtype = frame.clear().select(x=expr).schema["x"]
        frame.select(x=expr)
    except pl.exceptions.PolarsError as error:
        raise _unfit(error, sql, tree) from None
    return expr, dtype


def _unfit(error: pl.exceptions.PolarsError, sql: str, tree: Any) -> Unfit:
    mistakes = list(uncomparable(tree, sql))
    return Unfit(sql, mistakes or [of_engine(sql, error) or Mistake(f"does not work: {first_line(error)}")])
