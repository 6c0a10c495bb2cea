"""Shows that nobody who was to be erased stands in what a replay wrote down, or where: its journal is read again."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate.conversion import persistence
from translate.conversion.erased import PLACES_MAX, Looking, in_order, look_through, traces_of
from translate.conversion.output import REPORT
from translate.errors import UsageError
from translate.recipe.erasure import OPTION, Erasure, listed_in

CONVERTED = "converted"
KNOWN = "erased.json"  # what events had for the hashes of a list, until all is sent
LOCK, UNFINISHED = "lock", ".new"
PUT_BACK = "put it back, or name another folder to begin anew"
ANOTHER_LIST = "is converted already, and {what}, so --erase comes too late; convert it anew with it"


@dataclass(frozen=True)
class ErasedReplay:
    """Those who are left out of a replay, and what its conversion proved of the `rows` that it left."""

    erasure: Erasure
    told: dict[str, Any]
    rows: str

    @classmethod
    def of_converted(cls, source: Path, report: dict[str, Any], erase: Any) -> ErasedReplay:
        """Take a directory that was converted with the same list; raise UsageError for another one."""
        erasure = listed_in(erase)
        if report.get("selection", {}).get("erase") != erasure.described():
            raise UsageError(f"{source}: {ANOTHER_LIST.format(what='not with this list')}")
        if erasure.is_by_hash:
            raise UsageError(
                f"{source}: for whom the hashes of {OPTION} stand, only its conversion knew: name its source in its place"
            )
        return cls(erasure, report["erasure"], f"{source}/")

    def told_of(self, folder: Path, report: dict[str, Any]) -> dict[str, Any]:
        """Give what the report says of rows, journal, answers, refused events and itself, as it lies in the folder afterwards."""
        known = folder / KNOWN
        if self.erasure.is_by_hash and not known.exists():
            return self._as_before(folder)
        texts = persistence.read_values(known, PUT_BACK) if known.exists() else {}
        traces = traces_of(self.erasure, texts)
        parts = look_through(lambda name: nullcontext(folder / name), _written(folder), traces)
        own = Looking(traces, REPORT)
        own.add(json.dumps(report, indent=1, ensure_ascii=False).encode())
        parts.append(own.end())
        looked, rows = self.told["looked_through"], self.told["places"]
        mine = [place for each in parts for place in each.places]
        return {
            **self.told,
            "looked_through": {
                "files": looked["files"] + len(parts),
                "lines": looked["lines"] + sum(each.lines for each in parts),
            },
            "found": self.told["found"] + sum(each.found for each in parts),
            "places": [*({**place, "file": f"{self.rows}{place['file']}"} for place in rows), *mine][
                :PLACES_MAX
            ],
        }

    def _as_before(self, folder: Path) -> dict[str, Any]:
        """Give what was told when all was sent: since then nothing was."""
        before = persistence.read_values(folder / REPORT, PUT_BACK) if (folder / REPORT).exists() else {}
        if "erasure" not in before:
            raise UsageError(f"{folder / KNOWN}: is gone; {PUT_BACK}")
        told: dict[str, Any] = before["erasure"]
        return told


def _written(folder: Path) -> list[str]:
    """Name what lies below a journal, but for the conversion, which was looked through, and what holds those listed for now."""
    below = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    mine = (file for file in below if file.parts[0] not in (CONVERTED, KNOWN, LOCK, REPORT))
    return in_order(file for file in mine if file.suffix != UNFINISHED)


def with_erasure(report: dict[str, Any], erased: ErasedReplay | None, folder: Path) -> dict[str, Any]:
    """Give a report with what it says of those who were to be erased, last so that its lines stay where they are."""
    return {**report, "erasure": erased.told_of(folder, report)} if erased else report
