"""Events by a hash: exact for as many hashes as there is room for, each with the texts that it stands for."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from translate.telling.inspection.digests import merged_in_parts

WAITING_ROWS = 300_000  # counted together from time to time
EVENTS = pl.col("events").sum()


class Sums:
    """Events by `hash`; `texts` has the hashes in the order in which they came, and what each stands for.

    Hashes are admitted before they are counted; what finds no room is a sum, `beyond`. Those with the same texts
    differ in their last digit only, if there is room for it: `apart` is how many there may be.
    """

    def __init__(self, told: Sequence[str], room: int, apart: int = 1) -> None:
        self._room = room
        self._apart = apart
        self.texts = pl.DataFrame(schema={"hash": pl.UInt64(), **dict.fromkeys(told, pl.String())})
        self._counts: list[pl.DataFrame] = []
        self._waiting = 0
        self.beyond = 0

    def unknown(self, hashes: pl.Series) -> pl.DataFrame:
        """Give the hashes without texts, once each, and where each is `first`."""
        rows = self._named(hashes).to_frame("hash").with_row_index("first")
        return rows.filter(~self._is_known(rows["hash"])).unique("hash", keep="first", maintain_order=True)

    def admit(self, texts: pl.DataFrame) -> None:
        """Take the texts of the hashes that are new, so long as there is room."""
        new = texts.filter(~self._is_known(texts["hash"])).head(self._room - self.texts.height)
        # Copies: what is gathered from a batch would keep all of it in memory.
        own = new.with_columns(pl.concat_str(name, pl.lit("")) for name in new.columns if name != "hash")
        self.texts = pl.concat([self.texts, own])

    def count(self, hashes: pl.Series) -> None:
        """Count events by their hashes."""
        self._count(hashes.to_frame("hash").group_by("hash").agg(events=pl.len()))

    def absorb(self, other: Sums) -> None:
        """Add the events of another one."""
        self.admit(other.texts)
        for counted in other._counts:
            self._count(counted)
        self.beyond += other.beyond

    def together(self) -> pl.DataFrame:
        """Give `hash` and `events`."""
        counts = self._counts or [pl.DataFrame(schema={"hash": pl.UInt64, "events": pl.UInt32})]
        return merged_in_parts(pl.concat(counts), "hash", lambda part: part.group_by("hash").agg(EVENTS))

    def _count(self, counted: pl.DataFrame) -> None:
        if self.texts.height >= self._room:
            is_known = self._is_known(self._named(counted["hash"]))
            self.beyond += int(counted.filter(~is_known)["events"].sum())
            counted = counted.filter(is_known)
        self._counts.append(counted)
        self._waiting += counted.height
        if self._waiting > WAITING_ROWS + self._counts[0].height:
            self._counts = [self.together()]
            self._waiting = 0

    def _named(self, hashes: pl.Series) -> pl.Series:
        """Give the hashes that texts are kept by."""
        return hashes - hashes % self._apart if self._apart > 1 else hashes

    def _is_known(self, hashes: pl.Series) -> pl.Series:
        return hashes.is_in(self.texts["hash"].implode())
