"""Copies of objects on this machine: many small ones share a file, and what one process has fetched another one may borrow.

They lie in folders that go with their owner, or after it was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from translate.stores import StoreRefusedError

if TYPE_CHECKING:
    from translate.archive.stored import SourceFile

SEGMENT_BYTES = 8 * 2**20
SEGMENT_FILES = 8192  # what is open is held in memory, and each copy takes some of its own


@dataclass(frozen=True, slots=True)
class Copy:
    """Where the bytes of an object lie on this machine: the whole of a file of its own, or a piece of a shared one."""

    path: Path
    first: int
    bytes: int
    is_own: bool

    def read(self) -> _Bytes:
        """Read a copy that is small enough to be held."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return os.pread(descriptor, self.bytes, self.first)
        finally:
            os.close(descriptor)


_Bytes = bytes  # within the class it is a number
Lent = Mapping[str, Copy | StoreRefusedError]  # by `key_of`: what came of each object


def key_of(file: SourceFile) -> str:
    """Name an object and its bytes."""
    return f"{file.location}\0{file.tag}"


class Segments:
    """Files that hold many small copies each, and go when the last of them is released; the last one is still in memory."""

    def __init__(self, new_path: Callable[[], Path]) -> None:
        self._new_path = new_path
        self._guard = threading.Lock()
        self._path = new_path()
        self._open: dict[int, bytes] = {}
        self._length = 0
        self._living: Counter[Path] = Counter()

    def add(self, content: bytes) -> Copy:
        """Put a copy into the segment that is open."""
        with self._guard:
            if self._length >= SEGMENT_BYTES or len(self._open) >= SEGMENT_FILES:
                self._turn()
            copy = Copy(self._path, self._length, len(content), is_own=False)
            self._open[self._length] = content
            self._length += len(content)
            self._living[self._path] += 1
            return copy

    def _turn(self) -> None:
        """Write the segment down, if one of its copies is wanted yet, and begin another one."""
        if self._living[self._path]:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(self._open.values())
        self._path, self._open, self._length = self._new_path(), {}, 0

    def read(self, copy: Copy) -> bytes:
        """Read a copy that is small enough to be held."""
        with self._guard:
            if copy.path is self._path:
                return self._open[copy.first][: copy.bytes]  # an empty one begins where the next one does
        return copy.read()

    def lay_down(self, copies: Iterable[Copy]) -> None:
        """Have copies lie where another process can read them."""
        with self._guard:
            if any(copy.path == self._path for copy in copies):
                self._turn()

    def release(self, copy: Copy) -> None:
        """Give the room of a copy back."""
        with self._guard:
            self._living[copy.path] -= 1
            if not self._living[copy.path] and copy.path != self._path:
                del self._living[copy.path]
                copy.path.unlink(missing_ok=True)


class Borrowed:
    """Copies that another process has fetched, in the place of a spool."""

    def __init__(self, lent: Lent) -> None:
        self._lent = lent
        self._own: list[Path] = []

    def copy_of(self, file: SourceFile) -> Copy:
        """Give a copy; raise what was refused of it."""
        found = self._lent[key_of(file)]
        if isinstance(found, StoreRefusedError):
            raise found
        return found

    def content_of(self, file: SourceFile) -> bytes:
        """Read an object that is small; raise StoreRefusedError."""
        return self.copy_of(file).read()

    def path_of(self, file: SourceFile) -> Path:
        """Give a file that holds nothing but a copy of an object."""
        copy = self.copy_of(file)
        if copy.is_own:
            return copy.path
        own = copy.path.with_name(f"{copy.path.name}-{copy.first}")  # nobody else borrowed the same
        own.write_bytes(copy.read())
        self._own.append(own)
        return own

    def expect(self, files: Sequence[SourceFile]) -> None:
        """Take note of nothing: all that will be read is here."""

    def close(self) -> None:
        """Remove what was written for reading."""
        while self._own:
            self._own.pop().unlink(missing_ok=True)


# -- folders that go with their owner --------------------------------------------------------------------------------

NAME = "translate-staging-"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def folder_of(owner: object) -> Path:
    """Make a folder that is there as long as its owner; those of killed processes go."""
    remove_abandoned()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=NAME))
        try:
            held = os.open(folder, FOLDER)
        except FileNotFoundError:  # another process found it before it was held
            continue
        # Some file systems know no locks, and nothing is ever abandoned there.
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)  # let go of when the process ends, however it does
        if folder.exists():
            break
        os.close(held)
    weakref.finalize(owner, _remove, folder, held)
    return folder


def remove_abandoned() -> None:
    """Remove the folders that nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{NAME}*"):
        held = _opened(folder)
        if held is None:
            continue
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _opened(folder: Path) -> int | None:
    """Open a folder of one's own; nothing where it is none, or gone."""
    try:
        held = os.open(folder, FOLDER)
    except OSError:
        return None
    if os.fstat(held).st_uid != os.geteuid():
        os.close(held)
        return None
    return held


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)
    remove_abandoned()  # workers are killed when they are not needed any more
