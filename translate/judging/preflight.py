"""What the target will do with the events of a replay, said before anything is sent."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection
from collections.abc import Mapping as Table
from dataclasses import asdict, dataclass
from typing import Any

from translate.events import EPOCH
from translate.judging.hazards import JUDGES, Case, duration, moment, number, percent
from translate.judging.survey import HOUR_MS, Surveyed
from translate.mapping.sending import Delivery, Hazard
from translate.mapping.settings import Settings
from translate.mapping.spec import Mapping
from translate.vocabulary.notes import LISTED_STANDS, RECEIVER_CHANGES, flaws
from translate.wording.rendering import many


@dataclass(frozen=True)
class Forecast:
    """One thing that the target will do with the events: `events` of them, a `share` from 0 to 1 of all.

    Where it `loses` data, nothing is sent before somebody has accepted it by its `name`.
    """

    name: str
    loses: bool
    message: str
    instead: str
    source: str
    date: str
    events: int
    share: float
    receiver_changes: str = ""  # what it does with them, where it takes them and alters them for their age

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        values = asdict(self)
        if not self.receiver_changes:
            del values["receiver_changes"]
        return values

    @property
    def text(self) -> str:
        """Write it as a paragraph: what, the way out, how to go on all the same, who says so."""
        instead = f" Instead: {self.instead}." if self.instead else ""
        accept = f" To send them all the same: --accept {self.name}." if self.loses else ""
        source = f" ({self.source}; as of {self.date})" if self.source else ""
        return f"{self.name}: {self.message}.{instead}{accept}{source}"


@dataclass(frozen=True)
class Schedule:
    """How long the run takes at its rate; `sentences` say so, and how the rate stands to the target's quota."""

    requests: int
    events: int
    bytes: int
    requests_per_second: float
    events_per_second: float
    hours: float
    sentences: tuple[str, ...]


def judge(
    mapping: Mapping,
    surveyed: Surveyed,
    settings: Settings,
    user_agent: str | None = None,
    *,
    now: dt.datetime,
    requests_per_second: float | None = None,
    events_per_second: float | None = None,
    overrides: Table[str, float] | None = None,
    layout: str | None = None,
) -> list[Forecast]:
    """Judge what was surveyed: what loses data first, each group in the mapping's order.

    Ages are told to the hour: an event counts as old once the whole hour in which it lies is touched by the limit.
    What is old now is counted; what becomes so before the run ends, if a rate is given, is told in the message.
    `overrides` are numbers of the target's own configuration, by their settings; `layout` is the one that is judged, if
    not the one that is sent.
    """
    delivery = mapping.delivery
    if delivery is None or not surveyed.events:
        return []
    rates = (requests_per_second, events_per_second)
    hours = plan_of_run(delivery, surveyed, *rates).hours if rates != (None, None) else 0.0
    now_ms = (now - EPOCH) // dt.timedelta(milliseconds=1)
    end_ms = now_ms + math.ceil(hours * HOUR_MS)
    case = Case(surveyed, settings, user_agent, now_ms, end_ms, overrides or {}, delivery.support)
    judged = [
        (hazard, JUDGES[hazard.check](hazard, case))
        for hazard in delivery.preflight.values()
        if hazard.concerns(layout or delivery.layout)
    ]
    found = [_forecast(hazard, surveyed.events, *concern) for hazard, concern in judged if concern]
    return sorted(found, key=lambda finding: not finding.loses)


def moment_of(surveyed: Surveyed, settings: Settings) -> dt.datetime | None:
    """Give the moment as of which files speak of ages: the latest event's, or a given day."""
    if surveyed.latest is None:
        return None
    if settings.day:
        return dt.datetime.combine(settings.day, dt.time(), dt.UTC)
    return EPOCH + dt.timedelta(milliseconds=surveyed.latest)


def of_conversion(report: dict[str, Any]) -> list[Forecast]:
    """Give what the conversion's report has to settle, and what it says that the receiver alters.

    It stops nothing, unless somebody who was to be erased stands in what would be sent: nothing is called back.
    """
    read, written = report["events"]["read"], report["events"]["written"]
    found = [(flaw, flaw["message"], read) for flaw in flaws(report)]
    for change in report["findings"]:
        if change["code"] == RECEIVER_CHANGES:
            share = f"{many(change['events'], 'event')} ({percent(change['events'] / written)})"
            found.append((change, f"{share}: {change['message']}", written))
    return [
        Forecast(
            spoken(one["code"]), one["code"] == LISTED_STANDS, message, "", "", "", one["events"], one["events"] / of
        )
        for one, message, of in found
    ]  # fmt: skip


def spoken(code: str) -> str:
    """Give the name by which a finding of the conversion is accepted."""
    return code.replace("_", "-")


def unaccepted(findings: Collection[Forecast], accepted: Collection[str]) -> list[Forecast]:
    """Give the findings that stop the run."""
    return [finding for finding in findings if finding.loses and finding.name not in accepted]


def plan_of_run(
    delivery: Delivery,
    surveyed: Surveyed,
    requests_per_second: float | None = None,
    events_per_second: float | None = None,
) -> Schedule:
    """Reckon how long a run takes at its rates; without any it goes at the mapping's default."""
    quota = delivery.quota
    if requests_per_second is None and events_per_second is None:
        requests_per_second = quota.default_requests_per_second
    asked = (requests_per_second or 0.0, events_per_second or 0.0)
    counts = (surveyed.requests, surveyed.events)
    seconds = max(count / rate if rate else 0.0 for count, rate in zip(counts, asked, strict=True))
    rates = (counts[0] / seconds, counts[1] / seconds) if seconds else asked
    known = "allows" if quota.documented else "is taken to bear"
    part = rates[0] / quota.requests_per_second
    packed = f"{many(surveyed.requests, 'request')} with {many(surveyed.events, 'event')}"
    pace = f"{number(rates[0])} requests a second ({number(rates[1])} events)"
    bears = f"{number(quota.requests_per_second)} requests a second ({quota.source}; as of {quota.date})"
    sentences = [f"{packed} take {duration(seconds)} at {pace}"]
    sentences.append(f"that is {percent(part)} of what {quota.scope} {known}: {bears}")
    if part > 1:
        sentences.append("more than that is refused, and live traffic with it: choose a lower --rate")
    return Schedule(
        surveyed.requests, surveyed.events, surveyed.bytes, *rates, seconds / 3600, tuple(sentences)
    )


def verification(delivery: Delivery, surveyed: Surveyed) -> list[str]:
    """Say how to see what arrived, with the figures of what was sent."""
    places = {
        "events": f"{surveyed.events:,}",
        "earliest": moment(surveyed.earliest),
        "latest": moment(surveyed.latest),
        "earliest_ms": str(surveyed.earliest),
        "latest_ms": str(surveyed.latest),
    }
    return [text.format_map(places) for text in delivery.verify]


def _forecast(hazard: Hazard, all_events: int, events: int, places: dict[str, str]) -> Forecast:
    share = events / all_events
    said = hazard.says.format_map({"events": f"{events:,}", "share": percent(share), **places})
    altered = f": the receiver {hazard.alters}" if hazard.alters else ""
    message = said + places.get("later", "") + altered
    return Forecast(
        hazard.name, hazard.loses, message, hazard.instead, hazard.source, hazard.date.isoformat(), events, share, hazard.alters,
    )  # fmt: skip
