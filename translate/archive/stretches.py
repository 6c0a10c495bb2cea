"""Stretches of large plain files: cut where a record begins, and told how many lines come before each of them."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise

from translate.archive import parquet
from translate.archive.compression import GZIP, is_zstd
from translate.archive.drawing import beside
from translate.archive.stored import ReadError, SourceFile, Stretch, chunks_of, ends_of, named
from translate.engine.texts import line_breaks

# After what closes nothing can be opened within a record, not even in an array: so this line begins another one.
BEGINS = re.compile(rb"[}\]][ \t\r]*\n(?=[{\[])")
LOOKS = (1 << 16, 1 << 20, 1 << 23)  # how far a place to cut is looked for
MARGIN = 16  # of what may stand before a line that begins right there
AHEAD = 2  # stretches: what is gone over is still in the machine's memory when it is read


def stretches_of(file: SourceFile, part_bytes: int) -> Iterator[SourceFile]:
    """Cut a file near each multiple of a size, by nothing but its bytes; one that cannot be cut stays as it is."""
    if not _is_plain(file) or file.bytes <= part_bytes or file.stretch is not None:
        yield file
        return
    places = [0, *_places(file, part_bytes), file.bytes]
    if len(places) == 2:  # its beginning and its end
        yield file
        return
    for begin, end in pairwise(places):
        yield replace(file, stretch=Stretch(begin, end))


def _is_plain(file: SourceFile) -> bool:
    first = b"" if file.is_remote else ends_of(file)[0]
    return bool(first) and not (first.startswith((GZIP, parquet.MAGIC)) or is_zstd(first))


def _places(file: SourceFile, part_bytes: int) -> Iterator[int]:
    last = 0
    try:
        with open(file.location, "rb") as content:
            for wanted in range(part_bytes, file.bytes, part_bytes):
                if wanted <= last:
                    continue
                for look in LOOKS:
                    content.seek(begin := max(0, wanted - MARGIN))
                    window = content.read(look + MARGIN)
                    found = (begin + match.end() for match in BEGINS.finditer(window))
                    place = next((place for place in found if place >= wanted), 0)
                    if place or len(window) < look:
                        break
                if place:
                    yield (last := place)
    except OSError:  # whoever reads it will say so
        return


class Walk:
    """Goes over stretches once, in their order and a little ahead, and tells what lies before each of them."""

    def __init__(self, files: Iterable[SourceFile], *, digested: bool) -> None:
        self._stretches = [file for file in files if file.stretch is not None]
        self._place = {_key(file): place for place, file in enumerate(self._stretches)}
        self._told: list[Future[SourceFile]] = []
        self._digested = digested
        self._digest = hashlib.sha256()
        self._lines = 0
        self._guard = threading.Lock()

    def told(self, file: SourceFile) -> SourceFile:
        """Give a stretch with the lines before it, and the digest of all that its file holds up to its end."""
        if file.stretch is None or file.stretch.is_told:
            return file
        place = self._place[_key(file)]
        with self._guard:
            for ahead in self._stretches[len(self._told) : place + AHEAD + 1]:
                last = self._told[-1] if self._told else None
                self._told.append(beside(self._gone_over, ahead, after=last))
        return self._told[place].result()

    def _gone_over(self, file: SourceFile) -> SourceFile:
        stretch = file.stretch
        assert stretch is not None  # others are not among these
        if stretch.begin == 0:
            self._digest, self._lines = hashlib.sha256(), 0
        before = self._lines
        try:
            for chunk in chunks_of(file):
                self._lines += line_breaks(chunk)
                if self._digested:
                    self._digest.update(chunk)
        except ReadError:  # whoever reads it for the work will say so
            return replace(file, stretch=replace(stretch, lines_before=before, is_told=True))
        digest = named(self._digest) if self._digested else ""
        told = replace(stretch, lines_before=before, digest_to_end=digest, is_told=True)
        return replace(file, stretch=told)


def _key(file: SourceFile) -> tuple[str, int]:
    return file.location, file.stretch.begin if file.stretch else 0
