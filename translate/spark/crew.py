"""The executors as a crew: each makes units of a run that the driver holds, in the way in which the driver would."""

from __future__ import annotations

import pickle
import shutil
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from translate.conversion.bucket_output import BucketTarget, Prefix, output_of
from translate.conversion.erased import LookedThrough, look_through, traces_of
from translate.conversion.errands import (
    Errand,
    attempt,
    first_numbers,
    is_numbered_through,
    packed,
    portion_of,
    refuse_other_keys,
    refuse_unreached,
    unpacked,
)
from translate.conversion.run import Conversion
from translate.errors import UsageError
from translate.passes import Passes
from translate.spark.cluster import ASKED_EACH, carried, refuse_different, spark_check, told_of_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LIMITED = (
    "--limit takes the first events, and only a single process knows which they are: leave out --engine spark"
)
APART = (
    "--dedupe, --add and --fold write down what they found below --state, and executors read it there: with --out s3://... "
    "name a folder as --state that driver and executors share"
)


def refuse_by_name(*, limit: int | None = None, **_: Any) -> None:
    """Raise UsageError for what a cluster cannot do with the result that one machine has."""
    if limit is not None:
        raise UsageError(LIMITED)


# -- on the driver ----------------------------------------------------------------------------------------------------


class SparkCrew:
    """Makes the units of one run by the executors of a session, one task each."""

    def __init__(self, spark: SparkSession) -> None:
        self._context = spark.sparkContext
        self._spark = spark
        self._errand: Any = None

    def survey(self, run: Conversion, passes: Passes) -> None:
        """Read all units for what the passes need to know."""
        if isinstance(run.target, BucketTarget) and isinstance(run.target.books, Prefix):
            raise UsageError(APART)
        errand = self._told(run, passes)
        portions = [packed(portion_of(unit, run.recognised)) for unit in run.told_units()]
        self._each("looks through the archive", partial(_surveyed, errand), portions)

    def make(self, run: Conversion, passes: Passes | None) -> None:
        """Make all units that remain; raise what a single process would."""
        remaining = list(run.remaining())
        if not remaining:
            return
        errand = self._told(run, passes)
        portions = {unit.number: packed(portion_of(unit, run.recognised)) for unit in remaining}
        first = dict.fromkeys(portions, 1)
        if is_numbered_through(run):
            counted = self._each("counts requests", partial(_counted, errand), list(portions.values()))
            first = first_numbers(run, dict(zip(portions, counted, strict=True)))
        self._each(
            "makes units", partial(_made, errand), [(portions[number], first[number]) for number in portions]
        )
        run.output.catch_up()

    def _told(self, run: Conversion, passes: Passes | None) -> Any:
        """Tell executors what is to be done with each unit, once they are known to be alike and to reach the target."""
        if self._errand is None:
            refuse_different(spark_check(self._spark))
            self._errand = self._context.broadcast(packed(Errand.of(run, passes)))
            probes = max(2, self._context.defaultParallelism) * ASKED_EACH
            self._each("reaches the target", partial(_reached, self._errand), range(probes))
        return self._errand

    def look_through(self, run: Conversion, names: list[str], texts: dict[str, int]) -> list[LookedThrough]:
        """Have what was written read again, a share a task."""
        errand = self._told(run, None)
        count = max(2, self._context.defaultParallelism) * ASKED_EACH
        shares = [share for number in range(count) if (share := names[number::count])]
        found = self._each("looks for who was erased", partial(_looked, errand, texts), shares)
        return [seen for each in found for seen in each]

    def _each(self, doing: str, work: Callable[[Any], Any], given: Sequence[Any]) -> list[Any]:
        """Have each of some things done by a task of its own; give the answers in order."""
        self._context.setJobDescription(f"translate {doing}")
        with told_of_spark():
            return list(self._context.parallelize(given, len(given)).map(work).collect())


# -- on an executor ---------------------------------------------------------------------------------------------------


def _reached(errand: Any, _: Any) -> None:
    with carried():
        told: Errand = unpacked(errand.value)
        told.order.ask_stores_alike()
        refuse_unreached(output_of(told.target, {}), told)
        refuse_other_keys(told)


def _surveyed(errand: Any, given: bytes) -> None:
    portion = pickle.loads(given)  # noqa: S301  the driver's own
    with carried(), attempt(unpacked(errand.value), portion) as (run, passes):
        assert passes is not None
        run.look_into(portion.unit, passes)


def _made(errand: Any, given: tuple[bytes, int]) -> None:
    portion, first = pickle.loads(given[0]), given[1]  # noqa: S301  the driver's own
    with carried(), attempt(unpacked(errand.value), portion) as (run, passes):
        run.make(portion.unit, passes, first)


def _looked(errand: Any, texts: dict[str, int], names: list[str]) -> list[LookedThrough]:
    with carried():
        told: Errand = unpacked(errand.value)
        told.order.ask_stores_alike()
        refuse_other_keys(told)
        output = output_of(told.target, {}, f"look-{uuid.uuid4().hex}")
        refuse_unreached(output, told)
        erasing = told.order.job.erasing()
        assert erasing is not None  # else nobody is looked for
        try:
            return look_through(output.at_hand, names, traces_of(erasing.erasure, texts))
        finally:
            shutil.rmtree(output.scratch, ignore_errors=True)


def _counted(errand: Any, given: bytes) -> int:
    portion = pickle.loads(given)  # noqa: S301  the driver's own
    with carried(), attempt(unpacked(errand.value), portion) as (run, passes):
        return run.requests_of(portion.unit, passes)
