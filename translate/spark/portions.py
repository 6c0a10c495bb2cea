"""What an executor is told: once for all units the task, and for each unit its files and what is known of them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from translate.archive.looks import Unseen
from translate.archive.recognition import Origin, Recognised
from translate.archive.units import Unit
from translate.conversion.job import Job
from translate.mapping.spec import Layout, Mapping
from translate.reader.reader import Damage
from translate.stores import access


@dataclass(frozen=True)
class Portion:
    """A unit, and what recognition found of its files."""

    unit: Unit
    layouts: dict[str, str]
    refused: dict[str, Damage]
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Order:
    """What is the same for all units of a run: what is done with them, how their layouts are read, who asks stores."""

    job: Job
    sources: tuple[tuple[Mapping, Layout], ...]
    unseen: Unseen | None
    store: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job, recognised: Recognised) -> Order:
        """Give what holds for all units of a source."""
        unseen = replace(recognised.unseen, names=set()) if recognised.unseen else None
        asked = access.current()
        store = {name: getattr(asked, name) for name in access.Access.__dataclass_fields__}
        return cls(job, tuple((mapping, layout) for mapping, layout, _ in recognised.sources), unseen, store)

    def ask_stores_alike(self) -> None:
        """Ask stores as the driver does."""
        access.say(**self.store)

    def recognised(self, portion: Portion) -> Recognised:
        """Give a source of a unit's files alone, in which they have their places."""
        here = [
            Origin(mapping, layout, [*portion.unit.files] if number == portion.unit.source else [])
            for number, (mapping, layout) in enumerate(self.sources)
        ]
        unseen = replace(self.unseen, names={*portion.unseen}) if self.unseen else None
        return Recognised(here, portion.layouts, dict(portion.refused), unseen=unseen)


def portion_of(unit: Unit, recognised: Recognised) -> Portion:
    """Give a unit with what is known of its files."""
    names = [file.shown for file in unit.files]
    late = recognised.unseen.names if recognised.unseen else set()
    return Portion(
        unit,
        {name: recognised.layouts[name] for name in names if name in recognised.layouts},
        {name: recognised.refused[name] for name in names if name in recognised.refused},
        frozenset(late.intersection(names)),
    )


def packed(values: Any) -> bytes:
    """Write something down for another process of this version."""
    return pickle.dumps(values)


@lru_cache(maxsize=2)
def unpacked(text: bytes) -> Any:
    """Read it; what many units share is read once, so that what is made of it is made once, too."""
    return pickle.loads(text)  # noqa: S301  the driver's own
