"""What a conversion and a replay tell in the terminal: before, while they run, and afterwards."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate.cli.printing import (
    Bar,
    by_count,
    counted,
    print_advice,
    print_hanging,
    print_list,
    print_verdict,
)
from translate.wording.rendering import many, printable

if TYPE_CHECKING:
    from translate.conversion.converting import Converted
    from translate.conversion.streaming import Streamed
    from translate.delivery.pace import Unheard
    from translate.delivery.replaying import Outlook
    from translate.delivery.run import Outcome
    from translate.judging.preflight import Forecast

# -- a conversion --------------------------------------------------------------------------------------------

ERASED_SHOWN_MAX = 10


def print_conversion(report: Converted, hazards: list[Forecast]) -> None:
    """Print the report of a conversion into a directory."""
    _print_nothing_written(report)
    _print_counts(report)
    _print_rejects(report, report.place("rejects.ndjson"), report.first_reject())
    if "erasure" in report:
        print_erasure(report["erasure"], "read again")
    if "keys" in report:
        print(f"keys: {report.place('keys.ndjson')}")
    _print_hazards(report, "today", [hazard.to_json() for hazard in hazards])
    print(f"report: {report.place('report.json')}")


def _print_nothing_written(report: dict[str, Any]) -> None:
    """Print first that nothing was written, if that is so, and what would help."""
    print_verdict(report)
    print_advice(report.get("nothing_written", {}))


def print_erasure(told: dict[str, Any], how: str) -> None:
    """Print who was left out, and whether somebody of them stands in what was written all the same."""
    looked, places = told["looked_through"], told["places"]
    print(f"erased: {many(told['events'], 'event')} of {told['met']:,} of {told['listed']:,} listed ids")
    stands = f"a listed id stands in {told['found']:,} of them"
    where = stands if told["found"] else "no listed id stands there"
    print(f"{how}: {looked['lines']:,} lines of {looked['files']:,} files; {where}")
    for place in places[:ERASED_SHOWN_MAX]:
        here = f"{printable(place['file'])}:{place['line']}"
        print(f"  {here} holds the id in line {place['listed']} of the list")
    if told["found"] > ERASED_SHOWN_MAX:
        print(f"  and {told['found'] - ERASED_SHOWN_MAX:,} more: see the report")


def _print_rejects(report: dict[str, Any], place: str, first: dict[str, Any] | None) -> None:
    if report["events"]["rejected"]:
        told = f"; the first: {printable(first['message'])}" if first else ""
        print_hanging("", f"rejected records: {place}{told}")


def _print_hazards(report: dict[str, Any], when: str, hazards: list[dict[str, Any]]) -> None:
    if hazards:
        print(f"what {report['to'].partition('/')[0]} does with these rows {when}:")
    for hazard in hazards:
        kind = "loses" if hazard["loses"] else "alter" if "receiver_changes" in hazard else "said"
        print_hanging(f"{kind:<6}", f"{hazard['name']}: {hazard['message']}")
        print_hanging(" " * 6, f"instead: {hazard['instead']}")


def _print_counts(report: dict[str, Any]) -> None:
    """Print what went in and out, what is lost, and what there is to know."""
    from translate.vocabulary.notes import flaws

    counts, files = report["events"], report["inputs"]["files"]
    size = f"{many(files, 'file')}, {report['inputs']['bytes']:,} bytes"
    print_hanging("", f"{report['from']} -> {report['to']}: {size}")
    if "trusted_folders" in report:
        told = report["trusted_folders"]
        where = f"{told['files']:,} files in {len(told['folders']):,} folders"
        print_hanging("", f"not read: {where}, by --trust-folders {told['days']:g}")
    reasons = {"rejected": report["rejects"], "filtered": report["filtered"]}
    for name in ("read", "added", "written", "rejected", "filtered", "duplicates", "merged"):
        if counts[name] or name in ("read", "written"):
            print_hanging(f"{counted(name, counts[name])}  ", by_count(reasons.get(name, {})))
    print_list("lost or changed", report["losses"], _lost)
    wrong = flaws(report)
    known = [finding for finding in report["findings"] if finding not in wrong]
    print_list("to settle", wrong, lambda finding: str(finding["message"]))
    print_list("to know", known, lambda finding: str(finding["message"]))


def _lost(loss: dict[str, Any]) -> str:
    example = f", for example {loss['example']}" if "example" in loss else ""
    return f"{loss['field']}: {loss['kind']}, {loss['why']}{example}"


def print_stream(report: Streamed, rejects: Path | None) -> None:
    """Print what became of the events of a stream."""
    print_verdict(report)
    _print_counts(report)
    _print_rejects(report, str(rejects or "not kept; --rejects FILE keeps them"), report.first_reject)
    if "erasure" in report:
        print_erasure(report["erasure"], "looked through")
    as_of = next((hazard["as_of"] for hazard in report["hazards"]), "")
    _print_hazards(report, f"if they come at {as_of}", report["hazards"])


# -- a replay ------------------------------------------------------------------------------------------------

SHOWN_REQUESTS = 2
BODY_SHOWN = 400
TICK_SECONDS = 0.5


def tell_of_interruption(under_way: int) -> None:
    """Say what is waited for, and how to wait no longer."""
    if under_way:
        told = f"waiting for {under_way} answers; Ctrl-C again gives them up, and counts them as lost"
        print(f"translate: {told}", file=sys.stderr)


def tell_of_silence(told: Unheard, where: str) -> None:
    """Say that nobody answers, or that whoever does takes nothing, and what is done about it."""
    heard = "nothing is taken by" if told.answers else "no answer from"
    tries = f"{many(told.tries, 'request')} tried"
    print(
        f"translate: {heard} {printable(where)} for {told.seconds:.0f} seconds, {tries}: {printable(told.why.rpartition('): ')[2])}; "
        f"each is tried again, at most {told.attempts_max} times and a minute apart, before the run gives up; "
        "Ctrl-C stops it now, and the same call goes on",
        file=sys.stderr,
    )


class Ticker:
    """One line on the terminal: events sent, rate, time left."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._shown = 0.0

    def __call__(self, outcome: Outcome, left: int) -> None:
        """Tell of a run, of which so many events were left."""
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


def tell_of_outlook(look: Outlook, bar: Bar, accepted: Collection[str] | None) -> None:
    """Say, before anything is sent, what is known: on standard error, for it is no result.

    A finding that stops the run is told when it does; `accepted` is None where nothing stops it.
    """
    bar.clear()
    for sentence in look.plan.sentences:
        print(f"translate: {sentence}", file=sys.stderr)
    for finding in look.findings:
        if not finding.loses or accepted is None or finding.name in accepted:
            print(f"translate: {finding.text}", file=sys.stderr)


def print_requests(report: dict[str, Any], journal: Path) -> None:
    """Print the first requests as they would go out."""
    _print_nothing_written(report)
    for request in report["requests_shown"][:SHOWN_REQUESTS]:
        print(f"{request['method']} {printable(request['url'])}")
        for name, value in request["headers"].items():
            print(f"{name}: {printable(str(value))}")
        body = request["body"]
        body = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        print(printable(body[:BODY_SHOWN]) + (" ..." if len(body) > BODY_SHOWN else ""))
        print()
    print_erasure_of_replay(report)
    shown = f"{len(report['requests_shown']):,} of {report['packed']['requests']:,} requests"
    print(f"{shown} lie in {journal / 'dry-run'}; nothing was sent")


def print_replay(report: dict[str, Any], journal: Path) -> None:
    """Print what became of the events."""
    _print_nothing_written(report)
    events, unconverted = report["events"], journal / "converted" / "rejects.ndjson"
    print(f"{report['from']} -> {report['to']}")
    _print_told(
        ("sent", events["sent"], f"in {many(report['requests'], 'request')}"),
        *_there(
            ("rejected", events["rejected"], by_count(report["rejects"])),
            ("left", events["left"], ""),
            ("not converted", report["conversion"]["rejected"], f"see {unconverted}"),
            ("lost answers", report["lost_answers"], _twice(report)),
            ("throttled", report["throttled"], "times"),
        ),
    )
    found = [{"events": count, "text": text} for text, count in report["findings"].items()]
    print_list("to know", found, lambda entry: str(entry["text"]))
    if events["rejected"]:
        mended = f"as requests, to be replayed once mended: {journal / 'rejected.ndjson'}"
        print(f"refused events: {journal / 'rejects.ndjson'}; {mended}")
    print_erasure_of_replay(report)
    if report["stopped"]:
        print(f"stopped: {printable(report['stopped'])}; the same call goes on")
    if events["sent"] and report["verify"]:
        print("to see what arrived:")
        for text in report["verify"]:
            print(f"  {text}")
    print(f"report: {journal / 'report.json'}")


def print_erasure_of_replay(report: dict[str, Any]) -> None:
    """Print who was left out, if somebody was, and whether he stands in requests, answers or journal all the same."""
    if "erasure" in report:
        print_erasure(report["erasure"], "read again")


def print_status(found: dict[str, Any]) -> None:
    """Print where a replay stands."""
    from translate.judging.hazards import duration

    events = found["events"]
    running = "running" if found["running"] else "not running"
    print(f"{found['journal']}: {found['to']} at {found['endpoint']}, {running}")
    under_way = f"{found['under_way']:,} under way, {found['throttled']:,} throttled"
    known = [name for name in ("total", "sent", "rejected", "left") if events[name] is not None]
    _print_told(
        *((name, events[name], "") for name in known),
        ("requests", found["requests"], under_way),
        *_there(("lost answers", found["lost_answers"], _twice(found))),
    )
    if found["events_per_second"]:
        print(f"rate      {found['events_per_second']:>14,.1f}  events a second")
    if found["hours_left"]:
        print(f"time to go  {duration(found['hours_left'] * 3600)}")
    print(f"first sent {found['first_at'] or '-'}, last answer {found['last_at'] or '-'}")
    if found["stopped"]:
        print(f"stopped: {printable(found['stopped'])}")


Row = tuple[str, int, str]  # a name, its count, and what is told of it


def _print_told(*rows: Row) -> None:
    for name, count, told in rows:
        print(f"{counted(name, count)}  {told}".rstrip())


def _there(*rows: Row) -> list[Row]:
    """Leave out what there is none of."""
    return [row for row in rows if row[1]]


def _twice(report: dict[str, Any]) -> str:
    return f"{report['lost_events']:,} events may have arrived twice, with the same ids"
