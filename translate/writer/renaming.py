"""Final names for the keys of one object by the kernel; rows in which they meet are left to the rules."""

from __future__ import annotations

import ctypes
from typing import Self

import polars as pl

from translate import notes
from translate.engine.keys import keys_of, renamed
from translate.engine.library import library
from translate.notes import RENAMED
from translate.vocabulary.spelling import legal_name

KINDS = ("attributes", "metrics", "other")
FINAL = {"attributes": "_attributes", "metrics": "_metrics", "other": "_others"}
KNOWN_MAX = 100_000  # keys that need no second look; beyond, all of them are looked at anew


class Renaming:
    """Renames the keys of attributes, metrics and other values that lie together."""

    def __init__(self, kernel: ctypes.CDLL, taken: frozenset[str], *, make_legal: bool) -> None:
        self._kernel = kernel
        self._taken = taken
        self._make_legal = make_legal
        self._known: dict[str, str | None] = {}
        self._notes = [notes.beginning("changed", kind, RENAMED) for kind in KINDS]

    @classmethod
    def of(cls, taken: frozenset[str], *, make_legal: bool) -> Self | None:
        """Give one where there is a kernel."""
        kernel = library()
        return None if kernel is None else cls(kernel, taken, make_legal=make_legal)

    def rename(self, batch: pl.DataFrame) -> tuple[dict[str, pl.Series], pl.Series]:
        """Give the columns of a batch's values under their final names, and tell which rows are for the rules."""
        maps = {kind: batch[kind] for kind in KINDS}
        keys = keys_of([*maps.values()])["key"]
        distinct = keys.unique(maintain_order=True)
        names = self._names(distinct)
        if not names and len(distinct) == len(keys):
            return {}, pl.Series([False]).new_from_index(0, batch.height)
        try:
            found = renamed(self._kernel, maps, names, self._notes)
        except MemoryError:  # beyond 2 GB: the rules take one row after the other
            return {}, pl.Series([True]).new_from_index(0, batch.height)
        columns = {FINAL[kind]: found[kind] for kind in KINDS}
        return {**columns, "_names": found["names"], "_key_notes": found["notes"]}, found["odd"]

    def _names(self, keys: pl.Series) -> dict[str, str | None]:
        """Give the names of those keys that cannot stay; none for one whose name is not free."""
        if len(self._known) > KNOWN_MAX:
            self._known = {}
        known = self._known  # of several threads one may begin anew meanwhile
        known |= {key: self._name(key) for key in keys if key not in known}
        return {key: name for key in keys if (name := known[key]) != key}

    def _name(self, key: str) -> str | None:
        name = legal_name(key) if self._make_legal else key
        return None if name in self._taken else name
