"""Names that the writer had to change, given back to what had them."""

from __future__ import annotations

import json
from typing import Any

from translate.reader.record import Record

KINDS = ("attributes", "metrics", "other")


def restore_names(record: Record, text: str) -> bool:
    """Give keys the names back that they had before a target could not take them; false if the text does not say."""
    try:
        names = json.loads(text)
    except ValueError:
        return False
    if not isinstance(names, dict) or not names.keys() <= {"name", "user_properties", *KINDS}:
        return False
    own = names.pop("name", None)
    if not (own is None or isinstance(own, str)) or not all(_are_names(table) for table in names.values()):
        return False
    record.original_name = own
    for kind, table in names.items():
        _rename(record, kind, table)
    if "user_properties" in names:
        _rename(record, "user_property_times", names["user_properties"])
    return True


def _are_names(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(name, str) for name in table.values())


def _rename(record: Record, kind: str, table: dict[str, str]) -> None:
    values = record.maps.get(kind)
    if values is None:
        return
    renamed = {table.get(key, key): text for key, text in values.items()}
    if len(renamed) == len(values):
        record.maps[kind] = renamed
