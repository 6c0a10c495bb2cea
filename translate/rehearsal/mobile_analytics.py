"""Mobile Analytics' PutEvents of 2014-06-05: a client context in a header, events in the body, all or nothing.

The document asks for an app title, a platform and the version v2.0; its own SDKs leave them out (Android never sent a
version) and were served, so that only what the service cannot do without is asked for here.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from translate.rehearsal import aws
from translate.rehearsal.messages import (
    HttpRequest,
    Item,
    Judgement,
    Unreadable,
    instant_of,
    is_number,
    is_whole,
    parsed,
)
from translate.rehearsal.options import Options

SERVICE = "mobileanalytics"
PATH = "/2014-06-05/events"
BODY_BYTES_MAX = 1 << 20  # document: 413 above 1024 KB
OPENED_BYTES_MAX = 16 << 20
KEYS_MAX, KEY_CHARACTERS_MAX, VALUE_CHARACTERS_MAX = 40, 50, 200  # document
NAME_CHARACTERS_MAX, SESSION_CHARACTERS_MAX = 50, 50  # service model
VERSION = "v2.0"
BAD = "BadRequestException"


def judge(request: HttpRequest, options: Options) -> Judgement:
    """Answer one call."""
    denied = aws.not_let_in(request, options, SERVICE)
    if denied:
        return Judgement(denied)
    if request.method != "POST":
        return Judgement(aws.error(405, "MethodNotAllowedException", "Method not allowed", request))
    if request.bytes > BODY_BYTES_MAX:
        said = "The payload cannot exceed 1024 KB"
        return Judgement(aws.error(413, "RequestEntityTooLargeException", said, request))
    try:
        return _put_events(request, options, _context(request), _events(request))
    except (Unreadable, zlib.error, ValueError) as why:
        return Judgement(aws.error(400, BAD, str(why), request))


def _put_events(
    request: HttpRequest, options: Options, context: dict[str, Any], events: list[dict[str, Any]]
) -> Judgement:
    app_id = context["services"]["mobile_analytics"]["app_id"]
    items = [Item(app_id, None, event, {"client_id": context["client"]["client_id"]}) for event in events]
    if not options.knows(app_id):
        said = "The request is not authorized to perform this action"
        return Judgement(aws.error(403, "AccessDeniedException", said, request), deferred=len(items))
    for position, event in enumerate(events):
        message = _fault(event)
        if message:
            text = f"events[{position}]: {message}"
            return Judgement.refused(aws.error(400, BAD, text, request), items, BAD, text)
    missing = any("version" not in event for event in events)
    notes = ("an event without a version",) if missing else ()
    return Judgement(aws.accepted(202, request), items, notes=notes)


def _context(request: HttpRequest) -> dict[str, Any]:
    """Read the client context, plain or in base64, and see that it says who sends."""
    text = request.headers.get("x-amz-client-context")
    if not text:
        raise ValueError("The x-amz-client-context header is missing")
    if request.headers.get("x-amz-client-context-encoding", "").lower() == "base64":
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("The x-amz-client-context header is invalid: no base64") from None
    else:
        content = text.encode("latin-1")  # the bytes as they came
    try:
        context = parsed(content)
    except (Unreadable, UnicodeDecodeError):
        raise ValueError("The x-amz-client-context header is invalid: no JSON") from None
    for place in ("client.client_id", "services.mobile_analytics.app_id"):
        value = context
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if not (isinstance(value, str) and value):
            raise ValueError(f"The x-amz-client-context header is invalid: no {place}")
    assert isinstance(context, dict)
    return context


def _events(request: HttpRequest) -> list[dict[str, Any]]:
    body = request.body
    if "gzip" in request.headers.get("content-encoding", "") or body[:2] == b"\x1f\x8b":
        opened = zlib.decompressobj(wbits=31)
        body = opened.decompress(body, OPENED_BYTES_MAX)
        if not opened.eof:
            raise ValueError("The event payload is invalid: gzip cut short, or more than anybody sends")
    content = parsed(body)
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or not events or not all(isinstance(event, dict) for event in events):
        raise ValueError("The event payload is missing or invalid: no list of events")
    return events


def _fault(event: dict[str, Any]) -> str | None:
    name = event.get("eventType")
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_CHARACTERS_MAX:
        return f"eventType is a text of 1 to {NAME_CHARACTERS_MAX} characters"
    if instant_of(event.get("timestamp")) is None:
        return "timestamp is missing, or not in ISO 8601 format"
    if event.get("version") not in (None, VERSION):
        return f"version must always be {VERSION}"
    fault = _entries_fault(event.get("attributes") or {}, event.get("metrics") or {})
    return fault or _session_fault(event.get("session"))


def _entries_fault(attributes: Any, metrics: Any) -> str | None:
    if not (isinstance(attributes, dict) and isinstance(metrics, dict)):
        return "attributes and metrics are objects"
    if len(attributes) + len(metrics) > KEYS_MAX:
        return f"more than {KEYS_MAX} attributes and metrics"
    if not all(1 <= len(key) <= KEY_CHARACTERS_MAX for key in (*attributes, *metrics)):
        return f"keys have 1 to {KEY_CHARACTERS_MAX} characters"
    texts = attributes.values()
    if not all(isinstance(text, str) and len(text) <= VALUE_CHARACTERS_MAX for text in texts):
        return f"attributes are texts of up to {VALUE_CHARACTERS_MAX} characters"
    # The JavaScript SDK makes null of a metric that is no number, and was served.
    if not all(value is None or is_number(value) for value in metrics.values()):
        return "metrics are numbers"
    return None


def _session_fault(session: Any) -> str | None:
    if session is None:
        return None
    if not isinstance(session, dict):
        return "session is an object"
    identity = session.get("id")
    if identity is not None and not (isinstance(identity, str) and len(identity) <= SESSION_CHARACTERS_MAX):
        return f"session.id is a text of up to {SESSION_CHARACTERS_MAX} characters"
    if session.get("duration") is not None and not is_whole(session["duration"]):
        return "session.duration is a whole number"
    for name in ("startTimestamp", "stopTimestamp"):
        if session.get(name) is not None and instant_of(session[name]) is None:
            return f"session.{name} is not in ISO 8601 format"
    return None
