"""Decompresses and copies the same bytes, which is the least that anyone has to do: python floor.py SOURCE TARGET."""

from __future__ import annotations

import sys
from pathlib import Path

try:
    from isal import igzip as gzip
except ImportError:
    import gzip

BLOCK = 4_000_000


def copy(source: Path, target: Path) -> None:
    """Copy the file, block by block."""
    target.mkdir()
    opened = gzip.open if source.suffix == ".gz" else open
    with opened(source, "rb") as file, (target / "copy").open("wb", buffering=0) as out:
        while block := file.read(BLOCK):
            out.write(block)


if __name__ == "__main__":
    copy(Path(sys.argv[1]), Path(sys.argv[2]))
