"""Units of a run made by other processes: what these are told, once for all the task, for each unit its files and what is known of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from translate.archive.copies import Lent
from translate.archive.lines import Damage
from translate.archive.spool import borrowed, spool
from translate.archive.units import Unit
from translate.conversion.bucket_output import BucketTarget, Prefix, target_of
from translate.conversion.erased import LookedThrough
from translate.conversion.job import Job
from translate.conversion.output import WITNESS, Output, output_of
from translate.conversion.persistence import make_folder
from translate.conversion.reading import Progress
from translate.conversion.run import Conversion
from translate.errors import OutputError, UsageError
from translate.mapping.spec import Layout, Mapping
from translate.passes import Asked, Passes
from translate.reader.looks import Unseen
from translate.reader.recognition import Origin, Recognised
from translate.recipe.privacy import KEY, fingerprint, key_of_environment
from translate.stores import access, say
from translate.stores.transfers import Carriers, Encryption
from translate.vocabulary.words.stamps import is_numbered

UNREACHABLE = (
    "{target}: the executor on {host} does not see what the driver wrote there; name a folder that driver and executors "
    "share, or an s3:// prefix"
)


@dataclass(frozen=True)
class Portion:
    """A unit, and what recognition found of its files."""

    unit: Unit
    refused: dict[str, Damage]
    lent: Lent | None = None  # copies of its objects, if this process is to read such


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
        asked = access.current()
        store = {name: getattr(asked, name) for name in access.Access.__dataclass_fields__}
        sources = tuple((mapping, layout) for mapping, layout, _ in recognised.sources)
        return cls(job, sources, recognised.unseen, store)

    def ask_stores_alike(self) -> None:
        """Ask stores as the driver does."""
        say(**self.store)

    def recognised(self, portion: Portion) -> Recognised:
        """Give a source of a unit's files alone, in which they have their places."""
        here = [
            Origin(mapping, layout, [*portion.unit.files] if number == portion.unit.source else [])
            for number, (mapping, layout) in enumerate(self.sources)
        ]
        return Recognised(here, dict(portion.refused), unseen=self.unseen)


def portion_of(unit: Unit, recognised: Recognised) -> Portion:
    """Give a unit with what is known of its files."""
    names = [file.shown for file in unit.files]
    refused = {name: recognised.refused[name] for name in names if name in recognised.refused}
    return Portion(unit, refused)


class Portions:
    """Units of a run, drawn one ahead of those who ask, with copies of their objects: this process fetches for all."""

    def __init__(self, units: Iterator[Unit], recognised: Recognised, is_over: Callable[[], bool]) -> None:
        self._units, self._recognised, self._is_over = units, recognised, is_over
        self._guard = threading.Lock()
        self._ahead = Carriers[Portion | None]()
        self._begin()

    def _begin(self) -> None:
        self._drawn = self._ahead.want(self._draw)
        self._ahead.go_on()

    def next(self) -> Portion | None:
        """Give the next unit; raise what was raised as it was drawn."""
        with self._guard:
            portion = self._drawn.result()
            if portion is None or self._is_over():
                return None
            self._begin()
            return portion

    def _draw(self) -> Portion | None:
        unit = next(self._units, None)
        if unit is None:
            return None
        portion = portion_of(unit, self._recognised)
        if not unit.files[0].is_remote:
            return portion
        return replace(portion, lent=spool().lend(unit.files, self._is_over))


@dataclass(frozen=True)
class Errand:
    """What others have to do with each unit of a run: an order, and where what they make goes."""

    order: Order
    out: str
    state: str | None
    encryption: Encryption | None
    asked: Asked
    compression: str
    keys: tuple[Any, ...]
    witness: str
    passes: Path | None

    @classmethod
    def of(cls, run: Conversion, passes: Passes | None) -> Errand:
        """Give the errand of a run that holds its target."""
        run.output.write_whole(run.output.state / WITNESS, witness := uuid.uuid4().hex)
        out, state, encryption = _spelled(run.target)
        return cls(
            Order.of(run.job, run.recognised), out, state, encryption, run.asked, run.sinks.compression,
            _keys_of(run.job), witness, run.output.scratch.absolute() if passes else None,
        )  # fmt: skip

    @property
    def target(self) -> Path | BucketTarget:
        """Give the target as this process reaches it."""
        return target_of(self.out, self.state, self.encryption) if self.encryption else Path(self.out)


def _spelled(target: Path | BucketTarget) -> tuple[str, str | None, Encryption | None]:
    """Spell a target so that another process finds it."""
    if not isinstance(target, BucketTarget):
        return os.path.abspath(target), None, None
    books = target.books
    state = str(books) if isinstance(books, Prefix) else os.path.abspath(books)
    return str(target), state, target.encryption


def is_numbered_through(run: Conversion) -> bool:
    """Tell whether requests are numbered over all units, so that those of earlier ones have to be counted first."""
    layout = run.job.target_layout
    request = layout.request if layout else None
    return request is not None and any(is_numbered(entry.word, entry.template) for entry in request.fields)


def first_numbers(run: Conversion, counts: dict[int, int]) -> dict[int, int]:
    """Give the number of each unit's first request: some were counted now, the others are done."""
    known = dict(counts)
    for unit in run.units:
        kept = None if unit.number in known else run.output.kept(unit.number, trusted=True)
        known[unit.number] = kept[0].requests if kept else known[unit.number]
    before = accumulate((known[unit.number] for unit in run.units), initial=1)
    return {unit.number: first for unit, first in zip(run.units, before, strict=False)}


@contextlib.contextmanager
def attempt(
    errand: Errand, portion: Portion, progress: Progress | None = None
) -> Iterator[tuple[Conversion, Passes | None]]:
    """Give a run of one unit, in a scratch folder that no other attempt at it has: one that was given up may still be writing."""
    order = errand.order
    order.ask_stores_alike()
    run = Conversion(
        order.job, order.recognised(portion), errand.target, compression=errand.compression, asked=errand.asked,
        progress=progress, attempt=f"{portion.unit.number:05}-{uuid.uuid4().hex}",
    )  # fmt: skip
    refuse_elsewhere(run.output, errand)
    make_folder(run.output.scratch)
    try:
        yield run, Passes(errand.passes, errand.asked) if errand.passes else None
    finally:
        shutil.rmtree(run.output.scratch, ignore_errors=True)


def refuse_elsewhere(output: Output, errand: Errand) -> None:
    """Raise OutputError where this process does not reach the target, UsageError where it has not the driver's data sheets or keys."""
    host, sheets = socket.gethostname(), errand.order.job.settings.mappings
    if output.witness() != errand.witness:
        raise OutputError(UNREACHABLE.format(target=errand.out, host=host))
    if sheets is not None and not sheets.is_dir():
        raise UsageError(
            f"--mappings {sheets}: the executor on {host} does not see it; name a folder that all share"
        )
    if _keys_of(errand.order.job) != errand.keys:  # it would make other hashes
        raise UsageError(f"{KEY} is another one on {host} than on the driver")


def reached(errand: Errand, attempt: str = "") -> Output:
    """Give the target of an errand as this process reaches it."""
    errand.order.ask_stores_alike()
    output = output_of(errand.target, {}, attempt)
    refuse_elsewhere(output, errand)
    return output


def _keys_of(job: Job) -> tuple[Any, ...]:
    """Tell keys apart: of what a recipe hashes, and of those who are to be erased."""
    erase = job.selection.erase
    hashes = fingerprint(key_of_environment()) if job.recipe and job.recipe.needs_key else None
    return hashes, erase.described() if erase else None


def work_on(
    errand: Errand, what: str, portion: Portion, first: int, show: Progress | None = None
) -> int | None:
    """Do with a unit what is asked for: `survey` it, `make` it, or `count` the requests that it becomes, and give that."""
    with (
        contextlib.nullcontext() if portion.lent is None else borrowed(portion.lent),
        attempt(errand, portion, show if what == "make" else None) as (run, passes),
    ):
        if what == "count":
            return run.requests_of(portion.unit, passes)
        if what == "survey":
            assert passes is not None
            run.look_into(portion.unit, passes)
        else:
            run.make(portion.unit, passes, first)
    return None


# -- those who send others on errands ---------------------------------------------------------------------------------


class Crew(ABC):
    """Makes the units of a run elsewhere."""

    looks_through = False  # whether it also reads again what was written

    def survey(self, run: Conversion, passes: Passes) -> None:
        """Read all units for what the passes need to know."""
        self._each(run, passes, "survey", run.told_units(), {})

    def make(self, run: Conversion, passes: Passes | None) -> None:
        """Make all units that remain; raise what this process would."""
        if is_numbered_through(run):
            remaining = list(run.remaining())
            first = first_numbers(run, self._each(run, passes, "count", iter(remaining), {}))
            self._each(run, passes, "make", iter(remaining), first)
        else:
            self._each(run, passes, "make", run.remaining(), {})
        run.output.catch_up()

    @abstractmethod
    def _each(
        self, run: Conversion, passes: Passes | None, what: str, units: Iterator[Unit], first: dict[int, int]
    ) -> dict[int, Any]:
        """Have the same done with each unit, whose first request may have another number than 1; give the answers by the units' numbers."""

    def look_through(self, run: Conversion, names: list[str], texts: dict[str, int]) -> list[LookedThrough]:
        """Look through what was written for those listed, and for these texts."""
        raise NotImplementedError
