"""What holds for every model: a new mapping file meets these tests at once."""

import datetime as dt
import re

import polars as pl
import pytest
from canonical import judged, zoo
from receivers import parsed

import translate
from translate import events, mapping
from translate.conversion.plan import from_hub, without_recipe
from translate.mapping.parse import parse
from translate.mapping.settings import Settings
from translate.reader.hub import Hub
from translate.reader.reader import Reader
from translate.vocabulary.spelling import EventNames
from translate.writer.packing import ROW
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, Writer

MODELS = mapping.models()
LAYOUTS = [layout.address for model in MODELS for layout in mapping.load(model).layouts.values()]
WRITABLE = [address for address in LAYOUTS if mapping.find_layout(address)[1].write]
READABLE = [address for address in LAYOUTS if mapping.find_layout(address)[1].read]


@pytest.mark.parametrize("model", MODELS)
def test_loads(model):
    """A model's file is accepted, names itself, and links to the vendor's page."""
    file = mapping.folder() / f"{model}.toml"
    loaded = parse(file)
    assert loaded == mapping.load(model)
    assert re.fullmatch(r"[a-z_]+", model)
    assert loaded.title
    assert re.match(r"https?://\S+$", loaded.source)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", loaded.digest)
    assert loaded.default_layout().write


@pytest.mark.parametrize("address", LAYOUTS)
def test_cites_its_sources(address):
    """A layout tells what it is and where that is written; each limit and check cites a page, a document or a reader."""
    _, layout = mapping.find_layout(address)
    assert layout.about
    assert layout.source
    of_requests = layout.request.limits if layout.request else {}
    for limit in [
        *layout.limits.values(),
        *layout.checks.values(),
        *layout.archive_limits.values(),
        *of_requests.values(),
    ]:
        assert len(limit.source) > 10


@pytest.mark.parametrize("address", LAYOUTS)
def test_says_why_it_cannot(address):
    """What a layout cannot hold has a reason, and no place after all, but one that has to be asked for."""
    _, layout = mapping.find_layout(address)
    assert all(layout.cannot.values())
    held = {column for entry in layout.all_fields if entry.asked is None for column in entry.carries}
    assert not held & layout.cannot.keys()


@pytest.mark.parametrize("address", WRITABLE)
@pytest.mark.parametrize("keep_names", [False, True])
def test_zoo_survives(address, keep_names):
    """Each event of the zoo is written, rejected with code and message, or filtered by a named rule."""
    found, layout = mapping.find_layout(address)
    rows = judged(
        zoo(),
        found,
        layout,
        Settings(keep_names=keep_names, app_ids={"0123456789abcdef0123456789abcdef": "shop"}),
    )
    assert rows.height == zoo().height
    for row in rows.iter_rows(named=True):
        assert (row["code"] is None) == (row["message"] is None)
        if row["code"] is None and row[FILTERED] is None and ROW in row:
            assert isinstance(parsed(row[ROW]), dict)


@pytest.mark.parametrize("address", WRITABLE)
def test_what_is_lost_can_be_counted(address):
    """Each loss and finding that a layout announces is an expression over the written rows, and has a reason."""
    found, layout = mapping.find_layout(address)
    writer = Writer(found, layout, Settings(app_ids={"a": "b"}), Source(frozenset(events.SCHEMA), {}))
    rows = writer.rows(without_recipe(from_hub(zoo().lazy())))
    plan = writer.plan()
    counts = rows.select(
        *(loss.events.sum().alias(f"loss{number}") for number, loss in enumerate(plan.losses)),
        *(finding.events.sum().alias(f"finding{number}") for number, finding in enumerate(plan.findings)),
    )
    assert counts.collect().height == 1
    assert all(
        loss.field and loss.why and loss.kind in ("cannot", "not_mapped", "changed") for loss in plan.losses
    )
    assert all(finding.code and finding.message for finding in plan.findings)


@pytest.mark.parametrize("address", WRITABLE)
def test_no_column_is_lost_in_silence(address):
    """Each hub column is carried by a layout, told as a loss, or part of what travels by itself."""
    found, layout = mapping.find_layout(address)
    writer = Writer(found, layout, Settings(), Source(frozenset(events.SCHEMA), {}))
    told = {loss.field for loss in writer.plan().losses}
    carried = writer._losses.carried()
    by_key = {"attributes", "metrics", "other", "extra"}  # told key by key
    assert events.SCHEMA.keys() - carried - told - by_key == {"file", "line"}


@pytest.mark.parametrize("address", READABLE)
def test_can_be_read(address):
    """A readable layout has a reader, and gives every hub column its type."""
    found, layout = mapping.find_layout(address)
    assert Reader(layout).schema
    assert {"name", "time"} <= Hub(found, layout, Settings()).provided


def test_models_are_listed():
    """`models()` lists the layouts of every mapping, and the hub."""
    listed = {f"{row['model']}/{row['layout']}" for row in translate.models().iter_rows(named=True)}
    assert listed == {*LAYOUTS, "hub/events"}
    assert (
        translate.models().group_by("model").agg(defaults=translate.models()["default"].sum() > 0).height
        == len(MODELS) + 1
    )


NAMES = [f"{before}{name}" for name in events.WELL_KNOWN for before in ("", "custom.", "custom.custom.")]
TRAVELLED = [address for address in WRITABLE if mapping.find_layout(address)[1].original_names]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", sorted({*MODELS} - {address.partition("/")[0] for address in TRAVELLED}))
def test_names_come_back(model, name):
    """A well-known name, and an app's own of the same spelling, are told apart in every model where the original does not travel."""
    loaded = mapping.load(model)
    names = EventNames(loaded.names, loaded.phase_of_others, make_legal=False)
    written = names.spelled(pl.lit(name))
    back = pl.select(names.read(written)).item()
    spelling = loaded.names.get(name)
    by_phase = spelling is not None and spelling.phase is not None  # told apart by START, UPDATE and END
    is_unspelled = name not in loaded.names and back not in events.WELL_KNOWN
    assert back == name or by_phase or is_unspelled, pl.select(written).item()


@pytest.mark.parametrize("address", [address for address in TRAVELLED if address.endswith("/events")])
def test_names_travel_along(address, tmp_path):
    """Where a name would come back as another one, the original travels in the row."""
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    times = [moment + dt.timedelta(seconds=second) for second, _ in enumerate(NAMES)]
    ids = {
        "client_id": "client",
        "user_id": "user-1",
        "session.id": "s",
        "session.start": moment,
        "app.id": "app",
    }
    rows = translate.write(pl.DataFrame({"name": NAMES, "time": times, **ids}), to=address).collect()["row"]
    (tmp_path / "rows.ndjson").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    assert translate.scan(tmp_path / "rows.ndjson", from_=address).collect()["name"].to_list() == NAMES
