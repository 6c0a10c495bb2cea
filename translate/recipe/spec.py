"""What a recipe may say: frozen types, no file format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from translate.recipe.expressions import Expression

REJECT = "reject"


@dataclass(frozen=True)
class Rule:
    """For which events, and what is done with them; `drop`, `keep` are reasons that the report shows."""

    address: str
    about: str = ""
    when: Expression | None = None
    sets: dict[str, Expression] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    renames: dict[str, str] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    drop: str | None = None
    keep: str | None = None
    explode: bool = False

    @property
    def expressions(self) -> list[Expression]:
        """Give all expressions of the rule."""
        return [*self.sets.values(), *([self.when] if self.when else [])]


@dataclass(frozen=True)
class Test:
    """One event as hub columns, and the fields of the rows that it should give."""

    path: str
    event: dict[str, Any]
    expect: tuple[dict[str, Any], ...]
