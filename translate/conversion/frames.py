"""Events as frames: an archive read lazily, rows of a target written."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from translate import events, mapping
from translate import recipe as recipes
from translate.archive.recognition import Recognised
from translate.conversion import plan
from translate.conversion.calls import Folder, Sources, job_of, settings_of
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.reading import Readings
from translate.reader.reader import Lines
from translate.settings import Settings
from translate.vocabulary import money
from translate.writer import dataset
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, ROW, Writer


def scan(
    source: Sources,
    *,
    model: str | None = None,
    mappings: Folder | None = None,
    settings: Settings | None = None,
) -> pl.LazyFrame:
    """Read an archive as hub events, unit by unit, when the frame is collected.

    Columns as in `translate.events.COLUMNS`. Records that cannot be read are left out; a warning says how many.
    Raise SourceError if there is nothing to read, UsageError for an unknown model.
    """
    job, recognised = job_of(source, to=HUB_MODEL, from_=model, mappings=mappings, settings=settings)
    return register_io_source(_event_batches(job, recognised), schema=pl.Schema(events.SCHEMA), is_pure=True)


def _event_batches(job: Job, recognised: Recognised) -> Any:
    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_rows
        left = rows_wanted
        unread = 0
        for batch in hub_batches(job, recognised):
            good = batch.filter(pl.col("code").is_null()).drop("code")
            unread += batch.height - good.height
            frame = good if left is None else good.head(left)
            left = None if left is None else left - frame.height
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if columns is None else frame.select(columns)
            if left == 0:
                break
        if unread:
            warnings.warn(f"{unread} records could not be read; convert() tells which and why", stacklevel=2)

    return read


def hub_batches(job: Job, recognised: Recognised) -> Iterator[pl.DataFrame]:
    """Read unit by unit, each by way of the disk: whether a unit was read soundly is known only at its end."""
    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        file = Path(scratch) / "events.parquet"

        def attempt(job: Job, lines: Lines) -> tuple[None, set[str]]:
            frame, unsound = plan.hub_events(job, lines)
            frame.select("code", *events.SCHEMA).sink_parquet(file, compression="lz4", engine="streaming")
            return None, unsound()

        for _ in Readings(job, recognised, Path(scratch)).each(attempt):
            yield from pl.scan_parquet(file).collect_batches(engine="streaming")


def write(
    frame: pl.LazyFrame | pl.DataFrame, *, model: str, recipe: str | os.PathLike[str] | None = None,
    settings: Settings | None = None, mappings: Folder | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """Turn hub events into a target's rows.

    The frame gets a column for each field of the layout, named by its place; free-form objects, lists and
    numbers are JSON text, and `row` is the whole row as JSON, for JSON layouts. Events that the target does not
    take are left out; a warning tells of those that it would refuse.
    """
    told = settings_of(settings, (), mappings)
    target_mapping, layout = mapping.find_layout(model, told.mappings)
    chosen = recipes.load(recipe, told.mappings) if recipe is not None else None
    prepared = plan.from_hub(frame.lazy())
    prepared = (
        chosen.apply(prepared, mapping.marked_anywhere(told.mappings))
        if chosen
        else plan.without_recipe(prepared)
    )
    prepared = money.with_quantity(prepared, told.missing_quantity)
    set_columns = chosen.set_columns if chosen else frozenset()
    columns = dataset.named(target_mapping, chosen.columns if chosen else (), told)
    layout, prepared = dataset.with_columns(layout, columns), dataset.moved(prepared, columns)
    writer = Writer(target_mapping, layout, told, Source(frozenset(events.SCHEMA), {}, set_columns))
    judged = writer.rows(prepared)
    judged = judged.map_batches(
        _warn_of_rejects, schema=dict(judged.collect_schema()), validate_output_schema=False, streamable=True
    )
    rows = judged.filter(pl.col("code").is_null() & pl.col(FILTERED).is_null())
    places = {
        entry.place: pl.col(f"={entry.place}")
        for entry in [*writer.columns, *writer.shape.containers.values()]
    }
    whole = {"row": pl.col(ROW)} if layout.records == "json-lines" else {}
    return rows.select(**places, **whole)


def _warn_of_rejects(batch: pl.DataFrame) -> pl.DataFrame:
    refused = batch.filter(pl.col("code").is_not_null())
    if refused.height:
        first = refused["message"][0]
        warnings.warn(f"{refused.height} events cannot be written, for example because {first}", stacklevel=2)
    return batch
