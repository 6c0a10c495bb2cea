"""An inspection as one page that needs nothing but itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from translate.telling.inspection import cards, over_time
from translate.telling.inspection.grading import GradedTarget
from translate.telling.inspection.tables import LISTS, PEOPLE, looks_of, percent, unrecognised
from translate.telling.pages import (
    Markup,
    Section,
    document,
    element,
    folded,
    listed,
    paragraph,
    reason,
    table,
    tiles,
)
from translate.wording.rendering import many

OPEN_MAX = 15  # rows of a list that stands open, and types whose keys do
KEYS_MAX = 200  # of a type
TYPES_MAX = 60  # whose keys are on the page: the rest is in the JSON
WEIGHTY = {
    "duplicates": ("event", " that came before"), "clock_skew": ("event", " later than their own arrival"),
    "unreadable.damaged_file": ("damaged file", " (the rest of each is lost, and not counted)"),
    "unreadable.not_recognised": ("file", " of no layout that can be read (what is in there is not counted)"),
    "without_client": ("event", " without a client"), "sessions_without_stop": ("session", " without an end"),
}  # fmt: skip
LISTED = ("apps", "versions", "sdks", "platform_versions", "devices", "countries", "languages")
ONE = {
    "events": "event", "unreadable records": "unreadable record", "left out": "left out", "clients": "client", "users": "user",
    "Cognito identities": "Cognito identity", "devices": "device", "sessions": "session", "event types": "event type", "days": "day",
    "purchases": "purchase",
}  # fmt: skip


def page(
    values: dict[str, Any], keys: pl.DataFrame, targets: Sequence[GradedTarget], made: dt.datetime, *, examples: bool,
) -> str:  # fmt: skip
    """Write the page; whatever comes from the archive is escaped."""
    sections = [
        Section("At a glance", [_tiles(values)]),
        Section("Faults", [*_faults(values), *_damaged(values)]),
        Section("Where it could go", [*cards.cards(targets)]),
        Section("Personal data", [*_personal(values["personal"])]),
        Section("Events over time", [*over_time.events(values)]),
        Section("Event types and platforms", [*_names(values)]),
        Section("Users", [*over_time.users(values["users"])]),
        Section("Sessions", [*over_time.sessions(values)]),
        Section("Purchases and revenue", [*over_time.revenue(values["purchases"])]),
        Section("Apps, SDKs, devices and places", [*_lists(values)]),
        Section("Attributes and metrics", [*_types(values["types"], keys, examples=examples)]),
    ]
    titles = {source["title"] for source in values["sources"]}
    verdict = [told for told in (_what(values), _how(values), cards.verdict(targets, titles)) if told]
    return document(f"Inspection: {values['from']}", [*_about(values)], verdict, sections, made)


# -- the head -------------------------------------------------------------------------------------------------------


def _what(values: dict[str, Any]) -> str:
    """Say what there is; where nothing was taken, why."""
    if "verdict" in values:
        told = str(values["verdict"])
        return f"{told[:1].upper()}{told[1:]}."
    counts, people, span = values["events"], values["people"], values["time"]["event"]
    of = next(((people[name]["different"], title) for name, title in PEOPLE.items() if people[name]["different"]), None)  # fmt: skip
    whom = f" of {of[0]:,} {of[1] if of[0] != 1 else ONE[of[1]]}" if of else ""
    titles = " and ".join(dict.fromkeys(source["title"] for source in values["sources"]))
    when = f", from {span['first'][:10]} to {span['last'][:10]}" if span["first"] else ""
    unread = counts["unreadable"]
    read = f"{many(unread, 'record')} cannot be read" if unread else "every record can be read"
    return f"{titles}: {many(counts['inspected'], 'event')}{whom}{when}; {read}."


def _how(values: dict[str, Any]) -> str:
    """Say what is most wrong with it."""
    counts = {fault["fault"]: fault["count"] for fault in values["faults"]}
    if not values["people"]["clients"]["different"]:
        counts.pop("without_client", None)  # the layout knows no clients
    told = [f"{many(counts[fault], of)}{what}" for fault, (of, what) in WEIGHTY.items() if fault in counts]
    missing = values["missing_days"]
    if missing["days"]:
        told.append(f"{missing['days']:,} of {missing['of']:,} days without any event")
    if told:
        return f"To know: {', '.join(told)}."
    return "To know: the faults below, none of them weighty." if counts else "Nothing of what is looked for is wrong with it."  # fmt: skip


def _about(values: dict[str, Any]) -> Iterator[Markup]:
    for source in values["sources"]:
        address = f"{source['model']}/{source['layout']}"
        size = f"{many(source['files'], 'file')}, {source['bytes']:,} bytes"
        yield paragraph(element("code", address), f" {size}, {many(source['events'], 'event')}")
    if values["unrecognised"]["files"]:
        yield paragraph(unrecognised(values), "; see the faults below.")
    event, arrival = values["time"]["event"], values["time"]["arrival"]
    if event["first"]:
        yield paragraph("Events from ", element("b", event["first"]), " to ", element("b", event["last"]), ", by the clocks of the devices.")  # fmt: skip
    if arrival["first"]:
        yield paragraph(f"They arrived from {arrival['first']} to {arrival['last']}.")
    chosen = [f"--{name} {value}" for name, value in values["selection"].items() if value is not None]
    if chosen:
        yield paragraph(f"Only some of the events: {', '.join(chosen)}")


def _tiles(values: dict[str, Any]) -> Markup:
    events = values["events"]
    counted = {
        "events": events["inspected"], "unreadable records": events["unreadable"], "left out": events["filtered"],
        **{title: values["people"][name]["different"] for name, title in PEOPLE.items()},
        "event types": len(values["types"]), "days": len(values["days"]), "purchases": values["purchases"]["events"],
    }  # fmt: skip
    shown = {name: count for name, count in counted.items() if count or name == "events"}
    return tiles((name if count != 1 else ONE[name], count) for name, count in shown.items())


# -- what is wrong --------------------------------------------------------------------------------------------------


def _faults(values: dict[str, Any]) -> Iterator[Markup]:
    rows = [(fault["count"], f"{fault['of']} {_told(fault)}", fault["hint"]) for fault in values["faults"]]
    if not rows:
        yield paragraph(element("span", "None of those that are looked for.", class_="good"))
        return
    yield table("Faults", ("count", "what", "what to do"), rows, [0], is_told=False)


def _told(fault: dict[str, Any]) -> str:
    kind, _, code = fault["fault"].partition(".")
    return f"that cannot be read: {reason(code)}" if kind == "unreadable" else str(fault["message"])


def _damaged(values: dict[str, Any]) -> Iterator[Markup]:
    head = ("file", "records", "line", "reason")
    rows = [[file[name] for name in head] for file in values["unreadable_files"]]
    caption = "Damaged files, and of each the first record that cannot be read"
    yield from listed(caption, head, rows, [1, 2])


def _personal(found: list[dict[str, Any]]) -> Iterator[Markup]:
    if found:
        rows = [(row["place"], row["about"], row["events"]) for row in found]
        yield table("Places that the data sheets mark", ("place", "what", "events"), rows, [2])
        yield paragraph("What an app puts among its own attributes only its owner knows.", quiet=True)


# -- lists ------------------------------------------------------------------------------------------------------------


def _names(values: dict[str, Any]) -> Iterator[Markup]:
    total = max(values["events"]["inspected"], 1)
    own = values["own_names"]
    types = [
        (entry["name"], ", ".join(own.get(entry["name"], ())), entry["events"], over_time.part(entry["events"], total))
        for entry in values["types"]
    ]  # fmt: skip
    yield from listed("Event types", ("type", "the archive's own name", "events", "share"), types, [2])
    platforms = [
        (entry["meaning"] or "(none)", ", ".join(f"{one['name']} {one['events']:,}" for one in entry["spellings"]), entry["events"],
         over_time.part(entry["events"], total))
        for entry in values["platform_meanings"]
    ]  # fmt: skip
    head = ("platform", "spelled", "events", "share")
    yield from listed("Platforms, by what they mean", head, platforms, [2])


def _lists(values: dict[str, Any]) -> Iterator[Markup]:
    for name in LISTED:
        rows = values[name]
        if not rows:
            continue
        head = [column.replace("_", " ") for column in rows[0]]
        cells = [[*row.values()] for row in rows]
        caption = f"{LISTS[name][:1].upper()}{LISTS[name][1:]}"
        whole = table(caption, head, cells, [len(head) - 1], is_told=False)
        yield folded(f"{caption} ({len(rows):,})", whole, is_open=len(rows) <= OPEN_MAX)


def _types(types: list[dict[str, Any]], keys: pl.DataFrame, *, examples: bool) -> Iterator[Markup]:
    if not keys.height:
        return
    by_type = keys.partition_by("name", as_dict=True, maintain_order=True)
    frequent = [entry["name"] for entry in types if (entry["name"],) in by_type]
    head = ("key", "in", "events", "of the type's", "looks like", *(("for example",) if examples else ()))
    for number, name in enumerate(frequent[:TYPES_MAX]):
        mine = by_type[(name,)].sort("events", descending=True, maintain_order=True)
        rows = [
            (row["key"], row["container"], row["events"], percent(row["fill"]), looks_of(row), *((row["example"] or "",) if examples else ()))
            for row in mine.head(KEYS_MAX).iter_rows(named=True)
        ]  # fmt: skip
        more = f", the {KEYS_MAX} most frequent" if mine.height > KEYS_MAX else ""
        whole = table(f"Keys of {name}", head, rows, [2, 3], is_told=False)
        yield folded(f"{name}: {many(mine.height, 'key')}{more}", whole, is_open=not number, is_aside=True)
    if len(frequent) > TYPES_MAX:
        yield paragraph(f"The keys of {len(frequent) - TYPES_MAX:,} rarer types are in the JSON: translate inspect ... --json", quiet=True)  # fmt: skip
