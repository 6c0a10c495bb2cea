"""One record through a conversion, field by field: whence each value comes, and why others are empty."""

import json
import subprocess
import sys
from collections import Counter

import pytest
from canonical import SAMPLES
from rows import archived as record

import translate
from translate import mapping
from translate.errors import UsageError

SHOP = """
to = "personalize/interactions"
[[rule]]
when = "name = 'debug'"
drop = "noise"
[[rule]]
about       = "a look at a product"
when        = "name = 'Ad View' AND \\"attributes.sku\\" IS NOT NULL"
set.name    = "'View'"
set.item_id = '"attributes.sku"'
[[rule]]
when      = "name = 'Cart'"
set.items = '"attributes.cart"'
explode   = "items"
[[rule]]
when        = "name = 'Cart'"
set.item_id = '"item.sku"'
"""


def write(path, *records):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in records), encoding="utf-8")
    return path


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return path


def fields(event):
    return {traced.field: traced for traced in event.fields}


def only(told):
    (event,) = told.events
    return fields(event)


def test_a_value_with_its_place_and_codec(tmp_path):
    """A field says what was written, from which place, what stood there, and how it was turned."""
    file = write(tmp_path / "a.jsonl", record("level"), record("level", attributes={"ünï key": "x"}))
    told = only(translate.why(f"{file}:2", to="learning_context"))
    time = told["timestamp"]
    assert (time.written, [(given.place, given.raw) for given in time.given]) == (
        "1460000000",
        [("event_timestamp", "1460000000123")],
    )
    assert "milliseconds floored" in time.codec
    assert told["entities.ünï key"].given[0].place == "attributes.ünï key"


def test_keys_that_were_made_legal_keep_their_place(tmp_path):
    """A free-form value under another name is told from its own one, and noted as changed."""
    file = write(tmp_path / "a.jsonl", record("level", attributes={"my key": "x"}))
    (event,) = translate.why(f"{file}:1", to="clickstream").events
    renamed = fields(event)["attributes.my_key"]
    assert (renamed.written, renamed.given[0].place, renamed.given[0].raw) == ("x", "attributes.my key", "x")
    assert any(lost.startswith("attributes.my key: changed") for lost in event.lost)


def test_rules_and_their_conditions(tmp_path, shop):
    """A field names the rule that set it; an empty one the rule whose condition is false."""
    file = write(tmp_path / "a.jsonl", record("Ad View", attributes={"sku": "b-1"}), record("Ad View"))
    seen = only(translate.why(f"{file}:1", to="personalize", recipe=shop))
    assert seen["ITEM_ID"].written == "b-1"
    assert seen["ITEM_ID"].rule == 'shop.toml: rule[2] (a look at a product): "attributes.sku"'
    (event,) = translate.why(f"{file}:2", to="personalize", recipe=shop).events
    assert event.outcome == "filtered"
    (event,) = translate.why(
        f"{write(tmp_path / 'b.jsonl', record('_monetization.purchase'))}:1", to="personalize", recipe=shop
    ).events
    why = fields(event)["ITEM_ID"].why
    assert "rule[2] would set item_id, but its condition is false" in why
    assert "absent in the source: attributes._product_id" in why


def test_rows_of_one_event(tmp_path, shop):
    """An event that gives several rows is told row by row."""
    file = write(tmp_path / "a.jsonl", record("Cart", attributes={"cart": '[{"sku":"b-1"},{"sku":"b-2"}]'}))
    told = translate.why(f"{file}:1", to="personalize", recipe=shop)
    assert [(event.number, event.copy, fields(event)["ITEM_ID"].written) for event in told.events] == [
        (1, 0, "b-1"),
        (1, 1, "b-2"),
    ]


def test_filters(tmp_path, shop):
    """A filtered event names the rule; one that the target does not take, what it takes."""
    file = write(tmp_path / "a.jsonl", record("debug"), record("level"))
    (dropped,) = translate.why(f"{file}:1", to="personalize", recipe=shop).events
    assert dropped.sentence == "filtered: noise, by shop.toml: rule[1]: drop when name = 'debug'"
    assert dropped.rules == ("shop.toml: rule[1]",)
    (left,) = translate.why(f"{file}:2", to="personalize", recipe=shop).events
    assert "takes only events with item_id" in left.reason


def test_conditions_of_the_mappings(tmp_path):
    """An empty field says which condition failed: another event's, a setting, an object's need, nothing there."""
    file = write(
        tmp_path / "a.jsonl",
        record("level", session={"session_id": "s-1"}, application={"app_id": "a", "title": "A"}),
    )
    pinpoint = only(translate.why(f"{file}:1", to="pinpoint/requests"))
    assert pinpoint["Attributes._product_id"].why == "only for purchase, and this is level"
    assert (
        pinpoint["EventsRequest.BatchItem.*.Endpoint.User.UserId"].why
        == "left out unless --set fill_endpoints=true"
    )
    assert (
        pinpoint["Session.Id"].why
        == "Session is left out as a whole: it needs StartTimestamp: absent in the source: session.start_timestamp"
    )
    assert pinpoint["AppVersionCode"].why == "absent in the source: application.version_code"
    assert (
        only(translate.why(f"{file}:1", to="clickstream"))["brand"].why
        == "no place in the source gives device.brand"
    )
    raw = only(translate.why(f"{file}:1", to="clickstream/raw"))
    assert (
        raw["ip"].why
        == "no place in the source gives forwarded_address; --set forwarded_address=... would give it"
    )
    assert (
        only(translate.why(f"{file}:1", to="clickstream/raw", set_=["forwarded_address=10.0.0.1"]))["ip"].rule
        == "--set forwarded_address=..."
    )


def test_money_that_is_none(tmp_path):
    """A value that a codec makes nothing of is told with what it was given."""
    bought = record(
        "_monetization.purchase",
        attributes={"_product_id": "p", "_currency": "Gold"},
        metrics={"_item_price": 2, "_quantity": 1},
    )
    told = only(translate.why(f"{write(tmp_path / 'a.jsonl', bought)}:1", to="clickstream"))
    assert told["event_value"].written is None
    assert "price = 2" in told["event_value"].why or "value" in told["event_value"].why
    assert told["attributes.purchase_currency"].written == "Gold"


@pytest.mark.parametrize(
    "to", ["personalize", "clickstream/requests", "mobile_analytics/requests", "learning_context"]
)
def test_rejects_say_what_the_rejects_say(to, tmp_path):
    """The sentence of a reject is that of rejects.ndjson, to the letter, whoever rejects it."""
    lines = [
        record("_monetization.purchase"),
        record("x" * 300, attributes={"k": "v" * 300}),
        {"event_type": "x"},
        record("old", event_timestamp=5),
        [1],
    ]
    file = write(tmp_path / "a.jsonl", *lines)
    with file.open("a") as more:
        more.write("{oops\n")
    translate.convert(file, to=to, out=tmp_path / "out", from_="mobile_analytics")
    rejects = [json.loads(line) for line in (tmp_path / "out" / "rejects.ndjson").read_text().splitlines()]
    assert rejects
    for reject in rejects:
        (event,) = translate.why(f"{file}:{reject['line']}", to=to, from_="mobile_analytics").events
        assert (event.outcome, event.reason, event.message) == ("rejected", reject["code"], reject["message"])


@pytest.mark.parametrize("time", [253_402_300_860_000, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808])
def test_times_beyond_all_dates(time, tmp_path):
    """A year that no calendar has is no time: the field says so, and an event without another time is rejected."""
    file = write(
        tmp_path / "a.jsonl", record("level", arrival_timestamp=time), record("level", event_timestamp=time)
    )
    told = only(translate.why(f"{file}:1", to="clickstream"))
    assert told["attributes.arrival_timestamp"].written is None
    assert told["attributes.arrival_timestamp"].why.startswith("arrival_timestamp: no time (")
    (event,) = translate.why(f"{file}:2", to="clickstream").events
    assert event.outcome == "rejected"


@pytest.mark.parametrize("to", ["personalize", "clickstream", "learning_context", "pinpoint/requests"])
def test_losses_are_those_of_the_report(to, tmp_path):
    """What a record loses is told as the report counts it: each loss of each record, and no other."""
    bought = record(
        "_monetization.purchase",
        attributes={"_product_id": "p", "_currency": "EUR"},
        metrics={"_item_price": 2, "_quantity": 1},
        extra=1,
    )
    file = write(
        tmp_path / "a.jsonl",
        bought,
        record("my level", attributes={"my key": "x"}, device={"platform": {"name": "ANDROID"}}),
    )
    report = translate.convert(file, to=to, out=tmp_path / "out", from_="mobile_analytics")
    wanted = {(loss["field"], loss["kind"]): loss["events"] for loss in report["losses"]}
    told = [
        lost
        for line in (1, 2)
        for event in translate.why(f"{file}:{line}", to=to, from_="mobile_analytics").events
        for lost in event.lost
    ]
    assert Counter((lost.split(": ")[0], lost.split(": ")[1].split(",")[0]) for lost in told) == wanted


def test_losses_for_one_reason_share_a_line(tmp_path):
    """Text and table say each reason once, with the fields that it concerns."""
    file = write(
        tmp_path / "a.jsonl",
        record("_monetization.purchase", attributes={"_product_id": "p", "a: b": "x"}, event_version="3.0"),
    )
    told = translate.why(f"{file}:1", to="personalize", from_="mobile_analytics")
    assert told.to_text(400).count("says no place for it") == 1
    assert told._repr_html_().count("says no place for it") == 1
    assert "attributes.a: b: " in told.to_text(400)


def test_the_title_is_the_file_and_its_line(tmp_path):
    """In a notebook stands whose line it is, not the way to it."""
    file = write(tmp_path / "a.jsonl", record("level"))
    for told in (
        translate.why(f"{file}:1", to="hub"),
        translate.why(tmp_path, id_=translate.scan(file).collect()["event_id"][0], to="hub"),
    ):
        assert "<b>a.jsonl:1 #1 level" in told._repr_html_()
        assert str(tmp_path) not in told._repr_html_()


def test_requests_hold_many_events():
    """A line of a request is told event by event, and #N takes one of them; what lies around it counts too."""
    file = "sample_data/mobile_analytics/requests_full.jsonl"
    whole = translate.why(f"{file}:1", to="clickstream")
    assert len(whole.events) > 1
    (second,) = translate.why(f"{file}:1#2", to="clickstream").events
    assert second == whole.events[1]
    assert fields(second)["app_title"].given[0].place == "client_context.client.app_title"
    with pytest.raises(UsageError, match="there is no #99"):
        translate.why(f"{file}:1#99", to="clickstream")


def test_an_event_by_its_id(tmp_path):
    """An event is found by the id that the target has, made or its own, and so is a further row of it."""
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.jsonl", record("one"))
    write(folder / "b.jsonl", record("two"), record("three"))
    made = translate.scan(folder).collect().filter(name="three")["event_id"][0]
    for wanted in (made, f"{made}-2"):
        told = translate.why(folder, to="clickstream", id_=wanted)
        assert (told.file, told.line, [event.name for event in told.events]) == ("b.jsonl", 2, ["three"])
    assert only(told)["event_id"].given[0].place.startswith("made:")
    with pytest.raises(UsageError, match="no event has the id"):
        translate.why(folder, to="clickstream", id_="nobody")


@pytest.mark.parametrize("address", ["", "nothing", "a.jsonl:0", "a.jsonl:1#0"])
def test_addresses_that_are_none(address):
    """What is no address is told how to write one."""
    with pytest.raises(UsageError):
        translate.why(address, to="clickstream")


def test_a_line_without_a_record(tmp_path):
    """A line beyond the end holds nothing."""
    file = write(tmp_path / "a.jsonl", record("one"))
    with pytest.raises(UsageError, match="no record on line 7"):
        translate.why(f"{file}:7", to="clickstream")


def test_tables_and_records_over_several_lines(tmp_path):
    """A table's row is found by its line, and a record that reaches over several by any of them."""
    table = only(translate.why("sample_data/mobile_analytics/redshift_full.csv:2", to="clickstream"))
    assert table["event_type"].given[0].place == "event_type"
    pretty = tmp_path / "pretty.json"
    pretty.write_text(
        json.dumps(record("one"), indent=1) + "\n" + json.dumps(record("two"), indent=1) + "\n",
        encoding="utf-8",
    )
    length = len(json.dumps(record("one"), indent=1).splitlines())
    for line in (1, 2, length, length + 1, length + 2):
        told = translate.why(f"{pretty}:{line}", to="clickstream", from_="mobile_analytics")
        assert [(event.name, event.outcome) for event in told.events] == [
            ("two" if line > length else "one", "written")
        ]


@pytest.mark.parametrize("model", mapping.models())
def test_what_is_told_is_what_is_written(model, tmp_path):
    """Each value that is told stands in the row that convert writes, and every other field says why not."""
    for layout in mapping.load(model).layouts.values():
        if not (layout.write and layout.records == "json-lines" and layout.request is None):
            continue
        for source in (
            "mobile_analytics/archive",
            "clickstream/events",
            "learning_context/events",
            "pinpoint/event_stream",
        ):
            file = f"sample_data/{source}_full.jsonl"
            for shown in translate.preview(file, to=layout.address, limit=4):
                if "after" not in shown:
                    continue
                row = json.loads(shown["after"])
                for traced in only(translate.why(f"{file}:{shown['line']}", to=layout.address)).values():
                    inner = row
                    for segment in (
                        traced.field.split(".") if "entities" not in row else [traced.field.split(".")[0]]
                    ):
                        inner = inner.get(segment) if isinstance(inner, dict) else None
                    assert traced.written is not None or traced.why
                    if "entities" not in traced.field and not traced.field.endswith("*"):
                        assert (inner is None) == (traced.written is None), (layout.address, source, traced)


def test_the_hub_on_either_side(tmp_path):
    """The hub's own events are followed as any other."""
    told = only(translate.why("sample_data/mobile_analytics/archive_full.jsonl:1", to="hub"))
    assert told["name"].given[0].raw == "_session.stop"
    back = only(translate.why("sample_data/hub/events_full.parquet:1", to="clickstream"))
    assert back["event_type"].written


def test_shapes(tmp_path):
    """The answer is JSON values, text and HTML; control characters are spelled out."""
    told = translate.why(
        f"{write(tmp_path / 'a.jsonl', record('level', attributes={'k': chr(27) + '[2J'}))}:1",
        to="clickstream",
    )
    values = json.loads(json.dumps(told.to_json()))
    assert values["events"][0]["fields"][0]["field"] == "event_type"
    assert chr(27) not in str(told)
    assert chr(27) not in told._repr_html_()
    assert "<table" in told._repr_html_()
    assert "written" in repr(told)


def test_a_line_of_standard_input_needs_no_other_sign():
    """`-:1` is a record, wherever it stands, though to the parser it looks like an option."""
    sample = SAMPLES / "mobile_analytics" / "archive_full.jsonl"
    found = []
    for words in (
        ["-:1", "--to", "clickstream"],
        ["--to", "clickstream", "-:1"],
        ["--to", "clickstream", "--", "-:1"],
    ):
        with sample.open("rb") as given:
            told = subprocess.run(
                [sys.executable, "-m", "translate", "why", *words], stdin=given, capture_output=True, text=True, check=True,
            )  # fmt: skip
        found.append(told.stdout)
    assert found[0].startswith("-:1: mobile_analytics/archive -> clickstream/events")
    assert len(set(found)) == 1
