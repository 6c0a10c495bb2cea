"""Pace: how much may go to a receiver in any second, by the clock and by what it bears; when to try again, and when to stop; and whether it ever answers."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from translate.delivery.answers import Answer, Pile
from translate.errors import UsageError
from translate.wording.arguments import checked_fields

IN_FLIGHT_MAX = 8  # requests under way at a time
ATTEMPTS_MAX = 30  # in a row, for one shipment: about ten minutes with backoff

Unit = Literal["events", "requests"]
WINDOW_SECONDS = 1.0
SHARE_OF_WINDOW = 0.05  # of the rate, in one request: larger ones would leave the second half empty
SLOWER = 0.5
HEADROOM = 0.8  # of the rate at which the receiver asked for less, for whoever else sends to it
RECOVERY_PER_SECOND = 0.05
PROBING_PER_SECOND = 0.01
REACTION_SECONDS = 1.0
FACTOR_MIN = 0.01
MINUTES = 24 * 60  # of a day

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(events|requests)?(?:/s)?")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
WAY_OUT = 'write --rate 500, --rate 15requests, or --rate "22:00-06:00=1000,else=100"'

BACKOFF_SECONDS = 0.2
BACKOFF_SECONDS_MAX = 60.0

FIRST_TOLD_SECONDS = 5.0
TOLD_AGAIN_SECONDS = 60.0


@checked_fields
@dataclass(frozen=True)
class Bounds:
    """Where a run stops on its own: `hours`, `requests` and `events` are caps; the others count events never accepted."""

    errors: int = 1000
    error_share: float = 0.1
    events: int | None = None
    requests: int | None = None
    hours: float | None = None
    attempts: int = ATTEMPTS_MAX


@dataclass(frozen=True)
class Rate:
    """So many events or requests a second, at all times or by the time of day (of this machine's zone)."""

    unit: Unit
    otherwise: float
    spans: tuple[tuple[dt.time, dt.time, float], ...] = ()

    def at(self, time: dt.time) -> float:
        """Give the rate at a time of day."""
        for start, end, rate in self.spans:
            inside = start <= time < end if start < end else time >= start or time < end
            if inside:
                return rate
        return self.otherwise

    @property
    def mean(self) -> float:
        """Give the mean over a day."""
        return sum(self.at(dt.time(minute // 60, minute % 60)) for minute in range(MINUTES)) / MINUTES

    def __str__(self) -> str:
        """Write the rate as it was given."""
        if not self.spans:
            return f"{self.otherwise:g} {self.unit}/s"
        spans = ", ".join(f"{start:%H:%M}-{end:%H:%M} {rate:g}" for start, end, rate in self.spans)
        return f"{spans}, else {self.otherwise:g} {self.unit}/s"


def parse_rate(text: str) -> Rate:
    """Read a rate, `500`, `15requests`, or a time-table of such; raise UsageError."""
    entries = [entry.strip() for entry in text.split(",")]
    if len(entries) == 1 and "=" not in text:
        value, unit = _number(text, text)
        return Rate(unit, value)
    spans, otherwise, units = [], None, set()
    for entry in entries:
        when, _, rate = entry.partition("=")
        value, unit = _number(rate, text, may_be_zero=True)
        units.add(unit)
        span = _SPAN.fullmatch(when.strip())
        if when.strip() == "else":
            otherwise = value
        elif span:
            spans.append((_time(span[1], span[2], text), _time(span[3], span[4], text), value))
        else:
            raise UsageError(f'--rate "{text}": "{when}" is no span of the day; {WAY_OUT}')
    if otherwise is None:
        raise UsageError(f'--rate "{text}": says nothing of the rest of the day; add else=RATE')
    if len(units) > 1:
        raise UsageError(f'--rate "{text}": counts events here and requests there; say one of them')
    if not any([otherwise, *(rate for _, _, rate in spans)]):
        raise UsageError(f'--rate "{text}": never sends anything')
    return Rate(units.pop(), otherwise, tuple(spans))


def _number(text: str, whole: str, *, may_be_zero: bool = False) -> tuple[float, Unit]:
    found = _RATE.fullmatch(text.strip())
    if not found or float(found[1]) == math.inf or (float(found[1]) == 0 and not may_be_zero):
        raise UsageError(f'--rate "{whole}": "{text.strip()}" is no rate; {WAY_OUT}')
    return float(found[1]), "requests" if found[2] == "requests" else "events"


def _time(hour: str, minute: str, whole: str) -> dt.time:
    try:
        return dt.time(int(hour) % 24 if int(hour) <= 24 else 99, int(minute))
    except ValueError:
        raise UsageError(f'--rate "{whole}": {hour}:{minute} is no time of day') from None


class Pace:
    """Says when the next request may go. Times are seconds of one monotonic clock.

    Over any second no more arrives than the rate, if there is one: a request counts from when it goes until a second
    after its answer, for it arrived somewhere in between. Where the receiver asks for less, the rate falls to a
    half, comes back to four fifths of where that was, and from there on only slowly further.
    """

    def __init__(self, rate: Rate | None, *, time_of_day: Callable[[], dt.time] | None = None) -> None:
        self.rate = rate
        self._time_of_day = time_of_day or (lambda: dt.datetime.now().time())  # noqa: DTZ005  the wall's clock is meant
        self._answered: deque[tuple[float, float]] = deque()
        self._under_way = 0.0
        self._in_window = 0.0  # what is under way, and what was answered within the last second
        self._next = 0.0
        self._held_until = 0.0
        self._ceiling = math.inf  # what the receiver was seen to bear
        self._bound = math.inf  # what is sent for now; at most the ceiling
        self._changed = 0.0
        self._last = self._busy_since = -math.inf

    # -- asking ---------------------------------------------------------------------------------------------------

    def allowed(self, now: float) -> float:
        """Give the units a second that may go now."""
        asked = self.rate.at(self._time_of_day()) if self.rate else math.inf
        if self._bound < math.inf:
            self._recover(now, asked)
        return min(asked, self._bound)

    def events_max(self) -> int | None:
        """Give how many events one request may hold, so that the window is used evenly; None: any number."""
        if self._unit != "events":
            return None
        # By what was asked, not by what the receiver bears for now: it may count requests, and smaller ones do not help it.
        asked = self.rate.at(self._time_of_day()) if self.rate else 0.0
        return max(1, int(asked * SHARE_OF_WINDOW)) if asked else None

    def wait_seconds(self, now: float, events: int) -> float:
        """Give how long a request of so many events has to wait; infinite until an answer, or in a span of the day without any."""
        allowed = self.allowed(now)
        if allowed == 0:
            return math.inf
        held = max(self._held_until, self._next) - now
        if allowed == math.inf:
            return max(0.0, self._held_until - now)
        self._forget(now)
        weight = self._weight(events)
        return max(0.0, held, self._until_room(now, weight, max(allowed, weight)))

    # -- telling --------------------------------------------------------------------------------------------------

    def take(self, now: float, events: int) -> None:
        """Count a request that goes out now."""
        weight = self._weight(events)
        if now - self._last > WINDOW_SECONDS:
            self._busy_since = now
        self._last = now
        self._under_way += weight
        self._in_window += weight
        allowed = self.allowed(now)
        if 0 < allowed < math.inf:
            self._next = max(self._next, now - SHARE_OF_WINDOW) + weight / allowed

    def answered(self, now: float, events: int) -> None:
        """Count the answer to a request of so many events, or that none will come."""
        weight = self._weight(events)
        self._under_way -= weight
        self._answered.append((now, weight))

    def throttled(self, now: float, retry_after_seconds: float | None) -> None:
        """Fall back, and hold everything for as long as the receiver says."""
        if retry_after_seconds is not None:
            self._held_until = max(self._held_until, now + retry_after_seconds)
        if now - self._changed < REACTION_SECONDS and self._bound < math.inf:
            return  # requests that were under way when the first was refused
        self._forget(now)
        allowed = self.allowed(now)
        # Right after a start or a pause, the window holds less than what goes out in a second.
        full = now - self._busy_since >= WINDOW_SECONDS or allowed == math.inf
        seen = min(allowed, max(self._in_window, 1.0)) if full else allowed
        self._ceiling = max(seen * HEADROOM, FACTOR_MIN)
        self._bound = max(seen * SLOWER, FACTOR_MIN)
        self._changed = now

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def _unit(self) -> Unit:
        return self.rate.unit if self.rate else "events"

    def _weight(self, events: int) -> float:
        return events if self._unit == "events" else 1

    def _recover(self, now: float, asked: float) -> None:
        seconds = now - self._changed
        if seconds < REACTION_SECONDS:
            return
        self._changed = now
        if self._bound < self._ceiling:
            self._bound = min(self._ceiling, self._bound * (1 + RECOVERY_PER_SECOND) ** seconds)
        else:
            self._ceiling *= (1 + PROBING_PER_SECOND) ** seconds
            self._bound = self._ceiling
        if self._bound >= asked:
            self._bound = self._ceiling = math.inf

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0][0] <= now - WINDOW_SECONDS:
            self._in_window -= self._answered.popleft()[1]

    def _until_room(self, now: float, weight: float, allowed: float) -> float:
        """Give the seconds until so much has left the window that this weight has room in it; infinite while that hangs on answers."""
        excess = self._in_window + weight - allowed
        if excess <= 0:
            return 0.0
        for time, left in self._answered:
            excess -= left
            if excess <= 0:
                return time + WINDOW_SECONDS - now
        return math.inf


def backoff_seconds(attempt: int, random: Random) -> float:
    """Give the seconds before an attempt after this one (from 1): anything from none to the doubled bound."""
    return random.uniform(0, min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS * 2.0 ** (attempt - 1)))


@dataclass(frozen=True)
class Unheard:
    """Nothing taken so far: for how long, of how many tries, the last reason, how often each is tried, and whether anybody answers."""

    seconds: float
    tries: int
    why: str
    attempts_max: int
    answers: bool = False


class Contact:
    """Counts tries until the first events are taken, or refused for good, and tells of them after a while, and then from time to time."""

    def __init__(self, tell: Callable[[Unheard], None], attempts_max: int, started: float) -> None:
        self._tell = tell
        self._attempts_max = attempts_max
        self._started = started
        self._due = started + FIRST_TOLD_SECONDS
        self._tries = 0
        self._why = "no answer yet"
        self._answers = False
        self._heard = False

    def tried(self) -> None:
        """Count a request that goes out."""
        self._tries += 1

    def answered(self, answer: Answer) -> None:
        """Take in what came of a request: whoever takes or refuses an event is there, and does its work."""
        self._answers = self._answers or answer.status is not None
        self._heard = self._heard or any(verdict.pile is not Pile.AGAIN for verdict in answer.verdicts)
        self._why = why_again(answer) or self._why

    def look(self, now: float) -> None:
        """Tell, if it is time."""
        if not self._heard and self._tries and now >= self._due:
            self._due = now + TOLD_AGAIN_SECONDS
            self._tell(
                Unheard(now - self._started, self._tries, self._why, self._attempts_max, self._answers)
            )


def why_again(answer: Answer) -> str | None:
    """Give the reason for which events are to be tried again."""
    again = (verdict for verdict in answer.verdicts if verdict.pile is Pile.AGAIN)
    return next((verdict.message or verdict.code for verdict in again), None)
