"""Spans: positions of events written as ranges, `0-98,100`, so that a line of the journal stays short."""

from __future__ import annotations

from collections.abc import Iterable


def text_of(positions: Iterable[int]) -> str:
    """Write positions as ranges, in their order."""
    spans: list[list[int]] = []
    for position in sorted(positions):
        if spans and position <= spans[-1][1] + 1:
            spans[-1][1] = position
        else:
            spans.append([position, position])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def positions_of(text: str) -> list[int]:
    """Read positions written as ranges."""
    found: list[int] = []
    for span in filter(None, text.split(",")):
        first, _, last = span.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found
