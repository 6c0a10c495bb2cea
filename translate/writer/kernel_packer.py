"""Rows packed into requests by the kernel, which keeps those that are open: their templates go to it as flat lists."""

from __future__ import annotations

import ctypes
import secrets
import weakref
from collections.abc import Callable, Sequence
from itertools import compress

import polars as pl

from translate.engine.library import handed_over
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout
from translate.writer.packing import EXTRA, EXTRA_BESIDE, OPEN_BYTES_MAX, ROW, LinesOutput
from translate.writer.shape import is_json
from translate.writer.templates import Said, Slot, Template, Templates, said

TEMPLATE, MEMBER_TEMPLATE = "_template", "_member_template"
PLACES, NUMBER = "_places", "_number"
EVENTS, LITERAL, ABSENT = -1, -2, -1  # as kernel/packing.c says
MORE, FAILED = 1, 2
PART, RANGE = 4, 3  # numbers of a part, and of a template
NO_LIMIT = 2**63 - 1
FIELDS_MAX = 62  # each has a bit of a whole number
TOGETHER_BYTES = 2**29  # of rows; what is written of them at once has to be below 2 GB

Value = int | bytes  # what fills a slot: a column, or the same for all


class KernelPacker:
    """Packs rows as `Packer` does, into requests that have neither stamps nor JSON within texts."""

    def __init__(self, kernel: ctypes.CDLL, layout: Layout, settings: Settings, output: LinesOutput) -> None:
        self._kernel, self._output = kernel, output
        self._templates = templates = Templates(layout, settings)
        head, inside = (
            [f"@{entry.place}" for entry in entries] for entries in (templates.head, templates.inside)
        )
        names = [f"@{place}" for place in templates.names]
        own = names[-1:] if templates.has_own_names else []
        member = names[:1] if templates.has_members else []
        before = [ROW, TEMPLATE, MEMBER_TEMPLATE, *head, EXTRA, *member, *own]
        self._columns = [*before, *inside, EXTRA_BESIDE]
        places = [before.index(name[0]) if name else ABSENT for name in (member, own)]
        self._member_name = places[0]
        self._places = _numbers([len(head) + 1, *places, len(before)])
        texts = {f"@{entry.place}" for entry in (*templates.head, *templates.inside) if _is_text(entry)}
        self._are_texts = _numbers([name in texts or name in names for name in self._columns])
        request = templates.request
        limits = request.events_max or NO_LIMIT, request.bytes_max or NO_LIMIT, OPEN_BYTES_MAX
        kernel.translate_packing_begin.restype = kernel.translate_packing_taken.restype = ctypes.c_void_p
        seed = ctypes.c_uint64(secrets.randbits(64))
        self._pointer = ctypes.c_void_p(kernel.translate_packing_begin(*map(ctypes.c_int64, limits), seed))
        if not self._pointer:
            raise MemoryError
        weakref.finalize(self, kernel.translate_packing_end, self._pointer)
        self.requests = self.events = 0

    @staticmethod
    def takes(layout: Layout, settings: Settings) -> bool:
        """Tell whether a layout's requests are such."""
        templates = Templates(layout, settings)
        is_small = max(len(templates.head), len(templates.inside)) <= FIELDS_MAX
        return not templates.request.closed and not templates.made and is_small

    def add(self, batch: pl.DataFrame) -> None:
        """Take in rows, writing requests that are full; columns as `Packer` takes them."""
        absent = {name: pl.lit(None) for name in (EXTRA, EXTRA_BESIDE) if name not in batch.columns}
        portions = 1 + int(batch[ROW].str.len_bytes().sum()) // TOGETHER_BYTES
        for rows in batch.with_columns(**absent).iter_slices(1 + batch.height // portions):
            self._add(rows)

    def finish(self) -> None:
        """Write what is left, in the order in which the requests were begun."""
        self._kernel.translate_packing_finish(self._pointer)
        self._go(is_begun=True)

    def _add(self, rows: pl.DataFrame) -> None:
        lists = Lists()
        rows = rows.with_columns(
            self._numbered(rows, self._templates.head, EXTRA, lists, self._whole).alias(TEMPLATE),
            self._numbered(rows, self._templates.inside, EXTRA_BESIDE, lists, self._member).alias(
                MEMBER_TEMPLATE
            ),
        )
        frame = rows.select(
            pl.col(name) if name in (TEMPLATE, MEMBER_TEMPLATE) else pl.col(name).cast(pl.String)
            for name in self._columns
        )
        numbers = self._places, self._are_texts, *lists.flat()  # they have to outlive the packing
        add = self._kernel.translate_packing_add
        self._go(is_begun=handed_over(lambda given: int(add(given, self._pointer, *numbers)), frame))

    def _go(self, *, is_begun: bool) -> None:
        """Have the kernel do it, and write what it made as often as that is enough."""
        state = MORE if is_begun else FAILED
        while state == MORE:
            state = self._kernel.translate_packing_go(self._pointer)
            told = (ctypes.c_int64 * 3)()
            at = self._kernel.translate_packing_taken(self._pointer, told)
            size, self.requests, self.events = told
            if size:
                self._output.write(memoryview((ctypes.c_char * size).from_address(at)).cast("B"))
        if state == FAILED:
            raise MemoryError

    # -- templates ----------------------------------------------------------------------------------------------

    def _numbered(
        self,
        rows: pl.DataFrame,
        entries: Sequence[Field],
        others: str,
        lists: Lists,
        add: Callable[[Lists, Said], int],
    ) -> pl.Series:
        """Add a template for all rows that say something in the same places, and else the same; give its number by row."""
        columns = [rows[f"@{entry.place}"] for entry in entries]
        bits = [(1 << number, column) for number, column in enumerate(columns)]
        seldom = [(bit, column) for bit, column in bits if 0 < column.null_count() < rows.height]
        always = sum(bit for bit, column in bits if column.null_count() == 0)
        places = pl.sum_horizontal(
            pl.lit(always, pl.Int64),
            *(pl.lit(column.is_not_null()).cast(pl.Int64) * bit for bit, column in seldom),
        )
        kinds = rows.select(places.alias(PLACES), others)
        is_one = not seldom and rows[others].null_count() == rows.height
        found = kinds.head(1) if is_one else kinds.unique(maintain_order=True)
        numbers = []
        for there, other in found.iter_rows():
            values = tuple([b"" if there & bit else None for bit, _ in bits])
            numbers.append(add(lists, said(values, other)))
        if len(numbers) == 1:
            return pl.repeat(numbers[0], rows.height, dtype=pl.Int64, eager=True)
        found = found.with_columns(pl.Series(NUMBER, numbers, pl.Int64))
        return kinds.join(found, on=[PLACES, others], how="left", nulls_equal=True, maintain_order="left")[
            NUMBER
        ]

    def _whole(self, lists: Lists, kind: Said) -> int:
        """Add the template of a request, of which the body has a size."""
        values = [EVENTS, *self._values(kind, self._templates.head)]
        return lists.add(self._templates.whole(kind[0], ()), values, self._templates.body(kind[0]))

    def _member(self, lists: Lists, kind: Said) -> int:
        """Add the template of a member, of which all has a size, and the comma before it."""
        if not self._templates.has_members:
            return 0
        template = self._templates.member(kind[0])
        values = [EVENTS, self._member_name, *self._values(kind, self._templates.inside)]
        return lists.add(template, values, template, beside=1)

    def _values(self, kind: Said, entries: Sequence[Field]) -> list[Value]:
        """Say what fills the slots: the columns of fields, then what else is there."""
        (fields, _), texts = kind
        columns = [self._columns.index(f"@{entry.place}") for entry in compress(entries, fields)]
        return [*columns, *texts[len(columns) :]]


class Lists:
    """Templates as the kernel takes them: their parts, what range of these each has, and all literals."""

    def __init__(self) -> None:
        self._parts: list[int] = []
        self._templates: list[int] = []
        self._literals = b""

    def add(self, template: Template, values: Sequence[Value], sized: Template, *, beside: int = 0) -> int:
        """Add a template, with what fills its slots, and what of it has a size; give its number."""
        counted = {part.number for part in sized if isinstance(part, Slot)}
        texts = [_value(part, values) for part in sized]
        size = sum(len(text) for text in texts if isinstance(text, bytes)) + beside
        first, literal = len(self._parts) // PART, b""
        for part in template:
            value = _value(part, values)
            if isinstance(value, bytes):
                literal += value
                continue
            self._literal(literal)
            literal = b""
            self._parts += [value, 0, 0, int(isinstance(part, Slot) and part.number in counted)]
        self._literal(literal)
        self._templates += [first, len(self._parts) // PART - first, size]
        return len(self._templates) // RANGE - 1

    def _literal(self, literal: bytes) -> None:
        self._parts += [LITERAL, len(self._literals), len(literal), 0]
        self._literals += literal

    def flat(self) -> tuple[ctypes.Array[ctypes.c_int32], ctypes.Array[ctypes.c_int32], bytes]:
        """Give them all."""
        return _numbers(self._parts), _numbers(self._templates), self._literals


def _value(part: str | Slot, values: Sequence[Value]) -> Value:
    return values[part.number] if isinstance(part, Slot) else part.encode()


def _is_text(entry: Field) -> bool:
    return not is_json(entry) and entry.wire == "text"


def _numbers(numbers: Sequence[int]) -> ctypes.Array[ctypes.c_int32]:
    return (ctypes.c_int32 * len(numbers))(*numbers)
