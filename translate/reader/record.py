"""What one record says, ready for the hub, and how single values get into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from translate.vocabulary.notation import Digits, maps_of, writable
from translate.vocabulary.notes import RETYPED, ROUNDED, InSource, Note, note, written
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

    def said(self) -> dict[str, Any]:
        """Give what it says by the names of raw columns, absent values left out."""
        said: dict[str, Any] = {f"${slot}": text for slot, text in self.values.items()}
        said |= self.maps | {name: value for name in OF_SOME if (value := getattr(self, name)) is not None}
        if self.notes:
            said["notes"] = [written(each) for each in self.notes]
        return said | {"text": self.raw, "nulls": self.nulls}


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


def frame_of(
    found: Iterable[tuple[int, list[Record]]], schema: Mapping[str, Any], *, keeps_lines: bool = False
) -> pl.DataFrame:
    """Put what records say into a frame, line by line; with `keeps_lines` each line goes along with its first one."""
    said: dict[str, dict[int, Any]] = {}
    count = 0
    for row, records in found:
        for part, record in enumerate(records):
            told = {"row": row, "part": part, "base64": record.base64, "careful": True, **record.said()}
            if keeps_lines:
                told |= {"request": record.request, "first_request": record.first_request}
                told |= {"refuses": record.refuses, "whole_line": record.line}
            for name, value in told.items():
                said.setdefault(name, {})[count] = value
            count += 1
    return pl.DataFrame([_column(name, said.get(name), count, dtype) for name, dtype in schema.items()])


def _column(name: str, said: Mapping[int, Any] | None, count: int, dtype: Any) -> pl.Series:
    if not said:
        return pl.Series(name, [None], dtype=dtype).new_from_index(0, count)
    values = [said.get(number) for number in range(count)]
    if name == "notes":
        return pl.Series(name, values, dtype=dtype)
    return (maps_of(values) if dtype == events.MAP else pl.Series(values).cast(dtype)).alias(name)
