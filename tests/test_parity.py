"""The figures of a source and of what it was converted into: each difference explained, or flagged."""

import json
from pathlib import Path

import polars as pl
import pytest
from canonical import zoo

import translate
from translate import events, mapping
from translate.errors import UsageError
from translate.telling.figures.facts import FACTS
from translate.telling.figures.measures import MEASURES

ARCHIVE = "sample_data/mobile_analytics/archive"
SAMPLES = {
    "mobile_analytics": str(min(Path(ARCHIVE).rglob("*.gz"))),
    "pinpoint": "sample_data/pinpoint/event_stream_full.jsonl",
    "clickstream": "sample_data/clickstream/events_full.jsonl",
    "learning_context": "sample_data/learning_context/events_full.jsonl",
    "redshift": "sample_data/mobile_analytics/redshift_full.csv",
}
TARGETS = [
    layout.address
    for model in map(mapping.load, mapping.models())
    for layout in model.layouts.values()
    if layout.write
]
TOLD = ["tracking_id=t", "day=2026-01-01"]


def moment(day, hour=12):
    return f"2017-03-{day:02}T{hour:02}:00:00.500Z"


def archive(path, lines):
    """Write a Mobile Analytics archive of plain events."""
    records = [
        {
            "event_type": name, "event_timestamp": int(pl.Series([moment(day)]).str.to_datetime(time_zone="UTC").dt.timestamp("ms")[0]),
            "client": {"client_id": client}, "application": {"app_id": "a"}, "attributes": attributes, "metrics": metrics,
            **({"session": {"session_id": "s", "duration": 60_000}} if name == "_session.stop" else {}),
        }
        for name, day, client, attributes, metrics in lines
    ]  # fmt: skip
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


BOUGHT = (
    "_monetization.purchase",
    2,
    "c1",
    {"_product_id": "p", "_currency": "EUR"},
    {"_item_price": 2.5, "_quantity": 2},
)
LINES = [
    ("_session.start", 1, "c1", {}, {}),
    ("_session.start", 1, "c2", {}, {}),
    ("_session.start", 2, "c1", {}, {}),
    ("_session.stop", 2, "c1", {}, {}),
    BOUGHT,
    ("level", 2, "c2", {}, {}),
]


@pytest.fixture
def source(tmp_path):
    return archive(tmp_path / "source.jsonl", LINES)


@pytest.fixture
def target(source, tmp_path):
    translate.convert(source, to="clickstream", out=tmp_path / "out")
    return tmp_path / "out"


def flagged(found):
    return {
        (row["figure"], row["key"]) for row in found.frame.filter(~pl.col("explained")).iter_rows(named=True)
    }


def value(found, figure, key):
    return (
        found.frame.filter((pl.col("figure") == figure) & (pl.col("key") == key))
        .select("source", "target", "explanation")
        .row(0)
    )


def changed(target, change):
    """Rewrite the one part of a target."""
    (part,) = (target / "data").iterdir()
    rows = [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]
    part.write_text("".join(json.dumps(row) + "\n" for row in change(rows)), encoding="utf-8")


# -- what is right ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [*TARGETS, "hub"])
@pytest.mark.parametrize("sample", [*SAMPLES, "zoo"])
def test_every_conversion_is_explained(sample, to, tmp_path):
    """Whatever a conversion of a sample does to the figures is explained."""
    given = SAMPLES.get(sample) or tmp_path / "zoo.parquet"
    if sample == "zoo":
        zoo().select(name for name in events.SCHEMA if name in zoo().columns).write_parquet(given)
    translate.convert(given, to=to, out=tmp_path / "out", set_=TOLD)
    found = translate.parity(given, tmp_path / "out")
    assert flagged(found) == set()
    assert found.frame.height


@pytest.mark.parametrize("model", ["pinpoint", "clickstream", "learning_context"])
def test_there_and_back(model, tmp_path):
    """An archive that went to a model and home again is compared with itself."""
    translate.convert(SAMPLES["mobile_analytics"], to=model, out=tmp_path / "there")
    translate.convert(tmp_path / "there", to="mobile_analytics", out=tmp_path / "back")
    found = translate.parity(
        SAMPLES["mobile_analytics"],
        tmp_path / "back" / "data",
        from_="mobile_analytics",
        to="mobile_analytics/archive",
    )
    assert flagged(found) == set()
    assert not found.report


@pytest.mark.parametrize("to", ["posthog", "mixpanel"])
def test_whoever_has_a_device_alone(to, tmp_path):
    """A target whose one id is then the device's is read as it is written: that is nobody on both sides."""
    event = {
        "event_type": "e",
        "event_id": "1",
        "timestamp": 1460000000000,
        "app_id": "shop",
        "device_id": "d-1",
    }
    other = {**event, "event_id": "2", "unique_id": "c-1"}
    given = tmp_path / "given.jsonl"
    given.write_text("".join(json.dumps(row) + "\n" for row in (event, other)), encoding="utf-8")
    translate.convert(given, to=to, out=tmp_path / "out")
    assert flagged(translate.parity(given, tmp_path / "out")) == set()


def test_the_figures(source, target):
    """The figures are those that Amazon's own recipes give."""
    found = translate.parity(source, target)
    for figure, key, wanted in [
        ("events", "2017-03-01 _session_start", 2), ("daily users", "2017-03-01", 2), ("daily users", "2017-03-02", 1),
        ("monthly users", "2017-03", 2), ("new users", "2017-03-01", 2), ("daily people", "2017-03-02", 2), ("sessions", "2017-03-02", 1),
        ("session length", "2017-03-02", 60), ("revenue", "2017-03-02 EUR", 5), ("retention", "2017-03-01 day 1", 0.5),
    ]:  # fmt: skip
        assert value(found, figure, key) == (wanted, wanted, ""), figure


def test_retention_counts_exact_days_and_calendar_weeks():
    """A day's cohort is asked for exactly so many days later, a week's for the whole week; the future is left out."""
    days = [("a", 1), ("b", 1), ("a", 8), ("b", 9), ("c", 9)]
    frame = pl.DataFrame([{"starts": True, "client": ord(who), "day": day} for who, day in days])
    dated = frame.with_columns(day=pl.date(2017, 5, pl.col("day")), client=pl.col("client").cast(pl.UInt64))
    (retention,) = (measure for measure in MEASURES if measure.name == "retention")
    facts = dated.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in FACTS.items() if name not in dated.columns
    )
    shares = dict(retention.grouping(facts.lazy()).collect().iter_rows())
    assert shares == {"2017-05-01 day 1": 0.0, "2017-05-01 day 7": 0.5, "2017-05-01 week 1": 1.0}


# -- what is not --------------------------------------------------------------------------------------------------


def test_a_missing_event_is_flagged(source, target):
    """One event less shows in its type's figure and in the account."""
    changed(target, lambda rows: [row for row in rows if row["event_type"] != "level"])
    found = translate.parity(source, target)
    assert {("events", "2017-03-02 level"), ("account", "events in the target")} <= flagged(found)
    assert value(found, "events", "2017-03-02 level")[2] == "UNEXPLAINED: -1"


def test_a_doubled_event_is_flagged(source, target):
    """One event twice shows in its type's figure, and so does its money."""
    changed(target, lambda rows: [*rows, *(row for row in rows if row["event_type"] == "purchase")])
    assert {("events", "2017-03-02 purchase"), ("revenue", "2017-03-02 EUR")} <= flagged(
        translate.parity(source, target)
    )


def test_another_currency_is_flagged(source, target):
    """The same amount in another currency is other money, and nothing else changes."""
    changed(
        target,
        lambda rows: [
            {**row, **({"event_value_currency": "USD"} if "event_value_currency" in row else {})}
            for row in rows
        ],
    )
    assert flagged(translate.parity(source, target)) == {
        ("revenue", "2017-03-02 EUR"),
        ("revenue", "2017-03-02 USD"),
    }


def test_another_client_is_flagged(source, target):
    """A client under another id is a new user, and the old one did not come back."""
    other = {"unique_id": "c9", "device_id": "c9"}
    changed(
        target,
        lambda rows: [
            {
                **row,
                **(
                    other
                    if row["event_type"] == "_session_start" and row["timestamp"] > 1488412800000
                    else {}
                ),
            }
            for row in rows
        ],
    )
    assert {
        ("new users", "2017-03-02"),
        ("retention", "2017-03-01 day 1"),
        ("monthly users", "2017-03"),
    } <= flagged(translate.parity(source, target))


def test_another_source_is_flagged(target, tmp_path):
    """A source that has grown since does not fit the report."""
    grown = archive(tmp_path / "grown.jsonl", [*LINES, ("level", 3, "c2", {}, {})])
    assert ("account", "read, as the report says") in flagged(translate.parity(grown, target))


def test_refused_files_are_no_difference(source, tmp_path):
    """A file that is no archive counts once, as it did in the run, however many lines it has."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    source.rename(folder / "source.jsonl")
    (folder / "notes.txt").write_text("not\nan\narchive\n", encoding="utf-8")
    translate.convert(folder, to="clickstream", out=tmp_path / "out")
    assert flagged(translate.parity(folder, tmp_path / "out")) == set()


def test_a_report_that_is_not_there(source, target):
    """The complaint names the file, not a number of the system."""
    with pytest.raises(
        UsageError, match=r"nowhere\.json: cannot be read: No such file or directory; name DIR/report\.json"
    ):
        translate.parity(source, target, report="nowhere.json")


def test_an_unreadable_target_is_flagged(source, target):
    """A broken row of the target is an event that did not arrive."""
    (part,) = (target / "data").iterdir()
    part.write_text(part.read_text(encoding="utf-8").replace("{", "", 1), encoding="utf-8")
    assert ("account", "records of the target that cannot be read") in flagged(
        translate.parity(source, target)
    )


# -- explanations -------------------------------------------------------------------------------------------------


def test_filters_of_a_recipe(source, tmp_path):
    """What a rule drops is told by its reason, and what it renames by the recipe."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        "to = 'clickstream/events'\n[[rule]]\nwhen = \"name = 'level'\"\ndrop = 'noise'\n"
        "[[rule]]\nwhen = \"name = 'purchase'\"\nset.currency = \"'USD'\"\n",
        encoding="utf-8",
    )
    translate.convert(source, to="clickstream", out=tmp_path / "out", recipe=recipe)
    found = translate.parity(source, tmp_path / "out", recipe=recipe)
    assert flagged(found) == set()
    assert value(found, "events", "2017-03-02 level") == (1, 0, "filtered (noise): -1")
    assert value(found, "revenue", "2017-03-02 USD") == (0, 5, "changed by the recipe own: +5.00")
    with pytest.raises(UsageError, match="say recipe="):
        translate.parity(source, tmp_path / "out")
    recipe.write_text(recipe.read_text().replace("noise", "other"))
    with pytest.raises(UsageError, match="is not the recipe"):
        translate.parity(source, tmp_path / "out", recipe=recipe)


def test_duplicates(tmp_path):
    """What --dedupe removed is told as duplicates; where they stay, nothing differs."""
    twice = archive(tmp_path / "twice.jsonl", [*LINES, LINES[-1]])
    translate.convert(twice, to="clickstream", out=tmp_path / "out", dedupe=True)
    assert value(translate.parity(twice, tmp_path / "out"), "events", "2017-03-02 level") == (
        2,
        1,
        "duplicates: -1",
    )
    translate.convert(twice, to="clickstream", out=tmp_path / "all")
    assert value(translate.parity(twice, tmp_path / "all"), "events", "2017-03-02 level") == (2, 2, "")


def test_added_and_merged_events(source, tmp_path):
    """What the passes add and fold is told."""
    translate.convert(source, to="clickstream", out=tmp_path / "added", add=["first_open"])
    found = translate.parity(source, tmp_path / "added")
    assert flagged(found) == set()
    assert value(found, "events", "2017-03-01 _first_open") == (0, 2, "added by --add first_open: +2")
    sample = ARCHIVE
    assert translate.convert(
        sample, to="clickstream", out=tmp_path / "engaged", add=["first_open", "engagement"]
    )["events"]["added"]
    engaged = translate.parity(sample, tmp_path / "engaged")
    assert flagged(engaged) == set()
    assert "added by --add first_open, --add engagement" in {cause["cause"] for cause in engaged.causes}
    assert translate.convert(sample, to="clickstream", out=tmp_path / "folded", fold=True)["events"]["merged"]
    folded = translate.parity(sample, tmp_path / "folded")
    assert flagged(folded) == set()
    assert "merged into another event" in {cause["cause"] for cause in folded.causes}


def test_what_dashboards_count_by(source, tmp_path):
    """First touches, session durations and engagement: on both sides, and what rows alone cannot tell is said."""
    translate.convert(source, to="clickstream", out=tmp_path / "out", add=["first_open", "engagement"])
    found = translate.parity(source, tmp_path / "out")
    assert flagged(found) == set()
    added = "--add first_open, --add engagement: "
    assert value(found, "first touches", "2017-03-01") == (0, 2, f"changed by {added}+2")
    assert value(found, "session duration", "2017-03-02") == (60, 60, "")
    assert value(found, "engagement time", "2017-03-02") == (0, 60, f"added by {added}+60")
    assert any(line.startswith("places: ") for line in found.to_json()["not_compared"])
    assert "rows alone do not tell:" in str(found)
    assert "first touches" not in {
        row["figure"] for row in translate.parity(source, source).to_json()["summary"]
    }


def test_a_touch_that_changed_is_flagged(source, tmp_path):
    """A row that says another first day, or a shorter engagement, shows where the dashboards would count it."""
    out = tmp_path / "out"
    translate.convert(source, to="clickstream", out=out, add=["first_open", "engagement"])

    def other(row):
        text = json.dumps(row).replace('"_engagement_time_msec": 60000', '"_engagement_time_msec": 59000')
        return json.loads(text.replace('"value": 14883', '"value": 14873'))

    changed(out, lambda rows: [other(row) for row in rows])
    assert {figure for figure, _ in flagged(translate.parity(source, out))} == {
        "first touches",
        "engagement time",
    }


def test_rejects_and_what_a_target_does_not_hold(source, tmp_path):
    """Personalize takes purchases only, and has no place for their currency."""
    archive(
        source,
        [
            *LINES,
            ("_monetization.purchase", 2, "c1", {"_currency": "EUR"}, {"_item_price": 1, "_quantity": 1}),
        ],
    )
    translate.convert(source, to="personalize", out=tmp_path / "out")
    found = translate.parity(source, tmp_path / "out")
    assert flagged(found) == set()
    assert value(found, "events", "2017-03-02 Purchase") == (2, 1, "rejected (missing_required): -1")
    assert value(found, "sessions", "2017-03-01")[2].startswith("filtered (purchases only")
    assert "personalize/interactions: no place for price" in value(found, "revenue", "2017-03-02 EUR")[2]


def test_selection_is_read_from_the_report(source, tmp_path):
    """What --until left out is told, and a limit compares what the run looked at."""
    translate.convert(source, to="clickstream", out=tmp_path / "until", until="2017-03-02")
    found = translate.parity(source, tmp_path / "until")
    assert flagged(found) == set()
    assert value(found, "sessions", "2017-03-02") == (1, 0, "filtered (--until): -1")
    translate.convert(source, to="clickstream", out=tmp_path / "limit", limit=2)
    limited = translate.parity(source, tmp_path / "limit")
    assert flagged(limited) == set()
    assert value(limited, "sessions", "2017-03-01") == (2, 2, "")


# -- shapes -------------------------------------------------------------------------------------------------------


def test_shapes(source, target):
    """The answer is a frame, JSON values, text and HTML, and says how much it did not explain."""
    changed(target, lambda rows: rows[1:])
    found = translate.parity(source, target)
    assert found.frame.columns[:6] == ["figure", "key", "source", "target", "difference", "explanation"]
    told = json.loads(json.dumps(found.to_json()))
    assert told["unexplained"] == found.unexplained == len(flagged(found))
    assert {
        "figure": "sessions",
        "key": "2017-03-01",
        "source": 2,
        "target": 1,
        "difference": -1,
        "explanation": "UNEXPLAINED: -1",
        "explained": False,
    } in told["figures"]
    assert "UNEXPLAINED" in str(found)
    assert "<table" in found._repr_html_()
    assert "that nothing explains" in repr(found)


def test_an_unfinished_target_is_refused(source, target):
    """A run that was interrupted is finished first."""
    (target / ".translate").mkdir()
    with pytest.raises(UsageError, match="unfinished"):
        translate.parity(source, target)
