"""The answer of `why`: one record, field by field."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from translate.telling.explanation.sides import NO_PLACE, Given
from translate.wording.rendering import Report, printable
from translate.wording.terminal import folded, unfolded

PRINTED = 120
VALUE_MAX = 60  # characters of a value in a table; all of it in JSON


@dataclass(frozen=True)
class Met:
    """One rule upon one event: `met` is None where the event did not come so far.

    `failed` says which parts of the condition are false or unknown, `nothing` which values came out absent.
    """

    rule: str
    met: bool | None
    failed: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the rule as JSON values."""
        return {"rule": self.rule, "met": self.met, "failed": [*self.failed], "nothing": [*self.nothing]}


@dataclass(frozen=True)
class FieldTrace:
    """One field of the target: what was written there and whence, or why it stayed empty.

    `rule` is the recipe's rule that set it, `codec` how the value is turned, `why` the first condition that failed.
    """

    field: str
    part: str
    written: str | None
    given: tuple[Given, ...] = ()
    rule: str | None = None
    codec: str = ""
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the field as JSON values."""
        return {
            "field": self.field,
            "part": self.part,
            "written": self.written,
            "from": [given.to_json() for given in self.given],
            "rule": self.rule,
            "codec": self.codec,
            "why": self.why or None,
        }


@dataclass(frozen=True)
class EventTrace:
    """One row of the target, or one event that gives none.

    `outcome` is written, rejected or filtered; `reason` is a reject's code or the name of the filter, `message` a
    reject's sentence, `judged` what each rule found, `lost` what did not arrive, or not as it was.
    """

    number: int
    copy: int
    name: str | None
    event_id: str | None
    outcome: str
    reason: str | None = None
    message: str | None = None
    judged: tuple[Met, ...] = ()
    fields: tuple[FieldTrace, ...] = ()
    lost: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the event as JSON values."""
        return {
            "number": self.number,
            "copy": self.copy,
            "name": self.name,
            "event_id": self.event_id,
            "outcome": self.outcome,
            "reason": self.reason,
            "message": self.message,
            "rules": list(self.rules),
            "judged": [rule.to_json() for rule in self.judged],
            "fields": [traced.to_json() for traced in self.fields],
            "lost": list(self.lost),
        }

    @property
    def rules(self) -> tuple[str, ...]:
        """Name the rules whose condition holds."""
        return tuple(rule.rule for rule in self.judged if rule.met)

    @property
    def sentence(self) -> str:
        """Say what became of the event."""
        if self.outcome == "rejected":
            return f"rejected ({self.reason}): {self.message}"
        return f"filtered: {self.reason}" if self.outcome == "filtered" else "written"


@dataclass(frozen=True, repr=False)
class Why:
    """One record through a conversion: `events` are its rows in the target, and the events that give none."""

    file: str
    line: int
    source: str
    target: str
    recipe: str | None
    events: tuple[EventTrace, ...] = field(default_factory=tuple)

    def __repr__(self) -> str:
        return f"<Why {self._title}: {', '.join(event.outcome for event in self.events)}>"

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        """Show the tables in a notebook."""
        return self.to_html()

    def to_html(self) -> str:
        """Give the tables as a piece of HTML that needs no style sheet, script or network."""
        return "".join(self._tables(event).to_html() for event in self.events)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "file": self.file,
            "line": self.line,
            "from": self.source,
            "to": self.target,
            "recipe": self.recipe,
            "events": [event.to_json() for event in self.events],
        }

    def to_text(self, width: int | None = PRINTED) -> str:
        """Write the tables for a terminal of that many columns; with None each row is one line."""
        by = f", by the recipe {self.recipe}" if self.recipe else ""
        lines = [f"{printable(self._title)}: {self.source} -> {self.target}{by}"]
        for event in self.events:
            lines += ["", *self._of_event(event, width)]
        return "\n".join(lines) + "\n"

    @property
    def _title(self) -> str:
        return f"{self.file}:{self.line}"

    def _head(self, event: EventTrace) -> str:
        several = f"#{event.number}" + (f", row {event.copy + 1}" if event.copy else "")
        name = f" {event.name}" if event.name else ""
        return printable(f"{several}{name} {event.event_id or ''}".strip())

    def _of_event(self, event: EventTrace, width: int | None) -> Iterator[str]:
        yield f"{self._head(event)}: {printable(event.sentence)}"
        yield from self._of_rules(event, width)
        filled = [traced for traced in event.fields if traced.written is not None]
        empty = [traced for traced in event.fields if traced.written is None]
        if filled:
            yield ""
            yield from _table([("field", "written", "from", "conversion"), *map(_cells, filled)], width)
        if empty:
            yield ""
            yield "empty, and why:"
            yield from _table(_reasons(empty), width)
        if event.lost:
            yield ""
            yield "lost or changed:"
            folder = textwrap.TextWrapper(
                width or sys.maxsize, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )
            for names, reason in _together(event.lost):
                yield from folder.wrap(printable(f"{names}: {reason}"))

    def _of_rules(self, event: EventTrace, width: int | None) -> Iterator[str]:
        if event.rules:
            yield f"rules that it meets: {', '.join(event.rules)}"
        told = {
            "what of them gave nothing:": [(rule.rule, each) for rule in event.judged for each in rule.nothing],
            "rules that it does not meet:": [(rule.rule, "; ".join(rule.failed)) for rule in event.judged if rule.met is False],
        }  # fmt: skip
        for title, lines in told.items():
            if lines:
                yield title
                yield from _table([(f"  {rule}", printable(each)) for rule, each in lines], width)

    def _tables(self, event: EventTrace) -> Report:
        head = ("field", "written", "source", "conversion")
        filled = [traced for traced in event.fields if traced.written is not None]
        values = {
            "from": f"{PurePath(self._title).name} {self._head(event)}",
            "to": f"{self.target}: {event.sentence}",
            "fields": [dict(zip(head, _cells(traced), strict=True)) for traced in filled],
            "empty_and_why": [{"field": each.field, "why": each.why} for each in event.fields if each.written is None],
            "lost_or_changed": [{"field": names, "what": reason} for names, reason in _together(event.lost)],
        }  # fmt: skip
        return Report({name: value for name, value in values.items() if value})


def _cells(traced: FieldTrace) -> tuple[str, ...]:
    places = ((each.place, each.raw) for each in traced.given)
    given = [place if raw is None else f"{place} = {_short(raw)}" for place, raw in places]
    whence = "; ".join([*([traced.rule] if traced.rule else []), *given]) or "-"
    return traced.field, _short(traced.written or ""), whence, printable(traced.codec)


def _reasons(empty: list[FieldTrace]) -> list[tuple[str, ...]]:
    """Give a line for each empty field; those that the source has no place for share one, the last."""
    nowhere = [traced.field for traced in empty if traced.why.startswith(NO_PLACE)]
    lines = [(each.field, printable(each.why)) for each in empty if not each.why.startswith(NO_PLACE)]
    return [*lines, *([(NO_PLACE, ", ".join(nowhere))] if nowhere else [])]


def _together(lost: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give each reason once, with the fields that are lost or changed for it."""
    fields: dict[str, list[str]] = {}
    for told in lost:
        name, _, reason = told.partition(": ")
        fields.setdefault(reason, []).append(name)
    return [(", ".join(names), reason) for reason, names in fields.items()]


def _short(value: str) -> str:
    shown = printable(value) or '""'
    return shown if len(shown) <= VALUE_MAX else f"{shown[: VALUE_MAX - 3]}..."


def _table(lines: list[tuple[str, ...]], width: int | None) -> Iterator[str]:
    """Write cells below one another; what is too wide is folded, each column having its share of the width."""
    if width is None:
        yield from unfolded(lines)
        return
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > 12:
        widths[widths.index(max(widths))] -= 1
    yield from folded(lines, widths, _wrapped)


def _wrapped(cell: str, width: int) -> list[str]:
    return textwrap.wrap(cell, width, break_on_hyphens=False) or [""]
