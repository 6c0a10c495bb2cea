"""The laws of the design: conservation, nothing lost in silence, nothing invented, the same in, the same out."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import strategies
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import translate
from translate import events
from translate.archive import units as files
from translate.mapping import find_layout
from translate.passes import sightings

TARGETS = ["clickstream", "pinpoint/requests", "learning_context", "personalize", "mobile_analytics", "hub"]
MODEST = settings.default.max_examples
LEGAL = re.compile(r"[A-Za-z_][0-9A-Za-z_]{0,49}")
COMPACT = ("", "", "")
PRESETS = {entry.path[1] for entry in find_layout("clickstream/events")[1].fields if len(entry.path) > 1}


def write_archive(folder: Path, lines: list[str], name: str = "a.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def convert(lines: list[str], target: str, **options: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Convert lines; give the report and every file that the run left behind."""
    with tempfile.TemporaryDirectory() as folder:
        source = write_archive(Path(folder), lines)
        out = Path(folder, "out")
        report = translate.convert(source, to=target, from_="mobile_analytics", out=out, **options)
        return report, {
            str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
        }


def rows(left: dict[str, bytes]) -> list[Any]:
    """Parse the rows, with every digit of their numbers."""
    parts = [content for name, content in left.items() if name.startswith("data/")]
    return [
        json.loads(line, parse_float=Decimal, parse_int=Decimal)
        for part in parts
        for line in part.decode().split("\n")
        if line
    ]


def hub(source: Path) -> list[dict[str, Any]]:
    """Give an archive's events; times as milliseconds, for Python's do not reach as far."""
    frame = translate.scan(source, model="mobile_analytics").collect()
    return frame.with_columns(pl.col(events.TIME).dt.timestamp("ms")).to_dicts()


def render(record: strategies.Record) -> str:
    return strategies.render(record.members, COMPACT)


def plain_records(max_size: int = 6) -> st.SearchStrategy[list[str]]:
    return st.lists(strategies.records(strange=False).map(render), min_size=1, max_size=max_size)


def leaves(value: Any) -> Iterator[Any]:
    """Give every value inside of a parsed record, containers too."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from leaves(inner)


def parse(line: str) -> Any:
    return json.loads(line, parse_float=Decimal, parse_int=Decimal)


def value_of(number: Decimal) -> Decimal:
    """Give what the rulings make of a number: every digit of a whole one, else the shortest of its double."""
    return (
        number
        if number == number.to_integral_value() and "." not in str(number) and "E" not in str(number)
        else Decimal(repr(float(number)))
    )


def count_written(target: str, left: dict[str, bytes]) -> int:
    parts = {name: content for name, content in left.items() if name.startswith("data/")}
    if target == "hub":
        return sum(pl.read_parquet(content).height for content in parts.values())
    if target == "personalize":
        return sum(pl.read_csv(content, infer_schema=False).height for content in parts.values())
    if target == "pinpoint/requests":
        items = [item for request in rows(left) for item in request["EventsRequest"]["BatchItem"].values()]
        return sum(len(item["Events"]) for item in items)
    return len(rows(left))


@pytest.mark.parametrize("target", TARGETS)
@given(lines=strategies.batches(max_size=6))
@settings(max_examples=MODEST // 2)
def test_every_event_that_goes_in_comes_out_somewhere(target: str, lines: list[str]) -> None:
    """Read and added are written, rejected, filtered, duplicates and merged; and the files hold as many."""
    report, left = convert(lines, target)
    counts = report["events"]
    assert counts["read"] + counts["added"] == sum(
        counts[name] for name in ("written", "rejected", "filtered", "duplicates", "merged")
    )
    assert counts["rejected"] == sum(report["rejects"].values()) == left["rejects.ndjson"].count(b"\n")
    assert counts["filtered"] == sum(report["filtered"].values())
    assert counts["written"] == count_written(target, left)
    by_file = [json.loads(line) for line in left["files.ndjson"].splitlines()]
    assert all(sum(file[name] for file in by_file) == count for name, count in counts.items())
    for line in left["rejects.ndjson"].decode().split("\n")[:-1]:
        reject = json.loads(line)
        assert reject["raw"] in lines[reject["line"] - 1]


@given(strategies.batches(max_size=6))
@settings(max_examples=MODEST)
def test_an_archive_written_and_read_again_holds_the_same_events(lines: list[str]) -> None:
    """Reading what was written gives the hub's events again, ids and all, but for values that had to become text."""
    with tempfile.TemporaryDirectory() as folder:
        source = write_archive(Path(folder), lines)
        out = Path(folder, "out")
        report = translate.convert(source, to="mobile_analytics", from_="mobile_analytics", out=out)
        assume(report["events"]["written"] and not report["events"]["rejected"])
        before, after = hub(source), hub(out / "data")
    assert len(before) == len(after)
    for was, new in zip(before, after, strict=True):
        old = dict(was)
        if old["other"]:
            old |= {"attributes": {**(old["attributes"] or {}), **old["other"]}, "other": new["other"]}
            old["event_id"] = new["event_id"]
        same = [
            name
            for name in old
            if name not in ("file", "line") and (old[name] or None) != (new[name] or None)
        ]
        assert not same, {name: (old[name], new[name]) for name in same}


@given(plain_records())
@settings(max_examples=MODEST)
def test_well_typed_records_come_through_as_they_were(lines: list[str]) -> None:
    """From archive to archive, every value of a well-typed record is the same JSON value."""
    report, left = convert(lines, "mobile_analytics")
    assert report["events"]["written"] == len(lines)
    assert not report["losses"]
    assert rows(left) == [parse(line) for line in lines]


@given(
    st.lists(strategies.records().map(render), min_size=1, max_size=5),
    st.sampled_from(["mobile_analytics", "clickstream"]),
)
@settings(max_examples=MODEST)
def test_nothing_is_invented(lines: list[str], target: str) -> None:
    """Every attribute and metric that is written stands in the source's record: texts by their characters, numbers by their value."""
    _, left = convert([line for line in lines if "\n" not in line], target)
    refused = {json.loads(line)["line"] for line in left["rejects.ndjson"].splitlines()}
    kept = [
        line
        for number, line in enumerate([line for line in lines if "\n" not in line], 1)
        if number not in refused
    ]
    for line, row in zip(kept, rows(left), strict=True):
        there = list(leaves(parse(line)))
        numbers = {value_of(value) for value in there if isinstance(value, Decimal)}
        texts = {value for value in there if isinstance(value, str)}
        for name, value in [*row.get("attributes", {}).items(), *row.get("metrics", {}).items()]:
            if target == "clickstream" and name in PRESETS:
                continue
            if isinstance(value, Decimal):
                assert value_of(value) in numbers, (name, value)
            elif isinstance(value, str) and value not in texts:
                assert any(_same(parse(value), other) for other in there), (name, value)
            elif not isinstance(value, str):
                assert any(_same(value, other) for other in there), (name, value)


def _same(one: Any, other: Any) -> bool:
    """Compare JSON values, numbers as the rulings keep them."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return one == value_of(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


@given(
    st.dictionaries(strategies.keys(), strategies.number(), max_size=6),
    st.dictionaries(strategies.keys(), strategies.free_text(), max_size=6),
)
@settings(max_examples=MODEST)
def test_names_are_legal_unique_and_lead_back(metrics: dict[str, str], attributes: dict[str, str]) -> None:
    """Clickstream's attribute names are legal and their own; `translate_names` gives each its original key again."""
    record = {"event_type": '"a.b"', "event_timestamp": "1487973802507", "application": [('"app_id"', '"a"')],
              "attributes": list(attributes.items()), "metrics": list(metrics.items())}  # fmt: skip
    report, left = convert(
        [strategies.render([(json.dumps(key), value) for key, value in record.items()], COMPACT)],
        "clickstream",
    )
    assume(report["events"]["written"])
    (part,) = [content for name, content in left.items() if name.startswith("data/")]
    written = dict(json.loads(part, object_pairs_hook=_unique)["attributes"])
    given_keys = {
        "attributes": [json.loads(key) for key in attributes],
        "metrics": [json.loads(key) for key in metrics],
    }
    originals = json.loads(written.pop("translate_names"))
    assert originals.pop("name", "a.b") == "a.b"
    assert len(written) == sum(map(len, given_keys.values()))
    assert all(LEGAL.fullmatch(name) for name in written)
    for kind, keys in given_keys.items():
        back = originals.get(kind, {})
        for key in keys:
            legal = next((name for name, original in back.items() if original == key), key)
            assert legal in written
            if kind == "metrics" and key in given_keys["attributes"] and LEGAL.fullmatch(f"{key}_metric"):
                assert legal == f"{key}_metric" or legal.startswith(f"{key[:41]}")
            elif LEGAL.fullmatch(key) and kind == "attributes" and legal != key and key not in PRESETS:
                raise AssertionError(f"{key} was legal already, but became {legal}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


def test_a_metric_gives_way_to_an_attribute_of_its_name() -> None:
    """Where both have a key, the attribute keeps it and the metric becomes `<key>_metric`, also among numbers in text's place."""
    line = '{"event_type":"a","event_timestamp":1487973802507,"application":{"app_id":"a"},"attributes":{"k":"x"},"metrics":{"k":2}}'
    _, left = convert([line], "clickstream")
    (row,) = rows(left)
    assert (row["attributes"]["k"], row["attributes"]["k_metric"]) == ("x", 2)
    assert json.loads(row["attributes"]["translate_names"]) == {"metrics": {"k_metric": "k"}}


def canonical(event: dict[str, Any]) -> str:
    """Write an event's content as `with_event_ids` documents it."""
    texts = []
    for name in [*events.CONTENT, *(name for name in events.CONTENT_ADDED if event[name] is not None)]:
        value = event[name]
        if value is None:
            texts.append("\x00")
        elif name in events.MAPS:
            by_key = dict(sorted(value.items(), key=lambda item: item[0].encode()))
            texts.append(json.dumps({"m": by_key}, ensure_ascii=False, separators=(",", ":")))
        else:
            texts.append(str(value).replace("e-0", "e-"))
    return "\x1f".join(texts)


@given(st.lists(strategies.records(), min_size=1, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=MODEST)
def test_equal_events_have_equal_ids(records: list[strategies.Record], chance: random.Random) -> None:
    """The id is the documented hash of the content, and the order of keys is no content."""

    def shuffled(members: Any) -> Any:
        once = len({key for key, _ in members}) == len(members)
        inner = [(key, shuffled(value) if isinstance(value, list) else value) for key, value in members]
        return chance.sample(inner, len(inner)) if once else inner

    lines = [render(record) for record in records]
    others = [strategies.render(shuffled(record.members), COMPACT) for record in records]
    assume(not any("\n" in line for line in lines))
    with tempfile.TemporaryDirectory() as folder:
        paths = [write_archive(Path(folder), lines), write_archive(Path(folder), others, "b.json")]
        found = []
        for path in paths:
            out = Path(folder, f"out-{path.stem}")
            translate.convert(path, to="hub", from_="mobile_analytics", out=out)
            parts = [pl.read_parquet(part) for part in sorted((out / "data").iterdir())]
            found.append(
                [
                    event
                    for part in parts
                    for event in part.with_columns(pl.col(events.TIME).dt.timestamp("ms")).to_dicts()
                ]
            )
    assert [event["event_id"] for event in found[0]] == [event["event_id"] for event in found[1]]
    for event in found[0]:
        assert event["event_id"] == str(uuid.uuid5(uuid.UUID(events.NAMESPACE), canonical(event))), event


@given(plain_records(max_size=3), st.lists(st.integers(0, 2), min_size=1, max_size=40))
@settings(max_examples=MODEST)
def test_dedupe_removes_exactly_the_repeats(lines: list[str], order: list[int]) -> None:
    """Of each id the first event stays, over files, units and buckets of ids."""
    given_lines = [lines[number % len(lines)] for number in order]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(sightings, "BUCKET_ROWS", 3)
        patch.setattr(files, "PART_BYTES", 2000)
        for number, line in enumerate(given_lines):
            write_archive(Path(folder), [line], f"in/{number // 3:03}/{number:03}.json")
        out = Path(folder, "out")
        report = translate.convert(Path(folder, "in"), to="hub", out=out, dedupe=True)
        kept = [
            row
            for part in sorted((out / "data").iterdir())
            for row in pl.read_parquet(part).select("event_id", "file").rows()
        ]
    first: dict[str, int] = {}
    for number, line in enumerate(given_lines):
        first.setdefault(_content(line), number)
    assert [Path(file).stem for _, file in kept] == [f"{number:03}" for number in first.values()]
    assert report["events"]["duplicates"] == len(given_lines) - len(first)


def _content(line: str) -> str:
    record = parse(line)
    record.pop("arrival_timestamp", None)
    return json.dumps(record, sort_keys=True, default=lambda number: str(number.normalize()))


@pytest.mark.parametrize("target", TARGETS)
def test_same_in_same_out(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes depend neither on the folder, nor on the files' times, nor on how files are grouped into units."""
    lines = _sample_lines(300)
    for name in ("one/in", "elsewhere/deep/in"):
        for number in range(6):
            path = write_archive(tmp_path / name, lines[50 * number : 50 * number + 50], f"{number}.json")
            os.utime(path, (number, 1_500_000_000 + len(name)))
    whole = _tree(tmp_path / "one/in", target, tmp_path / "a")
    assert _tree(tmp_path / "elsewhere/deep/in", target, tmp_path / "deep/b") == whole
    monkeypatch.setattr(files, "FILES_MAX", 1)
    single = _tree(tmp_path / "one/in", target, tmp_path / "c")
    monkeypatch.setattr(files, "BUFFERED_MAX", 1)
    assert _tree(tmp_path / "one/in", target, tmp_path / "d") == single
    assert single["files.ndjson"] == whole["files.ndjson"]
    assert single["rejects.ndjson"] == whole["rejects.ndjson"]
    reports = [json.loads(left["report.json"]) for left in (single, whole)]
    assert {report.pop("requests", None) is None for report in reports} == {
        target != "pinpoint/requests"
    }  # a unit begins a new one
    assert reports[0] == reports[1]
    if target not in ("hub", "personalize", "pinpoint/requests"):
        assert rows(single) == rows(whole)


def test_compressed_output_is_the_same_every_time(tmp_path: Path) -> None:
    """Gzip output holds no time of day, and the same text as the plain output."""
    source = write_archive(tmp_path, _sample_lines(200))
    one, two = (_tree(source, "clickstream", tmp_path / name, compression="gzip") for name in "ab")
    assert one == two
    plain = _tree(source, "clickstream", tmp_path / "plain")
    assert gzip.decompress(one["data/part-00000.ndjson.gz"]) == plain["data/part-00000.ndjson"]


def test_threads_change_nothing(tmp_path: Path) -> None:
    """One thread and several write the same bytes."""
    source = write_archive(tmp_path, _sample_lines(1000) * 10)
    results = []
    for threads in ("1", "3"):
        out = tmp_path / threads
        command = [
            sys.executable,
            "-m",
            "translate",
            "convert",
            str(source),
            "--to",
            "clickstream",
            "--out",
            str(out),
            "--dedupe",
        ]
        done = subprocess.run(
            command, env={**os.environ, "POLARS_MAX_THREADS": threads}, check=False, capture_output=True
        )
        assert done.returncode in (0, 1), done.stderr
        results.append(
            {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        )
    assert results[0] == results[1]


def _tree(source: Path, target: str, out: Path, **options: Any) -> dict[str, bytes]:
    translate.convert(source, to=target, out=out, **options)
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def _sample_lines(count: int) -> list[str]:
    """Make records of every sort, without chance."""
    lines = []
    for number in range(count):
        values = dict(strategies.ORDINARY)
        values["event_type"] = strategies.NAMES[number % len(strategies.NAMES)]
        values["event_timestamp"] = str(strategies.TIME + 7919 * number)
        attributes = [
            ('"_product_id"', f'"p{number % 7}"'),
            ('"_currency"', '"EUR"'),
            ('"a b"', f'"{number}é"'),
            ('"flag"', "true"),
        ][: number % 5]
        metrics = [('"_quantity"', "2"), ('"_item_price"', "9.99"), ('"score"', f"{number}.5")][: number % 4]
        tree = [*strategies.tree(values), ('"attributes"', attributes), ('"metrics"', metrics)]
        lines.append("junk" if number % 97 == 5 else strategies.render(tree, strategies.STYLES[number % 4]))
    return lines
