"""Slips of recipes and selections: what rules did, what they probably meant, and a run that writes nothing."""

from __future__ import annotations

import json

import polars as pl
import pytest
from canonical import SAMPLES
from commands import run_here
from rows import archived as record

import translate
from translate import events
from translate.recipe import proposal
from translate.recipe.tallies import parts_of, texts_in
from translate.wording.nearness import Watched, likeness, meant, nearest

PURCHASE = {
    "attributes": {"_product_id": "p-1", "_currency": "EUR"},
    "metrics": {"_quantity": 2, "_item_price": 1.5},
}


def view(number):
    return record("Ad View", attributes={"articleNo": f"b-{number % 7}", "color": "red"})


RECORDS = [*map(view, range(20)), *[record("level")] * 5, *[record("_monetization.purchase", **PURCHASE)] * 3]


@pytest.fixture
def archive(tmp_path):
    """Write an archive of views, levels and purchases."""
    return write(tmp_path / "archive.jsonl", RECORDS)


def write(path, records):
    path.write_text(
        "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in records), encoding="utf-8"
    )
    return path


@pytest.fixture
def convert(archive, tmp_path):
    """Convert the archive by a recipe of these rules; give the report."""

    def converted(rules="", name="own", to="personalize", head=None, **options):
        path = None
        if rules:
            path = tmp_path / f"{name}.toml"
            path.write_text(f"{head or f'to = {json.dumps(to)}'}\n{rules}", encoding="utf-8")
        return translate.convert(archive, to=to, out=tmp_path / f"out-{name}", recipe=path, **options)

    return converted


def slips(report):
    codes = (
        "rule_never_matched",
        "rule_set_nothing",
        "rule_changed_nothing",
        "unknown_key",
        "unknown_name",
        "selection_takes_nothing",
    )
    return {
        (finding["code"], finding["message"]): finding["events"]
        for finding in report["findings"]
        if finding["code"] in codes
    }


# -- what rules did ---------------------------------------------------------------------------------------------------


def test_a_name_that_no_event_bears_is_told(convert):
    """If another was meant, such as the hub's where the source's own spelling stands; a table may know more than there are."""
    rules = """
    [[rule]]
    names = { "_monetization.purchase" = "buy", "Ad View" = "View", "adview" = "View", "Level" = "level" }
    [[rule]]
    names = { "View" = "Look", "buys" = "buy", "sign_in" = "in" }
    [[rule]]
    set.name = "name || '!'"
    [[rule]]
    names = { "Look!" = "Seen" }
    """
    assert slips(convert(rules, to="clickstream")) == {
        ("unknown_name", "own.toml: rule[1]: no event is called 'Level'; did you mean 'level'?"): 28,
        ("unknown_name", "own.toml: rule[1]: no event is called '_monetization.purchase'; did you mean 'purchase'?"): 28,
    }  # fmt: skip


def test_each_rule_is_counted(convert):
    """Of each rule the report says its condition, and how many events it matched, changed, dropped, and nulls it gave."""
    report = convert("""
[[rule]]
when        = "name IN ('Ad View', 'level')"
set.name    = "'View'"
set.item_id = '"attributes.articleNo"'
[[rule]]
when = "item_id = 'b-0'"
drop = "out of stock"
[[rule]]
when = "value IS NULL"
keep = "worthy"
[[rule]]
set.currency = "'EUR'"
""")
    assert report["rules"] == {
        "own.toml: rule[1]": {
            "when": "name IN ('Ad View', 'level')",
            "matched": 25,
            "changed": 25,
            "dropped": 0,
            "nulls": 5,
        },
        "own.toml: rule[2]": {
            "when": "item_id = 'b-0'",
            "matched": 3,
            "changed": 0,
            "dropped": 3,
            "nulls": 0,
        },
        "own.toml: rule[3]": {"when": "value IS NULL", "matched": 25, "changed": 0, "dropped": 0, "nulls": 0},
        "own.toml: rule[4]": {"when": None, "matched": 25, "changed": 22, "dropped": 0, "nulls": 0},
    }
    assert slips(report) == {}


def test_an_event_of_many_rows_is_counted_once_until_it_is_taken_apart(tmp_path):
    """Rules before one that explodes count events, those after it rows."""
    file = write(
        tmp_path / "a.jsonl",
        [record("Cart", attributes={"cart": '[{"sku":"a"},{"sku":"b"},{"no":1}]'}), record("Cart")],
    )
    recipe = tmp_path / "cart.toml"
    recipe.write_text("""to = "personalize"
[[rule]]
set.items = '"attributes.cart"'
explode   = "items"
[[rule]]
set.item_id = '"item.sku"'
""")
    rules = translate.convert(file, to="personalize", out=tmp_path / "out", recipe=recipe)["rules"]
    assert [(rule["matched"], rule["changed"], rule["nulls"]) for rule in rules.values()] == [
        (2, 1, 1),
        (4, 2, 2),
    ]


class StoppedError(Exception):
    """Somebody stops the run."""


def test_counts_add_up_over_units_and_survive_an_interruption(tmp_path, monkeypatch):
    """A run that was stopped and called again tells the same of its rules as one in a single piece."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(4):
        write(folder / f"{number}.jsonl", [*RECORDS, record(f"only here {number}")])
    recipe = tmp_path / "own.toml"
    recipe.write_text("""to = "personalize"
[[rule]]
when        = "name = 'Ad View' AND \\"attributes.articelNo\\" IS NOT NULL"
set.item_id = '"attributes.articleNo"'
[[rule]]
when = "name = 'only here 2'"
drop = "rare"
""")
    options = {"to": "personalize", "recipe": recipe, "where": "name <> 'leevl'", "examples": True}
    whole = translate.convert(folder, out=tmp_path / "whole", **options)
    monkeypatch.setattr("translate.archive.units.FILES_MAX", 1)

    def stop(step):
        if step.files == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        translate.convert(folder, out=tmp_path / "units", progress=stop, **options)
    resumed = translate.convert(folder, out=tmp_path / "units", **options)
    assert len(list((tmp_path / "units" / "data").iterdir())) > 1
    for part in ("rules", "findings", "filtered_names"):
        assert resumed[part] == whole[part]
    assert [rule["dropped"] for rule in resumed["rules"].values()] == [0, 1]
    assert 'did you mean "attributes.articleNo"?' in json.dumps(resumed["findings"]).replace("\\", "")


# -- slips of rules ---------------------------------------------------------------------------------------------------


def test_a_rule_that_sets_nothing(convert):
    """A rule whose expression gives nothing for any event that it matched is told, with the key that was meant."""
    report = convert(
        """[[rule]]\nwhen = "name = 'Ad View'"\nset.name = "'View'"\nset.item_id = '"attributes.article_nr"'"""
    )
    message = (
        'own.toml: rule[1] matched and set no item_id: "attributes.article_nr" gives nothing '
        '(no event has "attributes.article_nr"; did you mean "attributes.articleNo"?)'
    )
    assert slips(report) == {("rule_set_nothing", message): 20}


def test_a_condition_that_never_holds(convert):
    """A condition that never held is told: which part of it, and the name or key that was meant."""
    report = convert("""[[rule]]
when        = "name = 'Ad Veiw' AND \\"attributes.articleNo\\" IS NOT NULL"
set.item_id = '"attributes.articleNo"'
[[rule]]
when     = "name = 'level' AND \\"attributes.articleNo\\" = 'b-1'"
set.name = "'x'"
[[rule]]
when     = "name = 'nothing like it'"
set.name = "'x'"
""")
    assert slips(report) == {
        ("rule_never_matched", "own.toml: rule[1] never matched: name = 'Ad Veiw' holds for none (no event is called 'Ad Veiw'; did you mean 'Ad View'?)"): 28,
        ("rule_never_matched", "own.toml: rule[2] never matched: each part of the condition holds for some events, but never all together"): 28,
        ("rule_never_matched", "own.toml: rule[3] never matched: name = 'nothing like it' holds for none (no event is called 'nothing like it'; there are, for example, level, Ad View, purchase)"): 28,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("set.item_id = 'COALESCE(\"attributes.articleNo\", \"attributes.artikelNo\")'", 'no event has "attributes.artikelNo"; did you mean "attributes.articleNo"?'),
        ('rename = { "attributes.colour" = "attributes.hue", "attributes.articleNo" = "attributes.no" }', 'no event has "attributes.colour"; did you mean "attributes.color"?'),
        ('remove = ["metrics.color", "device.make", "attributes.color"]', 'no event has "metrics.color"; did you mean "attributes.color"?'),
        ('remove = ["attributes.zzzzzz", "attributes.color"]', 'no event has "attributes.zzzzzz"; the keys most like it: '),
    ],
)  # fmt: skip
def test_keys_that_no_event_has(convert, rule, told):
    """A key that no event has is told with the one that was meant, whatever a rule does with it."""
    ((code, message),) = slips(convert(f"[[rule]]\n{rule}"))
    assert code == "unknown_key"
    assert message.startswith(f"own.toml: rule[1]: {told}")


def test_keys_that_earlier_rules_make_are_there(convert):
    """A key that a rule made is one that events have, and may be meant, too."""
    report = convert("""[[rule]]
set."attributes.made" = "'x'"
rename                = { "attributes.articleNo" = "attributes.sku" }
[[rule]]
set.item_id       = '"attributes.sku"'
set.transaction_id = 'COALESCE("attributes.made", "attributes.maade")'
""")
    ((_, message),) = slips(report)
    assert message == 'own.toml: rule[2]: no event has "attributes.maade"; did you mean "attributes.made"?'


def test_a_rule_that_keeps_what_a_key_has_is_no_slip(convert):
    """A key that a rule fills, and would leave where an event has one already, need not be there."""
    fills = """
        [[rule]]
        set."attributes.shade"   = 'COALESCE("attributes.color", "attributes.shade")'
        set."attributes.article" = 'COALESCE("attributes.articleNo", "attributes.article")'
    """
    assert slips(convert(fills)) == {}


def test_only_keys_that_events_have_are_called_alike(convert):
    """What the recipe itself makes is no key of the archive, and is not offered unless it must have been meant."""
    made = """
        [[rule]]
        set."attributes.invented" = '"attributes.color"'

        [[rule]]
        when = "\\"attributes.zzzzzz\\" IS NULL"
        set.item_id = '"attributes.articleNo"'
    """
    ((_, message),) = slips(convert(made))
    assert 'no event has "attributes.zzzzzz"; the keys most like it: ' in message
    assert "invented" not in message


def test_what_changes_nothing(convert):
    """A rule that matched and changed nothing is told; one that limits lengths may well find nothing to cut."""
    report = convert(
        "[[rule]]\nnames = { Nope = 'x' }\n[[rule]]\ncut = { values = 100 }\n[[rule]]\nremove = ['device.make']"
    )
    assert slips(report) == {
        ("rule_changed_nothing", "own.toml: rule[1] matched and changed nothing"): 28,
        ("rule_changed_nothing", "own.toml: rule[3] matched and changed nothing"): 28,
    }
    assert [rule["changed"] for rule in report["rules"].values()] == [0, 0, 0]


def test_cuts_are_counted(convert):
    """What a rule cuts is changed by it."""
    report = convert("[[rule]]\ncut = { values = 2 }", to="clickstream")
    assert report["rules"]["own.toml: rule[1]"]["changed"] == 20


def test_inherited_rules_are_only_counted(convert):
    """A rule of the recipe that one extends never is a slip, and rules that nothing comes to are none."""
    report = convert(
        "[[rule]]\ndrop = 'all'\n[[rule]]\nwhen = \"name = 'x'\"\nset.name = \"'y'\"",
        head='extends = "ecommerce-to-personalize"',
    )
    assert slips(report) == {}
    assert report["rules"]["ecommerce-to-personalize.toml: rule[1]"]["matched"] == 0
    assert report["rules"]["own.toml: rule[2]"] == {
        "when": "name = 'x'",
        "matched": 0,
        "changed": 0,
        "dropped": 0,
        "nulls": 0,
    }


def test_slips_are_advice(archive, tmp_path):
    """The command tells of slips and ends well."""
    recipe = tmp_path / "own.toml"
    recipe.write_text("to = 'clickstream'\n[[rule]]\nwhen = \"name = 'leevl'\"\ndrop = 'x'\n")
    said, _, code = run_here(
        [
            "translate",
            "convert",
            str(archive),
            "--to",
            "clickstream",
            "--out",
            str(tmp_path / "out"),
            "--recipe",
            str(recipe),
        ]
    )
    assert code == 0
    assert (
        "own.toml: rule[1] never matched: name = 'leevl' holds for none (no event is called 'leevl'; did you mean 'level'?)"
        in said
    )


# -- keys that are columns now ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "taken"),
    [
        ('"metrics._quantity" > 1', 3), ('"metrics._quantity" * "metrics._item_price" = 3', 3),
        ("\"attributes._product_id\" = 'p-1' AND \"attributes._currency\" = 'EUR'", 3), ('"metrics._quantity" IS NULL', 25),
    ],
)  # fmt: skip
def test_a_key_that_became_a_column_answers_under_its_own_name(convert, archive, where, taken):
    """`metrics._quantity` of a purchase is the hub's quantity, and can be asked for under either name, in every command."""
    report = convert(to="hub", where=where)
    assert (report["events"]["written"], slips(report)) == (taken, {})
    assert translate.inspect(archive, where=where).values["events"]["inspected"] == taken
    assert translate.validate(archive, where=where)["events"]["filtered"] == 28 - taken
    assert translate.roundtrip(archive, via="clickstream", where=where)["events"]["read"] == taken


def test_only_events_whose_key_was_moved_answer(tmp_path):
    """A rule sees the key whatever the event is called by then; a column that a rule fills does not make a key."""
    file = write(tmp_path / "a.jsonl", [record("_monetization.purchase", **PURCHASE), record("other")])
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        """to = "hub/events"
[[rule]]
set.name     = "'renamed'"
set.quantity = "TRY_CAST(7 AS DOUBLE)"
[[rule]]
set."attributes.seen" = 'TRY_CAST("metrics._quantity" AS VARCHAR)'
""".replace("hub/events", "clickstream")
    )
    job_rows = translate.convert(file, to="clickstream", out=tmp_path / "out", recipe=recipe)
    assert job_rows["rules"]["own.toml: rule[2]"]["nulls"] == 1
    rows = [json.loads(line) for line in next((tmp_path / "out" / "data").iterdir()).read_text().splitlines()]
    assert [row["attributes"].get("seen") for row in rows] == ["7.0", None]


def test_a_key_that_became_a_column_can_be_renamed_and_removed(convert, tmp_path):
    """What a rule takes away or calls otherwise is gone from its column, and arrives under the other name."""
    rules = """[[rule]]
remove = ["metrics._quantity"]
rename = { "attributes._product_id" = "attributes.article" }
"""
    report = convert(rules, to="mobile_analytics")
    assert (report["rules"]["own.toml: rule[1]"]["changed"], slips(report)) == (3, {})
    rows = [
        json.loads(line) for line in next((tmp_path / "out-own" / "data").iterdir()).read_text().splitlines()
    ]
    assert (rows[-1]["attributes"], rows[-1]["metrics"]) == (
        {"_currency": "EUR", "article": "p-1"},
        {"_item_price": 1.5},
    )
    lost = {(loss["field"], loss["kind"]): loss["events"] for loss in report["losses"]}
    assert lost == {("metrics._quantity", "on_purpose"): 3, ("attributes._product_id", "changed"): 3}


def test_sessions_answer_too(tmp_path):
    """Keys that another model's reader puts into columns answer as they stood there."""
    event = {
        "event_type": "e",
        "event_id": "1",
        "timestamp": 1460000000123,
        "app_id": "a",
        "unique_id": "c",
        "device_id": "c",
    }
    file = write(
        tmp_path / "a.ndjson",
        [
            {
                **event,
                "attributes": {
                    "_session_id": "s",
                    "_session_start_timestamp": 1460000000000,
                    "_session_number": 3,
                },
            }
        ],
    )
    where = '"attributes._session_id" = \'s\' AND "metrics._session_number" = 3 AND "metrics._session_start_timestamp" = 1460000000000'
    report = translate.convert(file, from_="clickstream/events", to="hub", out=tmp_path / "out", where=where)
    assert report["events"]["written"] == 1


# -- selections that take nothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"where": "name = 'purchse'"}, "--where takes none of 28 events: name = 'purchse' holds for none (no event is called 'purchse'; did you mean 'purchase'?)"),
        ({"where": "\"attributes.colr\" = 'red' AND name = 'Ad View'"}, '--where takes none of 28 events: "attributes.colr" = \'red\' holds for none (no event has "attributes.colr"; did you mean "attributes.color"?)'),
        ({"where": "\"attributes.color\" = 'blue'"}, '--where takes none of 28 events: "attributes.color" = \'blue\' holds for none (20 events have "attributes.color")'),
        ({"where": "\"attributes.color\" = 'blue'", "examples": True}, '--where takes none of 28 events: "attributes.color" = \'blue\' holds for none ("attributes.color" is, for example, \'red\')'),
        ({"where": "price > 100", "examples": True}, '--where takes none of 28 events: price > 100 holds for none ("price" is between 1.5 and 1.5)'),
        ({"where": "name = 'level' AND price > 1"}, "--where takes none of 28 events: each part of the condition holds for some events, but never all together"),
        ({"since": "2020-01-01"}, "--since leaves out all of 28 events: they are from 2016-04-07 03:33:20.123 to 2016-04-07 03:33:20.123 (UTC)"),
        ({"where": "time > DATE '2019-01-01'"}, "--where takes none of 28 events: time > DATE '2019-01-01' holds for none (\"time\" is between 2016-04-07 03:33:20.123 and 2016-04-07 03:33:20.123)"),
    ],
)  # fmt: skip
def test_a_selection_that_takes_nothing_says_why(convert, options, told):
    """Which part failed, which key or name was meant, what there is; values only where examples are asked for."""
    report = convert(to="clickstream", **options)
    assert [message for code, message in slips(report) if code == "selection_takes_nothing"] == [told]
    assert report["verdict"] == f"nothing was written: {told}"


@pytest.mark.parametrize("command", [["inspect"], ["validate"], ["roundtrip", "--via", "clickstream"]])
def test_every_command_says_why_its_selection_takes_nothing(archive, command):
    """First, and as `convert` does; a selection that takes something is not looked into."""
    words = ["translate", command[0], str(archive), *command[1:]]
    said, _, code = run_here([*words, "--where", "name = 'purchse'"])
    assert (
        said.partition("\n")[0]
        == "no event is taken: --where takes none of 28 events: name = 'purchse' holds for none (no event is called 'purchse'; did you mean 'purchase'?)"
    )
    assert code == 0
    told = json.loads(run_here([*words, "--since", "2020-01-01", "--json"])[0])
    assert (
        told["verdict"]
        == "no event is taken: --since leaves out all of 28 events: they are from 2016-04-07 03:33:20.123 to 2016-04-07 03:33:20.123 (UTC)"
    )
    assert "no event is taken" not in run_here([*words, "--where", "name = 'purchase'"])[0]


def test_a_replay_that_has_nothing_to_send_says_why(archive, tmp_path):
    """What the conversion before it says comes first, and the exit code is 1."""
    words = [
        "replay",
        str(archive),
        "--to",
        "mobile_analytics",
        "--endpoint",
        "http://127.0.0.1:9",
        "--journal",
        str(tmp_path / "j"),
        "--dry-run",
    ]
    said, _, code = run_here(["translate", *words, "--where", "name = 'purchse'"])
    assert said.startswith(
        "nothing was written: --where takes none of 28 events: name = 'purchse' holds for none"
    )
    assert code == 1


def test_a_key_of_a_selection_that_no_event_has(convert):
    """A selection that takes something can look at a key that is nowhere all the same."""
    report = convert(to="clickstream", where="\"attributes.colr\" = 'red' OR name = 'level'")
    ((code, message),) = slips(report)
    assert (code, message) == (
        "unknown_key",
        '--where: no event has "attributes.colr"; did you mean "attributes.color"?',
    )


# -- filtered, by name -------------------------------------------------------------------------------------------------


def test_what_is_filtered_is_counted_by_name(convert):
    """Of each reason to leave events out the report says which events they were, as they were read."""
    report = convert(
        "[[rule]]\nset.name = \"name || '!'\"\n[[rule]]\nwhen = \"name = 'level!'\"\ndrop = 'noise'",
        where="name <> 'purchase'",
    )
    assert report["filtered_names"] == {
        "--where": [{"name": "purchase", "events": 3}],
        "noise": [{"name": "level", "events": 5}],
        "purchases only (no rule gives the event an item_id)": [{"name": "Ad View", "events": 20}],
    }


def test_names_beyond_a_thousand_count_together(tmp_path):
    """A list that does not end is cut: the rarest names count together."""
    names = [f"n{number}" for number in range(1100)]
    file = write(tmp_path / "a.jsonl", [record(name) for name in [*names, "n1050"]])
    (listed,) = translate.convert(file, to="personalize", out=tmp_path / "out")["filtered_names"].values()
    assert (listed[0], listed[-1], len(listed)) == (
        {"name": "n1050", "events": 2},
        {"name": None, "events": 100},
        1001,
    )


# -- nothing written ---------------------------------------------------------------------------------------------------


def shop(key, kind="attributes", values=None):
    values = values or [f"b-{number}" for number in range(30)]
    looks = [record("Look", **{kind: {key: value}}) for value in values]
    return [
        *looks,
        *[record("level up")] * 50,
        *[
            record(
                "Ad View",
                attributes={"user_id": "u-1"},
                **({kind: {key: values[0]}} if kind == "metrics" else {}),
            )
        ]
        * 9,
    ]


@pytest.mark.parametrize(
    ("key", "kind", "values"),
    [
        ("articleNo", "attributes", None), ("sku", "attributes", None), ("Product ID", "attributes", None), ("it's \"item\" id", "attributes", None),
        ("商品ID", "attributes", None), ("product_id", "metrics", list(range(1, 30))), ("thing", "attributes", None), ("item\\id\x7f\u2028", "attributes", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("to", ["personalize/interactions", "personalize/requests"])
def test_a_run_that_writes_nothing_offers_a_recipe_that_writes_something(
    tmp_path, monkeypatch, key, kind, values, to
):
    """It says so first and exits 1; the recipe passes `check` as it is pasted from the terminal, and writes the items."""
    monkeypatch.chdir(tmp_path)
    records = [{**event, "session": {"session_id": "s-1"}} for event in shop(key, kind, values)]
    file = write(tmp_path / "shop.jsonl", records)
    said, _, code = run_here(["translate", "convert", str(file), "--to", to, "--out", "nothing"])
    assert code == 1
    first, _, rest = said.partition("\n")
    assert (
        first
        == f"nothing was written of {len(records)} events; {len(records)} filtered: purchases only (no rule gives the event an item_id)"
    )
    assert rest.index("level up") < rest.index("Look") < rest.index("keys that look like ids of items")
    pasted = "".join(
        f"{line[4:]}\n"
        for line in said.partition("--recipe shop.toml:\n\n")[2]
        .partition("\n\nmobile_analytics")[0]
        .splitlines()
    )
    (tmp_path / "shop.toml").write_text(pasted, encoding="utf-8")
    checked, _, code = run_here(["translate", "check", "shop.toml"])
    assert (checked, code) == ("shop.toml: ok, 1 test\n", 0), pasted
    report = translate.convert(file, to=to, out="something", recipe="shop.toml")
    assert report["events"]["written"] >= len(values or range(30))
    assert (
        json.loads((tmp_path / "nothing" / "report.json").read_text())["nothing_written"]["item_keys"][0][
            "key"
        ]
        == f"{kind}.{key}"
    )


def test_a_recipe_of_ones_own_is_extended(convert):
    """Where a recipe wrote nothing, what is offered goes on from there."""
    report = convert("[[rule]]\nset.item_id = '\"attributes.nope\"'", where="name = 'Ad View'")
    assert report["nothing_written"]["recipe"].startswith('extends = "own.toml"')


def test_nothing_is_offered_that_would_not_work(tmp_path):
    """Without a key that looks like an item's id there is no recipe; values of people are none."""
    looks = [
        record("Look", attributes={"user_id": f"u-{number}", "Item Name": f"A thing {number}", "n": "1"})
        for number in range(30)
    ]
    report = translate.convert(write(tmp_path / "a.jsonl", looks), to="personalize", out=tmp_path / "out")
    assert (report["nothing_written"]["item_keys"], report["nothing_written"]["recipe"]) == ([], None)


def test_ids_of_items_are_not_missed_where_each_event_has_one(tmp_path):
    """Interactions that lack only a session are not told that none of their keys looks like the id of an item."""
    call = [
        "translate",
        "convert",
        str(SAMPLES / "personalize" / "interactions_full.csv"),
        "--to",
        "personalize/requests",
        "--out",
        str(tmp_path / "out"),
    ]
    said, _, code = run_here(call)
    assert code == 1
    assert said.startswith("nothing was written of 3 events; 3 rejected: missing_required")
    assert "id of an item" not in said


def test_a_shipped_recipe_that_would_do_is_named(tmp_path):
    """What only takes lists of items apart needs no new recipe."""
    event = {
        "event_type": "purchase",
        "event_id": "e-1",
        "timestamp": 1667877566698,
        "app_id": "shop",
        "unique_id": "c-1",
        "zone_offset": 0,
    }
    file = write(
        tmp_path / "a.jsonl",
        [event | {"items": [{"id": "b-1"}, {"id": "b-2"}], "attributes": {"_session_id": "s"}}],
    )
    for to in ("personalize/interactions", "personalize/requests"):
        out = tmp_path / to.replace("/", "-")
        said, _, code = run_here(["translate", "convert", str(file), "--to", to, "--out", str(out)])
        assert code == 1
        assert "say --recipe clickstream-to-personalize\n" in said
        assert "looks like the id" not in said
    report = translate.convert(
        file, to="personalize", out=tmp_path / "done", recipe="clickstream-to-personalize"
    )
    assert report["events"]["written"] == 2


def test_other_ways_to_write_nothing(tmp_path, convert):
    """Rejected all, dropped all: both are told first; an empty source has nothing to tell."""
    dropped = convert("[[rule]]\ndrop = 'all of it'", to="clickstream")
    assert dropped["verdict"] == "nothing was written of 28 events; 28 filtered: all of it"
    bare = write(tmp_path / "bare.jsonl", [{"event_type": "e", "event_timestamp": 1460000000123}])
    refused = translate.convert(bare, from_="mobile_analytics", to="clickstream", out=tmp_path / "refused")
    assert refused["verdict"] == "nothing was written of 1 event; 1 rejected: missing_required"
    empty = translate.convert(
        write(tmp_path / "empty.jsonl", []),
        from_="mobile_analytics",
        to="clickstream",
        out=tmp_path / "empty",
    )
    assert "verdict" not in empty


# -- why ------------------------------------------------------------------------------------------------------------------


def test_why_tells_which_part_of_a_rule_was_null(archive, tmp_path, monkeypatch):
    """Of each rule `why` says whether its condition holds, which part is false or unknown, and what it set to nothing."""
    recipe = tmp_path / "own.toml"
    recipe.write_text("""to = "personalize"
[[rule]]
when        = "name = 'Ad View' AND \\"attributes.color\\" = 'red'"
set.name    = "'View'"
set.item_id = '"attributes.articelNo"'
[[rule]]
when = "name = 'View' AND price * quantity > 1 AND \\"attributes.color\\" <> 'red'"
drop = "worthless"
""")
    (event,) = translate.why(f"{archive}:1", to="personalize", recipe=recipe).events
    assert event.to_json()["judged"] == [
        {"rule": "own.toml: rule[1]", "met": True, "failed": [], "nothing": ['item_id: "attributes.articelNo" gives nothing: the event has no "attributes.articelNo"']},
        {
            "rule": "own.toml: rule[2]", "met": False, "nothing": [],
            "failed": ['price * quantity > 1 is unknown: the event has no "price" and no "quantity"', "\"attributes.color\" <> 'red' is false"],
        },
    ]  # fmt: skip
    monkeypatch.setenv("COLUMNS", "1000")
    said, _, _ = run_here(
        ["translate", "why", f"{archive}:21", "--to", "personalize", "--recipe", str(recipe)]
    )
    assert (
        "own.toml: rule[1]  \"attributes.color\" = 'red' is unknown: the event has no \"attributes.color\"; name = 'Ad View' is false"
        in said
    )


def test_why_of_keys_that_became_columns(archive, tmp_path):
    """A rule that looks at such a key sees it in `why`, too."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        "to = 'personalize'\n[[rule]]\nwhen = '\"metrics._quantity\" = 2'\nset.value = '\"metrics._quantity\"'\n"
    )
    (event,) = translate.why(f"{archive}:26", to="personalize", recipe=recipe).events
    assert event.rules == ("own.toml: rule[1]",)
    assert {field.field: field.written for field in event.fields}["EVENT_VALUE"] == "2"


# -- the pieces ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("a = 1 AND b = 2", ["a = 1", "b = 2"]), ("a BETWEEN 1 AND 2 and c = 'x AND y'", ["a BETWEEN 1 AND 2", "c = 'x AND y'"]),
        ("(a = 1 AND b = 2)", ["a = 1", "b = 2"]), ("(a = 1) AND (b = 2 OR c = 3 AND d = 1)", ["(a = 1)", "(b = 2 OR c = 3 AND d = 1)"]),
        ("a = 1 OR b = 2 AND c = 3", None), ("NOT a = 1 AND b NOT BETWEEN 1 AND 3", ["NOT a = 1", "b NOT BETWEEN 1 AND 3"]),
        ("CASE WHEN a = 1 AND b = 2 THEN true ELSE false END AND c = 1", ["CASE WHEN a = 1 AND b = 2 THEN true ELSE false END", "c = 1"]),
        ('"x AND y" = 1', None), ("a = 1 AND " * 2000 + "a = 1", None),
    ],
)  # fmt: skip
def test_conditions_are_taken_apart(sql, parts):
    """At the outermost ANDs, and nowhere else."""
    assert parts_of(sql) == (parts or [sql])


def test_texts_in_a_condition():
    """What is written out is found, quotes and all."""
    assert texts_in("name IN ('a', 'it''s') AND \"attributes.'x'\" = 'q'") == ["a", "it's", "q"]


def test_likeness():
    """Spelling counts more than case and signs, these more than the kind of value; nothing is meant by what is far off."""
    keys = ["attributes.articleNo", "attributes.articleName", "metrics.articleno", "attributes.color"]
    assert meant("attributes.ARTICLE_NO", keys) == "attributes.articleNo"
    assert nearest("attributes.articelNo", keys, 2) == ["attributes.articleNo", "metrics.articleno"]
    assert meant("attributes.quux", keys) is None
    assert likeness("metrics.color", "attributes.color") > likeness("attributes.colour", "attributes.color")


def test_what_was_watched_adds_up_in_any_order():
    """What two pieces of an archive tell is the same in either order, and what one has is there."""
    pieces = [
        Watched({"a"}, {"attributes.xyz": ["attributes.xya"]}, {"time": ("2", "3")}, {"c": ["m", "n"]}),
        Watched(
            set(),
            {"a": ["b"], "attributes.xyz": ["attributes.xyz1", "attributes.q"]},
            {"time": ("1", "2")},
            {"c": ["a", "z", "b", "c"]},
        ),
    ]
    sums = []
    for order in (pieces, pieces[::-1]):
        total = Watched()
        for piece in order:
            total.add(Watched.from_json(json.loads(json.dumps(piece.to_json()))))
        sums.append(total)
    assert sums[0] == sums[1]
    assert sums[0].near == {"attributes.xyz": ["attributes.xyz1", "attributes.xya", "attributes.q"]}
    assert (sums[0].spans, sums[0].values) == ({"time": ("1", "3")}, {"c": ["a", "b", "c", "m", "n"]})


@pytest.mark.parametrize(
    ("key", "looks"),
    [
        ("sku", True), ("productId", True), ("product_id", True), ("ITEM_ID", True), ("itemid", True), ("videoId", True), ("articleNo", True),
        ("artikelnummer", False), ("user_id", False), ("session id", False), ("productName", False), ("item_price", False), ("orderNumber", False),
        ("price", False), ("", False), ("상품번호", True), ("Item", True), ("level", False),
    ],
)  # fmt: skip
def test_keys_that_look_like_ids_of_items(key, looks):
    """By the words of their names: an item, and what tells one from another."""
    assert (proposal.by_name(key) > 0.3) == looks


def test_values_that_look_like_ids():
    """Without a name that says so, values that are short, varied and numbered are a guess."""
    maps = [{"slug": f"x-{number}", "tag": "red", "note": f"a word {number}"} for number in range(40)]
    columns = {"name": ["e"] * 40, "attributes": maps, "metrics": [None] * 40}
    frame = pl.DataFrame(columns, schema={"name": pl.String, "attributes": events.MAP, "metrics": events.MAP})
    found = proposal.looked_for(frame)
    assert found["key"].to_list() == ["slug"]
