"""The kernel's count of what became of keys: the places of a layout go in, then rows batch by batch; ways and their counts come out."""

from __future__ import annotations

import ctypes
import secrets
import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from translate.engine.library import STREAM
from translate.engine.tables import SORTS, WATCHED_MAX, WAY, PlaceRow, RemarkRow, SheetRow, SpanRow

BELOW = ("tree", "nothing", "keys", "properties", "entities", "json_of_keys")
FIXED = ("text", "context", "rejected", "nulls", "remarks")  # what the frame's columns begin with
NONE = -1
OTHER_COLUMN = -2  # one that the frame does not have
OF_SOURCE = -1
NAMES_MAX, FLAG_WORDS, FLAG_BITS = 4, 2, 64
FLAGS_MAX = FLAG_WORDS * FLAG_BITS
AT_HOME, IN_EXTRA = 1 << WATCHED_MAX, 1 << (WATCHED_MAX + 1)
SEGMENT = "\x1f"
NO_WORD, EVENT_TYPES, CONTEXTS, PATHS, WAYS = range(5)
COUNTED = ("event_type", "context", "way", "keys")


@dataclass
class Site:
    """A place that a layout knows: what lies below it, which columns hold its members, by their sorts, or may hold its value."""

    name: str
    below: str
    children: list[Site] = field(default_factory=list)
    homes: Mapping[str, str] = field(default_factory=dict)
    watched: Sequence[str] = ()
    name_rank: int = 0
    is_for_python: bool = False
    silent: Collection[str] = ()  # the sorts of its values that nothing has to speak for


@dataclass(frozen=True)
class Remark:
    """Something that is said of a row's column or of a key in it, or of a place of the source."""

    column: str | None
    key: str | None
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Way:
    """How a row speaks for a key: which columns are there, whether its map has it, what `extra` calls it, what is said of it."""

    path: tuple[str, ...]
    sort: str
    known: int
    home: str | None
    there: tuple[str, ...]
    extra: str | None
    flags: tuple[int, ...]
    remarks: tuple[int, ...]


class Counted(NamedTuple):
    """How many keys of rows of an event type and a context went a way: a table of their numbers, and what these stand for."""

    table: pl.DataFrame
    event_types: dict[int, str]
    contexts: dict[int, str]
    ways: dict[int, Way]


class KeyTally:
    """Counts a unit's keys; `flags` are the columns that the flags of the rows tell of, `hub` the columns as they were read."""

    def __init__(
        self,
        kernel: ctypes.CDLL,
        root: Site,
        *,
        flags: Sequence[str],
        hub: Sequence[str],
        mixed: Sequence[str],
    ) -> None:
        self._kernel = kernel
        first = len(FIXED) + len(flags)
        self._columns = {name: number for number, name in enumerate(hub, start=first)}
        self._list: list[Site] = []
        self._places = self._arranged(root)
        self._n_flags = len(flags)
        self._flags_of = (ctypes.c_uint64 * (FLAG_WORDS * (first + len(hub))))()
        for number, column in enumerate(flags):
            if column in self._columns:
                word = FLAG_WORDS * self._columns[column] + number // FLAG_BITS
                self._flags_of[word] |= 1 << number % FLAG_BITS
        self._mixed = _whole([self._columns[name] for name in mixed if name in self._columns])
        self._remarks: list[RemarkRow] = []
        self._sets: list[SpanRow] = []
        self._in_sets: list[int] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        kernel.translate_tally_begin.restype = ctypes.c_void_p
        kernel.translate_tally_counted.restype = ctypes.c_void_p
        kernel.translate_tally_text.restype = ctypes.c_void_p
        seed = ctypes.c_uint64(secrets.randbits(64))
        pointer = kernel.translate_tally_begin(self._places, len(self._places), seed)
        if not pointer:
            raise MemoryError
        self._pointer = ctypes.c_void_p(pointer)
        weakref.finalize(self, kernel.translate_tally_end, self._pointer)

    def _arranged(self, root: Site) -> ctypes.Array[PlaceRow]:
        """Lay the places out, the members of each next to each other."""
        self._list = [root]
        rows: list[PlaceRow] = []
        for place in self._list:
            name = place.name.encode()
            watched = [self._columns[column] for column in place.watched if column in self._columns]
            row = PlaceRow(name, len(name), len(self._list), len(place.children), BELOW.index(place.below))
            row.name_rank, row.is_for_python = place.name_rank, place.is_for_python
            row.silent = sum(1 << SORTS.index(sort) for sort in place.silent)
            row.homes[:] = [self._home(place, sort) for sort in SORTS]
            row.watched[:] = [*watched, *[NONE] * WATCHED_MAX][:WATCHED_MAX]
            rows.append(row)
            self._list.extend(place.children)
        return (PlaceRow * len(rows))(*rows)

    def _home(self, place: Site, sort: str) -> int:
        return self._columns.get(place.homes.get(sort, ""), NONE)

    # -- rows ---------------------------------------------------------------------------------------------------

    def remark(self, remark: Remark) -> int:
        """Give a remark a number."""
        key = SEGMENT.join(remark.path) if remark.column is None else remark.key or ""
        content = key.encode(errors="surrogatepass")
        column = OF_SOURCE if remark.column is None else self._columns.get(remark.column, OTHER_COLUMN)
        self._remarks.append(RemarkRow(column, remark.key is not None, content, len(content)))
        return len(self._remarks) - 1

    def remarks(self, numbers: tuple[int, ...]) -> int:
        """Give the remarks upon a row a number together."""
        if numbers not in self._numbers:
            self._numbers[numbers] = len(self._sets)
            begin = len(self._in_sets)
            self._in_sets += numbers
            self._sets.append(SpanRow(begin, len(self._in_sets)))
        return self._numbers[numbers]

    def add(self, frame: pl.DataFrame) -> pl.Series:
        """Count the keys of rows, of which the frame has what FIXED names, flags and hub columns; tell which rows are left."""
        sheet, kept = self._sheet()
        left = (ctypes.c_uint8 * frame.height)()
        capsule = frame.rechunk().__arrow_c_stream__()
        given = ctypes.c_void_p(ctypes.pythonapi.PyCapsule_GetPointer(capsule, STREAM))
        if self._kernel.translate_tally_rows(given, self._pointer, ctypes.byref(sheet), left):
            raise MemoryError
        del kept
        return pl.Series(list(bytes(left)), dtype=pl.UInt8).cast(pl.Boolean)

    def _sheet(self) -> tuple[SheetRow, Any]:
        remarks = (RemarkRow * max(1, len(self._remarks)))(*self._remarks)
        sets = (SpanRow * max(1, len(self._sets)))(*self._sets)
        in_sets = (ctypes.c_int64 * max(1, len(self._in_sets)))(*self._in_sets)
        arrays = (self._places, self._flags_of, self._mixed, remarks, sets, in_sets)
        extra = self._columns.get("extra", NONE)
        addresses = [ctypes.addressof(array) for array in arrays]
        sheet = SheetRow(*addresses, len(self._places), self._n_flags, len(self._mixed), extra)
        return sheet, arrays

    # -- ways ---------------------------------------------------------------------------------------------------

    def counted(self) -> Counted:
        """Give the ways, and how many keys went each."""
        count = ctypes.c_int64()
        rows = self._kernel.translate_tally_counted(self._pointer, ctypes.byref(count))
        shape = (count.value, len(COUNTED))
        content = ctypes.string_at(rows, 8 * count.value * len(COUNTED)) if count.value else b""
        numbers = pl.Series([content]).bin.reinterpret(dtype=pl.Array(pl.Int64, shape[0] * shape[1]))
        table = (
            numbers.explode(empty_as_null=False).reshape(shape).arr.to_struct(list(COUNTED)).struct.unnest()
        )
        texts = _Texts(self._kernel, self._pointer)
        return Counted(
            table,
            {number: texts.text(number) for number in table["event_type"].unique() if number != NO_WORD},
            {number: texts.text(number) for number in table["context"].unique()},
            {
                number: self._way(texts, *WAY.unpack(texts.content(number)))
                for number in table["way"].unique()
            },
        )

    def _way(self, texts: _Texts, flags: int, more_flags: int, *fields: int) -> Way:
        *remarks, path, extra, place, preset, bits, sort, known, is_member = fields
        own = preset if is_member and preset >= 0 else place
        watched = (
            [column for column in self._list[own].watched if column in self._columns] if own >= 0 else []
        )
        return Way(
            texts.path(path),
            SORTS[sort],
            known,
            self._list[place].homes[SORTS[sort]] if bits & AT_HOME else None,
            tuple(column for bit, column in enumerate(watched) if bits >> bit & 1),
            texts.text(extra) if bits & IN_EXTRA else None,
            tuple(_bits(flags | more_flags << 64)),
            tuple(number for number in remarks if number >= 0),
        )


class _Texts:
    """The texts of a tally by their numbers."""

    def __init__(self, kernel: ctypes.CDLL, pointer: ctypes.c_void_p) -> None:
        self._kernel = kernel
        self._pointer = pointer
        self._paths: dict[int, tuple[str, ...]] = {PATHS: ()}

    def _word(self, number: int) -> tuple[bytes, int]:
        above, length = ctypes.c_uint32(), ctypes.c_int64()
        at = self._kernel.translate_tally_text(
            self._pointer, number, ctypes.byref(above), ctypes.byref(length)
        )
        return ctypes.string_at(at, length.value), above.value

    def content(self, number: int) -> bytes:
        """Give the bytes of a text."""
        return self._word(number)[0]

    def text(self, number: int) -> str:
        """Give a text."""
        return self.content(number).decode()

    def path(self, number: int) -> tuple[str, ...]:
        """Give a path by the number of its last segment."""
        if number not in self._paths:
            content, above = self._word(number)
            self._paths[number] = (*self.path(above), content.decode())
        return self._paths[number]


def _whole(numbers: Sequence[int]) -> ctypes.Array[ctypes.c_int32]:
    return (ctypes.c_int32 * len(numbers))(*numbers)


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
