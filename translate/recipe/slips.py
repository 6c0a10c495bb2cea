"""What a recipe's rules and a selection did, and where they probably mean something else than they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from translate.recipe import erasure, tallies
from translate.recipe.expressions import Expression, key_of
from translate.recipe.rules import Recipe, Selection
from translate.recipe.spec import Rule
from translate.recipe.tallies import names_in
from translate.wording.nearness import Watched, meant
from translate.wording.rendering import many

NOTHING_TAKEN = "selection_takes_nothing"
SHOWN_MAX = 60  # characters of a value
Slip = tuple[str, str, int]  # code, message, and how many events it concerns


def of_rules(recipe: Recipe, counts: Counter[str]) -> dict[str, dict[str, Any]]:
    """Say of each rule, by its address, how many events it matched, changed and dropped, and how many values were absent."""
    told: dict[str, dict[str, Any]] = {}
    for number, rule in enumerate(recipe.rules):
        head = tallies.of_rule(number)
        address = rule.address if rule.address not in told else f"{rule.address} of the extension"
        told[address] = {
            "when": rule.when.sql if rule.when else None,
            **{what: counts[f"{head}.{what}"] for what in ("matched", "changed", "dropped")},
            "nulls": sum(counts[f"{head}.null.{target}"] for target in rule.sets),
        }
    return told


def of_recipe(recipe: Recipe, counts: Counter[str], watched: Watched) -> Iterator[Slip]:
    """Find the slips of a recipe's own rules: those that it inherits are only counted."""
    made = frozenset(_made_by(recipe))
    called: set[str] | None = set()  # by the rules before; None where one works names out
    for number, rule in enumerate(recipe.rules):
        if number >= recipe.inherited:
            head = tallies.of_rule(number)
            judged = _JudgedCondition(rule.address, head, rule.when, counts, watched, made)
            yield from judged.of_rule(rule)
            if called is not None:
                yield from judged.of_names(rule.names.keys() - called)
        called = None if called is None or "name" in rule.sets else called | {*rule.names.values()}


def of_selection(
    selection: Selection, counts: Counter[str], watched: Watched, *, left_out: Counter[str], taken: int
) -> Iterator[Slip]:
    """Find the slips of a selection: `left_out` says how many events each option leaves out, `taken` how many are left."""
    judged = _JudgedCondition("--where", tallies.WHERE, selection.where, counts, watched, frozenset())
    yield from judged.of_where(taken=taken > 0)
    erased = left_out[erasure.OPTION]
    if not taken and erased and erased == left_out.total():
        yield NOTHING_TAKEN, f"{erasure.OPTION} leaves out all of {many(erased, 'event')}", erased
    bounds = [option for option in ("--since", "--until") if left_out[option]]
    if not taken and bounds and not left_out["--where"]:
        first, last = watched.spans["time"]
        count = left_out["--since"] + left_out["--until"]
        leave = f"{' and '.join(bounds)} leave{'s' if len(bounds) == 1 else ''} out"
        told = f"{leave} all of {many(count, 'event')}: they are from {first} to {last} (UTC)"
        yield NOTHING_TAKEN, told, count
    elif not taken and bounds and counts[f"{tallies.WHERE}.matched"]:
        told = f"--where and {' and '.join(bounds)} leave nothing: no event meets both"
        yield NOTHING_TAKEN, told, left_out.total()


def _made_by(recipe: Recipe) -> Iterator[str]:
    """Name the keys that a recipe makes itself."""
    for rule in recipe.rules:
        yield from (target for target in rule.sets if key_of(target))
        yield from rule.renames.values()


@dataclass(frozen=True)
class _JudgedCondition:
    """One condition, and the counts of what it met."""

    where: str
    head: str
    condition: Expression | None
    counts: Counter[str]
    watched: Watched
    made: frozenset[str]

    def _count(self, what: str) -> int:
        return self.counts[f"{self.head}.{what}"]

    def of_where(self, *, taken: bool) -> Iterator[Slip]:
        told: set[str] = set()
        if not taken and self._seen and not self._count("matched"):
            why, told = self._why_never()
            yield NOTHING_TAKEN, f"--where takes none of {many(self._seen, 'event')}: {why}", self._seen
        if self.condition and self._seen:
            yield from self._unknown_keys({name for name in self.condition.columns if key_of(name)} - told)

    def of_rule(self, rule: Rule) -> Iterator[Slip]:
        if not self._seen:
            return
        matched = self._count("matched")
        told: set[str] = set()
        if not matched and rule.when is not None:
            why, told = self._why_never()
            yield "rule_never_matched", f"{self.where} never matched: {why}", self._seen
        elif matched:
            absent = [target for target in rule.sets if self._count(f"null.{target}") == matched]
            if absent:
                why, told = self._why_absent(rule, absent)
                message = f"{self.where} matched and set no {' and no '.join(absent)}: {why}"
                yield "rule_set_nothing", message, matched
            elif not (rule.sets or rule.cut or self._count("changed")) and rule.drop is rule.keep is None:
                yield "rule_changed_nothing", f"{self.where} matched and changed nothing", matched
        kept = {target for target, value in rule.sets.items() if target in value.columns}  # else it stays
        yield from self._unknown_keys({*tallies.keys_looked_at(rule)} - told - kept)

    def of_names(self, names: Iterable[str]) -> Iterator[Slip]:
        """Say which of some names of events are none, if another one was meant: a table of names may know more than there are."""
        for name in sorted(names):
            near = meant(name, self.watched.near.get(name, ()))
            if self._seen and near is not None and near not in names:
                yield "unknown_name", f"{self.where}: {self._none_is_called(name)}", self._seen

    @property
    def _seen(self) -> int:
        return self._count("seen")

    # -- why ----------------------------------------------------------------------------------------------------

    def _why_never(self) -> tuple[str, set[str]]:
        """Say which part of the condition never holds, and which keys that tells of."""
        assert self.condition is not None
        parts = list(enumerate(tallies.conditions(self.condition)))
        failing = [part for number, part in parts if not self._count(f"part{number}")]
        if not failing:
            return "each part of the condition holds for some events, but never all together", set()
        keys = {name for part in failing for name in part.columns if self._is_absent(name)}
        return "; ".join(f"{part.sql} holds for none{self._about(part)}" for part in failing), keys

    def _about(self, part: Expression) -> str:
        absent = [self._none_has(name) for name in part.columns if self._is_absent(name)]
        counts = {name: self._count(f"has.{name}") for name in part.columns if name != "name"}
        there = [
            f'{many(count, "event")} {"has" if count == 1 else "have"} "{name}"'
            for name, count in counts.items()
            if count
        ]
        names = [self._none_is_called(name) for name in names_in(part) if name in self.watched.near]
        watched = {*self.watched.spans, *self.watched.values}
        seen = [self._values_of(name) for name in part.columns if name in watched]
        told = [*absent, *names, *seen] if absent or names or seen else there
        return f" ({', '.join(told)})" if told else ""

    def _why_absent(self, rule: Rule, targets: list[str]) -> tuple[str, set[str]]:
        """Say why expressions gave nothing, and which keys that tells of."""
        names = {name for target in targets for name in rule.sets[target].columns}
        absent = {name for name in names if self._is_absent(name)}
        sql = ", ".join(dict.fromkeys(rule.sets[target].sql for target in targets))
        why = [self._none_has(name) for name in sorted(absent)] or ["never of these events"]
        return f"{sql} gives nothing ({', '.join(why)})", absent

    def _unknown_keys(self, keys: set[str]) -> Iterator[Slip]:
        for name in sorted(keys):
            if self._is_absent(name):
                yield "unknown_key", f"{self.where}: {self._none_has(name)}", self._seen

    def _is_absent(self, name: str) -> bool:
        return not self._count(f"has.{name}")

    def _none_has(self, name: str) -> str:
        if name in self.watched.met or not key_of(name):
            return f'no event that comes so far has "{name}"'
        alike = self.watched.near.get(name, ())
        near = meant(name, [key for key in (*alike, *self.made) if key != name])
        others = f"; the keys most like it: {', '.join(alike)}" if alike else ""
        return f'no event has "{name}"' + (f'; did you mean "{near}"?' if near else others)

    def _values_of(self, name: str) -> str:
        """Say what values a column has; the watch looks at those only that a report may hold."""
        if name in self.watched.values:
            values = self.watched.values[name]
            shown = ", ".join(
                f"'{each[:SHOWN_MAX]}{'...' if len(each) > SHOWN_MAX else ''}'" for each in values
            )
            return f'"{name}" is, for example, {shown}' if shown else f'"{name}" is always absent'
        least, greatest = self.watched.spans[name]
        return f'"{name}" is between {least} and {greatest}'

    def _none_is_called(self, name: str) -> str:
        alike = self.watched.near[name]
        near = meant(name, alike)
        others = f"; there are, for example, {', '.join(alike)}" if alike else ""
        return f"no event is called '{name}'" + (f"; did you mean '{near}'?" if near else others)
