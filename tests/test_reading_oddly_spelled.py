"""Files that hold what they should, spelled as no writer of ours would: arrays over lines, odd quotes, other types."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import dataclass

import polars as pl
import pytest
from damaged import ARCHIVE, record

import translate
from translate.archive.lines import join_records
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
    assert [block for block in join_records(iter([text])) if block.strip()] == [
        b"no JSON\n",
        b'{"a": ",\\""}\n',
        b'{ "b": ",\\"" }\n\n\n',
        b'{"c": 1}\n',
    ]


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
    ],
    ids=lambda columns: next(iter(columns)),
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
