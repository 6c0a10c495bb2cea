"""A call that failed leaves no thread behind, though whoever shows its error holds on to all that it had."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from damaged import record

import translate
from translate.archive import stored, units
from translate.conversion.report import RunReport
from translate.errors import ConservationError

GONE_SECONDS = 5.0  # much longer than a thread needs that has nothing more to do
CHUNKS_MAX = 10_000  # of a file that goes on and on


def failing(*_: object) -> None:
    raise ConservationError("as a test wants it")


def own_threads() -> set[threading.Thread]:
    """Give the threads that the engine's are not among, which call Python now and then."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("Dummy")}


def left_after(call: Callable[[], object]) -> list[str]:
    """Name Python's own threads that are still there a while after a call that fails."""
    before = own_threads()
    with pytest.raises(ConservationError) as held:
        call()
    end = time.monotonic() + GONE_SECONDS
    while (left := own_threads() - before) and time.monotonic() < end:
        time.sleep(0.01)
    assert held.value is not None
    return [thread.name for thread in left]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Make an archive of one file."""
    file = tmp_path / "archive.json"
    file.write_text("".join(record(number) + "\n" for number in range(3_000)))
    return file


def test_the_census_ends(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts keys beside the rows, and was not asked for its counts."""
    monkeypatch.setattr("translate.conversion.sinks.hold_against", failing)
    call = {"to": "clickstream", "out": tmp_path / "out", "census": True}
    assert left_after(lambda: translate.convert(archive, **call)) == []


def test_the_walk_ends(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes over the stretches of a large file."""
    monkeypatch.setattr(RunReport, "check", failing)
    call = {"to": "clickstream", "out": tmp_path / "out", "part_size": archive.stat().st_size // 20}
    assert left_after(lambda: translate.convert(archive, **call)) == []


def test_the_digest_ends(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes the digest of a large file beside its reading, however much of it is to come."""
    monkeypatch.setattr(units, "BUFFERED_MAX", 0)
    monkeypatch.setattr("translate.conversion.sinks.hold_against", failing)
    chunks_of = stored.chunks_of

    def slowly(file: object) -> Iterator[bytes]:
        for chunk in chunks_of(file):
            for _ in range(CHUNKS_MAX):
                time.sleep(0.01)
                yield chunk

    monkeypatch.setattr(stored, "chunks_of", slowly)
    assert left_after(lambda: translate.convert(archive, to="clickstream", out=tmp_path / "out")) == []
