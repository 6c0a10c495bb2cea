"""A cluster: the session that a command asks for, who takes part, and how what went wrong on an executor comes home."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from translate import errors
from translate.errors import ConservationError, OutputError, SourceError, TranslateError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# -- the session ---------------------------------------------------------------------------------------------

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


# -- who takes part: the driver and the executors, their versions, engines and platforms ---------------------

ASKED_EACH = 4  # questions a core, so that none of the executors that are there is likely to be left out
SAME = ("translate", "polars", "engine")  # else parts might differ
FIX = "give driver and executors one environment: the same archive, or the same installation on every machine"


@dataclass(frozen=True)
class Member:
    """A process that takes part, and what it says of itself."""

    role: str
    told: dict[str, str]

    @property
    def shown(self) -> str:
        """Name it."""
        return f"{self.role} on {self.told['host']}"


def self_description() -> Callable[[], dict[str, str]]:
    """Give what describes the process that calls it; it travels by value, to where this package may not be installed."""

    def described() -> dict[str, str]:
        import importlib.metadata
        import os
        import platform
        import socket
        import sys

        told = {
            "host": socket.gethostname(),
            "platform": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}".strip(
                ", "
            ),
            "python": f"{platform.python_version()} ({sys.executable})",
        }
        for package in ("pyspark", "polars", "pyarrow"):
            try:
                told[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                told[package] = "missing"
        try:
            from translate import __version__
            from translate.engine.choice import engine

            told["translate"], told["engine"] = __version__, engine().removeprefix("engine: ")
        except Exception as error:  # noqa: BLE001  whatever it is, it is what has to be told
            told["translate"], told["engine"] = "missing", f"{type(error).__name__}: {error}"
        told["threads"] = os.environ.get("POLARS_MAX_THREADS") or f"{os.cpu_count()} (all)"
        return told

    return described


def spark_check(spark: SparkSession) -> list[Member]:
    """Ask the driver and all executors that answer for their versions, engine and platform."""
    driver = Member("driver", self_description()())
    answers = _asked(spark, self_description())
    return [driver, *(Member("executor", told) for told in answers)]


def differences(members: list[Member]) -> list[str]:
    """Say in what executors differ from the driver so that parts might, too."""
    driver, *executors = members
    return [
        f"{member.shown}: {name} is {member.told[name]}, the driver's {driver.told[name]}"
        for member in executors
        for name in SAME
        if member.told[name] != driver.told[name]
    ]


def refuse_different(members: list[Member]) -> None:
    """Raise UsageError if executors differ from the driver so that parts might, too."""
    different = differences(members)
    if different:
        raise UsageError(f"{different[0]}; {FIX} (`translate spark-check` tells all)")


def _asked(spark: SparkSession, describe: Callable[[], dict[str, str]]) -> list[dict[str, str]]:
    """Give the different answers, in order."""

    def answer(_: Any) -> dict[str, str]:
        import time

        time.sleep(0.05)  # so that one core does not answer for all
        return describe()

    context = spark.sparkContext
    count = max(2, context.defaultParallelism) * ASKED_EACH
    with told_of_spark():
        answers = context.parallelize(range(count), count).map(answer).collect()
    distinct = {tuple(sorted(told.items())): told for told in answers}
    return [distinct[key] for key in sorted(distinct)]


# -- what went wrong on an executor: our own errors as such, in their own words, and Spark's in one sentence --

MARK = re.compile(r"<translate: (\{.*?\}) :translate>")
REASONS = re.compile(r"(?:ModuleNotFoundError|ImportError|PySparkRuntimeError|ExecutorLostFailure)\b.*")
CARRIED = (UsageError, SourceError, OutputError, ConservationError)


class CarriedError(Exception):
    """An error of ours on its way through Spark, which knows text alone."""


@contextlib.contextmanager
def carried() -> Iterator[None]:
    """Have errors of ours arrive at the driver."""
    try:
        yield
    except TranslateError as error:
        kind = next((kind for kind in CARRIED if isinstance(error, kind)), OutputError)
        told = json.dumps({"kind": kind.__name__, "message": error.typed})
        raise CarriedError(f"<translate: {told} :translate>") from error


@contextlib.contextmanager
def told_of_spark() -> Iterator[None]:
    """Raise as our own what went wrong in a job of Spark."""
    try:
        yield
    except TranslateError:
        raise
    except Exception as error:
        raise _of(str(error)) from error


def _of(text: str) -> TranslateError:
    ours = MARK.search(text)
    if ours:
        told = json.loads(ours[1])
        kind: type[TranslateError] = getattr(errors, told["kind"])
        return kind(told["message"])
    reason = REASONS.search(text)
    told_first = reason[0] if reason else next(iter(text.strip().splitlines()), "no reason told")
    return OutputError(f"Spark gave up: {told_first}; what is finished stays, and the same call goes on")
