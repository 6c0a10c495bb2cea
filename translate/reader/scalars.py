"""Single values of a record: each as the text that its place is read from, with a note of what that changes."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from translate import notation
from translate.notes import RETYPED, InSource
from translate.reader import containers
from translate.reader.literals import (
    NUMBER,
    Constant,
    Digits,
    Pairs,
    Refused,
    canonical,
    fits_64_bits,
    number_digits,
    shown,
)
from translate.reader.record import Record
from translate.reader.tree import Leaf

FINER = re.compile(r"[.,][0-9]{3}[0-9]*[1-9]")  # than milliseconds
FLOORED = "finer than milliseconds: floored"


def scalar_text(record: Record, leaf: Leaf, place: InSource, value: Any) -> str:
    """Give a value's text; a number in a text's place is taken as its digits, and told."""
    wire = leaf.wire
    if isinstance(value, Constant):
        raise Refused("bad_number", f"{place.shown} is {value}, which is not a number")
    if wire == "json":
        if leaf.entry.hub[:1] in containers.JSON_LISTS and (not isinstance(value, list) or isinstance(value, Pairs)):
            raise Refused("wrong_type", f"{place.shown} should be a list, but is {shown(value)}")
        return canonical(value)
    if wire == "text":
        return _text(record, leaf, place, value)
    if leaf.entry.codec == "epoch_s_exact" and type(value) is str:
        value = _seconds(record, place, value)
    if not isinstance(value, Digits):
        raise Refused("wrong_type", f"{place.shown} should be a number, but is {shown(value)}")
    digits, changed = number_digits(value)
    if wire == "whole" and not fits_64_bits(digits):
        raise Refused("wrong_type", f"{place.shown} should be a whole number of 64 bits, but is {shown(value)}")
    if changed:
        record.note("changed", place, "rounded to a double")
    return digits


def _seconds(record: Record, place: InSource, text: str) -> str:
    """Give the seconds that a text spells, as digits or in ISO 8601: the SDKs take either."""
    if NUMBER.fullmatch(text):
        record.note("changed", place, RETYPED)
        return Digits(text)
    time, why = notation.utc(text)
    if time is None:
        return text
    record.note("changed", place, why or "respelled in seconds")
    return Digits(f"{dt.datetime.fromisoformat(time).timestamp():.3f}")


def unquoted(record: Record, leaf: Leaf, place: InSource, value: Any) -> Any:
    """Give the number that a text spells in another place of a number: older clients wrote texts."""
    if type(value) is not str or leaf.wire not in ("whole", "number") or not NUMBER.fullmatch(value):
        return value
    record.note("changed", place, RETYPED)
    return Digits(value)


def _text(record: Record, leaf: Leaf, place: InSource, value: Any) -> str:
    if isinstance(value, Digits):
        record.note("changed", place, RETYPED)
        return number_digits(value)[0]
    if type(value) is not str:
        raise Refused("wrong_type", f"{place.shown} should be text, but is {shown(value)}")
    if leaf.entry.codec != "iso8601":
        return value
    time, why = notation.utc(value)
    if time is None:
        raise Refused("bad_time", f"{place.shown} is no ISO 8601 time: {shown(value)}")
    if why:
        record.note("changed", place, why)
    if why != FLOORED and FINER.search(value):
        record.note("changed", place, FLOORED)
    return time
