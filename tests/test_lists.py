"""Lists of one value become that value where the target has single values, and lists again on the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rows import rows_of

import translate

PROPERTIES = {
    "interests": ["jazz"],
    "both": ["a", "b"],
    "none": [],
    "num ber": [5],
    "flag": [True],
    "nested": [["x"]],
    "text": "plain",
}
ATTRIBUTES = {
    "tags": ["x"],
    "odd key": ["y"],
    "many": ["x", "z"],
    "level": [2.5],
    "plain": "p",
    "quoted": ['"[\\'],
    "none": [None],
}


def stream(**own: Any) -> str:
    """Write a record of the Pinpoint stream."""
    return json.dumps({
        "event_type": "e", "event_timestamp": 1_487_973_802_000, "application": {"app_id": "a"}, "client": {"client_id": "c"},
        "endpoint": {"User": {"UserId": "u", "UserAttributes": PROPERTIES}}, "attributes": ATTRIBUTES, "awsAccountId": "1", **own,
    })  # fmt: skip


def converted(source: Path, out: Path, to: str, **options: Any) -> tuple[dict[str, Any], list[Any]]:
    report = translate.convert(source, to=to, out=out, **options)
    return report, rows_of(out)


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "in.json"
    file.write_text(f"{stream()}\n")
    return file


def test_a_list_of_one_becomes_its_value(tmp_path, source):
    """In attributes and in the user's; longer and empty lists, and lists of lists, stay; each change is told."""
    report, (row,) = converted(source, tmp_path / "out", "clickstream")
    user = {key: value["value"] for key, value in row["user"].items()}
    assert user == {
        "_user_id": "u",
        "interests": "jazz",
        "both": ["a", "b"],
        "none": [],
        "num_ber": 5,
        "flag": True,
        "nested": [["x"]],
        "text": "plain",
    }
    attributes = {key: value for key, value in row["attributes"].items() if key != "translate_names"}
    assert attributes == {
        "tags": "x",
        "odd_key": "y",
        "many": ["x", "z"],
        "level": 2.5,
        "plain": "p",
        "quoted": '"[\\',
        "none": [None],
    }
    told = {
        loss["field"]: loss["events"]
        for loss in report["losses"]
        if "a list of one value became the value" in loss["why"]
    }
    assert told == dict.fromkeys(
        [
            "attributes.tags",
            "attributes.odd key",
            "attributes.level",
            "attributes.quoted",
            *(f"endpoint.User.UserAttributes.{key}" for key in ("interests", "num ber", "flag")),
        ],
        1,
    )


def test_the_way_back_is_exact(tmp_path, source):
    """What travels along says which values were lists: the same event, with the same id."""
    _, (row,) = converted(source, tmp_path / "there", "clickstream")
    columns = ["event_id", "attributes", "metrics", "other", "user_id", "user_properties"]
    before, after = (
        translate.scan(archive).select(columns).collect().to_dicts()
        for archive in (source, tmp_path / "there" / "data")
    )
    assert after == before
    assert {key: json.loads(text) for key, text in after[0]["user_properties"].items()} == PROPERTIES
    assert {key: json.loads(text) for key, text in after[0]["other"].items()} == {
        key: value for key, value in ATTRIBUTES.items() if key != "plain"
    }
    _, (again,) = converted(tmp_path / "there" / "data", tmp_path / "again", "clickstream")
    assert again["attributes"]["tags"] == ["x"]
    found = translate.roundtrip(source, via="clickstream")
    assert (found["undeclared"], [each for each in found["differences"] if "list" in each["why"]]) == ([], [])
    assert row["event_id"] == again["event_id"]


@pytest.mark.parametrize("to", ["learning_context", "mobile_analytics/archive", "hub"])
def test_other_targets_keep_lists(tmp_path, source, to):
    """Only a target that says that it has single values gets them."""
    report = translate.convert(source, to=to, out=tmp_path / "out")
    assert not [loss for loss in report["losses"] if "list of one value" in loss["why"]]


def test_lists_of_other_sources_stay(tmp_path):
    """A list that its source did not have to make of a value is a list."""
    own = {
        "event_type": "e",
        "event_timestamp": 1_487_973_802_000,
        "application": {"app_id": "a"},
        "client": {"client_id": "c"},
        "attributes": {"tags": ["x"]},
    }
    (tmp_path / "in.json").write_text(f"{json.dumps(own)}\n")
    _, (row,) = converted(tmp_path / "in.json", tmp_path / "out", "clickstream")
    assert row["attributes"]["tags"] == ["x"]


def test_what_travels_along_may_be_wrong(tmp_path, source):
    """Names of lists that no value has, or that are no names, change nothing but are told."""
    _, (row,) = converted(source, tmp_path / "there", "clickstream")
    for number, lists in enumerate(
        [{"other": ["gone"]}, {"other": "tags"}, {"metrics": ["level"]}, ["tags"], {"user_properties": [5]}]
    ):
        row["attributes"]["translate_names"] = json.dumps({"lists": lists})
        (tmp_path / "odd.json").write_text(f"{json.dumps(row)}\n")
        report, (again,) = converted(
            tmp_path / "odd.json",
            tmp_path / f"odd-{number}",
            "pinpoint/event_stream",
            from_="clickstream/events",
        )
        assert report["events"]["rejected"] == 0
        assert again["attributes"]["tags"] == "x"


@pytest.mark.parametrize("items", ["3", '"x"', "true", '{"a":1}'])
@pytest.mark.parametrize(
    ("from_", "event", "list_of_items"),
    [
        ("posthog", {"event": "e", "distinct_id": "u", "timestamp": "2024-01-01T00:00:00Z"}, "items"),
        ("segment_spec", {"type": "track", "event": "e", "userId": "u", "timestamp": "2024-01-01T00:00:00Z"}, "products"),
    ],
)  # fmt: skip
def test_items_that_are_no_list_are_a_value_like_any_other(tmp_path, from_, event, list_of_items, items):
    """An app's own property may bear the name of the list of items: its receiver would refuse it among the items."""
    (tmp_path / "in.json").write_text(json.dumps({**event, "properties": {list_of_items: json.loads(items)}}))
    source, out = tmp_path / "in.json", tmp_path / "out"
    _, (row,) = converted(source, out, "clickstream", from_=from_, set_=["app_id=shop"])
    told = translate.validate(out, as_="clickstream")
    assert "items" not in row
    assert row["attributes"][list_of_items] == json.loads(items)
    assert told["events"]["refused"] == 0
