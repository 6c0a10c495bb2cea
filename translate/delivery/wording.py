"""How figures are said in sentences."""

from __future__ import annotations

import datetime as dt

from translate.events import EPOCH


def number(value: float) -> str:
    """Write a number with at most three digits behind the point, thousands apart."""
    return (
        f"{value:,.0f}"
        if value == int(value) or abs(value) >= 1000
        else f"{value:,.3f}".rstrip("0").rstrip(".")
    )


def percent(share: float) -> str:
    """Write a share; only none is 0 %, and only all is 100 %."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def moment(milliseconds: int | None) -> str:
    """Write a time, given in milliseconds since 1970, to the second."""
    if milliseconds is None:
        return "unknown"
    try:
        return f"{EPOCH + dt.timedelta(seconds=milliseconds // 1000):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        return f"{milliseconds} ms"


def duration(seconds: float) -> str:
    """Write a duration in the unit that suits it."""
    for most, unit, size in ((120, "seconds", 1), (7200, "minutes", 60), (172_800, "hours", 3600)):
        if seconds < most:
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds / 86_400, 1))} days"
