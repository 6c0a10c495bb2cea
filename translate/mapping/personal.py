"""Personal data, as data sheets mark it: which places hold some, of which kind, and where it lies in the hub."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from translate import events
from translate.mapping.paths import path_around, path_of
from translate.mapping.sheet import Sheet, Table, join
from translate.mapping.spec import Field, Layout, Mark

KINDS = {
    "address": "an address to write or push to: mail, telephone number or token",
    "mail": "a mail address",
    "telephone": "a telephone number",
    "token": "a token that leads to one device",
    "network_address": "the network address of a device",
    "location": "where somebody was",
    "user_name": "a person's name",
    "user_id": "who somebody is to the app",
    "opt_out": "whether somebody wants to be written to",
}
WHO = frozenset(KINDS) - {"location", "opt_out"}  # kinds that tell who somebody is
IDENTITY = "user_id"
EXTRA = "extra"
TEXTS = ("attributes", "metrics")  # the maps whose values are no JSON


@dataclass(frozen=True)
class Spot:
    """Where marked data lies in the hub: a column, a key of a map, a way inside of that key's JSON.

    In `extra` the key is a path, and what lies below it is meant too.
    """

    column: str
    key: str | None = None
    inside: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Name the spot as a recipe does."""
        return ".".join([self.column, *([self.key] if self.key is not None else []), *self.inside])

    def is_there(self) -> pl.Expr:
        """Tell which events have something there."""
        if self.key is None:
            return pl.col(self.column).is_not_null()
        if self.inside:
            return _below(pl.col(self.column).map.get(self.key), self.inside).is_not_null()
        there = pl.col(self.column).map.contains_key(self.key)
        if self.column == EXTRA:
            lies_in = pl.element().str.starts_with(f"{self.key}.")
            deeper = pl.col(EXTRA).map.keys().list.eval(lies_in).list.any()
            there = pl.any_horizontal(there.fill_null(value=False), deeper.fill_null(value=False))
        return there.fill_null(value=False)

    def may_be_in(self, keys: Mapping[str, Collection[str]]) -> bool:
        """Tell whether any of the events can have something there whose maps have these keys."""
        if self.key is None or self.column not in keys:
            return True
        found = keys[self.column]
        is_deeper = self.column == EXTRA and any(key.startswith(f"{self.key}.") for key in found)
        return self.key in found or is_deeper

    def text(self) -> pl.Expr:
        """Give the text that lies there, or the digits of the number; null for anything else."""
        if self.key is None:
            return pl.col(self.column)
        value = pl.col(self.column).map.get(self.key)
        if self.inside:
            return _below(value, self.inside)
        return value if self.column in TEXTS else value.str.json_path_match("$")


def _below(text: pl.Expr, way: tuple[str, ...]) -> pl.Expr:
    """Give what JSON text holds at the end of a way, be it JSON within a text; null where that is nothing."""
    path = "$" + "".join(f"['{segment}']" for segment in way)
    return text.str.json_path_match("$").str.json_path_match(path)


@dataclass(frozen=True)
class Marked:
    """A marked place of a layout, and where in the hub its data may lie."""

    place: str
    kind: str
    spots: tuple[Spot, ...]

    def is_there(self) -> pl.Expr:
        """Tell which events have something there."""
        return pl.any_horizontal([spot.is_there() for spot in self.spots])


def marked(layout: Layout) -> list[Marked]:
    """Find all marked places of a layout in the hub."""
    return [
        Marked(mark.place, mark.kind, tuple(dict.fromkeys(spots(layout, mark)))) for mark in layout.personal
    ]


def spots(layout: Layout, mark: Mark) -> list[Spot]:
    """Find where marked data lies in the hub."""
    entries = layout.request.fields if mark.around and layout.request else layout.fields
    path = tuple(mark.place.split("."))
    found = [
        _within(entry, path[home.count(".") + 1 :])
        for entry in entries
        for home in (entry.place, *entry.also)
        if mark.place.startswith(home) and _leads_to(mark.place, home)
    ]
    if found:
        return [spot for these in found for spot in these]
    return list(_in_extra(path, around=mark.around))


def _leads_to(path: str, home: str) -> bool:
    """Tell whether a path that begins like a place leads to it or into it."""
    # The name of the member on the way to the events is no value that others lie inside of.
    is_name = home.rpartition(".")[2] == "*"
    return path == home or (path[len(home)] == "." and not is_name)


def _within(entry: Field, rest: tuple[str, ...]) -> list[Spot]:
    maps = [column for column in entry.hub if events.SCHEMA[column] == events.MAP]
    if not entry.word.is_container:  # of its maps the first has its values, the others what is said of them
        maps = maps[:1]
    if not rest:
        return [Spot(column) for column in maps or entry.hub[:1]]
    return [Spot(column, rest[0], rest[1:]) for column in maps]


def _in_extra(path: tuple[str, ...], *, around: bool) -> Iterator[Spot]:
    """Give the ways by which the reader may have kept it: under its own path, or inside of an object above it."""
    named = path_around if around else path_of
    yield Spot(EXTRA, named(path))
    for depth in range(1, len(path)):
        yield Spot(EXTRA, named(path[:depth]), path[depth:])


def read_marks(sheet: Sheet, path: str, table: Table) -> tuple[Mark, ...]:
    """Read which places hold personal data, in the events and around them."""
    inner = table.get("request")
    around = inner if isinstance(inner, dict) else {}
    marks = []
    for where, home in ((path, table), (join(path, "request"), around)):
        given = sheet.get(home, where, "personal", dict, {})
        for place in given:
            at = join(f"{where}.personal", place)
            kind = sheet.get(given, f"{where}.personal", place, str)
            if kind is not None and sheet.one_of(kind, at, "kind of personal data", KINDS):
                marks.append(Mark(place, kind, home is around))
    return tuple(marks)


def wrong_with(layout: Layout, mark: Mark) -> str | None:
    """Say what is wrong with a mark: a place that nothing can lie at."""
    if not all(mark.place.split(".")) or "'" in mark.place:
        return "is no place: it is names with dots between"
    if not layout.read:
        return "is never read, so nothing can be told of it"
    return None if spots(layout, mark) else "lies inside of a value that holds nothing"
