"""Where personal data goes that the source's data sheet marks: told with counts, so that nobody is surprised by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from translate import events
from translate.conversion.report import Finding
from translate.engine.keys import keys_of
from translate.mapping.personal import EXTRA, IDENTITY, KINDS, Marked, Spot
from translate.writer.extras import withheld_members
from translate.writer.shape import Shape

CODE = "personal_data"
EXPOSED = "_exposed"


class Exposure:
    """Marked data that arrives in a target as it is; `shape` is none where the hub is the target."""

    def __init__(
        self, marked: Iterable[Marked], treated: Iterable[Spot], provided: Iterable[str], shape: Shape | None
    ) -> None:
        known, settled = {*provided}, {*treated}
        arriving = arrivals(shape)
        self._found: list[tuple[str, list[Spot]]] = []
        for place in marked:
            if place.kind == IDENTITY:
                continue  # whose events they are is what a conversion carries
            spots = [spot for spot in place.spots if spot.column in known and spot not in settled]
            goes_to = {spot: found for spot in spots if (found := destination(spot, shape, arriving))}
            if goes_to:
                where = " and ".join(dict.fromkeys(goes_to.values()))
                message = f"{place.place} holds {KINDS[place.kind]}, and goes into {where}; a recipe hashes or removes it ([personal] {place.kind})"
                self._found.append((message, [*goes_to]))

    def findings(self) -> Iterator[Finding]:
        """Tell of it, over a frame in which it was looked for."""
        for number, (message, _) in enumerate(self._found):
            yield Finding(CODE, message, pl.col(EXPOSED).struct.field(str(number)))

    def looked_for(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Tell in one column what each event has of it: nearly all batches have no key that is asked for, and cost no more."""
        columns = dict.fromkeys(spot.column for _, spots in self._found for spot in spots)
        dtype = pl.Struct({str(number): pl.Boolean for number in range(len(self._found))})
        there = pl.map_batches([*map(pl.col, columns)], self._look, return_dtype=dtype, is_elementwise=True)
        return frame.with_columns(there.alias(EXPOSED)) if self._found else frame

    def _look(self, columns: Sequence[pl.Series]) -> pl.Series:
        maps = [column for column in columns if column.dtype == events.MAP]
        keys: dict[str, set[str]] = {column.name: set() for column in maps}
        if maps:
            for key, number in keys_of(maps).select("key", "map").iter_rows():
                keys[maps[number].name].add(key)
        flags = [
            pl.any_horizontal(
                [pl.lit(value=False), *(spot.is_there() for spot in spots if spot.may_be_in(keys))]
            ).alias(str(number))
            for number, (_, spots) in enumerate(self._found)
        ]
        return pl.DataFrame(columns).with_columns(pl.struct(flags).alias(EXPOSED))[EXPOSED]


def arrivals(shape: Shape | None) -> dict[str, str]:
    """Name the place of the target that each hub column goes into; `shape` is none where the hub is the target."""
    if shape is None:
        return {}
    entries = [*shape.columns, *shape.wanted_presets(), *shape.containers.values(), *shape.around]
    return {column: entry.place for entry in reversed(entries) for column in entry.carries}


def destination(spot: Spot, shape: Shape | None, arriving: Mapping[str, str]) -> str | None:
    """Name the place of the target that a spot's data goes into; none where it is not written."""
    if shape is None:
        return f"the hub's {spot.column}"
    if spot.column == EXTRA:
        withheld = tuple(
            withheld_members(shape.layout, shape.settings, keeps_around=shape.source.keeps_around)
        )
        stays = shape.source.keeps_extra and not f"{spot.key}".startswith(withheld)
        return "the place where it was" if stays else None
    return arriving.get(spot.column)
