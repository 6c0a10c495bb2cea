"""What the real receivers need of a row, written down apart from the package that is tested."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import re
from urllib.parse import parse_qsl, urlsplit

import botocore.session
from botocore.validate import ParamValidator

LEGAL_NAME = re.compile(r"(?![0-9])[0-9a-zA-Z_]{1,50}")
ISO_CODE = re.compile(r"[A-Z]{3}")
CLICKSTREAM_WHOLE = (
    "timestamp",
    "zone_offset",
    "screen_height",
    "screen_width",
    "viewport_height",
    "viewport_width",
)
CLICKSTREAM_TEXT = (
    "event_type", "event_id", "app_id", "platform", "os_version", "unique_id", "device_id", "make", "brand", "model", "carrier",
    "network_type", "locale", "system_language", "country_code", "sdk_version", "sdk_name", "app_package_name", "app_version",
    "app_title", "event_value_currency",
)  # fmt: skip
CLICKSTREAM_KEYS = {*CLICKSTREAM_WHOLE, *CLICKSTREAM_TEXT, "event_value", "items", "user", "attributes"}
SESSION_NUMBERS = (
    "_session_start_timestamp",
    "_session_duration",
    "_session_number",
    "_engagement_time_msec",
)
LC_KEYS = ["action", "type", "timestamp", "session", "entities"]
PINPOINT_REQUEST_BYTES = 4_000_000


def no_doubled_keys(pairs):
    """Make an object of its members; refuse a key that stands twice."""
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"doubled key in {keys}"
    return dict(pairs)


def parsed(line):
    """Parse a JSON line strictly: no doubled keys, no NaN."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(line, object_pairs_hook=no_doubled_keys, parse_constant=refuse)


def is_whole(value):
    """Tell a JSON integer from everything else, true and false among it."""
    return type(value) is int


def is_number(value):
    """Tell a JSON number."""
    return type(value) in (int, float)


def clickstream_faults(event):
    """Give the reasons why the ETL of v1.1.14 would divert, drop or misread an event."""
    yield from (f"unknown key {key}" for key in event.keys() - CLICKSTREAM_KEYS)
    yield from (
        f"no {key}"
        for key in ("event_type", "event_id", "timestamp", "app_id", "zone_offset", "unique_id")
        if event.get(key) is None
    )
    yield from (
        f"{key} is not whole" for key in CLICKSTREAM_WHOLE if key in event and not is_whole(event[key])
    )
    yield from (
        f"{key} is no text" for key in CLICKSTREAM_TEXT if key in event and not isinstance(event[key], str)
    )
    if not LEGAL_NAME.fullmatch(event.get("event_type", "")):
        yield "illegal event name"
    attributes = event.get("attributes")
    if not isinstance(attributes, dict):
        yield "no attributes"
        return
    yield from (f"illegal attribute name {name}" for name in attributes if not LEGAL_NAME.fullmatch(name))
    yield from (f"{name} is null" for name, value in attributes.items() if value is None)
    yield from (
        f"{name} is not whole"
        for name in SESSION_NUMBERS
        if name in attributes and not is_whole(attributes[name])
    )
    if len(attributes) > 500 or len(event.get("items") or []) > 100:
        yield "too many"
    yield from _faults_of_money(event, attributes)
    yield from _faults_of_user(event.get("user"))
    items = event.get("items", [])
    if not (isinstance(items, list) and all(isinstance(item, dict) for item in items)):
        yield "items are no list of objects"


def _faults_of_money(event, attributes):
    if ("event_value" in event) != ("event_value_currency" in event):
        yield "value without currency, or the other way round"
    if "event_value" in event and not is_number(event["event_value"]):
        yield "event_value is no number"
    if "event_value" in event and not ISO_CODE.fullmatch(event["event_value_currency"]):
        yield "no ISO currency"
    if "event_value" in event and attributes.get("purchase_store") == "Virtual":
        yield "virtual money"


def _faults_of_user(user):
    for name, entry in (user or {}).items():
        if not LEGAL_NAME.fullmatch(name):
            yield f"illegal user attribute name {name}"
        if set(entry) != {"value", "set_timestamp"} or not is_whole(entry["set_timestamp"]):
            yield f"user attribute {name} is malformed"
    if user is not None and (len(user) > 100 or not user):
        yield "no or too many user attributes"


def _faults_of_body(body, hashed):
    """Judge a body's text: an array, at most 100 events and 512 Ki, hashed as it stands."""
    if not (body.startswith("[") and body.endswith("]")):
        yield "no array: the ETL would take it for base64"
    if hashlib.sha256(body.encode()).hexdigest()[:8] != hashed:
        yield "hashCode is not that of the body"
    events = parsed(body)
    if not 1 <= len(events) <= 100 or len(body.encode()) > 524_288:
        yield f"{len(events)} events, {len(body)} characters"
    for event in events:
        yield from clickstream_faults(event)


def clickstream_request_faults(request):
    """Give what the ingestion or the ETL would refuse of a call."""
    if set(request) != {"query", "body"}:
        yield f"members {sorted(request)}"
    query = request["query"]
    if not query.get("appId") or {event["app_id"] for event in parsed(request["body"])} != {query["appId"]}:
        yield "no appId, or another one than the events'"
    yield from _faults_of_body(request["body"], query["hashCode"])


def clickstream_row_faults(row):
    """Give what would divert or drop a row of the buffer, or end the job that reads it."""
    query = dict(parse_qsl(urlsplit(row["uri"]).query))
    if not row.get("appId") or query["appId"] != row["appId"]:
        yield "no appId"
    if row["path"] != urlsplit(row["uri"]).path or not re.fullmatch("[0-9a-f]{32}", row["rid"]):
        yield "path or rid"
    for name in ("ingest_time", "server_ingest_time"):
        if not is_whole(row.get(name)) or row[name] % 1000:
            yield f"{name} is no whole second in milliseconds"
    times = [event["timestamp"] for event in parsed(row["data"])]
    if not all(0 <= row["ingest_time"] - time <= 3_601_000 for time in times):
        yield "ingest_time is not just after the events: the freshness filter would drop them"
    yield from _faults_of_body(row["data"], query["hashCode"])


def clickstream_sequence_id(request):
    """Give the number of a call, or of a row of the buffer."""
    if "query" in request:
        return request["query"]["event_bundle_sequence_id"]
    return int(dict(parse_qsl(urlsplit(request["uri"]).query))["event_bundle_sequence_id"])


def mobile_analytics_faults(request):
    """Give what the PutEvents document forbids."""
    context, body = request["client_context"], request["body"]
    if set(request) != {"client_context", "body"} or set(body) != {"events"} or not body["events"]:
        yield "other members, or no events"
    if not {"client_id", "app_title"} <= set(context["client"]) or "platform" not in context["env"]:
        yield "no client_id, app_title or platform"
    if not context["services"]["mobile_analytics"].get("app_id"):
        yield "no app_id"
    if len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) > 1_048_576:
        yield "more than 1,024 KB"
    for event in body["events"]:
        if not 1 <= len(event["eventType"]) <= 50 or event["version"] != "v2.0":
            yield "eventType or version"
        attributes, metrics = event.get("attributes", {}), event.get("metrics", {})
        if len(attributes) + len(metrics) > 40 or any(len(key) > 50 for key in [*attributes, *metrics]):
            yield "too many attributes and metrics, or too long ones"
        if any(len(value) > 200 for value in attributes.values()) or not all(
            is_number(value) for value in metrics.values()
        ):
            yield "a text of more than 200 characters, or a metric that is no number"
        session = event.get("session")
        if session is not None and not {"id", "startTimestamp"} <= set(session):
            yield "session without id or start"


class PersonalizeService:
    """Judges PutEvents calls by botocore's own model, and by the maxima in it that botocore does not check."""

    RESERVED = ("userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression")

    def __init__(self):
        model = botocore.session.get_session().get_service_model("personalize-events")
        self.shape = model.operation_model("PutEvents").input_shape

    def faults(self, request):
        """Give what is wrong with a request."""
        report = ParamValidator().validate(request, self.shape)
        if report.has_errors():
            yield report.generate_report()
        yield from self._too_long(request, self.shape, "")
        for event in request["eventList"]:
            for key, value in parsed(event.get("properties", "{}")).items():
                if key.lower() in self.RESERVED or not isinstance(value, str):
                    yield f"property {key}"
            if not is_number(event["sentAt"]) or event["sentAt"] > 4_102_444_800:
                yield "sentAt is not in seconds"

    def _too_long(self, value, shape, place):
        most = shape.metadata.get("max")
        if most is not None and shape.type_name in ("string", "list") and len(value) > most:
            yield f"{place}: {len(value)} of {most}"
        if shape.type_name == "structure":
            for name, inner in value.items():
                yield from self._too_long(inner, shape.members[name], f"{place}.{name}")
        elif shape.type_name == "list":
            for inner in value:
                yield from self._too_long(inner, shape.member, place)


def learning_context_faults(event):
    """Give what the page of the Learning Context API forbids, or leaves no room for."""
    if [key for key in LC_KEYS if key in event] != list(event):
        yield "other keys, or in another order than the client's"
    if event.get("action") not in ("START", "UPDATE", "END"):
        yield "no action"
    if not isinstance(event.get("type"), str) or not event["type"]:
        yield "no type"
    if not is_whole(event.get("timestamp")):
        yield "timestamp is not whole"
    session = event.get("session")
    if session is None and event.get("action") == "END":
        yield "END without session"
    if session is not None and not (isinstance(session, str) and 8 <= len(session) <= 20):
        yield "session not of 8 to 20 characters"
    entities = event.get("entities")
    if not isinstance(entities, list):
        yield "entities are no list"
        return
    for entity in entities:
        if list(entity) != ["key", "value"] or not isinstance(entity["key"], str) or entity["value"] is None:
            yield f"malformed entity {entity}"


class PinpointService:
    """Judges PutEvents calls by botocore's own model, and by what the service was seen to refuse."""

    def __init__(self):
        model = botocore.session.get_session().get_service_model("pinpoint")
        self.shape = model.operation_model("PutEvents").input_shape

    def faults(self, request, size):
        """Give what is wrong with a request of this size."""
        report = ParamValidator().validate(request, self.shape)
        if report.has_errors():
            yield report.generate_report()
        batches = request["EventsRequest"]["BatchItem"].values()
        events = [event for batch in batches for event in batch["Events"].values()]
        if not 1 <= len(events) <= 100:
            yield f"{len(events)} events"
        if size > PINPOINT_REQUEST_BYTES:
            yield f"{size} bytes"
        for event in events:
            yield from self.faults_of_event(event)

    def faults_of_event(self, event):
        """Give what is wrong with one event."""
        attributes, metrics = event.get("Attributes", {}), event.get("Metrics", {})
        if len(attributes) + len(metrics) > 40:
            yield "more than 40 attributes and metrics"
        yield from (f"long key {key}" for key in [*attributes, *metrics] if len(key) > 50)
        yield from (f"long value of {key}" for key, value in attributes.items() if len(value) > 200)
        yield from (f"{key} is no number" for key, value in metrics.items() if not is_number(value))
        session = event.get("Session")
        if session is not None and not {"Id", "StartTimestamp"} <= set(session):
            yield "session without id or start"
        times = [
            event["Timestamp"],
            *(value for key, value in (session or {}).items() if key.endswith("Timestamp")),
        ]
        yield from (
            f"{time} is not in UTC"
            for time in times
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
        )
        if session and "StopTimestamp" in session:
            start, stop = (
                dt.datetime.fromisoformat(session[f"{name}Timestamp"]) for name in ("Start", "Stop")
            )
            if session.get("Duration") != (stop - start) // dt.timedelta(milliseconds=1):
                yield "duration is not stop minus start"


def personalize_faults(text, schema):
    """Give what keeps an interactions file from its import."""
    names = [field["name"] for field in schema["fields"]]
    if text.startswith("\ufeff"):
        yield "byte order mark"
    if text.split("\n", 1)[0] != ",".join(names):
        yield "header differs from schema"
    for number, row in enumerate(csv.DictReader(text.splitlines(keepends=True), strict=True), 2):
        if None in row or list(row) != names or any("\n" in value or "\r" in value for value in row.values()):
            yield f"row {number} is malformed"
        for field in schema["fields"]:
            yield from (f"row {number}: {fault}" for fault in _faults_of_cell(row[field["name"]], field))
    if len(text.splitlines()) != text.count("\n"):
        yield "a line break of another kind, or none at the end"


def _faults_of_cell(value, field):
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if value == "":
        if "null" not in types:
            yield f"{field['name']} is empty"
        return
    if "long" in types and not re.fullmatch(r"-?\d+", value):
        yield f"{field['name']} is no long"
    if "float" in types:
        float(value)
    if field["name"] == "TIMESTAMP" and not 946_684_800 <= int(value) < 4_102_444_800:
        yield "TIMESTAMP is no time in seconds"
    if field["name"] in ("USER_ID", "ITEM_ID", "EVENT_TYPE") and not 1 <= len(value) <= 256:
        yield f"{field['name']} is too long"
