"""All that the rows of a layout may be wrong in: its limits and checks, each with the rows that do not keep it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate.archive.batches import Lines
from translate.judging.judges import judged
from translate.judging.members import Look, Seldom, looked_into
from translate.judging.rows import Rows
from translate.mapping.checks import WORDS
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout, Limit
from translate.reader.tree import is_read
from translate.vocabulary.notes import RECEIVER_CHANGES


@dataclass(frozen=True)
class Question:
    """Something that a row may be wrong in, in which rows it is, and what to say about them."""

    limit: Limit
    wrong: pl.Expr
    message: str

    @property
    def code(self) -> str:
        """Tell by what a row is rejected for it."""
        return WORDS[self.limit.judge].code if self.limit.judge in WORDS else "over_limit"

    @property
    def told_as(self) -> str:
        """Tell by which code a row is told of that is taken all the same."""
        return RECEIVER_CHANGES if self.limit.alters else "over_advice"

    @property
    def cited(self) -> str:
        """Say it with what comes of it, and who says so."""
        altered = f": the receiver {self.limit.alters}" if self.limit.alters else ""
        return f"{self.message}{altered} ({self.limit.source})"


class Judge:
    """Judges rows, written or read; never changes them."""

    def __init__(self, rows: Rows, needs: Iterable[Question] = ()) -> None:
        self._rows = rows
        self._looks: dict[str, Look] = {}
        self._seldom: dict[str, Seldom] = {}
        self.questions = [*needs]
        self.questions += [
            Question(limit, self._flag(wrong), limit.says or message)
            for limit in [*rows.layout.limits.values(), *rows.layout.checks.values()]
            for wrong, message in judged(limit, rows)
        ]

    def _flag(self, wrong: pl.Expr | Look | Seldom) -> pl.Expr:
        if isinstance(wrong, pl.Expr):
            return wrong.fill_null(value=False)
        if isinstance(wrong, Seldom):
            column = f"_seldom{len(self._seldom)}"
            self._seldom[column] = wrong
            return wrong.told_by(column)
        column = f"_look{len(self._looks)}"
        self._looks[column] = wrong
        return pl.col(column)

    def look(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add the columns of flags that the questions need beside those of the rows."""
        homes = {question.home: self._rows.maps_of(question.home) for question in self._seldom.values()}
        into = {look.place for look in self._looks.values() if not look.of_row}
        lists = {place: text for place in sorted(into) if (text := self._rows.json_of(place)) is not None}
        return looked_into(frame, self._seldom, homes, self._looks, lists, self._rows.whole)


def alone_of(rows: Rows) -> Iterator[Question]:
    """Ask rows that are written whether a request can hold them at all."""
    if rows.text is not None:
        for limit, wrong in alone_over_bytes(rows.layout, rows.text):
            yield Question(limit, wrong.fill_null(value=False), message(limit))


def needs_of(rows: Rows, settings: Settings) -> Iterator[Question]:
    """Ask rows that are read for what is required, as a writer has to give it; an application's id may come from the settings."""
    layout = rows.layout
    limit = Limit("places_required", 1, hard=True, source=layout.source)
    for entry in layout.all_fields:
        if not is_read(entry) or entry.place in layout.taken_without:
            continue
        if entry.required and not (entry.hub == ("app.id",) and settings.app_id):
            yield Question(limit, rows.is_missing(entry.place), f"{entry.place} is missing")
        elif entry.required_for:
            action = next(other for other in layout.fields if other.word.gives_action)
            wrong = (rows.value(action.place) == entry.required_for) & rows.is_missing(entry.place)
            told = f"{entry.place} is missing, in an event of {action.place} {entry.required_for}"
            yield Question(limit, wrong.fill_null(value=False), told)


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
    each = layout.request.each
    return sorted(number for number, request in _requests(empty) if _events_of(request, each) == [])


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
