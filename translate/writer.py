"""Hub events to the rows of a target, by its mapping: every value by its codec, every row judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from translate import events, notation
from translate.keys import MERGED, KeyRules
from translate.limits import Rows, breaches
from translate.losses import Losses, Plan
from translate.mapping.codecs import SCALARS
from translate.mapping.spec import Field, Layout, Mapping
from translate.mapping.spelling import EventNames, legal_name, legal_user, with_hash
from translate.notation import by_distinct_value, members, quoted
from translate.reader.careful import note
from translate.report import Finding
from translate.rowtext import RowText
from translate.settings import Settings
from translate.shape import Shape, Source, is_text

ROW = "_row"
NOTES = "_notes"
FILTERED = "_filtered"


class Writer:
    """Writes one layout."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings, source: Source) -> None:
        self.shape = Shape(mapping, layout, settings, source)
        self.columns = self.shape.columns
        self._make_legal = layout.legal_names and not settings.keep_names
        self._names = EventNames(mapping, make_legal=self._make_legal)
        self._rowwise = [entry for entry in self.columns if SCALARS[entry.codec].rowwise]
        self._rules = self._key_rules(make_legal=self._make_legal)
        self._text = RowText(self.shape)
        self._losses = Losses(self.shape, self._rules, self._text)

    def plan(self) -> Plan:
        """Say what is lost, and what there is to tell, as expressions over the written rows."""
        plan = self._losses.plan()
        for breach in breaches(self.shape.layout, self._for_limits()):
            if not breach.limit.hard:
                plan.findings.append(Finding("over_advice", breach.message, breach.over))
        return plan

    def _key_rules(self, *, make_legal: bool) -> KeyRules | None:
        if not self.shape.containers:
            return None
        shared = any(entry.codec in ("mixed_map", "entities") for entry in self.shape.containers.values())
        taken = {entry.path[1] for entries in self.shape.presets.values() for entry in entries if not (entry.when and entry.hub)}
        return KeyRules(
            shared=shared,
            text_only=not shared,
            entities=any(entry.codec == "entities" for entry in self.shape.containers.values()),
            make_legal=make_legal,
            taken=frozenset(taken) if shared else frozenset(),
            places={kind: self.shape.source.place(kind) for kind in ("attributes", "metrics", "other")},
        )
    # -- rows -------------------------------------------------------------------------------------------------

    def rows(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add each event's row: `_row` for JSON layouts, a column per field for CSV ones; and judge it.

        Rows that may not be written carry `code` and `message`; those that the layout does not take, the rule
        in `_filtered`. `_notes` tells the keys that are lost or changed.
        """
        prepared = frame.with_columns(
            _filtered=self._filtered(),
            _spelled=self._names.spelled(pl.col("name")),
            _care=self._rules.need_care() if self._rules else pl.lit(False),
        ).with_columns(_illegal=self._names.is_illegal(pl.col("_spelled")))
        frame = prepared.map_batches(
            self._work_rowwise,
            schema={**prepared.collect_schema(), **self._rowwise_schema()},
            validate_output_schema=False,
            streamable=True,
        )
        presets = self.shape.wanted_presets()
        late = [entry for entry in presets if entry.codec == "original_names"]
        early = [entry for entry in [*self.columns, *presets] if entry not in [*late, *self._rowwise]]
        frame = frame.with_columns(**{f"={entry.place}": self._value(entry) for entry in early})
        if late:
            written = next(entry.place for entry in self.columns if entry.codec == "event_name")
            frame = frame.with_columns(_original=self._names.original(pl.col("name"), pl.col(f"={written}")))
            frame = frame.with_columns(**{f"={entry.place}": self._value(entry) for entry in late})
        if self.shape.layout.records == "json-lines":
            frame = frame.with_columns(**self._text.presets())
            frame = frame.with_columns(**self._text.containers()).with_columns(**{ROW: self._text.row()})
        frame = frame.with_columns(**self._envelope_columns())
        code, message = self._verdict()
        return frame.with_columns(code=code, message=message, **{NOTES: self._losses.notes()})

    def _rowwise_schema(self) -> dict[str, Any]:
        return {
            **(MERGED if self._rules else {}),
            "_legal": pl.String,
            "_item_count": pl.Int64,
            "_extra_members": pl.String,
            **{f"={entry.place}": pl.String for entry in self._rowwise},
        }

    def _work_rowwise(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Do what no expression can, in one step of the query: only batches that need it cost anything."""
        columns = self._rules.merge(batch) if self._rules else {}
        self._give_way(batch, columns)
        if batch["_illegal"].any():
            columns["_legal"] = by_distinct_value(batch["_spelled"], legal_name)
        else:
            columns["_legal"] = batch["_spelled"]
        columns["_item_count"] = _lengths(batch["items"])
        columns["_extra_members"] = _each(batch["extra"], members)
        given = {name: batch[name] for entry in self._rowwise for name in entry.hub}
        if "user_properties" in given and batch["user_properties"].null_count() < batch.height:
            given |= self._legal_user(batch, columns)
        for entry in self._rowwise:
            rowwise = SCALARS[entry.codec].rowwise
            if rowwise:
                columns[f"={entry.place}"] = rowwise([given[name] for name in entry.hub])
        return pl.DataFrame([*batch.get_columns(), *(series.alias(name) for name, series in columns.items())])

    def _give_way(self, batch: pl.DataFrame, columns: dict[str, pl.Series]) -> None:
        """Rename the keys whose place one of the event's own columns takes, as `_product_id` in a purchase's."""
        presets = [entry for entries in self.shape.presets.values() for entry in entries if entry.when and entry.hub]
        for entry in presets:
            kind, key = self.shape.containers[entry.path[0]].hub[0], entry.path[1]
            there = batch["name"].is_in(list(entry.when)) & batch[entry.hub[0]].is_not_null()
            if not there.any():
                continue
            maps = columns[f"_{kind}"]
            meets = pl.DataFrame({"there": there, "map": maps}).select(
                pl.col("there") & pl.col("map").map.keys().list.contains(key)
            ).to_series().fill_null(value=False)
            if meets.any():
                renamed = [
                    {with_hash(key, key) if name == key else name: text for name, text in value.items()} if meet else value
                    for value, meet in zip(maps, meets, strict=True)
                ]
                columns[f"_{kind}"] = pl.Series(renamed, dtype=events.MAP)
                told = [note("changed", f"{self.shape.source.place(kind)}.{key}")]
                columns["_key_notes"] = _more_notes(columns["_key_notes"], [told if meet else [] for meet in meets])

    def _legal_user(self, batch: pl.DataFrame, columns: dict[str, pl.Series]) -> dict[str, pl.Series]:
        """Give the user's properties under legal names, and tell which were renamed."""
        rows = zip(batch["user_properties"], batch["user_property_times"], strict=True)
        users = [legal_user(*row, make_legal=self._make_legal) for row in rows]
        renamed = [{name: key for key, name in names.items() if key != name} for _, _, names in users]
        if any(renamed):
            place = self.shape.source.place("user_properties")
            told = [[note("changed", f"{place}.{key}") for key in names.values()] for names in renamed]
            columns["_key_notes"] = _more_notes(columns["_key_notes"], told)
            own = [f'"user_properties":{quoted(names)}' if names else None for names in renamed]
            columns["_names"] = pl.Series(
                [",".join(filter(None, both)) or None for both in zip(columns["_names"], own, strict=True)], dtype=pl.String
            )
        return {
            "user_properties": pl.Series([properties for properties, _, _ in users], dtype=events.MAP),
            "user_property_times": pl.Series([times for _, times, _ in users], dtype=events.MAP),
        }

    def _filtered(self) -> pl.Expr:
        taken = pl.col(FILTERED)
        only = self.shape.layout.only
        if only is None:
            return taken
        wanted = pl.col(only.hub).is_not_null() | pl.col("name").is_in(list(only.names))
        rule = pl.when(pl.col("code").is_null() & ~wanted.fill_null(value=False)).then(pl.lit(only.rule))
        return pl.coalesce(taken, rule)

    def _value(self, entry: Field) -> pl.Expr:
        """Give what a field holds on the wire: text, whole number, flag, or JSON text."""
        applies = pl.col("name").is_in(list(entry.when)) if entry.when else None
        if entry.const is not None:
            value = pl.lit(entry.const)
        elif entry.codec == "original_names":
            value = self._original_names()
        else:
            value = self._coded(entry)
        if entry.default is not None:
            value = value.fill_null(entry.default)
        return value if applies is None else pl.when(applies).then(value)

    def _coded(self, entry: Field) -> pl.Expr:
        columns = [pl.col(name) for name in entry.hub]
        if entry.codec == "event_name":
            return pl.col("_legal")
        if entry.codec == "action":
            phases = {**events.PHASES, **self._names.phases()}
            return columns[0].fill_null(notation.exchanged(columns[1], phases, pl.lit("UPDATE")))
        if entry.codec == "app_id" and self.shape.settings.app_ids:
            return notation.exchanged(columns[0], self.shape.settings.app_ids)
        write = SCALARS[entry.codec].write
        value = write(columns) if write else pl.lit(None, pl.String)
        if entry.table:
            table = self.shape.mapping.tables[entry.table]
            return notation.exchanged(value.str.to_lowercase(), table, value)
        return value

    def _original_names(self) -> pl.Expr:
        own = pl.concat_str(pl.lit('"name":'), notation.json_text(pl.col("_original")))
        written = pl.concat_str(pl.lit("{"), notation.joined([own, pl.col("_names")]), pl.lit("}"))
        return pl.when(pl.col("_original").is_not_null() | pl.col("_names").is_not_null()).then(written)

    def _envelope_columns(self) -> dict[str, pl.Expr]:
        envelope = self.shape.layout.envelope
        if envelope is None:
            return {}
        return {f"_{name}": self._coded(entry) for name, entry in envelope.fields.items()}

    # -- verdicts ---------------------------------------------------------------------------------------------

    def _verdict(self) -> tuple[pl.Expr, pl.Expr]:
        """Give the first reason why a row may not be written."""
        codes, messages = [pl.col("code")], [pl.col("message")]
        open_rows = pl.col("code").is_null() & pl.col(FILTERED).is_null()

        def judge(bad: pl.Expr, code: str, message: pl.Expr) -> None:
            codes.append(pl.when(open_rows & bad).then(pl.lit(code)))
            messages.append(pl.when(open_rows & bad).then(message))

        for place, column, required_for, hub in self._requirements():
            bad = column.is_null()
            if required_for:
                bad = bad & (pl.col("=action") == required_for)
            judge(bad, "missing_required", pl.lit(f"{self.shape.layout.address} needs {place}, and the event has no {hub}"))
        for entry in self.columns:
            if entry.codec in ("worth", "money", "number"):
                number = pl.col(f"={entry.place}")
                judge(number.is_in(["NaN", "inf", "-inf"]).fill_null(value=False), "bad_number", pl.lit(f"{entry.place} is not a finite number"))
        for breach in breaches(self.shape.layout, self._for_limits()):
            if breach.limit.hard:
                judge(breach.over, "over_limit", pl.lit(breach.message))
        return pl.coalesce(codes), pl.coalesce(messages)

    def _requirements(self) -> Iterator[tuple[str, pl.Expr, str | None, str]]:
        for entry in self.columns:
            if entry.required or entry.required_for:
                yield entry.place, pl.col(f"={entry.place}"), entry.required_for, " or ".join(entry.hub)
        if self.shape.layout.envelope:
            for name, entry in self.shape.layout.envelope.fields.items():
                yield entry.place, pl.col(f"_{name}"), None, " or ".join(entry.hub)

    def _for_limits(self) -> Rows:
        nothing = pl.lit(None, events.MAP)
        presets = self.shape.wanted_presets()
        return Rows(
            text=pl.col(ROW) if self.shape.layout.records == "json-lines" else None,
            attributes=pl.col("_attributes") if self._rules else nothing,
            metrics=pl.col("_metrics") if self._rules else nothing,
            other_count=pl.col("other").map.len().fill_null(0) if self._rules and self._rules.shared else pl.lit(0, pl.UInt32),
            item_count=pl.col("_item_count"),
            values=_NullWhereAbsent({entry.place: pl.col(f"={entry.place}") for entry in self.columns}),
            presets={entry.place: pl.col(f"={entry.place}") for entry in presets},
            texts={entry.place: pl.col(f"={entry.place}") for entry in presets if is_text(entry)},
        )


class _NullWhereAbsent(dict[str, pl.Expr]):
    """Places that a layout leaves out are null."""

    def __missing__(self, place: str) -> pl.Expr:
        return pl.lit(None, pl.String)


def _each(series: pl.Series, function: Callable[[Any], str | None]) -> pl.Series:
    if series.null_count() == len(series):
        return pl.Series([None] * len(series), dtype=pl.String)
    return pl.Series([function(value) if value else None for value in series], dtype=pl.String)


def _more_notes(notes: pl.Series, more: list[list[str]]) -> pl.Series:
    """Add to each event's notes."""
    both = [[*(old if old is not None else ()), *new] or None for old, new in zip(notes, more, strict=True)]
    return pl.Series(both, dtype=pl.List(pl.String))


def _lengths(lists: pl.Series) -> pl.Series:
    """Count the elements of JSON lists."""
    if lists.null_count() == len(lists):
        return pl.Series([None] * len(lists), dtype=pl.Int64)
    return pl.Series([_length(text) if text else None for text in lists], dtype=pl.Int64)


def _length(text: str) -> int | None:
    """Count the elements of a JSON list; what is none has no length."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return len(found) if isinstance(found, list) else None
