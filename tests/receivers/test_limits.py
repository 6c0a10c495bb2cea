"""The limits that the receivers publish: at the limit an event is taken, one beyond it is refused or told of."""

import json
import tempfile
from pathlib import Path

import pytest
from commands import run_here

import translate
from translate.telling.inspection import inspect

FOLDER = Path(tempfile.mkdtemp())


def amplitude(event_type="a", **others):
    return {"user_id": "user-1", "event_type": event_type, "time": 1460000000000, **others}


def mixpanel(event="a", **properties):
    return {
        "event": event,
        "properties": {"time": 1460000000000, "distinct_id": "u", "$insert_id": "i-1", **properties},
    }


def posthog(event="a", **others):
    return {"event": event, "distinct_id": "u", "timestamp": "2016-04-07T00:00:00.000Z", **others}


def segment(**others):
    return {"type": "track", "event": "a", "userId": "u", "timestamp": "2016-04-07T00:00:00.000Z", **others}


def nested(depth):
    """Make an object of so many layers, itself counted."""
    value = {"end": 1}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


def as_written(record):
    """Give a record with all that a writer adds, so that judging what is read and what is written is one."""
    (row,) = rows_of(record)
    return json.loads(row)


def padded(record, bytes_wanted):
    """Make a record that is written with so many bytes, by a text of its properties."""
    filled = as_written({**record, "properties": {**record.get("properties", {}), "pad": ""}})
    filled["properties"]["pad"] = "x" * (bytes_wanted - len(compact(filled)))
    return filled


def with_properties(record, count):
    """Make a record that is written with so many properties."""
    filled = as_written(record)
    filled["properties"] |= {f"k{number}": number for number in range(count - len(filled["properties"]))}
    return filled


def compact(record):
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def rows_of(record):
    model = (
        "mixpanel"
        if "$insert_id" in record.get("properties", {})
        else "segment_spec"
        if "type" in record
        else "posthog"
    )
    events = translate.scan(file_of([record]), model=f"{model}/events").collect()
    return translate.write(events, model=f"{model}/events").collect()["row"].to_list()


def file_of(records):
    file = FOLDER / f"{len([*FOLDER.iterdir()])}.jsonl"
    file.write_text("".join(compact(record) + "\n" for record in records), encoding="utf-8")
    return file


LONG = {f"k{number}": number for number in range(300)}
# Of each limit: what is at it, and what is one beyond.
HARD = {
    "amplitude: ids of 5 characters": ("amplitude/events", lambda: (amplitude(user_id="12345"), amplitude(user_id="1234"))),
    "amplitude: one id is enough": ("amplitude/events", lambda: (amplitude(user_id=None, device_id="device"), amplitude(user_id=None))),
    "amplitude: ids that many have": ("amplitude/events", lambda: (amplitude(user_id="anonymous1"), amplitude(user_id="Anonymous"))),
    "amplitude: 40 layers": ("amplitude/events", lambda: (amplitude(event_properties=nested(40)), amplitude(event_properties=nested(41)))),
    "amplitude: 40 layers of a user": ("amplitude/events", lambda: (amplitude(user_properties=nested(40)), amplitude(user_properties=nested(41)))),
    "mixpanel: ids that many have": ("mixpanel/events", lambda: (mixpanel(distinct_id="00"), mixpanel(distinct_id="0"))),
    "mixpanel: 254 properties": ("mixpanel/events", lambda: (with_properties(mixpanel(), 254), with_properties(mixpanel(), 255))),
    "mixpanel: 254 keys of an object": ("mixpanel/events", lambda: (mixpanel(o=dict([*LONG.items()][:254])), mixpanel(o=dict([*LONG.items()][:255])))),
    "mixpanel: 254 elements": ("mixpanel/events", lambda: (mixpanel(o=[1] * 254), mixpanel(o=[1] * 255))),
    "mixpanel: 3 layers": ("mixpanel/events", lambda: (mixpanel(o=nested(3)), mixpanel(o=nested(4)))),
    "mixpanel: less than 1 MB": ("mixpanel/events", lambda: (padded(mixpanel(), 999_999), padded(mixpanel(), 1_000_000))),
    "posthog: an id": ("posthog/events", lambda: (posthog(distinct_id="x"), posthog(distinct_id=" "))),
    "posthog: a name": ("posthog/events", lambda: (posthog("x"), posthog(""))),
    "posthog: 1 MB": ("posthog/events", lambda: (padded(posthog(), 1_000_000), padded(posthog(), 1_000_001))),
    "segment: 32 KB": ("segment_spec/events", lambda: (padded(segment(), 32_768), padded(segment(), 32_769))),
    "segment: one id is enough": ("segment_spec/events", lambda: (segment(userId=None, anonymousId="a"), segment(userId=None, messageId="m"))),
}  # fmt: skip
ADVICE = {
    "amplitude: 1,024 characters": ("amplitude/events", lambda: (amplitude(event_properties={"t": "x" * 1024}), amplitude(event_properties={"t": "x" * 1025}))),
    "amplitude: 1,024 characters inside": ("amplitude/events", lambda: (amplitude(user_properties={"t": ["x" * 1024]}), amplitude(user_properties={"t": ["x" * 1025]}))),
    "amplitude: a device of 5 characters": ("amplitude/events", lambda: (amplitude(device_id="12345"), amplitude(device_id="1234"))),
    "mixpanel: 255 characters": ("mixpanel/events", lambda: (mixpanel(t="x" * 255), mixpanel(t="x" * 256))),
    "mixpanel: 255 characters inside": ("mixpanel/events", lambda: (mixpanel(t=["x" * 255]), mixpanel(t=["x" * 256]))),
    "mixpanel: reserved": ("mixpanel/events", lambda: (mixpanel(buckets=1), mixpanel(bucket=1))),
    "posthog: 200 characters": ("posthog/events", lambda: (posthog(distinct_id="x" * 200), posthog(distinct_id="x" * 201))),
    "posthog: ids of strangers": ("posthog/events", lambda: (posthog(distinct_id="guests"), posthog(distinct_id="Guest"))),
    "segment: kinds with effects": ("segment_spec/events", lambda: (segment(type="page", event=None), segment(type="alias", event=None))),
}  # fmt: skip


@pytest.mark.parametrize("limit", HARD)
def test_refused_one_beyond(limit, engine, tmp_path):
    """What `convert` writes, `validate` takes; one beyond, the first rejects and the second tells it as hard."""
    layout, make = HARD[limit]
    at, beyond = make()
    report = translate.convert(file_of([at, beyond]), to=layout, out=tmp_path / "out", from_=layout)
    assert (report["events"]["written"], report["events"]["rejected"]) == (1, 1)
    (reject,) = map(
        json.loads, (tmp_path / "out" / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
    )
    assert (reject["line"], reject["code"] in ("over_limit", "missing_required")) == (2, True)
    assert [
        breach for breach in translate.validate(file_of([at]), as_=layout)["breaches"] if breach["hard"]
    ] == []
    assert [
        breach for breach in translate.validate(file_of([beyond]), as_=layout)["breaches"] if breach["hard"]
    ]


@pytest.mark.parametrize("limit", ADVICE)
def test_told_one_beyond(limit, tmp_path):
    """What a receiver takes and alters is written, and told with its source."""
    layout, make = ADVICE[limit]
    at, beyond = make()
    report = translate.convert(file_of([at, beyond]), to=layout, out=tmp_path / "out", from_=layout)
    assert report["events"]["written"] == 2
    told = [finding for finding in report["findings"] if finding["code"] == "receiver_changes"]
    assert [finding["events"] for finding in told] == [1]
    assert ": the receiver " in told[0]["message"]
    (breach,) = translate.validate(file_of([beyond]), as_=layout)["breaches"]
    assert (breach["hard"], breach["receiver_changes"] in told[0]["message"]) == (False, True)
    explained = translate.explain(from_=layout, to=layout)
    assert any(
        row["effect"] == "alters" and breach["receiver_changes"] in row["what"] for row in explained.limits
    )


@pytest.fixture
def long_note(tmp_path):
    """An event of another model whose text a receiver cuts, and one whose text it does not."""
    about = {"event_type": "a", "event_timestamp": 1460000000000, "application": {"app_id": "shop"}}
    records = [
        {
            **about,
            "client": {"client_id": f"client-{long}"},
            "attributes": {"note": "n" * long},
            "metrics": {},
        }
        for long in (255, 256)
    ]
    file = tmp_path / "archive.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def test_the_page_of_an_inspection_tells_what_a_receiver_alters(long_note, tmp_path):
    """Beside what it refuses, in how many of the events that were tried."""
    inspected = inspect(long_note)
    graded = {target.layout: target for target in inspected.targets}
    for layout in ("mixpanel/events", "mixpanel/requests"):
        (change,) = graded[layout].altered
        assert (change["events"], "cuts it to 255 characters" in change["message"]) == (1, True)
    assert graded["clickstream/events"].altered == []
    inspected.write_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<span class="warn">1 taken and altered</span>: a value in properties' in page
    assert "everything arrives, some of it changed" in page


def test_the_preflight_tells_what_a_receiver_alters(long_note, tmp_path, monkeypatch):
    """With counts, before anything is sent; it stops nothing. What was converted before tells the same."""
    monkeypatch.setenv("TRANSLATE_MIXPANEL_SECRET", "a secret of the tests")
    translate.convert(long_note, to="mixpanel/requests", out=tmp_path / "out")
    for name, source in (("as-it-comes", long_note), ("converted", tmp_path / "out")):
        journal = tmp_path / name
        words = [
            "replay",
            str(source),
            "--to",
            "mixpanel",
            "--journal",
            str(journal),
            "--dry-run",
            "--set",
            "region=us",
        ]
        _, told, code = run_here(["translate", *words])
        assert code == 0
        assert "receiver-changes: 1 event (50 %): a value in properties" in told


@pytest.mark.parametrize(
    ("layout", "record", "most"),
    [
        ("amplitude/requests", amplitude(), 2000),
        ("mixpanel/requests", mixpanel(), 2000),
        ("segment_spec/requests", segment(), 2500),
    ],
)
def test_no_request_holds_more(layout, record, most, tmp_path):
    """So many events are one request, one more begins another."""
    events = layout.replace("requests", "events")
    for count, requests in ((most, 1), (most + 1, 2)):
        report = translate.convert(
            file_of([record] * count), to=layout, out=tmp_path / str(count), from_=events
        )
        assert report["requests"] == requests


@pytest.mark.parametrize(
    ("layout", "record", "most"),
    [
        ("amplitude/requests", amplitude(event_properties={"t": "x" * 900_000}), 20_000_000),
        ("mixpanel/requests", mixpanel(t="x" * 900_000), 10_000_000),
        ("posthog/requests", posthog(properties={"t": "x" * 900_000}), 20_000_000),
        ("segment_spec/requests", segment(properties={"t": "x" * 30_000}), 500_000),
    ],
)
def test_no_request_is_larger(layout, record, most, tmp_path):
    """A request with what is added on its way, a key, stays within what the receiver takes."""
    events = layout.replace("requests", "events")
    report = translate.convert(file_of([record] * 25), to=layout, out=tmp_path / "out", from_=events)
    assert report["events"]["written"] == 25
    assert report["requests"] > 1
    (part,) = (tmp_path / "out" / "data").iterdir()
    assert max(map(len, part.read_bytes().splitlines())) + 200 < most
