"""The calls that convert, and that show beforehand what a conversion will do."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from translate.archive import parquet
from translate.archive.batches import Lines
from translate.conversion import nothing, plan
from translate.conversion.calls import (
    Erased,
    Folder,
    Given,
    Moment,
    Sources,
    job_of,
    part_bytes_of,
    place_of,
    refuse_unordered,
    selection_of,
    settings_of,
)
from translate.conversion.job import Census, Job
from translate.conversion.reading import Progress, Readings
from translate.conversion.run import Conversion
from translate.errors import in_python
from translate.judging.preflight import Forecast
from translate.passes import asked_for
from translate.wording.arguments import checked
from translate.wording.rendering import Report, many
from translate.writer.packing import ROW
from translate.writer.writer import FILTERED

PREVIEW_EVENTS = 5


@checked
def convert(
    source: Sources, *, to: str, out: str | os.PathLike[str], from_: str | None = None,
    recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: Moment = None, until: Moment = None, limit: int | None = None,
    settings: Given = None, set_: Iterable[str] = (), compression: str = "none",
    dedupe: bool = False, add: Iterable[str] = (), fold: bool = False, examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None, careful: bool = False,
    census: Census = False, trust_folders: float | None = None, state: str | os.PathLike[str] | None = None,
    sse: str | None = None, sse_kms_key_id: str | None = None, lake: bool = False, part_size: int | str | None = None,
    erase: Erased = None, workers: int | None = None, sort: bool = False,
) -> Converted:  # fmt: skip
    """Convert an archive; give the report, as `report.json` holds it: a run that is finished already is not repeated.

    `to` and `from_` are `model` or `model/layout`. Raise UsageError or MappingError before anything is read,
    SourceError if there is nothing to read, OutputError if the target cannot be written. `dedupe`, `add`
    (`first_open`, `session_number`, `profile_set`, `engagement`) and `fold` look at the whole archive first: see `translate.passes`.
    `census` holds what became of each key against a count of the keys in the raw text: `keys.ndjson`, and `keys` in the report;
    if it is "verify", a scanner apart from the engine counts.
    `out` may be `s3://bucket/prefix`: then `state` says where books and state lie (beside it), `sse` how it is encrypted.
    `lake` lays the events of `to="hub"` down by day, client and time: see `translate.conversion.ordered`.
    `sort` puts rows in the order that their receiver wants, over all files: see `translate.conversion.ordered`.
    `part_size` is how much of the source becomes a part, in bytes or as text (`64MB`, which it is unless said).
    `erase` lists ids, or is the path of a file that holds one a line: their events are left out, and `erasure` in the report
    says whether one of them stands in what was written, and where.
    `workers` is how many processes make parts; the result is the same for any number.
    `trust_folders` leaves out hourly folders that lie further than so many days from `since` and `until`.

    >>> import translate
    >>> report = translate.convert("sample_data/mobile_analytics/archive_full.jsonl", to="clickstream", out="clicks")
    >>> report["events"]["written"]
    2
    >>> [loss["field"] for loss in report["losses"]]
    ['device.platform.name', 'monetization']
    """
    ready = conversion(
        source, to=to, out=out, from_=from_, recipe=recipe, where=where, since=since, until=until, limit=limit,
        settings=settings, set_=set_, compression=compression, dedupe=dedupe, add=add, fold=fold, examples=examples,
        mappings=mappings, progress=progress, careful=careful, census=census, trust_folders=trust_folders,
        state=state, sse=sse, sse_kms_key_id=sse_kms_key_id, lake=lake, part_size=part_size, erase=erase, sort=sort,
    )  # fmt: skip
    if workers is not None:
        from translate.conversion.workers import crew_of  # noqa: PLC0415  who works alone needs none of it

        ready.crew = crew_of(workers, ready)
    return Converted(ready.run(), ready)


class Converted(Report):
    """The report of a conversion, which can also say what the target does with the rows at any moment."""

    def __init__(self, values: dict[str, Any], ready: Conversion) -> None:
        super().__init__(values)
        self._ready = ready
        self.finished_already = ready.finished_already

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
        return nothing.app_ids_unmatched(self._ready.job, self._ready.recognised)


def conversion(
    source: Sources, *, to: str, out: str | os.PathLike[str], from_: str | None = None,
    recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: Moment = None, until: Moment = None, limit: int | None = None,
    settings: Given = None, set_: Iterable[str] = (), compression: str = "none",
    dedupe: bool = False, add: Iterable[str] = (), fold: bool = False, examples: bool = False,
    mappings: Folder | None = None, progress: Progress | None = None, careful: bool = False,
    census: Census = False, trust_folders: float | None = None, state: str | os.PathLike[str] | None = None,
    sse: str | None = None, sse_kms_key_id: str | None = None, lake: bool = False, part_size: int | str | None = None,
    erase: Erased = None, sort: bool = False,
) -> Conversion:  # fmt: skip
    """Get a conversion ready; arguments and errors as in `convert`."""
    place = place_of(out, state, sse, sse_kms_key_id)
    told = settings_of(settings, set_, mappings)
    asked = asked_for(dedupe=dedupe, add=add, fold=fold, model=to.partition("/")[0], mappings=told.mappings)
    job, recognised = job_of(
        source, to=to, from_=from_, recipe=recipe, settings=told,
        selection=selection_of(where, since, until, limit, erase), examples=examples, careful=careful, census=census, trust_folders=trust_folders, lake=lake,
        places=[str(place)] if isinstance(place, Path) else place.places,
    )  # fmt: skip
    if sort:
        refuse_unordered(job)
    job = dataclasses.replace(job, part_bytes=part_bytes_of(part_size), sort=sort)
    return Conversion(job, recognised, place, compression=compression, asked=asked, progress=progress)


class Preview(list[dict[str, Any]]):
    """What a conversion would do with the first records: a list of dicts, which shows itself as records before and after.

    `verdict` says what is wrong with all of them, if it is what they were told to be.
    """

    verdict: str | None = None

    def __repr__(self) -> str:
        return f"<Preview: {many(len(self), 'record')}>"

    def __str__(self) -> str:
        return "\n\n".join([*([in_python(self.verdict)] if self.verdict else []), self.to_text()])

    def to_text(self) -> str:
        """Give the records before and after, one below the other."""
        return "\n".join(line for record in self for line in _lines_of(record))

    def _repr_html_(self) -> str:
        """Show the records in a notebook."""
        return Report(records=list(self)).to_html()


def _lines_of(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"{record['file']}:{record['line']}"
    yield f"  before  {record['before']}"
    if "after" in record:
        after = record["after"]
        yield f"  after   {after if isinstance(after, str) else json.dumps(after, ensure_ascii=False)}"
    elif "rejected" in record:
        yield f"  rejected  {record['rejected']}: {record['message']}"
    else:
        yield f"  filtered  {record['filtered']}"


@checked
def preview(
    source: Sources, *, to: str, from_: str | None = None, recipe: str | os.PathLike[str] | None = None,
    where: str | None = None, since: Moment = None, until: Moment = None,
    limit: int | None = None, settings: Given = None, set_: Iterable[str] = (),
    mappings: Folder | None = None, erase: Erased = None,
) -> Preview:  # fmt: skip
    """Show what a conversion would do with the first few records, before and after; nothing is written.

    >>> import translate
    >>> first, *_ = translate.preview("sample_data/mobile_analytics/archive_full.jsonl", to="clickstream", limit=1)
    >>> sorted(first)
    ['after', 'before', 'file', 'line']
    """
    job, recognised = job_of(
        source, to=to, from_=from_, recipe=recipe, settings=settings_of(settings, set_, mappings),
        selection=selection_of(where, since, until, PREVIEW_EVENTS if limit is None else limit, erase),
    )  # fmt: skip
    shown = Preview()

    def attempt(job: Job, lines: Lines) -> tuple[pl.DataFrame, set[str]]:
        query = plan.build(job, lines)
        columns = ["file", "line", "text", "code", "message", FILTERED, *query.columns]
        rows = query.rows.with_columns(text=parquet.text_of(query.rows))
        return rows.select(list(dict.fromkeys(columns))).collect(engine="streaming"), query.unsound

    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        for _, frame in Readings(job, recognised, Path(scratch)).each(attempt):
            is_hub = job.target_layout is None
            shown.extend(_before_and_after(row, is_hub=is_hub) for row in frame.iter_rows(named=True))
            if len(shown) >= (limit or PREVIEW_EVENTS):
                break
    if shown and all("rejected" in record for record in shown):
        shown.verdict = nothing.told_as_another(recognised, job.settings.mappings)
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
    return {**outcome, "after": parquet.as_json(after) if is_hub else after}
