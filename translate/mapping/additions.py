"""What a model's reader counts by, and other sources do not say: the table [additions] of a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translate.mapping.sheet import Sheet, join
from translate.mapping.spec import Addition

# What can be added, and what the sheet has to say of each: how its reader calls the events, properties and metrics.
KINDS: dict[str, tuple[str, ...]] = {
    "first_open": ("event", "user_property"),
    "session_number": (),
    "profile_set": ("event",),
    "engagement": ("event", "metric"),
}


def read_additions(sheet: Sheet, table: Mapping[str, Any]) -> dict[str, Addition]:
    """Read the table, in the order in which additions are made; complain to the sheet."""
    given = sheet.tables(dict(table), "additions")
    for name in given:
        sheet.one_of(name, join("additions", name), "addition", KINDS)
    return {name: _addition(sheet, name, given[name]) for name in KINDS if name in given}


def _addition(sheet: Sheet, name: str, table: dict[str, Any]) -> Addition:
    path = join("additions", name)
    sheet.known_keys(table, path, (*KINDS[name], "source"))
    sheet.need(table, path, "source", str, "")
    said = {key: sheet.need(table, path, key, str, "") for key in KINDS[name]}
    return Addition(name, **said)
