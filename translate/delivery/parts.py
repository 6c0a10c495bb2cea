"""Parts: the files of packed requests that a replay sends, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate.archive.compression import layers
from translate.archive.sources import SourceFile, chunks_of
from translate.delivery.journal import Settled
from translate.delivery.shipments import PackedRequest, unpack
from translate.errors import SourceError
from translate.mapping.spec import Layout
from translate.reader.reader import Damage


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
    for block in layers(iter(chunks_of(SourceFile(str(file), name, file.stat().st_size)))):
        if isinstance(block, Damage):
            raise SourceError(f"{name}: is damaged ({block.message}); convert the source again")
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest
