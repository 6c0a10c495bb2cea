"""Objects of a store on their way to the work: each fetched once, ahead of it and side by side, in bounded room on disk."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from translate.stores import access
from translate.stores.bucket import Bucket

RANGE_BYTES = 64 * 2**20  # what is larger comes in ranges
SMALL_BYTES = 2**20  # so many objects are put into one file that none of them costs a file
SEGMENT_BYTES = 32 * 2**20
KEPT_BYTES = 1 << 30  # of what was read: whoever asks for it again in time costs no call
AHEAD_BYTES = 128 * 2**20
AHEAD_FILES = 64
NEAR = 1_000
TOGETHER = 16
RANGES_TOGETHER = 4


@dataclass
class Copy:
    """Where the bytes of an object lie on this machine: the whole of a file of its own, or a piece of a shared one."""

    path: Path
    first: int
    bytes: int
    is_own: bool


class Remote(Protocol):
    """What a spool needs to know of an object."""

    @property
    def location(self) -> str:
        """Name it with its bucket."""

    @property
    def bytes(self) -> int:
        """Say how long it is."""

    @property
    def tag(self) -> str:
        """Say what changes with its bytes."""


class Spool:
    """Holds copies of objects; those that are expected come ahead, those that were read go when room is needed."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._folder = tempfile.mkdtemp(prefix="translate-objects-")
        self._workers = ThreadPoolExecutor(TOGETHER, thread_name_prefix="fetch")
        self._buckets: dict[str, Bucket] = {}
        self._order: list[Remote] = []
        self._last = 0  # in the order: what was asked for last
        self._next = 0  # in the order: what was not asked for ahead yet
        self._coming: dict[str, tuple[Future[Copy], int]] = {}
        self._held: OrderedDict[str, Copy] = OrderedDict()  # asked for in this order
        self._early: OrderedDict[str, Copy] = OrderedDict()  # asked for before it, and not yet again
        self._names = count()
        self._kept_bytes = 0
        self._segments = Segments(self._new_path)
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        weakref.finalize(self, self._workers.shutdown, wait=False, cancel_futures=True)

    def _new_path(self) -> Path:
        return Path(self._folder) / str(next(self._names))

    def bucket(self, name: str, *, anew: bool = False) -> Bucket:
        """Give a bucket, as who asks now may see it."""
        with self._guard:
            if anew or name not in self._buckets:
                self._buckets[name] = Bucket(name, replace(access.current()))
            return self._buckets[name]

    def expect(self, files: Iterable[Remote]) -> None:
        """Say which objects will be read, in their order."""
        with self._guard:
            self._order = list(files)
            self._next = self._last = 0
            self._early.update(self._held)
            self._held.clear()

    def copy_of(self, file: Remote) -> Copy:
        """Give a copy of an object, which stays at least until others are asked for; raise StoreRefusedError."""
        with self._guard:
            known = self._key(file)
            place = self._place_of(file)
            if known in self._early:
                self._held[known] = self._early.pop(known)
            if known not in self._held and known not in self._coming:
                self._begin(file)
                self._next = self._next if place is None else place + 1
            if place is not None:
                self._look_ahead()
            if known in self._held:
                self._held.move_to_end(known)
                return self._held[known]
            coming, _ = self._coming[known]
        try:
            copy = coming.result()
        except BaseException:
            with self._guard:
                self._coming.pop(known, None)
            raise
        with self._guard:
            if self._coming.pop(known, None):
                self._held[known] = copy
                self._kept_bytes += copy.bytes
                self._make_room()
                self._look_ahead()
        return copy

    def path_of(self, file: Remote) -> Path:
        """Give a file that holds nothing but a copy of an object."""
        copy = self.copy_of(file)
        if copy.is_own:
            return copy.path
        own = Copy(self._new_path(), 0, copy.bytes, is_own=True)
        own.path.write_bytes(self._segments.read(copy))
        with self._guard:
            self._held[self._key(file)] = own
            self._segments.release(copy)
        return own.path

    def content_of(self, file: Remote) -> bytes:
        """Read an object that is small; raise StoreRefusedError."""
        return self._segments.read(self.copy_of(file))

    def _place_of(self, file: Remote) -> int | None:
        """Find an object in the order, near the one that was asked for last or at the beginning; else it is out of order."""
        count = len(self._order)
        for begin in (self._last, 0):
            for place in range(begin, min(begin + NEAR, count)):
                if self._order[place].location == file.location:
                    self._last = place
                    return place
        return None

    @staticmethod
    def _key(file: Remote) -> str:
        return f"{file.location}\0{file.tag}"

    def _begin(self, file: Remote) -> None:
        bucket, _, key = file.location.removeprefix("s3://").partition("/")
        held = self._buckets.get(bucket) or self._buckets.setdefault(
            bucket, Bucket(bucket, replace(access.current()))
        )
        if file.bytes <= SMALL_BYTES:
            fetch = partial(_fetch_small, held, key, file.tag, self._segments)
        else:
            fetch = partial(_fetch, held, key, file.bytes, file.tag, self._new_path())
        self._coming[self._key(file)] = (self._workers.submit(fetch), file.bytes)

    def _look_ahead(self) -> None:
        ahead = sum(size for _, size in self._coming.values())
        while self._next < len(self._order) and len(self._coming) < AHEAD_FILES and ahead < AHEAD_BYTES:
            file = self._order[self._next]
            self._next += 1
            known = self._key(file)
            if not any(known in here for here in (self._held, self._early, self._coming)):
                self._begin(file)
                ahead += file.bytes

    def _make_room(self) -> None:
        """Remove what was read longest ago, then what waits longest; what was asked for last stays, however large it is."""
        while self._kept_bytes > KEPT_BYTES and len(self._held) + len(self._early) > 1:
            going = self._held if len(self._held) > 1 else self._early
            _, copy = going.popitem(last=going is self._early)
            self._kept_bytes -= copy.bytes
            if copy.is_own:
                copy.path.unlink(missing_ok=True)
            else:
                self._segments.release(copy)


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
            if self._length >= SEGMENT_BYTES:
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
            if copy.path == self._path and not copy.is_own:
                return self._open[copy.first]
        descriptor = os.open(copy.path, os.O_RDONLY)
        try:
            return os.pread(descriptor, copy.bytes, copy.first)
        finally:
            os.close(descriptor)

    def release(self, copy: Copy) -> None:
        """Give the room of a copy back."""
        with self._guard:
            self._living[copy.path] -= 1
            if not self._living[copy.path] and copy.path != self._path:
                del self._living[copy.path]
                copy.path.unlink(missing_ok=True)


def _fetch_small(bucket: Bucket, key: str, tag: str, segments: Segments) -> Copy:
    pieces: dict[int, bytes] = {}
    bucket.fetch(key, tag, pieces.__setitem__)
    return segments.add(b"".join(pieces[place] for place in sorted(pieces)))


def _fetch(bucket: Bucket, key: str, size: int, tag: str, target: Path) -> Copy:
    copy = Copy(target, 0, size, is_own=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with ExitStack() as until_done:
        until_done.callback(os.close, descriptor)

        def take(place: int, piece: bytes) -> None:
            os.pwrite(descriptor, piece, place)

        if size <= RANGE_BYTES:
            bucket.fetch(key, tag, take)
            return copy
        workers = until_done.enter_context(ThreadPoolExecutor(RANGES_TOGETHER))
        ranges: list[Callable[[], None]] = [
            partial(bucket.fetch, key, tag, take, first, min(RANGE_BYTES, size - first))
            for first in range(0, size, RANGE_BYTES)
        ]
        for done in [workers.submit(fetch) for fetch in ranges]:
            done.result()
    return copy


_spools: list[Spool] = []


def spool() -> Spool:
    """Give this process's spool."""
    if not _spools:
        _spools.append(Spool())
    return _spools[0]
