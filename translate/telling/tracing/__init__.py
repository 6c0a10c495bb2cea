"""One record through a conversion: which rule, which place, which value made each field of the target."""

from __future__ import annotations

import os
from collections.abc import Iterable

from translate.conversion.calls import Folder, Given, job_of, settings_of
from translate.conversion.job import HUB_MODEL, Job
from translate.errors import UsageError
from translate.telling import explanation
from translate.telling.explanation import sides
from translate.telling.explanation.pages import Row
from translate.telling.explanation.sides import HUB_LAYOUT, SourcePlaces
from translate.telling.tracing.fields import EventFields
from translate.telling.tracing.result import EventTrace, Why
from translate.telling.tracing.run import Traced, find_id, read_address, trace
from translate.vocabulary.notes import read_all
from translate.wording.arguments import checked
from translate.writer.writer import FILTERED, NOTES


@checked
def why(
    record: str | os.PathLike[str], *, to: str, id_: str | None = None, from_: str | None = None,
    recipe: str | os.PathLike[str] | None = None, settings: Given = None,
    set_: Iterable[str] = (), mappings: Folder | None = None,
) -> Why:  # fmt: skip
    """Follow one record through a conversion: what each field of the target holds, and whence, or why it is empty.

    `record` is `FILE:LINE`, `FILE:LINE#N` for the Nth event of a line of many, or, with `id_`, the source in which the first
    event of that id is looked for. Raise UsageError where there is none, or MappingError, SourceError.

    >>> import translate
    >>> translate.why("sample_data/mobile_analytics/archive_full.jsonl:1", to="clickstream")
    <Why archive_full.jsonl:1: written>
    """
    told = settings_of(settings, set_, mappings)
    address = read_address(os.fspath(record)) if id_ is None else find_id(record, id_, from_, told)
    job, recognised = job_of(address.file, to=to, from_=address.layout or from_, recipe=recipe, settings=told)
    if len(recognised.files) != 1:
        raise UsageError(f"{address.file}: is not one file; name the file that the line is in")
    job = job.reading(recognised.sources[0])
    own = job.target_layout.own if job.target_layout else ()
    columns = tuple(entry.own for entry in own if entry.own)
    layout = job.target_layout or HUB_LAYOUT
    source, target = job.source_layout.address, layout.address
    explained = explanation.of_pair(source, target, job.recipe, job.settings, told.mappings, columns)
    found = trace(job, recognised, address)
    # The explanation has a row for each place of the target, in their order, and then those of the source without one.
    rows = list(zip(sides.places(layout), explained.rows, strict=False))
    where = SourcePlaces(HUB_LAYOUT if job.source_layout.model == HUB_MODEL else job.source_layout)
    return Why(
        address.shown or recognised.files[0].shown, address.line, source, target, explained.recipe,
        tuple(_event(job, where, rows, traced) for traced in found),
    )  # fmt: skip


def _event(
    job: Job, where: SourcePlaces, rows: list[tuple[sides.FieldPlace, Row]], traced: Traced
) -> EventTrace:
    code, rule = traced.row["code"], traced.row[FILTERED]
    outcome = "rejected" if code is not None else "filtered" if rule is not None else "written"
    is_read = traced.before["code"] is None
    fields = tuple(EventFields(job, where, rows, traced)) if is_read and rule is None else ()
    return EventTrace(
        number=traced.number + 1, copy=traced.copy,
        name=traced.before["name"], event_id=traced.after["event_id"] if is_read else None,
        outcome=outcome, reason=code if code is not None else _filter(job, rule, traced), message=traced.row["message"] if code is not None else None,
        judged=traced.rules,
        fields=fields, lost=tuple(_lost(traced)),
    )  # fmt: skip


def _filter(job: Job, reason: str | None, traced: Traced) -> str | None:
    """Name what filtered an event: the rule and its reason, or the target's own that takes only some events."""
    if reason is None:
        return None
    for rule, met in zip(job.recipe.rules, traced.rules, strict=True) if job.recipe else ():
        drops = rule.drop == reason and met.met
        keeps = rule.keep == reason and met.met is False
        if drops or keeps:
            condition = f" when {rule.when.sql}" if rule.when else ""
            return f"{reason}, by {rule.address}: {'drop' if drops else 'keep'}{condition}"
    layout = job.target_layout
    only = layout.only if layout else None
    if layout is None or only is None or only.rule != reason:
        return reason
    return f"{reason}: {layout.address} takes only events with {only.hub}, or named {', '.join(only.names)}"


def _lost(traced: Traced) -> Iterable[str]:
    """Say what of an event does not arrive as it was: fields, and then keys."""
    yield from (f"{loss.field}: {loss.kind}, {loss.why}" for loss in traced.lost)
    for noted in read_all(traced.row.get(NOTES)):
        yield f"{traced.source.shown(noted.spot)}: {noted.kind}, {noted.why}"
