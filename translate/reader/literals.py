"""JSON values as the careful reader parses them: every digit, every member, doubled keys and all."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from translate.vocabulary.notation import Digits, quoted, writable

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
SHOWN_MAX = 40  # characters of a value in a message
NESTING_MAX = 200  # a bound of our own, for Python's depends on who calls


class Pairs(list[tuple[str, Any]]):
    """An object's members, in order, doubled keys and all."""

    def get(self, key: str) -> Any:
        """Give the last member of that name, or None."""
        for name, value in reversed(self):
            if name == key:
                return value
        return None

    def names(self) -> set[str]:
        """Give the members' names."""
        return {name for name, _ in self}


class Constant(str):
    """NaN or Infinity: what Python's JSON takes and JSON does not."""

    __slots__ = ()


class Refused(ValueError):  # noqa: N818  it says what is wrong with a record, not that the tool failed
    """A record that cannot be read: code and message for the rejects."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


INCOMPLETE = "incomplete"
LISTED_ADVICE = "; jq -c '.[]' puts the elements of one onto lines of their own"
# For each fault that the kernel finds in what is no JSON, a text that has it.
SPOILED = ("x", "{x", '{"x"x', "[1x", r'"\q"', r'"\uxxxxx"', '"\t"')

DECODER = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=Digits, parse_float=Digits, parse_constant=Constant
)


def number_digits(literal: str) -> tuple[str, bool]:
    """Give a number's canonical digits and whether they differ in value from the literal.

    >>> number_digits("1.0"), number_digits("-0"), number_digits("1e5")
    (('1', False), ('0', False), ('100000', False))
    """
    if literal.isdigit():
        return literal, False
    if not any(mark in literal for mark in ".eE"):
        return str(Decimal(literal) + 0) if literal.startswith("-0") else literal, False
    shortest = Decimal(repr(_double(literal)))
    digits = f"{shortest:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "0", "") else digits, _differs(shortest, literal)


def exact_digits(literal: str) -> str:
    """Give a number's canonical digits, all of them, also where a double has fewer.

    >>> exact_digits("1.50"), exact_digits("-0.0"), exact_digits("1e5"), exact_digits("1.12345678901234567890")
    ('1.5', '0', '100000', '1.1234567890123456789')
    """
    if _double(literal) == 0:  # never written out: the exponent has no bounds
        if any(digit in "123456789" for digit in literal.lower().partition("e")[0]):
            raise _beyond(literal)
        return "0"
    digits = f"{Decimal(literal):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def double_digits(literal: str) -> tuple[str, bool]:
    """Give the canonical digits of the double that a number becomes, and whether that changes its value.

    >>> double_digits("9007199254740993"), double_digits("0.10")
    (('9007199254740992', True), ('0.1', False))
    """
    digits, changed = number_digits(literal)
    held, _ = number_digits(repr(_double(digits)))
    return held, changed or held != digits


def _double(literal: str) -> float:
    double = float(literal)
    if double in (float("inf"), float("-inf")):
        raise _beyond(literal)
    return double


def _beyond(literal: str) -> Refused:
    shortened = literal if len(literal) <= SHOWN_MAX else f"{literal[: SHOWN_MAX - 3]}..."
    return Refused("bad_number", f"{shortened} is beyond what a double can hold")


def _differs(shortest: Decimal, literal: str) -> bool:
    try:
        return shortest != Decimal(literal)
    except InvalidOperation:  # an exponent beyond all bounds: the double is zero, and so may the number be
        return any(digit in "123456789" for digit in literal.lower().partition("e")[0])


def fits_64_bits(digits: str) -> bool:
    """Tell whether digits are a whole number of 64 bits."""
    return "." not in digits and len(digits) <= 20 and -(2**63) <= int(digits) < 2**63


def canonical(value: Any, depth: int = 0) -> str:
    """Write a parsed value back as compact JSON, numbers by their digits, objects from their pairs."""
    if depth > NESTING_MAX:
        raise too_deep()
    if isinstance(value, Constant):
        raise Refused("bad_number", f"{value} is not a number in JSON")
    if isinstance(value, Digits):
        return number_digits(value)[0]
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{quoted(key)}:{canonical(inner, depth + 1)}" for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(inner, depth + 1) for inner in value) + "]"
    return quoted(value)


def constant(value: Any) -> Any:
    """Give a mapping's constant as a parsed record has it."""
    return Digits(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def as_it_stood(value: Any) -> str:
    """Write a parsed value as compact JSON with its numbers as they were spelled, for the rejects.

    Halves of surrogate pairs, which no file can hold, are escaped. Raise Refused if it is nested too deeply.
    """
    return "".join(_pieces(value, 0))


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if depth > NESTING_MAX:
        raise too_deep()
    if isinstance(value, Pairs):
        yield "{"
        for number, (key, inner) in enumerate(value):
            yield f"{',' if number else ''}{writable(quoted(key))}:"
            yield from _pieces(inner, depth + 1)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, inner in enumerate(value):
            yield "," if number else ""
            yield from _pieces(inner, depth + 1)
        yield "]"
    else:
        yield str(value) if isinstance(value, Digits | Constant) else writable(quoted(value))


def syntax_error(text: str, error: json.JSONDecodeError) -> Refused:
    """Say where a text is no JSON, or that it is cut off."""
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return cut_off()
    column = error.pos + 1
    what = error.msg[0].lower() + error.msg[1:].removesuffix(" at")
    return Refused("bad_json", f"is not JSON: {what} at character {column}")


def cut_off() -> Refused:
    """Say that a record has no end."""
    return Refused(INCOMPLETE, "the record is cut off")


def too_deep() -> Refused:
    """Say that a record is nested too deeply."""
    return Refused("bad_json", "is nested too deeply")


def no_record(value: Any) -> Refused:
    """Say what stands where a record should be."""
    kind, advice = ("an array", LISTED_ADVICE) if isinstance(value, list) else ("a value", "")
    return Refused("not_a_record", f"{kind} stands where a record (an object) should be{advice}")


def reasons() -> list[Refused]:
    """Give what is said of the faults that the kernel finds, in its order; a place in the text follows.

    What is no JSON is told as this Python's decoder tells it.
    """
    told = [cut_off(), no_record([]), no_record("")]
    for text in SPOILED:
        try:
            DECODER.decode(text)
        except json.JSONDecodeError as error:
            fault = syntax_error(text, error)
            told.append(Refused(fault.code, fault.message.rstrip(string.digits)))
    return told


def shown(value: Any) -> str:
    """Write a value for a message, shortened."""
    text = ""
    for piece in _pieces(value, 0):
        text += piece
        if len(text) > SHOWN_MAX:
            return f"{text[: SHOWN_MAX - 3]}..."
    return text


def an_object(value: Any, place: str) -> Pairs:
    """Give an object's members; raise Refused if the value is none."""
    if not isinstance(value, Pairs):
        raise Refused("wrong_type", f"{place} should be an object, but is {shown(value)}")
    return value
