"""Packs rows into requests, under count and byte limits, in the order of the source."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, starmap
from typing import Any, NamedTuple, Protocol

import polars as pl

from translate.archive import table
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout
from translate.vocabulary.notation import json_text
from translate.vocabulary.words.stamps import StampedRequest
from translate.writer.shape import as_json
from translate.writer.templates import Places, Said, Templates, filled, said

ROW = "_row"
EXTRA = "_extra_of_request"
EXTRA_BESIDE = "_extra_beside_events"
TIME = "_time"
# Requests that are open at a time may hold so much: beyond it, all are written, so that memory does not grow.
OPEN_BYTES_MAX = 64 * 1024 * 1024
HOUR_MS = 3_600_000

# The texts of fields, what else is there, and the hour that keeps rows apart.
Around = tuple[Any, ...]


class LinesOutput(Protocol):
    """What lines are written to."""

    def write(self, text: bytes | memoryview, /) -> object:
        """Write what is a whole line, or several."""


class PackedRow(NamedTuple):
    """The text of an event, the member that it lies in, its name and time; what is around it, and beside it in its member."""

    text: bytes
    member: bytes
    name: bytes
    time: int | None
    around: Around
    beside: Around


@dataclass
class PackedMember:
    """Rows of a request that lie in one object or list."""

    beside: Around
    texts: list[bytes] = field(default_factory=list)
    names: set[bytes] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)


@dataclass
class OpenRequest:
    """A request that takes rows as long as it is open."""

    size: int
    times: list[int | None] = field(default_factory=list)  # of its rows
    members: dict[bytes, PackedMember] = field(default_factory=dict)


class Packer:
    """Packs rows into a layout's requests, one open request for each set of values around the events.

    `tell` gets, for each request that is written, the numbers of its events, counted from 0 in the order in which
    they were added, and listed in the order in which a reader meets them.
    """

    def __init__(
        self, layout: Layout, settings: Settings, output: LinesOutput, *, sequence: int = 1,
        tell: Callable[[list[int]], None] | None = None,
    ) -> None:  # fmt: skip
        self._templates = templates = Templates(layout, settings)
        self._events_max = templates.request.events_max or math.inf
        self._bytes_max = templates.request.bytes_max or math.inf
        self._by_hour = any(entry.word.keeps_hours_apart for entry in templates.made)
        self._output = output
        self._tell = tell
        self._sequence = sequence
        self._open: dict[Around, OpenRequest] = {}
        self._open_bytes = 0
        self._taken = 0
        self.requests = 0
        self.events = 0  # counted where they are written, to be held against the account

    def add(self, batch: pl.DataFrame) -> None:
        """Take in rows, writing requests that are full.

        Columns: `_row`, the event as JSON text; a column `@place` for each field around it; `_time`, in milliseconds,
        where requests are kept apart by hours; what else the request held, as lists of ways and JSON texts.
        """
        for row in self._rows(batch):
            self._put(row)
            if self._open_bytes > OPEN_BYTES_MAX:
                self.finish()

    def finish(self) -> None:
        """Write what is left, in the order in which the requests were begun."""
        for around in [*self._open]:
            self._write(around)

    def _rows(self, batch: pl.DataFrame) -> Iterator[PackedRow]:
        """Give rows as they stand in a request; a name, or a member, that rows have none of is empty."""
        templates = self._templates
        absent = {name: pl.lit(None) for name in (TIME, EXTRA, EXTRA_BESIDE) if name not in batch.columns}
        batch = batch.with_columns(**absent)
        names = [json_text(pl.col(f"@{place}")) for place in templates.names]
        name = names[-1] if templates.has_own_names else pl.lit("")
        text = pl.concat_str(name, pl.lit(":"), ROW) if templates.has_own_names else pl.col(ROW)
        member = names[0] if templates.has_members else pl.lit("")
        hour = pl.col(TIME) // HOUR_MS if self._by_hour else pl.lit(None)
        texts = {"text": text, "member": member, "name": name}
        rows = batch.select(**{column: each.cast(pl.Binary) for column, each in texts.items()}, time=TIME)
        around = _around(batch, templates.head, EXTRA, hour)
        beside = _around(batch, templates.inside, EXTRA_BESIDE, pl.lit(None))
        return map(PackedRow, *(column.to_list() for column in rows), around, beside)

    def _put(self, row: PackedRow) -> None:
        request = self._open.get(row.around)
        if request is None or not self._takes(request, row):
            request = self._begin(row.around)
        size = self._size(request, row)
        request.size += size
        self._open_bytes += size
        request.times.append(row.time)
        member = request.members.get(row.member)
        if member is None:
            member = request.members[row.member] = PackedMember(row.beside)
        member.texts.append(row.text)
        member.names.add(row.name)
        member.numbers.append(self._taken)
        self._taken += 1

    def _begin(self, around: Around) -> OpenRequest:
        """Begin a request, writing the one that has the same around it."""
        if around in self._open:
            self._write(around)
        places, texts = _said(around)
        request = self._open[around] = OpenRequest(len(filled(self._templates.body(places), [b"", *texts])))
        self._open_bytes += request.size
        return request

    def _takes(self, request: OpenRequest, row: PackedRow) -> bool:
        """Tell whether a row fits, and no other has its name, nor does its member say something else."""
        member = request.members.get(row.member)
        return (
            len(request.times) < self._events_max
            and request.size + self._size(request, row) <= self._bytes_max
            and (
                member is None
                or (row.beside == member.beside and not (row.name and row.name in member.names))
            )
        )

    def _size(self, request: OpenRequest, row: PackedRow) -> int:
        """Tell what a row adds to a body, with commas: its member, too, if it is the first one there."""
        if row.member in request.members or not self._templates.has_members:
            return len(row.text) + 1
        return len(row.text) + 1 + len(self._text_of(row.member, PackedMember(row.beside))) + 1

    def _text_of(self, name: bytes, member: PackedMember) -> bytes:
        """Write the events of a member, and what is around them where it has a name."""
        events = b",".join(member.texts)
        if not self._templates.has_members:
            return events
        places, texts = _said(member.beside)
        return filled(self._templates.member(places), [events, name, *texts])

    def _write(self, around: Around) -> None:
        request = self._open.pop(around)
        self._open_bytes -= request.size
        places, texts = _said(around)
        values = [b",".join(starmap(self._text_of, request.members.items())), *texts]
        made = self._stamps(places, values, request)
        whole = self._templates.whole(places, tuple([value is not None for value in made]))
        values += [value.encode() for value in made if value is not None]
        self._output.write(filled(whole, values) + b"\n")
        self.requests += 1
        self.events += len(request.times)
        if self._tell:
            self._tell([number for member in request.members.values() for number in member.numbers])

    def _stamps(self, places: Places, values: list[bytes], request: OpenRequest) -> list[str | None]:
        entries = compress(self._templates.head, places[0])
        head = {
            entry.hub[0]: text.decode() for entry, text in zip(entries, values[1:], strict=False) if entry.hub
        }
        latest = max((time for time in request.times if time is not None), default=None)
        body = filled(self._templates.body(places), values)
        stamped = StampedRequest(self._sequence + self.requests, body, latest, head)
        return [
            entry.word.make(stamped, entry.template) if entry.word.make else None
            for entry in self._templates.made
        ]


def _around(batch: pl.DataFrame, entries: Sequence[Field], others: str, hour: pl.Expr) -> list[Around]:
    """Give for each row what is around it."""
    fields = {
        f"@{entry.place}": as_json(entry, pl.col(f"@{entry.place}")).cast(pl.Binary) for entry in entries
    }
    return batch.select(**fields, others=others, hour=hour).rows()


def _said(around: Around) -> Said:
    *values, others, _ = around
    return said(tuple(values), others)


def as_lines(
    written: pl.DataFrame, layout: Layout, settings: Settings, shown: list[str], members: list[str]
) -> tuple[list[str], list[int]]:
    """Give the lines of rows, and the rows' numbers in the order in which a reader meets them.

    Rows are made of the columns `shown`, requests of `members`, which have a sign before their names.
    """
    order = list(range(written.height))
    if layout.records == "csv":
        cells = written.select(shown).rename(lambda name: name.removeprefix("="))
        return table.rows_of(cells.write_csv(quote_style="necessary")), order
    if layout.request is None:
        return written[ROW].to_list(), order
    output = io.BytesIO()
    met: list[int] = []
    packer = Packer(layout, settings, output, tell=met.extend)
    packer.add(written.select(pl.col(name).alias(name.removeprefix("+")) for name in members))
    packer.finish()
    return output.getvalue().decode().removesuffix("\n").split("\n"), met
