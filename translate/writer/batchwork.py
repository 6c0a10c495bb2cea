"""What no expression can do with events on their way to rows: one step of the query, batch by batch.

Only batches that need it cost anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import library, places
from translate.mapping.spec import Field
from translate.vocabulary import notes
from translate.vocabulary.kernel_keys import LyingTogether, keys_of, renamed
from translate.vocabulary.notation import by_distinct_value, joined, json_text, quoted
from translate.vocabulary.notes import RENAMED, InHub
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
        illegal = places(batch["_illegal"])
        columns["_legal"] = batch["_spelled"]
        if len(illegal):
            legal = by_distinct_value(columns["_legal"][illegal], legal_name)
            columns["_legal"] = columns["_legal"].scatter(illegal, legal)
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
            _tell(columns, single.notes(), single.members())
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
                _tell(columns, notes.series(told if meet else None for meet in meets))

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
            members = [f'"user_properties":{quoted(names)}' if names else None for names in changed]
            _tell(columns, notes.series(told), pl.Series(members, dtype=pl.String))
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
                _tell(columns, found["notes"], found["names"])
                return {**given, "user_properties": found["user_properties"]}
        return None


def _tell(columns: dict[str, pl.Series], noted: pl.Series, members: pl.Series | None = None) -> None:
    """Add to each event's notes, and a member to what travels along for the way back."""
    more = {"_key_notes": noted} if members is None else {"_key_notes": noted, "_names": members}
    before, after = pl.col("before"), pl.col("after")
    both = joined([before, after])
    together = {"_key_notes": notes.together([before, after]), "_names": pl.when(both != "").then(both)}
    for name, series in more.items():
        frame = pl.DataFrame([columns[name].alias("before"), series.alias("after")])
        columns[name] = frame.select_seq(together[name]).to_series()


@dataclass(frozen=True)
class SingleValues:
    """A batch's maps of JSON texts with single values, and of each map a column of the keys that had lists."""

    maps: dict[str, pl.Series]
    keys: pl.DataFrame

    def members(self) -> pl.Series:
        """Write for each event the member that travels along, where there is one."""
        listed = {name: pl.col(name).list.eval(json_text(pl.element())).list.join(",") for name in self.maps}
        of_maps = joined(
            [
                pl.when(keys != "").then(pl.concat_str(pl.lit(f"{quoted(name)}:["), keys, pl.lit("]")))
                for name, keys in listed.items()
            ]
        )
        member = pl.concat_str(pl.lit(f"{quoted(NAME)}:{{"), of_maps, pl.lit("}"))
        return self.keys.select_seq(pl.when(of_maps != "").then(member)).to_series()

    def notes(self) -> pl.Series:
        """Note each value that is no list any more."""
        parts = [notes.of_keys(pl.col(name), "changed", name, BECAME) for name in self.maps]
        return self.keys.select_seq(notes.together(parts)).to_series()


def single_values(batch: pl.DataFrame, shape: Shape) -> SingleValues | None:
    """Take the values out of a batch's lists of one, where source and target ask for it; None if there are none."""
    maps: dict[str, pl.Series] = {}
    keys: list[pl.Series] = []
    key, value = (pl.element().struct.field(name) for name in ("key", "value"))
    is_one = value.str.contains(OF_ONE)
    inner = pl.when(is_one).then(value.str.strip_prefix("[").str.strip_suffix("]")).otherwise(value)
    for name in _columns(shape):
        entries = batch.select_seq(pl.col(name).map.entries())
        with_lists = entries.select_seq(pl.col(name).list.eval(pl.when(is_one).then(key)).list.drop_nulls())
        if with_lists.select_seq(pl.col(name).list.len().max()).item():
            keys.append(with_lists[name])
            turned = pl.col(name).list.eval(pl.struct(key, inner.alias("value"))).list.to_map()
            maps[name] = entries.select_seq(turned).to_series()
    return SingleValues(maps, pl.DataFrame(keys)) if maps else None


def _columns(shape: Shape) -> Iterable[str]:
    return [name for name in shape.layout.single_values if name in shape.source.lists]
