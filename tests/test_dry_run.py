"""A dry run shows events before and after, and writes nothing: for the hub, whose columns are no texts, too."""

import json

import pytest
from canonical import SAMPLES
from commands import run_here

SOURCE = str(SAMPLES / "mobile_analytics" / "archive_full.jsonl")


def test_a_dry_run_to_the_hub(tmp_path, monkeypatch):
    """The hub's columns are shown as JSON values, absent ones left out, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    output, error, code = run_here(["translate", "convert", SOURCE, "--to", "hub", "--dry-run", "--json"])
    assert (error, code) == ("", 0)
    stop, purchase = (record["after"] for record in json.loads(output))
    assert stop["name"] == "session.stop"
    assert stop["session.start"] == "2017-02-24T21:53:22.531Z"
    assert (stop["attributes"], stop["metrics"]) == ({"channel": "beta"}, {"score": "12345.678"})
    assert (purchase["price"], purchase["item_id"]) == (4.99, "b-1")
    assert "user_id" not in purchase
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["hub", "hub/events"])
def test_a_dry_run_to_the_hub_for_people(target):
    """Each event is a line before and a line after."""
    output, error, code = run_here(
        ["translate", "convert", SOURCE, "--to", target, "--dry-run", "--limit", "1"]
    )
    assert (error, code) == ("", 0)
    where, before, after = output.splitlines()
    assert where == "archive_full.jsonl:1"
    assert before.startswith('  before  {"event_type":"_session.stop"')
    assert json.loads(after.removeprefix("  after   "))["device.platform"] == "ANDROID"


@pytest.mark.parametrize("target", ["clickstream", "hub"])
def test_a_dry_run_of_events_of_the_hub(target):
    """What stood in a table is shown as JSON, as a reject shows it, and not as Python would."""
    source = str(SAMPLES / "hub" / "events_full.parquet")
    output, error, code = run_here(
        ["translate", "convert", source, "--to", target, "--dry-run", "--limit", "1"]
    )
    assert (error, code) == ("", 0)
    before = json.loads(output.splitlines()[1].removeprefix("  before  "))
    assert (before["name"], before["user_id"], before["phase"]) == ("session.start", "user-1", None)
