"""A user's properties, each with the time when it was set."""

from __future__ import annotations

from typing import Any

from translate.reader.containers import once, text_of
from translate.reader.literals import Digits, Pairs, an_object, canonical
from translate.reader.record import Record
from translate.reader.tree import Leaf
from translate.vocabulary.notes import RETYPED, InSource
from translate.vocabulary.times import NoTime, instant_of
from translate.vocabulary.words.times import EPOCH_MS


def read_user(record: Record, leaf: Leaf, value: Any, time: str | None) -> None:
    """Read a user's properties, each with the time when it was set; the event's own time needs no saying."""
    entry = leaf.entry
    place = InSource(entry.path)
    user = once(record, place, an_object(value, entry.place))
    properties: dict[str, str] = {}
    times: dict[str, str] = {}
    for name, inner in user.items():
        given, set_time = _value_and_time(record, place.member(name), inner)
        if given is None:
            record.nulls += 1
            continue
        if name == entry.member and type(given) in (str, Digits):
            record.values[leaf.slot] = text_of(record, place.member(name), given)
            if type(given) is Digits:
                record.note("changed", place.member(name), RETYPED)
        else:
            properties[name] = canonical(given)
        if set_time is not None and set_time != time:
            times[name] = set_time
    if properties:
        record.maps["user_properties"] = properties
    if times:
        record.maps["user_property_times"] = times


def _value_and_time(record: Record, place: InSource, inner: Any) -> tuple[Any, str | None]:
    if not isinstance(inner, Pairs) or "value" not in inner.names():
        return inner, None
    members = once(record, place, inner)
    set_time = members.get("set_timestamp")
    digits = None if set_time is None else _set_time(record, place.member("set_timestamp"), set_time)
    for other in members:
        if other not in ("value", "set_timestamp"):
            record.note("not_mapped", place.member(other))
    return members["value"], digits


def _set_time(record: Record, place: InSource, value: Any) -> str | None:
    found = instant_of(EPOCH_MS, value)
    if isinstance(found, NoTime):
        record.note("not_mapped", place, f"no time ({found.why})")
        return None
    for why in found.changed:
        record.note("changed", place, why)
    return found.text
