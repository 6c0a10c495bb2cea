"""What the receivers' own client libraries send is read whole, and what is written for the same events has the same shape.

`recorded.json` was recorded on the loopback, of events of one moment in 2017.
"""

import json
from pathlib import Path

import pytest

import translate

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))
WAYS = {"amplitude/requests": "events", "posthog/requests": "batch", "segment_spec/requests": "batch"}
MOMENT = "2017-03-04T05:06:07"
# What says how or by whom it was sent is read over; the kind of a person's properties decides where they lie.
READ_OVER = {"api_key", "sent_at", "sentAt", "token", "channel", "traits"}
# A price without a currency is no money: it lies among the properties, where no receiver sums it up.
NO_MONEY = {"price", "quantity"}


def events_of(layout, records):
    return [event for record in records for event in (record[WAYS[layout]] if layout in WAYS else [record])]


def keys(value, path=()):
    """Give the ways to all that is there in a record; what is null or empty is not."""
    if isinstance(value, dict):
        return {way for name, inner in value.items() for way in keys(inner, (*path, name))}
    return set() if value is None else {path}


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["library"])
def test_read_whole_and_written_alike(case, engine, tmp_path):
    """No event is refused, all are of the moment when they happened, and each member goes out again where it was."""
    layout = case["layout"]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in case["records"]), encoding="utf-8")
    theirs = events_of(layout, case["records"])
    report = translate.convert(source, to=layout, out=tmp_path / "out")
    assert report["from"] == layout
    assert (report["events"]["read"], report["events"]["written"]) == (len(theirs), len(theirs))
    found = translate.scan(source, model=layout).collect()
    assert {f"{time:%Y-%m-%dT%H:%M:%S}" for time in found["time"]} == {MOMENT}
    assert set(found["user_id"]) == {"user-1"}
    (part,) = (tmp_path / "out" / "data").iterdir()
    ours = events_of(layout, map(json.loads, part.read_text(encoding="utf-8").splitlines()))
    for their, our in zip(theirs, ours, strict=True):
        missing = {way for way in keys(their) - keys(our) if not set(way) & (READ_OVER | NO_MONEY)}
        assert missing == set()
    assert "SECRET" not in part.read_text(encoding="utf-8")
    assert "TOKEN" not in part.read_text(encoding="utf-8")
