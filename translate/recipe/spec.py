"""What a recipe may say: the keys of its tables, each with its meaning, frozen types, and a rule as it is read, or every complaint about it.

The parser takes no other keys, and docs/recipes.md shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate import events
from translate.mapping.sheet import Sheet
from translate.recipe import expressions, proof
from translate.recipe.expressions import Expression, key_of
from translate.recipe.mistakes import Unfit, as_hub, words_here
from translate.vocabulary.spelling import HASH_LENGTH

RECIPE_KEYS = {
    "to": "the target: MODEL for all of its layouts, or MODEL/LAYOUT for one",
    "extends": "a recipe, by its file or the name of a shipped one: its rules come first, and its target is this one's unless `to` names one of its layouts",
    "about": "a sentence: what it is for",
    "personal": "what is done with personal data before any rule: kinds, hub columns or keys, each with `hash`, `remove` or `keep`",
    "columns": "columns of a dataset's own, each with its source, perhaps with `:type` behind it, or with a table",
    "needs": "settings of text without which nothing is read",
    "rule": "the rules, in order: each sees what the earlier ones did",
    "test": "the tests, run by `translate check`",
}

CHANGES = {
    "set": "hub columns, or keys like `attributes.x`, each with an SQL expression",
    "names": "names of events, each with the new one",
    "rename": "keys like `attributes.x`, each with the new one in the same place",
    "remove": "hub columns and keys that are taken out",
    "explode": '`"items"`: one row for each item of the event, which then is `item`',
}
ALONE = {
    "cut": "texts, names and counts that are cut to what the target takes",
    "drop": "the reason for which events are left out, which the report shows",
    "keep": "the reason for which all events but these are left out",
}
ACTIONS = {**CHANGES, **ALONE}

RULE_KEYS = {
    "when": "the SQL condition; without it, all events",
    "about": "a sentence: what the rule is for",
    **ACTIONS,
}

CUT_KEYS = {
    "values": "the most characters of a text among the attributes",
    "keys": "the most characters of the name of an attribute or metric",
    "count": "the most attributes and metrics together, the attributes first",
}

TEST_KEYS = {
    "name": "what it shows",
    "to": "the layout that it looks at; unless said, the recipe's first",
    "event": "the event, as hub columns",
    "expect": 'the rows that come of it, in order, each with the fields that are looked at, or with `reject = "CODE"`; none: it is left out',
}

REJECT = "reject"
# A shorter key has no room for what tells it from another one: a character, `_`, and the digits of a hash.
KEY_CHARACTERS_MIN = HASH_LENGTH + 2
CUTS = {"values": 1, "keys": KEY_CHARACTERS_MIN, "count": 1}  # the least that each may be
FIXED = ("file", "line")  # where an event comes from is no rule's to change
NEEDED = ("name", "time", "event_id", *FIXED)


@dataclass(frozen=True)
class Cut:
    """How many characters a text and a key of the free-form values may have, and how many there may be of them."""

    values: int | None = None
    keys: int | None = None
    count: int | None = None

    def described(self) -> list[str]:
        """Say what is cut, in words."""
        told = (
            (self.values, f"cuts attributes to {self.values} characters"),
            (self.keys, f"cuts names of attributes and metrics to {self.keys} characters"),
            (self.count, f"keeps the first {self.count} attributes and metrics"),
        )
        return [sentence for number, sentence in told if number is not None]


@dataclass(frozen=True)
class Rule:
    """For which events, and what is done with them; `drop`, `keep` are reasons that the report shows."""

    address: str
    about: str = ""
    when: Expression | None = None
    sets: dict[str, Expression] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    renames: dict[str, str] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    drop: str | None = None
    keep: str | None = None
    explode: bool = False
    cut: Cut | None = None

    @property
    def expressions(self) -> list[Expression]:
        """Give all expressions of the rule."""
        return [*self.sets.values(), *([self.when] if self.when else [])]


@dataclass(frozen=True)
class Test:
    """One event as hub columns, and the fields of the rows that it should give in the layout `to`."""

    path: str
    to: str
    event: dict[str, Any]
    expect: tuple[dict[str, Any], ...]


# -- reading a rule ----------------------------------------------------------------------------------------------------


class RuleParser:
    """Walks the rules of one recipe; `exploded` tells that an earlier one makes one row per item."""

    def __init__(self, sheet: Sheet, *, exploded: bool) -> None:
        self.sheet = sheet
        self.exploded = exploded

    def rule(self, path: str, table: dict[str, Any]) -> Rule:
        """Read one rule."""
        sheet = self.sheet
        sheet.known_keys(table, path, RULE_KEYS)
        self._actions(path, table)
        when = self._when(path, table)
        sets = self._sets(f"{path}.set", sheet.get(table, path, "set", dict, {}))
        names = self._names(f"{path}.names", sheet.get(table, path, "names", dict, {}))
        renames = self._renames(f"{path}.rename", sheet.get(table, path, "rename", dict, {}))
        removes = self._removes(f"{path}.remove", sheet.get(table, path, "remove", list, []))
        self.doubled(path, sets, names, renames, removes)
        explode = sheet.get(table, path, "explode", str)
        if explode is not None:
            sheet.one_of(explode, f"{path}.explode", "list to explode", ["items"])
            self.exploded = True
        about, cut = sheet.get(table, path, "about", str, ""), sheet.get(table, path, "cut", dict)
        drop, keep = (self._reason(path, table, key) for key in ("drop", "keep"))
        return Rule(
            f"{sheet.file}: {path}", about, when, sets, names, renames, tuple(removes), drop, keep, explode is not None,
            self._cut(f"{path}.cut", cut),
        )  # fmt: skip

    def _actions(self, path: str, table: dict[str, Any]) -> None:
        """Complain of a rule that does nothing, or that does beside others what stands alone."""
        given = [key for key in ACTIONS if key in table]
        if not given:
            self.sheet.complain(path, f"does nothing; give it one of {', '.join(ACTIONS)}")
        for key in ALONE:
            if key in given and len(given) > 1:
                self.sheet.complain(f"{path}.{key}", "stands alone; put the rest into a rule of its own")
        if "keep" in given and "when" not in table:
            self.sheet.complain(path, "keep needs a when, which says what to keep")

    def _cut(self, path: str, table: dict[str, Any] | None) -> Cut | None:
        if table is None:
            return None
        self.sheet.known_keys(table, path, CUT_KEYS)
        if not table:
            self.sheet.complain(path, f"cuts nothing; give it one of {', '.join(CUTS)}")
        numbers = {key: self.sheet.get(table, path, key, int) for key in CUTS}
        for key, number in numbers.items():
            if number is not None and number < CUTS[key]:
                room = ", to have room for what tells one key from another" if key == "keys" else ""
                self.sheet.complain(f"{path}.{key}", f"should be at least {CUTS[key]}{room}, but is {number}")
        return Cut(**numbers)

    def _reason(self, path: str, table: dict[str, Any], key: str) -> str | None:
        reason: str | None = self.sheet.get(table, path, key, str)
        if reason is not None and not reason.strip():
            self.sheet.complain(f"{path}.{key}", "should say the reason, which the report shows")
        return reason

    def _when(self, path: str, table: dict[str, Any]) -> Expression | None:
        sql = self.sheet.get(table, path, "when", str)
        return None if sql is None else self._expression(f"{path}.when", sql, pl.Boolean(), "when")

    def _expression(self, path: str, sql: str, wanted: pl.DataType, target: str) -> Expression | None:
        try:
            found = proof.read(sql, exploded=self.exploded)
        except Unfit as unfit:
            for message in unfit.messages:
                self.sheet.complain(path, message, unfit.excerpt_of(message))
            return None
        misfit = expressions.misfit(found, wanted, target)
        if misfit:
            self.sheet.complain(path, misfit)
            return None
        return found

    def _sets(self, path: str, table: dict[str, Any]) -> dict[str, Expression]:
        sets = {}
        for target, sql in flat(table).items():
            where = at(path, target)
            dtype = self._target(where, target)
            if not isinstance(sql, str):
                self.sheet.complain(where, f"should be an SQL expression in quotes, but is {sql!r}")
            elif dtype is not None:
                found = self._expression(where, sql, dtype, target)
                if found:
                    sets[target] = found
        return sets

    def _target(self, path: str, target: str) -> pl.DataType | None:
        """Give the type of a place that a rule may set."""
        keyed = key_of(target)
        if as_hub(target) != target:
            self.sheet.complain(path, f'no hub column "{target}"; did you mean "{as_hub(target)}"?')
            return None
        if keyed and keyed[0] != "other":
            return events.NUMBER if keyed[0] == "metrics" else events.TEXT
        if keyed or target in events.MAPS:
            self.sheet.complain(path, 'cannot be set; single keys can: "attributes.x", "metrics.x"')
        elif target in FIXED:
            self.sheet.complain(path, "tells where the event comes from and cannot be set")
        elif self._column(path, target):
            return events.SCHEMA[target]
        return None

    def _column(self, path: str, name: str) -> bool:
        own = "" if name in events.SCHEMA else words_here(name)
        if own:
            self.sheet.complain(path, f'no hub column "{name}"; it is {own} here')
            return False
        return self.sheet.one_of(name, path, "hub column", events.SCHEMA)

    def _names(self, path: str, table: dict[str, Any]) -> dict[str, str]:
        for old, new in table.items():
            if not isinstance(new, str) or not new:
                self.sheet.complain(at(path, old), f"should be the new name, in quotes, but is {new!r}")
        return {old: new for old, new in table.items() if isinstance(new, str)}

    def _renames(self, path: str, table: dict[str, Any]) -> dict[str, str]:
        renames: dict[str, str] = {}
        for old, new in flat(table).items():
            where = at(path, old)
            from_key, to_key = key_of(old), key_of(new) if isinstance(new, str) else None
            if not from_key or not to_key:
                example = '"attributes.old" = "attributes.new"'
                told = f"renames a key inside of attributes, metrics or other, like {example}"
                self.sheet.complain(where, told)
            elif from_key[0] != to_key[0]:
                told = f"cannot move a key to {to_key[0]}; set it there, and remove this one"
                self.sheet.complain(where, told)
            elif new in renames.values():
                self.sheet.complain(where, f'"{new}" is given to another key too')
            else:
                renames[old] = new
        return renames

    def _removes(self, path: str, names: list[Any]) -> list[str]:
        removes = []
        for position, name in enumerate(names, start=1):
            where = f"{path}[{position}]"
            if not isinstance(name, str):
                self.sheet.complain(where, f"should be a column in quotes, but is {name!r}")
            elif name in NEEDED:
                self.sheet.complain(where, f"every event needs its {name}; to lose the event, write drop")
            elif key_of(name) or self._column(where, name):
                removes.append(name)
        return removes

    def doubled(
        self, path: str, sets: dict[str, Expression], names: dict[str, str], renames: dict[str, str], removes: list[str]
    ) -> None:  # fmt: skip
        """Complain of places about which a rule says two things."""
        new_keys = (new for new in renames.values() if new not in renames)
        given = [*sets, *(["name"] if names else []), *renames, *new_keys, *removes]
        places = [*given, *(keyed[0] for place in given if (keyed := key_of(place)) and keyed[0] in removes)]
        for place in sorted({place for place in places if places.count(place) > 1}):
            self.sheet.complain(path, f"changes {place} twice; put that into two rules")


def flat(table: dict[str, Any], head: str = "") -> dict[str, Any]:
    """Join nested tables to dotted names, for `set.session.id`."""
    flattened: dict[str, Any] = {}
    for key, value in table.items():
        is_table = isinstance(value, dict) and value
        flattened |= flat(value, f"{head}{key}.") if is_table else {f"{head}{key}": value}
    return flattened


def at(path: str, key: str) -> str:
    """Write a path one segment longer."""
    return f'{path}."{key}"' if "." in key or " " in key else f"{path}.{key}"
