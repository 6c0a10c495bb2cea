"""A recipe to paste: which of an archive's events are about an item, as far as their keys tell."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from translate.errors import MappingError
from translate.mapping.spec import Layout
from translate.recipe import trial
from translate.recipe.parse import read
from translate.recipe.rules import Recipe
from translate.telling.rendering import printable

BARE = re.compile(r"[A-Za-z0-9_-]+")
KEYS_MAX = 3
NAMES_MAX = 12
ITEM = "item_id"
TESTED = {
    "time": "2016-04-07T00:00:00Z",
    "client_id": '"c-1"',
    "session": '{ id = "session-1" }',
    "app": '{ id = "app" }',
}


def written(layout: Layout, keys: pl.DataFrame, base: Recipe | None, extends: str | None) -> str:
    """Write a recipe that takes the item's id from the likeliest keys, with a test of its first rule."""
    head = [f"extends = {toml(extends)}"] if base and extends else [f"to = {toml(layout.address)}"]
    rules = [_rule(row) for row in keys.head(KEYS_MAX).iter_rows(named=True)]
    return "\n\n".join(["\n".join(head), *rules, _test(layout, next(keys.iter_rows(named=True)))]) + "\n"


def understood(text: str, base: Recipe | None, mappings: Path | None) -> Recipe | None:
    """Read a recipe and run its test; None if `check` would complain."""
    with tempfile.TemporaryDirectory(prefix="translate-") as folder:
        path = Path(folder) / "recipe.toml"
        path.write_text(text, encoding="utf-8")
        try:
            found = read(path, lambda name, near: _base_file(base, name, near), mappings)
        except MappingError:
            return None
    return found if not trial.failures(found, mappings) else None


def toml(text: str) -> str:
    """Write a text as TOML does, so that it can be printed and pasted."""
    if '"' in text and not set(text) & {"'", "\\"} and printable(text) == text:
        return f"'{text}'"
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(
        character if character.isprintable() else f"\\U{ord(character):08x}" for character in quoted
    )


def _key(text: str) -> str:
    return text if BARE.fullmatch(text) else toml(text)


def _base_file(base: Recipe | None, name: str, near: Path) -> Path:
    return base.path if base and base.path else near / name


def _rule(row: dict[str, Any]) -> str:
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in row["names"][:NAMES_MAX])
    is_one = len(row["names"]) == 1
    key = '"' + f"{row['kind']}.{row['key']}".replace('"', '""') + '"'
    value = key if row["kind"] == "attributes" else f"TRY_CAST(TRY_CAST({key} AS BIGINT) AS VARCHAR)"
    when = f"name {'=' if is_one else 'IN'} {names if is_one else f'({names})'} AND {ITEM} IS NULL"
    return f"[[rule]]\nwhen        = {toml(when)}\nset.{ITEM} = {toml(value)}"


def _test(layout: Layout, row: dict[str, Any]) -> str:
    place = next((entry.place for entry in layout.all_fields if entry.hub == (ITEM,)), "")
    given = '"item-1"' if row["kind"] == "attributes" else "1"
    members = {"name": toml(row["names"][0]), **TESTED, row["kind"]: f"{{ {_key(row['key'])} = {given} }}"}
    event = ", ".join(f"{name} = {value}" for name, value in members.items())
    expected = '"item-1"' if row["kind"] == "attributes" else '"1"'
    return f"[[test]]\nto     = {toml(layout.address)}\nevent  = {{ {event} }}\nexpect = [{{ {_key(place)} = {expected} }}]"
