"""One rule upon a frame: look, decide, change; lazy expressions only, so that everything streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from translate import events
from translate.recipe import reshaping, tallies
from translate.recipe.expressions import CALLED, Expression, Moved, evaluate, key_of
from translate.recipe.spec import Cut, Rule
from translate.recipe.tallies import stored
from translate.vocabulary import notation, notes
from translate.vocabulary.notation import exchanged
from translate.vocabulary.notes import NOTES_TYPE, OF_RECIPE, USED, InHub, note
from translate.writer.keys import keys_used

FILTERED = "_filtered"
ALIVE = pl.col("code").is_null() & pl.col(FILTERED).is_null()
TEXTS = pl.List(pl.String)


def without(entries: pl.Expr, keys: list[str]) -> pl.Expr:
    """Leave out some keys."""
    others = pl.element().filter(~pl.element().struct.field("key").is_in(keys))
    return entries.list.eval(others) if keys else entries


def with_new_keys(entries: pl.Expr, home: str, renames: dict[str, str]) -> pl.Expr:
    """Rename keys in their places; a key that has the new name already gives way."""
    if not renames:
        return entries
    entry = pl.element().struct
    key = exchanged(entry.field("key"), renames)
    final = {old: new for old, new in renames.items() if new not in renames}
    if final:
        has = pl.col(home).map.contains_key
        meet = pl.any_horizontal([has(old) & has(new) for old, new in final.items()])
        gives_way = entry.field("key").is_in([*final.values()]) & key.is_duplicated()
        apart = pl.when(meet).then(entries).list.eval(pl.element().filter(~gives_way))
        entries = pl.coalesce(apart, entries)
    return entries.list.eval(pl.struct(key=key, value=entry.field("value")))


def with_key(entries: pl.Expr, key: str, value: pl.Expr) -> pl.Expr:
    """Put a key at the end, unless its value is absent: what is absent is not there."""
    rest = without(entries, [key])
    own = pl.concat_list(pl.struct(key=pl.lit(key), value=value))
    return pl.when(value.is_not_null()).then(pl.concat_list(rest.fill_null([]), own)).otherwise(rest)


class RuleStep:
    """One rule upon a frame: look, decide, change; `head` is where its counts stand, if there are any.

    Before the first one nothing is noted: it is spared to put its notes together with those of others.
    """

    def __init__(self, rule: Rule, head: str | None, moved: Mapping[str, Moved], *, is_first: bool) -> None:
        self.rule = rule
        self._head = head
        self._moved = moved
        self._match = pl.col("_match")
        self._is_first = is_first

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Give the frame after the rule."""
        looked_at = sorted({name for expression in self.rule.expressions for name in expression.columns})
        values = {f"={target}": expression.expr for target, expression in self.rule.sets.items()}
        frame = self._evaluated(frame, looked_at, {"_match": self._decide(), **values})
        finished = {f"={target}": self._finished(target) for target in self.rule.sets}
        frame = self._given_back(frame.with_columns(**finished))
        if self._head is not None:
            flags = tallies.of_changes(self._head, self.rule, self._match)
            frame = frame.with_columns(**flags)
        frame = frame.with_columns(**self._changes())
        if self.rule.explode:
            frame = reshaping.explode(frame, self._match)
        if self.rule.cut:
            frame = self._cut(frame, self.rule.cut)
        return frame.drop("_match", *values)

    def _evaluated(
        self, frame: pl.LazyFrame, looked_at: list[str], values: dict[str, pl.Expr]
    ) -> pl.LazyFrame:
        if self._head is None:
            return evaluate(frame, looked_at, values, self._moved)
        names = tallies.looked_at_by(self.rule)
        flags = tallies.of_condition(self._head, self.rule.when, ALIVE, names)
        return evaluate(frame, names, {**values, **flags}, self._moved)

    def _given_back(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Put keys that became columns back where they were, for a rule that renames or removes them."""
        for name in (*self.rule.renames, *self.rule.removes):
            moved = self._moved.get(name)
            if moved is not None:
                home, _, key = name.partition(".")
                text = moved.value(pl.col(CALLED) if CALLED in frame.collect_schema() else pl.col("name"))
                is_taken = pl.col(home).map.contains_key(key).fill_null(value=False)
                there = self._match & text.is_not_null() & ~is_taken
                whole = with_key(pl.col(home).map.entries(), key, text).list.to_map()
                frame = frame.with_columns(
                    pl.when(there).then(whole).otherwise(pl.col(home)).alias(home),
                    pl.when(~there).then(pl.col(moved.column)).alias(moved.column),
                )
        return frame

    def _cut(self, frame: pl.LazyFrame, limits: Cut) -> pl.LazyFrame:
        noted = pl.col(OF_RECIPE).list.len()
        before = frame if self._head is None else frame.with_columns(_noted=noted)
        after = reshaping.cut(before, self._match, limits)
        if self._head is None:
            return after
        changed = {tallies.flag(self._head, "changed"): noted > pl.col("_noted")}
        return after.with_columns(**changed).drop("_noted")

    def _decide(self) -> pl.Expr:
        if self.rule.when is None:
            return ALIVE
        decided = self.rule.when.expr.fill_null(value=False)
        return ALIVE & (~decided if self.rule.keep is not None else decided)

    def _finished(self, target: str) -> pl.Expr:
        """Give a set value in the type of its place."""
        value = pl.col(f"={target}")
        if target in events.LISTS:
            # Only a JSON list can stand there; anything else is not taken over.
            is_list = value.str.json_path_match("$").str.starts_with("[")
            return pl.when(is_list).then(value.str.replace_all(r"[\r\n]", " "))  # a row is one line
        keyed = key_of(target)
        dtype = events.SCHEMA[target] if keyed is None else events.TEXT
        if dtype == events.TIME:
            return value.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
        if dtype == events.NUMBER:
            return _plain(value.cast(pl.Float64, strict=False))
        if keyed and keyed[0] == "metrics":
            whole = self.rule.sets[target].dtype.is_integer()
            return notation.digits(value if whole else _plain(value.cast(pl.Float64, strict=False)))
        return value if dtype == events.TEXT else value.cast(dtype, strict=False)

    def _changes(self) -> dict[str, pl.Expr]:
        rule = self.rule
        reason = rule.drop if rule.drop is not None else rule.keep
        if reason is not None:
            return {FILTERED: pl.when(self._match).then(pl.lit(reason)).otherwise(pl.col(FILTERED))}
        values = {target: pl.col(f"={target}") for target in rule.sets if target in events.SCHEMA}
        values |= {name: pl.lit(None, events.SCHEMA[name]) for name in rule.removes if name in events.SCHEMA}
        changes = {name: self._when_matched(value, name) for name, value in values.items()}
        if rule.names:
            changes["name"] = self._when_matched(notation.exchanged(pl.col("name"), rule.names), "name")
        changes |= dict(self._map_changes())
        changes |= self._refusal()
        for column, additions in ((OF_RECIPE, list(self._notes())), (USED, list(self._used()))):
            lists = additions if self._is_first else [pl.col(column), *additions]
            if additions:
                changes[column] = lists[0] if len(lists) == 1 else pl.concat_list(lists)
        return changes

    def _when_matched(self, value: pl.Expr, column: str) -> pl.Expr:
        return pl.when(self._match).then(value).otherwise(pl.col(column))

    def _map_changes(self) -> Iterator[tuple[str, pl.Expr]]:
        """Change the keys of maps: set some, rename some, remove some; each sees the event before the rule."""
        rule = self.rule
        for home in ("attributes", "metrics", "other"):
            put = {key: pl.col(f"={target}") for target, (kind, key) in _keyed(rule.sets) if kind == home}
            gone = [key for _, (kind, key) in _keyed(rule.removes) if kind == home]
            renamed = {
                key: rule.renames[old].partition(".")[2]
                for old, (kind, key) in _keyed(rule.renames)
                if kind == home
            }
            if put or gone or renamed:
                changed = with_new_keys(without(pl.col(home).map.entries(), gone), home, renamed)
                for key, value in put.items():
                    changed = with_key(changed, key, value)
                yield home, self._when_matched(changed.list.to_map(), home)

    def _refusal(self) -> dict[str, pl.Expr]:
        """Reject events for which an expression gives infinity or no number: no target could take that."""
        changes: dict[str, pl.Expr] = {}
        code, message = pl.col("code"), pl.col("message")
        for target in self.rule.sets:
            keyed = key_of(target)
            if events.SCHEMA.get(target) == events.NUMBER:
                bad = ~pl.col(f"={target}").is_finite()
            elif keyed and keyed[0] == "metrics":
                bad = pl.col(f"={target}").is_in(["inf", "-inf", "NaN"])
            else:
                continue
            bad = self._match & bad.fill_null(value=False)
            told = pl.lit(f"{self.rule.address} gives {target} a number that is not finite")
            code = pl.when(bad).then(pl.lit("bad_number")).otherwise(code)
            message = pl.when(bad).then(told).otherwise(message)
            changes = {"code": code, "message": message}
        return changes

    def _notes(self) -> Iterator[pl.Expr]:
        """Note what the rule changed or took away, for each event that had it."""
        rule = self.rule
        why = f"set by {rule.address}"
        for target in rule.sets:
            before = stored(target)
            is_other = before.is_not_null() & before.ne_missing(pl.col(f"={target}"))
            yield self._note("changed", target, is_other, why)
        if rule.names:
            renamed = [old for old, new in rule.names.items() if old != new]
            yield self._note("changed", "name", pl.col("name").is_in(renamed), why)
        for old, new in rule.renames.items():
            yield self._note("changed", old, stored(old).is_not_null())
            if new not in rule.renames:
                yield self._note("changed", new, stored(old).is_not_null() & stored(new).is_not_null())
        used = {name for expression in rule.sets.values() for name in _sources(expression)}
        for name in rule.removes:
            if name in events.MAPS:
                unused = pl.when(self._match).then(_unused_keys(name)).otherwise(pl.lit([], NOTES_TYPE))
                yield unused.fill_null([])
            elif name not in used:
                is_unused = stored(name).is_not_null() & ~pl.col(USED).list.contains(name)
                yield self._note("on_purpose", name, is_unused)

    def _note(self, kind: str, place: str, lost: pl.Expr, why: str = "") -> pl.Expr:
        return notes.where(self._match & lost, note(kind, InHub(*(key_of(place) or (place,))), why))

    def _used(self) -> Iterator[pl.Expr]:
        for target, expression in self.rule.sets.items():
            if names := _sources(expression):
                there = self._match & pl.col(f"={target}").is_not_null()
                yield pl.when(there).then(pl.lit(names, TEXTS)).otherwise(pl.lit([], TEXTS))


def _sources(expression: Expression) -> list[str]:
    return [name for name in expression.columns if not name.startswith("item.")]


def _keyed(names: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    yield from ((name, keyed) for name in names if (keyed := key_of(name)))


def _unused_keys(home: str) -> pl.Expr:
    """Note all keys of a map but those that a rule took a value from."""
    keys = pl.col(home).map.keys().list.set_difference(keys_used(pl.col(USED), home)).list.sort()
    return notes.of_keys(keys, "on_purpose", home)


def _plain(number: pl.Expr) -> pl.Expr:
    """Make -0 a plain 0."""
    return number + 0.0
