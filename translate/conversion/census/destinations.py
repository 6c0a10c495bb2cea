"""Where a target holds what the hub's columns hold, and what that makes of a key of the source."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from translate.conversion.census.evidence import Held
from translate.conversion.job import Job
from translate.conversion.plan import Query
from translate.mapping.paths import AROUND, lies_around
from translate.mapping.spec import Field
from translate.vocabulary.notes import USED, InHub, InSource, Spot
from translate.writer.dataset import sources
from translate.writer.shape import is_asked_for

NOT_TOLD = "neither carried nor told"


class Fate(NamedTuple):
    """What became of a key, and how: where it went, why it is not there, by which rule."""

    fate: str
    how: str = ""


SEVERITY = {"kept": 0, "renamed": 1, "changed": 2, "no_place": 3, "dropped": 4}


def worse(one: Fate, other: Fate) -> Fate:
    """Give the fate that says more; of two that say as much, the first."""
    return other if SEVERITY[other.fate] > SEVERITY[one.fate] else one


class Ways:
    """Where a target holds what the hub's columns hold."""

    def __init__(self, job: Job, query: Query) -> None:
        self._job = job
        self._source = query.source
        self._layout = job.target_layout
        self._carriers: dict[tuple[str, str | None], list[Field]] = {}
        self._plain_ways: dict[tuple[str, Held, str], Fate] = {}
        self._used: dict[str, list[str]] = {}
        for rule in job.recipe.rules if job.recipe else ():
            for target, expression in rule.sets.items():
                for name in expression.columns:
                    self._used.setdefault(name, []).append(target)
        self._own = {entry.place for entry in job.target_layout.own} if job.target_layout else set()

    def fate(
        self, name: str, place: InSource, found: Held, row: dict[str, Any], losses: dict[Spot, Fate]
    ) -> Fate:
        """Tell what became of a value of a written event; what lies around both is no other place for its mark."""
        name = name.removeprefix(AROUND)
        plain = (name, found, row["name"])
        way = self._plain_ways.get(plain) if not (row.get("_names") or row[USED]) else None
        if way is None:
            way = self._way(name, found, row)
            if way is not None and not (row.get("_names") or row[USED]):
                self._plain_ways[plain] = way
        told = self._told(place, found, losses)
        if told is not None and told.fate == "renamed" and way is not None:
            return way
        return told or way or Fate("unknown", NOT_TOLD)

    def _told(self, place: InSource, found: Held, losses: dict[Spot, Fate]) -> Fate | None:
        if not losses:
            return None
        if found.noted:
            return losses.get(found.noted)
        spots: list[Spot] = [place, InHub(found.column, found.key), InHub(found.column)]
        told = [losses[spot] for spot in dict.fromkeys(spots) if spot in losses]
        told += [
            Fate("changed", fate.how)
            for spot, fate in losses.items()
            if isinstance(spot, InSource) and spot.lies_in(place)
        ]
        worst = told[0] if told else None
        for fate in told[1:]:
            worst = worse(worst, fate) if worst else fate
        if worst and found.column == "extra" and worst.fate == "no_place":
            return Fate("unknown", worst.how)
        return worst

    def _new_names(self, column: str, row: dict[str, Any]) -> dict[str, str]:
        """Read which keys the target could not take as they were: new name to old one."""
        if not row.get("_names"):
            return {}
        names: dict[str, str] = json.loads(f"{{{row['_names']}}}").get(column, {})
        return names

    def _way(self, name: str, found: Held, row: dict[str, Any]) -> Fate | None:
        """Tell where the target holds a value; None if it does not."""
        if not found.column:
            return Fate("kept", found.why) if found.why else None
        if self._layout is None:
            place = found.column if found.key is None else f"{found.column}.{found.key}"
            return _to(place, name)
        if found.column == "extra":
            keeps = self._source.keeps_around if lies_around(found.key or "") else self._source.keeps_extra
            return Fate("kept") if keeps else None
        places = [found.key] if found.column == "attributes" and found.key in self._own else []
        places += [self._place(entry, found, row) for entry in self._carrying(found.column, row["name"])]
        if places:
            return _to(name if name in places else places[0], name)
        used = found.column if found.key is None else f"{found.column}.{found.key}"
        if used in (row[USED] or ()):
            own = [column.name for column in self._job.columns if used in sources(column)]
            return Fate("renamed", own[0] if own else f"{', '.join(self._used.get(used, []))}, by the recipe")
        return None

    def _place(self, entry: Field, found: Held, row: dict[str, Any]) -> str:
        if found.key is None:
            return entry.place
        names = self._new_names(found.column, row).items()
        new = next((new for new, old in names if old == found.key), found.key)
        return f"{entry.place}.{new}"

    def _carrying(self, column: str, name: str) -> list[Field]:
        """Give the fields of the target that hold a column's value in events of a name, the likeliest first."""
        if (column, name) not in self._carriers:
            fields = self._layout.all_fields if self._layout else ()
            self._carriers[column, name] = [entry for entry in fields if self._carries(entry, column, name)]
        return self._carriers[column, name]

    def _carries(self, entry: Field, column: str, name: str) -> bool:
        if (entry.when and name not in entry.when) or not is_asked_for(entry, self._job.settings):
            return False
        if entry.optional and entry.hub[0] not in self._source.provided:
            return False
        return column in entry.carries and not entry.word.readable_only


def _to(place: str, name: str) -> Fate:
    return Fate("kept") if place == name else Fate("renamed", place)
