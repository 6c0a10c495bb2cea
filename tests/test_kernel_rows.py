"""Rows by the kernel are those that the engine's expressions write, byte by byte, in every JSON layout."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hub_events import frame_of, hub_event
from hypothesis import given
from hypothesis import strategies as st

from translate import events, mapping
from translate.conversion.plan import from_hub, without_recipe
from translate.engine.choice import CHOICE, REFERENCE
from translate.engine.library import library
from translate.mapping.settings import Settings
from translate.writer.kernel_rows import RowSteps
from translate.writer.packing import ROW
from translate.writer.rowtext import RowText
from translate.writer.shape import Shape, Source
from translate.writer.writer import Writer

KERNEL: Any = library()
pytestmark = pytest.mark.skipif(KERNEL is None, reason="there is no kernel")

ALL = Source(frozenset(events.SCHEMA), {})
LAYOUTS = sorted(
    layout.address
    for model in mapping.models()
    for layout in mapping.load(model).layouts.values()
    if layout.write and layout.records == "json-lines"
)
MAPS = st.none() | st.dictionaries(
    st.text(st.sampled_from('ab"\\:,1}{'), max_size=5),
    st.none()
    | st.text(st.sampled_from('ab"\\:,}{\n'), max_size=5)
    | st.text(st.sampled_from("0123456789-.:e"), max_size=20),
    max_size=4,
)


def written_rows(frame: pl.DataFrame, address: str) -> pl.DataFrame:
    """Write hub events, with the containers beside the rows."""
    found, layout = mapping.find_layout(address)
    writer = Writer(found, layout, Settings(), ALL)
    rows = writer.rows(without_recipe(from_hub(frame.lazy())))
    return rows.select(ROW, *(f"={place}" for place in writer.shape.containers)).collect()


def by_expressions(frame: pl.DataFrame, address: str) -> pl.DataFrame:
    """Write them without the kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CHOICE, REFERENCE)
        return written_rows(frame, address)


def test_every_layout_of_json_is_tried() -> None:
    """Layouts that are added are tried too, and there are those of old."""
    assert len(LAYOUTS) >= 8
    assert {"clickstream/events", "learning_context/events", "personalize/requests"} < set(LAYOUTS)


@pytest.mark.parametrize("address", LAYOUTS)
@given(data=st.data())
def test_the_kernel_writes_the_same_rows(address: str, data: st.DataObject) -> None:
    """All that the hub can hold, in frames that may be a part of another."""
    frame = frame_of(data.draw(st.lists(hub_event(), max_size=8)))
    if data.draw(st.booleans()):
        frame = frame.slice(data.draw(st.integers(0, frame.height)))
    kept = data.draw(st.lists(st.booleans(), min_size=frame.height, max_size=frame.height))
    frame = frame.filter(pl.Series(kept, dtype=pl.Boolean)) if data.draw(st.booleans()) else frame
    expected = by_expressions(frame, address)
    assert written_rows(frame, address).to_dicts() == expected.to_dicts()


@pytest.mark.parametrize("address", LAYOUTS)
@given(st.lists(st.fixed_dictionaries({"_attributes": MAPS, "_metrics": MAPS}), min_size=1, max_size=4))
def test_oddly_spelled_maps_are_written_alike(address: str, maps: list[dict[str, Any]]) -> None:
    """Texts that look like the places between texts, and digits, empty and absent values of maps."""
    text = _text_of(address)
    entries = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    columns = {
        name: pl.Series([_entries(row[name]) for row in maps], dtype=entries).list.to_map()
        for name in maps[0]
    }
    nothing = pl.lit(None, pl.String)
    places = [entry.place for entry in [*text.shape.columns, *text.shape.wanted_presets()]]
    frame = pl.DataFrame(columns).with_columns(
        nothing.alias("_other"),
        pl.lit(None, events.MAP).alias("_others"),
        *(nothing.alias(f"={place}") for place in places),
    )
    containers = [f"={place}" for place in text.shape.containers]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CHOICE, REFERENCE)
        expected = text.written(frame.lazy()).select(ROW, *containers).collect()
    assert text.written(frame.lazy()).select(ROW, *containers).collect().to_dicts() == expected.to_dicts()


@pytest.mark.parametrize("address", LAYOUTS)
def test_the_kernel_takes_every_layout(address: str) -> None:
    """No layout of the shipped mappings needs the expressions."""
    text = _text_of(address)
    writer = Writer(*mapping.find_layout(address), Settings(), ALL)
    frame = without_recipe(from_hub(pl.LazyFrame(schema=events.SCHEMA)))
    schema = writer.rows(frame).collect_schema()
    assert RowSteps(text.shape, schema, ROW).is_exact()


def test_a_name_that_the_expressions_keep_is_left_to_them() -> None:
    """Of a member with a sign in its name the expressions write the null, so the kernel does not take such a layout."""
    text = _text_of("clickstream/events")
    writer = Writer(*mapping.find_layout("clickstream/events"), Settings(), ALL)
    frame = without_recipe(from_hub(pl.LazyFrame(schema=events.SCHEMA)))
    schema = dict(writer.rows(frame).collect_schema())
    odd = next(entry for entry in text.shape.columns if entry.codec == "text")
    text.shape.columns[text.shape.columns.index(odd)] = odd.__class__(**{**vars(odd), "place": "odd-name"})
    schema["=odd-name"] = pl.String()
    assert not RowSteps(text.shape, schema, ROW).is_exact()


def _text_of(address: str) -> RowText:
    return RowText(Shape(*mapping.find_layout(address), Settings(), ALL))


def _entries(value: dict[str, str | None] | None) -> list[dict[str, str | None]] | None:
    return None if value is None else [{"key": key, "value": text} for key, text in value.items()]
