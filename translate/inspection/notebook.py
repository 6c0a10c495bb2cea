"""An inspection as a fragment for a notebook: charts and tables, styled within themselves."""

from __future__ import annotations

from typing import Any

import polars as pl

from translate.inspection import charts, pages

ROWS_MAX = 15
LOOK = (
    ".translate-inspection{max-width:56rem}.translate-inspection svg{width:100%;height:auto}"
    ".translate-inspection .bar{fill:#3b7cc4}.translate-inspection .grid{stroke:#8884}"
    ".translate-inspection text{font:12px sans-serif;fill:currentColor}.translate-inspection td.figure{text-align:right}"
    ".translate-inspection td,.translate-inspection th{text-align:left;padding:.2em .8em .2em 0}"
)


def fragment(values: dict[str, Any], keys: pl.DataFrame) -> str:
    """Write what one looks for first."""
    people = {name: counted["different"] for name, counted in values["people"].items() if counted["different"]}
    span = values["time"]["event"]
    figures = {**values["events"], **people, "first event": span["first"], "last event": span["last"]}
    rows = [(name, f"{count:,}" if isinstance(count, int) else count) for name, count in figures.items() if count]
    parts = [
        pages.table((values["from"], ""), rows, [1]),
        charts.by_time([(entry["day"], entry["events"]) for entry in values["days"]]),
        pages.table(("event type", "events"), [(entry["name"], f"{entry['events']:,}") for entry in values["types"][:ROWS_MAX]], [1]),
        pages.table(("faults", "count"), [(f"{fault['of']} {fault['message']}", f"{fault['count']:,}") for fault in values["faults"]], [1]),
        f"<p>{keys.height:,} keys: see <code>.keys</code></p>",
    ]
    return f'<div class="translate-inspection"><style>{LOOK}</style>{"".join(parts)}</div>'
