"""Packs rows into requests, under count and byte limits, in the order of the source.

What stands around events is looked at once for all rows of a batch in which it is the same. Texts of rows wait in columns
until their requests are full, and are joined for many of these at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, repeat
from typing import Protocol

import polars as pl

from translate.mapping.spec import Field, Layout
from translate.settings import Settings
from translate.vocabulary.notation import json_text
from translate.vocabulary.words.stamps import StampedRequest
from translate.writer.filling import Around, Called, Directory, Filling, Limits, OpenRequest
from translate.writer.shape import as_json
from translate.writer.templates import NOTHING, Places, Templates, said

ROW = "_row"
EXTRA = "_extra_of_request"
EXTRA_BESIDE = "_extra_beside_events"
TIME = "_time"
# Requests that are open at a time may hold so much: beyond it, all are written, so that memory does not grow.
OPEN_BYTES_MAX = 64 * 1024 * 1024
BLOCK_BYTES = 8 * 1024 * 1024  # of full requests that are written at once
HOUR_MS = 3_600_000

# The text of events, how many and which they are, all their names, their member and request, and its place among others.
TEXT, COUNT, NUMBERS, NAMES, MEMBER, REQUEST, PLACE, FIRST, HOUR = (
    f"_packed_{name}"
    for name in ("text", "count", "numbers", "names", "member", "request", "place", "first", "hour")
)


class LinesOutput(Protocol):
    """What lines are written to."""

    def write(self, text: bytes | memoryview, /) -> object:
        """Write what is a whole line, or several."""


class Packer:
    """Packs rows into a layout's requests, one open request for each set of values around the events.

    `tell` gets, for each request that is written, the numbers of its events, counted from 0 in the order in which
    they were added, and listed in the order in which a reader meets them.
    """

    def __init__(
        self, layout: Layout, settings: Settings, output: LinesOutput, *, sequence: int = 1,
        tell: Callable[[list[int]], None] | None = None,
    ) -> None:  # fmt: skip
        assert layout.request is not None
        self._templates = templates = Templates(layout, settings)
        most, bytes_max = layout.request.events_max, layout.request.bytes_max
        limits = Limits(most or math.inf, bytes_max or math.inf, OPEN_BYTES_MAX)
        self._directory = Directory(templates.size_of_member) if templates.names else None
        self._filling = Filling(limits, templates.size_of_body, self._directory)
        self._by_hour = any(entry.word.keeps_hours_apart for entry in templates.made)
        self._output = output
        self._tell = tell
        self._sequence = sequence
        self._waiting: list[pl.DataFrame] = []
        self._taken = 0
        self.requests = 0
        self.events = 0  # counted where they are written, to be held against the account

    def add(self, batch: pl.DataFrame) -> None:
        """Take in rows, writing requests that are full.

        Columns: `_row`, the event as JSON text; a column `@place` for each field around it; `_time`, in milliseconds,
        where requests are kept apart by hours; what else the request held, as lists of ways and JSON texts.
        """
        absent = {name: pl.lit(None) for name in (TIME, EXTRA, EXTRA_BESIDE) if name not in batch.columns}
        batch = batch.with_columns(**absent)
        rows = self._rows(batch)
        kinds, around = _told_apart(batch, self._templates.head, EXTRA, by_hour=self._by_hour)
        sizes = rows[TEXT].str.len_bytes().to_list()
        requests = self._filling.take(kinds, around, sizes, self._called(batch, rows))
        self._waiting.append(rows.with_columns(pl.Series(REQUEST, requests, pl.UInt32)))
        self._taken += batch.height
        if sum(request.size for request in self._filling.full) > BLOCK_BYTES:
            self._write()

    def finish(self) -> None:
        """Write what is left, in the order in which the requests were begun."""
        self._filling.close()
        self._write()

    # -- rows -----------------------------------------------------------------------------------------------------

    def _rows(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Give the texts of rows as they stand in a request, and what else is asked of them there."""
        templates = self._templates
        names = [json_text(pl.col(f"@{place}")) for place in templates.names]
        text = pl.concat_str(names[-1], pl.lit(":"), ROW) if templates.has_own_names else pl.col(ROW)
        asked = [pl.col(TIME), pl.lit(1).alias(COUNT)]
        if templates.has_own_names:
            asked.append(pl.concat_str(names).alias(NAMES))
        if templates.has_members:
            asked.append(names[0].alias(MEMBER))
        if self._tell:
            batch = batch.with_row_index(NUMBERS, offset=self._taken)
            asked.append(pl.concat_list(NUMBERS))
        return batch.select(text.alias(TEXT), *asked)

    def _called(self, batch: pl.DataFrame, rows: pl.DataFrame) -> Iterable[Called | None]:
        """Give what each row is called in its request, and what is said beside it; nothing where rows have no names."""
        templates = self._templates
        if not templates.names:
            return repeat(None)
        names = (
            rows[NAMES]
            if templates.has_own_names
            else map(str, range(self._taken, self._taken + batch.height))
        )
        if not templates.has_members:
            return zip(names, repeat(""), repeat(NOTHING), strict=False)
        kinds, beside = _told_apart(batch, templates.inside, EXTRA_BESIDE)
        return zip(names, rows[MEMBER], (beside[kind][0] for kind in kinds), strict=True)

    # -- writing --------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write the requests that are full, some at a time."""
        for requests in _portions(self._filling.full):
            numbers = pl.Series(REQUEST, [request.number for request in requests], pl.UInt32)
            places = pl.DataFrame(numbers).with_row_index(PLACE)
            rows = pl.concat(self._waiting).join(places, on=REQUEST, how="left", maintain_order="left")
            self._write_all(requests, rows.filter(pl.col(PLACE).is_not_null()))
            self._waiting = [rows.filter(pl.col(PLACE).is_null()).drop(PLACE)]
        self._filling.full.clear()

    def _write_all(self, requests: list[OpenRequest], rows: pl.DataFrame) -> None:
        templates = self._templates
        if templates.has_members:
            rows = self._members(requests, rows)
        rows = _joined(rows, PLACE).sort(PLACE)
        for request, events, latest in zip(requests, _bytes(rows[TEXT]), rows[TIME], strict=True):
            (places, texts), _ = request.around
            values = [events, *texts]
            made = self._stamps(places, values, latest) if templates.made else []
            whole = templates.whole(places, tuple([value is not None for value in made]))
            values += [value.encode() for value in made if value is not None]
            self._output.write(whole.filled(values) + b"\n")
            self.requests += 1
        self.events += int(rows[COUNT].sum())
        if self._tell:
            for numbers in rows[NUMBERS]:
                self._tell(numbers.to_list())

    def _members(self, requests: list[OpenRequest], rows: pl.DataFrame) -> pl.DataFrame:
        """Write the members of requests that have names of their own: a row each."""
        said = [self._directory.take_out(request.number) for request in requests] if self._directory else []
        members = _joined(rows, PLACE, MEMBER)
        each = zip(
            members[PLACE], members[MEMBER], _bytes(members[MEMBER]), _bytes(members[TEXT]), strict=True
        )
        texts = []
        for place, key, name, events in each:
            places, values = said[place][key]
            texts.append(self._templates.member(places).filled([events, name, *values]))
        return members.with_columns(pl.Series(TEXT, texts, pl.Binary).cast(pl.String))

    def _stamps(self, places: Places, values: list[bytes], latest: int | None) -> list[str | None]:
        entries = compress(self._templates.head, places[0])
        head = {
            entry.hub[0]: text.decode() for entry, text in zip(entries, values[1:], strict=False) if entry.hub
        }
        body = self._templates.body(places).filled(values)
        request = StampedRequest(self._sequence + self.requests, body, latest, head)
        return [
            entry.word.make(request, entry.template) if entry.word.make else None
            for entry in self._templates.made
        ]


def _told_apart(
    batch: pl.DataFrame, entries: Sequence[Field], others: str, *, by_hour: bool = False
) -> tuple[list[int], dict[int, Around]]:
    """Give for each row the number of the first that has the same around it, and what that is."""
    written = {
        f"@{entry.place}": as_json(entry, pl.col(f"@{entry.place}")).cast(pl.Binary) for entry in entries
    }
    hour = pl.col(TIME) // HOUR_MS if by_hour else pl.lit(None)
    apart = batch.with_columns(hour.alias(HOUR)).select(*written, others, HOUR).with_row_index(FIRST)
    kinds = apart.select(pl.col(FIRST).first().over(*written, others, HOUR)).to_series()
    firsts = apart.filter(apart[FIRST] == kinds)
    values = firsts.select(**written).rows() if written else [()] * firsts.height
    around = zip(map(said, values, firsts[others]), firsts[HOUR], strict=True)
    return kinds.to_list(), dict(zip(firsts[FIRST], around, strict=True))


def _portions(requests: list[OpenRequest]) -> Iterator[list[OpenRequest]]:
    """Divide requests into portions, in their order, that hold no more than a block unless they hold one."""
    portion: list[OpenRequest] = []
    size = 0
    for request in requests:
        if portion and size + request.size > BLOCK_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(request)
        size += request.size
    if portion:
        yield portion


def _joined(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Join the texts of rows by commas."""
    numbers = [pl.col(NUMBERS).explode()] if NUMBERS in rows.columns else []
    asked = [pl.col(TEXT).str.join(","), pl.col(COUNT).sum(), pl.col(TIME).max(), *numbers]
    return rows.group_by(*by, maintain_order=True).agg(asked)


def _bytes(texts: pl.Series) -> list[bytes]:
    return texts.cast(pl.Binary).to_list()
