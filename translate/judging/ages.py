"""What a receiver takes and alters because of its age: counted over all events, told once the latest of them is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl

from translate.delivery.preflight import Forecast, judge, moment_of
from translate.delivery.survey import MARK, TIME, Count, Questions, Surveyed
from translate.mapping.spec import Layout, Mapping
from translate.settings import Settings
from translate.telling.rendering import Report

NAME = f"{MARK}name"


class Ages:
    """The ages of one layout's events, held against what its sheet says of them."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings) -> None:
        self._layout = layout
        self._settings = settings
        self._mapping = mapping
        self._spelled = {hub: spelling.name for hub, spelling in mapping.names.items()}
        self._count: Count | None = None
        if mapping.delivery and (altering := mapping.delivery.altering(layout.name)):
            delivery = replace(mapping.delivery, preflight=altering)
            self._mapping = replace(mapping, delivery=delivery)
            self._count = Count(Questions(delivery, layout))

    def add(self, events: pl.LazyFrame) -> None:
        """Count the ages of events, of which the hub columns `time` and `name` are there."""
        if self._count is None:
            return
        asked = {
            TIME: pl.col("time").dt.timestamp("ms"),
            NAME: pl.col("name").replace(self._spelled),
        }
        for batch in events.select(**asked).collect_batches(engine="streaming"):
            self._count.add(batch)

    def result(self) -> Aged:
        """Give what was counted; nothing can be added afterwards."""
        return Aged(
            self._mapping, self._layout, self._settings, self._count.result() if self._count else Surveyed()
        )


class Aged:
    """What was counted of one layout's events, to be judged as of any moment."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings, surveyed: Surveyed) -> None:
        self._mapping = mapping
        self._layout = layout
        self._settings = settings
        self._surveyed = surveyed

    def told(self) -> list[dict[str, Any]]:
        """Say what is altered as of the latest event or a given day, never as of today."""
        now = moment_of(self._surveyed, self._settings)
        if now is None:
            return []
        about = {"layout": self._layout.address, "as_of": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        return [{**about, **found.to_json()} for found in self.at(now)]

    def at(self, now: dt.datetime) -> list[Forecast]:
        """Say what is altered if the events come at a moment."""
        overrides, layout = self._settings.overrides, self._layout.name
        return judge(
            self._mapping, self._surveyed, self._settings, now=now, overrides=overrides, layout=layout
        )


class Validated(Report):
    """The answer of `validate`, which can also say what the receiver alters for its age at any moment."""

    def __init__(self, values: dict[str, Any], aged: list[Aged]) -> None:
        super().__init__(values)
        self._aged = aged

    def __reduce__(self) -> tuple[type[Report], tuple[dict[str, Any]]]:
        """Copy what was found."""
        return Report, (dict(self),)

    def ages_at(self, now: dt.datetime) -> list[Forecast]:
        """Say what the receiver alters if the events come at a moment: `ages` are those as of the archive's own span."""
        return [found for aged in self._aged for found in aged.at(now)]
