"""Requests of Personalize that are plainly what its model says: what botocore would write of them needs no botocore."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.credentials import ReadOnlyCredentials

from translate.delivery.transport import Reply
from translate.stores.access import Signer, encoded_path

PATH = "/events"
SIGNING_NAME = "personalize"

TIMES = range(-62_135_596_800, 253_402_300_800)  # seconds of the years that a date can have


def post(client: BaseClient, identity: ReadOnlyCredentials, request: dict[str, Any], agent: str) -> Reply:
    """Sign a plain request and send it on a client's own connections: the client takes twice as long to write it."""
    url = f"{client.meta.endpoint_url.rstrip('/')}{PATH}"
    parts = urlsplit(url)
    body = json.dumps(request).encode()
    region = client.meta.region_name
    signer = Signer(identity.access_key, identity.secret_key, identity.token, region, SIGNING_NAME)
    headers = {"Content-Type": "application/json", "User-Agent": agent}
    digest = hashlib.sha256(body).hexdigest()
    headers |= signer.sign("POST", parts.netloc, encoded_path(parts.path), "", headers, digest)
    prepared = AWSPreparedRequest("POST", url, headers, body, stream_output=False)
    response = client._endpoint.http_session.send(prepared)  # noqa: SLF001  its proxies, trust and time limits
    found = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, found, response.content)


def is_plain(request: Any) -> bool:
    """Tell whether all members are known, and of their types; whatever is not, botocore is to judge."""
    return _holds(request, REQUEST, REQUIRED)


def can_sign(identity: ReadOnlyCredentials) -> bool:
    """Tell whether credentials are of characters that a header can have; what becomes of others, botocore is to say."""
    told = (identity.access_key, identity.secret_key, identity.token or "")
    return all(text.isascii() and (text.isprintable() or not text) for text in told)


def _holds(value: Any, members: Mapping[str, Callable[[Any], bool]], required: frozenset[str]) -> bool:
    if not isinstance(value, dict) or not required <= value.keys():
        return False
    return all(name in members and members[name](member) for name, member in value.items())


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_time(value: Any) -> bool:
    """Tell whether a time is one, of which botocore would drop nothing."""
    return _is_number(value) and int(value) in TIMES and round(value, 6) == value


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_event(value: Any) -> bool:
    return _holds(value, EVENT, EVENT_REQUIRED)


def _are_events(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_event, value))


EVENT: dict[str, Callable[[Any], bool]] = {
    "eventId": _is_text,
    "eventType": _is_text,
    "sentAt": _is_time,
    "eventValue": _is_number,
    "itemId": _is_text,
    "properties": _is_text,
    "recommendationId": _is_text,
    "impression": _are_texts,
}
EVENT_REQUIRED = frozenset({"eventType", "sentAt"})
REQUEST: dict[str, Callable[[Any], bool]] = {
    "trackingId": _is_text,
    "userId": _is_text,
    "sessionId": _is_text,
    "eventList": _are_events,
}
REQUIRED = frozenset({"trackingId", "sessionId", "eventList"})
