"""Charts drawn as inline SVG, and how the page around them looks: no script, no fonts of their own."""

from __future__ import annotations

import base64
import datetime as dt
import math
import re
from collections.abc import Sequence
from html import escape

from translate.telling.rendering import printable

STYLE = """
:root{--ink:#1c2430;--quiet:#5b6675;--line:#d9dee5;--ground:#fff;--soft:#f4f6f9;--bar:#2f6fb7;
--fits:#1d7a45;--loses:#96650a;--part:#b0541b;--none:#b3312c;color-scheme:light}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--quiet:#98a3b3;--line:#343d4a;--ground:#14181e;--soft:#1c222b;--bar:#5b9be0;
--fits:#58c98a;--loses:#e0b04f;--part:#ee935a;--none:#f0827c;color-scheme:dark}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem 4rem;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.15rem;margin:2.4rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:0}
p{margin:.4rem 0}
.quiet,svg .quiet{color:var(--quiet);fill:var(--quiet)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.4rem,1fr));gap:.6rem;margin:1.2rem 0}
.tile{background:var(--soft);border-radius:6px;padding:.6rem .8rem}
.tile b{display:block;font-size:1.3rem;font-variant-numeric:tabular-nums;line-height:1.3}
.tile span{color:var(--quiet);font-size:.85rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{text-align:left;color:var(--quiet);font-weight:600}
th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.long,td code{overflow-wrap:anywhere}
td.figure,th.figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.chart{overflow-x:auto}.chart svg{min-width:34rem}
svg{display:block;width:100%;height:auto;margin:.6rem 0}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
svg .bar{fill:var(--bar)}svg .grid{stroke:var(--line);stroke-width:1}
.target{border:1px solid var(--line);border-left:5px solid var(--grade);border-radius:6px;padding:.9rem 1.1rem;margin:.9rem 0}
.target header{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
.badge{color:var(--grade);font-weight:700}
.fits{--grade:var(--fits)}.loses{--grade:var(--loses)}.part{--grade:var(--part)}.drops,.none{--grade:var(--none)}
.target ul{margin:.4rem 0;padding-left:1.2rem}
.target li{margin:.25rem 0}
.warn{color:var(--none);font-weight:600}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--quiet)}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.88em}
@media print{:root{--ink:#000;--quiet:#444;--line:#bbb;--ground:#fff;--soft:#f4f4f4;--bar:#2f6fb7;
--fits:#1d7a45;--loses:#96650a;--part:#b0541b;--none:#b3312c;color-scheme:light}
body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}
.chart{overflow:visible}.chart svg{min-width:0}
tr,svg,.tile,.target li{break-inside:avoid}.target header{break-after:avoid}
.target details::details-content{content-visibility:visible;display:block}thead{display:table-header-group}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}@page{margin:16mm}}
"""

# As an image a chart sees nothing of the page around it, so its colours suit a light one and a dark one.
ALONE = "text{font:12px sans-serif;fill:#777}.bar{fill:#3b7cc4}.grid{stroke:#8884}"

WIDTH = 880
DAYS_MAX = 120  # bars of days; more days are shown by weeks or months
HEIGHT = 200
BELOW, ABOVE, LEFT = 26, 10, 62
ROW, BAR_HEIGHT, NAMES, FIGURES = 24, 14, 230, 130
NAME_CHARACTERS = 32
LABELS_MAX = 8


def by_time(days: Sequence[tuple[str, int]]) -> str:
    """Draw events by day, week or month, gaps included; days are ISO dates in order."""
    if not days:
        return ""
    unit, bars = _together([(dt.date.fromisoformat(day), events) for day, events in days])
    most = _round_up(max(events for _, events in bars))
    inner = HEIGHT - BELOW - ABOVE
    step = (WIDTH - LEFT) / len(bars)
    wide = min(max(step - 2, 1), 48)
    drawn = []
    for share in (0, 0.5, 1):
        y = ABOVE + inner * (1 - share)
        drawn.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(
            f'<text class="quiet" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(most * share)}</text>'
        )
    every = math.ceil(len(bars) / LABELS_MAX)
    for place, (when, events) in enumerate(bars):
        height = inner * events / most
        x = LEFT + step * place + (step - wide) / 2
        told = _title(f"{_when(when, unit)}: {events:,} events")
        if events:
            drawn.append(
                f'<rect class="bar" x="{x:.1f}" y="{ABOVE + inner - max(height, 1):.1f}" width="{wide:.1f}" height="{max(height, 1):.1f}">{told}</rect>'
            )
        if place % every == 0:
            drawn.append(
                f'<text class="quiet" x="{LEFT + step * (place + 0.5):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{_when(when, unit)}</text>'
            )
    return _svg(HEIGHT, f"Events by {unit}", drawn)


def unit_of(days: Sequence[tuple[str, int]]) -> str:
    """Say what a bar of `by_time` is: a day, a week, a month or a year."""
    return _together([(dt.date.fromisoformat(day), events) for day, events in days])[0]


def by_name(title: str, rows: Sequence[tuple[str, int]], total: int) -> str:
    """Draw a bar for each named value, with its events and its share of all."""
    if not rows:
        return ""
    most = max(events for _, events in rows)
    room = WIDTH - NAMES - FIGURES
    drawn = []
    for place, (name, events) in enumerate(rows):
        y = ROW * place
        middle = y + ROW / 2 + 4
        length = max(room * events / most, 1)
        label = printable(name) or "(empty)"
        cut = label if len(label) <= NAME_CHARACTERS else f"{label[: NAME_CHARACTERS - 1]}\u2026"
        drawn.append(
            f'<text x="{NAMES - 10}" y="{middle}" text-anchor="end">{escape(cut)}{_title(label)}</text>'
        )
        drawn.append(
            f'<rect class="bar" x="{NAMES}" y="{y + (ROW - BAR_HEIGHT) / 2}" width="{length:.1f}" height="{BAR_HEIGHT}" rx="2"/>'
        )
        drawn.append(
            f'<text class="quiet" x="{NAMES + length + 8:.1f}" y="{middle}">{events:,} \u00b7 {100 * events / total:.1f} %</text>'
        )
    return _svg(ROW * len(rows), title, drawn)


def _svg(height: int, title: str, drawn: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    )


def picture(chart: str) -> str:
    """Turn a chart into an image: notebooks that nobody vouched for show images, and of a drawing the bare words."""
    label = re.search(r'aria-label="([^"]*)"', chart)
    height = re.search(rf'viewBox="0 0 {WIDTH} (\d+)"', chart)
    if label is None or height is None:
        return ""
    size = f'xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height[1]}"'
    alone = chart.replace("<svg", f"<svg {size}", 1).replace(">", f"><style>{ALONE}</style>", 1)
    coded = base64.b64encode(alone.encode()).decode()
    return f'<img alt="{label[1]}" style="max-width:100%" src="data:image/svg+xml;base64,{coded}">'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _together(days: list[tuple[dt.date, int]]) -> tuple[str, list[tuple[dt.date, int]]]:
    """Put days together until they fit, with those on which nothing happened."""
    first, last = days[0][0], days[-1][0]
    count = (last - first).days + 1
    if count <= DAYS_MAX:
        unit, begins = "day", [first + dt.timedelta(days=number) for number in range(count)]
    elif count <= DAYS_MAX * 7:
        monday = first - dt.timedelta(days=first.weekday())
        unit, begins = (
            "week",
            [monday + dt.timedelta(days=7 * number) for number in range((last - monday).days // 7 + 1)],
        )
    else:
        months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        unit, begins = "month", [dt.date(month // 12, month % 12 + 1, 1) for month in months]
        if len(begins) > DAYS_MAX:
            unit, begins = "year", [dt.date(year, 1, 1) for year in range(first.year, last.year + 1)]
    sums = dict.fromkeys(begins, 0)
    for day, events in days:
        sums[_begin(day, unit)] += events
    return unit, list(sums.items())


def _begin(day: dt.date, unit: str) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    return {"day": day, "month": day.replace(day=1), "year": day.replace(month=1, day=1)}[unit]


def _when(day: dt.date, unit: str) -> str:
    return {"month": f"{day:%Y-%m}", "year": f"{day:%Y}"}.get(unit, day.isoformat())


def _round_up(value: int) -> float:
    """Give the next number of one or two significant digits, as the top of an axis."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 2, 4, 5, 8, 10) if size * step >= value)


def _short(value: float) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
