"""One event's fields: what each holds and whence, or the first condition that failed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from translate import events
from translate.conversion.job import Job
from translate.mapping.spec import Field, Layout
from translate.recipe.spec import Rule
from translate.telling.explanation import sections
from translate.telling.explanation.pages import Row as Explained
from translate.telling.explanation.sides import NO_PLACE, FieldPlace, Given, SourcePlaces, shown
from translate.telling.tracing.result import FieldTrace
from translate.telling.tracing.run import Traced

MADE_OF_CONTENT = "made: the name-based UUID of the event's content"


class EventFields:
    """The fields that a target's layout has for one event; `rows` are what the explanation says of each place."""

    def __init__(
        self, job: Job, source: SourcePlaces, rows: list[tuple[FieldPlace, Explained]], traced: Traced
    ) -> None:
        self._job = job
        self._source = source
        self._rows = rows
        self._traced = traced
        self._name = str(traced.after["name"])
        rules = job.recipe.rules if job.recipe else ()
        self._rules = [rule for rule, met in zip(rules, traced.rules, strict=bool(rules)) if met.met]
        self._layout: Layout | None = job.target_layout

    def __iter__(self) -> Iterator[FieldTrace]:
        """Give the fields in the layout's order; a free-form value may stand where other events have a field of their own."""
        found = [traced for place, explained in self._rows for traced in self._traces(place, explained)]
        there = {traced.field for traced in found if traced.written is not None}
        return (
            each
            for each in found
            if each.written is not None or each.field not in there or each.part == "request"
        )

    def _traces(self, place: FieldPlace, explained: Explained) -> Iterator[FieldTrace]:
        written = self._written(place)
        empty = self._object_is_out(place) if written is not None else None
        if written is None or empty is not None:
            why = empty or self._why_empty(place, explained)
            yield FieldTrace(place.entry.place, place.part, None, codec=explained.how, why=why)
        elif place.entry.word.is_container:
            yield from self._members(place, written, explained)
        else:
            yield self._filled(place, written, explained)

    # -- what is there ------------------------------------------------------------------------------------------

    def _written(self, place: FieldPlace) -> str | None:
        if self._layout is None:
            return shown(self._traced.after.get(place.entry.place))
        sign = "@" if place.part == "request" else "="
        return shown(self._traced.after.get(f"{sign}{place.entry.place}"))

    def _filled(self, place: FieldPlace, written: str, explained: Explained) -> FieldTrace:
        entry = place.entry
        traced = FieldTrace(entry.place, place.part, written, codec=explained.how)
        if entry.own is not None:
            source = entry.own.source or entry.own.home
            return replace(traced, given=(Given(f"the source's {source}", written),))
        setting = getattr(self._job.settings, entry.setting) if entry.setting else None
        columns = self._fed_by(place)
        if setting is not None and not (entry.fills and columns):
            return replace(traced, rule=f"--set {entry.setting}=...")
        fixed = sections.fixed(entry)
        if fixed is not None:
            return replace(traced, codec=fixed)
        if not columns and entry.default is not None:
            return replace(traced, codec=f"{json.dumps(entry.default)} where there is none")
        rules = {column: rule for column in columns if (rule := self._set_by(column))}
        given = dict.fromkeys(self._given(column) for column in columns if column not in rules)
        said = "; ".join(_said(rule, column) for column, rule in rules.items())
        return replace(traced, given=tuple(given), rule=said or None)

    def _fed_by(self, place: FieldPlace) -> list[str]:
        """Name the columns that the value comes of: those that arrive in it, else those that it is made of."""
        there = [column for column in place.entry.hub if self._traced.after.get(column) is not None]
        carried = [column for column in there if column in place.carries]
        return (carried[:1] if place.entry.word.first_of_several else carried) or there

    def _given(self, column: str) -> Given:
        found = self._source.first(column, self._traced.raw, self._traced.before)
        if found is None and column == "event_id":
            return Given(MADE_OF_CONTENT, None)
        if found is None and column == "app.id" and self._job.settings.app_id:
            return Given("--set app_id=...", self._job.settings.app_id)
        return found or Given(f"the source's {column}", shown(self._traced.after.get(column)))

    def _members(self, place: FieldPlace, written: str, explained: Explained) -> Iterator[FieldTrace]:
        """Give each free-form value of a container; fields of their own have rows of their own."""
        own = {
            other.entry.key
            for other, _ in self._rows
            if other.entry.path[0] == place.entry.place and self._written(other) is not None
        }
        free = [(key, text) for key, text in _entries(written) if key not in own]
        if not free:
            why = f"no free-form value; {self._first_reason(place.entry.hub)}"
            yield FieldTrace(f"{place.entry.place}.*", place.part, None, codec=explained.how, why=why)
        names = self._original_keys()
        for key, text in free:
            kind, original = names.get(key) or self._kind(key)
            source = ", ".join(dict.fromkeys(home.shown for home in self._source.of(kind))) if kind else ""
            value = (self._traced.after.get(kind) or {}).get(original) if kind else None
            rule = self._set_by(f"{kind}.{original}")
            given = () if rule or not kind else (Given(f"{source}.{original}", shown(value)),)
            said = _said(rule, f"{kind}.{original}") if rule else None
            yield FieldTrace(f"{place.entry.place}.{key}", place.part, text, given, said, explained.how)

    def _kind(self, key: str) -> tuple[str, str]:
        after = self._traced.after
        kinds = (kind for kind in ("attributes", "metrics", "other") if key in (after.get(kind) or {}))
        return next(kinds, ""), key

    def _original_keys(self) -> dict[str, tuple[str, str]]:
        """Give the kind and the name that a key had before the target made it another one."""
        told = self._traced.after.get("_names")
        tables: dict[str, dict[str, str]] = json.loads(f"{{{told}}}") if told else {}
        return {new: (kind, old) for kind, table in tables.items() for new, old in table.items()}

    # -- what is not --------------------------------------------------------------------------------------------

    def _object_is_out(self, place: FieldPlace) -> str | None:
        """Say why an object is left out as a whole although the field has a value."""
        if self._layout is None:
            return None
        for home, needs in self._layout.objects.items():
            if not place.entry.place.startswith(f"{home}."):
                continue
            for need in needs:
                if self._traced.after.get(f"={home}.{need}") is None:
                    other = next((row for row in self._rows if row[0].entry.place == f"{home}.{need}"), None)
                    why = f": {self._why_empty(*other)}" if other else ""
                    return f"{home} is left out as a whole: it needs {need}{why}"
        return None

    def _why_empty(self, place: FieldPlace, explained: Explained) -> str:
        """Give the first condition that failed."""
        return self._never_for_this(place.entry, explained) or self._nothing_to_write(place)

    def _never_for_this(self, entry: Field, explained: Explained) -> str:
        """Say why such an event never has a field, whatever else it says."""
        others = bool(entry.when) and self._name not in entry.when
        reasons = {
            explained.how: explained.state in ("not_written", "off"),
            f"setting not given: --set {entry.setting}=...": entry.setting is not None and not entry.hub,
            f"only for {', '.join(entry.when)}, and this is {self._name}": others,
            f"made for each request: {entry.word.about}": entry.word.is_stamp,
            "every name is written as it is": entry.word.travels_with_names,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def _nothing_to_write(self, place: FieldPlace) -> str:
        """Say why a field has no value that it could have: none of its hub columns, or not what its codec asks for."""
        entry = place.entry
        own = entry.own and (self._traced.after["attributes"] or {}).get(entry.own.name)
        if entry.own and own is not None:
            return f"{'.'.join(entry.own.whence)} = {shown(own)} is no {entry.own.type}"
        there = [column for column in entry.hub if self._traced.after.get(column) is not None]
        if not set(there) & set(place.carries):
            setting = f"; --set {entry.setting}=... would give it" if entry.setting else ""
            wanted = place.fed_by(frozenset(events.COLUMNS)) or place.carries or entry.hub
            return self._first_reason([column for column in wanted if column not in there]) + setting
        values = ", ".join(f"{column} = {shown(self._traced.after[column])}" for column in there)
        lacking = [column for column in entry.hub if column not in there]
        without = f" without {', '.join(lacking)}" if lacking else ""
        return f"{entry.word.about or 'the value'}: nothing to be made of {values}{without}"

    def _first_reason(self, columns: Iterable[str]) -> str:
        """Give the weightiest reason why none of some columns is there: a rule, a place of the source, that it has none."""
        reasons = [reason for column in columns for reason in self._why_absent(column)]
        return min(reasons, key=lambda reason: reason[0], default=(0, "nothing in the event"))[1]

    def _why_absent(self, column: str) -> Iterator[tuple[int, str]]:
        """Say why the event has nothing in a hub column, the weightier reasons first."""
        for rule in reversed(self._rules):
            if column in rule.removes:
                yield 0, f"{rule.address} removes {column}"
            elif column in rule.sets:
                yield 0, f"{rule.address}: {rule.sets[column].sql} gives nothing for this event"
        raw, before = self._traced.raw, self._traced.before
        absent = self._source.absent(column, str(before["name"]), raw, before)
        there = any(text is not None for _, text in self._source.given(column, raw, before))
        for rule in self._job.recipe.rules if self._job.recipe and not there else ():
            if rule not in self._rules and rule.when is not None and column in rule.sets:
                told = f"{rule.address} would set {column}, but its condition is false: {rule.when.sql}; and {absent}"
                yield 1, told
        yield (3 if absent.startswith(NO_PLACE) else 2), absent

    # -- rules --------------------------------------------------------------------------------------------------

    def _set_by(self, column: str) -> Rule | None:
        """Find the last rule with a true condition that set a column, or a key of a map."""

        def is_set(rule: Rule) -> bool:
            is_named = column == "name" and bool(rule.names)
            return is_named or column in rule.sets or column in rule.renames.values()

        return next(filter(is_set, reversed(self._rules)), None)


def _said(rule: Rule, column: str) -> str:
    """Name a rule and what it says of a column."""
    about = f" ({rule.about})" if rule.about else ""
    if column in rule.sets:
        return f"{rule.address}{about}: {rule.sets[column].sql}"
    old = next((name for name, new in rule.renames.items() if new == column), None)
    return f"{rule.address}{about}: renames {old}" if old else f"{rule.address}{about}: names"


def _entries(written: str) -> list[tuple[str, str]]:
    """Give the members of a written object, or the entities of a list, with their values as JSON text."""
    try:
        value: Any = json.loads(written)
    except ValueError:
        return []
    if isinstance(value, dict):
        pairs = [*value.items()]
    else:
        entities = (each for each in value if isinstance(each, dict) and "key" in each)
        pairs = [(each["key"], each.get("value")) for each in entities]
    return [
        (key, text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)) for key, text in pairs
    ]
