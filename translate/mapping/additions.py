"""What a model's reader counts by, and other sources do not say: the table [additions] of a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translate.mapping.sheet import Sheet, join
from translate.mapping.spec import Addition


@dataclass(frozen=True)
class Addable:
    """What can be added, and what a sheet has to say of it: how its reader calls the events, properties and metrics."""

    about: str
    keys: tuple[str, ...] = ()


KINDS = {
    "first_open": Addable(
        "an event for each client's first, and in the user of all its events when that was",
        ("event", "user_property"),
    ),
    "session_number": Addable("the number of each session of a client"),
    "profile_set": Addable("an event wherever a user or its properties change", ("event",)),
    "engagement": Addable(
        "the length of a session in all its events, and an event that leaves its pauses out",
        ("event", "metric"),
    ),
}


def read_additions(sheet: Sheet, table: Mapping[str, Any]) -> dict[str, Addition]:
    """Read the table, in the order in which additions are made; complain to the sheet."""
    given = sheet.tables(dict(table), "additions")
    for name in given:
        sheet.one_of(name, join("additions", name), "addition", KINDS)
    return {name: _addition(sheet, name, given[name]) for name in KINDS if name in given}


def _addition(sheet: Sheet, name: str, table: dict[str, Any]) -> Addition:
    path = join("additions", name)
    sheet.known_keys(table, path, (*KINDS[name].keys, "source"))
    sheet.need(table, path, "source", str, "")
    said = {key: sheet.need(table, path, key, str, "") for key in KINDS[name].keys}
    return Addition(name, **said)
