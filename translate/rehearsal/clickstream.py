"""Clickstream's ingestion endpoint: a load balancer, a web server and a pipe, none of which looks into the body.

It answers 200 before anything is parsed (src/ingestion-server/server, v1.1.14), so that its answer means "received".
What the data pipeline would lose of it later is told by the accounts of the rehearsal, and by nothing else.

That pipeline is ETL v1.1.14, as it was seen to run: ETLRunner, Cleaner, TransformerV3, UAEnrichmentV2
(src/data-pipeline/spark-etl) and ClickstreamEventParser.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import re
import time
import zlib
from typing import Any

from translate.rehearsal.messages import (
    HttpReply,
    HttpRequest,
    Item,
    Judgement,
    Refusal,
    Unreadable,
    is_number,
    is_whole,
    parsed,
    text_of,
)
from translate.rehearsal.options import Options

WHOLE = ("timestamp", "zone_offset", "screen_height", "screen_width", "viewport_height", "viewport_width")
TYPED_USER = ("_user_id", "_user_name", "_user_age", "_user_first_touch_timestamp")
AGELESS = ("_first_open", "_first_visit", "_profile_set")  # neither too old nor in the future
NUMERIC = re.compile(r"-?\d+(\.\d+)?")
# uap-core takes these for spiders, and FilterBotEventParam is on by default; most other libraries pass.
SPIDER = re.compile(r"Java/|Python-urllib/")

Reason = tuple[str, str]  # code, message

BODY_BYTES_MAX = 1 << 20  # nginx: client_max_body_size is 1m unless told otherwise, of the body as sent
OPENED_BYTES_MAX = 64 << 20
# What the pipeline keeps of the headers.
ENVELOPE = {"forwarded_address": "x-forwarded-for", "user_agent": "user-agent"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
PAGE = {"Server": "awselb/2.0", "Content-Type": "text/html"}


class Pipeline:
    """Judges the events of one request, at the time at which it came."""

    def __init__(self, options: Options, user_agent: str) -> None:
        self._app_ids = options.app_ids
        self._now_ms = int(time.time() * 1000)
        hours = options.age_limit_hours
        self._oldest_ms = None if hours is None else self._now_ms - int(hours * 3_600_000)
        self._age_limit_hours = hours
        self._spider = SPIDER.match(user_agent) is not None

    def fault(self, event: Any) -> Reason | None:
        """Tell why an event would be lost, or nothing if it would arrive."""
        if not isinstance(event, dict):
            return "no_object", "an event is a JSON object: corrupt folder"
        return _corrupt(event) or self._filtered(event) or _unparsed(event)

    def _filtered(self, event: dict[str, Any]) -> Reason | None:
        at_ms = event["timestamp"]
        if event.get("event_type", event.get("event_name")) not in AGELESS:
            if self._oldest_ms is not None and at_ms < self._oldest_ms:
                hours = f"{self._age_limit_hours:g} hours"
                return "age_limit", f"older than {hours}: dropped (DataFreshnessInHour)"
            if at_ms > self._now_ms:
                return "in_the_future", "timestamp is in the future: dropped"
        if self._app_ids and event["app_id"] not in self._app_ids:
            return "unknown_app", "app_id is not one of the project's: dropped"
        if self._spider:
            return "bot", "the User-Agent is taken for a spider's: dropped (FilterBotEventParam)"
        return None


def _corrupt(event: dict[str, Any]) -> Reason | None:
    for name in ("event_id", "app_id", "timestamp"):
        if event.get(name) is None:
            return "missing_required", f"no {name}: corrupt folder"
    for name in WHOLE:
        value = event.get(name)
        if value is not None and not is_whole(value):
            return "wrong_type", f"{name} is no whole number: corrupt folder"
    return None


def _unparsed(event: dict[str, Any]) -> Reason | None:
    if event.get("zone_offset") is None:
        return "no_zone_offset", "no zone_offset: corrupt folder, whatever the HTTP API's document says"
    if not isinstance(event.get("attributes"), dict):
        return "no_attributes", "no attributes (an empty object is enough): corrupt folder"
    if not event.get("event_type", event.get("event_name")):
        return "no_event_type", "no event_type: dropped"
    return _user_fault(event.get("user")) or _shape_fault(event)


def _user_fault(user: Any) -> Reason | None:
    for name in TYPED_USER if isinstance(user, dict) else ():
        entry = user.get(name)
        if entry is not None and not (isinstance(entry, dict) and set(entry) == {"value", "set_timestamp"}):
            said = f"user.{name} is no object of value and set_timestamp alone: corrupt folder"
            return "user_malformed", said
    return None


def _shape_fault(event: dict[str, Any]) -> Reason | None:
    items = event.get("items")
    if items is not None and not isinstance(items, list):
        return "items_malformed", "items is no array: corrupt folder"
    previous = event["attributes"].get("_previous_timestamp")
    if previous is not None and not is_number(previous) and not NUMERIC.fullmatch(str(previous)):
        return "wrong_type", "_previous_timestamp is no number: corrupt folder"
    return None


def judge(request: HttpRequest, options: Options) -> Judgement:
    """Answer as the endpoint would, and tell what would become of the events."""
    query = request.parameters()
    app_id = query.get("appId")
    if request.path not in (options.collect_path, "/ping") or not options.knows(app_id):
        # The default rule of the load balancer: an unknown path, and an unknown or missing appId (update-alb-rules).
        return Judgement(HttpReply(403, b"DefaultAction: Invalid request", dict(TEXT)))
    if request.method == "OPTIONS" and "origin" in request.headers:
        return Judgement(HttpReply(204, headers={"Access-Control-Allow-Origin": request.headers["origin"]}))
    if options.cookie is not None and request.headers.get("cookie") != options.cookie:
        return Judgement(page(403))  # with another one as without: the document has no other status for it
    if request.path == "/ping":
        told = json.dumps({"server_time": int(time.time() * 1000)}).encode()
        return Judgement(HttpReply(200, told, {"Content-Type": "application/json"}))
    if request.bytes > BODY_BYTES_MAX:
        return Judgement(page(413))
    return _received(request, options, query)


def page(status: int) -> HttpReply:
    """Answer with a page, as load balancers and web servers do."""
    titles = {403: "403 Forbidden", 413: "413 Request Entity Too Large", 415: "415 Unsupported Media Type", 422: "422 Unprocessable Entity", 502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}  # fmt: skip
    title = titles[status]
    text = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return HttpReply(status, text.encode(), dict(PAGE))


def _received(request: HttpRequest, options: Options, query: dict[str, str]) -> Judgement:
    body = request.body
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    try:
        if coding in ("gzip", "deflate"):
            body = inflated(body)
        elif coding != "identity":
            return Judgement(page(415))
    except (OSError, zlib.error, EOFError, ValueError):
        return Judgement(page(422))
    outcome = Judgement(HttpReply(200))
    context: dict[str, Any] = {
        name: query[name] for name in ("platform", "event_bundle_sequence_id") if name in query
    } | {name: request.headers[header] for name, header in ENVELOPE.items() if header in request.headers}
    app = query["appId"]
    lost = _events(body)
    if isinstance(lost, tuple):
        item = Item(app, None, body.decode(errors="replace"), context)
        outcome.rejected.append(Refusal(item, *lost, later=True))
    else:
        reader = Pipeline(options, request.headers.get("user-agent", ""))
        for event in lost:
            item = Item(app, text_of(event, "event_id"), event, context)
            reason = reader.fault(event)
            if reason:
                outcome.rejected.append(Refusal(item, *reason, later=True))
            else:
                outcome.accepted.append(item)
    if "hashCode" in query and query["hashCode"] != hashlib.sha256(body).hexdigest()[:8]:
        outcome.notes = ("hashCode is not that of the body (nobody checks it)",)
    return outcome


def _events(body: bytes) -> list[Any] | tuple[str, str]:
    """Give the events of a body as the pipeline finds them, or why it finds none.

    It does not ask for `compression`: what is in brackets is plain, all else is base64 of gzip (ETL v1.1.14, run).
    """
    text = body.strip()
    if not (text.startswith(b"[") and text.endswith(b"]")):
        try:
            text = inflated(base64.b64decode(text, validate=True)).strip()
        except (binascii.Error, OSError, EOFError, zlib.error, ValueError):
            packed = "base64 (standard, in one line) of its gzipped text"
            return "no_array", f"the body is no JSON array, nor {packed}: it vanishes"
    try:
        events = parsed(text)
    except (Unreadable, UnicodeDecodeError) as error:
        return "no_json", f"the body is no JSON: {error}"
    if not isinstance(events, list):
        return "no_array", "the body is one JSON value and no array: it vanishes"
    return events


def inflated(body: bytes) -> bytes:
    """Open gzip or zlib, up to a size that no sender means."""
    opened = zlib.decompressobj(wbits=47 if body[:2] == b"\x1f\x8b" else 15)
    text = opened.decompress(body, OPENED_BYTES_MAX)
    if opened.unconsumed_tail:
        raise ValueError("more than anybody sends")
    if not opened.eof:
        raise gzip.BadGzipFile("cut short")
    return text
