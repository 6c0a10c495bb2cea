"""What an inspection found: JSON values, tables for a terminal and for a notebook, and a page."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from translate.telling.inspection import grading, listing, notebook, pages, tables
from translate.telling.inspection.grading import Target
from translate.telling.inspection.grounds import Grounds


@dataclass(frozen=True, repr=False)
class Inspection:
    """What is in an archive.

    `values` are figures, lists and faults as JSON values; `keys` the frame of attribute and metric keys: `name` of the
    event type, `container`, `key`, `events`, `fill` (share of the type's events), `looks` (of its values), `example`.
    `targets` says, once it is asked, what each layout that can be written would make of the archive.
    """

    values: dict[str, Any]
    keys: pl.DataFrame
    grounds: Grounds = field(compare=False)
    examples: bool = False
    made: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC), compare=False)

    @cached_property
    def targets(self) -> list[Target]:
        """Try the first events on each layout that can be written."""
        return grading.targets(self.grounds, self.made)

    def to_json(self) -> dict[str, Any]:
        """Give all figures as JSON values, the keys below their types; without the targets."""
        listed: dict[str, list[dict[str, Any]]] = {}
        for name, container, key, events, fill, looks, example in self.keys.iter_rows():
            told = {
                "container": container,
                "key": key,
                "events": events,
                "fill": fill,
                "looks": {look["look"]: look["events"] for look in looks},
            }
            listed.setdefault(name, []).append({**told, "example": example} if self.examples else told)
        return {
            **self.values,
            "types": [{**entry, "keys": listed.get(entry["name"], [])} for entry in self.values["types"]],
        }

    def json_pieces(self) -> Iterator[str]:
        """Give the same as text, indented by two, piece by piece."""
        return listing.pieces(self.values, self.keys, examples=self.examples)

    def __repr__(self) -> str:
        return f"<Inspection {self.values['from']}: {self.values['events']['inspected']:,} events>"

    def __str__(self) -> str:
        return tables.text(self.values, self.keys, examples=self.examples)

    def _repr_html_(self) -> str:
        """Show the figures in a notebook."""
        return notebook.fragment(self.values, self.keys)

    def write_html(self, path: str | os.PathLike[str]) -> None:
        """Write one page that needs nothing but itself: figures, charts, faults, and each target's grade."""
        page = pages.page(self.values, self.keys, self.targets, self.made, examples=self.examples)
        Path(path).write_text(page, encoding="utf-8")
