"""What is kept beside the rows: a little of each, read in portions that neither time nor memory run out for."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from translate.conversion.sinks import BATCHES_BESIDE, RowsBeside, rows_beside


def kept(file: Path, heights: list[int]) -> list[pl.DataFrame]:
    """Keep batches of so many rows, and read them again."""
    with RowsBeside(file, lambda rows: rows) as beside:
        for height in heights:
            beside.add(pl.DataFrame({"number": range(height)}, schema={"number": pl.Int64}))
    return [*rows_beside([file, file.with_name("of a unit without rows")])]


def test_batches_without_rows_are_not_kept(tmp_path: Path) -> None:
    """A selection may leave all of an archive's batches without any."""
    assert kept(tmp_path / "none", [0] * 50) == []
    assert (tmp_path / "none").stat().st_size == 0
    assert [read.height for read in kept(tmp_path / "some", [0, 2, 0, 3])] == [5]


def test_many_batches_of_few_rows_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """However few rows they hold, no more than a stated number of them is held."""
    heights = [read.height for read in kept(tmp_path / "few", [1] * (BATCHES_BESIDE + 7))]
    assert heights == [BATCHES_BESIDE, 7]
