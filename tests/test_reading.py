"""Reading every layout: the samples are what they claim, and damage costs what is damaged and no more."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import io
import json
import sys
from dataclasses import dataclass

import fastavro
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from canonical import SAMPLES, zoo
from polars.testing import assert_frame_equal

import translate
from translate import events

sys.path.append(str(SAMPLES))
import layouts
from wrapping import compact, lines, zipped

READABLE = [(row["model"], row["layout"]) for row in translate.models().iter_rows(named=True) if row["read"]]
BEYOND_64_BITS = "12345678901234567890"
DEEP = "[" * 600 + "]" * 600


@dataclass
class Reading:
    """What became of a file: its events, its rejects as line, code, message and text, and the report."""

    events: list[dict]
    rejects: list[dict]
    report: dict

    @property
    def names(self):
        """Give the events' names, in order."""
        return [event["name"] for event in self.events]

    @property
    def faults(self):
        """Give line and code of each reject."""
        return [(reject["line"], reject["code"]) for reject in self.rejects]

    def losses(self, kind):
        """Give the places that lost something of a kind, and in how many events."""
        return {loss["field"]: loss["events"] for loss in self.report["losses"] if loss["kind"] == kind}


@pytest.fixture
def read(tmp_path):
    """Read files by way of a conversion to the hub."""

    def reading(address, *texts, name="file", **options):
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        (folder / "in").mkdir(parents=True)
        for number, text in enumerate(texts):
            content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            (folder / "in" / f"{name}{number}").write_bytes(content)
        report = translate.convert(folder / "in", to="hub", out=folder / "out", from_=address, **options)
        parts = sorted((folder / "out" / "data").glob("*.parquet"))
        events = [event for part in parts for event in pl.read_parquet(part).to_dicts()]
        rejects = folder / "out" / "rejects.ndjson"
        told = rejects.read_text(encoding="utf-8").splitlines() if rejects.exists() else []
        counts = report["events"]
        assert counts["read"] == counts["written"] + counts["rejected"] == len(events) + len(told)
        return Reading(events, [json.loads(line) for line in told], report)

    return reading


# -- the samples ------------------------------------------------------------------------------------------------


def test_samples_are_what_the_generator_makes():
    """Each sample file of the layouts is what sample_data/generate.py writes; Parquet is compared as a table."""
    for name, text in layouts.TEXTS.items():
        assert (SAMPLES / name).read_bytes().decode() == text, f"{name}: run sample_data/generate.py"
    for name, frame in layouts.tables().items():
        assert_frame_equal(pl.read_parquet(SAMPLES / name), frame)


@pytest.mark.parametrize(("model", "layout"), READABLE)
def test_every_readable_layout_has_samples(model, layout):
    """A layout that can be read has a sample that shows its fields, and one with only what is required."""
    kinds = {
        file.name.removeprefix(f"{layout}_").partition(".")[0]
        for file in (SAMPLES / model).glob(f"{layout}_*")
    }
    assert kinds >= ({"full"} if model == "hub" else {"full", "minimal"})


def content(file):
    """Give a sample's events without where they came from."""
    return translate.scan(SAMPLES / file).collect().drop("file", "line")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pinpoint/event_stream_run_together.json", "pinpoint/event_stream_full.jsonl"),
        ("pinpoint/event_stream_mixed.json", "pinpoint/event_stream_full.jsonl"),
        ("mobile_analytics/redshift_full.parquet", "mobile_analytics/redshift_full.csv"),
        ("learning_context/requests_full.jsonl", "learning_context/events_full.jsonl"),
    ],
)
def test_the_same_events_in_another_form(one, other):
    """Events read the same however their records lie in a file."""
    assert_frame_equal(content(one), content(other))


def test_requests_and_rows_hold_the_same_events():
    """Events of the Clickstream samples are the same in a request, as plain text or gzipped, and in a row of the buffer."""
    single = content("clickstream/events_full.jsonl").drop("extra", *events.ENVELOPE)
    for layout, numbers in (("requests", range(9)), ("raw", [*range(7), 9, 10])):
        there = content(f"clickstream/{layout}_full.jsonl").drop("extra", "arrival_time", *events.ENVELOPE)
        assert_frame_equal(there, single[list(numbers)].drop("arrival_time"))


def test_the_zoo_as_parquet():
    """The hub's own file gives the zoo back, but for where its events came from."""
    assert_frame_equal(
        content("hub/events_full.parquet").drop("event_id"), zoo().drop("file", "line", "event_id")
    )
    given = zoo()["event_id"].is_not_null()
    assert_frame_equal(
        content("hub/events_full.parquet").filter(given)["event_id"].to_frame(),
        zoo().filter(given)["event_id"].to_frame(),
    )


def test_the_schema_beside_the_interactions():
    """The sample's Avro schema names the table's columns, and its values are of the types it gives."""
    table = pl.read_csv(
        SAMPLES / "personalize" / "interactions_full.csv", schema_overrides={"EVENT_VALUE": pl.Float64}
    )
    schema = json.loads(
        (SAMPLES / "personalize" / "interactions_full.schema.json").read_text(encoding="utf-8")
    )
    assert [field["name"] for field in schema["fields"]] == table.columns
    fastavro.writer(io.BytesIO(), fastavro.parse_schema(schema), table.to_dicts(), validator=True)


# -- damage in requests -----------------------------------------------------------------------------------------


CLICK = {
    "event_type": "click",
    "event_id": "e-1",
    "timestamp": 1667877566697,
    "app_id": "shop",
    "attributes": {},
}
PERSONALIZE_EVENT = {"eventType": "click", "sentAt": 1553631760, "itemId": "i"}
# For each layout of requests: one event of it, and what makes a request of a list of them.
REQUESTS = {
    "clickstream/requests": (CLICK, lambda events: {"query": {"appId": "shop"}, "body": events}),
    "clickstream/raw": (
        CLICK,
        lambda events: {"appId": "shop", "data": compact(events), "ingest_time": 1667877570000},
    ),
    "learning_context/requests": (
        {"action": "UPDATE", "type": "click", "timestamp": 1365772427, "entities": []},
        lambda events: {"data": events},
    ),
    "mobile_analytics/requests": (
        {"eventType": "click", "timestamp": "2017-02-24T21:53:22.531Z"},
        lambda events: {"client_context": {"client": {"client_id": "c"}}, "body": {"events": events}},
    ),
    "personalize/requests": (
        PERSONALIZE_EVENT,
        lambda events: {"trackingId": "t", "sessionId": "s", "eventList": events},
    ),
    "pinpoint/requests": (
        {"EventType": "click", "Timestamp": "2018-02-02T02:15:24.812Z"},
        lambda events: {
            "ApplicationId": "a",
            "EventsRequest": {
                "BatchItem": {"ep": {"Events": {str(n): event for n, event in enumerate(events)}}}
            },
        },
    ),
}


@pytest.mark.parametrize("address", REQUESTS)
def test_a_broken_request_costs_its_line(address, read):
    """A line that is no JSON, one that is cut off and one without events cost these lines; the events around them are read."""
    event, request = REQUESTS[address]
    good = compact(request([event, event]))
    found = read(address, f"{good}\n{{,}}\n{good[:-3]}\n{{}}\n{good}\n")
    assert found.names == ["click"] * 4
    assert [event["line"] for event in found.events] == [1, 1, 5, 5]
    assert found.faults == [(2, "bad_json"), (3, "incomplete"), (4, "not_a_record")]
    assert found.rejects[1]["raw"] == good[:-3]


@pytest.mark.parametrize("address", REQUESTS)
def test_a_broken_event_costs_that_event(address, read):
    """Events that are none, lack their name or have a text for a time are rejected alone, with their own text."""
    event, request = REQUESTS[address]
    names = {"eventType", "EventType", "event_type", "type"}
    times = {"timestamp", "Timestamp", "sentAt"}
    nameless = {key: value for key, value in event.items() if key not in names}
    timeless = {key: ("noon" if key in times else value) for key, value in event.items()}
    found = read(address, lines(request([event, 5, nameless, event, timeless, [], event])))
    assert found.names == ["click"] * 3
    assert found.faults == [
        (1, "not_a_record"),
        (1, "missing_required"),
        (1, "bad_time"),
        (1, "not_a_record"),
    ]
    assert [json.loads(reject["raw"]) for reject in found.rejects] == [5, nameless, timeless, []]
    assert next(name for name in names if name in event) in found.rejects[1]["message"]


@pytest.mark.parametrize("address", REQUESTS)
def test_deep_nesting_and_half_characters_cost_an_event(address, read):
    """What is nested too deeply, or holds half of a surrogate pair, is rejected alone."""
    event, request = REQUESTS[address]
    if address == "clickstream/raw":
        request = REQUESTS["clickstream/requests"][1]
        address = "clickstream/requests"
    text = compact(request([event, {**event, "odd": "DEEP"}, {**event, "odd": "HALF"}, event]))
    found = read(address, text.replace('"DEEP"', DEEP).replace("HALF", "\\ud83d") + "\n")
    assert found.names == ["click"] * 2
    assert found.faults == [(1, "bad_json"), (1, "bad_text")]
    assert "too deep" in found.rejects[0]["message"]
    assert "\\ud83d" in found.rejects[1]["raw"]


def test_a_body_that_is_no_text_of_json(read):
    """Text that is neither JSON nor base64, broken gzip, bytes that are no text, null and nothing are told apart from events."""
    packed = zipped(compact([CLICK]))
    bodies = [
        "@ no @",
        packed[:-20],
        base64.b64encode(b"\xff\xfe").decode(),
        "aGVsbG8=",
        base64.b64encode(gzip.compress(b"[1", mtime=0)).decode(),
        None,
        5,
    ]
    found = read(
        "clickstream/requests",
        lines(*({"query": {}, "body": body} for body in bodies), {"query": {}, "body": packed}),
    )
    assert [event["line"] for event in found.events] == [8]
    codes = ["bad_body", "bad_body", "bad_body", "bad_json", "bad_json", "not_a_record", "not_a_record"]
    assert found.faults == list(enumerate(codes, 1))
    assert found.rejects[0]["message"] == 'body is neither JSON nor base64 of it: "@ no @"'


@pytest.mark.parametrize("wrap", [
    lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    lambda text: base64.encodebytes(text.encode()).decode(),
    lambda text: zipped(text).replace("+", "-").replace("/", "_"),
    lambda text: f"\ufeff {text}\n",
], ids=["the URL's alphabet", "in lines", "gzip in the URL's alphabet", "blanks around it"])  # fmt: skip
def test_base64_as_senders_write_it(wrap, read):
    """Base64 is read in either alphabet and with line breaks, JSON with blanks around it."""
    text = compact([{**CLICK, "attributes": {"odd": "ü?>~😀" * 20}}])
    found = read("clickstream/requests", lines({"query": {}, "body": wrap(text)}))
    assert found.events[0]["attributes"] == {"odd": "ü?>~😀" * 20}


def test_what_stands_around_the_events_may_be_broken(read):
    """A request whose context cannot be read costs that line; one whose context is of a wrong type, too."""
    good = {
        "client_context": {"client": {"client_id": "c"}},
        "body": {"events": [REQUESTS["mobile_analytics/requests"][0]]},
    }
    bad = [
        {**good, "client_context": "e30"},
        {**good, "client_context": {"client": []}},
        {**good, "client_context": {"client": {"client_id": True}}},
    ]
    found = read("mobile_analytics/requests", lines(*bad, good))
    assert found.names == ["click"]
    assert found.faults == [(1, "bad_body"), (2, "wrong_type"), (3, "wrong_type")]


# -- nothing is lost, nothing invented --------------------------------------------------------------------------


CONTAINERS = {
    "clickstream/requests": ("attributes", lambda values: values),
    "clickstream/raw": ("attributes", lambda values: values),
    "learning_context/requests": (
        "entities",
        lambda values: [{"key": key, "value": value} for key, value in values.items()],
    ),
    "mobile_analytics/requests": ("metrics", lambda values: values),
    "pinpoint/requests": ("Metrics", lambda values: values),
    "personalize/requests": ("properties", compact),
}


@pytest.mark.parametrize("address", CONTAINERS)
def test_numbers_keep_every_digit_and_keys_their_order(address, read):
    """Whole numbers beyond 64 bits come out as they stood, in every layout's own container, and keys in their order."""
    event, request = REQUESTS[address]
    place, wrap = CONTAINERS[address]
    values = {
        "z": int(BEYOND_64_BITS),
        "a": -(2**63),
        "m": 2**63,
        "big": 10**37 + 1,
        "b": 0.1,
        "zero": 0,
        "0": 5e-324,
    }
    (got,) = read(address, lines(request([{**event, place: wrap(values)}]))).events
    expected = {key: str(value) for key, value in values.items()} | {"0": f"{5e-324:.324f}"}
    assert list(got["metrics"].items()) == list(expected.items())


def test_whole_columns_of_64_bits(read):
    """A whole number that no 64 bits hold is refused where a column needs one, and kept where the value can stay a free one."""
    refused = read(
        "clickstream/requests",
        lines({"body": [{**CLICK, "zone_offset": 2**63}, {**CLICK, "screen_width": 2**63 - 1}]}),
    )
    assert refused.faults == [(1, "wrong_type")]
    assert refused.events[0]["device.screen_width"] == 2**63 - 1
    kept = read(
        "clickstream/requests",
        lines({"body": [{**CLICK, "attributes": {"_session_number": 2**63, "_session_duration": 1.5}}]}),
    )
    assert kept.events[0]["metrics"] == {"_session_number": str(2**63), "_session_duration": "1.5"}
    assert kept.events[0]["session.number"] is None


def test_numbers_in_tables(read):
    """A table's numbers keep their digits; a cell that is no number costs its row."""
    head = "event_type,event_timestamp,application_app_id,m_a\n"
    row = "x,2016-04-26 05:12:33,app,"
    found = read(
        "mobile_analytics/redshift",
        head
        + "".join(f"{row}{cell}\n" for cell in (BEYOND_64_BITS, "1e5", "-0", "007", "NaN", "one", '""', "")),
    )
    metrics = [event["metrics"] for event in found.events]
    assert metrics == [{"a": BEYOND_64_BITS}, {"a": "100000"}, {"a": "0"}, None]
    assert found.faults == [(line, "wrong_type") for line in (5, 6, 7, 8)]


@pytest.mark.parametrize(
    "text",
    ["not ours", "[]", '{"name":1}', '{"colour":{"a":"b"}}', '{"attributes":["a"]}', "", "[" * 100_000],
    ids=lambda text: text[:20],
)
def test_a_translate_names_that_is_not_ours_stays_an_attribute(text, read):
    """What only looks like the names that the writer left is an attribute like any other."""
    (got,) = read(
        "clickstream/events",
        lines({**CLICK, "zone_offset": 0, "attributes": {"translate_names": text, "a": "b"}}),
    ).events
    assert got["name"] == "click"
    assert got["attributes"] == {"a": "b", "translate_names": text}


def test_unknown_members_travel_by_their_path(read):
    """What no field names comes as `extra`, by its path in the record, marked if it lay around the events; dots inside of a name are escaped."""
    event = {
        **REQUESTS["pinpoint/requests"][0],
        "Session": {"Id": "s", "StartTimestamp": "2018-02-02T02:15:24Z", "a.b": 1},
        "odd.one": [None],
    }
    request = {
        "ApplicationId": "a",
        "EventsRequest": {
            "more": True,
            "BatchItem": {"ep": {"Endpoint": {"OptOut": "ALL"}, "Events": {"e": event}}},
        },
        "X": {},
    }
    (got,) = read("pinpoint/requests", lines(request)).events
    assert got["extra"] == {
        "^X": "{}", "^EventsRequest.more": "true", "^EventsRequest.BatchItem.*.Endpoint.OptOut": '"ALL"', "Session.a\\.b": "1", "odd.one": "[null]",
    }  # fmt: skip


def test_what_the_transport_says_is_told(read):
    """What is made anew for each request, and what a request says otherwise than its event, is a loss that the report names."""
    row = {
        "appId": "other",
        "rid": "r",
        "uri": "/collect",
        "compression": "gzip",
        "ingest_time": 1667877570000,
        "data": zipped(compact([CLICK, CLICK])),
    }
    found = read("clickstream/raw", lines(row))
    assert [event["app.id"] for event in found.events] == ["shop", "shop"]
    assert found.losses("on_purpose") == {"appId": 2, "rid": 2, "uri": 2, "compression": 2}


def test_a_body_beside_what_belongs_around_it(read):
    """Where a body lies open beside its application or its context, both count."""
    event = REQUESTS["pinpoint/requests"][0]
    (got,) = read(
        "pinpoint/requests", lines({"ApplicationId": "a", "BatchItem": {"ep": {"Events": {"e": event}}}})
    ).events
    assert (got["app.id"], got["client_id"], got["event_id"], got["extra"]) == ("a", "ep", "e", None)
    event = REQUESTS["mobile_analytics/requests"][0]
    (got,) = read(
        "mobile_analytics/requests",
        lines({"clientContext": '{"client":{"client_id":"c"}}', "events": [event]}),
    ).events
    assert (got["client_id"], got["extra"]) == ("c", None)


@pytest.mark.parametrize(
    ("address", "row", "unit"),
    [
        ("clickstream/events", {**CLICK, "timestamp": 1460000000}, "seconds"),
        ("clickstream/events", {**CLICK, "timestamp": 1460000000000000}, "microseconds"),
        (
            "learning_context/events",
            {"action": "UPDATE", "type": "a", "timestamp": 1460000000000, "entities": []},
            "milliseconds",
        ),
        (
            "personalize/requests",
            {"trackingId": "t", "sessionId": "s", "eventList": [{"eventType": "a", "sentAt": 1460000000000}]},
            "milliseconds",
        ),
    ],
)
def test_the_hint_at_another_unit(address, row, unit, read):
    """A time in another unit than the layout's is refused, and the message says in which it would make sense."""
    (reject,) = read(address, lines(row)).rejects
    assert reject["code"] == "time_implausible"
    assert reject["message"].endswith(f"; as {unit} it would make sense")


def test_members_twice(read):
    """Of a doubled member the last stays, around the events as within them, and the report says so."""
    text = '{"query":{"appId":"shop"},"body":[5],"body":[{"event_type":"a","event_type":"click","event_id":"e","timestamp":1667877566697}]}\n'
    found = read("clickstream/requests", text)
    assert found.names == ["click"]
    assert found.losses("changed") == {"body": 1, "event_type": 1}


# -- tables -----------------------------------------------------------------------------------------------------


HEAD = "event_type,event_timestamp,application_app_id,a_x\n"
ROW = "x,2016-04-26 05:12:33,app,"


def test_rows_that_are_short_or_long(read):
    """A row with fewer or more cells than the header is rejected; those around it are read."""
    found = read("mobile_analytics/redshift", f"{HEAD}{ROW}1\nx,y\n{ROW}2,3\n{ROW}4\n")
    assert [event["attributes"] for event in found.events] == [{"x": "1"}, {"x": "4"}]
    assert [(reject["line"], reject["code"], reject["message"]) for reject in found.rejects] == [
        (3, "bad_row", "has 2 cells, but the header 4 columns"), (4, "bad_row", "has 5 cells, but the header 4 columns"),
    ]  # fmt: skip


def test_files_of_other_columns(read):
    """Each file of a table has a header of its own, in any order."""
    other = "a_y,application_app_id,event_timestamp,event_type\n2,app,2016-04-26 05:12:33,x\n"
    found = read("mobile_analytics/redshift", f"{HEAD}{ROW}1\n", other, HEAD, f"\ufeff{HEAD}{ROW}3")
    assert [(event["file"][-1], event["line"], event["attributes"]) for event in found.events] == [
        ("0", 2, {"x": "1"}), ("1", 2, {"y": "2"}), ("3", 2, {"x": "3"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"one\ntwo"', "one\ntwo"), ('"one\r\ntwo\r\n"', "one\r\ntwo\r\n"), ('"\n\n"', "\n\n"), ('"a,b"', "a,b"), ('"say ""a"",\nb"', 'say "a",\nb'),
        ('""', ""), ('""""', '"'), ("plain", "plain"), ('in"side', 'in"side'), ('"open', None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_cells(cell, value, ending, read):
    """A quoted cell keeps its commas, quotes and line breaks; the file's own line ends are no part of a cell."""
    text = (
        HEAD.replace("\n", ending)
        + f"{ROW}{cell}{ending}"
        + (f"{ROW}end{ending}" if value is not None else "")
    )
    found = read("mobile_analytics/redshift", text)
    if value is None:
        assert found.faults == [(2, "incomplete")]
    else:
        assert [event["attributes"] for event in found.events] == [{"x": value}, {"x": "end"}]
        assert found.events[1]["line"] == 3 + cell.count("\n")


def test_a_cell_that_never_ends(read):
    """A quoted cell without its end costs its row, and no other."""
    found = read("mobile_analytics/redshift", f'{HEAD}{ROW}"one\n{ROW}2\n')
    assert found.faults == [(2, "incomplete")]
    assert [event["attributes"] for event in found.events] == [{"x": "2"}]


def test_the_raw_text_of_a_rejected_row(read):
    """A rejected row over several lines is given as it stood."""
    found = read("mobile_analytics/redshift", f'{HEAD}{ROW}"one\ntwo",3\n')
    assert [reject["raw"] for reject in found.rejects] == [f'{ROW}"one\ntwo",3']


# -- the hub's own files ----------------------------------------------------------------------------------------


def test_hub_files_are_judged(read):
    """Events of a hub file need a name and a plausible time; those without are rejected alone."""
    frame = zoo().head(3).with_columns(name=pl.Series(["a", None, "c"]))
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    found = read(None, buffer.getvalue())
    assert found.names == ["a", "c"]
    assert found.faults == [(2, "missing_required")]


def of_hands(column, value):
    """Give an event of the hub with a column as other hands may leave it."""
    value = {"k": value} if column in events.MAPS else value
    return zoo().head(1).with_columns(pl.Series(column, [value], dtype=events.SCHEMA[column]))


@pytest.mark.parametrize(
    ("column", "value", "code", "message"),
    [
        ("items", "shoes", "bad_json", "items is not JSON: expecting value at character 1"),
        ("items", '{"id": "a"}', "wrong_type", 'items should be a list, but is {"id":"a"}'),
        ("impression", '["a"', "bad_json", "impression is cut off"),
        ("user_properties", "pro", "bad_json", 'user_properties["k"] is not JSON: expecting value at character 1'),
        ("client_properties", '"a" "b"', "bad_json", 'client_properties["k"] is not JSON: extra data at character 5'),
        ("other", "[NaN]", "bad_number", 'other["k"]: NaN is not a number in JSON'),
        ("extra", "[" * 300 + "]" * 300, "bad_json", 'extra["k"]: is nested too deeply'),
        ("metrics", "01", "bad_number", 'metrics["k"] is "01", which is not a number'),
        ("metrics", "NaN", "bad_number", 'metrics["k"] is "NaN", which is not a number'),
        ("metrics", "1e400", "bad_number", 'metrics["k"]: 1e400 is beyond what a double can hold'),
        ("metrics", "1e-400", "bad_number", 'metrics["k"]: 1e-400 is beyond what a double can hold'),
        ("other", '"\\ud83d\\ude00\\ud800"', "bad_text", 'other["k"] holds half of a surrogate pair'),
        ("items", '[{"\\uDC00":1}]', "bad_text", "items holds half of a surrogate pair"),
        *(
            ("user_property_times", value, "wrong_type", f'user_property_times["k"] should be milliseconds since 1970, but is "{value}"')
            for value in ("now", "007", "-0", "-01")
        ),
    ],
)  # fmt: skip
def test_texts_of_a_hub_file_are_what_their_columns_hold(read, column, value, code, message):
    """Targets write them as they are: a text that is no JSON would spoil its row."""
    frame = pl.concat([zoo().head(2), of_hands(column, value)])
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    found = read(None, buffer.getvalue())
    assert [(reject["line"], reject["code"], reject["message"]) for reject in found.rejects] == [
        (3, code, message)
    ]
    with pytest.warns(UserWarning, match="1 events cannot be written"):
        assert translate.write(frame, to="clickstream").collect().height == 2


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("1e5", "100000"), ("0.10", "0.1"), ("1.50", "1.5"), ("2.0", "2"), ("-0", "0"), ("-0.0e7", "0"), ("0e999999999", "0"),
        ("-2.5E-7", "-0.00000025"), ("12345678901234567890", "12345678901234567890"),
        ("1.12345678901234567890", "1.1234567890123456789"), ("12345678901234567890.5e1", "123456789012345678905"),
    ],
)  # fmt: skip
def test_numbers_of_a_hub_file_may_be_spelled_in_any_way_of_json(read, value, digits):
    """They are written as the readers of JSON layouts have them, with every digit."""
    frame = pl.concat([zoo().head(2), of_hands("metrics", value)])
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    found = read(None, buffer.getvalue())
    assert found.rejects == []
    assert found.events[2]["metrics"] == {"k": digits}
    row = translate.write(frame, to="clickstream").collect()["row"][2]
    is_double = len(digits) < 17
    assert (f'"k":{digits}' if is_double else digits) in row


@pytest.mark.parametrize("column", events.MAPS)
def test_null_in_a_map_is_absent(read, column):
    """Entries without a value are none, in files and in frames."""
    value = "1460000000000" if column == "user_property_times" else "1"
    base = (
        zoo()
        .head(1)
        .with_columns(
            pl.lit(None, events.MAP).alias(name) for name in ("user_properties", "user_property_times")
        )
    )
    if column == "user_property_times":
        base = base.with_columns(pl.Series("user_properties", [{"y": '"p"'}], dtype=events.MAP))

    def having(*values):
        maps = pl.Series(column, values, dtype=events.MAP)
        return pl.concat([base] * len(values)).with_columns(maps)

    given = having({"x": None, "y": value}, {"x": None}, {}, None, {"y": value, "z": None})
    clean = having({"y": value}, {}, {}, None, {"y": value})
    buffers = io.BytesIO(), io.BytesIO()
    given.write_parquet(buffers[0])
    clean.write_parquet(buffers[1])
    assert read(None, buffers[0].getvalue()).events == read(None, buffers[1].getvalue()).events
    given, clean = given.drop("event_id"), clean.drop("event_id")
    for target in ("clickstream", "mixpanel"):
        assert_frame_equal(
            translate.write(given, to=target).collect(), translate.write(clean, to=target).collect()
        )


@pytest.mark.parametrize(("column", "value"), [("items", '[{"id":\n"a"},\r\n{}]'), ("other", '{"a":\n1}')])
def test_json_of_a_hub_file_stays_on_its_line(column, value):
    rows = translate.write(of_hands(column, value), to="mixpanel").collect()
    assert "\n" not in rows["row"][0]
    written = json.loads(rows["row"][0])["properties"]["items" if column == "items" else "k"]
    assert written == json.loads(value)


def test_a_span_of_time_in_a_table_is_a_text(read):
    """As pandas keeps one; a cell of a kind that is unusual here costs no run."""
    frame = pl.DataFrame({
        "event_type": ["e"], "event_timestamp": ["2016-04-07T03:33:20Z"], "application_app_id": ["a"],
        "a_span": [dt.timedelta(seconds=90)], "a_clock": [dt.time(1, 2, 3)],
    })  # fmt: skip
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    found = read("mobile_analytics/redshift", buffer.getvalue())
    assert [event["attributes"] for event in found.events] == [{"span": "PT1M30S", "clock": "01:02:03"}]


def test_bytes_within_lists_of_a_table_are_texts(read):
    frame = pl.DataFrame({
        "event_type": ["e"], "event_timestamp": ["2016-04-07T03:33:20Z"], "application_app_id": ["a"],
        "a_tags": [[b"x", "\u00e9".encode()]], "a_of": [{"k": b"y"}],
    })  # fmt: skip
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    found = read("mobile_analytics/redshift", buffer.getvalue())
    assert [event["attributes"] for event in found.events] == [{"tags": '["x","\u00e9"]', "of": '{"k":"y"}'}]


NO_TEXT = json.dumps(compact({"base64": "/w=="}))


@pytest.mark.parametrize(
    ("cells", "attribute"),
    [
        (pl.Series([[b"\xff", b"x", None], [], None]), f'[{NO_TEXT},"x",null]'),
        (pl.Series([{"k": b"\xff", "l": 1}, None, None]), f'{{"k":{NO_TEXT},"l":1}}'),
        (pl.Series([[{"k": [b"\xff"]}, None], None, []]), f'[{{"k":[{NO_TEXT}]}},null]'),
        (pl.Series([[b"\xff", b"x"], None, None], dtype=pl.Array(pl.Binary, 2)), f'[{NO_TEXT},"x"]'),
        (pl.Series([[[b"x"], [b"y"]], None, None], dtype=pl.Array(pl.Binary, (2, 1))), '[["x"],["y"]]'),
        (pl.Series([{"k": b"\xff"}, None, {}], dtype=pl.Map(pl.String, pl.Binary)), f'{{"k":{NO_TEXT}}}'),
    ],
)  # fmt: skip
def test_bytes_within_cells_of_a_table_that_are_no_text(read, cells, attribute):
    """They cost no run: they become what bytes that are a cell of their own become."""
    row = {"event_type": "e", "event_timestamp": "2016-04-07T03:33:20Z", "application_app_id": "a"}
    buffer = io.BytesIO()
    pl.DataFrame([row] * 3).with_columns(a_tags=cells).write_parquet(buffer)
    found = read("mobile_analytics/redshift", buffer.getvalue())
    assert [found.rejects, found.names] == [[], ["e"] * 3]
    assert found.events[0]["attributes"] == {"tags": attribute}


def test_parquet_that_is_cut_off(read):
    """A Parquet file that is no whole one is one reject, beside one that is whole."""
    whole = (SAMPLES / "mobile_analytics" / "redshift_full.parquet").read_bytes()
    found = read("mobile_analytics/redshift", whole[:-100], whole)
    assert [event["file"] for event in found.events] == ["file1"] * 5
    assert [(reject["file"], reject["code"]) for reject in found.rejects] == [("file0", "bad_parquet")]


@pytest.mark.parametrize("wrapped", [lambda wide: wide, pa.list_, lambda wide: pa.struct([("a", wide)])])
def test_decimals_that_the_engine_does_not_hold(read, wrapped):
    """They cost the file that has them, which is told, and no run: the engine stops on them, or comes down."""
    whole = (SAMPLES / "mobile_analytics" / "redshift_full.parquet").read_bytes()
    table, buffer = pq.read_table(io.BytesIO(whole)), io.BytesIO()
    cells = pa.nulls(table.num_rows, wrapped(pa.decimal256(39, 2)))
    pq.write_table(table.append_column("m_amount", cells), buffer)
    found = read("mobile_analytics/redshift", buffer.getvalue(), whole)
    assert [event["file"] for event in found.events] == ["file1"] * 5
    assert [(reject["file"], reject["code"], reject["message"]) for reject in found.rejects] == [
        (
            "file0",
            "bad_parquet",
            "none of its rows can be read: column m_amount holds decimals of more than 38 digits; write it as text or DOUBLE",
        )
    ]
