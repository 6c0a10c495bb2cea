"""What lies in a place of a layout, so far as something may be asked of it: one value, many, or the names of many."""

from __future__ import annotations

from translate.mapping.spec import Field, Layout

ROW = "."
NAMES = ".*"

KINDS: dict[str, str] = {
    "row": "the whole row",
    "text": "one text",
    "whole": "one whole number",
    "number": "one number",
    "flag": "true or false",
    "json": "one JSON value",
    "list": "a list",
    "map": "free-form values",
    "key": "one of the free-form values",
    "names": "the names of free-form values",
    "user": "a user's attributes",
    "object": "an object as it is",
    "fields": "an object of places",
}


def kind_of(layout: Layout, place: str) -> str | None:
    """Tell what lies in a place, by one of `KINDS`; None if the layout has no such place.

    `.` is the row itself, `place.*` are the names of what lies in a place, `place.name` is one of its free-form values.
    """
    if place == ROW:
        return "row"
    fields = {entry.place: entry for entry in layout.all_fields}
    home = fields.get(place.removesuffix(NAMES))
    if place.endswith(NAMES) and place not in fields and home is not None:
        return "names" if home.word.holds_names else None
    head, _, key = place.partition(".")
    if key and head in fields and _kind_of_field(fields[head]) in ("map", "user"):
        return "key"
    if place in fields:
        return _kind_of_field(fields[place])
    return "fields" if any(entry.place.startswith(f"{place}.") for entry in layout.all_fields) else None


def _kind_of_field(entry: Field) -> str:
    kind = entry.wire if entry.const is not None else entry.word.kind
    return "list" if kind == "json" and entry.holds_list else kind
