"""Which record is meant: a line of a file, one of the events in it, or an event by its id."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from translate.archive.recognition import Recognised, recognise
from translate.archive.sources import find
from translate.archive.units import units_of
from translate.conversion import plan
from translate.conversion.job import Job
from translate.conversion.reading import soundly
from translate.errors import UsageError
from translate.reader.reader import Lines
from translate.settings import Settings

ADDRESS = re.compile(r"(?P<file>.+):(?P<line>[0-9]+)(?:#(?P<number>[0-9]+))?")
COPY = re.compile(r"-[0-9]+$")


@dataclass(frozen=True)
class Address:
    """A line of a file, from 1, and which of its events, from 1; None is all of them.

    `shown` is how reports name the file, `layout` what it was recognised as.
    """

    file: str
    line: int
    number: int | None = None
    shown: str | None = None
    layout: str | None = None


def read_address(text: str) -> Address:
    """Read `FILE:LINE` or `FILE:LINE#N`; raise UsageError."""
    found = ADDRESS.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text}: say which record, FILE:LINE (from 1) or FILE:LINE#N for the Nth event of a line, or give an event's id with --id"
        )
    line, number = int(found["line"]), int(found["number"]) if found["number"] else None
    if line < 1 or number == 0:
        raise UsageError(f"{text}: lines and events count from 1")
    return Address(found["file"], line, number)


def find_id(
    source: str | os.PathLike[str], wanted: str, from_: str | None, settings: Settings, mappings: Path | None
) -> Address:
    """Find the first event of an id, its own or the one that is made of its content; reads the source up to it.

    Further rows of one event end in a number of their own (`-2`): their event is found. Raise UsageError where there is none.
    """
    recognised = recognise(find([source]), from_, mappings)
    for name in dict.fromkeys([wanted, COPY.sub("", wanted)]):
        found = _first(recognised, name, settings)
        if found is not None:
            return found
    raise UsageError(f"{os.fspath(source)}: no event has the id {wanted}; say FILE:LINE")


def _first(recognised: Recognised, name: str, settings: Settings) -> Address | None:
    locations = {file.shown: file.location for file in recognised.files}
    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        for unit in units_of(source.files for source in recognised.sources):
            origin = recognised.sources[unit.source]
            job = Job(origin.mapping, origin.layout, None, None, settings=settings)

            def attempt(lines: Lines, job: Job = job) -> tuple[pl.DataFrame, set[str]]:
                events, unsound = plan.hub_events(job, lines)
                wanted = events.filter(pl.col("event_id") == name).select("file", "line", "part")
                return wanted.sort("file", "line", "part").head(1).collect(engine="streaming"), unsound()

            found, _ = soundly(unit, Path(scratch), recognised.refused_in(unit.files), attempt)
            for file, line, part in found.iter_rows():
                return Address(locations[file], line, part + 1, file, origin.layout.address)
    return None
