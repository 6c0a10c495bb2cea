"""There and back: events through another model and home again, every difference held against what is declared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate import events
from translate.mapping.spec import Layout, Mapping
from translate.settings import Settings
from translate.telling.journey import INDEX, Declared, Difference, Journey, differences, travel, undeclared
from translate.writer.extras import same_events

EXAMPLES_MAX = 3
BATCH_EVENTS = 10_000
Address = tuple[Mapping, Layout]


@dataclass
class Comparison:
    """What came of events that went through another layout and home again.

    `differences` are counted by place and by the reason that is declared for it; `unexplained` by place alone, with
    the first few events that show them.
    """

    events: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    differences: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexplained: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    values: Counter[str] = field(default_factory=Counter)
    columns_changed: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)

    def to_json(self, *, examples: bool = False) -> dict[str, Any]:
        """Give the comparison as JSON values; the values that differ only if asked for."""
        hidden = () if examples else ("before", "after")
        return {
            "events": {name: self.events[name] for name in ("read", "unreadable", "returned", "refused")},
            "refused": dict(sorted(self.refused.items())),
            "differences": [
                {"field": place, "why": why, "events": count}
                for (place, why), count in sorted(self.differences.items())
            ],
            "undeclared": [
                {
                    "field": place,
                    "events": count,
                    "examples": [
                        {name: value for name, value in shown.items() if name not in hidden}
                        for shown in self.examples[place]
                    ],
                }
                for place, count in sorted(self.unexplained.items())
            ],
        }


class Roundtrip:
    """Takes events from their own layout through another one and home again, batch by batch."""

    def __init__(self, home: Address, via: Address, settings: Settings) -> None:
        self._home = home
        self._via = via
        self._settings = settings
        self.comparison = Comparison()

    def add(self, frame: pl.DataFrame) -> None:
        """Take a batch of hub events there and back, and compare."""
        for batch in frame.iter_slices(BATCH_EVENTS):
            self._compare(batch)

    def _compare(self, batch: pl.DataFrame) -> None:
        (_, via), (_, home) = self._via, self._home
        there = travel(
            batch, *self._via, self._settings, keeps_extra=same_events(via, home), keeps_around=via.address == home.address, lists=home.lists,
        )  # fmt: skip
        back = (
            travel(there.arrived.drop(INDEX), *self._home, self._settings, keeps_extra=True)
            if home.write and home.records != "parquet"
            else None
        )
        origin: list[int] = there.arrived[INDEX].to_list()
        self._count_refused(there)
        if back is not None:
            self._count_refused(back)
        departed = {row[INDEX]: row for row in there.departed.iter_rows(named=True)}
        self.comparison.events["read"] += len(departed)
        for after, declared_back in _returned(there, back, origin):
            before = departed[after[INDEX]]
            self.comparison.events["returned"] += 1
            self._hold(before, after, {**there.declared.get(after[INDEX], {}), **declared_back})

    def _count_refused(self, journey: Journey) -> None:
        for reason in [
            *journey.refused.values(),
            *(f"unreadable: {message}" for message in journey.unread.values()),
        ]:
            self.comparison.events["refused"] += 1
            self.comparison.refused[reason] += 1
        for message in journey.unread.values():
            self.comparison.unexplained[f"(unreadable) {message}"] += 1

    def _hold(self, before: dict[str, Any], after: dict[str, Any], declared: Declared) -> None:
        """Hold one event against itself as it came back."""
        found = differences(before, after)
        left = undeclared(found, declared)
        result = self.comparison
        there = {name for name in events.SCHEMA if name not in ("file", "line") and before[name] is not None}
        result.columns |= there
        result.columns_changed |= {difference.column for difference in found}
        result.values["all"] += _count_values(before)
        result.values["changed"] += sum(difference.before is not None for difference in found)
        for difference in found:
            if difference in left:
                result.unexplained[difference.place] += 1
                self._show(before, difference)
            else:
                why = difference.why(declared) or "moved"
                result.differences[difference.place, why] += 1

    def _show(self, before: dict[str, Any], difference: Difference) -> None:
        shown = self.comparison.examples[difference.place]
        if len(shown) < EXAMPLES_MAX:
            values = {"before": _plain(difference.before), "after": _plain(difference.after)}
            shown.append({"file": before["file"], "line": before["line"], **values})


def _returned(
    there: Journey, back: Journey | None, origin: list[int]
) -> Iterator[tuple[dict[str, Any], Declared]]:
    """Give the events that came home under the number of the event that went, with what the way home declares."""
    if back is None:
        for row in there.arrived.iter_rows(named=True):
            yield row, {}
        return
    for row in back.arrived.iter_rows(named=True):
        yield {**row, INDEX: origin[row[INDEX]]}, back.declared.get(row[INDEX], {})


def _count_values(event: dict[str, Any]) -> int:
    maps = sum(len(event[name] or ()) for name in events.MAPS)
    return maps + sum(
        event[name] is not None
        for name in events.SCHEMA
        if name not in events.MAPS and name not in ("file", "line")
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
