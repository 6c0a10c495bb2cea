"""The ready recipes, run upon the samples as a user runs them; what they cannot know, they ask for by name."""

import json

import pytest
from canonical import SAMPLES
from commands import run_here
from receivers import PersonalizeService, PinpointService, mobile_analytics_faults, parsed

import translate

LEARNING = SAMPLES / "learning_context" / "events_full.jsonl"
PERSONALIZE = SAMPLES / "personalize" / "requests_full.jsonl"
SAID = {
    "learning_context-to-pinpoint": ["app_id=shop", "client_id=c-1"],
    "learning_context-to-mobile_analytics": [
        "app_id=shop",
        "client_id=c-1",
        "app_title=Quiz",
        "platform=android",
    ],
    "personalize-to-pinpoint": ["app_id=shop"],
    "personalize-to-mobile_analytics": ["app_id=shop", "app_title=Shop", "platform=android"],
}
FROM = {"learning_context": LEARNING, "personalize": PERSONALIZE}


def requests_of(out):
    return [
        parsed(line)
        for part in sorted((out / "data").iterdir())
        for line in part.read_text(encoding="utf-8").splitlines()
    ]


def sides(recipe):
    model, _, target = recipe.partition("-to-")
    return FROM[model], f"{target}/requests"


@pytest.mark.parametrize("recipe", SAID)
def test_settings_are_asked_for_by_name(recipe, tmp_path):
    """Nothing is read before each setting that the recipe cannot do without was said; all of them are named at once."""
    source, target = sides(recipe)
    call = [
        "translate",
        "convert",
        str(source),
        "--to",
        target,
        "--out",
        str(tmp_path / "out"),
        "--recipe",
        recipe,
    ]
    _, error, code = run_here(call)
    assert code == 2
    assert [
        name for said in SAID[recipe] if f"--set {(name := said.partition('=')[0])}=..." not in error
    ] == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("recipe", SAID)
def test_requests_that_the_receiver_takes(recipe, tmp_path):
    """With these settings every event of the samples that can be read is written, in requests without a fault."""
    source, target = sides(recipe)
    report = translate.convert(source, to=target, out=tmp_path / "out", recipe=recipe, set_=SAID[recipe])
    requests = requests_of(tmp_path / "out")
    unreadable = report["rejects"].get("not_a_record", 0) + report["rejects"].get("bad_time", 0)
    assert report["events"]["written"] == report["events"]["read"] - unreadable > 3
    if target == "pinpoint/requests":
        service = PinpointService()
        assert [
            fault for request in requests for fault in service.faults(request, len(json.dumps(request)))
        ] == []
        assert {request["ApplicationId"] for request in requests} == {"shop"}
    else:
        assert [fault for request in requests for fault in mobile_analytics_faults(request)] == []
        assert {
            request["client_context"]["services"]["mobile_analytics"]["app_id"] for request in requests
        } == {"shop"}


def test_a_setting_fills_only_what_is_missing(tmp_path):
    """A title and a client of the source's own stay; the reject that a setting would mend names it."""
    lines = [
        {"action": "START", "type": "APPSTART", "timestamp": 1460000000, "session": "8nc92io9q", "entities": [{"key": "app", "value": "Quiz"}, {"key": "client_id", "value": "c-9"}]},
        {"action": "UPDATE", "type": "POSITION", "timestamp": 1460000001, "entities": []},
    ]  # fmt: skip
    source = tmp_path / "events.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = SAID["learning_context-to-mobile_analytics"]
    report = translate.convert(
        source,
        to="mobile_analytics/requests",
        out=tmp_path / "out",
        recipe="learning_context-to-mobile_analytics",
        set_=said,
    )
    clients = [request["client_context"]["client"] for request in requests_of(tmp_path / "out")]
    assert sorted((client["client_id"], client["app_title"]) for client in clients) == [
        ("c-1", "Quiz"),
        ("c-9", "Quiz"),
    ]
    assert any(
        finding["message"] == "client_context.client.client_id is the setting client_id"
        and finding["events"] == 1
        for finding in report["findings"]
    )
    bare = translate.convert(
        source, to="mobile_analytics/requests", out=tmp_path / "bare", set_=["app_id=shop"]
    )
    assert bare["events"]["written"] == 0
    reject = json.loads((tmp_path / "bare" / "rejects.ndjson").read_text().splitlines()[1])
    assert reject["message"].endswith("the event has no client_id; say --set client_id=...")


def test_clickstream_to_personalize(tmp_path):
    """Each item of a purchase is an interaction, with its own worth, in requests that the service takes."""
    items = [{"id": "b-1", "price": 9.5, "quantity": 2}, {"id": "b-2", "price": 2}, {"name": "no id"}]
    event = {
        "event_id": "e-1",
        "timestamp": 1712448000000,
        "app_id": "shop",
        "unique_id": "c-1",
        "zone_offset": 0,
    }
    rows = [
        event | {"event_type": "purchase", "event_value": 21, "event_value_currency": "USD", "items": items, "attributes": {"_session_id": "s-1"}},
        event | {"event_id": "e-2", "event_type": "view_item", "items": items[:1], "attributes": {"_session_id": "s-1"}},
        event | {"event_id": "e-3", "event_type": "_scroll", "attributes": {}},
    ]  # fmt: skip
    source = tmp_path / "events.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = translate.convert(
        source,
        to="personalize/requests",
        out=tmp_path / "out",
        recipe="clickstream-to-personalize",
        set_=["tracking_id=t"],
    )
    requests = requests_of(tmp_path / "out")
    service = PersonalizeService()
    assert [fault for request in requests for fault in service.faults(request)] == []
    written = [
        (each["eventId"], each["eventType"], each["itemId"], each.get("eventValue"))
        for request in requests
        for each in request["eventList"]
    ]
    assert written == [
        ("e-1", "Purchase", "b-1", 19),
        ("e-1-2", "Purchase", "b-2", 2),
        ("e-2", "View", "b-1", 19),
    ]
    assert report["events"] | {"read": 3, "added": 2, "written": 3} == report["events"]
    assert report["rejects"] == {"missing_required": 1}
    assert sum(report["filtered"].values()) == 1


@pytest.mark.parametrize("name", ["events_full", "requests_full"])
def test_clickstream_samples_to_personalize(name, tmp_path):
    """What the samples of Clickstream say of items becomes interactions of the table."""
    report = translate.convert(
        SAMPLES / "clickstream" / f"{name}.jsonl",
        to="personalize",
        out=tmp_path / "out",
        recipe="clickstream-to-personalize",
    )
    assert report["events"]["written"] > 0
    assert report["rejects"].keys() <= {"missing_required", "not_a_record", "bad_time"}
