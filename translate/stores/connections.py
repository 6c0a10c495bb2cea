"""Connections that stay open, one to each thread that asks: TLS and proxies as botocore finds them; and what is answered over them, by HTTP/1.1.

What Python has for it takes an answer's headers for those of a mail, and thereby longer than all the rest of a call.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60
USUAL_PORTS = {"https": 443, "http": 80}
UNREACHABLE = (OSError, http.client.HTTPException)  # what a connection raises; a call may be repeated
PIECE = 1 << 20
AT_ONCE = 1 << 16  # bytes of an answer: nearly all small objects come as one
LINE_MAX = 1 << 16
LINES_MAX = 200  # of an answer's head


class Incoming:
    """An answer: its status, its headers by their names in small letters, and its body, which is read once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.is_over = False
        version, self.status = _status(stream)
        self.headers = _headers(stream)
        while self.status < HTTPStatus.OK:  # it goes on
            version, self.status = _status(stream)
            self.headers = _headers(stream)
        self._is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        length = self.headers.get("content-length", "")
        self._length = int(length) if length.isdecimal() and not self._is_chunked else None
        if self.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self._length, self._is_chunked = 0, False
        wish = self.headers.get("connection", "").lower()
        self._is_last = "close" in wish or (version < b"HTTP/1.1" and "keep-alive" not in wish)

    @property
    def leaves_open(self) -> bool:
        """Tell whether another call can go over the connection."""
        is_framed = self._is_chunked or self._length is not None
        return self.is_over and is_framed and not self._is_last

    def read(self) -> bytes:
        """Read the body as a whole; raise one of UNREACHABLE."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """Read the body in pieces that are not large; raise one of UNREACHABLE where it does not come to its end."""
        if self._is_chunked:
            yield from self._chunks()
        elif self._length is None:
            while piece := self._stream.read(PIECE):
                yield piece
        else:
            yield from self._exactly(self._length)
        self.is_over = True

    def _chunks(self) -> Iterator[bytes]:
        while size := _size(_line(self._stream)):
            yield from self._exactly(size)
            _line(self._stream)
        while _line(self._stream):  # what is said after the last one
            pass

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._stream.read(min(count, PIECE))
            if not piece:
                raise http.client.IncompleteRead(b"", count)
            count -= len(piece)
            yield piece


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(LINE_MAX)
    if not line.endswith(b"\n"):
        raise http.client.HTTPException("a line of the answer has no end")
    return line.rstrip(b"\r\n")


def _size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise http.client.HTTPException("a piece of the answer has no length") from None


def _status(stream: BinaryIO) -> tuple[bytes, int]:
    line = stream.readline(LINE_MAX)
    if not line:
        raise http.client.RemoteDisconnected("Remote end closed connection without response")
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/") or not rest[:3].isdigit():
        raise http.client.BadStatusLine(line.decode("latin-1"))
    return version, int(rest[:3])


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(LINES_MAX):
        line = _line(stream)
        if not line:
            return headers
        name, _, value = line.decode("latin-1").partition(":")
        headers.setdefault(name.lower(), value.strip())
    raise http.client.HTTPException("the answer has too many headers")


@dataclass
class _Wire:
    """What one thread has open: a connection, what comes over it, and the answer that came last."""

    connection: http.client.HTTPConnection
    stream: Any  # binary, as the kind of socket has it
    answer: Incoming | None = None

    @property
    def is_free(self) -> bool:
        return self.answer is None or self.answer.leaves_open

    def close(self) -> None:
        self.stream.close()
        self.connection.close()


@dataclass(frozen=True)
class Connections:
    """Connections to one address; a thread has its own, so that none waits for another."""

    address: str  # scheme and host
    _here: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    @cached_property
    def host(self) -> str:
        """Name host and port as a call's headers do, which leave the usual port out."""
        parts = urlsplit(self.address)
        return parts.netloc.removesuffix(f":{USUAL_PORTS[parts.scheme]}")

    def ask(self, verb: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Incoming:
        """Send a call; give the answer, whose body the caller reads to its end. Raise one of UNREACHABLE."""
        told = {"Host": self.host, **headers}
        if body is not None:
            told["Content-Length"] = str(len(body))
        head = _head(f"{verb} {target} HTTP/1.1", told)
        try:
            wire = self._wire()
            wire.connection.sock.sendall(head)
            if body:
                wire.connection.sock.sendall(body)
            wire.answer = Incoming(wire.stream)
        except UNREACHABLE:
            self.drop()
            raise
        return wire.answer

    def drop(self) -> None:
        """Close this thread's connection: what is left of an answer is not read."""
        wire = self._here.__dict__.pop("wire", None)
        if wire is not None:
            wire.close()

    def _wire(self) -> _Wire:
        wire: _Wire | None = getattr(self._here, "wire", None)
        if wire is not None and not wire.is_free:
            self.drop()
            wire = None
        if wire is None:
            connection = _connected(self.address)
            wire = self._here.wire = _Wire(connection, connection.sock.makefile("rb", AT_ONCE))
        return wire


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    """Write a call's head; raise ValueError for what would be lines of its own."""
    lines = [first, *(f"{name}: {value}" for name, value in headers.items())]
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a line break in a header")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _connected(address: str) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    port = parts.port or USUAL_PORTS[parts.scheme]
    proxy = _proxy(address)
    host, at = (proxy.hostname or "", proxy.port or 80) if proxy else (parts.hostname or "", port)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, at, timeout=TIMEOUT_SECONDS, context=_trust())
    else:
        connection = http.client.HTTPConnection(host, at, timeout=TIMEOUT_SECONDS)
    if proxy:
        connection.set_tunnel(parts.hostname or "", port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _proxy(address: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  urlsplit names its types for text and bytes
    from botocore.utils import get_environ_proxies  # noqa: PLC0415

    found = get_environ_proxies(address).get(urlsplit(address).scheme)
    return urlsplit(found if "://" in found else f"http://{found}") if found else None


def _trust() -> ssl.SSLContext:
    """Trust whom botocore trusts: the bundle that the environment names, or its own."""
    from botocore.httpsession import get_cert_path  # noqa: PLC0415

    named = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return ssl.create_default_context(cafile=named or get_cert_path(verify=True))
