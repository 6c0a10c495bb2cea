"""An event's canonical text, and its digest: the same for equal events, however their JSON was written."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

# Numbers that are spelled in more than one way: whole ones with a fraction or an exponent.
MANY_SPELLINGS = re.compile(r"[0-9](?:\.0[,\]}]|e[+-]?[0-9])")


def canonical(event: Any) -> bytes:
    """Write JSON in its canonical form: keys sorted, nothing between, 1.0 as 1, UTF-8."""
    text = _written(event)
    if MANY_SPELLINGS.search(text):
        text = _written(json.loads(text, parse_float=_number))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")).encode()


def digest_of(event: Any) -> str:
    """Give the SHA-256 of an event's canonical form, in hexadecimal digits."""
    return hashlib.sha256(canonical(event)).hexdigest()


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number
