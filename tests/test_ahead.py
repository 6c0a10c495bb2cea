"""Lines wait for whoever reads them, and for nobody else."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import translate
from translate.archive import batches
from translate.archive.batches import BATCH_ROWS
from translate.archive.drawing import UNREAD_MAX, UNWRITTEN_MAX, WAIT_SECONDS, WRITING_SECONDS, Ahead
from translate.reader.kernel_reader import KernelReader
from translate.reader.reader import TABLE_BATCH_BYTES

SLOW_SECONDS = 0.5  # that a batch may take where much else is going on


def test_no_more_batches_are_drawn_than_are_worked_on():
    """As soon as somebody tells of reading, a batch more waits until another one is read."""
    ahead = Ahead()
    ahead.begin()
    for _ in range(UNREAD_MAX + 1):
        ahead.draw()
    ahead.read()
    drawn = threading.Event()

    def draw() -> None:
        ahead.draw()
        drawn.set()

    drawing = threading.Thread(target=draw)
    drawing.start()
    assert not drawn.wait(SLOW_SECONDS)
    ahead.read()
    assert drawn.wait(WAIT_SECONDS * 50)
    drawing.join()


TABLE = Path(__file__).parent.parent / "sample_data" / "mobile_analytics" / "redshift_full.csv"


@pytest.fixture
def batches_read(monkeypatch: pytest.MonkeyPatch) -> list[pl.Series]:
    """Give the texts of each batch that the kernel reads of a table."""
    read: list[pl.Series] = []
    whole = KernelReader.read

    def reading(self: KernelReader, lines: pl.DataFrame, *more: Any) -> pl.DataFrame:
        read.append(lines["text"])
        return whole(self, lines, *more)

    monkeypatch.setattr(KernelReader, "read", reading)
    return read


def rows_in(folder: Path) -> int:
    """Count the rows of a folder's tables."""
    events = translate.scan(folder, model="mobile_analytics/redshift")
    return int(events.select(pl.len()).collect().item())


def test_of_a_table_less_is_drawn_at_once(tmp_path: Path, batches_read: list[pl.Series]):
    """Its rows become objects that are longer than they are, all of which are held while a batch is on its way."""
    header, rows = TABLE.read_text().split("\n", 1)
    times = TABLE_BATCH_BYTES * 2 // len(rows)
    (tmp_path / "a.csv").write_text(f"{header}\n{rows * times}")
    assert rows_in(tmp_path) == times * len(pl.read_csv(TABLE, infer_schema=False))
    assert len(batches_read) > 1
    assert max(texts.str.len_bytes().sum() for texts in batches_read) < TABLE_BATCH_BYTES * 1.5


def test_a_row_group_is_not_one_batch(tmp_path: Path, batches_read: list[pl.Series]):
    """Nor are all of a Parquet file's rows drawn before the first ones are worked on."""
    rows = pl.concat([pl.read_csv(TABLE, infer_schema=False)] * BATCH_ROWS)
    rows.write_parquet(tmp_path / "a.parquet", row_group_size=rows.height)
    assert rows_in(tmp_path) == rows.height > BATCH_ROWS
    assert max(map(len, batches_read)) <= BATCH_ROWS


@pytest.mark.parametrize("threads", [1, 4])
def test_rows_of_parquet_are_written_while_others_are_drawn(tmp_path: Path, threads: int):
    """However many threads the engine has, and may keep rows of: whoever draws waits for what is written, and not in vain."""
    rows = pl.concat([pl.read_csv(TABLE, infer_schema=False)] * BATCH_ROWS * 2)
    rows.with_columns(row=pl.lit("x")).write_parquet(tmp_path / "a.parquet", row_group_size=rows.height)
    command = [sys.executable, "-m", "translate", "convert", tmp_path / "a.parquet", "--to", "clickstream"]
    command += ["--out", tmp_path / "out", "--set", "app_id=demo", "--from", "mobile_analytics/redshift"]
    begin = time.monotonic()
    subprocess.run(
        command, env={**os.environ, "POLARS_MAX_THREADS": str(threads)}, check=False, capture_output=True
    )
    seconds = time.monotonic() - begin
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["events"]["read"] == rows.height
    assert seconds < WRITING_SECONDS * 3  # a few of these for each thread where it waits in vain


def test_a_reader_that_has_had_enough_stops_nobody():
    """What is drawn after that waits for a moment, not for ever."""
    ahead = Ahead()
    ahead.begin()
    ahead.draw()
    ahead.read()
    begin = time.monotonic()
    for _ in range(UNREAD_MAX + 2):
        ahead.draw()
    assert WAIT_SECONDS * 1.9 < time.monotonic() - begin < WAIT_SECONDS * 50


def test_lines_that_nobody_tells_of_reading_come_without_waiting():
    """A question about all lines asks for them as fast as they come."""
    ahead = Ahead()
    begin = time.monotonic()
    for _ in range(2):
        ahead.begin()
        for _ in range(100):
            ahead.draw()
    assert time.monotonic() - begin < WAIT_SECONDS


def awaited(batches: int) -> Ahead:
    """Give one of which so many batches of ten records are read, and none is written."""
    ahead = Ahead()
    ahead.awaits_writing = True
    ahead.begin()
    for _ in range(batches):
        ahead.draw()
        ahead.read()
        ahead.found(10)
    return ahead


def seconds_of(draw: Callable[[], object]) -> float:
    """Measure how long it takes to draw."""
    begin = time.monotonic()
    draw()
    return time.monotonic() - begin


def test_a_batch_waits_until_rows_before_it_are_written():
    """Of all units together; rows come in other batches than records, and there may be more of them."""
    ahead, other = awaited(UNWRITTEN_MAX - 1), awaited(1)
    try:
        waiting = threading.Thread(target=ahead.draw)
        waiting.start()
        with ahead.writing(9):
            pass
        waiting.join(SLOW_SECONDS)
        assert waiting.is_alive()
        with ahead.writing(2):
            pass
        waiting.join(WRITING_SECONDS * 0.9)
        assert not waiting.is_alive()
    finally:
        ahead.end()
        other.end()
    assert Ahead.unwritten == 0


def test_what_is_never_told_to_be_written_holds_nobody_back_for_ever():
    """An engine that needs more batches than that gets them."""
    ahead = awaited(UNWRITTEN_MAX)
    assert WRITING_SECONDS * 0.9 < seconds_of(ahead.draw) < WRITING_SECONDS * 50
    ahead.end()


def test_a_batch_that_is_not_wanted_any_more_is_not_counted():
    """Or it would hold others back as long as the process lives."""
    ahead = awaited(UNWRITTEN_MAX)
    waiting = threading.Thread(target=ahead.draw)
    waiting.start()
    time.sleep(SLOW_SECONDS)
    ahead.end()
    waiting.join()
    ahead.found(10)
    assert Ahead.unwritten == 0


def test_lines_that_were_not_drawn_make_no_room_for_others():
    """A Parquet file's rows are read, and written, without being drawn as text."""
    ahead = Ahead()
    ahead.awaits_writing = True
    ahead.found(10)
    with ahead.writing(10):
        pass
    assert Ahead.unwritten == 0


def test_a_unit_goes_on_however_slowly_another_one_is_written():
    """With one batch at a time."""
    slow, other = awaited(UNWRITTEN_MAX), Ahead()
    other.awaits_writing = True
    other.begin()
    assert seconds_of(other.draw) < WAIT_SECONDS
    slow.end()
    other.end()
    assert Ahead.unwritten == 0


def test_nothing_is_drawn_for_rows_that_cannot_be_written():
    """Nor does anybody wait for it."""
    ahead = awaited(UNWRITTEN_MAX)
    with pytest.raises(OSError, match="full"), ahead.writing(10):
        raise OSError("full")
    assert seconds_of(lambda: ahead.draw() and pytest.fail("a batch is drawn")) < WAIT_SECONDS
    ahead.end()


@pytest.mark.parametrize("where", [None, "name <> 'none'"])
def test_a_limit_waits_for_no_rows_that_it_leaves_out(
    where: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """They are never written; nor does what nobody wanted of them hold back the next conversion."""
    monkeypatch.setattr(batches, "BATCH_BYTES", 1000)
    source = tmp_path / "events.json"
    source.write_text(
        '{"event_type":"e","event_timestamp":1487973802507,"application":{"app_id":"a"},"client":{"client_id":"c"}}\n'
        * 70_000
    )
    begin = time.monotonic()
    report = translate.convert(
        source, from_="mobile_analytics", to="hub", out=tmp_path / "out", limit=2, where=where
    )
    assert report["events"]["written"] == 2
    assert time.monotonic() - begin < WRITING_SECONDS
    assert Ahead.unwritten == 0
