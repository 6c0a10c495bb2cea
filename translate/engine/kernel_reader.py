"""Lines of JSON to raw records by the kernel; a line that it does not decide is given back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import polars as pl

from translate import events, notes
from translate.engine.library import library, through
from translate.engine.program import Program, understood
from translate.mapping.spec import Layout, Spelling

BATCH_BYTES_MAX = 1 << 29  # offsets into a batch's texts have 32 bits


class KernelReader:
    """Reads the lines of one layout."""

    def __init__(self, kernel: Any, layout: Layout, names: Mapping[str, Spelling], record_bytes: int) -> None:
        self._read_lines = kernel.translate_read_lines
        self._program = Program(layout, names, record_bytes)

    @classmethod
    def of(cls, layout: Layout, names: Mapping[str, Spelling], record_bytes: int) -> Self | None:
        """Give a reader of the layout; None if there is no kernel, or none that reads it."""
        kernel = library()
        return cls(kernel, layout, names, record_bytes) if kernel is not None and understood(layout) else None

    def read(self, lines: pl.DataFrame, apart: pl.Series | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Read a batch of `row` and `text`; give raw records, and the lines that are left, those set apart among them."""
        texts = lines.select(text=lines["text"] if apart is None else lines["text"].set(apart, None))
        if int(texts["text"].str.len_bytes().sum() or 0) > BATCH_BYTES_MAX and lines.height > 1:
            return self._by_halves(lines, apart)
        found = through(texts, lambda given, made: self._read_lines(self._program.pointer, given, made))
        is_odd = found["odd"].is_not_null()
        left = lines[found["batch_row"].filter(is_odd)] if is_odd.any() else lines.clear()
        return self._records(found.filter(~is_odd) if left.height else found, lines), left

    def _by_halves(self, lines: pl.DataFrame, apart: pl.Series | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        middle = lines.height // 2
        parts = [(lines[:middle], apart and apart[:middle]), (lines[middle:], apart and apart[middle:])]
        read, left = zip(*(self.read(*part) for part in parts), strict=True)
        return pl.concat(read), pl.concat(left)

    @staticmethod
    def _records(found: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
        numbers = found["batch_row"]
        whole = (
            lines
            if found.height == lines.height and (numbers == pl.int_range(lines.height, eager=True)).all()
            else lines[numbers]
        )
        text = found["text"]
        return found.with_columns(
            row=whole["row"],
            part=found["part"].cast(pl.UInt32),
            nulls=found["nulls"].cast(pl.UInt32),
            text=whole["text"] if text.null_count() == len(text) else text.fill_null(whole["text"]),
            notes=found["notes"].cast(notes.NOTES_TYPE),
            code=pl.lit(None, pl.String),
            message=pl.lit(None, pl.String),
            base64=pl.lit(False),
            careful=pl.lit(False),
            original_name=pl.lit(None, pl.String),
        ).with_columns(pl.col(name).cast(events.MAP) for name in events.MAPS)
