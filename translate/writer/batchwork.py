"""What no expression can do with events on their way to rows: one step of the query, batch by batch.

Only batches that need it cost anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import library
from translate.mapping.spec import Field
from translate.vocabulary import notes
from translate.vocabulary.kernel_keys import LyingTogether, keys_of, renamed
from translate.vocabulary.notation import by_distinct_value, joined, quoted
from translate.vocabulary.notes import RENAMED, InHub, Note, note
from translate.vocabulary.spelling import legal_name, legal_user, name_of, with_hash
from translate.writer.keys import MERGED, KeyRules
from translate.writer.shape import Shape

USER = "_user_properties"
USER_COLUMNS = ("user_properties", "user_property_times")
TAKEN = (
    "_taken:"  # before a place: in which events a key stands there that will be read as the event's own value
)
# A list of one text, number, true or false, as the hub writes JSON.
OF_ONE = r'^\[(?:"(?:[^"\\]|\\.)*"|-?[0-9][^,\]]*|true|false)\]$'
IS_OF_ONE = re.compile(OF_ONE)
BECAME = "a list of one value became the value"
NAME = "lists"  # of the member that travels along


class BatchWork:
    """Renames keys, makes names legal, and writes what only Python can."""

    def __init__(self, shape: Shape, rules: KeyRules | None, *, make_legal: bool) -> None:
        self.shape = shape
        self.entries: list[Field] = [entry for entry in shape.columns if entry.word.rowwise]
        self._has_user = any("user_properties" in entry.hub for entry in self.entries)
        self._rules = rules
        self._make_legal = make_legal

    def schema(self) -> dict[str, Any]:
        """Give the columns that the step adds."""
        return {
            **(MERGED if self._rules else {}),
            **{f"{TAKEN}{entry.place}": pl.Boolean for entry in self.shape.own_presets()},
            "_legal": pl.String,
            **({USER: events.MAP} if self._has_user else {}),
            **{f"={entry.place}": pl.String for entry in self.entries},
        }

    def work(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Add the step's columns to a batch of events."""
        whole, single = batch, single_values(batch, self.shape)
        batch = batch.with_columns(**single.maps) if single else batch
        columns = self._rules.merge(batch) if self._rules else {}
        self._give_way(batch, columns)
        if batch["_illegal"].any():
            columns["_legal"] = by_distinct_value(batch["_spelled"], legal_name)
        else:
            columns["_legal"] = batch["_spelled"]
        given = {name: batch[name] for entry in self.entries for name in entry.hub}
        if "user_properties" in given and batch["user_properties"].null_count() < batch.height:
            given |= self._legal_user(batch, columns)
        if self._has_user:
            columns[USER] = given["user_properties"]
        for entry in self.entries:
            if entry.word.rowwise:
                columns[f"={entry.place}"] = entry.word.rowwise(
                    [given[name] for name in entry.hub], entry.member
                )
        if single:
            _travel_along(columns, single.members())
            _note(columns, single.notes())
        return whole.hstack([series.alias(name) for name, series in columns.items()])

    def _give_way(self, batch: pl.DataFrame, columns: dict[str, pl.Series]) -> None:
        """Rename the keys whose place one of the event's own columns takes, as `_product_id` in a purchase's; tell the others that stand there."""
        own = [(self.shape.containers[entry.path[0]].hub[0], entry) for entry in self.shape.own_presets()]
        keys = {kind: {*keys_of([columns[f"_{kind}"]])["key"]} for kind in {kind for kind, _ in own}}
        nowhere = pl.Series([False]).new_from_index(0, batch.height)
        for kind, entry in own:
            key = entry.key
            columns[f"{TAKEN}{entry.place}"] = nowhere
            if key not in keys[kind]:
                continue
            maps, own_value = columns[f"_{kind}"], batch[entry.hub[0]]
            stands = pl.select(pl.lit(maps).map.keys().list.contains(key).fill_null(value=False)).to_series()
            stands = stands & batch["name"].is_in(list(entry.when)).fill_null(value=False)
            meets = stands & own_value.is_not_null()
            said = pl.select(pl.lit(maps).map.get(key).is_not_null()).to_series()
            columns[f"{TAKEN}{entry.place}"] = stands & said & ~meets
            if meets.any():
                renamed = [
                    {with_hash(key, key) if name == key else name: text for name, text in value.items()}
                    if meet
                    else value
                    for value, meet in zip(maps, meets, strict=True)
                ]
                columns[f"_{kind}"] = pl.Series(renamed, dtype=events.MAP)
                told = [notes.note("changed", InHub(kind, key), RENAMED)]
                _note(columns, [told if meet else [] for meet in meets])

    def _legal_user(self, batch: pl.DataFrame, columns: dict[str, pl.Series]) -> dict[str, pl.Series]:
        """Give the user's properties under legal names, and tell which were renamed."""
        taken = frozenset(entry.member for entry in self.entries if entry.member)
        together = self._renamed_together(batch, columns, taken)
        if together is not None:
            return together
        rows = zip(batch["user_properties"], batch["user_property_times"], strict=True)
        users = [legal_user(*row, taken, make_legal=self._make_legal) for row in rows]
        changed = [{name: key for key, name in names.items() if key != name} for _, _, names in users]
        if any(changed):
            told = [
                [notes.note("changed", InHub("user_properties", key), RENAMED) for key in names.values()]
                for names in changed
            ]
            _note(columns, told)
            _travel_along(
                columns, [f'"user_properties":{quoted(names)}' if names else None for names in changed]
            )
        return {
            "user_properties": pl.Series([properties for properties, _, _ in users], dtype=events.MAP),
            "user_property_times": pl.Series([times for _, times, _ in users], dtype=events.MAP),
        }

    def _renamed_together(
        self, batch: pl.DataFrame, columns: dict[str, pl.Series], taken: frozenset[str]
    ) -> dict[str, pl.Series] | None:
        """Do the same for all users at once; nothing where two properties of one meet, or are beside times."""
        given, kernel = {name: batch[name] for name in USER_COLUMNS}, library()
        properties, times = given.values()
        if kernel is None or times.null_count() < len(times):
            return None
        keys = keys_of([properties])["key"]
        names = {
            key: name for key in keys if (name := name_of(key, taken, make_legal=self._make_legal)) != key
        }
        if not names:
            return given
        told = notes.beginning("changed", "user_properties", RENAMED)
        with suppress(MemoryError):  # beyond 2 GB: one user after the other
            found = renamed(kernel, {"user_properties": LyingTogether(properties, told)}, names)
            if not found["odd"].any():
                both = found.hstack([columns[name].alias(name) for name in ("_names", "_key_notes")])
                names_of_both = joined([pl.col("_names"), pl.col("names")])
                columns["_names"] = both.select_seq(
                    pl.when(names_of_both != "").then(names_of_both)
                ).to_series()
                noted = notes.together([pl.col("_key_notes"), pl.col("notes")])
                columns["_key_notes"] = both.select_seq(noted).to_series()
                return {**given, "user_properties": found["user_properties"]}
        return None


def _travel_along(columns: dict[str, pl.Series], own: list[str | None]) -> None:
    """Add to each event a member of what travels along for the way back."""
    both = zip(columns["_names"], own, strict=True)
    columns["_names"] = pl.Series(
        [",".join(filter(None, members)) or None for members in both], dtype=pl.String
    )


def _note(columns: dict[str, pl.Series], more: list[list[Note]]) -> None:
    """Add to each event's notes."""
    both = zip(columns["_key_notes"], more, strict=True)
    columns["_key_notes"] = notes.series([*notes.read_all(old), *new] for old, new in both)


@dataclass(frozen=True)
class SingleValues:
    """A batch's maps of JSON texts with single values, and by event the keys that had lists."""

    maps: dict[str, pl.Series]
    keys: dict[str, list[list[str]]]

    def members(self) -> list[str | None]:
        """Write for each event the member that travels along, where there is one."""
        rows = zip(*self.keys.values(), strict=True)
        found = [{name: keys for name, keys in zip(self.keys, row, strict=True) if keys} for row in rows]
        return [f"{quoted(NAME)}:{quoted(lists)}" if lists else None for lists in found]

    def notes(self) -> list[list[Note]]:
        """Note each value that is no list any more."""
        columns = [
            [[note("changed", InHub(name, key), BECAME) for key in keys] for keys in rows]
            for name, rows in self.keys.items()
        ]
        return [[each for own in row for each in own] for row in zip(*columns, strict=True)]


def single_values(batch: pl.DataFrame, shape: Shape) -> SingleValues | None:
    """Take the values out of a batch's lists of one, where source and target ask for it; None if there are none."""
    maps: dict[str, pl.Series] = {}
    keys: dict[str, list[list[str]]] = {}
    for name in _columns(shape):
        values = (
            batch[name]
            .to_frame()
            .select(pl.col(name).map.values().list.eval(pl.element().str.contains(OF_ONE)).list.any())
            .to_series()
        )
        if values.fill_null(value=False).any():
            keys[name] = [
                [key for key, text in row.items() if IS_OF_ONE.match(text)] if row else []
                for row in batch[name]
            ]
            texts = [
                row and {key: text[1:-1] if key in own else text for key, text in row.items()}
                for row, own in zip(batch[name], keys[name], strict=True)
            ]
            maps[name] = pl.Series(texts, dtype=events.MAP)
    return SingleValues(maps, keys) if maps else None


def _columns(shape: Shape) -> Iterable[str]:
    return [name for name in shape.layout.single_values if name in shape.source.lists]
