"""Rows as JSON text: plain members by the engine's encoder, free-form objects and lists put in beside them; and what judges look at in rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import polars as pl

from translate.engine.library import library
from translate.judging.rows import NO_MAP, Free, Rows, User
from translate.mapping.checks import kind_of
from translate.mapping.spec import Field
from translate.reader.tree import ANY
from translate.vocabulary import notation
from translate.vocabulary.kernel_keys import FINAL
from translate.writer.batchwork import USER
from translate.writer.kernel_rows import RowSteps
from translate.writer.packing import ROW
from translate.writer.shape import Shape, is_json, request_fields


class RowText:
    """Writes the rows of a JSON layout; a field's value stands in the column `=place`."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def written(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add the rows, and a column `=place` for each container: by the kernel, where there is one that writes them alike."""
        kernel = library()
        if kernel is not None:
            rows = RowSteps(self.shape, frame.collect_schema(), ROW)
            if rows.is_exact():
                return rows.written(frame, kernel)
        frame = frame.with_columns(**self.presets())
        return frame.with_columns(**self.containers()).with_columns(**{ROW: self.row()})

    def row(self) -> pl.Expr:
        """Write an object: plain members by the engine's encoder, JSON texts and containers put in beside them."""
        parts = [*self._parts(self.shape.columns, 0)]
        parts += [self._of_container(place, entry) for place, entry in self.shape.containers.items()]
        return pl.concat_str(pl.lit("{"), notation.joined(parts), pl.lit("}"))

    def _of_container(self, place: str, entry: Field) -> pl.Expr:
        value = pl.col(f"={place}")
        return _member(place, notation.json_text(value) if entry.word.write_as_text else value)

    def presets(self) -> dict[str, pl.Expr]:
        """Write the presets of each container, as members; an event may have none of them."""
        written = {}
        for place, entries in self.shape.presets.items():
            presets = [entry for entry in entries if self.shape.is_wanted(entry)]
            plain = {entry.key: pl.col(f"={entry.place}") for entry in presets if not is_json(entry)}
            if plain:
                written[f"_plain:{place}"] = notation.members_of_struct(plain)
        return written

    def containers(self) -> dict[str, pl.Expr]:
        """Write each container, with its presets and the free-form values."""
        return {f"={place}": self._container(place, entry) for place, entry in self.shape.containers.items()}

    # -- objects ----------------------------------------------------------------------------------------------

    def _parts(self, entries: list[Field], depth: int) -> Iterator[pl.Expr]:
        """Write fields as members, nested by the segments of their places: those that hold JSON come last."""
        heads = {entry.path[: depth + 1] for entry in entries if is_json(entry)}
        plain = [entry for entry in entries if entry.path[: depth + 1] not in heads]
        if plain:
            members = notation.members_of_struct(self._members(plain, depth))
            yield pl.when(members != "").then(members)
        for head in dict.fromkeys(
            entry.path[: depth + 1] for entry in entries if entry.path[: depth + 1] in heads
        ):
            inner = [entry for entry in entries if entry.path[: depth + 1] == head]
            if inner[0].path == head:
                yield _member(head[-1], pl.col(f"={inner[0].place}"))
            else:
                written = pl.concat_str(
                    pl.lit("{"), notation.joined([*self._parts(inner, depth + 1)]), pl.lit("}")
                )
                yield _member(head[-1], pl.when(self.object_is_there(".".join(head), inner)).then(written))

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
            written = {entry.place for entry in self.shape.columns}
            if any(f"{place}.{name}" not in written for name in needs):
                return pl.lit(False)
            return pl.all_horizontal([pl.col(f"={place}.{name}").is_not_null() for name in needs])
        return pl.any_horizontal([pl.col(f"={entry.place}").is_not_null() for entry in entries])

    # -- containers -------------------------------------------------------------------------------------------

    def _container(self, place: str, entry: Field) -> pl.Expr:
        """Write a container: its presets, then the free-form values."""
        form = entry.word.form
        kinds = [kind for kind in entry.hub if kind != "other"]
        if form == "entities":
            parts = [*self._entities_of_presets(place)]
            parts += [_entities_of(pl.col(f"_{kind}"), number=kind == "metrics") for kind in kinds]
            return pl.concat_str(pl.lit("["), notation.joined([*parts, pl.col("_other")]), pl.lit("]"))
        if form == "properties":  # the keys' rules have put all values among the attributes
            inner = _members_of_map(pl.col("_attributes"), number=False)
            return pl.concat_str(pl.lit("{"), inner, pl.lit("}"))
        presets = [*self._members_of_presets(place)]
        parts = presets + [_members_of_map(pl.col(f"_{kind}"), number=kind == "metrics") for kind in kinds]
        if form == "object":
            parts.append(_members_of_json(pl.col("_others")))
        written = pl.concat_str(pl.lit("{"), notation.joined(parts), pl.lit("}"))
        if form == "object":
            return written
        there = [*(pl.col(f"_{kind}") for kind in kinds), *presets]
        return pl.when(pl.any_horizontal([part.is_not_null() for part in there])).then(written)

    def _wanted_presets(self, place: str, *, json_values: bool) -> list[Field]:
        return [
            entry
            for entry in self.shape.presets[place]
            if self.shape.is_wanted(entry) and is_json(entry) == json_values
        ]

    def _members_of_presets(self, place: str) -> Iterator[pl.Expr]:
        """Give the presets that are there, as members."""
        if self._wanted_presets(place, json_values=False):
            members = pl.col(f"_plain:{place}")
            yield pl.when(members != "").then(members)
        for entry in self._wanted_presets(place, json_values=True):
            yield _member(entry.key, pl.col(f"={entry.place}"))

    def _entities_of_presets(self, place: str) -> Iterator[pl.Expr]:
        """Give the presets that are there, as entities."""
        plain = self._wanted_presets(place, json_values=False)
        if plain:
            members = pl.col(f"_plain:{place}")
            yield _entities_from_members(pl.when(members != "").then(members), [entry.key for entry in plain])
        for entry in self._wanted_presets(place, json_values=True):
            head = f'{{"key":{json.dumps(entry.key, ensure_ascii=False)},"value":'
            yield pl.concat_str(pl.lit(head), pl.col(f"={entry.place}"), pl.lit("}"))


def _member(name: str, value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(json.dumps(name, ensure_ascii=False) + ":"), value)


def _members_of_map(column: pl.Expr, *, number: bool) -> pl.Expr:
    """Write a map's members without braces; numbers lose the quotes that their digits got."""
    encoded = pl.struct(m=column).struct.json_encode()
    inner = encoded.str.slice(6).str.strip_suffix("}}")
    if number:
        inner = inner.str.replace_all(r'":"([-0-9.]+)"', '":$1')
    return pl.when(column.map.len() > 0).then(inner)


def _members_of_json(column: pl.Expr) -> pl.Expr:
    """Write a map of JSON texts as members, without braces."""
    inner = notation.object_of_map(column).str.strip_prefix("{").str.strip_suffix("}")
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
    either = "|".join(map(re.escape, names))
    entities = members.str.replace_all(rf',"({either})":', '},{"key":"$1","value":')
    return entities.str.replace(rf'^"({either})":', '{"key":"$1","value":') + pl.lit("}")


# -- what the judges look at in rows that are written -----------------------------------------------------------------


def written_rows(shape: Shape, texts: RowText, *, keeps_extra: bool) -> Rows:
    """Say where the columns of a writer have what the judges ask for."""
    layout = shape.layout
    written = [*shape.columns, *(entry for entry in shape.around if entry not in shape.columns)]
    columns = {entry.place: pl.col(f"={entry.place}") for entry in shape.columns}
    columns = {**{entry.place: pl.col(f"@{entry.place}") for entry in shape.around}, **columns}
    kinds = {entry.place: kind_of(layout, entry.place) for entry in written}
    values = {
        place: _value_written(shape, texts, place, column)
        for place, column in columns.items()
        if kinds[place] not in ("user", "object", "list")
    }
    values |= {
        place: pl.col(f"={place}") for place, entry in shape.containers.items() if entry.word.write_as_text
    }
    is_json = layout.records == "json-lines"
    return Rows(
        layout=layout,
        text=pl.col(ROW) if is_json else None,
        # Only a member that no field names can stand where the codecs did not put it.
        whole=pl.when(pl.col("extra").map.len() > 0).then(pl.col(ROW)) if keeps_extra and is_json else None,
        values=values,
        lists={place: columns[place] for place in columns if kinds[place] == "list"},
        free={
            **{place: _free_written(shape, entry) for place, entry in shape.containers.items()},
            **_own_columns(shape),
        },
        users={place: _user(shape, place) for place in columns if kinds[place] == "user"},
        objects={entry.place: pl.col(entry.hub[0]) for entry in written if entry.word.holds_whole_map},
        spelled=lambda place: values[place].cast(pl.String) if place in values else pl.lit(None, pl.String),
        hub=lambda column: _of_hub_written(shape, values, column),
        made=frozenset(
            entry.place for entry in request_fields(layout, shape.settings) if entry.word.is_stamp
        ),
        is_written=True,
    )


def _value_written(shape: Shape, texts: RowText, place: str, column: pl.Expr) -> pl.Expr:
    """Give a value where it is written: what its object needs may be missing, and then none of it is."""
    home = place.rpartition(".")[0]
    if home in shape.layout.objects and place in {entry.place for entry in shape.columns}:
        return pl.when(texts.object_is_there(home, [])).then(column)
    return column


def _free_written(shape: Shape, home: Field) -> Free:
    presets = {
        entry.key: (entry, pl.col(f"={entry.place}"))
        for entry in shape.presets[home.place]
        if shape.is_wanted(entry)
    }
    maps = {
        name: pl.col(FINAL[name]) if name in home.hub else NO_MAP
        for name in ("attributes", "metrics", "other")
    }
    return Free(pl.col(f"={home.place}").is_not_null(), **maps, presets=presets)


def _own_columns(shape: Shape) -> dict[str, Free]:
    """Give the columns of a dataset's own as what lies in the place that stands for any."""
    own = {entry.place: (entry, pl.col(f"={entry.place}")) for entry in shape.layout.own}
    return {ANY: Free(pl.lit(bool(own)), presets=own)} if shape.layout.takes_columns else {}


def _user(shape: Shape, place: str) -> User:
    entry = next(entry for entry in shape.columns if entry.place == place)
    return User(entry.member, pl.col(entry.hub[0]), pl.col(USER))


def _of_hub_written(shape: Shape, values: dict[str, pl.Expr], column: str) -> pl.Expr | None:
    place = next(
        (entry.place for entry in shape.columns if entry.hub[:1] == (column,) and entry.place in values), None
    )
    return None if place is None else pl.when(values[place].is_not_null()).then(pl.col(column))
