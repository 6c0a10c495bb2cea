"""What a receiver would do to the present is off unless a setting wants it, and then said; who sends and when is never written."""

import json
import uuid

import pytest

import translate

EVENT = {
    "event_type": "Share", "event_id": "e-1", "timestamp": 1460000000000, "app_id": "shop", "unique_id": "client-1", "zone_offset": 0, "attributes": {},
    "user": {"_user_id": {"value": "user-1", "set_timestamp": 1460000000000}, "plan": {"value": "pro", "set_timestamp": 1460000000000}},
}  # fmt: skip
# Of each: what stands in an event or around it while the setting is off, and what stands there once it is on.
EFFECTS = {
    ("amplitude/events", "update_profiles"): ({"$skip_user_properties_sync": True}, {}),
    ("mixpanel/events", "locate_by_sender"): ({"properties.ip": 0}, {}),
    ("posthog/events", "update_profiles"): (
        {"properties.$process_person_profile": False, "properties.user_properties": {"plan": "pro"}},
        {"properties.$set": {"plan": "pro"}},
    ),
    ("posthog/events", "locate_by_sender"): ({"properties.$geoip_disable": True}, {}),
    ("posthog/requests", "live_events"): ({"historical_migration": True}, {}),
    ("segment_spec/events", "reach_destinations"): ({"integrations.All": False}, {}),
}


def at(record, place):
    for segment in place.split("."):
        record = record.get(segment) if isinstance(record, dict) else None
    return record


def converted(tmp_path, record, to, name="out", **options):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(record) + "\n", encoding="utf-8")
    report = translate.convert(source, to=to, out=tmp_path / name, **options)
    (part,) = (tmp_path / name / "data").iterdir()
    return report, json.loads(part.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", EFFECTS, ids="-".join)
def test_an_effect_is_off_unless_it_is_wanted(case, tmp_path):
    """The constant that keeps it off stands in every record; with the setting it is gone, and a hazard says so."""
    to, setting = case
    off, on = EFFECTS[case]
    quiet, record = converted(tmp_path, EVENT, to)
    assert {place: at(record, place) for place in [*off, *on]} == {**dict.fromkeys(on), **off}
    loud, changed = converted(tmp_path, EVENT, to, "loud", set_=[f"{setting}=true"])
    assert {place: at(changed, place) for place in [*off, *on]} == {**dict.fromkeys(off), **on}
    appeared = {hazard["name"] for hazard in loud["hazards"]} - {
        hazard["name"] for hazard in quiet["hazards"]
    }
    assert len(appeared) == 1


@pytest.mark.parametrize("case", EFFECTS, ids="-".join)
def test_an_effect_is_explained(case):
    """`explain` says that it is off, and by which setting it would not be."""
    to, setting = case
    told = translate.explain(from_="clickstream", to=to).to_markdown()
    assert f"left out with --set {setting}=true" in told


@pytest.mark.parametrize(
    ("layout", "record", "sent", "secret"),
    [
        ("amplitude/requests", {"events": [{"user_id": "user-1", "event_type": "a", "time": 1460000000000}]}, "client_upload_time", "api_key"),
        ("posthog/requests", {"batch": [{"event": "a", "distinct_id": "u", "timestamp": "2016-04-07T00:00:00Z"}]}, "sent_at", "api_key"),
        ("posthog/events", {"event": "a", "distinct_id": "u", "timestamp": "2016-04-07T00:00:00Z"}, "sent_at", "api_key"),
        ("segment_spec/requests", {"batch": [{"type": "track", "event": "a", "userId": "u", "timestamp": "2016-04-07T00:00:00Z"}]}, "sentAt", "writeKey"),
        ("segment_spec/events", {"type": "track", "event": "a", "userId": "u", "timestamp": "2016-04-07T00:00:00Z"}, "sentAt", "writeKey"),
    ],
)  # fmt: skip
def test_who_sends_and_when_is_read_over_and_told(layout, record, sent, secret, tmp_path):
    """A receiver moves times by when a request says that it was sent, and a key is nobody's to keep: neither comes out."""
    report, again = converted(tmp_path, {sent: "2026-01-01T00:00:00Z", secret: "hidden", **record}, layout)
    losses = {loss["field"]: loss["why"] for loss in report["losses"] if loss["kind"] == "on_purpose"}
    assert "never written" in losses[sent]
    assert "never kept" in losses[secret]
    assert "hidden" not in json.dumps(again)
    assert sent not in again


@pytest.mark.parametrize("to", ["mixpanel/events", "posthog/events", "segment_spec/events"])
def test_an_id_that_does_not_fit_becomes_the_uuid_of_its_hash_and_travels_along(to, tmp_path):
    """It is the same every time, told as changed, and reading gives the original back."""
    original = f"0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11-2{'x' * 100}"
    report, record = converted(tmp_path, {**EVENT, "event_id": original}, to)
    (made,) = [
        at(record, place) for place in ("uuid", "messageId", "properties.$insert_id") if at(record, place)
    ]
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "https://aws.amazon.com/mobileanalytics")
    assert made == str(uuid.uuid5(namespace, original))
    assert at(record, "properties.translate_event_id") == original
    assert [loss["kind"] for loss in report["losses"] if loss["field"] == "event_id"] == ["changed"]
    back = translate.scan(tmp_path / "out" / "data", model=to).collect()
    assert back["event_id"].to_list() == [original]
