"""Where personal data goes that the source's data sheet marks: told with counts, so that nobody is surprised by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from translate.conversion.report import Finding
from translate.mapping.personal import EXTRA, IDENTITY, KINDS, Marked, Spot
from translate.writer.extras import withheld_members
from translate.writer.shape import Shape

CODE = "personal_data"


def findings(
    marked: Iterable[Marked], treated: Iterable[Spot], provided: Iterable[str], shape: Shape | None
) -> Iterator[Finding]:
    """Tell of marked data that arrives in a target as it is; `shape` is none where the hub is the target."""
    known, settled = {*provided}, {*treated}
    for place in marked:
        if place.kind == IDENTITY:
            continue  # whose events they are is what a conversion carries
        spots = [spot for spot in place.spots if spot.column in known and spot not in settled]
        goes_to = {spot: found for spot in spots if (found := destination(spot, shape))}
        if goes_to:
            where = " and ".join(dict.fromkeys(goes_to.values()))
            message = f"{place.place} holds {KINDS[place.kind]}, and goes into {where}; a recipe hashes or removes it ([personal] {place.kind})"
            yield Finding(CODE, message, pl.any_horizontal([spot.is_there() for spot in goes_to]))


def destination(spot: Spot, shape: Shape | None) -> str | None:
    """Name the place of the target that a spot's data goes into; none where it is not written."""
    if shape is None:
        return f"the hub's {spot.column}"
    if spot.column == EXTRA:
        withheld = tuple(
            withheld_members(shape.layout, shape.settings, keeps_around=shape.source.keeps_around)
        )
        stays = shape.source.keeps_extra and not f"{spot.key}".startswith(withheld)
        return "the place where it was" if stays else None
    entries = [*shape.columns, *shape.wanted_presets(), *shape.containers.values(), *shape.around]
    return next((entry.place for entry in entries if spot.column in entry.carries), None)
