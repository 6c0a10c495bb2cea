"""Objects of a store on their way to the work: each fetched once, ahead of it and side by side, in bounded room on disk."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from translate.archive.copies import Borrowed, Copy, Lent, Segments, folder_of, key_of
from translate.errors import SourceError
from translate.stores import Listed, StoreRefusedError
from translate.stores.transfers import Carriers, bring, brought

if TYPE_CHECKING:
    from translate.archive.stored import SourceFile
    from translate.stores.bucket import Bucket

RANGE_BYTES = 64 * 2**20  # what is larger comes in ranges
SMALL_BYTES = 2**20  # so many objects are put into one file that none of them costs a file
KEPT_BYTES = 1 << 30  # of what was read: whoever asks for it again in time costs no call
KEPT_FILES = 50_000  # each of which takes some memory
AHEAD_BYTES = 128 * 2**20
AHEAD_FILES = 64
NEAR = 1_000


class Spool:
    """Holds copies of objects; those that are expected come ahead, those that were read go when room is needed."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._folder = folder_of(self)
        self._readers = 1
        self._carriers: Carriers[Copy] = Carriers()
        self._buckets: dict[str, Bucket] = {}
        self._order: Sequence[SourceFile] = ()
        self._next = 0  # in the order: what was not asked for ahead yet
        self._coming: dict[str, tuple[Future[Copy], int]] = {}
        self._held: OrderedDict[str, Copy] = OrderedDict()  # asked for in this order
        self._early: OrderedDict[str, Copy] = OrderedDict()  # asked for before it, and not yet again
        self._lent: dict[str, Copy] = {}
        self._names = count()
        self._kept_bytes = 0
        self._segments = Segments(self._new_path)

    def _new_path(self) -> Path:
        return self._folder / str(next(self._names))

    def bucket(self, name: str, *, anew: bool = False) -> Bucket:
        """Give a bucket, as who asks now may see it."""
        with self._guard:
            return self._bucket(name, anew=anew)

    def _bucket(self, name: str, *, anew: bool = False) -> Bucket:
        if anew or name not in self._buckets:
            from translate.stores.bucket import bucket_of  # noqa: PLC0415  HTTP and TLS come with it, and most sources are files

            self._buckets[name] = bucket_of(name)
        return self._buckets[name]

    def expect(self, files: Sequence[SourceFile]) -> None:
        """Say which objects will be read, in their order."""
        with self._guard:
            self._order = files
            self._next = 0
            self._early.update(self._held)
            self._held.clear()

    def serve(self, readers: int) -> None:
        """Fetch for so many processes from now on."""
        with self._guard:
            if readers > self._readers:
                self._readers = readers
                self._carriers.work_for(readers)

    def lend(self, files: Iterable[SourceFile], is_over: Callable[[], bool]) -> Lent:
        """Give copies of objects to another process, until they are given back; raise SourceError for what is wrong with all."""
        lent: dict[str, Copy | StoreRefusedError] = {}
        for file in files:
            if is_over():
                break
            known = key_of(file)
            try:
                lent[known] = copy = self.copy_of(file)
            except StoreRefusedError as error:
                if not error.is_of_one_object:
                    raise SourceError(f"{file.location}: {error}") from None
                lent[known] = error
                continue
            with self._guard:
                self._lent[known] = self._held.pop(known, copy)
                self._kept_bytes -= copy.bytes
        self._segments.lay_down(copy for copy in lent.values() if isinstance(copy, Copy))
        return lent

    def take_back(self, lent: Lent) -> None:
        """Have copies that were lent go when room is needed."""
        with self._guard:
            for known in lent:
                if copy := self._lent.pop(known, None):
                    self._held[known] = copy
                    self._kept_bytes += copy.bytes
            self._make_room()

    def copy_of(self, file: SourceFile) -> Copy:
        """Give a copy of an object, which stays at least until others are asked for; raise StoreRefusedError."""
        with self._guard:
            known = key_of(file)
            if known in self._lent:
                return self._lent[known]
            if known in self._early:
                self._held[known] = self._early.pop(known)
            if known in self._held:
                self._look_ahead()
            elif known not in self._coming:
                self._begin(file)
                self._carriers.go_on()
                place = self._place_of(file)
                if place is not None:
                    self._next = place + 1
                    self._look_ahead()
            if known in self._held:
                self._held.move_to_end(known)
                return self._held[known]
            coming, _ = self._coming[known]
        begin = time.monotonic()
        try:
            copy = brought(coming)
        except BaseException:
            with self._guard:
                self._coming.pop(known, None)
            raise
        with self._guard:
            self._carriers.waited_since(begin)
            if self._coming.pop(known, None):
                self._held[known] = copy
                self._kept_bytes += copy.bytes
                self._make_room()
                self._look_ahead()
        return copy

    def path_of(self, file: SourceFile) -> Path:
        """Give a file that holds nothing but a copy of an object."""
        copy = self.copy_of(file)
        if copy.is_own:
            return copy.path
        own = Copy(self._new_path(), 0, copy.bytes, is_own=True)
        own.path.write_bytes(self._segments.read(copy))
        with self._guard:
            self._held[key_of(file)] = own
            self._segments.release(copy)
        return own.path

    def content_of(self, file: SourceFile) -> bytes:
        """Read an object that is small; raise StoreRefusedError."""
        return self._segments.read(self.copy_of(file))

    def _place_of(self, file: SourceFile) -> int | None:
        """Find an object in the order, near the one that would come next or the beginning, or wherever else it is."""
        for begin, end in ((self._next, self._next + NEAR), (0, NEAR), (NEAR, len(self._order))):
            for place, other in enumerate(self._order[begin:end], begin):
                if other.location == file.location:
                    return place
        return None

    def _begin(self, file: SourceFile) -> None:
        name, _, key = file.location.removeprefix("s3://").partition("/")
        bucket = self._bucket(name)
        if file.bytes <= SMALL_BYTES:
            fetch = partial(_fetch_small, bucket, key, file.tag, self._segments)
        else:
            fetch = partial(_fetch, bucket, Listed(key, file.bytes, file.tag), self._new_path())
        self._coming[key_of(file)] = (self._carriers.want(fetch), file.bytes)

    def _look_ahead(self) -> None:
        """Go on in the order while there is room ahead; what is here is passed over at once, before it makes room for others."""
        room, room_bytes = self._room_ahead()
        while self._next < len(self._order):
            file = self._order[self._next]
            known = key_of(file)
            if not (
                known in self._coming or known in self._held or known in self._early or known in self._lent
            ):
                if room <= 0 or room_bytes <= 0:
                    break
                self._begin(file)
                room -= 1
                room_bytes -= file.bytes
            self._next += 1
        self._carriers.go_on()

    def _room_ahead(self) -> tuple[int, int]:
        """Tell for how many objects there is room, and for how many bytes: for none until it is for many, for each would wake a thread."""
        room = AHEAD_FILES * self._readers - len(self._coming)
        if room < len(self._coming):
            return 0, 0
        return room, AHEAD_BYTES - sum(size for _, size in self._coming.values())

    def _make_room(self) -> None:
        """Remove what was read longest ago, then what waits longest; what was asked for last stays, however large it is."""
        while len(self._held) + len(self._early) > (1 if self._kept_bytes > KEPT_BYTES else KEPT_FILES):
            going = self._held if len(self._held) > 1 else self._early
            _, copy = going.popitem(last=going is self._early)
            self._kept_bytes -= copy.bytes
            if copy.is_own:
                copy.path.unlink(missing_ok=True)
            else:
                self._segments.release(copy)


def _fetch_small(bucket: Bucket, key: str, tag: str, segments: Segments) -> Copy:
    pieces: dict[int, bytes] = {}
    bucket.fetch(key, tag, pieces.__setitem__)
    return segments.add(b"".join(pieces[place] for place in sorted(pieces)))


def _fetch(bucket: Bucket, about: Listed, target: Path) -> Copy:
    bring(bucket, about, target, RANGE_BYTES)
    return Copy(target, 0, about.bytes, is_own=True)


_spools: list[Spool] = []
_borrowed: list[Borrowed] = []


def spool() -> Spool:
    """Give this process's spool."""
    if not _spools:
        _spools.append(Spool())
    return _spools[0]


def copies() -> Spool | Borrowed:
    """Give what holds copies of objects here: what another process lent, or else this process's spool."""
    return _borrowed[-1] if _borrowed else spool()


@contextmanager
def borrowed(lent: Lent) -> Iterator[None]:
    """Read objects from copies that another process holds."""
    _borrowed.append(here := Borrowed(lent))
    try:
        yield
    finally:
        _borrowed.remove(here)
        here.close()
