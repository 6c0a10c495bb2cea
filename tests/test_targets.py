"""The sample archive, converted to every target, as the targets' own readers take it."""

import json

import duckdb
import fastavro
import pandas as pd
import pytest
from canonical import SAMPLES, zoo
from receivers import (
    PersonalizeService,
    PinpointService,
    clickstream_faults,
    clickstream_request_faults,
    clickstream_row_faults,
    clickstream_sequence_id,
    is_whole,
    learning_context_faults,
    mobile_analytics_faults,
    parsed,
    personalize_faults,
)

import translate
from translate import events

ARCHIVE = SAMPLES / "mobile_analytics" / "archive"
TARGETS = (
    "clickstream", "learning_context", "personalize", "pinpoint", "pinpoint/requests", "mobile_analytics", "hub",
    "clickstream/requests", "clickstream/raw", "learning_context/requests", "mobile_analytics/requests", "personalize/requests",
)  # fmt: skip
SETTINGS = {
    "clickstream/raw": ["day=2026-11-21"],
    "personalize/requests": ["tracking_id=11111111-2222-3333-4444-555555555555"],
}


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """The sample archive in every target's layout, with the reports."""
    folder = tmp_path_factory.mktemp("converted")
    reports = {
        target: translate.convert(
            ARCHIVE, to=target, out=folder / target.replace("/", "-"), set_=SETTINGS.get(target, ())
        )
        for target in TARGETS
    }
    return folder, reports


def lines(converted, target):
    folder, _ = converted
    return [
        line
        for part in sorted((folder / target.replace("/", "-") / "data").rglob("part-*"))
        for line in part.read_bytes().decode().removesuffix("\n").split("\n")
        if line
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_unaccounted_for(target, converted):
    """What was read was written, rejected or filtered, in every target."""
    _, reports = converted
    counts = reports[target]["events"]
    assert counts["read"] == 3103
    assert counts["read"] + counts["added"] == sum(
        counts[name] for name in ("written", "rejected", "filtered", "duplicates", "merged")
    )


@pytest.mark.parametrize(
    ("target", "faults"), [("clickstream", clickstream_faults), ("learning_context", learning_context_faults)]
)
def test_every_row_is_what_the_reader_needs(target, faults, converted):
    """Every row of the archive is without fault by what the target's reader needs."""
    rows = lines(converted, target)
    assert len(rows) == converted[1][target]["events"]["written"] == 3103
    assert [fault for row in rows for fault in faults(parsed(row))] == []


@pytest.mark.parametrize(
    ("target", "faults"), [("clickstream", clickstream_faults), ("learning_context", learning_context_faults)]
)
def test_every_row_of_the_zoo_is_what_the_reader_needs(target, faults):
    """Every row of the zoo is without fault by what the target's reader needs."""
    for row in translate.write(zoo(), model=target).collect()["row"]:
        assert list(faults(parsed(row))) == []


def test_clickstream_sessions(converted):
    """At least one `_app_end` of each session that stopped carries its whole duration."""
    rows = [parsed(line) for line in lines(converted, "clickstream")]
    stops = [
        row
        for row in rows
        if row["event_type"] == "_app_end" and "session.stop" in row["attributes"].get("translate_names", "")
    ]
    assert len(stops) == 359
    assert all(is_whole(row["attributes"]["_session_duration"]) for row in stops)
    starts = [row for row in rows if row["event_type"] == "_session_start"]
    assert len(starts) == 430
    assert {row["attributes"]["_is_first_time"] for row in rows if row["event_type"] == "_app_start"} == {
        False
    }


def test_clickstream_purchases(converted):
    """A purchase has money only in a real currency and store; else price, quantity and currency are attributes."""
    rows = [parsed(line) for line in lines(converted, "clickstream")]
    purchases = [
        row
        for row in rows
        if row["event_type"] == "purchase"
        and "custom.purchase" not in row["attributes"].get("translate_names", "")
    ]
    assert len(purchases) == 214
    for row in purchases:
        attributes, (item, *_) = row["attributes"], row.get("items", [{}])
        if "event_value" in row:
            assert row["event_value"] == pytest.approx(item["price"] * item["quantity"])
            assert item["currency"] == row["event_value_currency"]
            assert not {"purchase_price", "purchase_quantity", "purchase_currency"} & set(attributes)
        else:
            assert set(item) <= {"id"}
    assert sum("event_value" in row for row in purchases) > 30
    assert any(row["attributes"].get("purchase_currency") == "gems" for row in purchases)


def test_pinpoint_requests(converted):
    """boto3's own validator takes every request, within the service's limits and to the millisecond."""
    service = PinpointService()
    requests = lines(converted, "pinpoint/requests")
    faults = [fault for line in requests for fault in service.faults(parsed(line), len(line.encode()))]
    assert faults == []
    ids = [
        event_id
        for line in requests
        for batch in json.loads(line)["EventsRequest"]["BatchItem"].values()
        for event_id in batch["Events"]
    ]
    assert len(ids) == converted[1]["pinpoint/requests"]["events"]["written"]
    assert len(requests) == converted[1]["pinpoint/requests"]["requests"]
    assert len(requests) < len(ids) / 20
    assert {json.loads(line)["ApplicationId"] for line in requests} == {
        "0123456789abcdef0123456789abcdef",
        "fedcba9876543210fedcba9876543210",
    }


def test_pinpoint_zoo():
    """Each event of the zoo that Pinpoint gets passes boto3's validator in a request of its own."""
    service = PinpointService()
    for row in translate.write(zoo(), model="pinpoint/requests").collect()["row"]:
        batch = {"Endpoint": {}, "Events": {"e": parsed(row)}}
        assert (
            list(
                service.faults({"ApplicationId": "a", "EventsRequest": {"BatchItem": {"c": batch}}}, len(row))
            )
            == []
        )


def held_by(requests, events_of):
    """Count the events of requests."""
    return sum(len(events_of(parsed(line))) for line in requests)


@pytest.mark.parametrize("target", ["clickstream/requests", "clickstream/raw"])
def test_clickstream_bodies(target, converted):
    """Each body is the text that was hashed, an array within the limits, of events that the ETL takes."""
    requests = lines(converted, target)
    judge = clickstream_request_faults if target == "clickstream/requests" else clickstream_row_faults
    assert [fault for line in requests for fault in judge(parsed(line))] == []
    name = "body" if target == "clickstream/requests" else "data"
    assert (
        held_by(requests, lambda request: json.loads(request[name]))
        == converted[1][target]["events"]["written"]
        == 3103
    )
    sequence = [clickstream_sequence_id(parsed(line)) for line in requests]
    assert sequence == list(range(1, len(requests) + 1))
    assert converted[1][target]["requests"] == len(requests)


def test_clickstream_buffer_lies_in_its_day(converted):
    """The rows of the buffer lie where the pipeline looks for them: in a folder of the day that was named."""
    folder, _ = converted
    parts = [
        part.relative_to(folder / "clickstream-raw" / "data")
        for part in (folder / "clickstream-raw" / "data").rglob("part-*")
    ]
    assert {part.parent.as_posix() for part in parts} == {"year=2026/month=11/day=21/hour=00"}


def test_clickstream_buffer_needs_a_day(tmp_path):
    """Without the day the rows of the buffer would lie where nobody looks: that is refused before anything is written."""
    with pytest.raises(translate.UsageError, match='set_="day=YYYY-MM-DD"'):
        translate.convert(
            SAMPLES / "mobile_analytics" / "archive_minimal.jsonl", to="clickstream/raw", out=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


def test_personalize_requests(converted):
    """Each request is one user and session of botocore's model, within its maxima, to the tracker that was named."""
    requests = [parsed(line) for line in lines(converted, "personalize/requests")]
    service = PersonalizeService()
    assert [fault for request in requests for fault in service.faults(request)] == []
    assert {request["trackingId"] for request in requests} == {"11111111-2222-3333-4444-555555555555"}
    assert (
        sum(len(request["eventList"]) for request in requests)
        == converted[1]["personalize/requests"]["events"]["written"]
        > 100
    )


def test_mobile_analytics_requests(converted):
    """Each request is a client context that names its application, and a body by the document."""
    requests = [parsed(line) for line in lines(converted, "mobile_analytics/requests")]
    assert [fault for request in requests for fault in mobile_analytics_faults(request)] == []
    assert (
        sum(len(request["body"]["events"]) for request in requests)
        == converted[1]["mobile_analytics/requests"]["events"]["written"]
        > 1000
    )


def test_learning_context_requests(converted):
    """Each request is a list of at most a hundred events."""
    requests = [parsed(line) for line in lines(converted, "learning_context/requests")]
    assert all(1 <= len(request) <= 100 for request in requests)
    assert [
        fault for request in requests for event in request for fault in learning_context_faults(event)
    ] == []
    assert sum(map(len, requests)) == 3103


def test_pinpoint_rejects(converted):
    """Pinpoint's rejects are those over its limits, as many as the sample's README counts."""
    folder, reports = converted
    rejects = [
        json.loads(line)
        for line in (folder / "pinpoint-requests" / "rejects.ndjson").read_text(encoding="utf-8").split("\n")
        if line
    ]
    assert reports["pinpoint/requests"]["rejects"] == {"over_limit": 28}
    for reject in rejects:
        record = json.loads(reject["raw"])
        attributes = record.get("attributes", {})
        too_many = len(attributes) + len(record.get("metrics", {})) > 40
        assert too_many or max(map(len, attributes.values())) > 200


def test_personalize_import(converted):
    """The schema is Avro that Personalize takes, and every row of the CSV fits it."""
    folder, reports = converted
    schema = json.loads((folder / "personalize" / "schema.json").read_text())
    fastavro.parse_schema(schema)
    assert len(json.dumps(schema)) <= 20_000
    assert schema["namespace"] == "com.amazonaws.personalize.schema"
    assert {"USER_ID", "ITEM_ID", "TIMESTAMP"} <= {field["name"] for field in schema["fields"]}
    parts = sorted((folder / "personalize" / "data").iterdir())
    texts = [part.read_bytes().decode() for part in parts]
    assert [fault for text in texts for fault in personalize_faults(text, schema)] == []
    assert sum(text.count("\n") - 1 for text in texts) == reports["personalize"]["events"]["written"]


def test_personalize_rows_are_avro_values(converted):
    """fastavro writes every CSV row under the schema, with the types that the schema names."""
    folder, _ = converted
    schema = fastavro.parse_schema(json.loads((folder / "personalize" / "schema.json").read_text()))
    converters = {"TIMESTAMP": int, "EVENT_VALUE": float}
    for part in (folder / "personalize" / "data").iterdir():
        for row in pd.read_csv(part, dtype=str, keep_default_na=False).to_dict("records"):
            value = {name: converters.get(name, str)(text) if text else None for name, text in row.items()}
            assert fastavro.validate(value, schema, strict=True)


def test_archive_comes_back(converted):
    """The archive written as an archive holds the same records, numbers by their value, without what was null or empty."""
    written = [json.loads(line) for line in lines(converted, "mobile_analytics")]
    read = translate.scan(ARCHIVE, model="mobile_analytics").collect()
    again = translate.scan(converted[0] / "mobile_analytics" / "data", model="mobile_analytics").collect()
    assert len(written) == 3103
    origin = ["file", "line"]
    assert again.drop(origin).equals(read.drop(origin))


def test_hub_opens_elsewhere(converted):
    """DuckDB and pandas read the hub's Parquet: the same columns, rows and counts by event."""
    folder, _ = converted
    files = str(folder / "hub" / "data" / "*.parquet")
    relation = duckdb.sql(f"SELECT name, count(*) AS n FROM read_parquet('{files}') GROUP BY name")
    by_duckdb = dict(relation.fetchall())
    frame = pd.concat(pd.read_parquet(part) for part in sorted((folder / "hub" / "data").iterdir()))
    assert list(frame.columns) == list(events.COLUMNS)
    assert by_duckdb == frame["name"].value_counts().to_dict()
    assert sum(by_duckdb.values()) == 3103
    assert by_duckdb["session.start"] == 430
    assert by_duckdb["purchase"] == 214
    assert str(frame["time"].dt.tz) == "UTC"
    (scores,) = duckdb.sql(f"SELECT max(metrics['score']) FROM read_parquet('{files}')").fetchall()
    assert scores[0] is not None
