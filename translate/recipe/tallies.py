"""What is counted while a recipe and a selection work: a flag for each thing, summed beside the rows in the same run.

A flag's name is the key of its count: `_tally.rule0.matched`, `_tally.rule0.null.item_id`, `_tally.where.part1`. Rules
are numbered as the recipe has them, from 0. `seen` are the events that come as far as the rule, `matched` those for
which its condition holds, `changed` those that it changes, `dropped` those that it takes out, `null` those for which an
expression gave nothing, `part` those for which a part of the condition holds, `unknown` those for which that cannot be
said, `has` those that have a column or key that is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

import polars as pl
from polars.exceptions import PolarsError

from translate import events
from translate.recipe.expressions import Expression, key_of
from translate.recipe.proof import read
from translate.recipe.spec import Rule

TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\s+|.", re.DOTALL)
LENGTH_MAX = 10_000  # characters; what a machine wrote is told whole
OPENING, CLOSING = ("(", "CASE"), (")", "END")

TALLY = "_tally."
WHERE = "where"


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


def of_rule(number: int) -> str:
    """Give the head of the counts of a rule."""
    return f"rule{number}"


def flag(head: str, what: str) -> str:
    """Name the flag of a count."""
    return f"{TALLY}{head}.{what}"


@cache
def conditions(condition: Expression) -> tuple[Expression, ...]:
    """Give the parts of a condition that all have to hold."""
    parts = parts_of(condition.sql)
    return (condition,) if len(parts) == 1 else tuple(read(part, exploded=True) for part in parts)


def looked_at_by(rule: Rule) -> list[str]:
    """Name the columns and the keys of free-form values that a rule looks at, and the keys that it renames or removes."""
    looked_at = {name for expression in rule.expressions for name in expression.columns}
    return sorted(looked_at | {*rule.renames} | {name for name in rule.removes if key_of(name)})


def keys_looked_at(rule: Rule) -> list[str]:
    """Name the keys among them."""
    return [name for name in looked_at_by(rule) if key_of(name)]


def of_condition(
    head: str, condition: Expression | None, alive: pl.Expr, looked_at: Iterable[str]
) -> dict[str, pl.Expr]:
    """Give the flags of a condition and of the keys that it looks at, as expressions see them."""
    flags = {flag(head, "seen"): alive, flag(head, "matched"): alive}
    if condition is not None:
        flags[flag(head, "matched")] = alive & condition.expr.fill_null(value=False)
        parts = conditions(condition)
        flags |= {
            flag(head, f"part{number}"): alive & part.expr.fill_null(value=False)
            for number, part in enumerate(parts)
        }
        flags |= {
            flag(head, f"unknown{number}"): alive & part.expr.is_null() for number, part in enumerate(parts)
        }
    return flags | {flag(head, f"has.{name}"): alive & pl.col(name).is_not_null() for name in looked_at}


def of_changes(head: str, rule: Rule, match: pl.Expr, *, explodes: bool) -> dict[str, pl.Expr]:
    """Give the flags of what a rule does, once its values stand in `=target`."""
    reason = rule.drop if rule.drop is not None else rule.keep
    changed = pl.any_horizontal(
        [pl.lit(False), *_changes(rule), *([pl.col("items").is_not_null()] if explodes else [])]
    )
    return {
        flag(head, "changed"): match & changed.fill_null(value=False),
        flag(head, "dropped"): match if reason is not None else pl.lit(False),
        **{flag(head, f"null.{target}"): match & pl.col(f"={target}").is_null() for target in rule.sets},
    }


def _changes(rule: Rule) -> Iterator[pl.Expr]:
    for target in rule.sets:
        yield stored(target).ne_missing(pl.col(f"={target}"))
    if rule.names:
        yield pl.col("name").is_in([old for old, new in rule.names.items() if old != new])
    for name in (*rule.renames, *rule.removes):
        yield pl.col(name).map.len() > 0 if name in events.MAPS else stored(name).is_not_null()


def stored(name: str) -> pl.Expr:
    """Give a hub column or a map's value as it is stored."""
    keyed = key_of(name)
    return pl.col(keyed[0]).map.get(keyed[1]) if keyed else pl.col(name)
