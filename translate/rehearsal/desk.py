"""The front desk: whose request it is, what its endpoint makes of it, what misbehaviour makes of that, and the accounts."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from translate.errors import UsageError, suggest
from translate.mapping.description import is_loopback
from translate.rehearsal import aws, clickstream, learning_context, mobile_analytics, services
from translate.rehearsal.described import DescribedTarget
from translate.rehearsal.ledger import KINDS, Gate, Ledger, TargetCounts
from translate.rehearsal.messages import HttpReply, HttpRequest, Judgement, json_reply
from translate.rehearsal.options import Options, Whim, failing_items, retry_after, whim_of
from translate.rehearsal.wire import Action

HOST = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<name>[^:\[\]]+))(?::[0-9]*)?")
MISDIRECTED = 421
TOO_MANY = "Too many requests"
NDJSON = {"Content-Type": "application/x-ndjson"}
MEANT_FOR_ANOTHER = (
    "a rehearsal answers to 127.0.0.1, localhost and [::1], and Host says another name: use the address that it printed, "
    "or start it with --expose if others may reach it"
)


@dataclass(frozen=True)
class Face:
    """What a target makes of a request, and how it says that there were too many, and that something broke."""

    judge: Callable[[HttpRequest, Options], Judgement]
    throttled: Callable[[HttpRequest], HttpReply]
    failed: Callable[[HttpRequest], HttpReply]


def _as_aws(judge: Callable[[HttpRequest, Options], Judgement]) -> Face:
    return Face(
        judge,
        lambda request: aws.error(429, "ThrottlingException", "Rate exceeded", request),
        lambda request: aws.error(500, "InternalFailure", "Internal failure", request),
    )


FACES = {
    "clickstream": Face(clickstream.judge, lambda _: clickstream.page(503), lambda _: clickstream.page(502)),
    "pinpoint": Face(
        services.judge_pinpoint,
        lambda request: services.error(429, "TooManyRequestsException", TOO_MANY, request),
        lambda request: services.error(500, "InternalServerErrorException", "Internal server error", request),
    ),
    "personalize": _as_aws(services.judge_personalize),
    "mobile_analytics": _as_aws(mobile_analytics.judge),
    "learning_context": Face(
        learning_context.judge,
        lambda _: learning_context.failure(503, TOO_MANY),
        lambda _: learning_context.failure(500, "Internal error"),
    ),
}


def is_own(host: str | None) -> bool:
    """Tell whether a `Host` names this machine itself; who sends none, an old or bare client, is no browser."""
    if host is None:
        return True
    found = HOST.fullmatch(host)
    name = (found["v6"] or found["name"] or "") if found else ""
    return is_loopback(name.lower())


def target_of(path: str) -> str:
    """Tell by its path whose request it is; what nobody knows falls to Clickstream's load balancer."""
    if path.startswith("/v1/apps/"):
        return "pinpoint"
    if path == services.PATH:
        return "personalize"
    if path == mobile_analytics.PATH:
        return "mobile_analytics"
    return "learning_context" if learning_context.PATH.fullmatch(path) else "clickstream"


@dataclass(slots=True)
class _Case:
    """One request on its way through the desk; no `reply`: the connection is reset."""

    number: int
    target: str
    request: HttpRequest
    outcome: Judgement
    whim: Whim
    reply: HttpReply | None
    deferred: int
    face: Face | DescribedTarget
    played: DescribedTarget | None
    taken: bool = True

    def postpone(self, reply: HttpReply | None) -> None:
        """Take nothing of the request, without anything against its events."""
        self.reply, self.taken, self.deferred = reply, False, self.outcome.events


class Desk:
    """Answers requests one after the other; what it counts may be read from other threads."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._lock = threading.Lock()
        self._number = 0
        self._begun = time.monotonic()
        described = [model for model in options.play if model not in FACES]
        self._described = {model: DescribedTarget(model, options.mappings) for model in described}
        self.targets = options.play or tuple(FACES)
        self._refuse_unknown(options)
        self._total = TargetCounts()
        self._tallies = {target: TargetCounts() for target in self.targets}
        self._quotas = {target: Gate() for target in self.targets}
        self.ledger = Ledger(options.keep)

    def path(self, target: str, options: Options) -> str:
        """Give the path of a target's address."""
        if target in self._described:
            return f"/{target}{self._described[target].sending.path}"
        return options.collect_path if target == "clickstream" else ""

    def _refuse_unknown(self, options: Options) -> None:
        known = {name for played in self._described.values() for name in played.sending.answers}
        for name in options.answers.keys() - known:
            none = f"no described service that is played has it{suggest(name, known)}"
            raise UsageError(f"--answer {name}: {none} (they have: {', '.join(sorted(known)) or 'none'})")

    def _target(self, path: str) -> str | None:
        """Tell by its path whose request it is; a described service has its own below its name, or, played alone, where it is."""
        for model, played in self._described.items():
            own = path.removeprefix(f"/{model}")
            if own.rstrip("/") == played.sending.path.rstrip("/") and (own != path or len(self.targets) == 1):
                return model
        found = target_of(path)
        return found if found in self.targets else None

    def answer(self, request: HttpRequest) -> Action:
        """Answer a request, whatever it is."""
        if not (self.options.expose or is_own(request.headers.get("host"))):
            return Action(json_reply(MISDIRECTED, {"message": MEANT_FOR_ANOTHER}))
        if request.path.startswith("/_"):
            return Action(self._tell(request))
        target = self._target(request.path)
        if target is None:
            said = f"nothing is played here, but {', '.join(self.targets)}"
            return Action(json_reply(404, {"message": said}))
        self._number += 1
        request.id = f"{self.options.seed % 2**32:08x}-0000-4000-8000-{self._number:012x}"
        whim = whim_of(self.options, self._number)
        played = self._described[target].hearing(request, whim.answer) if target in self._described else None
        face = played or FACES[target]
        outcome = face.judge(request, self.options)
        case = _Case(
            self._number, target, request, outcome, whim, outcome.reply, outcome.deferred, face, played
        )
        marks = self._meddle(case)
        with self._lock:
            self._write(case, marks)
        unheard = (lambda: self._unheard(target)) if case.taken and case.outcome.accepted else None
        return Action(case.reply, case.whim.delay_seconds, unheard)

    def _meddle(self, case: _Case) -> list[str]:
        """Let the request meet its misbehaviour; give the names of what it met."""
        marks = []
        quota, kind = self.options.quota_per_second, case.whim.kind
        if quota and not self._quotas[case.target].lets(time.monotonic(), quota):
            kind = "over_quota"
        if kind in ("over_quota", "throttle"):
            reply = case.face.throttled(case.request)
            reply.headers.update(retry_after(self.options))
            marks.append(kind)
            case.postpone(reply)
        elif kind in ("errors", "reset_before"):
            marks.append(kind)
            case.postpone(case.face.failed(case.request) if kind == "errors" else None)
        elif case.whim.answer and case.played and self._give(case, case.whim.answer):
            marks.append(case.whim.answer)
        elif case.whim.partial and case.outcome.accepted and self._spoil(case):
            marks.append("partial")
        if case.taken and case.whim.kind == "reset_after":
            marks.append("reset_after")
            case.reply = None
        if case.whim.delay_seconds:
            marks.append("slow")
        return marks

    def _give(self, case: _Case, name: str) -> bool:
        """Give a described service's answer of a name to a request that nothing is wrong with; tell whether it is given."""
        answer = case.played.sending.answers.get(name) if case.played else None
        if answer is None or case.played is None:
            return False
        if answer.answers_first:
            return not case.outcome.deferred  # given already, unless its events were not come to
        if case.outcome.rejected:
            return False
        if answer.means == "partly" or (answer.means == "refused" and answer.names_events):
            return self._spoil(case, name)
        reply = case.played.reply(answer, answer.statuses[0], name, taken=len(case.outcome.accepted))
        if answer.means == "done":
            case.reply = reply
        else:
            case.postpone(reply)
        return True

    def _spoil(self, case: _Case, name: str | None = None) -> bool:
        """Refuse some of the items that would have been taken, where the service tells which; tell whether it does."""
        if case.played:
            chosen = failing_items(self.options, case.number, len(case.outcome.accepted))
            bad = dict.fromkeys(chosen, ("event", "Invalid event"))
            spoiled = case.played.spoiled(case.outcome, bad, name) if bad else None
            if spoiled is not None:
                case.outcome, case.reply, case.deferred = spoiled, spoiled.reply, spoiled.deferred
            return spoiled is not None
        if case.target == "pinpoint":
            codes = failing_items(self.options, case.number, len(case.outcome.accepted))
            case.deferred += services.spoil(case.request, case.outcome, codes)
            case.reply = case.outcome.reply
        return case.target == "pinpoint"

    def _write(self, case: _Case, marks: list[str]) -> None:
        """Put the request into the accounts, before its answer goes out."""
        request, outcome = case.request, case.outcome
        events = outcome.events + (case.deferred - outcome.deferred if case.taken else 0)
        status = case.reply.status if case.reply else None
        accepted, rejected = (outcome.accepted, outcome.rejected) if case.taken else ([], [])
        if accepted:
            self.ledger.accept(case.target, request.id, accepted)
        if rejected:
            self.ledger.reject(case.target, request.id, rejected)
        at = round(request.arrived - self._begun, 6)
        arrival = {"target": case.target, "at": at, "events": events, "status": status, "request": request.id}
        self.ledger.arrive(arrival)
        counts = {
            "requests": 1, "events": events, "accepted": len(accepted), "rejected": len(rejected), "deferred": case.deferred,
            "lost_later": sum(refusal.later for refusal in rejected), "bytes": request.bytes,
            "answers_lost": int(case.reply is None and case.taken),
        }  # fmt: skip
        for tally in (self._total, self._tallies[case.target]):
            tally.counts.update(counts)
            tally.statuses[str(status) if status else "reset"] += 1
            tally.reasons.update(refusal.code for refusal in rejected)
            tally.misbehaviour.update(marks)
            tally.notes.update(outcome.notes)
            tally.busiest.add(request.arrived, events)

    def _unheard(self, target: str) -> None:
        with self._lock:
            self._total.counts["answers_lost"] += 1
            self._tallies[target].counts["answers_lost"] += 1

    def stats(self) -> dict[str, Any]:
        """Give the counts, in total and by target."""
        with self._lock:
            seconds = round(time.monotonic() - self._begun, 3)
            heard = {target: tally for target, tally in self._tallies.items() if tally.counts["requests"]}
            targets = {target: tally.to_json() for target, tally in heard.items()}
            about = {"seed": self.options.seed, "seconds": seconds}
            return {**about, **self._total.to_json(), "targets": targets}

    def _tell(self, request: HttpRequest) -> HttpReply:
        name = request.path.removeprefix("/_")
        if request.method not in ("GET", "HEAD"):
            return json_reply(405, {"message": "GET tells; nothing can be changed"})
        if name == "stats":
            return json_reply(200, self.stats())
        if name not in KINDS:
            known = ", ".join(f"/_{kind}" for kind in KINDS)
            return json_reply(404, {"message": f"there are /_stats, {known}"})
        asked = request.parameters()
        target = asked.get("target")
        if target and target not in self.targets:
            return json_reply(404, {"message": f"target is one of {', '.join(self.targets)}"})
        if request.method == "HEAD":
            return HttpReply(200, headers=dict(NDJSON))
        names = asked["fields"].split(",") if asked.get("fields") else None
        return HttpReply(200, headers=dict(NDJSON), stream=self.ledger.blocks(name, target, names))
