"""What is found over the whole of a run, once its units are written."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from translate.archive.stored import SourceFile, digest_of
from translate.archive.units import Unit
from translate.conversion.job import Job
from translate.conversion.naming import NAMES_MAX, meetings
from translate.conversion.report import COUNTS, RunReport
from translate.conversion.sinks import Sinks, rows_beside
from translate.judging.preflight import Forecast, judge, moment_of
from translate.judging.survey import TIME, Surveyed
from translate.passes.distinct import Digests
from translate.recipe import slips
from translate.recipe.rules import OPTIONS
from translate.vocabulary.notes import NAMES_MEET

MEETINGS_MAX = 100


def taken(total: RunReport) -> int:
    """Count the events that the selection took."""
    return total.events["read"] - sum(total.filtered[option] for option in OPTIONS)


def has_enough(job: Job, total: RunReport) -> bool:
    """Tell if the limit is reached."""
    limit = job.selection.limit
    return limit is not None and taken(total) >= limit


def rest_of(job: Job, total: RunReport) -> Job:
    """Give the job with what is left of its limit."""
    selection = job.selection
    if selection.limit is None:
        return job
    return replace(job, selection=replace(selection, limit=selection.limit - taken(total)))


def find_identical(total: RunReport, sinks: Sinks, units: Iterable[Unit]) -> None:
    """Find rows that became identical."""
    if sinks.rows_may_meet:
        with tempfile.TemporaryDirectory(prefix="rows-", dir=sinks.scratch) as folder:
            rows, different = 0, Digests(Path(folder), by=("hash",))
            for hashes in rows_beside(sinks.digests_file(unit.number) for unit in units):
                rows += hashes.height
                different.add(hashes)
            repeated = rows - different.count()
        total.find("identical_rows", "rows that are identical to an earlier one", repeated)


def find_meetings(total: RunReport, job: Job) -> None:
    """Find names that became one."""
    met = meetings(total.names, job)
    for meeting in met[:MEETINGS_MAX]:
        total.find(NAMES_MEET, meeting.message, meeting.events)
    rest = met[MEETINGS_MAX:]
    more = f"and {len(rest):,} more names that several became"
    total.find(NAMES_MEET, more, sum(meeting.events for meeting in rest))
    beyond = f"names beyond {NAMES_MAX:,}: whether they met another one was not looked at"
    total.find("names_not_compared", beyond, total.names.left_out)


def find_slips(total: RunReport, job: Job) -> None:
    """Find where rules and the selection probably mean something else than they say."""
    told = [slips.of_recipe(job.recipe, total.tallies, total.watched)] if job.recipe else []
    if job.selection:
        left_out = Counter({option: total.filtered[option] for option in OPTIONS})
        rows = taken(total) - total.events["rejected"]
        counts, watched = total.tallies, total.watched
        told.append(slips.of_selection(job.selection, counts, watched, left_out=left_out, taken=rows))
    for code, message, events in chain(*told):
        total.find(code, message, events)


def find_unordered(total: RunReport, job: Job, sinks: Sinks, units: Iterable[Unit]) -> None:
    """Find rows that lie behind later ones, where their receiver wants them in order."""
    layout = job.target_layout
    if layout is None or layout.files is None or layout.files.order is None or job.sort:
        return
    count, latest = 0, pl.Series(dtype=pl.Int64)  # of the rows before
    for answers in rows_beside(sinks.answers_file(unit.number) for unit in units):
        times = pl.concat([latest, answers[TIME]])
        latest_until = times.cum_max()
        count += int((times < latest_until).sum())
        latest = latest_until.tail(1)
    message = (
        "events that lie behind a later one, though the receiver of these files wants them in order: --sort"
    )
    total.find("files_unordered", f"{message} ({layout.files.source})", count)


def rules_told(total: RunReport, job: Job) -> dict[str, Any]:
    """Say what the recipe's rules did, for the report."""
    return {"rules": slips.of_rules(job.recipe, total.tallies)} if job.recipe else {}


def hazards_told(job: Job, surveyed: Surveyed) -> list[dict[str, Any]]:
    """Say what the target does with the rows, as of the archive's latest event or a given day: never as of today."""
    now = moment_of(surveyed, job.settings)
    if now is None:
        return []
    as_of = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    return [{"as_of": as_of, **finding.to_json()} for finding in hazards_at(job, surveyed, now)]


def hazards_at(job: Job, surveyed: Surveyed, now: dt.datetime) -> list[Forecast]:
    """Say what the target does with the rows that were written, as of some moment."""
    if job.target is None:
        return []
    (mapping, layout), told = job.target, job.settings
    return judge(mapping, surveyed, told, now=now, overrides=told.overrides, layout=layout.name)


class FileAccounts:
    """Writes what is told of files, in their order; stretches of one file are told of together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"")
        self._last: dict[str, Any] | None = None

    def add(self, accounts: Iterable[dict[str, Any]]) -> None:
        """Take in what is told of a unit's files."""
        with self.path.open("a", encoding="utf-8") as output:
            for account in accounts:
                if self._last is not None and self._last["path"] == account["path"]:
                    self._last = _together(self._last, account)
                    continue
                self._write_last(output)
                self._last = account

    def _write_last(self, output: TextIO) -> None:
        if self._last is not None:
            output.write(json.dumps(self._last, ensure_ascii=False) + "\n")

    def finish(self, last: SourceFile) -> Path:
        """End the file; of the last source file perhaps only a beginning was wanted, but its digest is that of the whole."""
        if self._last is not None and not last.ends_here:
            self._last = {**self._last, "digest": digest_of(replace(last, stretch=None))}
        with self.path.open("a", encoding="utf-8") as output:
            self._write_last(output)
        return self.path


def _together(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Add the account of a stretch to that of what comes before it: its digest is of both."""
    return {**second, **{name: first[name] + second[name] for name in COUNTS}}


def described_files(
    unit: Unit, counts: Iterable[dict[str, Any]], digests: Mapping[str, str], layouts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Say of a unit's files what they are, beside what was counted of them."""
    counted = {account["path"]: account for account in counts}
    return [
        {
            "path": file.shown,
            "bytes": file.bytes,
            "digest": digests.get(file.shown, ""),
            **({"etag": file.tag} if file.tag else {}),
            **dict(zip(("model", "layout"), layouts.get(file.shown, "").partition("/")[::2], strict=True)),
            **counted.get(file.shown, dict.fromkeys(COUNTS, 0)),
        }
        for file in unit.files
    ]
