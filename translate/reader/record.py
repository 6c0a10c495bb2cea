"""What one record says, ready for the hub, and how single values get into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate import events
from translate.mapping.paths import AROUND
from translate.reader.literals import (
    Constant,
    Pairs,
    Refused,
    canonical,
    double_digits,
    fits_64_bits,
    number_digits,
    shown,
)
from translate.reader.tree import Leaf
from translate.vocabulary import notes
from translate.vocabulary.notation import Digits, maps_of, writable
from translate.vocabulary.notes import RETYPED, ROUNDED, InSource, Note, note
from translate.vocabulary.times import NUMBER, NoTime, instant_of

OVERRULED = "the event says otherwise"
EMPTIED = "an empty text stands for none"
OF_SOME = ("code", "message", "original_name")
DOUBLED = "doubled: the last one stays"


@dataclass(slots=True)
class Record:
    """What one record said: texts by place, hub maps, and what there is to tell about it."""

    raw: str
    code: str | None = None
    message: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    original_name: str | None = None
    nulls: int = 0
    base64: bool = False
    holds_event: bool = True  # false for a request, or a part of one, without any
    request: int = 0  # which one of its line, where a line holds requests
    line: str | None = None  # of the first event of a line, or of a piece of a broken one: its text
    first_request: int = 0  # that such a piece begins with
    refuses: str | None = (
        None  # what is refused beside one event: its `request`, the `rest` of the line, `damage`
    )
    notes: list[Note] = field(default_factory=list)

    def copy(self) -> Record:
        """Give a record that says the same so far."""
        maps = {name: dict(values) for name, values in self.maps.items()}
        return Record(self.raw, values=dict(self.values), maps=maps, nulls=self.nulls, notes=list(self.notes))

    def put(self, column: str, key: str, text: str) -> None:
        """Put a value into a map."""
        self.maps.setdefault(column, {})[key] = text

    def note(self, kind: str, place: InSource, why: str = "") -> None:
        """Note that a place of the record, or of the request around it, lost something."""
        self.notes.append(note(kind, place, why))


def refused(raw: str, reason: Refused, *, request: int = 0, refuses: str | None = None) -> Record:
    """Give the record of what cannot be read."""
    return Record(raw, code=reason.code, message=writable(reason.message), request=request, refuses=refuses)


def refuse_surrogates(record: Record) -> None:
    """Raise Refused if a text of the record holds half of a surrogate pair."""
    maps = [text for values in record.maps.values() for pair in values.items() for text in pair]
    try:
        "".join([*record.values.values(), *maps, *map(_path, record.notes)]).encode()
    except UnicodeEncodeError:
        raise _surrogate(record) from None


def _path(noted: Note) -> str:
    return noted.spot.shown if isinstance(noted.spot, InSource) else ""


def _surrogate(record: Record) -> Refused:
    """Tell which text holds half of a surrogate pair."""
    texts = [*record.values.items()]
    for values in record.maps.values():
        texts.extend(values.items())
    texts.extend((_path(noted), "") for noted in record.notes)
    for key, text in texts:
        try:
            f"{key}{text}".encode()
        except UnicodeEncodeError as error:
            broken = f"\\u{ord(error.object[error.start]):04x}"
            return Refused(
                "bad_text", f"{writable(key.removeprefix(AROUND))} holds half of a surrogate pair ({broken})"
            )
    return Refused(
        "bad_text", "holds half of a surrogate pair"
    )  # two halves that only look like a pair, put together


# -- single values: each once, as the text that its place is read from, with a note of what that changes -------------


def once(record: Record, place: InSource, members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Give members by name; of a doubled one the last stays, and that is noted."""
    seen: dict[str, Any] = {}
    for key, value in members:
        if key in seen:
            record.note("changed", place.member(key), DOUBLED)
        seen[key] = value
    return seen


def text_of(record: Record, place: InSource, value: str) -> str:
    """Give a text as it is, a number as its canonical digits; note it if that rounds."""
    if not isinstance(value, Digits):
        return value
    digits, changed = number_digits(value)
    if changed:
        record.note("changed", place, ROUNDED)
    return digits


def scalar_text(record: Record, leaf: Leaf, place: InSource, value: Any) -> str:
    """Give a value's text; a number in a text's place is taken as its digits, and told."""
    wire = leaf.wire
    refuse_constant(place, value)
    if wire == "json":
        if leaf.entry.holds_list and (not isinstance(value, list) or isinstance(value, Pairs)):
            raise Refused("wrong_type", f"{place.shown} should be a list, but is {shown(value)}")
        return canonical(value)
    if wire == "text":
        return _text(record, place, value)
    if not isinstance(value, Digits):
        raise Refused("wrong_type", f"{place.shown} should be a number, but is {shown(value)}")
    digits, changed = double_digits(value) if wire == "number" else number_digits(value)
    if wire == "whole" and not fits_64_bits(digits):
        raise Refused(
            "wrong_type", f"{place.shown} should be a whole number of 64 bits, but is {shown(value)}"
        )
    if changed:
        record.note("changed", place, ROUNDED)
    return digits


def refuse_constant(place: InSource, value: Any) -> None:
    """Raise Refused for NaN and Infinity."""
    if isinstance(value, Constant):
        raise Refused("bad_number", f"{place.shown} is {value}, which is not a number")


def take_time(record: Record, leaf: Leaf, place: InSource, value: Any) -> bool:
    """Take a time in; false if the value is none, which is noted. Raise Refused where every event needs one."""
    refuse_constant(place, value)
    if leaf.entry.texts or leaf.is_other:
        value = unquoted(record, leaf, place, value)
    if isinstance(value, Digits):
        number_digits(value)  # what no double can hold is no number, whatever its place
    found = instant_of(leaf.entry.word, value, anywhen=leaf.entry.required)
    if isinstance(found, NoTime):
        if leaf.entry.required:
            raise Refused("bad_time", f"{place.shown} is no time: {shown(value)} ({found.why})")
        record.note("changed", place, f"no time ({found.why}): kept as it stood")
        return False
    record.values[leaf.slot] = found.text
    for why in found.changed:
        record.note("changed", place, why)
    return True


def unquoted(record: Record, leaf: Leaf, place: InSource, value: Any) -> Any:
    """Give the number that a text spells in another place of a number: older clients wrote texts."""
    if type(value) is not str or leaf.wire not in ("whole", "number") or not NUMBER.fullmatch(value):
        return value
    record.note("changed", place, RETYPED)
    return Digits(value)


def _text(record: Record, place: InSource, value: Any) -> str:
    if isinstance(value, Digits):
        record.note("changed", place, RETYPED)
        return number_digits(value)[0]
    if type(value) is not str:
        raise Refused("wrong_type", f"{place.shown} should be text, but is {shown(value)}")
    return value


# -- many of them -----------------------------------------------------------------------------------------------------


class FoundRecords:
    """The records of some lines of a batch, in their order; with `keeps_lines` each line goes along with its first one."""

    def __init__(self, schema: Mapping[str, Any], *, keeps_lines: bool = False) -> None:
        self.records: list[Record] = []
        self._schema = schema
        self._keeps_lines = keeps_lines
        self._rows: list[int] = []
        self._parts: list[int] = []
        self._counts: list[int] = []

    def add(self, row: int, records: list[Record], *, first: int = 0) -> None:
        """Take in what was found in a line, from its `first` record on."""
        self.records += records
        self._rows += [row] * len(records)
        self._parts += range(first, first + len(records))
        self._counts.append(len(records))

    def said_in(self, frame: pl.DataFrame, places: pl.Series | None = None) -> pl.DataFrame:
        """Put what they say into a frame's rows that say nothing: all of them, or the one in the place of each line."""
        at: Sequence[int] = range(frame.height)
        if places is not None:
            frame, at = self._given_room(frame, places)
        columns = {column.name: column for column in frame}
        there: dict[tuple[int, ...], pl.Series] = {}
        for name, said in self._said().items():
            numbers = tuple(said)
            if numbers not in there:
                there[numbers] = pl.Series([at[number] for number in numbers], dtype=pl.UInt32)
            columns[name] = _put(columns[name], there[numbers], self._series(name, [*said.values()]))
        return pl.DataFrame([*columns.values()])

    def _given_room(self, frame: pl.DataFrame, places: pl.Series) -> tuple[pl.DataFrame, Sequence[int]]:
        """Repeat the row in the place of each line until there is one for each record; tell where these are."""
        at: list[int] = []
        again: list[int] = []
        gone: list[int] = []
        for number, (place, count) in enumerate(zip(places, self._counts, strict=True)):
            first = place + len(at) - number
            at += range(first, first + count)
            again += [place] * (count - 1)
            gone += [] if count else [place]
        if not (again or gone):
            return frame, at
        order = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
        order = order.filter(~order.is_in(gone)) if gone else order
        return frame[pl.concat([order, pl.Series(again, dtype=pl.UInt32)]).sort()], at

    def _said(self) -> dict[str, dict[int, Any]]:
        """Give what is said in each column, by the numbers of the records."""
        records = self.records
        each: dict[str, list[Any]] = {
            "row": self._rows,
            "part": self._parts,
            "text": [record.raw for record in records],
            "base64": [record.base64 for record in records],
            "careful": [True] * len(records),
            "nulls": [record.nulls for record in records],
        }
        if self._keeps_lines:
            each["request"] = [record.request for record in records]
            each["first_request"] = [record.first_request for record in records]
        said: dict[str, dict[int, Any]] = {name: dict(enumerate(values)) for name, values in each.items()}
        for number, record in enumerate(records):
            values: dict[str, Any] = {f"${slot}": text for slot, text in record.values.items()}
            values |= record.maps | {name: getattr(record, name) for name in OF_SOME}
            values["notes"] = record.notes or None
            if self._keeps_lines:
                values["refuses"], values["whole_line"] = record.refuses, record.line
            for name, value in values.items():
                if value is not None:
                    said.setdefault(name, {})[number] = value
        return said

    def _series(self, name: str, values: list[Any]) -> pl.Series:
        if name == "notes":
            return notes.series(values)
        dtype = self._schema[name]
        return maps_of(values) if dtype == events.MAP else pl.Series(values).cast(dtype)


def _put(column: pl.Series, at: pl.Series, values: pl.Series) -> pl.Series:
    """Put values into some places of a column."""
    if len(values) == len(column):
        return values.alias(column.name)
    if not column.dtype.is_nested():
        return column.scatter(at, values)
    rows = pl.int_range(len(column) + len(values), dtype=pl.UInt32, eager=True)
    order = rows.head(len(column)).scatter(at, rows.tail(len(values)))
    both = pl.concat([column, values], rechunk=True)  # rows are gathered from one chunk much faster
    return both.to_frame()[order].to_series()
