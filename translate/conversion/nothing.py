"""Why a run took or wrote nothing of a source that is not empty, or a setting matched nothing: what there is, and what would help."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from translate import recipe
from translate.archive.batches import Lines
from translate.conversion import plan
from translate.conversion.calls import Folder, Given, Sources, job_of, settings_of
from translate.conversion.intake import take_in
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.reading import Readings
from translate.conversion.report import RunReport
from translate.errors import MappingError, SourceError, UsageError, suggest
from translate.reader.recognition import Recognised, recognise
from translate.recipe import proposal, slips
from translate.recipe.expressions import moved_keys
from translate.recipe.rules import OPTIONS, Recipe, is_taken
from translate.recipe.slips import NOTHING_TAKEN
from translate.recipe.tallies import DESELECTED, TALLY, Wanted, Watch
from translate.wording.nearness import Watched

LOOKED_AT = 20_000  # events, the first ones
FILES_LOOKED_AT = 100
NAMES_SHOWN = 10
KEYS_SHOWN = 5
SHOWN_MAX = 5
APP_ID = "app.id"


def why_nothing_taken(job: Job, recognised: Recognised) -> str | None:
    """Say why a job reads no event, or its selection takes none; None if it takes any, or if there are none."""
    misnamed = told_as_another(recognised, job.settings.mappings)
    if misnamed:
        return f"no event is read: {misnamed}"
    if not job.selection:
        return None
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    watched = Watched()
    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        for _, found in Readings(job, recognised, Path(scratch)).each(_counted):
            counts.update(found[0])
            left_out.update(found[1])
            watched.add(found[2])
    taken = counts.pop("taken", 0)
    told = slips.of_selection(job.selection, counts, watched, left_out=left_out, taken=taken)
    messages = [message for code, message, _ in told if code == slips.NOTHING_TAKEN]
    return f"no event is taken: {'; '.join(messages)}" if messages else None


def told_as_another(recognised: Recognised, mappings: Path | None) -> str | None:
    """Say what files look like whose layout was told, and is not what they show; None if they show it, or nothing."""
    read_as = {source.layout.address for source in recognised.sources}
    try:
        shown = recognise(recognised.files[:FILES_LOOKED_AT], None, mappings)
    except (SourceError, UsageError):
        return None
    if read_as & {source.layout.address for source in shown.sources}:
        return None
    return f"the files are not of {recognised.address}, but look like {shown.address}; leave --from out"


_Counted = tuple[Counter[str], Counter[str], Watched]


def _counted(job: Job, lines: Lines) -> tuple[_Counted, set[str]]:
    moved = moved_keys(job.source_layout)
    watch = Watch(Wanted.by(None, job.selection, examples=job.examples), moved)
    taken_in = take_in(job, lines)
    frame = watch.over(job.selection.apply(taken_in.events, moved, tallied=True, erasing=job.erasing()))
    flags = [name for name in frame.collect_schema().names() if name.startswith(TALLY)]
    taken_here = is_taken()
    sums = frame.group_by(DESELECTED).agg(
        *(pl.col(name).sum() for name in flags), events=pl.len(), taken=taken_here.sum()
    )
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for row in sums.collect(engine="streaming").iter_rows(named=True):
        counts.update({name.removeprefix(TALLY): row[name] for name in flags} | {"taken": row["taken"]})
        if row[DESELECTED] is not None:
            left_out[row[DESELECTED]] += row["events"]
    return (counts, left_out, watch.told()), taken_in.unsound


def why_nothing_written(total: RunReport, source: Readings) -> dict[str, Any]:
    """Say that nothing was written and why, which events there are, and what would write some; nothing of a run that wrote."""
    if total.events["written"] or not total.events["read"]:
        return {}
    mappings = source.job.settings.mappings
    verdict = {"verdict": verdict_of(total)}
    is_refused = total.events["rejected"] == total.events["read"]
    misnamed = told_as_another(source.recognised, mappings) if is_refused else None
    if misnamed:
        return {"verdict": f"{verdict['verdict']}; {misnamed}"}
    if any(code == NOTHING_TAKEN for code, _ in total.findings):
        return verdict
    sample = _sample(source)
    advice: dict[str, Any] = {"looked_at": sample.height, "names": _names(total, sample)}
    job = source.job_of(source.units[0])
    only = job.target_layout.only if job.target_layout else None
    without = sample.filter(pl.col(proposal.ITEM).is_null())
    if only is not None and only.hub == proposal.ITEM and without.height:
        keys = proposal.looked_for(without)
        advice["item_keys"] = [
            {"key": f"{row['kind']}.{row['key']}", "events": row["events"], "guess": row["likeness"] <= proposal.GUESSED}
            for row in keys.head(KEYS_SHOWN).iter_rows(named=True)
        ]  # fmt: skip
        advice["shipped"] = _shipped(source, mappings)
        advice["recipe"] = next(_recipes(source, keys, mappings), None) if keys.height else None
    return {**verdict, "nothing_written": advice}


def verdict_of(total: RunReport) -> str:
    """Say that nothing was written, and by what."""
    selections = [message for code, message in total.findings if code == NOTHING_TAKEN]
    if selections:
        return f"nothing was written: {'; '.join(selections)}"
    why_nothing_written = [
        f"{total.events[outcome]:,} {outcome}: {', '.join(_weightiest(reasons))}"
        for outcome, reasons in (("filtered", total.filtered), ("rejected", total.rejects))
        if total.events[outcome]
    ]
    return f"nothing was written of {total.events['read']:,} event{'s' if total.events['read'] != 1 else ''}; {'; '.join(why_nothing_written)}"


def _weightiest(reasons: Counter[str]) -> list[str]:
    return sorted(reasons, key=lambda reason: (-reasons[reason], reason))


def _names(total: RunReport, sample: pl.DataFrame) -> list[dict[str, Any]]:
    """Give the commonest names: of all that was left out where that was counted, else of the first events."""
    counted: Counter[str | None] = Counter()
    for reason, names in total.left_out.items():
        if reason not in OPTIONS:
            counted.update(names)
    known = Counter({name: count for name, count in counted.items() if name is not None})
    found = known or Counter(sample["name"])
    ordered = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"name": name, "events": count} for name, count in ordered[:NAMES_SHOWN]]


def _sample(source: Readings) -> pl.DataFrame:
    """Give name and free-form values of the first events that can be read and that the selection takes."""
    found: list[pl.DataFrame] = []
    for unit in source.units:
        job, rest = source.job_of(unit), LOOKED_AT - sum(frame.height for frame in found)

        def attempt(lines: Lines, job: Job = job, rest: int = rest) -> tuple[pl.DataFrame, set[str]]:
            taken_in = take_in(job, lines)
            selected = replace(job.selection, limit=None).apply(
                taken_in.events, moved_keys(job.source_layout), erasing=job.erasing()
            )
            taken = selected.filter(is_taken()).head(rest)
            looked_at = taken.select("name", "attributes", "metrics", proposal.ITEM)
            return looked_at.collect(engine="streaming"), taken_in.unsound

        found.append(source.read(unit, attempt))
        if sum(frame.height for frame in found) >= LOOKED_AT:
            break
    return pl.concat(found)


# -- recipes that would write something --------------------------------------------------------------------------


def _recipes(source: Readings, keys: pl.DataFrame, mappings: Path | None) -> Iterator[str]:
    """Give recipes that `check` takes and that write something of the first events."""
    job = source.job_of(source.units[0])
    if job.target_layout is None:
        return
    for base, extends in _bases(job, mappings):
        text = proposal.written(job.target_layout, keys, base, extends)
        found = proposal.understood(text, base, mappings)
        if found is not None and _writes(source, found):
            yield text


def _shipped(source: Readings, mappings: Path | None) -> str | None:
    """Name the shipped recipe from model to model, if it writes something as it is and the run had none."""
    job = source.job_of(source.units[0])
    bases = _bases(job, mappings) if job.recipe is None else iter(())
    return next((name for base, name in bases if base is not None and _writes(source, base)), None)


def _bases(job: Job, mappings: Path | None) -> Iterator[tuple[Recipe | None, str | None]]:
    """Give what a recipe may extend: the run's own, a shipped one from model to model, or none."""
    shipped = recipe.names(mappings)
    if job.recipe is not None:
        yield job.recipe, job.recipe.name if job.recipe.name in shipped else job.recipe.file
    model = job.target_layout.model if job.target_layout else ""
    name = f"{job.source_layout.model}-to-{model}"
    if name in shipped:
        with contextlib.suppress(MappingError, UsageError):  # the user's own one, and wrong, is another story
            yield recipe.load(name, mappings), name
    yield None, None


def _writes(source: Readings, tried: Recipe) -> bool:
    """Tell whether a recipe writes any of the first events."""
    left = LOOKED_AT
    for unit in source.units:
        job = source.job_of(unit)
        selection = replace(job.selection, limit=left)
        job = replace(job, recipe=tried, selection=selection, census=False, examples=False)

        def attempt(lines: Lines, job: Job = job) -> tuple[tuple[int, int], set[str]]:
            query = plan.build(job, lines)
            counts = query.rows.select(rows=pl.len(), written=plan.WRITTEN.sum()).collect(engine="streaming")
            return counts.row(0), query.unsound

        rows, written = source.read(unit, attempt)
        if written:
            return True
        left -= rows
        if left <= 0:
            return False
    return False


def app_ids_unmatched(job: Job, recognised: Recognised) -> list[str]:
    """Say of each old application id that no event has what there is instead; reads until all of them were met."""
    wanted = set(job.settings.app_ids)
    there: Counter[str] = Counter()
    if wanted:
        with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
            for _, found in Readings(job, recognised, Path(scratch)).each(_app_ids):
                there.update(found)
                if wanted <= there.keys():
                    break
    shown = [name for name, _ in there.most_common(SHOWN_MAX)]
    more = f" and {len(there) - SHOWN_MAX} more" if len(there) > SHOWN_MAX else ""
    known = f"the archive has: {', '.join(shown)}{more}"
    has = known if there else "no event of the archive has an application id"
    missed = sorted(wanted - there.keys())
    return [f"app_ids.{old}: matched nothing; {has}{suggest(old, there)}" for old in missed]


def app_ids_unmatched_of_call(
    source: Sources, *, from_: str | None, settings: Given, set_: Iterable[str],
    mappings: Folder | None,
) -> list[str]:  # fmt: skip
    """Say the same of the settings and the source of a call."""
    told = settings_of(settings, set_, mappings)
    if not told.app_ids:
        return []
    return app_ids_unmatched(*job_of(source, to=HUB_MODEL, from_=from_, settings=told))


def _app_ids(job: Job, lines: Lines) -> tuple[Counter[str], set[str]]:
    frame, unsound = plan.hub_events(job, lines)
    counts = frame.select(APP_ID).drop_nulls().group_by(APP_ID).len().collect(engine="in-memory")
    return Counter(dict(counts.select(APP_ID, pl.col("len")).iter_rows())), unsound
