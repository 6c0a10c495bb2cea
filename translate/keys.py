"""Keys of free-form values on their way into one object or list: legal, unlike one another, each traceable back.

Most events need nothing of this; `need_care` finds the others in vectorised steps, and only these are taken
one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate import events
from translate.mapping.spelling import LEGAL, legal_keys
from translate.notation import entities, members, quoted
from translate.reader.careful import note

MERGED: dict[str, Any] = {
    "_attributes": events.MAP,
    "_metrics": events.MAP,
    "_other": pl.String,
    "_names": pl.String,
    "_key_notes": pl.List(pl.String),
}


@dataclass(frozen=True)
class KeyRules:
    """What a target's container asks of its keys.

    `text_only` containers take no other values than text beside numbers that have a map of their own;
    `shared` ones hold texts, numbers and the rest together, so keys must differ between them; `entities` are
    shared ones that are a list.
    """

    shared: bool
    text_only: bool
    entities: bool
    make_legal: bool
    taken: frozenset[str]
    places: dict[str, str]

    def need_care(self) -> pl.Expr:
        """Tell which events' keys cannot stay as they are."""
        attributes, metrics = pl.col("attributes"), pl.col("metrics")
        care = [pl.col("other").map.len() > 0]
        for column in (attributes, metrics) if self.shared else ():
            key = pl.element()
            fine = ~key.is_in(list(self.taken))
            if self.make_legal:
                fine = fine & key.str.contains(LEGAL)
            care.append(~column.map.keys().list.eval(fine).list.all())
        if self.shared:
            together = attributes.map.keys().list.set_intersection(metrics.map.keys())
            care.append(together.list.len() > 0)
        return pl.any_horizontal([flag.fill_null(value=False) for flag in care])

    def merge(self, batch: pl.DataFrame) -> dict[str, pl.Series]:
        """Give attributes and metrics with their final keys, and notes of what changed.

        `other` and the original names come as members of JSON objects.
        """
        if not batch["_care"].any():
            nothing = {name: pl.Series([None] * batch.height, dtype=dtype) for name, dtype in MERGED.items()}
            return {**nothing, "_attributes": batch["attributes"], "_metrics": batch["metrics"]}
        given = zip(batch["_care"], batch["attributes"], batch["metrics"], batch["other"], strict=True)
        rows = [
            self._merge_row(attributes, metrics, other) if care else {"_attributes": attributes, "_metrics": metrics}
            for care, attributes, metrics, other in given
        ]
        return {name: pl.Series([row.get(name) for row in rows], dtype=dtype) for name, dtype in MERGED.items()}

    def _merge_row(
        self, attributes: dict[str, str] | None, metrics: dict[str, str] | None, other: dict[str, str] | None
    ) -> dict[str, Any]:
        given = {"attributes": attributes or {}, "metrics": metrics or {}, "other": other or {}}
        final = self._final_keys(given)
        notes = [
            note("changed", f"{self.places.get(kind, kind)}.{key}")
            for kind, keys in final.items()
            for key, name in keys.items()
            if name != key or (self.text_only and kind == "other")
        ]
        merged = {
            kind: {final[kind][key]: value for key, value in values.items()} for kind, values in given.items()
        }
        result: dict[str, Any] = {"_names": _originals(final), "_key_notes": notes or None}
        if self.text_only:
            merged["attributes"] |= merged.pop("other")
        else:
            result["_other"] = (entities if self.entities else members)(merged.pop("other"))
        result["_attributes"] = merged["attributes"] if attributes is not None or merged["attributes"] else None
        result["_metrics"] = merged["metrics"] if metrics is not None or merged["metrics"] else None
        return result

    def _final_keys(self, given: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """Share the names out: attributes first, then other values, then metrics."""
        final: dict[str, dict[str, str]] = {}
        taken = set(self.taken)
        for kind in ("attributes", "other", "metrics"):
            apart = kind == "metrics" and not self.shared
            wanted = {key: f"{key}_metric" if self._meets(kind, key, given) else key for key in given[kind]}
            names = legal_keys(wanted.values(), frozenset() if apart else frozenset(taken), make_legal=self.make_legal)
            final[kind] = {key: names[name] for key, name in wanted.items()}
            taken |= set(final[kind].values())
        return final

    def _meets(self, kind: str, key: str, given: dict[str, dict[str, str]]) -> bool:
        return self.shared and kind == "metrics" and key in given["attributes"]


def _originals(final: dict[str, dict[str, str]]) -> str | None:
    changed = {
        kind: {name: key for key, name in keys.items() if name != key}
        for kind, keys in sorted(final.items())
        if any(name != key for key, name in keys.items())
    }
    return ",".join(f"{quoted(kind)}:{quoted(names)}" for kind, names in changed.items()) or None


def notes_of_keys(column: pl.Expr, kind: str, place: str) -> pl.Expr:
    """Note each key of a map as lost; the place ends with a dot, or is empty."""
    return column.map.keys().list.eval(pl.concat_str(pl.lit(note(kind, place)), pl.element()))


def no_notes() -> pl.Expr:
    """Give a column of no notes."""
    return pl.lit(None, pl.List(pl.String))


def all_notes(parts: Iterable[pl.Expr]) -> pl.Expr:
    """Put notes together; an event without any has null."""
    lists = [part.fill_null([]) for part in parts]
    return pl.concat_list(lists) if lists else no_notes()
