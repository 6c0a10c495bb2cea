"""A service that its sheet describes: requests are made, and its answers sorted, as the table [delivery.http] says."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from translate.delivery.answers import (
    SENT,
    Advice,
    Answer,
    Pile,
    Reply,
    Told,
    Verdict,
    halt,
    json_bytes,
    sort_refusal,
    told_by,
)
from translate.delivery.endpoints import Outgoing, PooledEndpoint, Target, compressed
from translate.delivery.secrets import MASK, NO_HEADER, Secrets
from translate.errors import UsageError
from translate.mapping.description import fits_header
from translate.mapping.replies import ServiceAnswer, json_of
from translate.mapping.sending import Parameter, Sending
from translate.mapping.spec import Layout
from translate.reader.shipments import Shipment, closed, events_of, find_column

CONTENT_TYPES = {"json": "application/json", "ndjson": "application/x-ndjson"}  # by keys.BODIES


class DescribedService(PooledEndpoint):
    """Whoever the sheet of a target describes."""

    def __init__(self, target: Target, secrets: Secrets) -> None:
        assert target.sending is not None
        assert target.layout is not None
        super().__init__(target, secrets)
        self._sending: Sending = target.sending.answering(self._said(target.sending.query))
        self._layout: Layout = target.layout
        self._id = find_column(target.layout, "event_id")
        names = " and ".join(self._sending.variables)
        asked = "the sheet says of no secret, and the service asks for one"
        advice = f"check {names} and what they allow" if names else asked
        self._advice = Advice(target.protocol, dict.fromkeys((401, 403), advice))
        way = self._sending.authentication
        if way and way.kind == "header" and not fits_header(self._given(way.secret)):
            raise UsageError(f"{way.secret} {NO_HEADER}")
        if way and way.kind == "basic" and self._given(way.user):
            secrets.remember(f"{self._given(way.user)}:{self._given(way.secret)}")  # as they are sent

    def _shown(self, shipment: Shipment, sequence: int) -> Outgoing:  # noqa: ARG002 - nothing here is numbered
        return self._request(shipment, shown=True)

    def _proven(self, shipment: Shipment, sequence: int) -> Outgoing:  # noqa: ARG002 - nothing here is numbered
        return self._request(shipment)

    # -- the request ------------------------------------------------------------------------------------------------

    def _request(self, shipment: Shipment, *, shown: bool = False) -> Outgoing:
        """Write a request; one that is shown is not compressed, and has no secret."""
        sending, way = self._sending, self._sending.authentication
        query = self._said(sending.query)
        headers = {"Content-Type": CONTENT_TYPES[sending.body], "User-Agent": self._target.user_agent}
        headers = _with(headers, self._said(sending.headers))
        request = shipment.request
        if way:
            user, secret = (MASK, MASK) if shown else (self._given(way.user), self._given(way.secret))
            if way.kind == "basic":
                token = MASK if shown else base64.b64encode(f"{user}:{secret}".encode()).decode()
                headers["Authorization"] = f"Basic {token}"
            elif way.kind == "header":
                headers = _with(headers, {way.name: f"{way.before}{secret}"})
            elif way.kind == "query":
                query[way.name] = secret
            else:
                request = {way.name: secret, **request}
        body = self._body(request)
        if sending.gzip and self._target.gzip and not shown:
            body = compressed(body)
            headers["Content-Encoding"] = "gzip"
        url = self._target.url(sending.path)
        url = f"{url}?{urlencode(query, quote_via=quote, safe='')}" if query else url
        return Outgoing(sending.method, url, headers, body)

    def _body(self, request: Any) -> bytes:
        if self._sending.body == "ndjson":
            return b"".join(json_bytes(event) + b"\n" for event in events_of(request, self._layout))
        text = closed(request, self._layout)
        try:
            return text.encode()
        except UnicodeEncodeError:
            return json_bytes(json.loads(text))

    def _said(self, parameters: tuple[Parameter, ...]) -> dict[str, str]:
        """Give the parameters that say something: texts, and settings that were set."""
        given = {
            each.name: getattr(self._target, each.setting) if each.setting else each.text
            for each in parameters
        }
        return {name: text for name, text in given.items() if text is not None}

    def _given(self, variable: str) -> str:
        return (self._secrets.get(variable) if variable else None) or ""

    # -- the answer -------------------------------------------------------------------------------------------------

    def _sorted(self, reply: Reply, shipment: Shipment) -> Answer:
        told, count = told_by(reply), len(shipment.events)
        text = reply.body.decode("utf-8", "replace")
        answer = self._sending.answer_of(reply.status, text)
        if answer is not None:
            return self._meant(answer, told, json_of(text), self._ids(answer, shipment))
        if 200 <= reply.status < 300:
            unknown = f"{self._target.protocol} answered {reply.status}, and its sheet names no such answer"
            return halt(told, count, f"{unknown}: check the endpoint")
        return sort_refusal(told, count, self._advice)

    def _ids(self, answer: ServiceAnswer, shipment: Shipment) -> list[Any]:
        """Give the id of each event, where an answer may name it."""
        if not answer.ids or self._id is None:
            return [None] * len(shipment.events)
        return self._id.of_events([*events_of(shipment.request, self._layout)])

    def _meant(self, answer: ServiceAnswer, told: Told, tree: Any, ids: list[Any]) -> Answer:
        count = len(ids)
        rest = {**told.rest(), "retry_after_seconds": told.retry_after_seconds or answer.wait_seconds}
        blamed = answer.blamed(tree, ids)
        if answer.means == "stop":
            return halt(told, count, f"{self._target.protocol} answered {told.status}: {answer.says}")
        if answer.means in ("again", "slower"):
            rest["throttled"] = answer.means == "slower"
            return Answer.all_again(count, answer.name, told.message, **rest)
        if answer.means == "partly" and not blamed:
            none_named = "some events failed, and none is named"
            return Answer.all_again(count, answer.name, none_named, lost=True, **rest)
        if answer.means == "refused" and not blamed:
            return Answer.all_refused(count, answer.name, told.message, **rest)
        not_taken = Verdict(Pile.AGAIN, answer.name, "another event of its request was refused")
        others = not_taken if answer.means == "refused" else SENT
        verdicts = tuple(
            Verdict(Pile.NEVER, answer.name, blamed[position]) if position in blamed else others
            for position in range(count)
        )
        return Answer(verdicts, findings=_miscounted(answer, tree, count - len(blamed)), **rest)


def _miscounted(answer: ServiceAnswer, tree: Any, taken: int) -> tuple[str, ...]:
    counted = answer.counted(tree)
    if answer.means == "refused" or counted is None or counted == taken:
        return ()
    return (
        f"the service counted {counted:,} events where {taken:,} were sent: it leaves out what it has already, or keeps less than it says",
    )


def _with(headers: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    """Put headers in, in place of those of the same name."""
    names = {name.lower() for name in others}
    return {**{name: text for name, text in headers.items() if name.lower() not in names}, **others}
