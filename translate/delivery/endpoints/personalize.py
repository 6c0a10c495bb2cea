"""Amazon Personalize: PutEvents takes all events of a call or none, and says nothing of single ones.

Facts: success is 200 with an empty body, and InvalidInputException (400) the only declared error (model of botocore);
throttling comes as ThrottlingException.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from translate.delivery.answers import Answer
from translate.delivery.endpoints.amazon import BotoEndpoint, told_in
from translate.delivery.endpoints.sorting import Advice, Told, halt, sort_refusal
from translate.delivery.shipments import Shipment

TRACKER = "the event tracker (trackingId) is unknown in this account and region: compare it with `list-event-trackers`"
# The service has no exception of its own for a tracker that it does not know.
_ABOUT_TRACKER = re.compile(r"(?i)tracking ?id|event ?tracker")


class Personalize(BotoEndpoint):
    """The operation PutEvents of an event tracker."""

    service = "personalize-events"
    advice = Advice(
        "Personalize",
        {
            401: "check the credentials",
            403: "the credentials need the right personalize:PutEvents",
            404: TRACKER,
        },
        "they need the right personalize:PutEvents",
    )

    def _arguments(self, shipment: Shipment) -> dict[str, Any]:
        """Give times as such: botocore would read each number twice, by way of the machine's time zone."""
        return {**shipment.request, "eventList": [_timed(event) for event in shipment.request["eventList"]]}

    def _accepted(self, response: dict[str, Any], shipment: Shipment) -> Answer:
        told = told_in(response)
        count = len(shipment.events)
        if told.status != 200:
            return halt(
                told,
                count,
                f"Personalize answers 200 and nothing else, and this was {told.status}: check the endpoint",
            )
        return Answer.all_sent(count, status=told.status, request_id=told.request_id)

    def _refused(self, told: Told, count: int) -> Answer:
        unknown = told.code == "InvalidInputException" and _ABOUT_TRACKER.search(told.message)
        if unknown or told.code == "ResourceNotFoundException":
            return halt(told, count, f"{TRACKER} ({told.message})")
        return sort_refusal(told, count, self.advice)


def _timed(event: Any) -> Any:
    """Give an event with its time as such; what is none is left to botocore's judgement."""
    seconds = event.get("sentAt") if isinstance(event, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return event
    try:
        return {**event, "sentAt": dt.datetime.fromtimestamp(seconds, dt.UTC)}
    except (ValueError, OverflowError, OSError):
        return event
