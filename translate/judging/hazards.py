"""Judges of a target's hazards: how many of the surveyed events each concerns, and how such figures are said."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from translate.events import EPOCH
from translate.judging.survey import HOUR_MS, Surveyed, identity
from translate.mapping.sending import Hazard, Support
from translate.mapping.settings import Settings

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

    def latest(self, hazard: Hazard) -> int | None:
        """Give the time of the latest event, but for those of names that a hazard leaves out."""
        return self.surveyed.latest_of_others if hazard.names else self.surveyed.latest


# How many events it concerns, and what else its sentence may say; None where all is well.
Concern = tuple[int, dict[str, str]] | None
Judge = Callable[[Hazard, Case], Concern]


def _these(events: int, **places: str) -> Concern:
    return (events, places) if events else None


def _all_if(said: bool, case: Case, **places: str) -> Concern:  # noqa: FBT001
    return (case.surveyed.events, places) if said else None


def _in_hours(hazard: Hazard, case: Case, concerns: Callable[[int], bool]) -> int:
    """Count the events of those hours that a hazard concerns, without the ones of names that it leaves out."""
    excepted = (case.surveyed.excepted.get(name, {}) for name in hazard.names)
    every, *others = (
        sum(count for hour, count in hours.items() if concerns(hour))
        for hours in (case.surveyed.hours, *excepted)
    )
    return every - sum(others)


def _older_than(hazard: Hazard, case: Case) -> Concern:
    def old(at_ms: int) -> int:
        limit = case.limit_ms(hazard, at_ms)
        return _in_hours(hazard, case, lambda hour: hour * HOUR_MS < limit)

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
    events = _in_hours(hazard, case, lambda hour: (hour + 1) * HOUR_MS > limit)
    return _these(events, value=number(case.value(hazard)), latest=moment(case.latest(hazard)))


def _newer_than_now(hazard: Hazard, case: Case) -> Concern:
    latest = case.latest(hazard)
    if latest is None or latest <= case.now_ms:
        return None
    # Of the present hour it is not known which events are over: all of it counts where nothing lies beyond.
    first = min(latest // HOUR_MS, case.now_ms // HOUR_MS + 1)
    return _in_hours(hazard, case, lambda hour: hour >= first), {"latest": moment(latest)}


def _users_last_seen_before(hazard: Hazard, case: Case) -> Concern:
    limit = case.limit_ms(hazard, case.now_ms)
    hours = case.surveyed.users[hazard.columns[0]].hours
    old = [counts for hour, counts in hours.items() if hour * HOUR_MS < limit]
    users, events = sum(users for users, _ in old), sum(events for _, events in old)
    return (events, {"users": f"{users:,}", "value": number(case.value(hazard))}) if users else None


def _user_agent_matches(hazard: Hazard, case: Case) -> Concern:
    """Judge the agents that requests name, and for the others the one that they are sent with."""
    agents = Counter(case.surveyed.agents)
    unnamed = case.surveyed.events - sum(case.surveyed.agents.values())
    agents[case.user_agent or case.settings.user_agent or ""] += unnamed
    hits = {
        agent: events
        for agent, events in agents.items()
        if events and any(re.search(pattern, agent) for pattern in hazard.names)
    }
    return _these(sum(hits.values()), value=max(hits, key=lambda agent: hits[agent])) if hits else None


def _setting_missing(hazard: Hazard, case: Case) -> Concern:
    name = hazard.setting or ""
    is_set = getattr(case.settings, name, None)
    return None if is_set else _these(case.surveyed.missing.get(name, case.surveyed.events), value=name)


def _values_outside(hazard: Hazard, case: Case) -> Concern:
    known = {value.lower() for value in hazard.names}
    values = case.surveyed.values.get(hazard.columns[0], {})
    outside = [events for value, events in values.items() if value.lower() not in known]
    return _these(sum(outside), found=f"{len(outside):,}")


def _spans_more_than(hazard: Hazard, case: Case) -> Concern:
    days = len({hour * HOUR_MS // UNIT_MS["days"] for hour in case.surveyed.hours})
    first, last = moment(case.surveyed.earliest), moment(case.surveyed.latest)
    most = case.value(hazard)
    return _all_if(days > most, case, value=number(most), found=f"{days:,}", earliest=first, latest=last)


def _distinct_max(hazard: Hazard, case: Case) -> Concern:
    column, most = hazard.columns[0], case.value(hazard)
    found = case.surveyed.distinct[column]
    more = "more than " if column in case.surveyed.at_least else ""
    return _all_if(found > most, case, value=number(most), found=f"{more}{found:,}")


def _fewer_events_than(hazard: Hazard, case: Case) -> Concern:
    least = case.value(hazard)
    return _these(case.surveyed.events if case.surveyed.events < least else 0, value=number(least))


def _fewer_users_than(hazard: Hazard, case: Case) -> Concern:
    found, least = case.surveyed.users[hazard.columns[0]].several, case.value(hazard)
    return _all_if(found < least, case, value=number(least), found=f"{found:,}")


def _repeated(hazard: Hazard, case: Case) -> Concern:
    return _these(case.surveyed.repeated.get(identity(hazard), 0))


def _support_ended(_: Hazard, case: Case) -> Concern:
    today = (EPOCH + dt.timedelta(milliseconds=case.now_ms)).date()
    ended = case.support and case.support.ended
    return _all_if(today > ended, case, value=ended.isoformat()) if ended else None


JUDGES: dict[str, Judge] = {
    "older_than": _older_than,
    "newer_than": _newer_than,
    "users_last_seen_before": _users_last_seen_before,
    "newer_than_now": _newer_than_now,
    "user_agent_matches": _user_agent_matches,
    "setting_missing": _setting_missing,
    "column_missing": lambda hazard, case: _these(case.surveyed.missing[hazard.columns[0]]),
    "values_outside": _values_outside,
    "spans_more_than": _spans_more_than,
    "distinct_max": _distinct_max,
    "fewer_events_than": _fewer_events_than,
    "fewer_users_than": _fewer_users_than,
    "repeated": _repeated,
    "repeated_ids": _repeated,
    "endpoint_overwritten": lambda hazard, case: _these(case.surveyed.asked[hazard.setting or ""]),
    "setting_wanted": lambda hazard, case: _all_if(
        bool(getattr(case.settings, hazard.setting or "", False)), case
    ),
    "support_ended": _support_ended,
}


# -- how figures are said in sentences ------------------------------------------------------------------------------


def number(value: float) -> str:
    """Write a number with at most three digits behind the point, thousands apart."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """Write a share; only none is 0 %, and only all is 100 %."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def moment(milliseconds: int | None) -> str:
    """Write a time, given in milliseconds since 1970, to the second."""
    if milliseconds is None:
        return "unknown"
    try:
        return f"{EPOCH + dt.timedelta(seconds=milliseconds // 1000):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        return f"{milliseconds} ms"


def duration(seconds: float) -> str:
    """Write a duration in the unit that suits it."""
    for most, unit, size in ((120, "seconds", 1), (7200, "minutes", 60), (172_800, "hours", 3600)):
        if seconds < most:
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds / 86_400, 1))} days"
