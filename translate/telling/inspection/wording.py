"""How an archive calls what the hub has names for: its own names of well-known events, and its spellings of platforms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from translate import mapping
from translate.archive.recognition import Recognised
from translate.conversion.job import HUB_MODEL
from translate.mapping.spec import Mapping

PLATFORM = "device.platform"


def own_names(recognised: Recognised, names: Iterable[str]) -> dict[str, list[str]]:
    """Give the archive's own names of those hub names that it calls otherwise."""
    told: dict[str, list[str]] = {}
    for name in sorted(names):
        spellings = [origin.mapping.names.get(name) for origin in recognised.sources]
        own = [f"{one.phase} {one.name}" if one.phase else one.name for one in spellings if one is not None]
        others = [spelled for spelled in dict.fromkeys(own) if spelled != name]
        if others:
            told[name] = others
    return told


def platform_meanings(
    recognised: Recognised, mappings: Path | None, platforms: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Put the spellings of platforms together that mean one, by the first table of values that knows them."""
    tables = list(_tables(recognised, mappings))
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in platforms:
        name = entry["platform"]
        known = (table[name.lower()] for table in tables if name and name.lower() in table)
        found.setdefault(next(known, name), []).append({"name": name, "events": entry["events"]})
    told = [
        {"meaning": meaning, "events": sum(one["events"] for one in spellings), "spellings": spellings}
        for meaning, spellings in found.items()
    ]
    return sorted(told, key=lambda entry: (-entry["events"], str(entry["meaning"])))


def _tables(recognised: Recognised, mappings: Path | None) -> Iterator[dict[str, str]]:
    """Give the tables that platforms are exchanged by: the source's own first, then those of all models."""
    others = (mapping.load(name, mappings) for name in mapping.models(mappings))
    own = (origin.mapping for origin in recognised.sources if origin.layout.model != HUB_MODEL)
    for sheet in [*own, *others]:
        yield from _tables_of(sheet)


def _tables_of(sheet: Mapping) -> Iterator[dict[str, str]]:
    for layout in sheet.layouts.values():
        for entry in layout.fields:
            if entry.table and PLATFORM in entry.hub:
                table = sheet.tables[entry.table]
                yield {
                    **{value.lower(): value for value in table.values()},
                    **{spelled.lower(): value for spelled, value in table.items()},
                }
