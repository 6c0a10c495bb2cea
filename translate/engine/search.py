"""A search for any of some texts in a long one that most likely holds none: by the kernel in one go, else text by text."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from translate.engine.library import library

LEAST_BYTES = 4  # of a text that the kernel looks for


class _Wanted(ctypes.Structure):
    """A text to look for, as kernel/search.c lays it out."""

    _fields_ = [("text", ctypes.c_char_p), ("length", ctypes.c_int64)]


class Search:
    """Looks for some texts, made ready once."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = tuple(texts)
        self._wanted = (_Wanted * len(self._texts))(*(_Wanted(text, len(text)) for text in self._texts))
        is_for_kernel = all(len(text) >= LEAST_BYTES for text in self._texts)
        self._kernel = library() if is_for_kernel else None

    def finds_one(self, content: bytes) -> bool:
        """Tell whether a content holds one of the texts."""
        if self._kernel is None or not self._texts:
            return any(text in content for text in self._texts)
        length = ctypes.c_int64(len(content))
        return bool(self._kernel.translate_spells_one(content, length, self._wanted, len(self._texts)))
