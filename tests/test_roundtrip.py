"""There and back: through any layout an event comes back as it went, but for what the mappings declare."""

import datetime as dt
import itertools
import json

import pytest
from canonical import SAMPLES, zoo
from hub_events import frame_of, hub_event
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import translate
from translate import mapping
from translate.mapping.settings import Settings
from translate.telling import journey
from translate.telling.journey import INDEX, Roundtrip, differences, travel, undeclared
from translate.writer.losses import Plan
from translate.writer.writer import Writer

SETTINGS = Settings(tracking_id="tracker-1", day=dt.date(2026, 11, 20))
LAYOUTS = [
    layout.address
    for model in map(mapping.load, mapping.models())
    for layout in model.layouts.values()
    if layout.read and layout.write
]
MODELS = [mapping.load(model).default_layout().address for model in mapping.models()]
PAIRS = list(itertools.permutations(MODELS, 2))
ARCHIVE = SAMPLES / "mobile_analytics" / "archive_full.jsonl"


def went(address, frame, **options):
    """Take events through a layout."""
    return travel(frame, *mapping.find_layout(address), SETTINGS, **options)


def unexplained(found):
    """List the differences of a journey that nothing declares."""
    departed = {row[INDEX]: row for row in found.departed.to_dicts()}
    return [
        (departed[after[INDEX]]["name"], difference)
        for after in found.arrived.to_dicts()
        for difference in undeclared(
            differences(departed[after[INDEX]], after), found.declared.get(after[INDEX], {})
        )
    ]


def there_and_back(home, via, frame):
    """Take events of a layout through another one and home again; give the comparison."""
    roundtrip = Roundtrip(mapping.find_layout(home), mapping.find_layout(via), SETTINGS)
    roundtrip.add(frame)
    return roundtrip.comparison


def at_home(address, frame):
    """Give events as a layout can hold them."""
    return went(address, frame, keeps_extra=True).arrived.drop(INDEX)


@pytest.mark.parametrize("address", LAYOUTS)
def test_zoo_through_a_layout(address):
    """Every event of the zoo is written and read again by a layout, but for what it declares."""
    found = went(address, zoo())
    assert unexplained(found) == []
    assert found.unread == {}
    assert found.arrived.height + len(found.refused) == zoo().height


@pytest.mark.parametrize("address", LAYOUTS)
@given(st.lists(hub_event(), min_size=1, max_size=6))
def test_any_events_through_a_layout(address, drawn):
    """So is any event that the hub can hold."""
    found = went(address, frame_of(drawn))
    assert unexplained(found) == []
    assert found.unread == {}


@pytest.mark.parametrize("address", LAYOUTS)
@given(st.lists(hub_event(), min_size=1, max_size=6))
def test_what_a_layout_holds_it_keeps(address, drawn):
    """What came out of a layout goes through it again without any difference, declared or not."""
    found = went(address, at_home(address, frame_of(drawn)), keeps_extra=True)
    departed = {row[INDEX]: row for row in found.departed.to_dicts()}
    assert found.refused == {}
    assert [
        difference
        for after in found.arrived.to_dicts()
        for difference in differences(departed[after[INDEX]], after)
    ] == []


@pytest.mark.parametrize(("home", "via"), PAIRS)
def test_zoo_there_and_back(home, via):
    """Through any other model and home again the zoo differs in nothing that is not declared."""
    found = there_and_back(home, via, at_home(home, zoo()))
    assert dict(found.unexplained) == {}
    assert found.events["read"] == found.events["returned"] + found.events["refused"]


@pytest.mark.parametrize("home", LAYOUTS)
@hypothesis_settings(max_examples=2)
@given(st.lists(hub_event(), min_size=6, max_size=12))
def test_any_events_there_and_back(home, drawn):
    """So do any events, through each other layout: no pair is left to chance."""
    frame = at_home(home, frame_of(drawn))
    found = {via: dict(there_and_back(home, via, frame).unexplained) for via in LAYOUTS if via != home}
    assert found == {via: {} for via in LAYOUTS if via != home}


def test_an_undeclared_difference_is_seen(monkeypatch):
    """A loss that a mapping did not declare would be told."""
    monkeypatch.setattr(Writer, "plan", lambda _self: Plan())
    assert unexplained(went("personalize", zoo())) != []
    found = there_and_back("mobile_analytics", "personalize", at_home("mobile_analytics", zoo()))
    assert found.unexplained["client_id"] > 0


def test_a_value_that_comes_back_other_is_seen(monkeypatch):
    """A reader that cuts a text is caught, with the event that shows it."""
    original = journey._read

    def cut(lines, *rest):
        return original([line.replace("Samsung", "Sams") for line in lines], *rest)

    monkeypatch.setattr(journey, "_read", cut)
    report = translate.roundtrip(ARCHIVE, via="learning_context", examples=True)
    (entry,) = [entry for entry in report["undeclared"] if entry["field"] == "device.make"]
    assert entry["examples"][0]["before"] == "Samsung"
    assert entry["examples"][0]["after"] == "Sams"


def test_values_stay_out_of_the_report_unless_asked():
    """A report holds no values, but places and reasons."""
    report = translate.roundtrip(ARCHIVE, via="personalize")
    assert all("before" not in shown for entry in report["undeclared"] for shown in entry["examples"])
    assert json.loads(json.dumps(report)) == report


def test_an_archive_goes_there_and_back_in_batches(monkeypatch):
    """Batches add up, and a limit holds over all of them."""
    archive = SAMPLES / "mobile_analytics" / "archive"
    whole = translate.roundtrip(archive, via="clickstream", limit=60)
    monkeypatch.setattr(journey, "BATCH_EVENTS", 7)
    assert whole["events"]["read"] == 60
    assert translate.roundtrip(archive, via="clickstream", limit=60) == whole


def test_columns_of_ones_own_are_filled_on_the_way():
    """What a setting puts into a column of a dataset comes back under that column's name, and is told as moved there."""
    said = [
        "columns.DEVICE=device.platform",
        "columns.PRICE=price:double",
        "columns.LEVEL=attributes.level",
        "columns.LONG=attributes.level:int",
    ]
    report = translate.roundtrip(
        ARCHIVE.parent / "archive", via="personalize", set_=said, where="item_id is not null"
    )
    told = {(entry["field"], entry["why"]): entry["events"] for entry in report["differences"]}
    moved = "moved: into DEVICE, a column of the dataset's own"
    assert told["attributes.DEVICE", moved] == told["device.platform", moved] == report["events"]["returned"]
    assert told["price", "moved: into PRICE, a column of the dataset's own"] > 0
    assert report["undeclared"] == []


def test_a_limit_counts_what_cannot_be_read(tmp_path):
    """Of the first n records those that cannot be read are some, as in every other command."""
    event = ARCHIVE.read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "a.json").write_text(f'{{"cut\n{event}\n{{"cut\n{event}\n{{"cut', encoding="utf-8")
    for where in (None, "name <> 'x'"):
        found = [
            translate.roundtrip(tmp_path, via="pinpoint", limit=limit, where=where)["events"]
            for limit in range(1, 7)
        ]
        assert [each["read"] for each in found] == [0, 1, 1, 2, 2, 2]
        assert [each["unreadable"] for each in found] == [1, 1, 2, 2, 3, 3]
