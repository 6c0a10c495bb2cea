"""What the tests of replay share: a small archive, converted once for each model, and the events on both sides of a replay."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from rows import rows_of

import translate
from translate import mapping
from translate.delivery.replaying import replay
from translate.rehearsal import digest_of

APPS = [f"{number:032x}" for number in range(1, 13)]
CLIENTS = [f"00000000-0000-0000-0000-{number:012}" for number in range(1, 13)]
START_MS = 1_487_973_802_507
MODELS = ("clickstream", "learning_context", "mobile_analytics", "personalize", "pinpoint")
WITH_IDS = ("clickstream", "personalize", "pinpoint")
EVERYTHING = {
    model: [name for name, hazard in mapping.load(model).delivery.preflight.items() if hazard.loses]
    for model in MODELS
}
SETTINGS = ("region=us-east-1", "tracking_id=tracker", "application_id=aid", "account=user")
RECIPE = 'to = "personalize"\n\n[[rule]]\nwhen = "name IS NOT NULL"\nset.item_id = \'"attributes.sku"\'\n'
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true",
    "TRANSLATE_LEARNING_CONTEXT_SECRET": "hush", "TRANSLATE_LEARNING_CONTEXT_PASSWORD": "sesame",
}  # fmt: skip


def record(number, *, step_ms=1000, clients=CLIENTS, apps=APPS):
    """Make an event of an archive; its number is its place in the source."""
    client = number % len(clients)
    return {
        "event_type": "Level Complete", "event_timestamp": START_MS + number * step_ms, "arrival_timestamp": START_MS + number * step_ms + 1,
        "event_version": "3.0", "application": {"app_id": apps[client % len(apps)], "title": "Example", "package_name": "com.example"},
        "client": {"client_id": clients[client]},
        "device": {"locale": {"code": "en_US"}, "make": "Samsung", "model": "S", "platform": {"name": "ANDROID", "version": "5.1"}},
        "session": {"session_id": f"{client:08}-{number // 120:08}", "start_timestamp": START_MS},
        "attributes": {"sku": f"b-{number % 7}", "place": f"{number:05}"}, "metrics": {"score": 0.5 + number},
    }  # fmt: skip


def archive(folder, count, **kinds):
    """Write an archive of so many events."""
    file = Path(folder) / "archive.jsonl"
    file.write_text(
        "".join(json.dumps(record(number, **kinds)) + "\n" for number in range(count)), encoding="utf-8"
    )
    return file


@functools.cache
def _made(model, count, step_ms, clients, apps):
    folder = Path(tempfile.mkdtemp(prefix="translate-replayed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source = archive(folder, count, step_ms=step_ms, clients=CLIENTS[:clients], apps=APPS[:apps])
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    translate.convert(
        source,
        to=f"{model}/requests",
        out=folder / "out",
        set_=["tracking_id=tracker"],
        recipe=recipe if model == "personalize" else None,
    )
    return folder / "out"


def converted(model, folder, count=240, *, step_ms=1000, clients=12, apps=6):
    """Give a directory of one's own that convert left for a model."""
    return Path(
        shutil.copytree(_made(model, count, step_ms, clients, apps), Path(folder) / f"{model}-converted")
    )


def rewrite(folder, lines):
    """Put other requests in their place."""
    part, *others = sorted((folder / "data").rglob("part-*"))
    for other in others:
        other.unlink()
    part.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def events_in(model, line):
    """Give the events of one request, each with its id (None where a model has none)."""
    if model == "clickstream":
        return [(event["event_id"], event) for event in json.loads(line["body"])]
    if model == "pinpoint":
        return [
            item for batch in line["EventsRequest"]["BatchItem"].values() for item in batch["Events"].items()
        ]
    if model == "personalize":
        return [(event["eventId"], event) for event in line["eventList"]]
    return [(None, event) for event in (line["body"]["events"] if model == "mobile_analytics" else line)]


def source_events(model, folder):
    """Give all events of a converted directory."""
    return [event for line in rows_of(folder) for event in events_in(model, line)]


def call(model, source, journal, server, **options):
    """Replay to a rehearsal with all that its model asks for."""
    wanted = {"rate": "500requests", "accept": EVERYTHING[model], "set_": SETTINGS, "seed": 1} | options
    endpoint = server if isinstance(server, str) else server.addresses[model]
    return replay(source, to=model, journal=journal, endpoint=endpoint, **wanted)


def assert_arrived(model, expected, server, *, lost_answers=False):
    """Ids are equal as sets and digests as multisets; where answers were lost, some may be there twice."""
    accepted = list(server.accepted(model))
    digests = Counter(digest_of(event) for _, event in expected)
    found = Counter(line["digest"] for line in accepted)
    if model in WITH_IDS:
        assert {line["id"] for line in accepted} == {name for name, _ in expected}
    if lost_answers:
        assert not digests - found
        assert set(found) == set(digests)
    else:
        assert found == digests


def place_of(model, event):
    """Give an event's place in the source."""
    if model == "clickstream":
        return event["attributes"]["place"]
    if model in ("pinpoint", "mobile_analytics"):
        return (event.get("Attributes") or event.get("attributes"))["place"]
    if model == "personalize":
        return f"{event['sentAt']:.3f}"
    return next(entity["value"] for entity in event["entities"] if entity["key"] == "place")
