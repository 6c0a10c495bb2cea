"""What is said of rows that may not be written: texts by their numbers, and what would help."""

from __future__ import annotations

import polars as pl

from translate.mapping.spec import Field


def named(numbers: pl.Expr, names: list[str]) -> pl.Expr:
    """Give the text of each number.

    By conditions alone: where an expression calls Python, the engine no longer sees that sinks share a step, and a table
    would make it hold all rows of a unit.
    """
    return pl.coalesce(pl.when(numbers == number).then(pl.lit(name)) for number, name in enumerate(names))


def way_out(entry: Field) -> str:
    """Say what can give an event what it has not."""
    setting = entry.setting or ("app_id" if entry.hub == ("app.id",) else None)
    return f"say --set {setting}=..." if setting else "a recipe can set it"
