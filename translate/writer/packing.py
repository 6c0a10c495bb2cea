"""Packs rows into requests, under count and byte limits, in the order of the source.

Rows are worked on in blocks, column by column: which of them have the same around the event, which request each goes into,
the texts of those requests that take no more. Rows of the others wait for the next block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import IO

import polars as pl

from translate.mapping.spec import Field, Layout
from translate.settings import Settings
from translate.vocabulary.notation import json_text
from translate.vocabulary.words.stamps import StampedRequest
from translate.writer.filling import FilledNames, Filling, Limits
from translate.writer.shape import as_json
from translate.writer.templates import Places, Said, Templates, said

ROW = "_row"
EXTRA = "_extra_of_request"
EXTRA_BESIDE = "_extra_beside_events"
TIME = "_time"
# Requests that are open at a time may hold so much: beyond it, all are written, so that memory does not grow.
OPEN_BYTES_MAX = 64 * 1024 * 1024
BLOCK_BYTES = OPEN_BYTES_MAX // 2  # not less: rows that wait are looked at again with each block
HOUR = 3_600_000  # milliseconds

# The text of events, how many and which they are, their names, the member and the request that they lie in.
TEXT, COUNT, NUMBERS, NAMES, MEMBER, REQUEST, FIRST = (
    f"_packed_{name}" for name in ("text", "count", "numbers", "names", "member", "request", "first")
)


class Packer:
    """Packs rows into a layout's requests, one open request for each set of values around the events.

    `tell` gets, for each request that is written, the numbers of its events, counted from 0 in the order in which
    they were added, and listed in the order in which a reader meets them.
    """

    def __init__(
        self, layout: Layout, settings: Settings, output: IO[bytes], *, sequence: int = 1,
        tell: Callable[[list[int]], None] | None = None,
    ) -> None:  # fmt: skip
        if layout.request is None:
            raise AssertionError
        self._templates = Templates(layout, settings)
        most, bytes_max = layout.request.events_max, layout.request.bytes_max
        self._limits = Limits(most or math.inf, bytes_max or math.inf, OPEN_BYTES_MAX)
        self._by_hour = any(entry.word.keeps_hours_apart for entry in self._templates.made)
        self._output = output
        self._tell = tell
        self._sequence = sequence
        self._waiting: list[pl.DataFrame] = []
        self._waiting_bytes = 0  # of rows that came since the last block
        self._taken = 0
        self.requests = 0
        self.events = 0  # counted where they are written, to be held against the account

    def add(self, batch: pl.DataFrame) -> None:
        """Take in rows, writing each request that is full.

        Columns: `_row`, the event as JSON text; a column `@place` for each field around it; `_time`, in milliseconds,
        where requests are kept apart by hours; what else the request held, as lists of ways and JSON texts.
        """
        self._waiting.append(self._with_texts(batch))
        self._taken += batch.height
        self._waiting_bytes += int(batch[ROW].str.len_bytes().sum())
        if self._waiting_bytes > BLOCK_BYTES:
            self._pack(is_last=False)

    def finish(self) -> None:
        """Write what is left, in the order in which the requests were begun."""
        if self._waiting:
            self._pack(is_last=True)

    # -- which rows go together -----------------------------------------------------------------------------------

    def _with_texts(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Write rows as they stand in a request, and the names that they go by there."""
        names = [json_text(pl.col(f"@{place}")) for place in self._templates.names]
        text = pl.concat_str(names[-1], pl.lit(":"), ROW) if self._templates.has_own_names else pl.col(ROW)
        called = {MEMBER: names[0], NAMES: pl.concat_str(names)} if names else {}
        absent = {name: pl.lit(None) for name in (TIME, EXTRA, EXTRA_BESIDE) if name not in batch.columns}
        if self._tell:
            batch = batch.with_row_index(NUMBERS, offset=self._taken)
            called[NUMBERS] = pl.concat_list(NUMBERS)
        return batch.with_columns(pl.lit(1).alias(COUNT), text.alias(TEXT), **called, **absent).drop(ROW)

    def _pack(self, *, is_last: bool) -> None:
        """Put the rows that wait into requests, and write those that take no more."""
        rows = pl.concat(self._waiting)
        filling = self._filled(rows)
        if is_last:
            filling.close()
        places: list[int | None] = [None] * filling.begun
        for place, request in enumerate(filling.written):
            places[request] = place
        rows = rows.with_columns(
            pl.Series(REQUEST, [places[request] for request in filling.requests], pl.UInt32)
        )
        self._write(rows.filter(pl.col(REQUEST).is_not_null()))
        self._waiting = [rows.filter(pl.col(REQUEST).is_null()).drop(REQUEST)]
        self._waiting_bytes = 0

    def _filled(self, rows: pl.DataFrame) -> Filling:
        hour = pl.col(TIME) // HOUR if self._by_hour else pl.lit(None)
        kinds = _first_alike(rows, *_columns(self._templates.head), EXTRA, hour.alias("hour"))
        filling = Filling(self._limits, self._empty_sizes(rows, kinds), self._names(rows))
        filling.take(kinds.to_list(), (rows[TEXT].str.len_bytes() + 1).to_list())
        return filling

    def _empty_sizes(self, rows: pl.DataFrame, kinds: pl.Series) -> list[int]:
        """Tell how long the body of a request without events is, at the first row of each kind."""
        templates = self._templates
        sizes = [templates.empty_size] * rows.height
        if templates.has_head_in_body or rows[EXTRA].null_count() < rows.height:
            firsts = kinds.unique()
            for first, (places, texts) in zip(
                firsts, _said(rows[firsts], templates.head, EXTRA), strict=True
            ):
                sizes[first] = templates.body(places).size([b"", *texts])
        return sizes

    def _names(self, rows: pl.DataFrame) -> FilledNames | None:
        templates = self._templates
        if not templates.names:
            return None
        numbers = [*range(rows.height)]
        names = _first_alike(rows, NAMES).to_list() if templates.has_own_names else numbers
        if not templates.has_members:
            return FilledNames(names, members=names, said=numbers, sizes=[0] * rows.height)
        members, said = (
            _first_alike(rows, MEMBER),
            _first_alike(rows, *_columns(templates.inside), EXTRA_BESIDE),
        )
        firsts = said.unique()
        beside = dict(zip(firsts, _said(rows[firsts], templates.inside, EXTRA_BESIDE), strict=True))
        own = {
            first: templates.member(places).size([b"", b"", *texts]) + 1
            for first, (places, texts) in beside.items()
        }
        sizes = zip(said, rows[MEMBER].str.len_bytes(), strict=True)
        return FilledNames(
            names, members.to_list(), said.to_list(), [own[first] + length for first, length in sizes]
        )

    # -- writing ------------------------------------------------------------------------------------------------

    def _write(self, rows: pl.DataFrame) -> None:
        """Write requests from their rows."""
        templates = self._templates
        if templates.has_members:
            rows = self._members(rows)
        requests = _joined(rows, REQUEST).sort(REQUEST)
        each = zip(
            _bytes(requests[TEXT]), _said(requests, templates.head, EXTRA), requests[TIME], strict=True
        )
        for events, (places, texts), latest in each:
            values = [events, *texts]
            made = self._stamps(places, values, latest) if templates.made else []
            whole = templates.whole(places, tuple(value is not None for value in made))
            self._output.write(
                whole.filled([*values, *(value.encode() for value in made if value is not None)]) + b"\n"
            )
            self.requests += 1
        self.events += int(requests[COUNT].sum())
        if self._tell:
            for numbers in requests[NUMBERS]:
                self._tell(numbers.to_list())

    def _members(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Write the members of requests that have names of their own: a row each."""
        templates = self._templates
        members = _joined(rows, REQUEST, MEMBER)
        each = zip(
            _bytes(members[TEXT]),
            _bytes(members[MEMBER]),
            _said(members, templates.inside, EXTRA_BESIDE),
            strict=True,
        )
        texts = [
            templates.member(places).filled([events, name, *texts]) for events, name, (places, texts) in each
        ]
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


def _columns(entries: Sequence[Field]) -> list[str]:
    return [f"@{entry.place}" for entry in entries]


def _first_alike(rows: pl.DataFrame, *columns: str | pl.Expr) -> pl.Series:
    """Give for each row the number of the first that has the same in some columns."""
    alike = rows.select(*columns).with_row_index(FIRST)
    return alike.select(pl.col(FIRST).first().over(alike.columns[1:])).to_series()


def _joined(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Join the texts of rows by commas; of what stands around them, all have the same."""
    numbers = [pl.col(NUMBERS).explode()] if NUMBERS in rows.columns else []
    joined = [pl.col(TEXT).str.join(","), pl.col(COUNT).sum(), pl.col(TIME).max(), *numbers]
    same = pl.exclude(TEXT, COUNT, TIME, NUMBERS, *by).first()
    return rows.group_by(*by, maintain_order=True).agg(*joined, same)


def _said(rows: pl.DataFrame, entries: Sequence[Field], others: str) -> Iterator[Said]:
    """Give what stands around events in each row."""
    written = [
        as_json(entry, pl.col(f"@{entry.place}")).cast(pl.Binary).alias(entry.place) for entry in entries
    ]
    values = rows.select(written).rows() if written else [()] * rows.height
    return map(said, values, rows[others])


def _bytes(texts: pl.Series) -> list[bytes]:
    return texts.cast(pl.Binary).to_list()
