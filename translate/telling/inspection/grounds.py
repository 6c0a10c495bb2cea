"""What targets are judged by beside the first events: the figures of all of them that outlive their files."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from translate.archive.recognition import Recognised
from translate.delivery import survey
from translate.mapping.spec import Layout
from translate.settings import Settings
from translate.telling.inspection.columns import DETAILED, DETAILS
from translate.telling.inspection.figures import Figures
from translate.telling.inspection.reading import Seen


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
    def of(cls, seen: Seen, recognised: Recognised, settings: Settings) -> Grounds:
        """Take from the figures what outlives their files."""
        figures = seen.figures
        counts = figures.counts
        people = {name: _seen(figures, name) for name in ("clients", "users", "persons")}
        sources = [source.layout for source in recognised.sources]
        return cls(
            layouts=tuple(sources),
            sample=seen.sample,
            provided=seen.provided,
            places={entry.hub[0]: entry.place for entry in reversed(sources[0].all_fields) if entry.hub},
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
            units=seen.units,
        )


def _different(figures: Figures, name: str) -> int:
    """Count the values of a column that describes apps or devices."""
    detail, columns = next((detail, columns) for detail, columns in DETAILS.items() if name in columns)
    return len({values[columns.index(name)] for values in figures.details.counts[detail].events})


def _seen(figures: Figures, name: str) -> survey.SeenUsers:
    users = several = 0
    hours: dict[int, tuple[int, int]] = {}
    for bucket in figures.people[name].buckets():
        users += bucket.height
        several += int((bucket["events"] >= 2).sum())
        for hour, here, events in bucket.group_by("hour").agg(pl.len(), pl.col("events").sum()).iter_rows():
            before = hours.get(hour, (0, 0))
            hours[hour] = (before[0] + here, before[1] + events)
    return survey.SeenUsers(users, several, dict(sorted(hours.items())))


def _surveyed(figures: Figures, people: dict[str, survey.SeenUsers]) -> survey.Surveyed:
    counts, bounds = figures.counts, figures.bounds
    return survey.Surveyed(
        events=counts["events"],
        earliest=bounds.get("first_event"),
        latest=bounds.get("last_event"),
        latest_of_others=bounds.get("last_of_others"),
        hours=dict(sorted(figures.hours.items())),
        excepted={
            name: dict(sorted(figures.watched_hours.get(name, {}).items()))
            for name in sorted(figures.watched)
        },
        users={"client_id": people["clients"], "user_id": people["users"], "persons": people["persons"]},
        missing={
            "client_id": counts["events"] - counts["of_clients"],
            "forwarded_address": counts["without_address"],
        },
        agents={
            value: count
            for (value,), count in figures.senders["user_agent"].events.items()
            if value is not None
        },
        distinct={"name": len(figures.names.events), "attribution_source": len(figures.sources.events)},
        at_least=tuple(
            name
            for name, counted in (("name", figures.names), ("attribution_source", figures.sources))
            if counted.beyond
        ),
    )
