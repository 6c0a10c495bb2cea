"""Lines of JSON, and rows of tables as the JSON that they say, to raw records by the kernel; for what it does not decide it asks."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Self

import polars as pl

from translate import events
from translate.engine.library import library, present, through
from translate.engine.texts import bytes_of
from translate.mapping.spec import Field, Layout
from translate.reader.literals import NUMBER
from translate.reader.originals import maps_changed, restore_names
from translate.reader.program import NONE, WHOLE, Program
from translate.reader.record import Record
from translate.reader.tree import ANY, places_of, slots
from translate.vocabulary import notes
from translate.vocabulary.notation import maps_of, quoted
from translate.vocabulary.spelling import Spelling

REFUSED, CAREFUL, CAREFUL_BYTES = 1, 2, 3  # what is odd about a record; the first as kernel/lines.c says
BATCH_BYTES_MAX = 1 << 29  # offsets into a batch's texts have 32 bits


LeftReader = Callable[[int, str | None], Iterable[Record]]


class Said(ctypes.Structure):
    """What is said of a text that the kernel leaves, as kernel/read.h lays it out."""

    _fields_ = [("bytes", ctypes.c_char_p), ("length", ctypes.c_int64)]


ANSWER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(Said))


class KernelReader:
    """Reads the lines of one layout."""

    def __init__(self, kernel: Any, layout: Layout, names: Mapping[str, Spelling], record_bytes: int) -> None:
        self._read_lines = kernel.translate_read_lines
        self._program = Program(layout, names, record_bytes)
        self._names_slots = {
            f"${slot}": entry.key for slot, entry in slots(layout) if entry.word.travels_with_names
        }

    @classmethod
    def of(cls, layout: Layout, names: Mapping[str, Spelling], record_bytes: int) -> Self | None:
        """Give a reader of the layout; None if there is no kernel."""
        kernel = library()
        return None if kernel is None else cls(kernel, as_objects(layout), names, record_bytes)

    def read(self, lines: pl.DataFrame, read_left: LeftReader, left: Sequence[int] = ()) -> pl.DataFrame:
        """Read a batch of `row` and `text` into raw records; `read_left` reads what is left, and lines without a text.

        So it does those in the places that are `left`. A column `read_as` has what is read in place of the texts. `odd` tells
        which records were REFUSED, or read there.
        """
        texts = lines["read_as" if "read_as" in lines.columns else "text"].alias("text")
        if lines.height > 1 and bytes_of(texts) > BATCH_BYTES_MAX:
            return self._by_halves(lines, read_left, left)
        program, told = self._program, self._program.told_before()
        numbers = (ctypes.c_int64 * (len(left) + 1))(*left, NONE)
        asked = _Asked(program.columns, lines["text"], read_left)
        callback = ANSWER(asked.answer)

        def read(given: Any, made: Any) -> int:
            code: int = self._read_lines(program.pointer, given, numbers, told, callback, made)
            if asked.failure is not None:
                raise asked.failure
            return code

        found = through(read, texts.to_frame())
        program.told = told
        maps = (pl.col(name).cast(events.MAP) for name in events.MAPS)
        return self._records(with_names_restored(found.with_columns_seq(maps), self._names_slots), lines)

    def _by_halves(self, lines: pl.DataFrame, read_left: LeftReader, left: Sequence[int]) -> pl.DataFrame:
        middle = lines.height // 2
        first = self.read(lines[:middle], read_left, [line for line in left if line < middle])
        later = [line - middle for line in left if line >= middle]
        second = self.read(lines[middle:], lambda line, rest: read_left(middle + line, rest), later)
        return pl.concat([first, second])

    @staticmethod
    def _records(found: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
        numbers = found["batch_row"]
        is_whole = found.height == lines.height and (numbers == pl.int_range(lines.height, eager=True)).all()
        text = found["text"]
        if text.null_count():
            # Texts of requests' lines are not repeated for each of their events.
            whole = lines["text"] if is_whole else lines["text"][numbers]
            pieces = present(text)
            text = whole.scatter(pieces, text[pieces]) if len(pieces) else whole
        return found.with_columns_seq(
            row=lines["row"] if is_whole else lines["row"][numbers],
            part=found["part"].cast(pl.UInt32),
            nulls=found["nulls"].cast(pl.UInt32),
            text=text,
            notes=found["notes"].cast(notes.NOTES_TYPE),
            base64=pl.col("odd").eq_missing(CAREFUL_BYTES),
            careful=pl.col("odd").is_not_null(),
        )


class _Asked:
    """Answers the kernel, which asks what the records say that it leaves; `failure` is what went wrong with that."""

    def __init__(self, columns: Mapping[str, int], texts: pl.Series, read_left: LeftReader) -> None:
        self._columns = columns
        self._numbers = {name: number for number, name in enumerate(columns)}
        self._text_of = lru_cache(maxsize=1)(texts.__getitem__)  # a line may have many such records
        self._read_left = read_left
        self._said = b""  # for as long as the kernel looks at it
        self.failure: BaseException | None = None

    def answer(self, line: int, at: int, length: int, said: Any) -> int:
        """Read a line, or its rest if that has a length; 0 where that failed, which ctypes gives for what is raised here."""
        try:
            rest = None if length < 0 else ctypes.string_at(at, length).decode()
            text = self._text_of(line)
            records = self._read_left(line, rest)
            self._said = "".join(quoted(self._cells(record, text)) for record in records).encode()
        except BaseException as failure:  # noqa: BLE001  there is no way through the kernel for it but around
            self.failure = failure
            return 0
        said.contents.bytes, said.contents.length = self._said, len(self._said)
        return 1

    def _cells(self, record: Record, line: str | None) -> list[Any]:
        said = record.said()
        if said["text"] == line:  # stands there already
            del said["text"]
        said["odd"] = CAREFUL_BYTES if record.base64 else CAREFUL
        return [
            part
            for name, value in said.items()
            for part in (self._numbers[name], int(value) if self._columns[name] == WHOLE else value)
        ]


def with_names_restored(records: pl.DataFrame, keys: Mapping[str, str]) -> pl.DataFrame:
    """Give events whose original names travelled along, in the columns named, these names back; the others stay as they are."""
    for slot, key in keys.items():
        there = present(records[slot])
        if len(there):
            renamed = _renamed(records[there], slot, key)
            place = pl.int_range(records.height, dtype=pl.UInt32, eager=True)
            place = place.scatter(there, place[: len(there)] + records.height)
            restored = (pl.concat([records[name], renamed[name]]).gather(place) for name in renamed.columns)
            records = records.with_columns(*restored)
    return records


def _renamed(records: pl.DataFrame, slot: str, key: str) -> pl.DataFrame:
    """Give those columns of events anew that restoring names may change."""
    texts = records[slot].unique()
    maps = sorted({name for text in texts for name in maps_changed(text)})
    restored = []
    for row in records.select(slot, *maps).iter_rows(named=True):
        text = row.pop(slot)
        record = Record("", maps={name: values for name, values in row.items() if values is not None})
        restore_names(record, text, key)
        restored.append(record)
    return pl.DataFrame(
        [
            pl.Series(slot, [None] * len(restored), pl.String),
            pl.Series("original_name", [record.original_name for record in restored], pl.String),
            *(maps_of([record.maps.get(name) for record in restored]).alias(name) for name in maps),
        ]
    )


# -- rows of tables ---------------------------------------------------------------------------------------------------


def is_plain_number(cell: str) -> bool:
    """Tell whether a double holds a number, which is spelled as it is: nothing is to be noted of it."""
    if not NUMBER.fullmatch(cell) or cell == "-0":
        return False
    return repr(float(cell)) in (cell, f"{cell}.0")


def as_objects(layout: Layout) -> Layout:
    """Give the layout of the objects that rows of a table say: columns of free-form values lie together in one of them."""
    fields = (
        replace(entry, place=_together(entry), codec=entry.word.gathered) if entry.word.gathered else entry
        for entry in layout.fields
    )
    return replace(layout, fields=tuple(fields)) if layout.records == "csv" else layout


def _together(entry: Field) -> str:
    """Name the member for columns with a prefix: no other column has its name, for it has the prefix, too."""
    return f"{entry.place.removesuffix(ANY)}:"


class Columns:
    """The columns of a table, each with the way in which its cells become members of an object."""

    def __init__(self, layout: Layout, header: Sequence[str]) -> None:
        self._count = len(header)
        self._are_distinct = len(set(header)) == len(header)
        places = places_of(layout)
        self._single: list[tuple[int, Callable[[str], str]]] = []
        self._together: dict[str, list[tuple[int, Callable[[str], str]]]] = {}
        for number, name in enumerate(header):
            leaf = places.event.get(name)
            found = ((prefix, entry) for prefix, entry in places.prefixes if name.startswith(prefix))
            prefix, entry = (name, None) if leaf else next(found, (name, None))
            if entry is None or name == prefix:
                of_numbers = leaf.wire in ("whole", "number") if leaf else entry and entry.word.of_numbers
                self._single.append((number, _member(name, NUMBER.fullmatch if of_numbers else None)))
            else:
                test = is_plain_number if entry.word.of_numbers else None
                home = self._together.setdefault(encode_basestring(_together(entry)), [])
                home.append((number, _member(name.removeprefix(prefix), test, needed=test is not None)))

    def as_object(self, cells: Sequence[str | None]) -> str | None:
        """Write a row's object as JSON; none of a row that the reference has to look at."""
        if len(cells) != self._count or not self._are_distinct:
            return None
        try:
            members = _members(self._single, cells)
            for name, columns in self._together.items():
                inner = _members(columns, cells)
                members += [f"{name}:{{{','.join(inner)}}}"] if inner else []
        except ValueError:
            return None
        return f"{{{','.join(members)}}}"


def _members(columns: list[tuple[int, Callable[[str], str]]], cells: Sequence[str | None]) -> list[str]:
    return [write(cell) for number, write in columns if (cell := cells[number]) is not None]


def _member(
    name: str, is_number: Callable[[str], object] | None, *, needed: bool = False
) -> Callable[[str], str]:
    """Give how a cell becomes a member: as a number where it is one; where it `needed` to be one, ValueError is raised."""
    begins = f"{encode_basestring(name)}:"
    if is_number is None:
        return lambda cell: begins + encode_basestring(cell)

    def write(cell: str) -> str:
        if is_number(cell):
            return begins + cell
        if needed:
            raise ValueError(cell)
        return begins + encode_basestring(cell)

    return write
