"""Which request each row goes into, under count and byte limits: by numbers alone, in the order of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """How much a request may hold, and how much all that are open at a time."""

    events_max: float
    bytes_max: float
    open_bytes_max: float


@dataclass
class FilledNames:
    """The names that rows go by in a request, those of the members that they lie in, and what is said there, as numbers.

    No two events of one name, and no members of one name that say something else, go into the same request. `sizes` are those
    of the members without their events.
    """

    names: Sequence[int]
    members: Sequence[int]
    said: Sequence[int]
    sizes: Sequence[int]
    _taken: dict[int, set[int]] = field(default_factory=dict)
    _there: dict[int, dict[int, int]] = field(default_factory=dict)

    def begin(self, request: int) -> None:
        """Begin a request."""
        self._taken[request], self._there[request] = set(), {}

    def size(self, row: int, request: int) -> int:
        """Tell what a row takes beside its own text."""
        return 0 if self.members[row] in self._there[request] else self.sizes[row]

    def meet(self, row: int, request: int) -> bool:
        """Tell whether a request holds something that keeps a row out."""
        there = self._there[request].get(self.members[row], self.said[row])
        return there != self.said[row] or self.names[row] in self._taken[request]

    def put(self, row: int, request: int) -> None:
        """Put a row into a request."""
        self._taken[request].add(self.names[row])
        self._there[request][self.members[row]] = self.said[row]


class Filling:
    """Puts rows into requests, of which one is open for each kind of surroundings.

    `requests` are those of the rows, numbered in the order in which they began, `written` those that take no more rows, in
    the order in which they were closed.
    """

    def __init__(self, limits: Limits, empty: Sequence[int], names: FilledNames | None = None) -> None:
        self._limits = limits
        self._empty = empty  # sizes without events, by the kind of what stands around them
        self._names = names
        self._open: dict[int, int] = {}
        self._counts: list[int] = []
        self._sizes: list[int] = []
        self._open_bytes = 0
        self.requests: list[int] = []
        self.written: list[int] = []

    def take(self, kinds: Iterable[int], sizes: Iterable[int]) -> None:
        """Take in rows by the kind of what stands around them, and by what they add to a request, with a comma."""
        limits, names, counts, held = self._limits, self._names, self._counts, self._sizes
        for row, (kind, text_size) in enumerate(zip(kinds, sizes, strict=True)):
            request = self._open.get(kind)
            if request is None:
                request = self._begin(kind)
            size = text_size + names.size(row, request) if names else text_size
            if counts[request] and (
                counts[request] >= limits.events_max
                or held[request] + size > limits.bytes_max
                or (names and names.meet(row, request))
            ):
                self._close(kind)
                request = self._begin(kind)
                size = text_size + names.size(row, request) if names else text_size
            if names:
                names.put(row, request)
            counts[request] += 1
            held[request] += size
            self._open_bytes += size
            self.requests.append(request)
            if self._open_bytes > limits.open_bytes_max:
                self.close()

    @property
    def begun(self) -> int:
        """Tell how many requests were begun."""
        return len(self._counts)

    def close(self) -> None:
        """Close all requests, in the order in which they began."""
        for kind in [*self._open]:
            self._close(kind)

    def _begin(self, kind: int) -> int:
        request = self._open[kind] = len(self._counts)
        self._counts.append(0)
        self._sizes.append(self._empty[kind])
        self._open_bytes += self._empty[kind]
        if self._names:
            self._names.begin(request)
        return request

    def _close(self, kind: int) -> None:
        request = self._open.pop(kind)
        self._open_bytes -= self._sizes[request]
        self.written.append(request)
