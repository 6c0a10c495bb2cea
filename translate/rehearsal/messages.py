"""What comes in, what goes out, and what was made of it: the words that all the endpoints share."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl

KEPT_BYTES_MAX = 40 << 20  # more than any limit that is known: what is beyond is counted and let go
TAKEN_BYTES_MAX = 256 << 20
CHUNK_LINE_MAX = 4096


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
    """Read a time of ISO 8601; nothing if it is none."""
    try:
        return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


class Malformed(Exception):  # noqa: N818 - it names the request, not a fault of this program
    """A request that breaks HTTP's rules; the connection ends with it."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


class Body:
    """A body that is coming in; `bytes` is what was sent so far, `body` what was kept of it."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.bytes = 0

    def feed(self, buffer: bytearray) -> bool:
        """Take from the buffer what belongs to the body; tell whether the body is complete."""
        raise NotImplementedError

    def _take(self, buffer: bytearray, count: int) -> None:
        self.bytes += count
        if self.bytes > TAKEN_BYTES_MAX:
            raise Malformed(413)
        if self.bytes <= KEPT_BYTES_MAX:
            self.body += buffer[:count]
        else:
            self.body.clear()
        del buffer[:count]


class Sized(Body):
    """A body whose length was told."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length

    def feed(self, buffer: bytearray) -> bool:
        """Take up to the length that was told."""
        count = min(len(buffer), self._left)
        if count:
            self._take(buffer, count)
            self._left -= count
        return not self._left


class Chunked(Body):
    """A body in chunks: sizes in hexadecimal digits, an empty chunk, and trailers, which are let go."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._begun = self._ended = False

    def feed(self, buffer: bytearray) -> bool:
        """Take whole lines and as much of a chunk as is there."""
        while True:
            if self._left:
                count = min(len(buffer), self._left)
                if not count:
                    return False
                self._take(buffer, count)
                self._left -= count
                continue
            line = self._line(buffer)
            if line is None:
                return False
            if self._ended and not line:
                return True
            if self._ended:
                continue  # a trailer
            if self._begun:  # the end of the chunk's line
                if line:
                    raise Malformed
                self._begun = False
                continue
            self._open(line)

    def _open(self, line: bytes) -> None:
        digits = line.split(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise Malformed
        self._left = int(digits, 16)
        self._begun, self._ended = self._left > 0, not self._left

    @staticmethod
    def _line(buffer: bytearray) -> bytes | None:
        end = buffer.find(b"\n")
        if end > CHUNK_LINE_MAX or (end < 0 and len(buffer) > CHUNK_LINE_MAX):
            raise Malformed
        if end < 0:
            return None
        line = bytes(buffer[:end]).rstrip(b"\r")
        del buffer[: end + 1]
        return line


def body_of(headers: dict[str, str]) -> Body:
    """Choose how a request's body is taken in, by its headers."""
    coding = headers.get("transfer-encoding", "").strip().lower()
    if coding:
        if coding != "chunked":
            raise Malformed(501)
        if "content-length" in headers:  # two lengths are how requests are smuggled
            raise Malformed
        return Chunked()
    length = headers.get("content-length", "0").strip()
    if not (length.isascii() and length.isdigit()):
        raise Malformed
    return Sized(int(length))
