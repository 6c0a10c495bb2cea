"""Hourly folders: what their names say of the events inside, and which are left out where someone trusts that."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from translate.archive.sources import SourceFile, expect
from translate.errors import SourceError, UsageError

HOURLY = re.compile(
    r"(?:^|/)(?:year=)?(\d{4})/(?:month=)?(\d{2})/(?:day=)?(\d{2})(?:/(?:hour=)?(\d{2}))?(?=/)"
    r"|(?:^|/)(?:\w+=)?(\d{4})-(\d{2})-(\d{2})(?:/(?:\w+=)?(\d{2}))?(?=/)"
)


@dataclass(frozen=True)
class Trusted:
    """Folders that were left out for their names, with the number and the bytes of their files."""

    days: float
    folders: dict[str, int]
    bytes: int

    def described(self) -> dict[str, Any]:
        """Give what the report says of it."""
        folders = [{"folder": name, "files": count} for name, count in sorted(self.folders.items())]
        return {
            "days": self.days,
            "files": sum(self.folders.values()),
            "bytes": self.bytes,
            "folders": folders,
        }


def near(
    files: Iterable[SourceFile], since: dt.datetime | None, until: dt.datetime | None, days: float
) -> tuple[list[SourceFile], Trusted]:
    """Leave out the files whose hourly folder lies further than some days from the times asked for."""
    if since is None and until is None:
        raise UsageError("--trust-folders needs --since or --until: it leaves out what lies far from them")
    if days < 0:
        raise UsageError(f"--trust-folders {days:g}: a number of days, 0 or more")
    margin = dt.timedelta(days=days)
    kept: list[SourceFile] = []
    folders: Counter[str] = Counter()
    left_out_bytes = 0
    for file in files:
        found = HOURLY.search(file.location)
        span = _span(found) if found else None
        is_far = span is not None and (
            (since is not None and span[1] <= since - margin)
            or (until is not None and span[0] >= until + margin)
        )
        if found and is_far:
            folders[found[0].strip("/")] += 1
            left_out_bytes += file.bytes
        else:
            kept.append(file)
    if not kept:
        raise SourceError(
            f"--trust-folders {days:g}: each of the {sum(folders.values()):,} files lies in a folder that is further "
            "away from --since and --until than that; name more days, or leave it out"
        )
    expect(kept)
    return kept, Trusted(days, dict(folders), left_out_bytes)


def _span(found: re.Match[str]) -> tuple[dt.datetime, dt.datetime] | None:
    """Give the time that a folder's name speaks of; None where it is no time."""
    year, month, day, hour = (found[group] or found[group + 4] for group in (1, 2, 3, 4))
    try:
        begin = dt.datetime(int(year), int(month), int(day), int(hour or 0), tzinfo=dt.UTC)
    except ValueError:
        return None
    return begin, begin + (dt.timedelta(hours=1) if hour else dt.timedelta(days=1))
