"""Records that reach over several lines: what is put together at once is what a look at each line gives, and costs little."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import translate
from translate.archive import joined, units
from translate.archive.batches import Lines, lines_of
from translate.archive.drawing import Ahead, LongLines
from translate.archive.joined import join_records
from translate.archive.lines import Block, Damage
from translate.archive.stored import SourceFile
from translate.archive.units import Opened
from translate.errors import ExitCode
from translate.mapping import find_layout
from translate.reader.kernel_reader import KernelReader
from translate.reader.reader import Reader

SAMPLE = Path(__file__).parent.parent / "sample_data" / "mobile_analytics" / "archive_full.jsonl"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('aé\u2028"\\{}[]=: \t', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab=", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
PIECE_CHARACTERS = 100  # at most, of a line of a printed record
OBJECTS = st.dictionaries(st.text("ab", max_size=2), VALUES, max_size=4)


@st.composite
def printed(draw: st.DrawFn) -> bytes:
    """Print an object as people do, and perhaps damage it."""
    indent = draw(st.sampled_from([None, 0, 1, 2, "\t"]))
    text = json.dumps(draw(OBJECTS), indent=indent, ensure_ascii=draw(st.booleans()))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\n", "\n  ", "\r\n", "\n\n", "\r\r\n", "\n \n"])))
    text = (
        draw(st.sampled_from(["", "", "  ", "\ufeff"]))
        + text
        + draw(st.sampled_from(["", "", " ", " {}", "}", "x", "["]))
    )
    encoded = text.encode()
    cut = draw(st.integers(0, len(encoded)))
    damage = draw(st.sampled_from([None, None, None, b"", b"\xff", b'"', b"\n", b"{", b"}"]))
    return encoded if damage is None else encoded[:cut] + damage + (b"" if damage == b"" else encoded[cut:])


def put_together(blocks: list[bytes]) -> list[Block]:
    """Give what becomes of blocks, texts that follow each other as one."""
    together: list[Block] = []
    for block in join_records(iter(blocks)):
        if isinstance(block, bytes) and together and isinstance(together[-1], bytes):
            together[-1] += block
        else:
            together.append(block)
    return together


@given(st.lists(printed(), max_size=6), st.sampled_from([b"\n", b"\n", b"\r\n", b"\n\n"]), st.integers(1, 40))
@example([b'{"a":1}', b'{"a":', b'{"a":2}', b'{\n "a": "\xff"\n}'], b"\n", 1)
@example([b'{"a":1}', b'{\n"a": [\n{"b": 2}\n]\n}', b'{\n "a":\n\n {"b": 2}\n}'], b"\n", 9)
def test_plain_records_are_what_a_look_at_each_line_makes_of_them(
    texts: list[bytes], end: bytes, lines_a_block: int
) -> None:
    lines = end.join([*texts, b""]).splitlines(keepends=True) or [b"\n"]
    lines = b"".join(lines).split(b"\n")[:-1] or [b""]
    blocks = [
        b"\n".join(lines[first : first + lines_a_block]) + b"\n"
        for first in range(0, len(lines), lines_a_block)
    ]
    at_once = put_together(blocks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joined, "_plain_object", lambda _text, _begin: b"")
        assert at_once == put_together(blocks)


def archive(path: Path, count: int, indent: int | None) -> Path:
    """Write as many events of the sample as asked for, each with a number of its own."""
    events = islice(cycle(map(json.loads, SAMPLE.read_text().splitlines())), count)
    path.write_text(
        "".join(
            f"{json.dumps({**event, 'event_version': str(at)}, indent=indent)}\n"
            for at, event in enumerate(events)
        )
    )
    return path


def test_printed_records_cost_a_few_times_what_they_cost_in_a_line_each(tmp_path: Path) -> None:
    """A look at each line cost eleven times as much."""
    seconds = {}
    for name, indent in (("lines", None), ("printed", 2)):
        source = archive(tmp_path / f"{name}.json", 10_000, indent)
        begun = time.process_time()
        translate.convert(source, to="clickstream", out=tmp_path / name)
        seconds[name] = time.process_time() - begun
    rows = [(tmp_path / name / "data" / "part-00000.ndjson").read_bytes() for name in seconds]
    assert rows[0] == rows[1]
    assert seconds["printed"] < 5 * seconds["lines"]


def test_what_is_read_in_vain_is_not_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a file turns out to be printed over lines, its other lines are passed over; the other files are looked at."""
    read: list[str] = []

    def counted(self: KernelReader, lines: pl.DataFrame, *more: Any) -> pl.DataFrame:
        read.extend(text for text in lines["text"] if text and len(text) < PIECE_CHARACTERS)
        return whole(self, lines, *more)

    whole = KernelReader.read
    monkeypatch.setattr(KernelReader, "read", counted)
    monkeypatch.setattr("translate.reader.reader.LINES_AT_ONCE", 1_000)
    for name in ("batches.BATCH_BYTES", "stored.READ_BYTES"):
        monkeypatch.setattr(f"translate.archive.{name}", 1 << 16)
    folder = tmp_path / "files"
    folder.mkdir()
    pieces = archive(folder / "a.json", 2_000, 2).read_text().count("\n")
    archive(folder / "b.json", 500, None)
    archive(folder / "c.json", 500, 1)
    report = translate.convert(folder, to="clickstream", out=tmp_path / "out")
    assert report["events"]["written"] == 3_000
    assert 0 < len(read) < pieces / 2


def test_lines_of_a_batch_are_read_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many at once, the same is read: by either engine, broken ones among them."""
    source = archive(tmp_path / "a.json", 50, None)
    source.write_text(
        source.read_text()
        .replace('"device"', "device", 1)
        .replace('"event_type": "', '"event_type": "\\ud800', 1)
    )
    read = {}
    for at_once in (1, 7, 20_000):
        monkeypatch.setattr("translate.reader.reader.LINES_AT_ONCE", at_once)
        for careful in (False, True):
            _, layout = find_layout("mobile_analytics/archive")
            frame = pl.scan_lines(source, name="text", row_index_name="row")
            lines = Lines(frame, ["a.json"], [0])
            found = (
                Reader(layout, careful_only=careful)
                .records(lines)
                .drop("careful")
                .collect(engine="in-memory")
            )
            read[at_once, careful] = found
    assert read[1, False]["code"].null_count() < 50
    assert all(read[1, False].equals(found) for found in read.values())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """Give, for each time that a unit is opened, the files whose records are put together."""
    opened: list[frozenset[str]] = []

    def open_unit(*given: Any, joined: frozenset[str], **options: Any) -> Opened:
        opened.append(joined)
        return units.open_unit(*given, joined=joined, **options)

    monkeypatch.setattr("translate.conversion.reading.open_unit", open_unit)
    return opened


def test_however_many_files_are_printed_over_lines_all_are_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[frozenset[str]]
) -> None:
    """What one batch shows of several files is taken in at once: each look at all of them has its price."""
    monkeypatch.setattr("translate.reader.reader.LINES_AT_ONCE", 50)
    for number in range(30):
        archive(tmp_path / f"{number}.json", 2, 2 if number % 3 else None)
    report = translate.convert(tmp_path, to="clickstream", out=tmp_path / "out")
    assert report["events"]["written"] == 60
    assert [len(joined) for joined in opened] == [0, 20]


def unsound_in(
    chunks: list[bytes], monkeypatch: pytest.MonkeyPatch, *, careful: bool, is_read_whole: bool = True
) -> set[str]:
    """Read chunks, each of them a batch of its own, and name the files that are to be read otherwise."""
    monkeypatch.setattr("translate.archive.batches.BATCH_BYTES", 1)
    monkeypatch.setattr("translate.archive.drawing.UNWRITTEN_MAX", len(chunks))
    _, layout = find_layout("mobile_analytics/archive")
    long_lines, damage, ahead = LongLines(), dict[int, Damage](), Ahead()
    ahead.awaits_writing = is_read_whole
    frame = lines_of(lambda: iter(chunks), long_lines, damage, ahead)
    lines = Lines(frame, ["a.json"], [0], damage, long_lines=long_lines, ahead=ahead)
    reader = Reader(layout, careful_only=careful)
    reader.records(lines).collect(engine="streaming")
    ahead.end()
    return reader.unsound


RECORD = b'{"event_type":"x","event_timestamp":1460000000000}\n'


@pytest.mark.parametrize("careful", [False, True])
def test_a_batch_that_ends_within_a_record_is_judged_by_the_next_one(
    monkeypatch: pytest.MonkeyPatch, careful: bool
) -> None:
    cut, rest = RECORD[:20] + b"\n", b" " + RECORD[20:]
    assert unsound_in([RECORD + cut, RECORD], monkeypatch, careful=careful) == set()
    assert unsound_in([RECORD + cut, rest + RECORD], monkeypatch, careful=careful) == {"a.json"}
    assert unsound_in([RECORD, RECORD + cut], monkeypatch, careful=careful) == set()  # nothing follows
    assert unsound_in([RECORD, cut, cut, RECORD], monkeypatch, careful=careful) == set()
    assert unsound_in([RECORD, cut, cut, rest], monkeypatch, careful=careful) == {"a.json"}
    limited = unsound_in([RECORD + cut, RECORD], monkeypatch, careful=careful, is_read_whole=False)
    assert limited == {"a.json"}  # a limit might have ended the reading before the second batch
    assert unsound_in([b"x" + cut, RECORD, b"[" + cut], monkeypatch, careful=careful) == {"a.json"}


def test_cut_records_do_not_have_their_file_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[frozenset[str]]
) -> None:
    """Wherever batches begin and end: it would be joined for nothing, which takes as long as two readings."""
    for name in ("batches.BATCH_BYTES", "stored.READ_BYTES"):
        monkeypatch.setattr(f"translate.archive.{name}", 1 << 12)
    source = archive(tmp_path / "a.json", 200, None)
    cut = [line[: len(line) // 2] + "\n" if at % 3 else line for at, line in enumerate(source.open())]
    source.write_text("".join(cut))
    report = translate.convert(source, to="clickstream", out=tmp_path / "out")
    assert report["rejects"] == {"incomplete": 133}
    assert report["events"]["written"] == 67
    assert len(opened) == 1


@pytest.mark.parametrize("limit", [29, 30, 31, 32])
def test_a_limit_within_a_batch_that_ends_within_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """What the next batch says of the record counts, though nobody may have asked for that batch."""
    lines = archive(tmp_path / "a.json", 2_000, None).read_text().splitlines(keepends=True)
    begin, _, rest = lines[30].partition(", ")
    lines[30] = f"{begin},\n {rest}"
    (tmp_path / "a.json").write_text("".join(lines))
    for name in ("batches.BATCH_BYTES", "stored.READ_BYTES"):
        monkeypatch.setattr(f"translate.archive.{name}", len("".join(lines[:30])) + len(begin) + 2)
    report = translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", limit=limit)
    assert report["events"]["written"] == limit
    assert not report["rejects"]


def test_what_is_put_together_waits_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a file is: only its first bytes are held in memory."""
    source = archive(tmp_path / "a.json", 3_000, 2)
    monkeypatch.setattr(units, "CLEAN_BYTES_MAX", 1 << 16)
    (unit,) = units.units([SourceFile(str(source), "a.json", source.stat().st_size)])
    tracemalloc.start()
    try:
        opened = units.open_unit(unit, tmp_path, joined=frozenset(["a.json"]))
        opened.close()
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < source.stat().st_size / 2


def test_of_a_pipe_that_breaks_off_the_rest_goes_on(tmp_path: Path) -> None:
    """Nothing of a pipe can be read again: what is whole is written, and in the end it is said that something is not."""
    lines = archive(tmp_path / "a.json", 300, None).read_text().splitlines(keepends=True)
    lines[100:100] = ['{"event_type":"cut\n', "x\n"]
    command = [sys.executable, "-m", "translate", "convert", "-", "--to", "clickstream", "--out", "-"]
    ended = subprocess.run(command, input="".join(lines), capture_output=True, text=True, check=False)
    assert ended.stdout.count("\n") == 300
    assert ended.returncode == ExitCode.UNFINISHED
    assert "records reach over several lines" in ended.stderr
