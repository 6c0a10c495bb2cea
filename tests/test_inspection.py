"""`inspect` counts what a plain loop over the same events counts, in every layout, and names what is wrong with them."""

import datetime as dt
import gzip
import io
import json
import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import translate
from translate import cli
from translate.passes.distinct import Digests, digest_of
from translate.telling.inspection import columns, figures, inspect, reading, sums
from translate.telling.inspection.sums import Counts

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = sorted(
    path
    for path in (ROOT / "sample_data").glob("*/*")
    if path.suffix in (".jsonl", ".csv", ".parquet") and path.stem != "zoo"
)
ARCHIVE = ROOT / "sample_data" / "mobile_analytics" / "archive"
TIME = 1_500_000_000_000
PEOPLE = {"clients": "client_id", "users": "user_id", "identities": "cognito_id", "devices": "device_id"}
DETAILS = {
    "versions": ["app.version"],
    "sdks": ["sdk.name", "sdk.version"],
    "platforms": ["device.platform"],
    "countries": ["device.country"],
}


def record(name="level_up", time=TIME, arrival=TIME + 1000, session="s-1", **more):
    whole = {
        "event_type": name, "event_timestamp": time, "arrival_timestamp": arrival, "event_version": "3.0",
        "application": {"app_id": "shop"}, "client": {"client_id": "c-1"}, "session": {"session_id": session, "start_timestamp": TIME},
        "attributes": {}, "metrics": {},
    }  # fmt: skip
    return {**whole, **more}


def archive(folder, *records, name="events.json"):
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in records)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def faults(found):
    return {fault["fault"]: fault["count"] for fault in found.values["faults"]}


def naive(events):
    """Count by a plain loop what `inspect` says, by the names that it says it under."""
    rows = list(events.iter_rows(named=True))
    times = [row["time"] for row in rows]
    values = Counter(
        (row["name"], home, key) for row in rows for home in columns.CONTAINERS for key in row[home] or {}
    )
    return {
        "events": len(rows),
        "first": min(times),
        "last": max(times),
        "days": Counter(time.date().isoformat() for time in times),
        "types": Counter(row["name"] for row in rows),
        "people": {name: len({row[column] for row in rows} - {None}) for name, column in PEOPLE.items()},
        "sessions": len(
            {
                (row["client_id"] or row["user_id"], row["session.id"])
                for row in rows
                if row["session.id"] is not None
            }
        ),
        "repeated": len(rows) - len({row["event_id"] for row in rows}),
        "skewed": sum(row["arrival_time"] is not None and row["arrival_time"] < row["time"] for row in rows),
        "late": sum(
            row["arrival_time"] is not None and row["arrival_time"] - row["time"] > dt.timedelta(days=1)
            for row in rows
        ),
        "keys": values,
        **{name: _several(rows, columns) for name, columns in DETAILS.items()},
    }


def _several(rows, columns):
    found = Counter(tuple(row[column] for column in columns) for row in rows)
    return {values: count for values, count in found.items() if set(values) != {None}}


def told(found):
    """Give what `inspect` says in the same words."""
    values, wrong = found.values, faults(found)
    when = {name: dt.datetime.fromisoformat(values["time"]["event"][name]) for name in ("first", "last")}
    return {
        "events": values["events"]["inspected"],
        **when,
        "days": {entry["day"]: entry["events"] for entry in values["days"]},
        "types": {entry["name"]: entry["events"] for entry in values["types"]},
        "people": {name: values["people"][name]["different"] for name in PEOPLE},
        "sessions": values["people"]["sessions"]["different"],
        "repeated": wrong.get("duplicates", 0),
        "skewed": wrong.get("clock_skew", 0),
        "late": wrong.get("late.24h", 0),
        "keys": {
            (row["name"], row["container"], row["key"]): row["events"]
            for row in found.keys.iter_rows(named=True)
        },
        **{
            name: {
                tuple(value for key, value in entry.items() if key != "events"): entry["events"]
                for entry in values[name]
            }
            for name in DETAILS
        },
    }


@pytest.mark.parametrize("path", [*SAMPLES, ARCHIVE], ids=lambda path: f"{path.parent.name}-{path.name}")
def test_figures_are_those_of_a_plain_loop(path):
    """In every layout all figures are what a loop over the hub's events finds."""
    assert told(inspect(path)) == naive(translate.scan(path).collect())


def test_batches_and_units_do_not_show(monkeypatch):
    """However few events are looked at a time, the figures are the same."""
    whole = inspect(ARCHIVE).to_json()
    monkeypatch.setattr(reading, "BATCH_EVENTS", 7)
    monkeypatch.setattr(sums, "WAITING_ROWS", 50)
    monkeypatch.setattr("translate.archive.units.PART_BYTES", 20_000)
    assert inspect(ARCHIVE).to_json() == whole


def test_duplicates_are_those_that_dedupe_removes(tmp_path):
    """Events of the same content are as many as `convert --dedupe` takes out."""
    report = translate.convert(ARCHIVE, to="hub", out=tmp_path / "out", dedupe=True)
    assert report["events"]["duplicates"] == faults(inspect(ARCHIVE))["duplicates"] > 0


def test_the_order_of_keys_makes_no_other_event(tmp_path):
    """The same content in another order is a duplicate, a value in another key's place is none, nor an empty map for none."""
    one = record(attributes={"a": "x", "b": "y"})
    others = [
        record(attributes={"b": "y", "a": "x"}, arrival_timestamp=TIME + 5),
        record(attributes={"a": "y", "b": "x"}),
        record(),
    ]
    absent = {name: value for name, value in record().items() if name != "attributes"}
    assert faults(inspect(archive(tmp_path, one, *others, absent)))["duplicates"] == 1


def test_an_own_id_is_what_counts(tmp_path):
    """Where the source has ids, the same id is a duplicate, the same content with another id is none."""
    event = {"event_type": "a", "timestamp": TIME, "app_id": "shop", "unique_id": "u", "attributes": {}}
    lines = [
        {**event, "event_id": "1"},
        {**event, "event_id": "1", "unique_id": "other"},
        {**event, "event_id": "2"},
    ]
    assert faults(inspect(archive(tmp_path, *lines), from_="clickstream/events"))["duplicates"] == 1


def test_late_and_skewed(tmp_path):
    """Late arrivals are counted by how late they are; an event after its arrival is a clock that is wrong."""
    hour = 3_600_000
    behind = [hour, hour + 1, 25 * hour, 80 * hour, 800 * hour, -5000]
    source = archive(
        tmp_path,
        *(record(time=TIME + number, arrival=TIME + number + each) for number, each in enumerate(behind)),
    )
    found = inspect(source)
    assert faults(found) == {"late.1h": 4, "late.24h": 3, "late.72h": 2, "late.720h": 1, "clock_skew": 1}
    assert "by up to 5 seconds" in str(found)


def test_sessions_without_stop(tmp_path):
    """A session that began and neither stops nor names a stop is one without; of one that never began nothing is said."""
    stopped = {"session_id": "told", "start_timestamp": TIME, "stop_timestamp": TIME + 1}
    lines = [
        record("_session.start", session="ended"), record("_session.stop", session="ended", time=TIME + 1),
        record("_session.start", session="open"), record("_session.start", session=None) | {"session": stopped},
        record(session="cut"),
    ]  # fmt: skip
    found = inspect(archive(tmp_path, *lines))
    assert faults(found) == {"sessions_without_stop": 1}
    assert found.values["people"]["sessions"] == {"different": 4, "started": 3, "stopped": 2}


def test_limits_and_unreadable_records(tmp_path):
    """Values over limits are counted, and records that cannot be read by their code; the exit code tells of these."""
    long = record("x" * 51, attributes={"k" * 51: "v" * 201, "fine": "v" * 200})
    many = record(time=TIME + 1, attributes={f"a{number}": "" for number in range(41)})
    source = archive(tmp_path, long, many, "{}", "not json", record(time=5))
    found = inspect(source, from_="mobile_analytics/archive")
    assert found.values["events"] == {"read": 5, "inspected": 2, "filtered": 0, "unreadable": 3}
    assert {name: count for name, count in faults(found).items() if not name.startswith("late")} == {
        "unreadable.missing_required": 1, "unreadable.bad_json": 1, "unreadable.time_implausible": 1,
        "texts_too_long": 1, "too_many_keys": 1, "keys_too_long": 1, "names_too_long": 1,
    }  # fmt: skip
    assert "translate validate" in str(found)


def test_keys_tell_fill_and_looks(tmp_path):
    """Of each key: how many of its type's events have it, and what its values look like."""
    given = [{"n": "12", "flag": "true"}, {"n": "x", "flag": "false"}, {"n": ""}, {"j": '{"a":1}'}]
    source = archive(
        tmp_path,
        *(
            record(time=TIME + number, attributes=each, metrics={"m": number + 0.5})
            for number, each in enumerate(given)
        ),
    )
    listed = {key["key"]: key for key in inspect(source).to_json()["types"][0]["keys"]}
    assert listed["n"] == {
        "container": "attributes",
        "key": "n",
        "events": 3,
        "fill": 0.75,
        "looks": {"text": 1, "empty": 1, "number": 1},
    }
    assert listed["flag"]["looks"] == {"true or false": 2}
    assert listed["j"]["looks"] == {"JSON": 1}
    assert listed["m"] == {
        "container": "metrics",
        "key": "m",
        "events": 4,
        "fill": 1.0,
        "looks": {"fraction": 4},
    }


def test_no_values_unless_asked(tmp_path):
    """No value of an attribute is told, in no form, unless examples are asked for."""
    source = archive(tmp_path, record(attributes={"who": "grandmother"}))
    for examples in (False, True):
        found = inspect(source, examples=examples)
        found.write_html(tmp_path / "page.html")
        everything = [
            json.dumps(found.to_json()),
            str(found),
            (tmp_path / "page.html").read_text(encoding="utf-8"),
        ]
        assert all(("grandmother" in text) == examples for text in everything)
        assert "grandmother" not in found._repr_html_()


def test_revenue_is_exact(tmp_path):
    """Revenue is a sum by currency to the millionth, whatever the order; what is virtual, or has no currency, is no money."""

    def bought(number, price, quantity, currency, store="Apple"):
        return record("_monetization.purchase", time=TIME + number, attributes={"_product_id": "p", "_currency": currency, "_store": store},
                      metrics={"_item_price": price, "_quantity": quantity})  # fmt: skip

    source = archive(
        tmp_path,
        *(bought(number, 0.1, 1, "EUR") for number in range(30)),
        bought(99, 5, 2, "USD"),
        bought(100, 7, 1, "GEM", "Virtual"),
    )
    found = inspect(source).values["purchases"]
    assert found["events"] == 32
    assert [(row["currency"], row["money"], row["purchases"], row["amount"]) for row in found["revenue"]] == [
        ("EUR", True, 30, 3.0), ("USD", True, 1, 10.0), ("GEM", False, 1, 7.0),
    ]  # fmt: skip


def test_selection(tmp_path):
    """`--where`, `--since`, `--until` leave events out, counted; `--limit` stops."""
    source = archive(
        tmp_path, *(record(f"type_{number % 2}", time=TIME + 1000 * number) for number in range(10))
    )
    first = dt.datetime.fromtimestamp(TIME / 1000 + 2, dt.UTC)
    found = inspect(source, where="name = 'type_1'", since=first)
    assert found.values["events"] == {"read": 10, "inspected": 4, "filtered": 6, "unreadable": 0}
    assert found.values["types"] == [{"name": "type_1", "events": 4}]
    assert inspect(source, limit=3).values["events"]["inspected"] == 3


def test_two_layouts_in_one_run(tmp_path):
    """Archives of two layouts that lie together are told apart, each with its files and events."""
    archive(tmp_path, record(), record(time=TIME + 1), name="a.json")
    archive(tmp_path, record(time=TIME + 2) | {"awsAccountId": "1"}, name="b.json")
    told_apart = [
        (each["layout"], each["files"], each["events"]) for each in inspect(tmp_path).values["sources"]
    ]
    assert sorted(told_apart) == [("archive", 1, 2), ("event_stream", 1, 1)]


def test_files_of_no_layout_are_told_apart(tmp_path):
    """What is of no layout is counted as that, and not among the files of the first one."""
    archive(tmp_path, record(), record(time=TIME + 1), name="a.json")
    (tmp_path / "notes.txt").write_text("not an event\n")
    found = inspect(tmp_path)
    assert [each["files"] for each in found.values["sources"]] == [1]
    assert found.values["unrecognised"] == {"files": 1, "bytes": 13}
    assert "of no layout that can be read: 1 file, 13 bytes" in str(found)
    found.write_html(tmp_path / "page.html")
    assert "of no layout that can be read: 1 file, 13 bytes" in (tmp_path / "page.html").read_text()


# -- memory ---------------------------------------------------------------------------------------------------------


def test_digests_beyond_memory_lie_on_disk(tmp_path):
    """Different values are counted exactly whether they fit in memory or lie in files; what is told of each is merged."""
    store, other = (Digests(tmp_path / name, (pl.col("n").sum(),), kept_rows=100) for name in "ab")
    numbers = pl.Series("value", [f"v{number % 700}" for number in range(2_000)])
    for start in range(0, 2_000, 50):
        rows = numbers.slice(start, 50).to_frame().select(*digest_of([pl.col("value")]), n=pl.lit(1))
        (store if start % 100 else other).add(rows)
    store.absorb(other)
    assert list(tmp_path.rglob("*.arrows"))
    assert store._rows <= 200
    assert store.count() == 700
    assert sum(bucket["n"].sum() for bucket in store.buckets()) == 2_000


def test_lists_are_bounded(monkeypatch):
    """Values that come after a list is full are counted only, and the first ones stay exact."""
    counts = Counts(values_max=2)
    counts.add([("a",), ("b",), ("c",)], [1, 2, 3])
    counts.add([("a",), ("d",)], [1, 1])
    assert (counts.sorted(), counts.beyond) == ([(("a",), 2), (("b",), 2)], 4)
    monkeypatch.setattr(sums, "PAIRS_MAX", 5)
    found = inspect(ARCHIVE)
    assert found.keys.height <= 5
    assert found.values["beyond"]["keys"] > 0
    assert "too many to list" in str(found)


def test_a_batch_is_not_kept(tmp_path):
    """What outlives a batch is far smaller than it: no text of the batch is kept alive by a part of it."""
    frame = translate.scan(
        archive(
            tmp_path,
            *(
                record(time=TIME + number, attributes={"key_of_many_letters": "v" * 150})
                for number in range(2_000)
            ),
        )
    ).collect()
    gathered = figures.Figures(tmp_path / "scratch")
    beside = dict.fromkeys(("code", "message", "_deselected"), pl.lit(None, pl.String))
    gathered.add(frame.with_columns(**beside).select(gathered.columns))
    assert gathered.census._sums.texts.estimated_size() < 10_000
    assert gathered.ids.count() == 2_000


# -- the command ----------------------------------------------------------------------------------------------------


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["translate", "inspect", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out = capsys.readouterr()
    return end.value.code, out.out, out.err


def test_exit_codes(tmp_path, monkeypatch, capsys):
    """0 for a sound archive, 1 for records that cannot be read, 2 for wrong usage, 3 where there is nothing to read."""
    good = archive(tmp_path, record())
    bad = archive(tmp_path, record(), "{}", name="bad.json")
    assert run(monkeypatch, capsys, good)[0] == 0
    assert run(monkeypatch, capsys, bad)[0] == 1
    code, _, said = run(monkeypatch, capsys, good, "--html", tmp_path / "none" / "page.html")
    assert (code, "there is no such folder" in said) == (2, True)
    code, _, said = run(monkeypatch, capsys, good, "--html", tmp_path)
    assert (code, "is a folder" in said) == (2, True)
    assert run(monkeypatch, capsys, good, "--limit", "0")[0] == 2
    assert run(monkeypatch, capsys, tmp_path / "absent")[0] == 3


def test_json(tmp_path, monkeypatch, capsys):
    """`--json` prints what the call gives."""
    source = archive(tmp_path, record(attributes={"a": "1"}))
    code, out, _ = run(monkeypatch, capsys, source, "--json")
    assert (code, json.loads(out)) == (0, inspect(source).to_json())


@pytest.mark.parametrize("examples", [False, True])
def test_json_is_written_as_python_writes_it(tmp_path, examples):
    """The text of many keys, which the engine writes, is what `json` makes of the values, whatever stands in them."""
    odd = {'quote"': "\\", "line\nbreak": "\u0001\u007f\u2028", "{}": "{0}", "größe": "1", "\ud83d\ude00": ""}
    records = [
        record(attributes=odd, metrics={"m": 0.5}),
        *(record(time=TIME + n) for n in range(1, 70_000, 9)),
    ]
    sources = [
        archive(tmp_path, *records, record('"quoted" {name}')),
        archive(tmp_path, "{}", name="bad.json"),
        ARCHIVE,
    ]
    for source in sources:
        found = inspect(source, from_="mobile_analytics/archive", examples=examples)
        assert "".join(found.json_pieces()) == json.dumps(found.to_json(), indent=2, ensure_ascii=False)


def test_text_does_not_steer_the_terminal(tmp_path, monkeypatch, capsys):
    """Control characters of an archive are spelled out."""
    source = archive(tmp_path, record("bell\u0007", attributes={"\u001b[31mred": "x"}))
    out = run(monkeypatch, capsys, source)[1]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out)
    assert "bell\\u0007" in out


def test_amounts_too_large_to_add_up_are_told(tmp_path):
    """A sum that does not hold a purchase says so."""
    source = archive(
        tmp_path,
        record(
            "_monetization.purchase",
            attributes={"_currency": "USD", "_store": "Apple"},
            metrics={"_item_price": 1e17, "_quantity": 1e9},
        ),
    )
    assert "without 1 whose amounts are too large to add up" in str(inspect(source))


PARQUET = ("hub/events_full.parquet", "mobile_analytics/redshift_full.parquet")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"PAR1", b"PAR1PAR1", "half", "no rows", "no columns", gzip.compress(b"", mtime=0)],
    ids=str,
)
@pytest.mark.parametrize(
    "layout",
    ["hub/events", "mobile_analytics/redshift", "mobile_analytics/archive", "personalize/interactions"],
)
def test_files_of_nothing(layout, content, tmp_path):
    """Whatever an empty or broken file is called and taken for, it has no events, and each is a record at most."""
    whole = (ROOT / "sample_data" / (PARQUET[0] if layout == "hub/events" else PARQUET[1])).read_bytes()
    made = {
        "half": whole[: len(whole) // 2],
        "no rows": written(pl.read_parquet(io.BytesIO(whole)).clear()),
        "no columns": written(pl.DataFrame()),
    }
    for name in ("a.parquet", "b.csv", "c.json.gz"):
        (tmp_path / name).write_bytes(made[content] if isinstance(content, str) else content)
    found = inspect(tmp_path, from_=layout)
    found.write_html(tmp_path / "page.html")
    assert found.values["events"]["inspected"] == 0
    assert found.values["events"]["unreadable"] in (0, 3)
    assert found.values["events"]["read"] == found.values["events"]["unreadable"]


def written(frame):
    content = io.BytesIO()
    frame.write_parquet(content)
    return content.getvalue()


def test_empty_archive(tmp_path):
    """An archive without an event is told as such, in text and on a page."""
    source = archive(tmp_path, "{}")
    found = inspect(source, from_="mobile_analytics/archive")
    found.write_html(tmp_path / "page.html")
    assert found.values["time"]["event"] == {"first": None, "last": None}
    assert "unreadable" in str(found)
    assert found.targets == []


def test_what_is_sampled_is_kept_as_it_is():
    """Also a time that no calendar has, and a key without a value."""
    given = {"row": [7], "part": [0], "time": [400_000_000_000_000], "attributes": [{"a": "b", "c": None}]}
    batch = reading._NO_EVENTS.clear(1).with_columns(
        **{name: pl.Series(name, value, reading._NO_EVENTS.schema[name]) for name, value in given.items()}
    )
    sample = reading._Sample(10)
    sample._look(batch)
    assert sample.events.equals(batch.select(sample.events.columns))
