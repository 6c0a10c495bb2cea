"""The figures on both sides, on the page to sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from translate.telling.figures import Parity
from translate.telling.figures.result import shown
from translate.telling.pages import Markup, element, facts, folded, paragraph, table
from translate.telling.rendering import many
from translate.telling.signoff.trails import ConversionTrail

if TYPE_CHECKING:
    from translate.telling.signoff import Dossier

TOTALS = ("events", "sessions", "new users")  # figures that add up over days
BY_MONTH = ("monthly users", "monthly people")


def figures(dossier: Dossier, trail: ConversionTrail) -> Iterator[Markup]:
    """Compare a conversion's figures on both sides, as far as that was asked for."""
    compared = dossier.compared.get(trail.folder)
    if compared is None and trail.is_lake:
        yield paragraph("A lake is asked by SQL: its schema.sql tells how to count there.")
        return
    if compared is None and trail.rows_are_elsewhere:
        yield paragraph("They were not compared: the rows do not lie here. Copy them from their bucket to ", element("code", f"{trail.folder}/data"), ", and ask again.")  # fmt: skip
        return
    if compared is None:
        yield paragraph("They were not compared: ", element("code", "translate dossier DIR --source SOURCE"), " compares them.")  # fmt: skip
        return
    changed = dossier.changed.get(trail.folder) or []
    if changed:
        yield paragraph(element("span", f"{many(len(changed), 'file')} of the source changed since: {changed[0]}", class_="warn"))  # fmt: skip
    else:
        yield paragraph("Each file of the source is, to the byte, as it was when it was converted.")
    told = compared.to_json()
    head = ("source", "target", "difference")
    yield table("In all", ("figure", *head), [*_totals(compared)], [1, 2, 3])
    yield table("By month", ("figure", "month", *head), [*_months(compared)], [2, 3, 4])
    counts = ("rows", "the same", "explained", "unexplained")
    summary = [(row["figure"], *(row[name] for name in counts)) for row in told["summary"]]
    yield table("Day by day: rows of each figure", ("figure", *counts), summary, [1, 2, 3, 4])
    yield folded("what the figures are", facts(told["about"].items()))
    if told["causes"]:
        rows = [(each["figure"], each["cause"], each["rows"]) for each in told["causes"]]
        yield table("Why rows differ", ("figure", "why", "rows"), rows, [2])
    differing = compared.frame.filter(pl.col("explanation") != "").sort("explained", maintain_order=True)
    rows = [
        (row["figure"], row["key"], *(shown(row["figure"], row[name]) for name in ("source", "target")), row["explanation"])
        for row in differing.iter_rows(named=True)
    ]  # fmt: skip
    if rows:
        rows_head = ("figure", "of", "source", "target", "explanation")
        listed = table("Rows that differ", rows_head, rows, [2, 3], is_told=False)
        yield folded(f"all rows that differ ({len(rows):,})", listed, is_aside=True)
    if told["not_compared"]:
        items = [element("li", each) for each in told["not_compared"]]
        yield folded("what the target's dashboards show beyond the rows", element("ul", *items))


def _totals(compared: Parity) -> Iterator[tuple[Any, ...]]:
    """Give the figures that add up over days."""
    frame = compared.frame
    for figure in TOTALS:
        mine = frame.filter(figure=figure)
        yield (figure, *_sides(figure, *(sum(mine[name].to_list()) for name in ("source", "target"))))
    revenue = frame.filter(figure="revenue").with_columns(key=pl.col("key").str.split(" ").list.last())
    sums = revenue.group_by("key").agg(pl.col("source", "target").sum()).sort("key")
    for code, source, target in sums.iter_rows():
        yield (f"revenue, {code}", *_sides("revenue", source, target))


def _months(compared: Parity) -> Iterator[tuple[Any, ...]]:
    """Give the figures of each month."""
    for figure in BY_MONTH:
        for row in compared.frame.filter(figure=figure).iter_rows(named=True):
            yield (figure, row["key"], *_sides(figure, row["source"], row["target"]))


def _sides(figure: str, source: float, target: float) -> tuple[str, str, str]:
    difference = round(target - source, 6)
    return shown(figure, source), shown(figure, target), shown(figure, difference) if difference else ""
