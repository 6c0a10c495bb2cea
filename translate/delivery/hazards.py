"""Judges of a target's hazards: how many of the surveyed events each concerns."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from translate.delivery.questions import HOUR_MS, Surveyed, identity
from translate.delivery.wording import moment, number
from translate.events import EPOCH
from translate.mapping.sending import Hazard, Support
from translate.settings import Settings

UNIT_MS = {"hours": HOUR_MS, "days": 24 * HOUR_MS}


@dataclass(frozen=True)
class Case:
    """What a judgement looks at."""

    surveyed: Surveyed
    settings: Settings
    user_agent: str | None
    now_ms: int
    end_ms: int
    overrides: Mapping[str, float]
    support: Support | None

    def limit_ms(self, hazard: Hazard, at_ms: int) -> int:
        """Give the time before which an event is too old at some moment."""
        return at_ms - round(self.value(hazard) * UNIT_MS[hazard.unit])

    def value(self, hazard: Hazard) -> float:
        """Give the number of a hazard, as the target's own configuration has it."""
        return self.overrides.get(hazard.setting or "", hazard.value or 0)


# How many events it concerns, and what else its sentence may say; None where all is well.
Concern = tuple[int, dict[str, str]] | None
Judge = Callable[[Hazard, Case], Concern]


def _older_than(hazard: Hazard, case: Case) -> Concern:
    def old(at_ms: int) -> int:
        limit = case.limit_ms(hazard, at_ms)
        histograms = [case.surveyed.excepted.get(name, {}) for name in hazard.names]
        every, excepted = (
            _before(case.surveyed.hours, limit),
            sum(_before(hours, limit) for hours in histograms),
        )
        return every - excepted

    now = old(case.now_ms)
    later = old(case.end_ms) - now
    if not now and not later:
        return None
    return now, {
        "value": number(case.value(hazard)),
        "earliest": moment(case.surveyed.earliest),
        "later": f"; {later:,} more pass that age before the run ends" if later else "",
    }


def _newer_than(hazard: Hazard, case: Case) -> Concern:
    """Count those of hours that end after the limit: what may be younger, is."""
    limit = case.limit_ms(hazard, case.now_ms)
    excepted = [case.surveyed.excepted.get(name, {}) for name in hazard.names]
    every, *others = (
        sum(count for hour, count in hours.items() if (hour + 1) * HOUR_MS > limit)
        for hours in (case.surveyed.hours, *excepted)
    )
    events = every - sum(others)
    latest = case.surveyed.latest_of_others if hazard.names else case.surveyed.latest
    return (events, {"value": number(case.value(hazard)), "latest": moment(latest)}) if events else None


def _newer_than_now(hazard: Hazard, case: Case) -> Concern:
    latest = case.surveyed.latest_of_others if hazard.names else case.surveyed.latest
    if latest is None or latest <= case.now_ms:
        return None
    # Of the present hour it is not known which events are over: all of it counts where nothing lies beyond.
    first = min(latest // HOUR_MS, case.now_ms // HOUR_MS + 1)
    histograms = [case.surveyed.excepted.get(name, {}) for name in hazard.names]
    every, *excepted = (
        sum(count for hour, count in hours.items() if hour >= first)
        for hours in (case.surveyed.hours, *histograms)
    )
    return every - sum(excepted), {"latest": moment(latest)}


def _users_last_seen_before(hazard: Hazard, case: Case) -> Concern:
    limit = case.limit_ms(hazard, case.now_ms)
    hours = case.surveyed.users[hazard.columns[0]].hours
    old = [counts for hour, counts in hours.items() if hour * HOUR_MS < limit]
    users, events = sum(users for users, _ in old), sum(events for _, events in old)
    return (events, {"users": f"{users:,}", "value": number(case.value(hazard))}) if users else None


def _user_agent_matches(hazard: Hazard, case: Case) -> Concern:
    """Judge the agents that requests name, and for the others the one that they are sent with."""
    agents = Counter(case.surveyed.agents)
    agents[case.user_agent or case.settings.user_agent or ""] += case.surveyed.events - sum(
        case.surveyed.agents.values()
    )
    hits = {
        agent: events
        for agent, events in agents.items()
        if events and any(re.search(pattern, agent) for pattern in hazard.names)
    }
    return (sum(hits.values()), {"value": max(hits, key=lambda agent: hits[agent])}) if hits else None


def _setting_missing(hazard: Hazard, case: Case) -> Concern:
    name = hazard.setting or ""
    events = case.surveyed.missing.get(name, case.surveyed.events)
    return (events, {"value": name}) if events and not getattr(case.settings, name, None) else None


def _column_missing(hazard: Hazard, case: Case) -> Concern:
    events = case.surveyed.missing[hazard.columns[0]]
    return (events, {}) if events else None


def _values_outside(hazard: Hazard, case: Case) -> Concern:
    known = {value.lower() for value in hazard.names}
    outside = {
        value: events
        for value, events in case.surveyed.values.get(hazard.columns[0], {}).items()
        if value.lower() not in known
    }
    return (sum(outside.values()), {"found": f"{len(outside):,}"}) if outside else None


def _spans_more_than(hazard: Hazard, case: Case) -> Concern:
    days = len({hour * HOUR_MS // UNIT_MS["days"] for hour in case.surveyed.hours})
    places = {
        "value": number(hazard.value or 0),
        "found": f"{days:,}",
        "earliest": moment(case.surveyed.earliest),
        "latest": moment(case.surveyed.latest),
    }
    return (case.surveyed.events, places) if days > (hazard.value or 0) else None


def _distinct_max(hazard: Hazard, case: Case) -> Concern:
    column = hazard.columns[0]
    found = case.surveyed.distinct[column]
    more = "more than " if column in case.surveyed.at_least else ""
    places = {"value": number(hazard.value or 0), "found": f"{more}{found:,}"}
    return (case.surveyed.events, places) if found > (hazard.value or 0) else None


def _fewer_events_than(hazard: Hazard, case: Case) -> Concern:
    events = case.surveyed.events
    return (events, {"value": number(hazard.value or 0)}) if events < (hazard.value or 0) else None


def _fewer_users_than(hazard: Hazard, case: Case) -> Concern:
    found = case.surveyed.users[hazard.columns[0]].several
    places = {"value": number(hazard.value or 0), "found": f"{found:,}"}
    return (case.surveyed.events, places) if found < (hazard.value or 0) else None


def _repeated(hazard: Hazard, case: Case) -> Concern:
    events = case.surveyed.repeated.get(identity(hazard), 0)
    return (events, {}) if events else None


def _endpoint_overwritten(hazard: Hazard, case: Case) -> Concern:
    events = case.surveyed.asked[hazard.setting or ""]
    return (events, {}) if events else None


def _setting_wanted(hazard: Hazard, case: Case) -> Concern:
    return (case.surveyed.events, {}) if getattr(case.settings, hazard.setting or "", False) else None


def _support_ended(_: Hazard, case: Case) -> Concern:
    today = (EPOCH + dt.timedelta(milliseconds=case.now_ms)).date()
    if case.support is None or today <= case.support.ended:
        return None
    return case.surveyed.events, {"value": case.support.ended.isoformat()}


def _before(hours: Mapping[int, int], limit_ms: int) -> int:
    """Count what lies in hours that began before a time."""
    return sum(count for hour, count in hours.items() if hour * HOUR_MS < limit_ms)


JUDGES: dict[str, Judge] = {
    "older_than": _older_than,
    "newer_than": _newer_than,
    "users_last_seen_before": _users_last_seen_before,
    "newer_than_now": _newer_than_now,
    "user_agent_matches": _user_agent_matches,
    "setting_missing": _setting_missing,
    "column_missing": _column_missing,
    "values_outside": _values_outside,
    "spans_more_than": _spans_more_than,
    "distinct_max": _distinct_max,
    "fewer_events_than": _fewer_events_than,
    "fewer_users_than": _fewer_users_than,
    "repeated": _repeated,
    "repeated_ids": _repeated,
    "endpoint_overwritten": _endpoint_overwritten,
    "setting_wanted": _setting_wanted,
    "support_ended": _support_ended,
}
