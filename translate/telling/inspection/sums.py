"""Events by values or hashes: exact for as many as there is room for, the rest as a sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from translate.telling.inspection.digests import merged_in_parts

VALUES_MAX = 10_000  # of a column, listed with their counts

WAITING_ROWS = 300_000  # counted together from time to time
EVENTS = pl.col("events").sum()


class Counts:
    """Events by value, in the order in which the values came; those that came too late are only counted."""

    def __init__(self, values_max: int = VALUES_MAX) -> None:
        self._max = values_max
        self.events: dict[tuple[str | None, ...], int] = {}
        self.beyond = 0

    def add(self, values: Iterable[tuple[str | None, ...]], events: Sequence[int]) -> None:
        """Count events by their values."""
        for value, count in zip(values, events, strict=True):
            if value in self.events:
                self.events[value] += count
            elif len(self.events) < self._max:
                self.events[value] = count
            else:
                self.beyond += count

    def absorb(self, other: Counts) -> None:
        """Add the counts of another one."""
        self.add(other.events, list(other.events.values()))
        self.beyond += other.beyond

    def sorted(self) -> list[tuple[tuple[str | None, ...], int]]:
        """Give the values, frequent ones first, then by their spelling; nothing comes last."""
        known = [
            (value, count) for value, count in self.events.items() if any(part is not None for part in value)
        ]
        return sorted(known, key=lambda entry: (-entry[1], [(part is None, part or "") for part in entry[0]]))


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
