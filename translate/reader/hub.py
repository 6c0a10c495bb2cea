"""Raw records to hub events: every column by its codec, required ones checked, times judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from translate import events
from translate.engine.library import by_batches, library
from translate.engine.texts import event_ids
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout, Mapping
from translate.reader.originals import WayOut, take_out_own_item
from translate.reader.reader import OF_LINES, ORIGINAL_NAME
from translate.reader.tree import slots
from translate.vocabulary import notation
from translate.vocabulary.notes import NOTES_TYPE
from translate.vocabulary.spelling import EventNames

# What travels beside the hub's columns until the report is written: of which type, and what events of no file have there.
TRAVELLERS: dict[str, tuple[Any, Any]] = {
    "row": (pl.UInt32, 0), "part": (pl.UInt32, 0), "text": (pl.String, None), "base64": (pl.Boolean, False),
    "code": (pl.String, None), "message": (pl.String, None), "careful": (pl.Boolean, False), "nulls": (pl.UInt32, 0),
    "notes": (NOTES_TYPE, None),
}  # fmt: skip

NEEDED = ("name", "time")

SEPARATOR = "\x1f"
ABSENT = "\x00"


class Hub:
    """Turns one layout's raw records into hub events."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings) -> None:
        self.layout = layout
        self.settings = settings
        self._names = EventNames(mapping.names, mapping.phase_of_others)
        self._tables = mapping.tables
        containers = {entry.place: entry for entry in layout.fields if entry.word.is_container}
        self._slots = {
            slot: entry for slot, entry in slots(layout) if entry.hub and not entry.word.holds_whole_map
        }
        own = {*self._slots.values()}
        self._presets = [
            entry
            for entry in layout.fields
            if entry.path[0] in containers and entry.when and entry.hub and entry not in own
        ]
        self._tells_kinds = any(entry.word.tells_kind for entry in layout.fields)
        self._homes = {place: entry.hub[0] for place, entry in containers.items()}
        self._flags = {slot: entry for slot, entry in slots(layout) if entry.const is not None and entry.when}
        maps = [entry for entry in layout.all_fields if entry.word.holds_whole_map]
        users = [entry for entry in layout.fields if entry.word.is_user]
        self.provided = {
            *(entry.hub[0] for entry in [*own, *self._presets]),
            *(("attributes", "metrics", "other") if containers else ()),
            *(("item_id", "price", "quantity", "currency", "value") if self._own_item() else ()),
            *(entry.hub[0] for entry in maps), *(("user_properties", "user_property_times") if users else ()), "extra",
        }  # fmt: skip
        in_containers = [entry for entry in self._slots.values() if entry.path[0] in containers]
        in_the_open = [entry for entry in self._slots.values() if entry.path[0] not in containers]
        self.places = {
            entry.hub[0]: entry.place for entry in reversed([*in_the_open, *self._presets, *in_containers])
        }
        for entry in users:
            self.places |= {
                "user_properties": entry.place,
                "user_property_times": f"{entry.place}.*.set_timestamp",
            }
        self.places |= {column: place for place, entry in containers.items() for column in entry.hub}
        self.places |= {entry.hub[0]: entry.place for entry in maps}

    def _own_item(self) -> bool:
        """Tell whether an event's own item lies in a list of items."""
        return any(entry.word.lists_own_item for entry in self.layout.fields)

    def events(self, records: pl.LazyFrame, beside: Sequence[str] = ()) -> pl.LazyFrame:
        """Give hub events beside the travellers and other columns; a record that cannot be one gets a code and a message."""
        names = records.collect_schema().names()
        texts = [name for name in names if name.startswith("$")]
        scalars = self._scalars()
        absent = {
            name: pl.lit(None, dtype)
            for name, dtype in events.SCHEMA.items()
            if name not in scalars and name not in events.MAPS and name not in ("file", "line")
        }
        frame = records.with_columns(**scalars, **absent)
        frame = self._settle(frame)
        frame = self._take_out_presets(frame)
        code, message = self._verdict(texts)
        frame = frame.with_columns(code=code, message=message)
        return frame.select(
            *TRAVELLERS, *(name for name in OF_LINES if name in names), *beside, *events.SCHEMA
        )

    def _scalars(self) -> dict[str, pl.Expr]:
        """Read each hub column; of several places that have one the first that is there counts."""
        found: dict[str, list[pl.Expr]] = {}
        for slot, entry in self._slots.items():
            values = found.setdefault(entry.hub[0], [])
            values.insert(0 if entry.word.confirms else len(values), self._read(entry, pl.col(f"${slot}")))
        scalars = {
            name: pl.coalesce(values) if len(values) > 1 else values[0] for name, values in found.items()
        }
        if "app.id" in scalars and self.settings.app_id:
            scalars["app.id"] = scalars["app.id"].fill_null(self.settings.app_id)
        elif self.settings.app_id:
            scalars["app.id"] = pl.lit(self.settings.app_id)
        return scalars

    def _read(self, entry: Field, raw: pl.Expr) -> pl.Expr:
        if entry.word.spells_event:
            return self._name(raw)
        if entry.word.tells_kind:
            kinds = {kind: name for name, kind in self._tables[entry.table or ""].items()}
            return notation.exchanged(raw, kinds, pl.lit(None, pl.String))
        value = entry.word.read(raw) if entry.word.read else raw
        value = notation.exchanged_back(value, self._tables[entry.table or ""]) if entry.back else value
        is_there = raw.cast(pl.String) != str(entry.absent)
        return value if entry.absent is None else pl.when(is_there).then(value)

    def _name(self, raw: pl.Expr) -> pl.Expr:
        """Read an event's name: the original one, if it travelled along, else what the model means by it."""
        phase = next(
            (pl.col(f"${slot}") for slot, entry in self._slots.items() if entry.word.gives_action), None
        )
        name = self._names.read(raw, phase)
        for slot, entry in self._flags.items():
            name = (
                pl.when(name.is_in(list(entry.when)) & pl.col(f"${slot}").is_null()).then(raw).otherwise(name)
            )
        return pl.coalesce(pl.col(ORIGINAL_NAME), name)

    def _settle(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Leave out what other columns say already."""
        if any(entry.word.gives_action for entry in self.layout.fields):
            implied = self._names.implied_phase(pl.col("name"))
            frame = frame.with_columns(
                phase=pl.when(pl.col("phase").ne_missing(implied)).then(pl.col("phase"))
            )
        for entry in self._slots.values():
            if entry.word.first_of_several:
                elsewhere = [
                    other
                    for other in entry.hub[1:]
                    if other in {field.hub[0] for field in self._slots.values() if field is not entry}
                ]
                first = pl.col(entry.hub[0])
                for other in elsewhere:
                    frame = frame.with_columns(
                        pl.when(first.ne_missing(pl.col(other))).then(first).alias(entry.hub[0])
                    )
        if not self._own_item():
            return frame
        money = [f"${slot}" for slot, entry in self._slots.items() if entry.word.states_money]
        stated = pl.col(money[0]).cast(pl.Float64, strict=False) if money else pl.lit(None, pl.Float64)
        return take_out_own_item(frame, stated)

    def _take_out_presets(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Move presets from their maps into their columns, for the events that they belong to."""
        groups: dict[tuple[str, ...], dict[str, list[Field]]] = {}
        for entry in self._presets:
            groups.setdefault(entry.when, {}).setdefault(self._homes[entry.path[0]], []).append(entry)
        if not groups:
            return frame
        ways = [WayOut(when, homes, self._read) for when, homes in groups.items()]

        def take_out(batch: pl.DataFrame) -> pl.DataFrame:
            for way in ways:
                batch = batch.with_columns_seq(way.taken_out(batch))
            return batch

        return by_batches(frame, take_out)

    def _verdict(self, texts: list[str]) -> tuple[pl.Expr, pl.Expr]:
        """Give the first reason why a record is no event, as code and message."""
        readable = pl.col("code").is_null()
        codes, messages = [pl.col("code")], [pl.col("message")]
        for slot, entry in self._slots.items():
            if entry.hub[0] in NEEDED and f"${slot}" in texts and not entry.word.tells_kind:
                is_named = self._tells_kinds and entry.hub[0] == "name"  # or of a kind that has no name
                missing = readable & pl.col("name" if is_named else f"${slot}").is_null()
                codes.append(pl.when(missing).then(pl.lit("missing_required")))
                messages.append(
                    pl.when(missing).then(pl.lit(f"{entry.place} is missing; every event needs one"))
                )
        implausible, explanation = self._implausible()
        codes.append(pl.when(readable & implausible).then(pl.lit("time_implausible")))
        messages.append(pl.when(readable & implausible).then(explanation))
        return pl.coalesce(codes), pl.coalesce(messages)

    def _implausible(self) -> tuple[pl.Expr, pl.Expr]:
        """Tell which times are outside of the window, and if another unit would make sense of them."""
        since, until = self.settings.time_window
        time = pl.col("time")
        slot, entry = next((slot, entry) for slot, entry in self._slots.items() if entry.hub[0] == "time")
        implausible = ((time < since) | (time >= until)).fill_null(value=False)
        milliseconds = time.dt.timestamp("ms")
        low, high = (int(bound.timestamp() * 1000) for bound in (since, until))
        in_seconds = entry.word.in_seconds
        hint = (
            pl.when(
                (milliseconds * 1000).is_between(low, high, closed="left")
                & (milliseconds.abs() < 10**12)
                & (not in_seconds)
            )
            .then(pl.lit("; as seconds it would make sense"))
            .when((milliseconds // 1000).is_between(low, high, closed="left"))
            .then(pl.lit(f"; as {'milliseconds' if in_seconds else 'microseconds'} it would make sense"))
            .otherwise(pl.lit(""))
        )
        spelled = pl.col(f"${slot}").cast(pl.String)
        window = f"{since:%Y-%m-%d} to {until:%Y-%m-%d}"
        message = pl.concat_str(pl.lit(f"{entry.place} "), spelled, pl.lit(f" is outside of {window}"), hint)
        return implausible, message


def with_event_ids(frame: pl.LazyFrame, provided: set[str]) -> pl.LazyFrame:
    """Give each event without an id of its own the name-based UUID of its content.

    The name is the content's canonical form: the columns of `events.CONTENT` in their order, joined by
    U+001F, an absent one as U+0000, times as milliseconds since 1970, doubles with at least one decimal
    (`2.0`), maps as compact JSON, sorted by the bytes of their keys, in an object of one key (`{"m":{"a":"x"}}`).
    Those of `events.CONTENT_ADDED` follow only where they are there.
    """
    kernel = library()
    if kernel is not None:
        return frame.with_columns(event_id=event_ids(kernel, provided))
    return _with_event_ids_by_expressions(frame, provided)


def _with_event_ids_by_expressions(frame: pl.LazyFrame, provided: set[str]) -> pl.LazyFrame:
    """Give the same ids without the kernel."""
    absent = pl.lit(ABSENT)
    contents = [_canonical(name) if name in provided else absent for name in events.CONTENT]
    later = [
        pl.when(pl.col(name).is_not_null())
        .then(pl.concat_str(pl.lit(SEPARATOR), _canonical(name)))
        .otherwise(pl.lit(""))
        for name in events.CONTENT_ADDED
        if name in provided
    ]
    made = notation.hashing(pl.col("_content")).uuidhash.uuid5(namespace=events.NAMESPACE)
    return (
        frame.with_columns(_content=pl.concat_str(pl.concat_str(contents, separator=SEPARATOR), *later))
        .with_columns(event_id=pl.col("event_id").fill_null(made))
        .drop("_content")
    )


def _canonical(name: str) -> pl.Expr:
    column = pl.col(name)
    if name in events.MAPS:
        by_key = pl.element().sort_by(pl.element().struct.field("key"))
        encoded = pl.struct(m=column.map.entries().list.eval(by_key).list.to_map()).struct.json_encode()
        return pl.when(column.is_not_null()).then(encoded).otherwise(pl.lit(ABSENT))
    if events.SCHEMA[name] == events.TIME:
        column = column.dt.timestamp("ms")
    return column.cast(pl.String).fill_null(ABSENT)
