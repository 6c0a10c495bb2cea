"""The target of a replay: where to, as whom, by which protocol, and how patiently; secrets are no part of it.

A data sheet names a protocol in its table [delivery], or it describes how requests are sent, in [delivery.http].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from translate import __version__
from translate.errors import UsageError, suggest
from translate.mapping.description import fits_header, is_loopback, split_endpoint
from translate.mapping.protocols import DESCRIBED, PROTOCOLS, Protocol

if TYPE_CHECKING:
    from translate.mapping.sending import Sending
    from translate.mapping.spec import Layout


NO_HEADER = "cannot be sent as an HTTP header: it holds a line break or an unusual character"


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
