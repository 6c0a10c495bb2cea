"""Which application ids of the settings no event has: told on the terminal, for reports hold no values of an archive."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from translate.archive.recognition import Recognised
from translate.conversion import plan
from translate.conversion.calls import Folder, Given, Sources, job_of, settings_of
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.reading import Readings
from translate.errors import suggest
from translate.reader.reader import Lines

SHOWN_MAX = 5
APP_ID = "app.id"


def unmatched(job: Job, recognised: Recognised) -> list[str]:
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
    has = (
        f"the archive has: {', '.join(shown)}{more}"
        if there
        else "no event of the archive has an application id"
    )
    return [
        f"app_ids.{old}: matched nothing; {has}{suggest(old, there)}" for old in sorted(wanted - there.keys())
    ]


def unmatched_of_call(
    source: Sources, *, from_: str | None, settings: Given, set_: Iterable[str],
    mappings: Folder | None,
) -> list[str]:  # fmt: skip
    """Say the same of the settings and the source of a call."""
    told = settings_of(settings, set_, mappings)
    return unmatched(*job_of(source, to=HUB_MODEL, from_=from_, settings=told)) if told.app_ids else []


def _app_ids(job: Job, lines: Lines) -> tuple[Counter[str], set[str]]:
    frame, unsound = plan.hub_events(job, lines)
    counts = frame.select(APP_ID).drop_nulls().group_by(APP_ID).len().collect(engine="in-memory")
    return Counter(dict(counts.select(APP_ID, pl.col("len")).iter_rows())), unsound()
