"""One judge: what `convert` writes without a reject breaks no hard limit in `validate`, and both give the same advice."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from canonical import zoo
from hub_events import KEYS, TEXTS, frame_of, hub_event
from hypothesis import given, settings
from hypothesis import strategies as st
from test_validate import (
    BASES,
    CLICKSTREAM,
    LEARNING,
    PERSONALIZE,
    PINPOINT,
    TIME,
    keys,
    personalize_call,
    pinpoint_request,
)

import translate
from translate import mapping
from translate.mapping.checks import kind_of

WRITABLE = [
    layout.address
    for model in mapping.models()
    for layout in mapping.load(model).layouts.values()
    if layout.write
]
TOLD = ["tracking_id=t-1", "day=2026-10-30", "app_id=shop"]
MODEST = settings.default.max_examples

# Texts at the edges of the limits, and such as have tripped readers.
NAUGHTY = [
    "", " ", "\u00a0", "\x00", "a\x00b", "\x1e", "\x1f", "\u2028", "\ufeff", "\r", "a\r\nb", "\t", "\\", '"', "'", "😀", "👩‍👩‍👧", "مرحبا", "\u202eabc", "レベル完了",
    "e\u0301", "null", "NaN", "1e400", "-0", "<script>", "a,b", "a|b", '{"set_timestamp":1}', '"set_timestamp":', "yes", "true", "1.5", "9" * 25,
    *(letter * count for letter in "x😀" for count in (7, 8, 20, 21, 40, 41, 50, 51, 127, 128, 200, 201, 256, 257, 1000, 1001, 1024, 1025)),
]  # fmt: skip
RESERVED = [
    "_previous_timestamp", "_engagement_time_msec", "_session_start_timestamp", "_session_start_time_msec", "_session_duration", "_session_number",
    "_entrances", "_is_first_time", "_outbound", "_user_age", "_user_id", "_color", "_screen_name", "userId", "TimeStamp", "impression", "cognito_id",
]  # fmt: skip


def converted_and_judged(
    source: Path, address: str, *more: str, from_: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Convert a source and judge what was written; give both accounts."""
    with tempfile.TemporaryDirectory() as folder:
        report = translate.convert(
            source, to=address, from_=from_, out=Path(folder, "out"), set_=[*TOLD, *more]
        )
        judged = (
            translate.validate(Path(folder, "out", "data"), as_=address, examples=True)
            if report["events"]["written"]
            else {}
        )
        return report, judged


def agree(source: Path, address: str, *more: str, from_: str | None = None) -> dict[str, Any]:
    """Assert that what is written is not refused, and that the advice is the same on both sides; give the conversion's account."""
    report, judged = converted_and_judged(source, address, *more, from_=from_)
    if judged:
        assert [breach for breach in judged["breaches"] if breach["hard"]] == []
        assert judged["events"]["read"] == report["events"]["written"]
        told = {
            (found["message"], found["events"])
            for found in report["findings"]
            if found["code"] in ("over_advice", "receiver_changes")
        }
        assert {(cited(breach), breach["events"]) for breach in judged["breaches"]} - told == set()
        assert told - {(cited(breach), breach["events"]) for breach in judged["breaches"]} == set()
    return report


def cited(breach: dict[str, Any]) -> str:
    """Say of a breach what the report of a conversion says."""
    altered = f": the receiver {breach['receiver_changes']}" if "receiver_changes" in breach else ""
    return f"{breach['message']}{altered} ({breach['source']})"


def hub_file(folder: str, frame: Any) -> Path:
    """Write hub events to a file."""
    path = Path(folder, "events.parquet")
    frame.write_parquet(path)
    return path


@pytest.mark.parametrize("more", [(), ("keep_names=true", "fill_endpoints=true")], ids=["plain", "kept"])
@pytest.mark.parametrize("address", WRITABLE)
def test_the_zoo(address, more, tmp_path):
    """Of the zoo, whatever is written is taken."""
    report = agree(hub_file(str(tmp_path), zoo()), address, *more)
    assert (
        report["events"]["written"] or address == "mobile_analytics/requests"
    )  # which needs a title, and few events have one


@st.composite
def odd_events(draw: st.DrawFn) -> list[dict[str, object]]:
    """Draw hub events, of which some hold what lies at the edges of limits."""
    drawn = draw(st.lists(hub_event(), min_size=1, max_size=6))
    texts = st.one_of(st.sampled_from(NAUGHTY), TEXTS)
    for number, event in enumerate(drawn):
        event["event_id"] = f"e-{number}"
        odd = draw(
            st.dictionaries(st.one_of(st.sampled_from([*RESERVED, *NAUGHTY]), KEYS), texts, max_size=4)
        )
        event["attributes"] = {**(event["attributes"] or {}), **odd}
        for key in draw(st.sets(st.sampled_from(RESERVED), max_size=2)):
            event["metrics"] = {
                **(event["metrics"] or {}),
                key: draw(st.sampled_from(["0", "1", "1.5", str(2**63 - 1), str(2**63), "1" * 30])),
            }
        if draw(st.integers(0, 5)) == 0:
            event["attributes"] = {
                **event["attributes"],
                **keys(draw(st.sampled_from([36, 39, 40, 41, 495, 500, 501]))),
            }
        for column in draw(
            st.sets(
                st.sampled_from(
                    [
                        "name",
                        "session.id",
                        "item_id",
                        "user_id",
                        "phase",
                        "attribution_source",
                        "recommendation_id",
                    ]
                ),
                max_size=3,
            )
        ):
            event[column] = draw(texts)
        if event["user_properties"] is not None and draw(st.booleans()):
            event["user_properties"] = {
                **event["user_properties"],
                **dict.fromkeys(RESERVED[-8:-4], json.dumps(draw(texts))),
            }
    return drawn


@pytest.mark.parametrize("address", WRITABLE)
@settings(max_examples=max(MODEST // 3, 5))
@given(drawn=odd_events(), kept=st.booleans())
def test_generated_events(address, drawn, kept):
    """Of generated events, naughty texts and counts at the edges among them, whatever is written is taken."""
    with tempfile.TemporaryDirectory() as folder:
        agree(
            hub_file(folder, frame_of(drawn)),
            address,
            *(("keep_names=true", "fill_endpoints=true") if kept else ()),
        )


def body_bytes(folder: Path) -> int:
    """Measure the body of the one request that was written."""
    (part,) = (folder / "data").iterdir()
    body = json.loads(part.read_text(encoding="utf-8"))["body"]
    return len(
        (
            body if isinstance(body, str) else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        ).encode()
    )


@pytest.mark.parametrize(
    ("address", "most"), [("clickstream/requests", 1_000_000), ("mobile_analytics/requests", 1_048_576)]
)
def test_a_row_that_no_request_can_hold(address, most, tmp_path):
    """A row is judged with what stands around it in a request: one byte more than fits is refused before it is packed."""
    event, wrap = BASES[address]
    source, written, missing = tmp_path / "a.jsonl", [], 0
    for number, more in enumerate(("measured", 0, 1)):
        missing = missing + more if more != "measured" else 0
        source.write_text(json.dumps(wrap({**event, "rest": "x" * (most - 2000 + missing)})) + "\n")
        written.append(agree(source, address, from_=address)["events"]["written"])
        if more == "measured":
            translate.convert(source, to=address, from_=address, out=tmp_path / str(number), set_=TOLD)
            missing = most - body_bytes(tmp_path / str(number))
    assert written == [1, 1, 0]


@pytest.mark.parametrize(("address", "most"), [("personalize/requests", 10), ("pinpoint/requests", 100)])
def test_requests_on_one_line(address, most, tmp_path):
    """Several requests on one line are judged each by itself."""
    event, wrap = BASES[address]
    full, over = json.dumps(wrap(*[event] * most)), json.dumps(wrap(*[event] * (most + 1)))
    source = tmp_path / "a.jsonl"
    source.write_text(f"{full} {full}\n")
    assert translate.validate(source, as_=address)["breaches"] == []
    source.write_text(f"{full} {over} {full}\n")
    (breach,) = translate.validate(source, as_=address)["breaches"]
    assert (breach["limit"], breach["events"], breach["requests"]) == ("request_events_max", most + 1, 1)
    assert translate.validate(source, as_=address)["events"]["refused"] == most + 1


PLACES = {address: [(name,) for name in event] + [(name, inner) for name, value in event.items() if isinstance(value, dict) for inner in (*value, "unknown")]
          for address, (event, _) in BASES.items()}  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(NAUGHTY),
    st.sampled_from(
        [None, True, False, 0, 1, -1, 1.5, 2**63, 10**30, [], {}, [1], ["x"], {"x": 1}, [{"id": "x" * 257}]]
    ),
)


@st.composite
def odd_rows(draw: st.DrawFn, address: str) -> list[Any]:
    """Draw rows of a layout, of which some members are not what they should be, or are none of its own."""
    event, wrap = BASES[address]
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        odd = json.loads(json.dumps(event))
        for place in draw(st.lists(st.sampled_from(PLACES[address]), max_size=3)):
            inner = odd if len(place) == 1 else odd.get(place[0])
            if isinstance(inner, dict):
                inner[place[-1]] = draw(VALUES)
        home = next(
            (odd[name] for name in ("attributes", "Attributes") if isinstance(odd.get(name), dict)), None
        )
        if home is not None:
            home.update(draw(st.dictionaries(st.sampled_from([*RESERVED, *NAUGHTY]), VALUES, max_size=3)))
        odd.update(draw(st.dictionaries(st.sampled_from([*NAUGHTY, "unknown"]), VALUES, max_size=2)))
        lines.append(wrap(odd))
    return lines


@pytest.mark.parametrize("address", BASES)
@settings(max_examples=max(MODEST // 2, 5))
@given(data=st.data())
def test_odd_rows_of_its_own(address, data):
    """What a layout's own rows hold beside its places goes back into them, and is judged there."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.jsonl")
        source.write_text(
            "".join(f"{json.dumps(line)}\n" for line in data.draw(odd_rows(address))), encoding="utf-8"
        )
        agree(source, address, from_=address)


# -- what was not judged, or not alike ------------------------------------------------------------------------------


def archive_event(**more: Any) -> dict[str, Any]:
    return {
        "event_type": "e",
        "event_timestamp": TIME,
        "application": {"app_id": "shop"},
        "client": {"client_id": "c"},
        **more,
    }


def told(
    folder: Path, address: str, *events: Any, from_: str = "mobile_analytics/archive", **options: Any
) -> tuple[list[str], dict[str, int]]:
    """Convert events; give the messages of the rejected ones, and the advice."""
    source = folder / "a.jsonl"
    source.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    report = translate.convert(source, to=address, from_=from_, out=folder / "out", set_=TOLD, **options)
    rejects = [
        json.loads(line)["message"]
        for line in (folder / "out" / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    return rejects, {
        found["message"]: found["events"] for found in report["findings"] if found["code"] == "over_advice"
    }


@pytest.mark.parametrize("target", ["clickstream/events", "clickstream/requests", "clickstream/raw"])
@pytest.mark.parametrize("key", ["_previous_timestamp", "_engagement_time_msec"])
def test_what_the_pipeline_reads_as_a_whole_number(target, key, tmp_path):
    """Text, or a number beyond 64 bits, in such an attribute sends the event to the corrupt folder: it is rejected with its place."""
    fine = [
        archive_event(attributes={key: "12"}),
        archive_event(metrics={key: 1.5}),
        archive_event(attributes={key: ""}),
        archive_event(metrics={key: 2**63 - 1}),
    ]
    wrong = [
        archive_event(attributes={key: "yesterday"}),
        archive_event(metrics={key: 2**63}),
        archive_event(attributes={key: str(2**63)}),
    ]
    rejects, _ = told(tmp_path, target, *fine, *wrong)
    assert len(rejects) == len(wrong)
    assert all(message.startswith(f"attributes.{key} is no number of 64 bits (") for message in rejects)


def test_a_recipe_settles_it(tmp_path):
    """A rule that removes the attribute lets the event through."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        'to = "clickstream/events"\n[[rule]]\nremove = ["attributes._previous_timestamp"]\n', encoding="utf-8"
    )
    rejects, _ = told(
        tmp_path,
        "clickstream/events",
        archive_event(attributes={"_previous_timestamp": "yesterday"}),
        recipe=recipe,
    )
    assert rejects == []


def test_flags_that_become_false_are_told(tmp_path):
    """Anything but 1 and true becomes false; what says false itself is no loss."""
    values = ["1", "true", "0", "false", "yes", "TRUE", ""]
    rejects, advice = told(
        tmp_path, "clickstream/events", *(archive_event(attributes={"_outbound": value}) for value in values)
    )
    assert rejects == []
    (message,) = [message for message in advice if "_outbound" in message]
    assert advice[message] == 3
    assert "becomes false" in message


def test_numbers_of_sessions_that_become_empty_are_told(tmp_path):
    """A fraction where the pipeline parses a whole number leaves its column empty: told, not refused."""
    rows = [
        {**CLICKSTREAM, "attributes": {"_session_start_time_msec": value}}
        for value in (TIME, str(TIME), 1.5, "1.5", True)
    ]
    rejects, advice = told(tmp_path, "clickstream/raw", *rows, from_="clickstream/events")
    assert rejects == []
    assert [count for message, count in advice.items() if "_session_start_time_msec" in message] == [3]


def test_an_action_is_judged_where_it_is_written(tmp_path):
    """A foreign action is read, and kept by the hub; the model itself refuses it, as `validate` does."""
    rejects, _ = told(tmp_path, "hub", {**LEARNING, "action": "BEGIN"}, from_="learning_context/events")
    assert rejects == []
    assert translate.scan(tmp_path / "out" / "data", model="hub").collect()["phase"].to_list() == ["BEGIN"]
    report, _ = converted_and_judged(tmp_path / "out" / "data", "learning_context/events")
    assert report["rejects"] == {"over_limit": 1}


def test_an_object_that_lacks_what_it_needs_once_its_other_members_are_back(tmp_path):
    """Members that no field names go back into the row, and the row is judged with them."""
    call = personalize_call({**PERSONALIZE, "metricAttribution": {"other": 1}})
    rejects, _ = told(tmp_path, "personalize/requests", call, from_="personalize/requests")
    assert [message.partition(" (")[0] for message in rejects] == [
        "metricAttribution without eventAttributionSource"
    ]


def test_custom_attributes_are_counted_once_and_alike(tmp_path):
    """What the tool itself puts beside 500 attributes counts like them, its model's own names do not."""
    for count, written in ((499, 1), (500, 0)):
        event = archive_event(
            attributes=keys(count), client={"client_id": "c", "cognito_id": "i"}, session={"session_id": "s"}
        )
        source = tmp_path / f"{count}.jsonl"
        source.write_text(json.dumps(event) + "\n", encoding="utf-8")
        assert agree(source, "clickstream/events")["events"]["written"] == written


def test_raw_rows_have_the_limits_of_their_pipeline(tmp_path):
    """What only the HTTP API and its SDKs ask for is nothing to rows of the buffer."""
    event = {**CLICKSTREAM, "event_type": "level.up", "attributes": {**keys(501), "a b": "x" * 1025}}
    assert told(tmp_path, "clickstream/raw", event, from_="clickstream/events") == ([], {})
    assert translate.validate(tmp_path / "out" / "data", as_="clickstream/raw")["breaches"] == []


def test_archives_and_streams_have_none():
    """Neither an archive, nor a stream, nor the hub has a limit of rows."""
    for address in (
        "mobile_analytics/archive",
        "mobile_analytics/redshift",
        "pinpoint/event_stream",
        "pinpoint/flat",
    ):
        _, layout = mapping.find_layout(address)
        assert not layout.limits
        assert not layout.checks


@pytest.mark.parametrize(
    "address",
    [layout.address for model in mapping.models() for layout in mapping.load(model).layouts.values()],
)
def test_every_limit_names_places_that_are_there(address):
    """A limit without a place, or with one that the layout does not have, would judge nothing."""
    _, layout = mapping.find_layout(address)
    for limit in (*layout.limits.values(), *layout.checks.values()):
        assert limit.places
        assert all(kind_of(layout, place) for place in limit.places)


def test_a_session_of_an_endpoint_is_whole(tmp_path):
    """A session of unknown members alone is none that lacks its id."""
    line = pinpoint_request({**PINPOINT, "Session": {"Other": 1}})
    source = tmp_path / "a.jsonl"
    source.write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert agree(source, "pinpoint/requests", from_="pinpoint/requests")["events"]["written"] == 1
