"""Requests: full but never over, in the order of the source, the same whatever the batches."""

import hashlib
import io
import json
from dataclasses import replace

import polars as pl
import pytest
from canonical import hub_frame, requests
from receivers import parsed

import translate
from translate import mapping
from translate.archive import units
from translate.conversion import sinks
from translate.mapping.settings import Settings
from translate.vocabulary.words.stamps import LATEST_TIME, TRANSPORT, URI, StampedRequest
from translate.writer import packing
from translate.writer.packing import Packer

TIME = "2016-03-14T09:26:53.589Z"
EVENT = {
    "name": "x",
    "time": TIME,
    "client_id": "c",
    "app.id": "a",
    "app.title": "t",
    "device.platform": "Android",
    "item_id": "i",
    "session.id": "session-1",
}
LAYOUTS = [
    "clickstream/requests",
    "clickstream/raw",
    "learning_context/requests",
    "mobile_analytics/requests",
    "personalize/requests",
    "pinpoint/requests",
]


def events_of(request):
    """Give the events of a request of any layout, in the order in which they stand."""
    if isinstance(request, list):
        return request
    for name in ("body", "data"):
        if name in request:
            body = json.loads(request[name]) if isinstance(request[name], str) else request[name]
            return body["events"] if isinstance(body, dict) else body
    if "eventList" in request:
        return request["eventList"]
    return [
        event
        for batch in request["EventsRequest"]["BatchItem"].values()
        for event in batch["Events"].values()
    ]


def packed(address, events, **options):
    """Pack events; give the requests, parsed, and which events each of them holds."""
    found, layout = mapping.find_layout(address)
    lines, held = requests(
        hub_frame([EVENT | {"event_id": f"e{number}"} | own for number, own in enumerate(events)]),
        found,
        layout,
        **options,
    )
    return [parsed(line) for line in lines], held


@pytest.mark.parametrize("address", LAYOUTS)
def test_no_request_is_over_its_count(address):
    """Requests are as full as they may be, and hold each event once, in its order."""
    most = mapping.find_layout(address)[1].request.events_max
    found, held = packed(address, [{}] * 205)
    counts = [len(events_of(request)) for request in found]
    assert counts == ([most] * (205 // most) + [205 % most] if most else [205])
    assert [number for numbers in held for number in numbers] == list(range(205))


@pytest.mark.parametrize("address", LAYOUTS)
def test_no_request_is_over_its_bytes(address):
    """The body of a request has at most so many bytes, and one comma more than fits begins the next one."""
    found, layout = mapping.find_layout(address)
    frame = hub_frame(
        [EVENT | {"event_id": f"e{number}", "attributes": {"k": "ü" * 50}} for number in range(6)]
    )
    (line,), _ = requests(frame, found, replace(layout, request=replace(layout.request, bytes_max=10**6)))
    request = parsed(line)
    body = request if isinstance(request, list) else request[layout.request.each[0]]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    for bytes_max, count in ((size + 2, 1), (size - 1, 2), (1, 6)):
        lines, held = requests(
            frame, found, replace(layout, request=replace(layout.request, bytes_max=bytes_max))
        )
        assert len(lines) == count == len(held)


@pytest.mark.parametrize("address", LAYOUTS)
def test_batches_do_not_matter(address):
    """The same rows give the same requests, however they come in."""
    found, layout = mapping.find_layout(address)
    events = [
        {
            "client_id": f"c{number % 3}",
            "app.id": f"a{number % 2}",
            "event_id": f"e{number % 17}",
            "session.id": f"session-{number % 2}",
        }
        for number in range(60)
    ]
    frame = hub_frame([EVENT | own for own in events])
    whole, _ = requests(frame, found, layout)
    writer = translate.writer.writer.Writer(
        found, layout, Settings(), translate.writer.shape.Source(frozenset(translate.events.SCHEMA), {})
    )
    rows = (
        writer.rows(
            translate.conversion.plan.without_recipe(translate.conversion.plan.from_hub(frame.lazy()))
        )
        .select(writer.members())
        .collect()
    )
    output = io.BytesIO()
    packer = Packer(layout, Settings(), output)
    for start in range(0, rows.height, 7):
        packer.add(rows[start : start + 7])
    packer.finish()
    assert output.getvalue().decode().removesuffix("\n").split("\n") == whole
    assert (packer.events, packer.requests) == (60, len(whole))


@pytest.mark.parametrize("address", LAYOUTS)
def test_each_request_tells_its_events(address):
    """Which events a request holds is told in the order in which a reader meets them."""
    kinds = [{"client_id": f"c{number % 3}", "attributes": {"number": str(number)}} for number in range(30)]
    found, held = packed(address, kinds)
    assert len(found) == len(held)
    for request, numbers in zip(found, held, strict=True):
        assert [
            f'"{number}"' in json.dumps(event).replace("\\", "")
            for event, number in zip(events_of(request), numbers, strict=True)
        ] == [True] * len(numbers)
    assert sorted(number for numbers in held for number in numbers) == list(range(30))


def test_the_same_id_twice_begins_another_request():
    """Two events of one name in one place would be one event; under another endpoint they are two."""
    found, held = packed(
        "pinpoint/requests",
        [{"event_id": "same"}, {"event_id": "same", "client_id": "d"}, {"event_id": "same"}],
    )
    assert held == [[0, 1], [2]]
    assert len(found) == 2


def test_what_stands_around_keeps_events_apart():
    """Events of another application, user or installation are in requests of their own."""
    assert packed("pinpoint/requests", [{}, {"app.id": "b"}, {}])[1] == [[0, 2], [1]]
    assert packed("personalize/requests", [{}, {"user_id": "u"}, {"session.id": "session-2"}])[1] == [
        [0],
        [1],
        [2],
    ]
    assert packed(
        "mobile_analytics/requests", [{}, {"app.version": "2"}, {"client_properties": {"k": "v"}}, {}]
    )[1] == [[0, 3], [1], [2]]
    assert packed("clickstream/requests", [{}, {"device.platform": "iOS"}, {"device.platform": "ANDROID"}])[
        1
    ] == [[0, 2], [1]]


def test_rows_of_the_buffer_are_kept_apart_by_the_hour():
    """A row's time of ingestion is the latest of its events, up to the next second; no event is more than an hour before it."""
    times = [
        "2016-03-14T09:00:00.000Z",
        "2016-03-14T09:59:59.999Z",
        "2016-03-14T10:00:00.000Z",
        "2016-03-14T09:30:00.000Z",
    ]
    found, held = packed("clickstream/raw", [{"time": time} for time in times])
    assert held == [[0, 1, 3], [2]]
    assert [request["ingest_time"] for request in found] == [1457949600000, 1457949600000]


def test_a_body_is_hashed_as_it_stands():
    """The hash is that of the body's text; its number goes on from where the run before ended."""
    (request,), _ = packed("clickstream/requests", [{"attributes": {"k": "ü\u2028"}}])
    assert request["query"]["hashCode"] == hashlib.sha256(request["body"].encode()).hexdigest()[:8]
    stamped = StampedRequest(7, b"[]", 1_000, {"app.id": '"a b"', "device.platform": '"iOS"'})
    template = "/collect?platform={device.platform}&appId={app.id}&event_bundle_sequence_id={sequence}&hashCode={body_digest}"
    address = "/collect?platform=iOS&appId=a+b&event_bundle_sequence_id=7&hashCode=4f53cda1"
    assert URI.make(stamped, template) == f'"{address}"'
    assert (LATEST_TIME.make(stamped, ""), TRANSPORT.make(stamped, "")) == ("1000", None)


@pytest.mark.parametrize("closed", [(), ("body",), ("body.events", "body")])
def test_a_head_inside_of_the_body(closed):
    """What the body says beside its events is within its bytes, and stands inside of the texts that they stand in."""
    _, layout = mapping.find_layout("clickstream/requests")
    head = replace(layout.request.fields[1], place="body.100%b")
    request = replace(layout.request, each=("body", "events"), closed=closed, fields=(head,), bytes_max=100)
    rows = pl.DataFrame({"_row": ['{"a":"\\"ü\\""}'] * 20, "@body.100%b": ['say "%b"'] * 20})
    output = io.BytesIO()
    packer = Packer(replace(layout, request=request), Settings(), output)
    packer.add(rows)
    packer.finish()
    bodies = [json.loads(line)["body"] for line in output.getvalue().decode().splitlines()]
    if "body" in closed:
        bodies = [json.loads(body) for body in bodies]
    if "body.events" in closed:
        bodies = [body | {"events": json.loads(body["events"])} for body in bodies]
    assert [len(body["events"]) for body in bodies] == [4] * 5
    assert {body["100%b"] for body in bodies} == {'say "%b"'}
    sizes = [len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) for body in bodies]
    assert max(sizes) <= 100 < max(sizes) + len(rows["_row"][0].encode()) + 1


def test_a_body_is_one_line():
    """JSON that came with line breaks in it stands inside of a body's text on one line, as it stood."""
    _, layout = mapping.find_layout("clickstream/requests")
    columns = {f"@{entry.place}": ["x"] for entry in layout.request.fields if entry.hub}
    output = io.BytesIO()
    packer = Packer(layout, Settings(), output)
    packer.add(pl.DataFrame({"_row": ['{"items":[\n\t"\\\\"]}'], **columns}))
    packer.finish()
    (line,) = output.getvalue().decode().splitlines()
    assert json.loads(line)["body"] == '[{"items":[\n\t"\\\\"]}]'


def test_sequence_goes_on_across_units(tmp_path, monkeypatch):
    """Requests are numbered through all units of a run, also where it was resumed."""
    monkeypatch.setattr(units, "FILES_MAX", 1)
    record = {
        "event_type": "e",
        "event_timestamp": 1487973802507,
        "application": {"app_id": "a"},
        "client": {"client_id": "c"},
    }
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.json").write_text((json.dumps(record) + "\n") * 101)
    write = sinks.Sinks.write

    def interrupted(self, number, *rest, **options):
        if number == 2:
            raise KeyboardInterrupt
        return write(self, number, *rest, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sinks.Sinks, "write", interrupted)
        translate.convert(tmp_path / "in", to="clickstream/requests", out=tmp_path / "out")
    report = translate.convert(tmp_path / "in", to="clickstream/requests", out=tmp_path / "out")
    parts = sorted((tmp_path / "out" / "data").iterdir())
    numbers = [
        parsed(line)["query"]["event_bundle_sequence_id"]
        for part in parts
        for line in part.read_text().splitlines()
    ]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert report["requests"] == 6


def test_memory_is_bounded(monkeypatch):
    """However many requests are open, they are written when they hold too much together."""
    monkeypatch.setattr(packing, "OPEN_BYTES_MAX", 10_000)
    _, held = packed("mobile_analytics/requests", [{"client_id": f"c{number}"} for number in range(100)] * 2)
    assert len(held) > 100
    assert sorted(number for numbers in held for number in numbers) == list(range(200))


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_requests_are_compressed(tmp_path, compression):
    """Compressed requests hold what plain ones do."""
    record = {
        "event_type": "e",
        "event_timestamp": 1487973802507,
        "application": {"app_id": "a"},
        "client": {"client_id": "c"},
    }
    (tmp_path / "a.json").write_text(json.dumps(record) + "\n")
    for name in ("none", compression):
        translate.convert(
            tmp_path / "a.json", to="clickstream/requests", out=tmp_path / name, compression=name
        )
    (plain,), (small,) = ((tmp_path / name / "data").iterdir() for name in ("none", compression))
    assert pl.scan_lines(small).collect().equals(pl.scan_lines(plain).collect())
