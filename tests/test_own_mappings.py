"""Data sheets and recipes of the user's own folder: added to the shipped ones, or in their place, for every call."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from canonical import SAMPLES
from commands import run_here
from test_new_model import BEACONS, MAPPING

import translate
from translate import mapping
from translate.rehearsal import Rehearsal

RECIPE = """
to = "acme_beacon"

[[rule]]
when     = "name = 'level up!'"
set.name = "'levelled'"

[[test]]
event  = { name = "level up!", time = 2016-04-07T00:00:00Z, client_id = "c", app.id = "a" }
expect = [{ what = "levelled" }]
"""


def run(*words):
    """Give what a command printed, what it said on standard error, and its exit code."""
    return run_here(["translate", *map(str, words)])


@pytest.fixture
def own(tmp_path):
    """A folder of one more model and a recipe, and an archive of it; the shipped sheets are not in it."""
    folder = tmp_path / "sheets"
    (folder / "recipes").mkdir(parents=True)
    (folder / "acme_beacon.toml").write_text(MAPPING, encoding="utf-8")
    (folder / "recipes" / "levelling.toml").write_text(RECIPE, encoding="utf-8")
    archive = tmp_path / "beacons.ndjson"
    archive.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in BEACONS), encoding="utf-8"
    )
    return folder, archive


def test_every_command_takes_the_folder(own, tmp_path):
    """A model that is in the folder alone is listed, explained, inspected, converted, judged, traced, compared, sent round."""
    folder, archive = own
    out = tmp_path / "out"
    calls = [
        ["models"],
        ["check", folder / "recipes" / "levelling.toml"],
        ["explain", "--from", "acme_beacon", "--to", "clickstream"],
        ["inspect", archive],
        ["convert", archive, "--to", "acme_beacon", "--recipe", "levelling", "--out", out],
        ["validate", archive],
        ["roundtrip", archive, "--via", "pinpoint"],
        ["why", f"{archive}:2", "--to", "acme_beacon"],
        ["parity", archive, out],
    ]
    for call in calls:
        output, error, code = run(*call, "--mappings", folder)
        assert code == 0, (call, output, error)
        assert run(*call)[2] in (2, 3) or call[0] == "models", call
    assert '"what":"levelled"' in (out / "data" / "part-00000.ndjson").read_text(encoding="utf-8")
    listed = run("models", "--mappings", folder)[0]
    assert "acme_beacon/beacons" in listed
    assert "clickstream/events" in listed


def test_as_a_setting(own, tmp_path, monkeypatch):
    """A settings file names the folder relative to itself; --set and the option relative to where the call is made."""
    _, archive = own
    settings = tmp_path / "settings.toml"
    settings.write_text('mappings = "sheets"\n', encoding="utf-8")
    monkeypatch.chdir(archive.parent)
    for number, said in enumerate(
        (["--settings", settings], ["--set", "mappings=sheets"], ["--mappings", "sheets"])
    ):
        _, error, code = run(
            "convert", archive, "--to", "clickstream", "--out", tmp_path / f"out{number}", "--limit", 3, *said
        )
        assert code == 0, error
    parts = [(tmp_path / f"out{number}" / "data" / "part-00000.ndjson").read_bytes() for number in range(3)]
    assert parts[0] == parts[1] == parts[2]


def test_in_place_of_a_shipped_one(own, tmp_path):
    """A sheet of a shipped model's name takes its place, and the report's digests say that it was another."""
    folder, archive = own
    shipped = (mapping.folder() / "clickstream.toml").read_text(encoding="utf-8")
    changed = shipped.replace('"session.start"  = "_session_start"', '"session.start"  = "_begun"')
    assert changed != shipped
    (folder / "clickstream.toml").write_text(changed, encoding="utf-8")
    report = translate.convert(archive, to="clickstream", out=tmp_path / "out", mappings=str(folder))
    assert '"event_type":"_begun"' in (tmp_path / "out" / "data" / "part-00000.ndjson").read_text(
        encoding="utf-8"
    )
    assert report["mapping"]["clickstream.toml"] != mapping.load("clickstream").digest


def test_an_edited_sheet_is_read_again(own):
    """In a notebook a sheet is edited between two calls."""
    folder, _ = own
    file = folder / "acme_beacon.toml"
    before = translate.models(folder).filter(model="acme_beacon")["about"].item()
    file.write_text(MAPPING.replace("one beacon a line", "a beacon, one a line"), encoding="utf-8")
    after = translate.models(folder).filter(model="acme_beacon")["about"].item()
    assert (before, after) == ("one beacon a line", "a beacon, one a line")


@pytest.mark.parametrize("wrong", ["missing", "a file", "empty", "hub"])
def test_a_folder_of_no_use(tmp_path, own, wrong):
    """A folder that is none, holds nothing to read, or names a model like the hub, is refused in a sentence."""
    _, archive = own
    folder = tmp_path / "wrong"
    if wrong == "a file":
        folder.write_text("", encoding="utf-8")
    elif wrong != "missing":
        folder.mkdir()
    if wrong == "hub":
        shutil.copy(mapping.folder() / "personalize.toml", folder / "hub.toml")
    _, error, code = run("inspect", archive, "--mappings", folder)
    assert code == 2
    assert str(folder) in error
    assert "Traceback" not in error
    said = {
        "missing": "there is no such folder",
        "a file": "there is no such folder",
        "empty": "holds no data sheet",
        "hub": "no model can be called hub",
    }
    assert said[wrong] in error


DELIVERY = """
[layout.posts]
like    = "beacons"
about   = "one post a line"
default = false

[layout.posts.request]
each       = "body"
closed     = ["body"]
events_max = 100

[layout.posts.request.fields]
"query.appId" = { hub = "app.id", as = "app_id", required = true }

[delivery]
layout   = "posts"
protocol = "clickstream"
order    = ["client_id"]

[delivery.quota]
requests_per_second = 100
scope  = "the collector"
share  = 0.5
source = "https://acme.example.com/beacon#pace"
date   = "2026-11-21"
"""


def test_replayed_by_the_protocol_that_its_sheet_names(own, tmp_path):
    """A model that nobody here has heard of is sent to a live endpoint: what `check` accepts, `replay` can use."""
    folder, archive = own
    sheet = folder / "acme_beacon.toml"
    sheet.write_text(MAPPING + DELIVERY, encoding="utf-8")
    assert translate.check(sheet).complaints == []
    with Rehearsal() as server:
        _, error, code = run(
            "replay", archive, "--from", "acme_beacon/beacons", "--to", "acme_beacon", "--endpoint", server.addresses["clickstream"],
            "--journal", tmp_path / "journal", "--mappings", folder,
        )  # fmt: skip
        assert code == 0, error
        report = json.loads((tmp_path / "journal" / "report.json").read_text(encoding="utf-8"))
        assert report["events"]["sent"] == len(BEACONS)
        assert report["events"]["left"] == 0


def test_keys_that_a_sheet_reserves_are_told_apart(tmp_path):
    """Which keys a receiver keeps to itself is said by its sheet alone: none of the events is refused for one of them."""
    shipped = (SAMPLES.parent / "mappings" / "personalize.toml").read_text(encoding="utf-8")
    assert '"recommendationId", "impression"]' in shipped
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "personalize.toml").write_text(
        shipped.replace('"recommendationId", "impression"]', '"recommendationId", "impression", "colour"]'),
        encoding="utf-8",
    )
    event = {
        "event_type": "purchase",
        "event_id": "e-1",
        "timestamp": 1667877566698,
        "app_id": "shop",
        "unique_id": "c-1",
        "zone_offset": 0,
        "items": [{"id": "b-1"}],
    }
    archive = tmp_path / "a.jsonl"
    archive.write_text(
        json.dumps(
            event
            | {
                "attributes": {
                    "_session_id": "s",
                    "Colour": "red",
                    "itemid": "x",
                    "user_id": "u",
                    "size": "m",
                }
            }
        )
        + "\n",
        encoding="utf-8",
    )
    report = translate.convert(
        archive, to="personalize/requests", out=tmp_path / "out", mappings=tmp_path / "sheets"
    )
    assert report["events"]["written"] == 1, report["rejects"]
    ((line),) = [part.read_text(encoding="utf-8") for part in (tmp_path / "out" / "data").iterdir()]
    properties = json.loads(json.loads(line)["eventList"][0]["properties"])
    assert sorted(properties.values()) == ["m", "red", "u", "x"]
    assert not {"colour", "itemid", "userid"} & {key.lower() for key in properties}


TABLE = """
title   = "Ledger"
source  = "https://ledger.example.com"

[names]

[layout.rows]
about   = "a table"
records = "csv"
default = true
source  = "https://ledger.example.com"

[layout.rows.fields]
kind  = { hub = "name", as = "event_name", required = true }
at    = { hub = "time", as = "epoch_ms", required = true }
who   = "client_id"
"a_*" = { hub = "attributes", as = "text_columns" }
"""


def test_rows_of_a_table_over_several_lines_go_there_and_back(tmp_path):
    """Where no limit keeps line breaks out of a table, its cells have them."""
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "ledger.toml").write_text(TABLE, encoding="utf-8")
    archive = tmp_path / "a.csv"
    names = ["kind", "at", "who", "a_note"]
    rows = [["one\ntwo", 1460000000000, "\n", 'say "a"\r\n, b'], ["x", 1460000000001, "c", "\x1en"]]
    with archive.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])
    report = translate.roundtrip(archive, via="ledger", mappings=tmp_path / "sheets")
    assert [report["events"], report["undeclared"]] == [
        {"read": 2, "unreadable": 0, "returned": 2, "refused": 0},
        [],
    ]
