"""Wrong mapping files: each carries its complaints, and the checker says these and no others."""

import copy
import dataclasses
import json
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

import translate
from translate import events, mapping
from translate.errors import MappingError
from translate.judging.judges import JUDGES, TOGETHER
from translate.mapping import agreement, checks, fields, settings
from translate.mapping.parse import parse
from translate.mapping.spec import Mapping
from translate.vocabulary import word, words
from translate.vocabulary.words import times

FOLDER = Path(__file__).parent / "bad_mappings"
FILES = sorted(FOLDER.glob("*.toml"))
MARK = b"#! "


def expected(file):
    return [
        line.removeprefix(MARK).decode() for line in file.read_bytes().splitlines() if line.startswith(MARK)
    ]


def as_written(complaint):
    return f"{complaint.path}: {complaint.message}" if complaint.path else complaint.message


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_complaints_are_those_in_the_file(file):
    """A wrong mapping is refused with the complaints that it carries: nothing missing, nothing extra."""
    with pytest.raises(MappingError) as refused:
        parse(file)
    assert sorted(map(as_written, refused.value.complaints)) == sorted(expected(file))
    assert all(complaint.file == file.name for complaint in refused.value.complaints)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_check_says_the_same_as_loading(file, tmp_path):
    """`check` and the loading of a folder of mappings refuse a wrong file alike, before a row is read."""
    checked = translate.check(file)
    if b"[layout" in file.read_bytes():  # else it is taken for a recipe, which complains in its own words
        assert sorted(map(as_written, checked.complaints)) == sorted(expected(file))
    assert checked.complaints
    (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(MappingError):
        mapping.load(file.stem, tmp_path)


def test_every_kind_of_complaint_has_a_file():
    """Each sentence that the checker can say stands in some wrong mapping."""
    said = "\n".join(complaint for file in FILES for complaint in expected(file))
    for piece in (
        "did you mean", "no such key", "no hub column", "no codec", "no limit", "no phase", "no value table",
        "no well-known event", "no kind of records", "is missing", "should be text", "should be a table",
        "should be true or false", "should be a whole number", "should be a finite number", "should be JSON", "should be a number",
        "should be a layout", "should be more than 0", "should not be negative", "no judge", "takes no value", "counts nothing", "nothing would be judged there", "no setting of text", "no setting of true or false",
        "holds attributes", "holds phase, name", "takes JSON", "a constant has no place", "takes 1 hub column", "takes one hub column of times", "takes no hub column",
        "exactly one layout", "is not TOML", "is not UTF-8", "has no field", "can neither be read nor written",
        "lies inside of", "cannot be required", "csv record", "needs a field", "stands there twice",
        # of one layout that is like another
        'no model "', 'no layout "', "is like another layout itself", "not like itself",
        # of options and places
        "a container takes none", "a constant takes none", "takes none", "needs a hub column", "settings are texts",
        "has a segment without a name", "is no place", "letters, digits, _ and $ only", "here is only one value",
        # of what fields say against one another
        "holds columns of a table", "its place ends in *", "only texts may lie", "only numbers may lie", "only single values may lie",
        "nothing has a place of its own inside of", "for some events only has no other place", "is read from elsewhere already",
        "is the place of", "is an object: other places", "is held by", "is no column", "has to lie inside of a container",
        "holds free-form values, and needs none", "is not always written", 'no field "', 'no object "', "no field is read into",
        # of requests
        "goes through", "begins with *", "by more than one *", "says what stands for the *", "not for a part of one", "belongs to an event",
        "belong to an event", "has no place: the request is the list", "inside of the events", "only on the way to the events",
        "so it cannot lie below a *", "it has to be text", "every event has to have it", 'no member "', "is a value, and holds no JSON",
        "around a field", "lies too deep", "a name has no other place", "are not packed into requests", "made for a request",
        "gives text where it is written", "says nothing",
        # of what stands for nothing, of tables read backwards, and of what settings keep out
        "the default stands there", "should be a whole number, as codec", "twice", "needs a value table", "would never be written", "by some events only", "a hard limit is refused", "needs a value table, and a default",
    ):  # fmt: skip
        assert piece in said


@pytest.mark.parametrize("model", mapping.models())
def test_every_field_of_a_shipped_mapping_runs_alone(model):
    """Each field of a shipped mapping, compiled alone, runs on an empty frame and gives the type it should."""
    loaded = mapping.load(model)
    for layout in loaded.layouts.values():
        assert list(agreement.contradictions(layout)) == []
        assert list(agreement.failures(loaded, layout)) == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            {"write": lambda columns: columns[0].cast(pl.Float64)},
            "gives numbers where it is written, which should be whole numbers",
        ),
        ({"write": lambda columns: columns[0].str.to_uppercase()}, "cannot be written"),
        ({"read": lambda text: text.cast(pl.String)}, "gives text where it is read, which should be times"),
        ({"read": lambda text: text.str.to_datetime()}, "cannot be read"),
    ],
)
def test_a_codec_that_does_not_keep_its_types_is_found(fault, message, monkeypatch):
    """A codec whose expression fails, or gives another type than it promises, is found before any row."""
    loaded = mapping.load("mobile_analytics")
    monkeypatch.setitem(words.WORDS, "epoch_ms", replace(times.EPOCH_MS, **fault))
    found = dict(agreement.failures(loaded, loaded.layouts["archive"]))
    assert message in found["fields", "event_timestamp"]
    assert ("fields", "event_type") not in found


def test_a_loaded_mapping_is_proven_once():
    """A mapping that was loaded is not read and proven again."""
    assert mapping.load("pinpoint") is mapping.load("pinpoint")


def test_limits_that_may_be_named_are_those_that_can_be_judged():
    """Each limit that a mapping may name has a judge, and each judge a name."""
    assert sorted(checks.WORDS) == sorted([*JUDGES, *TOGETHER])


def test_every_hub_type_has_a_name():
    """The complaints can name the type of each hub column."""
    assert set(events.SCHEMA.values()) <= set(word.KIND_NAMES)


def test_settings_that_may_be_named_are_those_that_there_are():
    """What a mapping may take from the settings is what the settings hold."""
    held = {field.name for field in dataclasses.fields(settings.Settings)}
    assert {*fields.SETTINGS, *fields.WISHES} <= held


def test_a_byte_order_mark_is_no_content(tmp_path):
    """Editors of Windows put one before a text, where nobody sees it; lines are told as they are without."""
    file = tmp_path / "a.toml"
    file.write_text('to = "mixpanel"\n', encoding="utf-8-sig")
    assert str(translate.check(file)) == "a.toml: ok"
    file.write_text('too = "mixpanel"\nto = "mixpanel"\n', encoding="utf-8-sig")
    assert str(translate.check(file)).startswith('a.toml:1: too: no such key "too"')
    file.write_text('tracking_id = "t"\n', encoding="utf-8-sig")
    assert settings.read_settings(file).tracking_id == "t"


def test_one_column_from_several_places(tmp_path):
    """A hub column may be read from several places of a record."""
    text = (FOLDER / "no_default.toml").read_text(encoding="utf-8")
    file = tmp_path / "model.toml"
    file.write_text(
        text.replace("records =", "default = true\nrecords =")
        + 'app = "app.id"\nother_app = { hub = "app.id", also = "third.app" }\n',
        encoding="utf-8",
    )
    assert [entry.place for entry in parse(file).layouts["events"].fields if entry.hub == ("app.id",)] == [
        "app",
        "other_app",
    ]


def test_a_layout_takes_from_the_one_that_it_is_like(tmp_path):
    """A layout has its own fields beside those of the one it is like, and all else that it does not say; the request is its own."""
    base = (
        (FOLDER / "no_default.toml")
        .read_text(encoding="utf-8")
        .replace("records =", 'default = true\nmarks = ["a"]\nrecords =')
    )
    (tmp_path / "base.toml").write_text(base + '\n[layout.events.request]\neach = "body"\n', encoding="utf-8")
    text = """
title  = "A model"
source = "its page"

[layout.others]
like    = "base/events"
about   = "other events"
default = true

[layout.others.fields]
time = { hub = "time", as = "iso8601" }
app  = "app.id"
"""
    file = tmp_path / "model.toml"
    file.write_text(text, encoding="utf-8")
    others = parse(file).layouts["others"]
    assert [(entry.place, entry.codec) for entry in others.fields] == [
        ("type", "event_name"),
        ("time", "iso8601"),
        ("app", "text"),
    ]
    assert (others.records, others.source, others.about) == ("json-lines", "its page", "other events")
    assert (others.request, others.marks) == (None, ())
    digest = parse(file).digest
    (tmp_path / "base.toml").write_text(base, encoding="utf-8")
    assert parse(file).digest != digest


# -- any change to a shipped mapping ------------------------------------------------------------------------------

SHIPPED = {
    model: tomllib.loads((mapping.folder() / f"{model}.toml").read_text(encoding="utf-8"))
    for model in mapping.models()
}
WORDS = ["", "*", ".", "a.*", "body", "events", "name", "time", "attributes", "metrics", "app.id", "user_properties", "csv", "text_map", "json_map",
         "whole", "iso8601", "action", "sequence", "latest_time", "purchase", "tracking_id", "keep_names", "archive", "mobile_analytics/archive", "a/b/c"]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(WORDS), st.booleans(), st.integers(-1, 2), st.just(2**64), st.floats(), st.just([]), st.just({}),
    st.lists(st.sampled_from(WORDS), max_size=3), st.dictionaries(st.sampled_from(WORDS), st.sampled_from(WORDS), max_size=2),
)  # fmt: skip


def places_in(table, path=()):
    """Give the way to each member of nested tables."""
    for key, value in table.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from places_in(value, (*path, key))


@st.composite
def changed(draw):
    """Take a shipped mapping, and drop, exchange, rename or move a few of its members."""
    model = draw(st.sampled_from(sorted(SHIPPED)))
    table = copy.deepcopy(SHIPPED[model])
    for _ in range(draw(st.integers(1, 3))):
        ways = sorted(places_in(table))
        way = draw(st.sampled_from(ways))
        home = table
        for segment in way[:-1]:
            home = home[segment]
        value = home.pop(way[-1])
        change = draw(st.sampled_from(["drop", "exchange", "rename", "borrow"]))
        if change == "exchange":
            home[way[-1]] = draw(VALUES)
        elif change == "rename":
            home[draw(st.sampled_from(WORDS)) + draw(st.sampled_from(["", way[-1]]))] = value
        elif change == "borrow":
            home[draw(st.sampled_from(ways))[-1]] = value
    return model, table


def as_toml(value):
    """Write a value as TOML, in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


@effort(max_examples=300)  # most are refused at once
@given(changed())
def test_a_changed_mapping_is_taken_or_refused(case):
    """Whatever is dropped, exchanged or renamed in a shipped mapping: it is a mapping, or its complaints name their places."""
    model, table = case
    with tempfile.TemporaryDirectory() as folder:
        for beside in SHIPPED:
            Path(folder, f"{beside}.toml").symlink_to(mapping.folder() / f"{beside}.toml")
        file = Path(folder, f"{model}.toml")
        file.unlink()
        file.write_text(
            "".join(f"{json.dumps(key)} = {as_toml(value)}\n" for key, value in table.items()),
            encoding="utf-8",
        )
        try:
            assert isinstance(parse(file), Mapping)
        except MappingError as refused:
            assert refused.complaints
            assert all(complaint.path and complaint.message for complaint in refused.complaints)
