"""The way of a figure from source to target, step by step: each step takes events away, adds some, or changes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from translate.telling.figures.facts import FACTS
from translate.telling.figures.fates import HELD, RULES, SOURCE
from translate.telling.figures.held import Held
from translate.telling.figures.measures import Measure
from translate.telling.figures.run import Run
from translate.vocabulary.money import MISSING_QUANTITY

REASONS_MAX = (
    12  # each has a step of its own, and each step costs a grouping of every figure; the others share one
)
LOST = ("duplicates", "filtered", "rejected", "merged")


@dataclass(frozen=True)
class Step:
    """What figures are made of after a step: which events, in which state; `says` what the step did."""

    says: str
    taken: pl.Expr
    state: str = SOURCE

    def facts(self, fates: pl.LazyFrame) -> pl.LazyFrame:
        """Give the facts of the events that are left."""
        return fates.filter(self.taken).select(pl.col(f"{self.state}.{name}").alias(name) for name in FACTS)


def steps(counts: pl.DataFrame, run: Run, held: Held | None) -> Iterator[Step]:
    """List the steps that changed anything: `counts` has `outcome`, `reason`, `first` and `events`."""
    first, readable = pl.col("first"), pl.col("outcome") != "unreadable"
    taken = first & readable
    yield Step("", taken)
    for says, gone in _removals(counts):
        taken &= ~gone
        yield Step(says, taken)
    written = pl.col("outcome") == "written"
    changers = _changers(run)
    if changers:
        yield Step(f"changed by {changers}", written & first, RULES)
    if counts.filter(~pl.col("first")).height:
        yield Step(f"added by {changers}", written, RULES)
    if held is not None:
        yield Step(held.layout.address, written, HELD)


def _removals(counts: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    outcome, reason = pl.col("outcome"), pl.col("reason")
    lost = counts.filter(pl.col("first") & outcome.is_in(LOST)).sort(
        "events", "reason", descending=[True, False]
    )
    for kind in LOST:
        found = lost.filter(outcome == kind)["reason"].to_list()
        if kind in ("duplicates", "merged"):
            if found:
                yield ("duplicates" if kind == "duplicates" else "merged into another event"), outcome == kind
            continue
        for why in found[:REASONS_MAX]:
            yield f"{kind} ({why})", (outcome == kind) & reason.eq_missing(pl.lit(why, pl.String))
        if found[REASONS_MAX:]:
            yield f"{kind} (other reasons)", outcome == kind


def _changers(run: Run) -> str:
    """Name what changes events, or adds some, before they are written."""
    passes = [*(f"--add {name}" for name in run.asked.add), *(["--fold"] if run.asked.fold else [])]
    recipe = [f"the recipe {run.recipe.name}"] if run.recipe else []
    quantity = run.settings.missing_quantity
    return ", ".join([*passes, *recipe, *([f"--set {MISSING_QUANTITY}={quantity:g}"] if quantity else [])])


def said(step: Step, measure: Measure, held: Held | None) -> str:
    """Say what a step did to a figure."""
    return held.reasons(measure.columns) if held is not None and step.state == HELD else step.says
