"""The services of Amazon that take events: Mobile Analytics, Personalize, Pinpoint, and receivers compatible with them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.credentials import ReadOnlyCredentials

from translate.delivery.answers import (
    AGAIN_STATUSES,
    SENT,
    THROTTLED_STATUSES,
    Advice,
    Answer,
    Pile,
    Reply,
    Silence,
    Told,
    Verdict,
    halt,
    json_bytes,
    sort_exactly,
    sort_refusal,
    sort_silence,
    told_by,
)
from translate.delivery.endpoints import Outgoing, PooledEndpoint, Target
from translate.delivery.endpoints.aws import AGENT, BotoEndpoint, Identity, told_in
from translate.delivery.secrets import MASK, Secrets
from translate.reader.shipments import Shipment
from translate.stores.access import Signer, encoded_path

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

EVENTS_PATH = "/events"  # of Personalize
TIMES = range(-62_135_596_800, 253_402_300_800)  # seconds of the years that a date can have
Fits = Callable[[Any], bool]
TRACKER = "the event tracker (trackingId) is unknown in this account and region: compare it with `list-event-trackers`"
# The service has no exception of its own for a tracker that it does not know.
_ABOUT_TRACKER = re.compile(r"(?i)tracking ?id|event ?tracker")

ENDED = "Pinpoint's support ended on 2026-10-30, so it may refuse everybody"


class MobileAnalytics(PooledEndpoint):
    """The operation PutEvents."""

    def __init__(self, target: Target, secrets: Secrets) -> None:
        super().__init__(target, secrets)
        self._identity = Identity(secrets)
        self._url = target.url(PATH)

    def _shown(self, shipment: Shipment, sequence: int) -> Outgoing:  # noqa: ARG002 - nothing here is numbered
        headers = {**self._headers(shipment), "Authorization": MASK}
        return Outgoing("POST", self._url, headers, json_bytes(shipment.request["body"]))

    def _proven(self, shipment: Shipment, sequence: int) -> Outgoing | Answer:  # noqa: ARG002 - nothing here is numbered
        headers, body = self._headers(shipment), json_bytes(shipment.request["body"])
        identity = self._identity.current()
        if isinstance(identity, Silence):
            return sort_silence(identity, len(shipment.events))
        request = AWSRequest("POST", self._url, headers=headers, data=body)
        SigV4Auth(identity, SIGNING_NAME, self._target.region or REGION).add_auth(request)
        return Outgoing("POST", self._url, dict(request.headers.items()), body)

    def _sorted(self, reply: Reply, shipment: Shipment) -> Answer:
        return sort_exactly(told_by(reply), len(shipment.events), ADVICE, ACCEPTED, rest="")

    def _headers(self, shipment: Shipment) -> dict[str, str]:
        context = client_context(shipment.request["client_context"])
        return {"Content-Type": "application/json", "User-Agent": self._target.user_agent, **context}


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
    """The operation PutEvents of an event tracker: plain requests are signed and sent as they are, others by boto3.

    What is plainly as the service's model says, botocore would take twice as long to write.
    """

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
        if not (_can_sign(identity) and _is_plain(shipment.request)):
            return super()._call(client, identity, shipment)
        self._note_written()
        told = told_by(self._post(client, identity, shipment.request))
        count = len(shipment.events)
        if told.status < 300:
            return sort_exactly(told, count, self.advice, 200)
        return self._refused(told, count)

    def _post(self, client: Any, identity: ReadOnlyCredentials, request: Any) -> Reply:
        """Sign a plain request and send it on the client's own connections."""
        url = f"{client.meta.endpoint_url.rstrip('/')}{EVENTS_PATH}"
        parts, body = urlsplit(url), json.dumps(request).encode()
        key = (identity.access_key, identity.secret_key, identity.token)
        signer = Signer(*key, client.meta.region_name, "personalize")
        headers = {"Content-Type": "application/json", "User-Agent": f"{AGENT} {self._target.user_agent}"}
        digest = hashlib.sha256(body).hexdigest()
        headers |= signer.sign("POST", parts.netloc, encoded_path(parts.path), "", headers, digest)
        prepared = AWSPreparedRequest("POST", url, headers, body, stream_output=False)
        response = client._endpoint.http_session.send(prepared)  # noqa: SLF001  its proxies, trust and time limits
        found = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, found, response.content)

    def _arguments(self, shipment: Shipment) -> dict[str, Any]:
        """Give times as such: botocore would read each number twice, by way of the machine's time zone."""
        return {**shipment.request, "eventList": [_timed(event) for event in shipment.request["eventList"]]}

    def _accepted(self, response: dict[str, Any], shipment: Shipment) -> Answer:
        return sort_exactly(told_in(response), len(shipment.events), self.advice, 200)

    def _refused(self, told: Told, count: int) -> Answer:
        unknown = told.code == "InvalidInputException" and _ABOUT_TRACKER.search(told.message)
        if unknown or told.code == "ResourceNotFoundException":
            return halt(told, count, f"{TRACKER} ({told.message})")
        return sort_refusal(told, count, self.advice)


def _can_sign(identity: ReadOnlyCredentials) -> bool:
    """Tell whether credentials are of characters that a header can have; what becomes of others, botocore is to say."""
    told = (identity.access_key, identity.secret_key, identity.token or "")
    return all(text.isascii() and (text.isprintable() or not text) for text in told)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_time(value: Any) -> bool:
    """Tell whether a time is one, of which botocore would drop nothing."""
    return _is_number(value) and int(value) in TIMES and round(value, 6) == value


def _are(fits: Fits) -> Fits:
    return lambda value: isinstance(value, list) and bool(value) and all(map(fits, value))


def _object(needs: set[str], **members: Fits) -> Fits:
    """Make the judge of an object all of whose members are known and fit; whatever does not, botocore is to judge."""
    return lambda value: (
        isinstance(value, dict)
        and needs <= value.keys()
        and all(name in members and members[name](member) for name, member in value.items())
    )


_is_event = _object(
    {"eventType", "sentAt"},
    eventId=_is_text, eventType=_is_text, itemId=_is_text, properties=_is_text, recommendationId=_is_text,
    sentAt=_is_time, eventValue=_is_number, impression=_are(_is_text),
)  # fmt: skip
_is_plain = _object(
    {"trackingId", "sessionId", "eventList"},
    trackingId=_is_text, userId=_is_text, sessionId=_is_text, eventList=_are(_is_event),
)  # fmt: skip


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
