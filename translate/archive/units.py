"""Units of work, each of which becomes a part: a large file, a stretch of one, or small ones; and how their lines are opened."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

import polars as pl

from translate.archive import compression, parquet
from translate.archive.batches import SCHEMA, Lines, lines_of
from translate.archive.compression import GZIP, layers, text_in
from translate.archive.drawing import THREADS, Ahead, LongLines, beside
from translate.archive.joined import join_records
from translate.archive.lines import Block, Damage, blocks_of_lines
from translate.archive.listing import SourceFiles
from translate.archive.sources import expect
from translate.archive.stored import (
    CHUNK,
    TEXT_BYTES_MAX,
    ReadError,
    SourceFile,
    chunks_of,
    digest_of,
    ends_of,
    named,
    path_of,
)
from translate.engine.texts import line_breaks

BUFFERED_MAX = 16 * 2**20  # a file of more compressed bytes is read by the engine itself
PART_BYTES = 64 * 2**20  # so long small files become together, and so large ones are cut
CLEAN_BYTES_MAX = 16 * 2**20  # a clean copy of more text goes to the disk
FILES_MAX = 10_000  # in a unit, whose account tells of each
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
    spans = pairwise([*begins, len(listed)])
    return [Unit(number, listed[begin:end]) for number, (begin, end) in enumerate(spans)]


def is_large(file: SourceFile) -> bool:
    """Tell whether a file is too large to hold its text in memory."""
    return file.bytes > BUFFERED_MAX or text_bytes(file) > TEXT_BYTES_MAX


def is_parquet(file: SourceFile) -> bool:
    """Tell by its first bytes whether a file is Parquet."""
    return ends_of(file)[0].startswith(parquet.MAGIC)


@dataclass
class Opened:
    """The lines of a unit, what they were read from by digest, and the clean copy of their text, where one was made."""

    lines: Lines
    digests: Callable[[], dict[str, str]]
    copy: IO[bytes] | None = None

    def close(self) -> None:
        """Have no more of it drawn, and let go of what was written for reading."""
        self.lines.ahead.end()
        if self.copy is not None:
            self.copy.close()


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
    texts, copy, ahead = gathered.texts, None, Ahead()
    if large or salvage or joined or _needs_engine(unit):
        copy = SpooledTemporaryFile(CLEAN_BYTES_MAX, dir=str(scratch))  # noqa: SIM115  closed with what is opened
        for block in gathered.saved(joined):
            copy.write(block)  # `writelines` would go to the disk when all of it is there
        texts = partial(_from_beginning, copy)
    frame = lines_of(texts, LongLines(), gathered.damage, ahead)
    names = [file.shown for file in unit.files]
    lines = Lines(frame, names, gathered.first_rows, gathered.damage, joined, ahead=ahead)
    return Opened(lines, gathered.digests if digested else dict, copy)


def _needs_engine(unit: Unit) -> bool:
    """Tell whether some of the text is for the engine to decompress, which cannot be asked for that while it draws."""
    return any(compression.is_zstd(ends_of(file)[0]) for file in unit.files)


def _from_beginning(copy: IO[bytes]) -> Iterator[bytes]:
    copy.seek(0)
    return iter(partial(copy.read, CHUNK), b"")


# The engine would hold what became of more chunks than it can work on.
os.environ.setdefault("POLARS_LINES_CHUNK_PREFETCH_LIMIT", str(THREADS))

_ONE_LINE = pl.DataFrame({"row": [0], "text": [""]}, schema=SCHEMA)


def _open_parquet(file: SourceFile, refused: Damage | None) -> Opened:
    """Open the rows of a Parquet file; one that is refused, or not whole, is a damage."""
    digest = {file.shown: digest_of(file)}
    reason = parquet.fault(file)
    damage = Damage("bad_parquet", reason, "") if reason else refused
    if damage is not None:
        return Opened(Lines(_ONE_LINE.lazy(), [file.shown], [0], {0: damage}), lambda: digest)
    ahead = Ahead()
    frame, table = parquet.rows_as_lines(file, ahead), parquet.table(file)
    lines = Lines(frame, [file.shown], [0], table=table, ahead=ahead)
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
    ahead = Ahead()
    digests = _digested_beside(here, ahead) if digested else dict
    if compression.is_zstd(first):
        frame = pl.scan_lines(location, name="text", row_index_name="row", glob=False)
        return Opened(Lines(frame, [file.shown], [0], ahead=ahead), digests)
    long_lines, damage = LongLines(), dict[int, Damage]()
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


def _digested_beside(file: SourceFile, ahead: Ahead) -> Callable[[], dict[str, str]]:
    """Make a file's digest while the engine reads it, and no longer than that."""
    made = beside(digest_of, file, lambda: ahead.is_over)
    return lambda: {file.shown: made.result()}


class Gathered:
    """The text of several files, one after the other; where each begins, what is damaged and their digests are known once it was drawn."""

    def __init__(self, files: Sequence[SourceFile], refused: Mapping[str, Damage]) -> None:
        self._files = files
        self._refused = refused
        self.rows = 0
        self.first_rows: list[int] = []
        self.damage: dict[int, Damage] = {}
        self._digests: dict[str, str] = {}

    def digests(self) -> dict[str, str]:
        """Give the files' digests; nothing of what was refused or cannot be read."""
        return {file.shown: self._digest_of(file) for file in self._files}

    def _digest_of(self, file: SourceFile) -> str:
        if file.shown in self._refused:
            return ""
        known = None if file.stretch else self._digests.get(file.shown)
        return digest_of(file) if known is None else known  # nobody asked for the lines of some

    def texts(self) -> Iterator[bytes]:
        """Draw the text file by file, each time anew; raise DamagedError where careful reading would save more of a file."""
        return self._drawn(lambda _, stored: text_in([*stored]))

    def saved(self, joined: Collection[str]) -> Iterator[bytes]:
        """Draw it with whatever precedes damage saved, records of some files put together."""

        def blocks_of(file: SourceFile, stored: Iterator[bytes]) -> Iterator[Block]:
            blocks = blocks_of_lines(layers(stored))
            return join_records(blocks) if file.shown in joined else blocks

        return self._drawn(blocks_of)

    def _drawn(self, blocks_of: Callable[[SourceFile, Iterator[bytes]], Iterator[Block]]) -> Iterator[bytes]:
        self.rows = 0
        self.first_rows.clear()
        self.damage.clear()
        for file in self._files:
            self.first_rows.append(self.rows - file.lines_before)
            if file.shown in self._refused:
                yield self._damaged(self._refused[file.shown])
                continue
            digest = hashlib.sha256()
            stored = _seen(chunks_of(file), digest)
            try:
                yield from self._counted(blocks_of(file, stored))
                for _ in stored:  # what follows damage is not looked at, but digested
                    pass
            except ReadError as error:
                self._digests[file.shown] = ""
                yield self._damaged(Damage("unreadable_file", f"the file cannot be read: {error}", ""))
            else:
                self._digests[file.shown] = named(digest)

    def _counted(self, blocks: Iterator[Block]) -> Iterator[bytes]:
        """Count the lines of a text as it goes by; the last one ends, too."""
        last = b"\n"
        for block in blocks:
            if isinstance(block, Damage):
                yield self._damaged(block)
                continue
            last = block
            self.rows += line_breaks(block)
            yield block
        if not last.endswith(b"\n"):
            self.rows += 1
            yield b"\n"

    def _damaged(self, damage: Damage) -> bytes:
        self.damage[self.rows] = damage
        self.rows += 1
        return b"\n"


def _seen(chunks: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
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
