"""Containers of free-form values: what these maps hold, and the value that they make."""

from __future__ import annotations

from translate.vocabulary.word import Container

MIXED = ("attributes", "metrics", "other")

TEXT_MAP = Container(
    "text_map", "an object of texts",
    stands_for=("attributes", "other"), form="maps", preset_wires=("text",),
    example=(({"sku": "b-1"}, None), '{"sku":"b-1"}'),
)  # fmt: skip

NUMBER_MAP = Container(
    "number_map", "an object of numbers",
    stands_for=("metrics",), form="maps", preset_wires=("whole", "number"), of_numbers=True,
    example=(({"score": "2.5"},), '{"score":2.5}'),
)  # fmt: skip

MIXED_MAP = Container(
    "mixed_map", "one object of mixed types",
    stands_for=MIXED, form="object",
    example=(({"sku": "b-1"}, {"score": "2.5"}, {"new": "true"}), '{"sku":"b-1","score":2.5,"new":true}'),
)  # fmt: skip

ENTITIES = Container(
    "entities", "a list of key and value",
    stands_for=MIXED, form="entities",
    example=(({"sku": "b-1"}, {"score": "2.5"}, None), '[{"key":"sku","value":"b-1"},{"key":"score","value":2.5}]'),
)  # fmt: skip

PROPERTIES = Container(
    "properties", "JSON text of an object of texts, its keys in camel case",
    stands_for=MIXED, form="properties", example=(({"item_sku": "b-1"}, None, None), '"{\\"itemSku\\":\\"b-1\\"}"'),
)  # fmt: skip

TEXT_COLUMNS = Container(
    "text_columns", "a column each, of text",
    stands_for=("attributes",), form="columns", takes_own_columns=True, example=(({"sku": "b-1"},), '{"sku":"b-1"}'),
)  # fmt: skip

NUMBER_COLUMNS = Container(
    "number_columns", "a column each, of numbers",
    stands_for=("metrics",), form="columns", of_numbers=True, example=(({"score": "2.5"},), '{"score":2.5}'),
)  # fmt: skip
