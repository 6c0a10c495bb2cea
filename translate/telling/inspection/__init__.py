"""What is in an archive: one streaming pass, told as figures, as tables and as a page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from translate.archive.recognition import recognise
from translate.archive.sources import find
from translate.conversion import calls, nothing
from translate.conversion.arguments import checked
from translate.conversion.job import Job
from translate.conversion.progress import Progress
from translate.telling.inspection.findings import keys_frame, values_of
from translate.telling.inspection.grounds import Grounds
from translate.telling.inspection.reading import Pass, scratch_folder
from translate.telling.inspection.result import Inspection

__all__ = ["Inspection", "inspect"]


@checked
def inspect(
    source: calls.Sources, *, from_: str | None = None, where: str | None = None, since: calls.Moment = None,
    until: calls.Moment = None, limit: int | None = None,
    settings: calls.Given = None, set_: Iterable[str] = (), examples: bool = False,
    mappings: calls.Folder | None = None, progress: Progress | None = None,
) -> Inspection:  # fmt: skip
    """Look at an archive once, and say what is in it and what is wrong with it; nothing is changed.

    Holds no values of attributes without `examples` (one of each key). Counts are exact whatever the size, and
    memory is bounded; of values that are too many to list, `beyond` tells how many events have others. Raise
    UsageError before anything is read, SourceError if there is nothing to read.

    >>> import translate
    >>> found = translate.inspect("sample_data/mobile_analytics/archive_full.jsonl")
    >>> found
    <Inspection mobile_analytics/archive: 2 events>
    >>> found.keys.select("name", "key", "events").rows()
    [('session.stop', 'channel', 1), ('session.stop', 'score', 1)]
    """
    told = calls.settings_of(settings, set_, mappings)
    selection = calls.selection_of(where, since, until, limit)
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    recognised = recognise(find(given), from_, told.mappings)
    first = recognised.sources[0]
    job = Job(first.mapping, first.layout, None, None, settings=told, selection=selection, examples=examples)
    with scratch_folder() as folder:
        seen = Pass(job, recognised, progress).run(Path(folder))
        values = values_of(recognised, seen.figures, seen.events_by_source, told.mappings)
        values["selection"] = selection.described() if selection else {}
        keys = keys_frame(seen.figures)
        is_empty = values["events"]["read"] and not values["events"]["inspected"]
        why = nothing.why_nothing_taken(job, recognised) if is_empty else None
        values |= {"verdict": why} if why else {}
        return Inspection(values, keys, Grounds.of(seen, recognised, told), examples=examples)
