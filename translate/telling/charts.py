"""Charts drawn as inline SVG: no script, no fonts of their own; the style of the page around them colours them."""

from __future__ import annotations

import base64
import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import polars as pl

# As an image a chart sees nothing of the page around it, so its colours suit a light one and a dark one.
ALONE = "text{font:12px sans-serif;fill:#777}.bar{fill:#3b7cc4}.grid{stroke:#8884}"

WIDTH = 880
DAYS_MAX = 120  # bars of days; more days are shown by weeks or months
HEIGHT = 200
BELOW, ABOVE, LEFT = 26, 10, 62
STRIP, DAYS_OF_A_YEAR = 22, 366
LABELS_MAX, LABEL_HALF = 8, 34
UNITS = {"day": 1, "week": 7}
PERIODS = {"day": "1d", "week": "1w", "month": "1mo", "year": "1y"}


@dataclass(frozen=True)
class Pillar:
    """What there was from a day on: so much in all, and of it a `part` that is drawn apart."""

    begin: dt.date
    total: float
    part: float = 0


def by_time(days: Sequence[tuple[str, int]]) -> str:
    """Draw events by day, week or month, gaps included; days are ISO dates in order."""
    if not days:
        return ""
    unit, sums = _together([(dt.date.fromisoformat(day), events) for day, events in days])
    return bars(unit, [Pillar(begin, events) for begin, events in sums], "events")


def bars(unit: str, drawn_bars: Sequence[Pillar], of: str, part_of: str = "") -> str:
    """Draw a bar for each span of time; parts stand at the foot, and are called `part_of`."""
    most = _round_up(max(bar.total for bar in drawn_bars))
    inner = HEIGHT - BELOW - ABOVE
    step = (WIDTH - LEFT) / len(drawn_bars)
    wide = min(max(step - 2, 1), 48)
    drawn = []
    for share in (0, 0.5, 1):
        y = ABOVE + inner * (1 - share)
        drawn.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(
            f'<text class="quiet" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(most * share)}</text>'
        )
    every = math.ceil(len(drawn_bars) / LABELS_MAX)
    for place, bar in enumerate(drawn_bars):
        x = LEFT + step * place + (step - wide) / 2
        when = {"month": f"{bar.begin:%Y-%m}", "year": f"{bar.begin:%Y}"}.get(unit, bar.begin.isoformat())
        told = _title(f"{when}: {bar.total:,} {of}{f', {bar.part:,} {part_of}' if part_of else ''}")
        for kind, value in (("bar", bar.total), ("second", bar.part)):
            height = max(inner * value / most, 1)
            if value:
                drawn.append(
                    f'<rect class="{kind}" x="{x:.1f}" y="{ABOVE + inner - height:.1f}" width="{wide:.1f}" height="{height:.1f}">{told}</rect>'
                )
        if place % every == 0:
            middle = LEFT + step * (place + 0.5)
            x, anchor = (middle, "middle") if middle + LABEL_HALF <= WIDTH else (WIDTH, "end")
            drawn.append(
                f'<text class="quiet" x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{when}</text>'
            )
    return _svg(HEIGHT, f"{of.capitalize()} by {unit}", drawn)


def filled(known: Sequence[Pillar], unit: str) -> list[Pillar]:
    """Put empty bars between those that are there."""
    begins, by_day = _begins(unit, known[0].begin, known[-1].begin), {bar.begin: bar for bar in known}
    return [by_day.get(begin, Pillar(begin, 0)) for begin in begins]


def means(days: Sequence[Pillar]) -> tuple[str, list[Pillar]]:
    """Give the unit in which days fit, and of each span of it the mean of the days that are there."""
    unit, _ = _together([(bar.begin, 0) for bar in days])
    spans: dict[dt.date, list[Pillar]] = {}
    for bar in days:
        spans.setdefault(_begin(bar.begin, unit), []).append(bar)
    told = [
        Pillar(begin, _mean([bar.total for bar in mine]), _mean([bar.part for bar in mine]))
        for begin, mine in spans.items()
    ]
    return unit, filled(told, unit)


def _mean(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return int(mean) if mean == int(mean) else round(mean, 1)


def strip(days: Sequence[str]) -> str:
    """Draw a line for each year, filled on the days that are there; what lies between the first and the last is a gap."""
    there = [dt.date.fromisoformat(day) for day in days]
    step = (WIDTH - LEFT) / DAYS_OF_A_YEAR
    drawn = []
    for place, year in enumerate(range(there[0].year, there[-1].year + 1)):
        y = STRIP * place
        begin = max(there[0], dt.date(year, 1, 1))
        end = min(there[-1], dt.date(year, 12, 31))
        whole = ((end - begin).days + 1) * step
        drawn.append(f'<text class="quiet" x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{year}</text>')
        drawn.append(f'<rect class="gap" x="{_place(begin, step):.1f}" y="{y + 2}" width="{whole:.1f}" height="{STRIP - 6}"/>')  # fmt: skip
        drawn += [
            f'<rect class="bar" x="{_place(first, step):.1f}" y="{y + 2}" width="{max(((last - first).days + 1) * step, 1):.1f}" height="{STRIP - 6}">{_title(first.isoformat() if first == last else f"{first} to {last}")}</rect>'
            for first, last in _runs([day for day in there if day.year == year])
        ]
    return _svg(STRIP * (there[-1].year - there[0].year + 1), "Days with events", drawn)


def _place(day: dt.date, step: float) -> float:
    return LEFT + step * (day.timetuple().tm_yday - 1)


def _runs(days: Sequence[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Put days together that follow one another."""
    runs: list[tuple[dt.date, dt.date]] = []
    for day in days:
        if runs and day - runs[-1][1] == dt.timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def unit_of(days: Sequence[tuple[str, int]]) -> str:
    """Say what a bar of `by_time` is: a day, a week, a month or a year."""
    return _together([(dt.date.fromisoformat(day), events) for day, events in days])[0]


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
    unit = next((unit for unit, length in UNITS.items() if (last - first).days < DAYS_MAX * length), "month")
    begins = _begins(unit, first, last)
    if len(begins) > DAYS_MAX:
        unit, begins = "year", _begins("year", first, last)
    sums = dict.fromkeys(begins, 0)
    for day, events in days:
        sums[_begin(day, unit)] += events
    return unit, list(sums.items())


def _begins(unit: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """Give where each span of time begins, from the one of a day to that of another."""
    return pl.date_range(_begin(first, unit), last, PERIODS[unit], eager=True).to_list()


def _begin(day: dt.date, unit: str) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    return {"day": day, "month": day.replace(day=1), "year": day.replace(month=1, day=1)}[unit]


def _round_up(value: float) -> float:
    """Give the next number of one or two significant digits, as the top of an axis."""
    size = 10.0 ** math.floor(math.log10(value or 1))
    return next(size * step for step in (1, 2, 4, 5, 8, 10) if size * step >= value)


def _short(value: float) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
