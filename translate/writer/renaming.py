"""Final names for the keys of values that lie together by the kernel; rows in which they meet are left to the rules."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import polars as pl

from translate.engine.keys import LyingTogether, keys_of, renamed
from translate.engine.library import library
from translate.vocabulary import notes
from translate.vocabulary.notes import RENAMED, RETYPED

KINDS = ("attributes", "metrics", "other")
FINAL = {"attributes": "_attributes", "metrics": "_metrics", "other": "_others"}
KNOWN_MAX = 100_000  # keys that need no second look; beyond, all of them are looked at anew


@dataclass
class Renaming:
    """Renames the keys of the kinds of values that lie together; as texts, they all go among the attributes.

    `spell` gives a key its name, or none where it has to be looked at beside the others of its event.
    """

    spell: Callable[[str], str | None]
    kinds: Sequence[str]
    as_texts: bool
    kernel: ctypes.CDLL
    _known: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, spell: Callable[[str], str | None], kinds: Sequence[str], *, as_texts: bool) -> Self | None:
        """Give one where there is a kernel."""
        kernel = library()
        return None if kernel is None else cls(spell, kinds, as_texts, kernel)

    def rename(self, batch: pl.DataFrame) -> tuple[dict[str, pl.Series], pl.Series]:
        """Give the columns of a batch's values under their final names, and tell which rows are for the rules."""
        keys = keys_of([batch[kind] for kind in self.kinds])
        distinct = keys["key"].unique(maintain_order=True)
        names = self._names(distinct)
        are_apart = len(distinct) == keys.height and not (self.as_texts and (keys["map"] > 0).any())
        if not names and are_apart:
            return {}, pl.Series([False]).new_from_index(0, batch.height)
        maps = {kind: self._lying_together(kind, batch[kind]) for kind in self.kinds}
        try:
            found = renamed(self.kernel, maps, names, into_first=self.as_texts)
        except MemoryError:  # beyond 2 GB: the rules take one row after the other
            return {}, pl.Series([True]).new_from_index(0, batch.height)
        taking = [kind for kind in self.kinds if not self.as_texts or kind != "other"]
        columns = {FINAL[kind]: found[kind] for kind in taking}
        return {**columns, "_names": found["names"], "_key_notes": found["notes"]}, found["odd"]

    def _lying_together(self, kind: str, values: pl.Series) -> LyingTogether:
        if self.as_texts and kind != "attributes":
            both = f"{RENAMED} and {RETYPED}"
            return LyingTogether(
                values, notes.beginning("changed", kind, both), notes.beginning("changed", kind, RETYPED)
            )
        return LyingTogether(values, notes.beginning("changed", kind, RENAMED))

    def _names(self, keys: pl.Series) -> dict[str, str | None]:
        """Give the names of those keys that cannot stay; none for one whose name is not free."""
        if len(self._known) > KNOWN_MAX:
            self._known = {}
        known = self._known  # of several threads one may begin anew meanwhile
        known |= {key: self.spell(key) for key in keys if key not in known}
        return {key: name for key in keys if (name := known[key]) != key}
