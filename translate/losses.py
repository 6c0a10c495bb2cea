"""What is lost or changed between hub events and a target's rows, as expressions to be counted over them."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from translate.keys import KeyRules, all_notes, notes_of_keys
from translate.mapping.codecs import CONTAINERS, SCALARS
from translate.mapping.spec import Field
from translate.reader.careful import note
from translate.report import Finding, Loss
from translate.rowtext import RowText
from translate.settings import CLICKSTREAM_APP_ID
from translate.shape import Shape


@dataclass
class Plan:
    """What there is to count over the rows that are written."""

    losses: list[Loss] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Losses:
    """Knows of one layout what does not arrive in it."""

    def __init__(self, shape: Shape, rules: KeyRules | None, text: RowText) -> None:
        self.shape = shape
        self._rules = rules
        self._text = text

    def carried(self) -> set[str]:
        """Give the columns that arrive in every event."""
        carried: set[str] = set()
        entries = [*self.shape.columns, *(entry for entries in self.shape.presets.values() for entry in entries if not entry.when)]
        if self.shape.layout.envelope:
            entries += self.shape.layout.envelope.fields.values()
        for entry in entries:
            codec = SCALARS[entry.codec]
            carried |= set(entry.hub if entry.codec == "first_of" else entry.hub[: codec.carries])
        for entry in self.shape.containers.values():
            carried |= set(CONTAINERS[entry.codec].hub)
        return carried

    def carried_when(self) -> dict[str, tuple[str, ...]]:
        """Give the columns that arrive in some events only, and in which."""
        presets = [entry for entries in self.shape.presets.values() for entry in entries if entry.when and entry.hub]
        return {entry.hub[0]: entry.when for entry in presets}

    def notes(self) -> pl.Expr:
        """Put together the keys that the reader noted, that are renamed, and that have no place."""
        parts = [pl.col("notes"), pl.col("_recipe_notes")]
        if self._rules:
            parts.append(pl.col("_key_notes"))
        carried = self.carried()
        for name in ("attributes", "metrics", "other", "extra"):
            if name in carried or name not in self.shape.source.provided:
                continue
            kind = "cannot" if name in self.shape.layout.cannot else "not_mapped"
            place = "" if name == "extra" else f"{self.shape.source.place(name)}."
            keys = notes_of_keys(pl.col(name), kind, place)
            if self.shape.source.set_by_recipe:  # what a rule took its value from did arrive
                used = pl.col("_used").list.eval(pl.concat_str(pl.lit(note(kind, "")), pl.element()))
                keys = pl.when(pl.col("_used").list.len() > 0).then(keys.list.set_difference(used)).otherwise(keys)
            parts.append(keys)
        return all_notes(parts)

    def plan(self) -> Plan:
        """Say what is lost, and what there is to tell, as expressions over the written rows."""
        plan = Plan()
        carried, conditional = self.carried(), self.carried_when()
        for column in sorted(self.shape.source.provided - carried):
            if column in ("file", "line", "attributes", "metrics", "other", "extra"):
                continue
            kind = "cannot" if column in self.shape.layout.cannot else "not_mapped"
            why = self.shape.layout.cannot.get(column, f"{self.shape.layout.address} says no place for it")
            lost = pl.col(column).is_not_null()
            if column in conditional:
                kind, why = "cannot", f"{self.shape.layout.address} has a place for it in some events only: {', '.join(conditional[column])}"
                lost = lost & ~pl.col("name").is_in(list(conditional[column]))
            plan.losses.append(Loss(self.shape.source.place(column), kind, why, lost, pl.col(column)))
        for entry in [*self.shape.columns, *self.shape.all_presets()]:
            self._plan_entry(plan, entry)
        if self.shape.layout.envelope:
            for name, entry in self.shape.layout.envelope.fields.items():
                self._plan_exchanged(plan, entry, pl.col(f"_{name}"))
        self._plan_objects(plan)
        return plan

    def _plan_objects(self, plan: Plan) -> None:
        """Count what an object that lacks what it needs would have held."""
        for place, needs in self.shape.layout.objects.items():
            there = self._text.object_is_there(place, [])
            for entry in self.shape.columns:
                if entry.path[:-1] == tuple(place.split(".")) and entry.hub[0] in self.shape.source.provided:
                    why = f"{place} needs {' and '.join(needs)}"
                    column = pl.col(entry.hub[0])
                    plan.losses.append(Loss(self.shape.source.place(entry.hub[0]), "cannot", why, column.is_not_null() & ~there, column))

    def _plan_entry(self, plan: Plan, entry: Field) -> None:
        columns = [pl.col(name) for name in entry.hub]
        codec = SCALARS[entry.codec]
        if not entry.hub or entry.hub[0] not in self.shape.source.provided:
            if entry.default is not None:
                self._plan_default(plan, entry)
            if entry.codec != "first_of":
                return
        place = self.shape.source.place(entry.hub[0])
        if codec.changed is not None:
            plan.losses.append(Loss(place, "changed", codec.why, codec.changed(columns), columns[0]))
        if entry.codec == "event_name":
            plan.losses.append(Loss(place, "changed", codec.why, pl.col("_spelled") != pl.col(f"={entry.place}"), columns[0]))
        if entry.codec == "first_of":
            self._plan_first_of(plan, entry)
        if entry.codec == "app_id" and self.shape.mapping.model == "clickstream":
            legal = pl.col(f"={entry.place}").str.contains(rf"^{CLICKSTREAM_APP_ID.pattern}$")
            message = "the application id is one that Clickstream's console refuses; say --set app_ids.OLD=new"
            plan.findings.append(Finding("app_id_not_legal", message, ~legal))
        self._plan_exchanged(plan, entry, pl.col(f"={entry.place}"))
        if entry.table:
            known = columns[0].str.to_lowercase().is_in(list(self.shape.mapping.tables[entry.table]))
            plan.findings.append(Finding("unknown_platform", f"{place}: not in the table of {self.shape.mapping.model}, kept as it is", ~known))
        if entry.default is not None:
            self._plan_default(plan, entry)

    def _plan_exchanged(self, plan: Plan, entry: Field, written: pl.Expr) -> None:
        """Tell the values that a table of the mapping or of the settings exchanges for others."""
        by_settings = entry.codec == "app_id" and self.shape.settings.app_ids
        if (entry.table or by_settings) and entry.hub[0] in self.shape.source.provided:
            why = "exchanged by a table of values" if entry.table else SCALARS[entry.codec].why
            column = pl.col(entry.hub[0])
            plan.losses.append(Loss(self.shape.source.place(entry.hub[0]), "changed", why, written != column, column))

    def _plan_default(self, plan: Plan, entry: Field) -> None:
        message = f"{entry.place} is unknown and required: {entry.default} was written"
        plan.findings.append(Finding("default_written", message, pl.col(entry.hub[0]).is_null()))

    def _plan_first_of(self, plan: Plan, entry: Field) -> None:
        """Count what stands behind the first one that is there, unless it is carried elsewhere."""
        elsewhere = {
            column
            for other in [*self.shape.columns, *self.shape.all_presets()]
            if other is not entry
            for column in other.hub[: SCALARS[other.codec].carries]
        }
        earlier = pl.lit(False)
        for name in entry.hub:
            column = pl.col(name)
            if name in self.shape.source.provided:
                if name not in elsewhere:
                    lost = column.is_not_null() & earlier
                    plan.losses.append(Loss(self.shape.source.place(name), "cannot", f"{entry.place} holds one id", lost, column))
                first = column.is_not_null() & ~earlier
                plan.findings.append(Finding(f"{entry.place.lower()}_from", f"{entry.place} is the event's {name}", first))
            earlier = earlier | column.is_not_null()
