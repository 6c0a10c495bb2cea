"""What is said of an archive or a mapping without converting it; here which models there are, what explains a pair, what is wrong, what comes home."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import events, mapping
from translate import recipe as recipes
from translate.conversion.calls import (
    Folder,
    Given,
    Moment,
    Sources,
    job_of,
    legal_app_ids,
    reading_job,
    recipe_of,
    selection_of,
    settings_of,
)
from translate.conversion.frames import hub_batches
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.reading import Progress
from translate.errors import SourceError, UsageError
from translate.reader.recognition import Recognised
from translate.recipe import Checked
from translate.recipe.expressions import Moved, moved_keys
from translate.recipe.rules import ROWS_MAX, Selection, is_taken
from translate.wording.arguments import checked
from translate.wording.rendering import Report
from translate.writer import dataset

if TYPE_CHECKING:
    from translate.judging.archive_limits import Validated
    from translate.telling.explanation.pages import Explanation
    from translate.telling.journey import Comparison


@checked
def models(mappings: Folder | None = None) -> pl.DataFrame:
    """List the layouts of all models: `model`, `layout`, `default`, `read`, `write`, `about`.

    >>> import translate
    >>> translate.models().filter(model="pinpoint")["layout"].to_list()
    ['event_stream', 'flat', 'requests']
    """
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


@checked
def validate(
    source: Sources, *, as_: str | None = None, where: str | None = None, since: Moment = None,
    until: Moment = None, limit: int | None = None,
    settings: Given = None, set_: Iterable[str] = (), examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None,
) -> Validated:  # fmt: skip
    """Judge an archive against its layout's limits, documented and observed; nothing is changed.

    The answer has `events` (read, filtered, breached, refused), `breaches` (one for each limit that events do not
    keep: `limit`, `layout`, `hard`, `observed`, `source`, `message`, `events`, `examples`), `archive` (limits over
    all events together, with the number found) and, where there are any, `ages` (what the receiver takes and alters for its
    age, as of the archive's own span; `ages_at(moment)` says it as of any other). It holds no values without `examples`. Raise UsageError before
    anything is read, SourceError if there is nothing to read.

    >>> import translate
    >>> translate.validate("sample_data/clickstream/events_full.jsonl")["events"]["refused"]
    0
    """
    from translate.conversion import nothing  # noqa: PLC0415
    from translate.judging.archive_limits import Validated  # noqa: PLC0415
    from translate.telling.validation import Validation  # noqa: PLC0415

    told = settings_of(settings, set_, mappings)
    selection = selection_of(where, since, until, limit)
    try:
        job, recognised = reading_job(source, as_, told, selection, examples=examples)
    except SourceError as error:
        raise SourceError(error.typed.replace("--from", "--as")) from None
    run = Validation(job, recognised, progress=progress)
    result = run.run()
    counts = result["events"]
    is_refused = counts["refused"] == counts["read"]
    misnamed = nothing.told_as_another(recognised, told.mappings) if is_refused else None
    if misnamed:
        return Validated({"verdict": misnamed.replace("--from", "--as"), **result}, run.aged)
    result = _with_verdict(result, job, recognised, is_empty=counts["filtered"] == counts["read"])
    return Validated(result, run.aged)


@checked
def explain(
    *, from_: str, to: str, recipe: str | os.PathLike[str] | None = None,
    settings: Given = None, set_: Iterable[str] = (), mappings: Folder | None = None,
) -> Explanation:  # fmt: skip
    """Say where each field of a target comes from, by which conversion, and what of the source has no place in it.

    `from_` and `to` are `model` or `model/layout`, or `hub`. The answer has `rows`, `frame`, `to_json()` and
    `to_markdown()`. Raise UsageError or MappingError.

    >>> import translate
    >>> explained = translate.explain(from_="mobile_analytics", to="clickstream")
    >>> explained.frame.filter(field="platform").row(0)[2:4]
    ('filled', 'device.platform.name')
    """
    from translate.telling import explanation  # noqa: PLC0415
    from translate.telling.explanation.sides import find  # noqa: PLC0415

    told = settings_of(settings, set_, mappings)
    _, target = find(to, told.mappings, to_read=False)
    chosen = recipe_of(recipe, HUB_MODEL if target.model == HUB_MODEL else target.address, told.mappings)
    sheet = None if target.model == HUB_MODEL else mapping.load(target.model, told.mappings)
    columns = dataset.named(sheet, chosen.columns if chosen else (), told) if sheet else ()
    return explanation.of_pair(from_, to, chosen, legal_app_ids(told, target), told.mappings, columns)


@checked
def roundtrip(
    source: Sources, *, via: str, from_: str | None = None, where: str | None = None,
    since: Moment = None, until: Moment = None, limit: int | None = None,
    settings: Given = None, set_: Iterable[str] = (), examples: bool = False,
    mappings: Folder | None = None,
) -> Report:  # fmt: skip
    """Take an archive's events through another layout and home again; list every difference.

    Each difference is either declared by a mapping, with its reason, or undeclared: a fault of a mapping or of
    this tool. A source that cannot be written is compared after the way there alone. Errors as in `convert`.

    >>> import translate
    >>> translate.roundtrip("sample_data/mobile_analytics/archive_full.jsonl", via="pinpoint")["undeclared"]
    []
    """
    from translate.telling.journey import Comparison, Roundtrip  # noqa: PLC0415

    job, recognised = job_of(
        source, to=via, from_=from_, settings=settings_of(settings, set_, mappings),
        selection=selection_of(where, since, until, limit),
    )  # fmt: skip
    if job.target is None:
        raise UsageError("--via hub: the hub holds everything; name a model to go through")
    total = Comparison()
    for origin in recognised.sources:
        here = Recognised([origin], recognised.refused)
        home = dataset.with_columns(origin.layout, dataset.kept(origin))
        journey = Roundtrip((origin.mapping, home), job.target, job.settings, job.columns)
        journey.comparison = total
        for batch in hub_batches(job.reading(origin), here):
            taken = _taken(batch, job.selection, _met(total), moved_keys(origin.layout))
            good = taken.filter(pl.col("code").is_null()).drop("code")
            total.events["unreadable"] += taken.height - good.height
            journey.add(good)
            if limit is not None and _met(total) >= limit:
                break
    result = {"from": recognised.address, "via": job.target[1].address, **total.to_json(examples=examples)}
    return Report(_with_verdict(result, job, recognised, is_empty=not total.events["read"]))


def _with_verdict(
    result: dict[str, Any], job: Job, recognised: Recognised, *, is_empty: bool
) -> dict[str, Any]:
    """Say first why the selection takes nothing, if that is so."""
    from translate.conversion import nothing  # noqa: PLC0415

    told = nothing.why_nothing_taken(job, recognised) if is_empty else None
    return {"verdict": told, **result} if told else result


def _met(total: Comparison) -> int:
    """Count what a limit counts: events, and records that cannot be one."""
    return total.events["read"] + total.events["unreadable"]


def _taken(
    batch: pl.DataFrame, selection: Selection, taken_already: int, moved: Mapping[str, Moved]
) -> pl.DataFrame:
    """Give the events of a batch that the selection takes, those that cannot be read among them, by their `code`."""
    if not selection:
        return batch
    judged = dataclasses.replace(selection, limit=None).apply(batch.lazy(), moved)
    frame = judged.filter(pl.col("code").is_not_null() | is_taken())
    if selection.limit is not None:
        frame = frame.head(min(selection.limit - taken_already, ROWS_MAX))
    return frame.select("code", *events.SCHEMA).collect()


@checked
def check(file: str | os.PathLike[str], *, mappings: Folder | None = None) -> Checked:
    """Check a mapping or a recipe completely, and run the tests inside it.

    >>> import translate
    >>> translate.check("mappings/recipes/ecommerce-to-personalize.toml").complaints
    []
    """
    return recipes.check(file, None if mappings is None else Path(mappings))
