"""One file of a source and its bytes as they are stored: on a disk, on S3, or on standard input, drawn once or laid down."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from translate.archive.spool import SMALL_BYTES, copies
from translate.errors import SourceError
from translate.stores import StoreRefusedError

if TYPE_CHECKING:
    from translate.archive.listing import SourceRows

PIPE = "-"
CHUNK = 2**20  # of a stream, or of a look
READ_BYTES = 2**18  # of a file, at once: memory for more the C library maps anew each time
CHUNK_LEAST = 2**12  # of a file that grows, or whose length nobody knows
ENDS = 4  # bytes: all magic numbers, and the length that gzip tells
GZIP = b"\x1f\x8b"
GZIP_TIMES_MAX = 1032  # how much longer a text can be than what gzip makes of it
TEXT_BYTES_MAX = 96 * 2**20  # a text that is longer is not held in memory

_Ends = bytes | None  # within the class `bytes` is a number


@dataclass(frozen=True, slots=True)
class Stretch:
    """A range of a file's bytes that holds whole records; what comes before it is known once it `is_told`."""

    begin: int
    end: int
    lines_before: int = 0
    digest_to_end: str = ""  # of all bytes from the file's beginning on
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the source: where it lies and how it is named in reports; `tag` changes with its bytes, where it is known.

    `ends` keeps what was seen of a small file, so that planning opens it once; where it is packed among others, they keep it.
    Of a file that has a `stretch` no more is read.
    """

    location: str
    shown: str
    bytes: int
    tag: str = ""
    ends: _Ends = field(default=None, compare=False, repr=False)
    stretch: Stretch | None = None
    packed: tuple[SourceRows, int] | None = field(default=None, init=False, compare=False, repr=False)

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        """Travel without the others."""
        return type(self), (self.location, self.shown, self.bytes, self.tag, self.ends, self.stretch)

    @property
    def modified(self) -> int:
        """Say when a file of this machine was written last, as its disk tells it."""
        try:
            return 0 if self.is_remote else os.stat(self.location).st_mtime_ns
        except OSError:
            return 0

    @property
    def is_remote(self) -> bool:
        """Tell whether the file lies on S3."""
        return self.location.startswith("s3://")

    @property
    def lines_before(self) -> int:
        """Count the lines before what is read of it."""
        return self.stretch.lines_before if self.stretch else 0

    @property
    def ends_here(self) -> bool:
        """Tell whether what is read of it reaches to its end."""
        return self.stretch is None or self.stretch.end == self.bytes


class ReadError(Exception):
    """A source file cannot be read; not an OSError, which would mean that the target cannot be written."""


def ends_of(file: SourceFile) -> tuple[bytes, bytes]:
    """Give the first and the last few bytes of a file; nothing of one that cannot be read.

    Of an object that nobody looked at yet its name tells what it is, for it is not fetched to make a plan.
    """
    if file.ends is None:
        try:
            if file.is_remote:
                return b"PAR1" if file.shown.endswith(".parquet") else b"", b""
            if not stat.S_ISREG(os.stat(file.location).st_mode):
                keep_ends(file, b"", b"")
            else:
                with open(file.location, "rb") as content:
                    first = content.read(ENDS)
                    content.seek(-min(ENDS, content.seek(0, os.SEEK_END)), os.SEEK_END)
                    keep_ends(file, first, content.read(ENDS))
        except (OSError, ReadError):
            keep_ends(file, b"", b"")
    ends = file.ends or b""
    return ends[:ENDS], ends[ENDS:]


def keep_ends(file: SourceFile, first: bytes, last: bytes) -> None:
    """Keep the first bytes of a file for `ends_of`, and the last ones where the length that they tell may matter."""
    is_told = first.startswith(GZIP) and file.bytes * GZIP_TIMES_MAX > TEXT_BYTES_MAX
    ends = first[:ENDS] + last[-ENDS:] if is_told else first[:ENDS]
    object.__setattr__(file, "ends", ends)  # what is seen changes nothing of what it is
    if file.packed:
        rows, place = file.packed
        rows.keep_ends(place, ends)


def chunks_of(file: SourceFile) -> Iterator[bytes]:
    """Read a file's bytes; raise ReadError if it cannot be read."""
    if file.location == PIPE:
        yield from standard_input().chunks()
        return
    if file.is_remote and file.bytes <= SMALL_BYTES:
        yield _small(file)
        return
    path = path_of(file)
    try:
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode):  # a pipe is not opened: it would take that for its reader
            raise ReadError("it is no regular file; of a pipe say - < PIPE")
        content = os.open(path, os.O_RDONLY)
        try:
            yield from _chunks_in(content, file.stretch or Stretch(0, sys.maxsize), about.st_size)
        finally:
            os.close(content)
    except OSError as error:
        raise ReadError(error.strerror or str(error)) from error


def _chunks_in(content: int, stretch: Stretch, likely_bytes: int) -> Iterator[bytes]:
    """Read a file that is likely to be so long: of a small one at once, without the memory of a large chunk."""
    place, most = stretch.begin, max(likely_bytes + 1, CHUNK_LEAST)
    while chunk := os.pread(content, min(most, READ_BYTES, stretch.end - place), place):
        place += len(chunk)
        most *= 2
        yield chunk


def path_of(file: SourceFile) -> str:
    """Say where a file's bytes lie on this machine: those of an object once it is fetched; raise ReadError if it cannot be."""
    if not file.is_remote:
        return file.location
    with _told_of(file):
        return str(copies().path_of(file))


def _small(file: SourceFile) -> bytes:
    with _told_of(file):
        return copies().content_of(file)


@contextlib.contextmanager
def _told_of(file: SourceFile) -> Iterator[None]:
    """Tell what goes wrong with one object as with a file, and what goes wrong with all of them as the source's end."""
    try:
        yield
    except StoreRefusedError as error:
        if error.is_of_one_object:
            raise ReadError(str(error)) from None
        raise SourceError(f"{file.location}: {error}") from None


def digest_of(file: SourceFile, is_over: Callable[[], bool] = lambda: False) -> str:
    """Give a file's digest, with its algorithm's name; nothing if it cannot be read to its end, or nobody waits for it.

    Of a stretch it is the digest up to its end, which is known.
    """
    if file.stretch is not None:
        return file.stretch.digest_to_end
    digest = hashlib.sha256()
    try:
        for chunk in chunks_of(file):
            if is_over():
                return ""
            digest.update(chunk)
    except ReadError:
        return ""
    return named(digest)


def named(digest: hashlib._Hash) -> str:
    """Spell a digest with its algorithm's name, so that another one can follow it."""
    return f"{digest.name}:{digest.hexdigest()}"


# -- standard input -------------------------------------------------------------------------------------------


class Piped:
    """Bytes that come once; what was looked at is kept, until they are let go of, and comes again."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._kept: list[bytes] = []
        self._keeps = True
        self.bytes = 0  # that came so far

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes from their beginning."""
        yield from self._kept
        while chunk := self._stream.read(CHUNK):
            self.bytes += len(chunk)
            if self._keeps:
                self._kept.append(chunk)
            yield chunk

    def let_go(self) -> Iterator[bytes]:
        """Give the bytes from their beginning for the last time."""
        self._keeps = False
        while self._kept:
            yield self._kept.pop(0)
        yield from self.chunks()


@cache
def standard_input() -> Piped:
    """Give standard input; whatever asks for it gets the same."""
    return Piped(_standard_input())


@cache
def laid_down() -> Path:
    """Lay standard input down in a temporary file, which is removed at the end of the process."""
    descriptor, name = tempfile.mkstemp(prefix="translate-")
    atexit.register(lambda: Path(name).unlink(missing_ok=True))
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(_standard_input(), file, CHUNK)
    return Path(name)


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise SourceError(f"{PIPE}: standard input is closed; name a file, or pipe the records in")
    return sys.stdin.buffer
