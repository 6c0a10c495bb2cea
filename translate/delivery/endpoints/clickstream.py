"""Clickstream Analytics on AWS: one POST of a JSON array, as its own SDKs send it.

Facts: ingestion answers 200 before anything is read, so "sent" means received; `hashCode` is the first 8 hex digits
of the SHA-256 of the body as sent (docs/en/sdk-manual/http-api.md of the solution, and its SDKs).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import time
from typing import Any
from urllib.parse import quote, urlencode

from translate.delivery.answers import (
    Advice,
    Answer,
    Told,
    halt,
    json_bytes,
    sort_refusal,
    sort_silence,
    told_by,
)
from translate.delivery.secrets import COOKIE, MASK, Secrets
from translate.delivery.shipments import Shipment
from translate.delivery.target import Target, fits_header
from translate.delivery.transport import Silence, open_pool

PATH = "/collect"
DIGEST_LENGTH = 8
COMPRESSION_LEVEL = 6
# The ingestion server's words while no app is registered (update-alb-rules/index.ts of the solution).
UNCONFIGURED = "Configuration invalid"
DENIED = (
    "the appId in the query is not registered in the pipeline, the path or the host name is wrong, or sign-in is "
    f"required ({COOKIE} holds the cookie)"
)
ADVICE = Advice(
    "Clickstream",
    {
        401: f"sign-in is required: put the session's cookie into {COOKIE}",
        403: DENIED,
        404: f"the path of the endpoint is wrong: it is {PATH} unless the pipeline was set up with another",
        405: f"the path of the endpoint is wrong: it is {PATH} unless the pipeline was set up with another",
    },
)


class Clickstream:
    """The ingestion endpoint."""

    def __init__(self, target: Target, secrets: Secrets) -> None:
        self._target = target
        self._secrets = secrets
        self._pool = open_pool(target)

    def show(self, shipment: Shipment, sequence: int) -> dict[str, Any]:
        """Give the request as it would be sent now."""
        url, headers, body = self._request(shipment, sequence)
        if "Cookie" in headers:
            headers["Cookie"] = MASK
        mask = self._secrets.mask
        shown = {mask(name): mask(text) for name, text in headers.items()}
        return {"method": "POST", "url": mask(url), "headers": shown, "body": mask(body.decode())}

    def send(self, shipment: Shipment, sequence: int) -> Answer:
        """Send the events; exactly 200 means that they were received."""
        return self._secrets.cover(self._send(shipment, sequence))

    def close(self) -> None:
        """Let go of all connections."""
        self._pool.close()

    def _send(self, shipment: Shipment, sequence: int) -> Answer:
        count = len(shipment.events)
        odd = next((name for name, text in self._envelope(shipment).items() if not fits_header(text)), None)
        if odd is not None:
            return Answer.all_refused(
                count,
                "bad_header",
                f"{odd} of the request cannot be an HTTP header: it holds a line break or an unusual character",
            )
        try:
            url, headers, body = self._request(shipment, sequence)
        except ValueError as error:
            return Answer.all_refused(count, "not_json", str(error))
        reply = self._pool.post(url, headers, body)
        return sort_silence(reply, count) if isinstance(reply, Silence) else _sorted(told_by(reply), count)

    def _envelope(self, shipment: Shipment) -> dict[str, str]:
        """Give what the request says of its sender, and for what it does not, what the settings say."""
        own = shipment.request.get("headers") or {}
        missing = {"User-Agent": self._target.user_agent, "X-Forwarded-For": self._target.forwarded_address}
        said = {name: own.get(name.lower(), text) for name, text in missing.items()}
        return {name: text for name, text in said.items() if text is not None}

    def _request(self, shipment: Shipment, sequence: int) -> tuple[str, dict[str, str], bytes]:
        body = _events(shipment)
        if self._target.gzip:
            # The time in gzip's header would make the same events another body each second.
            body = base64.b64encode(gzip.compress(body, COMPRESSION_LEVEL, mtime=0))
        query = {
            name: value for name, value in shipment.request.get("query", {}).items() if value is not None
        }
        query.pop("compression", None)
        query |= {
            "event_bundle_sequence_id": sequence,
            "upload_timestamp": time.time_ns() // 1_000_000,
            "hashCode": hashlib.sha256(body).hexdigest()[:DIGEST_LENGTH],
        }
        if self._target.gzip:
            query["compression"] = "gzip"
        headers = {"Content-Type": "application/json; charset=utf-8", **self._envelope(shipment)}
        cookie = self._secrets.get(COOKIE)
        headers |= {} if cookie is None else {"Cookie": cookie}
        return f"{self._target.url(PATH)}?{urlencode(query, quote_via=quote, safe='')}", headers, body


def _sorted(told: Told, count: int) -> Answer:
    if told.status == 200:
        return Answer.all_sent(count, status=200, request_id=told.request_id)
    if 200 <= told.status < 300:
        return halt(
            told,
            count,
            f"Clickstream answers 200 and nothing else, and this was {told.status}: check the endpoint",
        )
    if told.status == 400 and UNCONFIGURED in told.message:
        return halt(told, count, "the Clickstream project has no app yet: register the app id in it first")
    return sort_refusal(told, count, ADVICE)


def _events(shipment: Shipment) -> bytes:
    """Give the array of events; the very text that was packed, if all of it goes and it is plain."""
    text = shipment.body
    if text is not None and text.startswith("[") and text.endswith("]"):
        return text.encode()
    return json_bytes(shipment.request["body"])
