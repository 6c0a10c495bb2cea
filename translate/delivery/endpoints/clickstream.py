"""Clickstream Analytics on AWS: one POST of a JSON array, as its own SDKs send it.

Facts: ingestion answers 200 before anything is read, so "sent" means received; `hashCode` is the first 8 hex digits
of the SHA-256 of the body as sent (docs/en/sdk-manual/http-api.md of the solution, and its SDKs).
"""

from __future__ import annotations

import base64
import hashlib
import time
from urllib.parse import quote, urlencode

from translate.delivery.answers import Advice, Answer, Reply, halt, json_bytes, sort_exactly, told_by
from translate.delivery.endpoints import Outgoing, PooledEndpoint, compressed
from translate.delivery.secrets import COOKIE, MASK
from translate.mapping.description import fits_header
from translate.reader.shipments import Shipment

PATH = "/collect"
DIGEST_LENGTH = 8
# The ingestion server's words while no app is registered (update-alb-rules/index.ts of the solution).
UNCONFIGURED = "Configuration invalid"
NO_APP = "the Clickstream project has no app yet: register the app id in it first"
DENIED = (
    "the appId in the query is not registered in the pipeline, the path or the host name is wrong, or sign-in is "
    f"required ({COOKIE} holds the cookie)"
)
PATH_WRONG = f"the path of the endpoint is wrong: it is {PATH} unless the pipeline was set up with another"
SIGN_IN = f"sign-in is required: put the session's cookie into {COOKIE}"
ADVICE = Advice("Clickstream", {401: SIGN_IN, 403: DENIED, 404: PATH_WRONG, 405: PATH_WRONG})


class Clickstream(PooledEndpoint):
    """The ingestion endpoint."""

    def _shown(self, shipment: Shipment, sequence: int) -> Outgoing:
        url, headers, body = self._request(shipment, sequence)
        return Outgoing("POST", url, {**headers, "Cookie": MASK} if "Cookie" in headers else headers, body)

    def _proven(self, shipment: Shipment, sequence: int) -> Outgoing | Answer:
        odd = next((name for name, text in self._envelope(shipment).items() if not fits_header(text)), None)
        if odd is not None:
            said = f"{odd} of the request cannot be an HTTP header: it holds a line break or an unusual character"
            return Answer.all_refused(len(shipment.events), "bad_header", said)
        return Outgoing("POST", *self._request(shipment, sequence))

    def _sorted(self, reply: Reply, shipment: Shipment) -> Answer:
        """Sort an answer; exactly 200 means that the events were received."""
        told, count = told_by(reply), len(shipment.events)
        if told.status == 400 and UNCONFIGURED in told.message:
            return halt(told, count, NO_APP)
        return sort_exactly(told, count, ADVICE, 200)

    def _envelope(self, shipment: Shipment) -> dict[str, str]:
        """Give what the request says of its sender, and for what it does not, what the settings say."""
        own = shipment.request.get("headers") or {}
        missing = {"User-Agent": self._target.user_agent, "X-Forwarded-For": self._target.forwarded_address}
        said = {name: own.get(name.lower(), text) for name, text in missing.items()}
        return {name: text for name, text in said.items() if text is not None}

    def _request(self, shipment: Shipment, sequence: int) -> tuple[str, dict[str, str], bytes]:
        body = _events(shipment)
        if self._target.gzip:
            body = base64.b64encode(compressed(body))
        said = shipment.request.get("query", {})
        query = {name: value for name, value in said.items() if value is not None}
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


def _events(shipment: Shipment) -> bytes:
    """Give the array of events; the very text that was packed, if all of it goes and it is plain."""
    text = shipment.body
    if text is not None and text.startswith("[") and text.endswith("]"):
        return text.encode()
    return json_bytes(shipment.request["body"])
