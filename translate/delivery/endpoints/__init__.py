"""Endpoints: what every speaker of a protocol does, and how the right one is opened; each sends a shipment and sorts the answer.

Connections: TLS is verified, nothing repeated or redirected, a silence told from a refusal to talk.
"""

from __future__ import annotations

import gzip
import importlib
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import urllib3
from urllib3 import exceptions as trouble

from translate.delivery.answers import Answer, Reply, Silence, sort_silence
from translate.delivery.secrets import Secrets
from translate.delivery.target import Target
from translate.errors import UsageError
from translate.reader.shipments import Shipment

BODY_BYTES_MAX = 1 << 20
COMPRESSION_LEVEL = 6
HINT_TLS = (
    "TLS failed: check the endpoint's name and clock; for a certificate authority of your own name its file in "
    "SSL_CERT_FILE (AWS_CA_BUNDLE for services of AWS)"
)


class Outgoing(NamedTuple):
    """A request as it goes out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Endpoint(ABC):
    """One receiver; safe to use from several threads. No secret is in what it shows and tells."""

    def __init__(self, target: Target, secrets: Secrets) -> None:
        self._target = target
        self._secrets = secrets

    def show(self, shipment: Shipment, sequence: int) -> dict[str, Any]:
        """Give method, url, headers and body of the request, secrets masked; touches no network."""
        method, url, headers, body = self._shown(shipment, sequence)
        mask = self._secrets.mask
        shown = {mask(name): mask(text) for name, text in headers.items()}
        return {
            "method": method, "url": mask(url), "headers": shown, "body": mask(body.decode("utf-8", "replace")),
        }  # fmt: skip

    def send(self, shipment: Shipment, sequence: int) -> Answer:
        """Send the shipment once and sort the answer; raises nothing for what network or receiver do."""
        return self._secrets.cover(self._send(shipment, sequence))

    @abstractmethod
    def close(self) -> None:
        """Let go of all connections."""

    @abstractmethod
    def _shown(self, shipment: Shipment, sequence: int) -> Outgoing:
        """Write the request as it would go out now, without what only proves who sends."""

    @abstractmethod
    def _send(self, shipment: Shipment, sequence: int) -> Answer:
        """Send it, and sort what came of it."""


class PooledEndpoint(Endpoint):
    """A receiver that is spoken to over connections of our own, shared by all threads.

    There are never more at once than the target allows; none is made before it is used.
    """

    def __init__(self, target: Target, secrets: Secrets) -> None:
        super().__init__(target, secrets)
        self._manager = urllib3.PoolManager(
            maxsize=target.max_in_flight,
            block=True,
            ssl_context=ssl.create_default_context(),
            timeout=urllib3.Timeout(connect=target.connect_seconds, read=target.read_seconds),
        )

    def close(self) -> None:
        """Let go of all connections."""
        self._manager.clear()

    def _send(self, shipment: Shipment, sequence: int) -> Answer:
        try:
            request = self._proven(shipment, sequence)
        except ValueError as error:
            return Answer.all_refused(len(shipment.events), "not_json", str(error))
        if isinstance(request, Answer):
            return request
        reply = self._answered(request)
        if isinstance(reply, Silence):
            return sort_silence(reply, len(shipment.events))
        return self._sorted(reply, shipment)

    def _answered(self, request: Outgoing) -> Reply | Silence:
        """Send one request, once."""
        method, url, headers, body = request
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
            hint = "look for line breaks in cookies, user agent and endpoint"
            stop = f"the request could not be written: {hint}"
            return Silence("unwritable", "not an HTTP request", lost=False, stop=stop)
        return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, said)

    @abstractmethod
    def _proven(self, shipment: Shipment, sequence: int) -> Outgoing | Answer:
        """Write the request with what proves who sends; or say what became of the events without one."""

    @abstractmethod
    def _sorted(self, reply: Reply, shipment: Shipment) -> Answer:
        """Sort an answer."""


def compressed(body: bytes) -> bytes:
    """Compress a body; the time in gzip's header would make the same events another body each second."""
    return gzip.compress(body, COMPRESSION_LEVEL, mtime=0)


def open_endpoint(target: Target) -> Endpoint:
    """Open the endpoint of a target; secrets come from the environment. Connects to nothing yet."""
    module, name = target.spoken.speaker
    made: Endpoint = getattr(importlib.import_module(module), name)(target, secrets_of(target))
    return made


def secrets_of(target: Target) -> Secrets:
    """Take from the environment what the target asks for."""
    return Secrets.from_environment(target.sending.variables if target.sending else ())


def refuse_without_secrets(target: Target) -> None:
    """Raise UsageError where a described service's secret is not set, before an archive is converted in vain."""
    way = target.sending.authentication if target.sending else None
    if way and not secrets_of(target).get(way.needed):
        raise UsageError(
            f"set {way.needed} in the environment: requests to {target.protocol} are sent with it"
        )


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
    timed_out = isinstance(error, (trouble.ReadTimeoutError, TimeoutError))
    return Silence("read_timeout" if timed_out else "connection_lost", str(error), lost=True)


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
            untrusted = isinstance(found, ssl.SSLCertVerificationError)
            in_handshake = untrusted or found.reason == "WRONG_VERSION_NUMBER"
            return Silence("tls", str(found), lost=not in_handshake, stop=f"{HINT_TLS} ({found})")
        waiting += [*found.args, found.__cause__, found.__context__]
        waiting.append(getattr(found, "kwargs", {}).get("error"))
    return None
