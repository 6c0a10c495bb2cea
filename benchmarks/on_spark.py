"""Converts by executors that are pinned to a core each: python benchmarks/on_spark.py SOURCE OUT EXECUTORS.

Prints how many seconds that took and how much CPU time the executors, without what came before: a session with its
executors, and a first conversion, which starts their Python processes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import translate.spark
from translate.spark.cluster import session_of

EXECUTOR = b"CoarseGrainedExecutorBackend"
MEGABYTES = 2_048
WARM = Path(__file__).resolve().parent.parent / "sample_data" / "mobile_analytics" / "archive_full.jsonl"
TO = "clickstream/events"
TICK = os.sysconf("SC_CLK_TCK")


def main(source: str, out: str, count: int) -> None:
    """Convert, and print a line of JSON."""
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    with session_of(f"local-cluster[{count},1,{MEGABYTES}]") as spark:
        named = spark.sparkContext.applicationId.encode()
        executors = _executors(named, count)
        for number, process in enumerate(executors):
            _pin(process, number)
        translate.spark.convert(spark, str(WARM), to=TO, out=f"{out}-warm")
        before, begin = sum(map(_cpu_seconds, executors)), time.perf_counter()
        report = translate.spark.convert(spark, source, to=TO, out=out)
        seconds = time.perf_counter() - begin
        used = sum(map(_cpu_seconds, executors)) - before
    print(json.dumps({"seconds": seconds, "cpu_seconds": used, "events": report["events"]["written"]}))


def _executors(named: bytes, count: int) -> list[int]:
    """Give the processes of an application's executors, once all are there."""
    found: list[int] = []
    while len(found) < count:
        time.sleep(0.1)
        found = [
            int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _is_one(each, named)
        ]
    return sorted(found)


def _is_one(process: Path, named: bytes) -> bool:
    try:
        words = (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return False
    return EXECUTOR in words and named in words


def _pin(process: int, core: int) -> None:
    """Pin a process with all of its threads; what they start later inherits that."""
    cores = sorted(os.sched_getaffinity(0))
    for thread in (Path("/proc") / str(process) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), {cores[core % len(cores)]})


def _cpu_seconds(process: int) -> float:
    """Sum what a process and those that it started, and those that these did, took up to now."""
    total, parents = 0.0, {process}
    statuses = [
        status for each in Path("/proc").iterdir() if each.name.isdigit() if (status := _status(each))
    ]
    for _ in range(3):  # Spark's Python processes are children of a daemon's
        parents |= {number for number, parent, _ in statuses if parent in parents}
    for number, _, ticks in statuses:
        total += ticks / TICK if number in parents else 0
    return total


def _status(process: Path) -> tuple[int, int, int] | None:
    """Give a process's number, its parent's, and its ticks with those of its children that ended."""
    try:
        words = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(process.name), int(words[1]), sum(map(int, words[11:15]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
