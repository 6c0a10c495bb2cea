"""What a record holds that no field names: it stays where it was, in the event or around it, or is told."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rows import CLICK, rows_of

import translate
from translate import mapping
from translate.mapping.paths import lies_around, path_around, path_of, segments_of, shown
from translate.mapping.settings import Settings

PURCHASE = {"eventId": "e", "eventType": "Purchase", "sentAt": 1553631760, "itemId": "i"}
PINPOINT = {"EventType": "x", "Timestamp": "2018-02-02T02:15:24.000Z"}
ENDPOINT = {"OptOut": "ALL", "Demographic": {"Timezone": "UTC"}}
HEADS = frozenset({"query", "body", "client"})


SETTINGS = Settings(tracking_id="t", day=dt.date(2026, 11, 20))


@pytest.fixture
def convert(tmp_path):
    """Convert records; give the target's lines, parsed, and the report."""

    def converting(address, *records, to=None, settings=SETTINGS, **options):
        source = tmp_path / "source.jsonl"
        source.write_text("".join(f"{json.dumps(record)}\n" for record in records))
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        report = translate.convert(
            source, from_=address, to=to or address, out=out, settings=settings, **options
        )
        return rows_of(out), report

    return converting


def lost(report, kind="not_mapped"):
    """Give the places of a kind of loss, and in how many events."""
    return {loss["field"]: loss["events"] for loss in report["losses"] if loss["kind"] == kind}


REQUESTS = {
    "clickstream/raw": {"appId": "shop", "data": [CLICK | {"host_name": "h", "data": 5, "date": "own"}], "date": "2022-11-08", "client_timestamp": "1"},
    "clickstream/requests": {"query": {"appId": "shop", "nonce": 1}, "body": [CLICK | {"body": 5, "query": {"a": 1}}], "date": "2022-11-08"},
    "personalize/requests": {"trackingId": "t", "userId": "u", "sessionId": "s", "foo": [1], "eventList": [PURCHASE | {"foo": 2, "eventList": []}]},
    "pinpoint/requests": {
        "ApplicationId": "a", "Foo": 1, "ApplicationName": "n",
        "EventsRequest": {"more": True, "BatchItem": {"ep": {"Extra": 2, "Endpoint": {}, "Events": {"e": PINPOINT | {"Foo": 3, "EventsRequest": 4}}}}},
    },
    "mobile_analytics/requests": {
        "client_context": {
            "client": {"client_id": "c", "app_title": "t", "a.b": 1}, "env": {"platform": "Android"},
            "services": {"mobile_analytics": {"app_id": "a"}}, "more": {},
        },
        "body": {"sent": 1, "events": [{"eventType": "x", "timestamp": "2018-02-02T02:15:24.000Z", "version": "v2.0", "mood": "good", "sent": 2}]},
    },
}  # fmt: skip


def holds(whole, part):
    """Tell whether a value holds all that another one does."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and holds(whole[name], inner) for name, inner in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(holds, whole, part))
    return whole == part or (
        isinstance(whole, str) and isinstance(part, str) and whole.lower() == part.lower()
    )


@pytest.mark.parametrize("address", REQUESTS)
def test_members_stay_in_the_event_or_around_it(address, convert):
    """What lay around the events is not put into each of them, nor the other way round, even under the same names."""
    (line,), report = convert(address, REQUESTS[address])
    for closed in ("body", "data"):
        line = line if not isinstance(line.get(closed), str) else line | {closed: json.loads(line[closed])}
    assert holds(line, REQUESTS[address]), line
    assert json.dumps(line).count("2022-11-08") == json.dumps(REQUESTS[address]).count("2022-11-08")
    assert lost(report) == {}


def test_the_report_names_members_without_a_mark(convert):
    """Where such members have no place, each is told by its path as it stood."""
    _, report = convert(
        "clickstream/requests",
        REQUESTS["clickstream/requests"] | {"^odd": 1},
        to="mobile_analytics/archive",
        examples=True,
    )
    found = {loss["field"]: loss.get("example") for loss in report["losses"] if loss["kind"] == "not_mapped"}
    assert {
        "query.nonce": "1",
        "date": '"2022-11-08"',
        "body": "5",
        "query": '{"a":1}',
        "^odd": "1",
    }.items() <= found.items()


def test_an_endpoint_stays_empty_unless_asked(convert):
    """What an endpoint says beyond all that is known goes back with the rest of it only; else it is told."""
    request = {
        "ApplicationId": "a",
        "EventsRequest": {"BatchItem": {"ep": {"Endpoint": ENDPOINT, "Events": {"e": PINPOINT}}}},
    }
    (line,), report = convert("pinpoint/requests", request)
    assert line["EventsRequest"]["BatchItem"]["ep"]["Endpoint"] == {}
    below = "EventsRequest.BatchItem.*.Endpoint"
    assert lost(report, "cannot") == {f"{below}.OptOut": 1, f"{below}.Demographic.Timezone": 1}
    (line,), report = convert("pinpoint/requests", request, settings=Settings(fill_endpoints=True))
    assert line["EventsRequest"]["BatchItem"]["ep"]["Endpoint"] == ENDPOINT
    assert lost(report, "cannot") == {}


def test_a_name_that_looks_like_a_mark_is_none(convert):
    """An event's own member may begin as marked paths do, or as their escapes."""
    odd = {"^x": 1, r"\^x": 2, r"\\^y": 3, "^data.z": 4, "*": 5}
    (line,), _ = convert("clickstream/raw", {"appId": "shop", "data": [CLICK | odd], "^x": 6, "*": {"*": 7}})
    assert odd.items() <= json.loads(line["data"])[0].items()
    assert (line["^x"], line["*"]) == (6, {"*": 7})


SEGMENTS = st.text("ab^\\.*", max_size=4)


@given(st.one_of(st.tuples(SEGMENTS), st.tuples(st.sampled_from(sorted(HEADS)), SEGMENTS, SEGMENTS)))
@example(("^x",))
@example((r"\^x",))
@example(("client.x",))
def test_paths_lead_back_to_their_segments(segments):
    """Whatever segments hold, a path gives them back, and says on which side of the events it lies."""
    inside, around = path_of(segments, HEADS), path_around(segments, HEADS)
    assert segments_of(inside, HEADS) == segments_of(around, HEADS) == segments
    assert (lies_around(inside), lies_around(around)) == (False, True)
    if len(segments) == 1 and segments[0].partition(".")[0] not in HEADS:
        assert shown(inside) == segments[0]


def test_layouts_of_the_same_events_keep_what_these_hold(convert):
    """Between layouts of the same events an event's own members stay; what lay around them is told."""
    own = {"host_name": "h", "country": "DE", "advertising_id": None, "device_unique_id": "d"}
    kept = {name: value for name, value in own.items() if value is not None}
    request = {"query": {"appId": "shop", "nonce": 1}, "body": [CLICK | own]}
    (line,), report = convert("clickstream/requests", request, to="clickstream/raw")
    assert kept.items() <= json.loads(line["data"])[0].items()
    assert lost(report) == {"query.nonce": 1}
    (line,), report = convert("clickstream/requests", request, to="clickstream/events")
    assert kept.items() <= line.items()
    assert lost(report) == {"query.nonce": 1}
    (line,), report = convert("clickstream/events", CLICK | own, to="clickstream/requests")
    assert kept.items() <= json.loads(line["body"])[0].items()
    assert lost(report) == {}


NAMED_AS_COLUMNS = ["currency", "app.id", "extra", "client_id", "metrics.x", "price"]
ARCHIVED = {
    "event_type": "e",
    "event_timestamp": 1487973802507,
    "application": {"app_id": "a"},
    "client": {"client_id": "c"},
    "attributes": {},
    "metrics": {},
}
PATHS = {
    "mobile_analytics/archive": ARCHIVED,
    "clickstream/events": CLICK,
    "personalize/requests": REQUESTS["personalize/requests"],
}


@pytest.mark.parametrize("address", PATHS)
def test_members_named_as_hub_columns_are_told_by_their_own_path(address, convert):
    """A member that no field names keeps its own path in the report, whatever the hub or another place is called."""
    model, _, layout = address.partition("/")
    known = {
        place for entry in mapping.load(model).layouts[layout].fields for place in (entry.place, *entry.also)
    }
    names = [name for name in NAMED_AS_COLUMNS if name not in known]
    _, report = convert(address, PATHS[address] | dict.fromkeys(names, "x"), to="learning_context/events")
    told = {loss["field"] for loss in report["losses"] if loss["kind"] == "not_mapped"}
    assert set(names) <= told, told


def test_a_doubled_member_is_told_by_its_own_path(convert, tmp_path):
    """So is one that the reader itself notes, as what stands twice."""
    source = tmp_path / "doubled.jsonl"
    source.write_text('{"currency":1,"currency":2,' + json.dumps(CLICK)[1:] + "\n")
    report = translate.convert(
        source,
        from_="clickstream/events",
        to="pinpoint/event_stream",
        out=tmp_path / "out",
        settings=SETTINGS,
    )
    assert {"currency": 1}.items() <= lost(report, "changed").items()
