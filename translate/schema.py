"""Personalize's Avro schema for the columns that are written.

https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html
"""

from __future__ import annotations

from typing import Any

from translate.mapping.codecs import CONTAINERS, SCALARS
from translate.mapping.spec import Field, Layout

AVRO_TYPES = {"text": "string", "whole": "long", "number": "float"}


def avro_schema(layout: Layout, set_columns: frozenset[str]) -> dict[str, Any]:
    """Give the schema of a layout's columns, in their order; optional ones only if the recipe fills them."""
    return {
        "type": "record",
        "name": layout.schema,
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": entry.place, "type": _type(entry)}
            for entry in layout.fields
            if entry.codec not in CONTAINERS and (not entry.optional or entry.hub[0] in set_columns)
        ],
        "version": "1.0",
    }


def _type(entry: Field) -> str | list[str]:
    avro = AVRO_TYPES[SCALARS[entry.codec].wire]
    return avro if entry.required else [avro, "null"]
