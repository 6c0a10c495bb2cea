"""Whole requests that are over a limit: too many events, too many bytes."""

from __future__ import annotations

import json
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
        what = "events" if limit.name == "events_max" else "bytes"
        yield limit, f"a request of more than {limit.value:,} {what}"
