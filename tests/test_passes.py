"""The passes over a whole archive: first opens, session numbers, profiles, folded pairs; and layouts side by side."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import translate
from translate import events, passes
from translate.archive import units as files
from translate.mapping.keys import ADDITIONS
from translate.passes import fold, sightings

ROOT = Path(__file__).resolve().parent.parent
START = 1_487_973_802_000
ALL = tuple(ADDITIONS)


def record(
    seconds: float, name: str = "e", client: str | None = "c", session: str | None = None, **more: Any
) -> str:
    """Write a record of the Mobile Analytics archive."""
    own: dict[str, Any] = {
        "event_type": name,
        "event_timestamp": int(START + 1000 * seconds),
        "application": {"app_id": more.pop("app", "a")},
    }
    if client is not None:
        own["client"] = {"client_id": client}
    if session is not None:
        own["session"] = {"session_id": session, **more.pop("about", {})}
    return json.dumps({**own, **more})


def hub_event(seconds: float, name: str = "e", **columns: Any) -> dict[str, Any]:
    """Give an event in the hub's columns."""
    more = {key.replace("__", "."): value for key, value in columns.items()}
    return {"time": START + 1000 * seconds, "name": name, "client_id": "c", "app.id": "a", **more}


def write_files(folder: Path, *contents: list[Any]) -> Path:
    """Write each list into a file: records as lines, hub events as Parquet."""
    folder.mkdir(parents=True)
    for number, content in enumerate(contents):
        if isinstance(content[0], str):
            (folder / f"{number:03}.json").write_text("".join(f"{line}\n" for line in content))
        else:
            rows = [{name: event.get(name) for name in events.SCHEMA} for event in content]
            pl.DataFrame(rows, schema=events.SCHEMA).write_parquet(folder / f"{number:03}.parquet")
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make units of a file, buckets of some events, and shards of two rows, so that all joints are in use."""
    monkeypatch.setattr(files, "FILES_MAX", 1)
    set_bucket_rows(monkeypatch, 3)
    monkeypatch.setattr(sightings, "SHARD_ROWS", 2)
    monkeypatch.setattr(sightings, "STRETCH_ROWS", 4)
    monkeypatch.setattr(fold, "SHARD_ROWS", 2)


def set_bucket_rows(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    for module in (sightings, passes):
        monkeypatch.setattr(module, "BUCKET_ROWS", rows)


def convert(source: Path, to: str, **options: Any) -> tuple[dict[str, Any], list[Any]]:
    """Convert an archive; give the report and the rows, for the hub as its events with times in seconds."""
    out = Path(tempfile.mkdtemp(dir=source.parent))
    report = translate.convert(source, to=to, out=out, **options)
    counts = report["events"]
    assert counts["read"] + counts["added"] == sum(
        counts[name] for name in ("written", "rejected", "filtered", "duplicates", "merged")
    )
    parts = sorted((out / "data").rglob("part-*"))
    if to == "hub":
        rows = [row for part in parts for row in pl.read_parquet(part).to_dicts()]
    else:
        rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert len(rows) == counts["written"]
    return report, rows


def found(report: dict[str, Any]) -> dict[str, int]:
    return {finding["code"]: finding["events"] for finding in report["findings"]}


def touched(time: float) -> dict[str, Any]:
    """Give what says of a user when they were first seen."""
    return {"_user_first_touch_timestamp": {"value": int(time), "set_timestamp": int(time)}}


def names_and_seconds(rows: list[Any]) -> list[tuple[str, float]]:
    return [(row["event_type"], (row["timestamp"] - START) / 1000) for row in rows]


# -- first opens ------------------------------------------------------------------------------------------------


def test_each_client_gets_one_first_open_before_its_earliest_event(tmp_path):
    """Over files, and per application; events that cannot be read, and those of no client, are no sightings."""
    source = write_files(
        tmp_path / "in",
        [record(50), record(5, client=None), record(30, client="d"), "junk"],
        [record(20), record(20, name="later in the file"), record(99, app="other")],
        [
            record(1e9, client="d"),
            record(10, client="d", name="first", attributes={"k": "v"}, metrics={"m": 1}),
        ],
    )
    report, rows = convert(source, "clickstream", add=["first_open"])
    opened = [row for row in rows if row["event_type"] == "_first_open"]
    assert [(row["unique_id"], row["app_id"], (row["timestamp"] - START) / 1000) for row in opened] == [
        ("c", "a", 20),
        ("c", "other", 99),
        ("d", "a", 10),
    ]
    assert [row["attributes"] for row in opened] == [{}] * 3
    for number, row in enumerate(rows):
        if row["event_type"] == "_first_open":
            assert (rows[number + 1]["unique_id"], rows[number + 1]["timestamp"]) == (
                row["unique_id"],
                row["timestamp"],
            )
            assert rows[number + 1]["event_type"] != "later in the file"
    assert len({row["event_id"] for row in rows}) == len(rows)
    assert (report["events"]["added"], found(report)["first_open_added"]) == (3, 3)


def test_a_first_open_has_the_device_and_session_of_its_event_only(tmp_path):
    """What the event itself is about is not said of the first open."""
    about = {"start_timestamp": START}
    device = {"make": "Acme", "platform": {"name": "android"}}
    line = record(
        1,
        "_monetization.purchase",
        session="s",
        about=about,
        device=device,
        attributes={"_product_id": "p", "k": "v"},
        metrics={"_quantity": 2},
    )
    _, (opened, bought) = convert(write_files(tmp_path / "in", [line]), "clickstream", add=["first_open"])
    assert bought["items"]
    assert opened == {
        "event_type": "_first_open", "event_id": opened["event_id"], "timestamp": START + 1000, "app_id": "a", "unique_id": "c", "device_id": "c",
        "platform": "Android", "make": "Acme", "zone_offset": 0, "user": touched(START + 1000),
        "attributes": {"_session_id": "s", "_session_start_timestamp": START},
    }  # fmt: skip


def test_ids_with_separators_are_told_apart(tmp_path):
    """Clients, sessions and pairs are who they are, whatever characters their ids hold, and one without an id is nobody."""
    clients = [("a\x1fb", "c"), ("a", "b\x1fc"), ("a", "\x00"), ("\x00", "a")]
    source = write_files(
        tmp_path / "in", [hub_event(1, **{"app.id": app, "client_id": client}) for app, client in clients]
    )
    _, rows = convert(source, "clickstream", add=["first_open"])
    assert sorted(
        (row["app_id"], row["unique_id"]) for row in rows if row["event_type"] == "_first_open"
    ) == sorted(clients)
    halves = [
        hub_event(1, "span", phase="START", session__id="s"),
        hub_event(2, "span", phase="END", session__id="s", user_id="\x00"),
    ]
    report, _ = convert(write_files(tmp_path / "halves", halves), "hub", fold=True)
    assert (report["events"]["merged"], found(report)["cut_pairs"]) == (0, 2)


def test_a_source_with_a_first_open_of_its_own_gets_none(tmp_path):
    """Wherever in the archive it stands."""
    source = write_files(tmp_path / "in", [record(1), record(2, client="d")], [record(9, "_first_open")])
    report, rows = convert(source, "clickstream", add=["first_open"])
    assert report["events"]["added"] == 1
    assert [row["unique_id"] for row in rows if row["event_type"] == "_first_open"] == ["d", "c"]


def test_duplicates_and_deselected_events_are_no_sightings(tmp_path):
    """A first open goes before an event that is written."""
    source = write_files(tmp_path / "in", [record(1, "no"), record(5)], [record(5), record(7)])
    report, rows = convert(source, "clickstream", add=["first_open"], where="name <> 'no'", dedupe=True)
    assert names_and_seconds(rows) == [("_first_open", 5), ("e", 5), ("e", 7)]
    assert (report["events"]["duplicates"], report["filtered"]) == (1, {"--where": 1})


def test_the_recipe_comes_after_the_passes(tmp_path):
    """A recipe sees what was added, and what it makes of it is counted as added."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'to = "clickstream/events"\n[[rule]]\nwhen = "name = \'_first_open\'"\nset."attributes.from" = "client_id"\n'
    )
    report, rows = convert(
        write_files(tmp_path / "in", [record(1)]), "clickstream", add=["first_open"], recipe=recipe
    )
    assert [row["attributes"] for row in rows] == [{"from": "c"}, {}]
    assert (report["events"]["read"], report["events"]["added"]) == (1, 1)


# -- first touches ----------------------------------------------------------------------------------------------


def test_every_event_of_a_client_says_when_it_was_first_seen(tmp_path):
    """Over files, by the earliest event of the client in its application; what has no client says nothing."""
    source = write_files(
        tmp_path / "in",
        [record(50), record(5, client=None), record(30, client="d")],
        [record(20), record(99, app="other"), hub_line(40, user="u")],
    )
    report, rows = convert(source, "clickstream", add=["first_open"])
    said = {
        (
            row.get("unique_id"),
            row["app_id"],
            json.dumps(row.get("user", {}).get("_user_first_touch_timestamp")),
        )
        for row in rows
    }
    times = {"c": 20, "d": 30, "other": 99}
    expected = {
        who: json.dumps(touched(START + 1000 * time)["_user_first_touch_timestamp"])
        for who, time in times.items()
    }
    assert said == {
        ("c", "a", expected["c"]),
        ("d", "a", expected["d"]),
        ("c", "other", expected["other"]),
        (None, "a", "null"),
    }
    assert found(report)["first_touch_filled"] == 5
    (named,) = [row for row in rows if row["timestamp"] == START + 40_000]
    assert list(named["user"]) == ["_user_id", "_user_first_touch_timestamp"]


def hub_line(seconds: float, user: str) -> str:
    """Write a record of the Pinpoint stream that names its user."""
    return record(seconds, awsAccountId="1", endpoint={"User": {"UserId": user}})


def test_a_first_touch_is_no_part_of_an_events_id(tmp_path):
    """The same events have the same ids, with what the pass adds to them and without it."""
    source = archive(tmp_path / "in")
    _, plain = convert(source, "clickstream")
    _, rows = convert(source, "clickstream", add=["first_open", "engagement"])
    assert [row["event_id"] for row in rows if not row["event_type"].startswith(("_first", "_user"))] == [
        row["event_id"] for row in plain
    ]


def test_a_first_touch_that_the_source_states_counts(tmp_path):
    """An event keeps its own; the client's other events get the earliest that was stated."""

    def stated(seconds: float) -> dict[str, str]:
        return {"_user_first_touch_timestamp": str(int(START + 1000 * seconds))}

    source = write_files(
        tmp_path / "in",
        [hub_event(10), hub_event(20, user_properties={**stated(-500), "k": '"v"'})],
        [hub_event(30, user_properties=stated(-900))],
    )
    report, rows = convert(source, "clickstream", add=["first_open"])
    got = [
        (row["timestamp"] - START, row["user"]["_user_first_touch_timestamp"]["value"] - START)
        for row in rows
    ]
    assert got == [(10_000, -900_000), (10_000, -900_000), (20_000, -500_000), (30_000, -900_000)]
    assert found(report)["first_touch_filled"] == 1


# -- engagement -------------------------------------------------------------------------------------------------


def engagement(rows: list[Any]) -> list[tuple[str, int]]:
    return [
        (row["attributes"]["_session_id"], row["attributes"]["_engagement_time_msec"])
        for row in rows
        if row["event_type"] == "_user_engagement"
    ]


def lasted(rows: list[Any]) -> list[int | None]:
    return [row["attributes"].get("_session_duration") for row in rows]


def test_a_session_tells_its_length_on_all_events_and_one_engagement(tmp_path):
    """A recorded length, over files: one event of engagement, at the session's stop; each made value is counted."""
    source = write_files(
        tmp_path / "in",
        [
            record(0, "_session.start", session="s", about={"start_timestamp": START}),
            record(3, session="s"),
            record(4),
            record(1, session="cut"),
        ],
        [record(9, "_session.stop", session="s", about={"start_timestamp": START, "duration": 8000})],
    )
    report, rows = convert(source, "clickstream", add=["engagement"])
    assert names_and_seconds(rows) == [
        ("_session_start", 0),
        ("e", 3),
        ("e", 4),
        ("e", 1),
        ("_user_engagement", 9),
        ("_app_end", 9),
    ]
    assert lasted(rows) == [8000, 8000, None, None, 8000, 8000]
    assert engagement(rows) == [("s", 8000)]
    assert rows[4]["attributes"]["_session_start_timestamp"] == START
    assert (
        report["events"]["added"],
        found(report)["engagement_added"],
        found(report)["session_duration_filled"],
    ) == (1, 1, 2)
    assert len({row["event_id"] for row in rows}) == len(rows)


PAUSED = [
    (0, "start"),
    (10, "pause"),
    (14, "resume"),
    (20, "pause"),
    (21, "pause"),
    (24, "resume"),
    (30, "pause"),
    (40, "stop"),
]


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [(None, 33_000), (40_000, 33_000), (31_000, 31_000), (0, None)],
    ids=["stop minus start", "the same recorded", "active time recorded", "a clock that went back"],
)
def test_pauses_with_a_resume_are_no_engagement(tmp_path, recorded, expected):
    """They are taken off what is stop minus start; a recorded length that is another one knows of them already."""
    about = {} if recorded is None else {"duration": recorded}
    lines = [
        record(seconds, f"_session.{what}", session="s", about=about if what == "stop" else {})
        for seconds, what in PAUSED
    ]
    _, rows = convert(write_files(tmp_path / "in", lines[3:], lines[:3]), "clickstream", add=["engagement"])
    assert engagement(rows) == ([] if expected is None else [("s", expected)])
    assert set(lasted(rows)) == {40_000 if recorded is None else recorded}


def test_without_a_recorded_length_or_start_and_stop_nothing_is_made(tmp_path):
    """Neither for a session that was cut, nor for one whose stop lies before its start, nor for what has no client."""
    source = write_files(
        tmp_path / "in",
        [record(0, "_session.start", session="s"), record(5, session="s"), record(9, "_session.stop", session="t"), record(3, "_session.stop", session="u"),
         record(4, "_session.start", session="u"), record(0, "_session.start", None, "v"), record(1, "_session.stop", None, "v")],
    )  # fmt: skip
    report, rows = convert(source, "clickstream", add=["engagement"])
    assert (
        report["events"]["added"],
        found(report).get("session_duration_filled", 0),
        set(lasted(rows)),
    ) == (0, 0, {None})


def test_engagement_of_the_source_stays(tmp_path):
    """A session with an engagement of its own gets none, and an event keeps its own length."""
    stop = hub_event(9, "session.stop", session__id="s", session__duration=9000)
    source = write_files(tmp_path / "in", [hub_event(1, session__id="s", session__duration=1000), hub_event(2, session__id="s"), stop],
                         [hub_event(3, "_user_engagement", session__id="s", metrics={"_engagement_time_msec": "5"})])  # fmt: skip
    report, rows = convert(source, "clickstream", add=["engagement"])
    assert (report["events"]["added"], lasted(rows), engagement(rows)) == (
        0,
        [1000, 9000, 9000, 9000],
        [("s", 5)],
    )


def test_passes_account_for_every_key(tmp_path):
    """What is added is no key of the source's: the census agrees."""
    translate.convert(archive(tmp_path / "in"), out=tmp_path / "out", census=True, **TOGETHER)


# -- session numbers --------------------------------------------------------------------------------------------


def test_sessions_are_numbered_by_client_and_start(tmp_path):
    """By their starts, else by their first events, whatever the order of the files."""
    source = write_files(
        tmp_path / "in",
        [
            record(100, session="late"),
            record(50, session="early", about={"start_timestamp": START + 1000}),
            record(60),
        ],
        [
            record(90, session="late", about={"start_timestamp": START + 40_000}),
            record(70, session="middle", client="d"),
            record(30, session="middle"),
        ],
    )
    report, rows = convert(source, "clickstream", add=["session_number"])
    numbers = [
        (row["attributes"].get("_session_id"), row["unique_id"], row["attributes"].get("_session_number"))
        for row in rows
    ]
    assert numbers == [
        ("late", "c", 3),
        ("early", "c", 1),
        (None, "c", None),
        ("late", "c", 3),
        ("middle", "d", 1),
        ("middle", "c", 2),
    ]
    assert (report["events"]["added"], found(report)["session_number_filled"]) == (0, 5)


def test_numbers_of_the_source_stay(tmp_path):
    """An event without a number gets the one that its session has elsewhere."""
    source = write_files(
        tmp_path / "in",
        [
            hub_event(1, session__id="s", session__number=7),
            hub_event(2, session__id="s"),
            hub_event(3, session__id="t"),
        ],
    )
    report, rows = convert(source, "clickstream", add=["session_number"])
    assert [row["attributes"]["_session_number"] for row in rows] == [7, 7, 2]
    assert found(report)["session_number_filled"] == 2


# -- profiles ---------------------------------------------------------------------------------------------------


def test_a_profile_is_set_where_it_is_new(tmp_path):
    """In the order of time, over files: where the user or the properties differ from what was last said."""
    red, blue = {"colour": '"red"'}, {"colour": '"blue"'}
    source = write_files(
        tmp_path / "in",
        [hub_event(40, user_id="u", user_properties=blue, attributes={"k": "v"}), hub_event(10, user_id="u")],
        [hub_event(20, user_id="u", user_properties=red), hub_event(30, user_properties=red), hub_event(35), hub_event(50, user_id="v"),
         hub_event(60, user_id="v", user_properties=blue), hub_event(1, client_id="d", user_properties={})],
    )  # fmt: skip
    report, rows = convert(source, "clickstream", add=["profile_set"])
    said = {
        row["timestamp"]: {key: value["value"] for key, value in row["user"].items()}
        for row in rows
        if row["event_type"] == "_profile_set"
    }
    assert {(time - START) / 1000: user for time, user in said.items()} == {
        10: {"_user_id": "u"}, 20: {"_user_id": "u", "colour": "red"}, 40: {"_user_id": "u", "colour": "blue"},
        50: {"_user_id": "v"}, 60: {"_user_id": "v", "colour": "blue"},
    }  # fmt: skip
    assert all(row["attributes"] == {} for row in rows if row["event_type"] == "_profile_set")
    assert (report["events"]["added"], found(report)["profile_set_added"]) == (5, 5)


def test_a_profile_that_the_source_set_counts_as_said(tmp_path):
    """Also one of the same time, later in the file."""
    red = {"colour": '"red"'}
    source = write_files(
        tmp_path / "in",
        [hub_event(10, user_properties=red), hub_event(20, user_properties=red)],
        [hub_event(10, "_profile_set", user_properties=red)],
    )
    report, _ = convert(source, "clickstream", add=["profile_set"])
    assert report["events"]["added"] == 0


# -- all of them, against a plain count ---------------------------------------------------------------------------

CLIENTS = st.sampled_from(["c", "d", None])
TRAFFIC = st.lists(
    st.fixed_dictionaries(
        {
            "time": st.integers(0, 9),
            "name": st.sampled_from(["e", "session.start", "_first_open", "_profile_set"]),
            "client_id": CLIENTS,
            "session.id": st.sampled_from(["s", "t", None]),
            "session.number": st.sampled_from([None, None, 4]),
            "user_id": st.sampled_from([None, "u", "v"]),
            "user_properties": st.sampled_from([None, {}, {"k": "1"}, {"k": "2", "l": "3"}]),
        }
    ),
    min_size=1,
    max_size=14,
)


@given(TRAFFIC, st.lists(st.integers(1, 5), min_size=14, max_size=14))
@settings(max_examples=settings.default.max_examples // 2)
def test_additions_are_what_a_plain_count_says(traffic, cuts):
    """However the archive is cut into files, what is added is what going through all events in order gives."""
    contents, rest = [], [{**event, "time": START + 1000 * event["time"], "app.id": "a"} for event in traffic]
    for cut in cuts:
        if rest:
            contents.append(rest[:cut])
            rest = rest[cut:]
    with tempfile.TemporaryDirectory() as folder:
        report, rows = convert(write_files(Path(folder, "in"), *contents), "clickstream", add=ALL)
    expected = Counter(_first_opens(traffic)) + Counter(_profiles(traffic))
    got = Counter(
        (row["event_type"], row.get("unique_id"), (row["timestamp"] - START) // 1000) for row in rows
    )
    own = Counter((_spelled(event["name"]), event["client_id"], event["time"]) for event in traffic)
    assert got - own == expected
    assert report["events"]["added"] == sum(expected.values())
    numbered = [
        row["attributes"].get("_session_number")
        for row in rows
        if row["attributes"].get("_session_id") and row.get("unique_id")
    ]
    assert all(number is not None for number in numbered)


def _spelled(name: str) -> str:
    return "_session_start" if name == "session.start" else name


def _first_opens(traffic: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    made = []
    for client in ("c", "d"):
        own = [event for event in traffic if event["client_id"] == client]
        if own and not any(event["name"] == "_first_open" for event in own):
            made.append(("_first_open", client, min(event["time"] for event in own)))
    return made


def _profiles(traffic: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    made = []
    for client in ("c", "d"):
        user, properties = None, None
        for event in sorted(
            (event for event in traffic if event["client_id"] == client),
            key=lambda event: (event["time"], event["name"] != "_profile_set"),
        ):
            said = event["user_properties"] or None
            is_new = event["user_id"] is not None and event["user_id"] != user
            if is_new:
                user, properties = event["user_id"], None
            if said is not None and said != properties:
                properties, is_new = said, True
            if is_new and event["name"] != "_profile_set":
                made.append(("_profile_set", client, event["time"]))
    return made


# -- folding ----------------------------------------------------------------------------------------------------


def test_a_session_becomes_one_event_with_a_duration(tmp_path):
    """Over files, and where the end comes first; what only the end says is kept, what differs under a name of its own."""
    start = record(
        10,
        "_session.start",
        session="s",
        attributes={"same": "1", "other": "a", "end_other": "x"},
        metrics={"n": 1},
    )
    stop = record(
        70,
        "_session.stop",
        session="s",
        attributes={"same": "1", "other": "b", "new": "c"},
        metrics={"n": 2},
        device={"make": "Acme"},
    )
    report, rows = convert(
        write_files(tmp_path / "in", [stop, record(20, session="s")], [start]), "hub", fold=True
    )
    assert (report["events"]["merged"], [row["name"] for row in rows]) == (1, ["e", "session.start"])
    folded = rows[1]
    assert (
        folded["session.duration"],
        folded["session.stop"].timestamp(),
        folded["session.start"].timestamp(),
    ) == (60_000, START / 1000 + 70, START / 1000 + 10)
    assert folded["attributes"] == {
        "same": "1",
        "other": "a",
        "end_other": "x",
        "new": "c",
        "end_end_other": "b",
    }
    assert (folded["metrics"], folded["device.make"], folded["phase"]) == (
        {"n": "1", "end_n": "2"},
        "Acme",
        None,
    )
    assert "cut_pairs" not in found(report)


def test_the_end_knows_better_how_long_it_took(tmp_path):
    """Stop and duration are the end's own, where it says them; what disagrees is kept."""
    start = hub_event(
        0,
        "session.start",
        session__id="s",
        session__duration=1,
        app__version="1",
        arrival_time=START,
        items="[1]",
    )
    stop = hub_event(
        9,
        "session.stop",
        session__id="s",
        session__duration=8000,
        session__stop=START + 8500,
        app__version="2",
        arrival_time=START + 5,
        items="[2]",
        event_id="own",
    )
    _, (folded,) = convert(write_files(tmp_path / "in", [start, stop]), "hub", fold=True)
    assert (folded["session.duration"], folded["session.stop"].timestamp()) == (8000, START / 1000 + 8.5)
    assert folded["attributes"] == {"end_app_version": "2", "end_event_id": "own"}
    assert folded["metrics"] == {
        "end_time": str(START + 9000),
        "start_session_duration": "1",
        "end_arrival_time": str(START + 5),
    }
    assert folded["other"] == {"end_items": "[2]"}


def test_pairs_are_the_nearest_and_of_one_session_client_user_and_app(tmp_path):
    """Several pairs in a session, one inside of the other; halves of others, and cut ones, stay as they are."""

    def half(seconds, phase, name="span", **more):
        return hub_event(seconds, name, phase=phase, session__id="s", **more)

    source = write_files(
        tmp_path / "in",
        [half(8, "END"), half(2, "START"), half(3, "END"), half(4, "UPDATE")],
        [
            half(1, "START"),
            half(5, "START", user_id="u"),
            half(6, "END", user_id="v"),
            half(9, "END"),
            half(7, "END", "other"),
        ],
        [{**half(1, "START"), "session.id": None}, half(20, "START"), half(20, "END")],
    )
    report, rows = convert(source, "hub", fold=True)
    lasted = sorted(
        (row["time"].timestamp() - START / 1000, row["session.duration"])
        for row in rows
        if row["session.duration"] is not None
    )
    assert lasted == [(1, 7000), (2, 1000), (20, 0)]
    assert (report["events"]["merged"], found(report)["cut_pairs"]) == (3, 4)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 2, 0], [1, 2, 0, 3]])
def test_what_ends_as_the_next_begins_lasts_until_then(tmp_path, order):
    """Where times are whole seconds, one video ends in the second in which the next begins."""
    halves = [
        hub_event(seconds, "video", phase=phase, session__id="s")
        for seconds, phase in ((0, "START"), (10, "END"), (10, "START"), (30, "END"))
    ]
    _, rows = convert(write_files(tmp_path / "in", [halves[place] for place in order]), "hub", fold=True)
    assert sorted(row["session.duration"] for row in rows) == [10_000, 20_000]


def test_an_end_takes_no_start_that_has_an_end_of_its_own(tmp_path):
    """The first START lies before the export: its END stays alone, and the next one keeps its own."""
    halves = [
        hub_event(seconds, "video", phase=phase, session__id="s")
        for seconds, phase in ((10, "END"), (10, "START"), (20, "END"))
    ]
    report, rows = convert(write_files(tmp_path / "in", halves), "hub", fold=True)
    assert sorted(row["session.duration"] or 0 for row in rows) == [0, 10_000]
    assert (report["events"]["merged"], found(report)["cut_pairs"]) == (1, 1)


def test_an_end_may_stand_before_its_start_of_the_same_time(tmp_path):
    halves = [hub_event(5, "tap", phase=phase, session__id="s") for phase in ("END", "START", "START", "END")]
    report, rows = convert(write_files(tmp_path / "in", halves), "hub", fold=True)
    assert ([row["session.duration"] for row in rows], report["events"]["merged"]) == ([0, 0], 2)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.sampled_from("st")), min_size=1, max_size=12),
    st.integers(1, 6),
)
@settings(max_examples=settings.default.max_examples // 2)
def test_folding_loses_no_event_and_no_value(halves, cut):
    """What is merged and what is written are all events, and every value of every end is somewhere."""
    made = [hub_event(time, "x", phase="END" if is_end else "START", session__id=session, attributes={"k": f"v{number}"})
            for number, (time, is_end, session) in enumerate(halves)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        source = write_files(
            Path(folder, "in"), *[made[start : start + cut] for start in range(0, len(made), cut)]
        )
        report, rows = convert(source, "hub", fold=True)
    merged = report["events"]["merged"]
    assert len(rows) + merged == len(made)
    assert sum(row["phase"] is None for row in rows) == merged
    assert found(report).get("cut_pairs", 0) == len(made) - 2 * merged
    assert sorted(value for row in rows for value in row["attributes"].values()) == sorted(
        f"v{number}" for number in range(len(made))
    )
    assert all(row["session.duration"] >= 0 for row in rows if row["phase"] is None)


@pytest.mark.parametrize(
    "to", ["clickstream", "learning_context", "pinpoint/requests", "personalize", "mobile_analytics", "hub"]
)
def test_folding_adds_up_for_every_target(tmp_path, to):
    """Each target takes folded events."""
    source = write_files(
        tmp_path / "in",
        [record(1, "_session.start", session="sssssssss"), record(9, "_session.stop", session="sssssssss")],
    )
    out = tmp_path / "out"
    report = translate.convert(source, to=to, out=out, fold=True)
    assert report["events"]["merged"] == 1


# -- together ---------------------------------------------------------------------------------------------------


def archive(folder: Path) -> Path:
    """Make an archive of several clients, sessions and files, in no order."""
    chance = random.Random(5)
    lines = []
    for number in range(120):
        session = chance.choice(["s", "t", "u"])
        name = chance.choice(["e", "_session.start", "_session.stop"])
        lines.append(
            record(
                chance.randrange(40), name, chance.choice("cde"), session, attributes={"k": str(number % 50)}
            )
        )
    lines += chance.sample(lines, 20)
    return write_files(folder, *[lines[start : start + 20] for start in range(0, len(lines), 20)])


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


TOGETHER: dict[str, Any] = {"to": "clickstream", "add": ALL, "fold": True, "dedupe": True}


def test_the_same_bytes_however_buckets_and_shards_are_cut(tmp_path, monkeypatch):
    """What is found depends on the archive only."""
    set_bucket_rows(monkeypatch, 20)
    source = archive(tmp_path / "in")
    translate.convert(source, out=tmp_path / "small", **TOGETHER)
    set_bucket_rows(monkeypatch, 1_000_000)
    monkeypatch.setattr(sightings, "SHARD_ROWS", 50_000)
    monkeypatch.setattr(sightings, "STRETCH_ROWS", 100_000)
    monkeypatch.setattr(fold, "SHARD_ROWS", 50_000)
    translate.convert(source, out=tmp_path / "large", **TOGETHER)
    assert tree(tmp_path / "small") == tree(tmp_path / "large")
    report = json.loads((tmp_path / "small" / "report.json").read_bytes())
    assert all(report["events"][name] for name in ("added", "merged", "duplicates"))
    assert not (tmp_path / "small" / ".translate").exists()


DRIVER = """
import json, os, sys
import translate
from translate.archive import units as files
from translate.conversion.output import Output
files.FILES_MAX = 1
finish_unit = Output.finish_unit
def finish(self, number, *rest):
    if number == int(sys.argv[3]):
        os.kill(os.getpid(), 9)
    finish_unit(self, number, *rest)
Output.finish_unit = finish
translate.convert(sys.argv[1], out=sys.argv[2], **json.loads(sys.argv[4]))
"""


@pytest.mark.parametrize("unit", [0, 3])
def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path, monkeypatch, unit):
    """The passes look again at the whole archive, and find the same."""
    set_bucket_rows(monkeypatch, 60)
    source = archive(tmp_path / "in")
    translate.convert(source, out=tmp_path / "whole", **TOGETHER)
    command = [
        sys.executable,
        "-c",
        DRIVER,
        str(source),
        str(tmp_path / "out"),
        str(unit),
        json.dumps(TOGETHER),
    ]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == -9
    assert len(list((tmp_path / "out" / ".translate").glob("unit-*.json"))) == unit
    with pytest.raises(translate.UsageError, match=r"another job.*different: add, fold"):
        translate.convert(source, out=tmp_path / "out", to="clickstream", dedupe=True)
    translate.convert(source, out=tmp_path / "out", **TOGETHER)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@pytest.mark.parametrize(
    ("to", "add", "message"),
    [
        (
            "pinpoint",
            ["first_open"],
            r"pinpoint does not count by it; leave it out \(it is for clickstream\)",
        ),
        ("clickstream", ["first_opens"], 'did you mean "first_open"'),
    ],
)
def test_what_cannot_be_added_is_refused_before_anything_is_read(tmp_path, to, add, message):
    """An unknown pass, or one that the target knows nothing of, is a usage error."""
    with pytest.raises(translate.UsageError, match=message):
        translate.convert(tmp_path / "nowhere", to=to, out=tmp_path / "out", add=add)


def test_the_command_line_takes_them(tmp_path):
    """`--add` takes several names, `--fold` needs none; a dry run takes neither."""
    source = archive(tmp_path / "in")
    call = [
        sys.executable,
        "-m",
        "translate",
        "convert",
        str(source),
        "--to",
        "clickstream",
        "--add",
        "first_open,session_number",
        "--fold",
    ]
    done = subprocess.run(
        [*call, "--out", str(tmp_path / "out"), "--json"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"]["added"] == 3
    assert subprocess.run([*call, "--dry-run"], cwd=ROOT, check=False, capture_output=True).returncode == 2


# -- layouts side by side ---------------------------------------------------------------------------------------


def test_archives_and_streams_are_read_in_one_run(tmp_path):
    """Each file by its own layout, in units of their own; the report names both, and clients are one over both."""
    stream = record(1, awsAccountId="1", endpoint={"EndpointStatus": "ACTIVE"})
    source = write_files(tmp_path / "in", [stream], [record(5)], [record(3), stream])
    out = tmp_path / "out"
    report = translate.convert(source, to="clickstream", out=out, add=["first_open"])
    assert report["from"] == "mobile_analytics/archive, pinpoint/event_stream"
    assert (report["events"]["read"], report["events"]["added"]) == (4, 1)
    told = [json.loads(line) for line in (out / "files.ndjson").read_text().splitlines()]
    assert [(file["path"], f"{file['model']}/{file['layout']}", file["read"]) for file in told] == [
        ("001.json", "mobile_analytics/archive", 1), ("000.json", "pinpoint/event_stream", 1), ("002.json", "pinpoint/event_stream", 2),
    ]  # fmt: skip
    assert {"mobile_analytics.toml", "pinpoint.toml"} < set(report["mapping"])


def test_hub_files_are_read_again(tmp_path):
    """What was written as hub events is read as them, ids and all; an event without a name is rejected."""
    source = write_files(
        tmp_path / "in", [hub_event(1, attributes={"k": "v"}, event_id="own"), {**hub_event(2), "name": None}]
    )
    report, rows = convert(source, "hub")
    assert report["rejects"] == {"missing_required": 1}
    assert (rows[0]["event_id"], rows[0]["attributes"], rows[0]["file"]) == ("own", {"k": "v"}, "000.parquet")
