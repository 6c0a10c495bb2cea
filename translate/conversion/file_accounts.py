"""What is told of each source file: a line each, written as units are done, for there may be a million of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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

    def finish(self, whole_digest: str | None = None) -> Path:
        """End the file; the digest is that of the last file, if it was not read to its end."""
        if whole_digest is not None and self._last is not None:
            self._last = {**self._last, "digest": whole_digest}
        self._write_last()
        self._output.close()
        return self.path


def _together(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Add the account of a stretch to that of what comes before it: its digest is of both."""
    return {**second, **{name: first[name] + second[name] for name in COUNTS}}
