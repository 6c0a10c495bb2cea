"""One pass over an archive: each unit is read once, its events looked at as they come and kept nowhere; and what outlives them, for targets to be judged by."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from translate import events, mapping
from translate.archive.batches import Lines
from translate.archive.units import Unit, units, units_of
from translate.conversion.intake import take_in
from translate.conversion.job import Job
from translate.conversion.reading import Course, Progress, soundly
from translate.engine.choice import give_back
from translate.engine.library import by_batches
from translate.judging import survey
from translate.judging.survey import AGED
from translate.mapping.checks import kind_of
from translate.mapping.personal import Marked
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout, Mapping
from translate.passes.distinct import SeenUsers
from translate.reader.reader import Tally
from translate.reader.recognition import Recognised
from translate.recipe.expressions import moved_keys
from translate.recipe.rules import is_taken, selected
from translate.recipe.tallies import DESELECTED
from translate.telling.inspection.columns import DETAILED, DETAILS, KeyLimits
from translate.telling.inspection.figures import Figures
from translate.vocabulary.notes import NOTES_TYPE

BATCH_EVENTS = 14_000
# Of small files together: what waits to be looked at depends on it, and nothing that is told.
READ_BYTES = 12 * 2**20
SAMPLED = 1_000  # events that targets are tried with
BESIDE = pl.Schema({
    "row": pl.UInt32(), "part": pl.UInt32(), "code": pl.String(), "message": pl.String(), DESELECTED: pl.String(), "notes": NOTES_TYPE,
})  # fmt: skip
_NO_EVENTS = pl.DataFrame(schema={**BESIDE, **events.SCHEMA})


class Pass:
    """The pass over the units of an archive.

    `figures` are those of all events, `events_by_source` how many there are of each layout, `provided` the hub columns that
    they can say.
    """

    def __init__(self, job: Job, recognised: Recognised, progress: Progress | None, scratch: Path) -> None:
        self.job = job
        self.recognised = recognised
        self._scratch = scratch
        self._course = Course(recognised.files, progress)
        self._sample: list[pl.DataFrame] = []
        self._watched = watched_names(job.settings.mappings)
        first = recognised.sources[0].mapping
        self.figures = self._figures(scratch / "all", frozenset(events.SCHEMA), first)
        self.events_by_source = [0] * len(recognised.sources)
        self.provided: set[str] = set()

    def run(self) -> None:
        """Look at all units; what does not fit in memory lies in the scratch folder."""
        for unit in units_of((source.files for source in self.recognised.sources), READ_BYTES):
            if self._is_enough():
                break
            figures = self._look_at(unit)
            self.events_by_source[unit.source] += figures.counts["events"]
            self.figures.absorb(figures)
            self._course.finish(unit.files)

    @property
    def sample(self) -> pl.DataFrame:
        """Give the first hub events, with the reader's `notes`."""
        return pl.concat(self._sample or [_NO_EVENTS.select(*events.SCHEMA, "notes")])

    def _figures(
        self, folder: Path, provided: frozenset[str], model: Mapping, marked: Iterable[Marked] = ()
    ) -> Figures:
        examples, places = self.job.examples, tuple(marked)
        return Figures(folder, provided, limits_of(model), self._watched, examples=examples, marked=places)

    def _taken(self) -> int:
        return self.figures.counts["events"] + sum(self.figures.codes.values())

    def _is_enough(self) -> bool:
        limit = self.job.selection.limit
        return limit is not None and self._taken() >= limit

    def _look_at(self, unit: Unit) -> Figures:
        origin = self.recognised.sources[unit.source]
        job, taken, scratch = self.job.reading(origin), self._taken(), self._scratch
        attempts = itertools.count()
        known = sum(batch.height for batch in self._sample)

        def attempt(lines: Lines) -> tuple[tuple[Figures, pl.DataFrame, set[str]], set[str]]:
            tally = Tally(on_batch=self._course.count) if self._course.show else Tally()
            intake = take_in(job, lines, tally=tally)
            folder = scratch / f"unit-{unit.number:05}-{next(attempts)}"
            figures = self._figures(folder, frozenset(intake.provided), origin.mapping, job.marked)
            sample = _Sample(SAMPLED - known)
            chosen = selected(job.selection, intake.events, moved_keys(job.source_layout), taken=taken)
            looked_at = sample.of(chosen.select(*BESIDE, *events.SCHEMA)).select(figures.columns)
            add = _and_give_back(figures.add)
            looked_at.sink_batches(add, engine="streaming", chunk_size=BATCH_EVENTS, maintain_order=True)
            figures.finish()
            return (figures, sample.events, intake.provided), intake.unsound

        (figures, sample, provided), _ = soundly(unit, scratch, self.recognised, attempt)
        if sample.height:
            self._sample.append(sample)
        self.provided |= provided
        return figures


class _Sample:
    """The first events of a unit, whole, from batches that go by in any order."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._parts: list[pl.DataFrame] = []
        self._last_row: int | None = None  # once there are enough
        self._lock = threading.Lock()

    def of(self, chosen: pl.LazyFrame) -> pl.LazyFrame:
        """Give the same events, of which the first are kept."""
        if self._wanted <= 0:
            return chosen
        return by_batches(chosen, self._look)

    @property
    def events(self) -> pl.DataFrame:
        """Give what was kept, in the order of the source."""
        kept = pl.concat(self._parts or [_NO_EVENTS]).sort("row", "part").head(max(self._wanted, 0))
        return kept.select(*events.SCHEMA, "notes")

    def _look(self, batch: pl.DataFrame) -> pl.DataFrame:
        if batch.height and (self._last_row is None or batch["row"][0] < self._last_row):
            good = batch.filter(is_taken()).head(self._wanted)
            if good.height:
                self._take(good)
        return batch

    def _take(self, good: pl.DataFrame) -> None:
        whole = io.BytesIO()  # a copy: a part of a batch would keep all of it in memory
        good.write_ipc_stream(whole)
        copy = pl.read_ipc_stream(whole.getvalue())
        with self._lock:
            self._parts.append(copy)
            if sum(part.height for part in self._parts) >= self._wanted:
                first = pl.concat(self._parts).sort("row", "part").head(self._wanted)
                self._parts, self._last_row = [first], first["row"][-1]


def _and_give_back(add: Callable[[pl.DataFrame], None]) -> Callable[[pl.DataFrame], None]:
    """Give back what a batch leaves behind: figures are small, and the most that is held is soon what lies free between them."""

    def added(batch: pl.DataFrame) -> None:
        add(batch)
        give_back()

    return added


def limits_of(model: Mapping) -> KeyLimits:
    """Give what the values of a model's events are held against: the first limit that its layouts name."""

    def first(judge: str) -> int | None:
        limits = ((layout, limit) for layout in model.layouts.values() for limit in layout.limits.values())
        mine = ((layout, limit) for layout, limit in limits if limit.judge == judge)
        free = (each for of, each in mine if {kind_of(of, place) for place in each.places} == {"map"})
        return next((limit.value for limit in free), None)

    return KeyLimits(first("characters_max"), first("members_max"))


def watched_names(mappings: Path | None) -> frozenset[str]:
    """Name the events that some target's check of ages leaves out."""
    sheets = [mapping.load(name, mappings).delivery for name in mapping.models(mappings)]
    hazards = [hazard for delivery in sheets if delivery for hazard in delivery.preflight.values()]
    return frozenset(name for hazard in hazards if hazard.check in AGED for name in hazard.names)


@dataclass(frozen=True)
class Grounds:
    """What targets are judged by, once the archive was read."""

    layouts: tuple[Layout, ...]
    sample: pl.DataFrame
    provided: frozenset[str]
    places: dict[str, str]
    settings: Settings
    surveyed: survey.Surveyed
    groups: dict[str, int]
    duplicates: int
    same_moment: int
    missing_person: int
    units: int

    @classmethod
    def of(cls, seen: Pass, settings: Settings) -> Grounds:
        """Take from the figures what outlives their files."""
        figures = seen.figures
        counts = figures.counts
        named = ("clients", "users", "persons")
        people = {name: SeenUsers.of(figures.people[name].buckets()) for name in named}
        sources = seen.recognised.sources
        layouts = tuple(source.layout for source in sources)
        return cls(
            layouts=layouts,
            sample=seen.sample,
            provided=frozenset(seen.provided),
            places={entry.hub[0]: entry.place for entry in reversed(layouts[0].all_fields) if entry.hub},
            settings=settings,
            surveyed=_surveyed(figures, people),
            groups={
                "session.id": sum(bucket.height for bucket in figures.sessions.buckets()),
                "client_id": people["clients"].users,
                "user_id": people["persons"].users,
                **{name: _different(figures, name) for name in DETAILED},
                **{name: len(senders.events) for name, senders in figures.senders.items()},
            },
            duplicates=counts["events"] - figures.ids.count(),
            same_moment=counts["moments"] - figures.moments.count(),
            missing_person=counts["events"] - counts["of_persons"],
            units=sum(len(units(source.files)) for source in sources),
        )


def _different(figures: Figures, name: str) -> int:
    """Count the values of a column that describes apps or devices."""
    detail, columns = next((detail, columns) for detail, columns in DETAILS.items() if name in columns)
    return len({values[columns.index(name)] for values in figures.details.counts[detail].events})


def _surveyed(figures: Figures, people: dict[str, SeenUsers]) -> survey.Surveyed:
    counts, bounds, agents = figures.counts, figures.bounds, figures.senders["user_agent"].events
    distinct = {"name": figures.names, "attribution_source": figures.sources}
    hours = {name: dict(figures.watched_hours.get(name) or {}) for name in sorted(figures.watched)}
    return survey.Surveyed(
        events=counts["events"],
        earliest=bounds.get("first_event"),
        latest=bounds.get("last_event"),
        latest_of_others=bounds.get("last_of_others"),
        hours=dict(sorted(figures.hours.items())),
        excepted={name: dict(sorted(events.items())) for name, events in hours.items()},
        users={"client_id": people["clients"], "user_id": people["users"], "persons": people["persons"]},
        missing={
            "client_id": counts["events"] - counts["of_clients"],
            "forwarded_address": counts["without_address"],
        },
        agents={value: count for (value,), count in agents.items() if value is not None},
        distinct={name: len(counted.events) for name, counted in distinct.items()},
        at_least=tuple(name for name, counted in distinct.items() if counted.beyond),
    )
