"""Who takes part: the driver and the executors, their versions, engines and platforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from translate.errors import UsageError
from translate.spark.refusals import told_of_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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
            from translate.engine.choice import engine
            from translate.version import VERSION

            told["translate"], told["engine"] = VERSION, engine().removeprefix("engine: ")
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
