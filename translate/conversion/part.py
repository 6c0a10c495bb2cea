"""How rows become a unit's part: texts, a table's lines, requests that they are packed into, or the hub's Parquet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from translate.conversion.lines_file import LinesFile
from translate.conversion.plan import WRITTEN, Query
from translate.engine.library import library
from translate.engine.packed import KernelPacker
from translate.mapping.spec import Layout
from translate.settings import Settings
from translate.writer.packing import ROW, Packer


class PartOfUnit(ABC):
    """A unit's part, and how many events and requests came into it by a count of its own."""

    requests = 0
    events = 0
    beside: Iterable[pl.LazyFrame] = ()  # what is to be run besides `add`

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def add(self, written: pl.DataFrame) -> None:
        """Take in a batch of rows that are to be written."""

    @abstractmethod
    def finish(self) -> dict[Path, str]:
        """End the part; give its digest, where it is known."""


class LinesPart(PartOfUnit):
    """Rows that are lines of their own: JSON texts, or a table's."""

    def __init__(
        self, lines: LinesFile, columns: list[str], *, is_table: bool, is_headed: bool = True
    ) -> None:
        super().__init__(lines.path)
        self._is_headed = is_headed
        self._lines = lines
        self._columns = [pl.col(name).alias(name.removeprefix("=")) for name in columns]
        self._is_table = is_table

    def add(self, written: pl.DataFrame) -> None:
        """Write the rows."""
        if not self._is_table:
            self.events += self._lines.add_rows(written[ROW])
        elif written.height:
            is_headed = self._is_headed and not self.events
            table = written.select(self._columns)
            text = table.write_csv(include_header=is_headed, quote_style="necessary")
            self._lines.write(text.encode())
            self.events += table.height

    def finish(self) -> dict[Path, str]:
        """End the file."""
        return self._lines.close()


class RequestsPart(PartOfUnit):
    """Requests that rows are packed into as they come."""

    def __init__(
        self, lines: LinesFile, query: Query, layout: Layout, settings: Settings, sequence: int
    ) -> None:
        super().__init__(lines.path)
        self._lines = lines
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


class HubPart(PartOfUnit):
    """Hub events as Parquet, which the engine writes itself."""

    def __init__(self, path: Path, query: Query, row_group_rows: int | None = None) -> None:
        super().__init__(path)
        rows = query.rows.filter(WRITTEN).select(query.columns)
        self.beside = [rows.sink_parquet(path, row_group_size=row_group_rows, lazy=True)]

    def add(self, written: pl.DataFrame) -> None:
        """Leave it to the engine."""

    def finish(self) -> dict[Path, str]:
        """Count what was written."""
        self.events = int(pl.scan_parquet(self.path).select(pl.len()).collect().item())
        return {}
