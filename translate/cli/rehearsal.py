"""The command `rehearse`: the local endpoints, started, told about, and stopped."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, get_args

from translate.cli import app
from translate.cli.options import Group, Mappings, grouped, models, said, switch
from translate.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from translate.rehearsal import Rehearsal

LOOK_SECONDS = 0.1
PLAY_HELP = "Model whose endpoint is played; repeatable. Without: the five that have a protocol by name."
APP_ID_HELP = (
    "App id, Pinpoint application or Personalize tracking id that is known; repeatable. Without: any."
)
ACCOUNT_HELP = "Learning Context account; repeatable. With applications, signatures are verified."
PARTIAL_HELP = "Share of which some events fail, where the receiver tells which."
PARTIAL_CODE_HELP = "Code of such events at Pinpoint; repeatable. [default: 429, 500]"
REHEARSAL = Group({
    "play": (list[str], said("--as", "MODEL", PLAY_HELP, autocompletion=models), ()),
    "mappings": (Path | None, get_args(Mappings)[1], None),
    "port": (int, said("--port", "N", "Port; 0 picks a free one."), 0),
    "host": (str, said("--host", "HOST", "Address to listen on; any but loopback needs --expose."), "127.0.0.1"),
    "expose": (bool, switch("--expose", "Let other machines reach it, by any name."), False),
    "app_ids": (list[str], said("--app-id", "ID", APP_ID_HELP), ()),
    "cookie": (str | None, said("--cookie", "COOKIE", "Cookie that Clickstream asks for."), None),
    "access_key": (str | None, said("--access-key", "KEY", "AWS access key to verify signatures with. Without: any signature."), None),
    "secret_key": (str | None, said("--secret-key", "KEY", "Its secret."), None),
    "applications": (list[str], said("--application", "AID=SECRET", "Learning Context application; repeatable."), ()),
    "accounts": (list[str], said("--account", "USER=PASSWORD", ACCOUNT_HELP), ()),
    "seed": (int, said("--seed", "N", "Seed of the misbehaviour."), 0),
    "throttle": (float, said("--throttle", "SHARE", "Share of requests, 0 to 1, that are throttled (429 or 503)."), 0.0),
    "retry_after_seconds": (int | None, said("--retry-after", "SECONDS", "Send Retry-After with every throttling."), None),
    "retry_after_form": (str, said("--retry-after-form", "seconds|date", "The form of Retry-After."), "seconds"),
    "errors": (float, said("--errors", "SHARE", "Share that fails with 500 (Clickstream: 502)."), 0.0),
    "slow": (float, said("--slow", "SHARE", "Share that is taken at once and answered late."), 0.0),
    "slow_seconds": (float, said("--slow-seconds", "SECONDS", "How late."), 1.0),
    "reset_before": (float, said("--reset-before", "SHARE", "Share whose connection is reset, nothing taken."), 0.0),
    "reset_after": (float, said("--reset-after", "SHARE", "Share whose connection is reset after the events were taken."), 0.0),
    "partial": (float, said("--partial", "SHARE", PARTIAL_HELP), 0.0),
    "partial_codes": (list[int], said("--partial-code", "400|429|500", PARTIAL_CODE_HELP), ()),
    "answers": (list[str], said("--answer", "NAME=SHARE", "Share that gets this answer of a described service's sheet; repeatable."), ()),
    "client_events_per_second": (float | None, said("--client-rate", "N", "Events a second of one client that a described service bears."), None),
    "quota_per_second": (int | None, said("--quota", "N", "Requests a second, to each target; more are throttled."), None),
    "age_limit_hours": (float | None, said("--age-limit-hours", "HOURS", "Clickstream drops older events without a word (its own default is 72)."), None),
    "keep": (str | None, said("--keep", "DIR", "Keep what was accepted and rejected here; else it goes with the server."), None),
})  # fmt: skip


@app.command()
@grouped
def rehearse(
    *,
    asked: Annotated[dict[str, Any], REHEARSAL],
    as_json: Annotated[
        bool, switch("--json", "Print JSON lines: the addresses, and the counts at the end.")
    ] = False,
) -> int:
    """Stand in for the endpoints of models, on this machine, to rehearse a replay against.

    GET /_accepted, /_rejected and /_arrivals (?target=, ?fields=) tell what came, /_stats the counts. Ctrl-C stops it.
    """
    from translate.rehearsal import Options, Rehearsal
    from translate.rehearsal.options import PASSING_CODES

    secrets = {name: _pairs(name.removesuffix("s"), asked[name]) for name in ("applications", "accounts")}
    several = {name: tuple(asked[name]) for name in ("play", "app_ids")}
    codes = tuple(asked["partial_codes"]) or PASSING_CODES
    options = Options(
        **{**asked, **secrets, **several, "partial_codes": codes, "answers": _shares(asked["answers"])}
    )
    with _stopped_by_signals() as stopped, Rehearsal(options) as server:
        _print_addresses(server, as_json=as_json)
        while not stopped:
            time.sleep(LOOK_SECONDS)
        stats = server.stats()
    _print_summary(stats, as_json=as_json)
    return ExitCode.DONE


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if not all(name and equals for name, equals, _ in pairs):
        raise UsageError(f"--{option} is NAME=SECRET")  # without the text: a secret may be in it
    return {name: secret for name, _, secret in pairs}


def _shares(texts: Sequence[str]) -> dict[str, float]:
    try:
        return {name: float(share) for name, _, share in (text.partition("=") for text in texts)}
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
