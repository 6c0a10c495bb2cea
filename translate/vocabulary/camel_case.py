"""Keys in camel case, as Amazon Personalize has them among an event's properties.

https://docs.aws.amazon.com/personalize/latest/dg/recording-item-interaction-events.html: a schema's `NUM_RATINGS` is `numRatings` there.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable

from translate.vocabulary.spelling import HASH_LENGTH

WORD = re.compile(r"[^\W_]+")
PLAIN = r"^[a-z][0-9A-Za-z]*$"
NAMELESS = "key"


def camel_case(key: str) -> str:
    """Write a key in camel case.

    >>> camel_case("NUM_RATINGS"), camel_case("num ratings"), camel_case("numRatings"), camel_case("Level")
    ('numRatings', 'numRatings', 'numRatings', 'level')
    """
    words = [word.lower() if word.isascii() and word.isupper() else word for word in WORD.findall(key)]
    if not words:
        return NAMELESS
    first, *others = words
    return _with_first(first, str.lower) + "".join(_with_first(word, str.upper) for word in others)


def _with_first(word: str, change: Callable[[str], str]) -> str:
    """Change the first letter of a word, if it is one of ASCII: of others the case is not always one letter."""
    return change(word[0]) + word[1:] if word[0].isascii() else word


def camel_keys(keys: Iterable[str], taken: frozenset[str], reserved: frozenset[str]) -> dict[str, str]:
    """Give each key a name in camel case that is not reserved (in any case), not taken, and its own."""
    wanted = {key: camel_case(key) for key in keys}
    counts = Counter(wanted.values())
    return {
        key: told_apart(name, key)
        if name.lower() in reserved or name in taken or (counts[name] > 1 and name != key)
        else name
        for key, name in wanted.items()
    }


def told_apart(name: str, key: str) -> str:
    """Tell a name in camel case apart by the hash of its key; it stays one word, so that it is camel case again."""
    return f"{name}{hashlib.sha256(key.encode()).hexdigest()[:HASH_LENGTH]}"
