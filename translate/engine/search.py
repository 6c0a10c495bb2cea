"""A search for any of many texts in a long one that most likely holds none: by the kernel in one go, else place by place."""

from __future__ import annotations

import ctypes
import itertools
import re
import weakref
from collections.abc import Sequence

from translate.engine.library import library

WITHIN_WORD = re.compile(rb"[0-9A-Za-z]{2}")


class Search:
    """Looks for some texts, made ready once; none of them is empty.

    Those with fewer bytes than `words` are found only where they are no part of a longer word of ASCII's letters and digits.
    """

    def __init__(self, texts: Sequence[bytes], *, words: int = 0) -> None:
        self._words = ctypes.c_int64(words)
        self._kernel = library() if texts else None
        if self._kernel is None:
            self._numbers = {text: number for number, text in reversed([*enumerate(texts)])}
            self._lengths = sorted({len(text) for text in texts}, reverse=True)
            self._begins = {text[: self._lengths[-1]] for text in texts}
            return
        self._texts = b"".join(texts)  # the kernel looks into both
        self._ends = (ctypes.c_int64 * len(texts))(*itertools.accumulate(map(len, texts)))
        self._kernel.translate_search.restype = ctypes.c_void_p
        self._kernel.translate_search_next.restype = ctypes.c_int64
        made = self._kernel.translate_search(self._texts, self._ends, len(texts))
        if made is None:
            raise MemoryError
        self._made = ctypes.c_void_p(made)
        weakref.finalize(self, self._kernel.translate_search_end, self._made)

    def finds_one(self, content: bytes) -> bool:
        """Tell whether a content holds one of the texts."""
        if self._kernel is None and not self._words.value:
            return any(text in content for text in self._numbers)
        return self.next(content) is not None

    def next(self, content: bytes, at: int = 0) -> tuple[int, int] | None:
        """Give the first place from `at` on where one of the texts stands, the longest if several do, and its number."""
        if self._kernel is None:
            return self._next(content, at)
        which = ctypes.c_int32()
        found = self._kernel.translate_search_next(
            self._made, content, ctypes.c_int64(len(content)), ctypes.c_int64(at), self._words, ctypes.byref(which)
        )  # fmt: skip
        return None if found < 0 else (found, which.value)

    def _next(self, content: bytes, at: int) -> tuple[int, int] | None:
        shortest = self._lengths[-1] if self._lengths else len(content) + 1
        for place in range(at, len(content) - shortest + 1):
            if content[place : place + shortest] in self._begins:
                for end in (place + length for length in self._lengths if place + length <= len(content)):
                    number = self._numbers.get(content[place:end])
                    if number is not None and not self._is_within_word(content, place, end):
                        return place, number
        return None

    def _is_within_word(self, content: bytes, at: int, end: int) -> bool:
        if end - at >= self._words.value:
            return False
        return any(
            WITHIN_WORD.fullmatch(content[edge - 1 : edge + 1])
            for edge in (at, end)
            if 0 < edge < len(content)
        )
