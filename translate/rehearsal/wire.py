"""HTTP/1.1 as real clients speak it, lean: connections that stay open, both kinds of bodies, Expect: 100-continue.

The standard library's server parses headers as e-mail and answers in two writes, which costs a tenth of a second's
delayed acknowledgement for every few requests; a rehearsal has to be faster than what it judges.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from translate.rehearsal.messages import KEPT_BYTES_MAX, HttpReply, HttpRequest

HEAD_BYTES_MAX = 64 << 10
TAKEN_BYTES_MAX = 256 << 20
CHUNK_LINE_MAX = 4096
BODILESS = (204, 304)
RESET_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER, so that closing sends RST and not FIN


@dataclass(frozen=True, slots=True)
class Action:
    """What to do about a request: answer it, perhaps late, or reset its connection.

    `unheard` is called if there was nobody left to hear the answer.
    """

    reply: HttpReply | None
    delay_seconds: float = 0.0
    unheard: Callable[[], None] | None = None


Answerer = Callable[[HttpRequest], Action]
Intake = Generator[None, None, None]  # takes in what is there of a request, and yields where more has to come


class Malformed(Exception):  # noqa: N818 - it names the request, not a fault of this program
    """A request that breaks HTTP's rules; the connection ends with it."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


class Connection(asyncio.Protocol):
    """One connection of a client; requests on it are answered one after the other."""

    def __init__(self, answer: Answerer, connections: set[Connection]) -> None:
        self._answer = answer
        self._connections = connections
        self._buffer = bytearray()
        self._request: HttpRequest | None = None  # the one that is coming in
        self._intake = self._taken_in()
        self._arrived = 0.0
        self._busy = self._closing = self._old = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        del exc
        self._connections.discard(self)
        self._writable.set()
        if self._streaming:
            self._streaming.cancel()

    def pause_writing(self) -> None:
        """Hold a stream back: its reader is slow."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let a stream go on."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        if not self._buffer and self._request is None:
            self._arrived = time.monotonic()
        self._buffer += data
        if self._busy:
            self._transport.pause_reading()
        else:
            self._advance()

    def close(self) -> None:
        """Close the connection; what is being answered is given up."""
        self._transport.abort()

    def _advance(self) -> None:
        try:
            while not (self._busy or self._closing) and self._complete():
                assert self._request
                request = self._request
                self._request, self._intake = None, self._taken_in()
                self._arrived = time.monotonic()  # of the next one, if it is there already
                self._act(request)
        except Malformed as error:
            self._closing = True
            self._send("", HttpReply(error.status))

    def _complete(self) -> bool:
        """Tell whether a whole request is there."""
        for _ in self._intake:
            return False
        return True

    def _taken_in(self) -> Intake:
        while (end := self._end_of_head()) < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise Malformed(431)
            yield
        head = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + 4]
        self._request = request = self._opened(head)
        kept, length = bytearray(), _length(request.headers)
        if request.headers.get("expect", "").lower() == "100-continue" and not self._old:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if length is None:
            yield from _chunks(request, self._buffer, kept)
        else:
            yield from _piece(request, self._buffer, kept, length)
        request.body = bytes(kept)

    def _end_of_head(self) -> int:
        while self._buffer.startswith(b"\r\n"):  # some clients end a body with an empty line too many
            del self._buffer[:2]
        return self._buffer.find(b"\r\n\r\n")

    def _opened(self, head: str) -> HttpRequest:
        first, *lines = head.split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Malformed(505 if len(words) == 3 and words[2].startswith("HTTP/") else 400)
        headers = _headers(lines)
        target = words[1]
        if target.startswith(("http://", "https://")):  # as a client says it that takes this for its proxy
            headers["host"], _, rest = target.partition("://")[2].partition("/")
            target = f"/{rest}"
        path, _, query = target.partition("?")
        self._old = words[2] == "HTTP/1.0"
        connection = headers.get("connection", "").lower()
        self._closing_after = "close" in connection or (self._old and "keep-alive" not in connection)
        return HttpRequest(words[0], path, query, headers, b"", 0, self._arrived)

    def _act(self, request: HttpRequest) -> None:
        action = self._answer(request)
        self._closing = self._closing_after
        if not action.delay_seconds:
            self._finish(request.method, action)
            return
        self._busy = True
        asyncio.get_running_loop().call_later(action.delay_seconds, self._finish_late, request.method, action)

    def _finish_late(self, method: str, action: Action) -> None:
        self._busy = False
        if self._transport.is_closing():
            if action.unheard:
                action.unheard()
            return
        self._finish(method, action)
        if not self._busy and not self._transport.is_closing():
            self._transport.resume_reading()
            self._advance()

    def _finish(self, method: str, action: Action) -> None:
        if action.reply is None:
            self._reset()
        elif action.reply.stream is None:
            self._send(method, action.reply)
        else:
            self._busy = True
            stream = self._stream(action.reply, action.reply.stream)
            self._streaming = asyncio.get_running_loop().create_task(stream)

    def _reset(self) -> None:
        self._closing = True
        connected = self._transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        self._transport.abort()

    def _send(self, method: str, reply: HttpReply) -> None:
        bodiless = method == "HEAD" or reply.status in BODILESS
        length = "" if reply.status in BODILESS else f"Content-Length: {len(reply.body)}\r\n"
        head = self._head(reply, length)
        # One write: two would wait for each other.
        self._transport.write(head if bodiless else head + reply.body)
        if self._closing:
            self._transport.close()

    def _head(self, reply: HttpReply, length: str) -> bytes:
        reason = HTTPStatus(reply.status).phrase
        own = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
        connection = "close" if self._closing else "keep-alive"
        text = f"HTTP/1.1 {reply.status} {reason}\r\nDate: {formatdate(usegmt=True)}\r\n{own}{length}Connection: {connection}\r\n\r\n"
        return text.encode("latin-1")

    async def _stream(self, reply: HttpReply, blocks: Iterator[bytes]) -> None:
        self._closing = self._closing or self._old  # HTTP/1.0 knows no chunks: the end is the connection's
        self._transport.write(self._head(reply, "" if self._old else "Transfer-Encoding: chunked\r\n"))
        for block in blocks:
            await self._writable.wait()
            if self._transport.is_closing():
                return
            self._transport.write(block if self._old else b"%x\r\n%b\r\n" % (len(block), block))
            await asyncio.sleep(0)  # others are served meanwhile
        if not self._old:
            self._transport.write(b"0\r\n\r\n")
        if self._closing:
            self._transport.close()
            return
        self._busy = False
        self._transport.resume_reading()
        self._advance()


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed
        name, value = name.lower(), value.strip()
        if name in headers and name == "content-length" and headers[name] != value:
            raise Malformed
        headers[name] = f"{headers[name]},{value}" if name in headers and name != "content-length" else value
    return headers


def _length(headers: dict[str, str]) -> int | None:
    """Give how many bytes a body has; None if it comes in chunks."""
    coding = headers.get("transfer-encoding", "").strip().lower()
    length = headers.get("content-length", "0").strip()
    if coding not in ("", "chunked"):
        raise Malformed(501)
    if coding and "content-length" in headers:  # two lengths are how requests are smuggled
        raise Malformed
    if not (length.isascii() and length.isdigit()):
        raise Malformed
    return None if coding else int(length)


def _chunks(request: HttpRequest, buffer: bytearray, kept: bytearray) -> Intake:
    """Take in chunks: sizes in hexadecimal digits, an empty chunk, and trailers, which are let go."""
    while True:
        digits = (yield from _line(buffer)).split(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise Malformed
        if not int(digits, 16):
            break
        yield from _piece(request, buffer, kept, int(digits, 16))
        if (yield from _line(buffer)):
            raise Malformed
    while (yield from _line(buffer)):
        pass


def _piece(request: HttpRequest, buffer: bytearray, kept: bytearray, left: int) -> Intake:
    """Take in so many bytes, keeping no body that is too large."""
    while left:
        while not buffer:
            yield
        count = min(len(buffer), left)
        left -= count
        request.bytes += count
        if request.bytes > TAKEN_BYTES_MAX:
            raise Malformed(413)
        if request.bytes <= KEPT_BYTES_MAX:
            kept += buffer[:count]
        else:
            kept.clear()
        del buffer[:count]


def _line(buffer: bytearray) -> Generator[None, None, bytes]:
    while (end := buffer.find(b"\n")) < 0 and len(buffer) <= CHUNK_LINE_MAX:
        yield
    if not 0 <= end <= CHUNK_LINE_MAX:
        raise Malformed
    line = bytes(buffer[:end]).rstrip(b"\r")
    del buffer[: end + 1]
    return line
