"""Under which names an archive's names were written, carried by each unit's record; and which of them met there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from translate import events
from translate.vocabulary.kernel_keys import keys_of, names_told

if TYPE_CHECKING:
    from translate.conversion.job import Job
    from translate.mapping.spec import Layout, Mapping

EVENT_TYPES, ATTRIBUTES, USER_ATTRIBUTES = "event types", "attribute keys", "user attributes"
# Whose keys lie together in a target's row.
KINDS = {**dict.fromkeys(("attributes", "metrics", "other"), ATTRIBUTES), "user_properties": USER_ATTRIBUTES}
# Before the name of a column that tells of names: free-form values under their own are examples.
NAMED = "named:"
# A bound on what keys that are values can cost: an archive has thousands of names, not millions.
NAMES_MAX = 500_000

SHOWN_MAX = 10
RULES = {EVENT_TYPES: "[rule.names]", ATTRIBUTES: "[rule.rename]"}  # what of a recipe gives such names others


class Name(NamedTuple):
    """A name of the hub's, and what it is called in the target's rows."""

    kind: str
    name: str
    written: str


@dataclass
class Names:
    """In how many events each name was written under which; `left_out` are those beyond the bound."""

    events: dict[Name, int] = field(default_factory=dict)
    left_out: int = 0

    def add(self, other: Names) -> None:
        """Add another unit's names, in an order that depends on nothing but them."""
        self.left_out += other.left_out
        for name, count in sorted(other.events.items()):
            if name in self.events or len(self.events) < NAMES_MAX:
                self.count(name, count)
            else:
                self.left_out += 1

    def count(self, name: Name, events: int) -> None:
        """Count events that have a name."""
        self.events[name] = self.events.get(name, 0) + events

    def to_json(self) -> dict[str, Any]:
        """Give them as JSON values."""
        counted = [[*name, count] for name, count in sorted(self.events.items())]
        return {"left_out": self.left_out, "events": counted}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Names:
        """Read them back."""
        counted = {Name(kind, name, written): count for kind, name, written, count in values["events"]}
        return cls(counted, values["left_out"])


class Gathering:
    """Gathers names from batches of written rows.

    `named` are the columns that tell of them: `name` and `_legal`, the free-form maps, `_names` for their keys that were renamed; none
    where no names are gathered.
    """

    def __init__(self, named: Sequence[str]) -> None:
        self._named = named
        self.columns = [f"{NAMED}{name}" for name in named]
        self._types: Counter[str] = Counter()
        self._legal: dict[str, str] = {}
        self._keys: Counter[tuple[str, str]] = Counter()
        self._renamed: Counter[tuple[str, str, str]] = Counter()

    def add(self, batch: pl.DataFrame) -> None:
        """Take in a batch."""
        if not (self._named and batch.height):
            return
        batch = pl.DataFrame([batch[f"{NAMED}{name}"].alias(name) for name in self._named])
        self._types.update(dict(batch["name"].drop_nulls().value_counts().iter_rows()))
        if not self._types.keys() <= self._legal.keys():  # of a name there is one legal one
            self._legal.update(zip(batch["name"], batch["_legal"], strict=True))
        there = [column for column in KINDS if column in batch.columns]
        maps = [column for column in there if batch[column].null_count() < batch.height]
        if maps:
            keys = keys_of([batch[name] for name in maps])
            told = (keys[name].to_list() for name in ("map", "key", "rows"))
            for number, key, rows in zip(*told, strict=True):
                self._keys[maps[number], key] += rows
        if "_names" in batch.columns:
            for kind, key, name, rows in names_told(batch["_names"], maps):
                self._renamed[kind, key, name] += rows
                self._keys[kind, key] -= rows

    def names(self) -> Names:
        """Give each name that the written rows of all batches have, and in how many of them."""
        found = Names()
        for name, count in self._types.items():
            found.count(Name(EVENT_TYPES, name, self._legal[name]), count)
        for (kind, key), count in self._keys.items():
            found.count(Name(KINDS[kind], key, key), count)
        for (kind, key, name), count in self._renamed.items():
            found.count(Name(KINDS[kind], key, name), count)
        return Names({name: count for name, count in found.events.items() if count})


@dataclass(frozen=True)
class Meeting:
    """Names, as the source spells them, that are one in the target's rows; a single one meets what the target `means` by it."""

    kind: str
    written: str
    names: tuple[str, ...]
    events: int
    means: str
    way_out: str

    @property
    def text(self) -> str:
        """Say which names became one."""
        shown = ", ".join(f"`{name}`" for name in self.names[:SHOWN_MAX])
        more = f" and {len(self.names) - SHOWN_MAX:,} more" if len(self.names) > SHOWN_MAX else ""
        if self.means:
            return f"the event type {shown} became `{self.written}`, by which the target means that {events.WELL_KNOWN[self.means]}"
        return f"{len(self.names):,} {self.kind} became `{self.written}`: {shown}{more}"

    @property
    def message(self) -> str:
        """Say it, and what to do."""
        return f"{self.text}; {self.way_out}" if self.way_out else self.text


def meetings(names: Names, job: Job) -> list[Meeting]:
    """Find the names that met on a job's way, the commonest first.

    Well-known names that the target's sheet spells alike do not meet, nor do those that a recipe gave one name.
    """
    if job.target is None:
        return []
    legal = job.target[1].legal_names and not job.settings.keep_names
    by_written: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name, count in names.events.items():
        by_written[name.kind, name.written][name.name] += count
    event_types = _EventTypes(job, *job.target)
    found = []
    for (kind, written), counts in by_written.items():
        met = event_types.met(written, counts) if kind == EVENT_TYPES else {name: name for name in counts}
        shown = {*met.values()}
        means = event_types.meant(written, shown) if kind == EVENT_TYPES and len(shown) == 1 else ""
        if len(shown) > 1 or means:
            would_differ = legal and event_types.met(written, counts).keys().isdisjoint(events.WELL_KNOWN)
            count = sum(counts[name] for name in met)
            way_out = _way_out(kind, means, keeps_apart=would_differ)
            found.append(Meeting(kind, written, tuple(sorted(shown)), count, means, way_out))
    return sorted(found, key=lambda meeting: (-meeting.events, meeting.kind, meeting.written))


def _way_out(kind: str, means: str, *, keeps_apart: bool) -> str:
    if means:
        return f"a recipe says what it is: set.name = \"'{means}'\", or another name"
    rule = f"a recipe gives each a name of its own, or all of them one ({RULES.get(kind)})"
    setting = "--set keep_names=true keeps them as they are"
    return ", or ".join([*([rule] if kind in RULES else []), *([setting] if keeps_apart else [])])


class _EventTypes:
    """Knows which event types may share a name."""

    def __init__(self, job: Job, mapping: Mapping, layout: Layout) -> None:
        self._source = {hub: spelling.name for hub, spelling in job.source_mapping.names.items()}
        self._said = job.recipe.said_names if job.recipe else frozenset()
        self._flagged = {name for entry in layout.fields if entry.const is not None for name in entry.when}
        spellings = reversed(mapping.names.items())
        self._meanings = {spelling.name: hub for hub, spelling in spellings if hub not in self._flagged}

    def met(self, written: str, names: Collection[str]) -> dict[str, str]:
        """Give the hub names that share a written one without leave, as the source spells them."""
        known = [name for name in names if name in events.WELL_KNOWN and name not in self._flagged]
        is_known = bool(known) or written in self._meanings
        meant = {name for name in names if is_known and name == written and name in self._said}
        own = [name for name in names if name not in events.WELL_KNOWN and name not in meant]
        return {name: self._shown(name) for name in [*own, *known]} if own else {}

    def meant(self, written: str, shown: Collection[str]) -> str:
        """Give the well-known meaning that the target has for a name, unless the source means the same by it."""
        means_the_same = written in self._source.values() and written in shown
        return "" if means_the_same else self._meanings.get(written, "")

    def _shown(self, name: str) -> str:
        return self._source.get(name, name) if name in events.WELL_KNOWN else events.own_name(name)
