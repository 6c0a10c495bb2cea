"""Distinct names stay distinct where the target's own reader looks; where they do not, the report says which."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest.mock import Mock

import polars as pl
import pytest
from commands import run_here
from rows import rows_of as rows

import translate
from translate.archive import units as files
from translate.conversion import naming
from translate.engine.library import library
from translate.vocabulary import kernel_keys
from translate.vocabulary.spelling import legal_name

ROOT = Path(__file__).parent.parent
TIME = 1_460_000_000_000
SCRIPTS = ["レベル完了", "アイテム購入", "울란바토르", "уровень", "магазин", "naïve", "naive"]


def archive(path, names, keys=(), **more):
    """Write a Mobile Analytics archive of one event of each name, and one of each attribute."""
    given = [(name, {}) for name in names] + [("opened", {key: "x"}) for key in keys]
    records = [
        {"event_type": name, "event_timestamp": TIME + number, "client": {"client_id": "c"},
         "application": {"app_id": "a"}, "attributes": attributes, **more}
        for number, (name, attributes) in enumerate(given)
    ]  # fmt: skip
    path.write_text(
        "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8"
    )
    return path


def convert(source, out, *options, to="clickstream"):
    """Convert by the command line; give the exit code, what was printed, and the report."""
    printed, _, code = run_here(
        ["translate", "convert", str(source), "--to", to, "--out", str(out), *options]
    )
    return code, printed, json.loads((out / "report.json").read_text(encoding="utf-8"))


def met(report):
    return [finding["message"] for finding in report["findings"] if finding["code"] == "names_meet"]


# -- legal names ----------------------------------------------------------------------------------------------------


def test_names_of_all_scripts_stay_apart(tmp_path):
    """Names of one length in Japanese, Korean or Russian are as many event types and attributes in Clickstream."""
    source = archive(tmp_path / "a.jsonl", SCRIPTS, SCRIPTS)
    code, _, report = convert(source, tmp_path / "out")
    written = rows(tmp_path / "out")
    assert (code, met(report)) == (0, [])
    assert len({row["event_type"] for row in written} - {"opened"}) == len(SCRIPTS)
    keys = {key for row in written for key in row["attributes"]} - {"translate_names"}
    assert len(keys) == len(SCRIPTS)
    assert all(len(name) <= 50 and name.isascii() for name in keys)


def test_names_of_all_scripts_come_back(tmp_path):
    """Read again, each event and attribute has its own name."""
    source = archive(tmp_path / "a.jsonl", SCRIPTS, SCRIPTS)
    convert(source, tmp_path / "there")
    convert(tmp_path / "there", tmp_path / "back", to="mobile_analytics/archive")
    back = rows(tmp_path / "back")
    assert Counter(row["event_type"] for row in back) == Counter([*SCRIPTS, *["opened"] * len(SCRIPTS)])
    assert {key for row in back for key in row["attributes"]} == set(SCRIPTS)


@pytest.mark.parametrize("name", ["é", "レベル" * 30, "7é", "a" * 60, "a" * 41 + "é"])
def test_a_hash_keeps_to_the_bound(name):
    """What is replaced or cut ends in eight digits of its hash, and is a legal name again."""
    legal = legal_name(name)
    assert len(legal) <= 50
    assert legal[-9] == "_"
    assert legal_name(legal) == legal


def test_a_plain_name_has_no_hash():
    """Names of ASCII stay as people know them."""
    assert [legal_name(name) for name in ("level end", "7th", "a.b")] == ["level_end", "_7th", "a_b"]


# -- names that meet ------------------------------------------------------------------------------------------------

ENDS = ["level end", "level-end", "level.end", "level_end"]


def test_event_types_that_meet_are_named(tmp_path):
    """Four event types that become one are a finding that names them, and the exit code says so."""
    code, printed, report = convert(archive(tmp_path / "a.jsonl", [*ENDS, "other"]), tmp_path / "out")
    (message,) = met(report)
    assert message.startswith(
        "4 event types became `level_end`: `level end`, `level-end`, `level.end`, `level_end`; "
    )
    assert "keep_names" in message
    assert code == 1
    assert message in printed
    assert [finding["events"] for finding in report["findings"] if finding["code"] == "names_meet"] == [4]


def test_names_that_are_kept_do_not_meet(tmp_path):
    """The setting that keeps names settles it."""
    code, _, report = convert(
        archive(tmp_path / "a.jsonl", ENDS, ENDS), tmp_path / "out", "--set", "keep_names=true"
    )
    assert (code, met(report)) == (0, [])


RECIPES = {
    "one name": "[rule.names]\n'level end' = 'level_end'\n'level-end' = 'level_end'\n'level.end' = 'level_end'\n",
    "own names": "[rule.names]\n'level end' = 'a'\n'level-end' = 'b'\n'level.end' = 'c'\n",
    "an expression": "set.name = \"REPLACE(REPLACE(REPLACE(name, '-', '_'), '.', '_'), ' ', '_')\"\n",
}


@pytest.mark.parametrize("rule", RECIPES)
def test_a_recipe_settles_names(rule, tmp_path):
    """Who gives them one name, or each its own, has said what is meant."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(f"to = 'clickstream/events'\n[[rule]]\n{RECIPES[rule]}", encoding="utf-8")
    code, _, report = convert(archive(tmp_path / "a.jsonl", ENDS), tmp_path / "out", "--recipe", str(recipe))
    assert (code, met(report)) == (0, [])


@pytest.mark.parametrize("to", ["segment_spec", "clickstream"])
def test_an_event_whose_name_a_recipe_takes_is_rejected(to, tmp_path):
    """No event without a name is written, be it that the target's records of another kind have none."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(f"to = '{to}'\n[[rule]]\nset.name = '\"attributes.level\"'\n", encoding="utf-8")
    source = archive(tmp_path / "a.jsonl", ["a", "b"], ["level"])
    code, _, report = convert(source, tmp_path / "out", "--recipe", str(recipe), to=to)
    assert (code, report["rejects"], report["events"]["written"]) == (1, {"missing_required": 2}, 1)


def test_attributes_of_different_events_that_meet_are_named(tmp_path):
    """Within an event they are told apart; of different events they are one column."""
    code, _, report = convert(archive(tmp_path / "a.jsonl", ["x"], ENDS[:2]), tmp_path / "out")
    (message,) = met(report)
    assert message.startswith("2 attribute keys became `level_end`: `level end`, `level-end`; ")
    assert code == 1
    assert not [loss for loss in report["losses"] if "example" in loss]


def test_attributes_of_one_event_do_not_meet(tmp_path):
    """Two keys of each event that would become one have a hash, and nothing to tell."""
    source = archive(tmp_path / "a.jsonl", ["x", "y"], attributes={"level end": "1", "level-end": "2"})
    code, _, report = convert(source, tmp_path / "out")
    assert (code, met(report)) == (0, [])
    assert all(len(row["attributes"]) == 3 for row in rows(tmp_path / "out"))


def test_many_names_that_meet_are_counted(tmp_path):
    """The report names some of a great many, and says how many more there are."""
    names = [f"a{mark}b{other}" for mark in " -.:;,/+" for other in " -.:;,/+"]
    (message,) = met(convert(archive(tmp_path / "a.jsonl", names), tmp_path / "out")[2])
    assert message.startswith("64 event types became `a_b_`: ")
    assert "and 54 more" in message


# -- well-known names -----------------------------------------------------------------------------------------------


def test_an_empty_name_that_is_kept_is_rejected(tmp_path):
    """The data pipeline drops an event without a type and says nothing: `convert` says so instead."""
    source = archive(tmp_path / "a.json", ["", "opened"])
    code, _, report = convert(source, tmp_path / "kept", "--set", "keep_names=true")
    assert (code, report["events"]["written"], report["rejects"]) == (1, 1, {"over_limit": 1})
    assert "event_type that is empty" in (tmp_path / "kept" / "rejects.ndjson").read_text(encoding="utf-8")
    assert convert(source, tmp_path / "legal")[2]["events"]["written"] == 2


def test_declared_meetings_are_none(tmp_path):
    """Clickstream has one name for the pause and the stop of a session: its sheet says so."""
    source = archive(
        tmp_path / "a.jsonl", ["_session.start", "_session.pause", "_session.stop", "_session.resume"]
    )
    code, _, report = convert(source, tmp_path / "out")
    assert (code, met(report)) == (0, [])


@pytest.mark.parametrize("others", [[], ["_monetization.purchase"]])
def test_an_own_name_that_meets_a_well_known_one(others, tmp_path):
    """An app's own `purchase` is in Clickstream what its dashboards count as one."""
    code, _, report = convert(archive(tmp_path / "a.jsonl", ["purchase", *others]), tmp_path / "out")
    (message,) = met(report)
    assert code == 1
    assert "`purchase`" in message
    assert all(f"`{name}`" in message for name in others)


@pytest.mark.parametrize("meant", ["purchase", "shop_purchase"])
def test_a_recipe_says_what_an_own_name_means(meant, tmp_path):
    """It is a purchase, or it is another event: the recipe says which."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        f"to = 'clickstream/events'\n[[rule]]\nwhen = \"name = 'custom.purchase'\"\nset.name = \"'{meant}'\"\n",
        encoding="utf-8",
    )
    source = archive(tmp_path / "a.jsonl", ["purchase", "_monetization.purchase"])
    code, _, report = convert(source, tmp_path / "out", "--recipe", str(recipe))
    assert (code, met(report)) == (0, [])


def test_a_models_own_names_do_not_meet(tmp_path):
    """Clickstream's sample goes into its own buffer rows without a word."""
    code, _, report = convert(
        ROOT / "sample_data/clickstream/events_full.jsonl",
        tmp_path / "out",
        "--set",
        "day=2026-01-01",
        to="clickstream/raw",
    )
    assert (code, met(report)) == (0, [])


def test_properties_in_camel_case_that_meet(tmp_path):
    """Personalize has one property for two keys of one spelling in camel case."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        "to = 'personalize/requests'\n[[rule]]\nset.item_id = \"'i'\"\nset.session.id = \"'s'\"\n",
        encoding="utf-8",
    )
    source = archive(tmp_path / "a.jsonl", [], ["num_ratings", "NUM_RATINGS", "other"])
    code, _, report = convert(source, tmp_path / "out", "--recipe", str(recipe), to="personalize/requests")
    (message,) = met(report)
    assert message.startswith("2 attribute keys became `numRatings`: `NUM_RATINGS`, `num_ratings`; ")
    assert "keep_names" not in message
    assert code == 1


# -- whole archives -------------------------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path):
    """Make an archive whose names meet only from one file to another."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number, name in enumerate(ENDS):
        archive(folder / f"{number}.jsonl", [name, "other"], [name])
    return folder


def test_names_meet_from_unit_to_unit(many, tmp_path, monkeypatch):
    """However the archive is shared out, the report is the same."""
    _, _, whole = convert(many, tmp_path / "whole")
    monkeypatch.setattr(files, "FILES_MAX", 1)
    code, _, parts = convert(many, tmp_path / "parts")
    assert code == 1
    assert len(list((tmp_path / "parts" / "data").iterdir())) == len(ENDS)
    assert met(parts) == met(whole)
    assert len(met(whole)) == 2


KILLED = """
import os, signal, sys
from translate.archive import units as files
from translate.conversion import naming
from translate.conversion.output import Output
files.FILES_MAX = 1
finish_unit = Output.finish_unit

def finish(self, number, *rest):
    finish_unit(self, number, *rest)
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)

Output.finish_unit = finish
sys.argv[0] = "translate"
from translate.cli import main
main()
"""


def test_a_resumed_run_knows_the_names_of_the_first(many, tmp_path, monkeypatch):
    """What a run found before it was killed is told by the one that finishes it."""
    monkeypatch.setattr(files, "FILES_MAX", 1)
    _, _, undisturbed = convert(many, tmp_path / "undisturbed")
    out = tmp_path / "out"
    words = ["convert", str(many), "--to", "clickstream", "--out", str(out)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *words], check=False, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    code, _, report = convert(many, out)
    assert code == 1
    assert report == undisturbed


# -- what goes by the names afterwards ------------------------------------------------------------------------------


def test_parity_counts_by_the_targets_own_names(tmp_path):
    """Both sides are counted by the names in the target's files, and types that became one are told."""
    source = archive(tmp_path / "a.jsonl", [*ENDS, "レベル完了", "_session.stop"])
    convert(source, tmp_path / "out")
    printed, _, code = run_here(["translate", "parity", str(source), str(tmp_path / "out"), "--json"])
    found = json.loads(printed)
    counted = {
        row["key"].partition(" ")[2]: (row["source"], row["target"])
        for row in found["figures"]
        if row["figure"] == "events"
    }
    assert counted == {"level_end": (4, 4), legal_name("レベル完了"): (1, 1), "_app_end": (1, 1)}
    assert code == 0
    assert [merger["written"] for merger in found["merged"]] == ["level_end"]
    assert found["merged"][0]["names"] == sorted(ENDS)
    printed, _, _ = run_here(["translate", "parity", str(source), str(tmp_path / "out")])
    assert "4 event types became `level_end`: `level end`, `level-end`, `level.end`, `level_end`" in " ".join(
        printed.split()
    )


def test_parity_does_not_trust_what_travels_along(tmp_path):
    """A target whose rows lost their names is flagged, though the original names still lie beside them."""
    source = archive(tmp_path / "a.jsonl", ["a b", "c d"])
    convert(source, tmp_path / "out")
    (part,) = (tmp_path / "out" / "data").iterdir()
    part.write_text(part.read_text(encoding="utf-8").replace('"a_b"', '"c_d"'), encoding="utf-8")
    found = translate.parity(source, tmp_path / "out")
    assert {
        row["key"].partition(" ")[2] for row in found.frame.iter_rows(named=True) if not row["explained"]
    } == {"a_b", "c_d"}


def test_an_own_event_that_the_target_takes_for_a_session_is_told(tmp_path):
    """Clickstream counts an app's own `_session_start` as a session; parity says so."""
    source = archive(tmp_path / "a.jsonl", ["_session.start", "_session_start"])
    convert(source, tmp_path / "out")
    found = translate.parity(source, tmp_path / "out")
    (sessions,) = [row for row in found.frame.iter_rows(named=True) if row["figure"] == "sessions"]
    assert (sessions["source"], sessions["target"], sessions["explained"]) == (1, 2, True)
    assert "names that are spelled alike" in sessions["explanation"]


def test_a_preflight_tells_of_names_that_meet(tmp_path, monkeypatch):
    """Before anything is sent, and in the exit code."""
    monkeypatch.setenv("TRANSLATE_COOKIE", "a=b")
    source = archive(tmp_path / "a.jsonl", ENDS)
    words = [
        "replay",
        str(source),
        "--to",
        "clickstream",
        "--endpoint",
        "http://127.0.0.1:9/collect",
        "--journal",
        str(tmp_path / "journal"),
        "--dry-run",
    ]
    _, told, code = run_here(["translate", *words])
    assert "4 event types became `level_end`" in told
    assert code == 1


@pytest.mark.parametrize("together", [1, 3, 100])
def test_names_of_many_batches_are_those_of_one(together):
    """However many rows come together, each is counted once."""
    rows = pl.DataFrame(
        {
            "name": ["a", "b", "a", "c", "a"],
            "_legal": ["a", "b", "a", "c", "a"],
        }
    ).select(pl.all().name.prefix(naming.NAMED))
    gathering = naming.Gathering(["name", "_legal"])
    for number in range(0, rows.height, together):
        gathering.add(rows.slice(number, together))
    found = gathering.names()
    assert {name.name: count for name, count in found.events.items()} == {"a": 3, "b": 1, "c": 1}
    assert gathering.names().events == found.events


@pytest.mark.parametrize("careful", [False, True])
def test_names_that_are_no_text_stay_where_they_are(tmp_path, careful):
    """Half of a surrogate pair among the names that travel along: no traceback, and the text stays under its key."""
    told = '{"name":"\\ud800"}'
    row = {"event_type": "a", "event_id": "i", "timestamp": 1487973802507, "app_id": "a", "unique_id": "u"}
    row["attributes"] = {"translate_names": told}
    (tmp_path / "rows.ndjson").write_text(json.dumps(row) + "\n", encoding="utf-8")
    report = translate.convert(
        tmp_path / "rows.ndjson", from_="clickstream/events", to="hub", out=tmp_path / "out", careful=careful
    )
    assert report["events"]["written"] == 1
    kept = pl.read_parquet(tmp_path / "out/data/part-00000.parquet")
    assert (kept["name"][0], kept.to_dicts()[0]["attributes"]) == ("a", {"translate_names": told})


@pytest.mark.skipif(library() is None, reason="only the kernel renames whole columns")
def test_rows_beyond_what_the_kernel_holds_are_renamed_by_the_rules(tmp_path, monkeypatch):
    """Where the maps of a batch would be too large, the rules take each row, and the rows are the same."""
    record = {
        "event_type": "a",
        "event_timestamp": 1487973802507,
        "application": {"app_id": "a"},
        "client": {"client_id": "c"},
    }
    record |= {"attributes": {"a b": "1", "écran": "2"}, "metrics": {"9": 3}}
    (tmp_path / "a.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    written, too_large = [], Mock(side_effect=MemoryError)
    for name in ("kernel", "rules"):
        translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / name)
        written.append((tmp_path / name / "data/part-00000.ndjson").read_bytes())
        monkeypatch.setattr(kernel_keys, "renamed", too_large)
    assert written[0] == written[1]
    too_large.assert_called()
