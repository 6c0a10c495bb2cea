"""A condition taken apart: what stands between its outermost ANDs, each as its own SQL expression."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl
from polars.exceptions import PolarsError

TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\s+|.", re.DOTALL)
LENGTH_MAX = 10_000  # characters; what a machine wrote is told whole
OPENING, CLOSING = ("(", "CASE"), (")", "END")


def parts_of(sql: str) -> list[str]:
    """Split a condition at its outermost ANDs; one that has none, or that reads otherwise when it is split, stays whole."""
    if len(sql) > LENGTH_MAX:
        return [sql]
    parts = [part for part in (text.strip() for text in _split(_bare(sql))) if part]
    if len(parts) < 2:
        return [sql]
    try:
        together = pl.sql_expr(" AND ".join(f"({part})" for part in parts))
        is_same = together.meta.eq(pl.sql_expr(sql))
    except PolarsError:
        return [sql]
    return parts if is_same else [sql]


def texts_in(sql: str) -> list[str]:
    """Give the texts that are written out in an expression."""
    return [token[1:-1].replace("''", "'") for token in TOKEN.findall(sql) if token.startswith("'")]


def _bare(sql: str) -> str:
    """Take off brackets around the whole."""
    text = sql.strip()
    while text.startswith("(") and _closed_by(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closed_by(text: str) -> int:
    """Say where the bracket that a text begins with is closed."""
    depth, place = 0, 0
    for piece in TOKEN.findall(text):
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            return place
        place += len(piece)
    return -1


def _split(sql: str) -> Iterator[str]:
    depth, between, part = 0, False, ""
    for token in TOKEN.findall(sql):
        word = token.upper()
        depth += (word in OPENING) - (word in CLOSING)
        if depth == 0 and word == "AND" and not between:
            yield part
            part = ""
            continue
        if depth == 0 and word in ("BETWEEN", "AND"):
            between = word == "BETWEEN"
        part += token
    yield part
