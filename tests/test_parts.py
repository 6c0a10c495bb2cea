"""Parts of a large file: its stretches, cut where records begin, come to what the whole file comes to."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from damaged import record
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate.archive import stretches, units
from translate.archive.sources import find
from translate.archive.stored import chunks_of, digest_of
from translate.archive.stretches import Walk, stretches_of
from translate.conversion.output import Output

WHOLE = 2**30
LINES = [
    "",
    "{broken}",
    "junk",
    '{"event_type":"x"}',
    '{"event_type":"é"}',
    " {}",
    "[]",
    '{"a":[{"b":1},',
    '{"c":2}]}',
]


def content(count: int = 400) -> bytes:
    """Make lines of which some are damaged."""
    lines = (record(number) if number % 7 else LINES[number // 7 % len(LINES)] for number in range(count))
    return ("\n".join(lines) + "\n").encode()


def converted(tmp_path: Path, name: str, **options: Any) -> dict[str, Any]:
    """Convert a file and give all that is left, parts put together."""
    out = tmp_path / name
    report = translate.convert(tmp_path / "a.json", to=options.pop("to", "clickstream"), out=out, **options)
    parts = sorted((out / "data").rglob("part-*"))
    told = {
        path.name: path.read_bytes()
        for path in out.iterdir()
        if path.is_file() and path.name != "report.json"
    }
    if parts and parts[0].suffix == ".parquet":
        rows: Any = pl.concat([pl.read_parquet(part) for part in parts]).to_dicts()
    else:
        rows = b"".join(
            gzip.decompress(part.read_bytes()) if part.suffix == ".gz" else part.read_bytes()
            for part in parts
        )
    about = dict(report)
    about["options"] = {name: value for name, value in about["options"].items() if name != "part_size"}
    return {"rows": rows, "report": about, "parts": len(parts), **told}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"to": "hub"},
        {"compression": "gzip", "examples": True},
        {"dedupe": True, "add": ["first_open", "session_number"], "fold": True},
        {"census": True},
        {"census": "verify"},
        {"limit": 100},
        {"where": "name <> 'x'", "to": "pinpoint"},
        {"careful": True},
        {"read": "directly"},
    ],
    ids=str,
)
def test_parts_come_to_the_whole(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, rejects with their lines, counts, losses and the digest of the file are those of the file in one part."""
    if "read" in options:
        options = {}
        monkeypatch.setattr(units, "BUFFERED_MAX", 0)
    (tmp_path / "a.json").write_bytes(content())
    whole = converted(tmp_path, "whole", part_size=WHOLE, **options)
    for size in (9_000, "30KB"):
        cut = converted(tmp_path, f"cut-{size}", part_size=size, **options)
        assert cut.pop("parts") > (1 if size == 9_000 or "limit" not in options else 0)
        assert cut == {name: value for name, value in whole.items() if name != "parts"}
    told = json.loads(whole["files.ndjson"])
    assert told["digest"] == digest_of(find([tmp_path / "a.json"])[0])


@pytest.mark.parametrize("seen", [0, 1, 3, 10])
def test_a_file_that_grows_is_read_in_chunks_of_some_size(tmp_path, seen, monkeypatch):
    """Whatever length was seen of it, it is read to its end, begins with what tells its kind, and costs no call a byte."""
    (path := tmp_path / "a.gz").write_bytes(text := gzip.compress(os.urandom(5_000_000)))
    (file,) = find([path])

    def as_it_was(place, stat=os.stat):
        return os.stat_result((*stat(place)[:6], seen, *stat(place)[7:10]))

    with monkeypatch.context() as patched:
        patched.setattr("translate.archive.stored.os.stat", as_it_was)
        chunks = [*chunks_of(file)]
    assert b"".join(chunks) == text
    assert len(chunks[0]) > 1_000
    assert len(chunks) < 40


@given(
    st.lists(st.sampled_from([*LINES, record(1), record(2), "{", "}", "[", "],", "x" * 90]), max_size=40),
    st.integers(1, 400),
)
def test_stretches_make_up_the_file(lines: list[str], size: int) -> None:
    """Whatever it holds, each begins with a line that begins a record, and knows the lines and the digest before its end."""
    with tempfile.TemporaryDirectory() as folder:
        tmp_path = Path(folder)
        (tmp_path / "a.json").write_bytes(text := "\n".join(lines).encode())
        (file,) = find([tmp_path / "a.json"])
        pieces = [*stretches_of(file, size)]
        texts = [b"".join(chunks_of(piece)) for piece in pieces]
        assert b"".join(texts) == text
        walk = Walk(pieces, digested=True)
        for number, piece in enumerate(pieces):
            told = walk.told(piece)
            before = b"".join(texts[:number])
            assert told.lines_before == before.count(b"\n")
            (tmp_path / "before").write_bytes(before + texts[number])
            assert digest_of(told) == digest_of(find([tmp_path / "before"])[0])
        for before, after in pairwise(texts):
            assert before.endswith(b"\n")
            assert before.rstrip()[-1:] in (b"}", b"]")
            assert after[:1] in (b"{", b"[")


@pytest.mark.parametrize(
    "text",
    [
        b"".join(record(number).encode() for number in range(100)),
        b"[\n" + b",\n".join(record(number).encode() for number in range(100)) + b"\n]\n",
        gzip.compress(content()),
        b"",
    ],
    ids=["one line", "an array", "compressed", "empty"],
)
def test_what_cannot_be_cut_stays_whole(text: bytes, tmp_path: Path) -> None:
    """A line, an array and what is compressed are one part."""
    (tmp_path / "a.json").write_bytes(text)
    (file,) = find([tmp_path / "a.json"])
    assert [*stretches_of(file, 100)] == [file]


def test_records_over_several_lines(tmp_path: Path) -> None:
    """They are put together in each stretch, which begins with one."""
    spread = "\n".join(json.dumps(json.loads(record(number)), indent=1) for number in range(200))
    (tmp_path / "a.json").write_text(spread + "\n")
    whole = converted(tmp_path, "whole", part_size=WHOLE)
    cut = converted(tmp_path, "cut", part_size=5_000)
    assert cut.pop("parts") > whole.pop("parts") == 1
    assert cut == whole
    assert whole["report"]["events"]["written"] == 200


def test_a_place_to_cut_is_not_looked_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is none near, the part is longer."""
    monkeypatch.setattr(stretches, "LOOKS", (10, 250))
    records = [record(number) for number in range(30)]
    long = '{"a":"' + "x" * 5_000 + '"}'
    (tmp_path / "a.json").write_text("\n".join([*records, long, *records]) + "\n")
    (file,) = find([tmp_path / "a.json"])
    texts = [b"".join(chunks_of(piece)) for piece in stretches_of(file, 300)]
    assert b"".join(texts) == (tmp_path / "a.json").read_bytes()
    assert len(texts) > 20
    assert [long.encode() in text for text in texts].count(True) == 1


@pytest.mark.parametrize("size", ["0", "-5", "64 XB", "many"])
def test_a_size_that_is_none(size: str, tmp_path: Path) -> None:
    """It is refused before anything is read."""
    (tmp_path / "a.json").write_bytes(content(10))
    with pytest.raises(translate.UsageError, match="part_size="):
        translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", part_size=size)


def test_another_size_is_another_job(tmp_path: Path) -> None:
    """What is unfinished is resumed with the same size only."""
    (tmp_path / "a.json").write_bytes(content(40))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Output, "complete", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", part_size=2_000)
    with pytest.raises(translate.UsageError, match="part_size"):
        translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", part_size=3_000)
    translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", part_size=2_000)


def test_a_file_that_changed_is_noticed_by_what_lies_before(tmp_path: Path) -> None:
    """A resumed run holds each stretch that is done against the digest up to its end, and reads the file for that once."""
    (tmp_path / "a.json").write_bytes(text := content(40))
    finish = Output.finish_unit

    def stop(self: Output, number: int, *given: Any) -> None:
        if number == 3:
            raise KeyboardInterrupt
        finish(self, number, *given)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Output, "finish_unit", stop)
        translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", part_size=2_000)
    times = (tmp_path / "a.json").stat()
    (tmp_path / "a.json").write_bytes(text.replace(b"event_type", b"event_typf", 1))
    os.utime(tmp_path / "a.json", ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(translate.UsageError, match="holds other bytes than when it was converted"):
        translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", part_size=2_000)
