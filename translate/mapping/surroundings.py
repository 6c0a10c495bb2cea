"""What a mapping says around its events: the way to them, and what a request holds beside them."""

from __future__ import annotations

from collections.abc import Container, Iterator

from translate import events
from translate.mapping.checks import Found
from translate.mapping.spec import Field, Request

Path = tuple[str, ...]

ANY = "*"
WAY_MAX = 2  # a member's other place is a member, or one inside of a member


def place_above(path: Path, places: Container[str]) -> str | None:
    """Find the place of another field that a place lies inside of."""
    ways = (".".join(path[:depth]) for depth in range(1, len(path)))
    return next((way for way in ways if way in places), None)


def around(request: Request, *, is_written: bool) -> Iterator[Found]:
    """Tell what a request says against itself, each with its path below the layout."""
    yield from _of_the_way(request, is_written=is_written)
    for entry in request.fields:
        where = ("request", "fields", entry.place)
        yield from ((where, message) for message in _of_kind(entry))
        yield from ((where, message) for message in _of_place(request, entry, is_written=is_written))
    yield from _of_members(request)
    yield from _of_empty(request)
    yield from _of_other_places(request)


# -- the way to the events --------------------------------------------------------------------------------------


def _of_the_way(request: Request, *, is_written: bool) -> Iterator[Found]:
    where, each = ("request", "each"), request.each
    if request.listed and (len(each) != 1 or not request.bare):
        told = "needs events that lie in a member of the request, and a request that is bare"
        yield ("request", "listed"), told
    fields = {entry.path: entry for entry in request.fields}
    if "" in each:
        yield where, "has a segment without a name"
    if each[:1] == (ANY,):
        yield where, "begins with *: the body has a name"
    if is_written and each[:-1].count(ANY) > 1:
        yield where, "leads through members of members, by more than one *: such requests are read only"
    for depth, segment in enumerate(each, 1):
        place = ".".join(each[:depth])
        entry = fields.get(each[:depth])
        if segment == ANY:
            if entry is None and is_written:
                yield where, f'no field "{place}" says what stands for the *'
        elif ANY in segment:
            yield where, "* stands for a whole name, not for a part of one"
        elif entry is not None:
            yield where, f'goes through "{place}", which is a value'


def _lies_within(path: Path, way: Path) -> bool:
    """Tell whether a path goes through the events, whatever their names."""
    pairs = zip(path, way, strict=False)
    return len(path) >= len(way) and all(segment in (ANY, name) for name, segment in pairs)


def _of_kind(entry: Field) -> Iterator[str]:
    """Find codecs that a request cannot hold."""
    if entry.word.is_container:
        yield f'codec "{entry.codec}" holds free-form values, which belong to an event'
    elif entry.word.of_events or entry.word.rowwise is not None:
        yield f'codec "{entry.codec}" belongs to an event'


def _of_place(request: Request, entry: Field, *, is_written: bool) -> Iterator[str]:
    each, path = request.each, entry.path
    if not each:
        yield "has no place: the request is the list of its events"
        return
    if len(path) > len(each) and path[: len(each)] == each:
        yield "lies inside of the events"
        return
    names = [depth for depth, segment in enumerate(path, 1) if ANY in segment]
    if names and path[: names[-1]] != each[: names[-1]]:
        yield "* stands for a name only on the way to the events"
        return
    if names and entry.word.is_stamp:
        yield "is made once for a request, so it cannot lie below a *"
    elif path[-1] == ANY:
        yield from _of_name(entry, is_written=is_written)
    above = place_above(path, {other.place for other in request.fields if other.path[-1] != ANY})
    if above is not None:
        yield f'lies inside of "{above}", which is no object'


def _of_name(entry: Field, *, is_written: bool) -> Iterator[str]:
    """Find what cannot be a member's name."""
    if entry.wire != "text" or any(events.SCHEMA.get(column) != events.TEXT for column in entry.hub[:1]):
        yield "is a name, so it has to be text"
    always = (entry.required or entry.default is not None or entry.const is not None) and not entry.when
    if is_written and (
        not always or entry.asked is not None or (entry.setting is not None and not entry.hub)
    ):
        yield "is a name, so every event has to have it: say required = true"


# -- members of a request ---------------------------------------------------------------------------------------


def _of_members(request: Request) -> Iterator[Found]:
    """Find texts said to hold JSON that no request has, or that are values."""
    heads = {entry.path[0] for entry in request.fields} | {*request.each[:1]}
    values = {entry.place for entry in request.fields if entry.word.wire != "json"}
    opened = tuple(name for name in request.opened if name not in request.closed)
    own = {"closed": request.closed, "opened": opened}
    for key, names in own.items():
        for name in names:
            where = ("request", key)
            if name not in heads:
                yield where, f'no member "{name}" on the way to the events or among the fields'
            elif name in values:
                yield where, f'"{name}" is a value, and holds no JSON'


def _of_empty(request: Request) -> Iterator[Found]:
    """Find objects to be written empty that are none."""
    ways = [request.each, *(entry.path for entry in request.fields)]
    objects = {way[:depth] for way in ways for depth in range(1, len(way))}
    for place in request.empty:
        if tuple(place.split(".")) not in objects:
            yield ("request", "empty"), f'no object "{place}" on the way to the events or around a field'


def _of_other_places(request: Request) -> Iterator[Found]:
    """Find other places of members and of fields that are taken, too deep, or inside of what is no object."""
    ways = [request.each[:depth] for depth in range(1, len(request.each) + 1)]
    taken = {way: ".".join(way) for way in ways}
    taken |= {entry.path: entry.place for entry in request.fields}
    heads = {entry.path[0] for entry in request.fields} | {*request.each[:1]}
    for name, others in request.also.items():
        where = ("request", "also", name)
        if name not in heads:
            yield where, f'no member "{name}" on the way to the events or among the fields'
        for other in others:
            message = _wrong_with_member(other, taken)
            if message is not None:
                yield where, message
    values = {entry.place for entry in request.fields}
    for entry in request.fields:
        for other in entry.also:
            wrong = _wrong_with_place(other, taken, values, request.each)
            message = "a name has no other place" if entry.path[-1] == ANY else wrong
            if message is not None:
                yield ("request", "fields", entry.place, "also"), message
            taken.setdefault(tuple(other.split(".")), entry.place)


def _wrong_with_member(other: str, taken: dict[Path, str]) -> str | None:
    path = tuple(other.split("."))
    if "" in path or ANY in other:
        return f'"{other}" is no place: it is names with dots between'
    if len(path) > WAY_MAX:
        return f'"{other}" lies too deep: a member, or one inside of a member'
    return f'"{other}" is the place of "{taken[path]}" already' if path in taken else None


def _wrong_with_place(other: str, taken: dict[Path, str], values: set[str], each: Path) -> str | None:
    path = tuple(other.split("."))
    if path in taken:
        return f'"{other}" is the place of "{taken[path]}" already'
    if any(way[: len(path)] == path for way in taken):
        return f'"{other}" is an object: other places lie inside of it'
    above = place_above(path, values)
    if above is not None or _lies_within(path, each):
        return f'"{other}" lies inside of "{above or ".".join(each)}", which is no object'
    return None
