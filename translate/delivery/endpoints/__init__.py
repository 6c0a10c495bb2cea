"""Where a replay sends to, and as whom; what every speaker of a protocol does, and how the right one is opened.

A data sheet names a protocol in its table [delivery], or it describes how requests are sent, in [delivery.http].
Connections: TLS is verified, nothing repeated or redirected, a silence told from a refusal to talk.
"""

from __future__ import annotations

import gzip
import importlib
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import urllib3
from urllib3 import exceptions as trouble

from translate import __version__
from translate.delivery.answers import Answer, Reply, Silence, sort_silence
from translate.delivery.secrets import Secrets
from translate.errors import UsageError, suggest
from translate.mapping.description import fits_header, is_loopback, split_endpoint
from translate.mapping.protocols import DESCRIBED, PROTOCOLS, Protocol
from translate.reader.shipments import Shipment

if TYPE_CHECKING:
    from translate.mapping.sending import Sending
    from translate.mapping.spec import Layout

BODY_BYTES_MAX = 1 << 20
COMPRESSION_LEVEL = 6
HINT_TLS = (
    "TLS failed: check the endpoint's name and clock; for a certificate authority of your own name its file in "
    "SSL_CERT_FILE (AWS_CA_BUNDLE for services of AWS)"
)


@dataclass(frozen=True)
class Target:
    """Where a replay sends to: by a protocol, or, where that has no name, as `sending` says of requests of `layout`.

    `endpoint`: a URL; Pinpoint and Personalize need only the `region`. `forwarded_address`: X-Forwarded-For
    (Clickstream). `application_id` and `account`: `aid` and `user` of Learning Context. `gzip`: Clickstream's
    compressed body. Raises UsageError, with what to do, for what cannot be right.
    """

    protocol: str
    endpoint: str | None = None
    region: str | None = None
    user_agent: str = f"translate/{__version__}"
    forwarded_address: str | None = None
    application_id: str | None = None
    account: str | None = None
    gzip: bool = True
    max_in_flight: int = 4
    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    allow_http: bool = False
    sending: Sending | None = None
    layout: Layout | None = None

    @property
    def spoken(self) -> Protocol:
        """Give the protocol."""
        return DESCRIBED if self.sending else PROTOCOLS[self.protocol]

    def __post_init__(self) -> None:
        """Refuse what cannot be right."""
        if not self.sending and self.protocol not in PROTOCOLS:
            nearest, known = suggest(self.protocol, PROTOCOLS), ", ".join(PROTOCOLS)
            raise UsageError(f'no protocol "{self.protocol}"{nearest}: there are {known}')
        self._check_address()
        self._check_sender()
        if self.max_in_flight < 1:
            raise UsageError("max_in_flight must be at least 1: one request has to be on its way")
        if not (self.connect_seconds > 0 and self.read_seconds > 0):
            raise UsageError("connect_seconds and read_seconds must be above 0")

    def _check_address(self) -> None:
        if self.endpoint is not None:
            split_endpoint(self.endpoint)
            refuse_plain_http(self.endpoint, allowed=self.allow_http)
        elif not self.spoken.by_region:
            raise UsageError(f"{self.protocol} needs an endpoint, the receiver's URL: --endpoint https://...")
        elif self.region is None:
            one = "--set region=eu-west-1 or another, and an --endpoint if it is not Amazon's own"
            raise UsageError(f"{self.protocol} needs a region: {one}")
        if self.region is None and self.spoken.by_region:
            why = "for requests are signed for one: --set region=eu-west-1 or another"
            raise UsageError(f"{self.protocol} needs a region beside its endpoint, {why}")

    def _check_sender(self) -> None:
        needs = self.sending.needs if self.sending else self.spoken.needs
        if not all(getattr(self, setting) for setting in needs):
            wanted = " and ".join(f"{setting} ({meaning})" for setting, meaning in needs.items())
            raise UsageError(f"{self.protocol} needs {wanted}")
        for name, text in (("user_agent", self.user_agent), ("forwarded_address", self.forwarded_address)):
            if text is not None and not fits_header(text):
                way_out = "remove line breaks and unusual characters"
                raise UsageError(f"{name} cannot be sent as an HTTP header: {way_out}")

    def url(self, path: str) -> str:
        """Give the endpoint, with the service's documented path where it has none of its own."""
        parts = split_endpoint(self.endpoint or "")
        return parts._replace(path=path if parts.path in {"", "/"} else parts.path).geturl()


def refuse_plain_http(url: str, *, allowed: bool) -> None:
    """Raise UsageError for plain http:// to another machine, unless it was allowed."""
    parts = split_endpoint(url)
    if parts.scheme == "http" and not allowed and not is_loopback(parts.hostname or ""):
        what = f"http://{parts.hostname} would carry the events, cookies and signatures in the clear"
        way_out = "use https://, or say --allow-http if the network in between is trusted"
        raise UsageError(f"{what}: {way_out}")


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
    made: Endpoint = getattr(importlib.import_module(f"{__name__}.{module}"), name)(
        target, secrets_of(target)
    )
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
