"""Which request each row goes into, under count and byte limits, in the order of the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from translate.writer.templates import Said

# What stands around rows, and the hour that keeps them apart.
Around = tuple[Said, int | None]
# What a row is called in its request, and the member that it lies in, and what is said beside it there.
Called = tuple[str, str, Said]


@dataclass(frozen=True)
class Limits:
    """How much a request may hold, and how much all that are open at a time."""

    events_max: float
    bytes_max: float
    open_bytes_max: int


@dataclass(slots=True)
class OpenRequest:
    """A request that takes rows as long as it is open; its number is that of its beginning."""

    number: int
    around: Around
    size: int
    rows: int = 0
    is_open: bool = True


class Directory:
    """Knows by what names rows go in requests, and what is said in the members of requests that have names.

    `size_of_member` gives the size of a member in which nothing but this is said, with its comma.
    """

    def __init__(self, size_of_member: Callable[[str, Said], int]) -> None:
        self._size_of_member = size_of_member
        self._rows: defaultdict[int, set[str]] = defaultdict(set)
        self._members: defaultdict[int, dict[str, Said]] = defaultdict(dict)

    def size(self, request: int, called: Called) -> int:
        """Tell what a row takes beside its text: the member, if it is the first one there."""
        _, member, said = called
        return 0 if member in self._members[request] else self._size_of_member(member, said)

    def keeps_out(self, request: int, called: Called) -> bool:
        """Tell whether a request has a row of this name, or says something else in the member of this name."""
        name, member, said = called
        return name in self._rows[request] or self._members[request].get(member, said) != said

    def put(self, request: int, called: Called) -> None:
        """Put a row into a request."""
        name, member, said = called
        self._rows[request].add(name)
        self._members[request][member] = said

    def take_out(self, request: int) -> dict[str, Said]:
        """Give what a request says in its members, and forget it."""
        self._rows.pop(request, None)
        return self._members.pop(request, {})


class Filling:
    """Puts rows into requests, of which one is open for all rows that have the same around them.

    `size_of` gives the size of a body in which nothing but this is said. `full` are the requests that take no more, in the
    order in which they were closed.
    """

    def __init__(self, limits: Limits, size_of: Callable[[Said], int], directory: Directory | None) -> None:
        self._limits = limits
        self._size_of = size_of
        self._directory = directory
        self._open: dict[Around, OpenRequest] = {}
        self._open_bytes = 0
        self._begun = 0
        self.full: list[OpenRequest] = []

    def take(
        self, kinds: Iterable[int], around: Mapping[int, Around], sizes: Iterable[int], called: Iterable[Called | None]
    ) -> list[int]:  # fmt: skip
        """Take in rows by the kinds of what is around them, with their sizes and what they are called; give their requests."""
        taken: list[int] = []
        here: dict[int, OpenRequest] = {}
        for kind, size, names in zip(kinds, sizes, called, strict=False):
            request = here.get(kind)
            if request is None or not request.is_open:
                request = self._open.get(around[kind]) or self._begin(around[kind])
            here[kind] = request = self._put(request, size, names)
            taken.append(request.number)
            if self._open_bytes > self._limits.open_bytes_max:
                self.close()
        return taken

    def close(self) -> None:
        """Close all requests, in the order in which they began."""
        for request in [*self._open.values()]:
            self._close(request)

    def _put(self, request: OpenRequest, text_size: int, called: Called | None) -> OpenRequest:
        """Put a row into a request, or into the next one if this one cannot take it; give the one that did."""
        size = self._size(request, text_size, called)
        if request.rows and (
            request.rows >= self._limits.events_max
            or request.size + size > self._limits.bytes_max
            or (called is not None and self._directory and self._directory.keeps_out(request.number, called))
        ):
            self._close(request)
            request = self._begin(request.around)
            size = self._size(request, text_size, called)
        if called is not None and self._directory:
            self._directory.put(request.number, called)
        request.rows += 1
        request.size += size
        self._open_bytes += size
        return request

    def _size(self, request: OpenRequest, text_size: int, called: Called | None) -> int:
        """Tell what a row adds to a body, with a comma."""
        beside = self._directory.size(request.number, called) if called is not None and self._directory else 0
        return text_size + 1 + beside

    def _begin(self, around: Around) -> OpenRequest:
        said, _ = around
        request = self._open[around] = OpenRequest(self._begun, around, self._size_of(said))
        self._begun += 1
        self._open_bytes += request.size
        return request

    def _close(self, request: OpenRequest) -> None:
        del self._open[request.around]
        request.is_open = False
        self._open_bytes -= request.size
        self.full.append(request)
