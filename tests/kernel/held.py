"""Lines read by the kernel and by the reference, held against each other."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

sys.path.append(str(Path(__file__).resolve().parent.parent))  # the fuzz target runs without pytest

from test_readers_agree import HEAD, mutated, read_layouts, sample_lines, told

from translate.archive.batches import Lines
from translate.mapping import find_layout
from translate.reader.reader import Reader

__all__ = [
    "ARCHIVE",
    "HEAD",
    "differences",
    "mutated",
    "read",
    "read_alike",
    "read_layouts",
    "sample_lines",
    "told",
]

ARCHIVE = "mobile_analytics/archive"


@cache
def _found(address: str) -> Any:
    return find_layout(address)


def read(lines: list[str], address: str = ARCHIVE, **options: Any) -> pl.DataFrame:
    """Read lines into raw records, as one batch."""
    mapping, layout = _found(address)
    frame = pl.DataFrame(
        {"row": pl.Series(range(len(lines)), dtype=pl.UInt32), "text": pl.Series(lines, dtype=pl.String)}
    )
    reader = Reader(layout, mapping.names, **options)
    return reader.records(Lines(frame.lazy(), ["a.json"], [0], are_read_once=True)).collect(
        engine="in-memory"
    )


def differences(lines: list[str], address: str = ARCHIVE) -> list[int]:
    """Give the numbers of the lines of which the kernel says anything else than the reference."""
    by_kernel, by_reference = (
        _by_row(told(read(lines, address, careful_only=only))) for only in (False, True)
    )
    return [row for row in range(len(lines)) if by_kernel.get(row) != by_reference.get(row)]


def read_alike(lines: list[str], address: str = ARCHIVE) -> pl.DataFrame:
    """Read lines by both, which have to agree; give the kernel's records."""
    by_kernel, by_reference = (read(lines, address, careful_only=only) for only in (False, True))
    assert told(by_kernel) == told(by_reference)
    return by_kernel


def _by_row(records: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for record in records:
        found.setdefault(record["row"], []).append(record)
    return found
