"""Lines that are too long to be held: cut between their records, at the same places with and without the kernel."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from damaged import convert, levels, record
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate.archive import batches, stored
from translate.archive import units as files
from translate.archive.compression import inflated
from translate.archive.drawing import Ends
from translate.conversion import reading
from translate.engine.choice import CHOICE, REFERENCE
from translate.engine.library import library

TEXTS = st.text(st.sampled_from('{}[]"\\a,:'), max_size=40).map(str.encode)


@pytest.fixture(autouse=True)
def read_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read small files as large ones, in blocks of a few records."""
    monkeypatch.setattr(files, "BUFFERED_MAX", 0)
    monkeypatch.setattr(batches, "BATCH_BYTES", 4_000)
    monkeypatch.setattr(stored, "READ_BYTES", 1_000)


@pytest.mark.skipif(library() is None, reason="no kernel to be held against the reference")
@given(text=TEXTS, cut=st.integers(0, 40), only_first=st.booleans())
def test_records_end_where_the_reference_says(text: bytes, *, cut: int, only_first: bool) -> None:
    """Whatever the text is, and wherever it is cut into two pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CHOICE, REFERENCE)
        reference = Ends()
    kernel = Ends()
    for piece in (text[:cut], text[cut:]):
        told = [ends.first(piece) if only_first else ends.last(piece) for ends in (kernel, reference)]
        assert told[0] == told[1]
        if only_first and told[0]:
            break


@pytest.mark.parametrize("text", [b'{"a":"}"}', b'{"a":"\\"}"}', b'[{"a":[1]}]', b']{"a":{}}', b'"{"{}'])
def test_an_end_is_where_the_brackets_close(text: bytes) -> None:
    """Brackets within texts are none, and neither is what closes where nothing is open."""
    assert Ends().last(text + b"  {") == len(text)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_of_one_line(engine: str, tmp_path: Path, *, compressed: bool) -> None:
    """Records that run together are read as they are on lines of their own; the faulty one is told with its line."""
    together = "".join(record(number) for number in range(200))
    content = f"{together}{{broken}}{record(200)}\n{record(201)}\n".encode()
    name, stored = ("a.gz", gzip.compress(content)) if compressed else ("a.json", content)
    found = convert(tmp_path, {name: stored})
    assert levels(found) == [*range(202)]
    assert [(reject["line"], reject["raw"]) for reject in found.rejects] == [(1, "{broken}")]


def test_lines_behind_a_long_one_keep_their_numbers(tmp_path: Path) -> None:
    """However often a line was cut, the next one is the next one."""
    together = "".join(record(number) for number in range(100))
    content = f"{record(0)}\n{together}\n{{}}\n{together}\n\n{{}}\n".encode()
    found = convert(tmp_path, {"a.json": content})
    assert [reject["line"] for reject in found.rejects] == [3, 6]
    assert found.report["events"]["written"] == 201


def test_large_records_in_a_long_line(tmp_path: Path) -> None:
    """Each that is beyond the largest size is passed over; what stands around it is read."""
    large = record(7, attributes={"text": "{" * 30_000})
    content = f"{record(1)}{large} {record(2)}{large[:-40]}\n{large}{record(3)}\n".encode()
    found = convert(tmp_path, {"a.json": content}, set_=["record_bytes=20000"])
    assert levels(found) == [1, 2, 3]
    told = [(reject["line"], reject["code"], reject["raw"]["bytes"]) for reject in found.rejects]
    assert told == [
        (1, "too_large", len(large)),
        (1, "too_large", len(large) - 40),
        (2, "too_large", len(large)),
    ]
    assert found.rejects[0]["raw"]["head"] == large[:500]


def test_a_record_that_never_ends_costs_itself(tmp_path: Path) -> None:
    """Its brackets do not close, so that none of those behind it ends by the brackets; the next one begins all the same."""
    together = "".join(record(number) for number in range(300))
    content = f"{together}{record(300)[:-1]}{together}\n{record(301)}\n".encode()
    found = convert(tmp_path, {"a.json": content}, set_=["record_bytes=20000"])
    assert levels(found) == [*range(300), *range(300), 301]
    assert [(reject["line"], reject["code"]) for reject in found.rejects] == [(1, "incomplete")]


def test_the_size_of_blocks_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, rejects and report are the same to the byte."""
    together = "".join(record(number) for number in range(60))
    content = f"{together}\n{{broken}}\n{together}{{}}{together}\n".encode()
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/a.json").write_bytes(content)
    seen = set()
    for size in (100, 3_333, 4 << 20):
        monkeypatch.setattr(batches, "BATCH_BYTES", size)
        out = tmp_path / f"out-{size}"
        translate.convert(tmp_path / "archive", to="clickstream", out=out, from_="mobile_analytics/archive")
        texts = (path.read_text(encoding="utf-8") for path in sorted(out.rglob("*")) if path.is_file())
        seen.add(json.dumps([*texts]))
    assert len(seen) == 1


@given(st.binary(max_size=2_000), st.integers(1, 300))
def test_gzip_comes_in_pieces(content: bytes, step: int) -> None:
    """Members one after the other, and zeros behind them, whatever the size of the chunks."""
    stored = gzip.compress(content) + gzip.compress(content[::-1]) + b"\0" * 3
    pieces = (stored[start : start + step] for start in range(0, len(stored), step))
    assert b"".join(inflated(pieces)) == content + content[::-1]


def test_a_line_that_is_no_text_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is opened once: what is not UTF-8 stands on its own line, in whatever block."""
    opened = []
    opening = reading.open_unit
    monkeypatch.setattr(
        reading, "open_unit", lambda *given, **how: opened.append(1) or opening(*given, **how)
    )
    good = [record(number).encode() for number in range(60)]
    bad = b'{"event_type":"\xff"}'
    content = b"\n".join([*good[:30], bad, *good[30:], bad, b""])
    found = convert(tmp_path, {"a.json": content})
    assert levels(found) == [*range(60)]
    assert [(reject["line"], reject["code"]) for reject in found.rejects] == [
        (31, "bad_encoding"),
        (62, "bad_encoding"),
    ]
    assert len(opened) == 1
