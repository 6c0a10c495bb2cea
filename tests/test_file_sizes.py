"""Files as their receiver wants them: how large, how many rows, in which order; the same bytes whoever makes them."""

import csv
import datetime as dt
import gzip
import io
import json
import random
from pathlib import Path

import polars as pl
import pytest
from commands import run_here
from hypothesis import assume, given
from hypothesis import strategies as st

import translate
from translate import mapping
from translate.conversion import ordered
from translate.conversion.lines_file import LinesFile
from translate.conversion.output import Output
from translate.conversion.part import CutLines, CutPart, csv_of
from translate.mapping.portions import Files

START = dt.datetime(2016, 4, 7, tzinfo=dt.UTC)
SHEET = """
title  = "Boxes"
source = "its page"

[layout.events]
about   = "one event a line"
records = "json-lines"
default = true
source  = "its page"

[layout.events.files]
{files}
source = "its page"

[layout.events.fields]
name = {{ hub = "name", as = "event_name", required = true }}
time = {{ hub = "time", as = "epoch_ms", required = true }}
attributes = {{ hub = ["attributes", "other"], as = "text_map" }}
"""


def sheet(folder: Path, *said: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "boxes.toml").write_text(SHEET.format(files="\n".join(said)))
    return folder


def archive(folder: Path, count: int, *, shuffled: bool = False) -> Path:
    """Write events an hour apart, of different lengths, in files of 50."""
    source = folder / "in"
    source.mkdir(parents=True)
    numbers = list(range(count))
    if shuffled:
        random.Random(0).shuffle(numbers)
    for first in range(0, count, 50):
        lines = [
            json.dumps({
                "event_type": f"e{number}", "event_timestamp": int((START + dt.timedelta(hours=number)).timestamp() * 1000),
                "application": {"app_id": "a"}, "client": {"client_id": "client"}, "attributes": {"note": "x" * (number % 17)},
            })
            for number in numbers[first : first + 50]
        ]  # fmt: skip
        (source / f"{first:04}.json").write_text("\n".join(lines) + "\n")
    return source


def rows_of(out: Path) -> list[dict]:
    return [
        json.loads(line)
        for file in sorted((out / "data").iterdir())
        for line in file.read_text().splitlines()
    ]


def sizes_of(out: Path) -> list[tuple[int, int]]:
    found = [file.read_bytes() for file in sorted((out / "data").iterdir())]
    return [(len(text), text.count(b"\n")) for text in found]


def bytes_of(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (out / "data").iterdir()}


@given(
    st.lists(st.text(max_size=6) | st.none(), max_size=30),
    st.lists(st.integers(1, 9), max_size=30),
    st.none() | st.integers(1, 30),
    st.none() | st.integers(1, 5),
)
def test_a_file_is_cut_between_rows(tmp_path_factory, texts, batches, bytes_max, events_max):
    """Whatever the batches: no file is beyond what it may hold, but for one that holds a single row, and none could hold the next row."""
    folder = tmp_path_factory.mktemp("cut")
    lines = CutLines(LinesFile, folder / "part.ndjson", Files("", bytes_max, events_max))
    rows, first = pl.Series(texts, dtype=pl.String), 0
    for size in [*batches, len(texts)]:
        lines.add(rows[first : first + size])
        first += size
    paths, digests = lines.close()
    assert paths == sorted(folder.iterdir())
    assert set(digests) == set(paths)
    wanted = [text.encode() + b"\n" for text in texts if text is not None]
    found = [path.read_bytes() for path in paths]
    assert b"".join(found) == b"".join(wanted)
    expected: list[list[bytes]] = []
    for row in wanted:
        last = expected[-1] if expected else None
        is_full = last is not None and (
            (bytes_max is not None and sum(map(len, last)) + len(row) > bytes_max)
            or (events_max is not None and len(last) == events_max)
        )
        if last is None or is_full:
            expected.append([row])
        else:
            last.append(row)
    assert found == [b"".join(rows) for rows in expected]


@given(st.lists(st.text(max_size=8), max_size=60), st.integers(1, 9), st.integers(5, 60), st.integers(9, 60))
def test_no_file_is_too_small(tmp_path_factory, texts, batch, bytes_min, more):
    """Who knows how much comes leaves enough for the last file, unless all is less; and none is larger than it may be."""
    rows = pl.Series(texts, dtype=pl.String)
    bytes_max = 2 * bytes_min + more
    assume(all(len(text.encode()) < more for text in texts))
    total = sum(len(text.encode()) + 1 for text in texts)
    files = Files("", bytes_max, order="time", bytes_min=bytes_min)
    lines = CutLines(LinesFile, tmp_path_factory.mktemp("cut") / "part.ndjson", files, total_bytes=total)
    for first in range(0, len(rows), batch):
        lines.add(rows[first : first + batch])
    sizes = [path.stat().st_size for path in lines.close()[0]]
    assert sum(sizes) == total
    assert all(min(total, bytes_min) <= size <= bytes_max for size in sizes)


CELLS = st.none() | st.text(alphabet='a,"\n\r\u2028é', max_size=5)


@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30),
    st.integers(1, 30),
    st.none() | st.integers(4, 40),
    st.none() | st.integers(1, 5),
)
def test_a_table_is_cut_between_rows(tmp_path_factory, cells, batch, bytes_max, events_max):
    """Each file has the names of the columns and is no larger than it may be, but for one of a single row; rows are those of one table."""
    folder = tmp_path_factory.mktemp("cut")
    table = pl.DataFrame(cells, schema={"=a": pl.String, "b": pl.String}, orient="row")
    part = CutPart(LinesFile, folder / "part.csv", Files("", bytes_max, events_max), table.columns)
    for rows in table.iter_slices(batch):
        part.add(rows)
    digests = part.finish()
    assert part.events == table.height
    assert part.paths == sorted(folder.iterdir())
    assert set(digests) == set(part.paths)
    texts = [path.read_bytes() for path in part.paths]
    head = b"a,b\n"
    assert all(text.startswith(head) for text in texts)
    plain = table.rename({"=a": "a"}).write_csv(quote_style="necessary").encode()
    assert b"".join(text.removeprefix(head) for text in texts) == plain.removeprefix(head)
    heights = [len([*csv.reader(io.StringIO(text.decode(), newline=""))]) - 1 for text in texts]
    for text, height in zip(texts, heights, strict=True):
        assert height == 1 or (len(text) <= (bytes_max or len(text)) and height <= (events_max or height))
    assert sum(heights) == table.height
    assert len(texts) == 1 or bytes_max or events_max


def test_tables_are_no_larger_than_the_sheet_says(tmp_path):
    """Whoever makes them, and compressed or not; a pipe is one table."""
    source, sheets = archive(tmp_path, 60), sheet(tmp_path / "sheets", "events_max = 7", "bytes_max = 300")
    text = (sheets / "boxes.toml").read_text().replace('records = "json-lines"', 'records = "csv"')
    (sheets / "boxes.toml").write_text(text.partition("attributes =")[0])
    options = {"to": "boxes", "mappings": sheets, "part_size": 3000}
    report = translate.convert(source, out=tmp_path / "one", **options)
    translate.convert(source, out=tmp_path / "two", workers=2, **options)
    translate.convert(source, out=tmp_path / "packed", compression="gzip", **options)
    found = bytes_of(tmp_path / "one")
    assert report["events"]["written"] == 60
    assert bytes_of(tmp_path / "two") == found
    unpacked = {name: gzip.decompress(text) for name, text in bytes_of(tmp_path / "packed").items()}
    assert unpacked == {f"{name}.gz": text for name, text in found.items()}
    lines = [text.decode().splitlines() for _, text in sorted(found.items())]
    assert {rows[0] for rows in lines} == {"name,time"}
    assert [row.partition(",")[0] for rows in lines for row in rows[1:]] == [
        f"e{number}" for number in range(60)
    ]
    assert max(map(len, lines)) == 8
    with (tmp_path / "rows").open("wb") as output:
        translate.stream(source, to="boxes", output=output, mappings=sheets)
    assert (tmp_path / "rows").read_text().splitlines() == [
        "name,time",
        *(row for rows in lines for row in rows[1:]),
    ]


@pytest.mark.parametrize(
    "said", [["bytes_max = 1000"], ["events_max = 7"], ["bytes_max = 1000", "events_max = 7"]]
)
def test_files_are_no_larger_than_the_sheet_says(tmp_path, said):
    """They hold the rows that one large file would, in its order."""
    source = archive(tmp_path, 120)
    plain = sheet(tmp_path / "plain", "bytes_max = 100_000")
    translate.convert(source, to="boxes", out=tmp_path / "whole", mappings=plain)
    report = translate.convert(
        source, to="boxes", out=tmp_path / "cut", mappings=sheet(tmp_path / "sheets", *said)
    )
    assert [file.name for file in (tmp_path / "whole" / "data").iterdir()] == ["part-00000.ndjson"]
    assert rows_of(tmp_path / "cut") == rows_of(tmp_path / "whole")
    assert report["events"]["written"] == 120
    files = mapping.load("boxes", tmp_path / "sheets").layouts["events"].files
    assert all(
        size <= (files.bytes_max or size) and count <= (files.events_max or count)
        for size, count in sizes_of(tmp_path / "cut")
    )
    assert sorted(file.name for file in (tmp_path / "cut" / "data").iterdir())[:2] == [
        "part-00000-00000.ndjson",
        "part-00000-00001.ndjson",
    ]


def test_it_is_the_same_whoever_makes_the_parts(tmp_path):
    """One process or several, in one go or after a kill between two units."""
    source, sheets = archive(tmp_path, 200), sheet(tmp_path / "sheets", "events_max = 7")
    options = {"to": "boxes", "mappings": sheets, "part_size": 5000}
    translate.convert(source, out=tmp_path / "one", **options)
    translate.convert(source, out=tmp_path / "two", workers=2, **options)
    assert len(bytes_of(tmp_path / "one")) > 200 / 7
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_resumed_run_makes_again_what_is_not_as_it_was_written(tmp_path, monkeypatch, harm):
    source, sheets = archive(tmp_path, 200), sheet(tmp_path / "sheets", "events_max = 7")
    options = {"to": "boxes", "mappings": sheets, "part_size": 5000}
    translate.convert(source, out=tmp_path / "undisturbed", **options)

    def stops(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Output, "complete", stops)
        translate.convert(source, out=tmp_path / "out", **options)
    harmed = tmp_path / "out" / "data" / "part-00000-00001.ndjson"
    harmed.unlink() if harm == "gone" else harmed.write_text("{}\n")
    with pytest.warns(UserWarning, match="not as it was written"):
        translate.convert(source, out=tmp_path / "out", **options)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "undisturbed")


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_sizes_are_those_before_compression(tmp_path, compression):
    source, sheets = archive(tmp_path, 120), sheet(tmp_path / "sheets", "bytes_max = 1000")
    translate.convert(source, to="boxes", out=tmp_path / "plain", mappings=sheets)
    translate.convert(source, to="boxes", out=tmp_path / "small", mappings=sheets, compression=compression)
    found = sorted((tmp_path / "small" / "data").iterdir())
    opened = [pl.scan_lines(file).collect().to_series().to_list() for file in found]
    assert opened == [text.decode().splitlines() for _, text in sorted(bytes_of(tmp_path / "plain").items())]
    ending = {"gzip": ".gz", "zstd": ".zst"}[compression]
    assert {file.name for file in found} == {f"{name}{ending}" for name in bytes_of(tmp_path / "plain")}


def test_each_file_for_mixpanel_is_a_body_that_it_takes(tmp_path):
    """2,000 events and not one more."""
    translate.convert(archive(tmp_path, 2001), to="mixpanel", out=tmp_path / "out")
    assert [count for _, count in sizes_of(tmp_path / "out")] == [2000, 1]


# -- order ------------------------------------------------------------------------------------------------------------


def test_rows_are_put_in_the_order_that_the_sheet_asks_for(tmp_path):
    """Over all files, which are as large as it says, and hold as many days; rows are those that a run without it writes."""
    source = archive(tmp_path, 240, shuffled=True)
    sheets = sheet(tmp_path / "sheets", 'order = "time"', "days_max = 2", "events_max = 20")
    plain = translate.convert(source, to="boxes", out=tmp_path / "plain", mappings=sheets, part_size=3000)
    report = translate.convert(
        source, to="boxes", out=tmp_path / "out", mappings=sheets, sort=True, part_size=3000
    )
    assert report["events"] == plain["events"]
    assert report["options"]["sort"] is True
    found = rows_of(tmp_path / "out")
    assert [row["name"] for row in found] == [f"e{number}" for number in range(240)]
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, rows_of(tmp_path / "plain")))
    assert [count for _, count in sizes_of(tmp_path / "out")] == [20, 20, 8] * 5
    assert sorted(bytes_of(tmp_path / "out"))[:2] == ["part-00000.ndjson", "part-00001.ndjson"]
    assert not (tmp_path / "out" / ".translate").exists()


def test_the_last_file_in_order_is_large_enough(tmp_path):
    """It takes of the one before it what it needs, and both stay as large as they may be."""
    source = archive(tmp_path, 60)
    said = ['order = "time"', "bytes_max = 2000"]
    call = {"to": "boxes", "sort": True, "mappings": sheet(tmp_path / "plain", *said)}
    translate.convert(source, out=tmp_path / "cut", **call)
    *_, (last, _) = sizes_of(tmp_path / "cut")
    least = sheet(tmp_path / "least", *said, f"bytes_min = {min(last + 100, 1000)}")
    translate.convert(source, out=tmp_path / "out", **{**call, "mappings": least})
    sizes = [size for size, _ in sizes_of(tmp_path / "out")]
    assert len(sizes) > 2
    assert min(last + 100, 1000) <= min(sizes) <= max(sizes) <= 2000
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "cut")


@pytest.mark.parametrize("waiting_bytes", [1, 2000, 10**9])
def test_whatever_fits_in_memory_the_order_is_the_same(tmp_path, monkeypatch, waiting_bytes):
    """Events of one time stay as they came, however many runs they lie in."""
    source = tmp_path / "in"
    source.mkdir()
    for first in range(0, 90, 10):
        lines = [
            {"event_type": f"e{number}", "event_timestamp": 1_460_000_000_000 + 1000 * (number % 3), "application": {"app_id": "a"}}
            for number in range(first, first + 10)
        ]  # fmt: skip
        (source / f"{first:02}.json").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    monkeypatch.setattr(ordered, "WAITING_BYTES", waiting_bytes)
    monkeypatch.setattr(ordered, "SAMPLE", 1)
    sheets = sheet(tmp_path / "sheets", 'order = "time"')
    translate.convert(source, to="boxes", out=tmp_path / "out", mappings=sheets, sort=True, part_size=500)
    expected = [f"e{number}" for rest in range(3) for number in range(rest, 90, 3)]
    assert [row["name"] for row in rows_of(tmp_path / "out")] == expected


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_it_is_the_same_order_whoever_makes_the_parts(tmp_path, compression):
    source, sheets = (
        archive(tmp_path, 200, shuffled=True),
        sheet(tmp_path / "sheets", 'order = "time"', "bytes_max = 1000"),
    )
    options = {"to": "boxes", "mappings": sheets, "part_size": 5000, "sort": True, "compression": compression}
    translate.convert(source, out=tmp_path / "one", **options)
    translate.convert(source, out=tmp_path / "two", workers=2, **options)
    assert len(bytes_of(tmp_path / "one")) > 5
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")


@pytest.mark.parametrize("step", ["show_whole", "complete"])
def test_a_run_that_was_stopped_while_it_sorted_goes_on(tmp_path, monkeypatch, step):
    """Be it before its data appear, or before the report vouches for them."""
    source, sheets = (
        archive(tmp_path, 120, shuffled=True),
        sheet(tmp_path / "sheets", 'order = "time"', "events_max = 7"),
    )
    options = {"to": "boxes", "mappings": sheets, "sort": True}
    translate.convert(source, out=tmp_path / "undisturbed", **options)

    def stops(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Output, step, stops)
        translate.convert(source, out=tmp_path / "out", **options)
    assert bool(bytes_of(tmp_path / "out")) == (step == "complete")
    with pytest.raises(translate.UsageError, match="sort"):
        translate.convert(source, out=tmp_path / "out", **{**options, "sort": False})
    translate.convert(source, out=tmp_path / "out", **options)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "undisturbed")


@pytest.mark.parametrize(
    ("to", "out", "complaint"),
    [
        ("hub", "out", "say lake="),
        ("mixpanel", "out", "mixpanel/events wants no order"),
        ("amplitude/requests", "out", "amplitude/requests wants no order"),
    ],
)
def test_what_cannot_be_put_in_order_is_refused(tmp_path, monkeypatch, to, out, complaint):
    source = archive(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(translate.UsageError, match=complaint):
        translate.convert(source, to=to, out=out, sort=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_files_for_posthog_are_of_one_day_each(tmp_path):
    source = archive(tmp_path, 72, shuffled=True)
    translate.convert(source, to="posthog", out=tmp_path / "out", sort=True)
    assert [count for _, count in sizes_of(tmp_path / "out")] == [24, 24, 24]
    assert [row["timestamp"] for row in rows_of(tmp_path / "out")] == sorted(
        row["timestamp"] for row in rows_of(tmp_path / "out")
    )


def test_the_report_counts_what_lies_out_of_order(tmp_path):
    """Over all files: an event counts that lies behind a later one, with or without hazards of the sheet."""
    sheets = sheet(tmp_path / "sheets", 'order = "time"')
    for number, (shuffled, expected) in enumerate([(False, 0), (True, None)]):
        source = archive(tmp_path / str(number), 120, shuffled=shuffled)
        for to, folder in (("boxes", sheets), ("amplitude", None)):
            out = tmp_path / f"{to}-{number}"
            report = translate.convert(source, to=to, out=out, mappings=folder, part_size=3000)
            times = [row["time"] for row in rows_of(out)]
            behind = sum(time < max(times[:place], default=time) for place, time in enumerate(times))
            told = [found["events"] for found in report["findings"] if found["code"] == "files_unordered"]
            assert told == ([behind] if behind else [])
            assert expected is None or behind == expected
            ordered = translate.convert(
                source, to=to, out=tmp_path / f"{out}-sorted", mappings=folder, sort=True
            )
            assert "files_unordered" not in {found["code"] for found in ordered["findings"]}


def test_explain_says_in_which_files_rows_are_wanted(tmp_path):
    sheets = sheet(
        tmp_path / "sheets", 'order = "time"', "days_max = 1", "events_max = 20", "bytes_max = 5000"
    )
    told = translate.explain(from_="mobile_analytics", to="boxes", mappings=sheets)
    assert [(row["effect"], row["what"]) for row in told.limits] == [
        ("cuts", "files of at most 20 events"),
        ("cuts", "files of at most 5,000 bytes, compression aside"),
        ("sorts", "with --sort: by the times of the events, the oldest first; equal ones as they come, each file of 1 day at most"),
    ]  # fmt: skip
    assert {row["source"] for row in told.limits} == {"its page"}


def test_a_stream_is_one(tmp_path):
    """Where rows go to a pipe, nothing is cut."""
    source, sheets = archive(tmp_path, 30), sheet(tmp_path / "sheets", "events_max = 7", 'order = "time"')
    with (tmp_path / "rows").open("wb") as output:
        translate.stream(source, to="boxes", output=output, mappings=sheets)
    assert (tmp_path / "rows").read_text().count("\n") == 30
    words = ["translate", "convert", str(source), "--to", "amplitude", "--out", "-", "--sort"]
    assert "--sort cannot stream" in run_here(words)[1]


CELLS = st.text(alphabet="ab\",\n\r\t '#é\u2028\\0", max_size=6) | st.none()
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.none()


@given(
    rows=st.lists(
        st.tuples(CELLS, NUMBERS, CELLS, st.floats() | st.none(), st.booleans() | st.none()), max_size=5
    ),
    is_headed=st.booleans(),
)
def test_tables_are_written_as_polars_writes_them(rows, is_headed):
    schema = {"a": pl.String, "b": pl.Int64, 'c,"': pl.String, "d": pl.Float64, "e": pl.Boolean}
    table = pl.DataFrame(rows, schema, orient="row")
    assert csv_of(table, is_headed=is_headed) == table.write_csv(
        include_header=is_headed, quote_style="necessary"
    )
