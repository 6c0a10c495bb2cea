"""Lines on their way to whoever reads them: held back until those before are read, and cut where they are too long to be held.

They are cut between their records, and records beyond the largest size are passed over.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from translate.engine.library import library

PROCESSORS = os.cpu_count() or 1
_SAID = os.environ.get("POLARS_MAX_THREADS") or ""
# Of the engine: asked for them, it would start them.
THREADS = int(_SAID) if _SAID.isdecimal() else PROCESSORS
UNREAD_MAX = max(1, THREADS // 2)  # batches that nobody reads yet
UNWRITTEN_MAX = THREADS + 1  # of all units: one for each thread, and one that comes to be read or written
WAIT_SECONDS = 1.0  # longer than a batch is worked on; after that whoever read before may have had enough
WRITING_SECONDS = 5.0  # much longer; after that it may be that the engine needs more than it has
END_SECONDS = 10.0  # much longer than a batch is drawn
SETTLED_SECONDS = 0.3  # for the engine to let go of what drew
TOKENS = re.compile(rb'["\\{}\[\]]')
DEPTH = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
BLANKS = b" \t\r"
# A record that ends and one that begins: nowhere else does an object follow another one.
NEXT_RECORD = re.compile(rb"""\}[ \t\r]*(?=\{[ \t\r]*"[^"\\]*"[ \t\r]*:)""")
HEAD_BYTES = 4_000  # more than the characters that are kept of a record's head


Made = TypeVar("Made")


def beside(work: Callable[..., Made], *given: object, after: Future[Any] | None = None) -> Future[Made]:
    """Do some work on a thread of its own, which ends with it, once what it is to come `after` is over."""

    def do() -> Made:
        if after is not None:
            wait([after])
        return work(*given)

    thread = ThreadPoolExecutor(1)
    made = thread.submit(do)
    thread.shutdown(wait=False)
    return made


class Drawn:
    """Counts who draws on a thread of the engine, which may go on for a while after a query has had enough.

    Python may not end meanwhile: such a thread would take the process down with it.
    """

    changed = threading.Condition()  # one for all: what one of them has done makes room for another one

    def __init__(self) -> None:
        self.is_over = False
        self._drawing = 0

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Be counted while something is drawn."""
        with self.changed:
            self._drawing += 1
        try:
            yield
        finally:
            with self.changed:
                self._drawing -= 1
                self.changed.notify_all()

    def end(self) -> bool:
        """Have nothing more drawn, and wait until nobody draws; tell if anybody did."""
        with self.changed:
            was_drawing = self._drawing > 0
            self.is_over = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: not self._drawing, END_SECONDS)
        return was_drawing


EVERYTHING = Drawn()


def awaited() -> AbstractContextManager[None]:
    """Have Python end what is drawn, and wait for it, before it ends itself and removes temporary folders."""
    atexit.unregister(_end_everything)
    atexit.register(_end_everything)  # the last one is called first
    return EVERYTHING.drawing()


def _end_everything() -> None:
    if EVERYTHING.end():
        time.sleep(SETTLED_SECONDS)


class Ahead(Drawn):
    """Holds batches of lines back until those before them are read, and written: else the engine draws as many as it has room for."""

    unwritten: ClassVar[int] = 0  # batches that are drawn, of all whose writing is awaited

    def __init__(self) -> None:
        super().__init__()
        self.on_end: Callable[[], None] = lambda: None  # is called once all is drawn
        self.batch_bytes = 0  # of what is drawn at once, where that is not the usual
        self._waiting = 0  # that nobody reads yet
        self._is_read = False
        self.awaits_writing = False  # whether whoever reads tells what is written
        self._unwritten = 0  # its own batches among these
        self._records: deque[int] = deque()  # of each batch that is read, those that are not written

    def begin(self) -> None:
        """Begin to draw a text, perhaps anew."""
        with self.changed:
            self._waiting, self._is_read = 0, False
            self._forget()

    def end(self) -> bool:
        """Have nothing more drawn, wait until nobody draws, and hold nobody back any more; tell if anybody drew."""
        with self.changed:
            self.is_over = True
            self._forget()
        return super().end()

    def _forget(self) -> None:
        self._records.clear()
        self._count(-self._unwritten)

    def _count(self, batches: int) -> None:
        batches = max(batches, -self._unwritten)  # lines of some files are read that were not drawn here
        self._unwritten += batches
        Ahead.unwritten += batches
        self.changed.notify_all()

    def draw(self) -> bool:
        """Wait for room for another batch, and tell if it is wanted; where nobody tells of reading, there always is room."""
        with self.changed:
            self.changed.wait_for(self._is_read_so_far, WAIT_SECONDS)
            self.changed.wait_for(self._is_written_so_far, WRITING_SECONDS)
            self._waiting += 1
            is_wanted = not self._is_stopped()
            self._count(int(self.awaits_writing and is_wanted))
            return is_wanted

    def _is_stopped(self) -> bool:
        return self.is_over or EVERYTHING.is_over

    def _is_read_so_far(self) -> bool:
        return self._is_stopped() or not self._is_read or self._waiting < UNREAD_MAX

    def _is_written_so_far(self) -> bool:
        has_none = not self._unwritten  # one batch goes on, however slowly others are written
        return self._is_stopped() or not self.awaits_writing or has_none or Ahead.unwritten < UNWRITTEN_MAX

    def read(self) -> None:
        """Tell that a batch is being read."""
        with self.changed:
            self._waiting, self._is_read = self._waiting - 1, True
            self.changed.notify_all()

    def found(self, records: int) -> None:
        """Tell how many records a batch had."""
        with self.changed:
            if self.awaits_writing and not self.is_over:
                self._records += [records] if records else []
                self._count(0 if records else -1)

    @contextmanager
    def writing(self, rows: int) -> Iterator[None]:
        """Write rows, at least one of each record, in any number of batches; where that fails nothing more is drawn."""
        try:
            yield
        except BaseException:
            with self.changed:
                self.is_over = True
                self.changed.notify_all()
            raise
        self._wrote(rows)

    def _wrote(self, rows: int) -> None:
        with self.changed:
            while self._records and rows >= self._records[0]:
                rows -= self._records.popleft()
                self._count(-1)
            if self._records:
                self._records[0] -= rows


@dataclass
class LongLines:
    """What became of the long lines of a unit's text; rows go on counting where a line does not end.

    Without a largest size of a record none is cut. `cut` are the rows whose line goes on in the next row.
    """

    record_bytes: int | None = None
    cut: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Passed:
    """A record that is beyond the largest size, or as much of one as its line has."""

    head: bytes
    bytes: int
    sha256: str


class _Place(ctypes.Structure):
    """Where a text stands, as kernel/ends.c lays it out."""

    _fields_ = [
        ("depth", ctypes.c_int64),
        ("in_text", ctypes.c_int32),
        ("after_backslash", ctypes.c_int32),
    ]


class Ends:
    """Follows a text that comes in pieces by its brackets, and tells where records end."""

    def __init__(self) -> None:
        self._place = _Place()
        self._kernel = library()

    def last(self, piece: bytes) -> int:
        """Follow a piece; give how many of its bytes come before the last end in it, 0 where there is none."""
        return self._follow(piece, only_first=False)

    def first(self, piece: bytes) -> int:
        """Follow a piece up to the first end in it."""
        return self._follow(piece, only_first=True)

    def _follow(self, piece: bytes, *, only_first: bool) -> int:
        if self._kernel is not None:
            end = self._kernel.translate_record_end
            end.restype = ctypes.c_int64
            found: int = end(piece, ctypes.c_int64(len(piece)), int(only_first), ctypes.byref(self._place))
            return found
        return self._follow_tokens(piece, only_first=only_first)

    def _follow_tokens(self, piece: bytes, *, only_first: bool) -> int:
        """Do the same without the kernel."""
        place, found = self._place, 0
        skipped = 0 if place.after_backslash else -1
        for match in TOKENS.finditer(piece):
            token, at = match[0], match.start()
            if at == skipped:
                continue
            if place.in_text:
                if token == b"\\":
                    skipped = at + 1
                elif token == b'"':
                    place.in_text = 0
            elif token == b'"':
                place.in_text = 1
            elif token != b"\\" and (place.depth or DEPTH[token] > 0):
                place.depth += DEPTH[token]
                if place.depth == 0:
                    found = match.end()
                    if only_first:
                        break
        place.after_backslash = int(skipped == len(piece)) if piece else place.after_backslash
        return found


def next_record(text: bytes) -> int:
    """Tell where the next record begins behind one whose brackets do not close; 0 where none does."""
    found = NEXT_RECORD.search(text)
    return found.end() if found else 0


def passed_over(begun: bytes, chunks: Iterator[bytes], ends: Ends) -> tuple[Passed, bytes]:
    """Pass over a record that is too large, which is begun; give what there is to tell of it, and the text behind it."""
    begun = begun.lstrip(BLANKS)
    digest, count = hashlib.sha256(begun), len(begun)
    rest = b""
    for chunk in chunks:
        line = chunk.find(b"\n")
        end = ends.first(chunk if line < 0 else chunk[:line])
        stop = end or (line if line >= 0 else len(chunk))
        digest.update(chunk[:stop])
        count += stop
        if end or line >= 0:
            rest = chunk[stop:]
            break
    return Passed(begun[:HEAD_BYTES], count, digest.hexdigest()), rest
