"""The command `rehearse`: the local endpoints, started, told about, and stopped."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from translate.cli.application import app
from translate.cli.options import Mappings, models
from translate.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from translate.rehearsal import Rehearsal

LOOK_SECONDS = 0.1


@app.command()
def rehearse(
    *,
    play: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="MODEL",
            autocompletion=models,
            help="Model whose endpoint is played; repeatable. Without: the five that have a protocol by name.",
        ),
    ] = None,
    mappings: Mappings = None,
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 picks a free one.")] = 0,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Address to listen on; any but loopback needs --expose.")
    ] = "127.0.0.1",
    expose: Annotated[
        bool, typer.Option("--expose", help="Let other machines reach it, by any name.")
    ] = False,
    app_id: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="App id, Pinpoint application or Personalize tracking id that is known; repeatable. Without: any.",
        ),
    ] = None,
    cookie: Annotated[
        str | None, typer.Option(metavar="COOKIE", help="Cookie that Clickstream asks for.")
    ] = None,
    access_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="AWS access key to verify signatures with. Without: any signature."),
    ] = None,
    secret_key: Annotated[str | None, typer.Option(metavar="KEY", help="Its secret.")] = None,
    application: Annotated[
        list[str] | None, typer.Option(metavar="AID=SECRET", help="Learning Context application; repeatable.")
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(
            metavar="USER=PASSWORD",
            help="Learning Context account; repeatable. With applications, signatures are verified.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the misbehaviour.")] = 0,
    throttle: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share of requests, 0 to 1, that are throttled (429 or 503)."),
    ] = 0.0,
    retry_after: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Send Retry-After with every throttling.")
    ] = None,
    retry_after_form: Annotated[
        str, typer.Option(metavar="seconds|date", help="The form of Retry-After.")
    ] = "seconds",
    errors: Annotated[
        float, typer.Option(metavar="SHARE", help="Share that fails with 500 (Clickstream: 502).")
    ] = 0.0,
    slow: Annotated[
        float, typer.Option(metavar="SHARE", help="Share that is taken at once and answered late.")
    ] = 0.0,
    slow_seconds: Annotated[float, typer.Option(metavar="SECONDS", help="How late.")] = 1.0,
    reset_before: Annotated[
        float, typer.Option(metavar="SHARE", help="Share whose connection is reset, nothing taken.")
    ] = 0.0,
    reset_after: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share whose connection is reset after the events were taken."),
    ] = 0.0,
    partial: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="Share of which some events fail, where the receiver tells which."
        ),
    ] = 0.0,
    partial_code: Annotated[
        list[int] | None,
        typer.Option(
            metavar="400|429|500", help="Code of such events at Pinpoint; repeatable. [default: 429, 500]"
        ),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SHARE",
            help="Share that gets this answer of a described service's sheet; repeatable.",
        ),
    ] = None,
    client_rate: Annotated[
        float | None,
        typer.Option(metavar="N", help="Events a second of one client that a described service bears."),
    ] = None,
    quota: Annotated[
        int | None, typer.Option(metavar="N", help="Requests a second, to each target; more are throttled.")
    ] = None,
    age_limit_hours: Annotated[
        float | None,
        typer.Option(
            metavar="HOURS", help="Clickstream drops older events without a word (its own default is 72)."
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Keep what was accepted and rejected here; else it goes with the server."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines: the addresses, and the counts at the end.")
    ] = False,
) -> int:
    """Stand in for the endpoints of models, on this machine, to rehearse a replay against.

    GET /_accepted, /_rejected and /_arrivals (?target=, ?fields=) tell what came, /_stats the counts. Ctrl-C stops it.
    """
    from translate.rehearsal import Options, Rehearsal
    from translate.rehearsal.options import PASSING_CODES

    options = Options(
        host=host, port=port, expose=expose, app_ids=tuple(app_id or ()), cookie=cookie, access_key=access_key,
        secret_key=secret_key, applications=_pairs("--application", application), accounts=_pairs("--account", account),
        seed=seed, throttle=throttle, retry_after_seconds=retry_after, retry_after_form=retry_after_form, errors=errors,
        slow=slow, slow_seconds=slow_seconds, reset_before=reset_before, reset_after=reset_after, partial=partial,
        partial_codes=tuple(partial_code or PASSING_CODES), quota_per_second=quota, client_events_per_second=client_rate,
        answers=_shares(answer), play=tuple(play or ()), mappings=mappings, age_limit_hours=age_limit_hours, keep=keep,
    )  # fmt: skip
    with _stopped_by_signals() as stopped, Rehearsal(options) as server:
        _print_addresses(server, as_json=as_json)
        while not stopped:
            time.sleep(LOOK_SECONDS)
        stats = server.stats()
    _print_summary(stats, as_json=as_json)
    return ExitCode.DONE


def _pairs(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts or ()]
    if not all(name and equals for name, equals, _ in pairs):
        raise UsageError(f"{option} is NAME=SECRET")  # without the text: a secret may be in it
    return {name: secret for name, _, secret in pairs}


def _shares(texts: Sequence[str] | None) -> dict[str, float]:
    try:
        return {name: float(share) for name, _, share in (text.partition("=") for text in texts or ())}
    except ValueError:
        raise UsageError("--answer is NAME=SHARE, a share of the requests from 0 to 1") from None


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[list[int]]:
    """Make Ctrl-C and SIGTERM an ordinary end, for as long as the server runs."""
    # A list, and no threading.Event: a handler that waits for a lock which its own thread holds would wait for ever.
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_addresses(server: Rehearsal, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": server.url, "port": server.port, "addresses": server.addresses}), flush=True)
        return
    width = max(map(len, server.addresses))
    for target, address in (*server.addresses.items(), ("counts", f"{server.url}/_stats")):
        print(f"{target:<{width}}  {address}", flush=True)


def _print_summary(stats: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"stats": stats}), flush=True)
        return
    counts = ", ".join(f"{stats[name]:,} {name}" for name in ("accepted", "rejected", "deferred"))
    print(f"{stats['requests']:,} requests, {stats['events']:,} events: {counts}", flush=True)
