"""A replay against a calm rehearsal: everything arrives, in order, at the rate, in rhythm; it stops where it is told to, and goes on."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from replayed import (
    CLIENTS,
    EVERYTHING,
    MODELS,
    RECIPE,
    SECRETS,
    SETTINGS,
    archive,
    assert_arrived,
    call,
    converted,
    place_of,
    source_events,
)
from waiting import wait_for

import translate
from translate.delivery.pace import Bounds
from translate.errors import OutputError, UsageError
from translate.rehearsal import Rehearsal

ROOT = Path(__file__).parent.parent
# What each endpoint checks of a sender.
STRICT = {
    "clickstream": {"cookie": "AWSELB=1"},
    "learning_context": {"applications": {"aid": "hush"}, "accounts": {"user": "sesame"}},
    "mobile_analytics": {"access_key": "AKIDEXAMPLE", "secret_key": "secret"},
    "personalize": {"access_key": "AKIDEXAMPLE", "secret_key": "secret", "app_ids": ("tracker",)},
    "pinpoint": {"access_key": "AKIDEXAMPLE", "secret_key": "secret"},
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Give the sender what it signs with."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


# -- everything arrives ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_an_archive_arrives_whole(model, tmp_path, monkeypatch):
    """What the receiver holds is what the source became, and nothing else; the receiver verifies who sends."""
    monkeypatch.setenv("TRANSLATE_COOKIE", "AWSELB=1")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    with Rehearsal(**STRICT[model]) as server:
        report = call(
            model,
            archive(tmp_path, 150),
            tmp_path / "j",
            server,
            recipe=recipe if model == "personalize" else None,
        )
        expected = source_events(model, tmp_path / "j" / "converted")
        assert_arrived(model, expected, server)
        assert len(expected) == 150
        assert report["events"] == {"total": 150, "sent": 150, "rejected": 0, "left": 0}
        assert report["stopped"] is None
        assert server.stats()["requests"] == report["requests"]


def test_the_sample_archive_arrives_whole(tmp_path):
    """Of every oddity in it as well."""
    with Rehearsal() as server:
        call(
            "clickstream",
            ROOT / "sample_data" / "mobile_analytics" / "archive",
            tmp_path / "j",
            server,
            limit=700,
        )
        expected = source_events("clickstream", tmp_path / "j" / "converted")
        assert_arrived("clickstream", expected, server)
        assert len(expected) == 700


def test_what_convert_left_is_sent_as_it_is_and_nothing_again(tmp_path):
    """A second call finds everything confirmed."""
    source = converted("clickstream", tmp_path)
    with Rehearsal() as server:
        call("clickstream", source, tmp_path / "j", server)
        report = call("clickstream", source, tmp_path / "j", server)
        assert report["requests_now"] == 0
        assert_arrived("clickstream", source_events("clickstream", source), server)
    assert not (tmp_path / "j" / "converted").exists()


def test_sequence_numbers_go_on_where_they_stopped(tmp_path):
    """No number is given twice, however often the run is interrupted."""
    source = converted("clickstream", tmp_path)
    with Rehearsal() as server:
        for _ in range(3):
            call("clickstream", source, tmp_path / "j", server, bounds=Bounds(requests=2))
        numbers = {line["request"]: line["context"]["event_bundle_sequence_id"] for line in server.accepted()}
    assert sorted(map(int, numbers.values())) == list(range(1, 7))


# -- order -----------------------------------------------------------------------------------------------------------


def assert_in_order(model, accepted, key):
    """First arrivals of one client or session are in the order of the source."""
    seen, order = set(), defaultdict(list)
    for line in accepted:
        if line["digest"] not in seen:
            seen.add(line["digest"])
            order[key(line)].append(place_of(model, line["event"]))
    assert len(order) > 1
    assert all(places == sorted(places) for places in order.values())


KEYS = {
    "clickstream": lambda line: line["event"]["unique_id"],
    "mobile_analytics": lambda line: line["context"]["client_id"],
    "personalize": lambda line: line["context"]["sessionId"],
}


@pytest.mark.parametrize("model", KEYS)
def test_events_of_one_client_arrive_in_the_source_s_order(model, tmp_path):
    """With eight requests under way, and some of them throttled, failing, slow or cut."""
    source = converted(model, tmp_path, apps=1, clients=6)
    with Rehearsal(seed=5, throttle=0.1, errors=0.15, slow=0.4, slow_seconds=0.1, reset_before=0.1) as server:
        call(
            model,
            source,
            tmp_path / "j",
            server,
            rate="400" if model == "clickstream" else "100requests",
            max_in_flight=8,
        )
        accepted = list(server.accepted())
        assert_arrived(model, source_events(model, source), server)
    assert_in_order(model, accepted, KEYS[model])


def test_requests_of_different_clients_are_under_way_together(tmp_path):
    """Order costs nothing where there is none to keep."""
    source = converted("mobile_analytics", tmp_path)
    with Rehearsal(slow=1, slow_seconds=0.3) as server:
        report = call("mobile_analytics", source, tmp_path / "j", server, max_in_flight=8)
    assert report["requests"] == 12
    assert report["seconds"] < 12 * 0.3


# -- rate ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "rate", "unit", "most"),
    [
        ("clickstream", "80", "events", 80),
        ("pinpoint", "80events/s", "events", 80),
        ("personalize", "10requests", "requests", 10),
    ],
)
def test_the_rate_is_kept_over_every_second_and_used(model, rate, unit, most, tmp_path):
    """As the receiver sees it, from the first request on."""
    source = converted(model, tmp_path)
    with Rehearsal() as server:
        call(model, source, tmp_path / "j", server, rate=rate)
        arrivals = [(line["at"], line[unit] if unit == "events" else 1) for line in server.arrivals()]
        assert server.stats()["busiest_second"][unit] <= most
    seconds = arrivals[-1][0] - arrivals[0][0]
    assert sum(weight for _, weight in arrivals[:-1]) >= 0.9 * most * seconds


def test_a_receiver_that_counts_requests_gets_no_smaller_ones(tmp_path):
    """The rate falls when it asks for less, and the requests stay as large as they were."""
    source = converted("clickstream", tmp_path)
    with Rehearsal(quota_per_second=8) as server:
        report = call("clickstream", source, tmp_path / "j", server, rate="240")
        assert_arrived("clickstream", source_events("clickstream", source), server)
        sizes = [line["events"] for line in server.arrivals()]
    assert report["throttled"] > 0
    assert min(sizes) >= 4
    assert report["seconds"] < 8


def test_a_time_table_without_anything_now_sends_nothing(tmp_path):
    """A span of the day without any rate is waited out."""
    source = converted("clickstream", tmp_path)
    with Rehearsal() as server:
        report = call(
            "clickstream",
            source,
            tmp_path / "j",
            server,
            rate="00:00-23:59=0,23:59-00:00=0,else=5",
            bounds=Bounds(hours=0.8 / 3600),
        )
        assert server.stats()["requests"] == 0
    assert report["events"]["left"] == 240
    assert not report["failed"]


def test_a_time_table_is_kept(tmp_path):
    """What it says of the present hour holds."""
    source = converted("clickstream", tmp_path, count=60)
    with Rehearsal() as server:
        report = call(
            "clickstream", source, tmp_path / "j", server, rate="00:00-12:00=40,12:00-24:00=40,else=4000"
        )
        assert server.stats()["busiest_second"]["events"] <= 40
    assert 1.0 < report["seconds"] < 3.0


@pytest.mark.parametrize("model", ["mobile_analytics", "clickstream"])
def test_the_recorded_rhythm_is_kept(model, tmp_path):
    """Ten times as fast, each event goes a tenth of its recorded time after the first, however they were packed."""
    source = converted(model, tmp_path, count=30, clients=2, apps=2)
    with Rehearsal() as server:
        call(model, source, tmp_path / "j", server, speedup=10, rate="1000")
        arrived = {line["request"]: line["at"] for line in server.arrivals()}
        first = min(arrived, key=arrived.get)  # finds its sender unprepared
        lags = [
            arrived[line["request"]] - int(place_of(model, line["event"])) / 10
            for line in server.accepted()
            if line["request"] != first
        ]
        assert server.stats()["accepted"] == 30
    assert len(lags) >= 20
    assert max(lags) - min(lags) < 1.5  # half of what it would be without the rhythm; a busy machine is late


# -- stops -----------------------------------------------------------------------------------------------------------


def test_a_trial_stops_exactly_and_goes_on(tmp_path):
    """So many events and no more; the rest by the same call."""
    source = converted("clickstream", tmp_path)
    with Rehearsal() as server:
        report = call("clickstream", source, tmp_path / "j", server, bounds=Bounds(events=55))
        assert (server.stats()["accepted"], report["events"]["left"], report["failed"]) == (55, 185, False)
        assert report["stopped"] == "55 events were asked for"
        report = call("clickstream", source, tmp_path / "j", server, bounds=Bounds(events=55))
        assert server.stats()["accepted"] == 110
        call("clickstream", source, tmp_path / "j", server)
        assert_arrived("clickstream", source_events("clickstream", source), server)


def test_what_comes_too_late_for_a_converted_source_is_refused(tmp_path):
    """`--dedupe` included, which the preflight recommends: it is never passed over in silence."""
    source = converted("clickstream", tmp_path)
    for option in ({"dedupe": True}, {"limit": 5}):
        with pytest.raises(UsageError, match=f"{next(iter(option))}= comes too late"):
            call("clickstream", source, tmp_path / "j", "http://127.0.0.1:9/collect", **option)


def test_settings_that_come_too_late_for_a_converted_source_are_refused(tmp_path):
    """What was written by other settings stays as it is, so they are not passed over; those it was written by may be said again."""
    source = tmp_path / "requests"
    translate.convert(
        ROOT / "sample_data" / "mobile_analytics" / "archive",
        to="clickstream/requests",
        out=source,
        limit=50,
        set_=["app_id=first"],
    )
    for late in ("app_id=second", "app_ids.old=new", "keep_names=true"):
        with pytest.raises(UsageError, match=f'set_="{re.split("[.=]", late)[0]}" comes too late'):
            call("clickstream", source, tmp_path / "j", "http://127.0.0.1:9/collect", set_=[late])
    with Rehearsal() as server:
        report = call(
            "clickstream",
            source,
            tmp_path / "j",
            server,
            set_=["app_id=first", "forwarded_address=203.0.113.9"],
        )
    assert (report["events"]["sent"], report["events"]["left"]) == (50, 0)


def test_a_receiver_that_asks_for_hours_ends_the_run(tmp_path):
    """It is told when to come back; nobody waits for it in front of a screen, and nothing is lost."""
    source = converted("clickstream", tmp_path)
    with Rehearsal(throttle=1, retry_after_seconds=7200) as server:
        report = call("clickstream", source, tmp_path / "j", server)
        assert report["failed"]
        assert "asks for 7,200 seconds" in report["stopped"]
        server.change(throttle=0)
        call("clickstream", source, tmp_path / "j", server)
        assert_arrived("clickstream", source_events("clickstream", source), server)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    """In a sentence that names it."""

    def refuse(folder):
        raise OSError(errno.EROFS, "Read-only file system", str(folder / "lock"))

    monkeypatch.setattr("translate.delivery.replaying.lock", refuse)
    with pytest.raises(OutputError, match="j: cannot hold a journal: Read-only file system"):
        call("clickstream", converted("clickstream", tmp_path), tmp_path / "j", "http://127.0.0.1:9/collect")


def test_where_nothing_was_sent_nothing_is_to_be_verified(tmp_path):
    """No query without times is told."""
    source = archive(tmp_path, 0)
    report = call(
        "clickstream", source, tmp_path / "j", "http://127.0.0.1:9/collect", from_="mobile_analytics"
    )
    assert (report["events"]["total"], report["verify"]) == (0, [])


def test_waiting_for_the_last_answers_of_a_trial_costs_nothing(tmp_path):
    """A slow receiver is waited for without a busy loop."""
    source = converted("clickstream", tmp_path)
    with Rehearsal(slow=1, slow_seconds=1.5) as server:
        before = time.thread_time()
        call("clickstream", source, tmp_path / "j", server, bounds=Bounds(events=10))
        assert time.thread_time() - before < 0.7


def test_caps_of_requests_and_hours(tmp_path):
    """Each stops a run, which is no failure, and the next one goes on."""
    source = converted("mobile_analytics", tmp_path)
    with Rehearsal() as server:
        report = call("mobile_analytics", source, tmp_path / "j", server, bounds=Bounds(requests=5))
        assert (server.stats()["requests"], report["stopped"], report["failed"]) == (
            5,
            "5 requests were asked for",
            False,
        )
        report = call(
            "mobile_analytics",
            source,
            tmp_path / "j",
            server,
            rate="5requests",
            bounds=Bounds(hours=0.5 / 3600),
        )
        assert 0 < report["events"]["left"] < 240
        assert report["stopped"].endswith("hours were asked for")
        call("mobile_analytics", source, tmp_path / "j", server)
        assert_arrived("mobile_analytics", source_events("mobile_analytics", source), server)


def test_ctrl_c_leaves_nothing_without_its_answer(tmp_path):
    """Exit code 130; what is on its way is waited for, and the next call sends the rest, once."""
    source = converted("clickstream", tmp_path)
    with Rehearsal(slow=0.5, slow_seconds=0.3) as server:
        words = [sys.executable, "-m", "translate", "replay", str(source), "--to", "clickstream", "--endpoint", server.addresses["clickstream"],
                 "--journal", str(tmp_path / "j"), "--accept", ",".join(EVERYTHING["clickstream"]), "--rate", "100",
                 *(word for setting in SETTINGS for word in ("--set", setting))]  # fmt: skip
        with subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
        ) as process:
            wait_for(lambda: server.stats()["requests"] >= 4, "four requests come")
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
        assert process.returncode == 130
        assert error.splitlines()[-1] == "translate: interrupted; repeat the call to resume it"
        assert "Traceback" not in error
        held = server.stats()["accepted"]
        assert 0 < held < 240
        report = call("clickstream", source, tmp_path / "j", server)
        assert report["sent_now"] == 240 - held
        assert report["lost_answers"] == 0
        assert_arrived("clickstream", source_events("clickstream", source), server)


def test_a_second_ctrl_c_waits_for_nobody(tmp_path):
    """A receiver that says nothing holds nobody up: its answers count as lost, and the next call sends the events again."""
    source = converted("clickstream", tmp_path)
    with Rehearsal(slow=1, slow_seconds=40) as server:
        words = [sys.executable, "-m", "translate", "replay", str(source), "--to", "clickstream", "--endpoint", server.addresses["clickstream"],
                 "--journal", str(tmp_path / "j"), "--accept", ",".join(EVERYTHING["clickstream"])]  # fmt: skip
        with subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_for(lambda: server.stats()["requests"], "a request comes")
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            assert any("Ctrl-C again" in line for line in process.stderr), "it ends without the word"
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 130
    found = translate.status(str(tmp_path / "j"))
    assert found["lost_answers"] == found["requests"] > 0
    assert found["events"]["sent"] == 0


def test_a_receiver_that_is_down_ends_the_run_and_the_next_call_goes_on(tmp_path):
    """After its attempts; nothing counts as perhaps sent, for nothing was."""
    source = converted("mobile_analytics", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    report = call(
        "mobile_analytics", source, tmp_path / "j", f"http://127.0.0.1:{port}", bounds=Bounds(attempts=3)
    )
    assert report["failed"]
    assert report["stopped"].startswith("part-00000.ndjson:")
    assert "not taken in 3 attempts" in report["stopped"]
    assert (report["events"]["left"], report["lost_answers"]) == (240, 0)
    with Rehearsal(port=port) as server:
        call("mobile_analytics", source, tmp_path / "j", server.url)
        assert_arrived("mobile_analytics", source_events("mobile_analytics", source), server)


def test_settings_make_the_sender(tmp_path):
    """User agent and forwarded address go out as they were set; bodies are plain where asked for."""
    source = converted("clickstream", tmp_path, count=12, clients=len(CLIENTS))
    settings = (*SETTINGS, "user_agent=Archive 1", "forwarded_address=198.51.100.7", "plain_bodies=true")
    report = call(
        "clickstream", source, tmp_path / "j", "http://127.0.0.1:9/collect", set_=settings, dry_run=True
    )
    shown = report["requests_shown"][0]
    assert (shown["headers"]["User-Agent"], shown["headers"]["X-Forwarded-For"]) == (
        "Archive 1",
        "198.51.100.7",
    )
    assert isinstance(json.loads(shown["body"]), list)
    assert "compression" not in shown["url"]
