"""What a recipe may say: frozen types, no file format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from translate.recipe.expressions import Expression

REJECT = "reject"


@dataclass(frozen=True)
class Cut:
    """How many characters a text and a key of the free-form values may have, and how many there may be of them."""

    values: int | None = None
    keys: int | None = None
    count: int | None = None

    def described(self) -> list[str]:
        """Say what is cut, in words."""
        texts = [f"cuts attributes to {self.values} characters"] if self.values is not None else []
        keys = (
            [f"cuts names of attributes and metrics to {self.keys} characters"]
            if self.keys is not None
            else []
        )
        count = [f"keeps the first {self.count} attributes and metrics"] if self.count is not None else []
        return [*texts, *keys, *count]


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
    cut: Cut | None = None

    @property
    def expressions(self) -> list[Expression]:
        """Give all expressions of the rule."""
        return [*self.sets.values(), *([self.when] if self.when else [])]


@dataclass(frozen=True)
class Test:
    """One event as hub columns, and the fields of the rows that it should give in the layout `to`."""

    path: str
    to: str
    event: dict[str, Any]
    expect: tuple[dict[str, Any], ...]
