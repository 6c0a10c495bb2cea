"""Pinpoint: PutEvents (and the path that older browsers' beacons took), UpdateEndpoint; a result for every item.

Shapes and errors: botocore, pinpoint 2016-12-01. Limits: quotas page of the developer guide; the service's own words
say "less than 40", its tables 40, and the tables are kept to. Messages: as clients reported them.
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
    json_reply,
    parsed,
)
from translate.rehearsal.options import Options
from translate.rehearsal.shapes import check_of

SERVICE = "mobiletargeting"
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
ACCEPTED = {"StatusCode": 202, "Message": "Accepted"}
MILLISECOND, NOTHING = dt.timedelta(milliseconds=1), dt.timedelta(0)


def judge(request: HttpRequest, options: Options) -> Judgement:
    """Answer one call."""
    events, endpoint = EVENTS_PATH.fullmatch(request.path), ENDPOINT_PATH.fullmatch(request.path)
    denied = aws.not_let_in(request, options, SERVICE)
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
    fault = check_of("pinpoint", "EventsRequest", required=False)(content, "")
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
        refusals = [Refusal(item, "BadRequestException", message) for item in everything]
        return Judgement(_bad(request, message), rejected=refusals)
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
    if _instant(event["Timestamp"]) is None:
        return "Timestamp is not in ISO 8601 format."
    if len(json.dumps(event, ensure_ascii=False).encode(errors="surrogatepass")) > EVENT_BYTES_MAX:
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
    start, stop = _instant(session["StartTimestamp"]), _instant(session.get("StopTimestamp"))
    if start is None or (session.get("StopTimestamp") and stop is None):
        return "Session timestamps are not in ISO 8601 format."
    duration = session.get("Duration")
    if stop is not None and duration is not None and (duration, NOTHING) != divmod(stop - start, MILLISECOND):
        return "Session duration in milliseconds must be equal to the difference of start and stop timestamp"
    return None


def _instant(text: str | None) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return instant.replace(tzinfo=dt.UTC) if instant and instant.tzinfo is None else instant


def _endpoint_fault(endpoint: dict[str, Any]) -> str | None:
    channel = endpoint.get("ChannelType")
    if channel is not None and channel not in CHANNELS:
        return f"Unknown ChannelType {channel}"
    if endpoint.get("Address") and channel is None:
        return "Missing ChannelType"
    if len(json.dumps(endpoint, ensure_ascii=False).encode(errors="surrogatepass")) > ENDPOINT_BYTES_MAX:
        return "Endpoint size should be at most 15 KB."
    return None


def _update_endpoint(request: HttpRequest, content: Any) -> HttpReply:
    fault = check_of("pinpoint", "EndpointRequest", required=False)(content, "")
    message = fault.message if fault else _endpoint_fault(content)
    if message:
        return _bad(request, message)
    return json_reply(202, {"Message": "Accepted", "RequestID": request.id}, {"x-amzn-RequestId": request.id})
