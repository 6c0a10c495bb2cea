"""The careful reader: one record at a time, by Python's own JSON rules, with a reason for everything.

It takes the lines that the fast reader does not fully understand. What both accept, both read alike: numbers
come out as the digits that the engine would write, texts as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from translate.mapping.codecs import CONTAINERS, SCALARS
from translate.mapping.spec import Layout
from translate.notation import COMPACT

BOM = "\ufeff"


class Pairs(list[tuple[str, Any]]):
    """An object's members, in order, doubled keys and all."""


class Digits(str):
    """A number as it stood in the record."""

    __slots__ = ()


class Constant(str):
    """NaN or Infinity: what Python's JSON takes and JSON does not."""

    __slots__ = ()


Stray = tuple[str, str, Any]


@dataclass(slots=True)
class Record:
    """What one record said, ready for the hub: texts by place, maps, and what there is to tell about it."""

    raw: str
    code: str | None = None
    message: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] | None = None
    metrics: dict[str, str] | None = None
    other: dict[str, str] | None = None
    extra: dict[str, str] | None = None
    nulls: int = 0
    base64: bool = False
    notes: list[str] = field(default_factory=list)


class Refused(ValueError):  # noqa: N818  it says what is wrong with a record, not that the tool failed
    """A record that cannot be read: code and message for the rejects."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


NESTING_MAX = 200  # a bound of our own, for Python's depends on who calls
TOO_DEEP = Refused("bad_json", "is nested too deeply")


def note(kind: str, place: str) -> str:
    """Write down that a place lost something; the report counts these."""
    return f"{kind}\t{place}"


def number_digits(literal: str) -> tuple[str, bool]:
    """Give a number's canonical digits and whether they differ in value from the literal.

    >>> number_digits("1.0"), number_digits("-0"), number_digits("1e5")
    (('1', False), ('0', False), ('100000', False))
    """
    if not any(mark in literal for mark in ".eE"):
        return str(Decimal(literal) + 0) if literal.startswith("-0") else literal, False
    double = float(literal)
    if double in (float("inf"), float("-inf")):
        raise Refused("bad_number", f"{literal} is beyond what a double can hold")
    shortest = Decimal(repr(double))
    digits = f"{shortest:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "0", "") else digits, _differs(shortest, literal)


def _differs(shortest: Decimal, literal: str) -> bool:
    try:
        return shortest != Decimal(literal)
    except InvalidOperation:  # an exponent beyond all bounds: the double is zero, and so may the number be
        return any(digit in "123456789" for digit in literal.lower().partition("e")[0])


class CarefulReader:
    """Reads records of one JSON layout."""

    def __init__(self, layout: Layout) -> None:
        self._tree: dict[str, Any] = {}
        presets = set()
        containers = {entry.place: entry for entry in layout.fields if entry.codec in CONTAINERS}
        for entry in layout.fields:
            head = entry.path[0]
            if head in containers and entry.place != head:
                presets.add(entry.place)
                continue
            branch = self._tree
            for segment in entry.path[:-1]:
                branch = branch.setdefault(segment, {})
            branch[entry.path[-1]] = entry
        self._decoder = json.JSONDecoder(
            object_pairs_hook=Pairs, parse_int=Digits, parse_float=Digits, parse_constant=Constant
        )

    def read(self, line: str) -> Iterator[Record]:
        """Read the records of a line, one after the other; what cannot be read comes as a refused record."""
        line = line.removeprefix(BOM)
        position = _skip_blanks(line, 0)
        while position < len(line):
            try:
                pairs, end = self._decoder.raw_decode(line, position)
            except json.JSONDecodeError as error:
                yield _refused(line[position:], _syntax_error(line, error))
                return
            except RecursionError:
                yield _refused(line[position:], TOO_DEEP)
                return
            raw = line[position:end]
            yield self._record(raw, pairs)
            position = _skip_blanks(line, end)

    def _record(self, raw: str, pairs: Any) -> Record:
        record = Record(raw)
        try:
            if not isinstance(pairs, Pairs):
                kind = "an array" if isinstance(pairs, list) else "a value"
                raise Refused("not_a_record", f"{kind} stands where a record (an object) should be")
            strays: list[Stray] = []
            self._walk(record, self._tree, pairs, "", strays)
            for stray in strays:
                _take_in(record, *stray)
            _refuse_surrogates(record)
        except Refused as refused:
            return _refused(raw, refused)
        return record

    def _walk(
        self, record: Record, tree: dict[str, Any], pairs: Pairs, path: str, strays: list[Stray]
    ) -> None:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                record.notes.append(note("changed", f"{path}{key}"))
            seen[key] = value
        for key, value in seen.items():
            place = f"{path}{key}"
            entry = tree.get(key)
            if value is None:
                record.nulls += 1
            elif entry is None:
                self._unknown(record, path, key, value)
            elif isinstance(entry, dict):
                self._walk(record, entry, _object(value, place), f"{place}.", strays)
            elif entry.codec == "json":
                record.extra = (record.extra or {}) | {entry.place: _json(value)}
            elif entry.codec in CONTAINERS:
                strays.extend(_read_map(record, entry.codec, place, _object(value, place)))
            else:
                record.values[entry.place] = _scalar(record, entry, place, value)

    def _unknown(self, record: Record, path: str, key: str, value: Any) -> None:
        """Take an unknown field of the record along whole; one inside a known object has no place."""
        if path:
            record.notes.append(note("not_mapped", f"{path}{key}"))
        else:
            record.extra = (record.extra or {}) | {key: _json(value)}


def _refused(raw: str, refused: Refused) -> Record:
    return Record(raw, code=refused.code, message=_printable(refused.message))


def _skip_blanks(line: str, position: int) -> int:
    while position < len(line) and line[position] in " \t\r\n":
        position += 1
    return position


def _syntax_error(line: str, error: json.JSONDecodeError) -> Refused:
    if error.pos >= len(line.rstrip()) or error.msg.startswith("Unterminated string"):
        return Refused("incomplete", "the record is cut off")
    column = error.pos + 1
    what = error.msg[0].lower() + error.msg[1:].removesuffix(" at")
    return Refused("bad_json", f"is not JSON: {what} at character {column}")


def _object(value: Any, place: str) -> Pairs:
    if not isinstance(value, Pairs):
        raise Refused("wrong_type", f"{place} should be an object, but is {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _json(value: Any, depth: int = 0) -> str:
    """Write a parsed value back as compact JSON, numbers by their digits, objects from their pairs."""
    if depth > NESTING_MAX:
        raise TOO_DEEP
    if isinstance(value, Constant):
        raise Refused("bad_number", f"{value} is not a number in JSON")
    if isinstance(value, Digits):
        return number_digits(value)[0]
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{_quoted(key)}:{_json(inner, depth + 1)}" for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(inner, depth + 1) for inner in value) + "]"
    return _quoted(value)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=COMPACT)


def _scalar(record: Record, entry: Any, place: str, value: Any) -> str:
    """Give a value's text; a number in a text's place is taken as its digits, and told."""
    wire = SCALARS[entry.codec].wire
    if isinstance(value, Constant):
        raise Refused("bad_number", f"{place} is {value}, which is not a number")
    if wire == "text":
        if isinstance(value, Digits):
            record.notes.append(note("changed", place))
            return number_digits(value)[0]
        if isinstance(value, str):
            return value
        raise Refused("wrong_type", f"{place} should be text, but is {_shown(value)}")
    if not isinstance(value, Digits):
        raise Refused("wrong_type", f"{place} should be a number, but is {_shown(value)}")
    digits, changed = number_digits(value)
    if wire == "whole" and not _fits_64_bits(digits):
        raise Refused("wrong_type", f"{place} should be a whole number of 64 bits, but is {_shown(value)}")
    if changed:
        record.notes.append(note("changed", place))
    return digits


def _fits_64_bits(digits: str) -> bool:
    return "." not in digits and len(digits) <= 20 and -(2**63) <= int(digits) < 2**63


def _read_map(record: Record, codec: str, place: str, pairs: Pairs) -> Iterator[Stray]:
    """Take in a map's values of its own type; give back the others, which have to look for a home."""
    home, own = ("metrics", Digits) if codec == "number_map" else ("attributes", str)
    values: dict[str, str] = {}
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            record.notes.append(note("changed", f"{place}.{key}"))
        seen[key] = value
    for key, value in seen.items():
        if value is None:
            record.nulls += 1
        elif isinstance(value, Constant):
            raise Refused("bad_number", f"{place}.{key} is {value}, which is not a number")
        elif type(value) is own:
            values[key] = _text_of(record, f"{place}.{key}", value)
        else:
            yield f"{place}.{key}", key, value
    setattr(record, home, values)


def _text_of(record: Record, place: str, value: str) -> str:
    if not isinstance(value, Digits):
        return value
    digits, changed = number_digits(value)
    if changed:
        record.notes.append(note("changed", place))
    return digits


def _take_in(record: Record, place: str, key: str, value: Any) -> None:
    """Find a home for a value that is not of its map's type: texts are attributes, numbers metrics, the rest other."""
    homes: dict[type, str] = {Digits: "metrics", str: "attributes"}
    home = homes.get(type(value), "other")
    values: dict[str, str] = getattr(record, home) or {}
    if home != "other" and key in values:
        home, values = "other", record.other or {}
    text = _json(value) if home == "other" else _text_of(record, place, value)
    setattr(record, home, values | {key: text})
    if home != "other":
        record.notes.append(note("changed", place))


def _refuse_surrogates(record: Record) -> None:
    texts = [*record.values.items()]
    for values in (record.attributes, record.metrics, record.other, record.extra):
        texts.extend((values or {}).items())
    texts.extend((noted.partition("\t")[2], "") for noted in record.notes)
    for key, text in texts:
        try:
            f"{key}{text}".encode()
        except UnicodeEncodeError as error:
            broken = f"\\u{ord(error.object[error.start]):04x}"
            raise Refused("bad_text", f"{_printable(key)} holds half of a surrogate pair ({broken})") from None


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
