"""In which files records cannot be read: how many of each, and the first with its line and its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

FILES_MAX = 10_000
VALUED = frozenset(
    "time_implausible bad_time bad_number bad_body wrong_type not_a_record".split()
)  # their messages repeat what stands in the record


class Damages:
    """Records that cannot be read, by file; of files that are too many to list only the count is known."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[int, int, str, str]] = {}

    def add(self, bad: pl.DataFrame) -> None:
        """Count the unreadable records of a batch."""
        first = pl.col("unreadable.line").arg_min()
        counted = bad.group_by(file="unreadable.file").agg(
            pl.len().alias("records"),
            *(
                pl.col(name).get(first).alias(name)
                for name in ("unreadable.line", "code", "unreadable.message")
            ),
        )
        for file, *told in counted.sort("file").iter_rows():
            self._take(str(file), *told)

    def absorb(self, other: Damages) -> None:
        """Add those of another one."""
        for file, told in other._files.items():
            self._take(file, *told)

    def _take(self, file: str, records: int, line: int | None, code: str, message: str | None) -> None:
        known = self._files.get(file)
        if known is None:
            if len(self._files) < FILES_MAX:
                self._files[file] = (records, line or 0, code, message or "")
            return
        first = known[1:] if known[1] <= (line or 0) else (line or 0, code, message or "")
        self._files[file] = (known[0] + records, *first)

    def worst_first(self, *, examples: bool) -> Iterator[dict[str, Any]]:
        """Give the files, those with the most such records first; a reason holds no value of the record without `examples`."""
        for file, (records, line, code, message) in sorted(
            self._files.items(), key=lambda entry: (-entry[1][0], entry[0])
        ):
            told = code.replace("_", " ") if not message or (code in VALUED and not examples) else message
            yield {"file": file, "records": records, "line": line, "code": code, "reason": told}
