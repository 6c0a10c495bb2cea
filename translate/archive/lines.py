"""Bytes to whole lines of UTF-8; damage comes in the place of a line."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]')
DEPTH = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}


@dataclass(frozen=True)
class Damage:
    """Something in a file that is no line of text: told as a reject in the place of a line.

    `doubtful` tells how many lines right before it were read, but failed a checksum with it.
    """

    code: str
    message: str
    raw: str | bytes  # bytes are base64: what is no text
    doubtful: int | None = None


Block = bytes | Damage


def blocks_of_lines(chunks: Iterator[Block]) -> Iterator[Block]:
    """Cut a stream into blocks of whole lines; a record that damage cuts off is part of the damage."""
    carried: list[bytes] = []
    for chunk in chunks:
        if isinstance(chunk, Damage):
            yield from _cut_off(b"".join(carried), chunk)
            return
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline:
            yield b"".join([*carried, whole, newline])
            carried = [rest]
        else:
            carried.append(chunk)
    last = b"".join(carried)
    if last:
        yield last + b"\n"


def _cut_off(line: bytes, damage: Damage) -> Iterator[Block]:
    """Keep the whole records of the line before the damage; what has a text of its own cut nothing off."""
    end = len(line) if damage.raw else _end_of_records(line)
    is_kept = bool(line[:end].strip())
    if is_kept:
        yield line[:end] + b"\n"
    doubtful = None if damage.doubtful is None else damage.doubtful + is_kept
    yield replace(damage, raw=damage.raw or _as_raw(line[end:]), doubtful=doubtful)


def _end_of_records(line: bytes) -> int:
    """Tell where the last whole record of a line ends."""
    end = depth = 0
    for token in TOKENS.finditer(line):
        depth += DEPTH.get(token[0], 0)
        if depth == 0 and token[0] == b"}":
            end = token.end()
    return end


def _as_raw(line: bytes) -> str | bytes:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return base64.b64encode(line)


def not_utf8(line: bytes, record: bytes) -> Damage | None:
    """Say where a line is not UTF-8, if it is not, and what record is damaged by that."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: {error.reason} at byte {error.start + 1} of the line"
        return Damage("bad_encoding", message, base64.b64encode(record.rstrip(b"\n")))
    return None
