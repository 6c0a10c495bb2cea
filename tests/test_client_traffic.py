"""What real clients sent, and what the seed documents show, on its way to every target."""

import csv
import json

import pytest
from canonical import hub_frame
from receivers import PinpointService, clickstream_faults, learning_context_faults, parsed, personalize_faults
from traffic import archive_record, captured_records, seed, write_archive

import translate
from translate import mapping

CLIENT = "0152c18b-f6ef-5320-60fd-31136808ec93"
APP = "0123456789abcdef0123456789abcdef"
SESSION = "8cf40f78-2321-b15b-5666-b6be9270752f"


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    """The captured traffic as an archive file."""
    return write_archive(tmp_path_factory.mktemp("captured") / "traffic.jsonl", captured_records())


def converted(source, target, folder):
    """Convert to a target; give its lines and the report."""
    report = translate.convert(source, to=target, out=folder / target)
    parts = sorted((folder / target / "data").iterdir())
    return "".join(part.read_bytes().decode() for part in parts).removesuffix("\n").split("\n"), report


def test_all_of_it_is_read(captured):
    """Every captured event is read, with the names that the clients meant."""
    names = translate.scan(captured, model="mobile_analytics").collect()["name"].to_list()
    assert len(names) == 16
    assert names[:5] == ["session.start", "level_complete", "no_attrs", "purchase", "purchase"]
    assert (names.count("tick"), names[-2:]) == (6, ["session.stop", "x"])


def test_every_row_to_clickstream(captured, tmp_path):
    """Captured events, written for Clickstream, are what its reader needs; a purchase and a stop field by field."""
    lines, report = converted(captured, "clickstream", tmp_path)
    rows = [parsed(line) for line in lines]
    assert report["events"]["written"] == len(rows) == 16
    assert [fault for row in rows for fault in clickstream_faults(row)] == []
    common = {
        "app_id": APP, "unique_id": CLIENT, "device_id": CLIENT, "platform": "Android", "os_version": "13", "make": "Google",
        "model": "Pixel 7", "locale": "en_US", "system_language": "en", "country_code": "US", "zone_offset": 0,
        "sdk_name": "aws-sdk-mobile-analytics-js", "sdk_version": "0.9.2:2.1693.0", "app_package_name": "com.example.shop",
        "app_version": "1.4.2", "app_title": "Shop",
    }  # fmt: skip
    given = {"channel": "beta", "numeric": "42", "nested": '{"a":[1,2]}', "build": 142}
    session = {
        "_session_id": SESSION,
        "_session_start_timestamp": 1795239579057,
        "app_version_code": "142",
        "event_version": "v2.0",
    }
    assert rows[3] == {
        **common, "event_type": "purchase", "event_id": rows[3]["event_id"], "timestamp": 1795239579068,
        "event_value": 9.98, "event_value_currency": "USD",
        "items": [{"id": "sku-1", "price": 4.99, "quantity": 2, "currency": "USD"}],
        "attributes": {**session, "campaign": "autumn", **given, "tax": 0.4},
    }  # fmt: skip
    assert rows[4] == {
        **common, "event_type": "purchase", "event_id": rows[4]["event_id"], "timestamp": 1795239579068,
        "items": [{"id": "sku-2"}],
        "attributes": {**session, **given, "purchase_currency": "EUR", "purchase_quantity": 1, "purchase_price_formatted": "€3,99"},
    }  # fmt: skip
    assert rows[5] == {
        **common, "event_type": "_app_end", "event_id": rows[5]["event_id"], "timestamp": 1795239580441,
        "attributes": {**session, **given, "_session_duration": 1384, "session_stop_timestamp": 1795239580441,
                       "translate_names": '{"name":"session.stop"}'},
    }  # fmt: skip
    (legal,) = (key for key in rows[1]["attributes"] if key.startswith("na_ve_key_"))
    assert rows[1]["attributes"][legal] == 'ünï "quoted"\n\\ value'
    assert json.loads(rows[1]["attributes"]["translate_names"]) == {"attributes": {legal: "naïve key"}}
    assert (rows[1]["attributes"]["empty"], rows[1]["attributes"]["zero"], rows[1]["attributes"]["neg"]) == (
        "",
        0,
        -1e-7,
    )
    assert (rows[-1]["event_type"], rows[-1]["app_id"], rows[-1]["attributes"]) == ("x", "app-low", {})


def test_every_row_to_pinpoint(captured, tmp_path):
    """Captured events, written for Pinpoint, pass boto3's validator; a null duration is stop minus start."""
    lines, _ = converted(captured, "pinpoint/requests", tmp_path)
    requests = [parsed(line) for line in lines]
    service = PinpointService()
    assert [
        fault
        for line, request in zip(lines, requests, strict=True)
        for fault in service.faults(request, len(line))
    ] == []
    assert [request["ApplicationId"] for request in requests] == [APP, "second-app", "app-low"]
    batch = requests[0]["EventsRequest"]["BatchItem"][CLIENT]
    assert batch["Endpoint"] == {}
    stop = next(event for event in batch["Events"].values() if event["EventType"] == "_session.stop")
    assert stop == {
        "EventType": "_session.stop", "Timestamp": "2026-11-21T05:39:40.441Z", "AppPackageName": "com.example.shop",
        "AppTitle": "Shop", "AppVersionCode": "142", "ClientSdkVersion": "0.9.2:2.1693.0", "SdkName": "aws-sdk-mobile-analytics-js",
        "Session": {"Id": SESSION, "StartTimestamp": "2026-11-21T05:39:39.057Z", "StopTimestamp": "2026-11-21T05:39:40.441Z", "Duration": 1384},
        "Attributes": {"channel": "beta", "numeric": "42", "nested": '{"a":[1,2]}'}, "Metrics": {"build": 142},
    }  # fmt: skip
    purchase = next(
        event for event in batch["Events"].values() if event["Attributes"].get("_product_id") == "sku-1"
    )
    assert purchase["Attributes"] == {
        "_product_id": "sku-1", "_currency": "USD", "campaign": "autumn", "channel": "beta", "numeric": "42", "nested": '{"a":[1,2]}',
    }  # fmt: skip
    assert purchase["Metrics"] == {"_quantity": 2, "_item_price": 4.99, "tax": 0.4, "build": 142}


def test_every_row_to_the_learning_context(captured, tmp_path):
    """Captured events, written for the Learning Context API, are of its form; a session start field by field."""
    lines, _ = converted(captured, "learning_context", tmp_path)
    rows = [parsed(line) for line in lines]
    assert [fault for row in rows for fault in learning_context_faults(row)] == []
    first = rows[0]
    entities = {entity["key"]: entity["value"] for entity in first["entities"]}
    assert (first["action"], first["type"], first["timestamp"]) == ("START", "APPSTART", 1795239579)
    assert first["session"] == rows[5]["session"] != rows[6]["session"]
    assert list(entities)[:2] == ["app", "package"]
    assert (entities["app"], entities["package"], entities["session_id"]) == (
        "Shop",
        "com.example.shop",
        SESSION,
    )
    assert (entities["build"], entities["numeric"]) == (142, "42")
    assert [row["action"] for row in rows if row["type"] == "APPSTART"] == ["START", "END", "START", "END"]


def test_every_row_to_personalize(captured, tmp_path):
    """Captured purchases, written for Personalize, are two interactions of the client."""
    lines, report = converted(captured, "personalize", tmp_path)
    schema = json.loads((tmp_path / "personalize" / "schema.json").read_text())
    assert list(personalize_faults("\n".join(lines) + "\n", schema)) == []
    assert list(csv.DictReader(lines)) == [
        {
            "USER_ID": CLIENT,
            "ITEM_ID": "sku-1",
            "TIMESTAMP": "1795239579",
            "EVENT_TYPE": "Purchase",
            "EVENT_VALUE": "9.98",
        },
        {
            "USER_ID": CLIENT,
            "ITEM_ID": "sku-2",
            "TIMESTAMP": "1795239579",
            "EVENT_TYPE": "Purchase",
            "EVENT_VALUE": "",
        },
    ]
    assert report["events"] | {"filtered": 14, "written": 2} == report["events"]


# -- the seed documents' examples -------------------------------------------------------------------------------


def test_mobile_analytics_seed(tmp_path):
    """The PutEvents page's own example, as an archive record, reaches every target with all that it says."""
    example = seed("mobile_analytics_put_events")
    (event,) = example["body"]["events"]
    file = write_archive(tmp_path / "seed.jsonl", [archive_record(example["context"], event)])
    (hub,) = translate.scan(file, model="mobile_analytics").collect().to_dicts()
    assert (hub["name"], hub["client_id"], hub["app.id"]) == (
        "LevelComplete",
        "<client_id>",
        "<mobile_analytics_app_id>",
    )
    assert (hub["app.title"], hub["device.platform"], hub["device.make"]) == (
        "<app_title>",
        "<platform>",
        "<make>",
    )
    assert hub["time"].isoformat() == hub["session.start"].isoformat() == "2014-06-30T19:07:47.885000+00:00"
    assert hub["attributes"] == event["attributes"]
    assert hub["metrics"] == {"Score": "12345", "TimeInLevel": "64"}
    (clickstream,), _ = converted(file, "clickstream", tmp_path)
    assert list(clickstream_faults(parsed(clickstream))) == []
    assert {"Score": 12345, "TimeInLevel": 64, **event["attributes"]}.items() <= parsed(clickstream)[
        "attributes"
    ].items()
    (pinpoint,), _ = converted(file, "pinpoint/requests", tmp_path)
    assert list(PinpointService().faults(parsed(pinpoint), len(pinpoint))) == []
    (learning_context,), _ = converted(file, "learning_context", tmp_path)
    assert list(learning_context_faults(parsed(learning_context))) == []


def places(value, path=""):
    """Give the places of a document's values; a list's elements lie in the list's own place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from places(inner, path)
    else:
        yield path


def home(place, layout):
    """Find the field of a layout that holds a place: its own, or the one above it."""
    fields = {entry.place for entry in layout.fields}
    segments = place.split(".")
    return next(
        (
            ".".join(segments[:depth])
            for depth in range(len(segments), 0, -1)
            if ".".join(segments[:depth]) in fields
        ),
        None,
    )


@pytest.mark.parametrize(
    ("address", "example"),
    [
        ("clickstream/events", seed("clickstream_http_api")["body"]),
        ("clickstream/events", seed("clickstream_http_api")["parameters"]),
        ("learning_context/events", seed("learning_context_post_events_update")["data"]),
    ],
    ids=["clickstream-body", "clickstream-parameters", "learning-context"],
)
def test_every_field_of_a_seed_example_has_a_place(address, example):
    """Each field that a seed document's example shows has a place in the layout."""
    _, layout = mapping.find_layout(address)
    assert [place for place in places(example) if home(place, layout) is None] == []


COLUMN_OF = {
    "userId": "USER_ID", "itemId": "ITEM_ID", "sentAt": "TIMESTAMP", "eventType": "EVENT_TYPE", "eventValue": "EVENT_VALUE",
    "impression": "IMPRESSION", "recommendationId": "RECOMMENDATION_ID", "metricAttribution": "EVENT_ATTRIBUTION_SOURCE",
}  # fmt: skip
ONLY_IN_REQUESTS = {"trackingId", "sessionId", "eventId", "properties"}


def test_every_field_of_the_personalize_example_has_a_column():
    """Each field of the PutEvents skeleton has a column in the bulk import, or belongs to requests alone."""
    _, layout = mapping.find_layout("personalize/interactions")
    request = seed("personalize_put_events")["request"]
    fields = (request.keys() - {"eventList"}) | request["eventList"][0].keys()
    assert fields == COLUMN_OF.keys() | ONLY_IN_REQUESTS
    assert set(COLUMN_OF.values()) == {entry.place for entry in layout.fields} - {
        "*"
    }  # the dataset's own columns


def test_the_learning_context_example_is_written_again():
    """The page's pair of START and END comes out of the hub with the action, type, time, session and entities shown."""
    example = seed("learning_context_post_events_update")["data"]
    events = [
        {
            "name": name,
            "time": time,
            "session.id": "8nc92io9q",
            "app.title": "BigBrother",
            "app.package": "de.thues.bigbrother",
            "event_id": "e",
        }
        for name, time in (
            ("session.start", "2013-04-12T13:13:47Z"),
            ("session.stop", "2013-04-12T13:15:33Z"),
        )
    ]
    rows = translate.write(hub_frame(events), model="learning_context").collect()["row"]
    for row, shown in zip(map(parsed, rows), example, strict=True):
        assert row["entities"].pop() == {"key": "event_id", "value": "e"}
        assert row == shown


def test_the_clickstream_example_is_written_again():
    """An event with every parameter that the page lists comes out of the hub as the page shows it."""
    shown = seed("clickstream_http_api")["parameters"]
    _, layout = mapping.find_layout("clickstream/events")
    hub_of = {entry.place: entry.hub[0] for entry in layout.fields if entry.hub}
    plain = {
        hub_of[key]: value
        for key, value in shown.items()
        if key not in ("timestamp", "items", "user", "attributes")
    }
    event = {
        **plain, "name": "button_click", "time": "2022-11-08T03:19:26.697Z", "client_id": shown["unique_id"],
        "items": shown["items"], "user_id": "0202d0e1", "user_properties": {"username": "carl"},
        "user_property_times": {"username": "2023-09-18T03:13:36.345Z", "_user_id": "2023-09-18T03:13:36.345Z"},
        "attributes": {"productName": "book"},
    }  # fmt: skip
    frame = hub_frame([event]).with_columns(
        metrics=hub_frame([{"attributes": {"Price": "39.9"}, "time": "2022-11-08T03:19:26.697Z"}])[
            "attributes"
        ]
    )
    (row,) = translate.write(frame, model="clickstream").collect()["row"]
    assert parsed(row) == shown
