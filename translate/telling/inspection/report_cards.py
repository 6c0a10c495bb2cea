"""Each possible target on the page: its grade, what fits, what would be lost, and how long it would take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from translate.delivery.wording import duration, number
from translate.telling.inspection.grading import GradedTarget
from translate.telling.rendering import many, printable

GRADES = {
    "fits": "everything arrives",
    "loses": "arrives, with losses",
    "part": "takes a part",
    "drops": "accepts it, then drops it",
    "none": "takes nothing as it is",
}
ORDER = ("fits", "loses", "part", "drops", "none")
LOSSES_MAX = 12
KINDS = {"cannot": "no place", "not_mapped": "no place", "on_purpose": "left out", "changed": "changed"}


def cards(targets: Sequence[GradedTarget]) -> Iterator[str]:
    """Write a card for each target, the best first."""
    if not targets:
        return
    yield "<h2>Where it could go</h2>"
    tried = targets[0].tried
    yield (
        f'<p class="quiet">The first {tried:,} events were tried on each target, without a recipe; ages, users and repeats are those of all events.'
        " A recipe can rename, fill in and drop: translate explain shows each field, translate convert does it.</p>"
    )
    for target in sorted(targets, key=lambda target: (ORDER.index(target.grade), target.layout)):
        yield _card(target)


def _card(target: GradedTarget) -> str:
    points = [f"<li>{point}</li>" for point in [*_fit(target), *_delivery(target.delivery)]]
    return (
        f'<section class="target {target.grade}"><header><h3>{escape(target.layout)}</h3><span class="badge">{GRADES[target.grade]}</span>'
        f'<span class="quiet">{escape(target.about)}</span></header><ul>{"".join(points)}</ul>{_losses(target.losses)}</section>'
    )


def _fit(target: GradedTarget) -> Iterator[str]:
    yield f"{target.taken:,} of {_are(target.tried, 'event')} taken; {_are(target.filled, 'field')} filled from the archive"
    for code, count in target.refused.items():
        yield f'<span class="warn">{_are(count)} refused</span>: {escape(code.replace("_", " "))}'
    if target.left_out:
        yield f"{_are(target.left_out)} of no kind that it takes"
    if target.missing:
        yield f'<span class="warn">required, and nothing gives it</span>: {escape(", ".join(target.missing))}'
    if target.settings:
        told = ", ".join(f"--set {name}=..." for name in target.settings)
        yield f"it wants to be told: <code>{escape(told)}</code>"


def _are(count: int, of: str = "") -> str:
    counted = many(count, of) if of else f"{count:,}"
    return f"{counted} {'is' if count == 1 else 'are'}"


def _delivery(delivery: dict[str, Any] | None) -> Iterator[str]:
    if delivery is None:
        return
    requests, hours, quota = delivery["requests"], delivery["hours"], delivery["quota"]
    least, most = requests["at_least"], requests["at_most"]
    count = many(most, "request") if least == most else f"{least:,} to {many(most, 'request')}"
    allowed = "its quota" if quota["documented"] else "a pace of our own choice, for none is documented"
    at = f"{number(delivery['requests_per_second'])} requests a second (of the {number(quota['requests_per_second'])} that are {allowed})"
    yield f"sent to the endpoint: {count}, {_took(hours)} at {at}; {_took(delivery['hours_at_quota'])} at all of it"
    for found in delivery["findings"]:
        mark = '<span class="warn">loses data</span>: ' if found["loses"] else ""
        yield f"{mark}{escape(found['message'])}. Instead: {escape(found['instead'])}"


def _took(hours: dict[str, float]) -> str:
    least, most = (
        "under a second" if hours[name] < 1 / 3600 else duration(hours[name] * 3600)
        for name in ("at_least", "at_most")
    )
    return most if least == most else f"{least} to {most}"


def _losses(losses: list[dict[str, Any]]) -> str:
    if not losses:
        return ""
    rows = [
        f'<tr><td class="figure">{"" if loss["events"] is None else format(loss["events"], ",")}</td><td><code>{escape(printable(loss["field"]))}</code></td>'
        f"<td>{KINDS.get(loss['kind'], loss['kind'])}: {escape(printable(loss['why']))}</td></tr>"
        for loss in losses[:LOSSES_MAX]
    ]
    more = f'<p class="quiet">and {len(losses) - LOSSES_MAX:,} more</p>' if len(losses) > LOSSES_MAX else ""
    return (
        f"<details><summary>lost or changed: {many(len(losses), 'kind')}</summary><table><thead><tr>"
        f'<th class="figure">events</th><th>field</th><th>what</th></tr></thead><tbody>{"".join(rows)}</tbody></table>{more}</details>'
    )
