"""What a judge looks at in rows: in those that are read the raw columns of the reader, in those that are written the writer's, as they stand in the row."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from translate.archive.batches import Lines
from translate.judging.questions import Judge, Question, needs_of
from translate.judging.rows import NO_MAP, Free, Rows, User
from translate.mapping.checks import kind_of
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout, Mapping
from translate.reader.reader import ORIGINAL_NAME, Reader
from translate.reader.tree import is_read, slots
from translate.vocabulary import notes

Faults = dict[int, tuple[str, str]]  # by position: the place that is wrong, and why


def with_original_name(records: pl.LazyFrame, layout: Layout) -> pl.LazyFrame:
    """Put an event's name back all the same, for the choice of events: the judges look at the row's own."""
    if layout.original_names is None:
        return records
    told = pl.col("attributes").map.get(layout.original_names).str.json_path_match("$.name")
    return records.with_columns(told.alias(ORIGINAL_NAME))


def read_rows(layout: Layout) -> Rows:
    """Say where the raw columns of a layout have what the judges ask for."""
    columns = {entry.place: pl.col(f"${slot}") for slot, entry in slots(layout) if is_read(entry)}
    kinds = {entry.place: kind_of(layout, entry.place) for entry in layout.all_fields}
    containers = {entry.place: entry for entry in layout.fields if entry.word.is_container}
    inside = {entry.place for entry in layout.fields if entry.path[0] in containers}
    read = columns.keys() - inside
    plain = {entry.place: entry for entry in layout.all_fields if entry.place in read}
    text = None if layout.records == "csv" else pl.col("text")
    single = [place for place in plain if kinds[place] not in ("user", "object", "list")]
    values = {place: _value(plain[place], columns[place]) for place in single}
    for place, entry in containers.items():
        if entry.word.write_as_text:
            values[place] = pl.col("text").str.json_path_match(f"$.{place}")

    def spelled(place: str) -> pl.Expr:
        return values[place].cast(pl.String) if text is None else text.str.json_path_match(f"$.{place}")

    users = [place for place in plain if kinds[place] == "user"]
    whole_maps = [entry for entry in layout.all_fields if entry.word.holds_whole_map]
    return Rows(
        layout=layout,
        text=text,
        whole=text,
        values=values,
        lists={place: columns[place] for place in plain if kinds[place] == "list"},
        free={place: _free(layout, entry, columns) for place, entry in containers.items()},
        users={
            place: User(plain[place].member, columns[place], pl.col("user_properties")) for place in users
        },
        objects={entry.place: pl.col(entry.hub[0]) for entry in whole_maps},
        spelled=spelled,
        hub=lambda column: _of_hub(layout, column),
        retyped=_retyped(layout),
    )


def _value(entry: Field, column: pl.Expr) -> pl.Expr:
    """Give what was read from a place; what should be another text lies among the members that have no place."""
    if isinstance(entry.const, str):
        read = pl.coalesce(column, pl.col("extra").map.get(entry.place))
        return read.str.strip_prefix('"').str.strip_suffix('"')
    return pl.when(column != "").then(column) if entry.word.empty_is_absent else column


def _free(layout: Layout, home: Field, columns: dict[str, pl.Expr]) -> Free:
    maps = {name: pl.col(name) if name in home.hub else NO_MAP for name in ("attributes", "metrics", "other")}
    inside = [entry for entry in layout.fields if entry.path[0] == home.place and entry is not home]
    presets = {entry.key: (entry, columns[entry.place]) for entry in inside if entry.place in columns}
    return Free(pl.col(home.hub[0]).is_not_null(), **maps, presets=presets)


def _of_hub(layout: Layout, column: str) -> pl.Expr | None:
    """Give a hub column, read from the place that it has in the row."""
    found = next(((slot, entry) for slot, entry in slots(layout) if entry.hub[:1] == (column,)), None)
    if found is None:
        return None
    slot, entry = found
    return entry.word.read(pl.col(f"${slot}")) if entry.word.read else pl.col(f"${slot}")


def _retyped(layout: Layout) -> pl.Expr:
    """Tell which rows hold a value that its container is not of the type of, as the reader noted it."""
    retyped = notes.say_retyped(pl.col("notes"))
    is_shared = any(entry.word.shared for entry in layout.fields)
    return retyped if is_shared else retyped | (pl.col("other").map.len() > 0).fill_null(value=False)


class EventJudge:
    """Judges events of one layout, wherever they lie in its requests."""

    def __init__(self, sheet: Mapping, layout: Layout) -> None:
        self._layout = replace(layout, request=None)
        self._names = sheet.names
        rows = read_rows(self._layout)
        self._judge = Judge(rows, needs_of(rows, Settings()))
        self._asked = [each for each in self._judge.questions if each.limit.hard or each.limit.alters]
        places = {entry.place for entry in self._layout.all_fields}
        named = "|".join(re.escape(place) for place in sorted(places, key=lambda place: (-len(place), place)))
        self._place = re.compile(f"({named})(?:[ .]|$)")

    def look(self, events: Sequence[Any]) -> tuple[Faults, tuple[str, ...]]:
        """Tell which events a receiver would refuse, and of those that it would alter how, once for each."""
        texts = [json.dumps(event, separators=(",", ":")) for event in events]
        frame = pl.LazyFrame({"row": range(len(texts)), "text": texts}, {"row": pl.UInt32, "text": pl.String})
        records = Reader(self._layout, self._names).records(Lines(frame, ["request"], [0]))
        flags = {
            f"_asked{number}": each.wrong.fill_null(value=False) for number, each in enumerate(self._asked)
        }
        found = self._judge.look(records).select("row", "code", "message", **flags)
        faults: Faults = {
            row: ("event", "is no object") for row, event in enumerate(events) if not isinstance(event, dict)
        }
        altered: list[str] = []
        for row, code, message, *wrong in found.collect(engine="in-memory").iter_rows():
            said = [each for each, is_so in zip(self._asked, wrong, strict=True) if is_so]
            refusing = [each for each in said if each.limit.hard]
            if row in faults:
                continue
            if code is not None:
                faults[row] = (self._placed(message), message)
            elif refusing:
                faults[row] = (self._placed(refusing[0].message, refusing[0]), refusing[0].message)
            else:
                altered += [f"{each.message}: the receiver {each.limit.alters}" for each in said]
        return faults, tuple(altered)

    def _placed(self, message: str, question: Question | None = None) -> str:
        """Name the place that a message is about."""
        found = self._place.match(message)
        return found[1] if found else next(iter(question.limit.places if question else ()), "event")
