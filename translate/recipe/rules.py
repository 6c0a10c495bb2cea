"""Rules upon events, in their order: lazy expressions only, so that everything streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from translate import events
from translate.mapping.columns import Column
from translate.mapping.personal import Marked
from translate.recipe import tallies
from translate.recipe.expressions import ITEM, NOTHING_MOVED, Moved, key_of
from translate.recipe.privacy import Treatment, chosen, key_of_environment, treat
from translate.recipe.reshaping import COPY
from translate.recipe.spec import Rule, Test
from translate.recipe.steps import FILTERED, TEXTS, RuleStep
from translate.vocabulary.notes import NOTES_TYPE, OF_RECIPE, USED

ADDED = [FILTERED, COPY, OF_RECIPE, USED]
LITERAL = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True)
class Recipe:
    """What one app's events mean to one target.

    `layouts` are all those that it leads to; `to` is the one of them that its tests look at unless they name another.
    `columns` are those of the target's own that it names, `needs` the settings that it cannot do without.
    So many of its rules are `inherited`, the first ones.
    """

    name: str
    file: str
    to: str
    layouts: tuple[str, ...]
    rules: tuple[Rule, ...]
    tests: tuple[Test, ...]
    digest: str
    about: str = ""
    personal: tuple[Treatment, ...] = ()
    columns: tuple[Column, ...] = ()
    needs: tuple[str, ...] = ()
    inherited: int = 0
    path: Path | None = None

    @property
    def needs_key(self) -> bool:
        """Tell whether it hashes personal data."""
        return any(treatment.action == "hash" for treatment in self.personal)

    @property
    def set_columns(self) -> frozenset[str]:
        """Name the hub columns that a rule sets."""
        targets = {target for rule in self.rules for target in rule.sets}
        named = {"name"} if any(rule.names for rule in self.rules) else set()
        return frozenset({_home(target) for target in targets} | named)

    @property
    def said_names(self) -> frozenset[str]:
        """Give the event names that rules say in so many words."""
        set_names = [rule.sets["name"].sql.strip() for rule in self.rules if "name" in rule.sets]
        literals = [sql[1:-1].replace("''", "'") for sql in set_names if LITERAL.fullmatch(sql)]
        return frozenset([*literals, *(new for rule in self.rules for new in rule.names.values())])

    def apply(
        self, frame: pl.LazyFrame, marked: Iterable[Marked] = (), key: str | None = None, *,
        moved: Mapping[str, Moved] = NOTHING_MOVED, tallied: bool = False,
    ) -> pl.LazyFrame:  # fmt: skip
        """Apply all rules to hub events; what they did stands in `_filtered`, `_copy`, `_recipe_notes`, `_used`.

        Before them personal data at the marked places of the source is treated, with the key of the environment unless
        another is given.

        Events need their ids before: further rows of an event number its id. What is filtered already is
        left alone. `moved` are the keys that the source's reader put into columns; with `tallied` a flag for each count
        of `translate.recipe.tallies` stands beside.
        """
        given = [name for name in frame.collect_schema().names() if name not in ADDED]
        filtered = pl.col(FILTERED) if FILTERED in frame.collect_schema() else pl.lit(None, pl.String)
        frame = frame.with_columns(
            filtered.alias(FILTERED),
            pl.lit(0, pl.UInt32).alias(COPY),
            pl.lit([], NOTES_TYPE).alias(OF_RECIPE),
            pl.lit([], TEXTS).alias(USED),
            pl.lit(None, events.MAP).alias(ITEM),
        )
        if self.personal:
            key = key or (key_of_environment() if self.needs_key else "")
            frame = treat(frame, chosen(self.personal, marked), key, OF_RECIPE)
        for number, rule in enumerate(self.rules):
            is_first = number == 0 and not self.personal
            head = tallies.of_rule(number) if tallied else None
            frame = RuleStep(rule, head, moved, is_first=is_first).apply(frame)
        numbered = pl.concat_str(pl.col("event_id"), pl.lit("-"), pl.col(COPY) + 1)
        return frame.with_columns(
            pl.when(pl.col(COPY) > 0).then(numbered).otherwise(pl.col("event_id")).alias("event_id"),
            pl.when(pl.col(FILTERED).is_null()).then(pl.col(OF_RECIPE)).alias(OF_RECIPE),
        ).select(
            *given,
            *ADDED,
            *(
                name
                for name in frame.collect_schema().names()
                if name.startswith(tallies.TALLY) and name not in given
            ),
        )


def _home(target: str) -> str:
    keyed = key_of(target)
    return keyed[0] if keyed else target
