"""The entries of a map of free-form values: some left out, renamed, put in."""

from __future__ import annotations

import polars as pl

from translate.vocabulary.notation import exchanged


def without(entries: pl.Expr, keys: list[str]) -> pl.Expr:
    """Leave out some keys."""
    others = pl.element().filter(~pl.element().struct.field("key").is_in(keys))
    return entries.list.eval(others) if keys else entries


def renamed(entries: pl.Expr, home: str, renames: dict[str, str]) -> pl.Expr:
    """Rename keys in their places; a key that has the new name already gives way."""
    if not renames:
        return entries
    for old, new in renames.items():
        if new not in renames:
            both = pl.all_horizontal([pl.col(home).map.contains_key(key) for key in (old, new)])
            entries = pl.when(both).then(without(entries, [new])).otherwise(entries)
    entry = pl.element().struct
    key = exchanged(entry.field("key"), renames)
    return entries.list.eval(pl.struct(key=key, value=entry.field("value")))


def with_key(entries: pl.Expr, key: str, value: pl.Expr) -> pl.Expr:
    """Put a key at the end, unless its value is absent: what is absent is not there."""
    rest = without(entries, [key])
    own = pl.concat_list(pl.struct(key=pl.lit(key), value=value))
    return pl.when(value.is_not_null()).then(pl.concat_list(rest.fill_null([]), own)).otherwise(rest)
