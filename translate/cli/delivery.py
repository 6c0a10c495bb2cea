"""The command that delivers: replay to a live endpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import translate
from translate.cli import app
from translate.cli.account import (
    Ticker,
    print_replay,
    print_requests,
    print_status,
    tell_of_interruption,
    tell_of_outlook,
    tell_of_silence,
)
from translate.cli.options import (
    AsJson,
    Erase,
    From,
    Group,
    Recipe,
    Selection,
    Settings,
    models,
    reaching_stores,
    said,
    switch,
)
from translate.cli.printing import Bar, print_slips, tell
from translate.delivery.pace import IN_FLIGHT_MAX, Bounds
from translate.errors import ExitCode, PreflightError, UsageError

SUPPORT_ENDED = "support-ended"

SOURCE_HELP = "File, folder, glob, s3:// URL, or a directory that convert left."
ENDPOINT_HELP = (
    "Where to send; services of AWS and those with addresses in their sheet need only --set region=..."
)
JOURNAL_HELP = "Where the replay is written down; the same folder resumes it."
STATUS_HELP = "Tell where the replay of this journal stands, and do nothing."
RATE_HELP = 'Most events (500) or requests (15requests) a second, or a time-table: "22:00-06:00=1000,else=100", by this machine\'s clock.'
TRIAL_HELP = "Send only the first N events, and say how to see that they arrived."
DRY_RUN_HELP = "Look, show the first requests, write all of them below the journal; send nothing."
ACCEPT_HELP = "Send although the preflight found this, e.g. age-limit; as often as needed."
PACE = Group({
    "rate": (str | None, said("--rate", "RATE", RATE_HELP), None),
    "max_in_flight": (int, said("--max-in-flight", "N", "Most requests under way at a time.", min=1), IN_FLIGHT_MAX),
    "speedup": (float | None, said("--speedup", "X", "Keep the recorded rhythm, X times as fast."), None),
})  # fmt: skip
BOUNDS = Group({
    "events": (int | None, said("--max-events", "N", "Stop after so many events; the same call goes on.", min=1), None),
    "requests": (int | None, said("--max-requests", "N", "Stop after so many requests.", min=1), None),
    "hours": (float | None, said("--max-hours", "HOURS", "Stop after so many hours.", min=0), None),
    "attempts": (int, said("--max-attempts", "N", "Stop when a request was not taken in so many attempts.", min=1), Bounds().attempts),
    "errors": (int, said("--stop-after-errors", "N", "Stop when so many events were refused for good.", min=1), Bounds().errors),
    "error_share": (float, said("--stop-at-error-share", "SHARE", "Stop when this share was refused for good.", min=0, max=1), Bounds().error_share),
})  # fmt: skip


@app.command()
@reaching_stores
def replay(
    *,
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)] = None,
    to: Annotated[str | None, said("--to", "MODEL", "Whose endpoint it is.", autocompletion=models)] = None,
    endpoint: Annotated[str | None, said("--endpoint", "URL", ENDPOINT_HELP)] = None,
    journal: Annotated[Path | None, said("--journal", "DIR", JOURNAL_HELP)] = None,
    status_of: Annotated[Path | None, said("--status", "DIR", STATUS_HELP)] = None,
    from_: From = None,
    recipe: Recipe = None,
    selection: Selection,
    erase: Erase = None,
    settings: Settings,
    dedupe: Annotated[bool, switch("--dedupe", "Remove events of the same id before sending.")] = False,
    pace: Annotated[dict[str, Any], PACE],
    bounds: Annotated[dict[str, Any], BOUNDS],
    trial: Annotated[int | None, said("--trial", "N", TRIAL_HELP, min=1)] = None,
    dry_run: Annotated[bool, switch("--dry-run", DRY_RUN_HELP)] = False,
    accept: Annotated[list[str] | None, said("--accept", "NAME,...", ACCEPT_HELP)] = None,
    i_know: Annotated[bool, switch("--i-know", "Send to a service whose support has ended.")] = False,
    allow_http: Annotated[bool, switch("--allow-http", "Allow plain http:// to another machine.")] = False,
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
        tell(found, lambda: print_status(found), as_json=as_json)
        return ExitCode.DONE
    from translate.conversion.calls import settings_of
    from translate.conversion.nothing import app_ids_unmatched_of_call

    if not sources or to is None or journal is None:
        raise UsageError("replay needs SOURCE, --to MODEL and --journal DIR (or --status DIR alone)")
    if trial and bounds["events"]:
        raise UsageError("--trial and --max-events say the same: give one of them")
    print_slips(app_ids_unmatched_of_call(sources, from_=from_, **settings))
    sheets = settings_of(settings["settings"], settings["set_"], settings["mappings"]).mappings
    accepted = _accepted(accept or [], to, i_know=i_know, mappings=sheets)
    with Bar() as bar, _said_with_i_know():
        report = translate.replay(
            sources, to=to, journal=journal, endpoint=endpoint, from_=from_, recipe=recipe, **selection, **settings, dedupe=dedupe, erase=erase,
            **pace, bounds=Bounds(**{**bounds, "events": trial or bounds["events"]}), dry_run=dry_run, accept=accepted, allow_http=allow_http,
            converting=bar.show, tell=lambda look: tell_of_outlook(look, bar, None if dry_run else accepted), progress=Ticker(), interrupted=tell_of_interruption,
            unheard=lambda told: tell_of_silence(told, endpoint or to),
        )  # fmt: skip
    print_it = print_requests if dry_run else print_replay
    tell(report, lambda: print_it(report, journal), as_json=as_json)
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
