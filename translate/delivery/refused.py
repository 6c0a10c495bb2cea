"""Refused events: what a receiver will never take, with its reasons, and as requests that can be replayed once mended."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from translate.conversion import persistence
from translate.delivery.journal import OWNER_ONLY, records
from translate.delivery.parts import Parts
from translate.delivery.shipments import PackedRequest, closed

REASONS = "rejects.ndjson"
REQUESTS = "rejected.ndjson"

Refusals = dict[tuple[str, int], dict[int, tuple[str, str]]]


def refusals(journal: Path) -> Refusals:
    """Find the refused events of a journal: by part and line, the code and message of each position."""
    found: Refusals = {}
    places: dict[int, tuple[str, int]] = {}
    for record in records(journal):
        if "send" in record:
            places[record["send"]] = (record["part"], record["line"])
        elif "done" in record and (place := places.pop(record["done"], None)) and "never" in record:
            here = found.setdefault(place, {})
            here.update(
                {int(position): (code, message) for position, (code, message) in record["never"].items()}
            )
    return found


def write_refused(folder: Path, journal: Path, parts: Parts) -> None:
    """Write the refused events anew, in the order of the source: `rejects.ndjson` as `convert` does, and `rejected.ndjson`."""
    found = refusals(journal)
    if not found:
        return
    with _replaced(folder / REASONS) as reasons, _replaced(folder / REQUESTS) as requests:
        for packed in parts.requests():
            here = found.pop((packed.part, packed.line), None)
            if here:
                reasons.writelines(_reasons(packed, here))
                requests.write(closed(packed.shipment(list(here)).request, packed.layout) + "\n")
            if not found:
                break


def _reasons(packed: PackedRequest, refused: dict[int, tuple[str, str]]) -> Iterator[str]:
    for position, (code, message) in sorted(refused.items()):
        raw = json.dumps(packed.event(packed.ways[position]), ensure_ascii=False, separators=(",", ":"))
        entry: dict[str, Any] = {
            "file": packed.part,
            "line": packed.line,
            "code": code,
            "message": message,
            "raw": raw,
        }
        yield json.dumps(entry, ensure_ascii=False) + "\n"


@contextlib.contextmanager
def _replaced(file: Path) -> Iterator[IO[str]]:
    """Open a file that appears under its name only when it is complete."""
    temporary = file.with_suffix(".new")
    with open(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY),
        "w",
        encoding="utf-8",
        errors="backslashreplace",
    ) as output:
        yield output
        output.flush()
        os.fsync(output.fileno())
    persistence.move(temporary, file)
