"""The services of Amazon that take events: Mobile Analytics, Personalize, Pinpoint, and receivers compatible with them."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from translate.delivery.answers import (
    AGAIN_STATUSES,
    SENT,
    THROTTLED_STATUSES,
    Advice,
    Answer,
    Pile,
    Told,
    Verdict,
    halt,
    json_bytes,
    sort_refusal,
    sort_silence,
    told_by,
)
from translate.delivery.endpoints import personalize
from translate.delivery.endpoints.aws import BotoEndpoint, Identity, told_in
from translate.delivery.secrets import MASK, Secrets
from translate.delivery.shipments import Shipment
from translate.delivery.target import Target
from translate.delivery.transport import Silence, open_pool

PATH = "/2014-06-05/events"
SIGNING_NAME = "mobileanalytics"
REGION = "us-east-1"  # the only one that botocore's table of endpoints has ever had for the service
CONTEXT = "x-amz-Client-Context"
ENCODING = "x-amz-Client-Context-Encoding"
ACCEPTED = 202
DENIED = (
    "the credentials must have the right mobileanalytics:PutEvents, and the receiver must know the app_id"
)
PATH_WRONG = f"the path of the endpoint is wrong: events go to {PATH}"
ADVICE = Advice("Mobile Analytics", {401: DENIED, 403: DENIED, 404: PATH_WRONG, 405: PATH_WRONG}, DENIED)

TRACKER = "the event tracker (trackingId) is unknown in this account and region: compare it with `list-event-trackers`"
# The service has no exception of its own for a tracker that it does not know.
_ABOUT_TRACKER = re.compile(r"(?i)tracking ?id|event ?tracker")

ENDED = "Pinpoint's support ended on 2026-10-30, so it may refuse everybody"
ACCEPTED = 202


class MobileAnalytics:
    """The operation PutEvents."""

    def __init__(self, target: Target, secrets: Secrets) -> None:
        self._target = target
        self._secrets = secrets
        self._identity = Identity(secrets)
        self._pool = open_pool(target)
        self._url = target.url(PATH)

    def show(self, shipment: Shipment, sequence: int) -> dict[str, Any]:  # noqa: ARG002 - nothing here is numbered
        """Give the request without its signature; looks for no credentials."""
        mask = self._secrets.mask
        headers = {name: mask(text) for name, text in self._headers(shipment).items()} | {
            "Authorization": MASK
        }
        body = mask(json_bytes(shipment.request["body"]).decode())
        return {"method": "POST", "url": mask(self._url), "headers": headers, "body": body}

    def send(self, shipment: Shipment, sequence: int) -> Answer:  # noqa: ARG002 - nothing here is numbered
        """Send the events; 202 means that they were accepted."""
        return self._secrets.cover(self._send(shipment))

    def close(self) -> None:
        """Let go of all connections."""
        self._pool.close()

    def _send(self, shipment: Shipment) -> Answer:
        count = len(shipment.events)
        try:
            headers = self._headers(shipment)
            body = json_bytes(shipment.request["body"])
        except ValueError as error:
            return Answer.all_refused(count, "not_json", str(error))
        identity = self._identity.current()
        if isinstance(identity, Silence):
            return sort_silence(identity, count)
        reply = self._pool.post(self._url, self._signed(headers, body, identity), body)
        if isinstance(reply, Silence):
            return sort_silence(reply, count)
        told = told_by(reply)
        if reply.status == ACCEPTED:
            return Answer.all_sent(count, status=ACCEPTED, request_id=told.request_id)
        if 200 <= reply.status < 300:
            return halt(
                told, count, f"Mobile Analytics answers 202, and this was {reply.status}: check the endpoint"
            )
        return sort_refusal(told, count, ADVICE)

    def _headers(self, shipment: Shipment) -> dict[str, str]:
        context = client_context(shipment.request["client_context"])
        return {"Content-Type": "application/json", "User-Agent": self._target.user_agent, **context}

    def _signed(self, headers: dict[str, str], body: bytes, identity: ReadOnlyCredentials) -> dict[str, str]:
        request = AWSRequest("POST", self._url, headers=headers, data=body)
        SigV4Auth(identity, SIGNING_NAME, self._target.region or REGION).add_auth(request)
        return dict(request.headers.items())


def client_context(context: Any) -> dict[str, str]:
    """Write the client context as headers: plain JSON as the document has it, Base64 if it leaves Latin-1.

    Latin-1 goes as JSON's escapes: a header's bytes beyond ASCII are read in two ways, and signed in one.
    """
    text = json_bytes(context).decode()
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return {CONTEXT: base64.b64encode(text.encode()).decode(), ENCODING: "base64"}
    return {CONTEXT: json.dumps(context, separators=(",", ":"))}


class Personalize(BotoEndpoint):
    """The operation PutEvents of an event tracker: plain requests are signed and sent as they are, others by boto3."""

    service = "personalize-events"
    advice = Advice(
        "Personalize",
        {
            401: "check the credentials",
            403: "the credentials need the right personalize:PutEvents",
            404: TRACKER,
        },
        "they need the right personalize:PutEvents",
    )

    def _call(self, client: Any, identity: ReadOnlyCredentials, shipment: Shipment) -> Answer:
        if not (personalize.can_sign(identity) and personalize.is_plain(shipment.request)):
            return super()._call(client, identity, shipment)
        self._note_written()
        reply = personalize.post(client, identity, shipment.request, self._agent)
        told = told_by(reply)
        count = len(shipment.events)
        return self._sorted(told, count) if reply.status < 300 else self._refused(told, count)

    def _arguments(self, shipment: Shipment) -> dict[str, Any]:
        """Give times as such: botocore would read each number twice, by way of the machine's time zone."""
        return {**shipment.request, "eventList": [_timed(event) for event in shipment.request["eventList"]]}

    def _accepted(self, response: dict[str, Any], shipment: Shipment) -> Answer:
        return self._sorted(told_in(response), len(shipment.events))

    def _sorted(self, told: Told, count: int) -> Answer:
        if told.status != 200:
            return halt(
                told,
                count,
                f"Personalize answers 200 and nothing else, and this was {told.status}: check the endpoint",
            )
        return Answer.all_sent(count, status=told.status, request_id=told.request_id)

    def _refused(self, told: Told, count: int) -> Answer:
        unknown = told.code == "InvalidInputException" and _ABOUT_TRACKER.search(told.message)
        if unknown or told.code == "ResourceNotFoundException":
            return halt(told, count, f"{TRACKER} ({told.message})")
        return sort_refusal(told, count, self.advice)


def _timed(event: Any) -> Any:
    """Give an event with its time as such; what is none is left to botocore's judgement."""
    seconds = event.get("sentAt") if isinstance(event, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return event
    try:
        return {**event, "sentAt": dt.datetime.fromtimestamp(seconds, dt.UTC)}
    except (ValueError, OverflowError, OSError):
        return event


class Pinpoint(BotoEndpoint):
    """The operation PutEvents of a Pinpoint project."""

    service = "pinpoint"
    advice = Advice(
        "Pinpoint",
        {
            401: f"check the credentials; {ENDED}",
            403: f"the credentials need the right mobiletargeting:PutEvents on the project; {ENDED}",
            404: f"there is no such project (ApplicationId) in this region; {ENDED}",
            405: f"check the endpoint; {ENDED}",
            410: ENDED,
        },
        "they need the right mobiletargeting:PutEvents on the project",
    )

    def _accepted(self, response: dict[str, Any], shipment: Shipment) -> Answer:
        told = told_in(response)
        results = response.get("EventsResponse", {}).get("Results", {})
        verdicts: list[Verdict] = []
        findings: list[str] = []
        for endpoint_id, batch in shipment.request["EventsRequest"]["BatchItem"].items():
            result = results.get(endpoint_id, {})
            findings += _finding(endpoint_id, result.get("EndpointItemResponse", {}))
            items = result.get("EventsItemResponse", {})
            verdicts += [_verdict(items.get(event_id, {})) for event_id in batch["Events"]]
        asked_for_less = any(verdict.code in map(str, THROTTLED_STATUSES) for verdict in verdicts)
        # No word about an event may mean that it was taken, and the word was lost.
        unsaid = any(verdict.code == UNSAID.code for verdict in verdicts)
        return Answer(
            tuple(verdicts), throttled=asked_for_less, lost=unsaid, findings=tuple(findings), **told.rest()
        )


UNSAID = Verdict(Pile.AGAIN, "no_result", "the answer says nothing about this event")


def _verdict(item: dict[str, Any]) -> Verdict:
    status = item.get("StatusCode")
    if status is None:
        return UNSAID
    if status == ACCEPTED:
        return SENT
    final = 400 <= status < 500 and status not in AGAIN_STATUSES
    return Verdict(Pile.NEVER if final else Pile.AGAIN, str(status), str(item.get("Message", "")))


def _finding(endpoint_id: str, item: dict[str, Any]) -> list[str]:
    status = item.get("StatusCode")
    if status is None or 200 <= status < 300:
        return []
    return [f"endpoint {endpoint_id} was not updated: {status} {item.get('Message', '')}".rstrip()]
