"""Personalize's optional columns, and those of a dataset's own: named, or kept, in rows, schema and properties."""

import csv
import json

import pytest
from canonical import SAMPLES
from commands import run_here

import translate
from translate.mapping.settings import read_settings

EVENT = {
    "event_type": "View", "event_timestamp": 1457947613589, "client": {"client_id": "c-1"}, "application": {"app_id": "shop"},
    "session": {"session_id": "s-1", "start_timestamp": 1457947613000}, "device": {"platform": {"name": "ANDROID"}},
}  # fmt: skip
RECIPE = """
to = "personalize"

[[rule]]
when        = "\\"attributes.sku\\" IS NOT NULL"
set.item_id = '"attributes.sku"'

[columns]
DEVICE      = "device.platform"
NUM_RATINGS = { type = "int", source = "metrics.ratings" }
LEVEL       = { type = "string" }

[[test]]
event  = { name = "View", time = 2016-04-07T00:00:00Z, client_id = "c-1", device = { platform = "iOS" }, attributes = { sku = "b-1" }, metrics = { ratings = 12 } }
expect = [{ ITEM_ID = "b-1", DEVICE = "iOS", NUM_RATINGS = "12", LEVEL = "" }]

[[test]]
to     = "personalize/requests"
event  = { name = "View", time = 2016-04-07T00:00:00Z, client_id = "c-1", session = { id = "s" }, app = { id = "a" }, device = { platform = "iOS" }, attributes = { sku = "b-1" }, metrics = { ratings = 12 } }
expect = [{ itemId = "b-1", properties = '{"sku":"b-1","device":"iOS","numRatings":"12"}' }]
"""


@pytest.fixture
def archive(tmp_path):
    """An archive whose events have keys that a dataset wants as columns."""
    rows = [
        EVENT | {"attributes": {"sku": "b-1", "level": "3", "LEVEL": "gold"}, "metrics": {"ratings": 12}},
        EVENT | {"attributes": {"sku": "b-2", "fresh": "TRUE"}, "metrics": {"ratings": 4.5}},
        EVENT | {"attributes": {"sku": "b-3", "level": "many"}, "metrics": {"ratings": 90071992547409931}},
    ]
    file = tmp_path / "archive.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def recipe_in(folder, text=RECIPE):
    file = folder / "recipe.toml"
    file.write_text(text)
    return file


def rows_of(out):
    return [
        row
        for part in sorted((out / "data").iterdir())
        for row in csv.DictReader(part.read_text().splitlines())
    ]


def schema_of(out):
    return {field["name"]: field for field in json.loads((out / "schema.json").read_text())["fields"]}


def properties_of(out):
    lines = [line for part in sorted((out / "data").iterdir()) for line in part.read_text().splitlines()]
    return {
        event["itemId"]: json.loads(event["properties"])
        for line in lines
        for event in json.loads(line)["eventList"]
    }


# -- optional columns ---------------------------------------------------------------------------------------------------


def test_optional_columns_are_written_where_the_source_can_have_them(tmp_path):
    """What requests to an event tracker say of recommendations stands in the table, and in its schema."""
    translate.convert(
        SAMPLES / "personalize" / "requests_full.jsonl", to="personalize/interactions", out=tmp_path / "out"
    )
    rows, schema = rows_of(tmp_path / "out"), schema_of(tmp_path / "out")
    assert [name for name in schema if name not in ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")] == [
        "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"
    ]  # fmt: skip
    assert list(rows[0]) == list(schema)
    assert {row["IMPRESSION"] for row in rows} > {"item-1|item-2|item-3"} or any(
        "|" in row["IMPRESSION"] for row in rows
    )
    assert any(row["RECOMMENDATION_ID"] for row in rows)
    assert any(row["EVENT_ATTRIBUTION_SOURCE"] for row in rows)


def test_optional_columns_are_left_out_where_no_source_has_them(archive, tmp_path):
    """A mobile archive says nothing of recommendations: no empty columns stand for it."""
    translate.convert(archive, to="personalize", out=tmp_path / "out", recipe=recipe_in(tmp_path))
    assert (
        not {"IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"}
        & schema_of(tmp_path / "out").keys()
    )


# -- columns of the dataset's own ---------------------------------------------------------------------------------------


def test_columns_named_by_a_recipe(archive, tmp_path):
    """Named columns stand in the rows with their types, and in the schema, texts as categorical."""
    report = translate.convert(archive, to="personalize", out=tmp_path / "out", recipe=recipe_in(tmp_path))
    assert [(row["DEVICE"], row["NUM_RATINGS"], row["LEVEL"]) for row in rows_of(tmp_path / "out")] == [
        ("ANDROID", "12", "gold"), ("ANDROID", "", ""), ("ANDROID", "", "many")
    ]  # fmt: skip
    schema = schema_of(tmp_path / "out")
    assert schema["DEVICE"] == {"name": "DEVICE", "type": ["string", "null"], "categorical": True}
    assert schema["NUM_RATINGS"] == {"name": "NUM_RATINGS", "type": ["int", "null"]}
    losses = {(loss["field"], loss["kind"]): loss for loss in report["losses"]}
    assert not {"device.platform.name", "attributes.LEVEL"} & {field for field, _ in losses}
    assert losses["metrics.ratings", "cannot"]["events"] == 2  # told of the key that it was
    assert losses["metrics.ratings", "cannot"]["why"] == "is no int"
    assert (
        losses["attributes.level", "not_mapped"]["events"] == 1
    )  # a column without a source is the key of its name, or as requests spell it


def test_columns_named_by_settings(archive, tmp_path):
    """Settings name columns too, and go before the recipe's."""
    said = [
        "columns.NUM_RATINGS=metrics.ratings:double",
        "columns.FRESH=attributes.fresh:boolean",
        "columns.GRADE=attributes.level:long",
    ]
    report = translate.convert(
        archive, to="personalize", out=tmp_path / "out", recipe=recipe_in(tmp_path), set_=said
    )
    rows = rows_of(tmp_path / "out")
    assert [row["NUM_RATINGS"] for row in rows] == ["12", "4.5", "90071992547409931"]
    assert [row["FRESH"] for row in rows] == ["", "true", ""]
    assert [row["GRADE"] for row in rows] == ["3", "", ""]
    assert schema_of(tmp_path / "out")["FRESH"]["type"] == ["boolean", "null"]
    assert "columns" in report["settings"]


def test_columns_without_a_recipe(tmp_path):
    """Without a recipe settings alone name columns: of purchases, that are interactions by themselves."""
    said = ["columns.STORE=store", "columns.COUNTRY=device.country"]
    translate.convert(
        SAMPLES / "mobile_analytics" / "archive_full.jsonl", to="personalize", out=tmp_path / "out", set_=said
    )
    assert [(row["STORE"], row["COUNTRY"]) for row in rows_of(tmp_path / "out")] == [("Google Play", "US")]


def test_columns_in_requests(archive, tmp_path):
    """The same columns are properties of requests, under their names in camel case, once each."""
    said = ["tracking_id=t", "columns.GRADE=attributes.level"]
    translate.convert(
        archive, to="personalize/requests", out=tmp_path / "out", recipe=recipe_in(tmp_path), set_=said
    )
    assert properties_of(tmp_path / "out")["b-1"] == {
        "sku": "b-1",
        "level": "gold",
        "device": "ANDROID",
        "numRatings": "12",
        "grade": "3",
    }


def test_a_long_schema_is_read_to_its_end(tmp_path):
    """However many columns it tells of, and however it is printed."""
    names = [f"COLUMN_{number}" for number in range(200)]
    fields = [{"name": name, "type": "string"} for name in ("USER_ID", "ITEM_ID", "EVENT_TYPE")]
    fields += [{"name": "TIMESTAMP", "type": "long"}, *({"name": name, "type": "int"} for name in names)]
    source = tmp_path / "in"
    source.mkdir()
    schema = {"type": "record", "name": "Interactions", "fields": fields}
    (source / "schema.json").write_text(json.dumps(schema, indent=4))
    header = ",".join(["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", *names])
    (source / "a.csv").write_text(f"{header}\nu,i,1457947613,View{',7' * len(names)}\n")
    report = translate.convert(source, to="personalize/interactions", out=tmp_path / "out")
    assert (report["events"]["written"], report["rejects"]) == (1, {})
    assert schema_of(tmp_path / "out")[names[-1]]["type"] == "int"


def test_columns_are_kept(tmp_path):
    """A table of interactions keeps its own columns, with the types of the schema beside it."""
    first, second = tmp_path / "in" / "a.csv", tmp_path / "in" / "b.csv"
    first.parent.mkdir()
    first.write_text("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,DEVICE_TYPE,SCORE\nu,i,1457947613,View,phone,3\n")
    second.write_text("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,SCORE,LOCATION\nu,j,1457947614,View,4,here\n")
    (tmp_path / "in" / "x.schema.json").write_text(json.dumps({"type": "record", "name": "Interactions", "fields": [
        {"name": "USER_ID", "type": "string"}, {"name": "SCORE", "type": ["null", "int"]}, {"name": "DEVICE_TYPE", "type": ["string", "null"]},
    ]}))  # fmt: skip
    report = translate.convert(tmp_path / "in", to="personalize/interactions", out=tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert [(row["DEVICE_TYPE"], row["SCORE"], row["LOCATION"]) for row in rows] == [
        ("phone", "3", ""),
        ("", "4", "here"),
    ]
    assert report["losses"] == []
    schema = schema_of(tmp_path / "out")
    assert schema["SCORE"] == {"name": "SCORE", "type": ["null", "int"]}
    assert schema["DEVICE_TYPE"] == {"name": "DEVICE_TYPE", "type": ["string", "null"]}
    assert schema["LOCATION"] == {"name": "LOCATION", "type": ["string", "null"], "categorical": True}
    again = translate.convert(
        tmp_path / "out" / "data",
        to="personalize/requests",
        out=tmp_path / "requests",
        set_=["tracking_id=t"],
    )
    assert again["rejects"] == {"missing_required": 2}  # a table has no sessions


def test_nothing_is_lost_on_the_way_back(tmp_path):
    """A table goes through the hub's neighbours and home with its own columns."""
    file = tmp_path / "a.csv"
    file.write_text("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,DEVICE_TYPE\nu,i,1457947613,View,phone\n")
    report = translate.roundtrip(file, via="personalize/interactions")
    assert report["undeclared"] == {} or report["undeclared"] == []
    assert "DEVICE_TYPE" not in json.dumps(report)


# -- what is wrong ------------------------------------------------------------------------------------------------------

WRONG = {
    "columns.DEVICE=device.platfrom": 'columns.DEVICE: "device.platfrom" is no hub column and no key like "attributes.x"; did you mean "device.platform"?',
    "columns.WHEN=time": "columns.WHEN: time holds times, and a column holds a text, a number, true or false",
    "columns.A-B=device.platform": "columns.A-B: should be letters, digits and _, no digit first, as Avro has names",
    "columns.ITEM_ID=store": "columns.ITEM_ID: personalize/interactions has a column of that name already",
    "columns.X=attributes.x:integer": 'columns.X: no type "integer"',
}


@pytest.mark.parametrize("said", WRONG)
def test_columns_that_cannot_be(said, archive, tmp_path):
    """A column that cannot be is refused before anything is read, with what would be right."""
    output, error, code = run_here(
        [
            "translate",
            "convert",
            str(archive),
            "--to",
            "personalize",
            "--out",
            str(tmp_path / "out"),
            "--set",
            said,
        ]
    )
    assert (output, code) == ("", 2)
    assert WRONG[said] in error
    assert not (tmp_path / "out").exists()


def test_columns_that_are_one_to_the_service(archive, tmp_path):
    """The service does not tell GENRES_1 from GENRES1."""
    said = ["columns.GENRES_1=store", "columns.GENRES1=currency"]
    with pytest.raises(translate.MappingError, match="GENRES_1 and GENRES1"):
        translate.convert(archive, to="personalize", out=tmp_path / "out", set_=said)


def test_columns_of_a_recipe_are_checked(tmp_path):
    """`check` finds what is wrong with a recipe's columns, and runs tests that name them."""
    assert translate.check(recipe_in(tmp_path)).complaints == []
    wrong = translate.check(recipe_in(tmp_path, RECIPE.replace('"device.platform"', '"device.platfrom"')))
    assert [str(complaint) for complaint in wrong.complaints if "DEVICE" in complaint.path]
    other = translate.check(
        recipe_in(tmp_path, 'to = "clickstream"\n[columns]\nDEVICE = "device.platform"\n')
    )
    assert [complaint.path for complaint in other.complaints] == ["columns"]


def test_columns_in_explain_and_write(archive, tmp_path):
    """`explain` shows where a column comes from, and `write` gives it to a notebook."""
    explained = translate.explain(from_="mobile_analytics", to="personalize", recipe=recipe_in(tmp_path))
    (row,) = [row for row in explained.rows if row.field == "NUM_RATINGS"]
    assert "metrics.ratings" in row.how
    settings = read_settings(None, ["columns.DEVICE=device.platform"])
    rows = translate.write(
        translate.scan(archive), model="personalize", recipe=recipe_in(tmp_path), settings=settings
    ).collect()
    assert rows["DEVICE"].to_list() == ["ANDROID"] * 3


def test_a_float_has_32_bits(tmp_path):
    """A larger number would be infinite to whoever reads the table by its schema."""
    rows = [
        EVENT | {"attributes": {"sku": "b"}, "metrics": {"ratings": number}} for number in (3.4e38, 3.5e38)
    ]
    file = tmp_path / "archive.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = ["columns.NUM_RATINGS=metrics.ratings:float"]
    report = translate.convert(
        file, to="personalize", out=tmp_path / "out", recipe=recipe_in(tmp_path), set_=said
    )
    assert [float(row["NUM_RATINGS"] or "nan") == 3.4e38 for row in rows_of(tmp_path / "out")] == [
        True,
        False,
    ]
    assert ["is no float", 1] in [[loss["why"], loss["events"]] for loss in report["losses"]]


def test_why_a_column_is_empty(archive, tmp_path):
    trace = translate.why(f"{archive}:2", to="personalize", recipe=recipe_in(tmp_path))
    told = {field.field: field.why for field in trace.events[0].fields}
    assert told["NUM_RATINGS"] == "metrics.ratings = 4.5 is no int"
    assert told["LEVEL"] == "nothing in the event"


def test_columns_in_the_census(archive, tmp_path):
    """The census of keys knows where a key went that became a column."""
    translate.convert(
        archive, to="personalize", out=tmp_path / "out", recipe=recipe_in(tmp_path), census=True
    )
    told = [json.loads(line) for line in (tmp_path / "out" / "keys.ndjson").read_text().splitlines()]
    fates = {
        entry["key"]: (entry["fate"], entry["how"])
        for entry in told
        if entry["events"] == 1 or entry["key"].startswith("metrics.")
    }
    assert fates["attributes.LEVEL"] == ("renamed", "LEVEL")
    assert {
        (entry["fate"], entry["how"], entry["events"]) for entry in told if entry["key"] == "metrics.ratings"
    } == {("renamed", "NUM_RATINGS", 1), ("no_place", "is no int", 2)}
    assert "unknown" not in {entry["fate"] for entry in told}
