"""What the target does with old data: each check of each shipped mapping at its boundary, and the survey that it rests on."""

import datetime as dt
import json
import random
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import translate
from translate import mapping
from translate.judging import survey as surveying
from translate.judging.hazards import JUDGES
from translate.judging.preflight import judge, plan_of_run, unaccepted, verification
from translate.judging.survey import Survey, Surveyed
from translate.mapping.sending import CHECKS, OVERRIDES
from translate.mapping.settings import Settings
from translate.passes import distinct as tallies
from translate.reader.shipments import unpack

GOLDEN = Path(__file__).parent / "golden"
BAD = Path(__file__).parent / "bad_mappings"
NOW = dt.datetime(2026, 11, 21, 12, 30, tzinfo=dt.UTC)
NOW_MS = int(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000
DAY = 24


def ms_ago(event):
    return NOW_MS - int(event.get("ago", 0) * HOUR_MS)


def iso(milliseconds):
    return (
        dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def clickstream(events):
    body = [
        {"event_type": event.get("name", "a"), "event_id": event["id"], "timestamp": ms_ago(event), "app_id": "shop",
         "zone_offset": 0, "attributes": {}} | ({} if event.get("client", "c") is None else {"unique_id": event.get("client", "c")})
        for event in events
    ]  # fmt: skip
    return {
        "query": {"appId": "shop", "platform": events[0].get("platform", "Web")},
        "body": json.dumps(body),
    }


def pinpoint(events):
    batch = {}
    for event in events:
        item = batch.setdefault(
            event.get("client", "c"), {"Endpoint": event.get("endpoint", {}), "Events": {}}
        )
        item["Events"][event["id"]] = {"EventType": event.get("name", "a"), "Timestamp": iso(ms_ago(event))}
    return {"ApplicationId": "app", "EventsRequest": {"BatchItem": batch}}


def personalize(events):
    sent = [
        {
            "eventId": event["id"],
            "eventType": event.get("name", "a"),
            "itemId": event.get("item", "i"),
            "sentAt": ms_ago(event) / 1000,
        }
        | ({"metricAttribution": {"eventAttributionSource": event["by"]}} if "by" in event else {})
        for event in events
    ]
    user = events[0].get("user", "u")
    return {"trackingId": "t", "sessionId": "s", "eventList": sent} | (
        {} if user is None else {"userId": user}
    )


def mobile_analytics(events):
    sent = [
        {"eventType": event.get("name", "a"), "timestamp": iso(ms_ago(event)), "version": "v2.0"}
        for event in events
    ]
    return {"client_context": {"client": {"client_id": "c", "app_title": "Shop"}}, "body": {"events": sent}}


def without_none(event):
    return {name: value for name, value in event.items() if value is not None}


def amplitude(events):
    sent = [
        {"event_type": event.get("name", "a"), "time": ms_ago(event), "insert_id": event["id"], "device_id": event.get("client", "c")}
        for event in events
    ]  # fmt: skip
    return {"events": [*map(without_none, sent)]}


def mixpanel(events):
    sent = [
        {"time": ms_ago(event), "distinct_id": "u", "$insert_id": event["id"], "$device_id": event.get("client", "c")}
        for event in events
    ]  # fmt: skip
    return [{"event": "a", "properties": without_none(properties)} for properties in sent]


def posthog(events):
    return {
        "batch": [
            {"event": "a", "distinct_id": "u", "timestamp": iso(ms_ago(event)), "uuid": event["id"]}
            for event in events
        ]
    }


def segment_spec(events):
    return {
        "batch": [
            {"type": "track", "event": "a", "userId": "u", "timestamp": iso(ms_ago(event)), "messageId": event["id"]}
            for event in events
        ]
    }  # fmt: skip


RECEIVERS = (amplitude, mixpanel, posthog, segment_spec)
MAKERS = {
    maker.__name__: maker for maker in (clickstream, pinpoint, personalize, mobile_analytics, *RECEIVERS)
}


def surveyed(model, *requests, **options):
    """Survey requests of some events each; an event without an id gets one of its own."""
    loaded = mapping.load(model)
    layout = loaded.layouts[loaded.delivery.layout]
    survey = Survey(loaded.delivery, layout, **options)
    number = 0
    for line, events in enumerate(requests, 1):
        whole = [{"id": f"own-{number + place}"} | event for place, event in enumerate(events)]
        number += len(events)
        text = json.dumps(MAKERS[model](whole))
        survey.add(unpack("part-0", line, text, layout))
    return survey.result()


def found(model, *requests, agent="translate/1", now=NOW, overrides=None, rates=None, **settings):
    findings = judge(
        mapping.load(model),
        surveyed(model, *requests),
        Settings(**settings),
        agent,
        now=now,
        overrides=overrides,
        **rates or {},
    )
    return {finding.name: finding for finding in findings}


FRESH = [{"ago": 1}]
MANY_USERS = [[{"ago": 1, "user": f"u-{user}", "item": str(item)} for item in range(2)] for user in range(25)]
# For each check: requests that it has nothing to say of, requests that it concerns, and how many of their events.
BOUNDARIES = {
    ("clickstream", "age-limit"): (
        [[{"ago": 71}, *({"ago": 900, "name": name} for name in ("_first_open", "_first_visit", "_profile_set"))]],
        [[{"ago": 73}, {"ago": 71}, {"ago": 900, "name": "_first_open"}, {"ago": 900, "name": "_app_start"}]], 2,
    ),
    ("clickstream", "future"): (
        [[{"ago": 0}, {"ago": -5, "name": "_profile_set"}]], [[{"ago": -1}, {"ago": 0}, {"ago": -5, "name": "_profile_set"}]], 1,
    ),
    ("clickstream", "user-retention"): (
        [[{"ago": 300 * DAY, "client": "a"}, {"ago": 179 * DAY, "client": "b"}], [{"ago": 2, "client": "a"}]],
        [[{"ago": 300 * DAY, "client": "a"}, {"ago": 1, "client": "b"}], [{"ago": 181 * DAY, "client": "a"}]], 2,
    ),
    ("clickstream", "redshift-retention"): ([[{"ago": 364 * DAY}]], [[{"ago": 366 * DAY}, {"ago": 364 * DAY}]], 1),
    ("clickstream", "one-day-dashboards"): ([[{"ago": 12.4}, {"ago": 0}]], [[{"ago": 12.6}, {"ago": 0}]], 2),
    ("clickstream", "operating-systems"): (
        [[{"platform": "android"}], [{"platform": "Web"}]], [[{"platform": "Windows Phone"}, {}], [{"platform": "iOS"}], [{"platform": ""}]], 3,
    ),
    ("clickstream", "without-client"): ([FRESH], [[{"ago": 1, "client": None}, {"ago": 1, "client": ""}, {"ago": 1}]], 2),
    ("clickstream", "repeated-ids"): (
        [[{"id": "x", "ago": 1}, {"id": "x", "ago": 2}]], [[{"id": "x", "ago": 1}, {"id": "x", "ago": 2}], [{"id": "x", "ago": 1}]], 1,
    ),
    ("personalize", "few-interactions"): ([[{"ago": 1, "item": str(item)}] for item in range(1000)], [[{}] for _ in range(999)], 999),
    ("personalize", "few-users"): (MANY_USERS, [*MANY_USERS[:24], [{"user": "v"}], [{"user": "w"}]], 50),
    ("personalize", "event-types"): ([[{"name": str(n)}] for n in range(10)], [[{"name": str(n)}] for n in range(11)], 11),
    ("personalize", "attribution-sources"): (
        [[{"by": str(n)}] for n in range(100)] + [FRESH], [[{"by": str(n)}] for n in range(101)] + [FRESH], 102,
    ),
    ("personalize", "same-moment"): (
        [[{"item": "a", "name": "x"}, {"item": "b", "name": "x"}, {"item": "a", "name": "y"}, {"item": "a", "name": "x", "ago": 0.001}],
         [{"item": "a", "name": "x", "user": "v"}], *([{"item": "a", "user": None}] for _ in range(2))],
        [[{"item": "a"}, {"item": "b"}], [{"item": "a"}], [{"item": "a"}]], 2,
    ),
    ("personalize", "repeated-ids"): ([[{"id": "x"}, {"id": "y"}]], [[{"id": "x"}], [{"id": "y"}, {"id": "x", "ago": 5}]], 1),
    ("personalize", "without-user"): ([FRESH], [[{"user": None}, {"user": None}], FRESH], 2),
    ("pinpoint", "endpoints"): (
        [FRESH], [[{"endpoint": {"User": {"UserId": "u"}}}, {}], [{"client": "d", "endpoint": {"Demographic": {}}}]], 2,
    ),
    ("pinpoint", "retention"): ([[{"ago": 89 * DAY}]], [[{"ago": 91 * DAY}, {}]], 1),
    ("pinpoint", "event-types"): ([[{"name": str(n)}] for n in range(1500)], [[{"name": str(n)}] for n in range(1501)], 1501),
    ("amplitude", "for-ever"): ([[{"ago": 29 * DAY}]], [[{"ago": 31 * DAY}, {"ago": 29 * DAY}]], 1),
    ("amplitude", "forgotten-ids"): ([[{"ago": 6 * DAY}]], [[{"ago": 8 * DAY}, {"ago": 6 * DAY}]], 1),
    ("amplitude", "without-device"): ([FRESH], [[{"ago": 1, "client": None}, {"ago": 1}]], 1),
    ("amplitude", "repeated-ids"): ([[{"id": "x"}, {"id": "y"}]], [[{"id": "x"}], [{"id": "x"}]], 1),
    ("mixpanel", "in-future"): ([[{"ago": 0}]], [[{"ago": -1}, {"ago": 0}]], 1),
    ("mixpanel", "without-person"): ([FRESH], [[{"ago": 1, "client": None}, {"ago": 1}]], 1),
    ("mixpanel", "repeated-ids"): ([[{"id": "x"}, {"id": "y"}]], [[{"id": "x"}], [{"id": "x"}]], 1),
    ("posthog", "too-young"): ([[{"ago": 49}]], [[{"ago": 47}, {"ago": -1}, {"ago": 49}]], 2),
    ("posthog", "many-days"): ([[{"ago": 12.4}, {"ago": 0}]], [[{"ago": 12.6}, {"ago": 0}]], 2),
    ("posthog", "in-future"): ([[{"ago": 0}]], [[{"ago": -1}, {"ago": 0}]], 1),
    ("posthog", "repeated-ids"): ([[{"id": "x"}, {"id": "y"}]], [[{"id": "x"}], [{"id": "x"}]], 1),
    ("segment_spec", "destinations-without-history"): ([[{"ago": 71}]], [[{"ago": 73}, {"ago": 71}]], 1),
    ("segment_spec", "forgotten-ids"): ([[{"ago": 23}]], [[{"ago": 25}, {"ago": 23}]], 1),
    ("segment_spec", "repeated-ids"): ([[{"id": "x"}, {"id": "y"}]], [[{"id": "x"}], [{"id": "x"}]], 1),
    ("mobile_analytics", "event-types"): ([[{"name": str(n)}] for n in range(1500)], [[{"name": str(n)}] for n in range(1501)], 1501),
}  # fmt: skip
BY_SETTING = {
    ("amplitude", "profiles"): ({}, {"update_profiles": True}),
    ("mixpanel", "sender-located"): ({}, {"locate_by_sender": True}),
    ("posthog", "profiles"): ({}, {"update_profiles": True}),
    ("posthog", "sender-located"): ({}, {"locate_by_sender": True}),
    ("posthog", "live"): ({}, {"live_events": True}),
    ("segment_spec", "destinations"): ({}, {"reach_destinations": True}),
    ("clickstream", "bots"): ({"agent": "translate/1"}, {"agent": "Python-urllib/3.12"}),
    ("clickstream", "geography"): ({"forwarded_address": "192.0.2.1"}, {}),
    ("pinpoint", "support-ended"): (
        {"now": dt.datetime(2026, 10, 30, 23, tzinfo=dt.UTC)},
        {"now": dt.datetime(2026, 10, 31, tzinfo=dt.UTC)},
    ),
    ("mobile_analytics", "support-ended"): (
        {"now": dt.datetime(2018, 4, 30, tzinfo=dt.UTC)},
        {"now": dt.datetime(2018, 5, 1, tzinfo=dt.UTC)},
    ),
}


@pytest.mark.parametrize("case", BOUNDARIES, ids="-".join)
def test_a_check_at_its_boundary(case):
    """A check is silent up to its boundary, and beyond it counts the events that it concerns."""
    model, name = case
    harmless, harmful, events = BOUNDARIES[case]
    assert name not in found(model, *harmless)
    finding = found(model, *harmful)[name]
    assert (finding.events, finding.share) == (events, events / sum(map(len, harmful)))
    assert finding.loses == mapping.load(model).delivery.preflight[name].loses
    assert finding.source
    assert finding.instead


@pytest.mark.parametrize("case", BY_SETTING, ids="-".join)
def test_a_check_of_what_is_set(case):
    """A check of settings, of the user agent or of the day concerns all events or none."""
    model, name = case
    harmless, harmful = BY_SETTING[case]
    assert name not in found(model, FRESH, FRESH, **harmless)
    assert found(model, FRESH, FRESH, **harmful)[name].events == 2


def test_each_check_of_each_shipped_mapping_has_its_boundary_here():
    """No check of a shipped mapping goes untested, and each kind of check has a judge."""
    shipped = {(model, name) for model in mapping.models() for name in mapping.load(model).delivery.preflight}
    assert shipped == {*BOUNDARIES, *BY_SETTING}
    assert CHECKS.keys() == JUDGES.keys()


def test_ages_are_told_to_the_hour_and_never_to_its_favour():
    """At half past, the hour that the limit touches counts as old where that is bad, and as young where that is."""
    assert found("clickstream", [{"ago": 71.49}]).keys() == {"geography"}
    assert found("clickstream", [{"ago": 71.51}])["age-limit"].events == 1
    assert found("clickstream", [{"ago": 72.001}])["age-limit"].events == 1
    assert found("posthog", [{"ago": 48.49}])["too-young"].events == 1
    assert "too-young" not in found("posthog", [{"ago": 48.51}])
    assert (
        found("clickstream", [{"ago": -0.2}, {"ago": 5}, {"ago": -9, "name": "_first_open"}])["future"].events
        == 1
    )


@pytest.mark.parametrize(
    "agent", ["Java/17.0.2", "Python-urllib/3.9", "Googlebot/2.1", "my-crawler", "Some Spider 2"]
)
def test_user_agents_of_bots(agent):
    """The user agents that the pipeline's expressions take for bots."""
    assert "bots" in found("clickstream", FRESH, agent=agent)


@pytest.mark.parametrize(
    "agent", ["python-requests/2.32", "okhttp/4", "Mozilla/5.0 (X11; Linux)", "axios/1.7", "Robotics/1"]
)
def test_user_agents_of_no_bots(agent):
    """User agents that the pipeline keeps."""
    assert "bots" not in found("clickstream", FRESH, agent=agent)


def test_numbers_of_the_target_are_overridden():
    """What the user raised at the target counts instead of the mapping's number, in the count and in the sentence."""
    old = [[{"ago": 80}, {"ago": 200 * DAY}, {"ago": 400 * DAY}]]
    assert {"age-limit", "redshift-retention"} <= found("clickstream", *old).keys()
    raised = found("clickstream", *old, overrides=dict(zip(OVERRIDES, (100, 500, 500), strict=True)))
    assert raised["age-limit"].events == 2
    assert "older than 100 hours" in raised["age-limit"].message
    assert not {"user-retention", "redshift-retention"} & raised.keys()


def test_what_a_finding_says():
    """A finding says how many, which share, the oldest, the way out and how to go on; the losing ones come first."""
    findings = found("clickstream", [{"ago": 73}, {"ago": 1}, {"ago": 2}])
    assert list(findings) == ["age-limit", "one-day-dashboards", "geography"]
    assert list(found("clickstream", [{"ago": 73, "client": None}])) == [
        "age-limit",
        "without-client",
        "geography",
    ]
    assert findings["age-limit"].message == (
        "1 events (33.3 %) are older than 72 hours when they arrive, the oldest of 2026-11-18T11:30:00Z:"
        " the data pipeline drops them, and the endpoint answers 200 all the same"
    )
    text = findings["age-limit"].text
    assert "--to clickstream/raw" in text
    assert "--accept age-limit" in text
    assert "as of 2026-11-21" in text
    assert "--accept" not in findings["geography"].text
    assert [finding.name for finding in unaccepted(list(findings.values()), [])] == ["age-limit"]
    assert unaccepted(list(findings.values()), ["age-limit"]) == []


def test_what_grows_too_old_on_the_way_is_told():
    """Events that pass the limit before a slow run ends are told beside those that are too old already."""
    slow = {"requests_per_second": 2 / (10 * 3600)}
    requests = [[{"ago": 65}], [{"ago": 1}]]
    assert "age-limit" not in found("clickstream", *requests)
    assert found("clickstream", *requests, rates=slow)["age-limit"].message.endswith(
        "; 1 more pass that age before the run ends"
    )


def test_nothing_is_said_of_nothing():
    """A replay of no events has no findings, and takes no time."""
    assert found("clickstream") == {}
    nothing = Surveyed()
    assert plan_of_run(mapping.load("clickstream").delivery, nothing).hours == 0
    assert "unknown" in verification(mapping.load("clickstream").delivery, nothing)[1]


def test_the_plan_of_a_run():
    """A run takes as long as the slower of its rates says; the plan says how that stands to the quota."""
    delivery = mapping.load("pinpoint").delivery
    much = Surveyed(requests=54_000, events=540_000)
    assert plan_of_run(delivery, much).hours == 2
    assert plan_of_run(delivery, much, requests_per_second=15).hours == 1
    by_events = plan_of_run(delivery, much, requests_per_second=15, events_per_second=50)
    assert (by_events.hours, by_events.requests_per_second) == (3, 5)
    assert (
        by_events.sentences[0]
        == "54,000 requests with 540,000 events take 3 hours at 5 requests a second (50 events)"
    )
    assert by_events.sentences[1].startswith(
        "that is 33.3 % of what the account, operation and Region allows: 15 requests a second"
    )
    assert len(by_events.sentences) == 2
    assert "choose a lower --rate" in plan_of_run(delivery, much, requests_per_second=16).sentences[2]
    assert "is taken to bear" in plan_of_run(mapping.load("learning_context").delivery, much).sentences[1]


@pytest.mark.parametrize("model", mapping.models())
def test_how_to_verify_holds_the_figures(model):
    """Each model tells how to see what arrived, with the number of events and their times."""
    sent = Surveyed(requests=1, events=1234, earliest=0, latest=NOW_MS)
    text = "\n".join(verification(mapping.load(model).delivery, sent))
    assert "1,234 events" in text
    assert "1970-01-01T00:00:00Z" in text


def test_each_shipped_quota_leaves_headroom_or_is_ours():
    """A documented quota is never used up by default, and each says where it comes from."""
    for model in mapping.models():
        quota = mapping.load(model).delivery.quota
        assert not quota.documented or quota.default_requests_per_second <= quota.requests_per_second / 2
        assert quota.documented or "our own choice" in quota.source


# -- the survey --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", mapping.models())
def test_the_survey_of_what_was_packed(model):
    """Of requests that were packed the survey finds the events and times that the reader finds."""
    loaded = mapping.load(model)
    layout = loaded.layouts[loaded.delivery.layout]
    file = GOLDEN / model / "requests.zoo.ndjson"
    lines = (
        file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    )  # texts may hold other ends of lines
    survey = Survey(loaded.delivery, layout)
    for number, line in enumerate(lines, 1):
        survey.add(unpack("part-0", number, line, layout))
    counted = survey.result()
    read = translate.scan(file, model=f"{model}/requests").collect()
    times = [int(time.timestamp() * 1000) for time in read["time"]]
    assert (counted.requests, counted.events, counted.untimed) == (len(lines), len(read), 0)
    assert counted.hours == dict(Counter(time // HOUR_MS for time in times))
    assert (counted.earliest, counted.latest) == (min(times), max(times))
    assert sum(counted.names.values()) == len(read)
    assert not {"START", "UPDATE", "END"} & counted.names.keys()
    assert counted.bytes == sum(map(len, lines))


def random_events(seed, count):
    choice = random.Random(seed)
    return [
        {"id": f"id-{choice.randrange(count // 2)}", "client": choice.choice([None, *(f"c-{n}" for n in range(200))]),
         "ago": choice.randrange(20 * DAY), "name": choice.choice(["a", "b", "_first_open"])}
        for _ in range(count)
    ]  # fmt: skip


def test_the_survey_of_a_large_source_equals_a_naive_count(tmp_path, monkeypatch):
    """In chunks and on disk, the survey counts what counting in memory counts; its files are gone afterwards."""
    monkeypatch.setattr(surveying, "CHUNK_EVENTS", 300)
    monkeypatch.setattr(tallies, "BUCKET_ROWS", 700)
    events = random_events(7, 6000)
    requests = [events[start : start + 50] for start in range(0, len(events), 50)]
    on_disk = surveyed("clickstream", *requests, folder=tmp_path, kept_rows=250)
    assert list(tmp_path.iterdir()) == []
    hour = {id(event): ms_ago(event) // HOUR_MS for event in events}
    last, seen = {}, Counter()
    for event in events:
        if event["client"] is not None:
            seen[event["client"]] += 1
            last[event["client"]] = max(last.get(event["client"], 0), hour[id(event)])
    assert on_disk.events == 6000
    assert on_disk.hours == dict(sorted(Counter(hour.values()).items()))
    assert on_disk.names == dict(sorted(Counter(event["name"] for event in events).items()))
    assert on_disk.excepted["_first_open"] == dict(
        sorted(Counter(hour[id(e)] for e in events if e["name"] == "_first_open").items())
    )
    assert on_disk.missing == {
        "client_id": sum(event["client"] is None for event in events),
        "forwarded_address": 6000,
    }
    users = on_disk.users["client_id"]
    assert (users.users, users.several) == (len(seen), sum(count >= 2 for count in seen.values()))
    naive = {
        when: (list(last.values()).count(when), sum(seen[user] for user in last if last[user] == when))
        for when in last.values()
    }
    assert users.hours == naive
    assert on_disk.repeated == {
        "event_id,time": 6000 - len({(event["id"], event["ago"]) for event in events})
    }
    assert surveyed("clickstream", *requests) == on_disk


def seen(numbers, hour=1):
    """Give users as a survey takes them: by their digests, each with an hour and an event."""
    texts = pl.DataFrame({"text": [str(number) for number in numbers]})
    return texts.select(*tallies.digest_of([pl.col("text")]), hour=hour, events=1)


def test_memory_holds_a_stated_number_of_rows(tmp_path):
    """A store holds at most the rows that it may, however many it was given; what it had before lies in files."""
    ids = tallies.Digests(tmp_path / "ids", kept_rows=1000)
    users = tallies.Digests(tmp_path / "users", tallies.LAST_SEEN, 1000)
    for start in range(0, 20_000, 400):
        given = seen(range(start, start + 400))
        ids.add(given.select("a", "b"))
        users.add(given)
        for store in (ids, users):
            assert sum(map(len, store._kept)) <= 1000
    assert len(list(tmp_path.rglob("*.arrows"))) > 20
    ids.add(seen([5, 19999, "new"]).select("a", "b"))
    assert ids.count() == 20_001
    assert tallies.SeenUsers.of(users.buckets()) == tallies.SeenUsers(20_000, 0, {1: (20_000, 20_000)})


def test_users_that_come_back_stay_in_memory(tmp_path):
    """Few users of many events are merged, not written to files."""
    users = tallies.Digests(tmp_path / "users", tallies.LAST_SEEN, 1000)
    for hour in range(100):
        users.add(seen(range(600), hour))
    assert list(tmp_path.iterdir()) == []
    assert tallies.SeenUsers.of(users.buckets()) == tallies.SeenUsers(600, 600, {99: (600, 60_000)})


def test_more_values_than_are_kept_are_a_lower_bound(monkeypatch):
    """Beyond the number of values that are kept the survey says "more than"."""
    monkeypatch.setattr(surveying, "DISTINCT_MAX", 12)
    counted = surveyed("personalize", *([{"name": str(number)}] for number in range(15)))
    assert (counted.distinct["name"], counted.at_least) == (12, ("name",))
    finding = next(
        f for f in judge(mapping.load("personalize"), counted, Settings(), now=NOW) if f.name == "event-types"
    )
    assert finding.message.startswith("more than 12 event types")


def test_a_survey_goes_through_json():
    """What a survey found is the same after it lay in a file, and is judged the same at another time."""
    counted = surveyed("clickstream", [{"ago": 1}, {"ago": 100 * DAY, "client": "d"}])
    again = Surveyed.from_json(json.loads(json.dumps(counted.to_json())))
    assert again == counted
    later = NOW + dt.timedelta(days=100)
    events = {f.name: f.events for f in judge(mapping.load("clickstream"), again, Settings(), now=later)}
    assert (events["age-limit"], events["user-retention"]) == (2, 1)


def test_times_that_are_none_are_counted():
    """An event whose time is no time is counted, and has no age."""
    loaded = mapping.load("clickstream")
    layout = loaded.layouts["requests"]
    survey = Survey(loaded.delivery, layout)
    survey.add(
        unpack(
            "part-0", 1, json.dumps({"query": {}, "body": '[{"timestamp":"x"},{},{"timestamp":0}]'}), layout
        )
    )
    counted = survey.result()
    assert (counted.events, counted.untimed, counted.hours, counted.earliest) == (3, 2, {0: 1}, 0)


# -- the mapping language ----------------------------------------------------------------------------------------------


def test_every_kind_of_complaint_about_delivery_has_a_file():
    """Each sentence that the checker can say about the way of delivery stands in some wrong mapping."""
    said = "\n".join(file.read_text(encoding="utf-8") for file in BAD.glob("delivery_*.toml"))
    for piece in (
        "has no requests", "has no place for", "names nothing", "takes one hub column", "not both", "is not in hours", "no check", "no setting of this check",
        "no regular expression", "is no sentence with places", "no place ", "a place is a name only", "should be a number above 0, but", "up to 1",
        "give one of the two", "names nothing", "no method", "no body", "no kind of authentication", "no setting of the receiver", "no meaning", "no answer",
        "should be text, or a table of setting", "without user, query and fragment", "should begin with https://", "has several paths", "cannot be an HTTP header",
        "sends events alone", "has no place", "something else lies at", "has no such key", "environment variable", "does not mean stop", "none means done",
        "has no effect where it means", "they tell which events", "from 200 to 599", "have no other *", "should be a table, a list or text", "stands before it, and fits",
        "no rehearsal could play it", "has no room for",
        "should be a date", "needs a table", "small letters", "should be a whole number", "should be more than 0", "is missing", "no such key",
    ):  # fmt: skip
        assert piece in said
