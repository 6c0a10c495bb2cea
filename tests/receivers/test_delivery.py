"""Replays to the receivers that only their sheets know, against what plays them by the same sheets: all arrives, once, and no secret stays."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from replayed import archive, record

import translate
from translate import mapping
from translate.delivery.pace import Bounds
from translate.rehearsal import Rehearsal

RECEIVERS = ("amplitude", "mixpanel", "posthog", "segment_spec")
EVENTS = 240
SECRETS = {
    "TRANSLATE_AMPLITUDE_API_KEY": "amp-5ecret", "TRANSLATE_MIXPANEL_USER": "mix-5ervice", "TRANSLATE_MIXPANEL_SECRET": "mix-5ecret",
    "TRANSLATE_POSTHOG_API_KEY": "phc_5ecret", "TRANSLATE_SEGMENT_SPEC_WRITE_KEY": "seg-5ecret",
}  # fmt: skip
# What a library looks for in an answer before it is content.
CONTENT = {"mixpanel": lambda told: json.loads(told)["status"] == 1}
ID = {
    "amplitude": ["insert_id"],
    "mixpanel": ["properties", "$insert_id"],
    "posthog": ["uuid"],
    "segment_spec": ["messageId"],
}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def source(tmp_path):
    return archive(tmp_path, EVENTS)


@pytest.fixture
def small(tmp_path):
    """A folder of sheets whose requests hold 20 events, for there are 12 of them then."""
    folder = tmp_path / "small"
    folder.mkdir()
    for model in RECEIVERS:
        sheet = (mapping.folder() / f"{model}.toml").read_text(encoding="utf-8")
        head, mark, rest = sheet.partition("[layout.requests.request]\n")
        rest = "\n".join(line for line in rest.split("\n") if not line.startswith("events_max = "))
        (folder / f"{model}.toml").write_text(f"{head}{mark}events_max = 20\n{rest}", encoding="utf-8")
    return folder


@pytest.fixture
def strict(tmp_path):
    """A folder of sheets that refuse the events of places that end in 7: what a receiver does, and its documents do not say."""
    folder = tmp_path / "strict"
    folder.mkdir()
    places = {
        "amplitude": "event_properties.place",
        "mixpanel": "properties.place",
        "posthog": "properties.place",
        "segment_spec": "properties.place",
    }
    for model in RECEIVERS:
        sheet = (mapping.folder() / f"{model}.toml").read_text(encoding="utf-8")
        check = f'[layout.events.checks]\nsevens = {{ judge = "pattern", places = ["{places[model]}"], value = "[0-689]$", hard = true, source = "it did" }}\n'
        marked = "[layout.events.checks]\n"
        sheet = (
            sheet.replace(marked, check)
            if marked in sheet
            else sheet.replace("[layout.requests]\n", f"{check}\n[layout.requests]\n")
        )
        (folder / f"{model}.toml").write_text(sheet, encoding="utf-8")
    return folder


def replayed(source, model, server, journal, **options):
    accept = [name for name, hazard in mapping.load(model).delivery.preflight.items() if hazard.loses]
    return translate.replay(
        source,
        to=model,
        endpoint=server.addresses[model],
        journal=journal,
        accept=accept,
        rate="100000",
        seed=1,
        **options,
    )


def places(server):
    """Count the events that a receiver holds, by the place that each of the archive has of its own."""
    found = Counter()
    for held in server.accepted():
        event = held["event"]
        found[event.get("event_properties", event.get("properties"))["place"]] += 1
    return found


def texts_below(*folders):
    return {file: file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("model", RECEIVERS)
def test_all_arrives_and_no_secret_stays(model, source, small, tmp_path):
    """Each event arrives once, under its own id; neither journal nor rehearsal keeps what proved who sent it."""
    with Rehearsal(play=(model,), keep=str(tmp_path / "kept")) as server:
        report = replayed(source, model, server, tmp_path / "journal", mappings=small)
        assert report["events"] == {"total": EVENTS, "sent": EVENTS, "rejected": 0, "left": 0}
        assert (report["requests"], report["findings"], report["stopped"]) == (12, {}, None)
        assert set(places(server).values()) == {1}
        assert {held["id"] for held in server.accepted()} == {
            ID_of(held["event"], model) for held in server.accepted()
        }
        assert replayed(source, model, server, tmp_path / "journal", mappings=small)["requests_now"] == 0
    said = b"\n".join(texts_below(tmp_path / "journal", tmp_path / "kept").values())
    for secret in SECRETS.values():
        assert secret.encode() not in said
        assert base64.b64encode(f"{secret}:".encode())[:12] not in said


def ID_of(event, model):  # noqa: N802
    for segment in ID[model]:
        event = event[segment]
    return event


@pytest.mark.parametrize("model", RECEIVERS)
def test_through_every_misbehaviour(model, source, small, tmp_path):
    """Throttled, broken, reset before and after, answered late: all arrives, and twice only what a lost answer was of."""
    faults = {
        "throttle": 0.2,
        "retry_after_seconds": 0,
        "errors": 0.1,
        "reset_before": 0.1,
        "reset_after": 0.2,
        "slow": 0.1,
        "slow_seconds": 0.1,
    }
    with Rehearsal(play=(model,), seed=3, **faults) as server:
        report = replayed(source, model, server, tmp_path / "journal", mappings=small)
        assert report["events"] == {"total": EVENTS, "sent": EVENTS, "rejected": 0, "left": 0}
        assert set(places(server)) == {f"{number:05}" for number in range(EVENTS)}
        again = sum(places(server).values()) - EVENTS
        assert again <= report["lost_events"]
        assert report["throttled"] > 0


@pytest.mark.parametrize("model", RECEIVERS)
def test_bad_events_alone_are_refused(model, source, small, strict, tmp_path):
    """Whether a receiver names the bad events, refuses all for one of them, or takes the others: these arrive once, those are told; unless it answers first."""
    with Rehearsal(play=(model,), mappings=strict) as server:
        report = replayed(
            source, model, server, tmp_path / "journal", mappings=small, bounds=Bounds(error_share=1)
        )
        bad = {f"{number:05}" for number in range(EVENTS) if number % 10 == 7}
        good = Counter({f"{number:05}" for number in range(EVENTS)} - bad)
        if model == "segment_spec":  # it answers first
            assert (report["events"]["sent"], places(server)) == (EVENTS, good)
            assert server.stats()["lost_later"] == len(bad)
            return
        assert report["events"] == {
            "total": EVENTS,
            "sent": EVENTS - len(bad),
            "rejected": len(bad),
            "left": 0,
        }
        assert places(server) == good
        requests = report["requests"]
    lines = [
        json.loads(line)
        for line in (tmp_path / "journal" / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    refused = [json.loads(line["raw"]) for line in lines]
    assert {event.get("event_properties", event.get("properties"))["place"] for event in refused} == bad
    answers = mapping.load(model).delivery.http.answers.values()
    if any(answer.means == "partly" for answer in answers):
        assert requests == 12
        assert "place" in lines[0]["message"]
    elif any(answer.means == "refused" and answer.indexes for answer in answers):
        assert requests == 24
        assert "place" in lines[0]["message"]
    else:
        assert requests > 24


@pytest.mark.parametrize("model", ["amplitude", "mixpanel"])
def test_some_fail_of_a_share(model, source, small, tmp_path):
    """A rehearsal that fails some events of a share of requests is believed: what it kept was sent, what it refused is told."""
    with Rehearsal(play=(model,), seed=2, partial=0.5) as server:
        report = replayed(
            source, model, server, tmp_path / "journal", mappings=small, bounds=Bounds(error_share=1)
        )
        assert report["events"]["rejected"] > 0
        assert report["events"]["left"] == 0
        assert sum(places(server).values()) == report["events"]["sent"]
        assert set(places(server).values()) == {1}
        assert len([*server.rejected()]) == report["events"]["rejected"]


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (model, answer.name)
        for model in RECEIVERS
        for answer in mapping.load(model).delivery.http.answers.values()
        if answer.means == "stop"
    ],
)
def test_what_stops_says_so_and_goes_on(model, answer, source, small, tmp_path):
    """A quota that is used up, told by any status, 200 among them, and a key that is unknown: the run ends with what to mend, and goes on."""
    with Rehearsal(play=(model,), answers={answer: 1.0}) as server:
        report = replayed(source, model, server, tmp_path / "journal", mappings=small)
        assert mapping.load(model).delivery.http.answers[answer].says in report["stopped"]
        assert report["failed"] is True
        assert report["events"]["sent"] == 0
        assert report["events"]["rejected"] == 0
        server.change(answers={})
        report = replayed(source, model, server, tmp_path / "journal", mappings=small)
        assert report["events"] == {"total": EVENTS, "sent": EVENTS, "rejected": 0, "left": 0}
        assert set(places(server).values()) == {1}


@pytest.mark.parametrize("model", RECEIVERS)
def test_without_a_secret_and_with_a_wrong_one(model, source, small, tmp_path, monkeypatch):
    """Nothing goes out without the secret, whose variable is named; one that the service does not know stops the run."""
    with Rehearsal(play=(model,)) as server:
        way = mapping.load(model).delivery.http.authentication
        monkeypatch.delenv(way.needed)
        with pytest.raises(translate.UsageError, match=f"set {way.needed}"):
            replayed(source, model, server, tmp_path / "journal", mappings=small)
        assert [*(tmp_path / "journal").rglob("part-*")] == []
        monkeypatch.setenv(way.needed, "another")
        report = replayed(source, model, server, tmp_path / "journal", mappings=small)
        assert way.needed in report["stopped"]
        assert report["events"]["sent"] == 0
        assert server.stats()["accepted"] == 0
        monkeypatch.setenv(way.needed, SECRETS[way.needed])
        assert (
            replayed(source, model, server, tmp_path / "journal", mappings=small)["events"]["sent"] == EVENTS
        )


def test_a_client_that_sends_too_much(small, tmp_path):
    """Of a request with events of a client that sends too many none is taken, and the answer names these; all arrives in the end."""
    source = tmp_path / "one.jsonl"
    source.write_text(
        "".join(json.dumps(record(number, clients=["c-0000000001"])) + "\n" for number in range(60)),
        encoding="utf-8",
    )
    with Rehearsal(play=("amplitude",), client_events_per_second=0.2, retry_after_seconds=0) as server:
        request = {
            "api_key": SECRETS["TRANSLATE_AMPLITUDE_API_KEY"],
            "events": [
                {"device_id": "c-0000000002", "event_type": "a", "time": 1_500_000_000_000, "insert_id": "i"}
            ],
        }
        other = {**request["events"][0], "device_id": "c-0000000003"}
        assert posted(server.addresses["amplitude"], request)[0] == 200
        status, told = posted(
            server.addresses["amplitude"], {**request, "events": [other, *request["events"]] * 2}
        )
        assert (status, told["throttled_events"]) == (429, [1, 3])
        server.change(client_events_per_second=40)
        report = replayed(source, "amplitude", server, tmp_path / "journal", mappings=small)
        assert report["events"]["sent"] == 60
        assert report["throttled"] > 0


def posted(url, request):
    call = urllib.request.Request(url, json.dumps(request).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(call) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("model", RECEIVERS)
def test_killed_and_resumed(model, source, small, tmp_path):
    """A replay that is killed goes on by the same call: nothing is missing, and twice is only what was under way."""
    with Rehearsal(play=(model,), slow=1.0, slow_seconds=0.1) as server:
        accept = ",".join(
            name for name, hazard in mapping.load(model).delivery.preflight.items() if hazard.loses
        )
        words = [
            sys.executable, "-m", "translate", "replay", str(source), "--to", model, "--endpoint", server.addresses[model], "--journal", str(tmp_path / "journal"),
            "--mappings", str(small), "--max-in-flight", "2", *(["--accept", accept] if accept else []),
        ]  # fmt: skip
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while server.stats()["accepted"] < 60 and process.poll() is None:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        held = sum(places(server).values())
        assert 0 < held < EVENTS
        server.change(slow=0.0)
        report = replayed(source, model, server, tmp_path / "journal", mappings=small)
        assert (report["events"]["sent"], report["events"]["left"]) == (EVENTS, 0)
        assert set(places(server)) == {f"{number:05}" for number in range(EVENTS)}
        assert sum(places(server).values()) - EVENTS <= report["lost_events"] <= 40


@pytest.mark.parametrize("model", RECEIVERS)
def test_shown_without_secrets(model, source, small, tmp_path):
    """A dry run shows method, address, headers and body as they would go out, but for what proves who sends."""
    with Rehearsal(play=(model,)) as server:
        report = replayed(source, model, server, tmp_path / "journal", mappings=small, dry_run=True)
        shown = report["requests_shown"][0]
        assert shown["method"] == "POST"
        assert shown["url"].startswith(server.addresses[model])
        assert "***" in json.dumps(shown)
        assert server.stats()["requests"] == 0
    said = b"\n".join(texts_below(tmp_path / "journal").values()) + json.dumps(report).encode()
    assert not [secret for secret in SECRETS.values() if secret.encode() in said]


def test_which_region(source, tmp_path):
    """Where a service has several addresses, one is chosen by name; which there are, is said."""
    with pytest.raises(translate.UsageError, match="us, eu"):
        translate.replay(source, to="amplitude", journal=tmp_path / "a")
    with pytest.raises(translate.UsageError, match="no address there"):
        translate.replay(source, to="amplitude", journal=tmp_path / "a", set_=["region=mars"])
    report = translate.replay(
        source, to="amplitude", journal=tmp_path / "a", set_=["region=eu"], dry_run=True
    )
    assert report["requests_shown"][0]["url"] == "https://api.eu.amplitude.com/batch"


def test_more_than_a_request_may_hold(tmp_path):
    """At the limit a request is taken, and one event or byte beyond it is not; no event is blamed."""
    with Rehearsal(play=("mixpanel",)) as server:
        event = {
            "event": "a",
            "properties": {"time": 1_500_000_000, "distinct_id": "u-1", "$insert_id": "i-1"},
        }
        token = base64.b64encode(
            f"{SECRETS['TRANSLATE_MIXPANEL_USER']}:{SECRETS['TRANSLATE_MIXPANEL_SECRET']}".encode()
        ).decode()
        for count, status in ((2000, 200), (2001, 413)):
            call = urllib.request.Request(
                server.addresses["mixpanel"] + "?strict=1",
                json.dumps([event] * count).encode(),
                {"Authorization": f"Basic {token}"},
            )
            try:
                with urllib.request.urlopen(call) as answer:
                    assert (answer.status, json.load(answer)["num_records_imported"]) == (status, count)
            except urllib.error.HTTPError as error:
                assert error.code == status
        assert server.stats()["rejected"] == 0


def test_a_share_of_an_answer_that_nobody_gives():
    """An answer is played by its name in a sheet; another is refused with the nearest one."""
    with (
        pytest.raises(translate.UsageError, match='did you mean "quota"'),
        Rehearsal(play=("posthog",), answers={"qouta": 0.5}),
    ):
        pass


def test_only_what_is_described_can_be_played(tmp_path):
    """A model without a description is no use to a rehearsal; what is played alone answers at its own path, too."""
    shutil.copy(mapping.folder() / "amplitude.toml", tmp_path / "other.toml")
    sheet = (tmp_path / "other.toml").read_text(encoding="utf-8")
    (tmp_path / "other.toml").write_text(sheet[: sheet.index("[delivery]")], encoding="utf-8")
    with (
        pytest.raises(translate.UsageError, match='as_="other"'),
        Rehearsal(play=("other",), mappings=tmp_path),
    ):
        pass
    with Rehearsal(play=("amplitude",)) as server:
        assert posted(f"{server.url}/batch", {"events": []})[0] == 400
        assert posted(f"{server.url}/other", {"events": []})[0] == 404


@pytest.mark.parametrize(
    "case",
    json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8")),
    ids=lambda case: case["library"],
)
def test_what_client_libraries_send_is_taken(case, monkeypatch):
    """The requests that the receivers' own libraries sent are taken by what plays these, in the form and with the proof of each."""
    for name in SECRETS:
        monkeypatch.delenv(name)
    model = case["layout"].partition("/")[0]
    http = mapping.load(model).delivery.http
    bodies = case["records"] if case["layout"].endswith("requests") else [case["records"]]
    headers = (
        {"Authorization": f"Basic {base64.b64encode(b'KEY:').decode()}"}
        if http.authentication.kind == "basic"
        else {}
    )
    with Rehearsal(play=(model,)) as server:
        for body in bodies:
            text = json.dumps(body)
            sent = urllib.parse.urlencode({http.form: text, "verbose": 1}) if http.form else text
            kind = "application/x-www-form-urlencoded" if http.form else "application/json"
            call = urllib.request.Request(
                server.addresses[model], sent.encode(), {**headers, "Content-Type": kind}
            )
            with urllib.request.urlopen(call) as answer:
                assert answer.status == 200
                assert CONTENT.get(case["library"].split()[0], bool)(answer.read())
        kept = [*server.accepted()]
        assert len(kept) == sum(
            len(body) if isinstance(body, list) else len(body[http.each[0]]) for body in bodies
        )
        assert "TOKEN" not in json.dumps(kept)


def test_what_is_altered_is_told():
    """What a receiver takes and alters stands in the counts of its rehearsal, by what it does."""
    event = {
        "event": "a",
        "properties": {"time": 1_500_000_000, "distinct_id": "u-1", "$insert_id": "i-1", "note": "n" * 256},
    }
    token = base64.b64encode(
        f"{SECRETS['TRANSLATE_MIXPANEL_USER']}:{SECRETS['TRANSLATE_MIXPANEL_SECRET']}".encode()
    ).decode()
    with Rehearsal(play=("mixpanel",)) as server:
        call = urllib.request.Request(
            server.addresses["mixpanel"] + "?strict=1",
            json.dumps([event] * 3).encode(),
            {"Authorization": f"Basic {token}"},
        )
        with urllib.request.urlopen(call) as answer:
            assert json.load(answer)["num_records_imported"] == 3
        ((note, count),) = server.stats()["notes"].items()
        assert "cuts it to 255 characters" in note
        assert count == 3


def test_as_strict_as_it_was_asked_to_be():
    """Mixpanel names bad events to who says strict=1; to others all is well, and what is bad is lost without a word."""
    good = {"event": "a", "properties": {"time": 1_500_000_000, "distinct_id": "u-1", "$insert_id": "i-1"}}
    bad = {"event": "a", "properties": {"distinct_id": "u-1", "$insert_id": "i-2"}}
    names = ("TRANSLATE_MIXPANEL_USER", "TRANSLATE_MIXPANEL_SECRET")
    token = base64.b64encode(":".join(SECRETS[name] for name in names).encode()).decode()
    told = {}
    with Rehearsal(play=("mixpanel",)) as server:
        for query in ("?strict=1", "?strict=0&verbose=1", "?strict=0", ""):
            call = urllib.request.Request(
                server.addresses["mixpanel"] + query,
                json.dumps([good, bad]).encode(),
                {"Authorization": f"Basic {token}"},
            )
            try:
                with urllib.request.urlopen(call) as answer:
                    told[query] = (answer.status, json.load(answer))
            except urllib.error.HTTPError as error:
                told[query] = (error.code, json.load(error))
        status, strict = told.pop("?strict=1")
        assert (status, strict["num_records_imported"]) == (400, 1)
        assert [(record["index"], record["insert_id"]) for record in strict["failed_records"]] == [(1, "i-2")]
        assert told == {
            "?strict=0&verbose=1": (200, {"error": "", "status": 1}),
            "?strict=0": (200, 1),
            "": (200, 1),
        }
        assert (server.stats()["accepted"], server.stats()["lost_later"]) == (4, 3)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_as_silent_as_it_was(share, source, small, strict, tmp_path):
    """PostHog of old answers before it looks: a rehearsal that is asked for that says that all is well, and loses bad events."""
    bad = {f"{number:05}" for number in range(EVENTS) if number % 10 == 7}
    good = Counter({f"{number:05}" for number in range(EVENTS)} - bad)
    with Rehearsal(play=("posthog",), mappings=strict, answers={"taken-unread": share}, seed=1) as server:
        call = {"mappings": small, "bounds": Bounds(error_share=1)}
        report = replayed(source, "posthog", server, tmp_path / "journal", **call)
        told = server.stats()
        assert places(server) == good
        assert report["events"]["sent"] == len(good) + told["lost_later"]
        assert report["events"]["sent"] + report["events"]["rejected"] == EVENTS
        assert told["misbehaviour"]["taken-unread"] > 0
        assert told["lost_later"] == len(bad) if share == 1 else 0 < told["lost_later"] < len(bad)
