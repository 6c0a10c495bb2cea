"""Times of every layout: each is read by one reader, and what is none is told, whether every event needs it or not."""

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
from commands import run_here
from hypothesis import given
from hypothesis import strategies as st
from rows import rows_of

import translate
from translate.mapping.settings import Settings
from translate.vocabulary.times import FLOORED, LEAP_SECOND, NoTime, read_time

UTC = dt.UTC
SETTINGS = Settings(tracking_id="t", day=dt.date(2026, 11, 20))

ARCHIVED = {
    "event_type": "e", "event_timestamp": 1487973802507, "application": {"app_id": "a"}, "client": {"client_id": "c"},
    "session": {"session_id": "s", "start_timestamp": 1487973802000}, "attributes": {}, "metrics": {},
}  # fmt: skip
PUT = {
    "ep": {
        "Endpoint": {},
        "Events": {
            "1": {
                "EventType": "e",
                "Timestamp": "2017-02-24T22:03:22.507Z",
                "Session": {"Id": "s", "StartTimestamp": "2017-02-24T22:03:22.000Z"},
            }
        },
    }
}
RECORDS = {
    "mobile_analytics/archive": ARCHIVED,
    "mobile_analytics/requests": {
        "client_context": {"client": {"client_id": "c", "app_title": "t"}, "env": {"platform": "Android"}, "services": {"mobile_analytics": {"app_id": "a"}}},
        "body": {"events": [{"eventType": "e", "timestamp": "2017-02-24T22:03:22.507Z", "session": {"id": "s", "startTimestamp": "2017-02-24T22:03:22.000Z"}}]},
    },
    "pinpoint/event_stream": {
        "event_type": "e", "event_timestamp": 1487973802507, "arrival_timestamp": 1487973802508, "application": {"app_id": "a"}, "awsAccountId": "1",
        "client": {"client_id": "c"}, "session": {"session_id": "s", "start_timestamp": 1487973802000}, "attributes": {}, "metrics": {},
    },
    "pinpoint/requests": {"ApplicationId": "a", "EventsRequest": {"BatchItem": PUT}},
    "clickstream/events": {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a", "unique_id": "u", "attributes": {}},
    "learning_context/events": {"type": "e", "timestamp": 1487973802, "action": "UPDATE", "session": "12345678", "entities": []},
    "personalize/requests": {
        "trackingId": "t", "userId": "u", "sessionId": "s", "eventList": [{"eventId": "e", "eventType": "Purchase", "sentAt": 1487973802, "itemId": "i"}],
    },
}  # fmt: skip
# What stands for the time of every event, and for one that an event can do without.
NEEDED = {
    "mobile_analytics/archive": "1487973802507", "mobile_analytics/requests": '"2017-02-24T22:03:22.507Z"',
    "pinpoint/event_stream": "1487973802507", "pinpoint/requests": '"2017-02-24T22:03:22.507Z"', "clickstream/events": "1487973802507",
    "learning_context/events": "1487973802", "personalize/requests": "1487973802",
}  # fmt: skip
BESIDE = {
    "mobile_analytics/archive": ("1487973802000", "session.start_timestamp"),
    "mobile_analytics/requests": ('"2017-02-24T22:03:22.000Z"', "session.startTimestamp"),
    "pinpoint/event_stream": ("1487973802000", "session.start_timestamp"),
    "pinpoint/requests": ('"2017-02-24T22:03:22.000Z"', "Session.StartTimestamp"),
}
ISO = [address for address, text in NEEDED.items() if text.startswith('"')]
NONE = [
    '"1487973802507"',
    '"2014-02-30T10:00:00Z"',
    '"2014-W53-1T10:00:00Z"',
    '"2014-02-28T24:00:01Z"',
    '"soon"',
    '""',
    "true",
    '{"x":1}',
    '["2014-02-28T10:00:00Z"]',
]


@pytest.fixture
def converted(tmp_path):
    """Convert one record, given as text; give the report, the rejects, and the lines that were written."""

    def converting(address, text, to="hub", **options):
        source = tmp_path / f"source.{'csv' if chr(10) in text else 'jsonl'}"
        source.write_text(text + "\n")
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        report = translate.convert(
            source, from_=address, to=to, out=out, settings=SETTINGS, census=True, **options
        )
        rejects = [json.loads(line) for line in (out / "rejects.ndjson").read_text().splitlines()]
        if to == "hub":
            return (
                report,
                rejects,
                pl.read_parquet(out / "data" / "*.parquet").to_dicts() if report["events"]["written"] else [],
            )
        return report, rejects, rows_of(out)

    return converting


def spelled(address, old, new):
    """Give a layout's record with another text in the place of a value."""
    text = json.dumps(RECORDS[address])
    assert text.count(old) == 1, (address, old)
    return text.replace(old, new)


def wrong_for(address):
    """Give what is no time in a layout: a number where text belongs, text where a number does."""
    return [*NONE, "1487973802507"] if address in ISO else NONE[address == "personalize/requests" :]


@pytest.mark.parametrize("address", RECORDS)
def test_what_is_no_time_is_rejected_where_every_event_needs_one(address, converted):
    """The record goes to the rejects as `bad_time`, with the place and the value, and never as one whose time is missing."""
    for value in wrong_for(address):
        report, rejects, _ = converted(address, spelled(address, NEEDED[address], value))
        assert report["rejects"] == {"bad_time": 1}, (value, rejects)
        place = {
            "mobile_analytics/archive": "event_timestamp",
            "pinpoint/event_stream": "event_timestamp",
        }.get(address, "imestamp")
        assert place in rejects[0]["message"] or "sentAt" in rejects[0]["message"]
        assert (
            json.loads(value) in (None, True)
            or json.dumps(json.loads(value), separators=(",", ":"))[:20] in rejects[0]["message"]
        )


@pytest.mark.parametrize("address", BESIDE)
def test_what_is_no_time_elsewhere_is_told_and_travels_along(address, converted):
    """Elsewhere it is a loss with its reason, stays in `extra` as it stood, and goes back to where it was."""
    text, place = BESIDE[address]
    for value in wrong_for(address):
        report, _, (event,) = converted(address, spelled(address, text, value))
        assert event["session.start"] is None
        assert json.loads(dict(event["extra"])[place]) == json.loads(value)
        (loss,) = [loss for loss in report["losses"] if loss["field"] == place]
        assert (loss["kind"], loss["events"]) == ("changed", 1)
        assert loss["why"].startswith("no time (")
        _, _, (line,) = converted(address, spelled(address, text, value), to=address)
        assert json.dumps(json.loads(value)) in json.dumps(line)


@pytest.mark.parametrize("address", ISO)
def test_midnight_and_leap_seconds(address, converted):
    """24:00:00 is the next midnight; a leap second the second after it, which is told."""
    _, _, (event,) = converted(address, spelled(address, NEEDED[address], '"2016-12-31T24:00:00Z"'))
    assert event["time"] == dt.datetime(2017, 1, 1, tzinfo=UTC)
    report, _, (event,) = converted(address, spelled(address, NEEDED[address], '"2016-12-31T23:59:60Z"'))
    assert event["time"] == dt.datetime(2017, 1, 1, tzinfo=UTC)
    assert LEAP_SECOND in {loss["why"] for loss in report["losses"]}


def test_tables(converted):
    """So is it in tables: of Redshift and of Personalize."""
    head = "event_type,event_timestamp,app_id,client_id,session_start_timestamp\n"
    report, _, _ = converted(
        "mobile_analytics/redshift", f"{head}e,2014-02-30 10:00:00,a,c,2014-02-28 10:00:00"
    )
    assert report["rejects"] == {"bad_time": 1}
    report, _, (event,) = converted(
        "mobile_analytics/redshift", f"{head}e,2014-02-28 10:00:00,a,c,2014-02-30 10:00:00"
    )
    assert dict(event["extra"])["session_start_timestamp"] == '"2014-02-30 10:00:00"'
    report, rejects, _ = converted("personalize/interactions", "USER_ID,ITEM_ID,TIMESTAMP\nu,i,yesterday")
    assert report["rejects"] == {"bad_time": 1}
    assert "yesterday" in rejects[0]["message"]


def test_parquet_of_redshift(tmp_path):
    """And in Parquet, be its times texts, timestamps or numbers."""
    columns = {
        "event_type": ["e"] * 3,
        "app_id": ["a"] * 3,
        "client_id": ["c"] * 3,
        "event_timestamp": ["2014-02-28 10:00:00", "2014-02-30 10:00:00", "1487973802507"],
    }
    pl.DataFrame(columns).write_parquet(tmp_path / "texts.parquet")
    pl.DataFrame({**columns, "event_timestamp": [1487973802507] * 3}).write_parquet(
        tmp_path / "numbers.parquet"
    )
    texts = translate.convert(
        tmp_path / "texts.parquet", from_="mobile_analytics/redshift", to="hub", out=tmp_path / "a"
    )
    numbers = translate.convert(
        tmp_path / "numbers.parquet", from_="mobile_analytics/redshift", to="hub", out=tmp_path / "b"
    )
    assert (texts["events"]["written"], texts["rejects"], numbers["rejects"]) == (
        1,
        {"bad_time": 2},
        {"bad_time": 3},
    )


def test_fractions_and_digits_as_text(converted):
    """Of milliseconds what is finer is floored and told, seconds keep their fraction; digits as text are read where clients are known to write them."""
    report, _, (event,) = converted(
        "personalize/requests", spelled("personalize/requests", "1487973802", '"1487973802.5"')
    )
    assert event["time"] == dt.datetime(2017, 2, 24, 22, 3, 22, 500000, tzinfo=UTC)
    assert [(loss["kind"], loss["why"]) for loss in report["losses"]] == [("changed", "retyped")]
    report, _, (event,) = converted(
        "mobile_analytics/archive", spelled("mobile_analytics/archive", "1487973802507", "1487973802507.9")
    )
    assert event["time"] == dt.datetime(2017, 2, 24, 22, 3, 22, 507000, tzinfo=UTC)
    assert [(loss["field"], loss["why"]) for loss in report["losses"]] == [("event_timestamp", FLOORED)]
    report, _, (event,) = converted(
        "learning_context/events", spelled("learning_context/events", "1487973802", "1487973802.25")
    )
    assert event["time"] == dt.datetime(2017, 2, 24, 22, 3, 22, 250000, tzinfo=UTC)
    assert [loss["field"] for loss in report["losses"]] == ["timestamp"]


def test_a_number_beyond_a_double_is_no_number(converted):
    """As anywhere else in a record."""
    report, _, _ = converted(
        "mobile_analytics/archive", spelled("mobile_analytics/archive", "1487973802507", "1e400")
    )
    assert report["rejects"] == {"bad_number": 1}


@given(st.integers(-(2**62), 2**62), st.integers(0, 999))
def test_numbers_keep_their_instant(milliseconds, fraction):
    """Seconds and milliseconds are read to the last digit, with any fraction, and floored, never rounded."""
    exact = Decimal(milliseconds) + Decimal(fraction) / 1000
    found = read_time(f"{exact:f}", "milliseconds", is_number=True)
    assert (found.milliseconds, FLOORED in found.changed) == (milliseconds, fraction != 0)
    sign, digits, exponent = exact.as_tuple()
    in_seconds = f"{Decimal((sign, digits, exponent - 3)):f}"
    assert read_time(in_seconds, "seconds", is_number=True).milliseconds == milliseconds


@given(
    st.integers(-62135510400, 253402128000).map(
        lambda second: dt.datetime.fromtimestamp(0, UTC) + dt.timedelta(seconds=second)
    ),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
    st.integers(-14 * 60, 14 * 60),
    st.integers(0, 999999),
)
def test_iso8601_is_read_as_python_does(time, timespec, offset, fraction):
    """In any zone, with any fraction."""
    zone = dt.timezone(dt.timedelta(minutes=offset))
    text = time.replace(tzinfo=zone, microsecond=fraction).isoformat(timespec=timespec)
    wanted = (dt.datetime.fromisoformat(text) - dt.datetime(1970, 1, 1, tzinfo=UTC)) // dt.timedelta(
        milliseconds=1
    )
    assert read_time(text, "iso8601", is_number=False).milliseconds == wanted


@given(st.text(st.sampled_from("0123456789-:TZ.+ W"), max_size=24))
def test_no_text_breaks_the_reader(text):
    """Whatever looks like a time is one or is none; what is read is read again as the same."""
    found = read_time(text, "iso8601", is_number=False)
    assert (
        isinstance(found, NoTime)
        or read_time(found.text, "iso8601", is_number=False).milliseconds == found.milliseconds
    )


FAR = [2**53 + 1, -(2**53), 2**62, 253402300800000, -62135596800001]
OF_FAR = ["inspect {file}", "why {file}:2 --to clickstream", "roundtrip {file} --via clickstream --examples", "parity {file} {file}",
          "convert {file} --to hub --out {out} --examples", "convert {file} --to mobile_analytics/requests --out {out} --examples"]  # fmt: skip


@pytest.mark.parametrize("kind", ["hub", "archive"])
@pytest.mark.parametrize("far", FAR)
def test_commands_bear_times_that_no_calendar_has(far, kind, tmp_path):
    """An event's own is implausible; any other is no time, which is told, and no command breaks."""
    file = tmp_path / ("events.parquet" if kind == "hub" else "events.jsonl")
    if kind == "hub":
        times = {"time": [1487973802507, 1487973802507, far], "session.start": [far, 0, None]}
        events = pl.DataFrame({"name": ["a", "b", "c"], "client_id": ["c"] * 3, **times})
        events.with_columns(pl.col(*times).cast(pl.Datetime("ms", "UTC"))).write_parquet(file)
    else:
        records = [
            ARCHIVED | {"session": {"session_id": "s", "start_timestamp": far, "stop_timestamp": -far}},
            ARCHIVED,
            ARCHIVED | {"event_timestamp": far},
        ]
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    report = translate.convert(
        file, to="clickstream", out=tmp_path / "report", census=kind == "archive", set_=["app_id=shop"]
    )
    assert report["rejects"] == {"time_implausible": 1}
    assert any(
        loss["why"] == "no time (outside of the years 1 to 9999)" + ": kept as it stood" * (kind == "archive")
        for loss in report["losses"]
    )
    for number, command in enumerate(OF_FAR):
        output, error, code = run_here(
            ["translate", *command.format(file=file, out=tmp_path / f"out{number}").split()]
        )
        assert "Traceback" not in output + error, error
        assert code in (0, 1), (command, error)


COMMANDS = [
    "inspect {file}",
    "parity {file} {file}",
    "why {file}:1 --to clickstream",
    "why {file}:2 --to pinpoint/requests",
    "roundtrip {file} --via clickstream",
    "convert {file} --to clickstream --out {out}",
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["hub", "archive", "pinpoint"])
def test_commands_bear_events_without_a_time(kind, command, tmp_path):
    """Whether the time is null in a hub file, missing, or none."""
    file = tmp_path / ("events.parquet" if kind == "hub" else "events.jsonl")
    if kind == "hub":
        time = dt.datetime(2017, 2, 24, tzinfo=UTC)
        events = {
            "name": ["a", "b", "c"],
            "time": [None, time, None],
            "session.start": [time, None, None],
            "client_id": ["c", None, "d"],
        }
        pl.DataFrame(
            events, schema_overrides={name: pl.Datetime("us", "UTC") for name in ("time", "session.start")}
        ).write_parquet(file)
    elif kind == "archive":
        records = [
            {name: value for name, value in ARCHIVED.items() if name != "event_timestamp"},
            ARCHIVED | {"event_timestamp": "soon"},
            ARCHIVED,
            ARCHIVED | {"session": {"start_timestamp": "x"}},
        ]
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        records = [
            RECORDS["pinpoint/requests"],
            json.loads(spelled("pinpoint/requests", NEEDED["pinpoint/requests"], '"2014-02-30T10:00:00Z"')),
        ]
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    output, error, code = run_here(["translate", *command.format(file=file, out=tmp_path / "out").split()])
    assert "Traceback" not in output + error, error
    assert code in (0, 1, 2), (code, error)
    assert code != 2 or "parity" in command, error


def test_census_of_events_without_a_time(converted):
    """The census counts their keys as rejected, and those of times that are none as told."""
    report, _, _ = converted(
        "mobile_analytics/archive",
        spelled("mobile_analytics/archive", "1487973802000", '"x"'),
        to="clickstream/events",
    )
    assert {entry["fate"] for entry in report["keys"] if entry["key"] == "session.start_timestamp"} == {
        "unknown"
    }
    report, _, _ = converted(
        "mobile_analytics/archive", spelled("mobile_analytics/archive", "1487973802507", '"x"')
    )
    assert {entry["fate"] for entry in report["keys"]} == {"rejected"}
