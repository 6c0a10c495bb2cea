"""Whether what an earlier run left is of the same job, and read what lies there now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from translate.archive.sources import SourceFile
from translate.archive.units import digest_of
from translate.errors import UsageError


def is_same(head: dict[str, Any], report: dict[str, Any]) -> bool:
    """Tell whether a report is of a run that was asked for the same."""
    return all(report.get(name) == value for name, value in json.loads(json.dumps(head)).items())


def changed(told: Iterable[dict[str, Any]], files: Iterable[SourceFile]) -> Iterator[str]:
    """Name the files that hold other bytes than a run said, or are gone; what it could not read has no digest."""
    here = {file.shown: file for file in files}
    for about in told:
        file = here.get(about["path"])
        if file is None or file.bytes != about["bytes"] or not _is_of(about["digest"], file):
            yield about["path"]


def _is_of(digest: str, file: SourceFile) -> bool:
    """Tell whether a digest is that of a file; older reports left the algorithm's name out."""
    return not digest or digest_of(file).endswith(digest)


def refuse_changed(told: Iterable[dict[str, Any]], files: Iterable[SourceFile]) -> None:
    """Raise UsageError for a file that holds other bytes than when it was converted; one with a tag is known by that."""
    read = {file.shown: file for file in files}
    for path in changed((about for about in told if not read[about["path"]].tag), read.values()):
        raise UsageError(
            f"{read[path].location}: holds other bytes than when it was converted, at the same size and time; "
            "name a new directory to convert it as it is now"
        )
