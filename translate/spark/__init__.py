"""Conversions and scans on a cluster: Spark only says who makes which unit, with the code that makes it anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from translate.spark.cluster import spark_check
from translate.spark.executors import SparkCrew, refuse_by_name, scan

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from translate.conversion.calls import Sources
    from translate.conversion.converting import Converted

__all__ = ["convert", "refuse_by_name", "scan", "spark_check"]


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
    ready.crew = SparkCrew(spark)
    return Converted(ready.run(), ready)
