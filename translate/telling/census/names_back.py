"""The names that a record's keys got back: a target could not take them, and they travelled along in the record."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from translate.mapping.spec import Field
from translate.telling.census import Members, Value, members_of, scan, text_of

Row = Mapping[str, Any]  # the hub's columns before any recipe
Presets = Mapping[tuple[str, ...], list[Field]]


class NamesBack:
    """Knows of one event under which names the hub's maps have its keys."""

    def __init__(self, presets: Presets, record: Value, row: Row) -> None:
        told = _told(presets, record)
        self.are_told = told is not None
        self._tables = {
            home: table for home, table in (told or {}).items() if _went_back(table, row.get(home) or ())
        }

    def in_home(self, home: str, name: str) -> str | None:
        """Give the name that a home has for a key; None if it has another key under that name."""
        table = self._tables.get(home, {})
        return table.get(name, None if name in table.values() else name)


def _told(presets: Presets, record: Value) -> dict[str, dict[str, str]] | None:
    """Read from the raw text the names that the keys had before a target could not take them; None if it has none."""
    for (head, rest), entries in presets.items():
        if not entries[0].word.travels_with_names or not isinstance(record, Members):
            continue
        text = text_of(dict(members_of(dict(record).get(head, ""))).get(rest, ""))
        names = scan(text) if text else None
        if isinstance(names, Members):
            return {
                kind: {written: text_of(original) or "" for written, original in table}
                for kind, table in names
                if isinstance(table, Members)
            }
    return None


def _went_back(table: Mapping[str, str], names: Container[str]) -> bool:
    """Tell whether a home's keys have their names back; where two would have the same one, all keep what was written."""
    return not any(written in names for written in table.keys() - table.values())
