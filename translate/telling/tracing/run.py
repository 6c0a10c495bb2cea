"""Runs a conversion on one record, a line of a file, one of its events, or one of an id: what was read, what the rules did, what the writer made of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from translate.archive.batches import Lines
from translate.archive.parquet import HUB
from translate.archive.units import units_of
from translate.conversion import plan
from translate.conversion.calls import reading_job
from translate.conversion.job import Job
from translate.conversion.reading import Readings, soundly
from translate.errors import UsageError
from translate.events import EPOCH
from translate.mapping.settings import Settings
from translate.reader.reader import Reader
from translate.reader.recognition import Recognised
from translate.recipe import tallies
from translate.recipe.expressions import Expression
from translate.recipe.reshaping import COPY
from translate.recipe.rules import Recipe
from translate.recipe.spec import Rule
from translate.telling.tracing.result import Met
from translate.vocabulary.notes import Loss
from translate.writer.shape import Source
from translate.writer.writer import Writer

ADDRESS = re.compile(r"(?P<file>.+):(?P<line>[0-9]+)(?:#(?P<number>[0-9]+))?")
COPY_NUMBER = re.compile(r"-[0-9]+$")

Row = dict[str, Any]


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


def find_id(source: str | os.PathLike[str], wanted: str, from_: str | None, settings: Settings) -> Address:
    """Find the first event of an id, its own or the one that is made of its content; reads the source up to it.

    Further rows of one event end in a number of their own (`-2`): their event is found. Raise UsageError where there is none.
    """
    job, recognised = reading_job(source, from_, settings)
    for name in dict.fromkeys([wanted, COPY_NUMBER.sub("", wanted)]):
        found = _first(job, recognised, name)
        if found is not None:
            return found
    raise UsageError(f"{os.fspath(source)}: no event has the id {wanted}; say FILE:LINE")


def _first(job: Job, recognised: Recognised, name: str) -> Address | None:
    locations = {file.shown: file.location for file in recognised.files}

    def attempt(job: Job, lines: Lines) -> tuple[pl.DataFrame, set[str]]:
        events, unsound = plan.hub_events(job, lines)
        wanted = events.filter(pl.col("event_id") == name).select("file", "line", "part")
        return wanted.sort("file", "line", "part").head(1).collect(engine="streaming"), unsound

    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        for unit, found in Readings(job, recognised, Path(scratch)).each(attempt):
            for file, line, part in found.iter_rows():
                layout = recognised.sources[unit.source].layout
                return Address(locations[file], line, part + 1, file, layout.address)
    return None


def rules_met(recipe: Recipe | None, row: Row, first: Row) -> tuple[Met, ...]:
    """Tell what each rule found, from an event's flags; those of rules before it became several are with its first row."""
    rules = enumerate(recipe.rules if recipe else ())
    return tuple(_met(rule, tallies.of_rule(number), row, first) for number, rule in rules)


def _met(rule: Rule, head: str, row: Row, first: Row) -> Met:
    seen = tallies.flag(head, "seen")
    flags = row if row[seen] else first
    if not flags[seen]:
        return Met(rule.address, None)

    def has(what: str) -> bool:
        return bool(flags[tallies.flag(head, what)])

    def absent(expression: Expression) -> str:
        names = [f'"{name}"' for name in expression.columns if not has(f"has.{name}")]
        return f": the event has no {' and no '.join(names)}" if names else ""

    failed: list[str] = []
    parts = list(enumerate(tallies.conditions(rule.when))) if rule.when and not has("matched") else []
    failed += [f"{part.sql} is unknown{absent(part)}" for number, part in parts if has(f"unknown{number}")]
    failed += [
        f"{part.sql} is false"
        for number, part in parts
        if not (has(f"part{number}") or has(f"unknown{number}"))
    ]
    empty = [(target, told) for target, told in rule.sets.items() if has(f"null.{target}")]
    nothing = tuple(f"{target}: {told.sql} gives nothing{absent(told)}" for target, told in empty)
    return Met(rule.address, has("matched"), tuple(failed), nothing)


@dataclass(frozen=True)
class Traced:
    """One row that a conversion makes of an event, and the event that it is made of.

    `number` counts the events of the line, `copy` the rows of the event, both from 0. `raw` are the record's own texts by slot, and its
    free-form maps; `before` is the event as it was read, `after` as the rules left it, and what the writer made of
    each place (`=place`, around the events `@place`), `row` the row as the conversion itself writes and judges it;
    `source` is how the source spells the hub's columns. `rules` are the recipe's, each with what it found; `lost` is what
    of the event does not arrive as it was, but for keys.
    """

    number: int
    copy: int
    raw: Row
    before: Row
    after: Row
    row: Row
    source: Source
    rules: tuple[Met, ...] = ()
    lost: tuple[Loss, ...] = ()


def trace(job: Job, recognised: Recognised, address: Address) -> list[Traced]:
    """Run a job on the events of one line; raise UsageError where no record is."""
    (unit, *_) = units_of(source.files for source in recognised.sources)
    job = job.reading(recognised.sources[unit.source])

    def attempt(lines: Lines) -> tuple[list[Traced], set[str]]:
        narrow = _narrowed(lines, address.line, is_table=job.source_layout.records == "csv")
        query = plan.build(job, narrow)
        traced = _traced(job, query, narrow, address.line)
        is_refused = any(event.row["code"] is not None for event in traced)
        return traced, _unsound(job, lines) if is_refused and narrow is not lines else query.unsound

    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        found, _ = soundly(unit, Path(scratch), recognised, attempt)
    if not found:
        raise UsageError(f"{address.file}: there is no record on line {address.line}")
    wanted = [traced for traced in found if address.number in (None, traced.number + 1)]
    if not wanted:
        count = found[-1].number + 1
        raise UsageError(
            f"{address.file}:{address.line} holds {count} event{'s' if count != 1 else ''}: there is no #{address.number}"
        )
    return wanted


def _narrowed(lines: Lines, line: int, *, is_table: bool) -> Lines:
    """Leave the one line, and a table's header; a Parquet file, and one whose records reach over several lines, stay whole."""
    if lines.table is not None or lines.joined:
        return lines
    kept = [0, line - 1] if is_table else [line - 1]
    return dataclasses.replace(lines, frame=lines.frame.filter(pl.col("row").is_in(kept)))


def _unsound(job: Job, lines: Lines) -> set[str]:
    """Name the file if a record of it reaches over several lines: one of them alone does not show that, and is refused."""
    events, unsound = plan.hub_events(job, lines)
    events.select("code").collect(engine="streaming")
    return unsound


def _traced(job: Job, query: plan.Query, lines: Lines, line: int) -> list[Traced]:
    """Collect the record as it was read, as the rules left it, and as it is written: all keep the order of its events."""
    events, _ = plan.hub_events(job, lines)
    read = _of_line(events, line, joined=bool(lines.joined)).sort("row", "part")
    here = read["line"][0] if read.height else line
    by_rules = plan.build(dataclasses.replace(job, target=None), lines)
    wire = by_rules.rows.with_columns(**plan.WRITTEN_AGAIN)
    if job.target:
        wire = Writer(*job.target, job.settings, query.source).rows(wire)
    raws: list[Row] = [{}] * read.height
    if job.source_layout.model != HUB.model:
        records = Reader(job.source_layout, job.source_mapping.names, careful_only=True).records(lines)
        raws = list(_rows(_of_line(records, here).sort("row", "part")))
    given = list(_rows(read))
    found: list[Traced] = []
    number = -1
    first: Row = {}
    for row, written in zip(_rows(_of_line(query.rows, here)), _rows(_of_line(wire, here)), strict=True):
        number += row[COPY] == 0
        first = row if row[COPY] == 0 else first
        lost = tuple(loss for place, loss in enumerate(query.counts.losses) if row[f"_loss{place}"])
        met = rules_met(job.recipe, row, first)
        found.append(
            Traced(number, row[COPY], raws[number], given[number], written, row, query.source, met, lost)
        )
    return found


def _of_line(frame: pl.LazyFrame, line: int, *, joined: bool = False) -> pl.DataFrame:
    """Take what stands on a line; of records that reach over several, the one that the line belongs to."""
    if not joined:
        return frame.filter(pl.col("line") == line).collect(engine="streaming")
    before = frame.filter(pl.col("line") <= line)
    return before.filter(pl.col("line") == pl.col("line").max()).collect(engine="streaming")


def _rows(frame: pl.DataFrame) -> Iterator[Row]:
    """Give the rows with times as ISO 8601 text: those of a damaged record may lie where Python has no dates."""
    times = [column for column in frame if isinstance(column.dtype, pl.Datetime)]
    written = [pl.Series(each.name, [*map(_written, each.to_physical())], pl.String) for each in times]
    return frame.with_columns(written).iter_rows(named=True)


def _written(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    try:
        return (EPOCH + dt.timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
    except OverflowError:
        return f"{milliseconds} ms"
