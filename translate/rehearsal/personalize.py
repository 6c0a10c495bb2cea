"""Personalize's PutEvents: one user and session, up to ten events, taken or refused as a whole.

The shapes come from botocore's model of personalize-events, with the maxima and patterns that botocore leaves to the
service. Throttling is no declared error, yet the service throttles.
"""

from __future__ import annotations

import json
from typing import Any

from translate.rehearsal import aws
from translate.rehearsal.messages import (
    HttpReply,
    HttpRequest,
    Item,
    Judgement,
    Refusal,
    Unreadable,
    parsed,
    text_of,
)
from translate.rehearsal.options import Options
from translate.rehearsal.shapes import check_of

SERVICE = "personalize"
PATH = "/events"
EVENT_BYTES_MAX = 10_240  # developer guide, limits: 10 KB an event
RESERVED = frozenset(
    {"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"}
)  # whatever their case
INVALID = "InvalidInputException"


def judge(request: HttpRequest, options: Options) -> Judgement:
    """Answer one call."""
    denied = aws.not_let_in(request, options, SERVICE)
    if denied:
        return Judgement(denied)
    if request.method != "POST":
        return Judgement(aws.error(405, "UnknownOperationException", "Method not allowed", request))
    try:
        content = parsed(request.body)
    except Unreadable as why:
        return Judgement(
            aws.error(400, "SerializationException", f"The request body is no JSON: {why}", request)
        )
    items = _items(content)
    fault = check_of("personalize-events", "PutEventsRequest")(content, "")
    if fault:
        return _refused(request, items, "SerializationException" if fault.typed else INVALID, fault.message)
    message = _unknown(content, options) or _events_fault(content["eventList"], request.bytes)
    if message:
        return _refused(request, items, INVALID, message)
    return Judgement(
        HttpReply(200, b"", {"Content-Type": "application/json", "x-amzn-RequestId": request.id}), items
    )


def _items(content: Any) -> list[Item]:
    if not (isinstance(content, dict) and isinstance(content.get("eventList"), list)):
        return []
    tracker = text_of(content, "trackingId")
    context = {name: content[name] for name in ("userId", "sessionId") if text_of(content, name)}
    return [Item(tracker, text_of(event, "eventId"), event, context) for event in content["eventList"]]


def _refused(request: HttpRequest, items: list[Item], code: str, message: str) -> Judgement:
    return Judgement(
        aws.error(400, code, message, request), rejected=[Refusal(item, code, message) for item in items]
    )


def _unknown(content: dict[str, Any], options: Options) -> str | None:
    # The model declares no ResourceNotFoundException for this operation.
    return None if options.knows(content["trackingId"]) else f"Invalid trackingId: {content['trackingId']}"


def _events_fault(events: list[dict[str, Any]], request_bytes: int) -> str | None:
    for event in events:
        if event.get("properties") is not None:
            message = _properties_fault(event["properties"])
            if message:
                return message
        if request_bytes > EVENT_BYTES_MAX and _bytes(event) > EVENT_BYTES_MAX:
            return f"Event size should be at most {EVENT_BYTES_MAX} bytes"
    return None


def _bytes(event: Any) -> int:
    return len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _properties_fault(text: str) -> str | None:
    try:
        properties = parsed(text)
    except Unreadable:
        return "Error parsing properties json"
    if not isinstance(properties, dict):
        return "Error parsing properties json"
    reserved = sorted(key for key in properties if key.lower() in RESERVED)
    return f"properties may not contain the reserved keys {', '.join(reserved)}" if reserved else None
