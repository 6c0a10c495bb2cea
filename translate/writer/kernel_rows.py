"""Rows by the kernel: a layout's shape as a flat list of steps, which the kernel carries out for each row."""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum, auto
from typing import TYPE_CHECKING

import polars as pl

from translate import events
from translate.engine.library import row_by_row
from translate.mapping.spec import Field
from translate.writer.shape import Shape, is_json

if TYPE_CHECKING:
    from polars.datatypes import DataType

# What the engine's encoder and the kernel spell alike, each with the form in which the kernel takes it.
FORMS: dict[DataType, DataType] = {
    pl.String(): pl.String(), pl.Null(): pl.String(), pl.Boolean(): pl.Boolean(), events.MAP: events.MAP,
    **dict.fromkeys([pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32()], events.WHOLE),
}  # fmt: skip
# Only of such names do the expressions leave out members that are null.
PLAIN_NAME = re.compile(r"[0-9A-Za-z_.$]+")
NULL_TEXT = -1
BYTES_EXPECTED = 2048  # of the first rows; of others somewhat more than those before had
MORE = 1.08


class RowStep(IntEnum):
    """What a step does, as kernel/write.c says."""

    NEED_ANY = 0
    NEED_ALL = auto()
    NEED_ENTRIES = auto()
    LITERAL = auto()
    OPEN = auto()
    QUOTED = auto()
    BARE = auto()
    TEXTS = auto()
    NUMBERS = auto()
    TEXT_ENTITIES = auto()
    NUMBER_ENTITIES = auto()
    MADE = auto()
    MADE_QUOTED = auto()
    VALUES = auto()


class RowSteps:
    """The steps that write a layout's containers, each into a column `=place`, and then its rows."""

    def __init__(self, shape: Shape, schema: Mapping[str, DataType], row: str) -> None:
        self._shape = shape
        self._schema = schema
        self._slots: dict[str, int] = {}
        self._steps: list[list[int]] = []
        self._ends: list[int] = []
        self._conditions: list[int] = []
        self._literals = b""
        # Those that are quoted in the row are written apart from it, before it.
        self._containers = sorted(
            shape.containers.items(), key=lambda container: not container[1].word.write_as_text
        )
        self._apart = sum(entry.word.write_as_text for _, entry in self._containers)
        self._bytes_of_row: float = BYTES_EXPECTED
        self.names = [*(f"={place}" for place, _ in self._containers), row]
        for place, entry in self._containers:
            self._container(place, entry)
            self._ends.append(len(self._steps))
        self._row()
        self._ends.append(len(self._steps))

    def is_exact(self) -> bool:
        """Tell whether the kernel writes all of it as the expressions do."""
        shape = self._shape
        named = [entry for entry in [*shape.columns, *shape.all_presets()] if not is_json(entry)]
        plain = all(PLAIN_NAME.fullmatch(segment) for entry in named for segment in entry.path)
        return plain and all(self._schema[name] in FORMS for name in self._slots)

    def written(self, frame: pl.LazyFrame, kernel: ctypes.CDLL) -> pl.LazyFrame:
        """Add the columns to a frame."""
        values = [pl.col(name).cast(FORMS[self._schema[name]]) for name in self._slots]
        texts = pl.Struct(dict.fromkeys(self.names, pl.String))
        made = pl.map_batches(values, self._call(kernel), return_dtype=texts, is_elementwise=True)
        fields = {name: pl.col("_written").struct.field(name) for name in self.names}
        return frame.with_columns(_written=made).with_columns(**fields).drop("_written")

    # -- steps ------------------------------------------------------------------------------------------------

    def _row(self) -> None:
        self._step(RowStep.LITERAL, before="{")
        self._fields(self._shape.columns, 0)
        numbers = {place: number for number, (place, _) in enumerate(self._containers)}
        for place, entry in self._shape.containers.items():
            code = RowStep.MADE_QUOTED if entry.word.write_as_text else RowStep.MADE
            self._step(code, slot=numbers[place], before=_named(place))
        self._step(RowStep.LITERAL, before="}")

    def _fields(self, entries: list[Field], depth: int) -> None:
        """Write fields as members, nested by the segments of their places: those that hold JSON come last."""
        heads = {entry.path[: depth + 1] for entry in entries if is_json(entry)}
        plain = [entry for entry in entries if entry.path[: depth + 1] not in heads]
        for group in (plain, [entry for entry in entries if entry.path[: depth + 1] in heads]):
            for head in dict.fromkeys(entry.path[: depth + 1] for entry in group):
                inner = [entry for entry in group if entry.path[: depth + 1] == head]
                if inner[0].path == head:
                    self._member(inner[0], _named(head[-1]))
                else:
                    self._object(head, inner)

    def _object(self, head: tuple[str, ...], inner: list[Field]) -> None:
        place = ".".join(head)
        needs = [f"{place}.{name}" for name in self._shape.layout.objects.get(place, ())]
        if any(need not in {entry.place for entry in self._shape.columns} for need in needs):
            return
        conditions = needs or [entry.place for entry in inner]
        need = self._need(
            RowStep.NEED_ALL if needs else RowStep.NEED_ANY, [f"={name}" for name in conditions]
        )
        self._step(RowStep.OPEN, before=_named(head[-1]) + "{")
        self._fields(inner, len(head))
        self._step(RowStep.LITERAL, before="}")
        need[-1] = len(self._steps)

    def _container(self, place: str, entry: Field) -> None:
        form = entry.word.form
        kinds = [kind for kind in entry.hub if kind != "other"]
        if form == "entities":
            self._step(RowStep.LITERAL, before="[")
            self._presets(place, '{"key":', ',"value":', "}")
            for kind in kinds:
                code = RowStep.NUMBER_ENTITIES if kind == "metrics" else RowStep.TEXT_ENTITIES
                self._step(code, slot=self._slot(f"_{kind}"))
            self._step(RowStep.BARE, slot=self._slot("_other"))
            self._step(RowStep.LITERAL, before="]")
            return
        if form == "properties":
            self._step(RowStep.NEED_ENTRIES, slot=self._slot("_attributes"))
            kinds = ["attributes"]
        elif form != "object":
            presets = [f"={entry.place}" for entry in self._wanted(place)]
            self._need(RowStep.NEED_ANY, [*(f"_{kind}" for kind in kinds), *presets])
        self._step(RowStep.LITERAL, before="{")
        if form != "properties":
            self._presets(place)
        for kind in kinds:
            code = RowStep.NUMBERS if kind == "metrics" else RowStep.TEXTS
            self._step(code, slot=self._slot(f"_{kind}"))
        if form == "object":
            self._step(RowStep.VALUES, slot=self._slot("_others"))
        self._step(RowStep.LITERAL, before="}")

    def _wanted(self, place: str) -> list[Field]:
        """Give a container's presets, those that hold JSON last."""
        wanted = [entry for entry in self._shape.presets[place] if self._shape.is_wanted(entry)]
        return sorted(wanted, key=is_json)

    def _presets(self, place: str, opening: str = "", colon: str = ":", closing: str = "") -> None:
        for entry in self._wanted(place):
            self._member(entry, f"{opening}{_quoted(entry.key)}{colon}", closing)

    def _member(self, entry: Field, before: str, after: str = "") -> None:
        name = f"={entry.place}"
        is_text = not is_json(entry) and self._schema[name] in (pl.String, pl.Null)
        self._step(
            RowStep.QUOTED if is_text else RowStep.BARE, slot=self._slot(name), before=before, after=after
        )

    def _need(self, code: RowStep, names: list[str]) -> list[int]:
        step = self._step(code, conditions=len(names))
        self._conditions += map(self._slot, names)
        return step

    def _slot(self, name: str) -> int:
        return self._slots.setdefault(name, len(self._slots))

    def _step(
        self, code: RowStep, *, slot: int = 0, before: str = "", after: str = "", conditions: int = 0
    ) -> list[int]:
        texts = [before.encode(), after.encode()]
        places = [len(self._literals), len(self._literals) + len(texts[0])]
        self._literals += b"".join(texts)
        spans = [number for place, text in zip(places, texts, strict=True) for number in (place, len(text))]
        self._steps.append([code, slot, *spans, len(self._conditions), conditions, NULL_TEXT])
        return self._steps[-1]

    def _call(self, kernel: ctypes.CDLL) -> Callable[[Sequence[pl.Series]], pl.Series]:
        steps = _numbers([number for step in self._steps for number in step])
        ends, conditions = _numbers(self._ends), _numbers(self._conditions)
        literals, names = self._literals, self.names
        spelled = (ctypes.c_char_p * len(names))(*(name.encode() for name in names))

        def made(columns: Sequence[pl.Series]) -> pl.Series:
            expected = ctypes.c_int64(int(len(columns[0]) * self._bytes_of_row))
            frame = row_by_row(
                lambda given, out: kernel.translate_rows(
                    given, steps, ends, len(names), self._apart, spelled, literals, conditions, expected, out
                ),
                pl.DataFrame(columns),
            )
            if frame.height:
                written = frame.select_seq(pl.col(*names[: self._apart], names[-1]).str.len_bytes().sum())
                self._bytes_of_row = MORE * sum(written.row(0)) / frame.height
            return frame.to_struct("_written")

        return made


def _numbers(numbers: Sequence[int]) -> ctypes.Array[ctypes.c_int32]:
    return (ctypes.c_int32 * len(numbers))(*numbers)


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _named(name: str) -> str:
    return f"{_quoted(name)}:"
