"""A service that its sheet describes, played: it takes and refuses events as the sheet's limits say, and answers as its [delivery.http] does."""

from __future__ import annotations

import base64
import copy
import os
import time
import zlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

from translate import mapping
from translate.errors import UsageError
from translate.judging.views import EventJudge, Faults
from translate.mapping.replies import ServiceAnswer
from translate.mapping.sending import Authentication
from translate.reader.shipments import entry_of, events_of, find_column
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
UNOPENED = (ValueError, OSError, EOFError, zlib.error)
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
        self.done = self.sending.meaning("done", "partly")

    def hearing(self, request: HttpRequest, asked_for: str | None = None) -> Self:
        """Give the service as it is to one request, by the parameters of its address and its form.

        Where an answer is asked for that comes before it looks at the events, it is one that gives this to all of them.
        """
        form = self._form(request)
        said = {name.decode("latin-1"): text.decode("latin-1") for name, text in form.items()}
        heard = copy.copy(self)
        heard.sending = self.sending.answering(request.parameters() | said)
        asked = heard.sending.answers.get(asked_for or "")
        is_blind = asked is not None and asked.answers_first
        heard.done = asked if is_blind else heard.sending.meaning("done", "partly")
        return heard

    def judge(self, request: HttpRequest, options: Options) -> Judgement:
        """Answer one request."""
        if request.method != self.sending.method:
            return Judgement(self._error(WRONG_METHOD, f"{self.sending.method} only"))
        if request.bytes > KEPT_BYTES_MAX:
            return Judgement(self._of_status(TOO_LARGE, f"more than {KEPT_BYTES_MAX} bytes"))
        try:
            body = _opened(request)
            body = self._form(request).get((self.sending.form or "").encode(), body)
            tree = self._tree(body)
            events = list(events_of(tree, self.layout))
        except (Unreadable, LookupError, TypeError, *UNOPENED) as error:
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
                if name == "events_max" and self._answers_first:
                    return self._lost(items, dict.fromkeys(range(len(items)), (name, why)))
                return Judgement(self._of_status(TOO_LARGE, why), deferred=len(items))
        return None

    def _throttled(self, events: list[Any], options: Options) -> Judgement | None:
        busy = self._busy(events, options)
        ids = dict(enumerate(self._id_of(event) for event in events)) if busy else {}
        reply = self.reply(self.sending.meaning("slower"), 429, "too many requests", busy, ids=ids)
        return Judgement(reply, deferred=len(events)) if busy else None

    def _looked(self, items: list[Item], events: list[Any]) -> Judgement:
        faults, altered = self._judge.look(events) if events else ({}, ())
        outcome = (self._lost if self._answers_first else self._judged)(items, faults)
        outcome.notes = altered
        return outcome

    @property
    def _answers_first(self) -> bool:
        return self.done is not None and self.done.answers_first

    def _lost(self, items: list[Item], faults: Faults) -> Judgement:
        """Answer that all were taken, and lose these without a word."""
        outcome = self._judged(items, {})
        outcome.accepted = [item for index, item in enumerate(items) if index not in faults]
        lost = sorted(faults.items())
        outcome.rejected = [Refusal(items[index], *fault, later=True) for index, fault in lost]
        return outcome

    def _judged(self, items: list[Item], faults: Faults) -> Judgement:
        """Take or refuse events, these among them that something speaks against."""
        if faults:
            return self._told(items, faults, self.sending.meaning("partly") or self._refusal())
        return Judgement(self.reply(self.done, 200, "", {}, len(items)), items)

    def _told(self, items: list[Item], faults: Faults, answer: ServiceAnswer | None) -> Judgement:
        """Tell of bad events by an answer, which takes the others or none."""
        rejected = [Refusal(items[index], place, why) for index, (place, why) in sorted(faults.items())]
        others = [item for index, item in enumerate(items) if index not in faults]
        ids = {index: items[index].id for index in faults}
        reply = self.reply(answer, REFUSED, rejected[0].message, faults, len(others), ids)
        if answer is not None and answer.means == "partly":
            return Judgement(reply, others, rejected)
        return Judgement(reply, rejected=rejected, deferred=len(others))

    def _refusal(self) -> ServiceAnswer | None:
        """Find the answer to a request that something is wrong with: one that tells which events, if there is one."""
        answers = [answer for answer in self.sending.answers.values() if answer.means == "refused"]
        telling = [answer for answer in answers if answer.names_events]
        by_status = [answer for answer in answers if REFUSED in answer.statuses]
        return next(iter(telling + by_status + answers), None)

    def spoiled(self, outcome: Judgement, faults: Faults, name: str | None) -> Judgement | None:
        """Refuse some events of a request that would have been taken; None where the service never tells which."""
        answer = self.sending.answers[name] if name else self.sending.meaning("partly") or self._refusal()
        return self._told(outcome.accepted, faults, answer) if answer and answer.names_events else None

    # -- who sends, and how often ----------------------------------------------------------------------------------

    def _is_let_in(self, request: HttpRequest, tree: Any) -> bool:
        way = self.sending.authentication
        if way is None:
            return True
        if way.kind == "basic":
            return self._is_basic(way, request.headers.get("authorization", ""))
        members = tree if isinstance(tree, dict) else {}
        places = {"header": request.headers, "query": request.parameters(), "member": members}
        said = places[way.kind].get(way.name.lower() if way.kind == "header" else way.name)
        if not isinstance(said, str) or not said.startswith(way.before):
            return False
        return self._knows(way.secret, said.removeprefix(way.before))

    def _is_basic(self, way: Authentication, header: str) -> bool:
        kind, _, token = header.partition(" ")
        try:
            user, colon, secret = base64.b64decode(token, validate=True).decode().partition(":")
        except ValueError:
            return False
        is_known = not way.secret or secret == self._secrets.get(way.secret, secret)
        return kind.lower() == "basic" and bool(colon) and self._knows(way.user, user) and is_known

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

    def _form(self, request: HttpRequest) -> dict[bytes, bytes]:
        """Read the form that clients may send a body in; curl calls any body one."""
        is_form = request.headers.get("content-type", "").partition(";")[0] == FORM
        try:
            return dict(parse_qsl(_opened(request))) if self.sending.form and is_form else {}
        except UNOPENED:
            return {}

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
        kept = event
        for path in self._left_out:
            kept = _without(kept, path)
        return Item(None, self._id_of(event), kept)

    def _id_of(self, event: Any) -> str | None:
        found: Any = event if self._id_path else None
        for segment in self._id_path:
            found = found.get(segment) if isinstance(found, dict) else None
        return found if isinstance(found, str) else None

    def reply(
        self,
        answer: ServiceAnswer | None,
        status: int,
        why: str,
        blamed: Faults | None = None,
        taken: int = 0,
        ids: Mapping[int, str | None] | None = None,
    ) -> HttpReply:
        """Give an answer of the sheet, or where it has none, one of this status."""
        if answer is None:
            return self._error(status, why)
        text = answer.played(blamed or {}, taken, ids)
        found = status if status in answer.statuses else answer.statuses[0]
        kind = "text/plain" if isinstance(answer.body, str) else "application/json"
        return HttpReply(found, text.encode(), {"Content-Type": kind})

    def throttled(self, _: HttpRequest) -> HttpReply:
        """Answer that there were too many requests."""
        return self.reply(self.sending.meaning("slower"), 429, "Too many requests")

    def failed(self, _: HttpRequest) -> HttpReply:
        """Answer that something broke."""
        return self.reply(self.sending.meaning("again"), 500, "internal error")

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
