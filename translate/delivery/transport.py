"""One pool of connections: TLS verified, nothing repeated or redirected, a silence told from a refusal to talk."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3
from urllib3 import exceptions as trouble

from translate.delivery.target import Target, refuse_plain_http

__all__ = ["Pool", "Reply", "Silence", "open_pool", "refuse_plain_http", "tls_silence"]

BODY_BYTES_MAX = 1 << 20
HINT_TLS = (
    "TLS failed: check the endpoint's name and clock; for a certificate authority of your own name its file in "
    "SSL_CERT_FILE (AWS_CA_BUNDLE for services of AWS)"
)


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


class Pool:
    """Connections to one receiver, shared by all threads: never more at once than the target allows."""

    def __init__(self, target: Target) -> None:
        self._manager = urllib3.PoolManager(
            maxsize=target.max_in_flight,
            block=True,
            ssl_context=ssl.create_default_context(),
            timeout=urllib3.Timeout(connect=target.connect_seconds, read=target.read_seconds),
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply | Silence:
        """Post one request, once."""
        return self.send("POST", url, headers, body)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply | Silence:
        """Send one request, once."""
        try:
            response = self._manager.request(
                method, url, headers=headers, body=body, retries=False, redirect=False, preload_content=False
            )
            try:
                said = response.read(BODY_BYTES_MAX)
                if response.read(1):
                    response.close()
            finally:
                response.release_conn()
        except (trouble.HTTPError, OSError) as error:
            return _silence(error)
        except ValueError:
            # http.client repeats the header in its words, and the header may be a secret.
            hint = (
                "the request could not be written: look for line breaks in cookies, user agent and endpoint"
            )
            return Silence("unwritable", "not an HTTP request", lost=False, stop=hint)
        return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, said)

    def close(self) -> None:
        """Let go of all connections."""
        self._manager.clear()


def open_pool(target: Target) -> Pool:
    """Open a pool for a target; connects to nothing yet."""
    return Pool(target)


def _silence(error: Exception) -> Silence:
    tls = tls_silence(error)
    if tls is not None:
        return tls
    for kind, code in (
        (trouble.NameResolutionError, "name_unknown"),
        (trouble.NewConnectionError, "connection_refused"),
        (trouble.ConnectTimeoutError, "connect_timeout"),
    ):
        if isinstance(error, kind):
            return Silence(code, str(error), lost=False)
    code = (
        "read_timeout" if isinstance(error, (trouble.ReadTimeoutError, TimeoutError)) else "connection_lost"
    )
    return Silence(code, str(error), lost=True)


def tls_silence(error: BaseException) -> Silence | None:
    """Judge the TLS error behind an exception, if there is one: a cut connection is lost, all else needs mending."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
            return Silence("connection_lost", str(found), lost=True)
        if isinstance(found, ssl.SSLError):
            in_handshake = (
                isinstance(found, ssl.SSLCertVerificationError) or found.reason == "WRONG_VERSION_NUMBER"
            )
            return Silence("tls", str(found), lost=not in_handshake, stop=f"{HINT_TLS} ({found})")
        waiting += [
            *found.args,
            found.__cause__,
            found.__context__,
            getattr(found, "kwargs", {}).get("error"),
        ]
    return None
