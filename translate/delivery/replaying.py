"""A replay from its call to its report: prepared, looked over, sent, and told."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from translate import __version__
from translate.conversion import calls, persistence
from translate.conversion.erased import KNOWN, with_erasure
from translate.conversion.reading import Progress
from translate.delivery.endpoints import Endpoint, Target, open_endpoint, refuse_without_secrets
from translate.delivery.journal import Journal, lock, refuse_without_end, write_refused, write_requests
from translate.delivery.pace import IN_FLIGHT_MAX, Bounds, Pace, Rate, Unheard, parse_rate
from translate.delivery.preparation import (
    Destination,
    Prepared,
    accepted_of,
    destination_of,
    prepare,
    target_of,
)
from translate.delivery.records import NAME, SURVEY
from translate.delivery.records import read as read_journal
from translate.delivery.run import Outcome, Run
from translate.delivery.turns import Rhythm
from translate.errors import OutputError, PreflightError, UsageError, refuse_store
from translate.judging.preflight import (
    Forecast,
    Schedule,
    judge,
    of_conversion,
    plan_of_run,
    unaccepted,
    verification,
)
from translate.judging.survey import Survey, Surveyed
from translate.mapping.settings import Settings
from translate.reader.shipments import find_column
from translate.vocabulary.notes import flaws
from translate.wording.arguments import checked
from translate.wording.rendering import Report

SCRATCH = "scratch"
LOOK_AGAIN = "remove this file, and the same call looks through the parts again"


@dataclass(frozen=True)
class Outlook:
    """What is known before anything is sent: how much there is, what the target will do with it, how long it takes."""

    surveyed: Surveyed
    findings: tuple[Forecast, ...]
    rate: Rate
    plan: Schedule
    verify: tuple[str, ...]


@checked
def replay(
    source: calls.Sources, *, to: str, journal: str | os.PathLike[str], endpoint: str | None = None,
    from_: str | None = None, recipe: str | os.PathLike[str] | None = None, where: str | None = None,
    since: calls.Moment = None, until: calls.Moment = None, limit: int | None = None,
    settings: calls.Given = None, set_: Iterable[str] = (), dedupe: bool = False,
    rate: str | None = None, max_in_flight: int = IN_FLIGHT_MAX, speedup: float | None = None,
    bounds: Bounds | None = None, dry_run: bool = False, accept: Iterable[str] = (), allow_http: bool = False,
    mappings: calls.Folder | None = None, erase: calls.Erased = None, progress: Callable[[Outcome, int], None] | None = None, converting: Progress | None = None,
    tell: Callable[[Outlook], None] | None = None, interrupted: Callable[[int], None] | None = None, unheard: Callable[[Unheard], None] | None = None, seed: int | None = None,
) -> Report:  # fmt: skip
    """Send an archive to a model's live endpoint, resuming what the journal says was begun; give the report.

    The source is converted below the journal first, unless it is a directory that `convert` left in the target's layout of
    requests. `rate` is `500` (events a second), `15requests`, or a time-table. Raise UsageError before anything
    is read, PreflightError if the target would lose data that `accept` does not name. The report has `events`
    (converted, sent, rejected, left), `requests`, `lost_answers`, `stopped` (why it ended early, or None) and `failed`.
    `erase` is as in `convert`: `erasure` is of requests, journal and answers.

    >>> import translate
    >>> with translate.Rehearsal() as server:
    ...     report = translate.replay(
    ...         "sample_data/mobile_analytics/archive_full.jsonl", to="clickstream", journal="sent",
    ...         endpoint=server.addresses["clickstream"], accept="age-limit,user-retention,redshift-retention",
    ...     )
    >>> report["events"]["sent"]
    2
    """
    refuse_store(journal, "--journal")
    told = calls.settings_of(settings, set_, mappings)
    destination = destination_of(to, told.mappings)
    target = target_of(destination, told, endpoint, max_in_flight, allow_http=allow_http)
    if not dry_run:
        refuse_without_secrets(target)
    usual = Rate("requests", destination.delivery.quota.default_requests_per_second)
    chosen = usual if rate is None else parse_rate(rate)
    accepted = accepted_of(accept, destination)
    if speedup is not None and not speedup > 0:
        raise UsageError(f"--speedup {speedup:g}: should be above 0; 1 keeps the recorded rhythm")
    folder = Path(journal)
    call = {"from_": from_, "recipe": recipe, "where": where, "since": since, "until": until, "limit": limit,
            "settings": told, "dedupe": dedupe, "erase": erase, "progress": converting}  # fmt: skip
    with _locked(folder):
        prepared = prepare(source, folder, destination, call)
        look = _look_over(folder, prepared, destination, told, target, chosen)
        if tell:
            tell(look)
        receiver = open_endpoint(target)
        try:
            if dry_run:
                shown = write_requests(folder, prepared.parts, receiver)
                told_before = {**_described(look, prepared), "requests_shown": shown}
                return Report(with_erasure(told_before, prepared.erased, folder))
            _refuse_losses(look, accepted)
            return Report(_send(
                folder, prepared, destination, target, receiver, look, progress, speedup, bounds=bounds, seed=seed,
                interrupted=interrupted, unheard=unheard,
            ))  # fmt: skip
        finally:
            receiver.close()


def _locked(folder: Path) -> IO[str]:
    """Make the folder, and keep other processes off it; raise OutputError where it cannot hold a journal."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return lock(folder)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot hold a journal: {error.strerror}; name another folder"
        ) from error


def _write(file: Path, text: str) -> None:
    """Write a file that appears only when it is complete."""
    try:
        persistence.write_whole(file, text)
    except OSError as error:
        raise OutputError(
            f"{file}: cannot be written: {error.strerror}; make room and repeat the call: nothing is sent twice"
        ) from error


# -- before anything is sent ---------------------------------------------------------------------------------------


def _look_over(
    folder: Path, prepared: Prepared, destination: Destination, settings: Settings, target: Target, rate: Rate
) -> Outlook:
    surveyed = _survey(folder, prepared, destination)
    rates = {f"{rate.unit}_per_second": rate.mean}
    findings = judge(
        destination.mapping, surveyed, settings, target.user_agent, now=dt.datetime.now(dt.UTC),
        overrides=settings.overrides, layout=destination.layout.name, **rates,
    )  # fmt: skip
    findings += of_conversion(prepared.conversion)
    plan = plan_of_run(destination.delivery, surveyed, **rates)
    verify = verification(destination.delivery, surveyed) if surveyed.events else ()
    return Outlook(surveyed, tuple(findings), rate, plan, tuple(verify))


def _survey(folder: Path, prepared: Prepared, destination: Destination) -> Surveyed:
    """Look through all parts once; what was found lies beside the journal for the next call."""
    file, parts = folder / SURVEY, prepared.identity["parts"]
    if file.exists():
        found = persistence.unsealed(file, LOOK_AGAIN)
        if found["of"] == parts:
            return Surveyed.from_json(found["found"])
    scratch = folder / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    survey = Survey(destination.delivery, destination.layout, scratch)
    for packed in prepared.parts.requests():
        survey.add(packed)
    surveyed = survey.result()
    shutil.rmtree(scratch, ignore_errors=True)
    values = {"of": parts, "events": surveyed.events, "found": surveyed.to_json()}
    _write(file, persistence.sealed(values))
    return surveyed


def _refuse_losses(look: Outlook, accepted: frozenset[str]) -> None:
    refused = unaccepted(look.findings, accepted)
    if refused:
        raise PreflightError("nothing was sent.\n" + "\n".join(finding.text for finding in refused), refused)


# -- sending -------------------------------------------------------------------------------------------------------


def _send(
    folder: Path, prepared: Prepared, destination: Destination, target: Target, receiver: Endpoint, look: Outlook,
    progress: Callable[[Outcome, int], None] | None, speedup: float | None, **of_run: Any,
) -> dict[str, Any]:  # fmt: skip
    layout, total = destination.layout, look.surveyed.events
    order = tuple(place for column in destination.delivery.order if (place := find_column(layout, column)))
    job = {
        **prepared.identity,
        "endpoint": target.endpoint or f"{destination.mapping.model} in {target.region}",
    }
    _refuse_without_end(folder)
    with Journal(folder, job) as journal:
        journal.accepted(finding.name for finding in look.findings if finding.loses)
        before = dataclasses.replace(journal.tally)
        run = Run(
            prepared.parts, journal, receiver, Pace(look.rate), order=order,
            rhythm=Rhythm(layout, speedup) if speedup is not None else None, in_flight_max=target.max_in_flight, **of_run,
            progress=None if progress is None else lambda outcome: progress(outcome, total - before.sent - before.never),
        )  # fmt: skip
        try:
            outcome = run.run()
            journal.stopped(outcome.why)
        finally:
            write_refused(folder, journal.file, prepared.parts)
    arrived = dataclasses.replace(look.surveyed, events=journal.tally.sent)
    verify = verification(destination.delivery, arrived) if arrived.events else []
    account = _account(journal, outcome, total, before.lost_answers)
    report = {**_described(look, prepared), **account, "verify": verify}
    report = with_erasure(report, prepared.erased, folder)
    _write(folder / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    if not report["events"]["left"]:
        (folder / KNOWN).unlink(missing_ok=True)  # last: from now on the report is all that is known
    return report


def _refuse_without_end(folder: Path) -> None:
    """Hold the journal against the report that the last run wrote after it, if that can be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        requests = int(json.loads((folder / "report.json").read_bytes())["requests"])
        refuse_without_end(read_journal(folder / NAME), folder / NAME, requests)


def _account(journal: Journal, outcome: Outcome, total: int, lost_before: int) -> dict[str, Any]:
    tally = journal.tally
    return {
        "events": {"total": total, "sent": tally.sent, "rejected": tally.never, "left": total - tally.sent - tally.never},
        "rejects": dict(sorted(tally.codes.items())), "requests": tally.requests, "throttled": tally.throttled,
        "lost_answers": tally.lost_answers, "lost_events": tally.lost_events, "lost_answers_before": lost_before,
        "seconds": outcome.seconds, "sent_now": outcome.sent, "requests_now": outcome.requests,
        "events_per_second": outcome.sent / outcome.seconds if outcome.seconds else None,
        "findings": outcome.findings, "stopped": outcome.why, "failed": outcome.failed,
    }  # fmt: skip


def _described(look: Outlook, prepared: Prepared) -> dict[str, Any]:
    return {
        "version": __version__, "from": prepared.identity["from"], "to": prepared.identity["to"],
        "conversion": prepared.conversion["events"], "to_settle": len(flaws(prepared.conversion)), "packed": {"events": look.surveyed.events, "requests": look.surveyed.requests},
        "rate": str(look.rate), "plan": dataclasses.asdict(look.plan), "preflight": [finding.to_json() for finding in look.findings],
        "verify": list(look.verify),
        **{name: prepared.conversion[name] for name in ("verdict", "nothing_written") if name in prepared.conversion},
    }  # fmt: skip
