"""Free-form values: each finds its hub map by its type, unless its key has a place of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from translate.mapping.spec import Field
from translate.reader.literals import (
    DECODER,
    NUMBER,
    Constant,
    Pairs,
    Refused,
    an_object,
    canonical,
    constant,
    fits_64_bits,
    number_digits,
    shown,
)
from translate.reader.opening import opened
from translate.reader.record import Record, once, scalar_text, take_time, text_of, unquoted
from translate.reader.tree import Leaf
from translate.vocabulary.notation import Digits
from translate.vocabulary.notes import RETYPED, InSource
from translate.vocabulary.times import NoTime, instant_of
from translate.vocabulary.word import Form, Word
from translate.vocabulary.words.times import EPOCH_MS

HOMES: dict[type, str] = {str: "attributes", Digits: "metrics"}
WHOLE_TEXT = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")

Stray = tuple[InSource, str, Any]


def _present(record: Record, place: InSource, members: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in members.items():
        if value is None:
            record.nulls += 1
        elif isinstance(value, Constant):
            raise Refused("bad_number", f"{place.member(key).shown} is {value}, which is not a number")
        else:
            yield key, value


# -- maps of one type -----------------------------------------------------------------------------------------------


def read_map(record: Record, entry: Field, value: Any, presets: dict[str, Leaf]) -> list[Stray]:
    """Take in a map's values of its own type; give back the others, which have to look for a home."""
    place = InSource(entry.path)
    home, own = ("metrics", Digits) if entry.word.of_numbers else ("attributes", str)
    values: dict[str, str] = {}
    strays: list[Stray] = []
    for key, inner in _present(record, place, once(record, place, an_object(value, entry.place))):
        if type(inner) is not own:
            strays.append((place.member(key), key, inner))
        elif not _take_preset(record, presets.get(key), place.member(key), inner):
            values[key] = text_of(record, place.member(key), inner)
    record.maps[home] = values
    return strays


def take_in(record: Record, place: InSource, key: str, value: Any) -> None:
    """Find a home for a value that is not of its map's type: texts are attributes, numbers metrics, the rest other.

    Of two keys of one name, in two maps of the record, the first one stays.
    """
    home = HOMES.get(type(value), "other")
    values = record.maps.get(home) or {}
    if home != "other" and key in values:
        home = "other"
    if home == "other" and key in record.maps.get("other", {}):
        record.note("not_mapped", place, "another map has a key of this name")
        return
    text = canonical(value) if home == "other" else text_of(record, place, value)
    record.put(home, key, text)
    if home != "other":
        record.note("changed", place, RETYPED)


# -- maps of mixed types --------------------------------------------------------------------------------------------


def read_mixed(record: Record, place: InSource, members: dict[str, Any], presets: dict[str, Leaf]) -> None:
    """Take in a map of mixed types."""
    for home in ("attributes", "metrics"):
        record.maps.setdefault(home, {})
    for key, value in _present(record, place, members):
        if _take_preset(record, presets.get(key), place.member(key), value):
            continue
        home = HOMES.get(type(value), "other")
        record.put(
            home, key, canonical(value) if home == "other" else text_of(record, place.member(key), value)
        )


def read_object(record: Record, entry: Field, value: Any, presets: dict[str, Leaf]) -> None:
    """Read one object of mixed types."""
    place = InSource(entry.path)
    read_mixed(record, place, once(record, place, an_object(value, entry.place)), presets)


def read_properties(record: Record, entry: Field, value: Any, presets: dict[str, Leaf]) -> None:
    """Read an object of mixed types that is JSON text, or was left open."""
    read_object(record, entry, opened(value, entry.place), presets)


def read_entities(record: Record, entry: Field, value: Any, presets: dict[str, Leaf]) -> None:
    """Read a list of key and value: a second entity of the same key is `key#2`, and so on; no value is none."""
    place = InSource(entry.path)
    if not isinstance(value, list) or isinstance(value, Pairs):
        raise Refused("wrong_type", f"{entry.place} should be a list of key and value, but is {shown(value)}")
    members: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for entity in value:
        pairs = once(record, place, an_object(entity, f"an entity of {entry.place}"))
        key = pairs.pop("key", None)
        if type(key) is not str:
            raise Refused("wrong_type", f"an entity of {entry.place} has no key: {shown(entity)}")
        counts[key] = counts.get(key, 0) + 1
        name = key if counts[key] == 1 else f"{key}#{counts[key]}"
        while name in members:
            counts[key] += 1
            name = f"{key}#{counts[key]}"
        members[name] = pairs.pop("value", None)
        for other in pairs:
            record.note("not_mapped", place.member(name, other))
    read_mixed(record, place, members, presets)


def _take_preset(record: Record, leaf: Leaf | None, place: InSource, value: Any) -> bool:
    """Give a value to the place that its key has, if writing it there would give the same again."""
    if leaf is None or (leaf.is_other and leaf.slot in record.values):
        return False
    entry = leaf.entry
    if entry.word.is_left_out:
        record.note("on_purpose", place, entry.word.why)
        return True
    if entry.word.holds_whole_map:
        return _take_map(record, entry, value)
    if entry.required:
        return _take_required(record, leaf, place, value)
    text = exact_text(entry, value)
    if text is None and (leaf.is_other or entry.texts) and type(value) is str and NUMBER.fullmatch(value):
        text = exact_text(entry, Digits(value))  # some clients write numbers as texts
        if text is not None:
            record.note("changed", place, RETYPED)
    if text is None or not _confirmed(record, leaf, text):
        return False
    record.values[leaf.slot] = text
    return True


def _take_required(record: Record, leaf: Leaf, place: InSource, value: Any) -> bool:
    """Take in what every event needs as any other place would: in all its forms, or not at all."""
    if leaf.is_time:
        return take_time(record, leaf, place, value)
    record.values[leaf.slot] = scalar_text(record, leaf, place, unquoted(record, leaf, place, value))
    return True


def _take_map(record: Record, entry: Field, value: Any) -> bool:
    if (
        not isinstance(value, Pairs)
        or len(value.names()) < len(value)
        or any(inner is None for _, inner in value)
        or entry.hub[0] in record.maps
    ):
        return False
    record.maps[entry.hub[0]] = {key: canonical(inner) for key, inner in value}
    return True


def exact_text(entry: Field, value: Any) -> str | None:
    """Give the text of a value that is just what its field would write; None if it is anything else."""
    if entry.const is not None:
        is_number = isinstance(value, Digits) and not isinstance(entry.const, bool | str)
        is_same = type(value) is type(entry.const) or is_number
        text = canonical(constant(entry.const))
        return text if is_same and canonical(value) == text else None
    word = entry.word
    if word.unit is not None:
        return _exact_time(word, value)
    wire = word.wire
    if wire == "json":
        is_fit = not entry.holds_list or (isinstance(value, list) and not isinstance(value, Pairs))
        return canonical(value) if is_fit else None
    if entry.holds_list:
        return value if type(value) is str and is_json_list(value) else None
    if wire == "text":
        is_wanted = type(value) is str and (not word.digits_as_text or _fits(value))
        return value if is_wanted else None
    return _exact_digits(value, whole=wire == "whole") if isinstance(value, Digits) else None


def _exact_time(word: Word, value: Any) -> str | None:
    found = instant_of(word, value)
    if isinstance(found, NoTime) or found.changed or (word.wire == "text" and found.text != value):
        return None
    return found.text


def is_json_list(text: str) -> bool:
    """Tell whether a text is a JSON list, spelled as the hub spells it."""
    try:
        found = DECODER.decode(text)
        return isinstance(found, list) and not isinstance(found, Pairs) and canonical(found) == text
    except (ValueError, RecursionError):
        return False


def _exact_digits(value: Digits, *, whole: bool) -> str | None:
    digits, changed = number_digits(value)
    if whole:
        return digits if fits_64_bits(digits) and not changed else None
    return digits if not changed and digits == number_digits(repr(float(digits)))[0] else None


def _fits(text: str) -> bool:
    return WHOLE_TEXT.fullmatch(text) is not None and fits_64_bits(text)


def _confirmed(record: Record, leaf: Leaf, text: str) -> bool:
    """Hold an original id against the one that was made of it."""
    made_of = leaf.entry.word.confirms
    return made_of is None or record.values.get(leaf.beside) == made_of(text)


def read_whole_map(record: Record, entry: Field, place: InSource, value: Any) -> None:
    """Take in an object as it stands, each value as JSON text."""
    members = once(record, place, an_object(value, place.shown))
    record.nulls += sum(inner is None for inner in members.values())
    record.maps[entry.hub[0]] = {key: canonical(inner) for key, inner in members.items() if inner is not None}


READERS: dict[Form, Callable[[Record, Field, Any, dict[str, Leaf]], None]] = {
    "object": read_object,
    "entities": read_entities,
    "properties": read_properties,
}


# -- a user's properties, each with the time when it was set ------------------------------------------------------------


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
