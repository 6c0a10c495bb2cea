"""Records beyond the largest size: where they end, told without parsing them, and what is kept of them."""

from __future__ import annotations

import hashlib
import json
import re

from translate.reader.literals import Refused, printable
from translate.reader.record import Record

TOO_LARGE = "too_large"
HEAD_CHARACTERS = 500
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
    kept = {
        "head": printable(raw[:HEAD_CHARACTERS]),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    reason = Refused(
        TOO_LARGE,
        f"has {len(content):,} bytes, more than a record may have; --set record_bytes=N allows it more than {limit_bytes:,}",
    )
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return Record(text, code=reason.code, message=reason.message, base64=True)
