"""An inspection as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from translate.wording.rendering import many, printable
from translate.wording.terminal import Paper, beside, columns

SHOWN_MAX = 12
TYPES_OF_KEYS_MAX = 8
KEYS_OF_TYPE_MAX = 5
FILES_MAX = 8
GAPS_MAX = 6
BAR, BAR_MAX = 30, 90
UNREADABLE = "unreadable."
LISTS = {
    "apps": "applications", "versions": "versions", "sdks": "SDKs", "platform_versions": "platforms", "devices": "devices",
    "countries": "countries", "languages": "languages",
}  # fmt: skip
PEOPLE = {
    "clients": "clients", "users": "users", "identities": "Cognito identities", "devices": "devices", "sessions": "sessions",
}  # fmt: skip


def text(values: dict[str, Any], keys: pl.DataFrame, paper: Paper, *, examples: bool) -> str:
    """Write the tables, the weightiest entries of each."""
    return "\n".join(_lines(values, keys, paper, examples=examples))


def _lines(values: dict[str, Any], keys: pl.DataFrame, paper: Paper, *, examples: bool) -> Iterator[str]:
    if "verdict" in values:
        yield f"{paper.worded(printable(values['verdict']))}\n"
    for source in values["sources"]:
        address = paper.styled(f"{source['model']}/{source['layout']}", "bold")
        yield f"{address}: {many(source['files'], 'file')}, {source['bytes']:,} bytes, {many(source['events'], 'event')}"
    if values["unrecognised"]["files"]:
        yield unrecognised(values)
    yield from _figures(values)
    yield from _faults(values, paper)
    yield from _files(values.get("unreadable_files", []), paper)
    personal = [(f"{row['events']:,}", row["place"], row["about"]) for row in values["personal"]]
    yield from _section("personal data", personal, paper, wrapped=(2,), kept=(1,))
    yield from _days(values["days"], paper)
    yield from _gaps(values["missing_days"], paper)
    yield from _types(values, paper)
    yield from _keys(values["types"], keys, paper, examples=examples)
    yield from beside(_lists(values, paper), paper)
    yield from _section("purchases", [_bought(row) for row in values["purchases"]["revenue"]], paper)
    others = [f"{count:,} events with other {name}" for name, count in values["beyond"].items()]
    if others:
        yield f"too many to list: {', '.join(others)}"


def unrecognised(values: dict[str, Any]) -> str:
    """Say how many files are of no layout that is known."""
    others = values["unrecognised"]
    return f"of no layout that can be read: {many(others['files'], 'file')}, {others['bytes']:,} bytes"


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


def _faults(values: dict[str, Any], paper: Paper) -> Iterator[str]:
    yield _titled("faults", paper)
    unread = [fault for fault in values["faults"] if fault["fault"].startswith(UNREADABLE)]
    rows = []
    if unread:
        codes = ", ".join(f"{fault['count']:,} {fault['fault'].removeprefix(UNREADABLE)}" for fault in unread)
        total, hint = sum(fault["count"] for fault in unread), paper.worded(_hint(unread[0]))
        rows.append((f"{total:,}", f"{unread[0]['of']} cannot be read: {codes}{hint}"))
    for fault in values["faults"]:
        if fault not in unread:
            told = f"{fault['of']} {fault['message']}{paper.worded(_hint(fault))}"
            rows.append((f"{fault['count']:,}", told))
    if rows:
        yield from columns(rows, paper, wrapped=(1,), styles={0: "yellow"})
    else:
        yield paper.styled("  none", "green")


def _files(files: list[dict[str, Any]], paper: Paper) -> Iterator[str]:
    """Name the files with the most records that cannot be read, and of each the first."""
    rows = [
        (f"{file['records']:,}", f"{printable(file['file'])}:{file['line']}", printable(file["reason"]))
        for file in files
    ]
    title = f"files with records that cannot be read ({len(files):,}), and of each the first"
    yield from _section(title, rows, paper, most=FILES_MAX, wrapped=(1, 2), styles={0: "red"})


def _days(days: Sequence[dict[str, Any]], paper: Paper) -> Iterator[str]:
    """Write the days, or the months where there are many."""
    rows, unit = [(entry["day"], entry["events"]) for entry in days], "day"
    if len(rows) > 2 * SHOWN_MAX:
        months: dict[str, int] = {}
        for day, events in rows:
            months[day[:7]] = months.get(day[:7], 0) + events
        rows, unit = list(months.items()), "month"
    most = max((events for _, events in rows), default=1)
    taken = max((len(when) for when, _ in rows), default=0) + len(f"{most:,}") + 6
    longest = BAR if paper.width is None else min(BAR_MAX, paper.width - taken)
    bars = [(when, f"{events:,}", "#" * max(1, round(longest * events / most))) for when, events in rows]
    yield from _section(f"events by {unit}", bars, paper, most=4 * SHOWN_MAX, styles={2: "cyan"})


def _gaps(missing: dict[str, Any], paper: Paper) -> Iterator[str]:
    """Name the longest spans without any event."""
    if not missing["days"]:
        return
    rows = [
        (f"{gap['days']:,}", gap["first"] if gap["days"] == 1 else f"{gap['first']} to {gap['last']}")
        for gap in missing["gaps"][:GAPS_MAX]
    ]
    left = len(missing["gaps"]) - GAPS_MAX
    longest = ", the longest" if left > 0 else ""
    yield _titled(f"days without events ({missing['days']:,} of {missing['of']:,}{longest})", paper)
    yield from columns(rows, paper, styles={0: "yellow"})
    if left > 0:
        yield paper.styled(paper.worded(f"  and {left:,} more with --json"), "dim")


def _types(values: dict[str, Any], paper: Paper) -> Iterator[str]:
    own = values["own_names"]
    called = {name: f"({', '.join(map(printable, names))})" for name, names in own.items()}
    types = [(entry["name"], f"{entry['events']:,}") for entry in values["types"]]
    rows = [(events, printable(name), called.get(name, "")) for name, events in types]
    are_called = any(row[2] for row in rows[:SHOWN_MAX])
    title = f"event types ({len(rows):,}){', and how the archive calls them' if are_called else ''}"
    yield from _section(title, rows, paper, styles={2: "dim"})


def _keys(
    types: Sequence[dict[str, Any]], keys: pl.DataFrame, paper: Paper, *, examples: bool
) -> Iterator[str]:
    """Write the most frequent keys of the biggest types, as recipes name them."""
    by_type = keys.partition_by("name", as_dict=True, maintain_order=True)
    biggest = [entry for entry in types if (entry["name"],) in by_type][:TYPES_OF_KEYS_MAX]
    rows, shown = [], 0
    for entry in biggest:
        mine = by_type[entry["name"],].sort("events", descending=True, maintain_order=True)
        few = mine.head(KEYS_OF_TYPE_MAX)
        shown += few.height
        for number, row in enumerate(few.iter_rows(named=True)):
            left = mine.height - few.height if number + 1 == few.height else 0
            rows.append(_key(row, examples=examples, is_first=not number, left=left))
    left = keys.height - shown
    yield from _section(f"keys ({keys.height:,}), the most frequent of the biggest types" if left else f"keys ({keys.height:,})",
                        rows, paper, most=len(rows), styles={0: "bold"})  # fmt: skip
    if left:
        yield paper.styled(paper.worded(f"  and {left:,} more with --json"), "dim")


def _key(row: dict[str, Any], *, examples: bool, is_first: bool, left: int) -> tuple[str, ...]:
    looks = looks_of(row) + (f"; {left:,} more" if left else "")
    example = printable(row["example"]) if examples and row["example"] is not None else ""
    name, key = printable(row["name"]) if is_first else "", f"{row['container']}.{printable(row['key'])}"
    shown = (f"for example {example}" if example else "",) if examples else ()
    return name, key, f"{row['events']:,}", percent(row["fill"]), looks, *shown


def looks_of(row: dict[str, Any]) -> str:
    """Say what the values of a key look like."""
    looks = row["looks"]
    if len(looks) == 1:
        return str(looks[0]["look"])
    return ", ".join(f"{look['look']} ({percent(look['events'] / row['events'])})" for look in looks)


def _lists(values: dict[str, Any], paper: Paper) -> Iterator[list[str]]:
    meanings = [
        (f"{entry['events']:,}", entry["meaning"], spellings)
        for entry in values["platform_meanings"]
        if (spellings := _spellings(entry)) or len(values["platform_meanings"]) > 1
    ]
    title = f"platforms ({len(meanings):,}), and their spellings"
    blocks = [_section(title, meanings, paper, styles={2: "dim"})]
    for name, title in {**LISTS, "platform_versions": "versions of platforms"}.items():
        rows = [(f"{entry['events']:,}", _label(entry)) for entry in values[name]]
        blocks.append(_section(f"{title} ({len(rows):,})", rows, paper))
    yield from filter(None, map(list, blocks))


def _spellings(entry: dict[str, Any]) -> str:
    spelled = entry["spellings"]
    if [one["name"] for one in spelled] == [entry["meaning"]]:
        return ""
    return ", ".join(f"{printable(one['name'])} {one['events']:,}" for one in spelled)


def _bought(row: dict[str, Any]) -> tuple[str, ...]:
    currency = printable(row["currency"]) if row["currency"] is not None else "no currency"
    return f"{row['purchases']:,}", f"{row['amount']:,.2f}", currency, no_money(row)


def no_money(row: dict[str, Any]) -> str:
    """Say why purchases are worth no money, if they are none, and what a sum does not hold."""
    without = row["purchases"] - row["with_amount"]
    if row["money"]:
        return f"without {without:,} whose amounts are too large to add up" if without else ""
    return "not money: virtual, or no ISO 4217 currency" if row["with_amount"] else "not money: no amount"


def _section(
    title: str, rows: Sequence[tuple[str, ...]], paper: Paper, most: int = SHOWN_MAX,
    wrapped: tuple[int, ...] = (), kept: tuple[int, ...] = (), styles: dict[int, str] | None = None,
) -> Iterator[str]:  # fmt: skip
    if not rows:
        return
    yield _titled(title, paper)
    yield from columns(rows[:most], paper, wrapped=wrapped, kept=kept, styles=styles)
    if len(rows) > most:
        yield paper.styled(paper.worded(f"  and {len(rows) - most:,} more with --json"), "dim")


def _titled(title: str, paper: Paper) -> str:
    return paper.styled(f"{title}:", "bold")


def percent(share: float) -> str:
    """Write a share; only none is 0 %, and only all is 100 %."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{100 * share:.1f}%"


def _label(entry: dict[str, Any]) -> str:
    """Write the values of a list's entry one after the other."""
    values = (value for name, value in entry.items() if name != "events" and value is not None)
    return " ".join(printable(value) or "(empty)" for value in values)


def _hint(fault: dict[str, Any]) -> str:
    return f" ({fault['hint']})" if fault["hint"] else ""
