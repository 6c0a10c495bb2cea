"""What is sent and whose turn it is: the parts' requests, line by line, those that wait, and the rhythm in which they were recorded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate.archive.compression import layers
from translate.archive.lines import Damage
from translate.archive.stored import SourceFile, chunks_of
from translate.delivery.records import Settled
from translate.errors import SourceError
from translate.mapping.spec import Layout
from translate.reader.shipments import (
    MILLISECONDS,
    PackedRequest,
    PlacedColumn,
    Shipment,
    clock_of,
    find_column,
    unpack,
)

LOOK_AHEAD = 64  # requests that may be overtaken while one of them has to wait
LOOK_FAR = 4096  # with a recorded rhythm: bars of requests that have begun
BAR_SECONDS = 0.25  # what is due within it goes together


@dataclass(frozen=True)
class Parts:
    """All parts below a folder, in sorted order; each is named by its path from there."""

    folder: Path
    layout: Layout

    @property
    def files(self) -> list[tuple[str, Path]]:
        """Give each part's name and file."""
        found = sorted(path for path in self.folder.rglob("part-*") if path.is_file())
        return [(path.relative_to(self.folder).as_posix(), path) for path in found]

    def described(self) -> list[list[Any]]:
        """Give the name, bytes and time of each part, for digests."""
        return [[name, file.stat().st_size, file.stat().st_mtime_ns] for name, file in self.files]

    def requests(self, settled: Settled | None = None) -> Iterator[PackedRequest]:
        """Read the requests that are not settled as a whole; raise SourceError where a part is damaged."""
        for name, file in self.files:
            for number, line in enumerate(_lines(name, file), 1):
                if settled is None or not settled.is_whole(name, number):
                    yield _unpacked(name, number, line, self.layout)


def _unpacked(part: str, number: int, line: bytes, layout: Layout) -> PackedRequest:
    try:
        return unpack(part, number, line, layout)
    except ValueError as error:
        raise SourceError(
            f"{part}:{number}: is no request of {layout.address} ({error}); convert the source again"
        ) from None


def _lines(name: str, file: Path) -> Iterator[bytes]:
    rest = b""
    for block in layers(iter(chunks_of(SourceFile(str(file), name, file.stat().st_size)))):
        if isinstance(block, Damage):
            raise SourceError(f"{name}: is damaged ({block.message}); convert the source again")
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest


class Rhythm:
    """The time of the first event of all is the run's start; the others follow, `speedup` times as fast."""

    def __init__(self, layout: Layout, speedup: float) -> None:
        self._speedup = speedup
        self._column = find_column(layout, "time")
        self._clock = clock_of(layout)
        self._origin: int | None = None

    def bars(
        self, packed: PackedRequest, positions: Sequence[int], started: float
    ) -> list[tuple[tuple[int, ...], float]]:
        """Cut the events at these positions of a request, in their order, into those that are due together.

        Give each bar's positions, and when its first event is due, on the clock of the start. An event without a
        time goes with its predecessor, and so does one that is out of order.
        """
        events = [packed.event(way) for way in packed.ways]
        said = self._column.values(packed, events) if self._column else None
        times = [None] * len(events) if said is None else [self._clock(value) for value in said]
        bars: list[tuple[list[int], float]] = []
        for position in positions:
            due = self._due(times[position], started)
            if not bars or (due is not None and due >= bars[-1][1] + BAR_SECONDS):
                bars.append(([position], started if due is None else due))
            else:
                bars[-1][0].append(position)
        return [(tuple(bar), due) for bar, due in bars]

    def _due(self, time: int | None, started: float) -> float | None:
        if time is None:
            return None
        if self._origin is None:
            self._origin = time
        return started + (time - self._origin) / MILLISECONDS / self._speedup


@dataclass
class Work:
    """A shipment that waits for its turn, in the order of the source."""

    packed: PackedRequest
    positions: tuple[int, ...]
    keys: frozenset[str]
    due: float = 0.0
    attempt: int = 1
    shipment: Shipment | None = None

    def part(self, positions: tuple[int, ...], *, attempt: int = 1, due: float = 0.0) -> Work:
        """Give the work that some of its events are."""
        return Work(self.packed, positions, self.keys, due, attempt)

    def cut(self, most: int) -> list[Work]:
        """Give the work in two: so many events, and the others."""
        return [self.part(self.positions[:most]), self.part(self.positions[most:])]

    @property
    def place(self) -> tuple[str, int, int]:
        """Say where it stands in the order of the source."""
        return self.packed.part, self.packed.line, self.positions[0]


class Turns:
    """What waits to be sent; events that have an equal value in one of the `order` columns keep their order."""

    def __init__(
        self,
        parts: Parts,
        settled: Settled,
        order: tuple[PlacedColumn, ...],
        rhythm: Rhythm | None,
        started: float,
    ) -> None:
        self._source = parts.requests(settled)
        self._settled = settled
        self._order = order
        self._rhythm = rhythm
        self._started = started
        self._read_until = 0.0
        self.waiting: list[Work] = []

    def __len__(self) -> int:
        """Count what waits."""
        return len(self.waiting)

    def fill(self, now: float) -> None:
        """Read on, as far as something may be overtaken."""
        while self._wants_more(now) and (packed := next(self._source, None)):
            settled = self._settled.of_line(packed.part, packed.line)
            positions = tuple(position for position in range(len(packed.ways)) if position not in settled)
            keys = self._keys(packed)
            bars = self._rhythm.bars(packed, positions, self._started) if self._rhythm else [(positions, 0.0)]
            self.waiting += [Work(packed, bar, keys, due) for bar, due in bars]
            self._read_until = bars[0][1]

    def _wants_more(self, now: float) -> bool:
        if len(self.waiting) < LOOK_AHEAD:
            return True
        # What was recorded at one time lies in many requests, each of which goes on for long.
        return self._rhythm is not None and len(self.waiting) < LOOK_FAR and self._read_until <= now

    def _keys(self, packed: PackedRequest) -> frozenset[str]:
        events = [packed.event(way) for way in packed.ways] if self._order else []
        values = (value for column in self._order for value in column.values(packed, events))
        return frozenset(str(value) for value in values if value is not None)

    def first_ready(self, now: float, under_way: Iterable[Work]) -> int | None:
        """Find the first work that is due, and that nothing under way or before it has to precede."""
        held = {key for work in under_way for key in work.keys}
        for index, work in enumerate(self.waiting):
            if work.due <= now and held.isdisjoint(work.keys):
                return index
            held |= work.keys
        return None

    def next_due(self, now: float) -> float:
        """Give the time at which the next work is due that is not due yet."""
        return min((work.due for work in self.waiting if work.due > now), default=math.inf)

    def cut(self, index: int, most: int | None) -> Work:
        """Leave in a shipment no more events than may go now; the others follow behind it."""
        work = self.waiting[index]
        if most is not None and len(work.positions) > most:
            self.waiting[index : index + 1] = work.cut(most)
        return self.waiting[index]

    def take(self, index: int) -> None:
        """Let a work go."""
        del self.waiting[index]

    def again(self, works: list[Work]) -> None:
        """Put work back where it stands in the order of the source."""
        place = works[0].place
        behind = (index for index, other in enumerate(self.waiting) if other.place > place)
        index = next(behind, len(self.waiting))
        self.waiting[index:index] = works
