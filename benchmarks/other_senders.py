"""Writes archives of events as the clients of other services send them: always the same ones.

    python benchmarks/other_senders.py DIR [--records N]

makes a folder for each service: `pinpoint`, the event stream with an endpoint and lists among its user's attributes;
`posthog` and `mixpanel`, exports of their SDKs for the web, whose keys begin with `$`; `segment_spec`, what analytics.js
and a phone send, with a shop's products and much that no column holds. Times are spelled as each of them does: PostHog's
have microseconds. Everything is synthetic.
"""

from __future__ import annotations

import argparse
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEED = 11
FIRST_TIME_MS = 1_709_648_530_123
NAMES = [
    "$pageview",
    "Order Completed",
    "sign up",
    "video.play",
    'he said "go"',
    "größe geändert",
    "level_up",
]
TEXTS = ["pro", 'a "quoted" plan', "C:\\save", "Zürich", "レベル", "https://example.com/a?b=1&c=%20", ""]


def identifier(chance: random.Random) -> str:
    """Give a random UUID."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def instant(chance: random.Random, decimals: int, zone: str) -> str:
    """Give a time of 2024 in ISO 8601."""
    day = f"2024-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    clock = f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
    return f"{day}T{clock}.{chance.randrange(10**decimals):0{decimals}}{zone}"


def pinpoint(chance: random.Random) -> dict[str, Any]:
    """Make a record of the event stream, with the endpoint of its user."""
    user = {
        "UserId": f"u{chance.randrange(999)}",
        "UserAttributes": {"plan": [chance.choice(TEXTS)], "tags": ["a", "b"]},
    }
    return {
        "event_type": chance.choice(["_session.start", "_session.stop", *NAMES]), "event_version": "3.1",
        "event_timestamp": FIRST_TIME_MS + chance.randrange(10**8), "arrival_timestamp": FIRST_TIME_MS + 10**8,
        "application": {"app_id": "a" * 32, "package_name": "com.example", "sdk": {"name": "aws-sdk-android", "version": "2.2.1"}, "version_name": "1.0"},
        "client": {"client_id": identifier(chance), "cognito_id": f"us-east-1:{identifier(chance)}"},
        "device": {"locale": {"code": "en_US", "country": "US", "language": "en"}, "make": "Google", "platform": {"name": "ANDROID", "version": "14"}},
        "session": {"session_id": f"aaaaaaaa-20240304-{chance.randrange(10**9):09}", "start_timestamp": FIRST_TIME_MS},
        "attributes": {"text": chance.choice(TEXTS), "json": json.dumps({"x": [1, 2]})}, "metrics": {"price": 1.5, "n": 3.0},
        "endpoint": {"ChannelType": "GCM", "EndpointStatus": "ACTIVE", "OptOut": "NONE", "EffectiveDate": instant(chance, 3, "Z"), "User": user},
        "awsAccountId": "123456789012",
    }  # fmt: skip


def posthog(chance: random.Random) -> dict[str, Any]:
    """Make a record of an export, as the library for the web sent it."""
    properties = {
        "$os": "Mac OS X", "$browser": "Chrome", "$browser_version": 121, "$current_url": chance.choice(TEXTS), "$lib": "web",
        "$lib_version": "1.96.1", "$device_id": identifier(chance), "$session_id": identifier(chance), "$window_id": identifier(chance),
        "$feature/new-flow": True, "$active_feature_flags": ["new-flow", "b"], "$geoip_latitude": chance.uniform(-90, 90),
        "$set": {"email": "someone@example.com", "$initial_os": "Mac OS X"}, "plan": chance.choice(TEXTS), "$ip": "192.0.2.1",
    }  # fmt: skip
    told = {
        "event": chance.choice(NAMES),
        "distinct_id": f"u{chance.randrange(999)}",
        "uuid": identifier(chance),
    }
    times = {name: instant(chance, 6, "+00:00") for name in ("timestamp", "created_at")}
    return {**told, **times, "properties": properties, "team_id": 1, "elements_chain": ""}


def mixpanel(chance: random.Random) -> dict[str, Any]:
    """Make a record of an export."""
    properties = {
        "time": FIRST_TIME_MS // 1000 + chance.randrange(10**6), "distinct_id": f"u{chance.randrange(999)}", "$browser": "Chrome",
        "$city": "Zürich", "$current_url": chance.choice(TEXTS), "$device_id": identifier(chance), "$insert_id": f"{chance.getrandbits(60):x}",
        "$mp_api_timestamp_ms": FIRST_TIME_MS, "$os": "Mac OS X", "mp_country_code": "US", "mp_lib": "web", "Plan Type": chance.choice(TEXTS),
        "cart": [{"id": 1}], "price": 12.5, "is_new": True, "none": None,
    }  # fmt: skip
    return {"event": chance.choice(NAMES), "properties": properties}


def segment_spec(chance: random.Random) -> dict[str, Any]:
    """Make a record of a warehouse or a bucket, as a phone sent it."""
    context = {
        "app": {"name": "Shop", "version": "545", "build": "3.0.1", "namespace": "com.example"}, "campaign": {"name": "spring", "source": "mail"},
        "device": {"id": identifier(chance), "manufacturer": "Apple", "model": "iPhone7,2", "name": "maguro", "type": "ios"}, "ip": "192.0.2.1",
        "library": {"name": "analytics.js", "version": "2.11.1"}, "locale": "en-US", "network": {"carrier": "T-Mobile", "wifi": False},
        "os": {"name": "iPhone OS", "version": "8.1.3"}, "page": {"path": "/a", "title": chance.choice(TEXTS)}, "timezone": "Europe/Amsterdam",
    }  # fmt: skip
    products = [{"product_id": f"b-{chance.randrange(99)}", "price": 3.0, "quantity": 2}]
    properties = {"order_id": f"o-{chance.randrange(10**6)}", "revenue": 12.5, "currency": "EUR", "products": products, "Plan Type": chance.choice(TEXTS)}  # fmt: skip
    times = {
        name: instant(chance, 3, "Z") for name in ("receivedAt", "sentAt", "originalTimestamp", "timestamp")
    }
    return {
        "anonymousId": identifier(chance), "channel": "client", "context": context, "event": chance.choice(NAMES), "integrations": {"All": True},
        "messageId": f"ajs-{identifier(chance)}", "properties": properties, **times, "type": "track", "userId": f"u{chance.randrange(999)}", "version": 2,
    }  # fmt: skip


SENDERS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "pinpoint": pinpoint, "posthog": posthog, "mixpanel": mixpanel, "segment_spec": segment_spec,
}  # fmt: skip


def write(folder: Path, sender: str, records: int) -> None:
    """Write one sender's records into a folder; the keys of a record, and the spelling of its texts, change their way."""
    chance = random.Random(f"{SEED}{sender}")
    folder.mkdir(parents=True)
    with (folder / "events.json").open("w", encoding="utf-8") as lines:
        for _ in range(records):
            members = [*SENDERS[sender](chance).items()]
            chance.shuffle(members)
            lines.write(f"{json.dumps(dict(members), ensure_ascii=chance.random() < 0.5)}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--records", type=int, default=200_000, metavar="N")
    options = parser.parse_args()
    for sender in SENDERS:
        write(options.directory / sender, sender, options.records)


if __name__ == "__main__":
    main()
