"""Many small files: what they are costs next to nothing beside reading them."""

from __future__ import annotations

import gzip
import json
import pickle
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from canonical import SAMPLES
from damaged import record
from hypothesis import example, given
from hypothesis import strategies as st

import translate
from translate.archive import units
from translate.archive.compression import TEXT_MAX
from translate.archive.listing import SourceFiles
from translate.archive.sources import find
from translate.archive.stored import SourceFile, Stretch, digest_of, keep_ends
from translate.conversion.reading import Course
from translate.engine.texts import Search
from translate.reader import recognition
from translate.reader.looks import Likeness
from translate.reader.recognition import recognise
from translate.reader.request import RequestReader

ROOT = Path(__file__).parent.parent
FILES = 200
# Runs the command line, and counts how often a file of the archive is opened.
DRIVER = """
import sys
from translate.cli import main
archive, opened = sys.argv.pop(1), []
sys.addaudithook(lambda event, given: opened.append(given[0]) if event == "open" and str(given[0]).startswith(archive) else None)
sys.argv[0] = "translate"
try:
    main()
finally:
    print("opened", sum("part" in str(name) for name in opened))
"""


def write_archive(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        text = "".join(f"{record(at, attributes={f'k{number}': 'v'})}\n" for at in range(3)).encode()
        (folder / f"part-{number:05}{'.gz' if number % 2 else ''}").write_bytes(
            gzip.compress(text) if number % 2 else text
        )
    return folder


def opens(archive: Path, *words: str) -> int:
    command = [sys.executable, "-c", DRIVER, str(archive), *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(ended.stdout.split()[-1])


@pytest.mark.parametrize(
    "words",
    [("convert", "--to", "clickstream", "--out", "OUT"), ("inspect", "--json"), ("validate",)],
    ids=lambda words: words[0],
)
def test_recognition_opens_no_file_for_itself(words: tuple[str, ...], tmp_path: Path) -> None:
    """Where `--from` is not said, files are opened at most a tenth more often."""
    archive = write_archive(tmp_path / "archive", FILES)
    option = "--as" if words[0] == "validate" else "--from"
    told, found = (
        opens(
            archive,
            words[0],
            str(archive),
            *(word.replace("OUT", str(tmp_path / name)) for word in words[1:]),
            *more,
        )
        for name, more in (("told", (option, "mobile_analytics/archive")), ("found", ()))
    )
    assert told >= FILES
    assert found <= 1.1 * told


def test_recognition_looks_at_one_record_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose first record shows what it is costs one look at one record, and nothing that is the same for all files is made anew."""
    count = {"parsed": 0, "made": 0}

    def counted(lines, **how):
        for value in values_in(lines, **how):
            count["parsed"] += 1
            yield value

    class Counted(RequestReader):
        def __init__(self, *given):
            count["made"] += 1
            super().__init__(*given)

    values_in = recognition.values_in
    monkeypatch.setattr(recognition, "values_in", counted)
    monkeypatch.setattr("translate.reader.looks.RequestReader", Counted)
    assert (
        recognise(find([write_archive(tmp_path / "archive", FILES)]), None).address
        == "mobile_analytics/archive"
    )
    assert count["parsed"] == FILES
    assert count["made"] < 20


def test_no_file_is_held_against_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What planning costs grows with the files, not with their square."""
    files = find([write_archive(tmp_path / "archive", FILES)])
    compared = []
    equal = SourceFile.__eq__
    monkeypatch.setattr(SourceFile, "__eq__", lambda one, other: compared.append(one) or equal(one, other))
    recognise(files, None)
    assert len(compared) <= FILES


NAMES = st.text(st.sampled_from("ab/é\udc80"), max_size=5)
FILE = st.builds(
    SourceFile, NAMES, NAMES, st.integers(0, 2**40), st.sampled_from(["", '"' + "0a" * 16 + '"', '"' + "0A" * 16 + '"', '"x-3"']),
    st.none() | st.binary(max_size=8), st.none() | st.builds(Stretch, st.integers(0, 9), st.integers(0, 9)),
)  # fmt: skip


@given(st.lists(FILE, max_size=9), st.lists(FILE, max_size=3), st.slices(9))
def test_a_listing_gives_what_it_was_given(
    files: list[SourceFile], others: list[SourceFile], part: slice
) -> None:
    """Packed or not, files are the same, in the same order, and what is seen of one is kept."""
    packed = SourceFiles(files)
    for listed in (packed, pickle.loads(pickle.dumps(packed)), SourceFiles(iter(packed))):
        assert [*listed] == files
        assert [file.ends for file in listed] == [file.ends for file in files]
        assert [*listed[part]] == files[part]
        assert [*listed.in_order()] == sorted(files, key=lambda file: file.shown)
    for file in SourceFiles([*packed, *others]):
        keep_ends(file, b"PAR1", b"")
    assert {file.ends for file in packed} <= {b"PAR1"}


def test_a_listed_file_takes_little_memory() -> None:
    """Of a million files names and tags are in memory, and little else."""
    tracemalloc.start()
    try:
        listed = SourceFiles(
            SourceFile(f"s3://old/a/{number // 100:06}/part-{number:08}.gz", f"{number // 100:06}/part-{number:08}.gz", number, f'"{number:032x}"')
            for number in range(20_000)
        )  # fmt: skip
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / len(listed) < 100


def test_a_mark_in_a_later_record_is_seen(tmp_path: Path) -> None:
    """A mark is looked for in all of the first records where the text spells it, and what only looks like one is none."""
    plain = json.loads(record(1))
    for name, marked in (("a", {"endpoint": {}}), ("b", {"attributes": {"endpoint": "x"}})):
        (tmp_path / name).write_text(
            f"{json.dumps(plain)}\n{json.dumps({**plain, **marked})}\n", encoding="utf-8"
        )
    found = recognise(find([tmp_path]), None)
    assert {file.shown: source.layout.address for source in found.sources for file in source.files} == {
        "a": "pinpoint/event_stream",
        "b": "mobile_analytics/archive",
    }


@pytest.mark.parametrize(
    "sample",
    [
        "pinpoint/event_stream_full.jsonl",
        "clickstream/requests_full.jsonl",
        "mobile_analytics/requests_full.jsonl",
    ],
)
def test_a_likeness_is_of_a_record(sample: str) -> None:
    """Each record of a sample fits its own layout."""
    address = sample.partition("_full")[0]
    look = next(
        Likeness(layout) for name, (_, layout) in recognition._candidates(None).items() if name == address
    )
    lines = (SAMPLES / sample).read_text(encoding="utf-8").splitlines()
    assert all(look.fits(value) for value in recognition.values_in(lines))


def test_a_likeness_passes_over_no_request() -> None:
    """What a record is passed over by, the names of its members, is what its requests need."""
    layouts = [
        layout for _, layout in recognition._candidates(None).values() if layout.records == "json-lines"
    ]
    quick, slow = ([Likeness(layout) for layout in layouts] for _ in range(2))
    for look in slow:
        look._heads = None
    for sample in [*SAMPLES.glob("*/*.jsonl"), *Path(__file__).parent.glob("captures/**/*.jsonl")]:
        for value in recognition.values_in(sample.read_text(encoding="utf-8").splitlines()):
            assert [look.fits(value) for look in quick] == [look.fits(value) for look in slow]


@given(
    st.lists(st.text('ab"_', min_size=1, max_size=6), min_size=1, max_size=4),
    st.text('ab"_', max_size=60),
)
def test_a_search_finds_what_is_there(texts: list[str], content: str) -> None:
    """The kernel's search answers as Python's, also at the very end of a text."""
    search = Search([text.encode() for text in texts])
    for length in range(len(content) + 1):
        here = content[:length]
        assert search.finds_one(here.encode()) == any(text in here for text in texts)


@given(
    st.lists(st.text('ab1"_é', min_size=1, max_size=16), min_size=1, max_size=6),
    st.text('ab1"_é', max_size=60),
    st.integers(0, 5),
)
@example(texts=["ab", "abababab"], content="1ab", words=3)
@example(texts=["a" * 11, "b" * 12], content="1" * 7 + "a" * 11, words=0)
def test_a_search_tells_where_and_what(texts: list[str], content: str, words: int) -> None:
    """The kernel's search names the same places and texts as Python's, and what is short only as a word of its own."""
    here, wanted = content.encode(), [text.encode() for text in texts]
    everywhere = (longest_at(here, place, wanted, words) for place in range(len(here)))
    expected = [hit for hit in everywhere if hit]
    for engine in ("kernel", "reference"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRANSLATE_ENGINE", engine)
            search, found, at = Search(wanted, words=words), [], 0
        while (hit := search.next(here, at)) is not None:
            found.append(hit)
            at = hit[0] + 1
        assert found == expected


def longest_at(here: bytes, place: int, wanted: list[bytes], words: int) -> tuple[int, int] | None:
    """Work out which text stands at a place, the longest first, by the regular expressions of Python."""
    for text in sorted(set(wanted), key=len, reverse=True):
        edges = (
            r"(?<![0-9A-Za-z])(?=[0-9A-Za-z])|(?=[^0-9A-Za-z])",
            r"(?<=[0-9A-Za-z])(?![0-9A-Za-z])|(?<=[^0-9A-Za-z])",
        )
        before, after = (f"(?:{edge})".encode() if len(text) < words else b"" for edge in edges)
        if re.compile(before + re.escape(text) + after, re.DOTALL).match(here, place):
            return place, wanted.index(text)
    return None


def test_text_is_drawn_as_it_is_read(tmp_path: Path) -> None:
    """Opening a group of files reads none of them; where each begins, and its digest, is known afterwards."""
    (unit,) = units.units(find([write_archive(tmp_path / "archive", 3)]))
    opened = units.open_unit(unit, tmp_path, digested=True)
    assert opened.lines.first_rows == []
    assert opened.lines.frame.collect().height == 9
    assert opened.lines.first_rows == [0, 3, 6]
    assert opened.digests() == {file.shown: digest_of(file) for file in unit.files}


def test_files_that_were_not_read_have_digests_too(tmp_path: Path) -> None:
    """A limit ends the reading early; what lies behind it is told by its digest all the same."""
    archive = write_archive(tmp_path / "archive", 4)
    translate.convert(archive, to="clickstream", out=tmp_path / "out", limit=1)
    told = [json.loads(line) for line in (tmp_path / "out" / "files.ndjson").read_text().splitlines()]
    assert [about["digest"] for about in told] == [digest_of(file) for file in find([archive])]


def test_each_table_has_its_own_header(tmp_path: Path) -> None:
    """Small tables are read together, each by the names in its own first line."""
    rows = {
        "a.csv": "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu,i,1500000000,e\n",
        "b.csv.gz": "EVENT_TYPE,TIMESTAMP,ITEM_ID,USER_ID\ne,1500000001,j,v\n",
    }
    for name, text in rows.items():
        stored = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(stored) if name.endswith(".gz") else stored)
    events = translate.scan([tmp_path / name for name in rows], model="personalize").collect()
    assert events.select("user_id", "item_id").rows() == [("u", "i"), ("v", "j")]


def test_what_is_to_come_is_told_by_what_was(tmp_path):
    """The text of small compressed files is estimated, and the estimate follows what was read; what is done already is no part of it."""
    files = []
    for number in range(4):
        (tmp_path / f"{number}.gz").write_bytes(gzip.compress(b"x" * 10_000))
        files += find([tmp_path / f"{number}.gz"])
    steps = []
    course = Course(files, steps.append)
    course.finish(files[:1])
    assert steps[-1].bytes_total == 3 * 8 * files[0].bytes
    course.count(10_000, 5)
    assert (steps[-1].files, steps[-1].bytes) == (1, 10_000)
    course.finish(files[1:2])
    assert steps[-1].bytes_total == 30_000
    course.count(12_000, 1)
    course.count(9_000, 1)
    course.finish(files[2:])
    assert (steps[-1].files, steps[-1].bytes, steps[-1].bytes_total, steps[-1].events) == (
        4,
        31_000,
        31_000,
        7,
    )


@pytest.mark.parametrize("times", [0, 1, 2])
def test_no_text_comes_in_one_piece(tmp_path, times):
    """Whatever a file holds, and however often it was compressed, no more of its text is held than a piece."""
    text = "".join(record(number) + "\n" for number in range(20_000)).encode()
    stored = text
    for _ in range(times):
        stored = gzip.compress(stored)
    (tmp_path / "a").write_bytes(stored)
    gathered = units.Gathered(find([tmp_path]), {})
    pieces = [*gathered.texts()]
    assert b"".join(pieces) == text
    assert gathered.rows == 20_000
    assert max(map(len, pieces)) <= TEXT_MAX < len(text)
