"""The five endpoints: each sends one shipment and sorts the answer."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from translate.delivery.answers import Answer
from translate.delivery.secrets import Secrets
from translate.delivery.shipments import Shipment
from translate.delivery.target import Target
from translate.errors import UsageError

# Imported when one is opened: the clients of Amazon alone take longer to import than all else.
ENDPOINTS = {
    "clickstream": ("translate.delivery.endpoints.clickstream", "Clickstream"),
    "learning_context": ("translate.delivery.endpoints.learning_context", "LearningContext"),
    "mobile_analytics": ("translate.delivery.endpoints.mobile_analytics", "MobileAnalytics"),
    "personalize": ("translate.delivery.endpoints.personalize", "Personalize"),
    "pinpoint": ("translate.delivery.endpoints.pinpoint", "Pinpoint"),
}


class Endpoint(Protocol):
    """One receiver; safe to use from several threads."""

    def show(self, shipment: Shipment, sequence: int) -> dict[str, Any]:
        """Give method, url, headers and body of the request, secrets masked; touches no network."""

    def send(self, shipment: Shipment, sequence: int) -> Answer:
        """Send the shipment once and sort the answer; raises nothing for what network or receiver do."""

    def close(self) -> None:
        """Let go of all connections."""


def open_endpoint(model: str, target: Target, secrets: Secrets | None = None) -> Endpoint:
    """Open the endpoint of a model; secrets come from the environment unless given. Connects to nothing yet.

    Raises UsageError for a target that was made for another model.
    """
    if model != target.model:
        raise UsageError(
            f"the target is one of {target.model}, and the events are {model}: name the target anew"
        )
    module, name = ENDPOINTS[model]
    made: Endpoint = getattr(importlib.import_module(module), name)(target, secrets or Secrets.from_environment())
    return made
