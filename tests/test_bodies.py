"""Bodies as they went over the wire, and values where older and other clients put them."""

from __future__ import annotations

import base64
import gzip
import json
from urllib.parse import urlencode

import pytest
from rows import CLICK

import translate
from translate.archive.sources import find
from translate.errors import SourceError

CALL = {
    "events": [
        {
            "eventType": "x",
            "timestamp": "2018-02-02T02:15:24.000Z",
            "version": "v2.0",
            "attributes": {"a": "b"},
        }
    ]
}
CONTEXT = [
    {
        "action": "START",
        "type": "APPSTART",
        "timestamp": 1365772427,
        "session": "abcdefgh1",
        "entities": [{"key": "app", "value": "A"}],
    }
]
SIGNED = {"data": json.dumps(CONTEXT), "nonce": "1", "aid": "7", "h": "cafe"}


def packed(value):
    """Give a value's JSON, gzipped, as base64."""
    return base64.b64encode(gzip.compress(json.dumps(value).encode(), mtime=0)).decode()


BODIES = {
    "a packed line": ("clickstream/requests", packed([CLICK])),
    "a packed line in quotes": ("clickstream/requests", json.dumps(packed([CLICK]))),
    "a packed call": ("mobile_analytics/requests", packed(CALL)),
    "a packed call in quotes": ("mobile_analytics/requests", json.dumps(packed(CALL))),
    "a form": ("learning_context/requests", urlencode(SIGNED)),
    "a form in quotes": ("learning_context/requests", json.dumps(urlencode(SIGNED))),
    "a form in a captured request": (
        "learning_context/requests",
        json.dumps({"method": "POST", "headers": {"a": "b"}, "body": urlencode(SIGNED)}),
    ),
    "a form's members": ("learning_context/requests", json.dumps(SIGNED)),
}


def files_of(out):
    """Give what a conversion says of each file."""
    return [json.loads(line) for line in (out / "files.ndjson").read_text().splitlines()]


def converted(tmp_path, text, *, from_=None):
    """Convert a text to the hub; give the layout, the events and the report."""
    source = tmp_path / "source.txt"
    source.write_text(text)
    report = translate.convert(source, from_=from_, to="hub", out=tmp_path / "out")
    return report, translate.scan(tmp_path / "out" / "data").collect().to_dicts()


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("told", [True, False])
def test_a_body_is_read_as_it_went_over_the_wire(kind, told, tmp_path):
    """A line that is a body, packed or a form, is recognised and read; what signs it is of the transport."""
    address, text = BODIES[kind]
    report, found = converted(tmp_path, f"{text}\n{text}\n", from_=address if told else None)
    assert report["events"]["read"] == report["events"]["written"] == len(found) == 2
    assert [f"{file['model']}/{file['layout']}" for file in files_of(tmp_path / "out")] == [address]
    signed = {loss["field"] for loss in report["losses"] if loss["kind"] == "on_purpose"}
    assert signed >= ({"nonce", "aid", "h"} if "form" in kind else set())
    assert found[0]["extra"] is None


@pytest.mark.parametrize("text", ["nonsense", '"nonsense"', "a=b&c=d", "bm90IGpzb24="])
def test_what_only_looks_like_a_body_is_refused(text, tmp_path):
    """A line that unpacks to nothing readable is a reject."""
    report, _ = converted(tmp_path, f"{text}\n{json.dumps([CLICK])}\n", from_="clickstream/requests")
    assert (report["events"]["written"], report["events"]["rejected"]) == (1, 1)


def test_an_old_value_may_be_text(tmp_path):
    """Where older clients wrote a value among the properties, as text, it is the value all the same."""
    properties = json.dumps({"itemId": "i9", "eventValue": "9.99", "other": "1"})
    call = {
        "trackingId": "t",
        "sessionId": "s",
        "userId": "u",
        "eventList": [{"eventType": "Purchase", "sentAt": 1460000000, "properties": properties}],
    }
    report, (event,) = converted(tmp_path, json.dumps(call), from_="personalize/requests")
    assert (event["item_id"], event["value"], event["attributes"]) == ("i9", 9.99, {"other": "1"})
    assert {"properties.eventValue"} == {
        loss["field"] for loss in report["losses"] if loss["kind"] == "changed"
    }


def test_campaigns_have_user_attributes(tmp_path):
    """What a campaign's event says of its user lies in a text; an endpoint of its own counts before it."""
    endpoint = json.dumps({"User": {"UserId": "u", "UserAttributes": {"age": ["3"], "none": None}}})
    record = {
        "event_type": "_campaign.send",
        "event_timestamp": 1643674153593,
        "client_context": {"custom": {"endpoint": endpoint}},
    }
    own = record | {"endpoint": {"User": {"UserAttributes": {"age": ["4"]}}}}
    _, found = converted(tmp_path, f"{json.dumps(record)}\n{json.dumps(own)}\n")
    assert [(event["user_id"], event["user_properties"]) for event in found] == [
        ("u", {"age": '["3"]'}),
        ("u", {"age": '["4"]'}),
    ]


EMPTY = {
    "clickstream/requests": [{"query": {"appId": "shop"}, "body": "[]"}, {"query": {"appId": "shop"}, "body": [CLICK]}],
    "clickstream/raw": [{"appId": "shop", "data": "[]"}, {"appId": "shop", "data": [CLICK]}],
    "mobile_analytics/requests": [{"body": {"events": []}}, CALL],
    "pinpoint/requests": [
        {"BatchItem": {}},
        {"BatchItem": {"ep": {"Endpoint": {"OptOut": "ALL"}, "Events": {}}, "other": {"Events": {"e": {"EventType": "x", "Timestamp": "2018-02-02T02:15:24.000Z"}}}}},
    ],
    "learning_context/requests": [[], CONTEXT],
}  # fmt: skip


@pytest.mark.parametrize("address", EMPTY)
def test_requests_without_events_are_told(address, tmp_path):
    """A request, or an endpoint's part of one, that holds no event is no event, but a finding."""
    report, found = converted(tmp_path, "\n".join(map(json.dumps, EMPTY[address])), from_=address)
    assert report["events"]["read"] == len(found) == 1
    expected = 2 if address == "pinpoint/requests" else 1
    assert [finding["events"] for finding in report["findings"] if finding["code"] == "empty_requests"] == [
        expected
    ]


def test_an_empty_session_is_told(tmp_path):
    """An empty session stands for none, which changes the record."""
    report, (event,) = converted(tmp_path, json.dumps(CONTEXT[0] | {"session": ""}))
    assert event["session.id"] is None
    assert [(loss["field"], loss["kind"]) for loss in report["losses"]] == [("session", "changed")]


def test_a_schema_beside_its_data_is_passed_over(tmp_path):
    """What describes the data of a folder is not read as data; alone it is refused as what it is not."""
    folder = tmp_path / "personalize"
    folder.mkdir()
    (folder / "inter.csv").write_text("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu,i,1460000000,View\n")
    schema = json.dumps(
        {
            "type": "record",
            "name": "Interactions",
            "namespace": "n",
            "fields": [{"name": "USER_ID", "type": "string"}],
            "version": "1.0",
        }
    )
    for name in ("schema.json", "interactions.schema.json"):
        (folder / name).write_text(schema)
    for from_ in (None, "personalize/interactions"):
        report = translate.convert(folder, from_=from_, to="hub", out=tmp_path / f"out-{from_ is None}")
        assert (report["events"]["read"], report["events"]["written"]) == (1, 1)
    with pytest.raises(SourceError, match=r"schema\.json is not of a layout that can be read"):
        translate.convert(folder / "schema.json", to="hub", out=tmp_path / "none")


def test_of_what_a_conversion_left_behind_only_the_data_is_read(tmp_path):
    """A target directory is a source like any other: its books are none of its data, wherever it lies."""
    source = tmp_path / "events.json"
    source.write_text(f"{json.dumps(CLICK)}\nnonsense\n")
    for number in (1, 2):
        translate.convert(source, to="clickstream/events", out=tmp_path / "runs" / str(number))
    (tmp_path / "runs" / "2" / "report.json").write_text('{"complete": false}')
    report = translate.convert(tmp_path / "runs" / "1", to="hub", out=tmp_path / "again")
    assert report["events"]["read"] == report["events"]["written"] == 1
    assert [file.shown for file in find([tmp_path / "runs"])] == ["1/data/part-00000.ndjson", *(f"2/{name}" for name in (
        "data/part-00000.ndjson", "files.ndjson", "rejects.ndjson", "report.json"))]  # fmt: skip


def test_session_numbers_may_be_texts(tmp_path):
    """The solution takes whole numbers of a session as texts, too; a text that is no such number stays an attribute."""
    texts = {"_session_number": "3", "_session_duration": "17", "_session_start_timestamp": "1459999990000"}
    source = f"{json.dumps(CLICK | {'attributes': texts})}\n{json.dumps(CLICK | {'attributes': {'_session_number': 'many'}})}\n"
    report, (first, second) = converted(tmp_path, source)
    assert (first["session.number"], first["session.duration"], first["session.start"].year) == (3, 17, 2016)
    assert (second["session.number"], second["attributes"]) == (None, {"_session_number": "many"})
    assert {loss["field"] for loss in report["losses"]} == {f"attributes.{name}" for name in texts}
