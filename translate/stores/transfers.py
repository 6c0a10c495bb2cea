"""Files on their way into a bucket, where each appears complete, in one step, or not at all; on their way back; threads that bring them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from translate.stores import Listed, StoreRefusedError

if TYPE_CHECKING:  # what goes over the network is imported with a bucket
    from translate.stores.bucket import Bucket

PIECE_BYTES = 16 * 2**20
PIECES_MAX = 10_000  # S3 takes no more
TOGETHER = 4
OWNER_ONLY = 0o600
NO_UPLOAD = "NoSuchUpload"  # closed already, and that answer was lost
NO_ACL = "AccessControlListNotSupported"  # the bucket's owner owns whatever lies there


@dataclass(frozen=True)
class Encryption:
    """How the store is to encrypt what it is given, as the AWS CLI says it."""

    sse: str | None = None
    kms_key_id: str | None = None

    def headers(self) -> dict[str, str]:
        """Give the headers that say so."""
        told = {
            "x-amz-server-side-encryption": self.sse,
            "x-amz-server-side-encryption-aws-kms-key-id": self.kms_key_id,
        }
        return {name: value for name, value in told.items() if value}


def upload(
    bucket: Bucket, key: str, file: Path, headers: Mapping[str, str], *, is_private: bool = False
) -> str:
    """Put a file, a large one in pieces side by side; give its tag. Raise StoreRefusedError, with nothing left behind."""
    if is_private:
        try:
            return upload(bucket, key, file, {**headers, "x-amz-acl": "private"})
        except StoreRefusedError as error:
            if error.code != NO_ACL:
                raise
    size = file.stat().st_size
    if size <= PIECE_BYTES:
        return bucket.put(key, file.read_bytes(), headers)
    try:
        return _in_pieces(bucket, key, file, size, headers)
    except StoreRefusedError as error:
        if error.code != NO_UPLOAD:
            raise
    return _in_pieces(bucket, key, file, size, headers)


def download(bucket: Bucket, key: str, file: Path) -> None:
    """Bring an object as it lies there now; raise StoreRefusedError."""
    gone = Listed(key, 0, "")  # which the store says in its own words
    about = next((entry for entry in bucket.listed(key, 1) if entry.key == key), gone)
    bring(bucket, about, file, PIECE_BYTES)


def bring(bucket: Bucket, about: Listed, file: Path, piece_bytes: int) -> None:
    """Bring an object that was listed, a large one in pieces side by side; raise StoreRefusedError."""
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))

    def fetch(first: int, count: int | None = None) -> None:
        with file.open("r+b") as content:  # each its own: who gives up waits for none of them
            bucket.fetch(
                about.key, about.tag, lambda place, piece: os.pwrite(content.fileno(), piece, place), first, count
            )  # fmt: skip

    if about.bytes <= piece_bytes:
        fetch(0)
    else:
        firsts = range(0, about.bytes, piece_bytes)
        side_by_side(lambda first: fetch(first, min(piece_bytes, about.bytes - first)), firsts)


def _in_pieces(bucket: Bucket, key: str, file: Path, size: int, headers: Mapping[str, str]) -> str:
    piece_bytes = max(PIECE_BYTES, -(-size // PIECES_MAX))
    begun = bucket.begin_upload(key, headers)

    def put(number: int) -> str:
        with file.open("rb") as content:
            content.seek(number * piece_bytes)
            return bucket.put_part(key, begun, number + 1, content.read(piece_bytes))

    carriers = Carriers[str](TOGETHER)
    coming = [carriers.want(partial(put, number)) for number in range(-(-size // piece_bytes))]
    carriers.go_on()
    try:
        return bucket.close_upload(key, begun, [brought(each) for each in coming])
    except BaseException as error:
        under_way = [each for each in coming if not each.cancel()]
        if isinstance(error, Exception):
            wait(under_way)  # what arrives after the end would stay, and cost
        with contextlib.suppress(StoreRefusedError):
            bucket.abort_upload(key, begun)
        raise


# -- what is brought side by side -----------------------------------------------------------------------------

SIDE_BY_SIDE = 16
GROWTH = 4  # times as many side by side, where fewer are too slow
GAIN = 1.25  # times as fast as before that has to be, for so many to be kept
SLOW_WINDOWS = 2  # one after the other, until more are tried
PATIENCE = 8  # slow windows more until more are tried again, twice as many after each time in vain
WINDOW_SECONDS = 0.1
GATHER_SECONDS = 0.004  # for others to come, too: to wake up for each costs as much as to work on it
NAP_SECONDS = 0.2  # a wait without end, which polars' signal handler restarts, hears no Ctrl-C

Brought = TypeVar("Brought")


class _Width:
    """How many come side by side: more are tried where who reads waits for longer than it works, and kept if more come by it."""

    def __init__(self, together: int) -> None:
        self.together = together
        self._slow_windows = 0  # one alone may be a pause of the machine
        # How many fewer there were, and what came in a second then.
        self._before: tuple[int, float] | None = None
        self._patience = PATIENCE

    def judge(self, per_second: float, *, is_slow: bool) -> None:
        """Take note of a window of time."""
        before, self._before = self._before, None
        if before is not None and per_second < before[1] * GAIN:
            self.together = before[0]
            self._slow_windows = -self._patience
            self._patience *= 2
        elif not is_slow:
            self._slow_windows = min(self._slow_windows, 0)
        else:
            self._slow_windows += 1
            if self._slow_windows >= SLOW_WINDOWS and self.together < SIDE_BY_SIDE:
                self._slow_windows, self._before = 0, (self.together, per_second)
                self.together *= GROWTH


class Carriers(Generic[Brought]):
    """Threads that bring what is wanted, in its order: as many as bring it sooner, for others hinder them and who waits for it."""

    def __init__(self, together: int = 1) -> None:
        self._guard = threading.Lock()
        self._wanted: deque[tuple[Future[Brought], Callable[[], Brought]]] = deque()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = 0
        self._width = _Width(together)
        self._at_work = 0
        self._since: float | None = None
        self._begun = 0
        self._waited_seconds = 0.0
        weakref.finalize(self, self._calls.put, None)

    def work_for(self, readers: int) -> None:
        """Bring what so many processes want from now on."""
        with self._guard:
            self._width = _Width(SIDE_BY_SIDE * readers)

    def want(self, bring: Callable[[], Brought]) -> Future[Brought]:
        """Have something brought once it `go_on`s."""
        coming: Future[Brought] = Future()
        with self._guard:
            self._wanted.append((coming, bring))
        return coming

    def go_on(self) -> None:
        """Have as many at work as may be and have something to do."""
        with self._guard:
            for _ in range(min(self._width.together - self._at_work, len(self._wanted))):
                self._at_work += 1
                if self._threads < self._at_work:
                    self._threads += 1
                    threading.Thread(target=_at_call, args=(self._calls,), name="fetch", daemon=True).start()
                self._calls.put(self._work)

    def _work(self) -> None:
        while True:
            with self._guard:
                if not self._wanted or self._at_work > self._width.together:
                    self._at_work -= 1
                    return
                coming, bring = self._wanted.popleft()
                self._begun += 1
            if not coming.set_running_or_notify_cancel():
                continue
            try:
                coming.set_result(bring())
            except BaseException as error:  # noqa: BLE001  who waits is told
                coming.set_exception(error)

    def waited_since(self, begin: float) -> None:
        """Have as many at work as are worth it, by how long who reads waits, and what came."""
        now = time.monotonic()
        if self._since is None:  # to find the bucket took its time, too
            self._count_from(now)
            return
        self._waited_seconds += now - begin
        seconds = now - self._since
        if seconds < WINDOW_SECONDS:
            return
        if seconds - self._waited_seconds < WINDOW_SECONDS * 2:  # else who reads had something else to do
            self._width.judge(self._begun / seconds, is_slow=self._waited_seconds * 2 > seconds)
            self.go_on()
        self._count_from(now)

    def _count_from(self, now: float) -> None:
        self._waited_seconds, self._since, self._begun = 0.0, now, 0


def _at_call(calls: SimpleQueue[Callable[[], None] | None]) -> None:
    """Do what is asked for until nobody can ask any more; the end of the process waits for none of it."""
    while call := calls.get():
        call()
        del call  # or it would keep who asked
    calls.put(None)  # for the next of them


def brought(coming: Future[Brought]) -> Brought:
    """Give what is wanted once it comes; raise what went wrong."""
    if not coming.done():
        time.sleep(GATHER_SECONDS)
    while True:
        try:
            return coming.result(NAP_SECONDS)
        except TimeoutError:
            if coming.done():
                return coming.result()


Given = TypeVar("Given")


def side_by_side(work: Callable[[Given], None], given: Iterable[Given]) -> None:
    """Do a thing with each of some, a few at a time; who is interrupted, or told of a failure, waits for no other."""
    carriers = Carriers[None](TOGETHER)
    coming = [carriers.want(partial(work, each)) for each in given]
    carriers.go_on()
    try:
        for each in coming:
            brought(each)
    finally:
        for each in coming:
            each.cancel()
