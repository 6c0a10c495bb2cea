"""Personal data is seen: told with counts by explain, inspect and convert; removed, or replaced by a keyed hash, by a recipe."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from commands import run_here

import translate
from translate import mapping
from translate.conversion import converting
from translate.recipe.privacy import KEY, TRIAL_KEY

SAMPLES = Path(__file__).resolve().parent.parent / "sample_data"
SECRET = "a key of the tests, long enough"
OTHER = "another key of the tests, as long"

ENDPOINT = {
    "Address": "ada@example.com",
    "OptOut": "ALL",
    "Location": {"City": "Turin", "Latitude": 45.07},
    "User": {"UserId": "ada"},
    "Id": "c-1",
}
RECORD = {
    "event_type": "_campaign.send", "event_timestamp": 1643674153593, "application": {"app_id": "shop"}, "client": {"client_id": "c-1"},
    "attributes": {"campaign_id": "summer", "mail": "ada@example.com"}, "metrics": {"age": 36}, "awsAccountId": "111122223333",
    "client_context": {"custom": {"endpoint": json.dumps(ENDPOINT), "legacy_identifier": "q"}},
}  # fmt: skip
PLAIN = {**RECORD, "client_context": {"custom": {"legacy_identifier": "q"}}}
MARKED = "client_context.custom.endpoint"


def hashed(text, key=SECRET):
    """Work the hash out as RFC 2104 says, apart from the tool."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def archive(tmp_path):
    """Two events of a stream, one of which holds an endpoint, as JSON in a text."""
    file = tmp_path / "stream.ndjson"
    file.write_text("".join(json.dumps(record) + "\n" for record in (RECORD, PLAIN)), encoding="utf-8")
    return file


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe that treats personal data."""

    def write(*lines, to="clickstream", rest=""):
        file = tmp_path / f"privacy-{to.replace('/', '-')}.toml"
        file.write_text(f'to = "{to}"\n\n[personal]\n' + "\n".join(lines) + f"\n{rest}", encoding="utf-8")
        return file

    return write


def run(*words):
    """Give what a command printed, what it said on standard error, and its exit code."""
    return run_here(["translate", *map(str, words)])


def rows(folder):
    return [
        json.loads(line)
        for line in (folder / "data" / "part-00000.ndjson").read_text(encoding="utf-8").splitlines()
    ]


def told_of(report):
    return {
        (finding["message"].split(" holds ")[0], finding["events"])
        for finding in report["findings"]
        if finding["code"] == "personal_data"
    }


# -- told ------------------------------------------------------------------------------------------------------------


def test_convert_tells_what_travels_and_where(archive, tmp_path):
    """An address that travels inside of a map of the target is told, with the count and the way out."""
    report = translate.convert(archive, to="clickstream", out=tmp_path / "out")
    assert told_of(report) == {(f"{MARKED}.{name}", 1) for name in ("Address", "OptOut", "Location")}
    output, _, code = run("convert", archive, "--to", "clickstream", "--out", tmp_path / "again")
    assert code == 0
    line = next(line for line in output.splitlines() if f"{MARKED}.Address" in line)
    assert line.split()[0] == "1"
    assert "goes into attributes.client_properties" in line
    assert "[personal] address" in line


def test_convert_is_silent_where_nothing_arrives(archive, tmp_path):
    """What a target has no place for is a loss, and nobody is warned of it."""
    assert told_of(translate.convert(archive, to="personalize", out=tmp_path / "out")) == set()


def test_what_stays_where_it_was_is_told_too(tmp_path):
    """An endpoint of a request goes back into requests only if it is asked for: then it is told."""
    source = tmp_path / "requests.ndjson"
    batch = {
        "c-1": {
            "Endpoint": {"Address": "ada@example.com"},
            "Events": {"e": {"EventType": "x", "Timestamp": "2017-01-01T00:00:00Z"}},
        }
    }
    source.write_text(
        json.dumps({"ApplicationId": "shop", "EventsRequest": {"BatchItem": batch}}), encoding="utf-8"
    )
    place = "EventsRequest.BatchItem.*.Endpoint.Address"
    assert told_of(translate.convert(source, to="pinpoint/requests", out=tmp_path / "empty")) == set()
    filled = translate.convert(
        source, to="pinpoint/requests", out=tmp_path / "filled", set_=["fill_endpoints=true"]
    )
    assert told_of(filled) == {(place, 1)}
    assert "ada@example.com" in (tmp_path / "filled" / "data" / "part-00000.ndjson").read_text(
        encoding="utf-8"
    )


def test_from_the_hub_it_is_seen_as_well(archive, tmp_path):
    """Events that were kept as the hub's Parquet hold the same data, whoever marked it."""
    translate.convert(archive, to="hub", out=tmp_path / "hub")
    report = translate.convert(tmp_path / "hub" / "data", to="clickstream", out=tmp_path / "out")
    assert told_of(report) == {
        (f"client_properties.endpoint.{name}", 1) for name in ("Address", "OptOut", "Location")
    }


def test_an_address_of_the_network_is_told(tmp_path):
    """The address that a request came from lies around its events, and goes into the buffer's rows."""
    source = tmp_path / "requests.ndjson"
    event = {
        "event_type": "x",
        "event_id": "e",
        "timestamp": 1643674153593,
        "app_id": "shop",
        "unique_id": "u",
        "zone_offset": 0,
        "attributes": {},
    }
    query = {"appId": "shop", "platform": "Web"}
    source.write_text(
        json.dumps({"query": query, "headers": {"x-forwarded-for": "203.0.113.7"}, "body": [event]}),
        encoding="utf-8",
    )
    report = translate.convert(source, to="clickstream/raw", out=tmp_path / "out", set_=["day=2022-02-01"])
    assert told_of(report) == {("headers.x-forwarded-for", 1)}


def test_inspect_counts_it(archive):
    """An inspection lists the places, with counts; the page has them too."""
    found = translate.inspect(archive)
    assert {(row["place"], row["kind"], row["events"]) for row in found.values["personal"]} >= {
        (f"{MARKED}.Address", "address", 1), (f"{MARKED}.OptOut", "opt_out", 1), (f"{MARKED}.Location", "location", 1),
    }  # fmt: skip
    output, _, code = run("inspect", archive)
    assert code == 0
    assert "personal data:" in output
    assert f"{MARKED}.Address" in output


def test_explain_says_where_it_goes(recipe):
    """An explanation has the marked places, what they hold, where that goes, and what a recipe does with it."""
    plain = {
        row["place"]: row
        for row in translate.explain(from_="pinpoint", to="clickstream").to_json()["personal"]
    }
    assert plain[f"{MARKED}.Address"]["goes_to"] == "attributes.client_properties"
    assert plain["endpoint.Address"]["goes_to"] == ""
    treated = translate.explain(
        from_="pinpoint", to="clickstream", recipe=recipe('address = "hash"', 'opt_out = "remove"')
    )
    rows_of = {row["place"]: row for row in treated.to_json()["personal"]}
    assert rows_of[f"{MARKED}.Address"]["treatment"] == "hash"
    assert (rows_of[f"{MARKED}.OptOut"]["treatment"], rows_of[f"{MARKED}.OptOut"]["goes_to"]) == (
        "remove",
        "",
    )
    assert "Personal data" in treated.to_markdown()


def test_marked_samples_hold_what_is_marked():
    """What the sample data has at marked places is found: a mark that leads nowhere would be no help."""
    marked = [
        (layout.address, mark.place)
        for model in mapping.models()
        for layout in mapping.load(model).layouts.values()
        for mark in layout.personal
    ]
    sample = SAMPLES / "pinpoint" / "event_stream_full.jsonl"
    found = {("pinpoint/event_stream", row["place"]) for row in translate.inspect(sample).values["personal"]}
    assert found
    assert found <= set(marked)


# -- treated ---------------------------------------------------------------------------------------------------------


def test_hash_and_remove(archive, tmp_path, recipe, monkeypatch):
    """Texts become their HMAC, in a JSON text inside of a text too; the rest of the event stays as it is."""
    monkeypatch.setenv(KEY, SECRET)
    chosen = recipe(
        'address = "hash"',
        'opt_out = "remove"',
        '"attributes.mail" = "hash"',
        '"metrics.age" = "remove"',
        'location = "hash"',
    )
    report = translate.convert(archive, to="clickstream", out=tmp_path / "out", recipe=chosen)
    plain = translate.convert(archive, to="clickstream", out=tmp_path / "plain")
    first, second = rows(tmp_path / "out")
    attributes = first["attributes"]
    endpoint = json.loads(attributes["client_properties"]["endpoint"])
    assert endpoint == {
        "Address": hashed("ada@example.com"), "Location": {"City": hashed("Turin"), "Latitude": hashed("45.07")}, "User": {"UserId": "ada"}, "Id": "c-1",
    }  # fmt: skip
    assert (attributes["mail"], "age" in attributes, attributes["campaign_id"]) == (
        hashed("ada@example.com"),
        False,
        "summer",
    )
    assert second["attributes"]["client_properties"] == {"legacy_identifier": "q"}
    assert [row["event_id"] for row in rows(tmp_path / "plain")] == [first["event_id"], second["event_id"]]
    losses = {(loss["field"], loss["kind"], loss["why"], loss["events"]) for loss in report["losses"]} - {
        (loss["field"], loss["kind"], loss["why"], loss["events"]) for loss in plain["losses"]
    }
    assert losses == {
        ("attributes.mail", "changed", "a keyed hash stands in its place", 2),
        ("metrics.age", "on_purpose", "removed as personal data", 2),
        (MARKED, "changed", "a keyed hash stands in its place", 1),
        (MARKED, "on_purpose", "removed as personal data", 1),
    }
    assert told_of(report) == set()


def test_the_same_value_gives_the_same_hash_with_the_same_key_alone(archive, tmp_path, recipe, monkeypatch):
    """Runs with one key agree, over sources and targets; another key gives other hashes."""
    seen = set()
    for number, (key, to) in enumerate(
        [(SECRET, "clickstream"), (SECRET, "mobile_analytics"), (OTHER, "clickstream")]
    ):
        monkeypatch.setenv(KEY, key)
        out = tmp_path / str(number)
        translate.convert(archive, to=to, out=out, recipe=recipe('"attributes.mail" = "hash"', to=to))
        (found,) = {row["attributes"]["mail"] for row in rows(out)}
        assert found == hashed("ada@example.com", key)
        seen.add(found)
    assert len(seen) == 2


def test_an_identity_is_hidden_wherever_the_source_repeats_it(archive, tmp_path, recipe, monkeypatch):
    """A user id that the source says a second time, inside of another text, does not give the hash away there."""
    monkeypatch.setenv(KEY, SECRET)
    translate.convert(archive, to="clickstream", out=tmp_path / "out", recipe=recipe('user_id = "hash"'))
    text = (tmp_path / "out" / "data" / "part-00000.ndjson").read_text(encoding="utf-8")
    first = json.loads(text.splitlines()[0])
    assert first["user"]["_user_id"]["value"] == hashed("ada")
    assert json.loads(first["attributes"]["client_properties"]["endpoint"])["User"]["UserId"] == hashed("ada")


def test_rules_see_what_is_left(archive, tmp_path, recipe, monkeypatch):
    """A rule that copies what was hashed copies the hash: nothing comes back by another way."""
    monkeypatch.setenv(KEY, SECRET)
    rule = "[[rule]]\nset.user_id = '\"attributes.mail\"'\n"
    translate.convert(
        archive,
        to="clickstream",
        out=tmp_path / "out",
        recipe=recipe('"attributes.mail" = "hash"', rest=rule),
    )
    assert "ada@example.com" not in json.dumps([row["user"] for row in rows(tmp_path / "out")])
    assert rows(tmp_path / "out")[0]["user"]["_user_id"]["value"] == hashed("ada@example.com")


def test_what_is_kept_on_purpose_is_not_told_again(archive, tmp_path, recipe):
    """Who has looked, and keeps it, says so."""
    report = translate.convert(
        archive,
        to="clickstream",
        out=tmp_path / "out",
        recipe=recipe('address = "keep"', 'location = "keep"'),
    )
    assert told_of(report) == {(f"{MARKED}.OptOut", 1)}


def test_numbers_and_whole_maps(tmp_path, recipe, monkeypatch):
    """A number among metrics goes, for no hash fits there, and that is told; each text of a map is hashed."""
    monkeypatch.setenv(KEY, SECRET)
    source = tmp_path / "positions.ndjson"
    entities = [
        {"key": "lat", "value": 45.07},
        {"key": "lng", "value": "7.68"},
        {"key": "note", "value": "x"},
    ]
    source.write_text(
        json.dumps({"action": "UPDATE", "type": "POSITION", "timestamp": 1365772427, "entities": entities}),
        encoding="utf-8",
    )
    chosen = recipe('location = "hash"', '"attributes" = "hash"', to="learning_context")
    report = translate.convert(source, to="learning_context", out=tmp_path / "out", recipe=chosen)
    (row,) = rows(tmp_path / "out")
    assert {entity["key"]: entity["value"] for entity in row["entities"] if entity["key"] in ("lat", "lng", "note")} == {
        "lng": hashed(hashed("7.68")), "note": hashed("x"),
    }  # fmt: skip
    assert (
        "entities.lat",
        "on_purpose",
        "removed as personal data: the place of a number holds no hash",
    ) in {(loss["field"], loss["kind"], loss["why"]) for loss in report["losses"]}


# -- the key ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", "short"])
def test_without_a_key_nothing_begins(archive, tmp_path, recipe, monkeypatch, key):
    """A recipe that hashes needs its key: said before anything is read, with what to do."""
    monkeypatch.delenv(KEY, raising=False)
    if key is not None:
        monkeypatch.setenv(KEY, key)
    _, error, code = run(
        "convert",
        archive,
        "--to",
        "clickstream",
        "--recipe",
        recipe('address = "hash"'),
        "--out",
        tmp_path / "out",
    )
    assert code == 2
    assert KEY in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_the_key_is_nowhere(archive, tmp_path, recipe, monkeypatch):
    """No file of a run holds the key, and none that is hashed can be found in what was written."""
    monkeypatch.setenv(KEY, SECRET)
    out = tmp_path / "out"
    translate.convert(
        archive,
        to="clickstream",
        out=out,
        recipe=recipe('address = "hash"', '"attributes.mail" = "hash"'),
        examples=True,
    )
    for file in out.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes()
            assert b"ada@example.com" not in file.read_bytes()


def test_a_run_is_resumed_with_its_own_key(archive, tmp_path, recipe, monkeypatch):
    """Hashes of two keys in one directory would be of no use: another key is another job."""
    monkeypatch.setenv(KEY, SECRET)
    chosen, out = recipe('address = "hash"'), tmp_path / "out"
    first = converting.conversion(archive, to="clickstream", out=out, recipe=chosen).identity()
    monkeypatch.setenv(KEY, OTHER)
    assert converting.conversion(archive, to="clickstream", out=out, recipe=chosen).identity() != first
    assert SECRET not in json.dumps(first)


def test_tests_inside_a_recipe_have_a_key_of_their_own(recipe, monkeypatch):
    """`check` needs no secret: a recipe's tests are hashed with a key that everybody knows."""
    monkeypatch.delenv(KEY, raising=False)
    test = (
        '[[test]]\nevent  = { name = "x", time = 2016-04-07T00:00:00Z, client_id = "c", app.id = "a", attributes = { mail = "m" } }\n'
        f'expect = [{{ attributes.mail = "{hashed("m", TRIAL_KEY)}" }}]\n'
    )
    checked = translate.check(recipe('"attributes.mail" = "hash"', rest=test))
    assert (checked.complaints, checked.tests) == ([], 1)


def test_an_extension_says_otherwise_than_its_base(archive, tmp_path, recipe):
    """What a base hashes, a recipe that extends it can keep."""
    base = recipe('address = "remove"', 'location = "remove"')
    extension = tmp_path / "extension.toml"
    extension.write_text(f'extends = "{base.name}"\n\n[personal]\nlocation = "keep"\n', encoding="utf-8")
    translate.convert(archive, to="clickstream", out=tmp_path / "out", recipe=extension)
    endpoint = json.loads(rows(tmp_path / "out")[0]["attributes"]["client_properties"]["endpoint"])
    assert ("Address" in endpoint, "Location" in endpoint) == (False, True)
