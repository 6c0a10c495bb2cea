"""What a name in an expression was meant to be: a source's own word for a hub column, a map's key, or a text without its quotes."""

from __future__ import annotations

from collections import Counter
from functools import cache

from translate import events, mapping
from translate.errors import suggest
from translate.recipe.expressions import KEYED, key_of, type_of
from translate.recipe.mistakes import is_compared_with

SHOWN_MAX = 2  # of the columns that a word may stand for
MAPS_BY_HALF = {"attribute": "attributes", "attr": "attributes", "attrs": "attributes", "params": "attributes",
                "properties": "attributes", "metric": "metrics"}  # fmt: skip


def instead_of(name: str, sql: str, place: tuple[int, int] | None) -> str:
    """Give the clause that says what to write in place of a name that is no hub column; nothing where nobody knows."""
    own = words_here(name)
    if own:
        return f"; it is {own} here"
    hub = as_hub(name)
    if hub != name:
        return f'; did you mean "{hub}"?'
    known = [column for column, dtype in events.SCHEMA.items() if dtype != events.MAP]
    in_quotes = place is not None and sql[place[0]] == '"'
    if place is not None and (is_compared_with(sql, place) or sql.strip() == name):
        return f"; a text stands in single quotes: '{name}'"
    near = suggest(name, known)
    if near:
        return near
    return (
        f"; a text stands in single quotes: '{name}', a key of the event is \"attributes.{name}\""
        if in_quotes
        else (f'; a key of the event is "attributes.{name}" or "metrics.{name}"' if "." not in name else "")
    )


def words_here(name: str) -> str:
    """Name the hub columns for which a word of a model's own records stands, if it is one."""
    columns: Counter[str] | dict[str, int] = _by_place().get(name) or _by_place().get(name.lower()) or {}
    likeliest = sorted(columns, key=lambda column: (-columns[column], column))
    return " or ".join(f'"{column}"' for column in likeliest[:SHOWN_MAX])


def as_hub(name: str) -> str:
    """Give a dotted name as the hub spells it, where the map's name is only nearly right; else the name as it is."""
    home, dot, key = name.partition(".")
    if not dot or not key or key_of(name) or type_of(name) is not None:
        return name
    lowered = home.lower()
    right = MAPS_BY_HALF.get(lowered, lowered)
    return f"{right}.{key}" if right in KEYED else name


@cache
def _by_place() -> dict[str, Counter[str]]:
    """Count, for each place of all models and its last word, the hub columns that it stands for."""
    found: dict[str, Counter[str]] = {}
    for model in mapping.models():
        for layout in mapping.load(model).layouts.values():
            for entry in layout.all_fields:
                column = next(iter(entry.hub), None)
                if column is None or events.SCHEMA[column] == events.MAP:
                    continue
                for word in {entry.place, entry.place.lower(), entry.path[-1], entry.path[-1].lower()}:
                    found.setdefault(word, Counter())[column] += 1
    return found
