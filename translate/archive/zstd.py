"""Zstandard frames (RFC 8878) as far as saving what precedes damage needs: blocks are counted, not decompressed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPED = b"\x2a\x4d\x18"  # the end of the magic number of frames that hold no text
FRAME_HEAD = 8  # of such a frame: magic number and length
RUN_LENGTH = 1
SIZE_BYTES = (0, 2, 4, 8)
DICTIONARY_BYTES = (0, 1, 2, 4)


@dataclass(frozen=True)
class Block:
    """One block, and the frame that it belongs to."""

    frame: int
    window: int
    head: int
    body: bytes


def begins(stored: bytes) -> bool:
    """Tell whether bytes begin as zstd does, be it with a frame that holds no text."""
    return stored.startswith(MAGIC) or is_skipped(stored, 0)


def is_skipped(stored: bytes, position: int) -> bool:
    """Tell whether a frame that holds no text begins at a position."""
    return stored[position + 1 : position + 4] == SKIPPED and stored[position] >> 4 == 5


def text_begins(stored: bytes) -> int:
    """Tell where the frames end that hold no text and come first: the engine would not look beyond them."""
    position = 0
    while is_skipped(stored, position):
        position += FRAME_HEAD + int.from_bytes(stored[position + 4 : position + FRAME_HEAD], "little")
    return position


def blocks(stored: bytes) -> Iterator[Block]:
    """Give the blocks that are there as a whole."""
    position = frame = 0
    while True:
        if is_skipped(stored, position):
            position += FRAME_HEAD + int.from_bytes(stored[position + 4 : position + FRAME_HEAD], "little")
            continue
        if not stored.startswith(MAGIC, position) or len(stored) < position + 18:
            return
        window, has_checksum, position = _header(stored, position + 4)
        head = 0
        while not head & 1:
            head = int.from_bytes(stored[position : position + 3], "little")
            size = 1 if head >> 1 & 3 == RUN_LENGTH else head >> 3
            body = stored[position + 3 : position + 3 + size]
            if position + 3 > len(stored) or len(body) < size:
                return
            yield Block(frame, window, head, body)
            position += 3 + size
        position += 4 * has_checksum
        frame += 1


def _header(stored: bytes, position: int) -> tuple[int, bool, int]:
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


def closed(found: list[Block]) -> bytes:
    """Put blocks into frames that end after their last one, without promises of length and checksum."""
    parts: list[bytes] = []
    for index, block in enumerate(found):
        if index == 0 or found[index - 1].frame != block.frame:
            parts.append(MAGIC + bytes([0, block.window]))
        is_last = index + 1 == len(found) or found[index + 1].frame != block.frame
        parts += [(block.head & ~1 | is_last).to_bytes(3, "little"), block.body]
    return b"".join(parts)
