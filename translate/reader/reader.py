"""Raw lines to records: by the kernel where it runs, by the reference where it does not, and where the kernel leaves a line to it."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import polars as pl

from translate import events
from translate.archive import table
from translate.archive.batches import Lines
from translate.engine.texts import bytes_of
from translate.mapping.settings import RECORD_BYTES
from translate.mapping.spec import Layout
from translate.reader.broken import DAMAGE, damaged, records_in
from translate.reader.careful import CarefulReader
from translate.reader.kernel_reader import REFUSED, Columns, KernelReader
from translate.reader.literals import INCOMPLETE
from translate.reader.record import Record, frame_of
from translate.reader.tree import is_read, raw_type, slots
from translate.vocabulary import notes
from translate.vocabulary.spelling import Spelling

ORIGINAL_NAME = "original_name"
BYTES_A_CHARACTER = 4  # at most
LINES_AT_ONCE = 20_000  # each takes the room of a record, also those of one that was printed over many
TABLE_BATCH_BYTES = 3 << 19  # the objects that rows become are more than twice as long as these
RETURNS = r"the lines end in carriage returns alone; turn these into line feeds, as tr '\r' '\n' does"
OF_LINES: dict[str, Any] = {
    "whole_line": pl.String, "first_request": pl.UInt32, "request": pl.UInt32, "refuses": pl.String,
}  # fmt: skip


@dataclass
class Tally:
    """What the reader counts while it works, for the progress bar; `on_empty_line` is told the lines without any event."""

    bytes: int = 0
    records: int = 0
    empty_requests: int = 0
    on_batch: Callable[[int, int], None] | None = None
    on_empty_line: Callable[[str], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add_empty(self, requests: int) -> None:
        """Count requests, or parts of them, that hold no event."""
        with self._lock:
            self.empty_requests += requests

    def add(self, count_bytes: int, records: int) -> None:
        """Count a batch; batches come from several threads."""
        with self._lock:
            self.bytes += count_bytes
            self.records += records
            if self.on_batch:
                self.on_batch(count_bytes, records)


class Reader:
    """Reads one layout; `unsound` names the files whose records reach over several lines.

    With `keeps_lines` each line of requests goes along with its first event, and where in it every event stands.
    """

    def __init__(
        self, layout: Layout, names: Mapping[str, Spelling] | None = None, *, careful_only: bool = False,
        tally: Tally | None = None, keeps_lines: bool = False, record_bytes: int = RECORD_BYTES,
    ) -> None:  # fmt: skip
        self.layout = layout
        self._keeps_lines = keeps_lines and layout.request is not None
        self._record_bytes = record_bytes
        self.unsound: set[str] = set()
        self._begins: dict[int, bool] = {}  # whether the first row of a batch begins a record
        self._ended_by: dict[int, str] = {}  # the row behind a batch that ends within a record: whose that is
        self._careful = CarefulReader(layout, names, record_bytes=record_bytes)
        self._kernel = (
            None if careful_only or self._keeps_lines else KernelReader.of(layout, names or {}, record_bytes)
        )
        self._tally = tally or Tally()
        self._headers: dict[str, list[str]] = {}
        self._columns: dict[str, Columns] = {}
        self._wanted = " and ".join(entry.place for entry in layout.fields if entry.required)
        self._required = {entry.place for entry in layout.fields if entry.required}
        self._slots = {slot: entry for slot, entry in slots(layout) if is_read(entry)}
        self.schema: dict[str, Any] = {
            "row": pl.UInt32,
            "part": pl.UInt32,
            "file": pl.String,
            "line": pl.Int64,
            "text": pl.String,
            "code": pl.String,
            "message": pl.String,
            "base64": pl.Boolean,
            "careful": pl.Boolean,
            "nulls": pl.UInt32,
            "notes": notes.NOTES_TYPE,
            **{f"${slot}": raw_type(entry) for slot, entry in self._slots.items()},
            ORIGINAL_NAME: pl.String,
            **dict.fromkeys(events.MAPS, events.MAP),
            **(OF_LINES if self._keeps_lines else {}),
        }

    def records(self, lines: Lines) -> pl.LazyFrame:
        """Read lines into raw records, in the order of the lines; refused ones carry code and message."""
        if self.layout.records == "json-lines" and not self._keeps_lines:
            lines.long_lines.record_bytes = self._record_bytes
        if self.layout.records == "csv":
            lines.ahead.batch_bytes = TABLE_BATCH_BYTES
            self._headers = table.headers(lines.frame, lines.files, lines.first_rows, lines.joined)
            self._columns = {file: Columns(self.layout, header) for file, header in self._headers.items()}
        read = partial(self._read_batch, lines=lines)
        return lines.frame.select("row", "text").map_batches(
            read, schema=self.schema, validate_output_schema=False, streamable=True
        )

    def _read_batch(self, batch: pl.DataFrame, lines: Lines) -> pl.DataFrame:
        """Read a batch of lines; once a file is unsound nothing that is read is kept, and only others of the kind are looked for."""
        lines.ahead.read()
        if batch.height:
            row = batch["row"][0]
            self._begins[row] = _begins_at(0, row, batch)
            self._judge_end(row)
        frame = self._read_some(self._worth_reading(batch[:LINES_AT_ONCE], lines), batch, lines)
        for first in range(LINES_AT_ONCE, batch.height, LINES_AT_ONCE):
            some = self._worth_reading(batch[first : first + LINES_AT_ONCE], lines)
            if some.height:
                frame.extend(self._read_some(some, batch, lines))
        frame = frame.clear() if self._is_in_vain(lines) else frame
        lines.ahead.found(frame.height)
        self._tally.add(bytes_of(batch["text"]) + batch.height, frame.height)
        return lines.with_origins(frame)[[*self.schema]]

    def _is_in_vain(self, lines: Lines) -> bool:
        return bool(self.unsound) and not lines.are_read_once

    def _worth_reading(self, some: pl.DataFrame, lines: Lines) -> pl.DataFrame:
        """Leave out the lines of files that are known to be unsound."""
        if not self._is_in_vain(lines):
            return some
        return some.filter(~lines.files_of(some["row"]).is_in([*self.unsound]))

    def _read_some(self, some: pl.DataFrame, batch: pl.DataFrame, lines: Lines) -> pl.DataFrame:
        """Read some lines of a batch: by the kernel what it decides, the rest by the reference."""
        if self._kernel is None:
            whole = ((row, text, None) for row, text in some.select("row", "text").iter_rows())
            found = ((line[0], self._read_carefully(*line, batch, lines)) for line in whole)
            return frame_of(found, self.schema, keeps_lines=self._keeps_lines)
        is_table = self.layout.records == "csv"
        stood = self._as_they_stood(some, lines) if is_table else some
        given = stood.with_columns(read_as=self._objects(stood, lines)) if is_table else stood
        rows, text_of = some["row"], lru_cache(maxsize=1)(some["text"].__getitem__)

        def read_left(line: int, rest: str | None) -> list[Record]:
            return self._read_carefully(rows[line], text_of(line), rest, batch, lines)

        frame = self._kernel.read(given, read_left, _places_of(lines.damage, rows))
        if frame["code"].null_count() < frame.height:
            is_cut = (frame["code"] == INCOMPLETE) & (frame["odd"] == REFUSED)
            self._find_unsound(frame["row"].filter(is_cut), batch, lines)
        return frame

    def _read_carefully(
        self, row: int, text: str, rest: str | None, batch: pl.DataFrame, lines: Lines
    ) -> list[Record]:
        """Read a line of a batch, or the `rest` of it, or a record that it has."""
        records: list[Record] = []
        line = text if rest is None or text.endswith(rest) else rest
        begin = 0 if rest is None else len(line) - len(rest)
        for piece, found in self._pieces_of(row, line, begin, batch, lines):
            held = [record for record in found if record.holds_event]
            self._tally.add_empty(len(found) - len(held))
            if self._keeps_lines:
                self._keep_line(piece, held)
            records += held
        return records

    def _keep_line(self, text: str, held: list[Record]) -> None:
        """Keep a line's text for its first event; damage has a text of its own."""
        if held:
            held[0].line = held[0].raw if held[0].refuses == DAMAGE else text
        elif self._tally.on_empty_line and text.strip():
            self._tally.on_empty_line(text)

    def _pieces_of(
        self, row: int, text: str, begin: int, batch: pl.DataFrame, lines: Lines
    ) -> Iterable[tuple[str, list[Record]]]:
        """Give a line's records with its text; of a line that is no text, piece by piece."""
        damage = lines.damage.get(row)
        if damage is None:
            return [(text, self._records_of(row, text, begin, batch, lines))]
        if self.layout.records == "json-lines":
            return records_in(damage, self._careful.read)
        return [(text, [damaged(damage)])]

    def _records_of(self, row: int, text: str, begin: int, batch: pl.DataFrame, lines: Lines) -> list[Record]:
        text = self._as_it_stood(text, lines.origin(row)[0], lines)
        if self.layout.records == "csv":
            return list(self._row_of_table(row, text, lines))
        found = list(self._careful.read(text, begin))
        if found and found[-1].code == INCOMPLETE:
            self._find_unsound([row], batch, lines)
        return found

    def _find_unsound(self, rows: Iterable[int], batch: pl.DataFrame, lines: Lines) -> None:
        """Find out which of the lines whose last record is cut off go on in the next one, perhaps in another batch.

        If that begins a record, whatever was still open in the one before, putting these together would change nothing.
        Where a limit may end the reading before the next batch, that is not waited for.
        """
        for row in rows:
            place = bisect_left(batch["row"], row)
            file = lines.origin(row)[0]
            if lines.goes_on_after(row) or file in lines.joined:
                continue
            is_object = _line_at(place, row, batch).startswith("{")
            if is_object and place + 1 == batch.height and lines.ahead.awaits_writing:
                self._ended_by[row + 1] = file
                self._judge_end(row + 1)
            elif not (is_object and _begins_at(place + 1, row + 1, batch)):
                self.unsound.add(file)

    def _judge_end(self, row: int) -> None:
        """Judge the last line of a batch by the first one of the next, whichever was read first; the last one of all is not judged."""
        if row in self._begins and (file := self._ended_by.pop(row, "")) and not self._begins[row]:
            self.unsound.add(file)

    def _as_they_stood(self, some: pl.DataFrame, lines: Lines) -> pl.DataFrame:
        """Give rows of tables with the line breaks that they had."""
        if not lines.joined:
            return some
        rows = some.select("row", "text").iter_rows()
        texts = [self._as_it_stood(text, lines.origin(row)[0], lines) for row, text in rows]
        return some.with_columns(text=pl.Series(texts, dtype=pl.String))

    @staticmethod
    def _as_it_stood(text: str, file: str, lines: Lines) -> str:
        return table.as_it_stood(text) if file in lines.joined else text

    def _objects(self, stood: pl.DataFrame, lines: Lines) -> pl.Series:
        """Give rows of tables as the objects that they say; nothing of what the reference has to look at."""
        objects: list[str | None] = []
        for row, text in stood.select("row", "text").iter_rows():
            file, line = lines.origin(row)
            is_header = line == 1 and not text.startswith(table.PARQUET_ROW)
            cells = None if is_header or not text else table.cells(text)
            said = None if cells is None else self._columns[file].as_object(cells)
            is_long = said is not None and BYTES_A_CHARACTER * max(len(text), len(said)) > self._record_bytes
            objects.append(None if is_long else said)
        return pl.Series("text", objects, pl.String)

    def _row_of_table(self, row: int, text: str, lines: Lines) -> Iterator[Record]:
        """Read a table's row; a header and an empty line are none."""
        file, line = lines.origin(row)
        if line == 1 and not text.startswith(table.PARQUET_ROW):
            if table.ends_in_returns(text):
                yield Record(text, code="no_header", message=RETURNS)
            elif text and not self._required & {*self._headers[file]}:
                message = f"the first line should name the columns, {self._wanted} among them"
                yield Record(text, code="no_header", message=message)
            return
        if not text:
            return
        cells = table.cells(text)
        if cells is None:
            self.unsound |= {file} - lines.joined
            yield Record(text, code=INCOMPLETE, message="the row is cut off inside of a quoted cell")
        else:
            yield self._careful.read_cells(text, self._headers[file], cells)


def _places_of(numbers: Collection[int], rows: pl.Series) -> list[int]:
    """Give the places of those rows of a batch whose numbers are among some."""
    if not (numbers and len(rows)):
        return []
    first, last = rows[0], rows[-1]
    among = [*numbers] if len(numbers) < len(rows) else range(first, last + 1)
    found = sorted(row for row in among if first <= row <= last and row in numbers)
    return [place for row in found if rows[place := bisect_left(rows, row)] == row]


def _line_at(place: int, row: int, batch: pl.DataFrame) -> str:
    """Give the text of a row that should be at a place of a batch; nothing if it is not."""
    return batch["text"][place] or "" if place < batch.height and batch["row"][place] == row else ""


def _begins_at(place: int, row: int, batch: pl.DataFrame) -> bool:
    return _line_at(place, row, batch).startswith('{"')
