"""Amazon Pinpoint: PutEvents answers 202 even if items failed; the truth stands at each item.

Facts: items carry 202 (accepted) or 400 (invalid); real clients try 429 and 5xx again (model of botocore, Amplify).
The service's support ended on 2026-10-30.
"""

from __future__ import annotations

from typing import Any

from translate.delivery.answers import SENT, Answer, Pile, Verdict
from translate.delivery.endpoints.amazon import BotoEndpoint, told_in
from translate.delivery.endpoints.sorting import AGAIN_STATUSES, THROTTLED_STATUSES, Advice
from translate.delivery.shipments import Shipment

ENDED = "Pinpoint's support ended on 2026-10-30, so it may refuse everybody"
ACCEPTED = 202


class Pinpoint(BotoEndpoint):
    """The operation PutEvents of a Pinpoint project."""

    service = "pinpoint"
    advice = Advice(
        "Pinpoint",
        {
            401: f"check the credentials; {ENDED}",
            403: f"the credentials need the right mobiletargeting:PutEvents on the project; {ENDED}",
            404: f"there is no such project (ApplicationId) in this region; {ENDED}",
            405: f"check the endpoint; {ENDED}",
            410: ENDED,
        },
        "they need the right mobiletargeting:PutEvents on the project",
    )

    def _accepted(self, response: dict[str, Any], shipment: Shipment) -> Answer:
        told = told_in(response)
        results = response.get("EventsResponse", {}).get("Results", {})
        verdicts: list[Verdict] = []
        findings: list[str] = []
        for endpoint_id, batch in shipment.request["EventsRequest"]["BatchItem"].items():
            result = results.get(endpoint_id, {})
            findings += _finding(endpoint_id, result.get("EndpointItemResponse", {}))
            items = result.get("EventsItemResponse", {})
            verdicts += [_verdict(items.get(event_id, {})) for event_id in batch["Events"]]
        asked_for_less = any(verdict.code in map(str, THROTTLED_STATUSES) for verdict in verdicts)
        # No word about an event may mean that it was taken, and the word was lost.
        unsaid = any(verdict.code == UNSAID.code for verdict in verdicts)
        return Answer(
            tuple(verdicts), throttled=asked_for_less, lost=unsaid, findings=tuple(findings), **told.rest()
        )


UNSAID = Verdict(Pile.AGAIN, "no_result", "the answer says nothing about this event")


def _verdict(item: dict[str, Any]) -> Verdict:
    status = item.get("StatusCode")
    if status is None:
        return UNSAID
    if status == ACCEPTED:
        return SENT
    final = 400 <= status < 500 and status not in AGAIN_STATUSES
    return Verdict(Pile.NEVER if final else Pile.AGAIN, str(status), str(item.get("Message", "")))


def _finding(endpoint_id: str, item: dict[str, Any]) -> list[str]:
    status = item.get("StatusCode")
    if status is None or 200 <= status < 300:
        return []
    return [f"endpoint {endpoint_id} was not updated: {status} {item.get('Message', '')}".rstrip()]
