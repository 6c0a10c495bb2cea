"""Keys of maps, other names for them, and rows in the place of others: by the kernel as without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from translate import events, notes
from translate.engine.choice import CHOICE, REFERENCE
from translate.engine.keys import keys_of, renamed
from translate.engine.library import library
from translate.engine.some_rows import replaced, spread

KEYS = st.text(st.sampled_from("abé_- "), max_size=3) | st.sampled_from(["k" * 13, "ü" * 20])
MAPS = st.none() | st.dictionaries(KEYS, st.text("xyé", max_size=30), max_size=6)
COLUMNS = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(MAPS, min_size=width, max_size=width), min_size=1, max_size=8)
)


@contextmanager
def reference() -> Iterator[None]:
    """Leave the kernel out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CHOICE, REFERENCE)
        yield


def columns_of(rows: list[list[dict[str, str] | None]]) -> list[pl.Series]:
    return [pl.Series(values, dtype=events.MAP) for values in zip(*rows, strict=True)]


@given(COLUMNS, st.data())
def test_the_kernel_lists_the_same_keys(rows: list[list[dict[str, str] | None]], data: st.DataObject) -> None:
    """With their rows, their longest value and the largest map, of all rows or of some."""
    columns = columns_of(rows)
    flags = data.draw(st.none() | st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    only = None if flags is None else pl.Series(flags, dtype=pl.Boolean)
    found = keys_of(columns, only).sort("map", "key")
    with reference():
        assert found.equals(keys_of(columns, only).sort("map", "key"))


def test_keys_of_a_map_with_many() -> None:
    """A table of keys grows; equal keys of two maps are two."""
    many = {f"key {number}": "x" for number in range(5_000)}
    column = pl.Series([many, many], dtype=events.MAP)
    found = keys_of([column, column])
    assert found.height == 10_000
    assert found["rows"].to_list() == [2] * 10_000
    assert set(found["most"]) == {5_000}


@pytest.mark.skipif(library() is None, reason="only the kernel renames whole columns")
@given(
    COLUMNS,
    st.dictionaries(KEYS, st.none() | st.sampled_from(["name", "a", "other name", "n" * 40]), max_size=4),
)
def test_renamed_maps(rows: list[list[dict[str, str] | None]], names: dict[str, str | None]) -> None:
    """Keys get their names; a row in which two are one, or one has none, stays as it is and is told."""
    kernel = library()
    assert kernel is not None
    kinds = ["attributes", "metrics", "other"][: len(rows[0])]
    heads = [notes.beginning("changed", kind, notes.RENAMED) for kind in kinds]
    found = renamed(kernel, dict(zip(kinds, columns_of(rows), strict=True)), names, heads)
    for number, maps in enumerate(rows):
        finals = [names.get(key, key) for values in maps for key in values or {}]
        is_odd = None in finals or len({*finals}) < len(finals)
        assert found["odd"][number] == is_odd
        changed = []
        for kind, values in zip(kinds, maps, strict=True):
            given_names = {} if is_odd else names
            expected = values and {given_names.get(key) or key: text for key, text in values.items()}
            assert found[kind][number] == expected
            changed += [(kind, key) for key in values or {} if given_names.get(key, key) != key]
        told = [notes.read(text).spot for text in found["notes"].to_list()[number] or []]
        assert told == [notes.InHub(kind, key) for kind, key in changed]
        assert (found["names"][number] is None) == (not changed)


@given(st.lists(st.tuples(MAPS, st.booleans(), MAPS), min_size=1, max_size=8))
def test_replaced_rows(rows: list[tuple[dict[str, str] | None, bool, dict[str, str] | None]]) -> None:
    """Rows that are chosen get the other values, one after the other."""
    whole, chosen, others = zip(*rows, strict=True)
    flags = pl.Series(chosen, dtype=pl.Boolean)
    values = pl.Series(
        [other for other, is_chosen in zip(others, chosen, strict=True) if is_chosen], dtype=events.MAP
    )
    column = pl.Series(whole, dtype=events.MAP)
    expected = [other if is_chosen else value for value, is_chosen, other in rows]
    assert replaced(column, flags, values).to_list() == expected
    with reference():
        assert replaced(column, flags, values).to_list() == expected


def test_spread_values() -> None:
    """The rows that are not chosen have none."""
    values = pl.DataFrame({"a": ["x", "y"], "b": [1, 2]})
    assert spread(values, pl.Series([False, True, False, True])).rows() == [
        (None, None),
        ("x", 1),
        (None, None),
        ("y", 2),
    ]
    assert spread(values.clear(), pl.Series([False])).rows() == [(None, None)]
