"""What a pass found, as JSON values: figures, lists, faults, and what of them is exact."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from translate import mapping
from translate.archive.stored import SourceFile
from translate.conversion.job import HUB_MODEL
from translate.events import EPOCH
from translate.mapping.personal import KINDS
from translate.reader.recognition import Origin, Recognised
from translate.telling.inspection.columns import DETAILS, LONG_TEXTS, MANY_KEYS, KeyLimits
from translate.telling.inspection.figures import HOURS_OF_A_DAY, LATE_HOURS, MILLIONTHS, Figures
from translate.telling.inspection.over_time import lengths_of, revenue_by_month, users_of

KEY_CHARACTERS_MAX = 50  # what every service here asks of a key


def values_of(
    recognised: Recognised, figures: Figures, by_source: list[int], mappings: Path | None
) -> dict[str, Any]:
    """Give everything but the keys."""
    counts = figures.counts
    sessions, unstopped = _sessions(figures)
    return {
        "from": recognised.address,
        "inputs": _sizes(recognised.files),
        "sources": [
            _source(*source, recognised.refused) for source in zip(recognised.sources, by_source, strict=True)
        ],
        "unrecognised": _sizes(file for file in recognised.files if file.shown in recognised.refused),
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
            **{
                name: {"different": figures.people[name].count(), "events": counts[f"of_{name}"]}
                for name in ("clients", "users", "identities", "devices")
            },
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
        "faults": [*_faults(figures, unstopped)],
        "unreadable_files": [*figures.damages.worst_first(examples=figures.examples)],
        "beyond": _beyond(figures),
    }


def _source(origin: Origin, events: int, refused: Container[str]) -> dict[str, Any]:
    own = _sizes(file for file in origin.files if file.shown not in refused)
    return {
        "model": origin.layout.model, "layout": origin.layout.name, "title": origin.mapping.title, **own, "events": events,
    }  # fmt: skip


def _sizes(files: Iterable[SourceFile]) -> dict[str, int]:
    sizes = [file.bytes for file in files]
    return {"files": len(sizes), "bytes": sum(sizes)}


def moment(milliseconds: int | None) -> str | None:
    """Write a time, given in milliseconds since 1970."""
    try:
        time = EPOCH + dt.timedelta(milliseconds=milliseconds) if milliseconds is not None else None
    except OverflowError:
        return f"{milliseconds} ms"
    return None if time is None else time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def days_of(hours: Counter[int]) -> list[tuple[str, int]]:
    """Give the events of each day (UTC) that has any."""
    days: Counter[int] = Counter()
    for hour, count in hours.items():
        days[hour // HOURS_OF_A_DAY] += count
    return [(_date(day), days[day]) for day in sorted(days)]


def missing_days(hours: Counter[int]) -> dict[str, Any]:
    """Give the spans of days (UTC) without any event between the first and the last, the longest first."""
    days = sorted({hour // HOURS_OF_A_DAY for hour in hours})
    gaps = [(after - before - 1, before + 1) for before, after in itertools.pairwise(days)]
    gaps = sorted((gap for gap in gaps if gap[0]), key=lambda gap: (-gap[0], gap[1]))
    spans = ((first, first + length - 1, length) for length, first in gaps)
    told = [{"first": _date(first), "last": _date(last), "days": length} for first, last, length in spans]
    missing = sum(length for length, _ in gaps)
    return {"of": days[-1] - days[0] + 1 if days else 0, "days": missing, "gaps": told}


def _date(day: int) -> str:
    return (EPOCH + dt.timedelta(days=day)).date().isoformat()


def _span(bounds: dict[str, int], of: str) -> dict[str, Any]:
    return {"first": moment(bounds.get(f"first_{of}")), "last": moment(bounds.get(f"last_{of}"))}


def _sessions(figures: Figures) -> tuple[dict[str, int], int]:
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
        {"currency": code, "money": is_money, "purchases": count, "with_amount": worthy, "amount": amount / MILLIONTHS}
        for (code, is_money), (count, worthy, amount) in figures.revenue.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: (not row["money"], -row["purchases"], row["currency"] or ""))
    return {"events": sum(row["purchases"] for row in rows), "revenue": rows}


# -- faults ---------------------------------------------------------------------------------------------------------


def _faults(figures: Figures, unstopped: int) -> Iterator[dict[str, Any]]:
    """Give each fault that was looked for and found."""
    members = ("fault", "count", "of", "message", "hint")
    told = (dict(zip(members, fault, strict=True)) for fault in _looked_for(figures, unstopped))
    return (fault for fault in told if fault["count"])


def _looked_for(figures: Figures, unstopped: int) -> Iterator[tuple[str, int, str, str, str]]:
    counts = figures.counts
    for code, count in sorted(figures.codes.items(), key=lambda entry: (-entry[1], entry[0])):
        hint = "convert writes each with its reason to rejects.ndjson"
        yield f"unreadable.{code}", count, "records", f"cannot be read: {code}", hint
    repeated = counts["events"] - figures.ids.count()
    told = "have the id of an earlier one, or its whole content"
    yield "duplicates", repeated, "events", told, "convert --dedupe removes them"
    for hours in LATE_HOURS:
        span = "an hour" if hours == 1 else f"{hours} hours" if hours < 48 else f"{hours // 24} days"
        told = f"arrived more than {span} after they happened"
        yield f"late.{hours}h", figures.late[hours], "events", told, ""
    skew = figures.bounds.get("largest_skew", 0) / 1000
    told = f"happened after they arrived, by up to {skew:,.0f} seconds"
    yield "clock_skew", counts["skewed"], "events", told, "clocks of devices are wrong"
    yield "sessions_without_stop", unstopped, "sessions", "began and nothing says that they ended", ""
    yield "without_client", counts["events"] - counts["of_clients"], "events", "name no client", ""
    yield from _over_limits(figures, figures.limits)


def _over_limits(figures: Figures, limits: KeyLimits) -> Iterator[tuple[str, int, str, str, str]]:
    closer = "translate validate judges all limits"
    if limits.text_characters is not None:
        told = f"are longer than {limits.text_characters} characters"
        yield LONG_TEXTS, figures.counts[LONG_TEXTS], "attribute values", told, closer
    if limits.keys is not None:
        told = f"have more than {limits.keys} attributes and metrics"
        yield MANY_KEYS, figures.counts[MANY_KEYS], "events", told, closer
    characters = f"of more than {KEY_CHARACTERS_MAX} characters"
    long_keys = figures.census.events_of_keys_over(KEY_CHARACTERS_MAX)
    yield "keys_too_long", long_keys, "values", f"have a key {characters}", closer
    names = figures.names.events.items()
    long_names = sum(count for (name,), count in names if len(name or "") > KEY_CHARACTERS_MAX)
    yield "names_too_long", long_names, "events", f"have a type {characters}", closer


def _beyond(figures: Figures) -> dict[str, int]:
    """Count what is not listed, for there is room for so many values only."""
    lists = {"types": figures.names, **figures.details.counts}
    found = {name: counts.beyond for name, counts in lists.items()}
    return {name: count for name, count in {**found, "keys": figures.census.beyond}.items() if count}


def keys_frame(figures: Figures) -> pl.DataFrame:
    """Give the keys: `name`, `container`, `key`, `events`, `fill` (0 to 1), `looks`, `example`."""
    events = {name: count for (name,), count in figures.names.events.items() if name is not None}
    return figures.census.frame(events)


# -- how an archive calls what the hub has names for -----------------------------------------------------------------

PLATFORM = "device.platform"


def own_names(recognised: Recognised, names: Iterable[str]) -> dict[str, list[str]]:
    """Give the archive's own names of those hub names that it calls otherwise."""
    told: dict[str, list[str]] = {}
    for name in sorted(names):
        spellings = [origin.mapping.names.get(name) for origin in recognised.sources]
        own = [f"{one.phase} {one.name}" if one.phase else one.name for one in spellings if one is not None]
        others = [spelled for spelled in dict.fromkeys(own) if spelled != name]
        if others:
            told[name] = others
    return told


def platform_meanings(
    recognised: Recognised, mappings: Path | None, platforms: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Put the spellings of platforms together that mean one, by the first table of values that knows them."""
    tables = list(_tables(recognised, mappings))
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in platforms:
        name = entry["platform"]
        known = (table[name.lower()] for table in tables if name and name.lower() in table)
        found.setdefault(next(known, name), []).append({"name": name, "events": entry["events"]})
    told = [
        {"meaning": meaning, "events": sum(one["events"] for one in spellings), "spellings": spellings}
        for meaning, spellings in found.items()
    ]
    return sorted(told, key=lambda entry: (-entry["events"], str(entry["meaning"])))


def _tables(recognised: Recognised, mappings: Path | None) -> Iterator[dict[str, str]]:
    """Give the tables that platforms are exchanged by: the source's own first, then those of all models."""
    others = [mapping.load(name, mappings) for name in mapping.models(mappings)]
    own = [origin.mapping for origin in recognised.sources if origin.layout.model != HUB_MODEL]
    for sheet in [*own, *others]:
        fields = (entry for layout in sheet.layouts.values() for entry in layout.fields)
        for table in (entry.table for entry in fields if entry.table and PLATFORM in entry.hub):
            pairs = sheet.tables[table].items()
            by_value = {value.lower(): value for _, value in pairs}
            yield by_value | {spelled.lower(): value for spelled, value in pairs}
