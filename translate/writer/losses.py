"""What is lost or changed between hub events and a target's rows, as expressions to be counted over them."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from translate import events
from translate.engine.library import where_there
from translate.mapping.spec import Field, Layout
from translate.vocabulary import notation, notes
from translate.vocabulary.notes import NOT_MAPPED, OF_RECIPE, USED, Finding, InHub, Loss
from translate.vocabulary.spelling import EventNames
from translate.writer.batchwork import TAKEN
from translate.writer.findings import empty_maps, supplements
from translate.writer.keys import KeyRules, keys_used
from translate.writer.rowtext import RowText
from translate.writer.shape import Shape, is_asked_for, withheld_members

FREE_FORM = ("attributes", "metrics", "other", "extra")


@dataclass
class Plan:
    """What there is to count over the rows that are written."""

    losses: list[Loss] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def why_not_mapped(layout: Layout, column: str) -> str:
    """Say that a layout has nothing for a hub column, of which no sentence says why."""
    return NOT_MAPPED if column in FREE_FORM else f"{layout.address} says no place for it"


class Losses:
    """Knows of one layout what does not arrive in it."""

    def __init__(self, shape: Shape, rules: KeyRules | None, text: RowText, names: EventNames) -> None:
        self.shape = shape
        self._rules = rules
        self._text = text
        self._names = names

    def carried(self) -> set[str]:
        """Give the columns that arrive in every event."""
        carried: set[str] = set()
        presets = [
            entry
            for entry in self.shape.all_presets()
            if not entry.when and is_asked_for(entry, self.shape.settings)
        ]
        for entry in [*self.shape.columns, *presets, *self.shape.around, *self.shape.containers.values()]:
            carried |= {*entry.carries}
        return carried

    # -- keys -------------------------------------------------------------------------------------------------

    def notes(self) -> pl.Expr:
        """Put together the keys that the reader noted, that are renamed, and that have no place."""
        parts = [pl.col("notes"), pl.col(OF_RECIPE)]
        if self._rules:
            parts.append(pl.col("_key_notes"))
        carried, source, layout = self.carried(), self.shape.source, self.shape.layout
        for name in FREE_FORM:
            if name in carried or name not in source.provided:
                continue
            if name == "extra" and source.keeps_extra and layout.records == "json-lines":
                withheld = withheld_members(layout, self.shape.settings, keeps_around=source.keeps_around)
                parts += [_notes_of_paths(beginning, *told) for beginning, told in withheld.items()]
                continue
            keys = pl.col(name).map.keys()
            if name == "attributes" and layout.own:  # each of them is told by itself
                keys = keys.list.set_difference([entry.place for entry in layout.own])
            if source.set_by_recipe:  # what a rule took its value from did arrive
                used = pl.col(USED)
                keys = (
                    pl.when(used.list.len() > 0)
                    .then(keys.list.set_difference(keys_used(used, name)))
                    .otherwise(keys)
                )
            kind, why = self._why_lost(name)
            parts.append(_noted_of(name, notes.of_keys(keys, kind, name, why)))
        return notes.together(parts)

    def _why_lost(self, column: str) -> tuple[str, str]:
        layout = self.shape.layout
        if column in layout.cannot:
            return "cannot", layout.cannot[column]
        return "not_mapped", why_not_mapped(layout, column)

    def _loss(self, place: InHub | str, kind: str, why: str, lost: pl.Expr, example: pl.Expr) -> Loss:
        spot = InHub(place) if isinstance(place, str) else place
        return Loss(spot, self.shape.source.shown(spot), kind, why, lost, example)

    # -- columns ----------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Say what is lost, and what there is to tell, as expressions over the written rows."""
        plan = Plan()
        self._plan_without_place(plan)
        for entry in [*self.shape.columns, *self.shape.wanted_presets()]:
            self._plan_entry(plan, entry, pl.col(f"={entry.place}"))
        told = {(entry.hub, entry.word) for entry in self.shape.columns}
        for entry in self.shape.around:
            if (entry.hub, entry.word) not in told:  # what the row says too is told once
                self._plan_entry(plan, entry, pl.col(f"@{entry.place}"))
        self._plan_objects(plan)
        self._plan_own_keys(plan)
        plan.findings += supplements(self.shape, self._names)
        plan.findings += empty_maps(self.shape)
        return plan

    def _plan_without_place(self, plan: Plan) -> None:
        carried = self.carried()
        conditional = {entry.hub[0]: entry.when for entry in self.shape.own_presets()}
        for column in sorted(self.shape.source.provided - carried):
            if column in ("file", "line", *FREE_FORM):
                continue
            kind, why = self._why_lost(column)
            lost = pl.col(column).is_not_null()
            if self.shape.source.set_by_recipe:  # what a rule took its value from did arrive
                lost = lost & ~pl.col(USED).list.contains(column).fill_null(value=False)
            if column in conditional:
                kind, why = (
                    "cannot",
                    f"{self.shape.layout.address} has a place for it in some events only: {', '.join(conditional[column])}",
                )
                lost = lost & ~pl.col("name").is_in(list(conditional[column]))
            plan.losses.append(self._loss(column, kind, why, lost, _shown(column)))

    def _plan_objects(self, plan: Plan) -> None:
        """Count what an object that lacks what it needs would have held."""
        for place, needs in self.shape.layout.objects.items():
            there = self._text.object_is_there(place, [])
            for entry in self.shape.columns:
                if entry.path[:-1] == tuple(place.split(".")) and entry.hub[0] in self.shape.source.provided:
                    why = f"{place} needs {' and '.join(needs)}"
                    lost = pl.col(entry.hub[0]).is_not_null() & ~there
                    plan.losses.append(self._loss(entry.hub[0], "cannot", why, lost, _shown(entry.hub[0])))

    def _plan_own_keys(self, plan: Plan) -> None:
        """Count the keys that stand where some events have a value of their own, and will be read as that."""
        for entry in self.shape.own_presets():
            kind = self.shape.containers[entry.path[0]].hub[0]
            if kind not in self.shape.source.provided:
                continue
            value = pl.col(f"_{kind}").map.get(entry.key)
            taken = pl.col(f"{TAKEN}{entry.place}")
            why = f"{self.shape.layout.address} has the event's {entry.hub[0]} there"
            plan.losses.append(self._loss(InHub(kind, entry.key), "changed", why, taken, value))
            plan.findings.append(
                Finding(
                    "taken_for",
                    f"{entry.place} will be read as the event's {entry.hub[0]}",
                    taken,
                    entry.hub[0],
                )
            )

    def _plan_entry(self, plan: Plan, entry: Field, written: pl.Expr) -> None:
        said = self.shape.said(entry)
        if said is not None:
            self._plan_said(plan, entry, said)
            if not entry.fills:
                return
        if entry.default is not None:
            message = f"{entry.place} is unknown and required: {entry.default} was written"
            plan.findings.append(
                Finding("default_written", message, pl.col(entry.hub[0]).is_null(), entry.hub[0])
            )
        if entry.word.first_of_several:
            self._plan_first_of(plan, entry)
        if not entry.hub or entry.hub[0] not in self.shape.source.provided:
            return
        self._plan_changes(plan, entry, written)

    def _plan_changes(self, plan: Plan, entry: Field, written: pl.Expr) -> None:
        word = entry.word
        columns = [pl.col(name) for name in entry.hub]
        if entry.own is not None:
            value = columns[0].map.get(entry.own.name)
            misfits = value.is_not_null() & written.is_null()
            whence = InHub(*entry.own.whence)
            plan.losses.append(self._loss(whence, "cannot", f"is no {entry.own.type}", misfits, value))
        place = self.shape.source.place(entry.hub[0])
        if word.changed is not None:
            plan.losses.append(
                self._loss(entry.hub[0], "changed", word.why, word.changed(columns), _shown(entry.hub[0]))
            )
        if entry.absent is not None:
            why = f"{entry.place} of {entry.absent!r} is read as nothing"
            lost = (written.cast(pl.String) == str(entry.absent)) & columns[0].is_not_null()
            plan.losses.append(self._loss(entry.hub[0], "changed", why, lost, columns[0]))
        if word.spells_event:
            self._plan_name(plan, entry, written)
        if word.is_app_id:
            self._plan_app_id(plan, entry)
        if word.tells_kind:
            return
        if entry.table or (word.is_app_id and self.shape.settings.app_ids):
            why = "exchanged by a table of values" if entry.table else word.why
            table = self.shape.mapping.tables[entry.table] if entry.table and entry.back else {}
            told = notation.exchanged_back(written, table)
            plan.losses.append(self._loss(entry.hub[0], "changed", why, told != columns[0], columns[0]))
        if entry.table:
            known = columns[0].str.to_lowercase().is_in(list(self.shape.mapping.tables[entry.table]))
            plan.findings.append(
                Finding(
                    f"unknown_{entry.hub[0].rpartition('.')[2]}",
                    f"{place}: not in the table of {self.shape.mapping.model}, kept as it is",
                    ~known,
                )
            )

    def _plan_name(self, plan: Plan, entry: Field, written: pl.Expr) -> None:
        why = entry.word.why
        plan.losses.append(
            self._loss(entry.hub[0], "changed", why, pl.col("_spelled") != written, pl.col(entry.hub[0]))
        )
        if not any(other.word.travels_with_names for other in self.shape.all_presets()):
            why = f"{self.shape.layout.address} has no such well-known name, or means another event by it"
            other_meaning = pl.col("_original").is_not_null() & (pl.col("_spelled") == written)
            plan.losses.append(self._loss(entry.hub[0], "changed", why, other_meaning, pl.col(entry.hub[0])))

    def _plan_app_id(self, plan: Plan, entry: Field) -> None:
        if entry.setting is not None:
            exchanged = pl.col(entry.hub[0]).is_in(list(self.shape.settings.app_ids))
            message = f"{entry.place} is the application id; say --set {entry.setting}=... or app_ids.OLD=new"
            plan.findings.append(Finding(f"{entry.setting}_not_set", message, ~exchanged))

    def _plan_said(self, plan: Plan, entry: Field, said: str) -> None:
        """Tell where a setting stands in place of what the events say, or of nothing."""
        if not entry.hub:
            return
        column = pl.col(entry.hub[0])
        if not entry.fills:
            why = f"the setting {entry.setting} stands in its place"
            plan.losses.append(self._loss(entry.hub[0], "changed", why, column != said, column))
        plan.findings.append(
            Finding(
                "filled_in", f"{entry.place} is the setting {entry.setting}", column.is_null(), entry.hub[0]
            )
        )

    def _plan_first_of(self, plan: Plan, entry: Field) -> None:
        """Count which of the columns is written, what stands behind it, and what will be read as the first one."""
        others = [*self.shape.columns, *self.shape.wanted_presets(), *self.shape.around]
        elsewhere = {column for other in others if other is not entry for column in other.carries}
        first, *_ = entry.hub
        earlier = pl.lit(False)
        for name in entry.hub:
            column = pl.col(name)
            if name in self.shape.source.provided:
                chosen = column.is_not_null() & ~earlier
                apart = name != first and name not in elsewhere
                if name not in elsewhere:
                    lost = column.is_not_null() & earlier
                    plan.losses.append(
                        self._loss(name, "cannot", f"{entry.place} holds one id", lost, column)
                    )
                if apart:
                    why = f"{entry.place} does not tell it from a {first}"
                    plan.losses.append(self._loss(name, "changed", why, chosen, column))
                if name != first:  # of the first one there is nothing to tell
                    message = f"{entry.place} is the event's {name}"
                    plan.findings.append(
                        Finding(f"{entry.path[-1].lower()}_from", message, chosen, first if apart else None)
                    )
                if name in elsewhere and name != first:
                    same = pl.col(first) == column
                    plan.findings.append(
                        Finding(
                            "not_told_apart", f"{entry.place} is the same as the event's {name}", same, first
                        )
                    )
            earlier = earlier | column.is_not_null()


def _notes_of_paths(beginning: str, kind: str, why: str) -> pl.Expr:
    """Note each member that no hub column holds, and whose path begins so, as lost."""
    paths = pl.col("extra").map.keys().list.eval(pl.element().filter(pl.element().str.starts_with(beginning)))
    return _noted_of("extra", notes.of_keys(paths, kind, "extra", why))


def _noted_of(column: str, noted: pl.Expr) -> pl.Expr:
    """Note what lies in a map for the events that have something there, which few have."""
    return where_there([pl.col(column)], noted, notes.NOTES_TYPE)


def _shown(column: str) -> pl.Expr:
    """Give a column as an example shows it: a map as a JSON object."""
    return notation.object_of_map(pl.col(column)) if column in events.MAPS else pl.col(column)
