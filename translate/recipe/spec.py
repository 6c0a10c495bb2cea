"""What a recipe may say: frozen types, and the keys of its tables, each with its meaning.

The parser takes no other keys, and docs/recipes.md shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from translate.recipe.expressions import Expression

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
