"""Standard input as a source: drawn once while rows go out, or laid down as a file for whatever reads a source twice."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

PIPE = "-"
CHUNK = 2**20


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
    return Piped(sys.stdin.buffer)


@cache
def laid_down() -> Path:
    """Lay standard input down in a temporary file, which is removed at the end of the process."""
    descriptor, name = tempfile.mkstemp(prefix="translate-")
    atexit.register(lambda: Path(name).unlink(missing_ok=True))
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, CHUNK)
    return Path(name)
