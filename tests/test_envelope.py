"""What surrounds events and says something of them: it travels with each event, and goes out again where there is a place."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from rows import CLICK, rows_of

import translate
from translate.errors import UsageError
from translate.rehearsal import Rehearsal

AGENT = "Mozilla/5.0 (Linux; Android 6.0; Nexus 5 Build/MRA58N)"
ADDRESS = "101.188.67.134, 10.0.0.1"
LEARNT = {
    "action": "UPDATE",
    "type": "POSITION",
    "timestamp": 1365772427,
    "session": "abcdefgh1",
    "entities": [{"key": "k", "value": "v"}],
}


def captured(number, **headers):
    """Give a Clickstream request as it was captured, with one event."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "method": "POST",
        "headers": names,
        "query": {"appId": "shop"},
        "body": json.dumps([CLICK | {"event_id": f"e{number}"}]),
    }


def form(**fields):
    """Give a form post as it goes over the wire."""
    return urlencode({"nonce": "n", "aid": "7", **fields, "data": json.dumps([LEARNT]), "h": "cafe"})


def written(tmp_path, lines, to, name="out", **options):
    """Convert lines; give the rows, parsed, and the report."""
    source = tmp_path / f"{name}.txt"
    source.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    report = translate.convert(source, to=to, out=tmp_path / name, **options)
    return rows_of(tmp_path / name), report


def events(tmp_path, lines, name="hub", **options):
    """Convert lines to the hub; give the events and the report."""
    source = tmp_path / f"{name}.txt"
    source.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    report = translate.convert(source, to="hub", out=tmp_path / name, **options)
    return translate.scan(tmp_path / name / "data").collect().to_dicts(), report


def ids(row):
    """Give the ids of the events in a row of the buffer."""
    return [event["event_id"] for event in json.loads(row["data"])]


def filled(report):
    """Give the places that settings filled: the last name of each, the setting, and in how many events."""
    found = [
        (finding["message"].split(" is the setting "), finding["events"])
        for finding in report["findings"]
        if "is the setting" in finding["message"]
    ]
    return {(place.rpartition(".")[2], setting, count) for (place, setting), count in found}


SPELLINGS = {
    "an object": {"X-Forwarded-For": ADDRESS, "user-agent": AGENT, "Cookie": "auth=1"},
    "pairs": [["x-forwarded-for", ADDRESS], ["USER-AGENT", AGENT], ["cookie", "auth=1"]],
    "lists of values": {"X-Forwarded-For": ADDRESS.split(", "), "User-Agent": [AGENT], "Cookie": ["auth=1"]},
    "a header sent twice": [
        *(["X-Forwarded-For", part] for part in ADDRESS.split(", ")),
        ["User-Agent", AGENT],
        ["Cookie", "auth=1"],
    ],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_the_headers_say_is_read(spelling, tmp_path):
    """Header names are the same in any case; those that say nothing of the events are of the transport, and stay nowhere."""
    ((event,), report) = events(tmp_path, [captured(1) | {"headers": SPELLINGS[spelling]}])
    assert (event["forwarded_address"], event["user_agent"], event["extra"]) == (ADDRESS, AGENT, None)
    assert {(loss["field"], loss["kind"]) for loss in report["losses"]} == {
        ("method", "on_purpose"),
        ("headers.cookie", "on_purpose"),
    }
    assert "auth=1" not in json.dumps(event, default=str)


def test_the_envelope_reaches_the_buffer_and_comes_back(tmp_path):
    """Rows name each request's own address and agent, so requests are kept apart by them; and so are requests made of rows."""
    lines = [captured(1, X_Forwarded_For="192.0.2.1", User_Agent="a"), captured(2, X_Forwarded_For="192.0.2.2", User_Agent="a"),
             captured(3), captured(4, X_Forwarded_For="192.0.2.1", User_Agent="a")]  # fmt: skip
    rows, report = written(tmp_path, lines, "clickstream/raw", set_=["day=2026-11-21"])
    assert [(row.get("ip"), row.get("ua"), len(json.loads(row["data"]))) for row in rows] == [
        ("192.0.2.1", "a", 2),
        ("192.0.2.2", "a", 1),
        (None, None, 1),
    ]
    assert not any("forwarded" in loss["field"] or "agent" in loss["field"] for loss in report["losses"])
    requests, _ = written(tmp_path, rows, "clickstream/requests", "requests")
    assert [request.get("headers") for request in requests] == [
        {"x-forwarded-for": "192.0.2.1", "user-agent": "a"}, {"x-forwarded-for": "192.0.2.2", "user-agent": "a"}, None]  # fmt: skip
    again, _ = written(tmp_path, requests, "clickstream/raw", "again", set_=["day=2026-11-21"])
    assert [[row.get("ip"), row.get("ua"), ids(row)] for row in again] == [
        [row.get("ip"), row.get("ua"), ids(row)] for row in rows
    ]


@pytest.mark.parametrize("to", ["clickstream/raw", "clickstream/requests"])
def test_a_setting_fills_only_what_is_missing(to, tmp_path):
    """What a request says of its sender is never overwritten; what was filled in is counted."""
    lines = [captured(1, X_Forwarded_For="192.0.2.1"), captured(2, User_Agent="own")]
    rows, report = written(
        tmp_path, lines, to, set_=["day=2026-11-21", "forwarded_address=198.51.100.7", "user_agent=said"]
    )
    names = ("ip", "ua") if to == "clickstream/raw" else ("x-forwarded-for", "user-agent")
    assert [tuple(row.get("headers", row)[name] for name in names) for row in rows] == [
        ("192.0.2.1", "said"),
        ("198.51.100.7", "own"),
    ]
    assert filled(report) == {(names[0], "forwarded_address", 1), (names[1], "user_agent", 1)}
    assert not [loss for loss in report["losses"] if loss["kind"] == "changed"]


def test_where_there_is_no_place_the_envelope_is_told(tmp_path):
    """Bare events have none for it, and the report says so."""
    _, report = written(
        tmp_path, [captured(1, X_Forwarded_For="192.0.2.1", User_Agent="a")], "clickstream/events"
    )
    assert {(loss["field"], loss["kind"], loss["events"]) for loss in report["losses"] if loss["field"] != "method"} == {
        ("headers.x-forwarded-for", "cannot", 1), ("headers.user-agent", "cannot", 1)}  # fmt: skip


def test_a_setting_fills_where_no_event_says_anything(tmp_path):
    """An archive without any envelope gets what the settings say, and nothing else."""
    rows, report = written(
        tmp_path, [CLICK], "clickstream/raw", set_=["day=2026-11-21", "forwarded_address=198.51.100.7"]
    )
    assert [(row["ip"], row.get("ua")) for row in rows] == [("198.51.100.7", None)]
    assert filled(report) == {("ip", "forwarded_address", 1)}


# -- a replay ---------------------------------------------------------------------------------------------------------

ACCEPTED = ("age-limit", "user-retention", "redshift-retention", "future")


def replayed(tmp_path, lines, server, name="journal", **options):
    """Replay lines to a rehearsal; give the report."""
    source = tmp_path / f"{name}.txt"
    source.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return translate.replay(
        source,
        to="clickstream",
        endpoint=server.addresses["clickstream"],
        journal=tmp_path / name,
        accept=ACCEPTED,
        **options,
    )


def arrived(server):
    """What came with each event, by its id."""
    found = {event["id"]: event["context"] for event in server.accepted("clickstream")}
    return {
        name: (context.get("forwarded_address"), context.get("user_agent")) for name, context in found.items()
    }


SENDERS = [captured(1, X_Forwarded_For="192.0.2.1", User_Agent="a"), captured(2, X_Forwarded_For="192.0.2.2", User_Agent="a"),
           captured(3), captured(4, X_Forwarded_For="192.0.2.1", User_Agent="a")]  # fmt: skip


def test_each_request_is_sent_with_its_own_envelope(tmp_path):
    """The rehearsal's record says of each event what its own request said; the settings fill what it did not."""
    with Rehearsal() as server:
        report = replayed(
            tmp_path, SENDERS, server, set_=["forwarded_address=198.51.100.7", "user_agent=said"]
        )
        assert (report["events"]["sent"], server.stats()["requests"]) == (4, 3)
        assert arrived(server) == {
            "e1": ("192.0.2.1", "a"),
            "e2": ("192.0.2.2", "a"),
            "e3": ("198.51.100.7", "said"),
            "e4": ("192.0.2.1", "a"),
        }


def test_what_was_converted_before_is_filled_as_it_is_sent(tmp_path):
    """Settings of the sending fill what the requests lack; where those of the conversion did so already, others come too late."""
    source = tmp_path / "source.txt"
    source.write_text("".join(f"{json.dumps(line)}\n" for line in SENDERS))
    translate.convert(source, to="clickstream/requests", out=tmp_path / "requests")
    translate.convert(source, to="clickstream/requests", out=tmp_path / "filled", set_=["user_agent=said"])
    with Rehearsal() as server:
        call = {"to": "clickstream", "endpoint": server.addresses["clickstream"], "accept": ACCEPTED}
        translate.replay(
            tmp_path / "requests",
            journal=tmp_path / "j",
            set_=["forwarded_address=198.51.100.7", "user_agent=late"],
            **call,
        )
        assert arrived(server)["e3"] == ("198.51.100.7", "late")
        assert arrived(server)["e1"] == ("192.0.2.1", "a")
        with pytest.raises(UsageError, match='set_="user_agent" comes too late'):
            translate.replay(tmp_path / "filled", journal=tmp_path / "j2", set_=["user_agent=late"], **call)


def test_a_header_that_cannot_be_costs_its_own_events(tmp_path):
    """What no HTTP header can hold is refused with its reason; neither sent as something else, nor a reason to stop."""
    with Rehearsal() as server:
        report = replayed(
            tmp_path, [*SENDERS, captured(5, User_Agent="a\r\nX: y"), captured(6, User_Agent="語")], server
        )
        assert (report["events"]["sent"], report["rejects"]) == (4, {"bad_header": 2})
    rejected = [
        json.loads(line) for line in (tmp_path / "journal" / "rejected.ndjson").read_text().splitlines()
    ]
    assert [line["headers"]["user-agent"] for line in rejected] == ["a\r\nX: y", "語"]


def test_the_preflight_judges_what_each_request_says(tmp_path):
    """Agents of bots, and addresses that are missing, are counted by the events that they concern."""
    lines = [
        captured(1, User_Agent="Java/17"),
        captured(2, User_Agent="Java/17"),
        captured(3, User_Agent="b", X_Forwarded_For="192.0.2.2"),
        captured(4),
    ]
    with Rehearsal() as server:
        report = replayed(tmp_path, lines, server, "first", dry_run=True)
        assert {
            found["name"]: found["events"]
            for found in report["preflight"]
            if found["name"] in ("bots", "geography")
        } == {"bots": 2, "geography": 3}
        report = replayed(
            tmp_path,
            lines,
            server,
            "second",
            dry_run=True,
            set_=["forwarded_address=192.0.2.9", "user_agent=Python-urllib/3"],
        )
        assert {
            found["name"]: found["events"]
            for found in report["preflight"]
            if found["name"] in ("bots", "geography")
        } == {"bots": 3}
    translate.convert(
        tmp_path / "first.txt", to="clickstream/raw", out=tmp_path / "raw", set_=["day=2026-11-21"]
    )
    inspected = translate.inspect(tmp_path / "raw")
    target = next(target for target in inspected.targets if target.layout == "clickstream/requests")
    assert {
        found["name"]: found["events"]
        for found in target.delivery["findings"]
        if found["name"] in ("bots", "geography")
    } == {"bots": 2, "geography": 3}


def test_what_no_field_names_around_an_event_stays_before_what_is_empty(engine, tmp_path):
    """A request goes into its own layout as it came, with unknown members of an endpoint's item where they always stood."""
    line = (
        '{"ApplicationId":"0123456789abcdef0123456789abcdef","EventsRequest":{"BatchItem":{"ep-1":{"Odd":1,"Endpoint":{},'
        '"Events":{"ev-1":{"EventType":"Level Complete","Timestamp":"2018-02-02T02:15:24.812Z"}}}}}}\n'
    )
    (tmp_path / "requests.jsonl").write_text(line, encoding="utf-8")
    translate.convert(tmp_path / "requests.jsonl", to="pinpoint/requests", out=tmp_path / "out")
    (part,) = (tmp_path / "out" / "data").iterdir()
    assert part.read_text(encoding="utf-8") == line
