"""What a judge may look at in a row, by the places that its layout's sheet names; a row written and a row read are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from translate import events
from translate.mapping.checks import NAMES, kind_of
from translate.mapping.spec import Field, Layout
from translate.vocabulary.notation import object_of_map

NONE = pl.lit(None, pl.String)
NO_MAP = pl.lit(None, events.MAP)


@dataclass(frozen=True)
class Texts:
    """The texts in a place: one, or a list of them."""

    told: pl.Expr
    many: bool = False

    def any(self, test: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
        """Tell in which rows one of the texts is as the test says."""
        wrong = self.told.list.eval(test(pl.element())).list.any() if self.many else test(self.told)
        return wrong.fill_null(value=False)


@dataclass(frozen=True)
class Keyed:
    """One free-form value: its text, the digits of its number, or its JSON text if it is anything else."""

    text: pl.Expr = NONE
    digits: pl.Expr = NONE
    json: pl.Expr = NONE

    @property
    def is_there(self) -> pl.Expr:
        """Tell whether there is a value at all."""
        return pl.any_horizontal(part.is_not_null() for part in (self.text, self.digits, self.json))


@dataclass(frozen=True)
class Free:
    """A container's free-form values, and those of its values that have a place of their own, by their key.

    `there` tells whether the container stands in the row, be it empty.
    """

    there: pl.Expr
    attributes: pl.Expr = NO_MAP
    metrics: pl.Expr = NO_MAP
    other: pl.Expr = NO_MAP
    presets: Mapping[str, tuple[Field, pl.Expr]] = field(default_factory=dict)

    @property
    def names(self) -> pl.Expr:
        """List the names of the free-form values."""
        return pl.concat_list([values.map.keys().fill_null([]) for values in self.maps])

    @property
    def texts(self) -> Iterable[Texts]:
        """Give all texts, those in places of their own too."""
        yield Texts(self.attributes.map.values(), many=True)
        yield from (Texts(value) for entry, value in self.presets.values() if entry.wire == "text")

    def at(self, key: str) -> Keyed:
        """Give the value of one name; one that its own place could not take is a free-form value all the same."""
        parts = ("text", "digits", "json")
        found = {part: values.map.get(key) for part, values in zip(parts, self.maps, strict=True)}
        if key in self.presets:
            part, value = self._own(key)
            found[part] = pl.coalesce(value, found[part])
        return Keyed(**found)

    def at_its_own_place(self, key: str) -> Keyed | None:
        """Give the value of one name that has a place of its own, where it stands there."""
        return Keyed(**dict([self._own(key)])) if key in self.presets else None

    def is_whole(self, key: str) -> bool:
        """Tell whether a name has a place of its own that takes whole numbers, as the hub holds them."""
        return key in self.presets and self.presets[key][0].wire == "whole"

    def _own(self, key: str) -> tuple[str, pl.Expr]:
        entry, value = self.presets[key]
        part = {"text": "text", "whole": "digits", "number": "digits"}.get(entry.wire, "json")
        return part, value.cast(pl.String)

    @property
    def maps(self) -> list[pl.Expr]:
        """Give the maps that hold the free-form values."""
        return [self.attributes, self.metrics, self.other]

    def count(self, beside: str | None) -> pl.Expr:
        """Count the values, but for those whose names begin as `beside` says."""
        free, presets = [values.map.len() for values in self.maps], {**self.presets}
        if beside is not None:
            free = [self.names.list.eval(~pl.element().str.starts_with(beside)).list.sum()]
            presets = {key: own for key, own in presets.items() if not key.startswith(beside)}
        counts = [count.fill_null(0).cast(pl.UInt32) for count in free]
        own = (value.is_not_null().cast(pl.UInt32) for _, value in presets.values())
        return pl.sum_horizontal(*counts, *own)


@dataclass(frozen=True)
class User:
    """A user's id, and its other attributes as JSON texts by their names."""

    id_key: str
    id: pl.Expr
    properties: pl.Expr

    def at(self, key: str) -> Keyed:
        """Give the value of one attribute."""
        if key == self.id_key:
            return Keyed(self.id)
        value = self.properties.map.get(key)
        is_text, is_number = value.str.starts_with('"'), value.str.contains(r"^-?[0-9]")
        return Keyed(
            pl.when(is_text).then(_unquoted(value)),
            pl.when(is_number).then(value),
            pl.when(~is_text & ~is_number).then(value),
        )

    @property
    def count(self) -> pl.Expr:
        """Count the attributes, the id among them."""
        return self.properties.map.len().fill_null(0).cast(pl.UInt32) + self.id.is_not_null().cast(pl.UInt32)


@dataclass(frozen=True)
class Rows:
    """Rows of one layout, as a judge sees them.

    `text` is a row as it stands, none in a table; `values` are single values, `lists` JSON texts of lists, `free` the containers, `objects`
    the maps of objects that stand as they are, all by their place. `whole` is the text of those rows whose members have to be looked at one by one,
    `retyped` tells which hold a value of another type than its container's. `made` are places that are made when a request is packed: they are
    never missing. What `is_written`, stands as its codecs write it.
    """

    layout: Layout
    text: pl.Expr | None
    whole: pl.Expr | None
    values: Mapping[str, pl.Expr]
    lists: Mapping[str, pl.Expr]
    free: Mapping[str, Free]
    users: Mapping[str, User]
    objects: Mapping[str, pl.Expr]
    spelled: Callable[[str], pl.Expr]
    hub: Callable[[str], pl.Expr | None]
    retyped: pl.Expr | None = None
    made: frozenset[str] = frozenset()
    is_written: bool = False

    def kind(self, place: str) -> str:
        """Tell what lies in a place; the mapping was checked, so that something does."""
        return kind_of(self.layout, place) or ""

    def entry(self, place: str) -> Field:
        """Give the field of a place."""
        return next(entry for entry in self.layout.all_fields if entry.place == place)

    def value(self, place: str) -> pl.Expr:
        """Give a single value; null where the row has none."""
        return self.values.get(place, NONE)

    def texts(self, place: str) -> list[Texts]:
        """Give the texts that lie in a place, or the names of what does."""
        kind = self.kind(place)
        if kind == "names":
            return [Texts(names, many=True) for names in self._names(place.removesuffix(NAMES))]
        if kind == "key":
            return [Texts(self.keyed(place).text)]
        if place in self.free and kind == "map":
            return [*self.free[place].texts]
        if kind == "user":
            texts = pl.element().filter(pl.element().str.starts_with('"'))
            told = [user.properties.map.values().list.eval(_unquoted(texts)) for user in self._user(place)]
            return [Texts(each, many=True) for each in told]
        return [Texts(self.value(place).cast(pl.String))] if place in self.values else []

    def _names(self, home: str) -> list[pl.Expr]:
        if home in self.free:
            return [self.free[home].names]
        objects = [self.objects[place].map.keys() for place in self.objects if place == home]
        return [user.properties.map.keys() for user in self._user(home)] + objects

    def _user(self, place: str) -> list[User]:
        return [self.users[place]] if place in self.users else []

    def maps_of(self, home: str) -> list[pl.Expr]:
        """Give the maps that hold what has names in a place."""
        return self.free[home].maps if home in self.free else [self.users[home].properties]

    def keyed(self, place: str) -> Keyed:
        """Give one of the free-form values, or of a user's attributes."""
        head, _, key = place.partition(".")
        home: Free | User | None = self.free.get(head) or self.users.get(head)
        return home.at(key) if home else Keyed()

    def json_of(self, place: str) -> pl.Expr | None:
        """Give the JSON text of a value that other values may lie in; of free-form ones only of objects and lists and the like."""
        if place in self.free:
            return _object_of(self.free[place].other)
        return _object_of(self.objects[place]) if place in self.objects else self.lists.get(place)

    def count(self, place: str, beside: str | None) -> pl.Expr:
        """Count what lies in a place."""
        if place in self.free:
            return self.free[place].count(beside)
        return self.users[place].count if place in self.users else pl.lit(0, pl.UInt32)

    def is_missing(self, place: str) -> pl.Expr:
        """Tell in which rows nothing lies in a place; an empty container is something."""
        if place in self.made:
            return pl.lit(value=False)
        if place in self.free:
            return ~self.free[place].there
        if place in self.users:
            return self.users[place].count == 0
        if place in self.objects:
            return self.objects[place].is_null()
        if self.kind(place) == "key":
            return ~self.keyed(place).is_there
        return self.lists[place].is_null() if place in self.lists else self.value(place).is_null()

    def members(self, place: str) -> list[pl.Expr]:
        """Give the single values that lie below a place."""
        return [value for name, value in self.values.items() if name.startswith(f"{place}.")]


def _object_of(values: pl.Expr) -> pl.Expr:
    """Write a map of JSON texts as an object, unless there is nothing in it."""
    return pl.when(values.map.len() > 0).then(object_of_map(values))


def _unquoted(text: pl.Expr) -> pl.Expr:
    """Take a JSON text out of its quotes and escapes."""
    return text.str.json_path_match("$")
