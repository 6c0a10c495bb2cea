"""What is told of rows beside their losses: what they say beyond the event, maps that become alike, personal data that arrives.

Nothing is lost by what is said beyond the event, but reading it back gives the event another value there, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from translate import events
from translate.archive.lines import Damage
from translate.mapping.personal import EXTRA, IDENTITY, KINDS, Marked, Spot
from translate.mapping.spec import Field
from translate.vocabulary.kernel_keys import keys_of
from translate.vocabulary.notes import FILLED_IN, Finding
from translate.vocabulary.spelling import EventNames
from translate.vocabulary.word import Written
from translate.writer.shape import Shape, request_fields, withheld_members

EMPTY_MAP = "empty_map"
OF_EVENTS = ("attributes", "metrics")
CODE = "personal_data"
EXPOSED = "_exposed"
MAY_BE_ALTERED = "events that precede damage in the same part of a compressed file: no checksum vouches for them, they may be altered"


def supplements(shape: Shape, names: EventNames) -> list[Finding]:
    """Tell what a layout's rows say more, or less often, than the events."""
    found: list[Finding] = []
    for entry in [*shape.columns, *shape.wanted_presets()]:
        if entry.word.supplements:
            found += entry.word.supplements(_written(shape, entry, names))
    for entry in request_fields(shape.layout, shape.settings):
        if entry.word.is_stamp and entry.hub:
            message = f"{entry.place} is made anew, and read as the event's {entry.hub[0]}"
            found.append(Finding(FILLED_IN, message, pl.col(entry.hub[0]).is_null(), entry.hub[0]))
    return found


def _written(shape: Shape, entry: Field, names: EventNames) -> Written:
    home = ".".join(entry.path[:-1])
    places = {other.place for other in shape.columns}
    needs = [f"{home}.{name}" for name in shape.layout.objects.get(home, ())]
    there = [pl.col(f"={need}").is_not_null() if need in places else pl.lit(False) for need in needs]
    return Written(
        place=entry.place,
        hub=entry.hub,
        member=entry.member,
        value=pl.col(f"={entry.place}"),
        is_there=pl.all_horizontal(there) if there else pl.lit(True),
        implied_phase=names.implied_phase,
    )


def empty_maps(shape: Shape) -> Iterator[Finding]:
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


def of_doubtful(damage: Mapping[int, Damage]) -> list[Finding]:
    """Give the finding that counts the events of doubtful lines, of a unit with such lines."""
    spans = sorted((row - found.doubtful, row) for row, found in damage.items() if found.doubtful)
    if not spans:
        return []
    starts, ends = (pl.Series(bounds, dtype=pl.Int64) for bounds in zip(*spans, strict=True))

    def is_doubtful(rows: pl.Series) -> pl.Series:
        index = ends.search_sorted(rows.cast(pl.Int64), side="right")
        return (index < len(ends)) & (
            starts.gather(index.clip(upper_bound=len(ends) - 1)) <= rows.cast(pl.Int64)
        )

    events = pl.col("row").map_batches(is_doubtful, return_dtype=pl.Boolean, is_elementwise=True)
    return [Finding("may_be_altered", MAY_BE_ALTERED, events)]
