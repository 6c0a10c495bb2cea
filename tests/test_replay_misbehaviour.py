"""A replay against a receiver that throttles, fails, resets, dawdles and refuses: nothing is lost, and the run ends."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest
from replayed import (
    MODELS,
    SECRETS,
    assert_arrived,
    call,
    converted,
    events_in,
    rewrite,
    source_events,
)
from rows import rows_of

from translate.delivery.pace import Bounds
from translate.rehearsal import Rehearsal, digest_of

APART = {"apps": 12}  # requests of an app each


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Give the sender what it signs with."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def in_small_requests(model, folder):
    """Give a converted directory of a dozen requests and more."""
    source = converted(model, folder, **APART)
    if model == "learning_context":
        rewrite(
            source,
            [line[start : start + 20] for line in rows_of(source) for start in range(0, len(line), 20)],
        )
    return source


def assert_twice_only_where_unanswered(server, expected):
    """Each arrival of an event but the last is one whose answer was lost."""
    answered = {line["request"]: line["status"] is not None for line in server.arrivals()}
    requests = defaultdict(list)
    for line in server.accepted():
        requests[line["digest"]].append(answered[line["request"]])
    copies = Counter(digest_of(event) for _, event in expected)
    assert all(found.count(True) <= copies[digest] for digest, found in requests.items())


# -- by seed ---------------------------------------------------------------------------------------------------------

ALL = {
    "throttle": 0.08,
    "errors": 0.1,
    "slow": 0.2,
    "slow_seconds": 0.1,
    "reset_before": 0.1,
    "reset_after": 0.1,
    "partial": 0.4,
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_whatever_the_receiver_does(model, seed, tmp_path):
    """All of it together; what is there twice was not answered; the account says how much that may be."""
    source = in_small_requests(model, tmp_path)
    expected = source_events(model, source)
    with Rehearsal(seed=seed, **ALL) as server:
        report = call(model, source, tmp_path / "j", server, seed=seed)
        assert_arrived(model, expected, server, lost_answers=True)
        assert_twice_only_where_unanswered(server, expected)
        stats = server.stats()
    assert len(stats["misbehaviour"]) >= 2
    assert report["events"] == {"total": 240, "sent": 240, "rejected": 0, "left": 0}
    assert report["lost_answers"] >= stats["answers_lost"]
    assert report["lost_events"] >= stats["accepted"] - 240
    assert (report["stopped"], report["failed"]) == (None, False)


@pytest.mark.parametrize("kind", ["errors", "reset_before", "reset_after"])
def test_one_kind_of_failure_at_a_time(kind, tmp_path):
    """A failure is tried again; only after a reset may something have arrived twice."""
    source = in_small_requests("personalize", tmp_path)
    expected = source_events("personalize", source)
    with Rehearsal(seed=3, **{kind: 0.3}) as server:
        report = call("personalize", source, tmp_path / "j", server)
        assert_arrived("personalize", expected, server, lost_answers=kind == "reset_after")
        assert_twice_only_where_unanswered(server, expected)
        marks = server.stats()["misbehaviour"]
    assert marks[kind] >= 3
    assert report["requests"] == 24 + marks[kind]
    assert report["lost_answers"] == (marks[kind] if kind != "errors" else 0)


@pytest.mark.parametrize(
    ("model", "form"), [("mobile_analytics", "seconds"), ("clickstream", "date"), ("learning_context", None)]
)
def test_throttling_is_heeded(model, form, tmp_path):
    """After a Retry-After in either form nothing comes before its time; without one the rate falls all the same."""
    source = in_small_requests(model, tmp_path)
    named = {"retry_after_seconds": 1, "retry_after_form": form} if form else {}
    with Rehearsal(seed=8, throttle=0.15, **named) as server:
        report = call(model, source, tmp_path / "j", server, rate="20requests", max_in_flight=1)
        assert_arrived(model, source_events(model, source), server)
        arrivals = list(server.arrivals())
    throttled = [place for place, line in enumerate(arrivals) if line["status"] in (429, 503)]
    assert 1 <= len(throttled) == report["throttled"]
    waits = [arrivals[place + 1]["at"] - arrivals[place]["at"] for place in throttled]
    assert min(waits) >= (0.95 if form else 0.02)


@pytest.mark.parametrize("code", [429, 500])
def test_single_items_of_pinpoint_are_tried_again_alone(code, tmp_path):
    """What the answer accepted is not sent again."""
    source = in_small_requests("pinpoint", tmp_path)
    with Rehearsal(seed=1, partial=0.4, partial_codes=(code,)) as server:
        report = call("pinpoint", source, tmp_path / "j", server)
        assert_arrived("pinpoint", source_events("pinpoint", source), server)
        deferred = server.stats()["deferred"]
    assert deferred > 5
    assert (report["events"]["sent"], report["lost_answers"]) == (240, 0)
    assert bool(report["throttled"]) == (code == 429)


def test_single_items_of_pinpoint_are_refused_for_good(tmp_path):
    """An item's 400 is final; the others of its request went."""
    source = in_small_requests("pinpoint", tmp_path)
    with Rehearsal(seed=1, partial=0.3, partial_codes=(400,)) as server:
        report = call("pinpoint", source, tmp_path / "j", server, bounds=Bounds(error_share=1))
        refused = [line["id"] for line in server.rejected()]
        sent = {line["id"] for line in server.accepted()}
        assert server.stats()["accepted"] == len(sent)
    assert len(refused) == len(set(refused)) > 5
    assert sent | set(refused) == {name for name, _ in source_events("pinpoint", source)}
    assert report["events"] == {"total": 240, "sent": 240 - len(refused), "rejected": len(refused), "left": 0}
    assert report["rejects"] == {"400": len(refused)}


# -- bad events ------------------------------------------------------------------------------------------------------


def spoil_clickstream(line):
    body = json.loads(line["body"])
    # Letters that gzip makes little of: more than a mebibyte even as it is sent.
    body[3]["attributes"]["blob"] = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(900_000))
    line["body"] = json.dumps(body, ensure_ascii=False)


def spoil_learning_context(line):
    line[3]["entities"].append({"key": 5, "value": "x"})


def spoil_mobile_analytics(line):
    line["body"]["events"][3]["eventType"] = "x" * 51


def spoil_personalize(line):
    line["eventList"][3]["eventType"] = "x" * 257


def spoil_pinpoint(line):
    batch = next(iter(line["EventsRequest"]["BatchItem"].values()))
    del list(batch["Events"].values())[3]["Timestamp"]


SPOILERS = {
    "clickstream": (spoil_clickstream, "413"),
    "learning_context": (spoil_learning_context, "result_0"),
    "mobile_analytics": (spoil_mobile_analytics, "BadRequestException"),
    "personalize": (spoil_personalize, "InvalidInputException"),
    "pinpoint": (spoil_pinpoint, "ParamValidation"),
}


@pytest.mark.parametrize("model", MODELS)
def test_a_refused_batch_is_split_until_the_bad_event_stands_alone(model, tmp_path):
    """The good ones go; the bad one lies in a file with its reason, and goes from there once it is mended."""
    source = in_small_requests(model, tmp_path)
    good = rows_of(source)
    spoil, code = SPOILERS[model]
    spoilt = json.loads(json.dumps(good))
    spoil(spoilt[1])
    rewrite(source, spoilt)
    count = len(events_in(model, good[1]))
    with Rehearsal() as server:
        report = call(model, source, tmp_path / "j", server)
        assert report["events"] == {"total": 240, "sent": 239, "rejected": 1, "left": 0}
        assert report["rejects"] == {code: 1}
        assert report["requests"] <= len(good) + 2 * count.bit_length()
        bad = events_in(model, spoilt[1])[3][1]
        expected = [event for event in source_events(model, source) if event[1] != bad]
        assert_arrived(model, expected, server)
        (entry,) = map(
            json.loads, (tmp_path / "j" / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
        )
        assert (entry["line"], entry["code"], json.loads(entry["raw"])) == (2, code, bad)
        assert entry["message"]
        again = tmp_path / "j" / "rejected.ndjson"
        (line,) = again.read_text(encoding="utf-8").splitlines()
        assert [event for _, event in events_in(model, json.loads(line))] == [bad]


def test_refused_events_can_be_replayed_once_mended(tmp_path):
    """The file of refused requests is a source like any other."""
    source = in_small_requests("personalize", tmp_path)
    expected = source_events("personalize", source)
    lines = rows_of(source)
    spoil_personalize(lines[1])
    rewrite(source, lines)
    with Rehearsal() as server:
        call("personalize", source, tmp_path / "j", server)
        file = tmp_path / "j" / "rejected.ndjson"
        file.write_text(
            file.read_text(encoding="utf-8").replace("x" * 257, expected[0][1]["eventType"]), encoding="utf-8"
        )
        report = call("personalize", file, tmp_path / "j2", server, from_="personalize/requests")
        assert report["events"]["sent"] == 1
        assert {line["id"] for line in server.accepted()} == {name for name, _ in expected}
        assert server.stats()["accepted"] == 240


def test_bad_events_do_not_come_again_after_a_stop(tmp_path):
    """What was refused for good is settled, and stays in the file."""
    source = in_small_requests("mobile_analytics", tmp_path)
    lines = rows_of(source)
    spoil_mobile_analytics(lines[1])
    rewrite(source, lines)
    with Rehearsal() as server:
        call("mobile_analytics", source, tmp_path / "j", server, max_in_flight=1, bounds=Bounds(requests=15))
        before = (tmp_path / "j" / "rejects.ndjson").read_bytes()
        report = call("mobile_analytics", source, tmp_path / "j", server)
        assert report["events"] == {"total": 240, "sent": 239, "rejected": 1, "left": 0}
        assert server.stats()["accepted"] == 239
    assert (tmp_path / "j" / "rejects.ndjson").read_bytes() == before


# -- stops -----------------------------------------------------------------------------------------------------------


def test_too_many_refused_events_stop_the_run(tmp_path):
    """By their number and by their share."""
    source = in_small_requests("mobile_analytics", tmp_path)
    lines = rows_of(source)
    for line in lines:
        for event in line["body"]["events"][::2]:
            event["eventType"] = "x" * 51
    rewrite(source, lines)
    with Rehearsal() as server:
        report = call(
            "mobile_analytics", source, tmp_path / "j", server, bounds=Bounds(errors=7, error_share=1)
        )
        assert 7 <= report["events"]["rejected"] < 7 + 8
        assert report["failed"]
        assert "events were refused for good" in report["stopped"]
        report = call("mobile_analytics", source, tmp_path / "j2", server, bounds=Bounds(error_share=0.2))
        answered = report["events"]["sent"] + report["events"]["rejected"]
        assert 100 <= answered < 100 + 8 * 20
        assert report["stopped"].startswith("50% of ") or "% of" in report["stopped"]
        assert report["failed"]


TURNED_AWAY = {
    "clickstream-app": ("clickstream", {"app_ids": ("0" * 32,)}, "Clickstream answered 403: the appId in the query is not registered"),
    "clickstream-cookie": ("clickstream", {"cookie": "AWSELB=2"}, "Clickstream answered 403: the appId in the query is not registered in the pipeline, the path or the host name is wrong, or sign-in is required (TRANSLATE_COOKIE holds the cookie)"),
    "learning_context": ("learning_context", {"applications": {"aid": "other"}, "accounts": {"user": "x"}}, "Learning Context answered 403: check application_id"),
    "mobile_analytics": ("mobile_analytics", {"access_key": "AKIDEXAMPLE", "secret_key": "other"}, "the signature was refused"),
    "personalize": ("personalize", {"app_ids": ("another",)}, "the event tracker (trackingId) is unknown"),
    "pinpoint": ("pinpoint", {"access_key": "AKIDOTHER", "secret_key": "secret"}, "Pinpoint"),
}  # fmt: skip


@pytest.mark.parametrize("case", TURNED_AWAY)
def test_a_sender_that_is_turned_away_stops_at_once(case, tmp_path):
    """With a sentence that says what to mend; then the same call sends everything."""
    model, options, sentence = TURNED_AWAY[case]
    source = in_small_requests(model, tmp_path)
    with Rehearsal(**options) as server:
        report = call(model, source, tmp_path / "j", server)
        assert report["failed"]
        assert report["stopped"].startswith(sentence)
        assert report["requests"] <= 8
        assert report["events"] == {"total": 240, "sent": 0, "rejected": 0, "left": 240}
        server.change(app_ids=(), cookie=None, applications={}, accounts={}, access_key=None, secret_key=None)
        call(model, source, tmp_path / "j", server)
        assert_arrived(model, source_events(model, source), server)


def test_a_receiver_that_only_fails_ends_the_run(tmp_path):
    """After so many attempts in a row for one request; nothing is given up."""
    source = in_small_requests("mobile_analytics", tmp_path)
    with Rehearsal(errors=1) as server:
        report = call("mobile_analytics", source, tmp_path / "j", server, bounds=Bounds(attempts=2))
        assert report["failed"]
        assert "not taken in 2 attempts" in report["stopped"]
        server.change(errors=0)
        call("mobile_analytics", source, tmp_path / "j", server)
        assert_arrived("mobile_analytics", source_events("mobile_analytics", source), server)
