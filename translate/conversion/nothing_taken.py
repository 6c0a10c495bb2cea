"""Why a selection takes nothing of an archive: looked for in the archive once more, where a command found nothing to do."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import polars as pl

from translate.archive.recognition import Recognised
from translate.archive.units import units_of
from translate.conversion.job import Job
from translate.conversion.nearness import Watched
from translate.conversion.run import soundly
from translate.mapping.moved import moved_keys
from translate.reader.intake import take_in
from translate.reader.reader import Lines
from translate.recipe import slips
from translate.recipe.tallies import TALLY
from translate.recipe.watch import Wanted, Watch


def verdict(job: Job, recognised: Recognised) -> str | None:
    """Say why the job's selection takes no event; None if it takes any, or if there are none."""
    if job.selection is None:
        return None
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    watched = Watched()
    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        for unit in units_of(source.files for source in recognised.sources):
            job_here = job.reading(recognised.sources[unit.source])

            def attempt(lines: Lines, job: Job = job_here) -> tuple[_Counted, set[str]]:
                return _counted(job, lines)

            found, _ = soundly(unit, Path(scratch), recognised.refused_in(unit.files), attempt)
            counts.update(found[0])
            left_out.update(found[1])
            watched.add(found[2])
    taken = counts.pop("taken", 0)
    told = slips.of_selection(job.selection, counts, watched, left_out=left_out, taken=taken)
    messages = [message for code, message, _ in told if code == slips.NOTHING_TAKEN]
    return f"no event is taken: {'; '.join(messages)}" if messages else None


_Counted = tuple[Counter[str], Counter[str], Watched]


def _counted(job: Job, lines: Lines) -> tuple[_Counted, set[str]]:
    if job.selection is None:
        raise AssertionError
    moved = moved_keys(job.source_layout)
    watch = Watch(Wanted.by(None, job.selection, examples=job.examples), moved)
    taken_in = take_in(job, lines)
    frame = watch.over(job.selection.apply(taken_in.events, moved, tallied=True))
    flags = [name for name in frame.collect_schema().names() if name.startswith(TALLY)]
    is_taken = pl.col("code").is_null() & pl.col("_deselected").is_null()
    sums = frame.group_by("_deselected").agg(
        *(pl.col(name).sum() for name in flags), events=pl.len(), taken=is_taken.sum()
    )
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for row in sums.collect(engine="streaming").iter_rows(named=True):
        counts.update({name.removeprefix(TALLY): row[name] for name in flags} | {"taken": row["taken"]})
        if row["_deselected"] is not None:
            left_out[row["_deselected"]] += row["events"]
    return (counts, left_out, watch.told()), taken_in.unsound
