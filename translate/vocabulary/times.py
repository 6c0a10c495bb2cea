"""How a time is read, whatever the layout: a value as it stood, and the unit of its place, to an instant or to why it is none."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from translate.vocabulary.notation import Digits
from translate.vocabulary.notes import RETYPED
from translate.vocabulary.word import Unit, Word

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Of the year 1; what lies outside neither ISO 8601 nor Python can say.
FIRST_MILLISECOND: Final = -62_135_596_800_000
LAST_MILLISECOND: Final = 253_402_300_799_999  # of the year 9999
FLOORED: Final = "finer than milliseconds: floored"
WITHOUT_ZONE: Final = "without a zone: read as UTC"
LEAP_SECOND: Final = "a leap second: read as the second that follows it"
IN_SECONDS: Final = "respelled in seconds"
FRACTION: Final = "a fraction of a second where whole seconds belong"
IS_NUMBER: Final = "a number where ISO 8601 text belongs"
IS_TEXT: Final = "text where a number belongs"
NO_ISO8601: Final = "not ISO 8601, or no such day or time of day"
TOO_FAR: Final = "beyond what 64 bits of milliseconds hold"
OUTSIDE: Final = "outside of the years 1 to 9999"
IS_NEITHER: Final = "neither text nor a number"

PLAIN_DIGITS: Final = 15  # are fewer milliseconds than 64 bits hold
FAR_DIGITS: Final = 30  # a number with more digits before its point is no time in any unit

# A number of less is one of seconds where it may be one of milliseconds, too: these would lie before March of 1973.
SECONDS_BELOW: Final = 100_000_000_000

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
USUAL_ISO8601 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,3}))?Z"
)
FINER = re.compile(r"[.,][0-9]{3}[0-9]*[1-9]")  # than milliseconds
RUN_TOGETHER = re.compile(r"[0-9]+")  # no day, unless it has a day's eight digits or a year's four
WEEK = re.compile(r"([0-9]{4})-?W(53)")  # not of every year
LEAP = re.compile(r"([^.,]+[^0-9.,][0-9]{2}:?[0-9]{2}:?)60([.,][0-9]+)?((?:[Zz]|[-+][0-9:]+)?)")
LAST_SECOND = dt.time(23, 59, 59)
MILLISECOND = dt.timedelta(milliseconds=1)
SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Instant:
    """A time: milliseconds since 1970, its text in the unit of its place, and what reading it changed."""

    milliseconds: int
    text: str
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoTime:
    """A value that is no time, and why."""

    why: str


@lru_cache(maxsize=65536)
def read_time(text: str, unit: Unit, *, is_number: bool) -> Instant | NoTime:
    """Read a time from a value's text; `is_number` tells a number's digits from text.

    >>> read_time("2016-12-31T24:00:00Z", "iso8601", is_number=False).text
    '2017-01-01T00:00:00.000Z'
    >>> read_time("2014-02-30T00:00:00Z", "iso8601", is_number=False)
    NoTime(why='not ISO 8601, or no such day or time of day')
    >>> read_time("1487973802.5", "seconds", is_number=True).milliseconds
    1487973802500
    """
    if unit == "iso8601":
        return NoTime(IS_NUMBER) if is_number else _from_iso8601(text)
    if is_number:
        return _from_number(text, unit)
    if unit != "seconds_or_iso8601":
        return NoTime(IS_TEXT)
    if NUMBER.fullmatch(text):
        return _with(_from_number(text, unit), RETYPED)
    found = _from_iso8601(text)
    if isinstance(found, NoTime):
        return found
    return Instant(found.milliseconds, _in_unit(found.milliseconds, unit), found.changed or (IN_SECONDS,))


def milliseconds_of_either(number: Any) -> int:
    """Give the milliseconds since 1970 of a number that may be one of seconds.

    >>> milliseconds_of_either(1460000000), milliseconds_of_either(1460000000123)
    (1460000000000, 1460000000123)
    """
    scale = 1000 if abs(float(number)) < SECONDS_BELOW else 1
    return math.floor(round(float(number) * scale * 1000) / 1000)


def instant_of(word: Word, value: Any, *, anywhen: bool = False) -> Instant | NoTime:
    """Read a time as it stands in a record; numbers stand as texts where that is the way of its word.

    With `anywhen` an instant that no calendar has is one too, so that who judges it can say more.
    """
    if type(value) not in (str, Digits) or word.unit is None:
        return NoTime(IS_NEITHER)
    is_number = isinstance(value, Digits)
    if word.wire == "text" and word.unit != "iso8601":
        is_number = not is_number and NUMBER.fullmatch(value) is not None
    found = read_time(value, word.unit, is_number=is_number)
    if anywhen or isinstance(found, NoTime) or FIRST_MILLISECOND <= found.milliseconds <= LAST_MILLISECOND:
        return found
    return NoTime(OUTSIDE)


def _with(found: Instant | NoTime, why: str) -> Instant | NoTime:
    return (
        found if isinstance(found, NoTime) else Instant(found.milliseconds, found.text, (why, *found.changed))
    )


# -- numbers ----------------------------------------------------------------------------------------------------------


def _from_number(literal: str, unit: Unit) -> Instant | NoTime:
    if unit == "milliseconds" and literal.isdecimal() and len(literal) <= PLAIN_DIGITS:
        return Instant(int(literal), str(int(literal)))  # as nearly all are
    sign, digits, exponent = Decimal(literal).as_tuple()
    if any(digits) and len(digits) + int(exponent) > FAR_DIGITS:
        return NoTime(TOO_FAR)
    in_milliseconds = unit == "milliseconds" or (
        unit == "seconds_or_milliseconds" and abs(Decimal(literal)) >= SECONDS_BELOW
    )
    exact = Decimal((sign, digits, int(exponent) + (0 if in_milliseconds else 3)))  # no context rounds it
    if abs(exact) >= 2**63:
        return NoTime(TOO_FAR)
    milliseconds = int(exact.to_integral_value("ROUND_FLOOR"))
    changed = [FLOORED] * (milliseconds != exact) + [FRACTION] * (
        unit == "seconds" and milliseconds % 1000 != 0
    )
    return Instant(milliseconds, _in_unit(milliseconds, unit), tuple(changed))


def _in_unit(milliseconds: int, unit: Unit) -> str:
    """Spell an instant in milliseconds or in seconds, with a fraction where there is one."""
    if unit in ("milliseconds", "seconds_or_milliseconds"):
        return str(milliseconds)
    sign, (seconds, rest) = "-" * (milliseconds < 0), divmod(abs(milliseconds), 1000)
    return f"{sign}{seconds}.{rest:03}".rstrip("0").rstrip(".") if rest else f"{sign}{seconds}"


# -- ISO 8601 ---------------------------------------------------------------------------------------------------------


def _from_iso8601(text: str) -> Instant | NoTime:
    """Read ISO 8601 in all its forms; the usual one keeps its spelling."""
    usual = USUAL_ISO8601.fullmatch(text)
    if usual:
        parts = (*usual.groups()[:6], (usual[7] or "").ljust(3, "0"))
        year, month, day, hour, minute, second, fraction = (int(part or 0) for part in parts)
        try:
            time = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
        except ValueError:
            pass  # no such day; or midnight's 24:00:00, or a leap second
        else:
            return Instant((time - EPOCH) // MILLISECOND + fraction, text)
    return _from_any_iso8601(text.strip())


def _from_any_iso8601(text: str) -> Instant | NoTime:
    leap = LEAP.fullmatch(text)
    if leap:
        text = f"{leap[1]}59{leap[2] or ''}{leap[3]}"
    if RUN_TOGETHER.fullmatch(text) and len(text) not in (4, 8):
        return NoTime(NO_ISO8601)
    from dateutil import parser  # noqa: PLC0415  most times are spelled as usual

    try:
        given = parser.isoparse(text)
        time = (given if given.tzinfo else given.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        if leap and time.replace(microsecond=0, tzinfo=None).time() != LAST_SECOND:
            return NoTime(NO_ISO8601)
        time += SECOND * bool(leap)
        week = WEEK.match(text)
        if week:
            dt.date.fromisocalendar(int(week[1]), int(week[2]), 1)
    except (ValueError, OverflowError):
        return NoTime(NO_ISO8601)
    is_finer = time.microsecond % 1000 != 0 or FINER.search(text) is not None
    changed = [WITHOUT_ZONE] * (given.tzinfo is None) + [LEAP_SECOND] * bool(leap) + [FLOORED] * is_finer
    spelled = f"{time.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    return Instant((time - EPOCH) // MILLISECOND, spelled, tuple(changed))
