"""The command `replay`: what it asks for, what it shows, where it refuses, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest
from replayed import EVERYTHING, SECRETS, archive, assert_arrived, converted, source_events

from translate import cli
from translate.rehearsal import Rehearsal

NOWHERE = "http://127.0.0.1:9"  # the port that discards, where nothing listens


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Give the sender what it signs with."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def run(capsys, monkeypatch):
    """Call the command line; give its exit code, standard output and standard error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["translate", *map(str, words)])
        handler = signal.getsignal(signal.SIGTERM)
        with pytest.raises(SystemExit) as end:
            cli.main()
        signal.signal(signal.SIGTERM, handler)
        return int(end.value.code or 0), *capsys.readouterr()

    return call


def to(model, source, folder, server, *words):
    """Give the words of an ordinary call."""
    endpoint = server if isinstance(server, str) else server.addresses[model]
    return ["replay", source, "--to", model, "--endpoint", endpoint, "--journal", folder / "j", *words]


def accepted(model):
    """Give the words that accept all that the preflight finds."""
    return ["--accept", ",".join(EVERYTHING[model])]


# -- the ordinary way ------------------------------------------------------------------------------------------------


def test_a_replay_tells_what_it_did_and_where_it_stands(run, tmp_path):
    """Counts, the way to verify, the report; then the status."""
    source = converted("clickstream", tmp_path)
    with Rehearsal() as server:
        code, output, error = run(
            *to("clickstream", source, tmp_path, server, *accepted("clickstream"), "--trial", 100)
        )
        assert code == 0
        assert "sent                 100  in " in output
        assert "stopped: 100 events were asked for; the same call goes on" in output
        assert "Athena: SELECT count(*)" in output
        assert "age-limit: 240 events (100 %)" in error  # accepted, and told all the same
        code, output, _ = run("replay", "--status", tmp_path / "j")
        assert code == 0
        assert [line.split()[:2] for line in output.splitlines()[1:4]] == [
            ["total", "240"],
            ["sent", "100"],
            ["rejected", "0"],
        ]
        code, output, _ = run(
            *to("clickstream", source, tmp_path, server, *accepted("clickstream"), "--json")
        )
        assert (code, json.loads(output)["events"]["left"]) == (0, 0)
        assert_arrived("clickstream", source_events("clickstream", source), server)
    code, output, _ = run("replay", "--status", tmp_path / "j", "--json")
    assert (code, json.loads(output)["events"]["left"], json.loads(output)["running"]) == (0, 0, False)


def test_refused_events_make_exit_code_1(run, tmp_path):
    """Everything is settled, and not all of it was taken."""
    source = converted("pinpoint", tmp_path)
    with Rehearsal(partial=1, partial_codes=(400,)) as server:
        code, output, _ = run(
            *to(
                "pinpoint",
                source,
                tmp_path,
                server,
                "--i-know",
                "--set",
                "region=us-east-1",
                "--stop-at-error-share",
                1,
            )
        )
    assert code == 1
    assert "rejected" in output
    assert f"refused events: {tmp_path / 'j' / 'rejects.ndjson'}" in output


def test_a_stop_for_errors_makes_exit_code_3(run, tmp_path):
    """The run could not finish."""
    source = converted("pinpoint", tmp_path)
    words = ["--i-know", "--set", "region=us-east-1", "--stop-after-errors", 3]
    with Rehearsal(partial=1, partial_codes=(400,)) as server:
        code, output, _ = run(*to("pinpoint", source, tmp_path, server, *words))
    assert code == 3
    assert "events were refused for good; the same call goes on" in output


def test_a_sender_that_is_turned_away_makes_exit_code_3(run, tmp_path):
    """With the sentence that says what to mend."""
    source = converted("clickstream", tmp_path)
    with Rehearsal(app_ids=("0" * 32,)) as server:
        code, output, _ = run(*to("clickstream", source, tmp_path, server, *accepted("clickstream")))
    assert code == 3
    assert (
        "stopped: Clickstream answered 403: the appId in the query is not registered in the pipeline"
        in output
    )


# -- nothing is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", list(EVERYTHING))
def test_a_dry_run_shows_and_writes_requests_and_sends_none(model, run, tmp_path, monkeypatch):
    """No credentials are needed; what is secret is masked; what would lose data is told."""
    monkeypatch.setenv("TRANSLATE_COOKIE", "AWSELB=1")
    source = converted(model, tmp_path)
    with Rehearsal() as server:
        settings = ["--set", "region=us-east-1", "--set", "application_id=aid", "--set", "account=user"]
        code, output, error = run(*to(model, source, tmp_path, server, "--dry-run", *settings))
        assert (code, server.stats()["requests"]) == (0, 0)
    files = sorted((tmp_path / "j" / "dry-run").iterdir())
    requests = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert [int(file.stem) for file in files] == list(range(1, len(files) + 1))
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    assert output.startswith(f"POST {requests[0]['url']}\n")
    assert output.endswith(f"requests lie in {tmp_path / 'j' / 'dry-run'}; nothing was sent\n")
    headers = {name.lower(): value for name, value in requests[0]["headers"].items()}
    assert {headers.get(name, "***") for name in ("authorization", "cookie", "x-amz-security-token")} == {
        "***"
    }
    assert all(name not in error for name in ("Traceback", "AKID"))
    losing = {"clickstream": "age-limit: 240 events", "pinpoint": "support-ended: "}
    assert losing.get(model, "") in error
    assert not (tmp_path / "j" / "journal.ndjson").exists()


def test_a_dry_run_amid_a_replay_shows_what_is_left(run, tmp_path):
    """With the sequence numbers that would come next."""
    source = converted("clickstream", tmp_path)
    with Rehearsal() as server:
        code, *_ = run(
            *to("clickstream", source, tmp_path, server, *accepted("clickstream"), "--max-requests", 4)
        )
        assert code == 0
        code, output, _ = run(*to("clickstream", source, tmp_path, server, "--dry-run", "--json"))
        shown = json.loads(output)["requests_shown"]
        held = {line["context"]["event_bundle_sequence_id"] for line in server.accepted()}
    assert (code, len(held), len(shown)) == (0, 4, 2)
    assert "event_bundle_sequence_id=5&" in shown[0]["url"]


def test_a_finding_that_loses_data_stops_before_anything(run, tmp_path):
    """Exit code 4, until each is accepted by its name."""
    source = converted("clickstream", tmp_path)
    with Rehearsal() as server:
        code, output, error = run(*to("clickstream", source, tmp_path, server))
        assert (code, output, server.stats()["requests"]) == (4, "", 0)
        assert "translate: nothing was sent." in error
        assert error.count("--accept age-limit") == 1
        assert "translate convert ... --to clickstream/raw" in error
        code, _, error = run(*to("clickstream", source, tmp_path, server, "--accept", "age-limit"))
        assert (code, server.stats()["requests"]) == (4, 0)
        assert "--accept user-retention" in error
        assert "--accept age-limit" not in error.split("nothing was sent.")[1]
        code, *_ = run(
            *to(
                "clickstream",
                source,
                tmp_path,
                server,
                "--accept",
                "age-limit,user-retention",
                "--accept",
                "redshift-retention",
            )
        )
        assert (code, server.stats()["accepted"]) == (0, 240)


def test_pinpoint_is_sent_to_with_i_know_only(run, tmp_path):
    """Its support has ended, which is said."""
    source = converted("pinpoint", tmp_path)
    with Rehearsal() as server:
        code, _, error = run(*to("pinpoint", source, tmp_path, server, "--set", "region=us-east-1"))
        assert (code, server.stats()["requests"]) == (4, 0)
        assert "2026-10-30" in error
        assert "--i-know" in error
        code, *_ = run(*to("pinpoint", source, tmp_path, server, "--set", "region=us-east-1", "--i-know"))
        assert (code, server.stats()["accepted"]) == (0, 240)


SENT = ["--to", "clickstream", "--journal", "j"]
WRONG = {
    "no source": ([*SENT, "--endpoint", NOWHERE], "replay needs SOURCE, --to MODEL and --journal DIR"),
    "no model": (["a.jsonl", "--journal", "j"], "replay needs SOURCE, --to MODEL and --journal DIR"),
    "no journal": (["a.jsonl", "--to", "clickstream", "--endpoint", NOWHERE], "replay needs SOURCE, --to MODEL and --journal DIR"),
    "no endpoint": (["a.jsonl", *SENT], "clickstream needs an endpoint"),
    "no region": (["a.jsonl", "--to", "pinpoint", "--journal", "j"], "pinpoint needs a region"),
    "plain http": (["a.jsonl", *SENT, "--endpoint", "http://192.0.2.1/collect"], "http://192.0.2.1 would carry the events, cookies and signatures in the clear"),
    "password in the address": (["a.jsonl", *SENT, "--endpoint", "https://me:xqzw@192.0.2.1/"], "the endpoint holds a user or password"),
    "unknown finding": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--accept", "age"], "--accept age: the preflight of clickstream has nothing of this name (it has: age-limit,"),
    "i-know elsewhere": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--i-know"], "--i-know: clickstream's support has not ended"),
    "status of nothing": (["--status", "none"], "none: holds no journal"),
    "layout without requests": (["a.jsonl", "--to", "clickstream/events", "--journal", "j", "--endpoint", NOWHERE], "--to clickstream/events: its lines are no requests; say --to clickstream"),
    "hub": (["a.jsonl", "--to", "hub", "--journal", "j", "--endpoint", NOWHERE], "hub"),
    "unknown model": (["a.jsonl", "--to", "clikstream", "--journal", "j", "--endpoint", NOWHERE], "clickstream"),
    "no rate": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--rate", "fast"], '"fast" is no rate'),
    "no rest of the day": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--rate", "22:00-06:00=10"], "add else=RATE"),
    "standing still": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--speedup", "0"], "--speedup 0: should be above 0"),
    "backwards in time": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--speedup", "nan"], "--speedup nan: should be above 0"),
    "less than no hours": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--max-hours", "-1"], "--max-hours"),
    "trial and cap": (["a.jsonl", *SENT, "--endpoint", NOWHERE, "--trial", "5", "--max-events", "9"], "--trial and --max-events"),
    "status and source": (["a.jsonl", "--status", "j"], "--status DIR stands alone"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_is_refused_before_anything_is_read(case, run, tmp_path, monkeypatch):
    """Exit code 2, one sentence, no traceback, nothing left behind."""
    words, sentence = WRONG[case]
    monkeypatch.chdir(tmp_path)
    archive(tmp_path, 3).rename(tmp_path / "a.jsonl")
    code, output, error = run("replay", *words)
    assert (code, output) == (2, "")
    assert sentence in error
    assert "xqzw" not in error
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl"]


def test_a_source_that_is_not_there_is_told(run, tmp_path):
    """As `convert` tells it."""
    code, output, error = run(*to("clickstream", tmp_path / "none.jsonl", tmp_path, NOWHERE))
    assert (code, output) == (3, "")
    assert "none.jsonl" in error
