"""The front door: everything that the command line does is one of these calls."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.io.plugins import register_io_source

from translate import events, mapping
from translate import recipe as recipes
from translate.archive import hub_files
from translate.archive.recognition import Recognised, recognise
from translate.archive.sources import find
from translate.archive.units import units_of
from translate.conversion import plan
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.run import Conversion, Progress, soundly
from translate.delivery.preflight import Forecast
from translate.errors import MappingError, SourceError, UsageError
from translate.mapping.columns import Column
from translate.mapping.moved import Moved, moved_keys
from translate.mapping.spec import Layout
from translate.passes import asked_for
from translate.reader.reader import Lines
from translate.recipe import Checked, Recipe
from translate.recipe.expressions import condition
from translate.recipe.privacy import key_of_environment
from translate.recipe.selection import ROWS_MAX, Selection
from translate.settings import Settings, parse_time, read_settings
from translate.telling.rendering import Report
from translate.vocabulary import money
from translate.writer import dataset
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, ROW, Writer

# Rooms of which a conversion needs none, and which take a while to import, are imported where they are called.
if TYPE_CHECKING:
    from translate.telling.explanation import Explanation

Sources = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Folder = str | os.PathLike[str]
PREVIEW_EVENTS = 5


def models(mappings: Folder | None = None) -> pl.DataFrame:
    """List the layouts of all models: `model`, `layout`, `default`, `read`, `write`, `about`."""
    own = None if mappings is None else Path(mappings)
    rows = [
        {
            "model": layout.model,
            "layout": layout.name,
            "default": layout.default,
            "read": layout.read,
            "write": layout.write,
            "about": layout.about,
        }
        for model in (mapping.load(name, own) for name in mapping.models(own))
        for layout in model.layouts.values()
    ]
    rows.append({"model": HUB_MODEL, "layout": "events", "default": True, "read": True, "write": True,
                 "about": "the hub's own events as Parquet, for notebooks, DuckDB and pandas"})  # fmt: skip
    return pl.DataFrame(rows)


def scan(
    source: Sources,
    *,
    model: str | None = None,
    mappings: Folder | None = None,
    settings: Settings | None = None,
) -> pl.LazyFrame:
    """Read an archive as hub events, unit by unit, when the frame is collected.

    Columns as in `translate.events.COLUMNS`. Records that cannot be read are left out; a warning says how many.
    Raise SourceError if there is nothing to read, UsageError for an unknown model.
    """
    job, recognised = job_of(source, to=HUB_MODEL, from_=model, mappings=mappings, settings=settings)
    return register_io_source(_event_batches(job, recognised), schema=pl.Schema(events.SCHEMA), is_pure=True)


def _event_batches(job: Job, recognised: Recognised) -> Any:
    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_rows
        left = rows_wanted
        unread = 0
        for batch in _hub_batches(job, recognised):
            good = batch.filter(pl.col("code").is_null()).drop("code")
            unread += batch.height - good.height
            frame = good if left is None else good.head(left)
            left = None if left is None else left - frame.height
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if columns is None else frame.select(columns)
            if left == 0:
                break
        if unread:
            warnings.warn(f"{unread} records could not be read; convert() tells which and why", stacklevel=2)

    return read


def _hub_batches(job: Job, recognised: Recognised) -> Iterator[pl.DataFrame]:
    """Read unit by unit, each by way of the disk: whether a unit was read soundly is known only at its end."""
    with tempfile.TemporaryDirectory(prefix="translate-") as folder:
        scratch = Path(folder)
        for unit in units_of(source.files for source in recognised.sources):
            job_here = job.reading(recognised.sources[unit.source])

            def attempt(lines: Lines, job: Job = job_here) -> tuple[None, set[str]]:
                frame, unsound = plan.hub_events(job, lines)
                chosen = frame.select("code", *events.SCHEMA)
                chosen.sink_parquet(scratch / "events.parquet", compression="lz4", engine="streaming")
                return None, unsound()

            soundly(unit, scratch, recognised.refused_in(unit.files), attempt)
            yield from pl.scan_parquet(scratch / "events.parquet").collect_batches(engine="streaming")


def write(
    frame: pl.LazyFrame | pl.DataFrame, *, model: str, recipe: str | os.PathLike[str] | None = None,
    settings: Settings | None = None, mappings: Folder | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """Turn hub events into a target's rows.

    The frame gets a column for each field of the layout, named by its place; free-form objects, lists and
    numbers are JSON text, and `row` is the whole row as JSON, for JSON layouts. Events that the target does not
    take are left out; a warning tells of those that it would refuse.
    """
    told = settings_of(settings, (), mappings)
    target_mapping, layout = mapping.find_layout(model, told.mappings)
    chosen = recipes.load(recipe, told.mappings) if recipe is not None else None
    prepared = plan.from_hub(frame.lazy())
    prepared = (
        chosen.apply(prepared, mapping.marked_anywhere(told.mappings))
        if chosen
        else plan.without_recipe(prepared)
    )
    prepared = money.with_quantity(prepared, told.missing_quantity)
    set_columns = chosen.set_columns if chosen else frozenset()
    columns = dataset.named(target_mapping, chosen.columns if chosen else (), told)
    layout, prepared = dataset.with_columns(layout, columns), dataset.moved(prepared, columns)
    writer = Writer(target_mapping, layout, told, Source(frozenset(events.SCHEMA), {}, set_columns))
    judged = writer.rows(prepared)
    judged = judged.map_batches(
        _warn_of_rejects, schema=dict(judged.collect_schema()), validate_output_schema=False, streamable=True
    )
    rows = judged.filter(pl.col("code").is_null() & pl.col(FILTERED).is_null())
    places = {
        entry.place: pl.col(f"={entry.place}")
        for entry in [*writer.columns, *writer.shape.containers.values()]
    }
    whole = {"row": pl.col(ROW)} if layout.records == "json-lines" else {}
    return rows.select(**places, **whole)


def _warn_of_rejects(batch: pl.DataFrame) -> pl.DataFrame:
    refused = batch.filter(pl.col("code").is_not_null())
    if refused.height:
        first = refused["message"][0]
        warnings.warn(f"{refused.height} events cannot be written, for example because {first}", stacklevel=2)
    return batch


def convert(
    source: Sources, *, to: str, out: str | os.PathLike[str], from_: str | None = None,
    recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: str | dt.datetime | None = None, until: str | dt.datetime | None = None, limit: int | None = None,
    settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (), compression: str = "none",
    dedupe: bool = False, add: Iterable[str] = (), fold: bool = False, examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None, careful: bool = False,
    census: bool = False,
) -> Converted:  # fmt: skip
    """Convert an archive; give the report, as `report.json` holds it: a run that is finished already is not repeated.

    `to` and `from_` are `model` or `model/layout`. Raise UsageError or MappingError before anything is read,
    SourceError if there is nothing to read, OutputError if the target cannot be written. `dedupe`, `add`
    (`first_open`, `session_number`, `profile_set`, `engagement`) and `fold` look at the whole archive first: see `translate.passes`.
    `census` holds what became of each key against a count of the keys in the raw text: `keys.ndjson`, and `keys` in the report.
    """
    ready = conversion(
        source, to=to, out=out, from_=from_, recipe=recipe, where=where, since=since, until=until, limit=limit,
        settings=settings, set_=set_, compression=compression, dedupe=dedupe, add=add, fold=fold, examples=examples,
        mappings=mappings, progress=progress, careful=careful, census=census,
    )  # fmt: skip
    return Converted(ready.run(), ready)


class Converted(Report):
    """The report of a conversion, which can also say what the target does with the rows at any moment."""

    def __init__(self, values: dict[str, Any], ready: Conversion) -> None:
        super().__init__(values)
        self._ready = ready
        self.finished_already = ready.finished_already

    def __reduce__(self) -> tuple[type[Report], tuple[dict[str, Any]]]:
        """Copy what was reported, not the run."""
        return Report, (dict(self),)

    def hazards_at(self, now: dt.datetime) -> list[Forecast]:
        """Say what the target would do with the rows at a moment: `report["hazards"]` are those as of the archive's own span."""
        return self._ready.hazards_at(now)


def conversion(
    source: Sources, *, to: str, out: str | os.PathLike[str], from_: str | None = None,
    recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: str | dt.datetime | None = None, until: str | dt.datetime | None = None, limit: int | None = None,
    settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (), compression: str = "none",
    dedupe: bool = False, add: Iterable[str] = (), fold: bool = False, examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None, careful: bool = False,
    census: bool = False,
) -> Conversion:  # fmt: skip
    """Get a conversion ready; arguments and errors as in `convert`."""
    told = settings_of(settings, set_, mappings)
    asked = asked_for(dedupe=dedupe, add=add, fold=fold, model=to.partition("/")[0], mappings=told.mappings)
    job, recognised = job_of(
        source, to=to, from_=from_, recipe=recipe, settings=told,
        selection=selection_of(where, since, until, limit), examples=examples, careful=careful, census=census,
    )  # fmt: skip
    return Conversion(job, recognised, Path(out), compression=compression, asked=asked, progress=progress)


def preview(
    source: Sources, *, to: str, from_: str | None = None, recipe: str | os.PathLike[str] | None = None,
    where: str | None = None, since: str | dt.datetime | None = None, until: str | dt.datetime | None = None,
    limit: int | None = None, settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (),
    mappings: Folder | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Show what a conversion would do with the first few records, before and after; nothing is written."""
    job, recognised = job_of(
        source, to=to, from_=from_, recipe=recipe, settings=settings_of(settings, set_, mappings),
        selection=selection_of(where, since, until, limit or PREVIEW_EVENTS),
    )  # fmt: skip
    shown: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        for unit in units_of(source.files for source in recognised.sources):
            job_here = job.reading(recognised.sources[unit.source])

            def attempt(lines: Lines, job: Job = job_here) -> tuple[pl.DataFrame, set[str]]:
                query = plan.build(job, lines)
                columns = ["file", "line", "text", "code", "message", FILTERED, *query.columns]
                return query.rows.select(list(dict.fromkeys(columns))).collect(
                    engine="streaming"
                ), query.unsound

            frame, _ = soundly(unit, Path(scratch), recognised.refused_in(unit.files), attempt)
            shown.extend(
                _before_and_after(row, is_hub=job.target_layout is None)
                for row in frame.iter_rows(named=True)
            )
            if len(shown) >= (limit or PREVIEW_EVENTS):
                break
    return shown


def _before_and_after(row: dict[str, Any], *, is_hub: bool) -> dict[str, Any]:
    outcome = {"file": row["file"], "line": row["line"], "before": row["text"]}
    if row["code"] is not None:
        return {**outcome, "rejected": row["code"], "message": row["message"]}
    if row[FILTERED] is not None:
        return {**outcome, "filtered": row[FILTERED]}
    if ROW in row:
        return {**outcome, "after": row[ROW]}
    known = ("file", "line", "text", "code", "message", FILTERED)
    after = {name.removeprefix("="): value for name, value in row.items() if name not in known}
    return {**outcome, "after": hub_files.as_json(after) if is_hub else after}


def validate(
    source: Sources, *, as_: str | None = None, where: str | None = None, since: str | dt.datetime | None = None,
    until: str | dt.datetime | None = None, limit: int | None = None,
    settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (), examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Judge an archive against its layout's limits, documented and observed; nothing is changed.

    The answer has `events` (read, filtered, breached, refused), `breaches` (one for each limit that events do not
    keep: `limit`, `layout`, `hard`, `observed`, `source`, `message`, `events`, `examples`) and `archive` (limits over
    all events together, with the number found). It holds no values without `examples`. Raise UsageError before
    anything is read, SourceError if there is nothing to read.
    """
    from translate.judging.validation import Validation  # noqa: PLC0415

    told = settings_of(settings, set_, mappings)
    selection = selection_of(where, since, until, limit)
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    try:
        recognised = recognise(find(given), as_, told.mappings)
    except SourceError as error:
        raise SourceError(str(error).replace("--from", "--as")) from None
    first = recognised.sources[0]
    job = Job(first.mapping, first.layout, None, None, settings=told, selection=selection, examples=examples)
    result = Validation(job, recognised, progress=progress).run()
    counts = result["events"]
    return Report(_with_verdict(result, job, recognised, is_empty=counts["filtered"] == counts["read"]))


def explain(
    *, from_: str, to: str, recipe: str | os.PathLike[str] | None = None,
    settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (), mappings: Folder | None = None,
) -> Explanation:  # fmt: skip
    """Say where each field of a target comes from, by which conversion, and what of the source has no place in it.

    `from_` and `to` are `model` or `model/layout`, or `hub`. The answer has `rows`, `frame`, `to_json()` and
    `to_markdown()`. Raise UsageError or MappingError.
    """
    from translate.telling import explanation  # noqa: PLC0415

    told = settings_of(settings, set_, mappings)
    _, target = explanation.find(to, told.mappings, to_read=False)
    chosen = _recipe(recipe, HUB_MODEL if target.model == HUB_MODEL else target.address, told.mappings)
    columns = (
        ()
        if target.model == HUB_MODEL
        else dataset.named(mapping.load(target.model, told.mappings), chosen.columns if chosen else (), told)
    )
    return explanation.of_pair(from_, to, chosen, _legal_app_ids(told, target), told.mappings, columns)


def roundtrip(
    source: Sources, *, via: str, from_: str | None = None, where: str | None = None,
    since: str | dt.datetime | None = None, until: str | dt.datetime | None = None, limit: int | None = None,
    settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (), examples: bool = False,
    mappings: Folder | None = None,
) -> Report:  # fmt: skip
    """Take an archive's events through another layout and home again; list every difference.

    Each difference is either declared by a mapping, with its reason, or undeclared: a fault of a mapping or of
    this tool. A source that cannot be written is compared after the way there alone. Errors as in `convert`.
    """
    from translate.telling.comparison import Comparison, Roundtrip  # noqa: PLC0415

    job, recognised = job_of(
        source, to=via, from_=from_, settings=settings_of(settings, set_, mappings),
        selection=selection_of(where, since, until, limit),
    )  # fmt: skip
    if job.target_mapping is None or job.target_layout is None:
        raise UsageError("--via hub: the hub holds everything; name a model to go through")
    total = Comparison()
    for origin in recognised.sources:
        here = Recognised([origin], recognised.layouts, recognised.refused)
        home = dataset.with_columns(origin.layout, dataset.kept(origin))
        journey = Roundtrip((origin.mapping, home), (job.target_mapping, job.target_layout), job.settings)
        journey.comparison = total
        for batch in _hub_batches(job.reading(origin), here):
            total.events["unreadable"] += batch.height - batch["code"].null_count()
            journey.add(_taken(batch, job.selection, total.events["read"], moved_keys(origin.layout)))
            if limit is not None and total.events["read"] >= limit:
                break
    result = {
        "from": recognised.address,
        "via": job.target_layout.address,
        **total.to_json(examples=examples),
    }
    return Report(_with_verdict(result, job, recognised, is_empty=not total.events["read"]))


def _with_verdict(
    result: dict[str, Any], job: Job, recognised: Recognised, *, is_empty: bool
) -> dict[str, Any]:
    """Say first why the selection takes nothing, if that is so."""
    from translate.conversion import nothing_taken  # noqa: PLC0415

    told = nothing_taken.verdict(job, recognised) if is_empty else None
    return {"verdict": told, **result} if told else result


def _taken(
    batch: pl.DataFrame, selection: Selection | None, taken_already: int, moved: Mapping[str, Moved]
) -> pl.DataFrame:
    """Give the events of a batch that the selection takes."""
    if selection is None:
        return batch.filter(pl.col("code").is_null()).drop("code")
    rest = None if selection.limit is None else selection.limit - taken_already
    judged = dataclasses.replace(selection, limit=None).apply(batch.lazy(), moved)
    frame = judged.filter(pl.col("code").is_null() & pl.col("_deselected").is_null())
    frame = frame if rest is None else frame.head(min(rest, ROWS_MAX))
    return frame.select(*events.SCHEMA).collect()


def check(file: str | os.PathLike[str], *, mappings: Folder | None = None) -> Checked:
    """Check a mapping or a recipe completely, and run the tests inside it."""
    return recipes.check(file, None if mappings is None else Path(mappings))


# -- what a call says -------------------------------------------------------------------------------------------


def job_of(
    source: Sources, *, to: str, from_: str | None, recipe: str | os.PathLike[str] | None = None,
    mappings: Folder | None = None, settings: Settings | None = None, selection: Selection | None = None,
    examples: bool = False, careful: bool = False, census: bool = False,
) -> tuple[Job, Recognised]:  # fmt: skip
    """Give the job that a call asks for, and its recognised source; raise UsageError, MappingError or SourceError."""
    settings = settings_of(settings, (), mappings)
    target_mapping, target_layout = None, None
    if to.partition("/")[0] != HUB_MODEL:
        target_mapping, target_layout = mapping.find_layout(to, settings.mappings)
        if not target_layout.write:
            known = ", ".join(name for name, other in target_mapping.layouts.items() if other.write) or "none"
            raise UsageError(
                f"{target_layout.address} cannot be written (writable layouts of {target_mapping.model}: {known})"
            )
    elif to not in (HUB_MODEL, f"{HUB_MODEL}/events"):
        raise UsageError(f'hub has no layout "{to.partition("/")[2]}" (layouts: events)')
    chosen = _recipe(recipe, target_layout.address if target_layout else HUB_MODEL, settings.mappings)
    if chosen is not None:
        recipes.demand(chosen, settings)
        if chosen.needs_key:
            key_of_environment()
    settings = _legal_app_ids(settings, target_layout)
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    recognised = recognise(find(given), from_, settings.mappings)
    columns: tuple[Column, ...] = ()
    if target_mapping is not None and target_layout is not None:
        target_layout, columns = dataset.of_job(
            target_mapping, target_layout, chosen.columns if chosen else (), settings, recognised
        )
    job = Job(
        recognised.sources[0].mapping, recognised.sources[0].layout, target_mapping, target_layout, chosen, settings,
        selection, examples=examples, careful_only=careful, census=census, columns=columns,
    )  # fmt: skip
    return job, recognised


def _recipe(recipe: str | os.PathLike[str] | None, target: str, mappings: Path | None) -> Recipe | None:
    if recipe is None:
        return None
    chosen = recipes.load(recipe, mappings)
    if target not in (HUB_MODEL, *chosen.layouts):
        *others, last = chosen.layouts
        listed = f"{', '.join(others)} and {last}" if others else last
        raise UsageError(
            f"{chosen.name}: this recipe leads to {listed}, not to {target}; name another recipe, or another --to"
        )
    failed = recipes.failures(chosen, mappings)
    if failed:
        raise MappingError(failed)
    return chosen


def _legal_app_ids(settings: Settings, target: Layout | None) -> Settings:
    """Refuse new application ids that the target would refuse."""
    pattern = target.app_id_pattern if target else None
    for old, new in settings.app_ids.items():
        if pattern is not None and re.search(pattern, new) is None:
            raise UsageError(
                f'app_ids.{old}: {target.address if target else ""} does not take "{new}": it has to be like {pattern}'
            )
    return settings


def settings_of(
    settings: Settings | str | os.PathLike[str] | None,
    assignments: Iterable[str],
    mappings: Folder | None = None,
) -> Settings:
    """Give a call's settings, read from a file if they are its name; assignments, and the folder named by the call, count more."""
    told = (
        settings
        if isinstance(settings, Settings)
        else read_settings(None if settings is None else Path(settings), assignments)
    )
    return told if mappings is None else dataclasses.replace(told, mappings=Path(mappings))


def selection_of(
    where: str | None, since: str | dt.datetime | None, until: str | dt.datetime | None, limit: int | None
) -> Selection | None:
    """Give the part of the archive that a call asks for; None is all of it."""
    if where is None and since is None and until is None and limit is None:
        return None
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: at least one event has to be taken")
    wanted = condition(where, "--where") if where is not None else None
    first, last = _time(since, "--since"), _time(until, "--until")
    if first and last and first >= last:
        raise UsageError(f"--since {since} --until {until}: no time lies between them")
    return Selection(wanted, first, last, limit)


def _time(value: str | dt.datetime | None, option: str) -> dt.datetime | None:
    if value is None or isinstance(value, dt.datetime):
        return value if value is None or value.tzinfo else value.replace(tzinfo=dt.UTC)
    try:
        return parse_time(value)
    except ValueError:
        raise UsageError(
            f"{option} {value}: is no ISO 8601 date or time, for example 2016-04-07 or 2016-04-07T12:00:00Z"
        ) from None
