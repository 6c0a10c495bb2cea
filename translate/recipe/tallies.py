"""What is counted while a recipe and a selection work: a flag for each thing, summed beside the rows in the same run.

A flag's name is the key of its count: `_tally.rule0.matched`, `_tally.rule0.null.item_id`, `_tally.where.part1`. Rules
are numbered as the recipe has them, from 0. `seen` are the events that come as far as the rule, `matched` those for
which its condition holds, `changed` those that it changes, `dropped` those that it takes out, `null` those for which an
expression gave nothing, `part` those for which a part of the condition holds, `unknown` those for which that cannot be
said, `has` those that have a column or key that is looked at.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from polars.exceptions import PolarsError

from translate import events
from translate.engine.library import by_batches
from translate.recipe import erasure
from translate.recipe.expressions import KEYED, NAIVE_TIME, Expression, Moved, key_of, type_of, view
from translate.recipe.proof import read
from translate.recipe.spec import Rule
from translate.wording.nearness import VALUES_KEPT, Watched, nearest

if TYPE_CHECKING:
    from translate.recipe.rules import Recipe, Selection


TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\s+|.", re.DOTALL)
LENGTH_MAX = 10_000  # characters; what a machine wrote is told whole
OPENING, CLOSING = ("(", "CASE"), (")", "END")

TALLY = "_tally."
WHERE = "where"
DESELECTED = "_deselected"  # the column of the option that leaves an event out


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
        for number, part in enumerate(conditions(condition)):
            flags[flag(head, f"part{number}")] = alive & part.expr.fill_null(value=False)
            flags[flag(head, f"unknown{number}")] = alive & part.expr.is_null()
    return flags | {flag(head, f"has.{name}"): alive & pl.col(name).is_not_null() for name in looked_at}


def of_changes(head: str, rule: Rule, match: pl.Expr) -> dict[str, pl.Expr]:
    """Give the flags of what a rule does, once its values stand in `=target`."""
    is_taken_apart = [pl.col("items").is_not_null()] if rule.explode else []
    changed = pl.any_horizontal(pl.lit(False), *_changes(rule), *is_taken_apart)
    return {
        flag(head, "changed"): match & changed.fill_null(value=False),
        flag(head, "dropped"): match if (rule.drop, rule.keep) != (None, None) else pl.lit(False),
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


# -- what is looked out for: keys and names that are wanted, and what is like those that are not there -------

KNOWN_MAX = 20_000  # keys and names that need no second look; others are looked at each time that they come

# A batch goes by on a thread of the streaming engine: one that waited there for the streaming engine would wait without end.
NESTED: Literal["in-memory"] = "in-memory"

# Others are to be forgotten.
TOLD_OF = pl.col("code").is_null() & pl.col(DESELECTED).ne_missing(erasure.OPTION)

PRINTABLE = (dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))  # noqa: DTZ001  expressions see times without a zone


@dataclass(frozen=True)
class Wanted:
    """What to look out for: keys, names of events, and columns of which the span or some values are asked for."""

    keys: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()

    @classmethod
    def by(cls, recipe: Recipe | None, selection: Selection, *, examples: bool) -> Wanted:
        """Tell what a recipe's own rules and a selection want; values of an archive are only looked at for examples."""
        where = selection.where
        rules = recipe.rules[recipe.inherited :] if recipe else ()
        conditions = [where, *(rule.when for rule in rules)]
        looked_at = set(where.columns) - {"name"} if where else set()
        keys = {key for rule in rules for key in keys_looked_at(rule)} | set(filter(key_of, looked_at))
        names = {name for condition in conditions if condition for name in names_in(condition)}
        names.update(name for rule in rules for name in rule.names)
        columns = {column for column in looked_at if examples or type_of(column) == NAIVE_TIME}
        if selection.since or selection.until:
            columns.add("time")
        return cls(frozenset(keys), frozenset(names), frozenset(columns))


def names_in(condition: Expression) -> list[str]:
    """Give the names of events that a condition compares with."""
    of_names = (part for part in conditions(condition) if part.columns == ("name",))
    return [text for part in of_names for text in texts_in(part.sql)]


class Watch:
    """Sees events go by, and stops looking once all that is wanted is there."""

    def __init__(self, wanted: Wanted, moved: Mapping[str, Moved]) -> None:
        self._keys, self._names, self._columns = set(wanted.keys), set(wanted.names), sorted(wanted.columns)
        self._moved = moved
        self._known: dict[str, set[str]] = {"keys": set(), "names": set()}
        self._lock = threading.Lock()
        self.watched = Watched(near={wanted: [] for wanted in (*self._keys, *self._names)})

    def over(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Look at a frame's batches while they go by."""
        if not self.watched.near and not self._columns:
            return frame
        return by_batches(frame, self._look)

    def told(self) -> Watched:
        """Give what was seen, the same whatever the order of the batches was."""
        met = self.watched.met
        near = {wanted: found for wanted, found in sorted(self.watched.near.items()) if wanted not in met}
        return replace(self.watched, near=near)

    def _look(self, batch: pl.DataFrame) -> pl.DataFrame:
        keys, names = self._keys - self.watched.met, self._names - self.watched.met
        if keys or names:
            events = batch.lazy().filter(TOLD_OF)
            unique = events.select(pl.col("name").drop_nulls().unique())
            found_keys = self._keys_in(events) if keys else set()
            found_names = set(unique.collect(engine=NESTED)["name"]) if names else set()
            with self._lock:
                self._compare("keys", keys, found_keys)
                self._compare("names", names, found_names)
        if self._columns:
            self._look_at_values(batch.lazy().filter(TOLD_OF))
        return batch

    def _look_at_values(self, events: pl.LazyFrame) -> None:
        shown = {name: view(name, self._moved.get(name)) for name in self._columns}
        columns = {name: pl.col(name) if value is None else value for name, value in shown.items()}
        seen = events.select(**columns).collect(engine=NESTED)
        for column in seen.get_columns():
            values = column.drop_nulls().unique()
            if values.dtype.is_temporal():
                values = values.filter(values.is_between(*PRINTABLE))
            if values.dtype == pl.String:
                least = values.bottom_k(VALUES_KEPT)
                with self._lock:
                    self.watched.note(column.name, least)
            elif values.len():
                bounds = _told(values.min()), _told(values.max())
                with self._lock:
                    self.watched.widen(column.name, *bounds)

    def _keys_in(self, events: pl.LazyFrame) -> set[str]:
        maps = (events.select(key=pl.col(kind).map.keys()) for kind in KEYED)
        keys = [each.explode("key").drop_nulls().unique() for each in maps]
        is_there = {key: view(key, moved).is_not_null().any() for key, moved in self._moved.items()}  # type: ignore[union-attr]
        *own, moved = pl.collect_all([*keys, events.select(**is_there)], engine=NESTED)
        present = [f"{kind}.{key}" for kind, frame in zip(KEYED, own, strict=True) for key in frame["key"]]
        return {*present, *(key for key in moved.columns if moved[key][0])}

    def _compare(self, of: str, wanted: set[str], found: set[str]) -> None:
        self.watched.met |= wanted & found
        new = found - self._known[of]
        for want in (wanted - self.watched.met) if new else ():
            self.watched.near[want] = nearest(want, [*self.watched.near[want], *new])
        if len(self._known[of]) < KNOWN_MAX:
            self._known[of] |= new


def _told(value: Any) -> Any:
    """Give a number as it is, a time as text; both keep their order."""
    return value.isoformat(sep=" ", timespec="milliseconds") if isinstance(value, dt.datetime) else value
