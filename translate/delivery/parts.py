"""Parts: the files of packed requests that a replay sends, line by line, and of those whose events were refused for good."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from translate.archive.compression import layers
from translate.archive.stored import SourceFile, chunks_of
from translate.conversion import persistence
from translate.delivery.journal import OWNER_ONLY
from translate.delivery.records import Settled, records
from translate.delivery.shipments import PackedRequest, closed, unpack
from translate.errors import SourceError
from translate.mapping.spec import Layout
from translate.reader.reader import Damage

REASONS = "rejects.ndjson"
REQUESTS = "rejected.ndjson"

Refusals = dict[tuple[str, int], dict[int, tuple[str, str]]]


@dataclass(frozen=True)
class Parts:
    """All parts below a folder, in sorted order; each is named by its path from there."""

    folder: Path
    layout: Layout

    @property
    def files(self) -> list[tuple[str, Path]]:
        """Give each part's name and file."""
        found = sorted(path for path in self.folder.rglob("part-*") if path.is_file())
        return [(path.relative_to(self.folder).as_posix(), path) for path in found]

    def described(self) -> list[list[Any]]:
        """Give the name, bytes and time of each part, for digests."""
        return [[name, file.stat().st_size, file.stat().st_mtime_ns] for name, file in self.files]

    def requests(self, settled: Settled | None = None) -> Iterator[PackedRequest]:
        """Read the requests that are not settled as a whole; raise SourceError where a part is damaged."""
        for name, file in self.files:
            for number, line in enumerate(_lines(name, file), 1):
                if settled is None or not settled.is_whole(name, number):
                    yield _unpacked(name, number, line, self.layout)


def _unpacked(part: str, number: int, line: bytes, layout: Layout) -> PackedRequest:
    try:
        return unpack(part, number, line, layout)
    except ValueError as error:
        raise SourceError(
            f"{part}:{number}: is no request of {layout.address} ({error}); convert the source again"
        ) from None


def _lines(name: str, file: Path) -> Iterator[bytes]:
    rest = b""
    for block in layers(iter(chunks_of(SourceFile.at(str(file), name, file.stat().st_size)))):
        if isinstance(block, Damage):
            raise SourceError(f"{name}: is damaged ({block.message}); convert the source again")
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest


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
