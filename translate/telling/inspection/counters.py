"""Counts of values that may be too many to list: exact for as many as there is room for, the rest as a sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

VALUES_MAX = 10_000  # of a column, listed with their counts


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
