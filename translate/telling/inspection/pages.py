"""An inspection as one page that needs nothing but itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

import polars as pl

from translate.telling.inspection import charts, report_cards
from translate.telling.inspection.charts import STYLE
from translate.telling.inspection.grading import GradedTarget
from translate.telling.inspection.tables import LISTS, PEOPLE, looks_of, no_money, percent
from translate.telling.rendering import many, printable
from translate.version import VERSION

BARS_MAX = 15
ROWS_MAX = 20
KEYS_MAX = 40  # of a type
WORD_MAX = 24  # characters that stand together in a cell
TYPES_MAX = 60  # whose keys are on the page: the rest is in the JSON
LISTED = ("apps", "versions", "sdks", "platform_versions", "devices", "countries", "languages")


ONE = {
    "events": "event", "unreadable records": "unreadable record", "left out": "left out", "clients": "client", "users": "user",
    "Cognito identities": "Cognito identity", "devices": "device", "sessions": "session", "event types": "event type", "days": "day",
    "purchases": "purchase",
}  # fmt: skip


def page(
    values: dict[str, Any],
    keys: pl.DataFrame,
    targets: Sequence[GradedTarget],
    made: dt.datetime,
    *,
    examples: bool,
) -> str:
    """Write the page; whatever comes from the archive is escaped."""
    title = f"Inspection: {values['from']}"
    parts = [
        f"<h1>{_text(title)}</h1>", *_sentences(values, made), *_tiles(values), *_faults(values["faults"]), *_personal(values["personal"]), *_charts(values),
        *report_cards.cards(targets), *_purchases(values["purchases"]), *_lists(values), *_types(values["types"], keys, examples=examples),
    ]  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], figures: Sequence[int] = ()) -> str:
    """Write a table; cells are text, the columns of `figures` stand to the right. Only words too long for a column are broken."""

    def line(cells: Sequence[Any], tag: str) -> str:
        told = [str(cell) for cell in cells]
        long = [max(map(len, cell.split()), default=0) > WORD_MAX for cell in told]
        kinds = [
            ' class="figure"' if place in figures else ' class="long"' if long[place] else ""
            for place in range(len(told))
        ]
        return f"<tr>{''.join(f'<{tag}{kind}>{_text(cell)}</{tag}>' for cell, kind in zip(told, kinds, strict=True))}</tr>"

    return f"<table><thead>{line(head, 'th')}</thead><tbody>{''.join(line(row, 'td') for row in rows)}</tbody></table>"


def _text(text: str) -> str:
    return escape(printable(text))


def _sentences(values: dict[str, Any], made: dt.datetime) -> Iterator[str]:
    for source in values["sources"]:
        told = f"{source['title']}, {source['model']}/{source['layout']}: {many(source['files'], 'file')}, {source['bytes']:,} bytes, {many(source['events'], 'event')}"
        yield f"<p>{_text(told)}</p>"
    event, arrival = values["time"]["event"], values["time"]["arrival"]
    if event["first"]:
        yield f"<p>Events from <b>{_text(event['first'])}</b> to <b>{_text(event['last'])}</b>, by the clocks of the devices.</p>"
    if arrival["first"]:
        yield f"<p>They arrived from {_text(arrival['first'])} to {_text(arrival['last'])}.</p>"
    chosen = [f"--{name} {value}" for name, value in values["selection"].items() if value is not None]
    if chosen:
        yield f"<p>Only some of the events: {_text(', '.join(chosen))}</p>"
    yield f'<p class="quiet">Made by translate {VERSION} on {made:%Y-%m-%d}.</p>'


def _tiles(values: dict[str, Any]) -> Iterator[str]:
    counted = {
        "events": values["events"]["inspected"],
        "unreadable records": values["events"]["unreadable"],
        "left out": values["events"]["filtered"],
    }
    counted |= {title: values["people"][name]["different"] for name, title in PEOPLE.items()}
    counted |= {
        "event types": len(values["types"]),
        "days": len(values["days"]),
        "purchases": values["purchases"]["events"],
    }
    tiles = [
        f'<div class="tile"><b>{count:,}</b><span>{_text(name if count != 1 else ONE[name])}</span></div>'
        for name, count in counted.items()
        if count or name == "events"
    ]
    yield f'<div class="tiles">{"".join(tiles)}</div>'


def _faults(faults: list[dict[str, Any]]) -> Iterator[str]:
    yield "<h2>Faults</h2>"
    if not faults:
        yield "<p>None of those that are looked for.</p>"
        return
    yield table(
        ("count", "what", "what to do"),
        [(f"{fault['count']:,}", f"{fault['of']} {fault['message']}", fault["hint"]) for fault in faults],
        [0],
    )


def _personal(found: list[dict[str, Any]]) -> Iterator[str]:
    if found:
        yield "<h2>Personal data</h2>"
        yield "<p>Places that the data sheets mark; what an app puts among its own attributes only its owner knows.</p>"
        yield table(
            ("place", "what", "events"),
            [(row["place"], row["about"], f"{row['events']:,}") for row in found],
            [2],
        )


def _charts(values: dict[str, Any]) -> Iterator[str]:
    total = max(values["events"]["inspected"], 1)
    days = [(entry["day"], entry["events"]) for entry in values["days"]]
    if days:
        yield f"<h2>Events by {charts.unit_of(days)}</h2>"
        yield _chart(charts.by_time(days))
    for title, rows in (("Event types", values["types"]), ("Platforms", values["platforms"])):
        if rows:
            yield f"<h2>{title}</h2>"
            bars = [
                (next(str(value) for name, value in row.items() if name != "events"), row["events"])
                for row in rows[:BARS_MAX]
            ]
            yield _chart(charts.by_name(title, bars, total))
            left = rows[BARS_MAX:]
            if left:
                yield f'<p class="quiet">and {len(left):,} more, of {sum(row["events"] for row in left):,} events</p>'


def _chart(drawn: str) -> str:
    return f'<div class="chart">{drawn}</div>'


def _purchases(purchases: dict[str, Any]) -> Iterator[str]:
    if not purchases["events"]:
        return
    yield "<h2>Purchases and revenue</h2>"
    rows = [
        (row["currency"] or "(none)", f"{row['purchases']:,}", f"{row['amount']:,.2f}", no_money(row))
        for row in purchases["revenue"]
    ]
    yield table(("currency", "purchases", "amount", ""), rows, [1, 2])


def _lists(values: dict[str, Any]) -> Iterator[str]:
    yield "<h2>Apps, SDKs, devices and places</h2>"
    for name in LISTED:
        rows = values[name]
        if not rows:
            continue
        head = [*(column.replace("_", " ") for column in rows[0] if column != "events"), "events"]
        cells = [
            [
                "" if value is None else f"{value:,}" if column == "events" else value
                for column, value in row.items()
            ]
            for row in rows[:ROWS_MAX]
        ]
        more = f" (the first {ROWS_MAX} of {len(rows):,})" if len(rows) > ROWS_MAX else ""
        yield f"<details{' open' if len(rows) <= ROWS_MAX else ''}><summary>{LISTS[name]}{more}</summary>{table(head, cells, [len(head) - 1])}</details>"


def _types(types: list[dict[str, Any]], keys: pl.DataFrame, *, examples: bool) -> Iterator[str]:
    if not keys.height:
        return
    yield "<h2>Attributes and metrics by event type</h2>"
    by_type = keys.partition_by("name", as_dict=True, maintain_order=True)
    frequent = [entry["name"] for entry in types if (entry["name"],) in by_type]
    for name in frequent[:TYPES_MAX]:
        mine = by_type[(name,)]
        head = ("key", "in", "events", "of the type's", "looks like", *(("for example",) if examples else ()))
        rows = [
            (
                row["key"],
                row["container"],
                f"{row['events']:,}",
                percent(row["fill"]),
                looks_of(row),
                *((row["example"] or "",) if examples else ()),
            )
            for row in mine.sort("events", descending=True, maintain_order=True)
            .head(KEYS_MAX)
            .iter_rows(named=True)
        ]
        more = f", the {KEYS_MAX} most frequent" if mine.height > KEYS_MAX else ""
        yield f"<details{' open' if len(frequent) <= BARS_MAX else ''}><summary>{_text(name)}: {mine.height:,} keys{more}</summary>{table(head, rows, [2, 3])}</details>"
    if len(frequent) > TYPES_MAX:
        yield f'<p class="quiet">The keys of {len(frequent) - TYPES_MAX:,} rarer types are in the JSON: translate inspect ... --json</p>'
