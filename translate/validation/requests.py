"""Whole requests that are over a limit: too many events, too many bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import polars as pl

from translate.mapping.spec import Layout, Limit
from translate.reader import Lines


def over_by_bytes(lines: Lines, layout: Layout) -> list[int]:
    """Give the rows of those lines whose body is longer than the layout's requests may be; only long lines are looked into."""
    limit = layout.request.limits.get("bytes_max") if layout.request else None
    if limit is None:
        return []
    long = lines.frame.select("row", "text").filter(pl.col("text").str.len_bytes() > limit.value)
    found = []
    for batch in long.collect_batches(engine="streaming"):
        found += [row for row, text in batch.iter_rows() if _body_bytes(text, layout) > limit.value]
    return sorted(found)


def without_events(lines: Lines, layout: Layout) -> list[int]:
    """Give the rows of those requests whose list of events is empty: no event shows them."""
    limit = layout.request.limits.get("events_min") if layout.request else None
    if limit is None or not layout.request or not layout.request.each:
        return []
    empty = rf'"{re.escape(layout.request.each[-1])}"\s*:\s*\[\s*\]'
    found = lines.frame.filter(pl.col("text").str.contains(empty)).select("row", "text").collect(engine="streaming")
    return sorted(row for row, text in found.iter_rows() if _is_empty(text, layout.request.each))


def _is_empty(line: str, way: tuple[str, ...]) -> bool:
    try:
        inner = json.loads(line)
    except ValueError:
        return False
    for segment in way:
        inner = inner.get(segment) if isinstance(inner, dict) else None
    return bool(inner == [])


def _body_bytes(line: str, layout: Layout) -> int:
    """Measure a request's body: what the first segment of the way to its events holds, as it would be sent."""
    each = layout.request.each if layout.request else ()
    try:
        whole = json.loads(line)
    except ValueError:
        return 0
    body = whole.get(each[0], whole) if each and isinstance(whole, dict) else whole
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode(errors="surrogatepass"))


def rows_over(judged: pl.LazyFrame, limit: Limit) -> list[int]:
    """Give the rows of those requests that hold more events than the limit allows."""
    one_each = judged.filter(pl.col("part") == limit.value).select("row").collect(engine="streaming")
    return sorted(one_each["row"].to_list())


def messages(layout: Layout) -> Iterator[tuple[Limit, str]]:
    """Give the limits of a layout's requests with what to say about those that are over them."""
    for limit in layout.request.limits.values() if layout.request else ():
        if limit.name == "events_min":
            yield limit, "a request without events"
            continue
        what = "events" if limit.name == "events_max" else "bytes"
        yield limit, f"a request of more than {limit.value:,} {what}"
