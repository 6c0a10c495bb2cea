"""Sees through gzip and zstd, by content and however often applied, and keeps what precedes damage."""

from __future__ import annotations

import base64
import itertools
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from translate.archive.lines import Block, Damage

ZSTD = b"\x28\xb5\x2f\xfd"
SKIPPED = b"\x2a\x4d\x18"  # the end of the magic number of frames that hold no text
FRAME_HEAD = 8  # of such a frame: magic number and length
RUN_LENGTH = 1
SIZE_BYTES = (0, 2, 4, 8)
DICTIONARY_BYTES = (0, 1, 2, 4)


@dataclass(frozen=True)
class ZstdBlock:
    """One block, and the frame that it belongs to."""

    frame: int
    window: int
    head: int
    body: bytes


def is_zstd(stored: bytes) -> bool:
    """Tell whether bytes begin as zstd does, be it with a frame that holds no text."""
    return stored.startswith(ZSTD) or is_skipped_frame(stored, 0)


def is_skipped_frame(stored: bytes, position: int) -> bool:
    """Tell whether a frame that holds no text begins at a position."""
    return stored[position + 1 : position + 4] == SKIPPED and stored[position] >> 4 == 5


def after_skipped_frames(stored: bytes) -> int:
    """Tell where the frames end that hold no text and come first: the engine would not look beyond them."""
    position = 0
    while is_skipped_frame(stored, position):
        position += FRAME_HEAD + int.from_bytes(stored[position + 4 : position + FRAME_HEAD], "little")
    return position


def zstd_blocks(stored: bytes) -> Iterator[ZstdBlock]:
    """Give the blocks that are there as a whole."""
    position = frame = 0
    while True:
        if is_skipped_frame(stored, position):
            position += FRAME_HEAD + int.from_bytes(stored[position + 4 : position + FRAME_HEAD], "little")
            continue
        if not stored.startswith(ZSTD, position) or len(stored) < position + 18:
            return
        window, has_checksum, position = _frame_head(stored, position + 4)
        head = 0
        while not head & 1:
            head = int.from_bytes(stored[position : position + 3], "little")
            size = 1 if head >> 1 & 3 == RUN_LENGTH else head >> 3
            body = stored[position + 3 : position + 3 + size]
            if position + 3 > len(stored) or len(body) < size:
                return
            yield ZstdBlock(frame, window, head, body)
            position += 3 + size
        position += 4 * has_checksum
        frame += 1


def _frame_head(stored: bytes, position: int) -> tuple[int, bool, int]:
    """Give a frame's window descriptor, whether a checksum ends it, and where its blocks begin."""
    descriptor = stored[position]
    position += 1
    is_single = bool(descriptor & 32)
    window = 0
    if not is_single:
        window = stored[position]
        position += 1
    position += DICTIONARY_BYTES[descriptor & 3]
    size_bytes = SIZE_BYTES[descriptor >> 6] or int(is_single)
    if is_single:  # the window is the text: give it as the next power of two
        text_bytes = int.from_bytes(stored[position : position + size_bytes], "little") + 256
        window = max(text_bytes.bit_length() - 10, 0) << 3
    return window, bool(descriptor & 4), position + size_bytes


def closed_frames(found: list[ZstdBlock]) -> bytes:
    """Put blocks into frames that end after their last one, without promises of length and checksum."""
    parts: list[bytes] = []
    for index, block in enumerate(found):
        if index == 0 or found[index - 1].frame != block.frame:
            parts.append(ZSTD + bytes([0, block.window]))
        is_last = index + 1 == len(found) or found[index + 1].frame != block.frame
        parts += [(block.head & ~1 | is_last).to_bytes(3, "little"), block.body]
    return b"".join(parts)


# -- compression, by content and however often applied -------------------------------------------------------

try:  # more than twice as fast, but nothing can be had of it that comes before damage
    from isal import isal_zlib

    fast_zlib: Any = isal_zlib
except ImportError:
    fast_zlib = zlib

GZIP = b"\x1f\x8b"
LAYERS_MAX = 4
TEXT_MAX = 1 << 18
KEPT_MAX = 1 << 20  # bytes of what is no gzip
BLOCKS_TRIED = 3  # the last whole block may end within a character: so try one after the other at first


def layers(chunks: Iterator[Block], depth: int = LAYERS_MAX) -> Iterator[Block]:
    """See through compression by content, also where it was applied twice."""
    first = next(chunks, b"")
    rest = itertools.chain([first], chunks)
    if isinstance(first, Damage) or depth == 0:
        yield from rest
    elif first.startswith(GZIP):
        yield from layers(inflate(rest), depth - 1)
    elif is_zstd(first):
        yield from layers(_unzstd(rest), depth - 1)
    else:
        yield from rest


class DamagedError(OSError):
    """Compressed data is not whole."""


def inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a gzip file that is whole, the fast way, in pieces; raise DamagedError if it is not."""
    inflater = fast_zlib.decompressobj(wbits=31)
    fresh, full = True, False
    for given in chunks:
        chunk = given
        while chunk or full:
            if fresh:
                chunk = chunk.lstrip(b"\x00")  # padding with zeros is usual
            fresh = fresh and not chunk
            try:
                text = inflater.decompress(chunk, TEXT_MAX)
            except fast_zlib.error as error:
                raise DamagedError(str(error)) from error
            yield text
            full = len(text) == TEXT_MAX  # then there may be more of what went in
            chunk = inflater.unused_data or inflater.unconsumed_tail
            if inflater.eof:
                inflater, fresh, full = fast_zlib.decompressobj(wbits=31), True, False
    if not fresh:
        raise DamagedError("the compressed data ends too early")


def text_in(stored: Iterable[bytes]) -> Iterator[bytes]:
    """Give the text of a file that is held as it is stored, the fast way, in pieces; raise DamagedError where that is not enough.

    It asks the engine for nothing, so that the engine may ask for it.
    """
    pieces: Iterator[bytes] = iter(stored)
    for _ in range(LAYERS_MAX):
        first = next(filter(None, pieces), b"")
        pieces = itertools.chain([first], pieces)
        if is_zstd(first):
            raise DamagedError("zstd is for the engine")
        if not first.startswith(GZIP):
            break
        pieces = inflated(pieces)
    yield from filter(None, pieces)


def inflate(chunks: Iterator[Block]) -> Iterator[Block]:
    """Decompress the members of a gzip file; what is damaged comes last, as a damage."""
    inflater = zlib.decompressobj(wbits=31)
    fresh, full = True, False
    lines = 0  # of this member
    for chunk in chunks:
        if isinstance(chunk, Damage):
            yield chunk if chunk.doubtful is None else replace(chunk, doubtful=lines)
            return
        while chunk or full:
            if fresh:
                chunk = chunk.lstrip(b"\x00")  # noqa: PLW2901  padding with zeros is usual
            if fresh and not chunk.startswith(GZIP[: len(chunk)]):
                message = "bytes that are no gzip follow the compressed text"
                yield Damage("damaged_file", message, base64.b64encode(_with_more(chunk, chunks)))
                return
            fresh = fresh and not chunk
            before = inflater.copy()
            try:
                text = inflater.decompress(chunk, TEXT_MAX)
            except zlib.error as error:
                text = b"".join(_up_to_damage(before, chunk))
                yield text
                yield _damaged(str(error).rpartition(": ")[2], lines + text.count(b"\n"))
                return
            lines += text.count(b"\n")
            yield text
            full = len(text) == TEXT_MAX  # then there may be more of what went in
            chunk = inflater.unused_data or inflater.unconsumed_tail  # noqa: PLW2901
            if inflater.eof:
                inflater, fresh, full, lines = zlib.decompressobj(wbits=31), True, False, 0
    if not fresh:
        yield Damage("damaged_file", "the compressed data ends too early: what follows is lost", "")


def _with_more(begun: bytes, chunks: Iterator[Block]) -> bytes:
    """Give what follows, as much of it as a reject keeps."""
    parts = [begun]
    while sum(map(len, parts)) < KEPT_MAX and isinstance(chunk := next(chunks, None), bytes):
        parts.append(chunk)
    return b"".join(parts)[:KEPT_MAX]


def _damaged(reason: str, lines: int) -> Damage:
    """Say that compressed data is damaged, after so many lines of its part: no checksum vouches for these."""
    message = f"the compressed data is damaged ({reason}): what precedes it in its part may be altered, what follows is lost"
    return Damage("damaged_file", message, "", lines)


def _up_to_damage(inflater: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """Decompress byte by byte, so that everything before the damage is kept."""
    for position in range(len(chunk)):
        try:
            text = inflater.decompress(chunk[position : position + 1])
        except zlib.error:
            return
        if text:
            yield text


def _unzstd(chunks: Iterator[Block]) -> Iterator[Block]:
    """Decompress zstd with the engine's decoder, as a whole; where it fails, the whole blocks before the damage."""
    parts = list(chunks)
    stored = b"".join(part for part in parts if isinstance(part, bytes))
    damage = next((part for part in parts if isinstance(part, Damage)), None)
    start = after_skipped_frames(stored)
    try:
        if start > len(stored):
            raise OSError("a frame ends too early")
        if start < len(stored):
            yield _engine_text(stored[start:]) + b"\n"
    except (PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        text = _text_before_damage(list(zstd_blocks(stored)))
        damage = _damaged(reason, text.count(b"\n"))
        yield text
    if damage:
        yield damage


def _engine_text(stored: bytes) -> bytes:
    """Decompress with the engine, which raises OSError or PolarsError; the last newline is left out."""
    lines = pl.scan_lines(stored, name="text").collect(engine="streaming")["text"]
    return "\n".join(lines).encode()


def _text_before_damage(blocks: list[ZstdBlock]) -> bytes:
    """Find the most blocks that can be decompressed: usually all that are whole, else by halving."""
    sound, text = 0, b""
    damaged = len(blocks) + 1
    tried = len(blocks)
    while sound < tried < damaged:
        try:
            text = _engine_text(closed_frames(blocks[:tried]))
            sound = tried
        except (PolarsError, OSError):
            damaged = tried
        tried = damaged - 1 if damaged > len(blocks) - BLOCKS_TRIED else (sound + damaged) // 2
    return text
