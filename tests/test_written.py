"""What a row tells and what the report tells of it: nothing is lost in silence, no key stands twice."""

import json

import polars as pl
import pytest
from canonical import hub_frame, judged
from receivers import parsed

import translate
from translate import events, mapping
from translate.plan import from_hub, without_recipe
from translate.settings import Settings
from translate.shape import Source
from translate.writer import NOTES, ROW, Writer

TIME = "2016-03-14T09:26:53.589Z"
EVENT = {"name": "x", "time": TIME, "client_id": "c", "app.id": "a", "event_id": "e"}


def written(address, **columns):
    """Write one event; give its row, parsed."""
    found, layout = mapping.find_layout(address)
    (row,) = judged(hub_frame([EVENT | columns]), found, layout).to_dicts()
    assert row["code"] is None, row["message"]
    return parsed(row[ROW])


def told(address, settings=None, **columns):
    """Give the losses and findings that are told of one event, and its notes."""
    found, layout = mapping.find_layout(address)
    writer = Writer(found, layout, settings or Settings(), Source(frozenset(events.SCHEMA), {}))
    rows = writer.rows(without_recipe(from_hub(hub_frame([EVENT | columns]).lazy()))).collect()
    plan = writer.plan()
    losses = {(loss.field, loss.kind) for loss in plan.losses if rows.select(loss.events).item()}
    findings = {finding.code: finding.message for finding in plan.findings if rows.select(finding.events).item()}
    return losses, findings, rows[NOTES].to_list()[0] or []


@pytest.mark.parametrize("address", ["pinpoint/requests", "mobile_analytics/archive"])
def test_an_item_of_another_event_is_told(address):
    """A place that only purchases have is a loss for every other event that would need it."""
    assert ("item_id", "cannot") in told(address, name="Ad View", item_id="b-1")[0]
    assert ("price", "cannot") in told(address, name="Ad View", price=0)[0]
    assert ("item_id", "cannot") not in told(address, name="purchase", item_id="b-1")[0]


@pytest.mark.parametrize(("address", "kinds"), [("pinpoint/requests", ("Attributes", "Metrics")), ("mobile_analytics/archive", ("attributes", "metrics"))])
def test_keys_give_way_to_a_purchase_own_places(address, kinds):
    """An app's own key that is called like a purchase's place keeps its value under another name, and that is told."""
    columns = {"name": "purchase", "item_id": "b-1", "quantity": 2, "attributes": {"_product_id": "mine", "k": "v"}, "metrics": {"_quantity": 7}}
    row = written(address, **columns)
    attributes, metrics = (row[kind] for kind in kinds)
    assert attributes["_product_id"] == "b-1"
    assert metrics["_quantity"] == 2
    assert sorted(attributes.values()) == ["b-1", "mine", "v"]
    assert sorted(metrics.values()) == [2, 7]
    assert told(address, **columns)[2] == ["changed\tattributes._product_id", "changed\tmetrics._quantity"]
    assert written(address, **{**columns, "name": "x"})[kinds[0]]["_product_id"] == "mine"


def test_key_of_a_constant_gives_way():
    """An app's own `_is_first_time` does not stand beside the one of a resumed session."""
    attributes = written("clickstream/events", name="session.resume", attributes={"_is_first_time": "mine"})["attributes"]
    assert attributes["_is_first_time"] is False
    assert "mine" in attributes.values()


def test_a_value_that_is_no_money_stays():
    """A value without a real currency is an attribute, as price and quantity are."""
    row = written("clickstream/events", value=7, currency="gems")
    assert "event_value" not in row
    assert row["attributes"] == {"purchase_value": 7, "purchase_currency": "gems"}


def test_a_price_beside_a_value_stays():
    """An item carries its price where only the value makes the money."""
    row = written("clickstream/events", name="purchase", value=10, price=5, currency="EUR", item_id="i")
    assert (row["event_value"], row["event_value_currency"]) == (10, "EUR")
    assert row["items"] == [{"id": "i", "price": 5, "currency": "EUR"}]


def test_an_item_beside_items_stays():
    """The item that an event is about is kept where a list of items takes its place."""
    row = written("clickstream/events", item_id="i", items=[{"id": "j"}])
    assert row["items"] == [{"id": "j"}]
    assert row["attributes"] == {"event_item_id": "i"}


def test_user_properties_get_legal_names():
    """Names of user properties are made legal, `_user_id` is the user's alone, and the originals travel."""
    row = written("clickstream/events", user_properties={"a b": "one", "a.b": "two", "_user_id": "mine", "plan": "free"}, user_property_times={"a b": TIME})
    names = json.loads(row["attributes"]["translate_names"])["user_properties"]
    assert {names.get(name, name) for name in row["user"]} == {"a b", "a.b", "_user_id", "plan"}
    assert "_user_id" not in row["user"]
    assert sorted(entry["value"] for entry in row["user"].values()) == ["free", "mine", "one", "two"]
    assert len(told("clickstream/events", user_properties={"a b": "one", "plan": "free"})[2]) == 1


def test_user_id_stands_beside_a_property_of_its_name():
    """A user id and a property that is called `_user_id` both arrive, whether names are kept or not."""
    found, layout = mapping.find_layout("clickstream/events")
    frame = hub_frame([EVENT | {"user_id": "u", "user_properties": {"_user_id": "mine"}}])
    for keep_names in (False, True):
        (row,) = judged(frame, found, layout, Settings(keep_names=keep_names))[ROW]
        assert sorted(entry["value"] for entry in parsed(row)["user"].values()) == ["mine", "u"]


def test_exchanged_values_are_told():
    """A platform of another spelling and an exchanged application id are changes."""
    settings = Settings(app_ids={"a": "shop"})
    losses, findings, _ = told("clickstream/events", settings, **{"device.platform": "ANDROID"})
    assert {("device.platform", "changed"), ("app.id", "changed")} <= losses
    assert "unknown_platform" not in findings
    losses, findings, _ = told("clickstream/events", **{"device.platform": "webOS"})
    assert not {("device.platform", "changed"), ("app.id", "changed")} & losses
    assert "unknown_platform" in findings
    assert ("app.id", "changed") in told("pinpoint/requests", settings)[0]


def test_what_sdks_refuse_is_a_finding():
    """What is over a limit that the service does not enforce is written, and found."""
    assert "50 characters" in told("pinpoint/requests", name="x" * 51)[1]["over_advice"]
    assert "over_advice" not in told("pinpoint/requests", name="x" * 50)[1]
    assert "1024" in told("clickstream/events", attributes={"k": "v" * 1025})[1]["over_advice"]
    assert "over_advice" not in told("clickstream/events", attributes={"k": "v" * 1024})[1]


def test_end_needs_its_session():
    """The end of a span without its session is rejected by the Learning Context API, a start or update is not."""
    found, layout = mapping.find_layout("learning_context/events")
    for phase, name, code in (("END", "x", "missing_required"), (None, "session.stop", "missing_required"), ("START", "x", None), (None, "x", None)):
        columns = {"name": name} if phase is None else {"name": name, "phase": phase}
        (row,) = judged(hub_frame([EVENT | columns]), found, layout).to_dicts()
        assert row["code"] == code


@pytest.mark.parametrize(
    ("address", "columns", "over"),
    [
        ("pinpoint/requests", {"attributes": {"k": "v" * 200}}, {"attributes": {"k": "v" * 201}}),
        ("pinpoint/requests", {"attributes": {"k" * 50: "v"}}, {"attributes": {"k" * 51: "v"}}),
        ("pinpoint/requests", {"metrics": {f"k{n}": 1 for n in range(40)}}, {"metrics": {f"k{n}": 1 for n in range(41)}}),
        ("pinpoint/requests", {"name": "purchase", "price": 5e-324}, {"name": "purchase", "store": "s" * 201}),
        ("clickstream/events", {"items": [{}] * 100}, {"items": [{}] * 101}),
        ("clickstream/events", {"user_properties": {f"k{n}": "v" for n in range(100)}}, {"user_properties": {f"k{n}": "v" for n in range(101)}}),
        ("clickstream/events", {"attributes": {f"k{n}": "v" for n in range(500)}}, {"attributes": {f"k{n}": "v" for n in range(501)}}),
        ("personalize/interactions", {"item_id": "i" * 256}, {"item_id": "i" * 257}),
        ("personalize/interactions", {"item_id": "i"}, {"item_id": ""}),
        ("personalize/interactions", {"item_id": "i"}, {"item_id": "i\nj"}),
    ],
)  # fmt: skip
def test_at_the_limit_and_one_past_it(address, columns, over):
    """What is at a hard limit is written, what is one past it is rejected."""
    found, layout = mapping.find_layout(address)
    rows = judged(hub_frame([EVENT | columns, EVENT | over]), found, layout)
    assert rows["code"].to_list() == [None, "over_limit"]


def test_write_leaves_out_what_may_not_be_written():
    """`write` gives the rows that may be written, in order."""
    frame = hub_frame([EVENT | {"item_id": "a"}, EVENT | {"item_id": ""}, EVENT, EVENT | {"item_id": "b"}])
    rows = translate.write(frame, model="personalize").collect()
    assert rows["ITEM_ID"].to_list() == ["a", "b"]
    assert rows.schema["TIMESTAMP"] == pl.Int64
