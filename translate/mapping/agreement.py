"""How the fields of a layout fit together: what one says against another, each with its path below the layout."""

from __future__ import annotations

import re
from collections.abc import Iterator

from translate.mapping.checks import asked_in_vain
from translate.mapping.spec import Field, Layout
from translate.mapping.surroundings import around, place_above
from translate.vocabulary.word import Wire

Found = tuple[tuple[str, ...], str]
Containers = dict[str, Field]

NEEDED_TO_READ = ("name", "time")
# Names that the writer tells from the rest of a row without taking it apart.
PLAIN = re.compile(r"[0-9A-Za-z_$]+")


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
                yield (
                    where,
                    f'codec "{entry.codec}" holds all columns whose names begin alike: its place ends in *',
                )
        elif "*" in entry.place:
            yield where, "* stands for any name, and here is only one value"
        elif (
            layout.records != "csv"
            and layout.write
            and not all(map(PLAIN.fullmatch, filter(None, entry.path)))
        ):
            yield where, "is written, so its names may hold letters, digits, _ and $ only"
        if entry.word.is_container and len(entry.path) > 1:
            yield (
                where,
                f'codec "{entry.codec}" holds a whole object, which has to lie at the top of the record',
            )
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
            yield (
                where,
                f'what lies inside of "{home.place}" cannot be required{" by some events only" if entry.when else ""}',
            )
        if wires and entry.when and entry.hub and layout.read:
            if entry.also:
                yield (
                    (*where, "also"),
                    f'what lies inside of "{home.place}" for some events only has no other place',
                )
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
                above = next(
                    (taken[path[:depth]] for depth in range(1, len(path)) if path[:depth] in taken), None
                )
                if above is not None and not (above.word.is_container or above.word.holds_whole_map):
                    yield where, f'"{other}" lies inside of "{above.place}", which is no object'
            taken.setdefault(path, entry)


def _of_maps(layout: Layout) -> Iterator[Found]:
    """Find hub maps that would be filled from two places, of which one would be forgotten."""
    held: dict[str, Field] = {}
    where_of: list[tuple[tuple[str, ...], Field]] = [
        (("fields", entry.place), entry) for entry in layout.fields
    ]
    where_of += [
        (("request", "fields", entry.place), entry)
        for entry in (layout.request.fields if layout.request else ())
    ]
    for where, entry in where_of:
        for column in entry.word.maps_held(entry.hub):
            if column in held and not _take_turns(held[column], entry):
                yield where, f'hub map "{column}" is held by "{held[column].place}" already'
            held.setdefault(column, entry)


def _take_turns(one: Field, other: Field) -> bool:
    """Tell whether a setting decides which of two places is written."""
    turns = {(one.asked, other.unless), (other.asked, one.unless)}
    return any(asked is not None and asked == unless for asked, unless in turns)


def _of_csv(layout: Layout) -> Iterator[Found]:
    if layout.request is not None:
        yield ("request",), "csv records are not packed into requests"
    for entry in layout.fields:
        is_object = entry.word.is_container and not entry.word.readable_only
        if len(entry.path) > 1 or is_object or entry.word.wire == "json":
            yield ("fields", entry.place), "a csv record holds single values only"
        for other in entry.also:
            if "." in other:
                yield (
                    ("fields", entry.place, "also"),
                    f'"{other}" is no column: a csv record holds single values only',
                )


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
                yield (
                    ("fields", entry.place),
                    f'a constant has no place in "{name}", which needs what an event says',
                )


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
