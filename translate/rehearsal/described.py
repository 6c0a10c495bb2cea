"""A service that its sheet describes, played: it takes and refuses events as the sheet's limits say, and answers as its [delivery.http] does."""

from __future__ import annotations

import base64
import os
import time
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from translate import mapping
from translate.delivery.shipments import entry_of, events_of, find_column
from translate.errors import UsageError
from translate.judging.apart import EventJudge, Faults
from translate.mapping.sending import ServiceAnswer
from translate.rehearsal.clickstream import inflated
from translate.rehearsal.messages import (
    KEPT_BYTES_MAX,
    HttpReply,
    HttpRequest,
    Item,
    Judgement,
    Refusal,
    Unreadable,
    json_reply,
    parsed,
)
from translate.rehearsal.options import Options

FORM = "application/x-www-form-urlencoded"
REFUSED, TOO_LARGE, WRONG_METHOD, NOT_LET_IN = 400, 413, 405, 401


class DescribedTarget:
    """The endpoint of one model."""

    def __init__(self, model: str, mappings: Path | None) -> None:
        sheet = mapping.load(model, mappings)
        if sheet.delivery is None or sheet.delivery.http is None:
            raise UsageError(
                f"--as {model}: its mapping describes no [delivery.http], so there is nothing to play"
            )
        self.sending = sheet.delivery.http
        self.layout = sheet.layouts[sheet.delivery.layout]
        self._judge = EventJudge(sheet, self.layout)
        self._left_out = [entry.path for entry in self.layout.fields if entry.word.is_left_out]
        self._secrets = {name: os.environ[name] for name in self.sending.variables if os.environ.get(name)}
        clients = [column for name in sheet.delivery.order if (column := find_column(self.layout, name))]
        self._client = clients[0] if clients else None
        id_field = entry_of(self.layout, "event_id")
        self._id_path = id_field[0].path if id_field and not id_field[1] else ()
        self._free_at: dict[str, float] = defaultdict(float)

    def judge(self, request: HttpRequest, options: Options) -> Judgement:
        """Answer one request."""
        if request.method != self.sending.method:
            return Judgement(self._error(WRONG_METHOD, f"{self.sending.method} only"))
        if request.bytes > KEPT_BYTES_MAX:
            return Judgement(self._of_status(TOO_LARGE, f"more than {KEPT_BYTES_MAX} bytes"))
        try:
            body = self._outside_form(request, _opened(request))
            tree = self._tree(body)
            events = list(events_of(tree, self.layout))
        except (Unreadable, LookupError, TypeError, ValueError, OSError, EOFError, zlib.error) as error:
            return Judgement(self.reply(None, REFUSED, f"cannot be read: {error}"))
        items = [self._item(event) for event in events]
        if not self._is_let_in(request, tree):
            way = self.sending.authentication
            answer = self.sending.answers.get(way.answer) if way else None
            return Judgement(self.reply(answer, NOT_LET_IN, "not authorized"), deferred=len(items))
        return self._too_large(body, items) or self._throttled(events, options) or self._looked(items, events)

    def _too_large(self, body: bytes, items: list[Item]) -> Judgement | None:
        limits = self.layout.request.limits if self.layout.request else {}
        for name, size in (("bytes_max", len(body)), ("events_max", len(items))):
            if name in limits and limits[name].hard and size > limits[name].value:
                why = f"{size} is more than {limits[name].value}"
                if name == "events_max" and self.sending.answers_first:
                    return self._lost(items, dict.fromkeys(range(len(items)), (name, why)))
                return Judgement(self._of_status(TOO_LARGE, why), deferred=len(items))
        return None

    def _throttled(self, events: list[Any], options: Options) -> Judgement | None:
        busy = self._busy(events, options)
        reply = self.reply(self.sending.meaning("slower"), 429, "too many requests", busy)
        return Judgement(reply, deferred=len(events)) if busy else None

    def _looked(self, items: list[Item], events: list[Any]) -> Judgement:
        faults, altered = self._judge.look(events) if events else ({}, ())
        outcome = (self._lost if self.sending.answers_first else self._judged)(items, faults)
        outcome.notes = altered
        return outcome

    def _lost(self, items: list[Item], faults: Faults) -> Judgement:
        """Answer that all were taken, and lose these without a word."""
        outcome = self._judged(items, {})
        outcome.accepted = [item for index, item in enumerate(items) if index not in faults]
        outcome.rejected = [
            Refusal(items[index], *fault, later=True) for index, fault in sorted(faults.items())
        ]
        return outcome

    def _judged(self, items: list[Item], faults: Faults) -> Judgement:
        """Take or refuse events, these among them that something speaks against."""
        if faults:
            return self._told(items, faults, self.sending.meaning("partly") or self._refusal())
        return Judgement(self.reply(self.sending.meaning("done", "partly"), 200, "", {}, len(items)), items)

    def _told(self, items: list[Item], faults: Faults, answer: ServiceAnswer | None) -> Judgement:
        """Tell of bad events by an answer, which takes the others or none."""
        rejected = [Refusal(items[index], place, why) for index, (place, why) in sorted(faults.items())]
        others = [item for index, item in enumerate(items) if index not in faults]
        reply = self.reply(answer, REFUSED, rejected[0].message, faults, len(others))
        if answer is not None and answer.means == "partly":
            return Judgement(reply, others, rejected)
        return Judgement(reply, rejected=rejected, deferred=len(others))

    def _refusal(self) -> ServiceAnswer | None:
        """Find the answer to a request that something is wrong with: one that tells which events, if there is one."""
        answers = [answer for answer in self.sending.answers.values() if answer.means == "refused"]
        telling = [answer for answer in answers if answer.indexes]
        return next(
            iter(telling + [answer for answer in answers if REFUSED in answer.statuses] + answers), None
        )

    def spoiled(self, outcome: Judgement, faults: Faults, name: str | None) -> Judgement | None:
        """Refuse some events of a request that would have been taken; None where the service never tells which."""
        answer = self.sending.answers[name] if name else self.sending.meaning("partly") or self._refusal()
        return self._told(outcome.accepted, faults, answer) if answer and answer.indexes else None

    # -- who sends, and how often ----------------------------------------------------------------------------------

    def _is_let_in(self, request: HttpRequest, tree: Any) -> bool:
        way = self.sending.authentication
        if way is None:
            return True
        said = request.headers.get(way.name.lower()) if way.kind == "header" else None
        if way.kind == "basic":
            return self._is_basic(request.headers.get("authorization", ""))
        if way.kind == "member":
            said = tree.get(way.name) if isinstance(tree, dict) else None
        elif way.kind == "query":
            said = request.parameters().get(way.name)
        return (
            isinstance(said, str)
            and said.startswith(way.before)
            and self._knows(way.secret, said.removeprefix(way.before))
        )

    def _is_basic(self, header: str) -> bool:
        way = self.sending.authentication
        kind, _, token = header.partition(" ")
        try:
            user, colon, secret = base64.b64decode(token, validate=True).decode().partition(":")
        except ValueError:
            return False
        known = (
            way is not None
            and self._knows(way.user, user)
            and (not way.secret or secret == self._secrets.get(way.secret, secret))
        )
        return kind.lower() == "basic" and bool(colon) and known

    def _knows(self, variable: str, said: str) -> bool:
        """Tell whether a secret is the one of this process's environment; where that has none, any will do."""
        return bool(said) and said == self._secrets.get(variable, said)

    def _busy(self, events: list[Any], options: Options) -> Faults:
        """Find the events of clients that send more than they may; if there is none, count all of them."""
        most = options.client_events_per_second
        if not most or self._client is None:
            return {}
        now = time.monotonic()
        clients = self._client.of_events(events)
        why = ("client", "too many events of one client")
        busy = {index: why for index, client in enumerate(clients) if self._free_at[str(client)] > now}
        for client in [] if busy else clients:
            if client is not None:
                self._free_at[str(client)] = max(now, self._free_at[str(client)]) + 1 / most
        return busy

    # -- what is read, and what is answered ------------------------------------------------------------------------

    def _outside_form(self, request: HttpRequest, body: bytes) -> bytes:
        """Take a body out of the form that clients may send it in; curl calls any body one."""
        is_form = request.headers.get("content-type", "").partition(";")[0] == FORM
        return (
            dict(parse_qsl(body)).get(self.sending.form.encode(), body)
            if self.sending.form and is_form
            else body
        )

    def _tree(self, body: bytes) -> Any:
        if self.sending.body == "ndjson" and not body.lstrip().startswith(b"["):
            tree: Any = [parsed(line) for line in body.splitlines() if line.strip()]
            for segment in reversed(self.sending.each):
                tree = {segment: tree}
        else:
            tree = parsed(body)
        for place in self.layout.request.closed if self.layout.request else ():
            if isinstance(tree, dict) and isinstance(tree.get(place), str):
                tree[place] = parsed(tree[place])
        if isinstance(tree, list) and self.sending.each:
            tree = {self.sending.each[0]: tree}
        return tree

    def _item(self, event: Any) -> Item:
        """Take an event down, without what proves who sends."""
        event_id: Any = event
        for segment in self._id_path:
            event_id = event_id.get(segment) if isinstance(event_id, dict) else None
        kept = event
        for path in self._left_out:
            kept = _without(kept, path)
        return Item(None, event_id if self._id_path and isinstance(event_id, str) else None, kept)

    def reply(
        self,
        answer: ServiceAnswer | None,
        status: int,
        why: str,
        blamed: Faults | None = None,
        taken: int = 0,
    ) -> HttpReply:
        """Give an answer of the sheet, or where it has none, one of this status."""
        if answer is None:
            return self._error(status, why)
        text = answer.played(blamed or {}, taken)
        is_text = isinstance(answer.body, str)
        found = status if status in answer.statuses else answer.statuses[0]
        return HttpReply(
            found, text.encode(), {"Content-Type": "text/plain" if is_text else "application/json"}
        )

    def meaning(self, means: str, status: int, why: str) -> HttpReply:
        """Give the answer of a meaning, or where the sheet has none, one of this status."""
        return self.reply(self.sending.meaning(means), status, why)

    def _of_status(self, status: int, why: str) -> HttpReply:
        found = (answer for answer in self.sending.answers.values() if status in answer.statuses)
        return self.reply(next(found, None), status, why)

    @staticmethod
    def _error(status: int, why: str) -> HttpReply:
        return json_reply(status, {"error": why})


def _opened(request: HttpRequest) -> bytes:
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding == "identity":
        return request.body
    if coding not in ("gzip", "deflate"):
        raise ValueError(f"Content-Encoding {coding} is not taken")
    return inflated(request.body)


def _without(node: Any, path: tuple[str, ...]) -> Any:
    if not path or not isinstance(node, dict) or path[0] not in node:
        return node
    copied = dict(node)
    if len(path) == 1:
        del copied[path[0]]
    else:
        copied[path[0]] = _without(node[path[0]], path[1:])
    return copied
