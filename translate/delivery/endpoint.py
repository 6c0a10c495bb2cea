"""An endpoint: what every protocol's speaker does, and how the right one is opened."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from translate.delivery.answers import Answer
from translate.delivery.endpoints.protocols import PROTOCOLS
from translate.delivery.secrets import Secrets
from translate.delivery.shipments import Shipment
from translate.delivery.target import Target


class Endpoint(Protocol):
    """One receiver; safe to use from several threads."""

    def show(self, shipment: Shipment, sequence: int) -> dict[str, Any]:
        """Give method, url, headers and body of the request, secrets masked; touches no network."""

    def send(self, shipment: Shipment, sequence: int) -> Answer:
        """Send the shipment once and sort the answer; raises nothing for what network or receiver do."""

    def close(self) -> None:
        """Let go of all connections."""


def open_endpoint(target: Target, secrets: Secrets | None = None) -> Endpoint:
    """Open the endpoint of a target; secrets come from the environment unless given. Connects to nothing yet."""
    module, name = PROTOCOLS[target.protocol].speaker
    made: Endpoint = getattr(importlib.import_module(module), name)(
        target, secrets or Secrets.from_environment()
    )
    return made
