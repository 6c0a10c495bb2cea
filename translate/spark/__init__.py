"""Conversions and scans on a cluster: Spark only says who makes which unit, with the code that makes it anywhere.

Executors make units of a run that the driver holds, as a crew, in the way in which it would, or read hub events as a
DataFrame of Spark: unit by unit, in batches that are bounded in bytes.
"""

from __future__ import annotations

import os
import pickle
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import events
from translate.archive.units import Unit
from translate.conversion.bucket_output import BucketTarget, Prefix
from translate.conversion.calls import Folder, Given, Moment, Sources, job_of, selection_of, settings_of
from translate.conversion.erased import LookedThrough, look_through, traces_of
from translate.conversion.errands import Crew, Errand, Order, portion_of, reached, work_on
from translate.conversion.frames import PushedDown, hub_batches
from translate.conversion.job import HUB_MODEL
from translate.conversion.ordered import SQL_TYPES
from translate.conversion.reading import Readings
from translate.conversion.run import Conversion
from translate.errors import UsageError, suggest
from translate.passes import Passes
from translate.spark.cluster import ASKED_EACH, carried, refuse_different, spark_check, told_of_spark
from translate.wording.arguments import checked

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from translate.conversion.converting import Converted

__all__ = ["convert", "refuse_by_name", "scan", "spark_check"]

LIMITED = (
    "--limit takes the first events, and only a single process knows which they are: leave out --engine spark"
)
DOING = {"survey": "looks through the archive", "count": "counts requests", "make": "makes units"}
APART = (
    "--dedupe, --add and --fold write down what they found below --state, and executors read it there: with --out s3://... "
    "name a folder as --state that driver and executors share"
)
# The JVM holds several at a time, and some events are a thousand times as long as others.
BATCH_BYTES = 8 * 2**20


def refuse_by_name(*, limit: int | None = None, **_: Any) -> None:
    """Raise UsageError for what a cluster cannot do with the result that one machine has."""
    if limit is not None:
        raise UsageError(LIMITED)


# -- on the driver ----------------------------------------------------------------------------------------------------


def convert(
    spark: SparkSession, source: Sources, *, to: str, out: str | os.PathLike[str], **options: Any
) -> Converted:
    """Convert an archive by the executors of a Spark session; arguments, report and errors as in `translate.convert`.

    Source and `out` must be reached from every executor: that is looked at before any work. What an executor that
    is lost had begun is made again. `limit` is refused: which events are the first, only a single process knows.
    """
    from translate.conversion.converting import Converted, conversion

    refuse_by_name(**options)
    ready = conversion(source, to=to, out=out, **options)
    if ready.asked and isinstance(ready.target, BucketTarget) and isinstance(ready.target.books, Prefix):
        raise UsageError(APART)
    ready.crew = SparkCrew(spark)
    return Converted(ready.run(), ready)


class SparkCrew(Crew):
    """Makes the units of one run by the executors of a session, one task each."""

    looks_through = True

    def __init__(self, spark: SparkSession) -> None:
        self._context = spark.sparkContext
        self._spark = spark
        self._errand: Any = None

    def _each(
        self, run: Conversion, passes: Passes | None, what: str, units: Iterator[Unit], first: dict[int, int]
    ) -> dict[int, Any]:
        given = [
            (pickle.dumps(portion_of(unit, run.recognised)), first.get(unit.number, 1), unit.number)
            for unit in units
        ]
        answers = (
            self._ask(DOING[what], partial(_done, self._told(run, passes), what), given) if given else []
        )
        return {number: answer for (_, _, number), answer in zip(given, answers, strict=True)}

    def _told(self, run: Conversion, passes: Passes | None) -> Any:
        """Tell executors what is to be done with each unit, once they are known to be alike and to reach the target."""
        if self._errand is None:
            refuse_different(spark_check(self._spark))
            self._errand = self._context.broadcast(pickle.dumps(Errand.of(run, passes)))
            probes = max(2, self._context.defaultParallelism) * ASKED_EACH
            self._ask("reaches the target", partial(_reached, self._errand), range(probes))
        return self._errand

    def look_through(self, run: Conversion, names: list[str], texts: dict[str, int]) -> list[LookedThrough]:
        """Have what was written read again, a share a task."""
        errand = self._told(run, None)
        count = max(2, self._context.defaultParallelism) * ASKED_EACH
        shares = [share for number in range(count) if (share := names[number::count])]
        found = self._ask("looks for who was erased", partial(_looked, errand, texts), shares)
        return [seen for each in found for seen in each]

    def _ask(self, doing: str, work: Callable[[Any], Any], given: Sequence[Any]) -> list[Any]:
        """Have each of some things done by a task of its own; give the answers in order."""
        self._context.setJobDescription(f"translate {doing}")
        with told_of_spark():
            return list(self._context.parallelize(given, len(given)).map(work).collect())


# -- on an executor ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def unpacked(text: bytes) -> Any:
    """Read what the driver wrote down; what many units share is read once, so that what is made of it is made once, too."""
    return pickle.loads(text)  # noqa: S301  the driver's own


def _reached(errand: Any, _: Any) -> None:
    with carried():
        reached(unpacked(errand.value))


def _done(errand: Any, what: str, given: tuple[bytes, int, int]) -> int | None:
    portion, first, _ = given
    with carried():
        return work_on(unpacked(errand.value), what, pickle.loads(portion), first)  # noqa: S301  the driver's own


def _looked(errand: Any, texts: dict[str, int], names: list[str]) -> list[LookedThrough]:
    with carried():
        told: Errand = unpacked(errand.value)
        output, erasing = reached(told, f"look-{uuid.uuid4().hex}"), told.order.job.erasing()
        assert erasing is not None  # else nobody is looked for
        try:
            return look_through(output.at_hand, names, traces_of(erasing.erasure, texts))
        finally:
            shutil.rmtree(output.scratch, ignore_errors=True)


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
    portions = [(pickle.dumps(portion_of(readings.told(unit), recognised)),) for unit in readings.units]
    order = context.broadcast(pickle.dumps(Order.of(job, recognised)))
    units = spark.createDataFrame(context.parallelize(portions, len(portions)), "portion binary")
    wanted = PushedDown(names, selection=selection)
    schema = ", ".join(f"`{name}` {SQL_TYPES[events.SCHEMA[name]]}" for name in names)
    return units.mapInArrow(partial(_of_units, order, wanted), schema)


def _known(columns: Sequence[str] | None) -> list[str]:
    names = list(events.SCHEMA) if columns is None else list(columns)
    for name in names:
        if name not in events.SCHEMA:
            raise UsageError(f'no column "{name}"{suggest(name, events.SCHEMA)}; docs/hub.md lists them')
    return names


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
