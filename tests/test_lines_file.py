"""The file of lines that a unit's rows go into: what lies on the disk, its digest, its compression."""

import gc
import gzip
import hashlib
import warnings

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate.conversion import sinks
from translate.conversion.closing import FileAccounts
from translate.conversion.lines_file import ENDINGS, WRITTEN_TOGETHER, LinesFile
from translate.engine.texts import line_breaks, lines_of

TEXTS = ["", '{"a":"\\u00fc"}', "ümlaut 漢字 🎈", "x" * 100]


def written(path, compression, *, rows=(), texts=()):
    file = LinesFile(path, compression)
    for each in rows:
        file.add_rows(pl.Series(each, dtype=pl.String))
    for text in texts:
        file.write(text)
    return file.close()


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=30), st.booleans())
def test_the_kernel_joins_texts_as_python_does(texts, sliced):
    rows = pl.Series(texts, dtype=pl.String)
    rows = rows[len(texts) // 2 :] if sliced else rows
    with lines_of(rows) as lines:
        assert bytes(lines) == "".join(f"{text}\n" for text in rows if text is not None).encode()


@given(st.lists(st.sampled_from([b"\n", b"a", b"\n" * 64, b"\n" * 64 * 256, b"x" * 63])))
def test_line_breaks_are_counted(engine, pieces):
    text = b"".join(pieces)
    assert line_breaks(text) == text.count(b"\n")


@pytest.mark.parametrize("compression", ENDINGS)
def test_what_is_written_can_be_read(tmp_path, engine, compression):
    path = tmp_path / "part"
    digests = written(path, compression, rows=[TEXTS, [], TEXTS[:1]], texts=[b"a\n"] * 3)
    lines = pl.scan_lines(path).collect().to_series().to_list()
    assert lines == [*TEXTS, TEXTS[0], "a", "a", "a"]
    assert [path] == [*tmp_path.iterdir()], "nothing is left beside it"
    assert digests in ({}, {path: hashlib.sha256(path.read_bytes()).hexdigest()})
    assert digests or compression == "zstd"


def test_gzip_names_neither_time_nor_file(tmp_path):
    for name in ("one", "other"):
        written(tmp_path / name, "gzip", rows=[TEXTS * 100])
    stored = (tmp_path / "one").read_bytes()
    assert stored == (tmp_path / "other").read_bytes()
    assert stored[:2] == b"\x1f\x8b"
    assert stored[4:8] == bytes(4), "no time"
    assert gzip.decompress(stored).count(b"\n") == 400


def test_short_texts_are_written_together(tmp_path):
    file = LinesFile(tmp_path / "part")
    file.write(b"a\n")
    assert not (tmp_path / "part").stat().st_size
    file.write(b"b" * WRITTEN_TOGETHER)
    assert (tmp_path / "part").stat().st_size == WRITTEN_TOGETHER + 2
    file.close()


def test_rows_and_texts_keep_their_order(tmp_path):
    file = LinesFile(tmp_path / "part")
    file.write(b"first\n")
    file.add_rows(pl.Series(["second"]))
    file.close()
    assert (tmp_path / "part").read_bytes() == b"first\nsecond\n"


@pytest.mark.parametrize("to", ["amplitude", "mixpanel", "mixpanel/requests", "personalize", "hub"])
def test_an_attempt_that_fails_leaves_no_file_open(tmp_path, monkeypatch, to):
    opened = []

    class Watched(LinesFile):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            opened.append(self._output)

    def fail(*_):
        raise OSError("no more")

    monkeypatch.setattr(sinks, "LinesFile", Watched)
    monkeypatch.setattr(sinks.UnitAccount, "add", fail)
    with pytest.raises(translate.OutputError, match="no more"):
        translate.convert("sample_data/mixpanel/events_full.jsonl", to=to, out=tmp_path / "out", workers=1)
    assert opened
    assert all(file.closed for file in opened)


def test_what_is_told_of_files_is_not_open_between_units(tmp_path):
    accounts = FileAccounts(tmp_path / "files")
    accounts.add([{"path": "a"}, {"path": "b"}])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del accounts
        gc.collect()
    assert told == []
    assert (tmp_path / "files").read_text(encoding="utf-8") == '{"path": "a"}\n'
