"""The front door: everything that the command line does is one of these calls."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import events, mapping
from translate import recipe as recipes
from translate.archive import hub_files
from translate.archive.recognition import Recognised, recognise
from translate.archive.sources import find
from translate.conversion import app_ids, plan
from translate.conversion.calls import (
    Folder,
    Sources,
    job_of,
    legal_app_ids,
    place_of,
    recipe_of,
    selection_of,
    settings_of,
)
from translate.conversion.frames import hub_batches
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.progress import Progress
from translate.conversion.reading import Readings
from translate.conversion.run import Conversion
from translate.delivery.preflight import Forecast
from translate.errors import SourceError, UsageError
from translate.mapping.moved import Moved, moved_keys
from translate.passes import asked_for
from translate.reader.reader import Lines
from translate.recipe import Checked
from translate.recipe.selection import ROWS_MAX, Selection, is_taken
from translate.settings import Settings
from translate.telling.rendering import Report
from translate.writer import dataset
from translate.writer.writer import FILTERED, ROW

if TYPE_CHECKING:
    from translate.telling.explanation import Explanation


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


def convert(
    source: Sources, *, to: str, out: str | os.PathLike[str], from_: str | None = None,
    recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: str | dt.datetime | None = None, until: str | dt.datetime | None = None, limit: int | None = None,
    settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (), compression: str = "none",
    dedupe: bool = False, add: Iterable[str] = (), fold: bool = False, examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None, careful: bool = False,
    census: bool = False, trust_folders: float | None = None, state: str | os.PathLike[str] | None = None,
    sse: str | None = None, sse_kms_key_id: str | None = None,
) -> Converted:  # fmt: skip
    """Convert an archive; give the report, as `report.json` holds it: a run that is finished already is not repeated.

    `to` and `from_` are `model` or `model/layout`. Raise UsageError or MappingError before anything is read,
    SourceError if there is nothing to read, OutputError if the target cannot be written. `dedupe`, `add`
    (`first_open`, `session_number`, `profile_set`, `engagement`) and `fold` look at the whole archive first: see `translate.passes`.
    `census` holds what became of each key against a count of the keys in the raw text: `keys.ndjson`, and `keys` in the report.
    `out` may be `s3://bucket/prefix`: then `state` says where books and state lie (beside it), `sse` how it is encrypted.
    `trust_folders` leaves out hourly folders that lie further than so many days from `since` and `until`.
    """
    ready = conversion(
        source, to=to, out=out, from_=from_, recipe=recipe, where=where, since=since, until=until, limit=limit,
        settings=settings, set_=set_, compression=compression, dedupe=dedupe, add=add, fold=fold, examples=examples,
        mappings=mappings, progress=progress, careful=careful, census=census, trust_folders=trust_folders,
        state=state, sse=sse, sse_kms_key_id=sse_kms_key_id,
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

    def place(self, name: str) -> str:
        """Say where a file beside the rows lies: `rejects.ndjson`, `report.json`, `files.ndjson`, `keys.ndjson`."""
        return self._ready.output.place(name)

    def first_reject(self) -> dict[str, Any] | None:
        """Give the first rejected record; nothing where there is none, or where they lie in a bucket since an earlier run."""
        file = self._ready.output.directory / "rejects.ndjson"
        if not file.exists():
            return None
        with file.open(encoding="utf-8") as rejects:
            first = rejects.readline()
        return json.loads(first) if first else None

    def hazards_at(self, now: dt.datetime) -> list[Forecast]:
        """Say what the target would do with the rows at a moment: `report["hazards"]` are those as of the archive's own span."""
        return self._ready.hazards_at(now)

    def unmatched_app_ids(self) -> list[str]:
        """Say which old application ids of the settings no event had; this looks into the archive, and nothing of it is in the report."""
        return app_ids.unmatched(self._ready.job, self._ready.recognised)


def conversion(
    source: Sources, *, to: str, out: str | os.PathLike[str], from_: str | None = None,
    recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: str | dt.datetime | None = None, until: str | dt.datetime | None = None, limit: int | None = None,
    settings: Settings | str | os.PathLike[str] | None = None, set_: Iterable[str] = (), compression: str = "none",
    dedupe: bool = False, add: Iterable[str] = (), fold: bool = False, examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None, careful: bool = False,
    census: bool = False, trust_folders: float | None = None, state: str | os.PathLike[str] | None = None,
    sse: str | None = None, sse_kms_key_id: str | None = None,
) -> Conversion:  # fmt: skip
    """Get a conversion ready; arguments and errors as in `convert`."""
    place = place_of(out, state, sse, sse_kms_key_id)
    told = settings_of(settings, set_, mappings)
    asked = asked_for(dedupe=dedupe, add=add, fold=fold, model=to.partition("/")[0], mappings=told.mappings)
    job, recognised = job_of(
        source, to=to, from_=from_, recipe=recipe, settings=told,
        selection=selection_of(where, since, until, limit), examples=examples, careful=careful, census=census, trust_folders=trust_folders,
    )  # fmt: skip
    return Conversion(job, recognised, place, compression=compression, asked=asked, progress=progress)


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

    def attempt(job: Job, lines: Lines) -> tuple[pl.DataFrame, set[str]]:
        query = plan.build(job, lines)
        columns = ["file", "line", "text", "code", "message", FILTERED, *query.columns]
        return query.rows.select(list(dict.fromkeys(columns))).collect(engine="streaming"), query.unsound

    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        for _, frame in Readings(job, recognised, Path(scratch)).each(attempt):
            is_hub = job.target_layout is None
            shown.extend(_before_and_after(row, is_hub=is_hub) for row in frame.iter_rows(named=True))
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
    chosen = recipe_of(recipe, HUB_MODEL if target.model == HUB_MODEL else target.address, told.mappings)
    columns = (
        ()
        if target.model == HUB_MODEL
        else dataset.named(mapping.load(target.model, told.mappings), chosen.columns if chosen else (), told)
    )
    return explanation.of_pair(from_, to, chosen, legal_app_ids(told, target), told.mappings, columns)


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
        for batch in hub_batches(job.reading(origin), here):
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
    from translate.conversion import nothing  # noqa: PLC0415

    told = nothing.why_nothing_taken(job, recognised) if is_empty else None
    return {"verdict": told, **result} if told else result


def _taken(
    batch: pl.DataFrame, selection: Selection | None, taken_already: int, moved: Mapping[str, Moved]
) -> pl.DataFrame:
    """Give the events of a batch that the selection takes."""
    if selection is None:
        return batch.filter(pl.col("code").is_null()).drop("code")
    rest = None if selection.limit is None else selection.limit - taken_already
    judged = dataclasses.replace(selection, limit=None).apply(batch.lazy(), moved)
    frame = judged.filter(is_taken())
    frame = frame if rest is None else frame.head(min(rest, ROWS_MAX))
    return frame.select(*events.SCHEMA).collect()


def check(file: str | os.PathLike[str], *, mappings: Folder | None = None) -> Checked:
    """Check a mapping or a recipe completely, and run the tests inside it."""
    return recipes.check(file, None if mappings is None else Path(mappings))
