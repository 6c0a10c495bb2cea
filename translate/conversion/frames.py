"""Events as frames: an archive read lazily, rows of a target written."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from translate import events, mapping
from translate import recipe as recipes
from translate.archive.batches import Lines
from translate.archive.drawing import EVERYTHING, awaited
from translate.conversion import plan
from translate.conversion.calls import (
    Folder,
    Given,
    Moment,
    Sources,
    job_of,
    legal_app_ids,
    selection_of,
    settings_of,
)
from translate.conversion.intake import of_frame
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.reading import Readings
from translate.engine.library import by_batches
from translate.errors import CallError, UsageError
from translate.reader.recognition import Recognised
from translate.recipe.expressions import Moved, moved_keys
from translate.recipe.mistakes import notes_on
from translate.recipe.rules import ALL_EVENTS, Selection, is_taken
from translate.vocabulary import money
from translate.wording.arguments import WAYS_OUT, checked
from translate.writer import dataset
from translate.writer.packing import ROW
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, Writer

ROWS_MAX = 2**32 - 2  # of a frame: whoever wants more wants all
TRIED = pl.DataFrame(
    {name: [{"": ""} if isinstance(dtype, pl.Map) else None] for name, dtype in events.SCHEMA.items()},
    schema=events.SCHEMA,
)  # one event without anything in it


@checked
def scan(
    source: Sources, *, from_: str | None = None, where: str | None = None, since: Moment = None, until: Moment = None,
    limit: int | None = None, settings: Given = None, set_: Iterable[str] = (), mappings: Folder | None = None,
    model: str | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """Read an archive as hub events, unit by unit, when the frame is collected.

    Columns as in `translate.events.COLUMNS`; only those that a query needs are made, and only the rows that its filters
    take leave the reader. Records that cannot be read are left out; a warning says how many. Of the first `limit`
    records they are some, as in `convert`; `.head(n)` gives n events. `model` is another word for `from_`. Raise
    SourceError if there is nothing to read, UsageError for an unknown model.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive_full.jsonl")
    >>> events.filter(name="purchase").select("price", "quantity", "currency").collect().rows()
    [(4.99, 2.0, 'USD')]
    >>> translate.scan("sample_data/mobile_analytics/archive_full.jsonl", where="name = 'purchase'").collect().height
    1
    """
    if limit is not None and limit > ROWS_MAX:
        limit = None
    selection = selection_of(where, since, until, limit)
    told = settings_of(settings, set_, mappings)
    job, recognised = job_of(source, to=HUB_MODEL, from_=from_ or model, settings=told, selection=selection)
    frame = register_io_source(_event_batches(job, recognised), schema=pl.Schema(events.SCHEMA), is_pure=True)
    hub: pl.LazyFrame = _of_ours(frame)
    return hub


class HubFrame(pl.LazyFrame):
    """Hub events, not yet read: a frame of polars, whose errors say what hub events have instead."""

    def filter(self, *conditions: Any, **values: Any) -> Any:
        """Filter as polars does; raise CallError for SQL."""
        for condition in conditions:
            if isinstance(condition, str):
                raise CallError(
                    f"filter: takes conditions of polars, such as pl.col(\"name\") == 'purchase', but is {condition!r}; "
                    f"SQL is for scan(..., where={condition!r})"
                )
        return super().filter(*conditions, **values)

    def collect(self, *given: Any, **named: Any) -> Any:
        """Collect as polars does."""
        with _explained():
            return super().collect(*given, **named)

    def collect_schema(self) -> pl.Schema:
        """Tell the columns as polars does."""
        with _explained():
            return super().collect_schema()

    def group_by(self, *given: Any, **named: Any) -> Any:
        """Group as polars does."""
        return _Groups(super().group_by(*given, **named))

    def group_by_dynamic(self, *given: Any, **named: Any) -> Any:
        """Group by spans of time as polars does."""
        return _Groups(super().group_by_dynamic(*given, **named))

    def sql(self, *given: Any, **named: Any) -> Any:
        """Ask in SQL as polars does, whose columns are the hub's."""
        with _explained():
            return _of_ours(super().sql(*given, **named))


def _of_ours(frame: pl.LazyFrame) -> Any:
    return HubFrame._from_pyldf(frame._ldf)  # noqa: SLF001  polars keeps the class of what it makes so, and has no other word for it


class _Groups:
    """Groups of polars that give frames of ours."""

    def __init__(self, groups: Any) -> None:
        self._groups = groups

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._groups, name)

        @functools.wraps(found)
        def called(*given: Any, **named: Any) -> Any:
            made = found(*given, **named)
            return _of_ours(made) if isinstance(made, pl.LazyFrame) else _Groups(made)

        return called


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Put a note beneath an error of polars that says what to write on hub events."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        if not getattr(error, "__notes__", None):
            for note in notes_on(error):
                error.add_note(note)
        raise


def _event_batches(job: Job, recognised: Recognised) -> Any:
    """Give what polars calls for the events of a query: only its columns and its rows leave the reader."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_wanted: int | None, batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_rows
        if predicate is not None:  # what cannot be asked of any event is told before one is read
            TRIED.lazy().filter(predicate).collect(engine="in-memory")
        # Of both, the rows are counted before they are filtered: `head(100).filter(...)` keeps fewer than 100.
        left, records = rows_wanted, job.selection.limit
        counted = left is not None or records is not None
        wanted = PushedDown(
            columns, None if counted else predicate, left if records is None else None, job.selection
        )
        unread = 0
        for whole in _while_wanted(hub_batches(job, recognised, wanted)):
            batch = whole if records is None else whole.head(records)
            records = None if records is None else records - batch.height
            good = batch.filter(pl.col("code").is_null()).drop("code")
            unread += batch.height - good.height
            frame = good if left is None else good.head(left)
            left = None if left is None else left - frame.height
            yield frame.filter(predicate) if counted and predicate is not None else frame
            if 0 in (left, records):
                break
        if unread and rows_wanted is None:
            warnings.warn(
                f"{unread:,} record{'s' if unread != 1 else ''} could not be read; convert() tells which and why",
                stacklevel=2,
            )

    return read


def _while_wanted(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Give batches as long as Python goes on; it waits for who draws them."""
    with awaited():
        yield from itertools.takewhile(lambda _: not EVERYTHING.is_over, batches)


@dataclass(frozen=True)
class PushedDown:
    """What a query asks of events: columns, which of them, and how many at most; None stands for all."""

    columns: Sequence[str] | None = None
    predicate: pl.Expr | None = None
    rows: int | None = None
    selection: Selection = ALL_EVENTS

    def of(self, frame: pl.LazyFrame, moved: Mapping[str, Moved]) -> pl.LazyFrame:
        """Give that, with `code` beside; records that cannot be read are there too, unless only some rows are wanted."""
        if self.selection:  # the limit is not one of a unit, which gives no more than that
            frame = replace(self.selection, limit=None).apply(frame, moved)
            frame = frame.filter(pl.col("code").is_not_null() | is_taken())
            frame = frame if self.selection.limit is None else frame.head(self.selection.limit)
        if self.predicate is not None:
            frame = frame.filter(pl.col("code").is_not_null() | self.predicate)
        if self.rows is not None:
            frame = frame.filter(pl.col("code").is_null()).head(self.rows)
        return frame.select("code", *(events.SCHEMA if self.columns is None else self.columns))


def hub_batches(job: Job, recognised: Recognised, wanted: PushedDown | None = None) -> Iterator[pl.DataFrame]:
    """Read unit by unit, each by way of the disk: whether a unit was read soundly is known only at its end."""
    asked = wanted or PushedDown()
    with tempfile.TemporaryDirectory(prefix="translate-") as scratch:
        file = Path(scratch) / "events.parquet"

        def attempt(job: Job, lines: Lines) -> tuple[None, set[str]]:
            frame, unsound = plan.hub_events(job, lines)
            wanted_here = asked.of(frame, moved_keys(job.source_layout))
            wanted_here.sink_parquet(file, compression="lz4", engine="streaming")
            return None, unsound

        for _ in Readings(job, recognised, Path(scratch)).each(attempt):
            yield from pl.scan_parquet(file).collect_batches(engine="streaming")


@checked
def write(
    frame: pl.LazyFrame | pl.DataFrame, *, to: str | None = None, recipe: str | os.PathLike[str] | None = None,
    settings: Given = None, set_: Iterable[str] = (), mappings: Folder | None = None, model: str | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """Turn hub events into a target's rows.

    The frame gets a column for each field of the layout, named by its place; free-form objects, lists and
    numbers are JSON text, and `row` is the whole row as JSON, for JSON layouts. Events that the target does not
    take are left out; a warning tells of those that it would refuse, another one of columns that are none of the
    hub's, which no row holds. `model` is another word for `to`.

    >>> import translate
    >>> events = translate.scan("sample_data/mobile_analytics/archive_full.jsonl")
    >>> translate.write(events, to="clickstream").select("event_type", "platform").collect().rows()
    [('_app_end', 'Android'), ('purchase', 'Android')]
    """
    target = to or model
    if target is None:
        raise UsageError(f"write: to is missing{WAYS_OUT['to']}")
    told = settings_of(settings, set_, mappings)
    target_mapping, layout = mapping.find_layout(target, told.mappings)
    if not layout.write:
        raise UsageError(f"{layout.address} cannot be written")
    told = legal_app_ids(told, layout)
    chosen = recipes.load(recipe, told.mappings) if recipe is not None else None
    ours, strangers = of_frame(frame.lazy())
    if strangers:
        warnings.warn(f"write: {strangers}", stacklevel=3)
    hub = plan.from_hub(ours, of_others=True)
    marked = mapping.marked_anywhere(told.mappings) if chosen else []
    prepared = chosen.apply(hub, marked) if chosen else plan.without_recipe(hub)
    prepared = money.with_quantity(prepared, told.missing_quantity)
    set_columns = chosen.set_columns if chosen else frozenset()
    columns = dataset.named(target_mapping, chosen.columns if chosen else (), told)
    layout, prepared = dataset.with_columns(layout, columns), dataset.moved(prepared, columns)
    writer = Writer(target_mapping, layout, told, Source(frozenset(events.SCHEMA), {}, set_columns))
    judged = by_batches(writer.rows(prepared), _warn_of_rejects)
    rows = judged.filter(pl.col("code").is_null() & pl.col(FILTERED).is_null())
    fields = [*writer.columns, *writer.shape.containers.values()]
    places = {entry.place: pl.col(f"={entry.place}") for entry in fields}
    whole = {"row": pl.col(ROW)} if layout.records == "json-lines" else {}
    return rows.select(**places, **whole)


def _warn_of_rejects(batch: pl.DataFrame) -> pl.DataFrame:
    refused = batch.filter(pl.col("code").is_not_null())
    if refused.height:
        first = refused["message"][0]
        warnings.warn(f"{refused.height} events cannot be written, for example because {first}", stacklevel=2)
    return batch
