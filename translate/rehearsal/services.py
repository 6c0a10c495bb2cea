"""Services that botocore's models describe: Pinpoint, which gives a result for every item, and Personalize, which takes all or nothing.

Shapes and errors: botocore, pinpoint 2016-12-01 and personalize-events, with the maxima and patterns that botocore leaves
to the service. Limits of Pinpoint: quotas page of the developer guide; the service's own words say "less than 40", its
tables 40, and the tables are kept to. Messages: as clients reported them. Personalize's throttling is no declared error,
yet the service throttles.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any
from urllib.parse import unquote

from translate.rehearsal import aws
from translate.rehearsal.messages import (
    HttpReply,
    HttpRequest,
    Item,
    Judgement,
    Refusal,
    Unreadable,
    instant_of,
    json_reply,
    parsed,
    text_of,
)
from translate.rehearsal.options import Options

EVENTS_PATH = re.compile(r"/v1/apps/([^/]+)/events(?:/legacy)?")
ENDPOINT_PATH = re.compile(r"/v1/apps/([^/]+)/endpoints/([^/]+)")
EVENTS_MAX = 100
REQUEST_BYTES_MAX = 4_000_000
EVENT_BYTES_MAX = 1_000_000
ENDPOINT_BYTES_MAX = 15_000
KEYS_MAX, KEY_CHARACTERS_MAX, VALUE_CHARACTERS_MAX = 40, 50, 200
CHANNELS = frozenset(
    "PUSH GCM APNS APNS_SANDBOX APNS_VOIP APNS_VOIP_SANDBOX ADM SMS VOICE EMAIL BAIDU CUSTOM IN_APP".split()
)
PATH = "/events"  # of Personalize
LISTED_BYTES_MAX = 10_240  # developer guide of Personalize, limits: 10 KB an event
# Of Personalize's properties, whatever their case.
RESERVED = frozenset({"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"})
INVALID = "InvalidInputException"
ACCEPTED = {"StatusCode": 202, "Message": "Accepted"}
MILLISECOND, NOTHING = dt.timedelta(milliseconds=1), dt.timedelta(0)


def judge_pinpoint(request: HttpRequest, options: Options) -> Judgement:
    """Answer one call."""
    events, endpoint = EVENTS_PATH.fullmatch(request.path), ENDPOINT_PATH.fullmatch(request.path)
    denied = aws.not_let_in(request, options, "mobiletargeting")
    match = events or endpoint
    if denied or not match:
        return Judgement(denied or error(404, "NotFoundException", "Resource not found", request))
    if request.method != ("POST" if events else "PUT"):
        return Judgement(error(405, "MethodNotAllowedException", "Method not allowed", request))
    if request.bytes > REQUEST_BYTES_MAX:
        return Judgement(error(413, "PayloadTooLargeException", "Request payload is too large", request))
    app_id = unquote(match[1])
    if not options.knows(app_id):
        return Judgement(error(404, "NotFoundException", f"Application {app_id} was not found", request))
    try:
        content = parsed(request.body)
    except Unreadable as why:
        return Judgement(_bad(request, f"The request body is no JSON: {why}"))
    return _put_events(request, app_id, content) if events else Judgement(_update_endpoint(request, content))


def error(status: int, code: str, message: str, request: HttpRequest) -> HttpReply:
    """Tell an error with the members that the model gives it."""
    content = {"Message": message, "RequestID": request.id}
    return json_reply(status, content, {"x-amzn-ErrorType": code, "x-amzn-RequestId": request.id})


def _bad(request: HttpRequest, message: str) -> HttpReply:
    return error(400, "BadRequestException", message, request)


def _put_events(request: HttpRequest, app_id: str, content: Any) -> Judgement:
    fault = aws.check_of("pinpoint", "EventsRequest", required=False)(content, "")
    if fault:
        return Judgement(_bad(request, fault.message))
    if content.get("BatchItem") is None:
        return Judgement(_bad(request, "BatchItem is required"))
    batches = {key: batch for key, batch in content["BatchItem"].items() if batch is not None}
    count = sum(len(batch.get("Events") or {}) for batch in batches.values())
    outcome = Judgement(HttpReply(202))
    results = {key: _batch(outcome, app_id, key, batch) for key, batch in batches.items()}
    if count > EVENTS_MAX:
        message = f"Number of events per request should be at most {EVENTS_MAX}, and there are {count}."
        everything = [*outcome.accepted, *(refusal.item for refusal in outcome.rejected)]
        return Judgement.refused(_bad(request, message), everything, "BadRequestException", message)
    outcome.reply = results_reply(request, results)
    return outcome


def spoil(request: HttpRequest, outcome: Judgement, codes: dict[int, int]) -> int:
    """Fail items, by their positions among those that would have been taken; count those that may come again."""
    answer = json.loads(outcome.reply.body)
    for position, code in codes.items():
        item = outcome.accepted[position]
        message = {400: "Invalid event", 429: "Too many requests", 500: "Internal server error"}[code]
        assert item.context
        results = answer["Results"][item.context["endpoint"]]["EventsItemResponse"]
        results[item.id] = {"StatusCode": code, "Message": message}
        if code == 400:
            outcome.rejected.append(Refusal(item, "400", message))
    outcome.accepted = [item for position, item in enumerate(outcome.accepted) if position not in codes]
    outcome.reply = results_reply(request, answer["Results"])
    return sum(code != 400 for code in codes.values())


def results_reply(request: HttpRequest, results: dict[str, Any]) -> HttpReply:
    """Answer with the results of all items."""
    return json_reply(202, {"Results": results}, {"x-amzn-RequestId": request.id})


def _batch(outcome: Judgement, app_id: str, endpoint_id: str, batch: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for event_id, event in (batch.get("Events") or {}).items():
        item = Item(app_id, event_id, event, {"endpoint": endpoint_id})
        message = _event_fault(event or {})
        if message:
            outcome.rejected.append(Refusal(item, "400", message))
            answers[event_id] = {"StatusCode": 400, "Message": message}
        else:
            outcome.accepted.append(item)
            answers[event_id] = ACCEPTED
    message = _endpoint_fault(batch.get("Endpoint") or {})
    endpoint = {"StatusCode": 400, "Message": message} if message else ACCEPTED
    return {"EndpointItemResponse": endpoint, "EventsItemResponse": answers}


def _event_fault(event: dict[str, Any]) -> str | None:
    for name in ("EventType", "Timestamp"):
        if not event.get(name):
            return f"{name} is required."
    if instant_of(event["Timestamp"]) is None:
        return "Timestamp is not in ISO 8601 format."
    if _bytes(event) > EVENT_BYTES_MAX:
        return "Event size should be at most 1000 KB."
    session = event.get("Session")
    return _entries_fault(event) or (_session_fault(session) if session is not None else None)


def _entries_fault(event: dict[str, Any]) -> str | None:
    attributes, metrics = event.get("Attributes") or {}, event.get("Metrics") or {}
    if len(attributes) + len(metrics) > KEYS_MAX:
        return "Number of attributes per event submitted should be less than 40."
    if any(len(key) > KEY_CHARACTERS_MAX for key in attributes):
        return "Event attribute key length should be less than 50."
    if any(len(key) > KEY_CHARACTERS_MAX for key in metrics):
        return "Event metric key length should be less than 50."
    if any(len(value or "") > VALUE_CHARACTERS_MAX for value in attributes.values()):
        return "Event attribute value length should be less than 200"
    return None


def _session_fault(session: dict[str, Any]) -> str | None:
    for name in ("Id", "StartTimestamp"):
        if not session.get(name):
            return f"Session {name} is required."
    start, stop = instant_of(session["StartTimestamp"]), instant_of(session.get("StopTimestamp"))
    if start is None or (session.get("StopTimestamp") and stop is None):
        return "Session timestamps are not in ISO 8601 format."
    duration = session.get("Duration")
    if stop is not None and duration is not None and (duration, NOTHING) != divmod(stop - start, MILLISECOND):
        return "Session duration in milliseconds must be equal to the difference of start and stop timestamp"
    return None


def _bytes(value: Any, **form: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, **form).encode(errors="surrogatepass"))


def _endpoint_fault(endpoint: dict[str, Any]) -> str | None:
    channel = endpoint.get("ChannelType")
    if channel is not None and channel not in CHANNELS:
        return f"Unknown ChannelType {channel}"
    if endpoint.get("Address") and channel is None:
        return "Missing ChannelType"
    if _bytes(endpoint) > ENDPOINT_BYTES_MAX:
        return "Endpoint size should be at most 15 KB."
    return None


def _update_endpoint(request: HttpRequest, content: Any) -> HttpReply:
    fault = aws.check_of("pinpoint", "EndpointRequest", required=False)(content, "")
    message = fault.message if fault else _endpoint_fault(content)
    if message:
        return _bad(request, message)
    return json_reply(202, {"Message": "Accepted", "RequestID": request.id}, {"x-amzn-RequestId": request.id})


def judge_personalize(request: HttpRequest, options: Options) -> Judgement:
    """Answer one call."""
    denied = aws.not_let_in(request, options, "personalize")
    if denied:
        return Judgement(denied)
    if request.method != "POST":
        return Judgement(aws.error(405, "UnknownOperationException", "Method not allowed", request))
    try:
        content = parsed(request.body)
    except Unreadable as why:
        said = f"The request body is no JSON: {why}"
        return Judgement(aws.error(400, "SerializationException", said, request))
    items = _listed(content)
    fault = aws.check_of("personalize-events", "PutEventsRequest")(content, "")
    if fault:
        code = "SerializationException" if fault.typed else INVALID
        return Judgement.refused(aws.error(400, code, fault.message, request), items, code, fault.message)
    message = _unknown(content, options) or _list_fault(content["eventList"], request.bytes)
    if message:
        return Judgement.refused(aws.error(400, INVALID, message, request), items, INVALID, message)
    return Judgement(aws.accepted(200, request), items)


def _listed(content: Any) -> list[Item]:
    if not (isinstance(content, dict) and isinstance(content.get("eventList"), list)):
        return []
    tracker = text_of(content, "trackingId")
    context = {name: content[name] for name in ("userId", "sessionId") if text_of(content, name)}
    return [Item(tracker, text_of(event, "eventId"), event, context) for event in content["eventList"]]


def _unknown(content: dict[str, Any], options: Options) -> str | None:
    # The model declares no ResourceNotFoundException for this operation.
    return None if options.knows(content["trackingId"]) else f"Invalid trackingId: {content['trackingId']}"


def _list_fault(events: list[dict[str, Any]], request_bytes: int) -> str | None:
    for event in events:
        message = _properties_fault(event["properties"]) if event.get("properties") is not None else None
        if message:
            return message
        if request_bytes > LISTED_BYTES_MAX and _bytes(event, separators=(",", ":")) > LISTED_BYTES_MAX:
            return f"Event size should be at most {LISTED_BYTES_MAX} bytes"
    return None


def _properties_fault(text: str) -> str | None:
    try:
        properties = parsed(text)
    except Unreadable:
        properties = None
    if not isinstance(properties, dict):
        return "Error parsing properties json"
    reserved = sorted(key for key in properties if key.lower() in RESERVED)
    return f"properties may not contain the reserved keys {', '.join(reserved)}" if reserved else None
