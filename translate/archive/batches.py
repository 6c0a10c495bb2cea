"""Lines of a text for the engine, in batches that are worth its while: each has its price, whatever it holds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count

import polars as pl
from polars.io.plugins import register_io_source

from translate.archive.drawing import (
    BLANKS,
    Ahead,
    Ends,
    LongLines,
    Passed,
    awaited,
    next_record,
    passed_over,
)
from translate.archive.lines import Damage, not_utf8
from translate.archive.stored import CHUNK
from translate.engine.texts import split
from translate.vocabulary.notation import quoted, writable

BATCH_BYTES = 4 << 20
BATCH_ROWS = 4_000  # of a table: the objects that they become are longer than what its file holds
TOO_LARGE = "too_large"
HEAD_CHARACTERS = 500
SCHEMA = pl.Schema({"row": pl.UInt32, "text": pl.String})


@dataclass(frozen=True)
class Lines:
    """The lines of one unit of work: a frame of `row` and `text`, and which file each row comes from."""

    frame: pl.LazyFrame
    files: list[str]
    first_rows: list[int]
    damage: dict[int, Damage] = field(default_factory=dict)
    joined: frozenset[str] = frozenset()
    table: pl.LazyFrame | None = None  # what a Parquet file holds, in its own types
    long_lines: LongLines = field(default_factory=LongLines)  # only of a unit of one file
    ahead: Ahead = field(default_factory=Ahead)
    are_read_once: bool = False  # as those of a pipe: nothing is read again, so nothing was read in vain

    def origin(self, row: int) -> tuple[str, int]:
        """Give the file that a row comes from, and its line there."""
        index = bisect_right(self.first_rows, row) - 1
        cut = bisect_left(self.long_lines.cut, row)
        return self.files[index], row - self.first_rows[index] + 1 - cut

    def goes_on_after(self, row: int) -> bool:
        """Tell whether a row is followed by more of its line, so that none of its records reaches over lines."""
        place = bisect_left(self.long_lines.cut, row)
        return self.long_lines.cut[place : place + 1] == [row]

    def with_origins(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Tell of each `row` of a frame its `file`, and its `line` there."""
        rows = frame["row"]
        line = rows.cast(pl.Int64) + 1
        if len(self.files) > 1:
            line = line - pl.Series(self.first_rows, dtype=pl.Int64).gather(self._numbers_of(rows))
        else:
            line = line - self.first_rows[0]
        if self.long_lines.cut:
            cut = pl.Series(self.long_lines.cut, dtype=pl.UInt32)
            line = line - cut.search_sorted(rows, side="left").cast(pl.Int64)
        return frame.with_columns_seq(file=self.files_of(rows), line=line)

    def files_of(self, rows: pl.Series) -> pl.Series:
        """Name the file that each row comes from."""
        names = pl.Series(self.files, dtype=pl.String)
        if len(self.files) == 1:
            return names.new_from_index(0, len(rows))
        return names.gather(self._numbers_of(rows))

    def _numbers_of(self, rows: pl.Series) -> pl.Series:
        return pl.Series(self.first_rows, dtype=pl.UInt32).search_sorted(rows, side="right") - 1


@dataclass(frozen=True)
class _Block:
    """Lines, or what takes the place of a record; the last of them may be cut, and go on in the next block."""

    text: bytes | memoryview | Passed
    is_cut: bool = False


def lines_of(
    chunks: Callable[[], Iterable[bytes]], long_lines: LongLines, damage: dict[int, Damage], ahead: Ahead
) -> pl.LazyFrame:
    """Give the lines of a text in UTF-8 that comes in chunks, each time anew, as `row` and `text`.

    A record beyond the largest size, and a line that is not UTF-8, is a damage of its row, and stands there as an empty line.
    """

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        with ahead.drawing(), awaited():
            yield from drawn(columns, predicate, rows_wanted)

    def drawn(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None
    ) -> Iterator[pl.DataFrame]:
        row = 0
        long_lines.cut.clear()
        ahead.begin()
        batch_bytes = min(ahead.batch_bytes or BATCH_BYTES, BATCH_BYTES)
        for block in _blocks(iter(chunks()), long_lines.record_bytes, batch_bytes):
            if not ahead.draw():
                return
            if isinstance(block.text, Passed):
                damage[row] = _too_large(block.text, long_lines.record_bytes or 0)
            batch = _batch(b"\n" if isinstance(block.text, Passed) else block.text, row, damage)
            row += batch.height
            if block.is_cut:
                long_lines.cut.append(row - 1)
            if rows_wanted is not None:
                batch = batch.head(batch.height - max(0, row - rows_wanted))
            batch = batch if predicate is None else batch.filter(predicate)
            yield batch if columns is None or columns == batch.columns else batch.select(columns)
            if rows_wanted is not None and row >= rows_wanted:
                return
        ahead.on_end()

    return register_io_source(read, schema=SCHEMA, is_pure=True)  # pure: else each sink would read it anew


def rows_of(table: pl.LazyFrame, ahead: Ahead) -> pl.LazyFrame:
    """Give the rows of a table some at a time, as fast as they are worked on: the engine would hold many row groups of its file."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = table if columns is None else table.select(columns)
        wanted = wanted if rows_wanted is None else wanted.head(rows_wanted)
        with ahead.drawing(), awaited():
            ahead.begin()
            for begin in count(0, BATCH_ROWS):
                rows = wanted.slice(begin, BATCH_ROWS).collect(engine="in-memory")
                if not rows.height:
                    break
                if not ahead.draw():
                    return
                yield rows if predicate is None else rows.filter(predicate)
            ahead.on_end()

    return register_io_source(read, schema=table.collect_schema(), is_pure=True)


def _blocks(chunks: Iterator[bytes], record_bytes: int | None, batch_bytes: int) -> Iterator[_Block]:
    """Put chunks together, and cut them apart after line breaks, or else between the records of a line.

    A block's text is to be used before the next one is asked for.
    """
    window, line = _Window(chunks, batch_bytes), _OpenLine()
    while window.fill():
        piece, whole = window.text, window.end_of_lines()
        if whole:
            yield _Block(line.with_(piece[:whole]))
            line = _OpenLine()
            window.drop(whole)
            continue
        line.add(bytes(piece), follow=record_bytes is not None)
        window.drop(len(piece))
        if line.end:
            yield line.cut()
        if record_bytes is None or line.length <= record_bytes:
            continue
        begins = next_record(line.text)
        if begins:
            yield _Block(line.text[:begins], is_cut=True)
            window.put_back(line.text[begins:])
        else:
            passed, behind = passed_over(line.text, window.chunks, line.ends)
            yield _Block(passed, is_cut=True)
            window.put_back(behind)
        line = _OpenLine()
    rest = line.with_(window.text)
    if rest:
        yield _Block(rest)


class _Window:
    """The part of a text that is looked at, in memory that is used again: fresh pages would cost more than reading does."""

    def __init__(self, chunks: Iterator[bytes], batch_bytes: int) -> None:
        self.chunks = chunks
        self._batch_bytes = batch_bytes
        self._memory = bytearray(batch_bytes + CHUNK)
        self._length = 0

    @property
    def text(self) -> memoryview:
        """Give what was not dropped."""
        return memoryview(self._memory)[: self._length]

    def fill(self) -> bool:
        """Go on until there is so much more that it is worth a look; tell if there was any."""
        before = self._length
        for chunk in self.chunks:
            self._add(chunk)
            if self._length - before >= self._batch_bytes:
                break
        return self._length > before

    def _add(self, chunk: bytes) -> None:
        end = self._length + len(chunk)
        if end > len(self._memory):
            self._memory = self._memory[: self._length] + bytes(end - self._length)
        memoryview(self._memory)[self._length : end] = chunk  # a bytearray would make another one of it first
        self._length = end

    def end_of_lines(self) -> int:
        """Tell where the last line ends that is whole."""
        return self._memory.rfind(b"\n", 0, self._length) + 1

    def drop(self, count: int) -> None:
        """Let go of the first bytes."""
        rest = self._length - count
        self._memory[:rest] = self._memory[count : self._length]
        self._length = rest

    def put_back(self, text: bytes) -> None:
        """Have a text come again before the other chunks."""
        size = self._batch_bytes
        slices = (text[start : start + size] for start in range(0, len(text), size))
        self.chunks = chain(slices, self.chunks)


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

    def with_(self, more: memoryview) -> bytes | memoryview:
        """Give it with what ends it."""
        return b"".join([*self._parts, more]) if self._parts else more

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


def _batch(block: bytes | memoryview, row: int, damage: dict[int, Damage]) -> pl.DataFrame:
    texts, broken = split(block)
    for number, line in broken.items():
        found = not_utf8(line, line)
        if found is None:
            raise AssertionError(f"line {row + number + 1} is UTF-8 to Python, and to the kernel it is not")
        damage[row + number] = found
    rows = pl.int_range(row, row + len(texts), dtype=pl.UInt32, eager=True)
    return pl.DataFrame([rows.alias("row"), texts])


def told(beginning: str, count_bytes: int, sha256: str, limit_bytes: int) -> tuple[str, str]:
    """Give what stands for the text of a record that is too large, and what is said of it."""
    kept = {"head": writable(beginning[:HEAD_CHARACTERS]), "bytes": count_bytes, "sha256": sha256}
    message = f"has {count_bytes:,} bytes, more than a record may have; --set record_bytes=N allows it more than {limit_bytes:,}"
    return quoted(kept), message
