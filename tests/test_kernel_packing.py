"""Requests by the kernel are those that Python packs, byte by byte, whatever the rows, their limits and their batches."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from translate import mapping
from translate.engine.library import library
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout
from translate.writer import kernel_packer as packed
from translate.writer import packing
from translate.writer.kernel_packer import KernelPacker
from translate.writer.packing import EXTRA, EXTRA_BESIDE, ROW, Packer
from translate.writer.shape import is_json
from translate.writer.templates import Templates

KERNEL: Any = library()
pytestmark = pytest.mark.skipif(KERNEL is None, reason="there is no kernel")

SETTINGS = Settings(fill_endpoints=True, tracking_id="t")
PINPOINT = mapping.find_layout("pinpoint/requests")[1]


def with_request(layout: Layout, **changes: Any) -> Layout:
    """Give a layout whose requests are otherwise."""
    if layout.request is None:
        raise AssertionError
    return replace(layout, request=replace(layout.request, **changes))


def moved(layout: Layout, number: int, place: str, **changes: Any) -> Layout:
    """Give a layout that says one of its requests' fields elsewhere."""
    fields = list(layout.request.fields) if layout.request else []
    fields[number] = replace(fields[number], place=place)
    return with_request(layout, fields=tuple(fields), **changes)


LAYOUTS = {
    layout.address: layout
    for model in mapping.models()
    for layout in mapping.load(model).layouts.values()
    if layout.write and layout.request is not None and KernelPacker.takes(layout, SETTINGS)
} | {
    "a head inside of the body": moved(
        mapping.find_layout("mobile_analytics/requests")[1], 1, "body.title", each=("body", "events")
    ),
    "members without names of events": with_request(
        PINPOINT,
        each=PINPOINT.request.each[:-1] if PINPOINT.request else (),
        fields=tuple(
            entry for entry in (PINPOINT.request.fields if PINPOINT.request else ()) if not entry.place.endswith("Events.*")
        ),
    ),
    "names of events alone": moved(
        with_request(PINPOINT, fields=PINPOINT.request.fields[:2] if PINPOINT.request else (), empty=()),
        1, "events.*", each=("events", "*"),
    ),
}  # fmt: skip
TEXTS = st.text(st.sampled_from('aü"\\\n'), max_size=3)
JSON = st.sampled_from(["1", "[]", '{"a":"\\""}', '"ü"'])
ROWS = st.integers(0, 60).map(lambda count: f'{{"a":"{"x" * count}"}}')


class Limits(NamedTuple):
    """Of a request, and of all that are open."""

    events_max: int | None
    bytes_max: int | None
    open_bytes_max: int


Case = tuple[str, Limits, pl.DataFrame, int]


def extras(way: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    """Give what else is said, below a way."""
    member = st.tuples(st.sampled_from(["u", "v"]).map(lambda name: [*way, name]), JSON)
    listed = st.lists(member, min_size=1, max_size=2, unique_by=lambda one: one[0][-1])
    return st.none() | listed.map(
        lambda members: json.dumps([list(one) for one in members], ensure_ascii=False)
    )


def columns_of(layout: Layout) -> dict[str, st.SearchStrategy[str | None]]:
    """Give what each column around rows may say."""
    templates = Templates(layout, SETTINGS)
    each = layout.request.each if layout.request else ()
    values = {
        entry.place: JSON if is_json(entry) else TEXTS for entry in (*templates.head, *templates.inside)
    }
    columns = {f"@{place}": st.none() | value for place, value in values.items()}
    columns |= {f"@{place}": TEXTS for place in templates.names}
    columns[EXTRA] = extras(()) if each else st.none()
    columns[EXTRA_BESIDE] = extras(each[: each.index("*") + 1]) if templates.has_members else st.none()
    return columns


@st.composite
def packings(draw: st.DrawFn) -> Case:
    """Give a layout, its limits, rows, how many of these come at a time, and how much may be open."""
    name = draw(st.sampled_from(sorted(LAYOUTS)))
    limits = Limits(
        draw(st.none() | st.integers(1, 5)),
        draw(st.none() | st.integers(1, 600)),
        draw(st.sampled_from([2**20, 2_000, 1])),
    )
    height = draw(st.integers(1, 25))
    columns = columns_of(LAYOUTS[name])
    said = {name: draw(st.lists(values, min_size=1, max_size=2)) for name, values in columns.items()}
    rows = {
        name: draw(st.lists(st.sampled_from(values), min_size=height, max_size=height))
        for name, values in said.items()
    }
    frame = pl.DataFrame(
        {ROW: draw(st.lists(ROWS, min_size=height, max_size=height)), **rows},
        schema=dict.fromkeys([ROW, *rows], pl.String),
    )
    return name, limits, frame, draw(st.integers(1, height))


def packs(packer: Packer | KernelPacker, frame: pl.DataFrame, together: int) -> tuple[int, int]:
    """Pack rows, some at a time; count the requests and events."""
    for rows in frame.iter_slices(together):
        packer.add(rows)
    packer.finish()
    return packer.requests, packer.events


@given(packings())
def test_requests_are_the_same(case: Case) -> None:
    """Both ways write the same bytes, and count the same."""
    name, limits, frame, together = case
    layout = with_request(LAYOUTS[name], events_max=limits.events_max, bytes_max=limits.bytes_max)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "OPEN_BYTES_MAX", limits.open_bytes_max)
        patch.setattr(packed, "OPEN_BYTES_MAX", limits.open_bytes_max)
        by_python, by_kernel = io.BytesIO(), io.BytesIO()
        counted = packs(Packer(layout, SETTINGS, by_python), frame, frame.height)
        assert packs(KernelPacker(KERNEL, layout, SETTINGS, by_kernel), frame, together) == counted
    assert by_kernel.getvalue() == by_python.getvalue()


def test_layouts_of_all_shapes_are_tried() -> None:
    """The kernel packs most layouts of requests; stamps and bodies that are texts it leaves to Python."""
    assert {"mobile_analytics/requests", "pinpoint/requests", "personalize/requests"} < set(LAYOUTS)
    assert "clickstream/requests" not in LAYOUTS


def test_what_has_no_rows_is_no_request() -> None:
    """Neither a packer without rows writes anything, nor one that is given none."""
    layout = LAYOUTS["personalize/requests"]
    output = io.BytesIO()
    packer = KernelPacker(KERNEL, layout, SETTINGS, output)
    columns = [f"@{entry.place}" for entry in Templates(layout, SETTINGS).head]
    assert packs(packer, pl.DataFrame(schema=dict.fromkeys([ROW, *columns], pl.String)), 10) == (0, 0)
    assert output.getvalue() == b""


def test_many_rows_go_to_the_kernel_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few bytes it takes at a time, they are the same requests."""
    layout = LAYOUTS["personalize/requests"]
    columns = {f"@{entry.place}": ["x", "y"] * 50 for entry in Templates(layout, SETTINGS).head}
    frame = pl.DataFrame({ROW: [f'{{"n":{number}}}' for number in range(100)], **columns})
    outputs = io.BytesIO(), io.BytesIO()
    packs(KernelPacker(KERNEL, layout, SETTINGS, outputs[0]), frame, 100)
    monkeypatch.setattr(packed, "TOGETHER_BYTES", 20)
    packs(KernelPacker(KERNEL, layout, SETTINGS, outputs[1]), frame, 100)
    assert outputs[0].getvalue() == outputs[1].getvalue() != b""


def test_more_than_the_kernel_writes_at_once() -> None:
    """Large requests go on one after the other, those that a limit closes and those that are left in the end."""
    layout = with_request(LAYOUTS["personalize/requests"], events_max=3, bytes_max=None)
    columns = {f"@{entry.place}": ["x", "y"] * 20 for entry in Templates(layout, SETTINGS).head}
    frame = pl.DataFrame({ROW: [f'{{"n":"{"x" * 700_000}{number}"}}' for number in range(40)], **columns})
    by_python, by_kernel = io.BytesIO(), io.BytesIO()
    counted = packs(Packer(layout, SETTINGS, by_python), frame, 40)
    assert packs(KernelPacker(KERNEL, layout, SETTINGS, by_kernel), frame, 25) == counted
    assert by_kernel.getvalue() == by_python.getvalue()


@pytest.mark.parametrize("open_bytes_max", [2**20, 1_000])
def test_rows_that_differ_in_many_columns_around_them(
    open_bytes_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where these lie alike, rows share a request, but not with those of other batches or of before all were closed."""
    monkeypatch.setattr(packing, "OPEN_BYTES_MAX", open_bytes_max)
    monkeypatch.setattr(packed, "OPEN_BYTES_MAX", open_bytes_max)
    layout = LAYOUTS["mobile_analytics/requests"]
    head = Templates(layout, SETTINGS).head
    columns = [f"@{entry.place}" for entry in head if not is_json(entry)]
    said = [f"what row {number} says" if number % 3 else f"{number}" for number in range(30)]
    some = random.Random(2)
    turns = [some.choice([some.randrange(3), 3 + number // 8]) for number in range(200)]  # some come and go
    values: dict[str, list[str | None]] = {f"@{entry.place}": [None] * len(turns) for entry in head}
    values |= {column: [said[turn] for turn in turns] for column in columns}
    values[columns[-1]] = ["the same"] * len(turns)
    values[columns[0]] = [None if turn or number % 2 else "" for number, turn in enumerate(turns)]
    rows = [f'{{"n":{number}}}' for number in range(len(turns))]
    frame = pl.DataFrame({ROW: rows, **values}, schema=dict.fromkeys([ROW, *values], pl.String))
    for together in (9, 50, len(turns)):
        by_python, by_kernel = io.BytesIO(), io.BytesIO()
        counted = packs(Packer(layout, SETTINGS, by_python), frame, len(turns))
        assert packs(KernelPacker(KERNEL, layout, SETTINGS, by_kernel), frame, together) == counted
        assert by_kernel.getvalue() == by_python.getvalue()


@pytest.mark.parametrize("name", ["a head inside of the body", "personalize/requests", "pinpoint/requests"])
def test_a_limit_of_bytes_is_met_to_the_byte(name: str) -> None:
    """Whatever the limit, the same rows are the first that are too many."""
    height = 6
    columns = [column for column in columns_of(LAYOUTS[name]) if column not in (EXTRA, EXTRA_BESIDE)]
    named = {
        column: [f"{column}{row}" if column.endswith(".*") else '"ü"' for row in range(height)]
        for column in columns
    }
    frame = pl.DataFrame({ROW: [f'{{"n":"{"x" * (row % 3)}"}}' for row in range(height)], **named})
    for bytes_max in range(10, 330, 3 if name == "pinpoint/requests" else 1):
        layout = with_request(LAYOUTS[name], bytes_max=bytes_max, events_max=None)
        by_python, by_kernel = io.BytesIO(), io.BytesIO()
        packs(Packer(layout, SETTINGS, by_python), frame, height)
        packs(KernelPacker(KERNEL, layout, SETTINGS, by_kernel), frame, height)
        assert by_kernel.getvalue() == by_python.getvalue(), bytes_max
