"""Hub events as a lake: every event in its day, in its order, and taken as it is by engines over files."""

import datetime as dt
import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate import events
from translate.conversion import ordered
from translate.conversion.output import Output

ARCHIVE = Path(__file__).parent.parent / "sample_data" / "mobile_analytics" / "archive"
MIDNIGHT = dt.datetime(2017, 3, 1, tzinfo=dt.UTC)


def files_of(data):
    return sorted(data.glob("day=*/part-*.parquet"))


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """The sample archive as hub files and as a lake."""
    folder = tmp_path_factory.mktemp("lake")
    plain = translate.convert(ARCHIVE, to="hub", out=folder / "hub")
    report = translate.convert(ARCHIVE, to="hub", out=folder / "lake", lake=True)
    assert report["events"] == plain["events"]
    return folder


def test_every_event_is_there_once(laid):
    hub = pl.read_parquet(laid / "hub" / "data" / "*.parquet")
    found = pl.read_parquet(laid / "lake" / "data" / "**" / "*.parquet", hive_partitioning=False)
    found = found.rename({ordered.column_name(name): name for name in events.COLUMNS})
    found = found.with_columns(pl.col(pl.Datetime("us", "UTC")).cast(pl.Datetime("ms", "UTC")))
    by = ["file", "line", "event_id"]
    assert found.select(hub.columns).sort(by).equals(hub.sort(by))


def test_each_lies_in_its_day_in_order(laid):
    for file in files_of(laid / "lake" / "data"):
        day = dt.date.fromisoformat(file.parent.name.removeprefix("day="))
        frame = pl.read_parquet(file, hive_partitioning=False)
        assert frame["time"].dt.date().unique().to_list() == [day]
        assert frame.select("client_id", "time").equals(
            frame.select("client_id", "time").sort("client_id", "time")
        )
    assert {path.name for path in (laid / "lake").iterdir()} == {
        "data", "files.ndjson", "rejects.ndjson", "report.json", "schema.sql",
    }  # fmt: skip


def test_duckdb_takes_it_by_its_own_statement(laid, monkeypatch):
    monkeypatch.chdir(laid / "lake")
    report = json.loads(Path("report.json").read_text())
    _, _, statement = Path("schema.sql").read_text().partition("-- DuckDB")
    with duckdb.connect() as connection:
        connection.sql(statement.partition("\n")[2])
        ((count, days),) = connection.sql("SELECT count(*), count(DISTINCT day) FROM events").fetchall()
        ((named,),) = connection.sql(
            "SELECT count(*) FROM events WHERE attributes['level'] IS NOT NULL"
        ).fetchall()
        (kind,) = connection.sql("SELECT typeof(time), typeof(attributes) FROM events LIMIT 1").fetchall()
    assert count == report["events"]["written"]
    assert days == len({file.parent for file in files_of(Path("data"))})
    assert named > 0
    assert kind == ("TIMESTAMP WITH TIME ZONE", "MAP(VARCHAR, VARCHAR)")


def test_pyarrow_takes_it_as_a_dataset(laid):
    dataset = pa.dataset.dataset(laid / "lake" / "data", partitioning="hive")
    assert (
        dataset.count_rows() == json.loads((laid / "lake" / "report.json").read_text())["events"]["written"]
    )
    assert dataset.schema.field("time").type == pa.timestamp("us", "UTC")
    assert pa.types.is_map(dataset.schema.field("attributes").type)


def test_athena_is_told_all_columns_and_days(laid):
    statement = (laid / "lake" / "schema.sql").read_text()
    days = [file.parent.name.removeprefix("day=") for file in files_of(laid / "lake" / "data")]
    assert f"'projection.day.range' = '{min(days)},{max(days)}'" in statement
    frame = pl.read_parquet(files_of(laid / "lake" / "data")[0], hive_partitioning=False)
    told = [line.split()[0] for line in statement.partition("(\n")[2].partition("\n)")[0].splitlines()]
    assert told == frame.columns
    assert not [name for name in told if not name.replace("_", "").isalnum()]


@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from("abcdef"), st.integers(-3, 3), st.integers(0, 9)), max_size=60
    ),
    st.integers(1, 4000),
)
def test_whatever_fits_in_memory_the_order_is_the_same(tmp_path_factory, given_events, waiting_bytes):
    """Days that are more than memory should hold are divided by clients, and runs are put together."""
    folder = tmp_path_factory.mktemp("laid")
    frame = pl.DataFrame(
        [
            {"client_id": client, "time": MIDNIGHT + dt.timedelta(hours=9 * hours), "event_id": str(number), "line": tie}
            for number, (client, hours, tie) in enumerate(given_events)
        ],
        schema=events.SCHEMA,
    )  # fmt: skip
    part = folder / "part.parquet"
    frame.write_parquet(part, row_group_size=7)
    before = ordered.WAITING_BYTES, ordered.SAMPLE
    try:
        ordered.WAITING_BYTES, ordered.SAMPLE = waiting_bytes, 1
        (folder / "data").mkdir()
        days = ordered.lay_down([part], folder / "data", folder)
    finally:
        ordered.WAITING_BYTES, ordered.SAMPLE = before
    assert sum(days.values()) == frame.height
    for day, count in days.items():
        found = pl.concat(
            pl.read_parquet(file) for file in files_of(folder / "data") if str(day) in str(file)
        )
        expected = frame.filter(pl.col("time").dt.date() == day).sort(
            "client_id", "time", maintain_order=True
        )
        assert found["event_id"].to_list() == expected["event_id"].to_list()
        assert count == expected.height


@pytest.mark.parametrize(
    ("room", "step"), [(Output, "show_whole"), (Output, "complete")], ids=["before", "after"]
)
def test_a_lake_that_was_stopped_is_laid_down_again(tmp_path, monkeypatch, laid, room, step):
    """Be it before its data appear, or before the report vouches for them."""

    def stops(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(room, step, stops)
        translate.convert(ARCHIVE, to="hub", out=tmp_path / "out", lake=True)
    assert bool(files_of(tmp_path / "out" / "data")) == (step == "complete")
    translate.convert(ARCHIVE, to="hub", out=tmp_path / "out", lake=True)
    for file in files_of(laid / "lake" / "data"):
        assert (tmp_path / "out" / file.relative_to(laid / "lake")).read_bytes() == file.read_bytes()


def test_what_is_no_lake_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(translate.UsageError, match=r"say to=.hub"):
        translate.convert(ARCHIVE, to="clickstream", out="out", lake=True)
    assert not list(tmp_path.iterdir())
