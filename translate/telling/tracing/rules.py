"""What each rule of a recipe found in one event: if its condition holds, and which part of it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from translate.recipe import Recipe, tallies
from translate.recipe.expressions import Expression
from translate.recipe.spec import Rule


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
        return {
            "rule": self.rule,
            "met": self.met,
            "failed": list(self.failed),
            "nothing": list(self.nothing),
        }


def rules_met(recipe: Recipe | None, row: dict[str, Any], first: dict[str, Any]) -> tuple[Met, ...]:
    """Tell it from the flags of an event's row; those of rules before it became several are with its first one."""
    return tuple(
        _met(rule, tallies.of_rule(number), row, first)
        for number, rule in enumerate(recipe.rules if recipe else ())
    )


def _met(rule: Rule, head: str, row: dict[str, Any], first: dict[str, Any]) -> Met:
    seen = tallies.flag(head, "seen")
    flags = row if row[seen] else first
    if not flags[seen]:
        return Met(rule.address, None)
    found = _Flags(head, flags)
    matched = bool(found["matched"])
    failed = () if matched or rule.when is None else tuple(found.failed(rule.when))
    nothing = tuple(
        f"{target}: {expression.sql} gives nothing{found.absent(expression)}"
        for target, expression in rule.sets.items()
        if found[f"null.{target}"]
    )
    return Met(rule.address, matched, failed, nothing)


class _Flags:
    """The flags of one rule in one row."""

    def __init__(self, head: str, row: dict[str, Any]) -> None:
        self._head = head
        self._row = row

    def __getitem__(self, what: str) -> Any:
        return self._row[tallies.flag(self._head, what)]

    def failed(self, condition: Expression) -> list[str]:
        """Say which parts of a condition are false, and which are unknown."""
        parts = list(enumerate(tallies.conditions(condition)))
        told = [
            f"{part.sql} is unknown{self.absent(part)}" for number, part in parts if self[f"unknown{number}"]
        ]
        return told + [
            f"{part.sql} is false"
            for number, part in parts
            if not self[f"part{number}"] and not self[f"unknown{number}"]
        ]

    def absent(self, expression: Expression) -> str:
        """Name what an expression looks at and the event has not."""
        names = [f'"{name}"' for name in expression.columns if not self[f"has.{name}"]]
        return f": the event has no {' and no '.join(names)}" if names else ""
