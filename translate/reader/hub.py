"""Raw records to hub events: every column by its codec, required ones checked, times judged."""

from __future__ import annotations

import polars as pl
import polars_hash

from translate import events, notation
from translate.mapping.codecs import CONTAINERS, SCALARS
from translate.mapping.spec import Field, Layout, Mapping
from translate.mapping.spelling import EventNames
from translate.settings import Settings

# What travels beside the hub's columns until the report is written.
TRAVELLERS = ["row", "part", "text", "base64", "code", "message", "careful", "nulls", "notes"]

SEPARATOR = "\x1f"
ABSENT = "\x00"


class Hub:
    """Turns one layout's raw records into hub events."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings) -> None:
        self.layout = layout
        self.settings = settings
        self._names = EventNames(mapping)
        containers = {entry.place: entry for entry in layout.fields if entry.codec in CONTAINERS}
        self._presets = [entry for entry in layout.fields if entry.path[0] in containers and entry.place not in containers]
        self._homes = {place: entry.hub[0] for place, entry in containers.items()}
        self._scalars = [
            entry
            for entry in layout.fields
            if entry.codec not in CONTAINERS and entry.codec != "json" and entry not in self._presets and entry.hub
        ]
        self.provided = {
            *(entry.hub[0] for entry in [*self._scalars, *self._presets]),
            *(("attributes", "metrics", "other") if containers else ()),
            "extra",
        }
        self.places = {entry.hub[0]: entry.place for entry in [*self._presets, *self._scalars]}
        self.places |= {column: place for place, entry in containers.items() for column in entry.hub}

    def events(self, records: pl.LazyFrame) -> pl.LazyFrame:
        """Give hub events beside the travellers; a record that cannot be one gets a code and a message."""
        scalars = {entry.hub[0]: self._read(entry, pl.col(f"${entry.place}")) for entry in self._scalars}
        absent = {
            name: pl.lit(None, dtype)
            for name, dtype in events.SCHEMA.items()
            if name not in scalars and name not in events.MAPS and name not in ("file", "line")
        }
        maps = {name: pl.lit(None, events.MAP) for name in ("user_properties", "user_property_times")}
        frame = records.with_columns(**scalars, **absent, **maps)
        frame = self._take_out_presets(frame)
        code, message = self._verdict()
        frame = frame.with_columns(code=code, message=message)
        return frame.select(*TRAVELLERS, *events.SCHEMA)

    def _read(self, entry: Field, raw: pl.Expr) -> pl.Expr:
        if entry.codec == "event_name":
            return self._names.read(raw)
        read = SCALARS[entry.codec].read
        return read(raw) if read else raw

    def _take_out_presets(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Move presets from their map into their columns, for the events that they belong to."""
        groups: dict[tuple[str, tuple[str, ...]], list[Field]] = {}
        for entry in self._presets:
            groups.setdefault((self._homes[entry.path[0]], entry.when), []).append(entry)
        for (home, when), entries in groups.items():
            texts = {entry.hub[0]: pl.col(home).map.get(entry.path[1]) for entry in entries}
            taken = _are_exact(entries, texts) & (pl.col("name").is_in(when) if when else pl.lit(True))
            values = {entry.hub[0]: self._read(entry, texts[entry.hub[0]]) for entry in entries}
            keys = [entry.path[1] for entry in entries]
            others = pl.element().filter(~pl.element().struct.field("key").is_in(keys))
            rest = pl.col(home).map.entries().list.eval(others).list.to_map()
            frame = frame.with_columns(_taken=taken).with_columns(
                pl.when("_taken").then(rest).otherwise(pl.col(home)).alias(home),
                **{name: pl.when("_taken").then(value) for name, value in values.items()},
            )
        return frame.drop("_taken", strict=False)

    def _verdict(self) -> tuple[pl.Expr, pl.Expr]:
        """Give the first reason why a record is no event, as code and message."""
        readable = pl.col("code").is_null()
        codes, messages = [pl.col("code")], [pl.col("message")]
        for entry in self._scalars:
            column = pl.col(entry.hub[0])
            if entry.required:
                missing = readable & pl.col(f"${entry.place}").is_null()
                codes.append(pl.when(missing).then(pl.lit("missing_required")))
                messages.append(pl.when(missing).then(pl.lit(f"{entry.place} is missing; every event needs one")))
            if SCALARS[entry.codec].wire == "text" and entry.codec == "iso8601":
                unread = readable & pl.col(f"${entry.place}").is_not_null() & column.is_null()
                codes.append(pl.when(unread).then(pl.lit("bad_time")))
                messages.append(pl.when(unread).then(pl.lit(f"{entry.place} is no ISO 8601 time")))
        implausible, explanation = self._implausible()
        codes.append(pl.when(readable & implausible).then(pl.lit("time_implausible")))
        messages.append(pl.when(readable & implausible).then(explanation))
        return pl.coalesce(codes), pl.coalesce(messages)

    def _implausible(self) -> tuple[pl.Expr, pl.Expr]:
        """Tell which times are outside of the window, and if another unit would make sense of them."""
        since, until = self.settings.time_window
        time = pl.col("time")
        entry = next(entry for entry in self._scalars if entry.hub[0] == "time")
        implausible = ((time < since) | (time >= until)).fill_null(value=False)
        milliseconds = time.dt.timestamp("ms")
        low, high = (int(bound.timestamp() * 1000) for bound in (since, until))
        hint = (
            pl.when((milliseconds * 1000).is_between(low, high, closed="left") & (milliseconds.abs() < 10**12))
            .then(pl.lit("; as seconds it would make sense"))
            .when((milliseconds // 1000).is_between(low, high, closed="left"))
            .then(pl.lit("; as microseconds it would make sense"))
            .otherwise(pl.lit(""))
        )
        spelled = pl.col(f"${entry.place}").cast(pl.String)
        window = f"{since:%Y-%m-%d} to {until:%Y-%m-%d}"
        message = pl.concat_str(pl.lit(f"{entry.place} "), spelled, pl.lit(f" is outside of {window}"), hint)
        return implausible, message


def _are_exact(entries: list[Field], texts: dict[str, pl.Expr]) -> pl.Expr:
    """Tell for which events a double holds every digit of the numbers; else they all stay in their map."""
    checks = [
        texts[entry.hub[0]].is_null() | (notation.digits(texts[entry.hub[0]].cast(pl.Float64, strict=False)) == texts[entry.hub[0]])
        for entry in entries
        if entry.codec == "number"
    ]
    return pl.all_horizontal(checks).fill_null(value=False) if checks else pl.lit(True)


def with_event_ids(frame: pl.LazyFrame, provided: set[str]) -> pl.LazyFrame:
    """Give each event without an id of its own the name-based UUID of its content.

    The name is the content's canonical form: the columns of `events.CONTENT` in their order, joined by
    U+001F, an absent one as U+0000, times as milliseconds since 1970, doubles with at least one decimal
    (`2.0`), maps as compact JSON, sorted by the bytes of their keys, in an object of one key (`{"m":{"a":"x"}}`).
    """
    absent = pl.lit(ABSENT)
    contents = [_canonical(name) if name in provided else absent for name in events.CONTENT]
    made = polars_hash.col("_content").uuidhash.uuid5(namespace=events.NAMESPACE)
    return (
        frame.with_columns(_content=pl.concat_str(contents, separator=SEPARATOR))
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
