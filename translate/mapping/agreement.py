"""What a layout has to keep before a row is read: what its fields say fits together, and each of them, alone, runs on an empty frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import polars as pl
from polars.exceptions import PolarsError

from translate import events
from translate.mapping.checks import Found, asked_in_vain
from translate.mapping.portions import in_vain
from translate.mapping.spec import Field, Layout, Mapping
from translate.mapping.surroundings import around, place_above
from translate.vocabulary import notation
from translate.vocabulary.word import KIND_NAMES, Wire, Word

Containers = dict[str, Field]

NEEDED_TO_READ = ("name", "time")
# Names that the writer tells from the rest of a row without taking it apart.
PLAIN = re.compile(r"[0-9A-Za-z_$.]*")


def contradictions(layout: Layout) -> Iterator[Found]:
    """Tell what a layout's fields say against one another."""
    if not (layout.read or layout.write):
        yield (), "can neither be read nor written"
    containers = {entry.place: entry for entry in layout.fields if entry.word.is_container}
    yield from _of_places(layout, containers)
    yield from _of_presets(layout, containers)
    yield from _of_other_places(layout)
    yield from _of_maps(layout)
    yield from _of_helpers(layout, containers)
    yield from _of_objects(layout, containers)
    yield from asked_in_vain(layout)
    yield from in_vain(layout)
    if layout.read:
        yield from _of_reading(layout, containers)
    if layout.records == "csv":
        yield from _of_csv(layout)
    elif layout.request is not None:
        yield from around(layout.request, is_written=layout.write)


# -- where values lie -------------------------------------------------------------------------------------------


def _of_places(layout: Layout, containers: Containers) -> Iterator[Found]:
    places = {entry.place for entry in layout.fields}
    for entry in layout.fields:
        where = ("fields", entry.place)
        if entry.word.readable_only:
            if layout.records != "csv":
                yield where, f'codec "{entry.codec}" holds columns of a table, and these records are none'
            elif not entry.place.endswith("*"):
                told = f'codec "{entry.codec}" holds all columns whose names begin alike: its place ends in *'
                yield where, told
        elif "*" in entry.place:
            yield where, "* stands for any name, and here is only one value"
        elif layout.records != "csv" and layout.write and not PLAIN.fullmatch(entry.place):
            yield where, "is written, so its names may hold letters, digits, _ and $ only"
        if entry.word.is_container and len(entry.path) > 1:
            told = f'codec "{entry.codec}" holds a whole object, which has to lie at the top of the record'
            yield where, told
        above = place_above(entry.path, places)
        if above is not None and above not in containers:
            yield where, f'lies inside of "{above}", which is no object'


def _of_presets(layout: Layout, containers: Containers) -> Iterator[Found]:
    """Find values inside of a container that it cannot hold."""
    columns = {entry.hub[0] for entry in layout.all_fields if entry.hub and entry.path[0] not in containers}
    for entry in layout.fields:
        home = containers.get(entry.path[0])
        if home is None or home is entry:
            continue
        where = ("fields", entry.place)
        kind, wires = "numbers" if home.word.of_numbers else "texts", home.word.preset_wires
        if home.word.write_as_text or home.word.readable_only:
            yield where, f'nothing has a place of its own inside of "{home.place}"'
        elif entry.word.is_container or entry.word.rowwise is not None:
            yield where, f'only single values may lie inside of "{home.place}"'
        elif wires and entry.word.is_scalar and not _fits(entry, wires):
            yield where, f'only {kind} may lie inside of "{home.place}"'
        is_asked = entry.required and home.word.form != "object"
        if is_asked or entry.required_for or (entry.required and entry.when):
            some = " by some events only" if entry.when else ""
            yield where, f'what lies inside of "{home.place}" cannot be required{some}'
        if wires and entry.when and entry.hub and layout.read:
            if entry.also:
                told = f'what lies inside of "{home.place}" for some events only has no other place'
                yield (*where, "also"), told
            if entry.hub[0] in columns:
                yield where, f'hub column "{entry.hub[0]}" is read from elsewhere already'


def _fits(entry: Field, wires: tuple[Wire, ...]) -> bool:
    return entry.wire in wires and (entry.const is None or isinstance(entry.const, str))


def _of_other_places(layout: Layout) -> Iterator[Found]:
    """Find other places that are taken, that hold taken ones, or that lie inside of a single value."""
    taken = {entry.path: entry for entry in layout.fields}
    for entry in layout.fields:
        for other in entry.also:
            where, path = ("fields", entry.place, "also"), tuple(other.split("."))
            if path in taken:
                yield where, f'"{other}" is the place of "{taken[path].place}" already'
            elif any(place[: len(path)] == path for place in taken):
                yield where, f'"{other}" is an object: other places lie inside of it'
            else:
                heads = (path[:depth] for depth in range(1, len(path)))
                above = next((taken[head] for head in heads if head in taken), None)
                if above is not None and not (above.word.is_container or above.word.holds_whole_map):
                    yield where, f'"{other}" lies inside of "{above.place}", which is no object'
            taken.setdefault(path, entry)


def _of_maps(layout: Layout) -> Iterator[Found]:
    """Find hub maps that would be filled from two places, of which one would be forgotten."""
    held: dict[str, Field] = {}
    for where, entry in _placed(layout):
        for column in entry.word.maps_held(entry.hub):
            if column in held and not _take_turns(held[column], entry):
                yield where, f'hub map "{column}" is held by "{held[column].place}" already'
            held.setdefault(column, entry)


def _placed(layout: Layout) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Give each field, of the events and around them, with its path below the layout."""
    yield from ((("fields", entry.place), entry) for entry in layout.fields)
    around = layout.request.fields if layout.request else ()
    yield from ((("request", "fields", entry.place), entry) for entry in around)


def _take_turns(one: Field, other: Field) -> bool:
    """Tell whether a setting decides which of two places is written."""
    turns = {(one.asked, other.unless), (other.asked, one.unless)}
    return any(asked is not None and asked == unless for asked, unless in turns)


# The way out for columns that have a dot in their name: to a sheet it parts members.
AS_KEY = '; cells of a column "a.b" are read as attributes."a.b" by "*" = { hub = "attributes", as = "text_columns" }'


def _of_csv(layout: Layout) -> Iterator[Found]:
    if layout.request is not None:
        yield ("request",), "csv records are not packed into requests"
    for entry in layout.fields:
        is_object = entry.word.is_container and not entry.word.readable_only
        if len(entry.path) > 1 or is_object or entry.word.wire == "json":
            way_out = AS_KEY if "." in entry.place else ""
            yield ("fields", entry.place), f"a csv record holds single values only{way_out}"
        for other in entry.also:
            if "." in other:
                told = f'"{other}" is no column: a csv record holds single values only{AS_KEY}'
                yield ("fields", entry.place, "also"), told


# -- what needs something else ----------------------------------------------------------------------------------


def _of_helpers(layout: Layout, containers: Containers) -> Iterator[Found]:
    """Find fields that need another one."""
    is_spelled = any(entry.word.spells_event for entry in layout.fields)
    actions = {entry.place for entry in layout.fields if entry.word.gives_action and len(entry.path) == 1}
    for entry in layout.fields:
        if entry.word.travels_with_names:
            if not is_spelled:
                yield ("fields", entry.place), f'codec "{entry.codec}" needs a field with codec "event_name"'
            if entry.path[0] not in containers:
                yield ("fields", entry.place), f'codec "{entry.codec}" has to lie inside of a container'
        if entry.required_for is not None and "action" not in actions:
            yield ("fields", entry.place, "required_for"), 'needs a field "action" with codec "action"'


def _of_objects(layout: Layout, containers: Containers) -> Iterator[Found]:
    fields = {entry.place: entry for entry in layout.fields}
    for name, needs in layout.objects.items():
        where = ("objects", name, "needs")
        if name in containers:
            yield where, f'"{name}" holds free-form values, and needs none'
        for need in needs:
            entry = fields.get(f"{name}.{need}")
            if entry is None:
                yield where, f'no field "{name}.{need}"'
            elif entry.optional or entry.asked is not None:
                yield where, f'"{entry.place}" is not always written'
        for entry in layout.fields:
            if entry.const is not None and needs and entry.place.rpartition(".")[0] == name:
                told = f'a constant has no place in "{name}", which needs what an event says'
                yield ("fields", entry.place), told


def _of_reading(layout: Layout, containers: Containers) -> Iterator[Found]:
    """Find what every event needs and no field gives."""
    seen = {
        entry.hub[0]
        for entry in layout.fields
        if entry.hub
        and (entry.path[0] not in containers or (entry.required and entry not in containers.values()))
    }
    for column in NEEDED_TO_READ:
        if column not in seen:
            yield ("fields",), f'no field is read into hub column "{column}", which every event needs'


# -- each field alone ----------------------------------------------------------------------------------------

WIRE_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "whole": pl.Int64(),
    "number": pl.String(),
    "flag": pl.Boolean(),
    "json": pl.String(),
}


def failures(mapping: Mapping, layout: Layout) -> Iterator[Found]:
    """Run each word alone on an empty frame; tell what fails or gives another type than it should."""
    for where, entry in _placed(layout):
        word = entry.word
        if not word.is_scalar or entry.const is not None or not (entry.hub or word.columns == (0, 0)):
            continue
        trials: list[tuple[str, pl.DataType | PolarsError | None, pl.DataType]] = []
        if layout.write:
            types = tuple(events.SCHEMA[name] for name in entry.hub)
            table = tuple(mapping.tables[entry.table].items()) if entry.table is not None else ()
            written = _written_type(word, types, table, entry.default)
            trials.append(("written", written, WIRE_TYPES[word.wire]))
        if layout.read and word.read is not None and entry.hub:
            trials.append(("read", _read_type(word), events.SCHEMA[entry.hub[0]]))
        for verb, given, wanted in trials:
            if isinstance(given, PolarsError):
                yield where, f'codec "{word.name}" cannot be {verb}: {str(given).splitlines()[0]}'
            elif given is not None and given != wanted:
                kinds = [KIND_NAMES.get(dtype, str(dtype)) for dtype in (given, wanted)]
                told = f'codec "{word.name}" gives {kinds[0]} where it is {verb}, which should be {kinds[1]}'
                yield where, told


@cache
def _written_type(
    word: Word, types: tuple[pl.DataType, ...], table: tuple[tuple[str, str], ...], default: object
) -> pl.DataType | PolarsError | None:
    empty = pl.DataFrame([pl.Series(str(place), [], dtype) for place, dtype in enumerate(types)])
    try:
        if word.rowwise is not None:
            return word.rowwise(empty.get_columns(), "").dtype
        if word.write is None:
            return None
        value = word.write([pl.col(name) for name in empty.columns])
        if table:
            value = notation.exchanged(value.str.to_lowercase(), dict(table), value)
        if default is not None:
            value = value.fill_null(default)
        return _type_of(empty, value)
    except PolarsError as error:
        return error


@cache
def _read_type(word: Word) -> pl.DataType | PolarsError | None:
    raw = pl.Series("raw", [], pl.Int64 if word.raw == "whole" else pl.String)
    if word.read is None:
        return None
    try:
        return _type_of(raw.to_frame(), word.read(pl.col("raw")))
    except PolarsError as error:
        return error


def _type_of(empty: pl.DataFrame, value: pl.Expr) -> pl.DataType:
    return empty.select_seq(value.alias("value")).schema["value"]
