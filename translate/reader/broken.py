"""A line that is no text: of records that run together on it, each that is text is read, and each other one refused by itself."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from translate.archive.long_lines import NEXT_RECORD
from translate.reader.record import Record

if TYPE_CHECKING:
    from translate.reader.reader import Damage

BAD_ENCODING = "bad_encoding"
DAMAGE = "damage"  # what refuses a record that is none


def damaged(damage: Damage) -> Record:
    """Give the record that stands for a damage."""
    raw = damage.raw if isinstance(damage.raw, str) else damage.raw.decode()
    return Record(raw, code=damage.code, message=damage.message, base64=raw is not damage.raw, refuses=DAMAGE)


def records_in(damage: Damage, read: Callable[[str], Iterable[Record]]) -> list[Record]:
    """Give the records of a damaged line."""
    if damage.code != BAD_ENCODING or isinstance(damage.raw, str):
        return [damaged(damage)]
    pieces = [*_pieces(base64.b64decode(damage.raw))]
    if len(pieces) < 2:
        return [damaged(damage)]
    return [record for begin, piece in pieces for record in _records_of(begin, piece, read)]


def _records_of(begin: int, piece: bytes, read: Callable[[str], Iterable[Record]]) -> Iterator[Record]:
    try:
        text = piece.decode()
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: {error.reason} at byte {begin + error.start + 1} of the line"
        raw = base64.b64encode(piece).decode()
        yield Record(raw, code=BAD_ENCODING, message=message, base64=True, refuses=DAMAGE)
    else:
        yield from read(text)


def _pieces(line: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a line where one object ends and another one begins; tell where each piece begins."""
    begin = 0
    for found in NEXT_RECORD.finditer(line):
        yield begin, line[begin : found.end()]
        begin = found.end()
    yield begin, line[begin:]
