"""What stands above a recipe's rules: where it leads, the columns that it names, and the settings that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from translate import mapping
from translate.errors import UsageError
from translate.mapping.columns import Column, read_columns
from translate.mapping.sheet import Sheet
from translate.mapping.spec import Layout
from translate.recipe.rules import Recipe
from translate.settings import TEXTS


def target(
    sheet: Sheet, table: dict[str, Any], base: Recipe | None, mappings: Path | None
) -> tuple[Layout, ...]:
    """Give the layouts that a recipe leads to, the one for its tests first: a model alone means all that can be written."""
    to = sheet.get(table, "", "to", str)
    if to is None:
        if "to" not in table and "extends" not in table:
            sheet.complain("to", "is missing")
        return tuple(mapping.find_layout(address, mappings)[1] for address in base.layouts) if base else ()
    try:
        model, found = mapping.find_layout(to, mappings)
    except UsageError as error:
        sheet.complain("to", str(error))
        return ()
    named = (
        [found]
        if to.partition("/")[2]
        else sorted(model.layouts.values(), key=lambda layout: not layout.default)
    )
    layouts = tuple(layout for layout in named if layout.write)
    if not layouts:
        sheet.complain("to", f"{to} can only be read")
    if base and not {layout.address for layout in layouts} <= set(base.layouts):
        sheet.complain(
            "to",
            f"{base.file} is for {' and '.join(base.layouts)}, and rules for one target mean nothing to another",
        )
    return layouts


def columns(
    sheet: Sheet, table: dict[str, Any], base: Recipe | None, layouts: tuple[Layout, ...]
) -> tuple[Column, ...]:
    """Give the columns of a dataset's own, those of the base too, each as it is said last."""
    said = read_columns(table.get("columns", {}), "columns", sheet.complain)
    if said and layouts and not any(layout.takes_columns for layout in layouts):
        sheet.complain("columns", f"{layouts[0].model} has no table that takes columns of a dataset's own")
    for column in said:
        if any(column.name == entry.place for layout in layouts for entry in layout.fields):
            sheet.complain(f"columns.{column.name}", "is a column that the target has already")
    return tuple({column.name: column for column in (*(base.columns if base else ()), *said)}.values())


def needs(sheet: Sheet, table: dict[str, Any], base: Recipe | None) -> tuple[str, ...]:
    """Give the settings that a recipe cannot do without, those of the base first."""
    said = sheet.texts(table, "", "needs") or ()
    for name in said:
        sheet.one_of(name, "needs", "setting of text", TEXTS)
    return tuple(dict.fromkeys((*(base.needs if base else ()), *said)))
