"""Run by test_sanitized.py in a process of its own: the kernel reads what was made to break it, each line in memory that ends where it does."""

from __future__ import annotations

import ctypes
import random
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from fuzz import batches
from held import ARCHIVE, mutated, read_layouts, sample_lines
from test_conformance import FREE, PLAIN, REFUSED, RESPELLED, of_attribute, of_member
from test_numbers import DIRECTED, line_of

import translate
from translate.engine.build import SANITIZED
from translate.engine.library import STREAM, ArrowStream, library
from translate.mapping import find_layout
from translate.reader.kernel_reader import ANSWER, CAREFUL
from translate.reader.program import Program
from translate.vocabulary.notation import quoted

RECORD_BYTES = 2**26
BATCH = 250
NONE_LEFT = ctypes.byref(ctypes.c_int64(-1))
INSIDE = 12  # bytes that lie in a view itself


def column_of(lines: list[str]) -> tuple[pa.Array, list[object]]:
    """Give lines as string views, each of which has a buffer of its own, to the byte: what reads on is caught."""
    views, buffers, kept = bytearray(), [], []
    for line in lines:
        content = line.encode()
        views += struct.pack("i", len(content))
        if len(content) <= INSIDE:
            views += content.ljust(INSIDE, b"\0")
            continue
        memory = (ctypes.c_char * len(content)).from_buffer_copy(content)
        views += content[:4] + struct.pack("ii", len(buffers), 0)
        buffers.append(pa.foreign_buffer(ctypes.addressof(memory), len(content), memory))
        kept.append(memory)
    return pa.Array.from_buffers(
        pa.string_view(), len(lines), [None, pa.py_buffer(bytes(views)), *buffers]
    ), kept


def reader_of_what_is_left(program: Program) -> Any:
    """Give a reader that says two rows of all that is left: a cell of each type with what was left, and hardly anything."""
    numbers, kept = {name: number for number, name in enumerate(program.columns)}, [b""]

    def answer(line: int, at: int, length: int, said: Any) -> int:
        text = ctypes.string_at(at, length).decode() if at and length > 0 else ""
        cells = {
            "odd": CAREFUL,
            "nulls": -line,
            "text": text,
            "notes": ["", text],
            "extra": {text: "x", "": text},
        }
        told = [part for name, value in cells.items() for part in (numbers[name], value)]
        kept[0] = quoted(told).encode() + quoted(told[:2]).encode()
        said.contents.bytes, said.contents.length = kept[0], len(kept[0])
        return 1

    return ANSWER(answer)


class Made:
    """A stream that the kernel filled."""

    def __init__(self, stream: ArrowStream) -> None:
        self._stream = stream

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return ctypes.pythonapi.PyCapsule_New(ctypes.addressof(self._stream), STREAM, None)


def read(program: Program, lines: list[str]) -> pl.DataFrame:
    """Let the kernel read lines; whatever it made of them is looked at to the last byte."""
    texts, kept = column_of(lines)
    batch = pa.RecordBatch.from_arrays([texts], ["text"])
    capsule = pa.RecordBatchReader.from_batches(batch.schema, [batch]).__arrow_c_stream__()
    given = ctypes.c_void_p(ctypes.pythonapi.PyCapsule_GetPointer(capsule, STREAM))
    made, read_left = ArrowStream(), reader_of_what_is_left(program)
    assert (
        library().translate_read_lines(
            program.pointer, given, NONE_LEFT, program.told, read_left, ctypes.byref(made)
        )
        == 0
    )
    frame = pl.DataFrame(Made(made))
    assert (
        frame["batch_row"].n_unique()
        <= len(lines)
        == len(kept) + sum(len(line.encode()) <= INSIDE for line in lines)
    )
    return frame


def attacks(address: str, count: int) -> Iterator[list[str]]:
    """Give batches: mutated samples and grown records."""
    randomness = random.Random(f"sanitized {address}")
    samples = sample_lines(*address.split("/"))
    grown = batches(address, "sanitized")
    yield samples
    for _ in range(count // BATCH // 2):
        yield [mutated(randomness, randomness.choice(samples)) for _ in range(BATCH)]
        yield next(grown)


def cut_everywhere(address: str) -> Iterator[list[str]]:
    """Give each of a few samples cut behind each of its bytes."""
    samples = sorted({line for line in sample_lines(*address.split("/")) if line}, key=len)
    for line in (samples[0], samples[len(samples) // 2]):
        yield [line.encode()[:length].decode("utf-8", "ignore") for length in range(min(len(line), 1500))]


def main(count: int) -> None:
    """Read all of it, and convert the samples, which makes ids and writes rows."""
    assert Path(library()._name) == SANITIZED
    addresses = read_layouts()
    total = decided = 0
    for address in addresses:
        mapping, layout = find_layout(address)
        program = Program(layout, mapping.names, RECORD_BYTES)
        sources = [*attacks(address, count // len(addresses) + BATCH), *cut_everywhere(address)]
        if address == ARCHIVE:
            cases = [*PLAIN, *RESPELLED, *REFUSED, *FREE, "null", ""]
            sources += [
                cases,
                [of_member(case) for case in cases],
                [of_attribute(case) for case in cases],
                [line_of([literal]) for literal in DIRECTED],
            ]
        for lines in sources:
            frame = read(program, lines)
            total += len(lines)
            decided += frame.filter(pl.col("odd").is_null())["batch_row"].n_unique()
    with tempfile.TemporaryDirectory() as folder:
        for address in addresses:
            source = Path(folder, address.replace("/", "-"))
            source.mkdir()
            lines = [line for line in sample_lines(*address.split("/")) if line]
            (source / "a.json").write_text("\n".join(lines * 3), encoding="utf-8", newline="")
            for target in ("clickstream", "mobile_analytics/requests"):
                translate.convert(source, to=target, from_=address, out=source / target.replace("/", "-"))
    print(total, decided)


if __name__ == "__main__":
    main(int(sys.argv[1]))
