"""Receivers compatible with Amazon Mobile Analytics: PutEvents with its client context in a header, signed (SigV4).

Facts: POST /2014-06-05/events, body {"events": [...]}, success 202; 400 BadRequestException, 403, 413
(https://docs.aws.amazon.com/mobileanalytics/latest/ug/PutEvents.html). The service itself ended in 2018.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from translate.delivery.answers import Answer
from translate.delivery.endpoints.amazon import Identity
from translate.delivery.endpoints.sorting import Advice, halt, json_bytes, sort_refusal, sort_silence, told_by
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
