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
from translate.recipe import read, trial
from translate.recipe.mistakes import written_out
from translate.recipe.rules import Recipe
from translate.wording.rendering import printable

KINDS = ("attributes", "metrics")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
# Numbers that name an item by themselves, what an app may call its items, and what makes an id of such a word.
ALONE = frozenset("sku isbn issn ean upc gtin itemid productid articleid articleno".split())
ITEMS = frozenset(
    """
    item product article artikel produkt produit producto articulo prodotto goods merchandise asset content media video movie
    film episode show series song track album artist book title course lesson recipe listing offer property hotel
    story post news
    """.split()
)
IDS = frozenset("id ids no nr num number key code ref uuid guid identifier nummer".split())
OTHER_SCRIPTS = ("商品", "品番", "製品", "商品編號", "상품", "제품", "아이템", "товар", "артикул")
# What is named besides items, and what is told of items besides their ids.
OTHERS = frozenset(
    """
    user users client customer member account person visitor guest device session cookie token app application request
    response transaction order cart basket campaign event page screen error version build store shop currency price amount
    total value worth count quantity qty name title label text description type category kind group class color colour size
    weight url uri link path image icon locale language country city region time date timestamp duration position index rank
    score status state mode method platform
    """.split()
)  # fmt: skip
CHARACTERS_MAX = 128
PLAIN_SHARE = 0.95  # of the values: short, and without blanks
GUESSED = 0.3
DISTINCT_SHARE = 0.02  # of the events, if values alone are to look like ids

BARE = re.compile(r"[A-Za-z0-9_-]+")
KEYS_MAX = 3
NAMES_MAX = 12
ITEM = "item_id"
TESTED = {
    "time": "2016-04-07T00:00:00Z", "client_id": '"c-1"', "session": '{ id = "session-1" }', "app": '{ id = "app" }',
}  # fmt: skip


def by_name(key: str) -> float:
    """Tell from 0 to 1 how much the name of a key looks like the id of an item."""
    words = [word.lower() for word in WORDS.findall(key)]
    if "".join(words) in ALONE or (words and words[-1] in ALONE):
        return 1.0
    if any(script in key.lower() for script in OTHER_SCRIPTS):
        return 0.8
    items = [word for word in words if word in ITEMS]
    named_ids = bool(words) and words[-1] in IDS
    if items and named_ids:
        return 1.0
    if any(word in OTHERS and word not in items for word in words):
        return 0.0
    if items and words[-1] in ITEMS:
        return 0.7
    return 0.5 if words and all(word in IDS for word in words) else 0.0


def looked_for(events: pl.DataFrame) -> pl.DataFrame:
    """Give the keys that look like ids of items: `kind`, `key`, `events`, `names` of these, the likeliest first."""
    counted = pl.concat([_counted(events, kind) for kind in KINDS])
    rows = [
        {**row, "likeness": likeness}
        for row in counted.iter_rows(named=True)
        if row["plain"] >= PLAIN_SHARE * row["events"] and (likeness := _likeness(row)) > 0
    ]
    if any(row["likeness"] > GUESSED for row in rows):
        rows = [row for row in rows if row["likeness"] > GUESSED]
    rows.sort(key=lambda row: (-row["likeness"], -row["events"], row["kind"], row["key"]))
    schema: dict[str, Any] = {
        "kind": pl.String, "key": pl.String, "events": pl.UInt32, "names": pl.List(pl.String), "likeness": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema)


def _counted(events: pl.DataFrame, kind: str) -> pl.DataFrame:
    entries = events.lazy().select("name", entry=pl.col(kind).map.entries())
    entries = entries.filter(pl.col("entry").list.len() > 0)
    value = pl.col("value")
    is_plain = value.str.len_chars().is_between(1, CHARACTERS_MAX) & ~value.str.contains(r"[\s\[{]")
    if kind == "metrics":
        is_plain = ~value.str.contains_any([".", "e", "-"])
    return entries.explode("entry").unnest("entry").group_by("key").agg(
        kind=pl.lit(kind), events=pl.len(), plain=is_plain.sum(), distinct=value.n_unique(),
        with_digits=value.str.contains(r"\d").sum(), letters=value.str.contains(r"[^\d.]").any(),
        names=pl.col("name").unique().sort(),
    ).collect()  # fmt: skip


def _likeness(row: dict[str, Any]) -> float:
    named = by_name(row["key"])
    if named or row["kind"] == "metrics":
        return named
    words = {word.lower() for word in WORDS.findall(row["key"])}
    is_varied = row["distinct"] >= max(2, DISTINCT_SHARE * row["events"])
    looks_coded = row["letters"] and is_varied and row["with_digits"] >= PLAIN_SHARE * row["events"]
    return GUESSED if looks_coded and not words & OTHERS else 0.0


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
            found = read(path, lambda name, near: base.path if base and base.path else near / name, mappings)
        except MappingError:
            return None
    return found if not trial.failures(found, mappings) else None


def toml(text: str) -> str:
    """Write a text as TOML does, so that it can be printed and pasted."""
    if '"' in text and not set(text) & {"'", "\\"} and printable(text) == text:
        return f"'{text}'"
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)


def _key(text: str) -> str:
    return text if BARE.fullmatch(text) else toml(text)


def _rule(row: dict[str, Any]) -> str:
    names = ", ".join(map(written_out, row["names"][:NAMES_MAX]))
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
