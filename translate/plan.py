"""One unit's query: lines to events to rows, with everything that the report counts beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import events, notation
from translate.losses import Plan
from translate.mapping.spec import Layout, Mapping
from translate.reader import Lines, Reader, Tally
from translate.reader.hub import Hub, with_event_ids
from translate.report import Finding, Loss, Report
from translate.settings import Settings
from translate.shape import Source
from translate.writer import FILTERED, NOTES, ROW, Writer

if TYPE_CHECKING:
    from translate.recipe import Recipe
    from translate.selection import Selection

HUB_MODEL = "hub"
COUNTED = ["file", "code", FILTERED, "_copy", "_duplicate", "careful", "nulls"]


WRITTEN = pl.col("code").is_null() & pl.col(FILTERED).is_null()
FIRST = pl.col("_copy") == 0
FREE_FORM = ("attributes", "metrics", "other", "extra")
FILE_COUNTS = ("read", "added", "written", "rejected", "filtered", "duplicates", "merged")


@dataclass(frozen=True)
class Job:
    """What a run was asked to do."""

    source_mapping: Mapping
    source_layout: Layout
    target_mapping: Mapping | None
    target_layout: Layout | None
    recipe: Recipe | None = None
    settings: Settings = field(default_factory=Settings)
    selection: Selection | None = None
    examples: bool = False
    careful_only: bool = False

    @property
    def to_hub(self) -> bool:
        """Tell whether the hub's own events are wanted."""
        return self.target_layout is None

    @property
    def needs_ids(self) -> bool:
        """Tell whether the target has a place for event ids."""
        if self.target_layout is None:
            return True
        fields = [*self.target_layout.fields]
        if self.target_layout.envelope:
            fields += self.target_layout.envelope.fields.values()
        return any("event_id" in entry.hub for entry in fields)


@dataclass
class Query:
    """A unit's rows as a lazy frame, and what to count over it."""

    rows: pl.LazyFrame
    counts: Plan
    columns: list[str]
    reader: Reader
    source: Source


def build(job: Job, lines: Lines, *, protected: bool, tally: Tally | None = None, duplicates: pl.LazyFrame | None = None) -> Query:
    """Build a unit's query."""
    reader = Reader(job.source_layout, careful_only=job.careful_only, protected=protected, tally=tally)
    hub = Hub(job.source_mapping, job.source_layout, job.settings)
    frame = hub.events(reader.records(lines))
    if job.needs_ids or duplicates is not None:
        frame = with_event_ids(frame, hub.provided)
    frame = _without_duplicates(frame, duplicates)
    if job.selection is not None:
        frame = job.selection.apply(frame)
    else:
        frame = frame.with_columns(_deselected=pl.lit(None, pl.String))
    is_duplicate = pl.when(pl.col("_duplicate") & pl.col("code").is_null()).then(pl.lit("duplicate"))
    frame, set_columns = _by_recipe(job, frame.with_columns(_filtered=pl.coalesce("_deselected", is_duplicate)))
    source = Source(frozenset({*hub.provided, *set_columns, "event_id"}), hub.places, set_columns)
    return _rows(job, frame, source, reader)


def hub_events(job: Job, lines: Lines, *, protected: bool) -> tuple[pl.LazyFrame, Callable[[], set[str]]]:
    """Give a unit's events as the hub has them, the travellers beside them, and then which files are unsound."""
    reader = Reader(job.source_layout, careful_only=job.careful_only, protected=protected)
    hub = Hub(job.source_mapping, job.source_layout, job.settings)
    return with_event_ids(hub.events(reader.records(lines)), hub.provided), lambda: reader.unsound


def event_ids(job: Job, lines: Lines, *, protected: bool) -> tuple[pl.LazyFrame, Callable[[], set[str]]]:
    """Give the row, part and id of each of a unit's events."""
    events_of_unit, unsound = hub_events(job, lines, protected=protected)
    return events_of_unit.filter(pl.col("code").is_null()).select("row", "part", "event_id"), unsound


def _without_duplicates(frame: pl.LazyFrame, duplicates: pl.LazyFrame | None) -> pl.LazyFrame:
    if duplicates is None:
        return frame.with_columns(_duplicate=pl.lit(False))
    marked = duplicates.with_columns(_duplicate=pl.lit(True))
    return frame.join(marked, on=["row", "part"], how="left", maintain_order="left").with_columns(
        pl.col("_duplicate").fill_null(value=False)
    )


def _by_recipe(job: Job, frame: pl.LazyFrame) -> tuple[pl.LazyFrame, frozenset[str]]:
    if job.recipe is None:
        return without_recipe(frame), frozenset()
    frame = job.recipe.apply(frame)
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
    nothing = pl.lit(None, pl.List(pl.String))
    if FILTERED not in frame.collect_schema():
        frame = frame.with_columns(**{FILTERED: pl.lit(None, pl.String)})
    return frame.with_columns(_copy=pl.lit(0, pl.UInt32), _recipe_notes=nothing, _used=nothing)


def from_hub(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Add the travellers to events that come from no file; hub columns that are missing are absent values."""
    present = frame.collect_schema().names()
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in events.SCHEMA.items() if name not in present]
    nothing = pl.lit(None, pl.String)
    travellers = {
        "row": pl.lit(0, pl.UInt32), "part": pl.lit(0, pl.UInt32), "text": nothing, "base64": pl.lit(False),
        "code": nothing, "message": nothing, "careful": pl.lit(False), "nulls": pl.lit(0, pl.UInt32),
        "notes": pl.lit(None, pl.List(pl.String)),
    }  # fmt: skip
    return with_event_ids(frame.with_columns(*absent, **travellers), set(events.SCHEMA))


def _rows(job: Job, frame: pl.LazyFrame, source: Source, reader: Reader) -> Query:
    if job.target_layout is None or job.target_mapping is None:
        columns = list(events.SCHEMA)
        plan = Plan()
        notes = pl.concat_list(pl.col("notes").fill_null([]), pl.col("_recipe_notes").fill_null([]))
        frame = frame.with_columns(**{NOTES: notes})
    else:
        writer = Writer(job.target_mapping, job.target_layout, job.settings, source)
        frame = writer.rows(frame)
        plan = writer.plan()
        columns = [ROW] if job.target_layout.records == "json-lines" else [f"={entry.place}" for entry in writer.columns]
        if job.target_layout.envelope:
            columns += [f"_{name}" for name in job.target_layout.envelope.fields]
    flags = {f"_loss{number}": loss.events & WRITTEN & FIRST for number, loss in enumerate(plan.losses)}
    flags |= {f"_finding{number}": finding.events & WRITTEN & FIRST for number, finding in enumerate(plan.findings)}
    if job.examples:
        flags |= {
            f"_example{number}": pl.when(loss.events & WRITTEN).then(loss.example.cast(pl.String, strict=False))
            for number, loss in enumerate(plan.losses)
            if loss.example is not None
        }
    given = FREE_FORM if job.examples else ()
    kept = list(dict.fromkeys([*COUNTED, "line", "message", "text", "base64", NOTES, *columns, *given]))
    noted = pl.when(WRITTEN & FIRST & (pl.col(NOTES).list.len() > 0)).then(pl.col(NOTES))
    selected = frame.with_columns(**{NOTES: noted}).select(*kept, **flags)
    # The engine computes once what several sinks share, if it is the same to the letter and one step only: so
    # nothing above this step may depend on the sink, and no two sinks may begin with the same step below it.
    barrier = selected.map_batches(
        _as_it_is, schema=dict(selected.collect_schema()), validate_output_schema=False, streamable=True
    )
    return Query(barrier, plan, columns, reader, source)


def _as_it_is(batch: pl.DataFrame) -> pl.DataFrame:
    return batch


def counts(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Count rows by file and outcome.

    One grouping for all of it: beside a second one the engine would keep the whole unit in memory.
    """
    return rows.group_by("file", "code", FILTERED, "_duplicate", first=FIRST).agg(
        rows=pl.len(), careful=pl.col("careful").sum(), nulls=pl.col("nulls").sum()
    )


def counts_of_flags(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Count losses and findings over the rows that are written, and find the smallest example of each."""
    names = rows.collect_schema().names()
    return rows.select(
        *(pl.col(name).sum() for name in names if name.startswith(("_loss", "_finding"))),
        *(pl.col(name).min() for name in names if name.startswith("_example")),
        _rows=pl.len(),
    )


def notes(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Give the notes of keys that were lost or changed, one a row, to be written down and counted after the run."""
    given = [name for name in FREE_FORM if name in rows.collect_schema()]
    return rows.filter(pl.col(NOTES).is_not_null()).select(*given, note=pl.col(NOTES)).explode("note")


def counts_of_notes(noted: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Count each note; where the values were kept for examples, give the smallest one of each key."""
    given = [name for name in FREE_FORM if name in noted.collect_schema()]
    place = pl.col("note").str.extract(r"(?s)\t(.*)$")
    values = []
    for name in given:
        prefix = "" if name == "extra" else f"{source.place(name)}."
        key = pl.when(place.str.starts_with(prefix)).then(place.str.strip_prefix(prefix))
        values.append(pl.col(name).map.get(key))
    example = pl.coalesce(values) if values else pl.lit(None, pl.String)
    return noted.select("note", example=example).group_by("note").agg(count=pl.len(), example=pl.col("example").min())


def rejects(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Write the rejects as JSON lines, in the order of the source."""
    raw = pl.when(pl.col("base64")).then(
        pl.concat_str(pl.lit('{"base64":'), notation.json_text(pl.col("text")), pl.lit("}"))
    ).otherwise(notation.json_text(pl.col("text")))
    line = pl.concat_str(
        pl.lit('{"file":'), notation.json_text(pl.col("file")),
        pl.lit(',"line":'), pl.col("line").cast(pl.String),
        pl.lit(',"code":'), notation.json_text(pl.col("code")),
        pl.lit(',"message":'), notation.json_text(pl.col("message")),
        pl.lit(',"raw":'), raw, pl.lit("}"),
    )  # fmt: skip
    return rows.filter(pl.col("code").is_not_null()).select(reject=line)


def account(query: Query, counted: pl.DataFrame, flags: pl.DataFrame, noted: pl.DataFrame) -> Report:
    """Put a unit's counts into its report."""
    report = Report()
    files: dict[str, Counter[str]] = {}
    for row in counted.sort("file").iter_rows(named=True):
        outcome = _outcome(row)
        by_file = files.setdefault(row["file"], Counter())
        by_file[outcome] += row["rows"]
        by_file["read" if row["first"] else "added"] += row["rows"]
        if outcome == "rejected":
            report.rejects[row["code"]] += row["rows"]
        elif outcome == "filtered":
            report.filtered[row[FILTERED]] += row["rows"]
        if row["first"]:
            report.careful += row["careful"]
            report.find("explicit_nulls", "explicit nulls, read as absent", row["nulls"] or 0)
    for path, by_file in files.items():
        report.events.update(by_file)
        report.files.append({"path": path, **{name: by_file[name] for name in FILE_COUNTS}})
    _count_flags(report, query, flags)
    for row in noted.iter_rows(named=True):
        kind, _, place = row["note"].partition("\t")
        report.lose(_as_the_source_says(place, query.source), kind, WHY_NOTED[kind], row["count"], row["example"])
    return report


def _as_the_source_says(place: str, source: Source) -> str:
    """Name a place as the source spells it; a recipe's notes name it as the hub does."""
    home, dot, key = place.partition(".")
    if place in source.places:
        return source.place(place)
    return f"{source.place(home)}{dot}{key}" if home in events.MAPS else place


def _outcome(row: dict[str, Any]) -> str:
    if row["code"] is not None:
        return "rejected"
    if row["_duplicate"]:
        return "duplicates"
    return "written" if row[FILTERED] is None else "filtered"


WHY_NOTED = {
    "changed": "renamed, retyped or rounded",
    "not_mapped": "no mapping or rule says where to",
    "cannot": "the target has no place for it",
    "on_purpose": "removed by a rule",
}


def _count_flags(report: Report, query: Query, flags: pl.DataFrame) -> None:
    counts: dict[str, Any] = flags.row(0, named=True)
    losses: list[Loss] = query.counts.losses
    findings: list[Finding] = query.counts.findings
    for number, loss in enumerate(losses):
        report.lose(loss.field, loss.kind, loss.why, int(counts[f"_loss{number}"] or 0), counts.get(f"_example{number}"))
    for number, finding in enumerate(findings):
        report.find(finding.code, finding.message, int(counts[f"_finding{number}"] or 0))


