"""What the receivers' own documents show is read as what it means, by either engine, and goes out again as it came."""

import datetime as dt
import json
from pathlib import Path

import pytest

import translate

DOCUMENTED = json.loads(Path(__file__).with_name("documented.json").read_text(encoding="utf-8"))
# What is read over and never written: who sends, when, and how.
LEFT_OUT = {"api_key", "sentAt", "receivedAt", "version"}


def as_json(value):
    return (
        value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, dt.datetime)
        else value
    )


def written(tmp_path, record, address, **options):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(record) + "\n", encoding="utf-8")
    report = translate.convert(source, to=address, out=tmp_path / "out", **options)
    assert report["from"] == address  # recognised by its content
    (part,) = (tmp_path / "out" / "data").iterdir()
    return report, json.loads(part.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: case["source"].rpartition("/")[2])
def test_read(case, engine, tmp_path):
    """Each value has its column, and what has none is a free-form value under its own name."""
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(case["record"]) + "\n", encoding="utf-8")
    events = translate.scan(source, model=case["from"]).collect().to_dicts()
    assert len(events) == len(case["events"])
    for event, wanted in zip(events, case["events"], strict=True):
        assert {name: as_json(event[name]) for name in wanted} == wanted


def leaves(value, path=()):
    if isinstance(value, dict):
        return {
            key: leaf for name, inner in value.items() for key, leaf in leaves(inner, (*path, name)).items()
        }
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return {
            key: leaf
            for number, inner in enumerate(value)
            for key, leaf in leaves(inner, (*path, number)).items()
        }
    return {path: value}


def same(one, other):
    """Tell whether two values are the same, times whatever their spelling."""
    return one == other or (isinstance(other, str) and one == other.replace("Z", ".000Z"))


def record_of(record):
    return record[0] if isinstance(record, list) else record


@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: case["source"].rpartition("/")[2])
def test_written_again(case, tmp_path):
    """What the document says stands in what is written, or the report tells what became of it."""
    report, record = written(tmp_path, case["record"], case["from"])
    before, after = leaves(case["record"]), leaves(record)
    told = {loss["field"].rpartition(".")[2] for loss in report["losses"]}
    moved = {"price", "quantity", "revenue", "name", "distinct_id"}  # into the properties, or out of them
    missing = {path[-1] for path, value in before.items() if not same(after.get(path), value)}
    assert missing <= told | LEFT_OUT | moved
    assert not record_of(record).keys() & LEFT_OUT
