"""What a receiver said of the events of one shipment, if anything, sorted into three piles: by HTTP status, and by Amazon's codes of errors."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Self

REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id", "x-request-id", "x-amzn-trace-id")
AGAIN_STATUSES = frozenset({408, 425, 429})
THROTTLED_STATUSES = frozenset({429, 503})
# The gateway answered in place of the receiver, which may have taken the events.
GATEWAY_STATUSES = frozenset({502, 504})
CONTENT_STATUSES = frozenset({400, 406, 409, 411, 413, 414, 415, 422, 431})
# botocore's own list (botocore/retries/standard.py), plus the model's exceptions.
THROTTLING_CODES = frozenset(
    "Throttling ThrottlingException ThrottledException RequestThrottledException RequestThrottled RequestLimitExceeded "
    "TooManyRequestsException BandwidthLimitExceeded SlowDown ProvisionedThroughputExceededException".split()
)
# https://docs.aws.amazon.com/personalize/latest/dg/CommonErrors.html and those that older services give.
CLOCK_CODES = frozenset(
    "RequestTimeTooSkewed RequestExpired InvalidSignatureException SignatureDoesNotMatch".split()
)
EXPIRED_CODES = frozenset("ExpiredToken ExpiredTokenException TokenRefreshRequired".split())
IDENTITY_CODES = frozenset(
    "InvalidClientTokenId UnrecognizedClientException MissingAuthenticationToken MissingAuthenticationTokenException "
    "IncompleteSignature IncompleteSignatureException InvalidAccessKeyId AuthFailure OptInRequired NotAuthorized "
    "AccessDenied AccessDeniedException".split()
)
CLOCK = (
    "the signature was refused: set this machine's clock (it may be at most 5 minutes off), then check that the "
    "secret key belongs to the access key and that the region is the endpoint's"
)
EXPIRED = "the temporary credentials have expired: get new ones, and run the same command again"

# A code is a word: anything else that stands in its place is a receiver's text, which may repeat a secret in parts.
_CODE = re.compile(r"[A-Z][A-Za-z.]{2,99}")
_ADDRESS = re.compile(r"(https?://[\w.:\[\]-]+(?:/[\w./-]*)?)(?:\?|$)")
_SECONDS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Reply:
    """What a receiver answered; names of headers in lower case, a body of at most a mebibyte."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Silence:
    """Why no answer came; `lost` if the request may have arrived, `stop` if it will never come so."""

    code: str
    message: str
    lost: bool
    stop: str | None = None


class Pile(StrEnum):
    """Where an event goes after an answer."""

    SENT = "sent"
    AGAIN = "again"
    NEVER = "never"


@dataclass(frozen=True)
class Verdict:
    """The pile of one event, and the receiver's own code and words."""

    pile: Pile
    code: str = ""
    message: str = ""


SENT = Verdict(Pile.SENT)


@dataclass(frozen=True)
class Answer:
    """What came back for one shipment.

    `verdicts`: one for each event, in the shipment's order. `status`: of HTTP, None if no answer came.
    `lost`: no answer that tells, but the receiver may have taken the events. `throttled`: it asks for less.
    `retry_after_seconds`: from now. `refused_whole`: refused for its content, so halves are to be tried; all
    verdicts are NEVER. `stop`: what must be mended before anything more will go through; all verdicts are AGAIN.
    `findings`: what went wrong beside the events.
    """

    verdicts: tuple[Verdict, ...]
    status: int | None = None
    request_id: str | None = None
    lost: bool = False
    throttled: bool = False
    retry_after_seconds: float | None = None
    refused_whole: bool = False
    stop: str | None = None
    findings: tuple[str, ...] = ()

    @classmethod
    def all_sent(cls, count: int, **rest: Any) -> Self:
        """Say that every event arrived."""
        return cls((SENT,) * count, **rest)

    @classmethod
    def all_again(cls, count: int, code: str, message: str, **rest: Any) -> Self:
        """Say that every event is to be tried again."""
        return cls((Verdict(Pile.AGAIN, code, message),) * count, **rest)

    @classmethod
    def all_refused(cls, count: int, code: str, message: str, **rest: Any) -> Self:
        """Say that the request was refused for its content, as a whole."""
        return cls((Verdict(Pile.NEVER, code, message),) * count, refused_whole=True, **rest)

    @classmethod
    def halted(cls, count: int, code: str, message: str, stop: str, **rest: Any) -> Self:
        """Say that nothing will go through before something is mended."""
        return cls((Verdict(Pile.AGAIN, code, message),) * count, stop=stop, **rest)

    def piles(self, positions: Sequence[int]) -> dict[Pile, list[int]]:
        """Sort the positions of the events, one for each verdict; those of a request refused whole are tried in halves."""
        in_halves = self.refused_whole and len(positions) > 1
        found: dict[Pile, list[int]] = {pile: [] for pile in Pile}
        for position, verdict in zip(positions, self.verdicts, strict=True):
            found[Pile.AGAIN if in_halves else verdict.pile].append(position)
        return found


@dataclass(frozen=True)
class Advice:
    """The next step for a user whom a service turns away, by status; and what else is fatal to that service."""

    service: str
    by_status: Mapping[int, str] = field(default_factory=dict)
    denied: str = "check the credentials and their rights"

    def sentence(self, status: int, location: str | None = None) -> str:
        """Say what is wrong, and what to do."""
        if 300 <= status < 400:
            where = f" to {location}" if location else ""
            return f"{self.service} redirects ({status}){where}: give that address, with https://, as the endpoint"
        known = self.by_status.get(status)
        return f"{self.service} answered {status}: {known or 'check the endpoint, and what stands before it'}"


@dataclass(frozen=True)
class Told:
    """What a service said: status, its own code and words, its id, and when to come back."""

    status: int
    code: str = ""
    message: str = ""
    request_id: str | None = None
    retry_after_seconds: float | None = None
    location: str | None = None

    @property
    def throttled(self) -> bool:
        """Say whether the service asks for less."""
        return self.status in THROTTLED_STATUSES or self.code in THROTTLING_CODES

    @property
    def name(self) -> str:
        """Give the code, or the status where there is none."""
        return self.code or str(self.status)

    def rest(self) -> dict[str, Any]:
        """Give what every kind of answer carries."""
        return {
            "status": self.status,
            "request_id": self.request_id,
            "retry_after_seconds": self.retry_after_seconds,
        }


def told_by(reply: Reply) -> Told:
    """Read an answer's status, headers and, if its body is a JSON object, the error in it."""
    from translate.mapping.replies import json_of  # noqa: PLC0415  sheets bring polars along, which --help does without

    parsed = json_of(reply.body)
    found = parsed if isinstance(parsed, dict) else {}
    raw_code = reply.headers.get("x-amzn-errortype") or found.get("__type") or found.get("code") or ""
    # Amazon writes `namespace#Code:http://...` in some places.
    code = code_of(str(raw_code).split(":", maxsplit=1)[0].rsplit("#", maxsplit=1)[-1])
    words = found.get("message") or found.get("Message") or reply.body.decode("utf-8", "replace")
    headers = reply.headers
    request_id = request_id_of(headers)
    return Told(reply.status, code, str(words), request_id, retry_after(headers), address_of(headers))


def sort_refusal(told: Told, count: int, advice: Advice) -> Answer:
    """Sort an answer that is no success."""
    if told.throttled or told.status in AGAIN_STATUSES or told.status >= 500:
        lost = told.status in GATEWAY_STATUSES
        rest = {"throttled": told.throttled, "lost": lost, **told.rest()}
        return Answer.all_again(count, told.name, told.message, **rest)
    for codes, sentence in (
        (CLOCK_CODES, CLOCK),
        (EXPIRED_CODES, EXPIRED),
        (IDENTITY_CODES, f"{advice.service} refused the credentials: {advice.denied}"),
    ):
        if told.code in codes:
            stop = f"{sentence} ({told.code}: {told.message})"
            return Answer.halted(count, told.name, told.message, stop, **told.rest())
    if told.status in CONTENT_STATUSES:
        return Answer.all_refused(count, told.name, told.message, **told.rest())
    return halt(told, count, advice.sentence(told.status, told.location))


def sort_exactly(
    told: Told, count: int, advice: Advice, success: int, rest: str = " and nothing else"
) -> Answer:
    """Sort an answer of a service that says by one status that all went well: another success is none."""
    if told.status == success:
        return Answer.all_sent(count, status=success, request_id=told.request_id)
    if 200 <= told.status < 300:
        answers = f"{advice.service} answers {success}{rest}"
        return halt(told, count, f"{answers}, and this was {told.status}: check the endpoint")
    return sort_refusal(told, count, advice)


def halt(told: Told, count: int, sentence: str) -> Answer:
    """Stop for a reason; a success of the wrong kind may have taken the events."""
    lost = 200 <= told.status < 300
    return Answer.halted(count, told.name, told.message, sentence, lost=lost, **told.rest())


def sort_silence(silence: Silence, count: int) -> Answer:
    """Sort what was no answer at all."""
    return Answer.all_again(count, silence.code, silence.message, lost=silence.lost, stop=silence.stop)


def code_of(text: str) -> str:
    """Give a code of an error; nothing if the text cannot be one."""
    return text if _CODE.fullmatch(text) else ""


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Find the service's own id of a request; names of headers in lower case."""
    return next((headers[name] for name in REQUEST_IDS if headers.get(name)), None)


def address_of(headers: Mapping[str, str]) -> str | None:
    """Give where an answer redirects to, if that is a plain address; without its query."""
    found = _ADDRESS.match(headers.get("location", ""))
    return found[1] if found else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, seconds or an HTTP date, as seconds from now; None if absent or neither.

    A date is measured by the receiver's own clock (its Date header) where it tells it.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then = _http_date(text)
    now = _http_date(headers.get("date", "")) or dt.datetime.fromtimestamp(time.time(), dt.UTC)
    return None if then is None else max(0.0, (then - now).total_seconds())


def _http_date(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def json_bytes(value: Any) -> bytes:
    """Write JSON, compact, as UTF-8; ValueError for numbers that JSON does not have, escapes for lone surrogates."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
