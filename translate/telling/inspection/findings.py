"""What a pass found, as JSON values: figures, lists, faults, and what of them is exact."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from translate.archive.recognition import Recognised
from translate.events import EPOCH
from translate.mapping.personal import KINDS
from translate.telling.inspection.activity import lengths_of, revenue_by_month, users_of
from translate.telling.inspection.columns import DETAILS, KeyLimits
from translate.telling.inspection.figures import HOUR_MS, HOURS_OF_A_DAY, LATE_HOURS, MILLIONTHS, Figures
from translate.telling.inspection.keys import PAIRS_MAX
from translate.telling.inspection.wording import own_names, platform_meanings

KEY_CHARACTERS_MAX = 50  # what every service here asks of a key


def values_of(
    recognised: Recognised, figures: Figures, by_source: list[int], mappings: Path | None
) -> dict[str, Any]:
    """Give everything but the keys."""
    counts = figures.counts
    sessions, unstopped = _sessions(figures)
    return {
        "from": recognised.address,
        "inputs": {"files": len(recognised.files), "bytes": sum(file.bytes for file in recognised.files)},
        "sources": [
            _source(origin, count) for origin, count in zip(recognised.sources, by_source, strict=True)
        ],
        "events": {
            "read": counts["read"],
            "inspected": counts["events"],
            "filtered": counts["filtered"],
            "unreadable": sum(figures.codes.values()),
        },
        "time": {
            "event": _span(figures.bounds, "event"),
            "arrival": {**_span(figures.bounds, "arrival"), "events": counts["with_arrival"]},
        },
        "days": [{"day": day, "events": count} for day, count in days_of(figures.hours)],
        "missing_days": missing_days(figures.hours),
        "types": [{"name": name, "events": count} for (name,), count in figures.names.sorted()],
        "own_names": own_names(recognised, {name for (name,) in figures.names.events if name}),
        "people": {
            **{name: _people(figures, name) for name in ("clients", "users", "identities", "devices")},
            "sessions": sessions,
        },
        "users": users_of(figures),
        "session_lengths": lengths_of(figures),
        **{detail: list(_details(figures, detail)) for detail in DETAILS},
        "platform_meanings": platform_meanings(recognised, mappings, [*_details(figures, "platforms")]),
        "purchases": {**_purchases(figures), "by_month": revenue_by_month(figures)},
        "personal": [
            {"place": place, "kind": kind, "about": KINDS[kind], "events": count}
            for (place, kind), count in sorted(figures.personal.items())
            if count
        ],
        "faults": [fault for fault in _faults(figures, unstopped) if fault["count"]],
        "unreadable_files": [*figures.damages.worst_first(examples=figures.examples)],
        "beyond": _beyond(figures),
    }


def _source(origin: Any, events: int) -> dict[str, Any]:
    return {
        "model": origin.layout.model, "layout": origin.layout.name, "title": origin.mapping.title,
        "files": len(origin.files), "bytes": sum(file.bytes for file in origin.files), "events": events,
    }  # fmt: skip


def moment(milliseconds: int | None) -> str | None:
    """Write a time, given in milliseconds since 1970."""
    if milliseconds is None:
        return None
    try:
        return (
            (EPOCH + dt.timedelta(milliseconds=milliseconds))
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
    except OverflowError:
        return f"{milliseconds} ms"


def days_of(hours: Counter[int]) -> list[tuple[str, int]]:
    """Give the events of each day (UTC) that has any."""
    days: Counter[int] = Counter()
    for hour, count in hours.items():
        days[hour // HOURS_OF_A_DAY] += count
    return [((EPOCH + dt.timedelta(days=day)).date().isoformat(), days[day]) for day in sorted(days)]


def missing_days(hours: Counter[int]) -> dict[str, Any]:
    """Give the spans of days (UTC) without any event between the first and the last, the longest first."""
    days = sorted({hour // HOURS_OF_A_DAY for hour in hours})
    gaps = [
        (after - before - 1, before + 1) for before, after in itertools.pairwise(days) if after > before + 1
    ]
    gaps.sort(key=lambda gap: (-gap[0], gap[1]))
    return {
        "of": days[-1] - days[0] + 1 if days else 0,
        "days": sum(length for length, _ in gaps),
        "gaps": [
            {"first": _date(first), "last": _date(first + length - 1), "days": length}
            for length, first in gaps
        ],
    }


def _date(day: int) -> str:
    return (EPOCH + dt.timedelta(days=day)).date().isoformat()


def _span(bounds: dict[str, int], of: str) -> dict[str, Any]:
    return {"first": moment(bounds.get(f"first_{of}")), "last": moment(bounds.get(f"last_{of}"))}


def _people(figures: Figures, name: str) -> dict[str, int]:
    return {"different": figures.people[name].count(), "events": figures.counts[f"of_{name}"]}


def _sessions(figures: Figures) -> tuple[dict[str, int], int | None]:
    """Count sessions, and those that began and of which nothing says that they ended."""
    sums: Counter[str] = Counter()
    for bucket in figures.sessions.buckets():
        sums["different"] += bucket.height
        sums["started"] += int(bucket["started"].sum())
        sums["stopped"] += int(bucket["stopped"].sum())
        sums["unstopped"] += int((bucket["started"] & ~bucket["stopped"]).sum())
    return {name: sums[name] for name in ("different", "started", "stopped")}, sums["unstopped"]


def _details(figures: Figures, detail: str) -> Iterator[dict[str, Any]]:
    columns = [name.rpartition(".")[2] for name in DETAILS[detail]]
    for values, count in figures.details.counts[detail].sorted():
        yield {**dict(zip(columns, values, strict=True)), "events": count}


def _purchases(figures: Figures) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {
            "currency": currency,
            "money": is_money,
            "purchases": purchases,
            "with_amount": worthy,
            "amount": amount / MILLIONTHS,
        }
        for (currency, is_money), (purchases, worthy, amount) in figures.revenue.items()
    ]
    rows.sort(key=lambda row: (not row["money"], -row["purchases"], row["currency"] or ""))
    return {"events": sum(row["purchases"] for row in rows), "revenue": rows}


# -- faults ---------------------------------------------------------------------------------------------------------


def _faults(figures: Figures, unstopped: int | None) -> Iterator[dict[str, Any]]:
    counts, bounds, limits = figures.counts, figures.bounds, figures.limits
    for code, count in sorted(figures.codes.items(), key=lambda entry: (-entry[1], entry[0])):
        yield _fault(
            f"unreadable.{code}",
            count,
            "records",
            f"cannot be read: {code}",
            "convert writes each with its reason to rejects.ndjson",
        )
    repeated = counts["events"] - figures.ids.count()
    yield _fault(
        "duplicates",
        repeated,
        "events",
        "have the id of an earlier one, or its whole content",
        "convert --dedupe removes them",
    )
    for hours in LATE_HOURS:
        told = f"{hours} hours" if hours < 48 else f"{hours // 24} days"
        yield _fault(
            f"late.{hours}h",
            figures.late[hours],
            "events",
            f"arrived more than {told.replace('1 hours', 'an hour')} after they happened",
            "",
        )
    largest = bounds.get("largest_skew", 0) / 1000
    yield _fault(
        "clock_skew",
        counts["skewed"],
        "events",
        f"happened after they arrived, by up to {largest:,.0f} seconds",
        "clocks of devices are wrong",
    )
    yield _fault(
        "sessions_without_stop", unstopped or 0, "sessions", "began and nothing says that they ended", ""
    )
    yield _fault("without_client", counts["events"] - counts["of_clients"], "events", "name no client", "")
    yield from _over_limits(figures, limits)


def _over_limits(figures: Figures, limits: KeyLimits) -> Iterator[dict[str, Any]]:
    closer = "translate validate judges all limits"
    if limits.text_characters is not None:
        told = f"are longer than {limits.text_characters} characters"
        yield _fault("texts_too_long", figures.counts["texts_too_long"], "attribute values", told, closer)
    if limits.keys is not None:
        yield _fault(
            "too_many_keys",
            figures.counts["too_many_keys"],
            "events",
            f"have more than {limits.keys} attributes and metrics",
            closer,
        )
    long_keys = figures.census.events_of_keys_over(KEY_CHARACTERS_MAX)
    yield _fault(
        "keys_too_long",
        long_keys,
        "values",
        f"have a key of more than {KEY_CHARACTERS_MAX} characters",
        closer,
    )
    long_names = sum(
        count for (name,), count in figures.names.events.items() if len(name or "") > KEY_CHARACTERS_MAX
    )
    yield _fault(
        "names_too_long",
        long_names,
        "events",
        f"have a type of more than {KEY_CHARACTERS_MAX} characters",
        closer,
    )


def _fault(name: str, count: int, of: str, message: str, hint: str) -> dict[str, Any]:
    return {"fault": name, "count": count, "of": of, "message": message, "hint": hint}


def _beyond(figures: Figures) -> dict[str, int]:
    """Count what is not listed, for there is room for so many values only."""
    lists = {"types": figures.names, **figures.details.counts}
    found = {name: counts.beyond for name, counts in lists.items()}
    return {name: count for name, count in {**found, "keys": figures.census.beyond}.items() if count}


def keys_frame(figures: Figures) -> pl.DataFrame:
    """Give the keys: `name`, `container`, `key`, `events`, `fill` (0 to 1), `looks`, `example`."""
    events = {name: count for (name,), count in figures.names.events.items() if name is not None}
    return figures.census.frame(events)


__all__ = ["HOUR_MS", "PAIRS_MAX", "days_of", "keys_frame", "moment", "values_of"]
