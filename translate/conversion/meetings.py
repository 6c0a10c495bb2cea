"""Names that meet: distinct ones of an archive that are one where the target's own reader looks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from translate import events
from translate.conversion.job import Job
from translate.conversion.naming import ATTRIBUTES, EVENT_TYPES, Names
from translate.mapping.spec import Layout, Mapping

SHOWN_MAX = 10
RULES = {EVENT_TYPES: "[rule.names]", ATTRIBUTES: "[rule.rename]"}  # what of a recipe gives such names others


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
    if job.target_mapping is None or job.target_layout is None:
        return []
    legal = job.target_layout.legal_names and not job.settings.keep_names
    by_written: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name, count in names.events.items():
        by_written[name.kind, name.written][name.name] += count
    event_types = _EventTypes(job, job.target_mapping, job.target_layout)
    found = []
    for (kind, written), counts in by_written.items():
        met = event_types.met(written, counts) if kind == EVENT_TYPES else {name: name for name in counts}
        shown = {*met.values()}
        means = event_types.meant(written, shown) if kind == EVENT_TYPES and len(shown) == 1 else ""
        if len(shown) > 1 or means:
            would_differ = legal and event_types.met(written, counts).keys().isdisjoint(events.WELL_KNOWN)
            count = sum(counts[name] for name in met)
            found.append(
                Meeting(
                    kind,
                    written,
                    tuple(sorted(shown)),
                    count,
                    means,
                    _way_out(kind, means, keeps_apart=would_differ),
                )
            )
    return sorted(found, key=lambda meeting: (-meeting.events, meeting.kind, meeting.written))


def _way_out(kind: str, means: str, *, keeps_apart: bool) -> str:
    if means:
        return f"a recipe says what it is: set.name = \"'{means}'\", or another name"
    rule = (
        [f"a recipe gives each a name of its own, or all of them one ({RULES[kind]})"]
        if kind in RULES
        else []
    )
    return ", or ".join([*rule, *(["--set keep_names=true keeps them as they are"] if keeps_apart else [])])


class _EventTypes:
    """Knows which event types may share a name."""

    def __init__(self, job: Job, mapping: Mapping, layout: Layout) -> None:
        self._source = {hub: spelling.name for hub, spelling in job.source_mapping.names.items()}
        self._said = job.recipe.said_names if job.recipe else frozenset()
        self._flagged = {name for entry in layout.fields if entry.const is not None for name in entry.when}
        self._meanings = {
            spelling.name: hub
            for hub, spelling in reversed(mapping.names.items())
            if hub not in self._flagged
        }

    def met(self, written: str, names: Collection[str]) -> dict[str, str]:
        """Give the hub names that share a written one without leave, as the source spells them."""
        known = [name for name in names if name in events.WELL_KNOWN and name not in self._flagged]
        is_known = bool(known) or written in self._meanings
        meant = {name for name in names if is_known and name == written and name in self._said}
        own = [name for name in names if name not in events.WELL_KNOWN and name not in meant]
        return {name: self._shown(name) for name in [*own, *known]} if own else {}

    def meant(self, written: str, shown: Collection[str]) -> str:
        """Give the well-known meaning that the target has for a name, unless the source means the same by it."""
        return (
            "" if written in self._source.values() and written in shown else self._meanings.get(written, "")
        )

    def _shown(self, name: str) -> str:
        return self._source.get(name, name) if name in events.WELL_KNOWN else events.own_name(name)
