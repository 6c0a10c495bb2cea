"""Keys of free-form values on their way into one object or list: legal, unlike one another, each traceable back.

Most events need nothing of this; `need_care` finds the others in vectorised steps, and only these are taken
one by one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import replaced
from translate.vocabulary.kernel_keys import KINDS, Renaming
from translate.vocabulary.notation import entities, entities_of, maps_of, quoted
from translate.vocabulary.notes import NOTES_TYPE, RENAMED, RETYPED, InHub, Note, note, written
from translate.vocabulary.spelling import (
    CAMEL_CASE,
    LEGAL,
    REPEATED,
    camel_case,
    camel_keys,
    each_its_own,
    in_groups,
    legal_keys,
    legal_name,
    told_apart,
    with_hash,
    written_keys,
)
from translate.vocabulary.word import Form

MERGED: dict[str, Any] = {
    "_attributes": events.MAP,
    "_metrics": events.MAP,
    "_other": pl.String,
    "_others": events.MAP,
    "_names": pl.String,
    "_key_notes": NOTES_TYPE,
}
REPEATED_KEY = re.compile(REPEATED)
Maps = dict[str, dict[str, str]]


@dataclass(frozen=True)
class KeyRules:
    """What a target's container asks of its keys.

    `taken` are the keys of places of its own; `presets` those of them that an event may lack, with the hub column
    that fills each; `constants` the names of the events that have each of those with one value. No key may be one of
    the `reserved`, which are in lower case, in any case.
    """

    form: Form
    make_legal: bool
    taken: frozenset[str]
    presets: dict[str, str] = field(default_factory=dict)
    constants: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()

    @cached_property
    def renaming(self) -> Renaming | None:
        """Give what renames whole batches, where there is something that finds the events that need care."""
        if self.make_legal and not self.shared:
            return None
        kinds = KINDS if self.shared else ("attributes", "other")
        return Renaming.of(self._free_name, kinds, as_texts=self.form in ("maps", "properties"))

    def _free_name(self, key: str) -> str | None:
        """Name a key without a look at others; nothing where its name is taken in some events only, or may be written twice."""
        is_camel_case = self.form == "properties"
        name = camel_case(key) if is_camel_case else legal_name(key) if self.make_legal else key
        if name in self.constants or (self.form == "entities" and REPEATED_KEY.search(name)):
            return None
        if self._is_free(name):
            return name
        apart = told_apart(name, key) if is_camel_case else with_hash(name, key)
        return apart if self._is_free(apart) else None

    def _is_free(self, name: str) -> bool:
        return name not in self.taken and name.lower() not in self.reserved

    @property
    def shared(self) -> bool:
        """Tell whether texts, numbers and the rest lie together, so that their keys must differ."""
        return self.form != "maps"

    def need_care(self) -> pl.Expr:
        """Tell which events' keys cannot stay as they are."""
        if self.renaming is not None:
            return pl.lit(False)
        attributes, metrics = pl.col("attributes"), pl.col("metrics")
        care = [pl.col("other").map.len() > 0]
        if self.form == "properties":
            care.append(metrics.map.len() > 0)
        if self.shared:
            keys = [column.map.keys() for column in (attributes, metrics)]
            care += [~each.list.eval(self._is_fine(pl.element())).list.all() for each in keys]
            together = attributes.map.keys().list.set_intersection(metrics.map.keys())
            care.append(together.list.len() > 0)
        return pl.any_horizontal([flag.fill_null(value=False) for flag in care])

    def _is_fine(self, key: pl.Expr) -> pl.Expr:
        fine = ~key.is_in(list(self.taken))
        if self.make_legal:
            fine = fine & key.str.contains(LEGAL)
        if self.form == "entities":
            fine = fine & ~key.str.contains(REPEATED)
        if self.form == "properties":
            fine = fine & key.str.contains(CAMEL_CASE) & ~key.str.to_lowercase().is_in(list(self.reserved))
        return fine

    def merge(self, batch: pl.DataFrame) -> dict[str, pl.Series]:
        """Give attributes and metrics with their final keys, and notes of what changed.

        What else there is in a list of entities, and the original names, come as members of JSON objects.
        """
        plain = {
            name: pl.Series(name, [None], dtype=dtype).new_from_index(0, batch.height)
            for name, dtype in MERGED.items()
        }
        plain |= {"_attributes": batch["attributes"], "_metrics": batch["metrics"]}
        plain |= {"_others": batch["other"]} if self.form in ("object", "entities") else {}
        care = batch["_care"]
        if self.renaming is not None:
            found, care = self.renaming.rename(batch)
            plain |= found
            plain |= {"_other": entities_of(plain["_others"])} if self.form == "entities" else {}
        if not care.any():
            return plain
        batch = batch.with_columns(_care=care)
        cared_for = batch.filter("_care")
        given = cared_for.select("attributes", "metrics", "other", "name").iter_rows()
        rows = [
            self._merge_row(attributes, metrics, other, name, there)
            for (attributes, metrics, other, name), there in zip(given, self._present(cared_for), strict=True)
        ]
        return {
            name: replaced(whole, care, _series([row.get(name) for row in rows], whole.dtype))
            for name, whole in plain.items()
        }

    def _present(self, batch: pl.DataFrame) -> list[list[str]]:
        """Name the presets that each event has."""
        if not self.presets or self.form != "entities":
            return [[]] * batch.height
        there = batch.select(pl.col(column).is_not_null().alias(key) for key, column in self.presets.items())
        return [[key for key, has in row.items() if has] for row in there.iter_rows(named=True)]

    def _merge_row(
        self, attributes: dict[str, str] | None, metrics: dict[str, str] | None, other: dict[str, str] | None,
        name: str | None, present: list[str],
    ) -> dict[str, Any]:  # fmt: skip
        given = {"attributes": attributes or {}, "metrics": metrics or {}, "other": other or {}}
        free = {key for key, names in self.constants.items() if name not in names}
        final = self._final_keys(given, self.taken - free)
        merged = {
            kind: {final[kind][key]: value for key, value in values.items()} for kind, values in given.items()
        }
        result: dict[str, Any] = {
            "_names": _originals(final),
            "_key_notes": [*map(written, self._notes(final))] or None,
        }
        if self.form == "properties":
            merged = {
                "attributes": {name: text for values in merged.values() for name, text in values.items()},
                "metrics": {},
            }
        elif self.form == "maps":
            merged["attributes"] |= merged.pop("other")
        elif self.form == "entities":
            repeated = self._with_repeated_keys(merged, present)
            result["_other"] = repeated or entities(merged["other"])
            result["_others"] = self._as_json(merged) if repeated else merged["other"]
            merged = {"attributes": {}, "metrics": {}} if repeated else merged
        else:
            result["_others"] = merged["other"] if other is not None else None
        result["_attributes"] = (
            merged["attributes"] if attributes is not None or merged["attributes"] else None
        )
        result["_metrics"] = merged["metrics"] if metrics is not None or merged["metrics"] else None
        return result

    def _with_repeated_keys(self, merged: Maps, present: list[str]) -> str | None:
        """Write all entities where some of them share a key, a second one `k#2` as another `k`."""
        values = self._as_json(merged)
        names = in_groups(list(values))
        keys = written_keys(present, names)
        if keys is None:
            return None
        return ",".join(
            f'{{"key":{quoted(key)},"value":{values[name]}}}' for key, name in zip(keys, names, strict=True)
        )

    @staticmethod
    def _as_json(merged: Maps) -> dict[str, str]:
        return {
            name: value if kind != "attributes" else quoted(value)
            for kind in KINDS
            for name, value in merged[kind].items()
        }

    def _notes(self, final: Maps) -> Iterable[Note]:
        retyped = {"maps": ("other",), "properties": ("metrics", "other")}.get(self.form, ())
        for kind, keys in final.items():
            for key, name in keys.items():
                why = [RENAMED] * (name != key) + [RETYPED] * (kind in retyped)
                if why:
                    yield note("changed", InHub(kind, key), " and ".join(why))

    def _final_keys(self, given: Maps, places: frozenset[str]) -> Maps:
        """Share the names out: attributes first, then other values, then metrics."""
        final: Maps = {}
        taken = set(places)
        for kind in ("attributes", "other", "metrics"):
            apart = kind == "metrics" and not self.shared
            met = given["attributes"] if kind == "metrics" and self.shared else ()
            wanted = {key: _beside(key, given[kind]) if key in met else key for key in given[kind]}
            names = self._names(wanted.values(), frozenset() if apart else frozenset(taken))
            final[kind] = {key: names[name] for key, name in wanted.items()}
            taken |= set(final[kind].values())
        return final

    def _names(self, keys: Iterable[str], taken: frozenset[str]) -> dict[str, str]:
        if self.form == "properties":
            return each_its_own(camel_keys(keys, taken, self.reserved), taken, told_apart)
        return legal_keys(keys, taken, make_legal=self.make_legal)


def _series(values: list[Any], dtype: pl.DataType) -> pl.Series:
    return maps_of(values) if dtype == events.MAP else pl.Series(values, dtype=dtype)


def _beside(key: str, metrics: Collection[str]) -> str:
    """Name a metric whose key an attribute has: as no other metric is called."""
    name = f"{key}_metric"
    while name in metrics:
        name = with_hash(name, name)
    return name


def _originals(final: Mapping[str, dict[str, str]]) -> str | None:
    changed = {
        kind: {name: key for key, name in keys.items() if name != key}
        for kind, keys in sorted(final.items())
        if any(name != key for key, name in keys.items())
    }
    return ",".join(f"{quoted(kind)}:{quoted(names)}" for kind, names in changed.items()) or None


def keys_used(used: pl.Expr, home: str) -> pl.Expr:
    """Give the keys of a map that rules took values from."""
    prefix = f"{home}."
    keys = pl.when(pl.element().str.starts_with(prefix)).then(pl.element().str.strip_prefix(prefix))
    return used.list.eval(keys).list.drop_nulls()
