"""An inspection as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from translate.telling.rendering import many, printable

SHOWN_MAX = 12
KEYS_SHOWN_MAX = 24
BAR = 30
LISTS = {
    "apps": "applications", "versions": "versions", "sdks": "SDKs", "platform_versions": "platforms", "devices": "devices",
    "countries": "countries", "languages": "languages",
}  # fmt: skip
PEOPLE = {
    "clients": "clients",
    "users": "users",
    "identities": "Cognito identities",
    "devices": "devices",
    "sessions": "sessions",
}


def text(values: dict[str, Any], keys: pl.DataFrame, *, examples: bool) -> str:
    """Write the tables, the weightiest entries of each."""
    return "\n".join(_lines(values, keys, examples=examples))


def _lines(values: dict[str, Any], keys: pl.DataFrame, *, examples: bool) -> Iterator[str]:
    if "verdict" in values:
        yield f"{printable(values['verdict'])}\n"
    for source in values["sources"]:
        yield f"{source['model']}/{source['layout']}: {many(source['files'], 'file')}, {source['bytes']:,} bytes, {many(source['events'], 'event')}"
    yield from _figures(values)
    yield from _section(
        "faults",
        [(f"{fault['count']:,}", fault["of"], fault["message"], _hint(fault)) for fault in values["faults"]]
        or [("none",)],
    )
    yield from _section(
        "personal data", [(f"{row['events']:,}", row["place"], row["about"]) for row in values["personal"]]
    )
    yield from _days(values["days"])
    types = [(f"{entry['events']:,}", printable(entry["name"])) for entry in values["types"]]
    yield from _section(f"event types ({len(types):,})", types)
    yield from _section(
        f"keys ({keys.height:,})",
        list(_keys(keys, examples=examples)),
        most=KEYS_SHOWN_MAX,
        total=keys.height,
    )
    for name, title in LISTS.items():
        rows = [(f"{entry['events']:,}", label_of(entry)) for entry in values[name]]
        yield from _section(f"{title} ({len(rows):,})", rows)
    yield from _section("purchases", [_bought(row) for row in values["purchases"]["revenue"]])
    if values["beyond"]:
        yield "too many to list: " + ", ".join(
            f"{count:,} events with other {name}" for name, count in values["beyond"].items()
        )


def _figures(values: dict[str, Any]) -> Iterator[str]:
    for name, count in values["events"].items():
        if count or name in ("read", "inspected"):
            yield f"{name:<20}{count:>14,}"
    for name, span in values["time"].items():
        if span["first"] is not None:
            yield f"{name + ' time':<20}{span['first']} to {span['last']}"
    for name, title in PEOPLE.items():
        counted = values["people"][name]
        if counted["different"]:
            yield f"{title:<20}{counted['different']:>14,}"


def _days(days: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Write the days, or the months where there are many."""
    rows, unit = [(entry["day"], entry["events"]) for entry in days], "day"
    if len(rows) > 2 * SHOWN_MAX:
        months: dict[str, int] = {}
        for day, events in rows:
            months[day[:7]] = months.get(day[:7], 0) + events
        rows, unit = list(months.items()), "month"
    most = max((events for _, events in rows), default=1)
    bars = [(when, f"{events:>14,}", "#" * max(1, round(BAR * events / most))) for when, events in rows]
    yield from _section(f"events by {unit}", bars, most=4 * SHOWN_MAX)


def _keys(keys: pl.DataFrame, *, examples: bool) -> Iterator[tuple[str, ...]]:
    for row in keys.head(KEYS_SHOWN_MAX).iter_rows(named=True):
        example = (
            (f"for example {printable(row['example'])}" if row["example"] is not None else "",)
            if examples
            else ()
        )
        yield (
            printable(row["name"]),
            row["container"],
            printable(row["key"]),
            f"{row['events']:>10,}",
            percent(row["fill"]),
            looks_of(row),
            *example,
        )


def looks_of(row: dict[str, Any]) -> str:
    """Say what the values of a key look like."""
    looks = row["looks"]
    return (
        looks[0]["look"]
        if len(looks) == 1
        else ", ".join(f"{look['look']} ({percent(look['events'] / row['events'])})" for look in looks)
    )


def _bought(row: dict[str, Any]) -> tuple[str, ...]:
    currency = printable(row["currency"]) if row["currency"] is not None else "no currency"
    return f"{row['purchases']:,}", f"{row['amount']:,.2f} {currency}", no_money(row)


def no_money(row: dict[str, Any]) -> str:
    """Say why purchases are worth no money, if they are none, and what a sum does not hold."""
    without = row["purchases"] - row["with_amount"]
    if row["money"]:
        return f"without {without:,} whose amounts are too large to add up" if without else ""
    return "not money: virtual, or no ISO 4217 currency" if row["with_amount"] else "not money: no amount"


def _section(
    title: str, rows: Sequence[tuple[str, ...]], most: int = SHOWN_MAX, total: int | None = None
) -> Iterator[str]:
    if not rows:
        return
    yield f"{title}:"
    yield from columns(rows[:most])
    left = (total or len(rows)) - most
    if left > 0:
        yield f"  and {left:,} more with --json"


def columns(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    """Write rows of cells below one another; numbers end below one another."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if _is_number(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        yield f"  {'  '.join(cells)}".rstrip()


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").removesuffix("%").strip().isdigit()


def percent(share: float) -> str:
    """Write a share; only none is 0 %, and only all is 100 %."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{100 * share:.1f}%"


def label_of(entry: dict[str, Any]) -> str:
    """Write the values of a list's entry one after the other."""
    return " ".join(
        printable(value) or "(empty)"
        for name, value in entry.items()
        if name != "events" and value is not None
    )


def _hint(fault: dict[str, Any]) -> str:
    return f"({fault['hint']})" if fault["hint"] else ""
