"""What the tests of the rehearsal share: requests as bytes, and the recordings of real clients with their signatures."""

from __future__ import annotations

import hashlib
import json
import socket
from http.client import HTTPResponse
from pathlib import Path

CAPTURES = Path(__file__).parent / "captures"
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/any/aws4_request, SignedHeaders=host, Signature=00"
}
KEYS = {"access_key": "AKIDEXAMPLE", "secret_key": "secret"}  # what the recorded clients were given

# When the recorded requests were signed, and their signatures, in the order of the recordings.
PINPOINT_SIGNATURES = [
    ("20261121T053435Z", "5a26c3263789ee9a9e8b69dc48a29de9b7f77dbbb54f37f96897e67d2fca9d60"),
    ("20261121T053436Z", "51ff5c6f96062589347a16609123c4ffbc42b930b0bc727d6cbdcbf82cccfe36"),
    ("20261121T053436Z", "62e24e419b4f000d05cacc154780efbe9de837f6693d37787112caa09d189cd4"),
    ("20261121T053436Z", "c2db8d2285dc0c37be95f03b9f275e29f0285473b6bc41a2783d5fb36ad4de67"),
]
MOBILE_ANALYTICS_SIGNATURES = [
    ("20261121T053939Z", "e9449f918a6b9a620db0feddc838b40573cbcd112dd718b99c024be0ea45915d"),
    ("20261121T053940Z", "3e80398db001e6f9dd9e9fa0c60b9a93cffd2682368d695e321814efc4cd3bff"),
    ("20261121T053941Z", "577281ec5c12f609857361980b52987e4b20de3d2e3537814dfc6e5ec24074e9"),
    ("20261121T053941Z", "636993d2d0c1d7b5788b49d6ab5765da6b8fc8f3fff1639512e438e563e01f0a"),
    ("20261121T053943Z", "d800e477bf9dc584e489d30cbe199678cfddc854cd7f7d079e2aa6bb25187d17"),
    ("20261121T053943Z", "ea7b777520e00d61dd707e09571d0727e1cde75d11a3f51c3f70b854c6d959e1"),
]


def connected(server):
    """Open a connection to the server."""
    return socket.create_connection((server.options.host, server.port), timeout=10)


def as_bytes(method, target, headers, body):
    """Write a request as it goes over the wire."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer_of(connection):
    """Read one answer: its status, its headers in lower case, its body."""
    response = HTTPResponse(connection)
    response.begin()
    body = response.read()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def sent(server, method, target, headers=None, body=b""):
    """Send one request on a connection of its own."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    with connected(server) as connection:
        connection.sendall(
            as_bytes(
                method, target, {"Host": "localhost", "Content-Length": len(body), **(headers or {})}, body
            )
        )
        return answer_of(connection)


def clickstream_event(number=1, **members):
    """Make an event that Clickstream's pipeline takes."""
    return {"event_type": "tick", "event_id": f"e{number}", "timestamp": 1700000000000 + number, "app_id": "shop", "zone_offset": 0, "attributes": {}, **members}  # fmt: skip


def collected(server, events, query="appId=shop", **headers):
    """Post events to Clickstream."""
    return sent(server, "POST", f"/collect?{query}", headers, events)


def pinpoint_event(**members):
    """Make an event that Pinpoint takes."""
    return {"EventType": "tick", "Timestamp": "2023-10-07T12:34:56.789Z", **members}


def put(server, events, endpoint=None, app="app"):
    """Post events to Pinpoint; give the status and the results of the items, or the error."""
    body = {"BatchItem": {"ep": {"Endpoint": endpoint or {}, "Events": events}}}
    status, headers, answer = sent(server, "POST", f"/v1/apps/{app}/events", SIGNED, body)
    content = json.loads(answer)
    return (
        (status, content["Results"]["ep"])
        if status == 202
        else (status, {**content, "type": headers["x-amzn-errortype"]})
    )


def pinpoint_recording():
    """Give each recorded request to Pinpoint: method, target, headers, body."""
    requests = json.loads((CAPTURES / "boto3_pinpoint.json").read_text(encoding="utf-8"))["requests"]
    for request, (date, signature) in zip(requests, PINPOINT_SIGNATURES, strict=True):
        headers = {
            "Host": "127.0.0.1:8901",
            "Content-Type": "application/json",
            "X-Amz-Date": date,
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/mobiletargeting/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature={signature}",
            "amz-sdk-request": "attempt=1; max=3",
        }
        yield request["method"], request["path"], headers, request["body"].encode()


def mobile_analytics_recording():
    """Give each recorded request to Mobile Analytics: method, target, headers, body."""
    requests = json.loads((CAPTURES / "mobile_analytics_js_node.json").read_text(encoding="utf-8"))[
        "requests"
    ]
    for request, (date, signature) in zip(requests, MOBILE_ANALYTICS_SIGNATURES, strict=True):
        body = request["body"].encode()
        encoding = {"x-amz-Client-Context-Encoding": request["encoding"]} if request.get("encoding") else {}
        encoded = "x-amz-client-context-encoding;" if encoding else ""
        headers = {
            "x-amz-Client-Context": request["context"],
            **encoding,
            "Content-Type": "application/json",
            "X-Amz-Content-Sha256": hashlib.sha256(body).hexdigest(),
            "Host": "127.0.0.1:8911",
            "X-Amz-Date": date,
            "x-amz-security-token": "session-token",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/mobileanalytics/aws4_request, SignedHeaders=host;x-amz-client-context;{encoded}x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature={signature}",
            "Connection": "close",
        }
        yield "POST", "/2014-06-05/events", headers, body


def clickstream_recording():
    """Give each recorded request to Clickstream: method, target, headers, body."""
    for request in json.loads((CAPTURES / "clickstream_web_jsdom.json").read_text(encoding="utf-8"))[
        "requests"
    ]:
        query = "&".join(f"{name}={value}" for name, value in request["query"])
        yield (
            request["method"],
            f"{request['path']}?{query}",
            {"Host": "localhost", **dict(request["headers"])},
            request["body"].encode(),
        )


def replayed(server, recording):
    """Send a recording as it was; give the statuses."""
    statuses = []
    for method, target, headers, body in recording:
        with connected(server) as connection:
            connection.sendall(as_bytes(method, target, {**headers, "Content-Length": len(body)}, body))
            statuses.append(answer_of(connection)[0])
    return statuses
