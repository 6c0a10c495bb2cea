"""What the tables of a recipe may hold: each key with its meaning. The parser takes no others, and docs/recipes.md shows them."""

from __future__ import annotations

RECIPE = {
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

RULE = {
    "when": "the SQL condition; without it, all events",
    "about": "a sentence: what the rule is for",
    **ACTIONS,
}

CUT = {
    "values": "the most characters of a text among the attributes",
    "keys": "the most characters of the name of an attribute or metric",
    "count": "the most attributes and metrics together, the attributes first",
}

TEST = {
    "name": "what it shows",
    "to": "the layout that it looks at; unless said, the recipe's first",
    "event": "the event, as hub columns",
    "expect": 'the rows that come of it, in order, each with the fields that are looked at, or with `reject = "CODE"`; none: it is left out',
}
