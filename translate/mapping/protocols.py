"""The protocols that are spoken by code: who speaks each of them, and how a request of its form leads to its events.

A data sheet says `protocol = "..."` in its table [delivery], and any model whose requests have the protocol's form can be replayed.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Protocol:
    """One way to talk to a receiver.

    `speaker` is the class, in a module among the endpoints that is imported when one is opened: the clients of Amazon alone
    take longer to import than all else. `each` is the way to the events in a request, `members` what a request has beside them. One
    that is `by_region` finds its own host, and signs for a region. `needs` are settings without which nothing can be sent.
    """

    speaker: tuple[str, str]
    each: tuple[str, ...]
    members: tuple[str, ...] = ()
    by_region: bool = False
    needs: dict[str, str] = field(default_factory=dict)


OF_LEARNING_CONTEXT = {"application_id": "its aid", "account": "its user"}
OF_PINPOINT = ("EventsRequest", "BatchItem", "*", "Events", "*")
PROTOCOLS: dict[str, Protocol] = {
    "clickstream": Protocol(("clickstream", "Clickstream"), ("body",)),
    "learning_context": Protocol(
        ("learning_context", "LearningContext"), ("data",), needs=OF_LEARNING_CONTEXT
    ),
    "mobile_analytics": Protocol(("services", "MobileAnalytics"), ("body", "events"), ("client_context",)),
    "personalize": Protocol(
        ("services", "Personalize"), ("eventList",), ("trackingId", "sessionId"), by_region=True
    ),
    "pinpoint": Protocol(("services", "Pinpoint"), OF_PINPOINT, ("ApplicationId",), by_region=True),
}

# Spoken to whoever is described by a sheet.
DESCRIBED = Protocol(("described", "DescribedService"), ())
