"""Every pair of layouts explains itself: each target field once, each source field somewhere, nothing by hand."""

import json
import shutil
from collections import Counter
from itertools import product

import polars as pl
import pytest

import translate
from translate import events, mapping
from translate import recipe as recipes
from translate.mapping.settings import Settings
from translate.reader.hub import Hub
from translate.telling.explanation.sides import find, places
from translate.writer.shape import Source
from translate.writer.writer import Writer

LAYOUTS = [layout for model in mapping.models() for layout in mapping.load(model).layouts.values()]
READABLE = [layout.address for layout in LAYOUTS if layout.read]
WRITABLE = [layout.address for layout in LAYOUTS if layout.write]
DEFAULTS = [layout.address for layout in LAYOUTS if layout.default]
PAIRS = list(product([*READABLE, "hub"], [*WRITABLE, "hub"]))
RECIPES = [
    ("mobile_analytics/archive", "personalize/interactions", "ecommerce-to-personalize"),
    ("pinpoint/event_stream", "personalize/interactions", "mobile_analytics-to-personalize"),
    ("mobile_analytics/requests", "clickstream/events", "mobile_analytics-to-clickstream"),
]


def explained(source, target, recipe=None, **options):
    return translate.explain(from_=source, to=target, recipe=recipe, **options)


def sources(explanation):
    """Give the places of the source that target fields come from, and those that have no place."""
    used = [origin.place for row in explanation.rows if row.field for origin in row.origins]
    left = [origin.place for row in explanation.rows if not row.field for origin in row.origins]
    return set(used), left


def field(explanation, name):
    (row,) = [row for row in explanation.rows if row.field == name]
    return row


def origins(explanation, name):
    return [origin.place for origin in field(explanation, name).origins]


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=[f"{source}-{target}" for source, target in PAIRS])
def test_every_field_once(source, target):
    """Each target field has one row, each source field feeds one or has none, never both, and all pages can be made."""
    explanation = explained(source, target)
    _, layout = find(target, None, to_read=False)
    told = [(row.part, row.field) for row in explanation.rows if row.field]
    assert told == [(place.part, place.entry.place) for place in places(layout)]
    used, left = sources(explanation)
    _, layout = find(source, None, to_read=True)
    of_source = {place.shown for place in places(layout)}
    assert [place for place, times in Counter(left).items() if times > 1] == []
    assert used & set(left) == set()
    assert of_source <= used | set(left)
    assert all(row.how for row in explanation.rows if row.field)
    assert all(row.lost for row in explanation.rows if not row.field)
    assert explanation.frame.height == len(explanation.rows)
    assert json.loads(json.dumps(explanation.to_json()))["rows"]
    assert max(map(len, explanation.to_text(120).splitlines())) <= 120
    lines = [line for line in explanation.to_markdown().splitlines() if line.startswith("|")]
    assert len(lines) >= len(explanation.rows) + 2


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.address for layout in LAYOUTS])
def test_what_is_read_is_what_the_reader_gives(layout):
    """The columns that the source's places give are those that the reader provides, apart from maps of what is not text."""
    if not layout.read:
        pytest.skip("is not read")
    told = {column for place in places(layout) for column in place.gives}
    provided = Hub(mapping.load(layout.model), layout, Settings()).provided
    assert told - provided == set()
    assert provided - told <= {"extra", "metrics", "other", "event_id"}


def counted(source, target, recipe=None):
    """Give the columns of the source that the writer counts as having no place, or none in some events."""
    _, layout = find(source, None, to_read=True)
    model, target_layout = mapping.find_layout(target)
    given = frozenset(column for place in places(layout) for column in place.gives)
    chosen = recipes.load(recipe).set_columns if recipe else frozenset()
    plan = Writer(model, target_layout, Settings(), Source(given, {}, chosen)).plan()
    return {loss.field for loss in plan.losses if loss.kind in ("cannot", "not_mapped")} & given


@pytest.mark.parametrize(("source", "target", "recipe"), [*product(DEFAULTS, WRITABLE, [None]), *RECIPES])
def test_what_the_writer_would_count_is_told(source, target, recipe):
    """A column whose value the writer counts as lost is told: its place has none, or a field says what it loses."""
    explanation = explained(source, target, recipe)
    _, left = sources(explanation)
    _, layout = find(source, None, to_read=True)
    lossy = {origin.place for row in explanation.rows if row.lost for origin in row.origins}
    partly = {
        origin.place
        for row in explanation.rows
        if row.field and "only for " in row.how
        for origin in row.origins
    }
    columns = counted(source, target, recipe)
    silent = [
        place.shown
        for place in places(layout)
        if columns & set(place.gives) and place.shown not in {*left, *lossy, *partly}
    ]
    assert silent == []


@pytest.mark.parametrize("target", WRITABLE)
def test_what_has_no_place_is_what_the_writer_would_count(target):
    """Of all hub columns, those that have no place in the table are those that the writer counts as lost."""
    _, left = sources(explained("hub", target))
    uncounted = {*events.MAPS, "file", "line"}  # keys of maps are counted one by one
    assert set(left) - uncounted <= counted("hub", target)


def test_plain_words():
    """A field, its source, its conversion and its loss, as a reader sees them."""
    explanation = explained("mobile_analytics", "learning_context")
    row = field(explanation, "timestamp")
    assert [origin.text for origin in row.origins] == ["event_timestamp"]
    assert row.how == "milliseconds since 1970 -> seconds since 1970, milliseconds floored; required"
    assert row.lost == ("milliseconds floored",)
    assert field(explanation, "entities.device_id").how == "nothing in the source"


def test_presets_and_first_of():
    """What only some events have says for which; of several ids the first comes first."""
    explanation = explained("mobile_analytics", "personalize")
    (item,) = field(explanation, "ITEM_ID").origins
    assert item.text == "attributes._product_id (only for purchase)"
    assert origins(explanation, "USER_ID") == ["client.cognito_id", "client.client_id"]
    assert origins(explained("pinpoint", "personalize"), "USER_ID")[0] == "endpoint.User.UserId"


def test_value_made_of_others():
    """A value that is not there comes from what it can be made of; what only has a say is no source."""
    explanation = explained("mobile_analytics", "clickstream")
    assert origins(explanation, "event_value") == [
        "metrics._item_price",
        "metrics._quantity",
        "attributes._currency",
    ]
    assert "looks at store too" in field(explanation, "event_value").how
    assert field(explanation, "attributes.event_worth").state == "nothing"
    assert field(explanation, "attributes._session_duration").state == "filled"


def test_value_that_cannot_be():
    """A value without a currency is no money, and an item's id lies in a list only where no other list is."""
    explanation = explained("personalize", "clickstream")
    assert field(explanation, "event_value").state == "nothing"
    assert origins(explanation, "attributes.event_worth") == ["EVENT_VALUE"]
    assert origins(explanation, "items") == ["ITEM_ID"]
    assert "items" in origins(explained("clickstream", "personalize"), "ITEM_ID")


def test_required_and_missing():
    """A required field that nothing gives is named at the head of every page."""
    explanation = explained("personalize", "clickstream")
    assert explanation.missing == ["app_id"]
    assert "rejected unless a recipe or setting gives it" in field(explanation, "app_id").how
    for page in (explanation.to_text(10_000), explanation.to_markdown()):
        assert (
            "Required, and nothing gives it unless a recipe or setting does: app_id" in page.splitlines()[:3]
        )
    assert explained("personalize", "clickstream", set_=["app_id=shop"]).missing == []


def test_fields_that_no_event_fills():
    """Constants, defaults, stamps and settings are told as such."""
    explanation = explained("mobile_analytics", "clickstream/raw")
    assert field(explanation, "method").how == 'always "POST"'
    assert field(explanation, "rid").how.startswith("32 hexadecimal digits")
    assert field(explanation, "ua").how == "what --set user_agent=... says; left out without it"
    assert field(explanation, "zone_offset").how == "nothing in the source; 0 where there is none"


def test_asked_for():
    """What is left out unless asked for has no source, and the source no place, until it is asked for."""
    place = "EventsRequest.BatchItem.*.Endpoint.Demographic.Make"
    explanation = explained("pinpoint", "pinpoint/requests")
    assert field(explanation, place).how == "left out unless --set fill_endpoints=true"
    assert "device.make" in sources(explanation)[1]
    asked = explained("pinpoint", "pinpoint/requests", set_=["fill_endpoints=true"])
    assert origins(asked, place) == ["device.make"]
    assert "device.make" not in sources(asked)[1]


def test_no_place():
    """What has no place says why, by the mapping where that says it."""
    explanation = explained("pinpoint", "mobile_analytics")
    reasons = {row.origins[0].place: (row.state, row.lost) for row in explanation.rows if not row.field}
    assert reasons["endpoint.User.UserId"] == ("cannot", ("the record has a Cognito identity, but no user",))
    assert reasons["endpoint.User.UserAttributes"] == (
        "not_mapped",
        ("mobile_analytics/archive says no place for it",),
    )
    assert reasons["any other member of a record"][0] == "not_mapped"
    assert field(explained("personalize", "personalize"), "IMPRESSION").state == "filled"
    off = field(explained("mobile_analytics", "personalize"), "IMPRESSION")
    assert (off.state, off.how) == ("off", "left out unless a rule sets it")
    assert "any other member of a record" not in sources(explained("pinpoint", "pinpoint"))[1]


def test_read_back_after_a_name_that_two_share():
    """The names that travel along are a source of the event's name, and a shared name says what it is read as."""
    explanation = explained("clickstream", "mobile_analytics")
    assert {"event_type", "attributes.translate_names"} <= set(origins(explanation, "event_type"))
    assert "attributes._is_first_time" not in origins(
        explanation, "event_type"
    )  # a constant that follows from the name
    stop = next(row for row in explanation.names if row["name"] == "session.stop")
    assert (stop["from"], stop["to"]) == ("_app_end", "_session.stop")
    assert stop["note"] == "read as session.pause unless attributes.translate_names says this"


def test_recipe_fills():
    """A rule's expression is a source of the field that it sets, with the rule's condition; what it uses is told."""
    explanation = explained(*RECIPES[0])
    by_rules = [origin for origin in field(explanation, "ITEM_ID").origins if origin.rule]
    assert by_rules[1].text == (
        '"attributes.sku" (ecommerce-to-personalize.toml: rule[2], '
        "when name IN ('Product View', 'Ad View') AND \"attributes.sku\" IS NOT NULL)"
    )
    (left,) = [row for row in explanation.rows if not row.field and row.origins[0].place == "attributes"]
    assert left.lost == (
        "no mapping or rule says where to, but rules use attributes.cart, attributes.item_id, attributes.product_id, attributes.sku",
    )
    assert explanation.recipe_rules[2]["does"] == ["drops: noise"]
    assert "drops: noise" in explanation.to_markdown()


def test_recipe_removes(tmp_path):
    """A column that a rule always takes away has no place, on purpose; one that a rule asks for gets its column."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'to = "personalize"\n[[rule]]\nremove = ["cognito_id"]\n[[rule]]\nset.recommendation_id = "transaction_id"\n',
        encoding="utf-8",
    )
    explanation = explained("mobile_analytics", "personalize", recipe)
    assert origins(explanation, "USER_ID") == ["client.client_id"]
    (left,) = [
        row for row in explanation.rows if not row.field and row.origins[0].place == "client.cognito_id"
    ]
    assert (left.state, left.lost) == ("on_purpose", ("removed by a rule",))
    assert origins(explanation, "RECOMMENDATION_ID") == ["transaction_id"]
    assert "attributes._transaction_id" not in sources(explanation)[1]


def test_beside_the_table():
    """Tables of values, limits of both kinds and what the target takes stand beside the table."""
    explanation = explained("mobile_analytics", "clickstream")
    assert explanation.tables == [
        {
            "table": "platforms",
            "fields": ["platform"],
            "values": mapping.load("clickstream").tables["platforms"],
        }
    ]
    assert {row["effect"] for row in explanation.limits} == {"rejects", "advises"}
    assert (
        explained("mobile_analytics", "personalize").limits[0]["what"]
        == "only events with item_id, and purchase without it"
    )
    assert explained("clickstream", "clickstream").limits[0]["effect"] == "keeps"


def test_a_changed_mapping_changes_the_table(tmp_path):
    """The table follows the mapping: a field that is added, moved or made constant is so in the table."""
    folder = tmp_path / "mappings"
    shutil.copytree(mapping.folder(), folder)
    file = folder / "clickstream.toml"
    text = file.read_text(encoding="utf-8")
    changed = text.replace(
        'make                  = "device.make"',
        'maker                 = "device.make"\nbatch = { const = "b-1" }',
        1,
    )
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    before, after = (explained("mobile_analytics", "clickstream", mappings=where) for where in (None, folder))
    assert [row.field for row in after.rows if row.field not in {row.field for row in before.rows}] == [
        "maker",
        "batch",
    ]
    assert origins(after, "maker") == origins(before, "make") == ["device.make"]
    assert field(after, "batch").how == 'always "b-1"'
    assert before.digests["to"] != after.digests["to"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("mobile_analytcs", "clickstream", 'no model "mobile_analytcs"; did you mean "mobile_analytics"?'),
        (
            "mobile_analytics",
            "clickstream/event",
            'clickstream has no layout "event"; did you mean "events"?',
        ),
        ("mobile_analytics", "pinpoint/flat", "pinpoint/flat cannot be written"),
        ("hub/rows", "clickstream", 'hub has no layout "rows"'),
    ],
)
def test_unknown_layouts(source, target, message):
    """A layout that is not there, or cannot be written, is a usage error that says so."""
    with pytest.raises(translate.UsageError) as error:
        explained(source, target)
    assert str(error.value).startswith(message)


def test_recipe_for_another_target():
    """A recipe that leads elsewhere is refused."""
    with pytest.raises(translate.UsageError):
        explained("mobile_analytics", "clickstream", "ecommerce-to-personalize")


def test_frame():
    """The frame has a row for each row of the table, in texts."""
    explanation = explained("mobile_analytics", "hub")
    frame = explanation.frame
    assert frame.columns == ["field", "part", "state", "from", "how", "lost"]
    assert set(frame.dtypes) == {pl.String}
    assert frame["field"].drop_nulls().to_list() == list(events.COLUMNS)


def test_an_explanation_shows_itself():
    """In a notebook it is its own table, on a terminal its text, and in a list one line."""
    explanation = explained("mobile_analytics", "clickstream")
    assert explanation._repr_markdown_() == explanation.to_markdown()
    assert str(explanation) == explanation.to_text(120)
    assert (
        repr(explanation)
        == f"<Explanation mobile_analytics/archive -> clickstream/events: {len(explanation.rows)} rows>"
    )


@pytest.mark.parametrize(
    ("source", "target"),
    [("mobile_analytics", "clickstream"), ("pinpoint", "personalize"), ("personalize", "posthog"), ("learning_context", "pinpoint")],
)  # fmt: skip
def test_an_explanation_fits_a_terminal(source, target):
    """Tables of four columns, each with long words, keep to 80 characters."""
    text = translate.explain(from_=source, to=target).to_text(80)
    assert max(map(len, text.splitlines())) <= 80
