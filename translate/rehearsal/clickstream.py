"""Clickstream's ingestion endpoint: a load balancer, a web server and a pipe, none of which looks into the body.

It answers 200 before anything is parsed (src/ingestion-server/server, v1.1.14), so that its answer means "received".
What the data pipeline would lose of it later is told by the accounts of the rehearsal, and by nothing else.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import time
import zlib
from typing import Any

from translate.rehearsal import pipeline
from translate.rehearsal.messages import Item, Outcome, Refusal, Reply, Request, Unreadable, parsed, text_of
from translate.rehearsal.options import Options

BODY_BYTES_MAX = 1 << 20  # nginx: client_max_body_size is 1m unless told otherwise, of the body as sent
OPENED_BYTES_MAX = 64 << 20
ENVELOPE = {
    "forwarded_address": "x-forwarded-for",
    "user_agent": "user-agent",
}  # what the pipeline keeps of the headers
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
PAGE = {"Server": "awselb/2.0", "Content-Type": "text/html"}


def judge(request: Request, options: Options) -> Outcome:
    """Answer as the endpoint would, and tell what would become of the events."""
    query = request.parameters()
    app_id = query.get("appId")
    if request.path not in (options.collect_path, "/ping") or not options.knows(app_id):
        # The default rule of the load balancer: an unknown path, and an unknown or missing appId (update-alb-rules).
        return Outcome(Reply(403, b"DefaultAction: Invalid request", dict(TEXT)))
    if request.method == "OPTIONS" and "origin" in request.headers:
        return Outcome(Reply(204, headers={"Access-Control-Allow-Origin": request.headers["origin"]}))
    if options.cookie is not None and request.headers.get("cookie") != options.cookie:
        return Outcome(page(403))  # with another one as without: the document has no other status for it
    if request.path == "/ping":
        return Outcome(
            Reply(
                200,
                json.dumps({"server_time": int(time.time() * 1000)}).encode(),
                {"Content-Type": "application/json"},
            )
        )
    if request.bytes > BODY_BYTES_MAX:
        return Outcome(page(413))
    return _received(request, options, query)


def page(status: int) -> Reply:
    """Answer with a page, as load balancers and web servers do."""
    titles = {403: "403 Forbidden", 413: "413 Request Entity Too Large", 415: "415 Unsupported Media Type", 422: "422 Unprocessable Entity", 502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}  # fmt: skip
    title = titles[status]
    text = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Reply(status, text.encode(), dict(PAGE))


def _received(request: Request, options: Options, query: dict[str, str]) -> Outcome:
    body = request.body
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    try:
        if coding in ("gzip", "deflate"):
            body = _inflated(body)
        elif coding != "identity":
            return Outcome(page(415))
    except (OSError, zlib.error, EOFError, ValueError):
        return Outcome(page(422))
    outcome = Outcome(Reply(200))
    context: dict[str, Any] = {
        name: query[name] for name in ("platform", "event_bundle_sequence_id") if name in query
    } | {name: request.headers[header] for name, header in ENVELOPE.items() if header in request.headers}
    app = query["appId"]
    lost = _events(body)
    if isinstance(lost, tuple):
        outcome.rejected.append(
            Refusal(Item(app, None, body.decode(errors="replace"), context), *lost, later=True)
        )
    else:
        reader = pipeline.Reader(options, request.headers.get("user-agent", ""))
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
            text = _inflated(base64.b64decode(text, validate=True)).strip()
        except (binascii.Error, OSError, EOFError, zlib.error, ValueError):
            return (
                "no_array",
                "the body is no JSON array, nor base64 (standard, in one line) of its gzipped text: it vanishes",
            )
    try:
        events = parsed(text)
    except (Unreadable, UnicodeDecodeError) as error:
        return "no_json", f"the body is no JSON: {error}"
    if not isinstance(events, list):
        return "no_array", "the body is one JSON value and no array: it vanishes"
    return events


def _inflated(body: bytes) -> bytes:
    """Open gzip or zlib, up to a size that no sender means."""
    opened = zlib.decompressobj(wbits=47 if body[:2] == b"\x1f\x8b" else 15)
    text = opened.decompress(body, OPENED_BYTES_MAX)
    if opened.unconsumed_tail:
        raise ValueError("more than anybody sends")
    if not opened.eof:
        raise gzip.BadGzipFile("cut short")
    return text
