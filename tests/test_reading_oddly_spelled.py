"""Files that hold what they should, spelled as no writer of ours would: arrays over lines, odd quotes, other types."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from damaged import ARCHIVE, record

import translate
from translate.archive.joined import join_records
from translate.archive.sources import find
from translate.errors import SourceError
from translate.reader.recognition import recognise

TIME = 1487973802507


@dataclass
class Reading:
    """What became of files: the events, the rejects, and the losses as place, kind and reason."""

    events: list[dict]
    rejects: list[dict]
    losses: set[tuple[str, str, str]]

    @property
    def names(self):
        """Give the events' names, in order."""
        return [event["name"] for event in self.events]

    @property
    def faults(self):
        """Give line and code of each reject."""
        return [(reject["line"], reject["code"]) for reject in self.rejects]


@pytest.fixture
def read(tmp_path):
    """Read files, given as texts or bytes, by way of a conversion to the hub."""

    def reading(*contents, address=None):
        source = tmp_path / "in"
        source.mkdir()
        for number, content in enumerate(contents):
            (source / f"file{number}").write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
        report = translate.convert(source, to="hub", out=tmp_path / "out", from_=address)
        events = [
            event
            for part in sorted((tmp_path / "out" / "data").glob("*"))
            for event in pl.read_parquet(part).to_dicts()
        ]
        rejects = tmp_path / "out" / "rejects.ndjson"
        told = (
            [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
            if rejects.exists()
            else []
        )
        assert report["events"]["read"] == len(events) + len(told)
        return Reading(
            events, told, {(loss["field"], loss["kind"], loss["why"]) for loss in report["losses"]}
        )

    return reading


# -- arrays ---------------------------------------------------------------------------------------------------------


def event(name):
    """Give an event of Clickstream."""
    return {
        "event_type": name,
        "event_id": name,
        "timestamp": TIME,
        "app_id": "shop",
        "attributes": {"list": [{"a": 1}, {"b": []}]},
    }


FEW = [event(name) for name in "abc"]
MANY = [event(f"event {number}") for number in range(900)]
ARRAYS = {
    "indented": (json.dumps(FEW, indent=4), FEW),
    "indented by nothing": (json.dumps(FEW, indent=0), FEW),
    "indented, CRLF": (json.dumps(FEW, indent=2).replace("\n", "\r\n"), FEW),
    "an element a line": ("[\n" + ",\n".join(map(json.dumps, FEW)) + "\n]\n", FEW),
    "commas first": ("[ " + "\n, ".join(map(json.dumps, FEW)) + "\n]", FEW),
    "blank lines between": ("[\n\n" + ",\n\n".join(map(json.dumps, FEW)) + "\n\n]\n", FEW),
    "two, and one on a line": (
        f"{json.dumps(FEW, indent=1)}\n{json.dumps(FEW)}\n{json.dumps(FEW, indent=1)}",
        FEW * 3,
    ),
    "after an indented request": (
        json.dumps({"query": {}, "body": FEW}, indent=1) + "\n" + json.dumps(FEW, indent=1),
        FEW * 2,
    ),
    "longer than records may be": (json.dumps(MANY, indent=4), MANY),
}


@pytest.mark.parametrize("form", ARRAYS)
def test_arrays_over_several_lines(read, form):
    """A request that is an array is recognised and read whole, however it is spread over lines."""
    text, events = ARRAYS[form]
    found = read(text)
    assert (found.names, found.rejects) == ([one["event_type"] for one in events], [])


def test_an_array_that_breaks_off_takes_nothing_with_it(read):
    """What follows an array that is cut off after a comma, or inside of an event, is read."""
    whole = json.dumps([event("whole")])
    after_comma = whole.removesuffix("]") + ","
    request = json.dumps({"query": {}, "body": [event("request")]})
    found = read(f"{after_comma}\n{whole}\n{request}\n{json.dumps(FEW)[:-40]}\n{whole}\n{request}\n")
    assert (found.names, found.faults) == (["whole", "request"] * 2, [(1, "incomplete"), (4, "incomplete")])


def test_a_stray_bracket_takes_no_record_with_it(read):
    """A line with nothing but a bracket costs itself alone, in an archive too."""
    found = read(f"[\n{record(1)}\n{record(2)}\n]\n{record(3)}\n", address=ARCHIVE)
    assert (found.names, [line for line, _ in found.faults]) == (["Level 1", "Level 2", "Level 3"], [1, 4])


def test_an_array_of_records_is_told_what_to_do_with(read, tmp_path):
    """Where each record should have a line of its own, an array of them is refused with a way out."""
    text = f"[\n{record(1)},\n{record(2)}\n]\n"
    (tmp_path / "array").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"array has its records in an array.*jq -c '\.\[\]'"):
        recognise(find([tmp_path / "array"]), None)
    found = read(text, address=ARCHIVE)
    assert found.faults == [(1, "not_a_record")]
    assert "jq -c '.[]'" in found.rejects[0]["message"]


def test_lines_of_json_are_no_rows():
    """Lines after one that is no JSON are put together as JSON is, whatever commas and quotes they hold."""
    text = b'no JSON\n{"a": ",\\""}\n{\n"b": ",\\""\n}\n{"c": 1}\n'
    blocks = [block for block in join_records(iter([text])) if isinstance(block, bytes)]
    assert b"".join(blocks) == b'no JSON\n{"a": ",\\""}\n{ "b": ",\\"" }\n\n\n{"c": 1}\n'


# -- tables ---------------------------------------------------------------------------------------------------------

HEADER = "event_type,event_timestamp,application_app_id,a_text\r\n"


def row(name, cell):
    """Give a row of the Redshift table with a cell as it is to stand there."""
    return f"{name},2017-02-24T22:03:22.507Z,shop,{cell}\r\n"


CELLS = {
    "long": (f'"{"x" * 200_000}"', "x" * 200_000),
    "a quote inside": ('5" screen', '5" screen'),
    "text behind a closing quote": ('"a"b', "ab"),
    "quotes": ('"a ""b"""', 'a "b"'),
    "a line break": ('"a\r\nb"', "a\r\nb"),
    "quotes and line breaks": ('"""a""\nb,""\n"""', '"a"\nb,"\n"'),
    "nothing but a quote": ('""""', '"'),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells(read, name):
    """A cell is read as written, whatever it holds, and the rows beside it are not touched."""
    cell, text = CELLS[name]
    found = read(HEADER + row("a", cell) + row("b", '"x"') + row("c", cell))
    assert found.rejects == []
    assert [event["attributes"] for event in found.events] == [{"text": value} for value in (text, "x", text)]


TABLE = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", "u,i,1460000000,View", "v,j,1460000001,View"


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_table_whose_lines_end_in_carriage_returns_alone(read, quote):
    """It is one long header to whoever splits lines: that is told, and not taken for a table without rows."""
    lines = [quote + line.replace(",", f"{quote},{quote}") + quote for line in TABLE]
    found = read("".join(f"{line}\r" for line in lines))
    assert [(reject["line"], reject["code"], reject["message"]) for reject in found.rejects] == [
        (
            1,
            "no_header",
            "the lines end in carriage returns alone; turn these into line feeds, as tr '\\r' '\\n' does",
        )
    ]


def test_line_breaks_that_were_made_twice(read):
    """As Windows makes them of a table that had its own: no value ends in a carriage return."""
    found = read("".join(f"{line}\r\r\n" for line in TABLE))
    assert [(event["item_id"], event["name"]) for event in found.events] == [("i", "View"), ("j", "View")]


def test_a_table_with_a_column_without_a_name(read):
    """As pandas writes its index: it is told, and keeps the table from nothing."""
    rows = zip(["", "0", "1"], TABLE, strict=True)
    found = read("".join(f"{number},{line}\n" for number, line in rows))
    assert [(event["item_id"], event["extra"]) for event in found.events] == [
        ("i", {"": '"0"'}),
        ("j", {"": '"1"'}),
    ]


def test_no_header(read):
    """Where the first line names no column that is needed, it is refused as a row, not left out."""
    found = read(row("a", "x") + row("b", "x"), address="mobile_analytics/redshift")
    assert found.faults == [(1, "no_header"), (2, "missing_required")]


def test_a_time_that_is_changed_twice(read):
    """A time without a zone and finer than milliseconds is told as both."""
    found = read(HEADER + "a,2017-02-24 22:03:22.507123,shop,x\r\n")
    assert {why for field, kind, why in found.losses if (field, kind) == ("event_timestamp", "changed")} == {
        "without a zone: read as UTC", "finer than milliseconds: floored",
    }  # fmt: skip


# -- Parquet --------------------------------------------------------------------------------------------------------

NOON = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)


def parquet(**columns):
    """Give the bytes of a Parquet file."""
    content = io.BytesIO()
    pl.DataFrame(columns).write_parquet(content)
    return content.getvalue()


@pytest.mark.parametrize(
    "columns",
    [
        {"time": ["2020-01-01"]},
        {"name": [1]},
        {"value": ["x"]},
        {"zone_offset": [1.5]},
        {"attributes": ["{}"]},
        {"attributes": [{"a": "1", "b": "2"}]},
        {"attributes": pl.Series([{"a": ["1"]}], dtype=pl.Map(pl.String, pl.List(pl.String)))},
        {"metrics": [["1"]]},
    ],
    ids=lambda columns: " ".join(f"{name} {pl.Series(cells).dtype}" for name, cells in columns.items()),
)
def test_hub_columns_of_other_types(read, columns):
    """A hub file with a column of another type is refused event by event, with the column's name."""
    found = read(parquet(**{"name": ["a"], "time": [NOON], **columns}))
    assert found.faults == [(1, "wrong_type")]
    assert f"column {next(iter(columns))} should be" in found.rejects[0]["message"]


def test_hub_times_and_columns_of_others(read):
    """What a hub file holds beyond the hub is told: finer times, times without a zone, columns that it does not know."""
    finer = dt.datetime(2020, 1, 1, 12, 0, 0, 123456)  # noqa: DTZ001  that is the case
    found = read(
        parquet(name=["a", "b"], time=[NOON, NOON], arrival_time=[finer, None], mine=["x", None]),
        address="hub",
    )
    assert found.losses == {
        ("arrival_time", "changed", "finer than milliseconds: floored"),
        ("arrival_time", "changed", "without a zone: read as UTC"),
        ("mine", "not_mapped", "no mapping or rule says where to"),
    }
    assert [event["arrival_time"] for event in found.events] == [
        dt.datetime(2020, 1, 1, 12, 0, 0, 123000, dt.UTC),
        None,
    ]


@pytest.mark.parametrize(
    ("cells", "kept", "is_told"),
    [
        ([2**53, 7, None], [2.0**53, 7.0, None], False),
        ([2**53 + 1, 7, None], [2.0**53, 7.0, None], True),
        (pl.Series([2**64 - 1, 7, None], dtype=pl.UInt64), [2.0**64, 7.0, None], True),
        (pl.Series(["0.10", "12345678901234567.25", "1e16"]).cast(pl.Decimal(30, 2)), [0.1, 12345678901234568.0, 1e16], True),
    ],
)  # fmt: skip
def test_numbers_of_a_hub_file_that_no_double_holds(read, cells, kept, is_told):
    """They are told, as those of other layouts are."""
    found = read(parquet(name=["a"] * 3, time=[NOON] * 3, value=cells), address="hub")
    assert [event["value"] for event in found.events] == kept
    assert found.losses == ({("value", "changed", "rounded to a double")} if is_told else set())


def test_whole_numbers_of_a_hub_file_that_the_hub_cannot_hold(read):
    """One costs its event, as in other layouts, not the run."""
    numbers = pl.Series([2**64 - 1, 7], dtype=pl.UInt64)
    found = read(parquet(name=["a", "b"], time=[NOON] * 2, **{"session.number": numbers}), address="hub")
    assert [event["session.number"] for event in found.events] == [7]
    assert [(reject["line"], reject["code"], reject["message"]) for reject in found.rejects] == [
        (1, "wrong_type", "session.number should be a whole number of 64 bits, but is 18446744073709551615")
    ]


@pytest.mark.parametrize("spelled", ["nan", "inf", "-inf"])
def test_what_is_no_number_in_a_hub_file(read, spelled):
    """It is refused before a target has to make something of it, as in metrics."""
    found = read(parquet(name=["a", "b"], time=[NOON] * 2, price=[float(spelled), 1.5]))
    assert [event["price"] for event in found.events] == [1.5]
    shown = {"nan": "NaN"}.get(spelled, spelled)
    assert [(reject["line"], reject["code"], reject["message"]) for reject in found.rejects] == [
        (1, "bad_number", f"price is {shown}, which is not a number")
    ]


def test_bytes_and_numbers_as_keys_in_a_hub_file(read):
    """Older writers keep texts as bytes, and maps of others have keys that are no texts: both are read as texts."""
    of_numbers = pl.Series([{1: "x"}] * 2, dtype=pl.Map(pl.Int64, pl.String))
    of_bytes = pl.Series([{b"k": b"1"}, {b"k": b"v"}], dtype=pl.Map(pl.Binary, pl.Binary))
    found = read(
        parquet(name=[b"a"] * 2, time=[NOON] * 2, attributes=of_numbers, user_properties=of_bytes),
        address="hub",
    )
    assert [(event["name"], event["attributes"], event["user_properties"]) for event in found.events] == [
        ("a", {"1": "x"}, {"k": "1"})
    ]
    assert found.rejects[0]["message"] == 'user_properties["k"] is not JSON: expecting value at character 1'


DELHI = dt.timezone(dt.timedelta(hours=5, minutes=30))


@pytest.mark.parametrize("address", ["hub", "mobile_analytics/redshift"])
def test_times_with_a_fixed_offset(read, address):
    """As pandas and Arrow write what had an offset and no place: polars, left alone, ends the process's thread over one."""
    names = {"hub": ("name", "time", "app.id")}.get(
        address, ("event_type", "event_timestamp", "application_app_id")
    )
    cells = ["a"], pa.array([NOON.astimezone(DELHI)], pa.timestamp("us", "+05:30")), ["shop"]
    content = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(dict(zip(names, cells, strict=True))), content)
    found = read(content.getvalue(), address=address)
    assert [(event["time"], event["app.id"]) for event in found.events] == [(NOON, "shop")]


def test_a_table_with_times_to_the_nanosecond(read):
    """A text keeps all that stood in the cell; a time of the event is floored, and that is told."""
    moment = pl.Series([1460000000123456789, 1460000000123456000], dtype=pl.Datetime("ns"))
    found = read(
        parquet(
            event_type=["a", "b"],
            event_timestamp=moment,
            application_app_id=["shop"] * 2,
            a_at=moment,
            a_clock=[dt.time(1, 2, 3, 4), dt.time(1)],
        ),
        address="mobile_analytics/redshift",
    )
    assert [(event["attributes"]["at"], event["attributes"]["clock"]) for event in found.events] == [
        ("2016-04-07T03:33:20.123456789", "01:02:03.000004"),
        ("2016-04-07T03:33:20.123456", "01:00:00"),
    ]
    assert [event["time"].microsecond for event in found.events] == [123000, 123000]


def test_maps_in_a_table_whose_keys_are_no_texts(read):
    """JSON has only such, and a column that nothing reads costs no run."""
    maps = pl.Series([{1: 2.5}, None], dtype=pl.Map(pl.Int64, pl.Float64))
    found = read(
        parquet(
            event_type=["a", "b"],
            event_timestamp=[NOON] * 2,
            application_app_id=["shop"] * 2,
            a_map=maps,
            levels=maps,
        ),
        address="mobile_analytics/redshift",
    )
    assert [event["attributes"] for event in found.events] == [{"map": '{"1":2.5}'}, None]


def test_bytes_in_a_table(read):
    """Bytes are read as the text that older writers kept in them; others are shown in base64, and stop no run."""
    found = read(
        parquet(
            event_type=[b"a", b"b"],
            event_timestamp=[NOON, NOON],
            application_app_id=[b"shop"] * 2,
            a_x=[b"text", b"\xff"],
        )
    )
    assert [event["attributes"]["x"] for event in found.events] == ["text", '{"base64":"/w=="}']


def test_a_foreign_table_is_one_reject(read):
    """A Parquet file that is of no layout counts as one, as any other file does; a broken one says that it is broken."""
    broken = parquet(name=["a"], time=[NOON])[:-9]
    found = read(record(1), parquet(x=[1, 2, 3]), broken)
    assert [(reject["file"], reject["code"]) for reject in found.rejects] == [
        ("file1", "not_recognised"),
        ("file2", "bad_parquet"),
    ]


# -- requests -------------------------------------------------------------------------------------------------------


def test_a_query_in_the_path(read):
    """A captured request that has its query in the path alone is read as one that has it beside."""
    body = [{name: value for name, value in event("a").items() if name != "app_id"}]
    found = read(json.dumps({"method": "POST", "raw_path": "/collect?platform=Web&appId=shop", "body": body}))
    assert [(one["app.id"], one["device.platform"]) for one in found.events] == [("shop", "Web")]


def test_a_reject_names_the_place_around_the_events(read):
    """A half surrogate pair around the events is told by its place in the record."""
    found = read('{"query":{"appId":"\\ud83d"},"body":[' + json.dumps(event("a")) + "]}")
    assert [reject["message"] for reject in found.rejects] == [
        "query.appId holds half of a surrogate pair (\\ud83d)"
    ]


def test_a_member_with_a_dot_stays_its_events_own(tmp_path):
    """An unknown member of an event whose name begins as the way to the events does is written back into the event."""
    own = event("a") | {"body.x": 1, "query.y": 2, "odd.z": 3}
    (tmp_path / "in").write_text(json.dumps({"query": {"appId": "shop"}, "body": [own]}), encoding="utf-8")
    translate.convert(tmp_path / "in", to="clickstream/requests", out=tmp_path / "out")
    (written,) = (tmp_path / "out" / "data").glob("*")
    request = json.loads(written.read_text(encoding="utf-8"))
    assert {"body.x": 1, "query.y": 2, "odd.z": 3}.items() <= json.loads(request["body"])[0].items()
    assert request.keys() == {"query", "body"}
