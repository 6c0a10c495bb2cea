"""What real clients sent over the wire, read as it was captured, and converted to every model."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import translate
from translate import mapping

FOLDER = Path(__file__).parent / "captures"
SETTINGS = ["tracking_id=tracker", "day=2026-11-21"]


def requests(name):
    """Give the captured requests; those of the Mobile Analytics capture as their clients sent them, context in a header."""
    for request in json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["requests"]:
        if "context" not in request:
            yield request
            continue
        headers = [["Content-Type", "application/json"], ["x-amz-Client-Context", request["context"]]]
        headers += [["x-amz-Client-Context-Encoding", request["encoding"]]] if "encoding" in request else []
        yield {
            "method": "POST",
            "path": "/2014-06-05/events",
            "query": [],
            "headers": headers,
            "body": request["body"],
        }


# What is in the captures: the layout, how many events are read, and how many are refused.
CAPTURES = {
    "mobile_analytics_js_node": ("mobile_analytics/requests", 16, 0),
    "clickstream_web_jsdom": ("clickstream/requests", 11, 0),
    "boto3_pinpoint": ("pinpoint/requests", 1, 102),
}
TARGETS = sorted(
    f"{row['model']}/{row['layout']}"
    for row in translate.models().iter_rows(named=True)
    if row["write"] and (row["default"] or row["layout"] in ("requests", "raw"))
)


@pytest.fixture(params=CAPTURES)
def capture(request, tmp_path):
    """A capture as a file of lines, its layout, and how many events are read and refused."""
    file = tmp_path / "capture"
    file.write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in requests(request.param)),
        encoding="utf-8",
    )
    return file, *CAPTURES[request.param]


def rejects(folder):
    """Give the rejects of a run."""
    file = folder / "rejects.ndjson"
    return (
        [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    )


def test_no_secrets():
    """The captures hold neither signatures nor cookies nor tokens."""
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8").lower()
        assert [
            word
            for word in ("authorization", "aws4-hmac", "cookie", "security-token", "credential")
            if word in text
        ] == []


def test_all_of_it_is_read(capture, tmp_path):
    """Each capture is recognised, all its events are read, and what is refused is refused for its time."""
    file, layout, read, refused = capture
    report = translate.convert(file, to="hub", out=tmp_path / "out")
    assert (report["events"]["written"], report["events"]["rejected"]) == (read, refused)
    told = [
        json.loads(line)
        for line in (tmp_path / "out" / "files.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    assert [f"{entry['model']}/{entry['layout']}" for entry in told] == [layout]
    assert {(reject["code"], reject["message"]) for reject in rejects(tmp_path / "out")} <= {
        ("bad_time", 'Timestamp is no time: "z" (not ISO 8601, or no such day or time of day)')
    }


def test_bodies_alone(capture, tmp_path):
    """The bodies alone, as a log of them would be, hold as many events."""
    file, layout, read, refused = capture
    bodies = tmp_path / "bodies"
    bodies.write_text(
        "".join(json.loads(line)["body"] + "\n" for line in file.read_text(encoding="utf-8").splitlines()),
        encoding="utf-8",
    )
    report = translate.convert(bodies, to="hub", out=tmp_path / "out")
    assert (report["events"]["written"], report["events"]["rejected"]) == (read, refused)
    assert layout.partition("/")[0] in (tmp_path / "out" / "files.ndjson").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:102 records could not be read")
@pytest.mark.parametrize("target", TARGETS)
def test_to_every_model(capture, target, tmp_path):
    """Counts add up, what is written is read again, and a hub column that comes back empty is told of in the report."""
    file, layout, read, refused = capture
    report = translate.convert(file, to=target, out=tmp_path / "out", set_=SETTINGS)
    counts = report["events"]
    assert counts["read"] == read + refused
    assert counts["read"] + counts["added"] == sum(
        counts[name] for name in ("written", "rejected", "filtered", "duplicates", "merged")
    )
    assert counts["rejected"] == sum(report["rejects"].values()) == len(rejects(tmp_path / "out"))
    assert counts["filtered"] == sum(report["filtered"].values())
    if not counts["written"]:  # all has its reason: there is no item, or no title of the application
        assert (
            counts["read"] + counts["added"]
            == counts["rejected"] + counts["filtered"] + counts["duplicates"] + counts["merged"]
            > 0
        )
        assert target in (
            "personalize/interactions",
            "personalize/requests",
            "mobile_analytics/requests",
            "amplitude/events",  # whose ids are longer
            "amplitude/requests",
        )
        return
    after = translate.scan(tmp_path / "out" / "data", model=target).collect()
    assert after.height == counts["written"]
    before = translate.scan(file).collect()
    before = before.filter(pl.col("item_id").is_not_null()) if report["filtered"] else before
    if counts["rejected"] > refused and after["event_id"].is_in(before["event_id"].implode()).all():
        before = before.filter(pl.col("event_id").is_in(after["event_id"].implode()))
    told = told_places(report)
    assert (
        sorted(
            column
            for column in filled(before) - filled(after)
            if not told & {column, *spellings(layout, column)}
        )
        == []
    )


def filled(frame):
    """Name the columns that hold anything; an empty map holds nothing."""
    frame = frame.drop("file", "line", "event_id")
    is_map = {name: isinstance(dtype, pl.Map) for name, dtype in frame.schema.items()}
    return {
        name
        for name in frame.columns
        if any((value or not is_map[name]) and value is not None for value in frame[name].to_list())
    }


def told_places(report):
    """Name what the report says of losses and findings, with all that lies above a place.

    What nobody mapped is `extra`, and so is what belongs to an endpoint that stays empty.
    """
    told = {loss["field"] for loss in report["losses"]} | {
        finding.get("field") or "" for finding in report["findings"]
    }
    unmapped = (
        {"extra"}
        if any(
            loss["kind"] == "not_mapped" or "stays empty unless" in loss["why"] for loss in report["losses"]
        )
        else set()
    )
    return (
        told
        | unmapped
        | {place.rpartition(".")[0] for place in told}
        | {place.partition(".")[0] for place in told}
    )


def spellings(layout, column):
    """Give the places in which a source's layout has a hub column."""
    _, found = mapping.find_layout(layout)
    return {entry.place for entry in found.all_fields if column in entry.hub}
