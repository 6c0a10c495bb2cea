"""What comes in, what goes out, and what was made of it: the words that all the endpoints share."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl

KEPT_BYTES_MAX = 40 << 20  # more than any limit that is known: what is beyond is counted and let go


@dataclass(slots=True)
class HttpRequest:
    """One HTTP request; header names are in lower case, `body` is what was sent (nothing of it if it was too large).

    `path` is as on the wire, percent-encoded. `bytes` is the size of the body as sent, `arrived` the monotonic time
    in seconds at which its first byte was seen. `id` is given by the desk.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    bytes: int
    arrived: float
    id: str = ""

    def parameters(self) -> dict[str, str]:
        """Give the parameters of the query; the last one of a name counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True)) if self.query else {}


@dataclass(slots=True)
class HttpReply:
    """One HTTP answer; `stream` instead of `body` where it does not fit into memory."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None


class Item(NamedTuple):
    """One event, and what its request said about it."""

    app: str | None
    id: str | None
    event: Any
    context: dict[str, Any] | None = None


class Refusal(NamedTuple):
    """An event that is lost: refused at once, or (`later`) taken by the endpoint and dropped by what comes after it."""

    item: Item
    code: str
    message: str
    later: bool = False


@dataclass(slots=True)
class Judgement:
    """What an endpoint makes of a request, before any misbehaviour.

    `deferred` counts events that were not taken although nothing speaks against them: their sender was not let in.
    """

    reply: HttpReply
    accepted: list[Item] = field(default_factory=list)
    rejected: list[Refusal] = field(default_factory=list)
    deferred: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def refused(cls, reply: HttpReply, items: list[Item], code: str, message: str) -> Self:
        """Refuse all events of a request for one reason."""
        return cls(reply, rejected=[Refusal(item, code, message) for item in items])

    @property
    def events(self) -> int:
        """Count the events that the request brought."""
        return len(self.accepted) + len(self.rejected) + self.deferred


SPARE_FRAMES = 24


class Unreadable(Exception):  # noqa: N818 - it names the text, not a fault of this program
    """A text that is no JSON; its message says why."""


def parsed(text: bytes | str) -> Any:
    """Parse JSON; NaN and Infinity are none, nor is what is nested deeper than it could be written again."""
    try:
        return _parsed_below(SPARE_FRAMES, text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None


def _parsed_below(frames: int, text: bytes | str) -> Any:
    # Further down the stack than whatever writes the value later: what can be read here can be written there.
    return _parsed_below(frames - 1, text) if frames else json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def json_reply(status: int, content: Any, headers: dict[str, str] | None = None) -> HttpReply:
    """Make an answer of a JSON value."""
    text = json.dumps(content, separators=(",", ":")).encode()
    return HttpReply(status, text, {"Content-Type": "application/json", **(headers or {})})


def text_of(value: Any, name: str) -> str | None:
    """Give a member of an object if it is a text, and nothing otherwise."""
    member = value.get(name) if isinstance(value, dict) else None
    return member if isinstance(member, str) else None


def is_whole(value: Any) -> bool:
    """Tell a JSON integer from everything else, true and false among it."""
    return type(value) is int


def is_number(value: Any) -> bool:
    """Tell a JSON number from everything else, true and false among it."""
    return type(value) in (int, float)


def instant_of(text: Any) -> dt.datetime | None:
    """Read a time of ISO 8601, in UTC if it names no zone; nothing if it is none."""
    try:
        found = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=dt.UTC) if found and found.tzinfo is None else found
