"""Single values of a record: each once, as the text that its place is read from, with a note of what that changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
from translate.reader.record import DOUBLED, Record
from translate.reader.tree import Leaf
from translate.vocabulary.notation import Digits
from translate.vocabulary.notes import RETYPED, ROUNDED, InSource
from translate.vocabulary.times import NUMBER, NoTime, instant_of


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
