"""The five endpoints: each sends one shipment and sorts the answer."""

from __future__ import annotations

from typing import Any, Protocol

from translate.delivery.answers import Answer
from translate.delivery.endpoints.clickstream import Clickstream
from translate.delivery.endpoints.learning_context import LearningContext
from translate.delivery.endpoints.mobile_analytics import MobileAnalytics
from translate.delivery.endpoints.personalize import Personalize
from translate.delivery.endpoints.pinpoint import Pinpoint
from translate.delivery.secrets import Secrets
from translate.delivery.shipments import Shipment
from translate.delivery.target import Target
from translate.errors import UsageError


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
    kept = secrets or Secrets.from_environment()
    match model:
        case "clickstream":
            return Clickstream(target, kept)
        case "learning_context":
            return LearningContext(target, kept)
        case "mobile_analytics":
            return MobileAnalytics(target, kept)
        case "personalize":
            return Personalize(target, kept)
        case _:
            return Pinpoint(target, kept)
