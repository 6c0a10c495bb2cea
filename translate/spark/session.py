"""The session that a command asks for: Spark's own where it was submitted, else one of this machine or of a named master."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from translate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXTRA = "pip install 'translate-events[spark]'"
THREADS = "spark.executorEnv.POLARS_MAX_THREADS"


@contextlib.contextmanager
def session_of(master: str | None) -> Iterator[SparkSession]:
    """Give a session, and stop it afterwards; raise UsageError where there is no PySpark, OutputError where none starts."""
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError(f"PySpark cannot be imported ({error}); install it: {EXTRA}") from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        SparkContext._ensure_initialized()  # noqa: SLF001  until then a submitted configuration is not seen
        told = SparkConf()
        builder = SparkSession.builder.appName("translate").master(
            master or told.get("spark.master") or "local[*]"
        )
        if not told.contains(THREADS):  # else each task would take all cores of its machine
            builder = builder.config(THREADS, told.get("spark.task.cpus") or "1")
        spark = builder.config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower()).getOrCreate()
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise OutputError(
            f"Spark does not start ({reason}); it needs Java 17, and a master that answers"
        ) from error
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        spark.stop()
