"""Recipes: what rules do to events, what they refuse, and the tests inside them."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

import translate
from translate import events, mapping, recipe
from translate.errors import MappingError, UsageError
from translate.recipe import trial
from translate.recipe.expressions import evaluate
from translate.recipe.proof import condition
from translate.vocabulary.notes import InHub, note, read_all

BAD_RECIPES = Path(__file__).parent / "bad_recipes"
TIME = dt.datetime(2016, 4, 7, 1, 2, 3, 456000, tzinfo=dt.UTC)


@pytest.fixture
def apply(tmp_path):
    """Apply the rules of a recipe's text to events, in the streaming engine; give the rows."""

    def applied(rules, *given, **columns):
        path = tmp_path / "own.toml"
        path.write_text(f'to = "personalize/interactions"\n{rules}')
        samples = [{"event_id": f"e-{number}", "time": TIME, **event} for number, event in enumerate(given)]
        frame = trial.frame(samples).with_columns(**columns)
        return recipe.load(path).apply(frame).collect(engine="streaming").to_dicts()

    return applied


def test_rules_work_in_their_order(apply):
    """Each rule sees what the earlier ones did."""
    rules = """
    [[rule]]
    when = "name = 'a'"
    set.name = "'b'"
    [[rule]]
    when = "name = 'b'"
    set.item_id = "name || '!'"
    """
    first, second = apply(rules, {"name": "a"}, {"name": "c"})
    assert (first["name"], first["item_id"]) == ("b", "b!")
    assert (second["name"], second["item_id"]) == ("c", None)


def test_sets_of_one_rule_see_the_event_before_it(apply):
    """Within one rule, no expression sees what another one sets."""
    (row,) = apply('[[rule]]\nset.name = "item_id"\nset.item_id = "name"', {"name": "a", "item_id": "i"})
    assert (row["name"], row["item_id"]) == ("i", "a")


def test_drop_ends(apply):
    """A dropped event keeps the first reason and is left alone by later rules."""
    rules = """
    [[rule]]
    when = "name = 'a'"
    drop = "noise"
    [[rule]]
    drop = "everything"
    [[rule]]
    set.name = "'late'"
    """
    rows = apply(rules, {"name": "a"}, {"name": "b"})
    assert [(row["_filtered"], row["name"]) for row in rows] == [("noise", "a"), ("everything", "b")]


def test_keep_drops_the_others_and_those_in_doubt(apply):
    """Events for which the condition is false or unknown are dropped with the reason."""
    rows = apply('[[rule]]\nwhen = "price > 1"\nkeep = "cheap"', {"price": 2.0}, {"price": 1.0}, {})
    assert [row["_filtered"] for row in rows] == [None, "cheap", "cheap"]


def test_rejects_pass_untouched(apply):
    """Records that are rejected already come out as they went in."""
    code = pl.when(pl.col("row") == 1).then(pl.lit("bad_json"))
    rows = apply(
        '[[rule]]\nset.name = "\'x\'"\n[[rule]]\ndrop = "all"', {"name": "a"}, {"name": "b"}, code=code
    )
    assert [(row["code"], row["name"], row["_filtered"]) for row in rows] == [
        (None, "x", "all"),
        ("bad_json", "b", None),
    ]


def test_what_is_filtered_already_stays_so(apply):
    """Events that a selection left out are no rule's business."""
    filtered = pl.when(pl.col("row") == 0).then(pl.lit("--where"))
    rows = apply("[[rule]]\nset.name = \"'x'\"", {"name": "a"}, {"name": "b"}, _filtered=filtered)
    assert [(row["name"], row["_filtered"]) for row in rows] == [("a", "--where"), ("x", None)]


def test_columns_keep_their_types_and_order(apply, tmp_path):
    """What goes in comes out, and four columns more."""
    path = tmp_path / "own.toml"
    path.write_text(
        'to = "personalize/interactions"\n[[rule]]\nexplode = "items"\n[[rule]]\nset."session.number" = "5"\nset.value = "1"'
    )
    frame = trial.frame([{"name": "a"}])
    before, after = frame.collect_schema(), recipe.load(path).apply(frame).collect()
    assert list(after.schema.items())[: len(before)] == list(before.items())
    assert after.columns[len(before) :] == ["_filtered", "_copy", "_recipe_notes", "_used"]


def test_explode_numbers_the_rows_of_an_event(apply):
    """Further rows of an event are counted and have ids of their own; events without items stay one row."""
    rules = """
    [[rule]]
    when = "name = 'cart'"
    explode = "items"
    [[rule]]
    set.item_id = '"item.sku"'
    set.value = 'TRY_CAST("item.price" AS DOUBLE)'
    """
    cart = '[{"sku":"a","price":1.50},{"sku":12345678901234567890123,"price":"x"},{"other":true}]'
    rows = apply(
        rules,
        {"name": "cart", "items": cart}, {"name": "cart", "items": "[]"}, {"name": "cart", "items": "[oops"},
        {"name": "cart", "items": '[{"sku":"\\ud83d"}]'}, {"name": "cart", "items": '[{"sku":NaN}]'}, {"name": "cart"},
        {"name": "no cart", "items": cart}, {"name": "cart", "items": '["b"]'},
    )  # fmt: skip
    assert [(row["row"], row["_copy"], row["event_id"], row["item_id"], row["value"]) for row in rows] == [
        (0, 0, "e-0", "a", 1.5),
        (0, 1, "e-0-2", "12345678901234567890123", None),
        (0, 2, "e-0-3", None, None),
        *((number, 0, f"e-{number}", None, None) for number in range(1, 8)),
    ]


def test_an_event_is_exploded_once(apply):
    """A second rule that explodes leaves rows alone that have an item."""
    rows = apply('[[rule]]\nexplode = "items"\n[[rule]]\nexplode = "items"', {"items": '[{"a":1},{"a":2}]'})
    assert [row["_copy"] for row in rows] == [0, 1]


def test_names_are_exchanged(apply):
    """Names are exchanged exactly, others stay, and each exchange is noted."""
    rows = apply('[[rule]]\nnames = { a = "b", b = "c" }', {"name": "a"}, {"name": "b"}, {"name": "A"}, {})
    assert [row["name"] for row in rows] == ["b", "c", "A", None]
    assert [read_all(row["_recipe_notes"]) for row in rows] == [
        [note("changed", InHub("name"), "set by own.toml: rule[1]")]
    ] * 2 + [[], []]


def test_keys_are_renamed(apply):
    """A renamed key keeps its value and digits; an event without it stays as it is."""
    rules = '[[rule]]\nrename = { "attributes.old" = "attributes.new", "metrics.n" = "metrics.m" }'
    rows = apply(
        rules,
        {"attributes": {"old": "x", "kept": "y"}, "metrics": {"n": "9007199254740993"}},
        {"attributes": {"new": "z"}}, {}, {"attributes": {"old": "x", "new": "z"}},
    )  # fmt: skip
    assert [dict(row["attributes"]) if row["attributes"] else row["attributes"] for row in rows] == [
        {"kept": "y", "new": "x"}, {"new": "z"}, None, {"new": "x"},
    ]  # fmt: skip
    assert dict(rows[0]["metrics"]) == {"m": "9007199254740993"}
    assert read_all(rows[0]["_recipe_notes"]) == [
        note("changed", InHub("attributes", "old")),
        note("changed", InHub("metrics", "n")),
    ]
    assert read_all(rows[1]["_recipe_notes"]) == read_all(rows[2]["_recipe_notes"]) == []
    assert read_all(rows[3]["_recipe_notes"]) == [
        note("changed", InHub("attributes", "old")),
        note("changed", InHub("attributes", "new")),
    ]


def test_many_keys_are_renamed_by_one_rule(apply):
    """Each of them costs what one costs; a key that has a new name already gives way where the old one is there."""
    renames = {f"old{number}": f"new{number}" for number in range(40)} | {"c": "d", "d": "e"}
    told = ", ".join(f'"attributes.{old}" = "attributes.{new}"' for old, new in renames.items())
    given = [
        {"old7": "1", "new3": "2", "new7": "3", "old3": "4"},
        {"new7": "1", "old3": "2"},
        {"c": "1", "d": "2", "e": "3", "new0": "4"},
        {"kept": "1"},
    ]
    rows = apply(f"[[rule]]\nrename = {{ {told} }}", *({"attributes": keys} for keys in given), {})
    assert [row["attributes"] and [*dict(row["attributes"]).items()] for row in rows] == [
        [("new7", "1"), ("new3", "4")],
        [("new7", "1"), ("new3", "2")],
        [("d", "1"), ("e", "2"), ("new0", "4")],
        [("kept", "1")],
        None,
    ]


def test_keys_can_be_swapped(apply):
    """Renames of one rule happen at once."""
    rules = '[[rule]]\nrename = { "attributes.a" = "attributes.b", "attributes.b" = "attributes.a" }'
    first, second = apply(rules, {"attributes": {"a": "1", "b": "2"}}, {"attributes": {"a": "1"}})
    assert (dict(first["attributes"]), dict(second["attributes"])) == ({"b": "1", "a": "2"}, {"b": "1"})


def test_what_is_removed_is_noted(apply):
    """Removed columns, keys and whole maps are lost on purpose, where they were there."""
    rules = '[[rule]]\nremove = ["device.make", "attributes.a", "metrics"]'
    first, second = apply(
        rules, {"device.make": "x", "attributes": {"a": "1", "b": "2"}, "metrics": {"m": "1", "n": "2"}}, {}
    )
    assert (first["device.make"], dict(first["attributes"]), first["metrics"]) == (None, {"b": "2"}, None)
    spots = [InHub("device.make"), InHub("attributes", "a"), InHub("metrics", "m"), InHub("metrics", "n")]
    assert read_all(first["_recipe_notes"]) == [note("on_purpose", spot) for spot in spots]
    assert (second["attributes"], read_all(second["_recipe_notes"])) == (None, [])


def test_what_was_used_does_not_count_as_removed(apply):
    """A key whose value went elsewhere is no loss; only where a value was there it was used."""
    rules = '[[rule]]\nset.item_id = \'"attributes.a"\'\nremove = ["attributes.a"]\n[[rule]]\nremove = ["attributes"]'
    first, second = apply(rules, {"attributes": {"a": "1", "b": "2"}}, {"attributes": {"b": "2"}})
    assert (first["_used"], read_all(first["_recipe_notes"])) == (
        ["attributes.a"],
        [note("on_purpose", InHub("attributes", "b"))],
    )
    assert (second["_used"], read_all(second["_recipe_notes"])) == (
        [],
        [note("on_purpose", InHub("attributes", "b"))],
    )


def test_overwriting_is_a_change(apply):
    """A value that a rule sets anew is noted as changed, unless it was absent or the same."""
    rows = apply("[[rule]]\nset.item_id = \"'x'\"", {"item_id": "a"}, {"item_id": "x"}, {})
    assert [read_all(row["_recipe_notes"]) for row in rows] == [
        [note("changed", InHub("item_id"), "set by own.toml: rule[1]")],
        [],
        [],
    ]


def test_keys_are_set(apply):
    """Attributes and metrics can be set; what is absent is not put there, and an absent map stays absent."""
    rules = """
    [[rule]]
    set."attributes.loud" = "UPPER(name)"
    set.metrics.total = "price * quantity"
    set."metrics.count" = "LENGTH(name)"
    """
    first, second = apply(rules, {"name": "a", "price": 1.5, "quantity": 2.0, "attributes": {"k": "v"}}, {})
    assert dict(first["attributes"]) == {"k": "v", "loud": "A"}
    assert dict(first["metrics"]) == {"total": "3", "count": "1"}
    assert (second["attributes"], second["metrics"]) == (None, None)


def test_setting_nothing_takes_a_key_away(apply):
    """An expression that gives nothing leaves no value behind, and that is noted."""
    rules = '''[[rule]]\nset."attributes.a" = "NULLIF(\\"attributes.a\\", 'x')"'''
    (row,) = apply(rules, {"attributes": {"a": "x", "b": "y"}})
    assert (dict(row["attributes"]), read_all(row["_recipe_notes"])) == (
        {"b": "y"},
        [note("changed", InHub("attributes", "a"), "set by own.toml: rule[1]")],
    )


def test_times_can_be_compared_and_set(apply):
    """Expressions see times without a zone; what they set is UTC again, and times looked at stay as they were."""
    rules = """
    [[rule]]
    when = "time >= TIMESTAMP '2016-01-01 00:00:00' AND time < DATE '2017-01-01'"
    set.arrival_time = "time + INTERVAL '1 day'"
    """
    (row,) = apply(rules, {})
    assert row["arrival_time"] == TIME + dt.timedelta(days=1)
    assert row["time"] == TIME


def test_numbers_that_are_none_are_rejected(apply):
    """Infinity and NaN cost the event, with a reason, and never reach a writer."""
    rows = apply(
        '[[rule]]\nset.value = "price / quantity"',
        {"price": 1.0, "quantity": 0.0},
        {"price": 1.0, "quantity": 2.0},
    )
    assert [(row["code"], row["value"] == 0.5) for row in rows] == [("bad_number", False), (None, True)]
    assert "rule[1] gives value" in rows[0]["message"]


def test_a_list_stays_on_its_line(apply):
    """One that was printed over several lines would tear its row into as many."""
    (row,) = apply(
        "[[rule]]\nset.items = '\"attributes.cart\"'", {"attributes": {"cart": '[\n{"a":"b\\nc"}\r\n]'}}
    )
    assert row["items"] == '[ {"a":"b\\nc"}  ]'


def test_items_must_be_a_json_list(apply):
    """What is no JSON list does not become the items of an event, and does not count as used."""
    rules = "[[rule]]\nset.items = '\"attributes.cart\"'"
    given = ['[{"a":1}]', "[oops", '{"a":1}', ""]
    rows = apply(rules, *({"attributes": {"cart": text}} for text in given))
    assert [row["items"] for row in rows] == ['[{"a":1}]', None, None, None]
    assert [row["_used"] for row in rows] == [["attributes.cart"], [], [], []]


def test_a_recipe_extends_another(tmp_path):
    """The base's rules come first, its target is inherited, and its text is part of the digest."""
    base, own = tmp_path / "base.toml", tmp_path / "own.toml"
    base.write_text(
        'to = "personalize/interactions"\n[[rule]]\nset.name = "\'base\'"\n[[test]]\nevent = {}\nexpect = []'
    )
    own.write_text('extends = "base.toml"\n[[rule]]\nwhen = "name = \'base\'"\nset.item_id = "name"')
    loaded = recipe.load(own)
    assert (loaded.to, loaded.tests, loaded.set_columns) == (
        "personalize/interactions",
        (),
        {"name", "item_id"},
    )
    assert loaded.apply(trial.frame([{}])).collect()["item_id"].to_list() == ["base"]
    base.write_text(base.read_text() + "\n# another thought")
    assert recipe.load(own).digest != loaded.digest


@pytest.mark.parametrize("path", sorted(BAD_RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_bad_recipes_are_refused(path):
    """Every bad recipe gives exactly the complaints that stand in it."""
    expected = [line.removeprefix("#! ") for line in path.read_text().splitlines() if line.startswith("#! ")]
    with pytest.raises(MappingError) as caught:
        recipe.load(path)
    given = [complaint.text for complaint in caught.value.complaints]
    assert len(given) == len(expected) > 0, given
    for complaint, wanted in zip(given, expected, strict=True):
        # A complaint that ends with a list of all names there are is compared up to there.
        assert (
            complaint.startswith(wanted.removesuffix("..."))
            if wanted.endswith("...")
            else complaint == wanted
        )


@pytest.mark.parametrize(
    "sql",
    [
        "name IN ('a', 'b') AND NOT (item_id IS NULL)", "name NOT IN ('a')", "price BETWEEN 1 AND 2.5", "name LIKE 'a%_'",
        "name NOT ILIKE '%b'", "CASE WHEN price > 1 THEN true ELSE false END", "COALESCE(item_id, name) = 'x'",
        "NULLIF(name, '') IS NULL", "LOWER(TRIM(name)) = UPPER(LTRIM(name))", "SUBSTR(name, 1, 2) = REPLACE(name, 'a', 'b')",
        "STARTS_WITH(name, 'a') OR ENDS_WITH(name, 'b')", "CONCAT(name, 'x', item_id) = name || 'x'",
        "SPLIT_PART(name, '.', 2) = 'view'", "REGEXP_LIKE(name, '^a+$')", "ROUND(price, 2) + FLOOR(price) - CEIL(price) > ABS(price)",
        "EXTRACT(YEAR FROM time) = 2016", 'TRY_CAST("attributes.n" AS DOUBLE) % 2 = 1', '"metrics.n" * 2 >= price / 3',
        "\"other.flag\" = 'true'", '"session.start" <= time', "name = 'it''s NOW() or -- never'", "name IS DISTINCT FROM item_id",
        "STRFTIME(time, '%Y-%m') = '2016-04'", "price IS NOT NULL",
    ],
)  # fmt: skip
def test_allowed_expressions(sql):
    """What the list allows can be said."""
    found = condition(sql, "--where")
    given = trial.frame([{"name": "a", "time": TIME}])
    frame = evaluate(given, found.columns, {"wanted": found.expr}).collect()
    assert frame["wanted"].dtype == pl.Boolean
    assert frame.drop("wanted").schema == trial.frame([]).collect_schema()


def test_a_bad_condition_is_wrong_usage():
    """A condition of the command line complains like one of a recipe, under the option's name."""
    with pytest.raises(UsageError, match=r'where: no hub column "nmae"; did you mean "name"\?'):
        condition("nmae = 'x'", "--where")
    with pytest.raises(UsageError, match="where: should give true or false, but gives text"):
        condition("name", "--where")


@pytest.mark.parametrize("name", recipe.names())
def test_shipped_recipes_pass_their_tests(name):
    """Each shipped recipe holds at least four tests, and they pass."""
    loaded = recipe.load(name)
    assert len(loaded.tests) >= 4
    assert trial.failures(loaded) == []


@pytest.mark.parametrize("name", recipe.names())
def test_shipped_recipes_stream(name):
    """No shipped recipe makes the engine gather, and none falls over on an event without anything."""
    frame = trial.frame([{}, {"name": "Add To Cart", "attributes": {"cart": "[1]"}}])
    assert recipe.load(name).apply(frame).collect(engine="streaming").height == 2


def test_unknown_recipes_are_named():
    """A name that is none suggests the nearest."""
    with pytest.raises(UsageError, match='did you mean "ecommerce-to-personalize"'):
        recipe.load("ecomerce-to-personalize")


def test_failing_tests_are_reported(tmp_path):
    """A failed test says what should be and what is, and where."""
    path = tmp_path / "own.toml"
    path.write_text("""
to = "personalize/interactions"
[[rule]]
when = "name = 'Noise'"
drop = "noise"
[[test]]
name = "a view"
event = { name = "Ad View", time = 2016-04-07T00:00:00Z, client_id = "c", item_id = "i", price = 2, quantity = 2 }
expect = [{ EVENT_TYPE = "View", ITEM_ID = "i", EVENT_VALUE = 4.5 }]
[[test]]
event = { name = "Noise", time = 2016-04-07T00:00:00Z, item_id = "i" }
expect = [{ ITEM_ID = "i" }]
[[test]]
event = { name = "Ad View", time = 2016-04-07T00:00:00Z, item_id = "i" }
expect = [{ ITEM_ID = "i" }]
[[test]]
event = { name = "Ad View", time = 2016-04-07T00:00:00Z, item_id = "i", client_id = "c" }
expect = [{ reject = "missing_required" }]
[[test]]
event = { name = "Ad View", time = 2016-04-07T00:00:00Z, item_id = "i", client_id = "c" }
expect = []
""")
    checked = recipe.check(path)
    assert checked.tests == 5
    assert [complaint.text.removeprefix("own.toml: ") for complaint in checked.complaints] == [
        'test[1] "a view": EVENT_TYPE should be "View", but is "Ad View"',
        'test[1] "a view": EVENT_VALUE should be 4.5, but is "4"',
        "test[2]: should give 1 row, but is filtered: noise",
        "test[3]: should be written, but is rejected (missing_required): personalize/interactions needs USER_ID, and the event has no user_id or cognito_id or client_id; a recipe can set it",
        "test[4]: should be rejected (missing_required), but is written",
        "test[5]: should be filtered, but gives 1 row",
    ]


def test_check_takes_mappings_too():
    """A file with layouts is checked as a mapping."""
    checked = recipe.check(mapping.folder() / "personalize.toml")
    assert checked == recipe.Checked("personalize.toml", [], 0)


def test_samples_are_hub_events():
    """A test's event has all of the hub's columns in their types."""
    schema = trial.frame([{}]).collect_schema()
    assert {name: schema[name] for name in events.SCHEMA} == events.SCHEMA


# -- one event, several rows: each with an id of its own ---------------------------------------------------------------

CART = """
[[rule]]
set.items = '"attributes.cart"'
explode = "items"
[[rule]]
when = '"item.sku" IS NOT NULL'
set.item_id = '"item.sku"'
"""
RECORD = {
    "event_type": "cart", "event_timestamp": 1487973802507, "application": {"app_id": "shop"},
    "client": {"client_id": "c"}, "session": {"session_id": "s", "start_timestamp": 1487973802000},
}  # fmt: skip
IDS = {
    "clickstream/events": lambda row: [row["event_id"]],
    "pinpoint/requests": lambda call: [
        name for member in call["EventsRequest"]["BatchItem"].values() for name in member["Events"]
    ],
    "personalize/requests": lambda call: [event["eventId"] for event in call["eventList"]],
}


def converted(tmp_path, records, to, rules, out="out"):
    """Convert records of an archive; give the report and the JSON lines that were written."""
    source, own = tmp_path / "archive.json", tmp_path / "own.toml"
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    own.write_text(f'to = "{to}"\n{rules}')
    report = translate.convert(source, to=to, out=tmp_path / out, recipe=own, set_=["tracking_id=t-1"])
    parts = sorted((tmp_path / out / "data").rglob("*.ndjson"))
    return report, [json.loads(line) for part in parts for line in part.read_text().splitlines()]


@pytest.mark.parametrize("to", IDS)
def test_rows_of_one_event_have_ids_of_their_own(tmp_path, to):
    """The first row keeps the event's id, the others number it; another run gives the same."""
    carts = ['[{"sku":"a"},{"sku":"b"},{"sku":"c"}]', '[{"sku":"a"}]', '[{"sku":"x"},{"sku":"y"}]']
    records = [
        {**RECORD, "attributes": {"cart": cart, "n": f"{number}"}} for number, cart in enumerate(carts)
    ]
    report, written = converted(tmp_path, records, to, CART)
    assert (report["events"]["read"], report["events"]["added"], report["events"]["written"]) == (3, 3, 6)
    ids = [name for line in written for name in IDS[to](line)]
    assert len(set(ids)) == len(ids) == 6
    own = [name for name in ids if len(name) == len(ids[0])]
    assert ids == [own[0], f"{own[0]}-2", f"{own[0]}-3", own[1], own[2], f"{own[2]}-2"]
    assert converted(tmp_path, records, to, CART, out="again")[1] == written


def test_ids_of_the_source_are_numbered(tmp_path):
    """Where the source names an event, its first row is called so, even if that is the only one that stays."""
    record = {
        "event_id": "own",
        "event_type": "cart",
        "timestamp": 1487973802507,
        "unique_id": "c",
        "app_id": "shop",
    }
    _, written = converted(
        tmp_path,
        [{**record, "items": [{"sku": "a"}, {"sku": "b"}]}],
        "clickstream/events",
        '[[rule]]\nexplode = "items"',
    )
    assert [row["event_id"] for row in written] == ["own", "own-2"]


def test_a_number_does_not_depend_on_the_other_rows(tmp_path):
    """A row keeps its number where a rule drops those before it."""
    rules = CART + '[[rule]]\nwhen = "item_id = \'a\'"\ndrop = "unwanted"\n'
    record = {**RECORD, "attributes": {"cart": '[{"sku":"a"},{"sku":"b"}]'}}
    (all_of_it,), (rest,) = (
        converted(tmp_path, [record], "personalize/requests", text, out)[1]
        for text, out in ((CART, "all"), (rules, "rest"))
    )
    assert IDS["personalize/requests"](rest) == IDS["personalize/requests"](all_of_it)[1:]


# -- one recipe, several layouts ---------------------------------------------------------------------------------------

LED_BY = """
[[rule]]
set.item_id            = '"attributes.sku"'
set.recommendation_id  = '"attributes.list"'
set.impression         = '"attributes.shown"'
set.attribution_source = '"attributes.from"'
set.value              = 'TRY_CAST("attributes.worth" AS DOUBLE)'
"""
LED = {
    **RECORD,
    "attributes": {"sku": "b-1", "list": "r-1", "shown": '["b-1","b-2"]', "from": "news", "worth": "2.5"},
}


def test_a_model_means_all_its_layouts(tmp_path):
    """What a recipe for a model gives arrives in each of its layouts."""
    (tmp_path / "a.json").write_text(json.dumps(LED))
    (tmp_path / "own.toml").write_text(f'to = "personalize"\n{LED_BY}')
    given = {"out": tmp_path / "csv", "recipe": tmp_path / "own.toml"}
    translate.convert(tmp_path / "a.json", to="personalize/interactions", **given)
    (part,) = (tmp_path / "csv" / "data").rglob("*.csv")
    (row,) = csv.DictReader(part.open())
    assert row == {
        "USER_ID": "c", "ITEM_ID": "b-1", "TIMESTAMP": "1487973802", "EVENT_TYPE": "cart", "EVENT_VALUE": "2.5",
        "IMPRESSION": "b-1|b-2", "RECOMMENDATION_ID": "r-1", "EVENT_ATTRIBUTION_SOURCE": "news",
    }  # fmt: skip
    given["out"] = tmp_path / "calls"
    translate.convert(tmp_path / "a.json", to="personalize/requests", set_=["tracking_id=t-1"], **given)
    (part,) = (tmp_path / "calls" / "data").rglob("*.ndjson")
    call = json.loads(part.read_text())
    assert (call["trackingId"], call["userId"], call["sessionId"]) == ("t-1", "c", "s")
    (event,) = call["eventList"]
    assert {name: value for name, value in event.items() if name not in ("eventId", "properties")} == {
        "eventType": "cart", "sentAt": 1487973802.507, "itemId": "b-1", "eventValue": 2.5, "recommendationId": "r-1",
        "impression": ["b-1", "b-2"], "metricAttribution": {"eventAttributionSource": "news"},
    }  # fmt: skip


def test_a_model_means_what_can_be_written(tmp_path):
    """The default comes first, for the tests; a layout that can only be read is none of a recipe's."""
    path = tmp_path / "own.toml"
    path.write_text('to = "pinpoint"')
    loaded = recipe.load(path)
    assert (loaded.to, loaded.layouts) == (
        "pinpoint/event_stream",
        ("pinpoint/event_stream", "pinpoint/requests"),
    )


def test_an_extension_can_choose(tmp_path):
    """What extends a recipe for a model leads to all its layouts, or to the one that it names."""
    for to, layouts in (("", 2), ('to = "personalize"', 2), ('to = "personalize/requests"', 1)):
        path = tmp_path / "own.toml"
        path.write_text(f'extends = "mobile_analytics-to-personalize"\n{to}')
        assert len(recipe.load(path).layouts) == layouts


def test_tests_can_name_a_layout_and_look_at_the_request(tmp_path):
    """A test's fields are those of the layout that it names, and those of the request around the event."""
    path = tmp_path / "own.toml"
    path.write_text("""
to = "personalize"
[[test]]
to = "personalize/requests"
event = { name = "a", event_id = "e", time = 2016-04-07T00:00:00Z, client_id = "c", item_id = "i", session = { id = "s" }, app = { id = "t" } }
expect = [{ userId = "d", sessionId = "s", eventId = "e", itemId = "j" }]
[[test]]
event = { name = "a", time = 2016-04-07T00:00:00Z, client_id = "c", item_id = "i" }
expect = [{ USER_ID = "c", ITEM_ID = "i" }]
""")
    assert [complaint.text for complaint in recipe.check(path).complaints] == [
        'own.toml: test[1]: userId should be "d", but is "c"',
        'own.toml: test[1]: itemId should be "j", but is "i"',
    ]
