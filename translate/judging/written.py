"""What a judge looks at in rows that are written: the columns of the writer, as they stand in the row."""

from __future__ import annotations

import polars as pl

from translate.judging.rows import NO_MAP, Free, Rows, User
from translate.mapping.checks import kind_of
from translate.mapping.spec import Field
from translate.reader.tree import ANY
from translate.writer.batchwork import USER
from translate.writer.packing import ROW
from translate.writer.renaming import FINAL
from translate.writer.rowtext import RowText
from translate.writer.shape import Shape, request_fields


def written_rows(shape: Shape, texts: RowText, *, keeps_extra: bool) -> Rows:
    """Say where the columns of a writer have what the judges ask for."""
    layout = shape.layout
    written = [*shape.columns, *(entry for entry in shape.around if entry not in shape.columns)]
    columns = {entry.place: pl.col(f"={entry.place}") for entry in shape.columns}
    columns = {**{entry.place: pl.col(f"@{entry.place}") for entry in shape.around}, **columns}
    kinds = {entry.place: kind_of(layout, entry.place) for entry in written}
    values = {
        place: _value(shape, texts, place, column)
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
            **{place: _free(shape, entry) for place, entry in shape.containers.items()},
            **_own_columns(shape),
        },
        users={place: _user(shape, place) for place in columns if kinds[place] == "user"},
        objects={entry.place: pl.col(entry.hub[0]) for entry in written if entry.word.holds_whole_map},
        spelled=lambda place: values[place].cast(pl.String) if place in values else pl.lit(None, pl.String),
        hub=lambda column: _of_hub(shape, values, column),
        made=frozenset(
            entry.place for entry in request_fields(layout, shape.settings) if entry.word.is_stamp
        ),
        is_written=True,
    )


def _value(shape: Shape, texts: RowText, place: str, column: pl.Expr) -> pl.Expr:
    """Give a value where it is written: what its object needs may be missing, and then none of it is."""
    home = place.rpartition(".")[0]
    if home in shape.layout.objects and place in {entry.place for entry in shape.columns}:
        return pl.when(texts.object_is_there(home, [])).then(column)
    return column


def _free(shape: Shape, home: Field) -> Free:
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


def _of_hub(shape: Shape, values: dict[str, pl.Expr], column: str) -> pl.Expr | None:
    place = next(
        (entry.place for entry in shape.columns if entry.hub[:1] == (column,) and entry.place in values), None
    )
    return None if place is None else pl.when(values[place].is_not_null()).then(pl.col(column))
