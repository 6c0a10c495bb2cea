"""A loopback receiver that does what it is told: answers, resets before or after an answer's time, silence, rubbish."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from typing import Any, Self

from translate.reader.shipments import Shipment

APP = "0123456789abcdef0123456789abcdef"
EVENTS = [
    {"event_type": "a", "event_id": "1"},
    {"event_type": "b", "event_id": "2"},
    {"event_type": "ü", "event_id": "3"},
]
REQUESTS: dict[str, Any] = {
    "clickstream": {
        "query": {"platform": "Web", "appId": APP, "event_bundle_sequence_id": 1, "hashCode": "0"},
        "body": EVENTS,
    },
    "learning_context": {
        "data": [
            {
                "action": "UPDATE",
                "type": "POSITION",
                "timestamp": number,
                "session": "",
                "entities": [{"key": "r", "value": "a *~ ä"}],
            }
            for number in (1, 2, 3)
        ]
    },
    "mobile_analytics": {
        "client_context": {
            "client": {"client_id": "c", "app_title": "Shop"},
            "services": {"mobile_analytics": {"app_id": APP}},
        },
        "body": {"events": [{"eventType": name, "timestamp": "2016-03-14T09:26:53.589Z"} for name in "abc"]},
    },
    "personalize": {
        "trackingId": APP,
        "sessionId": "s",
        "eventList": [{"eventId": name, "eventType": "View", "sentAt": 1457947627.589} for name in "abc"],
    },
    "pinpoint": {
        "ApplicationId": APP,
        "EventsRequest": {
            "BatchItem": {
                "ep-1": {
                    "Endpoint": {},
                    "Events": {
                        name: {"EventType": name, "Timestamp": "2016-03-14T09:26:53.589Z"} for name in "ab"
                    },
                },
                "ep-2": {
                    "Endpoint": {},
                    "Events": {"a": {"EventType": "c", "Timestamp": "2016-03-14T09:26:53.589Z"}},
                },
            }
        },
    },
}
MODELS = tuple(REQUESTS)
ACCEPTED = {"StatusCode": 202, "Message": "Accepted"}


def shipment(model: str, request: Any = None, body: str | None = None) -> Shipment:
    """Take three events of a model."""
    return Shipment("part-0.ndjson", 1, (0, 1, 2), REQUESTS[model] if request is None else request, body)


def results(**changed: Any) -> dict[str, Any]:
    """Give Pinpoint's results for the three events, changed by `endpoint_event` (ep-1's are `one_a`, `one_b`, else `two_a`)."""
    items = {name: changed.get(name, ACCEPTED) for name in ("one_a", "one_b", "two_a")}
    kept = {name: item for name, item in items.items() if item is not None}
    batches = {"ep-1": ("one_a", "one_b"), "ep-2": ("two_a",)}
    return {
        "Results": {
            endpoint: {
                "EndpointItemResponse": changed.get(endpoint.replace("-", "_"), ACCEPTED),
                "EventsItemResponse": {name[-1]: kept[name] for name in names if name in kept},
            }
            for endpoint, names in batches.items()
        }
    }


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Say:
    """What to do with a request: answer, or `reset`, be `silent` for so many seconds, send `raw` bytes."""

    status: int = 200
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()
    reset: bool = False
    silent_seconds: float = 0.0
    raw: bytes | None = None

    def written(self) -> bytes:
        if self.raw is not None:
            return self.raw
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        lines = [f"HTTP/1.1 {self.status} Said", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


SUCCESS = {
    "clickstream": Say(200),
    "learning_context": Say(200, {"APIVersion": 3, "result": 1}),
    "mobile_analytics": Say(202, b"", (("x-amzn-RequestId", "rq-1"),)),
    "personalize": Say(200, b"", (("x-amzn-RequestId", "rq-1"),)),
    "pinpoint": Say(202, results(), (("x-amzn-RequestId", "rq-1"),)),
}


class Scripted:
    """Follows its script, one line a request; the last one stays."""

    def __init__(self, *script: Say, context: ssl.SSLContext | None = None) -> None:
        self.script, self.context = list(script), context
        self.seen: list[Seen] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with (
                self.context.wrap_socket(connection, server_side=True) if self.context else connection as wire
            ):
                stream = wire.makefile("rb")
                while (seen := _request(stream)) is not None:
                    with self._lock:
                        self.seen.append(seen)
                        say = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                    if say.reset:
                        # A linger of no seconds turns the close into a reset.
                        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        stream.close()
                        return
                    time.sleep(say.silent_seconds)
                    wire.sendall(say.written())
                    if say.raw is not None:
                        stream.close()
                        return
        except OSError:
            return


def _request(stream: Any) -> Seen | None:
    line = stream.readline().decode("latin-1").strip()
    if not line:
        return None
    headers = {}
    while text := stream.readline().decode("latin-1").strip():
        name, value = text.split(":", 1)
        headers[name.lower()] = value.strip()
    return Seen(line, headers, stream.read(int(headers.get("content-length", 0))))
