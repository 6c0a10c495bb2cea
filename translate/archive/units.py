"""Units of work, each of which becomes a part: a large file, a stretch of one, or small ones; and how their lines are opened."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import polars as pl

from translate.archive import compression, parquet
from translate.archive.ahead import THREADS, Ahead
from translate.archive.batches import lines_in, lines_of
from translate.archive.compression import GZIP, DamagedError, inflated, layers, text_in
from translate.archive.gathering import Gathered
from translate.archive.lines import Block
from translate.archive.listing import SourceFiles
from translate.archive.long_lines import LongLines
from translate.archive.sources import expect
from translate.archive.stored import (
    CHUNK,
    TEXT_BYTES_MAX,
    ReadError,
    SourceFile,
    chunks_of,
    digest_of,
    ends_of,
    keep_ends,
    path_of,
)
from translate.reader.reader import Damage, Lines

BUFFERED_MAX = 16 * 2**20  # a file of more compressed bytes is read by the engine itself
PART_BYTES = (
    64 * 2**20
)  # small files are read together until they are about this long, and large ones are cut
FILES_MAX = 10_000  # in a unit, whose account tells of each
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # what such a text begins with
TAR_MARK = slice(257, 262)
EXPANSION = 8  # how much text a compressed byte gives, where the file does not say


@dataclass(frozen=True)
class Unit:
    """A unit of work: one large file, a stretch of one, or a group of small ones, in sorted order."""

    number: int
    files: Sequence[SourceFile]
    source: int = 0  # which of the archive's layouts its files are of


def units_of(sources: Iterable[Iterable[SourceFile]], part_bytes: int | None = None) -> list[Unit]:
    """Share the sorted files of each layout out into units of work; a unit is of one layout."""
    shared = [
        replace(unit, source=source)
        for source, files in enumerate(sources)
        for unit in units(files, part_bytes)
    ]
    expect(file for unit in shared for file in unit.files)
    return [replace(unit, number=number) for number, unit in enumerate(shared)]


def units(files: Iterable[SourceFile], part_bytes: int | None = None) -> list[Unit]:
    """Share sorted files out into units of work, by nothing but their bytes."""
    listed = files if isinstance(files, SourceFiles) else SourceFiles(files)
    begins: list[int] = []
    room = 0
    for place, file in enumerate(listed):
        alone = file.stretch is not None or is_large(file) or is_parquet(file)
        if alone or not begins or file.bytes > room or place - begins[-1] >= FILES_MAX:
            begins.append(place)
            room = 0 if alone else part_bytes or PART_BYTES
        room -= file.bytes
    return [
        Unit(number, listed[begin:end])
        for number, (begin, end) in enumerate(pairwise([*begins, len(listed)]))
    ]


def is_large(file: SourceFile) -> bool:
    """Tell whether a file is too large to hold its text in memory."""
    return file.bytes > BUFFERED_MAX or text_bytes(file) > TEXT_BYTES_MAX


def is_parquet(file: SourceFile) -> bool:
    """Tell by its first bytes whether a file is Parquet."""
    return ends_of(file)[0].startswith(parquet.MAGIC)


@dataclass
class Opened:
    """The lines of a unit, what they were read from by digest, and the temporary files that hold them."""

    lines: Lines
    digests: Callable[[], dict[str, str]]
    temporary: list[Path] = field(default_factory=list)

    def close(self) -> None:
        """Remove what was written for reading."""
        for path in self.temporary:
            path.unlink(missing_ok=True)


def open_unit(
    unit: Unit, scratch: Path, *, joined: frozenset[str] = frozenset(), salvage: bool = False,
    refused: dict[str, Damage] | None = None, digested: bool = False,
) -> Opened:  # fmt: skip
    """Open a unit's lines; unless it is `digested`, digests are told only where they come for nothing.

    Text is read as it is drawn, unless it is to be salvaged or its records joined: then a clean copy of it is.
    Files that are `refused` count as one damaged record each.
    """
    if is_parquet(unit.files[0]):
        return _open_parquet(unit.files[0], (refused or {}).get(unit.files[0].shown))
    large = len(unit.files) == 1 and is_large(unit.files[0])
    if large and not (salvage or joined or refused):
        opened = _open_directly(unit.files[0], digested=digested)
        if opened:
            return opened
    gathered = Gathered(unit.files, refused or {})
    temporary: list[Path] = []
    ahead = Ahead()
    if gathered.may_be_drawn and not (large or salvage or joined):
        frame = lines_of(gathered.texts, LongLines(), gathered.damage, ahead)
    else:
        is_long = large or sum(text_bytes(file) for file in unit.files) > TEXT_BYTES_MAX
        source, temporary = _written(
            gathered, scratch / f"text-{unit.number:05}" if is_long else None, joined
        )
        frame = _lines_of_text(source) if gathered.rows else _NO_LINES.lazy()
    names = [file.shown for file in unit.files]
    lines = Lines(frame, names, gathered.first_rows, gathered.damage, joined, ahead=ahead)
    return Opened(lines, gathered.digests if digested else dict, temporary)


# The engine would hold what became of more chunks than it can work on.
os.environ.setdefault("POLARS_LINES_CHUNK_PREFETCH_LIMIT", THREADS)

_NO_LINES = pl.DataFrame(schema={"row": pl.UInt32, "text": pl.String})
_ONE_LINE = pl.DataFrame({"row": [0], "text": [""]}, schema=_NO_LINES.schema)


def _written(
    gathered: Gathered, place: Path | None, joined: frozenset[str]
) -> tuple[bytes | str, list[Path]]:
    """Write a unit's text down: to a file if there is a place for it, else into memory."""
    if place is None:
        text = io.BytesIO()
        gathered.write(text, joined)
        return text.getvalue(), []
    with place.open("wb") as file:
        gathered.write(file, joined)
    return str(place), [place]


def _lines_of_text(source: bytes | str) -> pl.LazyFrame:
    return (
        pl.scan_lines(source, name="text", row_index_name="row")
        if isinstance(source, str)
        else lines_in(source)
    )


def _open_parquet(file: SourceFile, refused: Damage | None) -> Opened:
    """Open the rows of a Parquet file; one that is refused, or not whole, is a damage."""
    digest = {file.shown: digest_of(file)}
    reason = parquet.fault(file)
    damage = Damage("bad_parquet", f"is no whole Parquet file: {reason}", "") if reason else refused
    if damage is not None:
        return Opened(Lines(_ONE_LINE.lazy(), [file.shown], [0], {0: damage}), lambda: digest)
    lines = Lines(parquet.rows_as_lines(file), [file.shown], [0], table=parquet.scan(file))
    return Opened(lines, lambda: digest)


def _open_directly(file: SourceFile, *, digested: bool) -> Opened | None:
    """Read a file, or a copy of a remote one, as it is drawn; give nothing for what would not be read rightly."""
    try:
        location = path_of(file)
        first = next(chunks_of(file), b"")
    except ReadError:
        return None
    if compression.is_skipped_frame(first, 0) or not location.isprintable():
        return None
    here = file
    if file.is_remote:  # an object's copy is this one, whoever draws it
        here = SourceFile(location, file.shown, file.bytes, file.tag)
    digests = _digested_beside(here) if digested else dict
    if compression.is_zstd(first):
        frame = pl.scan_lines(location, name="text", row_index_name="row", glob=False)
        return Opened(Lines(frame, [file.shown], [0]), digests)
    long_lines, damage, ahead = LongLines(), dict[int, Damage](), Ahead()
    frame = lines_of(lambda: text_in(_drawn(here)), long_lines, damage, ahead)
    first_rows = [-file.lines_before]
    lines = Lines(frame, [file.shown], first_rows, damage, long_lines=long_lines, ahead=ahead)
    return Opened(lines, digests)


def _drawn(file: SourceFile) -> Iterator[bytes]:
    """Read a file's bytes for the engine, which tells damage as OSError."""
    try:
        yield from chunks_of(file)
    except ReadError as error:
        raise OSError(str(error)) from error


def _digested_beside(file: SourceFile) -> Callable[[], dict[str, str]]:
    """Make a file's digest while the engine reads it."""
    beside = ThreadPoolExecutor(1)
    made = beside.submit(digest_of, file)
    beside.shutdown(wait=False)
    return lambda: {file.shown: made.result()}


def head(file: SourceFile) -> bytes:
    """Give the beginning of a file's text, for recognition; raise ReadError if it cannot be read."""
    try:
        return _begun(layers(_noticed(file), inflating=inflated))
    except DamagedError:
        return _begun(layers(_noticed(file)))


def packed(file: SourceFile) -> str | None:
    """Say what a file is that has to be unpacked or turned into UTF-8 first, and how, if it is one; a compressed one is looked into."""
    try:
        start = head(file)
    except ReadError:
        return None
    if start.startswith(b"PK\x03\x04"):
        return "is a ZIP archive: unpack it first"
    if start.startswith(UTF_16):
        return "is UTF-16 text: turn it into UTF-8 first, as iconv -f UTF-16 -t UTF-8 does"
    return "is a tar archive: unpack it first" if start[TAR_MARK] == b"ustar" else None


def _begun(blocks: Iterator[Block]) -> bytes:
    text = b""
    for block in blocks:
        if isinstance(block, Damage) or len(text) >= CHUNK:
            break
        text = (text + block).lstrip()
    return text[:CHUNK]


def _noticed(file: SourceFile) -> Iterator[bytes]:
    """Read a file's bytes; of one that is read whole at once, keep what tells its kind and length."""
    for chunk in chunks_of(file):
        if file.is_remote:
            if file.ends is None:
                keep_ends(file, chunk, b"")
        elif len(chunk) == file.bytes:
            keep_ends(file, chunk, chunk)
        yield chunk


def text_bytes(file: SourceFile) -> int:
    """Estimate the length of a file's text: of what may be long, gzip tells it in its last four bytes."""
    if file.stretch is not None:
        return file.stretch.end - file.stretch.begin
    if file.is_remote:
        return file.bytes * EXPANSION
    if file.bytes < 18:
        return file.bytes
    first, last = ends_of(file)
    if not last or not first.startswith(GZIP):
        is_compressed = first.startswith(GZIP) or compression.is_zstd(first)
        return file.bytes * (EXPANSION if is_compressed else 1) if first else 0
    return max(int.from_bytes(last, "little"), file.bytes)
