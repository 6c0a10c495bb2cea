"""The figures that people judge a migration by, on both sides, and what explains where they differ."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from translate.archive.sources import find
from translate.conversion.calls import Folder, Given, Sources, listed, settings_of
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.naming import EVENT_TYPES, Name, Names, meetings
from translate.errors import UsageError
from translate.reader.recognition import Origin, Recognised, recognise
from translate.telling.explanation import sides
from translate.telling.figures.facts import FACTS, HeldColumns
from translate.telling.figures.fates import (  # fmt: skip
    HELD,
    Stage,
    renames_in,
    said,
    steps,
    write_facts,
    write_fates,
)
from translate.telling.figures.measures import MEASURES, Measure, dashboard_measures
from translate.telling.figures.result import MONEY, SCHEMA, Parity, shown
from translate.telling.figures.run import FormerRun, find_run
from translate.wording.arguments import checked

SAME = 1e-9  # doubles that differ by less, relative to their size, are one number
UNEXPLAINED = "UNEXPLAINED"
UNREADABLE = "records of the target that cannot be read"


@checked
def parity(
    source: Sources, target: str | os.PathLike[str], *, report: str | os.PathLike[str] | None = None,
    from_: str | None = None, to: str | None = None, recipe: str | os.PathLike[str] | None = None,
    settings: Given = None, set_: Sequence[str] = (), mappings: Folder | None = None,
    erase: str | os.PathLike[str] | None = None,
) -> Parity:  # fmt: skip
    """Compare the figures that people judge a migration by, on both sides, and explain each difference.

    `target` is a directory that `convert` filled, or any archive; the report of the run is found in that directory, or
    named. What it says of recipe, settings, selection and passes explains the differences; without one, `recipe` and the
    rest are what the caller says. `erase` is the list of those whom the run left out, if it did. `to` names the target's layout where its content does not show it. Figures of the
    target are computed from its files alone. Raise UsageError, MappingError or SourceError.

    >>> import translate
    >>> report = translate.convert("sample_data/mobile_analytics/archive_full.jsonl", to="clickstream", out="clicks")
    >>> translate.parity("sample_data/mobile_analytics/archive_full.jsonl", "clicks")
    <Parity mobile_analytics/archive -> clickstream/events: no difference>
    """
    told = settings_of(settings, set_) if settings or set_ else None
    own = Path(mappings) if mappings is not None else told.mappings if told else None
    run = find_run(target, report, recipe, told, own, erase)
    if run.report and run.report.get("options", {}).get("lake"):
        raise UsageError(
            f"{os.fspath(target)}: is a lake, whose columns have names of SQL; its schema.sql tells how to ask it"
        )
    recognised = recognise(find(listed(source), apart=[target]), from_ or run.of, own)
    arrived = _arrived(target, to or run.to, run, own)
    job = _job(recognised, arrived, run)
    with tempfile.TemporaryDirectory(prefix="translate-") as folder:
        scratch = Path(folder)
        sheet = job.target[0] if job.target else None
        additions = sheet.additions if sheet else {}
        measures = (*MEASURES, *dashboard_measures(additions))
        fates = write_fates(job, recognised, run, scratch)
        counts = fates.group_by("outcome", "reason", "first").agg(events=pl.len()).collect(engine="streaming")
        there, unreadable = pl.LazyFrame(schema=FACTS), 0
        if arrived.files:
            there, unreadable = write_facts(arrived, run.settings, additions, scratch)
        merged, held = meetings(_names(fates), job), None
        if job.target:
            held = HeldColumns(*job.target, run.settings, names_meet=bool(merged))
        taken = list(steps(counts, run, held))
        renames = renames_in(fates)
        frames = [_account(counts, there, unreadable, run)]
        causes: Counter[tuple[str, str]] = Counter()
        frames += [_compare(measure, fates, taken, there, held, causes, renames) for measure in measures]
    return Parity(
        recognised.address, arrived.address, pl.concat(frames),
        tuple({"figure": figure, "cause": cause, "rows": rows} for (figure, cause), rows in causes.items()),
        {measure.name: measure.about for measure in measures}, run.report is not None, sheet.beyond if sheet else (), tuple(merged),
        tuple(dict.fromkeys(renames.values())),
    )  # fmt: skip


def _arrived(
    target: str | os.PathLike[str], to: str | None, run: FormerRun, mappings: Path | None
) -> Recognised:
    """Find the target's files; where the run wrote nothing there are none."""
    if run.report is not None and run.to is not None and not run.report["events"]["written"]:
        return Recognised([Origin(*sides.find(run.to, mappings, to_read=True), [])])
    return recognise(find([target]), to, mappings)


def _job(recognised: Recognised, arrived: Recognised, run: FormerRun) -> Job:
    first, last = recognised.sources[0], arrived.sources[0]
    is_hub = last.layout.model == HUB_MODEL
    if run.recipe is not None and not is_hub and last.layout.address not in run.recipe.layouts:
        known = ", ".join(run.recipe.layouts)
        raise UsageError(f"{run.recipe.name}: this recipe leads to {known}, not to {last.layout.address}")
    target = None if is_hub else (last.mapping, last.layout)
    return Job(first.mapping, first.layout, target, run.recipe, run.settings, run.selection)


def _names(fates: pl.LazyFrame) -> Names:
    """Count the names that events were written under."""
    counts = fates.filter(pl.col("outcome") == "written").group_by("name", f"{HELD}.type").len()
    rows = counts.collect(engine="streaming").iter_rows()
    return Names({Name(EVENT_TYPES, name, written): count for name, written, count in rows})


# -- figures --------------------------------------------------------------------------------------------------------


def _compare(
    measure: Measure, fates: pl.LazyFrame, taken: list[Stage], there: pl.LazyFrame, held: HeldColumns | None,
    causes: Counter[tuple[str, str]], renames: dict[str, str],
) -> pl.DataFrame:  # fmt: skip
    """Compute a figure after each step, and in the target; explain what each step did, and count the causes."""
    sides = [*(step.facts(fates) for step in taken), there.select(*FACTS)]
    named = [side.with_columns(pl.col("type").replace(renames)) if renames else side for side in sides]
    values = [measure.grouping(side).collect(engine="streaming") for side in named]
    keys = pl.concat([frame.select("key") for frame in values]).unique().sort("key")
    for number, frame in enumerate(values):
        keys = keys.join(frame.rename({"value": f"v{number}"}), on="key", how="left")
    empty = None if measure.is_mean else 0.0
    reasons = [said(step, measure, held) for step in taken[1:]]
    rows = []
    for key, *row in keys.sort("key").iter_rows():
        *expected, arrived = (empty if value is None else value for value in row)
        changes = _changes(measure.name, reasons, expected, arrived)
        causes.update((measure.name, cause) for cause, _ in changes if cause != UNEXPLAINED)
        told = "; ".join(f"{cause}: {change}" for cause, change in changes)
        difference = None if expected[0] is None or arrived is None else round(arrived - expected[0], 6)
        explained = _are_same(expected[-1], arrived)
        rows.append((measure.name, key, expected[0], arrived, difference, told, explained))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _changes(
    figure: str, reasons: list[str], expected: list[float | None], arrived: float | None
) -> list[tuple[str, str]]:
    """Give what each step did to a figure, and then what nothing explains."""
    steps = zip([*reasons, UNEXPLAINED], expected, [*expected[1:], arrived], strict=True)
    return [(why, _change(figure, *sides)) for why, *sides in steps if not _are_same(*sides)]


def _are_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME * max(abs(one), abs(other))


def _change(figure: str, before: float | None, after: float | None) -> str:
    """Write a difference with its sign; where there is none on a side, both values."""
    if before is None or after is None:
        texts = ["none" if value is None else shown(figure, value) for value in (before, after)]
        return " became ".join(texts)
    change = round(after - before, 6)
    if figure == MONEY:
        return f"{change:+,.2f}"
    return f"{int(change):+,}" if change == int(change) else f"{change:+,}"


# -- the account ----------------------------------------------------------------------------------------------------


def _account(counts: pl.DataFrame, there: pl.LazyFrame, unreadable: int, run: FormerRun) -> pl.DataFrame:
    """Hold what became of the source's events against the report of the run, and against what lies in the target."""
    rows = list(_held_against_report(counts, run)) if run.report is not None else []
    lying = int(there.select(pl.len()).collect().item())
    written = int(counts.filter(pl.col("outcome") == "written")["events"].sum())
    why = "events are missing" if lying < written else "more events than were written"
    rows.append(("events in the target", written, lying, why))
    if unreadable:
        rows.append((UNREADABLE, 0, unreadable, UNREADABLE))
    return pl.DataFrame(
        [("account", key, float(ours), float(theirs), float(theirs - ours), "" if ours == theirs else f"{UNEXPLAINED}: {why}", ours == theirs)
         for key, ours, theirs, why in rows],
        schema=SCHEMA, orient="row",
    )  # fmt: skip


def _held_against_report(counts: pl.DataFrame, run: FormerRun) -> Iterator[tuple[str, int, int, str]]:
    """Give what the report says beside what the same run counts now: another source, recipe or settings show here."""
    assert run.report is not None
    told = run.report["events"]
    kind = pl.col("outcome").replace("unreadable", "rejected")
    first = {True: "read", False: "added"}
    found = dict.fromkeys(told, 0)
    for outcome, is_first, events in counts.select(kind, "first", "events").iter_rows():
        found[first[is_first]] += events
        found[outcome] += events
    for name, count in told.items():
        message = "the report is of another run, or the source has changed since"
        yield f"{name}, as the report says", found[name], count, message
