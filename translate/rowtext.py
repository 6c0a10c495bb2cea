"""Rows as JSON text: plain members by the engine's encoder, free-form objects and lists put in beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from translate import notation
from translate.mapping.codecs import CONTAINERS, Container
from translate.mapping.spec import Field
from translate.shape import Shape, is_json


class RowText:
    """Writes the rows of a JSON layout; a field's value stands in the column `=place`."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def row(self) -> pl.Expr:
        """Write an object: plain members by the engine's encoder, JSON texts and containers put in beside them."""
        plain = [entry for entry in self.shape.columns if not is_json(entry)]
        parts = [notation.members_of_struct(self._members(plain, 0))]
        parts += [
            _member(entry.place, pl.col(f"={entry.place}"))
            for entry in self.shape.columns
            if is_json(entry) and entry.hub != ("extra",)
        ]
        parts += [_member(place, pl.col(f"={place}")) for place in self.shape.containers]
        if any(entry.hub == ("extra",) for entry in self.shape.columns):
            parts.append(pl.col("_extra_members"))
        return pl.concat_str(pl.lit("{"), notation.joined(parts), pl.lit("}"))

    def presets(self) -> dict[str, pl.Expr]:
        """Write the presets of each container, as members; an event may have none of them."""
        written = {}
        for place, entries in self.shape.presets.items():
            presets = [entry for entry in entries if self.shape.is_wanted(entry)]
            plain = {entry.path[1]: pl.col(f"={entry.place}") for entry in presets if not is_json(entry)}
            if plain:
                written[f"_plain:{place}"] = notation.members_of_struct(plain)
        return written

    def containers(self) -> dict[str, pl.Expr]:
        """Write each container, with its presets and the free-form values."""
        return {
            f"={place}": self._container(place, CONTAINERS[entry.codec]) for place, entry in self.shape.containers.items()
        }

    def _members(self, entries: list[Field], depth: int) -> dict[str, pl.Expr]:
        """Nest fields into structs by the segments of their places."""
        members: dict[str, pl.Expr] = {}
        for entry in entries:
            head = entry.path[depth]
            if head in members:
                continue
            if len(entry.path) == depth + 1:
                members[head] = pl.col(f"={entry.place}")
            else:
                inner = [other for other in entries if other.path[: depth + 1] == entry.path[: depth + 1]]
                members[head] = pl.when(self.object_is_there(".".join(entry.path[: depth + 1]), inner)).then(
                    notation.struct_of(self._members(inner, depth + 1))
                )
        return members

    def object_is_there(self, place: str, entries: list[Field]) -> pl.Expr:
        """Tell for which events a nested object has what it needs; any of its fields, where it needs none."""
        needs = self.shape.layout.objects.get(place)
        if needs:
            return pl.all_horizontal([pl.col(f"={place}.{name}").is_not_null() for name in needs])
        return pl.any_horizontal([pl.col(f"={entry.place}").is_not_null() for entry in entries])

    def _container(self, place: str, container: Container) -> pl.Expr:
        """Write a container: its presets, then the free-form values."""
        presets = [entry for entry in self.shape.presets[place] if self.shape.is_wanted(entry)]
        kinds = [kind for kind in container.hub if kind != "other"]
        if container.name == "entities":
            parts = [_entities_from_members(part, names) for part, names in self._preset_parts(place, presets)]
            parts += [_entities_of(pl.col(f"_{kind}"), number=kind == "metrics") for kind in kinds]
            return pl.concat_str(pl.lit("["), notation.joined([*parts, pl.col("_other")]), pl.lit("]"))
        preset_parts = [part for part, _ in self._preset_parts(place, presets)]
        parts = preset_parts + [_members_of_map(pl.col(f"_{kind}"), number=kind == "metrics") for kind in kinds]
        if container.name == "mixed_map":
            parts.append(pl.col("_other"))
        written = pl.concat_str(pl.lit("{"), notation.joined(parts), pl.lit("}"))
        if container.name == "mixed_map":
            return written
        there = [*(pl.col(f"_{kind}") for kind in kinds), *preset_parts]
        return pl.when(pl.any_horizontal([part.is_not_null() for part in there])).then(written)

    def _preset_parts(self, place: str, presets: list[Field]) -> Iterator[tuple[pl.Expr, list[str]]]:
        """Give the presets that are there, as members, with the names that may be among them."""
        plain = [entry.path[1] for entry in presets if not is_json(entry)]
        if plain:
            members = pl.col(f"_plain:{place}")
            yield pl.when(members != "").then(members), plain
        for entry in presets:
            if is_json(entry):
                yield _member(entry.path[1], pl.col(f"={entry.place}")), [entry.path[1]]


def _member(name: str, value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(json.dumps(name, ensure_ascii=False) + ":"), value)


def _members_of_map(column: pl.Expr, *, number: bool) -> pl.Expr:
    """Write a map's members without braces; numbers lose the quotes that their digits got."""
    encoded = pl.struct(m=column).struct.json_encode()
    inner = encoded.str.slice(6).str.strip_suffix("}}")
    if number:
        inner = inner.str.replace_all(r'":"([-0-9.]+)"', '":$1')
    return pl.when(column.map.len() > 0).then(inner)


def _entities_of(column: pl.Expr, *, number: bool) -> pl.Expr:
    """Write a map's entries as objects of key and value, without brackets."""
    encoded = pl.struct(m=column.map.entries()).struct.json_encode()
    inner = encoded.str.slice(6).str.strip_suffix("]}")
    if number:
        inner = inner.str.replace_all(r'"value":"([-0-9.]+)"\}', '"value":$1}')
    return pl.when(column.map.len() > 0).then(inner)


def _entities_from_members(members: pl.Expr, names: list[str]) -> pl.Expr:
    """Turn the members of an object with known, plain names into entities.

    A quote inside of a text is escaped, so `"name":` stands only where a member begins.
    """
    either = "|".join(names)
    entities = members.str.replace_all(rf',"({either})":', '},{"key":"$1","value":')
    return entities.str.replace(rf'^"({either})":', '{"key":"$1","value":') + pl.lit("}")
