"""Lines of a text for the engine, in batches that are worth its while: each has its price, whatever it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import polars as pl
from polars.exceptions import ComputeError
from polars.io.plugins import register_io_source

from translate.archive.compression import ZLIB
from translate.archive.lines import checked
from translate.archive.long_lines import BLANKS, Ends, LongLines, Passed, next_record, passed_over
from translate.reader.oversize import TOO_LARGE, told
from translate.reader.reader import Damage

BATCH_BYTES = 4 << 20
SCHEMA = pl.Schema({"row": pl.UInt32, "text": pl.String})


@dataclass(frozen=True)
class _Block:
    """Lines, or what takes the place of a record; the last of them may be cut, and go on in the next block."""

    text: bytes | Passed
    is_cut: bool = False


def lines_in(text: bytes) -> pl.LazyFrame:
    """Give the lines of a text in UTF-8 as `row` and `text`."""
    return lines_of(lambda: _slices(text), LongLines(), {})


def lines_of(
    chunks: Callable[[], Iterable[bytes]], long_lines: LongLines, damage: dict[int, Damage]
) -> pl.LazyFrame:
    """Give the lines of a text in UTF-8 that comes in chunks, each time anew, as `row` and `text`.

    A record beyond the largest size, and a line that is not UTF-8, is a damage of its row, and stands there as an empty line.
    """

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        row = 0
        long_lines.cut.clear()
        for block in _blocks(iter(chunks()), long_lines.record_bytes):
            if isinstance(block.text, Passed):
                damage[row] = _too_large(block.text, long_lines.record_bytes or 0)
            batch = _batch(b"\n" if isinstance(block.text, Passed) else block.text, row, damage)
            row += batch.height
            if block.is_cut:
                long_lines.cut.append(row - 1)
            if rows_wanted is not None:
                batch = batch.head(batch.height - max(0, row - rows_wanted))
            batch = batch if predicate is None else batch.filter(predicate)
            yield batch if columns is None else batch.select(columns)
            if rows_wanted is not None and row >= rows_wanted:
                return

    return register_io_source(read, schema=SCHEMA, is_pure=True)  # pure: else each sink would read it anew


def _blocks(chunks: Iterator[bytes], record_bytes: int | None) -> Iterator[_Block]:
    """Put chunks together, and cut them apart after line breaks, or else between the records of a line."""
    pieces, line, waiting = _pieces(chunks), _OpenLine(), b""
    while piece := next(pieces, b""):
        whole = piece.rfind(b"\n") + 1
        if whole:
            yield _Block(line.with_(waiting + piece[:whole]))
            line, waiting = _OpenLine(), piece[whole:]
            continue
        line.add(waiting + piece, follow=record_bytes is not None)
        waiting = b""
        if line.end:
            yield line.cut()
        if record_bytes is None or line.length <= record_bytes:
            continue
        begins = next_record(line.text)
        if begins:
            yield _Block(line.text[:begins], is_cut=True)
            pieces = chain(_slices(line.text[begins:]), pieces)
        else:
            passed, rest = passed_over(line.text, pieces, line.ends)
            yield _Block(passed, is_cut=True)
            pieces = chain(_slices(rest), pieces)
        line = _OpenLine()
    rest = line.with_(waiting)
    if rest:
        yield _Block(rest)


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Put chunks together until they are worth a look."""
    waiting: list[bytes] = []
    length = 0
    for chunk in chunks:
        waiting.append(chunk)
        length += len(chunk)
        if length >= BATCH_BYTES:
            yield b"".join(waiting)
            waiting, length = [], 0
    if any(waiting):
        yield b"".join(waiting)


def _slices(text: bytes) -> Iterator[bytes]:
    return (text[start : start + BATCH_BYTES] for start in range(0, len(text), BATCH_BYTES))


class _OpenLine:
    """A line that has no end yet, or what is left of one whose records went before."""

    def __init__(self) -> None:
        self.ends = Ends()
        self.end = 0  # where the last record ends that is whole
        self.length = 0
        self._parts: list[bytes] = []

    @property
    def text(self) -> bytes:
        """Put together what there is of it."""
        return b"".join(self._parts)

    def with_(self, more: bytes) -> bytes:
        """Give it with what ends it."""
        return b"".join([*self._parts, more])

    def add(self, piece: bytes, *, follow: bool) -> None:
        """Go on with the line; follow its records, if asked."""
        end = self.ends.last(piece) if follow else 0
        self.end = self.length + end if end else 0
        self.length += len(piece)
        self._parts.append(piece)

    def cut(self) -> _Block:
        """Give the records that are whole, and go on with the rest."""
        text = self.text
        block = _Block(text[: self.end], is_cut=True)
        rest = text[self.end :].lstrip(BLANKS)
        self.end, self.length, self._parts = 0, len(rest), [rest]
        return block


def _too_large(passed: Passed, limit_bytes: int) -> Damage:
    text, message = told(passed.head.decode(errors="ignore"), passed.bytes, passed.sha256, limit_bytes)
    return Damage(TOO_LARGE, message, text.encode())


def _batch(block: bytes, row: int, damage: dict[int, Damage]) -> pl.DataFrame:
    try:
        return _lines(block, row)
    except ComputeError:
        return _lines(_without_damage(block, row, damage), row)


def _without_damage(block: bytes, row: int, damage: dict[int, Damage]) -> bytes:
    """Take the lines that are not UTF-8 out, and tell of them."""
    kept: list[bytes] = []
    for piece in checked(iter([block])):
        if isinstance(piece, Damage):
            damage[row] = piece
        kept.append(b"\n" if isinstance(piece, Damage) else piece)
        row += kept[-1].count(b"\n")
    return b"".join(kept)


def _lines(block: bytes, row: int) -> pl.DataFrame:
    if not block.startswith(ZLIB):
        return pl.read_lines(block, name="text", row_index_name="row", row_index_offset=row).cast(SCHEMA)
    # The engine takes such a text for compressed, unless a line comes before it.
    batch = pl.read_lines(b"\n" + block, name="text")[1:]
    return batch.with_row_index("row", offset=row).cast(SCHEMA)
