"""What a rehearsal accepts, and how it misbehaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from translate.errors import UsageError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHARES = ("throttle", "errors", "slow", "reset_before", "reset_after", "partial")
EXCLUSIVE = ("throttle", "errors", "reset_before", "reset_after")  # a request meets at most one of these
PARTIAL_CODES = (400, 429, 500)
PASSING_CODES = (429, 500)  # those that another attempt mends
PORT_MAX = 65_535


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a rehearsal; shares are of requests, from 0 to 1, and drawn by `seed` for each request's number.

    `app_ids`: Clickstream and Mobile Analytics app ids, Pinpoint application ids and Personalize tracking ids that are
    known; none given: any. `cookie`: the Cookie header that Clickstream asks for. `access_key` and `secret_key`: with both,
    SigV4 signatures are verified; else any will do. `applications` (aid to secret) and `accounts` (user to password): with
    both, Learning Context's signatures are verified. `partial`: requests to Pinpoint of which some items fail, each with one
    of `partial_codes`. `quota_per_second`: requests to a target in any second; what comes beyond is throttled.
    `retry_after_seconds`: goes out with each throttling, as seconds or as a date. `age_limit_hours`: Clickstream's
    DataFreshnessInHour. `keep`: a directory for the accounts; else they lie in a temporary one and go with the server.
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
        if sum(getattr(self, name) for name in EXCLUSIVE) > 1:
            raise UsageError(
                "--throttle, --errors, --reset-before and --reset-after are more than 1 together"
            )
        self._check_words()

    def _check_words(self) -> None:
        if self.retry_after_form not in ("seconds", "date"):
            raise UsageError("--retry-after-form is seconds or date")
        if self.retry_after_seconds is not None and self.retry_after_seconds < 0:
            raise UsageError("--retry-after is a whole number of seconds, 0 or more")
        if self.quota_per_second is not None and self.quota_per_second < 1:
            raise UsageError("--quota is 1 or more requests a second")
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
