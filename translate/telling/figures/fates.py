"""What became of each event of a source: its facts as it was, as the rules left it, as the target holds it, by the run's own query run once more."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from translate import events
from translate.archive.batches import Lines
from translate.archive.units import units_of
from translate.conversion import plan
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.plan import BEFORE, FIRST
from translate.conversion.reading import Readings, look_through, soundly
from translate.mapping.settings import Settings
from translate.mapping.spec import Addition
from translate.passes.sightings import UnitMarks
from translate.reader.recognition import Origin, Recognised
from translate.telling.figures.facts import FACTS, HeldColumns, facts
from translate.telling.figures.measures import Measure
from translate.telling.figures.run import FormerRun
from translate.vocabulary.money import MISSING_QUANTITY
from translate.vocabulary.spelling import EventNames
from translate.writer.shape import same_events
from translate.writer.writer import FILTERED, Writer

SOURCE, RULES, HELD = "source", "rules", "held"
Additions = Mapping[str, Addition]
STATES = (SOURCE, RULES, HELD)
OF_THE_RECIPE = "the recipe sets a time"  # how a reject begins that an event gets after it was read

REASONS_MAX = 12  # each has a step, and each step costs a grouping of every figure; the others share one
LOST = ("duplicates", "filtered", "rejected", "merged")


def write_fates(job: Job, recognised: Recognised, run: FormerRun, scratch: Path) -> pl.LazyFrame:
    """Write down the fate of each event of a source; give the frame of it.

    Columns: `outcome` (written, rejected, unreadable, filtered, duplicates, merged), `reason` (the code, the rule),
    `first` (no row beyond one per event), `name` (the hub's, after the rules), and `source.x`, `rules.x`, `held.x` for
    each fact x.
    """
    readings = Readings(job, recognised, scratch)
    passes = look_through(readings, run.asked) if run.asked else None
    left = job.selection.limit
    for unit in readings.units:
        file = scratch / f"fates-{unit.number:05}.parquet"
        marks = passes.of_unit(unit.number) if passes else None
        here = readings.job_of(unit)
        if left is not None:
            here = dataclasses.replace(here, selection=dataclasses.replace(here.selection, limit=left))

        def attempt(
            lines: Lines, job: Job = here, marks: UnitMarks | None = marks, file: Path = file
        ) -> tuple[None, set[str]]:
            to_the_hub = dataclasses.replace(job, target=None, census=True)
            query = plan.build(to_the_hub, lines, marks=marks)
            _fates(job, query).sink_parquet(file, compression="lz4", engine="streaming")
            return None, query.unsound

        readings.read(unit, attempt)
        if left is not None:
            by_selection = pl.col("reason").is_in(["--where", "--since", "--until"])
            taken = pl.col("first") & ~((pl.col("outcome") == "filtered") & by_selection)
            left -= int(pl.scan_parquet(file).select(taken.sum()).collect().item())
            if left <= 0:
                break
    return pl.scan_parquet(scratch / "fates-*.parquet")


def _fates(job: Job, query: plan.Query) -> pl.LazyFrame:
    additions = job.target[0].additions if job.target else {}
    kept = {"first": FIRST, "_code": pl.col("code"), "_message": pl.col("message")}
    frame = query.rows.with_columns(**kept, **plan.WRITTEN_AGAIN)
    before, now = _before(frame), pl.col("name")
    if job.target is None:
        frame = frame.with_columns(
            **_prefixed(SOURCE, before, before("name"), additions),
            **_prefixed(RULES, pl.col, now, additions),
            **_prefixed(HELD, pl.col, now, additions),
        )
    else:
        held = HeldColumns(*job.target, job.settings)
        spelled = {SOURCE: before("name"), RULES: now}
        event_types = {f"{state}:type": held.event_type(name) for state, name in spelled.items()}
        columns = {f"held:{name}": value for name, value in held.columns().items()}
        frame = frame.with_columns(**columns, **event_types)
        came, is_now = (pl.col(name) for name in event_types)
        frame = frame.with_columns(
            **_prefixed(SOURCE, before, came, additions), **_prefixed(RULES, pl.col, is_now, additions)
        )
        frame = frame.with_columns(**_prefixed(HELD, lambda name: pl.col(f"held:{name}"), is_now, additions))
        keeps_extra = same_events(job.source_layout, job.target[1])
        keeps_around = job.source_layout.address == job.target[1].address
        source = dataclasses.replace(query.source, keeps_extra=keeps_extra, keeps_around=keeps_around)
        frame = Writer(*job.target, job.settings, source).rows(frame)
    outcome, reason = _outcome()
    states = [f"{state}.{fact}" for state in STATES for fact in FACTS]
    return frame.select(*states, outcome=outcome, reason=reason, first="first", name="name")


def _before(frame: pl.LazyFrame) -> Callable[[str], pl.Expr]:
    """Give a hub column as it was read; where the source has none, nothing."""
    schema = frame.collect_schema()
    there = {name.removeprefix(BEFORE) for name in schema if name.startswith(BEFORE)}
    return lambda name: pl.col(f"{BEFORE}{name}") if name in there else pl.lit(None, schema[name])


def _prefixed(
    state: str, column: Callable[[str], pl.Expr], event_type: pl.Expr, additions: Additions
) -> dict[str, pl.Expr]:
    return {f"{state}.{name}": value for name, value in facts(column, event_type, additions).items()}


def _outcome() -> tuple[pl.Expr, pl.Expr]:
    """Say what became of an event, in the order in which the account of a run asks."""
    by_rule = pl.col("_message").str.starts_with(OF_THE_RECIPE).fill_null(value=False)
    unreadable = pl.col("_code").is_not_null() & ~by_rule
    outcome = (
        pl.when(unreadable).then(pl.lit("unreadable"))
        .when(pl.col("code").is_not_null()).then(pl.lit("rejected"))
        .when(pl.col("_duplicate")).then(pl.lit("duplicates"))
        .when(pl.col("_merged")).then(pl.lit("merged"))
        .when(pl.col(FILTERED).is_not_null()).then(pl.lit("filtered"))
        .otherwise(pl.lit("written"))
    )  # fmt: skip
    return outcome, pl.coalesce("code", FILTERED)


def write_facts(
    arrived: Recognised, settings: Settings, additions: Additions, scratch: Path
) -> tuple[pl.LazyFrame, int]:
    """Write down the facts of a target's events, as its own reader sees them; say how many records cannot be read."""
    unreadable = 0
    for unit in units_of(source.files for source in arrived.sources):
        origin, file = arrived.sources[unit.source], scratch / f"target-{unit.number:05}.parquet"
        job = Job(origin.mapping, origin.layout.as_written, None, settings=settings)

        def attempt(
            lines: Lines, job: Job = job, file: Path = file, origin: Origin = origin
        ) -> tuple[None, set[str]]:
            frame, unsound = plan.hub_events(job, lines)
            seen = _as_the_reader_sees(frame, origin, additions)
            seen.sink_parquet(file, compression="lz4", engine="streaming")
            return None, unsound

        soundly(unit, scratch, arrived, attempt)
        unreadable += int(pl.scan_parquet(file).select(pl.col("code").count()).collect().item())
    written = pl.scan_parquet(scratch / "target-*.parquet")
    return written.filter(pl.col("code").is_null()), unreadable


def _as_the_reader_sees(frame: pl.LazyFrame, origin: Origin, additions: Additions) -> pl.LazyFrame:
    """Give the facts of events that were read under the names in their rows.

    The original name counts for one thing only: which of several well-known ones that the sheet spells alike it was.
    """
    names = EventNames(origin.mapping.names, origin.mapping.phase_of_others)
    is_hub = origin.layout.model == HUB_MODEL  # its names are what all others are read as
    name, event_type = pl.col("name"), pl.col("name") if is_hub else names.spelled(pl.col("name"))
    key = origin.layout.original_names
    if key is not None:
        told = pl.col("attributes").map.get(key).str.json_path_match("$.name")
        is_spelled_so = told.is_in(list(events.WELL_KNOWN)) & (names.spelled(told) == event_type)
        name = pl.when(is_spelled_so).then(told).otherwise(name)
    found = facts(lambda column: pl.col("_name" if column == "name" else column), pl.col("_type"), additions)
    return frame.with_columns(_name=name, _type=event_type).select("code", **found)


@dataclass(frozen=True)
class Stage:
    """What figures are made of after a step: which events, in which state; `says` what the step did."""

    says: str
    taken: pl.Expr
    state: str = SOURCE

    def facts(self, fates: pl.LazyFrame) -> pl.LazyFrame:
        """Give the facts of the events that are left."""
        return fates.filter(self.taken).select(pl.col(f"{self.state}.{name}").alias(name) for name in FACTS)


def steps(counts: pl.DataFrame, run: FormerRun, held: HeldColumns | None) -> Iterator[Stage]:
    """List the steps that changed anything: `counts` has `outcome`, `reason`, `first` and `events`."""
    first, readable = pl.col("first"), pl.col("outcome") != "unreadable"
    taken = first & readable
    yield Stage("", taken)
    for says, gone in _removals(counts):
        taken &= ~gone
        yield Stage(says, taken)
    written = pl.col("outcome") == "written"
    changers = _changers(run)
    if changers:
        yield Stage(f"changed by {changers}", written & first, RULES)
    if counts.filter(~pl.col("first")).height:
        yield Stage(f"added by {changers}", written, RULES)
    if held is not None:
        yield Stage(held.layout.address, written, HELD)


def _removals(counts: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    outcome, reason = pl.col("outcome"), pl.col("reason")
    lost = counts.filter(pl.col("first") & outcome.is_in(LOST))
    lost = lost.sort("events", "reason", descending=[True, False])
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


def _changers(run: FormerRun) -> str:
    """Name what changes events, or adds some, before they are written."""
    passes = [*(f"--add {name}" for name in run.asked.add), *(["--fold"] if run.asked.fold else [])]
    recipe = [f"the recipe {run.recipe.name}"] if run.recipe else []
    quantity = run.settings.missing_quantity
    return ", ".join([*passes, *recipe, *([f"--set {MISSING_QUANTITY}={quantity:g}"] if quantity else [])])


def said(step: Stage, measure: Measure, held: HeldColumns | None) -> str:
    """Say what a step did to a figure."""
    return held.reasons(measure.columns) if held is not None and step.state == HELD else step.says


# -- types that got other names on the way: one row tells of them, under both names --------------------------

NAMES_MAX = 3  # that became one, by their names
ARROW = " \N{RIGHTWARDS ARROW} "


def renames_in(fates: pl.LazyFrame) -> dict[str, str]:
    """Find the types all of whose written events have one other name after the rules, which no others get.

    Give under which text the rows of such a type stand, on both sides.
    """
    before, after = f"{SOURCE}.type", f"{RULES}.type"
    written = fates.filter((pl.col("outcome") == "written") & pl.col("first"))
    pairs = written.group_by(before, after).len().drop_nulls().collect(engine="streaming")
    became: dict[str, set[str]] = defaultdict(set)
    came_from: dict[str, set[str]] = defaultdict(set)
    for old, new, _ in pairs.iter_rows():
        became[old].add(new)
        came_from[new].add(old)
    texts: dict[str, str] = {}
    for new, olds in sorted(came_from.items()):
        is_clear = all(became[old] == {new} and (old == new or old not in came_from) for old in olds)
        if olds != {new} and is_clear and became.get(new, {new}) == {new}:
            names = sorted(olds)
            told = ", ".join(names) if len(names) <= NAMES_MAX else f"{len(names)} types"
            texts |= dict.fromkeys([*names, new], f"{told}{ARROW}{new}")
    return texts
