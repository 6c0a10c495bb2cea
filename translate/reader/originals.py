"""Names that the writer had to change, given back to what had them."""

from __future__ import annotations

import json
from typing import Any

from translate.reader.record import Record
from translate.vocabulary.notation import quoted

KINDS = ("attributes", "metrics", "other")


def restore_names(record: Record, text: str) -> bool:
    """Give keys the names back that they had before a target could not take them; false if the text does not say."""
    try:
        names = json.loads(text)
    except ValueError:
        return False
    if not isinstance(names, dict) or not names.keys() <= {"name", "lists", "user_properties", *KINDS}:
        return False
    own, lists = names.pop("name", None), names.pop("lists", {})
    if not (own is None or isinstance(own, str)) or not all(_are_names(table) for table in names.values()):
        return False
    if not _are_lists(lists):
        return False
    record.original_name = own
    for home, keys in lists.items():
        written = {key: name for name, key in names.get(home, {}).items()}
        _make_lists(record, home, [written.get(key, key) for key in keys])
    for kind, table in names.items():
        _rename(record, kind, table)
    if "user_properties" in names:
        _rename(record, "user_property_times", names["user_properties"])
    return True


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
