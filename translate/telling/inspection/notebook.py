"""An inspection as a fragment for a notebook: charts and tables, styled within themselves."""

from __future__ import annotations

from typing import Any

import polars as pl

from translate.telling.inspection import charts
from translate.telling.inspection.tables import PEOPLE
from translate.telling.rendering import Table, escaped, many, table_html

CHART = (
    ".translate-inspection{max-width:56rem}.translate-inspection svg{width:100%;height:auto}"
    ".translate-inspection .bar{fill:#3b7cc4}.translate-inspection .grid{stroke:#8884}"
    ".translate-inspection text{font:12px sans-serif;fill:currentColor}"
)


def fragment(values: dict[str, Any], keys: pl.DataFrame) -> str:
    """Write what one looks for first."""
    people = {title: values["people"][name]["different"] for name, title in PEOPLE.items()}
    counted = [(name, count) for name, count in {**values["events"], **people}.items() if count]
    days = [(entry["day"], entry["events"]) for entry in values["days"]]
    types = [(entry["name"], entry["events"]) for entry in values["types"]]
    faults = [
        (fault["count"], f"{fault['of']} {fault['message']}", fault["hint"]) for fault in values["faults"]
    ]
    parts = [
        f"<p>{escaped(_sentence(values))}</p>",
        *([table_html(Table(values["from"], ("", "count"), counted))] if counted else []),
        *([f"<p><b>Events by {charts.unit_of(days)}</b></p>", charts.by_time(days)] if days else []),
        *([table_html(Table("Event types", ("event type", "events"), types))] if types else []),
        table_html(Table("Faults", ("count", "what", "what to do"), faults))
        if faults
        else "<p>No fault of those that are looked for.</p>",
        f"<p>{many(keys.height, 'key')}: see <code>.keys</code></p>",
    ]
    return f'<div class="translate-inspection"><style>{CHART}</style>{"".join(parts)}</div>'


def _sentence(values: dict[str, Any]) -> str:
    span, inputs = values["time"]["event"], values["inputs"]
    when = f", events from {span['first']} to {span['last']}" if span["first"] else ""
    return f"{many(inputs['files'], 'file')}, {inputs['bytes']:,} bytes{when}"
