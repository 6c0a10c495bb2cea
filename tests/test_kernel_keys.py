"""Keys of maps, other names for them, and rows in the place of others: by the kernel as without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from canonical import hub_frame
from hypothesis import given
from hypothesis import strategies as st

from translate import events
from translate.conversion.plan import from_hub, without_recipe
from translate.engine.choice import CHOICE, REFERENCE
from translate.engine.library import library, replaced, spread
from translate.mapping import find_layout
from translate.mapping.settings import Settings
from translate.vocabulary import notes
from translate.vocabulary.kernel_keys import LyingTogether, keys_of, names_told, renamed, rows_with
from translate.vocabulary.notation import quoted
from translate.vocabulary.spelling import with_hash
from translate.writer.keys import KeyRules
from translate.writer.packing import ROW
from translate.writer.shape import Source
from translate.writer.writer import NOTES, Writer

KEYS = st.text(st.sampled_from("abé_- "), max_size=3) | st.sampled_from(["k" * 13, "ü" * 20])
MORE_KEYS = KEYS | st.sampled_from(
    ["a b", "a_b", "aB", "A B", "itemId", "item id", "userId", "é", '"', "\\", ":{", "a b#2", "é#3"]
)
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


@given(COLUMNS)
def test_the_kernel_lists_the_same_keys(rows: list[list[dict[str, str] | None]]) -> None:
    """With their rows, their longest value and the largest map."""
    columns = columns_of(rows)
    found = keys_of(columns).sort("map", "key")
    with reference():
        assert found.equals(keys_of(columns).sort("map", "key"))


@given(COLUMNS, st.sets(KEYS, min_size=1, max_size=3))
def test_the_kernel_finds_the_same_rows_with_a_key(
    rows: list[list[dict[str, str] | None]], names: set[str]
) -> None:
    """One of several keys, in any of the maps."""
    columns = columns_of(rows)
    expected = [any(names & (values or {}).keys() for values in row) for row in rows]
    assert rows_with(columns, names).to_list() == expected
    with reference():
        assert rows_with(columns, names).to_list() == expected


def test_keys_of_a_map_with_many() -> None:
    """A table of keys grows; equal keys of two maps are two."""
    many = {f"key {number}": "x" for number in range(5_000)}
    column = pl.Series([many, many], dtype=events.MAP)
    found = keys_of([column, column])
    assert found.height == 10_000
    assert found["rows"].to_list() == [2] * 10_000
    assert set(found["most"]) == {5_000}


NEW_NAMES = st.dictionaries(
    KEYS, st.none() | st.sampled_from(["name", "a", "other name", "n" * 40]), max_size=4
)
KINDS = ["attributes", "metrics", "other"]


def lying_together(rows: list[list[dict[str, str] | None]], *, kept: bool) -> dict[str, LyingTogether]:
    """Give columns with what is noted of their keys; of those that stay as they are nothing, unless they are not the first."""
    return {
        kind: LyingTogether(
            column,
            notes.beginning("changed", kind, notes.RENAMED),
            notes.beginning("changed", kind, notes.RETYPED) if kept and kind != "attributes" else None,
        )
        for kind, column in zip(KINDS, columns_of(rows), strict=False)
    }


@pytest.mark.skipif(library() is None, reason="only the kernel renames whole columns")
@given(COLUMNS, NEW_NAMES, st.booleans())
def test_renamed_maps(
    rows: list[list[dict[str, str] | None]], names: dict[str, str | None], into_first: bool
) -> None:
    """Keys get their names; a row in which two are one, or one has none, stays as it is and is told."""
    kernel = library()
    assert kernel is not None
    found = renamed(kernel, lying_together(rows, kept=into_first), names, into_first=into_first)
    for number, maps in enumerate(rows):
        given_maps = dict(zip(KINDS, maps, strict=False))
        finals = [names.get(key, key) for values in maps for key in values or {}]
        is_odd = None in finals or len({*finals}) < len(finals)
        assert found["odd"][number] == is_odd
        if not is_odd:
            expected = {
                kind: values and {names.get(key) or key: text for key, text in values.items()}
                for kind, values in given_maps.items()
            }
            assert {kind: found[kind][number] for kind in expected} == (
                put_into_first(expected) if into_first else expected
            )
        elif not into_first:
            assert {kind: found[kind][number] for kind in given_maps} == given_maps
        changed = [
            (kind, key)
            for kind, values in given_maps.items()
            for key in values or {}
            if not is_odd and names.get(key, key) != key
        ]
        told = [notes.read(text) for text in found["notes"].to_list()[number] or []]
        assert [(note.spot.column, note.spot.key) for note in told if note.why == notes.RENAMED] == changed
        retyped = [key for values in maps[1:] for key in values or {} if not is_odd and into_first]
        assert len(told) - len(changed) == sum(names.get(key, key) == key for key in retyped)
        assert (found["names"][number] is None) == (not changed)


def put_into_first(maps: dict[str, dict[str, str] | None]) -> dict[str, dict[str, str] | None]:
    """Put all entries into the first map."""
    first, *others = maps
    entries = {key: text for values in maps.values() for key, text in (values or {}).items()}
    emptied = {kind: None if maps[kind] is None else {} for kind in others}
    return {first: entries or maps[first], **emptied}


MERGED_ROWS = st.lists(
    st.tuples(
        *[st.none() | st.dictionaries(MORE_KEYS, st.sampled_from(["x", "é", "1"]), max_size=4)] * 3,
        st.sampled_from(["purchase", "other"]),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip
RULES = [
    KeyRules("maps", make_legal=False, taken=frozenset()),
    KeyRules("object", make_legal=True, taken=frozenset({"a_b", "itemId"})),
    KeyRules("properties", make_legal=False, taken=frozenset({"itemId"}), reserved=frozenset({"userid", "abé"})),
    KeyRules("object", make_legal=True, taken=frozenset({"a_b"}), constants={"a_b": ("purchase",)}),
    KeyRules("object", make_legal=False, taken=frozenset({"é", with_hash("é", "é")})),
    KeyRules("entities", make_legal=False, taken=frozenset({"a b"}), presets={"a b": "name"}),
    KeyRules("entities", make_legal=True, taken=frozenset({"a_b"}), constants={"a_b": ("purchase",)}),
    KeyRules(
        "properties", make_legal=False, taken=frozenset({"itemId"}), constants={"itemId": ("purchase",)}
    ),
]  # fmt: skip


def batch_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    """Give events; a frame of rows would have no maps: polars takes those it is given in rows for absent."""
    columns = zip((*KINDS, "name"), zip(*rows, strict=True), strict=True)
    return pl.DataFrame(
        [pl.Series(name, values, events.MAP if name in KINDS else pl.String) for name, values in columns]
    )


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: f"{rules.form}-{len(rules.constants)}")
@given(rows=MERGED_ROWS)
def test_rules_by_the_kernel(rules: KeyRules, rows: list[tuple[Any, ...]]) -> None:
    """Whole batches get the final keys, names and notes that rows get one by one."""
    batch = batch_of(rows)
    found = merged(rules, batch)
    with reference():
        expected = merged(replace(rules), batch)
    columns = [name for name in found.columns if name != "_others" or rules.form == "object"]
    assert found.select(columns).rows() == expected.select(columns).rows()


@pytest.mark.skipif(library() is None, reason="only the kernel renames whole columns")
@pytest.mark.parametrize("rules", [rules for rules in RULES if rules.taken])
def test_rows_with_a_taken_name_are_renamed_together(rules: KeyRules) -> None:
    """An archive may have such a key in every row; only where the place is some events' own are rows looked at."""
    batch = batch_of([({"item id": "x", "a b": "y", "userId": "z"}, {}, None, "purchase")])
    assert rules.renaming is not None
    _, is_for_the_rules = rules.renaming.rename(batch)
    assert is_for_the_rules.any() == bool(rules.constants)


def merged(rules: KeyRules, batch: pl.DataFrame) -> pl.DataFrame:
    """Give what rules make of a batch, each row's notes in the order of their texts."""
    columns = rules.merge(batch.with_columns(_care=rules.need_care()))
    frame = pl.DataFrame([series.alias(name) for name, series in columns.items()])
    return frame.with_columns(pl.col("_key_notes").list.sort())


PROPERTIES = st.none() | st.dictionaries(MORE_KEYS | st.just("_user_id"), st.sampled_from(['"x"', "1", '"é"']), max_size=4)  # fmt: skip


@given(st.lists(st.tuples(PROPERTIES, PROPERTIES), min_size=1, max_size=6), st.booleans())
def test_users_by_the_kernel(users: list[tuple[Any, Any]], has_times: bool) -> None:
    """All users of a batch get the legal names that they get one by one, in rows and in notes."""
    columns = [
        {"user_properties": properties, "attributes": attributes, "user_property_times": {"a": "2016-03-14T09:26:53.589Z"} if has_times else None}
        for properties, attributes in users
    ]  # fmt: skip
    found = clickstream_rows(columns)
    with reference():
        assert found.equals(clickstream_rows(columns))


def clickstream_rows(columns: list[dict[str, Any]]) -> pl.DataFrame:
    """Write an event for each user; give the rows, and what is noted of them."""
    event = {"name": "x", "time": "2016-03-14T09:26:53.589Z", "app.id": "a", "client_id": "c"}
    found, layout = find_layout("clickstream/events")
    writer = Writer(found, layout, Settings(), Source(frozenset(events.SCHEMA), {}))
    there = [{name: value for name, value in each.items() if value is not None} for each in columns]
    frame = from_hub(hub_frame([event | each for each in there]).lazy())
    return writer.rows(without_recipe(frame)).select(ROW, pl.col(NOTES).list.sort()).collect()


@given(MERGED_ROWS, st.data())
def test_the_kernel_lists_the_same_names(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """What was renamed, in how many rows."""
    others = data.draw(st.sampled_from([{}, {"lists": {"other": ["a", '}{"']}}]))
    texts = [
        quoted({kind: names for kind, names in told if names})[1:-1] or None
        for *maps, _ in rows
        for told in [[*others.items(), *zip(KINDS, maps, strict=True)]]
    ]
    originals = pl.Series("_names", texts, dtype=pl.String)
    kinds = data.draw(st.sampled_from([KINDS, ["other"], []]))
    found = counted(names_told(originals, kinds))
    with reference():
        assert found == counted(names_told(originals, kinds))


def counted(told: Iterable[tuple[str, str, str, int]]) -> Counter[tuple[str, str, str]]:
    """Sum up what is told."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for kind, key, name, count in told:
        counts[kind, key, name] += count
    return counts


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
