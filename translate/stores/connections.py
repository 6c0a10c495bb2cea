"""Connections that stay open, one to each thread that asks: TLS and proxies as botocore finds them."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60
USUAL_PORTS = {"https": 443, "http": 80}
UNREACHABLE = (OSError, http.client.HTTPException)  # what a connection raises; a call may be repeated


@dataclass(frozen=True)
class Connections:
    """Connections to one address; a thread has its own, so that none waits for another."""

    address: str  # scheme and host
    _here: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    @property
    def host(self) -> str:
        """Name host and port as a call's headers do, which leave the usual port out."""
        parts = urlsplit(self.address)
        return parts.netloc.removesuffix(f":{USUAL_PORTS[parts.scheme]}")

    def ask(
        self, verb: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> http.client.HTTPResponse:
        """Send a call; give the answer, whose body the caller reads to its end. Raise one of UNREACHABLE."""
        connection = self._connection()
        try:
            connection.putrequest(verb, target, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return connection.getresponse()
        except UNREACHABLE:
            self.drop()
            raise

    def drop(self) -> None:
        """Close this thread's connection: what is left of an answer is not read."""
        connection = self._here.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._here, "connection", None)
        if connection is None:
            connection = self._here.connection = _connected(self.address)
        return connection


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
