"""Small files read together: their text one after the other, as it is drawn, with damage in the places of lines."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import IO

from translate.archive import compression
from translate.archive.compression import ZLIB, layers, text_in
from translate.archive.lines import Block, blocks_of_lines, checked, join_records
from translate.archive.stored import ReadError, SourceFile, chunks_of, digest_of, ends_of, named
from translate.engine.texts import line_breaks
from translate.reader.reader import Damage


class Gathered:
    """The text of several files; where each begins, what is damaged and their digests are known once it was drawn."""

    def __init__(self, files: Sequence[SourceFile], refused: Mapping[str, Damage]) -> None:
        self._files = files
        self._refused = refused
        self.rows = 0
        self.first_rows: list[int] = []
        self.damage: dict[int, Damage] = {}
        self._digests: dict[str, str] = {}

    def digests(self) -> dict[str, str]:
        """Give the files' digests; nothing of what was refused or cannot be read."""
        own = {file.shown: digest_of(file) for file in self._files if file.stretch}
        return {
            file.shown: own.get(file.shown) or self._digests.get(file.shown) or self._digest_of(file)
            for file in self._files
        }

    def _digest_of(self, file: SourceFile) -> str:
        """Give the digest of a file that was not drawn, for nobody asked for more lines."""
        return "" if file.shown in self._refused or file.shown in self._digests else digest_of(file)

    @property
    def may_be_drawn(self) -> bool:
        """Tell whether the engine may ask for the text while it works: none of it needs the engine itself."""
        return not any(compression.is_zstd(ends_of(file)[0]) for file in self._files)

    # -- drawn --------------------------------------------------------------------------------------------------

    def texts(self) -> Iterator[bytes]:
        """Draw the text file by file, each time anew; raise DamagedError where careful reading would save more of a file."""
        self._begin()
        for file in self._files:
            self.first_rows.append(self.rows - file.lines_before)
            if file.shown in self._refused:
                yield self._damaged(self._refused[file.shown])
                continue
            try:
                stored = [*chunks_of(file)]
            except ReadError as error:
                yield self._unreadable(file, error)
                continue
            yield from self._ended(text_in(stored))
            digest = hashlib.sha256()
            for chunk in stored:
                digest.update(chunk)
            self._digests[file.shown] = named(digest)

    def _ended(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Count the lines of a text as it goes by; the last one ends, too."""
        last = b"\n"
        for last in pieces:
            self.rows += line_breaks(last)
            yield last
        if not last.endswith(b"\n"):
            self.rows += 1
            yield b"\n"

    def _begin(self) -> None:
        self.rows = 0
        self.first_rows.clear()
        self.damage.clear()

    def _damaged(self, damage: Damage) -> bytes:
        self.damage[self.rows] = damage
        self.rows += 1
        return b"\n"

    def _unreadable(self, file: SourceFile, error: ReadError) -> bytes:
        self._digests[file.shown] = ""
        return self._damaged(Damage("unreadable_file", f"the file cannot be read: {error}", ""))

    # -- written down -------------------------------------------------------------------------------------------

    def write(self, target: IO[bytes], joined: Collection[str]) -> None:
        """Write the text down, whatever precedes damage saved, records of some files put together."""
        self._begin()
        for file in self._files:
            self.first_rows.append(self.rows - file.lines_before)
            if file.shown in self._refused:
                target.write(self._damaged(self._refused[file.shown]))
            else:
                self._write_file(target, file, is_joined=file.shown in joined)

    def _write_file(self, target: IO[bytes], file: SourceFile, *, is_joined: bool) -> None:
        digest = hashlib.sha256()
        try:
            stored = _digested(chunks_of(file), digest)
            blocks = blocks_of_lines(layers(stored))
            for block in checked(join_records(blocks) if is_joined else blocks):
                self._write_block(target, block)
            for _ in stored:  # what follows damage is not looked at, but digested
                pass
        except ReadError as error:
            target.write(self._unreadable(file, error))
        else:
            self._digests[file.shown] = named(digest)

    def _write_block(self, target: IO[bytes], block: Block) -> None:
        if isinstance(block, Damage):
            target.write(self._damaged(block))
            return
        if self.rows == 0 and block.startswith(ZLIB):
            target.write(
                b" "
            )  # or the engine, which reads what was written to a file, would take it for compressed
        target.write(block)
        self.rows += block.count(b"\n")


def _digested(chunks: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
