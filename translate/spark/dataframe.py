"""Hub events as a DataFrame of Spark: read by the executors, unit by unit, in batches that are bounded in bytes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import events
from translate.conversion.arguments import checked
from translate.conversion.calls import Folder, Given, Moment, Sources, job_of, selection_of, settings_of
from translate.conversion.errands import Order, packed, portion_of, unpacked
from translate.conversion.frames import PushedDown, hub_batches
from translate.conversion.job import HUB_MODEL
from translate.conversion.reading import Readings
from translate.errors import UsageError, suggest
from translate.spark.cluster import carried

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

BATCH_BYTES = (
    8 * 2**20
)  # the JVM holds several at a time, and some events are a thousand times as long as others
TYPES = {
    events.TEXT: "string",
    events.WHOLE: "bigint",
    events.NUMBER: "double",
    events.TIME: "timestamp",
    events.MAP: "map<string,string>",
}


@checked
def scan(
    spark: SparkSession, source: Sources, *, columns: Sequence[str] | None = None, from_: str | None = None,
    where: str | None = None, since: Moment = None, until: Moment = None, settings: Given = None,
    set_: Iterable[str] = (), mappings: Folder | None = None,
) -> DataFrame:  # fmt: skip
    """Give an archive's hub events, a partition a unit; read when Spark asks, and anew each time that it does.

    Columns as in `translate.events.COLUMNS`, maps as maps, times as timestamps; only those that are named are made.
    Records that cannot be read are left out: executors say in their logs how many, and `convert` which and why.
    Raise SourceError if there is nothing to read, UsageError for an unknown model or column.
    """
    names = _known(columns)
    selection = selection_of(where, since, until, None)
    job, recognised = job_of(
        source, to=HUB_MODEL, from_=from_, settings=settings_of(settings, set_, mappings), selection=selection
    )
    context = spark.sparkContext
    readings = Readings(job, recognised, Path(os.devnull))
    portions = [(packed(portion_of(readings.told(unit), recognised)),) for unit in readings.units]
    order = context.broadcast(packed(Order.of(job, recognised)))
    units = spark.createDataFrame(context.parallelize(portions, len(portions)), "portion binary")
    wanted = PushedDown(names, selection=selection)
    return units.mapInArrow(partial(_of_units, order, wanted), _spark_schema(names))


def _known(columns: Sequence[str] | None) -> list[str]:
    names = list(events.SCHEMA) if columns is None else list(columns)
    for name in names:
        if name not in events.SCHEMA:
            raise UsageError(f'no column "{name}"{suggest(name, events.SCHEMA)}; docs/hub.md lists them')
    return names


def _spark_schema(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}` {TYPES[events.SCHEMA[name]]}" for name in names)


# -- on an executor ---------------------------------------------------------------------------------------------------


def _of_units(order: Any, wanted: PushedDown, given: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    told: Order = unpacked(order.value)
    told.ask_stores_alike()
    for portions in given:
        for portion in portions.column(0).to_pylist():
            with carried():
                yield from _of_unit(told, unpacked(bytes(portion)), wanted)


def _of_unit(order: Order, portion: Any, wanted: PushedDown) -> Iterator[pa.RecordBatch]:
    unread = 0
    for frame in hub_batches(order.job, order.recognised(portion), wanted):
        good = frame.filter(pl.col("code").is_null()).drop("code")
        unread += frame.height - good.height
        yield from arrow_batches(good)
    if unread:
        warnings.warn(f"{unread} records could not be read; convert tells which and why", stacklevel=2)


def arrow_batches(frame: pl.DataFrame, bytes_max: int = BATCH_BYTES) -> Iterator[pa.RecordBatch]:
    """Give a frame in batches of so many bytes at most, unless one row has more, typed as every Spark reads them."""
    schema = _arrow_schema(frame.columns)
    waiting = [frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()]
    while waiting:
        rows = waiting.pop()
        if rows.nbytes > bytes_max and rows.num_rows > 1:
            middle = rows.num_rows // 2
            waiting += [rows.slice(middle), rows.slice(0, middle)]
        else:
            yield from rows.cast(schema).combine_chunks().to_batches()


def _arrow_schema(names: Iterable[str]) -> pa.Schema:
    import pyarrow as pa

    types = {
        events.TEXT: pa.string(), events.WHOLE: pa.int64(), events.NUMBER: pa.float64(),
        events.TIME: pa.timestamp("us", tz="UTC"), events.MAP: pa.map_(pa.string(), pa.string()),
    }  # fmt: skip
    return pa.schema([(name, types[events.SCHEMA[name]]) for name in names])
