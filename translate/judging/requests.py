"""Whole requests that are over a limit: too many events, too many bytes, or none at all; a line may hold several."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from translate.mapping.spec import Layout, Limit
from translate.reader.reader import Lines

# Which request of which row, as one number: of a row there are never so many.
REQUESTS_MAX = 2**32
REQUEST = pl.col("row").cast(pl.UInt64) * REQUESTS_MAX + pl.col("request").fill_null(0)
BLANKS = " \t\r\n"


def over_by_bytes(lines: Lines, layout: Layout) -> list[int]:
    """Give those requests whose body is longer than the layout's may be; only long lines are looked into."""
    limit = layout.request.limits.get("bytes_max") if layout.request else None
    if limit is None:
        return []
    long = lines.frame.select("row", "text").filter(pl.col("text").str.len_bytes() > limit.value)
    return sorted(number for number, request in _requests(long) if _body_bytes(request, layout) > limit.value)


def without_events(lines: Lines, layout: Layout) -> list[int]:
    """Give those requests whose list of events is empty: no event shows them."""
    limit = layout.request.limits.get("events_min") if layout.request else None
    if limit is None or not layout.request or not layout.request.each:
        return []
    empty = lines.frame.select("row", "text").filter(pl.col("text").str.contains(r"\[\s*\]"))
    return sorted(
        number for number, request in _requests(empty) if _events_of(request, layout.request.each) == []
    )


def row_of(request: int) -> int:
    """Give the row that a request stands in."""
    return request // REQUESTS_MAX


def _requests(lines: pl.LazyFrame) -> Iterator[tuple[int, Any]]:
    for batch in lines.collect_batches(engine="streaming"):
        for row, text in batch.iter_rows():
            yield from ((row * REQUESTS_MAX + number, value) for number, value in enumerate(_values(text)))


def _values(line: str) -> Iterator[Any]:
    """Take the JSON values of a line apart, as its reader does; what is none ends it."""
    decoder, position = json.JSONDecoder(), 0
    line = line.removeprefix("\ufeff")
    while line[position:].strip(BLANKS):
        position = len(line) - len(line[position:].lstrip(BLANKS))
        try:
            value, position = decoder.raw_decode(line, position)
        except (ValueError, RecursionError):
            return
        yield value


def _events_of(request: Any, way: tuple[str, ...]) -> Any:
    for segment in way:
        request = request.get(segment) if isinstance(request, dict) else None
    return request


def _body_bytes(request: Any, layout: Layout) -> int:
    """Measure a request's body: what the first segment of the way to its events holds, as it would be sent."""
    each = layout.request.each if layout.request else ()
    body = request.get(each[0], request) if each and isinstance(request, dict) else request
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode(errors="surrogatepass"))


def alone_over_bytes(layout: Layout, row: pl.Expr) -> Iterator[tuple[Limit, pl.Expr]]:
    """Tell which rows are too long for a request that holds nothing else: no packing makes them fit."""
    limit = layout.request.limits.get("bytes_max") if layout.request else None
    if limit is not None and layout.request is not None:
        body: Any = []
        for segment in reversed(layout.request.each[1:]):
            body = {segment: body}
        around = len(json.dumps(body, separators=(",", ":")))
        yield limit, row.str.len_bytes() + around > limit.value


def over_by_events(judged: pl.LazyFrame, limit: Limit) -> list[int]:
    """Give those requests that hold more events than the limit allows, whichever of them were chosen."""
    counts = judged.group_by("_request").len().filter(pl.col("len") > limit.value).select("_request")
    return sorted(counts.collect(engine="streaming")["_request"].to_list())


def messages(layout: Layout) -> Iterator[tuple[Limit, str]]:
    """Give the limits of a layout's requests with what to say about those that are over them."""
    for limit in layout.request.limits.values() if layout.request else ():
        yield limit, message(limit)


def message(limit: Limit) -> str:
    """Say what is wrong with a request that does not keep a limit."""
    if limit.name == "events_min":
        return "a request without events"
    what = "events" if limit.name == "events_max" else "bytes"
    return f"a request of more than {limit.value:,} {what}"
