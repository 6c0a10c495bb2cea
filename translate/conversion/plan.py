"""One unit's query: lines to events to rows, with everything that the account counts beside them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from translate import events, passes
from translate.archive.batches import Lines
from translate.archive.drawing import Ahead
from translate.conversion.intake import take_in, with_sound_texts
from translate.conversion.job import Job
from translate.conversion.naming import NAMED
from translate.mapping.settings import Settings
from translate.passes.sightings import UnitMarks
from translate.reader.hub import TRAVELLERS, with_event_ids
from translate.reader.reader import OF_LINES, Tally
from translate.recipe.erasure import Erasing
from translate.recipe.expressions import CALLED, moved_keys
from translate.recipe.rules import selected
from translate.recipe.tallies import DESELECTED, TALLY, Watch
from translate.vocabulary import money, notes
from translate.vocabulary.notes import OF_RECIPE, USED, Finding
from translate.writer.dataset import moved
from translate.writer.findings import Exposure, of_doubtful
from translate.writer.losses import Plan
from translate.writer.packing import ROW
from translate.writer.shape import Source, same_events
from translate.writer.writer import FILTERED, NOTES, Writer

if TYPE_CHECKING:
    from translate.judging.survey import Questions

LEFT_OUT = "_left_out"  # the name, as it was read, of an event that is filtered
COUNTED = ["file", "code", FILTERED, "_copy", "_duplicate", *passes.TOLD, "careful", "nulls", LEFT_OUT]

WRITTEN = pl.col("code").is_null() & pl.col(FILTERED).is_null()
FIRST = (pl.col("_copy") == 0) & pl.col("_added").is_null()
BEFORE = "?"  # before the name of a hub column as it was read, kept for the census of keys
IS_COUNTED = "_counts"  # whether what a row lost is counted: it is written, and the first of its event
FREE_FORM = ("attributes", "metrics", "other", "extra")
# What a writer wants beside rows that it writes once more.
WRITTEN_AGAIN = {
    "row": pl.lit(0, pl.UInt32), "part": pl.lit(0, pl.UInt32), "notes": notes.none(),
    OF_RECIPE: notes.none(), USED: pl.lit(None, pl.List(pl.String)),
}  # fmt: skip


@dataclass
class Query:
    """A unit's rows as a lazy frame, and what to count over it; `unsound` is told once it ran."""

    rows: pl.LazyFrame
    counts: Plan
    columns: list[str]
    source: Source
    members: list[pl.Expr] = field(default_factory=list)  # what a request is packed from
    asked: list[str] = field(default_factory=list)  # columns of what the target's hazards ask of a row
    named: list[str] = field(
        default_factory=list
    )  # what tells under which names the rows' own ones were written
    erasing: Erasing | None = None
    ahead: Ahead = field(default_factory=Ahead)  # what holds lines back until rows are written
    unsound: set[str] = field(default_factory=set)  # files whose records reach over several lines


def build(
    job: Job, lines: Lines, *, tally: Tally | None = None, marks: UnitMarks | None = None,
    questions: Questions | None = None, watch: Watch | None = None,
) -> Query:  # fmt: skip
    """Build a unit's query.

    `marks` are what the passes over the whole archive found for it, `questions` those of hazards; `watch` sees what is
    taken in.
    """
    taken_in = take_in(job, lines, tally=tally)
    frame = taken_in.events
    if job.census:
        frame = frame.with_columns(
            pl.col(name).alias(f"{BEFORE}{name}") for name in events.SCHEMA if name in taken_in.provided
        )
    if job.needs_ids:
        frame = with_event_ids(frame, taken_in.provided)
    frame = _without_duplicates(frame, marks.duplicates if marks else None)
    erasing = job.erasing()
    frame = selected(job.selection, frame, moved_keys(job.source_layout), tallied=True, erasing=erasing)
    if watch is not None:
        frame = watch.over(frame)
    is_duplicate = pl.when(pl.col("_duplicate") & pl.col("code").is_null()).then(pl.lit("duplicate"))
    frame = frame.with_columns(_filtered=pl.coalesce(DESELECTED, is_duplicate))
    frame, filled = passes.apply(frame, marks) if marks else (passes.untouched(frame), frozenset())
    frame, set_columns = _by_recipe(job, frame.with_columns(pl.col("name").alias(CALLED)))
    frame = money.with_quantity(frame, job.settings.missing_quantity)
    keeps_extra = job.target_layout is not None and same_events(job.source_layout, job.target_layout)
    keeps_around = job.target_layout is not None and job.source_layout.address == job.target_layout.address
    counted = {"quantity"} if job.settings.missing_quantity is not None else set()
    provided = frozenset({*taken_in.provided, *filled, *set_columns, *counted, "event_id"})
    lists = frozenset(job.source_layout.lists)
    source = Source(provided, dict(taken_in.places), set_columns, keeps_extra, keeps_around, lists)
    query = _rows(job, frame, source, questions, of_doubtful(lines.damage))
    query.unsound, query.erasing, query.ahead = taken_in.unsound, erasing, lines.ahead
    return query


def hub_events(job: Job, lines: Lines) -> tuple[pl.LazyFrame, set[str]]:
    """Give a unit's events as the hub has them, the travellers beside them, and which files are unsound, once it ran."""
    taken_in = take_in(job, lines)
    return with_event_ids(taken_in.events, taken_in.provided), taken_in.unsound


def survey(job: Job, lines: Lines) -> tuple[pl.LazyFrame, set[str]]:
    """Give what the passes look at: a unit's events that can be read, and by `taken` if the selection takes them."""
    taken_in = take_in(job, lines)
    frame = taken_in.events.with_columns(own_id=pl.col("event_id"))
    frame = with_event_ids(frame, taken_in.provided).filter(pl.col("code").is_null())
    whole = replace(job.selection, limit=None)
    frame = selected(whole, frame, moved_keys(job.source_layout), erasing=job.erasing())
    return frame.with_columns(taken=pl.col(DESELECTED).is_null()), taken_in.unsound


def _without_duplicates(frame: pl.LazyFrame, duplicates: pl.LazyFrame | None) -> pl.LazyFrame:
    if duplicates is None:
        return frame.with_columns(_duplicate=pl.lit(False))
    marked = duplicates.with_columns(_duplicate=pl.lit(True))
    return frame.join(marked, on=["row", "part"], how="left", maintain_order="left").with_columns(
        pl.col("_duplicate").fill_null(value=False)
    )


def _by_recipe(job: Job, frame: pl.LazyFrame) -> tuple[pl.LazyFrame, frozenset[str]]:
    frame, set_columns = _by_rules(job, frame)
    return (moved(frame, job.columns), set_columns | {"attributes"}) if job.columns else (frame, set_columns)


def _by_rules(job: Job, frame: pl.LazyFrame) -> tuple[pl.LazyFrame, frozenset[str]]:
    if job.recipe is None:
        return without_recipe(frame), frozenset()
    frame = job.recipe.apply(frame, job.marked, moved=moved_keys(job.source_layout), tallied=True)
    if "time" in job.recipe.set_columns:
        frame = _judge_times_again(frame, job.settings)
    return frame, job.recipe.set_columns


def _judge_times_again(frame: pl.LazyFrame, settings: Settings) -> pl.LazyFrame:
    """Hold the times that a recipe set against the window of plausible ones."""
    since, until = settings.time_window
    implausible = pl.col("code").is_null() & ((pl.col("time") < since) | (pl.col("time") >= until))
    message = f"the recipe sets a time outside of {since:%Y-%m-%d} to {until:%Y-%m-%d}"
    return frame.with_columns(
        code=pl.when(implausible).then(pl.lit("time_implausible")).otherwise(pl.col("code")),
        message=pl.when(implausible).then(pl.lit(message)).otherwise(pl.col("message")),
    )


def without_recipe(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Add the columns that a recipe would have added."""
    if FILTERED not in frame.collect_schema():
        frame = frame.with_columns(**{FILTERED: pl.lit(None, pl.String)})
    return frame.with_columns(
        _copy=pl.lit(0, pl.UInt32), **{OF_RECIPE: notes.none(), USED: pl.lit(None, pl.List(pl.String))}
    )


def from_hub(frame: pl.LazyFrame, *, of_others: bool = False) -> pl.LazyFrame:
    """Add the travellers to events that come from no file; hub columns that are missing are absent values.

    Texts `of_others` may be anything: they are looked at first, since ids are made of them.
    """
    present = frame.collect_schema().names()
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in events.SCHEMA.items() if name not in present]
    travellers = {name: pl.lit(default, dtype) for name, (dtype, default) in TRAVELLERS.items()}
    whole = frame.with_columns(*absent, **travellers)
    sound = with_sound_texts(whole) if of_others else whole
    return with_event_ids(passes.untouched(sound), set(events.SCHEMA))


def _rows(
    job: Job, frame: pl.LazyFrame, source: Source, questions: Questions | None, doubted: list[Finding]
) -> Query:
    asked: dict[str, pl.Expr] = {}
    if job.target is None:
        query, shape = _of_hub(frame, source), None
    else:
        writer = Writer(*job.target, job.settings, source)
        query, shape = _of_target(frame, writer), writer.shape
        asked = (
            questions.expressions([*writer.columns, *writer.shape.wanted_presets()], writer.shape.around)
            if questions
            else {}
        )
    exposed = Exposure(job.marked, job.treated, source.provided, shape)
    query.counts.findings += [*exposed.findings(), *passes.findings(), *doubted]
    if job.settings.missing_quantity is not None:
        query.counts.findings.append(money.quantity_filled())
    query.rows = _told(job, exposed.looked_for(query.rows), query, asked)
    query.asked = [*asked]
    return query


def _of_hub(frame: pl.LazyFrame, source: Source) -> Query:
    """Give events as they are."""
    noted = notes.together([pl.col("notes"), pl.col(OF_RECIPE)])
    return Query(frame.with_columns(**{NOTES: noted}), Plan(), [*events.SCHEMA], source)


def _of_target(frame: pl.LazyFrame, writer: Writer) -> Query:
    """Give events as the target's rows."""
    is_json = writer.shape.layout.records == "json-lines"
    columns = [ROW] if is_json else [f"={entry.place}" for entry in writer.columns]
    columns += writer.columns_around
    return Query(
        writer.rows(frame),
        writer.plan(),
        columns,
        writer.shape.source,
        writer.members(),
        named=writer.columns_of_names,
    )


def _told(job: Job, frame: pl.LazyFrame, query: Query, asked: dict[str, pl.Expr]) -> pl.LazyFrame:
    """Give the columns that are kept of rows, and beside them what is told of each."""
    names = frame.collect_schema().names()
    given = [*(FREE_FORM if job.examples else ()), *(_for_census(names) if job.census else ())]
    given += ["time"] if job.order else []
    given += [name for name in names if name.startswith(TALLY)]
    kept = dict.fromkeys([*COUNTED, "line", "message", "text", "base64", NOTES, *query.columns, *given])
    beside = {f"{NAMED}{name}": pl.col(name) for name in query.named}
    frame = frame.with_columns((WRITTEN & FIRST).alias(IS_COUNTED))
    noted = pl.when(pl.col(IS_COUNTED) & (pl.col(NOTES).list.len() > 0)).then(pl.col(NOTES))
    left_out = pl.when(pl.col("code").is_null() & pl.col(FILTERED).is_not_null()).then(pl.col(CALLED))
    return frame.with_columns(**{NOTES: noted, LEFT_OUT: left_out}).select(
        *kept, **beside, **_flags(query.counts, examples=job.examples), **asked
    )


def _flags(counts: Plan, *, examples: bool) -> dict[str, pl.Expr]:
    """Tell of each row which losses and findings it is counted for, and give examples of what is lost."""
    flags = {f"_loss{number}": loss.events & pl.col(IS_COUNTED) for number, loss in enumerate(counts.losses)}
    told: dict[
        tuple[str, str], list[pl.Expr]
    ] = {}  # of columns that the source has in one place the same is said
    for number, finding in enumerate(counts.findings):
        before = told.setdefault((finding.code, finding.message), [])
        once = (
            finding.events & ~pl.any_horizontal(before).fill_null(value=False) if before else finding.events
        )
        flags[f"_finding{number}"] = once & pl.col(IS_COUNTED)
        before.append(finding.events)
    if not examples:
        return flags
    return flags | {
        f"_example{number}": pl.when(loss.events & WRITTEN).then(loss.example.cast(pl.String, strict=False))
        for number, loss in enumerate(counts.losses)
        if loss.example is not None
    }


def _for_census(names: list[str]) -> list[str]:
    """Name what the account of keys needs beside the rows."""
    wanted = ("name", "notes", USED, "_names", *OF_LINES)
    return [name for name in names if name.startswith(BEFORE) or name in wanted]
