"""A unit's lines, or the rows of its table, as hub events: the same for every layout that can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate import events
from translate.archive import parquet
from translate.conversion.job import Job
from translate.reader.hub import Hub
from translate.reader.reader import Damage, Lines, Reader, Tally
from translate.settings import Settings
from translate.vocabulary import notes

NO_TABLE = Damage("not_recognised", "is no Parquet file of hub events", "")


@dataclass
class Intake:
    """A unit's events beside the travellers, and what there is to know of them.

    `provided` are the hub columns that can hold something, `places` how the source spells them; `unsound` names
    the files whose records reach over several lines, once the events were read.
    """

    events: pl.LazyFrame
    provided: set[str]
    places: Mapping[str, str] = field(default_factory=dict)
    unsound: set[str] = field(default_factory=set)


def take_in(job: Job, lines: Lines, *, tally: Tally | None = None) -> Intake:
    """Read a unit as the job's source layout says."""
    if job.source_layout.model == parquet.HUB.model:
        return _of_hub_files(lines, job.settings, tally or Tally())
    reader = Reader(
        job.source_layout, job.source_mapping.names, careful_only=job.careful_only, tally=tally,
        keeps_lines=bool(job.census), record_bytes=job.settings.record_bytes,
    )  # fmt: skip
    hub = Hub(job.source_mapping, job.source_layout, job.settings)
    return Intake(hub.events(reader.records(lines)), hub.provided, hub.places, reader.unsound)


def _of_hub_files(lines: Lines, settings: Settings, tally: Tally) -> Intake:
    if lines.table is None:
        return Intake(_refused(lines, tally), set())
    given = lines.table.collect_schema()
    frame = _judged(parquet.events_of(lines.table, lines.files[0]), parquet.misfit(given), settings)
    return Intake(
        _counted(frame, tally),
        {name for name in given if name in events.SCHEMA and name not in ("file", "line")},
    )


def _judged(frame: pl.LazyFrame, misfit: str, settings: Settings) -> pl.LazyFrame:
    """Refuse events of a file with a column of another type, without a name or a time, or with a time outside of the window."""
    if misfit:
        return frame.with_columns(code=pl.lit("wrong_type"), message=pl.lit(misfit))
    since, until = settings.time_window
    missing = pl.any_horizontal(pl.col(name).is_null() for name in parquet.NEEDED)
    implausible = ((pl.col("time") < since) | (pl.col("time") >= until)).fill_null(value=False)
    outside = f"time is outside of {since:%Y-%m-%d} to {until:%Y-%m-%d}"
    return frame.with_columns(
        code=pl.when(missing)
        .then(pl.lit("missing_required"))
        .when(implausible)
        .then(pl.lit("time_implausible")),
        message=pl.when(missing)
        .then(pl.lit("name and time are what every event needs"))
        .when(implausible)
        .then(pl.lit(outside)),
    )


def _refused(lines: Lines, tally: Tally) -> pl.LazyFrame:
    """Refuse every line of files that are no tables."""

    def told(of_row: Callable[[int], Any], dtype: Any) -> pl.Expr:
        return pl.col("row").map_elements(of_row, return_dtype=dtype)

    def damage(row: int) -> Damage:
        return lines.damage.get(row, NO_TABLE)

    frame = lines.frame.select(pl.col("row").cast(pl.UInt32), "text")
    absent = {
        name: pl.lit(None, dtype) for name, dtype in events.SCHEMA.items() if name not in ("file", "line")
    }
    named = frame.with_columns(
        **absent, notes=notes.none(),
        file=told(lambda row: lines.origin(row)[0], pl.String), line=told(lambda row: lines.origin(row)[1], pl.Int64),
        code=told(lambda row: damage(row).code, pl.String), message=told(lambda row: damage(row).message, pl.String),
    )  # fmt: skip
    return _counted(named, tally)


def _counted(frame: pl.LazyFrame, tally: Tally) -> pl.LazyFrame:
    """Add what travels beside events; tell how many go by."""
    whole = frame.with_columns(
        pl.col("row").cast(pl.UInt32), part=pl.lit(0, pl.UInt32), base64=pl.lit(False), careful=pl.lit(False),
        nulls=pl.lit(0, pl.UInt32),
    ).select("row", "part", "text", "base64", "code", "message", "careful", "nulls", "notes", *events.SCHEMA)  # fmt: skip

    def count(batch: pl.DataFrame) -> pl.DataFrame:
        tally.add(int(batch.estimated_size()), batch.height)
        return batch

    return whole.map_batches(
        count, schema=whole.collect_schema(), validate_output_schema=False, streamable=True
    )
