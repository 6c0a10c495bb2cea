"""What becomes of events before their target: which a run takes, by an expression, by time, by number, and rules upon them, in their order.

Lazy expressions only, so that everything streams.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from translate import events
from translate.mapping.columns import Column
from translate.mapping.personal import Marked
from translate.recipe import erasure, tallies
from translate.recipe.erasure import Erasing, Erasure
from translate.recipe.expressions import ITEM, NOTHING_MOVED, Expression, Moved, evaluate, key_of
from translate.recipe.privacy import Treatment, chosen, key_of_environment, treat
from translate.recipe.reshaping import COPY
from translate.recipe.spec import Rule, Test
from translate.recipe.steps import FILTERED, TEXTS, RuleStep
from translate.recipe.tallies import DESELECTED
from translate.vocabulary.notes import NOTES_TYPE, OF_RECIPE, USED

OPTIONS = (erasure.OPTION, "--where", "--since", "--until")

ROWS_MAX = 2**32 - 1  # no frame of the engine has more
ADDED = [FILTERED, COPY, OF_RECIPE, USED]
LITERAL = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True)
class Selection:
    """What `--where`, `--since`, `--until`, `--limit` and `--erase` say; it is false where they say nothing."""

    where: Expression | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    limit: int | None = None
    erase: Erasure | None = None

    def __bool__(self) -> bool:
        return self != ALL_EVENTS

    def described(self) -> dict[str, Any]:
        """Give the selection as JSON values."""
        return {
            "where": self.where.sql if self.where else None,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "limit": self.limit,
            **({"erase": self.erase.described()} if self.erase else {}),
        }

    def apply(
        self, frame: pl.LazyFrame, moved: Mapping[str, Moved] = NOTHING_MOVED, *, tallied: bool = False,
        erasing: Erasing | None = None,
    ) -> pl.LazyFrame:  # fmt: skip
        """Tell in a column `_deselected` which option leaves an event out; cut the frame where the limit is reached.

        `moved` are the keys that the source's reader put into columns; with `tallied` a flag for each count of
        `translate.recipe.tallies` stands beside.
        """
        reasons = [pl.lit(None, pl.String)]
        if erasing:
            reasons.append(pl.when(erasing.is_listed()).then(pl.lit(erasure.OPTION)))
        time = pl.col("time")
        if self.since:
            reasons.append(pl.when(time < self.since).then(pl.lit("--since")))
        if self.until:
            reasons.append(pl.when(time >= self.until).then(pl.lit("--until")))
        if self.where:
            where, read = self.where, pl.col("code").is_null()
            flags = tallies.of_condition(tallies.WHERE, where, read, where.columns) if tallied else {}
            frame = evaluate(frame, where.columns, {"_wanted": where.expr, **flags}, moved)
            reasons.append(pl.when(~pl.col("_wanted").fill_null(value=False)).then(pl.lit("--where")))
        deselected = pl.when(pl.col("code").is_null()).then(pl.coalesce(reasons)).alias(DESELECTED)
        frame = frame.with_columns(deselected).drop("_wanted", strict=False)
        if self.limit is None:
            return frame
        limit = min(self.limit, ROWS_MAX)
        if len(reasons) == 1:
            return frame.head(limit)
        taken = pl.col(DESELECTED).is_null().cast(pl.UInt32)
        return frame.filter(taken.cum_sum() - taken < limit)  # what comes after is counted nowhere


ALL_EVENTS = Selection()


def selected(
    selection: Selection, frame: pl.LazyFrame, moved: Mapping[str, Moved], *, taken: int = 0,
    tallied: bool = False, erasing: Erasing | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """Tell which events a selection takes that took so many before."""
    if not selection:
        return frame.with_columns(pl.lit(None, pl.String).alias(DESELECTED))
    if selection.limit is not None:
        selection = replace(selection, limit=selection.limit - taken)
    return selection.apply(frame, moved, tallied=tallied, erasing=erasing)


def is_taken() -> pl.Expr:
    """Tell events that can be read and that the selection takes."""
    return pl.col("code").is_null() & pl.col(DESELECTED).is_null()


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
            frame = treat(frame, chosen(self.personal, marked), key)
        for number, rule in enumerate(self.rules):
            is_first = number == 0 and not self.personal
            head = tallies.of_rule(number) if tallied else None
            frame = RuleStep(rule, head, moved, is_first=is_first).apply(frame)
        numbered = pl.concat_str(pl.col("event_id"), pl.lit("-"), pl.col(COPY) + 1)
        flags = [name for name in frame.collect_schema().names() if name.startswith(tallies.TALLY)]
        frame = frame.with_columns(
            pl.when(pl.col(COPY) > 0).then(numbered).otherwise(pl.col("event_id")).alias("event_id"),
            pl.when(pl.col(FILTERED).is_null()).then(pl.col(OF_RECIPE)).alias(OF_RECIPE),
        )
        return frame.select(*given, *ADDED, *(name for name in flags if name not in given))


def _home(target: str) -> str:
    keyed = key_of(target)
    return keyed[0] if keyed else target
