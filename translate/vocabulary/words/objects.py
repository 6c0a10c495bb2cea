"""Objects and lists: containers of free-form values, whole hub maps, JSON as it is, and a user's properties with their times."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import polars as pl

from translate import events
from translate.vocabulary.notation import (
    as_it_is,
    by_distinct_value,
    first,
    json_text,
    members,
    object_of_map,
    quoted,
)
from translate.vocabulary.notes import FILLED_IN, Finding
from translate.vocabulary.word import Container, Scalar, Written

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
    stands_for=("attributes",), form="columns", takes_own_columns=True, gathered=TEXT_MAP.name,
    example=(({"sku": "b-1"},), '{"sku":"b-1"}'),
)  # fmt: skip

NUMBER_COLUMNS = Container(
    "number_columns", "a column each, of numbers",
    stands_for=("metrics",), form="columns", of_numbers=True, gathered=NUMBER_MAP.name, example=(({"score": "2.5"},), '{"score":2.5}'),
)  # fmt: skip


LIST_OF_TEXTS = r'^\[(?:"(?:[^"\\]|\\.)*"(?:,"(?:[^"\\]|\\.)*")*)?\]$'
MAPS_OF_JSON = ("user_properties", "client_properties", "other")


def _as_a_text(value: pl.Expr) -> pl.Expr:
    return pl.when(value.str.starts_with('"')).then(value).otherwise(json_text(value))


def _as_a_list(value: pl.Expr) -> pl.Expr:
    listed = pl.concat_str(pl.lit("["), _as_a_text(value), pl.lit("]"))
    return pl.when(value.str.contains(LIST_OF_TEXTS)).then(value).otherwise(listed)


JSON_MAP = Scalar(
    "json_map", "an object of any JSON values",
    types=(events.MAP,), kept_in=MAPS_OF_JSON, wire="json", form="whole",
    write=lambda columns: object_of_map(columns[0]), example=(({"a": "1"},), '{"a":1}'),
)  # fmt: skip

MAP_OF_TEXTS = Scalar(
    "map_of_texts", "an object of texts; any other value as its JSON text",
    types=(events.MAP,), kept_in=MAPS_OF_JSON, wire="json", form="whole",
    write=lambda columns: object_of_map(columns[0], _as_a_text),
    changed=lambda columns: columns[0].map.values().list.eval(~pl.element().str.starts_with('"')).list.any(),
    why="what was no text is one now", example=(({"a": "1"},), '{"a":"1"}'),
)  # fmt: skip

MAP_OF_LISTS = Scalar(
    "map_of_lists", "an object of lists of texts; any other value as a list of one text",
    types=(events.MAP,), kept_in=MAPS_OF_JSON, wire="json", form="whole",
    write=lambda columns: object_of_map(columns[0], _as_a_list),
    changed=lambda columns: columns[0].map.values().list.eval(~pl.element().str.contains(LIST_OF_TEXTS)).list.any(),
    why="what was no list of texts is one now", example=(({"a": "1"},), '{"a":["1"]}'),
)  # fmt: skip


WITHOUT_BARS = r'^\["(?:[^"\\|]|\\.)*"(?:,"(?:[^"\\|]|\\.)*")*\]$'


def _piped(columns: Sequence[pl.Series], _member: str) -> pl.Series:
    """Join JSON lists of texts by bars."""
    return by_distinct_value(
        columns[0],
        lambda value: "|".join(item if isinstance(item, str) else quoted(item) for item in json.loads(value)),
    )


def _unpiped(text: pl.Expr) -> pl.Expr:
    """Write a text's parts between bars as a JSON list."""
    encoded = pl.struct(l=text.str.split("|")).struct.json_encode()
    return pl.when(text.is_not_null()).then(encoded.str.slice(5).str.strip_suffix("}"))


JSON_TEXT = Scalar(
    "json_text", "any JSON value",
    types=(events.TEXT,), kept_in=events.LISTS, wire="json", read=as_it_is, write=first, example=(("[1]",), "[1]"),
)  # fmt: skip

PIPED = Scalar(
    "piped", "a list of texts, joined by |",
    types=(events.TEXT,), kept_in=events.LISTS, wire="text", read=_unpiped, rowwise=_piped,
    changed=lambda columns: ~columns[0].str.contains(WITHOUT_BARS) | (columns[0] == '[""]'),
    why="not a list of texts without bars", example=(('["a","b"]',), "a|b"),
)  # fmt: skip


def _user_object(columns: Sequence[pl.Series], member: str) -> pl.Series:
    """Write the user's id and properties as `{name: {value, set_timestamp}}`; set with the event if unknown."""
    user_ids, properties, times, event_times = columns
    if user_ids.null_count() == len(user_ids) == properties.null_count():
        return pl.Series([None] * len(user_ids), dtype=pl.String)
    milliseconds = event_times.dt.timestamp("ms")
    rows = zip(user_ids, properties, times, milliseconds, strict=True)
    return pl.Series([_user(member, *row) for row in rows], dtype=pl.String)


def _user(
    member: str,
    user_id: str | None,
    properties: dict[str, str] | None,
    times: dict[str, str] | None,
    time: int,
) -> str | None:
    own = ({} if user_id is None else {member: quoted(user_id)}) | (properties or {})
    at = {name: (times or {}).get(name, time) for name in own}
    inner = members({name: f'{{"value":{own[name]},"set_timestamp":{at[name]}}}' for name in own})
    return None if inner is None else f"{{{inner}}}"


def _supplements(written: Written) -> Iterator[Finding]:
    """Tell of properties of the user that have no time of their own, or none but the event's."""
    user_id, properties, times, time = (pl.col(name) for name in written.hub)
    now = time.dt.timestamp("ms").cast(pl.String)
    untimed = properties.map.len() > times.map.len().fill_null(0)
    timed_now = times.map.values().list.contains(now).fill_null(value=False)
    some = (properties.map.len() > 0) & (untimed | timed_now)
    message = "user attributes without a time of their own have their event's"
    yield Finding(FILLED_IN, message, some, written.hub[2])
    others = times.map.keys().list.set_difference(properties.map.keys().fill_null([]))
    own = pl.when(user_id.is_not_null() & others.list.contains(written.member)).then(1).otherwise(0)
    message = "times of user attributes that the event does not have"
    yield Finding("not_written", message, others.list.len() > own, written.hub[2])


USER_OBJECT = Scalar(
    "user_object", "the user's properties, each with the time when it was set",
    types=(events.TEXT, events.MAP, events.MAP, events.TIME), columns=(4, 4), carries=3,
    stands_for=("user_id", "user_properties", "user_property_times", "time"), has_member=True,
    wire="json", form="user", read=as_it_is, rowwise=_user_object,
    example=(("u", None, None, events.EPOCH), '{"id":{"value":"u","set_timestamp":0}}'),
    supplements=_supplements, also_gives=("user_properties", "user_property_times"), takes_other_places=False,
)  # fmt: skip
