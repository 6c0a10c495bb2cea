"""The commands that deliver: replay to a live endpoint."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import translate
from translate.cli.advice import print_advice
from translate.cli.application import app
from translate.cli.options import (
    AsJson,
    Assignments,
    From,
    Limit,
    Mappings,
    Recipe,
    SettingsFile,
    Since,
    Until,
    Where,
    models,
)
from translate.cli.printing import print_list, print_verdict, printable, whoever_listens
from translate.conversion.progress import Bar
from translate.delivery.run import IN_FLIGHT_MAX, Bounds
from translate.errors import ExitCode, PreflightError, UsageError

if TYPE_CHECKING:
    from translate.delivery.replaying import Outlook
    from translate.delivery.run import Outcome

SHOWN_REQUESTS = 2
BODY_SHOWN = 400
TICK_SECONDS = 0.5
SUPPORT_ENDED = "support-ended"

RATE_HELP = 'Most events (500) or requests (15requests) a second, or a time-table: "22:00-06:00=1000,else=100", by this machine\'s clock.'
ReplaySources = Annotated[
    list[str] | None,
    typer.Argument(metavar="SOURCE", help="File, folder, glob, s3:// URL, or a directory that convert left."),
]


@app.command()
def replay(
    sources: ReplaySources = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="MODEL", autocompletion=models, help="Whose endpoint it is.")
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where to send; services that boto3 finds need only --set region=..."
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the replay is written down; the same folder resumes it."),
    ] = None,
    status_of: Annotated[
        Path | None,
        typer.Option(
            "--status", metavar="DIR", help="Tell where the replay of this journal stands, and do nothing."
        ),
    ] = None,
    from_: From = None,
    recipe: Recipe = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    mappings: Mappings = None,
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Remove events of the same id before sending.")
    ] = False,
    rate: Annotated[str | None, typer.Option(metavar="RATE", help=RATE_HELP)] = None,
    max_in_flight: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most requests under way at a time.")
    ] = IN_FLIGHT_MAX,
    speedup: Annotated[
        float | None, typer.Option(metavar="X", help="Keep the recorded rhythm, X times as fast.")
    ] = None,
    max_events: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Stop after so many events; the same call goes on.")
    ] = None,
    max_requests: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Stop after so many requests.")
    ] = None,
    max_hours: Annotated[
        float | None, typer.Option(metavar="HOURS", min=0, help="Stop after so many hours.")
    ] = None,
    max_attempts: Annotated[
        int, typer.Option(metavar="N", min=1, help="Stop when a request was not taken in so many attempts.")
    ] = Bounds().attempts,
    stop_after_errors: Annotated[
        int, typer.Option(metavar="N", min=1, help="Stop when so many events were refused for good.")
    ] = Bounds().errors,
    stop_at_error_share: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=1, help="Stop when this share was refused for good.")
    ] = Bounds().error_share,
    trial: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Send only the first N events, and say how to see that they arrived."
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Look, show the first requests, write all of them below the journal; send nothing.",
        ),
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,...",
            help="Send although the preflight found this, e.g. age-limit; as often as needed.",
        ),
    ] = None,
    i_know: Annotated[
        bool, typer.Option("--i-know", help="Send to a service whose support has ended.")
    ] = False,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Allow plain http:// to another machine.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Send an archive to a live endpoint, paced, and resumed by the same call.

    Secrets come from the environment only: AWS credentials as usual, TRANSLATE_COOKIE, TRANSLATE_LEARNING_CONTEXT_SECRET
    and TRANSLATE_LEARNING_CONTEXT_PASSWORD.
    """
    if status_of is not None:
        if sources or to is not None or journal is not None:
            raise UsageError("--status DIR stands alone: it tells, and does nothing")
        found = translate.status(status_of)
        with whoever_listens():
            print(json.dumps(found, indent=2, ensure_ascii=False)) if as_json else _print_status(found)
        return ExitCode.DONE
    from translate.front import settings_of

    if not sources or to is None or journal is None:
        raise UsageError("replay needs SOURCE, --to MODEL and --journal DIR (or --status DIR alone)")
    if trial and max_events:
        raise UsageError("--trial and --max-events say the same: give one of them")
    bounds = Bounds(
        stop_after_errors, stop_at_error_share, trial or max_events, max_requests, max_hours, max_attempts
    )
    accepted = _accepted(
        accept or [], to, i_know=i_know, mappings=settings_of(settings, set_ or (), mappings).mappings
    )
    with Bar() as bar, _said_with_i_know():
        report = translate.replay(
            sources, to=to, journal=journal, endpoint=endpoint, from_=from_, recipe=recipe, where=where, since=since, until=until,
            limit=limit, settings=settings, set_=set_ or (), mappings=mappings, dedupe=dedupe, rate=rate, max_in_flight=max_in_flight,
            speedup=speedup, bounds=bounds, dry_run=dry_run, accept=accepted, allow_http=allow_http,
            converting=bar.show, tell=lambda look: _tell(look, bar, None if dry_run else accepted), progress=_Ticker(), interrupted=_tell_of_interruption,
        )  # fmt: skip
    with whoever_listens():
        if as_json:
            print(json.dumps(report, indent=2, ensure_ascii=False))
            return _exit_code(report)
        print_verdict(report)
        print_advice(report.get("nothing_written", {}))
        if dry_run:
            _print_requests(report, journal)
        else:
            _print_report(report, journal)
    return _exit_code(report)


def _accepted(accept: list[str], to: str, *, i_know: bool, mappings: Path | None) -> list[str]:
    """Give the names of the findings that were accepted."""
    names = [name.strip() for given in accept for name in given.split(",") if name.strip()]
    if not i_know:
        return names
    from translate.delivery.preparation import destination_of

    if SUPPORT_ENDED not in destination_of(to, mappings).delivery.preflight:
        raise UsageError(f"--i-know: {to}'s support has not ended; leave it out")
    return [*names, SUPPORT_ENDED]


@contextlib.contextmanager
def _said_with_i_know() -> Iterator[None]:
    """Name the flag of its own that accepts the end of a service's support."""
    try:
        yield
    except PreflightError as error:
        if all(finding.name != SUPPORT_ENDED for finding in error.findings):
            raise
        raise PreflightError(
            f"{error}\n--i-know says the same as --accept {SUPPORT_ENDED}", error.findings
        ) from None


def _tell_of_interruption(under_way: int) -> None:
    """Say what is waited for, and how to wait no longer."""
    if under_way:
        print(
            f"translate: waiting for {under_way} answers; Ctrl-C again gives them up, and counts them as lost",
            file=sys.stderr,
        )


def _exit_code(report: dict[str, Any]) -> ExitCode:
    if report.get("failed"):
        return ExitCode.UNFINISHED
    flawed = (
        report["conversion"]["rejected"] or report["to_settle"] or report.get("events", {}).get("rejected")
    )
    return ExitCode.FLAWED if flawed or "verdict" in report else ExitCode.DONE


class _Ticker:
    """One line on the terminal: events sent, rate, time left."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._shown = 0.0

    def __call__(self, outcome: Outcome, left: int) -> None:
        now = time.monotonic()
        if self._started is None:  # at the first answer: the conversion took its own time
            self._started = now
            return
        if now - self._shown < TICK_SECONDS or not sys.stderr.isatty():
            return
        self._shown = now
        done = outcome.sent + outcome.never
        rate = done / (now - self._started)
        hours, seconds = divmod(int((left - done) / rate) if rate else 0, 3600)
        line = f"{outcome.sent:,} of {left:,} events sent, {rate:,.0f}/s, {hours}:{seconds // 60:02}:{seconds % 60:02} left"
        print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)


def _tell(look: Outlook, bar: Bar, accepted: Collection[str] | None) -> None:
    """Say, before anything is sent, what is known: on standard error, for it is no result.

    A finding that stops the run is told when it does; `accepted` is None where nothing stops it.
    """
    bar.clear()
    for sentence in look.plan.sentences:
        print(f"translate: {sentence}", file=sys.stderr)
    for finding in look.findings:
        if not finding.loses or accepted is None or finding.name in accepted:
            print(f"translate: {finding.text}", file=sys.stderr)


def _print_requests(report: dict[str, Any], journal: Path) -> None:
    for request in report["requests_shown"][:SHOWN_REQUESTS]:
        print(f"{request['method']} {printable(request['url'])}")
        for name, value in request["headers"].items():
            print(f"{name}: {printable(str(value))}")
        body = (
            request["body"]
            if isinstance(request["body"], str)
            else json.dumps(request["body"], ensure_ascii=False)
        )
        print(printable(body[:BODY_SHOWN]) + (" ..." if len(body) > BODY_SHOWN else ""))
        print()
    print(
        f"{len(report['requests_shown']):,} of {report['packed']['requests']:,} requests lie in {journal / 'dry-run'}; nothing was sent"
    )


def _print_report(report: dict[str, Any], journal: Path) -> None:
    events = report["events"]
    print(f"{report['from']} -> {report['to']}")
    print(
        f"sent      {events['sent']:>14,}  in {report['requests']:,} request{'s' if report['requests'] != 1 else ''}"
    )
    for name, reasons in (("rejected", report["rejects"]), ("left", {})):
        if events[name]:
            told = ", ".join(
                f"{count:,} {code}" for code, count in sorted(reasons.items(), key=lambda item: -item[1])
            )
            print(f"{name:<10}{events[name]:>14,}  {told}".rstrip())
    if report["conversion"]["rejected"]:
        print(
            f"not converted {report['conversion']['rejected']:>10,}  see {journal / 'converted' / 'rejects.ndjson'}"
        )
    if report["lost_answers"]:
        print(
            f"lost answers {report['lost_answers']:>11,}  {report['lost_events']:,} events may have arrived twice, with the same ids"
        )
    if report["throttled"]:
        print(f"throttled {report['throttled']:>14,}  times")
    print_list(
        "to know",
        [{"events": count, "text": text} for text, count in report["findings"].items()],
        lambda entry: entry["text"],
    )
    if events["rejected"]:
        print(
            f"refused events: {journal / 'rejects.ndjson'}; as requests, to be replayed once mended: {journal / 'rejected.ndjson'}"
        )
    if report["stopped"]:
        print(f"stopped: {printable(report['stopped'])}; the same call goes on")
    if events["sent"]:
        print("to see what arrived:")
        for text in report["verify"]:
            print(f"  {text}")
    print(f"report: {journal / 'report.json'}")


def _print_status(found: dict[str, Any]) -> None:
    from translate.delivery.wording import duration

    events = found["events"]
    running = "running" if found["running"] else "not running"
    print(f"{found['journal']}: {found['to']} at {found['endpoint']}, {running}")
    for name in ("total", "sent", "rejected", "left"):
        if events[name] is not None:
            print(f"{name:<10}{events[name]:>14,}")
    print(
        f"requests  {found['requests']:>14,}  {found['under_way']:,} under way, {found['throttled']:,} throttled"
    )
    if found["lost_answers"]:
        print(
            f"lost answers {found['lost_answers']:>11,}  {found['lost_events']:,} events may have arrived twice, with the same ids"
        )
    if found["events_per_second"]:
        print(f"rate      {found['events_per_second']:>14,.1f}  events a second")
    if found["hours_left"]:
        print(f"time to go  {duration(found['hours_left'] * 3600)}")
    print(f"first sent {found['first_at'] or '-'}, last answer {found['last_at'] or '-'}")
    if found["stopped"]:
        print(f"stopped: {printable(found['stopped'])}")
