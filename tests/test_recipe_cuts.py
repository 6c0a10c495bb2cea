"""What a recipe cuts: to which lengths and counts, what is told of it, and that nothing else changes."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import rows_of

import translate
from translate.recipe import trial
from translate.recipe.proof import read
from translate.recipe.rules import Recipe
from translate.recipe.spec import Cut, Rule
from translate.vocabulary.notes import InHub, note, read_all
from translate.vocabulary.spelling import with_hash

LIMITS = [Cut(values=3), Cut(keys=10), Cut(count=2), Cut(values=2, keys=11, count=3)]
KEYS = st.one_of(
    st.text(max_size=14),
    st.sampled_from("ab").flatmap(lambda letter: st.integers(8, 16).map(lambda count: letter * count)),
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=5),
        "attributes": st.dictionaries(KEYS, st.text(max_size=6), max_size=5),
        "metrics": st.dictionaries(KEYS, st.integers(0, 99999).map(str), max_size=5),
        "other": st.dictionaries(KEYS, st.just("true"), max_size=2),
    },
)
RECORD = {
    "event_type": "e",
    "event_timestamp": 1487973802507,
    "application": {"app_id": "shop"},
    "client": {"client_id": "c"},
}


def cut(limits, *events, **rule):
    """Cut events in the streaming engine; give the rows before and after."""
    recipe = Recipe(
        "own", "own.toml", "x/y", ("x/y",), (Rule("own.toml: rule[1]", cut=limits, **rule),), (), ""
    )
    frame = trial.frame([{"event_id": f"e-{number}", **event} for number, event in enumerate(events)])
    return frame.collect().to_dicts(), recipe.apply(frame).collect(engine="streaming").to_dicts()


def maps_and_notes(limits, **event):
    """Give what one event's maps become, and what is told of it."""
    _, (row,) = cut(limits, event)
    return row["attributes"], row["metrics"], read_all(row["_recipe_notes"])


def test_long_values_are_cut():
    """Texts over the length are cut to it, in characters; numbers keep all their digits."""
    attributes, metrics, notes = maps_and_notes(
        Cut(values=3),
        attributes={"a": "abcd", "b": "abc", "c": "", "e": "\N{GRINNING FACE}" * 4},
        metrics={"m": "12345"},
    )
    assert attributes == {"a": "abc", "b": "abc", "c": "", "e": "\N{GRINNING FACE}" * 3}
    assert metrics == {"m": "12345"}
    assert notes == [
        note("changed", InHub("attributes", "a"), "cut to 3 characters"),
        note("changed", InHub("attributes", "e"), "cut to 3 characters"),
    ]


def test_long_keys_are_cut():
    """Keys over the length are cut to it, those of texts and of numbers, and keep their values."""
    attributes, metrics, notes = maps_and_notes(
        Cut(keys=10), attributes={"0123456789x": "v", "k": "w"}, metrics={"abcdefghijk": "1"}
    )
    assert (attributes, metrics) == ({"0123456789": "v", "k": "w"}, {"abcdefghij": "1"})
    why = "name cut to 10 characters"
    assert notes == [
        note("changed", InHub("attributes", "0123456789x"), why),
        note("changed", InHub("metrics", "abcdefghijk"), why),
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_keys_that_become_one_are_told_apart(order):
    """A key that fits keeps its name, whatever the order; one that would take another's place gets its hash."""
    stem = "x" * 50
    given = dict([(f"{stem}1", "1"), (f"{stem}2", "2"), (stem, "0"), ("y" * 51, "3")][::order])
    attributes, _, notes = maps_and_notes(Cut(keys=50), attributes=given)
    assert attributes == {
        stem: "0",
        with_hash(stem, f"{stem}1"): "1",
        with_hash(stem, f"{stem}2"): "2",
        "y" * 50: "3",
    }
    assert len(notes) == 3


def test_a_name_that_looks_hashed_is_no_trap():
    """Not even a key that is called like another one's hashed name costs a value."""
    attributes, _, _ = maps_and_notes(Cut(keys=50), attributes={"x" * 51: "1", "x" * 52: "2"})
    (trap,) = (key for key, value in attributes.items() if value == "1")
    attributes, _, _ = maps_and_notes(Cut(keys=50), attributes={"x" * 51: "1", "x" * 52: "2", trap: "3"})
    assert sorted(attributes.values()) == ["1", "2", "3"]
    assert attributes[trap] == "3"


def test_only_the_first_stay():
    """Attributes come before metrics, each in their order; a map that loses everything is still there."""
    attributes, metrics, notes = maps_and_notes(
        Cut(count=2), attributes={"b": "1", "a": "2", "c": "3"}, metrics={"m": "1"}
    )
    assert (attributes, metrics) == ({"b": "1", "a": "2"}, {})
    why = "beyond the first 2 attributes and metrics"
    assert notes == [
        note("on_purpose", InHub("attributes", "c"), why),
        note("on_purpose", InHub("metrics", "m"), why),
    ]


def test_what_goes_by_count_takes_no_name():
    """A key that goes does not make one that stays give way, and its value is not told as cut."""
    attributes, _, notes = maps_and_notes(
        Cut(values=1, keys=10, count=1), attributes={"0123456789a": "x", "0123456789b": "yy"}
    )
    assert attributes == {"0123456789": "x"}
    assert [(told.kind, told.spot.key) for told in notes] == [
        ("on_purpose", "0123456789b"),
        ("changed", "0123456789a"),
    ]


def test_what_was_used_is_no_loss():
    """A value that an earlier rule took elsewhere did arrive, though its key goes."""
    taken = Rule("own.toml: rule[1]", sets={"item_id": read('"attributes.b"', exploded=False)})
    rules = (taken, Rule("own.toml: rule[2]", cut=Cut(count=1)))
    recipe = Recipe("own", "own.toml", "x/y", ("x/y",), rules, (), "")
    frame = trial.frame([{"attributes": {"a": "1", "b": "2", "c": "3"}}])
    (row,) = recipe.apply(frame).collect(engine="streaming").to_dicts()
    assert row["item_id"] == "2"
    assert [told.spot for told in read_all(row["_recipe_notes"])] == [InHub("attributes", "c")]


def test_other_events_are_left_alone():
    """A rule cuts only where its condition holds, and no event that is filtered or rejected already."""
    given = [{"name": name, "attributes": {"a": "long"}} for name in ("wanted", "other")]
    _, rows = cut(Cut(values=1), *given, when=read("name = 'wanted'", exploded=False))
    assert [row["attributes"] for row in rows] == [{"a": "l"}, {"a": "long"}]
    dropped = Recipe(
        "own", "own.toml", "x/y", ("x/y",), (Rule("1", drop="noise"), Rule("2", cut=Cut(values=1))), (), ""
    )
    (row,) = dropped.apply(trial.frame(given[:1])).collect().to_dicts()
    assert row["attributes"] == {"a": "long"}


def test_rows_of_one_event_are_each_cut():
    """After an event was taken apart, each of its rows is cut."""
    rules = (Rule("1", explode=True), Rule("2", cut=Cut(values=1)))
    recipe = Recipe("own", "own.toml", "x/y", ("x/y",), rules, (), "")
    frame = trial.frame([{"event_id": "e", "items": '[{"a":1},{"a":2}]', "attributes": {"k": "long"}}])
    rows = recipe.apply(frame).collect(engine="streaming").to_dicts()
    assert [(row["event_id"], row["attributes"]) for row in rows] == [("e", {"k": "l"}), ("e-2", {"k": "l"})]


@given(limits=st.sampled_from(LIMITS), events=st.lists(EVENT, min_size=1, max_size=20))
def test_nothing_changes_but_what_is_noted(limits, events):
    """All is within the numbers afterwards, each difference is told once, and no value takes another's place."""
    before, after = cut(limits, *events)
    for old, new in zip(before, after, strict=True):
        told = read_all(new["_recipe_notes"])
        assert len(set(told)) == len(told)
        assert {
            name: value for name, value in old.items() if name not in ("attributes", "metrics")
        }.items() <= new.items()
        for kind in ("attributes", "metrics"):
            hold_against(
                limits,
                kind,
                old[kind],
                new[kind],
                [(noted.kind, noted.spot.key, noted.why) for noted in told if noted.spot.column == kind],
            )
        count = sum(len(new[kind] or ()) for kind in ("attributes", "metrics"))
        assert limits.count is None or count <= limits.count
        assert count + sum(noted.kind == "on_purpose" for noted in told) == sum(
            len(old[kind] or ()) for kind in ("attributes", "metrics")
        )


def hold_against(limits, kind, old, new, told):
    """Follow every value of a map to where it is now: values keep their order."""
    assert (old is None) == (new is None)
    gone = [place for what, place, _ in told if what == "on_purpose"]
    kept = [(key, value) for key, value in (old or {}).items() if key not in gone]
    assert len(kept) == len(new or ())
    for (key, value), (name, now) in zip(kept, (new or {}).items(), strict=True):
        reasons = [why for what, place, why in told if what == "changed" and place == key]
        assert (name != key) == (f"name cut to {limits.keys} characters" in reasons)
        assert (now != value) == (f"cut to {limits.values} characters" in reasons)
        assert len(reasons) == (name != key) + (now != value)
        assert value.startswith(now)
        assert bool(now) == bool(value)
        assert kind == "attributes" or now == value
        assert limits.keys is None or len(name) <= limits.keys
        assert kind == "metrics" or limits.values is None or len(now) <= limits.values


# -- from an archive to requests -------------------------------------------------------------------------------------


def archive(tmp_path):
    """Write three events: one within Pinpoint's limits, two with a value over them."""
    texts = [{"short": "v"}, {"long": "é" * 500}, {"long": "b" * 201, "short": "w"}]
    path = tmp_path / "archive.json"
    path.write_text(
        "".join(json.dumps({**RECORD, "attributes": attributes}) + "\n" for attributes in texts),
        encoding="utf-8",
    )
    return path


def written_attributes(out):
    """Give the attributes of all events in Pinpoint's requests."""
    members = [member for call in rows_of(out) for member in call["EventsRequest"]["BatchItem"].values()]
    return [event.get("Attributes") for member in members for event in member["Events"].values()]


def test_what_is_over_a_hard_limit_is_rejected_or_cut(tmp_path):
    """A value over the limit costs its event, unless the recipe cuts it; then the loss is told, and counted."""
    source = archive(tmp_path)
    report = translate.convert(source, to="pinpoint/requests", out=tmp_path / "without")
    assert (report["events"]["written"], report["rejects"]) == (1, {"over_limit": 2})
    recipe = tmp_path / "own.toml"
    recipe.write_text('to = "pinpoint/requests"\n[[rule]]\ncut = { values = 200, keys = 50, count = 40 }\n')
    report = translate.convert(source, to="pinpoint/requests", out=tmp_path / "with", recipe=recipe)
    assert (report["events"]["written"], report["rejects"]) == (3, {})
    told = [loss for loss in report["losses"] if loss["field"].startswith("attributes.")]
    assert [(loss["field"], loss["kind"], loss["why"], loss["events"]) for loss in told] == [
        ("attributes.long", "changed", "cut to 200 characters", 2)
    ]
    assert written_attributes(tmp_path / "with") == [
        {"short": "v"},
        {"long": "é" * 200},
        {"long": "b" * 200, "short": "w"},
    ]


def test_other_values_are_not_cut(tmp_path):
    """A list that becomes text is JSON: cut, it would be none, so its event stays rejected."""
    source, recipe = tmp_path / "archive.json", tmp_path / "own.toml"
    source.write_text(json.dumps({**RECORD, "attributes": {"list": ["x" * 500]}}) + "\n")
    recipe.write_text('to = "pinpoint/requests"\n[[rule]]\ncut.values = 200\n')
    report = translate.convert(source, to="pinpoint/requests", out=tmp_path / "out", recipe=recipe)
    assert report["rejects"] == {"over_limit": 1}


def test_many_rows_stream():
    """Events with and without anything to cut come out in the order in which they went in."""
    frame = trial.frame(
        [{"attributes": {"a" * (1 + number % 13): "x" * (number % 7)}} for number in range(5000)]
    )
    recipe = Recipe("own", "own.toml", "x/y", ("x/y",), (Rule("1", cut=Cut(values=5, keys=10)),), (), "")
    rows = recipe.apply(frame).collect(engine="streaming")
    assert rows["row"].to_list() == list(range(5000))
    assert rows["attributes"].to_list() == [
        {"a" * min(1 + number % 13, 10): "x" * min(number % 7, 5)} for number in range(5000)
    ]
    wanted = sum((number % 7 > 5) + (number % 13 > 9) for number in range(5000))
    assert rows.select(pl.col("_recipe_notes").list.len().sum()).item() == wanted
