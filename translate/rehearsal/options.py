"""What a rehearsal accepts, and how it misbehaves: the same requests in the same order meet the same, drawn by seed."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from email.utils import formatdate
from pathlib import Path

from translate.errors import UsageError
from translate.wording.arguments import checked_fields

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHARES = ("throttle", "errors", "slow", "reset_before", "reset_after", "partial")
EXCLUSIVE = ("throttle", "errors", "reset_before", "reset_after")  # a request meets at most one of these
PARTIAL_CODES = (400, 429, 500)
PASSING_CODES = (429, 500)  # those that another attempt mends
PORT_MAX = 65_535

FULL = 2**64
FAILING_SHARE = 1 / 3  # of the items, in a request of which some fail


@checked_fields
@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a rehearsal; shares are of requests, from 0 to 1, and drawn by `seed` for each request's number.

    `play`: the models that are played, the five of known protocols where none is named; `mappings`: a folder of further
    data sheets. `app_ids`: Clickstream and Mobile Analytics app ids, Pinpoint application ids and Personalize tracking
    ids that are known; none given: any. `cookie`: the Cookie header that Clickstream asks for. `access_key` and
    `secret_key`: with both, SigV4 signatures are verified; else any will do. `applications` (aid to secret) and `accounts`
    (user to password): with both, Learning Context's signatures are verified. `partial`: requests of which some events
    fail, to Pinpoint, each with one of `partial_codes`, or to a described service that tells which. `answers`: the shares
    that get an answer of a described service, by its name. `quota_per_second`: requests to a target in any second; what
    comes beyond is throttled. `client_events_per_second`: events of one client of a described service, in the mean; a
    request that brings more too early is throttled. `retry_after_seconds`: goes out with each throttling, as seconds or as
    a date. `age_limit_hours`: Clickstream's DataFreshnessInHour. `keep`: a directory for the accounts; else they lie in a
    temporary one and go with the server.
    """

    host: str = "127.0.0.1"
    port: int = 0
    expose: bool = False
    collect_path: str = "/collect"
    app_ids: tuple[str, ...] = ()
    cookie: str | None = field(default=None, repr=False)
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    applications: Mapping[str, str] = field(default_factory=dict, repr=False)
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    seed: int = 0
    throttle: float = 0.0
    retry_after_seconds: int | None = None
    retry_after_form: str = "seconds"
    errors: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 1.0
    reset_before: float = 0.0
    reset_after: float = 0.0
    partial: float = 0.0
    partial_codes: tuple[int, ...] = PASSING_CODES
    quota_per_second: int | None = None
    client_events_per_second: float | None = None
    answers: Mapping[str, float] = field(default_factory=dict)
    play: tuple[str, ...] = ()
    mappings: Path | None = None
    age_limit_hours: float | None = None
    keep: str | None = None

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.expose:
            raise UsageError(f"--host {self.host}: others could reach it; say --expose if they may")
        if not 0 <= self.port <= PORT_MAX:
            raise UsageError(f"--port is from 0 to {PORT_MAX}; 0 picks a free one")
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"--{name.replace('_', '-')} is a share of the requests, from 0 to 1")
        for name, share in self.answers.items():
            if not 0 <= share <= 1:
                raise UsageError(f"--answer {name}={share:g}: should be a share of the requests, from 0 to 1")
        if sum(getattr(self, name) for name in EXCLUSIVE) + sum(self.answers.values()) > 1:
            names = "--throttle, --errors, --reset-before, --reset-after and --answer"
            raise UsageError(f"{names} are more than 1 together")
        self._check_words()

    def _check_words(self) -> None:
        if self.retry_after_form not in ("seconds", "date"):
            raise UsageError("--retry-after-form is seconds or date")
        if self.retry_after_seconds is not None and self.retry_after_seconds < 0:
            raise UsageError("--retry-after is a whole number of seconds, 0 or more")
        if self.quota_per_second is not None and self.quota_per_second < 1:
            raise UsageError("--quota is 1 or more requests a second")
        if self.client_events_per_second is not None and not self.client_events_per_second > 0:
            raise UsageError("--client-rate is more than 0 events a second")
        if bool(self.access_key) != bool(self.secret_key):
            raise UsageError("--access-key and --secret-key: give both, or none")
        if not set(self.partial_codes) <= set(PARTIAL_CODES) or not self.partial_codes:
            raise UsageError("partial_codes are of 400, 429 and 500")
        if not self.collect_path.startswith("/"):
            raise UsageError("collect_path begins with /")

    def knows(self, app_id: str | None) -> bool:
        """Tell whether an id is one of those that are known; without any given, each is."""
        return bool(app_id) and (not self.app_ids or app_id in self.app_ids)


NAMES = frozenset(entry.name for entry in fields(Options))


def draw(seed: int, number: int, what: str) -> float:
    """Draw a number from 0 to below 1; it depends on the arguments alone."""
    text = f"{seed} {number} {what}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / FULL


@dataclass(frozen=True, slots=True)
class Whim:
    """What one request meets: `kind` is throttle, errors, reset_before, reset_after, answer (a named one) or nothing."""

    kind: str | None = None
    delay_seconds: float = 0.0
    partial: bool = False
    answer: str | None = None


CALM = Whim()


def whim_of(options: Options, number: int) -> Whim:
    """Decide what the request of this number meets."""
    if not options.answers and not any(getattr(options, name) for name in SHARES):
        return CALM
    kind, answer, drawn = None, None, draw(options.seed, number, "kind")
    for name in EXCLUSIVE:
        share = getattr(options, name)
        if drawn < share:
            kind = name
            break
        drawn -= share
    for name, share in options.answers.items() if kind is None else ():
        if drawn < share:
            kind, answer = "answer", name
            break
        drawn -= share
    slow = options.slow > draw(options.seed, number, "slow")
    partial = options.partial > draw(options.seed, number, "partial")
    return Whim(kind, options.slow_seconds if slow else 0.0, partial, answer)


def failing_items(options: Options, number: int, count: int) -> dict[int, int]:
    """Choose which of a request's items fail, by position, and with which code: at least one."""
    drawn = [draw(options.seed, number, f"item {position}") for position in range(count)]
    chosen = [position for position, value in enumerate(drawn) if value < FAILING_SHARE]
    if count and not chosen:
        chosen = [drawn.index(min(drawn))]
    codes = options.partial_codes
    shares = {position: draw(options.seed, number, f"code {position}") for position in chosen}
    return {position: codes[int(share * len(codes))] for position, share in shares.items()}


def retry_after(options: Options) -> dict[str, str]:
    """Give the Retry-After header of a throttling, in the form that is asked for."""
    seconds = options.retry_after_seconds
    if seconds is None:
        return {}
    if options.retry_after_form == "date":
        return {"Retry-After": formatdate(math.ceil(time.time() + seconds), usegmt=True)}
    return {"Retry-After": str(seconds)}
