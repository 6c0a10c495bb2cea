"""What a row tells and what the report tells of it: nothing is lost in silence, no key stands twice."""

import hashlib
import json

import polars as pl
import pytest
from canonical import hub_frame, judged, requests
from receivers import parsed

import translate
from translate import events, mapping
from translate.conversion.plan import from_hub, without_recipe
from translate.mapping.settings import Settings, read_settings
from translate.vocabulary import notes, spelling
from translate.vocabulary.notes import InHub, read_all
from translate.vocabulary.spelling import read_keys
from translate.writer.packing import ROW
from translate.writer.shape import Source
from translate.writer.writer import NOTES, Writer

TIME = "2016-03-14T09:26:53.589Z"
EVENT = {"name": "x", "time": TIME, "client_id": "c", "app.id": "a", "event_id": "e"}
CONTEXT = {"app.title": "t", "device.platform": "Android"}
ITEM = {"item_id": "i", "session.id": "s"}
SESSION = {"session.start": TIME}


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
    findings = {
        finding.code: finding.message for finding in plan.findings if rows.select(finding.events).item()
    }
    return losses, findings, rows[NOTES].to_list()[0] or []


def fields_told(address, settings=None, **columns):
    """Give the hub columns that come back different from how they went, by what is told of one event."""
    found, layout = mapping.find_layout(address)
    writer = Writer(found, layout, settings or Settings(), Source(frozenset(events.SCHEMA), {}))
    rows = writer.rows(without_recipe(from_hub(hub_frame([EVENT | columns]).lazy()))).collect()
    plan = writer.plan()
    findings = {
        finding.field for finding in plan.findings if finding.field and rows.select(finding.events).item()
    }
    return findings | {loss.field for loss in plan.losses if rows.select(loss.events).item()}


@pytest.mark.parametrize("address", ["pinpoint/requests", "mobile_analytics/archive"])
def test_an_item_of_another_event_is_told(address):
    """A place that only purchases have is a loss for every other event that would need it."""
    assert ("item_id", "cannot") in told(address, name="Ad View", item_id="b-1")[0]
    assert ("price", "cannot") in told(address, name="Ad View", price=0)[0]
    assert ("item_id", "cannot") not in told(address, name="purchase", item_id="b-1")[0]


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("pinpoint/requests", ("Attributes", "Metrics")),
        ("mobile_analytics/archive", ("attributes", "metrics")),
    ],
)
def test_keys_give_way_to_a_purchase_own_places(address, kinds):
    """An app's own key that is called like a purchase's place keeps its value under another name, and that is told."""
    columns = {
        "name": "purchase",
        "item_id": "b-1",
        "quantity": 2,
        "attributes": {"_product_id": "mine", "k": "v"},
        "metrics": {"_quantity": 7},
    }
    row = written(address, **columns)
    attributes, metrics = (row[kind] for kind in kinds)
    assert attributes["_product_id"] == "b-1"
    assert metrics["_quantity"] == 2
    assert sorted(attributes.values()) == ["b-1", "mine", "v"]
    assert sorted(metrics.values()) == [2, 7]
    renamed = [
        notes.note("changed", notes.InHub(*spot), notes.RENAMED)
        for spot in (("attributes", "_product_id"), ("metrics", "_quantity"))
    ]
    assert notes.read_all(told(address, **columns)[2]) == renamed
    assert written(address, **{**columns, "name": "x"})[kinds[0]]["_product_id"] == "mine"


def test_key_of_a_constant_gives_way():
    """An app's own `_is_first_time` does not stand beside the one of a resumed session."""
    attributes = written("clickstream/events", name="session.resume", attributes={"_is_first_time": "mine"})[
        "attributes"
    ]
    assert attributes["_is_first_time"] is False
    assert "mine" in attributes.values()


def test_a_value_that_is_no_money_stays():
    """A value without a real currency is an attribute, as price and quantity are."""
    row = written("clickstream/events", value=7, currency="gems")
    assert "event_value" not in row
    assert row["attributes"] == {"event_worth": 7, "purchase_currency": "gems"}


def test_a_value_has_a_neutral_name(tmp_path):
    """What an interaction is worth is no purchase's value; what an earlier version called it is read all the same."""
    assert written("clickstream/events", name="View", value=0.5)["attributes"] == {"event_worth": 0.5}
    line = {
        "event_type": "View",
        "event_id": "e",
        "timestamp": 1457947613589,
        "app_id": "a",
        "attributes": {"purchase_value": 0.5},
    }
    (tmp_path / "old.jsonl").write_text(json.dumps(line) + "\n")
    assert translate.scan(tmp_path / "old.jsonl").collect()["value"].item() == 0.5


PLATFORMS = {
    "clickstream/events": {
        "Mac OS X": "macOS", "OS X": "macOS", "MACOS": "macOS", "Windows Phone": "Windows Phone", "WindowsPhone": "Windows Phone", "BlackBerry OS": "BlackBerry",
        "AndroidOS": "Android", "Android OS": "Android", "tvOS": "tvOS", "watchOS": "watchOS", "web": "Web", "iPhone OS": "iOS", "windows": "Windows", "linux": "Linux",
    },
    "mobile_analytics/requests": {
        "Mac OS X": "macos", "OS X": "macos", "Windows Phone": "windowsphone", "BlackBerry OS": "blackberry", "BlackBerry 10": "blackberry",
        "AndroidOS": "android", "Android OS": "android", "Win32": "windows", "iPadOS": "iphoneos",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("address", "spelled", "known"),
    [(address, *pair) for address, table in PLATFORMS.items() for pair in table.items()],
)
def test_platforms_as_archives_spell_them(address, spelled, known):
    """A platform is known however archives spell it."""
    found, layout = mapping.find_layout(address)
    columns = {"device.platform": spelled, "app.title": "t"}
    assert "unknown_platform" not in told(address, **columns)[1]
    (row,) = judged(hub_frame([EVENT | columns]), found, layout).to_dicts()
    assert row["code"] is None
    if layout.request is None:
        assert parsed(row[ROW])["platform"] == known
    else:
        (line,), _ = requests(hub_frame([EVENT | columns]), found, layout)
        assert json.loads(line)["client_context"]["env"]["platform"] == known


def test_a_platform_outside_of_the_seven_is_kept_and_told():
    """The document's seven have no television and no browser: neither is taken for something else."""
    for spelled in ("tvOS", "Web"):
        assert (
            "unknown_platform"
            in told("mobile_analytics/requests", **CONTEXT | {"device.platform": spelled})[1]
        )


LOCALES = {
    "en_US": ("en", "US"), "en_gb": ("en", "GB"), "zh-Hans_CN@calendar=japanese": ("zh", "CN"), "sr_RS_#Latn": ("sr", "RS"), "es": ("es", None),
    "es_419": ("es", None), "zh_Hans": ("zh", None), "pt-BR": ("pt", "BR"), "de_DE.UTF-8": ("de", "DE"), "ca_ES_VALENCIA": ("ca", "ES"), "C": (None, None), "": (None, None),
    "japanese": (None, None), "__#Latn": (None, None),
}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_language_and_country_of_a_locale(locale):
    """Where the source says no other, language and country are those of the locale, which stays; reading them back is declared."""
    row = written("clickstream/events", **{"device.locale": locale})
    assert row["locale"] == locale
    assert (row.get("system_language"), row.get("country_code")) == LOCALES[locale]
    back = {
        name
        for name in ("device.language", "device.country")
        if name in fields_told("clickstream/events", **{"device.locale": locale})
    }
    derived = zip(("device.language", "device.country"), LOCALES[locale], strict=True)
    assert back == {name for name, value in derived if value is not None}


def test_records_without_an_id_get_nothing_of_a_locale():
    """An archive's record has no id but what its content makes: a derived value would move it."""
    for address in ("mobile_analytics/archive", "pinpoint/event_stream"):
        assert written(address, **{"device.locale": "en_US"})["device"]["locale"] == {"code": "en_US"}


def test_what_the_source_says_goes_before_the_locale():
    """A language or country of the source's own is not exchanged, also where it is another."""
    columns = {"device.locale": "en_US", "device.language": "de", "device.country": "AT"}
    row = written("clickstream/events", **columns)
    assert (row["locale"], row["system_language"], row["country_code"]) == ("en_US", "de", "AT")
    assert not {"device.language", "device.country"} & fields_told("clickstream/events", **columns)


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
    row = written(
        "clickstream/events",
        user_properties={"a b": "one", "a.b": "two", "_user_id": "mine", "plan": "free"},
        user_property_times={"a b": TIME},
    )
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
    assert "1,024" in told("clickstream/events", attributes={"k": "v" * 1025})[1]["over_advice"]
    assert "over_advice" not in told("clickstream/events", attributes={"k": "v" * 1024})[1]


def test_end_needs_its_session():
    """The end of a span without its session is rejected by the Learning Context API, a start or update is not."""
    found, layout = mapping.find_layout("learning_context/events")
    for phase, name, code in (
        ("END", "x", "missing_required"),
        (None, "session.stop", "missing_required"),
        ("START", "x", None),
        (None, "x", None),
    ):
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
        ("clickstream/requests", {"items": [{}] * 100}, {"items": [{}] * 101}),
        ("clickstream/raw", {"items": [{}] * 101}, None),
        ("mobile_analytics/requests", CONTEXT | {"attributes": {"k": "v" * 200}}, CONTEXT | {"attributes": {"k": "v" * 201}}),
        ("mobile_analytics/requests", CONTEXT | {"metrics": {f"k{n}": 1 for n in range(40)}}, CONTEXT | {"metrics": {f"k{n}": 1 for n in range(41)}}),
        ("mobile_analytics/requests", CONTEXT | {"attributes": {"k" * 50: "v"}}, CONTEXT | {"attributes": {"k" * 51: "v"}}),
        ("mobile_analytics/requests", CONTEXT | {"name": "x" * 50}, CONTEXT | {"name": "x" * 51}),
        ("mobile_analytics/requests", CONTEXT | {"name": "x"}, CONTEXT | {"name": ""}),
        ("mobile_analytics/requests", CONTEXT | {"attributes": {"k": "v"}}, CONTEXT | {"attributes": {"": "v"}}),
        ("mobile_analytics/requests", CONTEXT | SESSION | {"session.id": "s" * 50}, CONTEXT | SESSION | {"session.id": "s" * 51}),
        ("mobile_analytics/requests", CONTEXT | {"session.id": ""}, CONTEXT | SESSION | {"session.id": ""}),
        ("personalize/requests", ITEM, ITEM | {"item_id": "i" * 257}),
        ("personalize/requests", ITEM, ITEM | {"item_id": ""}),
        ("personalize/requests", ITEM | {"session.id": "s" * 256}, ITEM | {"session.id": "s" * 257}),
        ("personalize/requests", ITEM | {"event_id": "e" * 256}, ITEM | {"event_id": ""}),
        ("personalize/requests", ITEM | {"user_id": "u" * 256}, ITEM | {"user_id": "u" * 257}),
        ("personalize/requests", ITEM | {"attributes": {"k": "v" * 1016}}, ITEM | {"attributes": {"k": "v" * 1017}}),
        ("personalize/requests", ITEM | {"impression": ["i"] * 25}, ITEM | {"impression": ["i"] * 26}),
        ("personalize/requests", ITEM | {"impression": ["i"]}, ITEM | {"impression": []}),
        ("personalize/requests", ITEM | {"recommendation_id": "r" * 40}, ITEM | {"recommendation_id": "r" * 41}),
        ("personalize/requests", ITEM | {"recommendation_id": "r"}, ITEM | {"recommendation_id": ""}),
        ("personalize/requests", ITEM | {"attribution_source": "s" * 1024}, ITEM | {"attribution_source": "s" * 1025}),
        ("personalize/requests", ITEM | {"attribution_source": " ~ "}, ITEM | {"attribution_source": "   "}),
        ("personalize/requests", ITEM | {"attribution_source": "spring"}, ITEM | {"attribution_source": "Frühling"}),
        ("personalize/requests", ITEM | {"impression": ["i" * 250] * 25}, ITEM | {"name": "\u20ac" * 256, "item_id": "\u20ac" * 256, "impression": ["\u20ac" * 256] * 12}),
    ],
)  # fmt: skip
def test_at_the_limit_and_one_past_it(address, columns, over):
    """What is at a hard limit is written, what is one past it is rejected."""
    found, layout = mapping.find_layout(address)
    if over is None:  # a layout without the limit
        assert judged(hub_frame([EVENT | columns]), found, layout)["code"].to_list() == [None]
        return
    rows = judged(hub_frame([EVENT | columns, EVENT | over]), found, layout)
    assert rows["code"].to_list() == [None, "over_limit"]


def test_write_leaves_out_what_may_not_be_written():
    """`write` gives the rows that may be written, in order."""
    frame = hub_frame([EVENT | {"item_id": "a"}, EVENT | {"item_id": ""}, EVENT, EVENT | {"item_id": "b"}])
    rows = translate.write(frame, model="personalize").collect()
    assert rows["ITEM_ID"].to_list() == ["a", "b"]
    assert rows.schema["TIMESTAMP"] == pl.Int64


def test_a_second_entity_of_a_key_is_written_as_one():
    """`k#2` is a second entity `k` where reading gives `k#2` again, and an entity of that key everywhere else."""

    def entities(**columns):
        found = written("learning_context/events", **columns)["entities"]
        return [
            (entity["key"], entity["value"])
            for entity in found
            if entity["key"].startswith("k") or entity["key"] == "app"
        ]

    assert entities(attributes={"k": "1", "k#2": "2", "k#3": "3"}) == [("k", "1"), ("k", "2"), ("k", "3")]
    assert entities(attributes={"k#2": "2", "k": "1"}) == [("k", "1"), ("k", "2")]
    assert entities(attributes={"k#2": "2"}, metrics={"k": 1}) == [("k", 1), ("k", "2")]
    assert entities(attributes={"k": "1", "kk": "x", "k#3": "3"}, metrics={"k#2": 2}) == [
        ("k", "1"),
        ("k", 2),
        ("k", "3"),
        ("kk", "x"),
    ]
    assert entities(attributes={"k#2": "a"}, other={"k": True}) == [("k", True), ("k", "a")]
    assert entities(attributes={"k": "1"}, metrics={"k#2": 2}, other={"k#3": False}) == [
        ("k", "1"),
        ("k", 2),
        ("k", False),
    ]
    assert entities(attributes={"k": "1", "k#3": "3"}) == [("k", "1"), ("k#3", "3")]
    assert entities(attributes={"app#2": "second"}, **{"app.title": "first"}) == [
        ("app", "first"),
        ("app", "second"),
    ]
    assert entities(attributes={"app#2": "second"}) == []
    assert read_keys(["k#2", "k", "k"]) == ["k#2", "k", "k#3"]


def test_properties_are_texts_in_camel_case():
    """Personalize's properties are JSON text of texts; keys are told apart, and each that changed is told."""
    columns = ITEM | {
        "attributes": {"NUM_RATINGS": "1", "num_ratings": "2", "level": "3", "itemId": "4"},
        "metrics": {"score": 5},
        "other": {"done": True},
    }
    properties = json.loads(written("personalize/requests", **columns)["properties"])
    assert properties.pop("level") == "3"
    assert properties.pop("score") == "5"
    assert properties.pop("done") == "true"
    assert sorted(properties.values()) == ["1", "2", "4"]
    assert sum(key.startswith("numRatings") and len(key) == 18 for key in properties) == 2
    assert "itemId" not in properties
    notes = told("personalize/requests", **columns)[2]
    attributes = {InHub("attributes", key): "renamed" for key in ("NUM_RATINGS", "num_ratings", "itemId")}
    assert {noted.spot: noted.why for noted in read_all(notes)} == {
        **attributes, InHub("metrics", "score"): "retyped", InHub("other", "done"): "retyped"
    }  # fmt: skip
    assert "properties" not in written("personalize/requests", **ITEM, attributes={})


def test_a_tracker_is_named():
    """Personalize's requests go to the tracker of the settings; the application's id in its place is a finding."""
    found, layout = mapping.find_layout("personalize/requests")
    frame = hub_frame([EVENT | ITEM])
    for settings, tracker in (
        (Settings(tracking_id="t"), "t"),
        (Settings(app_ids={"a": "b"}), "b"),
        (Settings(), "a"),
    ):
        (line,), _ = requests(frame, found, layout, settings)
        assert parsed(line)["trackingId"] == tracker
        assert ("tracking_id_not_set" in told("personalize/requests", settings, **ITEM)[1]) == (
            tracker == "a"
        )
    assert "app.id" in fields_told("personalize/requests", Settings(tracking_id="t"), **ITEM)


@pytest.mark.parametrize(
    ("address", "columns", "field"),
    [
        ("clickstream/events", {}, "zone_offset"),
        ("clickstream/events", {"device_id": "c"}, "device_id"),
        ("clickstream/events", {"session.start": TIME, "session.stop": TIME}, "session.duration"),
        ("clickstream/events", {"name": "purchase", "value": 6, "price": 2, "quantity": 3, "currency": "EUR", "item_id": "i"}, "value"),
        ("clickstream/events", {"price": 2, "quantity": 3, "currency": "EUR"}, "value"),
        ("clickstream/events", {"items": [{"id": "i", "price": 2}]}, "item_id"),
        ("clickstream/events", {"user_properties": {"plan": "free"}}, "user_property_times"),
        ("learning_context/events", {"phase": "UPDATE"}, "phase"),
        ("learning_context/events", {"time": TIME}, "time"),
        ("personalize/interactions", {"item_id": "i", "cognito_id": "c"}, "user_id"),
        ("personalize/interactions", {"item_id": "i", "cognito_id": "c"}, "cognito_id"),
        ("personalize/interactions", {"item_id": "i", "price": 2, "quantity": 3}, "value"),
        ("personalize/interactions", {"item_id": "i", "name": "sign_in"}, "name"),
        ("mobile_analytics/requests", CONTEXT | {"device.language": "en"}, "device.language"),
        ("mobile_analytics/requests", CONTEXT | {"event_version": "3.0"}, "event_version"),
        ("mobile_analytics/archive", {"name": "purchase", "attributes": {"_product_id": "p"}}, "item_id"),
        ("mobile_analytics/archive", {"name": "purchase", "attributes": {"_product_id": "p"}}, "attributes._product_id"),
        ("mobile_analytics/archive", {"name": "screen_view"}, "name"),
        ("pinpoint/requests", {"app.version": "1"}, "app.version"),
    ],
)  # fmt: skip
def test_what_comes_back_different_is_told(address, columns, field):
    """Whatever reading a row back would give another value, or none, is a loss or a finding of that column."""
    assert field in fields_told(address, **columns)


@pytest.mark.parametrize(
    ("address", "columns"),
    [
        ("clickstream/events", {"zone_offset": 0, "device_id": "d", "session.start": TIME, "session.stop": TIME, "session.duration": 5}),
        ("clickstream/events", {"zone_offset": 0, "name": "purchase", "value": 7, "price": 2, "quantity": 3, "currency": "EUR", "item_id": "i"}),
        ("clickstream/events", {"zone_offset": 0, "name": "session.stop", "phase": "END"}),
        ("learning_context/events", {"time": "2016-03-14T09:26:53Z", "phase": "START", "name": "lesson", "session.id": "12345678"}),
    ],
)  # fmt: skip
def test_what_comes_back_the_same_is_not(address, columns):
    """What a row holds as it was is no finding of any column."""
    assert fields_told(address, **columns, attributes={}, metrics={}) == set()


def test_fill_endpoints():
    """Pinpoint's endpoints stay empty unless the settings ask for more; then events that say otherwise lie apart."""
    found, layout = mapping.find_layout("pinpoint/requests")
    frame = hub_frame(
        [
            EVENT | {"event_id": "1", "user_id": "u", "user_properties": {"plan": ["free"]}},
            EVENT | {"event_id": "2", "user_id": "v"},
        ]
    )
    (line,), _ = requests(frame, found, layout)
    assert parsed(line)["EventsRequest"]["BatchItem"]["c"]["Endpoint"] == {}
    lines, _ = requests(frame, found, layout, Settings(fill_endpoints=True))
    endpoints = [parsed(line)["EventsRequest"]["BatchItem"]["c"]["Endpoint"] for line in lines]
    assert endpoints == [
        {"User": {"UserId": "u", "UserAttributes": {"plan": ["free"]}}},
        {"User": {"UserId": "v"}},
    ]


def test_attributes_of_an_endpoint_are_lists_of_texts():
    """What is no list of texts becomes a list of one text, and that is told; one that is comes back as it went."""
    found, layout = mapping.find_layout("pinpoint/requests")
    settings = Settings(fill_endpoints=True)
    properties = {"plan": "free", "age": 5, "tags": ["a", "b"], "odd": [1]}
    (line,), _ = requests(hub_frame([EVENT | {"user_properties": properties}]), found, layout, settings)
    user = parsed(line)["EventsRequest"]["BatchItem"]["c"]["Endpoint"]["User"]
    assert user["UserAttributes"] == {"plan": ["free"], "age": ["5"], "tags": ["a", "b"], "odd": ["[1]"]}
    assert "user_properties" in fields_told("pinpoint/requests", settings, user_properties=properties)
    assert "user_properties" not in fields_told(
        "pinpoint/requests", settings, user_properties={"tags": ["a", "b"]}
    )


def test_names_of_user_properties_keep_apart():
    """A name that is spelled like what another one becomes does not take its place."""
    names = ["a b", "a.b", "_user_id"]
    _, _, renamed = spelling.legal_user(
        dict.fromkeys(names, "1"), None, frozenset({"_user_id"}), make_legal=True
    )
    hashed = list(renamed.values())
    properties = dict.fromkeys([*names, *hashed], '"x"')
    assert len(written("clickstream/events", user_properties=properties)["user"]) == len(properties)


def test_a_constant_has_its_place_only_in_its_events():
    """A constant's key is its own only in the events that have it: there the event's own one is renamed."""

    def first_time(name, **columns):
        return written("clickstream/events", name=name, **columns)["attributes"]

    assert first_time("session.resume") == {"_is_first_time": False}
    assert first_time("_app_start", other={"_is_first_time": True})["_is_first_time"] is True
    assert first_time("x", metrics={"_is_first_time": 1}) == {"_is_first_time": 1}
    for own in (
        {"other": {"_is_first_time": True}},
        {"other": {"_is_first_time": False}},
        {"metrics": {"_is_first_time": 1}},
    ):
        both = first_time("session.resume", **own)
        assert both.pop("_is_first_time") is False
        assert "_is_first_time" in both["translate_names"]


def test_an_application_without_an_id_gets_that_of_the_settings():
    """Events without an application's id get the one of the settings; others keep theirs."""
    found, layout = mapping.find_layout("clickstream/events")
    frame = hub_frame([{key: value for key, value in EVENT.items() if key != "app.id"}, EVENT])
    assert judged(frame, found, layout)["code"].to_list() == ["missing_required", None]
    rows = judged(frame, found, layout, Settings(app_id="mine"))
    assert [parsed(row)["app_id"] for row in rows[ROW]] == ["mine", "a"]


def test_extra_goes_back_to_where_it_was():
    """Where the source has the target's layout, members that no hub column holds are nested back into the row."""
    found, layout = mapping.find_layout("mobile_analytics/archive")
    extra = {
        "flag": False,
        "client.installed_by": "vendor",
        "client.a\\.b": [1.50],
        "device.sensor.kind": "gyro",
        "a.b": 1,
    }
    frame = hub_frame([EVENT | {"extra": extra}])
    writer = Writer(found, layout, Settings(), Source(frozenset(events.SCHEMA), {}, keeps_extra=True))
    (row,) = writer.rows(without_recipe(from_hub(frame.lazy()))).collect()[ROW]
    record = parsed(row)
    assert record["client"] == {"client_id": "c", "installed_by": "vendor", "a.b": [1.5]}
    assert record["device"] == {"sensor": {"kind": "gyro"}}
    assert (record["flag"], record["a.b"], record["event_type"]) == (False, 1, "x")


def test_extra_of_a_request_goes_back_around_its_events():
    """What a request held beside all that is known stands around its events again, and keeps others out of it."""
    found, layout = mapping.find_layout("mobile_analytics/requests")
    extra = [
        {"^client_context.env.rooted": True, "^body.sent": 1, "mood": "good"},
        *2 * [{"^client_context.env.rooted": False}],
    ]
    frame = hub_frame(
        [EVENT | CONTEXT | {"event_id": str(number), "extra": own} for number, own in enumerate(extra)]
    )
    lines, held = requests(frame, found, layout, keeps_extra=True)
    first, second = map(parsed, lines)
    assert held == [[0], [1, 2]]
    assert (
        first["client_context"]["env"]["rooted"],
        first["body"]["sent"],
        first["body"]["events"][0]["mood"],
    ) == (True, 1, "good")
    assert second["client_context"]["env"]["rooted"] is False


def test_what_row_and_request_both_say_is_told_once():
    """A platform that stands in the row and around it is one change and one finding."""
    found, layout = mapping.find_layout("clickstream/raw")
    plan = Writer(found, layout, Settings(app_ids={"a": "b"}), Source(frozenset(events.SCHEMA), {})).plan()
    told = [(loss.field, loss.kind, loss.why) for loss in plan.losses] + [
        (finding.code, finding.message) for finding in plan.findings
    ]
    assert len(told) == len(set(told))


def test_settings_are_read(tmp_path):
    """Settings come from a file and from assignments; what is no date, flag or text is refused by name."""
    file = tmp_path / "settings.toml"
    file.write_text('day = 2026-11-20\ntracking_id = "t"\nfill_endpoints = true\n')
    settings = read_settings(file, ["day=2026-11-21", "app_id=a", "user_agent=u"])
    assert (
        str(settings.day),
        settings.tracking_id,
        settings.fill_endpoints,
        settings.app_id,
        settings.user_agent,
    ) == ("2026-11-21", "t", True, "a", "u")
    assert settings.described()["day"] == "2026-11-21"
    assert "tracking_id" not in Settings().described()
    for assignment in ("day=tomorrow", "fill_endpoints=perhaps", "app_id="):
        with pytest.raises(translate.MappingError, match=assignment.partition("=")[0]):
            read_settings(None, [assignment])


@pytest.mark.parametrize(
    "target", ["mobile_analytics", "pinpoint/requests", "learning_context", "personalize/requests"]
)
def test_examples_of_maps(target, tmp_path):
    """A map that is lost whole has an example too: the map as a JSON object."""
    user = {"size": {"value": "XL", "set_timestamp": 1457951213000}}
    event = {
        "event_type": "view",
        "event_id": "e",
        "timestamp": 1457951213589,
        "app_id": "a",
        "unique_id": "u",
        "attributes": {"_session_id": "s" * 9},
    }
    items = [{"id": "i"}]
    (tmp_path / "a.json").write_text(json.dumps(event | {"user": user, "items": items}) + "\n")
    report = translate.convert(
        tmp_path / "a.json", to=target, out=tmp_path / "out", examples=True, from_="clickstream/events"
    )
    shown = {loss["field"]: loss.get("example") for loss in report["losses"]}
    assert report["events"]["written"] == 1
    assert [field for field in shown if "user" in field]
    assert all(json.loads(example) for field, example in shown.items() if "user" in field)


TWICE = "a_b_" + hashlib.sha256(b"a b").hexdigest()[:8]


@pytest.mark.parametrize("address", ["clickstream/events", "learning_context/events", "personalize/requests"])
@pytest.mark.parametrize(
    "maps",
    [
        {"attributes": {"a": "v"}, "metrics": {"a": 1, "a_metric": 2}},
        {"attributes": {"a": "v", "a_metric": "w"}, "metrics": {"a": 1, "a_metric": 2, "a_metric_metric": 3}},
        {"attributes": {"a b": "1", "a_b": "2", TWICE: "3"}, "metrics": {}},
        {"attributes": {"a": "1", "b": "2", "a b": "3"}, "metrics": {"a b": 4, TWICE: 5, "a b_metric": 6}},
    ],
)
def test_no_key_takes_the_place_of_another(address, maps):
    """A key that gives way meets none that is there already, not even one that is spelled like its hash."""
    row = written(address, **ITEM, **maps)
    if address.startswith("personalize"):
        values = sorted(json.loads(row["properties"]).values())
    else:
        held = row.get("attributes") or {entity["key"]: entity["value"] for entity in row["entities"]}
        values = sorted(str(value) for value in held.values())
    assert {str(value) for own in maps.values() for value in own.values()} <= set(values)


@pytest.mark.parametrize(
    "impression", [[], ["a"] * 26, [1], [None], ["a", ""], ["x" * 257], {"a": 1}, "a", 5]
)
def test_impressions_are_lists_of_item_ids(impression):
    """An impression with anything but 1 to 25 ids of items, of 1 to 256 characters, is refused as botocore would."""
    found, layout = mapping.find_layout("personalize/requests")
    frame = hub_frame([EVENT | ITEM | {"impression": one} for one in (impression, ["x" * 256] * 25)])
    codes = judged(frame, found, layout)["code"].to_list()
    assert codes == ["over_limit", None]
