"""Names that the writer had to change, given back to what had them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from translate import events
from translate.reader.record import Record
from translate.vocabulary.notation import quoted

KINDS = ("attributes", "metrics", "other")


@dataclass(frozen=True)
class Originals:
    """What travelled along: the event's own name, by maps the names of keys, and the keys of what was a list."""

    name: str | None
    keys: dict[str, dict[str, str]]
    lists: dict[str, list[str]]


@lru_cache(maxsize=1024)
def originals_of(text: str) -> Originals | None:
    """Read what travelled along; None if the text does not say."""
    try:
        names = json.loads(text)
        quoted(names).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    if not isinstance(names, dict) or not names.keys() <= {"name", "lists", "user_properties", *KINDS}:
        return None
    own, lists = names.pop("name", None), names.pop("lists", {})
    is_sound = (own is None or isinstance(own, str)) and all(map(_are_names, names.values()))
    return Originals(own, names, lists) if is_sound and _are_lists(lists) else None


def maps_changed(text: str) -> Iterable[str]:
    """Name the maps that giving names back may change."""
    originals = originals_of(text)
    if originals is None:
        return ("attributes",)
    if originals.lists:
        return events.MAPS
    return (*originals.keys, *(["user_property_times"] if "user_properties" in originals.keys else []))


def restore_names(record: Record, text: str, key: str) -> None:
    """Give keys the names back that they had before a target could not take them; a text that does not say stays under its key."""
    originals = originals_of(text)
    if originals is None:
        record.put("attributes", key, text)
        return
    record.original_name = originals.name
    for home, keys in originals.lists.items():
        written = {key: name for name, key in originals.keys.get(home, {}).items()}
        _make_lists(record, home, [written.get(key, key) for key in keys])
    for kind, table in originals.keys.items():
        _rename(record, kind, table)
    if "user_properties" in originals.keys:
        _rename(record, "user_property_times", originals.keys["user_properties"])


def _are_names(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(name, str) for name in table.values())


def _are_lists(lists: Any) -> bool:
    """Tell if keys are named whose values were lists, by their maps."""
    return (
        isinstance(lists, dict)
        and lists.keys() <= {"user_properties", "other"}
        and all(
            isinstance(keys, list) and all(isinstance(key, str) for key in keys) for keys in lists.values()
        )
    )


def _make_lists(record: Record, home: str, keys: list[str]) -> None:
    """Make lists of the values that the writer took out of them, whatever map the reader put these into."""
    for key in keys:
        for kind in (home, *KINDS) if home == "other" else (home,):
            text = record.maps.get(kind, {}).pop(key, None)
            if text is not None:
                record.maps = {name: values for name, values in record.maps.items() if values}
                record.put(home, key, f"[{quoted(text) if kind == 'attributes' else text}]")
                break


def _rename(record: Record, kind: str, table: dict[str, str]) -> None:
    values = record.maps.get(kind)
    if values is None:
        return
    renamed = {table.get(key, key): text for key, text in values.items()}
    if len(renamed) == len(values):
        record.maps[kind] = renamed
