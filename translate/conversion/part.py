"""How rows become a unit's part: texts, in one file or several, a table's lines, requests that they are packed into, or Parquet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from translate.conversion.lines_file import LinesFile
from translate.conversion.plan import WRITTEN, Query
from translate.engine.library import by_batches, library
from translate.mapping.portions import Files
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout
from translate.writer.kernel_packer import KernelPacker
from translate.writer.packing import ROW, Packer


class PartOfUnit(ABC):
    """A unit's part, and how many events and requests came into it by a count of its own."""

    requests = 0
    events = 0
    beside: Iterable[pl.LazyFrame] = ()  # what is to be run besides `add`
    opened: Iterable[LinesFile] = ()

    def __init__(self, path: Path) -> None:
        self.paths = [path]

    @abstractmethod
    def add(self, written: pl.DataFrame) -> None:
        """Take in a batch of rows that are to be written."""

    @abstractmethod
    def finish(self) -> dict[Path, str]:
        """End the part; give its digest, where it is known."""

    def let_go(self) -> None:
        """Let go of what is open, also where the part was not finished."""
        for lines in self.opened:
            lines.let_go()


class LinesPart(PartOfUnit):
    """Rows that are lines of their own: JSON texts, or a table's."""

    def __init__(
        self, lines: LinesFile, columns: list[str], *, is_table: bool, is_headed: bool = True
    ) -> None:
        super().__init__(lines.path)
        self._is_headed = is_headed
        self._lines = lines
        self.opened = [lines]
        self._columns = columns_of(columns)
        self._is_table = is_table

    def add(self, written: pl.DataFrame) -> None:
        """Write the rows."""
        if not self._is_table:
            self.events += self._lines.add_rows(written[ROW])
        elif written.height:
            is_headed = self._is_headed and not self.events
            table = written.select(self._columns)
            self._lines.write(csv_of(table, is_headed=is_headed).encode())
            self.events += table.height

    def finish(self) -> dict[Path, str]:
        """End the file."""
        return self._lines.close()


def columns_of(names: Iterable[str]) -> list[pl.Expr]:
    """Give the columns of a table under their own names."""
    return [pl.col(name).alias(name.removeprefix("=")) for name in names]


def csv_of(table: pl.DataFrame, *, is_headed: bool) -> str:
    """Write a table."""
    head = pl.DataFrame({name: [name] for name in table.columns})
    rows = pl.concat([rows_of(head), rows_of(table)]) if is_headed else rows_of(table)
    text: str = rows.str.join("\n").item()
    return text + "\n" if len(rows) else text


def rows_of(table: pl.DataFrame) -> pl.Series:
    """Give the text of each row of a table, as polars writes it: it would ask its streaming engine, one of whose threads this is.

    A cell that holds a sign of the format is quoted, and so is an empty text, for a cell without one is null.
    """
    cells = []
    for name, dtype in table.schema.items():
        cell = pl.col(name).cast(pl.String)
        if dtype == pl.String:
            quoted = pl.concat_str(pl.lit('"'), cell.str.replace_all('"', '""', literal=True), pl.lit('"'))
            cell = pl.when(cell.str.contains('[",\r\n]') | (cell == "")).then(quoted).otherwise(cell)
        cells.append(cell.fill_null(""))
    return table.select(pl.concat_str(cells, separator=",")).to_series()


class RequestsPart(PartOfUnit):
    """Requests that rows are packed into as they come."""

    def __init__(
        self, lines: LinesFile, query: Query, layout: Layout, settings: Settings, sequence: int
    ) -> None:
        super().__init__(lines.path)
        self._lines = lines
        self.opened = [lines]
        kernel = library()
        self._packer: Packer | KernelPacker = (
            KernelPacker(kernel, layout, settings, lines)
            if kernel is not None and KernelPacker.takes(layout, settings)
            else Packer(layout, settings, lines, sequence=sequence)
        )
        self._members = query.members

    def add(self, written: pl.DataFrame) -> None:
        """Write the requests that are full."""
        self._packer.add(written.select(self._members))

    def finish(self) -> dict[Path, str]:
        """Write the others, and end the file."""
        self._packer.finish()
        self.requests, self.events = self._packer.requests, self._packer.events
        return self._lines.close()


class CutLines:
    """Texts of rows in as many files as their receiver wants, each cut between rows and begun by a head: its name gets a number."""

    def __init__(
        self, begin: Callable[[Path], LinesFile], path: Path, files: Files, head: bytes = b"", total_bytes: int | None = None
    ) -> None:  # fmt: skip
        """Begin; who knows how much will come, its last file is not smaller than the receiver wants."""
        self._left_bytes = total_bytes
        self._begin = begin
        self._path = path
        self._files = files
        self._head = head
        self.pieces: list[LinesFile] = []
        self._is_open = False
        self._bytes, self._rows = len(head), 0  # of the last piece

    def add(self, rows: pl.Series) -> int:
        """Write texts, a line each; absent ones are none. Count the lines."""
        rows = rows.drop_nulls()
        ends = (rows.str.len_bytes().cast(pl.Int64) + 1).cum_sum()
        first = 0
        while first < len(rows):
            last = self._fitting(ends, first)
            if last > first:
                self._write(rows[first:last], int(ends[last - 1]) - self._before(ends, first))
                first = last
            else:
                self.cut()
        return len(rows)

    def cut(self) -> None:
        """Have what comes next lie in another file."""
        if self._is_open:
            self.pieces[-1].end()
        self._is_open, self._bytes, self._rows = False, len(self._head), 0

    def _fitting(self, ends: pl.Series, first: int) -> int:
        """Tell up to which row they fit into the last piece: an empty one takes a row of any length."""
        last = len(ends)
        if self._files.events_max is not None:
            last = min(last, first + self._files.events_max - self._rows)
        if self._files.bytes_max is not None:
            room = self._before(ends, first) + self._bytes_most(self._files.bytes_max) - self._bytes
            last = min(last, int(ends.search_sorted(room, side="right")))
        return max(last, first if self._rows else first + 1)

    def _bytes_most(self, bytes_max: int) -> int:
        """Tell how large the last piece may become: what is left after it may not be too small for another one."""
        if self._left_bytes is None or self._bytes + self._left_bytes <= bytes_max:
            return bytes_max
        return min(bytes_max, self._bytes + self._left_bytes - (self._files.bytes_min or 0))

    @staticmethod
    def _before(ends: pl.Series, first: int) -> int:
        return int(ends[first - 1]) if first else 0

    def _write(self, rows: pl.Series, size: int) -> None:
        if not self._is_open:
            numbered = self._path.name.replace(".", f"-{len(self.pieces):05}.", 1)
            self.pieces.append(self._begin(self._path.with_name(numbered)))
            self.pieces[-1].write(self._head)
            self._is_open = True
        self.pieces[-1].add_rows(rows)
        self._bytes += size
        self._rows += len(rows)
        self._left_bytes = None if self._left_bytes is None else self._left_bytes - size

    def close(self) -> tuple[list[Path], dict[Path, str]]:
        """End the files; name them, and give the digests of those where it is known."""
        digests = {path: digest for piece in self.pieces for path, digest in piece.close().items()}
        return [piece.path for piece in self.pieces], digests


class CutPart(PartOfUnit):
    """Rows in several files where one would be larger than their receiver wants: JSON texts, or those of a table's columns."""

    def __init__(
        self, begin: Callable[[Path], LinesFile], path: Path, files: Files, columns: Iterable[str] = ()
    ) -> None:
        super().__init__(path)
        self._columns = columns_of(columns)
        names = pl.DataFrame(schema=[column.meta.output_name() for column in self._columns])
        head = csv_of(names, is_headed=True).encode() if self._columns else b""
        self._lines = CutLines(begin, path, files, head)
        self.opened = self._lines.pieces

    def add(self, written: pl.DataFrame) -> None:
        """Write the rows."""
        rows = rows_of(written.select(self._columns)) if self._columns else written[ROW]
        self.events += self._lines.add(rows)

    def finish(self) -> dict[Path, str]:
        """End the files; a single one has the name of the part."""
        paths, digests = self._lines.close()
        if len(paths) != 1:
            self.paths = paths
            return digests
        paths[0].replace(self.paths[0])
        return dict(zip(self.paths, digests.values(), strict=False))


def shared(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Have the engine work rows out once for two sinks.

    It does so for what is the same to the letter and one step only: so nothing above this step may depend on the sink, and no
    two sinks may begin with the same step below it.
    """
    return by_batches(rows, _as_it_is)


def _as_it_is(batch: pl.DataFrame) -> pl.DataFrame:
    return batch


class ParquetPart(PartOfUnit):
    """Rows as Parquet, which the engine writes itself: hub events, or what is yet to be put in order.

    The query's rows are `shared`.
    """

    def __init__(
        self, path: Path, query: Query, columns: list[str], row_group_rows: int | None = None
    ) -> None:
        super().__init__(path)
        rows = query.rows.filter(WRITTEN).select(columns)
        self.beside = [rows.sink_parquet(path, row_group_size=row_group_rows, lazy=True)]

    def add(self, written: pl.DataFrame) -> None:
        """Leave it to the engine."""

    def finish(self) -> dict[Path, str]:
        """Count what was written."""
        self.events = int(pl.scan_parquet(self.paths[0]).select(pl.len()).collect().item())
        return {}
