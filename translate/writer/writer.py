"""Hub events to the rows of a target, by its mapping: every value by its codec, every row judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from translate import events
from translate.engine.library import by_batches, where_there
from translate.judging.questions import Judge, alone_of
from translate.mapping.columns import TYPES
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout, Mapping
from translate.vocabulary import notation
from translate.vocabulary.kernel_keys import KINDS
from translate.vocabulary.notes import Finding
from translate.vocabulary.spelling import EventNames
from translate.writer.batchwork import BatchWork
from translate.writer.keys import KeyRules
from translate.writer.losses import Losses, Plan
from translate.writer.packing import EXTRA, EXTRA_BESIDE, ROW, TIME
from translate.writer.rowtext import RowText, written_rows
from translate.writer.shape import Extras, Shape, Source, listed, way_out

NOTES = "_notes"
FILTERED = "_filtered"
FAULT = "_fault"


class Writer:
    """Writes one layout."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings, source: Source) -> None:
        self.shape = Shape(mapping, layout, settings, source)
        self.columns = self.shape.columns
        make_legal = layout.legal_names and not settings.keep_names
        self._names = EventNames(mapping.names, mapping.phase_of_others, make_legal=make_legal)
        self._rules = self._key_rules(make_legal=make_legal)
        self._batchwork = BatchWork(self.shape, self._rules, make_legal=make_legal)
        self._text = RowText(self.shape)
        self._losses = Losses(self.shape, self._rules, self._text, self._names)
        keeps_extra = source.keeps_extra and "extra" in source.provided and layout.records == "json-lines"
        self._extras = Extras(layout, settings, keeps_around=source.keeps_around) if keeps_extra else None
        rows = written_rows(self.shape, self._text, keeps_extra=keeps_extra)
        self._judge = Judge(rows, alone_of(rows))

    def plan(self) -> Plan:
        """Say what is lost, and what there is to tell, as expressions over the written rows."""
        plan = self._losses.plan()
        advice = [question for question in self._judge.questions if not question.limit.hard]
        plan.findings += [Finding(question.told_as, question.cited, question.wrong) for question in advice]
        return plan

    def _key_rules(self, *, make_legal: bool) -> KeyRules | None:
        if not self.shape.containers:
            return None
        words = [entry.word for entry in self.shape.containers.values()]
        form = next((word.form for word in words if word.shared), words[0].form)
        own = self.shape.own_presets()
        presets = [entry for entry in self.shape.all_presets() if entry not in own]
        taken = frozenset(entry.key for entry in presets) if form != "maps" else frozenset()
        return KeyRules(
            form=form,
            make_legal=make_legal,
            taken=taken,
            constants={entry.key: entry.when for entry in presets if entry.const is not None and entry.when},
            reserved=self.shape.layout.reserved_in(*self.shape.containers)
            if form == "properties"
            else frozenset(),
            presets={
                entry.key: entry.hub[0]
                for entry in presets
                if entry.word.as_its_column and entry.hub and not entry.when and self.shape.is_wanted(entry)
            },
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
            **(
                {"app.id": pl.col("app.id").fill_null(app_id)}
                if (app_id := self.shape.settings.app_id)
                else {}
            ),
        ).with_columns(_illegal=self._names.is_illegal(pl.col("_spelled")))
        frame = self._with_values(by_batches(prepared, self._batchwork.work, self._batchwork.schema()))
        if self.shape.layout.records == "json-lines":
            frame = self._text.written(frame)
        frame = self._judge.look(self._with_extra(frame.with_columns(**self._around())))
        return self._with_verdict(frame.with_columns(**{NOTES: self._losses.notes()}))

    def _with_values(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add a column `=place` for each value; the original names wait for the names that are written."""
        presets = self.shape.wanted_presets()
        late = [entry for entry in presets if entry.word.travels_with_names]
        made = [*late, *self._batchwork.entries]
        early = [entry for entry in [*self.columns, *presets] if entry not in made]
        frame = frame.with_columns(**{f"={entry.place}": self._value(entry) for entry in early})
        spelled = next((entry.place for entry in self.columns if entry.word.spells_event), None)
        if spelled is None:
            return frame.with_columns(_original=pl.lit(None, pl.String))
        action = next((pl.col(f"={entry.place}") for entry in self.columns if entry.word.gives_action), None)
        back = self._names.read(pl.col(f"={spelled}"), action)
        astray = back.ne_missing(pl.col("name")) & ~pl.col("name").is_in([*self._kinds()])
        frame = frame.with_columns(_original=pl.when(astray).then(pl.col("name")))
        return frame.with_columns(**{f"={entry.place}": self._original_names() for entry in late})

    def _with_extra(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Put what no hub column holds back where it was; only where the source's layout is the target's."""
        if self._extras is None:
            return frame
        return by_batches(frame, self._put_extra, dict.fromkeys([EXTRA, EXTRA_BESIDE], pl.String))

    def _put_extra(self, batch: pl.DataFrame) -> pl.DataFrame:
        rows = batch[ROW].to_list()
        around: list[str | None] = [None] * batch.height
        beside: list[str | None] = [None] * batch.height
        for number, extra in enumerate(batch["extra"]):
            if extra and self._extras and rows[number] is not None:
                own, of_request, of_member = self._extras.share_out(extra)
                rows[number] = self._extras.into_row(rows[number], own) if own else rows[number]
                around[number], beside[number] = listed(of_request), listed(of_member)
        texts = {ROW: rows, EXTRA: around, EXTRA_BESIDE: beside}
        return batch.with_columns(*(pl.Series(name, values, pl.String) for name, values in texts.items()))

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
        said = self.shape.said(entry)
        if entry.const is not None:
            value = pl.lit(entry.const)
        else:
            value = self._coded(entry) if said is None or entry.fills else pl.lit(said)
            value = value.fill_null(said) if said is not None and entry.fills else value
        if entry.default is not None:
            value = value.fill_null(entry.default)
        if entry.absent is not None:
            value = value.fill_null(str(entry.absent) if entry.wire == "number" else entry.absent)
        return value if applies is None else pl.when(applies).then(value)

    def _coded(self, entry: Field) -> pl.Expr:
        columns = [pl.col(name) for name in entry.hub]
        if entry.word.spells_event or entry.word.tells_kind:
            return self._name_or_kind(entry)
        if entry.own is not None:
            return TYPES[entry.own.type](pl.col("attributes").map.get(entry.own.name))
        if entry.word.gives_action:
            return columns[0].fill_null(self._names.implied_phase(columns[1]))
        if entry.word.is_app_id and self.shape.settings.app_ids:
            return notation.exchanged(columns[0], self.shape.settings.app_ids)
        write = entry.word.write
        value = write(columns) if write else pl.lit(None, pl.String)
        if entry.table:
            table = self.shape.mapping.tables[entry.table]
            return notation.exchanged(value.str.to_lowercase(), table, value)
        return value

    def _kinds(self) -> dict[str, str]:
        """Give the kinds of records by the names of the events that are of another one than the default."""
        table = next((entry.table for entry in self.columns if entry.word.tells_kind), None)
        return self.shape.mapping.tables[table] if table else {}

    def _name_or_kind(self, entry: Field) -> pl.Expr:
        """Give an event's name where its kind does not say it, or its kind."""
        kinds = self._kinds()
        if entry.word.tells_kind:
            return notation.exchanged(pl.col("name"), kinds, pl.lit(None, pl.String))
        return pl.when(~pl.col("name").is_in([*kinds])).then(pl.col("_legal")) if kinds else pl.col("_legal")

    def _original_names(self) -> pl.Expr:
        own = pl.concat_str(pl.lit('"name":'), notation.json_text(pl.col("_original")))
        written = pl.concat_str(pl.lit("{"), notation.joined([own, pl.col("_names")]), pl.lit("}"))
        return where_there([pl.col("_original"), pl.col("_names")], written, events.TEXT)

    # -- the request around a row -----------------------------------------------------------------------------

    def _around(self) -> dict[str, pl.Expr]:
        """Give what the request around an event says: a column `@place` for each of its fields."""
        if self.shape.layout.request is None:
            return {}
        values = {f"@{entry.place}": self._value(entry) for entry in self.shape.around}
        return {
            **values,
            **({TIME: pl.col("time").dt.timestamp("ms")} if self.shape.keeps_hours_apart else {}),
        }

    @property
    def columns_around(self) -> list[str]:
        """Name the columns that a request is made of, beside the row."""
        if self.shape.layout.request is None:
            return []
        time = [TIME] if self.shape.keeps_hours_apart else []
        return [
            *(f"@{entry.place}" for entry in self.shape.around),
            *time,
            *([EXTRA, EXTRA_BESIDE] if self._extras else []),
        ]

    @property
    def columns_of_names(self) -> list[str]:
        """Name the columns that tell under which names the events' own ones, and those of their values, are written."""
        if self._rules is None or not self._rules.shared:  # in maps every key stays as it is
            return ["name", "_legal"]
        user = ["user_properties"] if any(entry.word.is_user for entry in self.columns) else []
        kinds = [name for name in (*KINDS, *user) if name in self.shape.source.provided]
        return ["name", "_legal", "_names", *kinds]

    def members(self) -> list[pl.Expr]:
        """Give what the packing takes in: the row, and what the request around it says."""
        return [] if self.shape.layout.request is None else [pl.col(ROW), *map(pl.col, self.columns_around)]

    # -- verdicts ---------------------------------------------------------------------------------------------

    def _with_verdict(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Give the rows that may not be written the first reason why, as code and message.

        Its number is a column of its own: as a part of both texts the engine would work it out for each of them.
        """
        faults = [*self._faults()]
        if not faults:
            return frame
        is_open = pl.col("code").is_null() & pl.col(FILTERED).is_null()
        faulty, codes, messages = zip(*faults, strict=True)
        first = pl.coalesce(pl.when(bad).then(pl.lit(number, pl.UInt16)) for number, bad in enumerate(faulty))
        code, message = _of_number(codes), _of_number(messages)
        return (
            frame.with_columns(pl.when(is_open).then(first).alias(FAULT))
            .with_columns(code=pl.coalesce("code", code), message=pl.coalesce("message", message))
            .drop(FAULT)
        )

    def _faults(self) -> Iterator[tuple[pl.Expr, str, str]]:
        """Give what makes a row one that may not be written, the code of it, and what is said."""
        for entry, column in self._requirements():
            bad = column.is_null()
            if entry.required_for:
                bad = bad & (pl.col("=action") == entry.required_for)
            yield bad, "missing_required", self._lacks(entry)
        spelled = next((entry for entry in self.columns if entry.word.spells_event), None)
        if spelled is not None and not spelled.required:  # for records of another kind it is none
            yield pl.col("name").is_null(), "missing_required", self._lacks(spelled)
        for entry in [*self.columns, *self.shape.wanted_presets()]:
            if entry.word.needs_finite:
                number = pl.col(f"={entry.place}")
                bad = number.is_in(["NaN", "inf", "-inf"])
                yield bad, "bad_number", f"{entry.place} is not a finite number"
        for question in self._judge.questions:
            if question.limit.hard:
                yield question.wrong, question.code, question.cited

    def _lacks(self, entry: Field) -> str:
        return f"{self.shape.layout.address} needs {entry.place}, and the event has no {' or '.join(entry.hub)}; {way_out(entry)}"

    def _requirements(self) -> Iterator[tuple[Field, pl.Expr]]:
        yield from (
            (entry, pl.col(f"={entry.place}"))
            for entry in [*self.columns, *self.shape.wanted_presets()]
            if entry.required or entry.required_for
        )
        yield from ((entry, pl.col(f"@{entry.place}")) for entry in self.shape.around if entry.required)


def _of_number(texts: Iterable[str]) -> pl.Expr:
    """Give the text of each fault's number.

    By conditions alone: where an expression calls Python, the engine no longer sees that sinks share a step, and a table
    would make it hold all rows of a unit.
    """
    return pl.coalesce(
        pl.when(pl.col(FAULT) == number).then(pl.lit(text)) for number, text in enumerate(texts)
    )
