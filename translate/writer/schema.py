"""The Avro schema of the columns that are written, as a table's mapping says it."""

from __future__ import annotations

from typing import Any

from translate.mapping.columns import Column
from translate.mapping.spec import Field, Layout, Schema

AVRO_TYPES = {"text": "string", "whole": "long", "number": "float"}


def avro_schema(layout: Layout, schema: Schema, provided: frozenset[str]) -> dict[str, Any]:
    """Give the schema of a layout's columns, in their order; optional ones only if the events can have them."""
    standing = [
        {"name": entry.place, "type": _type(entry)}
        for entry in layout.fields
        if not entry.word.is_container and (not entry.optional or entry.hub[0] in provided)
    ]
    own = [_own(entry.own, schema) for entry in layout.own if entry.own is not None]
    return {
        "type": "record",
        "name": schema.name,
        "namespace": schema.namespace,
        "fields": [*standing, *own],
        "version": schema.version,
    }


def _type(entry: Field) -> str | list[str]:
    avro = AVRO_TYPES[entry.word.wire]
    return avro if entry.required else [avro, "null"]


def _own(column: Column, schema: Schema) -> dict[str, Any]:
    if column.spelled is not None:
        return dict(column.spelled)
    return {"name": column.name, "type": [column.type, "null"], **schema.own.get(column.type, {})}
