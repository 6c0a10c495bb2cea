"""What is refused unparsed: lines that are no text, and records beyond the largest size.

Of records that run together on a line that is no text, each that is text is read, and each other one refused by itself.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from translate.archive.batches import TOO_LARGE, told
from translate.archive.drawing import NEXT_RECORD
from translate.reader.record import Record

if TYPE_CHECKING:
    from translate.archive.lines import Damage


BAD_ENCODING = "bad_encoding"
DAMAGE = "damage"  # what refuses a record that is none


def damaged(damage: Damage) -> Record:
    """Give the record that stands for a damage."""
    raw = damage.raw if isinstance(damage.raw, str) else damage.raw.decode()
    return Record(raw, code=damage.code, message=damage.message, base64=raw is not damage.raw, refuses=DAMAGE)


def records_in(damage: Damage, read: Callable[[str], Iterable[Record]]) -> Iterator[tuple[str, list[Record]]]:
    """Give the records of a damaged line, piece by piece, each with the text of its piece."""
    pieces = []
    if damage.code == BAD_ENCODING and not isinstance(damage.raw, str):
        pieces = [*_pieces(base64.b64decode(damage.raw))]
    if len(pieces) < 2:
        yield "", [damaged(damage)]
        return
    first = 0
    for begin, piece in pieces:
        text, records = _records_of(begin, piece, read)
        for record in records:
            record.first_request = first
            record.request += first
        first = max((record.request for record in records), default=first) + 1
        yield text, records


def _records_of(
    begin: int, piece: bytes, read: Callable[[str], Iterable[Record]]
) -> tuple[str, list[Record]]:
    try:
        text = piece.decode()
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: {error.reason} at byte {begin + error.start + 1} of the line"
        raw = base64.b64encode(piece).decode()
        return "", [Record(raw, code=BAD_ENCODING, message=message, base64=True, refuses=DAMAGE)]
    return text, list(read(text))


def _pieces(line: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a line where one object ends and another one begins; tell where each piece begins."""
    begin = 0
    for found in NEXT_RECORD.finditer(line):
        yield begin, line[begin : found.end()]
        begin = found.end()
    yield begin, line[begin:]


# -- beyond the largest size: where such records end, and what is kept of them ------------------------------------

TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)|[{}\[\]]', re.DOTALL)
DEPTH = {"{": 1, "[": 1, "}": -1, "]": -1}


def is_beyond(text: str, limit_bytes: int) -> bool:
    """Tell whether a text has more bytes than a record may have."""
    return len(text) * 4 > limit_bytes and len(text.encode(errors="surrogatepass")) > limit_bytes


def end_of_record(line: str, position: int) -> int:
    """Tell where the record ends that begins at a position, by its brackets alone; one that never ends takes the rest."""
    depth = 0
    for token in TOKENS.finditer(line, position):
        change = DEPTH.get(token[0], 0)
        if depth == 0 and change <= 0:
            continue
        depth += change
        if depth == 0:
            return token.end()
    return len(line)


def too_large(raw: str, limit_bytes: int) -> Record:
    """Refuse a record for its size; its head and digest stand for its text."""
    content = raw.encode(errors="surrogatepass")
    text, message = told(raw, len(content), hashlib.sha256(content).hexdigest(), limit_bytes)
    return Record(text, code=TOO_LARGE, message=message, base64=True)
