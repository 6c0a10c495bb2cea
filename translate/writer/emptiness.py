"""Maps that are empty, and maps that are absent: where a layout writes both alike, and how they come back."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from translate import events
from translate.conversion.report import Finding
from translate.writer.shape import Shape

EMPTY_MAP = "empty_map"
OF_EVENTS = ("attributes", "metrics")


def findings(shape: Shape) -> Iterator[Finding]:
    """Tell for each map in which events an absent one comes back empty, or an empty one absent."""
    written = _written_by_container(shape)
    held = {entry.hub[0] for entry in shape.layout.all_fields if entry.word.holds_whole_map}
    for name in events.MAPS:
        if name not in shape.source.provided or name in held:
            continue
        column = pl.col(name)
        is_empty = column.map.len() == 0
        if name in written:
            there, own_place = written[name]
            lost = is_empty & ~there if not own_place else pl.lit(False)
            told = lost | (column.is_null() & there)
        else:
            told = is_empty
        message = f"{shape.source.place(name)}: an empty map and none are one in {shape.layout.address}"
        yield Finding(EMPTY_MAP, message, told.fill_null(value=False), name)


def _written_by_container(shape: Shape) -> dict[str, tuple[pl.Expr, bool]]:
    """Tell for attributes and metrics when their container is written, and if it is theirs alone."""
    found = {}
    for place, entry in shape.containers.items():
        for name in entry.hub:
            if name in OF_EVENTS:
                found[name] = (pl.col(f"={place}").is_not_null(), not entry.word.shared)
    return found
