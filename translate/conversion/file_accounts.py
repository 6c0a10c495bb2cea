"""What is told of each source file: a line each, written as units are done, for there may be a million of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from translate.archive.stored import SourceFile, digest_of
from translate.archive.units import Unit
from translate.conversion.report import COUNTS


class FileAccounts:
    """Writes what is told of files, in their order; stretches of one file are told of together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._output = path.open("w", encoding="utf-8")
        self._last: dict[str, Any] | None = None

    def add(self, accounts: Iterable[dict[str, Any]]) -> None:
        """Take in what is told of a unit's files."""
        for account in accounts:
            if self._last is not None and self._last["path"] == account["path"]:
                self._last = _together(self._last, account)
                continue
            self._write_last()
            self._last = account

    def _write_last(self) -> None:
        if self._last is not None:
            self._output.write(json.dumps(self._last, ensure_ascii=False) + "\n")

    def finish(self, last: SourceFile) -> Path:
        """End the file; of the last source file perhaps only a beginning was wanted, but its digest is that of the whole."""
        if self._last is not None and not last.ends_here:
            self._last = {**self._last, "digest": digest_of(replace(last, stretch=None))}
        self._write_last()
        self._output.close()
        return self.path


def _together(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Add the account of a stretch to that of what comes before it: its digest is of both."""
    return {**second, **{name: first[name] + second[name] for name in COUNTS}}


def described(
    unit: Unit, counts: Iterable[dict[str, Any]], digests: Mapping[str, str], layouts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Say of a unit's files what they are, beside what was counted of them."""
    counted = {account["path"]: account for account in counts}
    return [
        {
            "path": file.shown,
            "bytes": file.bytes,
            "digest": digests.get(file.shown, ""),
            **({"etag": file.tag} if file.tag else {}),
            **dict(zip(("model", "layout"), layouts.get(file.shown, "").partition("/")[::2], strict=True)),
            **counted.get(file.shown, dict.fromkeys(COUNTS, 0)),
        }
        for file in unit.files
    ]
