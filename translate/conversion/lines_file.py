"""The file of lines that a unit's rows or rejects go into: compressed, counted and digested while it is written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from translate.archive.compression import fast_zlib
from translate.conversion.persistence import ALGORITHM
from translate.engine.texts import lines_of

ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}  # of files, by their compression
GZIP_LEVEL = 2  # of isal: a seventh of zlib's time for a tenth more bytes; its third level gains nothing here
GZIP_WINDOW = 31  # with gzip's header, which then names neither a time nor a file
WRITTEN_TOGETHER = 1 << 20
ROWS_TOGETHER = 512  # whose lines are still in the processor's memory when they are digested and written
READABLE = 0o666  # less what the process masks


class LinesFile:
    """A file of lines."""

    def __init__(
        self, path: Path, compression: str = "none", mode: int = READABLE, *, output: int | None = None,
        seen: Callable[[bytes | memoryview], object] | None = None,
    ) -> None:  # fmt: skip
        """Begin a file, or write to a descriptor in its place; `seen` gets the text, too, before it is compressed."""
        self.path = path
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._seen = seen
        self._compression = compression
        self._plain = path.with_name(f"{path.name}.plain") if compression == "zstd" else path
        if output is None:
            output = os.open(self._plain, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        else:
            output = os.dup(output)
        self._output = os.fdopen(output, "wb", buffering=0)
        self._digest = hashlib.new(ALGORITHM)
        is_gzip = compression == "gzip"
        self._deflate = fast_zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW) if is_gzip else None

    def add_rows(self, rows: pl.Series) -> int:
        """Write texts, a line each; absent ones are none. Count the lines."""
        self._write_waiting()
        for some in rows.to_frame().iter_slices(ROWS_TOGETHER):
            with lines_of(some.to_series()) as text:
                self._write(text)
        return len(rows) - rows.null_count()

    def write(self, text: bytes | memoryview) -> None:
        """Write text as it is; what is short waits for more, as bytes of its own."""
        if len(text) >= WRITTEN_TOGETHER:
            self._write_waiting()
            self._write(text)
            return
        self._waiting.append(bytes(text))
        self._waiting_bytes += len(text)
        if self._waiting_bytes >= WRITTEN_TOGETHER:
            self._write_waiting()

    def _write_waiting(self) -> None:
        text = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        self._write(text)

    def _write(self, text: bytes | memoryview) -> None:
        if self._seen is not None:
            self._seen(text)
        self._put(text if self._deflate is None else self._deflate.compress(text))

    def end(self) -> None:
        """Take no more lines, and let go of the file."""
        self._write_waiting()
        if self._deflate is not None:
            self._put(self._deflate.flush())
            self._deflate = None
        self._output.close()

    def let_go(self) -> None:
        """Let go of the file where an attempt at it failed; of one that is ended there is nothing to let go of."""
        self._output.close()

    def close(self) -> dict[Path, str]:
        """End the file; give its digest, unless its bytes have not gone by here."""
        if not self._output.closed:
            self.end()
        if self._plain == self.path:
            return {self.path: self._digest.hexdigest()}
        lines = pl.scan_lines(self._plain)
        lines.sink_csv(
            self.path, include_header=False, quote_style="never", compression="zstd", check_extension=False,
            engine="streaming",
        )  # fmt: skip
        self._plain.unlink()
        return {}

    def _put(self, stored: Any) -> None:
        self._digest.update(stored)
        left = memoryview(stored)
        while left:  # a file without a buffer may take less than it is given
            left = left[self._output.write(left) :]
