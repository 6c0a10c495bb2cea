"""Judges rows that are read by what their layout asks of them, beside its limits; never changes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from translate import notes
from translate.limits import breaches
from translate.mapping.codecs import CONTAINERS, SCALARS
from translate.mapping.spec import Layout, Limit
from translate.notes import RETYPED
from translate.reader.tree import is_read
from translate.settings import Settings
from translate.validation.members import LOOKS, asked
from translate.validation.read_rows import ReadRows

Judged = Iterable[tuple[pl.Expr, str]]


@dataclass(frozen=True)
class Question:
    """Something that a row may be wrong in, which rows are, and what to say about them."""

    limit: Limit
    wrong: pl.Expr
    message: str


def questions(rows: ReadRows, settings: Settings) -> Iterator[Question]:
    """Give all that a layout's rows may be wrong in: required places, its limits, its checks."""
    layout = rows.layout
    yield from _required(rows, settings)
    for breach in breaches(_without_own(layout), rows):
        yield Question(breach.limit, breach.over, breach.message.removesuffix(f" ({breach.limit.source})"))
    for name, limit in [*layout.limits.items(), *layout.checks.items()]:
        for wrong, message in OWN_JUDGES[name](limit.value, rows) if name in OWN_JUDGES else ():
            yield Question(limit, wrong.fill_null(value=False), message)


def _without_own(layout: Layout) -> Layout:
    """Leave out the limits whose judge looks at what is written."""
    return dataclasses.replace(layout, limits={name: limit for name, limit in layout.limits.items() if name not in OWN_JUDGES})


def _required(rows: ReadRows, settings: Settings) -> Iterator[Question]:
    """Ask for what is required; an application's id may come from the settings."""
    layout = rows.layout
    not_needed = layout.checks["places_optional"].value if "places_optional" in layout.checks else []
    for entry in layout.all_fields:
        if not is_read(entry) or entry.place in not_needed:
            continue
        limit = Limit("places_required", 1, hard=True, source=layout.source)
        if entry.required and entry.hub == ("app.id",) and settings.app_id:
            continue
        if entry.required:
            yield Question(limit, rows.is_missing(entry.place), f"{entry.place} is missing")
        elif entry.required_for:
            action = next(other for other in layout.fields if other.codec == "action")
            there = rows.value(entry.place).fill_null("") != ""
            wrong = (rows.value(action.place) == entry.required_for).fill_null(value=False) & ~there
            yield Question(limit, wrong, f"{entry.place} is missing, in an event of {action.place} {entry.required_for}")


# -- names ----------------------------------------------------------------------------------------------------------


def _names(rows: ReadRows) -> list[tuple[pl.Expr, str]]:
    """Give the names in a row: the event's, those of its attributes, those of its user's."""
    place = next(entry.place for entry in rows.layout.fields if entry.hub[:1] == ("name",))
    return [
        (pl.concat_list(rows.value(place)), "an event name"),
        (rows.keys, "an attribute name"),
        (rows.user_properties.map.keys(), "the name of a user attribute"),
    ]


def _any_name(rows: ReadRows, wrong: pl.Expr, what: str) -> Judged:
    for names, kind in _names(rows):
        yield names.list.eval(wrong).list.any(), f"{kind} {what}"


def _reserved(value: Any, rows: ReadRows) -> Judged:
    prefix, known = value["prefix"], [*value["known"], *_own_keys(rows.layout)]
    wrong = pl.element().str.starts_with(prefix) & ~pl.element().is_in(known)
    return _any_name(rows, wrong, f"that begins with {prefix}, as only those of the model's own should")


def _own_keys(layout: Layout) -> list[str]:
    containers = [entry.place for entry in layout.fields if entry.codec in CONTAINERS]
    return [entry.key for entry in layout.fields if entry.path[0] in containers and entry.key]


def _keys_reserved(value: list[str], rows: ReadRows) -> Judged:
    reserved = [name.lower() for name in value]
    wrong = rows.keys.list.eval(pl.element().str.to_lowercase().is_in(reserved)).list.any()
    yield wrong, f"a reserved name among the free-form values ({', '.join(value)}; in any case)"


# -- values ---------------------------------------------------------------------------------------------------------


def _missing(value: list[str], rows: ReadRows) -> Judged:
    for place in value:
        yield rows.is_missing(place), f"{place} is missing"


def _objects(value: list[str], rows: ReadRows) -> Judged:
    for place in value:
        members = [name for name in rows.values if name.startswith(f"{place}.")]
        needs = [f"{place}.{name}" for name in rows.layout.objects[place]]
        there = pl.any_horizontal(rows.value(name).is_not_null() for name in members)
        whole = pl.all_horizontal(rows.value(name).is_not_null() for name in needs)
        yield there & ~whole, f"{place} without {' or '.join(needs)}"


def _only(value: dict[str, list[str]], rows: ReadRows) -> Judged:
    for place, known in value.items():
        yield ~_text(rows, place).is_in(known), f"{place} is none of {', '.join(known)}"


def _usual(value: dict[str, list[str]], rows: ReadRows) -> Judged:
    for place, known in value.items():
        lower = [text.lower() for text in known]
        yield ~_text(rows, place).str.to_lowercase().is_in(lower), f"{place} is none of {', '.join(known)}"


def _pattern(value: dict[str, str], rows: ReadRows) -> Judged:
    for place, pattern in value.items():
        yield ~_text(rows, place).str.contains(pattern), f"{place} is not of the form {pattern}"


def _characters(value: dict[str, list[int]], rows: ReadRows) -> Judged:
    for place, (least, most) in value.items():
        text = _text(rows, place)
        yield ~text.str.len_chars().is_between(least, most) & (text != ""), f"{place} is not of {least} to {most} characters"


def _text(rows: ReadRows, place: str) -> pl.Expr:
    return rows.value(place).cast(pl.String)


def _whole_numbers(value: list[str], rows: ReadRows) -> Judged:
    for place in value:
        spelled = pl.lit(None, pl.String) if rows.text is None else rows.text.str.json_path_match(f"$.{place}")
        yield spelled.str.contains(r"^-?[0-9]+[.eE]"), f"{place} has a fraction or an exponent, and should be a plain whole number"


def _keys_numeric(value: list[str], rows: ReadRows) -> Judged:
    for key in value:
        text = rows.attributes.map.get(key)
        odd = text.is_not_null() & text.str.strip_chars().cast(pl.Float64, strict=False).is_null()
        yield odd | rows.other.map.keys().list.contains(key).fill_null(value=False), f"the attribute {key} is no number"


def _keys_of_events(value: dict[str, list[str]], rows: ReadRows) -> Judged:
    place = next(entry.place for entry in rows.layout.fields if entry.hub[:1] == ("name",))
    for name, keys in value.items():
        for key in keys:
            yield (rows.value(place) == name) & ~rows.keys.list.contains(key), f"the attribute {key} is missing, in an event of {place} {name}"


def _maps_of(codec: str, what: str) -> Callable[[list[str], ReadRows], Judged]:
    """Ask of objects what the codec that writes such ones changes."""

    def judge(value: list[str], rows: ReadRows) -> Judged:
        for place in value:
            column = next(entry.hub[0] for entry in rows.layout.all_fields if entry.place == place)
            wrong = SCALARS[codec].changed
            if wrong is not None:
                yield wrong([pl.col(column)]), f"{place} holds something that is no {what}"

    return judge


def _exact_types(_value: bool, rows: ReadRows) -> Judged:  # noqa: FBT001
    retyped = notes.any_says(pl.col("notes"), "changed", RETYPED)
    is_shared = any(CONTAINERS[entry.codec].shared for entry in rows.layout.fields if entry.codec in CONTAINERS)
    strays = pl.lit(value=False) if is_shared else (rows.other.map.len() > 0).fill_null(value=False)
    yield retyped | strays, "a number where a text belongs, a text where a number belongs, or neither of them"


def _exact_duration(_value: bool, rows: ReadRows) -> Judged:  # noqa: FBT001
    start, stop, duration = (rows.of_hub(name) for name in ("session.start", "session.stop", "session.duration"))
    yield duration != (stop - start).dt.total_milliseconds(), "the session's duration is not its stop minus its start, to the millisecond"


def _by_looking(name: str) -> Callable[[Any, ReadRows], Judged]:
    return lambda value, _rows: asked(name, value)


OWN_JUDGES: dict[str, Callable[[Any, ReadRows], Judged]] = {
    "places_required": _missing,
    "places_advised": _missing,
    "places_optional": lambda _value, _rows: (),
    "objects_whole": _objects,
    "values_only": _only,
    "values_usual": _usual,
    "values_pattern": _pattern,
    "characters_between": _characters,
    "whole_numbers": _whole_numbers,
    "exact_types": _exact_types,
    "exact_duration": _exact_duration,
    "keys_numeric": _keys_numeric,
    "keys_of_events": _keys_of_events,
    "maps_of_texts": _maps_of("map_of_texts", "text"),
    "maps_of_lists": _maps_of("map_of_lists", "list of texts"),
    "names_pattern": lambda value, rows: _any_name(rows, ~pl.element().str.contains(value), f"that is not of the form {value}"),
    "names_characters_max": lambda value, rows: _any_name(
        rows, pl.element().str.len_chars() > value, f"of more than {value} characters"
    ),
    "names_reserved": _reserved,
    "keys_reserved": _keys_reserved,
    "user_value_characters_max": lambda value, rows: [
        (
            rows.user_properties.map.values().list.eval(_unquoted(pl.element()).str.len_chars() > value).list.any(),
            f"a user attribute of more than {value} characters",
        )
    ],
    "item_value_characters_max": lambda value, rows: [
        (rows.item_characters > value, f"an item with a text of more than {value} characters")
    ],
    # The limit's own judge looks at the user as it is written.
    "user_attributes_max": lambda value, rows: [(rows.user_attribute_count > value, f"more than {value} user attributes")],
    **{name: _by_looking(name) for name in LOOKS},
}


def _unquoted(text: pl.Expr) -> pl.Expr:
    """Take a JSON text out of its quotes; its escapes stay."""
    return text.str.strip_prefix('"').str.strip_suffix('"')
