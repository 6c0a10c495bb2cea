"""The commands that deliver: replay to a live endpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import translate
from translate.cli.account import (
    Ticker,
    print_replay,
    print_requests,
    print_status,
    tell_of_interruption,
    tell_of_outlook,
    tell_of_silence,
)
from translate.cli.application import app
from translate.cli.options import AsJson, Erase, From, Recipe, Selection, Settings, models, reaching_stores
from translate.cli.printing import print_advice, print_json, print_slips, print_verdict, whoever_listens
from translate.conversion.progress import Bar
from translate.delivery.pace import IN_FLIGHT_MAX, Bounds
from translate.errors import ExitCode, PreflightError, UsageError

SUPPORT_ENDED = "support-ended"

RATE_HELP = 'Most events (500) or requests (15requests) a second, or a time-table: "22:00-06:00=1000,else=100", by this machine\'s clock.'
ReplaySources = Annotated[
    list[str] | None,
    typer.Argument(metavar="SOURCE", help="File, folder, glob, s3:// URL, or a directory that convert left."),
]


@app.command()
@reaching_stores
def replay(
    *,
    sources: ReplaySources = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="MODEL", autocompletion=models, help="Whose endpoint it is.")
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where to send; services of AWS and those with addresses in their sheet need only --set region=...",
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
    selection: Selection,
    erase: Erase = None,
    settings: Settings,
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
    and TRANSLATE_LEARNING_CONTEXT_PASSWORD, and the variables that the data sheet of a receiver names.
    """
    if status_of is not None:
        if sources or to is not None or journal is not None:
            raise UsageError("--status DIR stands alone: it tells, and does nothing")
        found = translate.status(status_of)
        with whoever_listens():
            print_json(found) if as_json else print_status(found)
        return ExitCode.DONE
    from translate.conversion.calls import settings_of
    from translate.conversion.nothing import app_ids_unmatched_of_call

    if not sources or to is None or journal is None:
        raise UsageError("replay needs SOURCE, --to MODEL and --journal DIR (or --status DIR alone)")
    if trial and max_events:
        raise UsageError("--trial and --max-events say the same: give one of them")
    print_slips(app_ids_unmatched_of_call(sources, from_=from_, **settings))
    bounds = Bounds(
        stop_after_errors, stop_at_error_share, trial or max_events, max_requests, max_hours, max_attempts
    )
    accepted = _accepted(
        accept or [],
        to,
        i_know=i_know,
        mappings=settings_of(settings["settings"], settings["set_"], settings["mappings"]).mappings,
    )
    with Bar() as bar, _said_with_i_know():
        report = translate.replay(
            sources, to=to, journal=journal, endpoint=endpoint, from_=from_, recipe=recipe, **selection, **settings, dedupe=dedupe, erase=erase, rate=rate, max_in_flight=max_in_flight,
            speedup=speedup, bounds=bounds, dry_run=dry_run, accept=accepted, allow_http=allow_http,
            converting=bar.show, tell=lambda look: tell_of_outlook(look, bar, None if dry_run else accepted), progress=Ticker(), interrupted=tell_of_interruption,
            unheard=lambda told: tell_of_silence(told, endpoint or to),
        )  # fmt: skip
    with whoever_listens():
        if as_json:
            print_json(report)
            return _exit_code(report)
        print_verdict(report)
        print_advice(report.get("nothing_written", {}))
        if dry_run:
            print_requests(report, journal)
        else:
            print_replay(report, journal)
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
            f"{error.typed}\n--i-know says the same as --accept {SUPPORT_ENDED}", error.findings
        ) from None


def _exit_code(report: dict[str, Any]) -> ExitCode:
    if report.get("failed"):
        return ExitCode.UNFINISHED
    flawed = (
        report["conversion"]["rejected"]
        or report["to_settle"]
        or report.get("events", {}).get("rejected")
        or report.get("erasure", {}).get("found")
    )
    return ExitCode.FLAWED if flawed or "verdict" in report else ExitCode.DONE
