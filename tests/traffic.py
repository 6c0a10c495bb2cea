"""What clients sent, as the auto-export would have left it: client context and event in one record."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path

CAPTURE = Path(__file__).parent / "captures" / "mobile_analytics_js_node.json"
SEEDS = Path(__file__).parent / "seeds"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def milliseconds(text):
    """Give an ISO time as milliseconds since 1970."""
    return (dt.datetime.fromisoformat(text) - EPOCH) // dt.timedelta(milliseconds=1)


def present(**members):
    """Make an object of what is there; nothing if that is nothing."""
    return {key: value for key, value in members.items() if value is not None} or None


def archive_record(context, event):
    """Make the record that one event of a PutEvents call left in the archive."""
    client, env = context["client"], context.get("env", {})
    service = context["services"]["mobile_analytics"]
    language, _, country = env.get("locale", "").replace("-", "_").partition("_")
    session = event.get("session")
    return present(
        event_type=event["eventType"],
        event_timestamp=milliseconds(event["timestamp"]),
        event_version=event.get("version"),
        application=present(
            app_id=service["app_id"],
            package_name=client.get("app_package_name"),
            sdk=present(name=service.get("sdk_name"), version=service.get("sdk_version")),
            title=client.get("app_title"),
            version_name=client.get("app_version_name"),
            version_code=client.get("app_version_code"),
        ),
        client={"client_id": client["client_id"]},
        device=present(
            locale=present(code=env.get("locale"), country=country.upper() or None, language=language or None),
            make=env.get("make"),
            model=env.get("model"),
            platform=present(name=env.get("platform"), version=env.get("platform_version")),
        ),
        session=session and {
            "session_id": session["id"],
            "start_timestamp": milliseconds(session["startTimestamp"]),
            **({"stop_timestamp": milliseconds(session["stopTimestamp"])} if "stopTimestamp" in session else {}),
            **({"duration": session["duration"]} if "duration" in session else {}),  # the high-level SDK says null
        },
        attributes=event.get("attributes"),
        metrics=event.get("metrics"),
    )  # fmt: skip


def captured_records():
    """Give the records of the captured traffic, in the order in which it came."""
    for request in json.loads(CAPTURE.read_text(encoding="utf-8"))["requests"]:
        context = request["context"]
        if request.get("encoding") == "base64":
            context = base64.b64decode(context).decode()
        for event in json.loads(request["body"])["events"]:
            yield archive_record(json.loads(context), event)


def seed(name):
    """Read a seed document's example."""
    return json.loads((SEEDS / f"{name}.json").read_text(encoding="utf-8"))


def write_archive(file, records):
    """Write records as an archive file."""
    file.write_text(
        "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8"
    )
    return file
