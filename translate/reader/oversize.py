"""Records beyond the largest size: where they end, told without parsing them, and what is kept of them."""

from __future__ import annotations

import hashlib
import json
import re

from translate.reader.literals import printable
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
    text, message = told(raw, len(content), hashlib.sha256(content).hexdigest(), limit_bytes)
    return Record(text, code=TOO_LARGE, message=message, base64=True)


def told(beginning: str, count_bytes: int, sha256: str, limit_bytes: int) -> tuple[str, str]:
    """Give what stands for the text of a record that is too large, and what is said of it."""
    kept = {"head": printable(beginning[:HEAD_CHARACTERS]), "bytes": count_bytes, "sha256": sha256}
    message = f"has {count_bytes:,} bytes, more than a record may have; --set record_bytes=N allows it more than {limit_bytes:,}"
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")), message
