"""The files of a source in their order, packed: there may be a million of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, takewhile
from typing import Self, overload

from translate.archive.stored import SourceFile, Stretch

HEXADECIMAL = re.compile(r'"[0-9a-f]{32}"')
MADE_MAX = 10_000  # files that stay as they were made: of not so many, each is asked for a dozen times
LONE = "surrogatepass"  # what a name of another machine may hold


class SourceFiles(Sequence[SourceFile]):
    """Files in an order, each made anew as it is asked for; what was seen of one is kept, and others of the same rows share it."""

    def __init__(
        self,
        files: Iterable[SourceFile] = (),
        *,
        rows: SourceRows | None = None,
        places: array[int] | None = None,
    ) -> None:
        self._rows = rows
        self._places = array("I") if places is None else places
        for file in files:
            self.append(file)

    def append(self, file: SourceFile) -> None:
        """Add a file; one that is packed already takes no more than its place."""
        rows, place = file.packed or (None, 0)
        if self._rows is None:
            self._rows = rows or SourceRows()
        self._places.append(place if rows is self._rows else self._rows.add(file))

    def in_order(self) -> Self:
        """Give the files sorted by the names that reports show."""
        if self._rows is None or all(
            name <= later for name, later in pairwise(map(self._rows.shown, self._places))
        ):
            return self
        return type(self)(rows=self._rows, places=array("I", sorted(self._places, key=self._rows.shown)))

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[SourceFile]:
        return iter(()) if self._rows is None else map(self._rows.file, self._places)

    @overload
    def __getitem__(self, place: int) -> SourceFile: ...

    @overload
    def __getitem__(self, place: slice) -> Self: ...

    def __getitem__(self, place: int | slice) -> SourceFile | Self:
        if isinstance(place, slice):
            return type(self)(rows=self._rows, places=self._places[place])
        chosen = self._places[place]
        assert self._rows is not None  # there are rows where there is a place
        return self._rows.file(chosen)

    def __reduce__(self) -> tuple[type[Self], tuple[list[SourceFile]]]:
        """Travel without the files that are not of this listing."""
        return type(self), ([*self],)


class SourceRows:
    """What there is to know of files: names and tags one after the other, with the numbers that belong to them."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("Q")  # of each file's text
        self._tag_bytes = array("H")  # with which it ends
        self._bytes = array("Q")
        self._heads: list[tuple[str, str]] = []  # what many locations, and many names, begin with
        self._head_of = array("I")
        self._looks: list[bytes | None] = [None]
        self._look_of = array("I")
        self._look_places: dict[bytes, int] = {}
        self._stretches: dict[int, Stretch] = {}
        self._made: dict[int, SourceFile] = {}

    def add(self, file: SourceFile) -> int:
        """Take a file in; give its place."""
        place, tag = len(self._ends), _packed(file.tag)
        self._text += self._tail(file.location, file.shown).encode(errors=LONE)
        self._text += tag
        self._ends.append(len(self._text))
        self._tag_bytes.append(len(tag))
        self._bytes.append(file.bytes)
        self._head_of.append(len(self._heads) - 1)
        self._look_of.append(0)
        if file.ends is not None:
            self.keep_ends(place, file.ends)
        if file.stretch is not None:
            self._stretches[place] = file.stretch
        return place

    def _tail(self, location: str, shown: str) -> str:
        """Give what location and name end with, after what those of the file before begin with, too."""
        if self._heads:
            of_location, of_shown = self._heads[-1]
            tail = location[len(of_location) :]
            if location.startswith(of_location) and shown == of_shown + tail:
                return tail
        ends = zip(location[::-1], shown[::-1], strict=False)
        cut = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
        self._heads.append((location[: len(location) - cut], shown[: len(shown) - cut]))
        return location[len(location) - cut :]

    def keep_ends(self, place: int, ends: bytes) -> None:
        """Keep what was seen of a file."""
        if ends not in self._look_places:
            self._look_places[ends] = len(self._looks)
            self._looks.append(ends)
        self._look_of[place] = self._look_places[ends]
        self._made.pop(place, None)

    def file(self, place: int) -> SourceFile:
        """Give a file."""
        made = self._made.get(place)
        if made is None:
            made = self._make(place)
            if len(self._made) < MADE_MAX:
                self._made[place] = made
        return made

    def _make(self, place: int) -> SourceFile:
        of_location, of_shown = self._heads[self._head_of[place]]
        end = self._ends[place]
        middle = end - self._tag_bytes[place]
        tail = self._text[self._ends[place - 1] if place else 0 : middle].decode(errors=LONE)
        file = SourceFile(
            of_location + tail, of_shown + tail, self._bytes[place], _unpacked(self._text[middle:end]),
            self._looks[self._look_of[place]], self._stretches.get(place),
        )  # fmt: skip
        object.__setattr__(file, "packed", (self, place))
        return file

    def shown(self, place: int) -> str:
        """Give the name that reports show."""
        end = self._ends[place] - self._tag_bytes[place]
        tail = self._text[self._ends[place - 1] if place else 0 : end].decode(errors=LONE)
        return self._heads[self._head_of[place]][1] + tail


def _packed(tag: str) -> bytes:
    """Write a tag down, one of 32 digits as a number."""
    return b"\0" + bytes.fromhex(tag[1:-1]) if HEXADECIMAL.fullmatch(tag) else tag.encode(errors=LONE)


def _unpacked(tag: bytearray) -> str:
    return f'"{tag[1:].hex()}"' if tag.startswith(b"\0") else tag.decode(errors=LONE)
