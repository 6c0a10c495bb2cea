"""Where each field of a target comes from, by which conversion, and what of the source has no place in it.

Everything here is taken from the compiled mappings, the recipe, and the writer's own plan of losses.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate import events
from translate.mapping.columns import Column
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout, Mapping
from translate.recipe.expressions import key_of
from translate.telling.explanation import sections
from translate.telling.explanation.pages import Explanation, Row, State
from translate.telling.explanation.sections import ages, limits, names, rules, tables
from translate.telling.explanation.sides import HUB_LAYOUT, FieldPlace, HubOrigin, find, places
from translate.vocabulary.notes import NOT_MAPPED
from translate.vocabulary.words.scalars import EVENT_NAME
from translate.writer.dataset import with_columns
from translate.writer.losses import why_not_mapped
from translate.writer.shape import Shape, Source, is_asked_for, same_events
from translate.writer.writer import Writer

if TYPE_CHECKING:
    from translate.recipe.rules import Recipe


EXTRA = "any other member of a record"
MADE_ID = "made: the name-based UUID of the event's content"
ORIGIN_COLUMNS = ("file", "line")


def of_pair(
    source: str, target: str, recipe: Recipe | None = None, settings: Settings | None = None, mappings: Path | None = None,
    columns: Sequence[Column] = (),
) -> Explanation:  # fmt: skip
    """Explain a pair of layouts; raise UsageError for one that is not there, or not to be read or written."""
    from_mapping, from_layout = find(source, mappings, to_read=True)
    to_mapping, to_layout = find(target, mappings, to_read=False)
    to_layout = with_columns(to_layout, columns)
    pair = _Pair(from_layout, to_mapping, to_layout, recipe, settings or Settings())
    digest = recipe.digest if recipe else ""
    digests = {"from": from_mapping.digest, "to": to_mapping.digest, "recipe": digest}
    return Explanation(
        source=from_layout.address,
        target=to_layout.address,
        recipe=recipe.name if recipe else None,
        digests=digests,
        rows=pair.rows(),
        names=list(names(from_mapping, from_layout, to_mapping, to_layout)),
        tables=list(tables(to_mapping, to_layout)),
        limits=[*limits(from_layout, to_layout), *ages(to_mapping, to_layout)],
        recipe_rules=list(rules(recipe)) if recipe else [],
        personal=list(pair.personal()),
    )


class _Pair:
    """One source's layout against one target's."""

    def __init__(
        self, source: Layout, mapping: Mapping, target: Layout, recipe: Recipe | None, settings: Settings
    ) -> None:
        self.source = source
        self.mapping = mapping
        self.target = target
        self.recipe = recipe
        self.settings = settings
        self.given = places(source)
        self.taken = places(target)
        self.set_by_rules = recipe.set_columns if recipe else frozenset()
        uses = (used for rule in (recipe.rules if recipe else ()) for used in rule.sets.values())
        self.used_by_rules = {name for used in uses for name in used.columns}
        self.origins = self._origins(recipe)
        self.columns = frozenset(self.origins)
        self.losses = list(self._losses(mapping))
        self.fed = {place: fed_by for place in self.taken if (fed_by := self._fed_by(place))}

    def _origins(self, recipe: Recipe | None) -> dict[str, list[HubOrigin]]:
        """List where each hub column comes from, what a rule sets last."""
        origins: dict[str, list[HubOrigin]] = {}
        for place in self.given:
            entry = place.entry
            for column in place.gives:
                about = entry.word.about if entry.const is None and entry.word.tells_how_it_is_read else ""
                origin = HubOrigin(place.shown, column, entry.also, entry.when, about=about)
                origins.setdefault(column, []).append(origin)
        for rule in recipe.rules if recipe else ():
            if rule.when is None:
                for column in rule.removes:
                    origins.pop(column, None)
            condition = rule.when.sql if rule.when else None
            for target, expression in rule.sets.items():
                keyed = key_of(target)
                said = f"as {target} by {rule.address}" if keyed else rule.address
                origin = HubOrigin(expression.sql, target, (), (), said, condition, expression.columns)
                origins.setdefault(keyed[0] if keyed else target, []).append(origin)
        if self.settings.app_id:
            origins.setdefault("app.id", []).append(HubOrigin("--set app_id=...", "app.id"))
        origins.setdefault("event_id", [HubOrigin(MADE_ID, "event_id")])
        if self.target is HUB_LAYOUT:
            for column in ORIGIN_COLUMNS:
                origins.setdefault(column, [HubOrigin(f"the source's {column}", column)])
            origins.setdefault("extra", [HubOrigin(EXTRA, "extra")])
        return origins

    def _losses(self, mapping: Mapping) -> Iterator[tuple[str, str]]:
        """Give what the writer would count: the hub column, and why it is lost."""
        if self.target is HUB_LAYOUT:
            return
        source = Source(frozenset({*self.columns, "extra"}), {}, self.set_by_rules)
        legal = self.target.legal_names and not self.settings.keep_names
        in_both = {place.entry.hub[0] for place in self.taken if place.entry.hub and self._takes_all(place)}
        for loss in Writer(mapping, self.target, self.settings, source).plan().losses:
            never = not legal and loss.why == EVENT_NAME.why
            if not never and not (loss.kind == "cannot" and loss.field in in_both):
                yield loss.field, loss.why

    def personal(self) -> Iterator[dict[str, Any]]:
        """Give the personal data that the source's sheet marks: where it goes, and what the recipe does with it."""
        keeps = same_events(self.source, self.target)
        source = Source(self.columns, {}, self.set_by_rules, keeps_extra=keeps)
        is_hub = self.target is HUB_LAYOUT
        shape = None if is_hub else Shape(self.mapping, self.target, self.settings, source)
        return sections.personal(self.source, self.recipe, shape)

    def _takes_all(self, place: FieldPlace) -> bool:
        """Tell whether a place that only some events have is for all those that have a value."""
        given = [origin.when for column in place.entry.hub[:1] for origin in self.origins.get(column, ())]
        return bool(place.entry.when) and all(when and set(when) <= set(place.entry.when) for when in given)

    # -- rows -------------------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Give a row for each field of the target, and then one for each place of the source that none takes up."""
        rows = [self._row(place) for place in self.taken]
        used = {origin.place for row in rows for origin in row.origins}
        looked_at = {column for row in rows for origin in row.origins for column in origin.looks_at}
        behind = (other for column in looked_at for other in self.origins.get(column, ()))
        return [*rows, *self._left_over(used | {other.place for other in behind if other.rule is None})]

    def _row(self, place: FieldPlace) -> Row:
        entry = place.entry
        if not place.is_written:
            named = "those that a recipe or the settings name as columns"
            how = named if self.target.takes_columns else "for reading only"
            return Row(place.part, entry.place, "not_written", how=how)
        fixed, clauses = sections.fixed(entry), list(sections.options(entry))
        if fixed is not None and not sections.is_declined(entry, self.settings):
            return Row(place.part, entry.place, "fixed", how="; ".join([fixed, *clauses]))
        if entry.own is not None:
            return self._own(place, entry.own)
        if self._is_off(place):
            return Row(place.part, entry.place, "off", how=sections.off(entry, self.settings))
        return self._filled(place, self.fed[place], clauses) if place in self.fed else self._unfilled(place)

    def _own(self, place: FieldPlace, column: Column) -> Row:
        """Tell of a column of the dataset's own, which is filled from a hub column or a key."""
        source = column.source or column.home
        kind, _, key = source.partition(".")
        if source in events.SCHEMA:
            origins = tuple(self.origins.get(source, ()))
        else:
            given = (origin for origin in self.origins.get(kind, ()) if not origin.rule)
            origins = tuple(replace(origin, place=f"{origin.place}.{key}") for origin in given)
        how = f"a column of the dataset's own, {column.type}: {source}"
        return Row(place.part, column.name, "filled" if origins else "nothing", origins, how)

    def _fed_by(self, place: FieldPlace) -> tuple[str, ...]:
        """Name the columns that a field's value comes of; none where no event says it."""
        is_fixed = sections.fixed(place.entry) is not None
        return () if is_fixed or not place.is_written or self._is_off(place) else place.fed_by(self.columns)

    def _is_off(self, place: FieldPlace) -> bool:
        """Tell whether a field is left out because nobody asked for it."""
        if place.entry.optional:
            return place.entry.hub[0] not in self.columns
        return not is_asked_for(place.entry, self.settings)

    def _unfilled(self, place: FieldPlace) -> Row:
        entry, nothing = place.entry, "nothing in the source"
        said = f"what --set {entry.setting}=... says"
        asked = f"{nothing}, and required: rejected unless a recipe or setting gives it"
        phase = f"{nothing}, and required where the phase is {entry.required_for}: such events are rejected"
        stands = entry.default is not None or entry.absent is not None
        known: list[tuple[Any, State, str]] = [
            (entry.setting is not None and getattr(self.settings, entry.setting), "fixed", said),
            (entry.fills, "fixed", f"{said}; left out without it"),
            (stands, "fixed", "; ".join([nothing, *sections.options(entry)])),
            (entry.required, "missing", asked),
            (entry.required_for is not None, "missing", phase),
            (True, "nothing", nothing),
        ]
        return next(Row(place.part, entry.place, state, how=how) for applies, state, how in known if applies)

    def _filled(self, place: FieldPlace, fed_by: tuple[str, ...], clauses: list[str]) -> Row:
        origins = [origin for column in fed_by for origin in self.origins[column]]
        how = sections.conversion((origin.about for origin in origins), place.entry.word.about)
        also = [column for column in place.looks_at if column in self.columns and column not in fed_by]
        how = "; ".join([how, *([f"looks at {', '.join(also)} too"] if also else []), *clauses])
        firsts: dict[tuple[str, str | None], HubOrigin] = {}  # one place can give several columns
        for origin in origins:
            firsts.setdefault((origin.place, origin.rule), origin)
        lost = tuple(self._lost(place))
        return Row(place.part, place.entry.place, "filled", tuple(firsts.values()), how, lost)

    # -- losses -----------------------------------------------------------------------------------------------

    def _lost(self, place: FieldPlace) -> Iterator[str]:
        """Say what of a field's value may be lost: what the writer would count, each at one field."""
        if place.entry.word.is_container:
            yield from sections.changes_of_keys(place.entry, self.target)
        reasons: dict[str, list[str]] = {}
        for column, why in self.losses:
            if self._teller(column) is place and column not in reasons.get(why, ()):
                reasons.setdefault(why, []).append(column)
        for why, lost in reasons.items():
            yield why if lost == [place.entry.hub[0]] else f"{', '.join(lost)}: {why}"

    def _teller(self, column: str) -> FieldPlace | None:
        """Find the field that tells what a hub column loses: which holds it, else is made of it, else comes from beside it."""
        holds = (place for place, fed_by in self.fed.items() if column in fed_by and column in place.carries)
        is_made = (place for place, fed_by in self.fed.items() if column in fed_by)
        places_of_it = {place.shown for place in self.given if column in place.gives}

        def sources(fed_by: tuple[str, ...]) -> set[str]:
            return {origin.place for column in fed_by for origin in self.origins[column]}

        is_beside = (place for place, fed_by in self.fed.items() if places_of_it & sources(fed_by))
        return next(itertools.chain(holds, is_made, is_beside), None)

    def _left_over(self, used: set[str]) -> Iterator[Row]:
        for place in self.given:
            if place.shown not in used:
                yield self._without_place(place)
        keeps = self.target is HUB_LAYOUT or self.source.address == self.target.address
        if not keeps and "extra" not in {place.shown for place in self.given}:
            yield Row("", "", "not_mapped", (HubOrigin(EXTRA, "extra"),), lost=(NOT_MAPPED,))

    def _without_place(self, place: FieldPlace) -> Row:
        column = place.gives[0] if place.gives else ""
        origin = HubOrigin(place.shown, column, place.entry.also, place.entry.when)
        if not place.gives:
            return Row("", "", "not_read", (origin,), lost=(sections.not_read(place.entry),))
        if any(column not in self.origins for column in place.gives):
            return Row("", "", "on_purpose", (origin,), lost=("removed by a rule",))
        cannot = self.target.cannot
        reasons = list(dict.fromkeys(cannot[column] for column in place.gives if column in cannot))
        used = {name for name in self.used_by_rules if (keyed := key_of(name)) and keyed[0] in place.gives}
        state: State = "cannot" if reasons else "not_mapped"
        off = (each for each in self.taken if self._is_off(each) and set(each.carries) & set(place.gives))
        hows = (self._row(other).how for other in off)
        told = "; ".join(reasons) or next(hows, why_not_mapped(self.target, place.gives[0]))
        told += f", but rules use {', '.join(sorted(used))}" if used else ""
        return Row("", "", state, (origin,), lost=(told,))
