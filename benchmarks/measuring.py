"""Runs whole commands and measures them: wall clock, CPU of the process tree, and the most memory that was held."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).resolve().parent / "peers"


class FailedError(Exception):
    """A command did not do its work."""


@dataclass(frozen=True)
class Contender:
    """A command that reads a source and makes a target, which is removed after it was measured."""

    name: str
    command: Callable[[Path], list[str]]
    # translate ends with 1 where records were rejected or findings made.
    codes: Collection[int] = (0,)
    cores: int | None = None
    threads: int | None = None  # of polars' pool, else as many as cores


@dataclass(frozen=True)
class Run:
    """What one run took; memory is the largest process's."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass
class Measured:
    """All runs of a contender."""

    name: str
    runs: list[Run] = field(default_factory=list)

    def least(self, what: str) -> float:
        """Give the least of all runs."""
        return min(getattr(run, what) for run in self.runs)

    def median(self, what: str) -> float:
        """Give the median of all runs."""
        return statistics.median(getattr(run, what) for run in self.runs)

    def times(self, other: Measured, what: str) -> float:
        """Say how many times as much as another, by the medians."""
        return self.median(what) / other.median(what)


def python(script: Path, *arguments: object) -> list[str]:
    return [sys.executable, str(script), *map(str, arguments)]


def translate(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "translate", *map(str, arguments)]


def run(contender: Contender, target: Path) -> Run:
    """Let a contender make its target, pinned to as many cores as it may use; what it says goes to a file beside."""
    all_cores = sorted(os.sched_getaffinity(0))
    cores = all_cores[: contender.cores]
    # What is installed has its bytecode; here the first run leaves it.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {
        **inherited,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), inherited.get("PYTHONPATH")])),
        "POLARS_MAX_THREADS": str(contender.threads or len(cores)),
    }
    said, complaints = target.with_suffix(".out"), target.with_suffix(".err")
    with said.open("wb") as out, complaints.open("wb") as err:
        # A child has the cores that its parent has when it begins.
        os.sched_setaffinity(0, cores)
        begin = time.perf_counter()
        child = subprocess.Popen(
            contender.command(target),
            env=environment,
            stdout=out,
            stderr=err,
        )
        os.sched_setaffinity(0, all_cores)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    is_made = child.returncode == 0 or target.exists() or said.stat().st_size > 0
    if child.returncode not in contender.codes or not is_made:
        last = complaints.read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise FailedError(f"{contender.name} ended with {child.returncode}: {last}")
    # Linux counts it in kilobytes.
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def measure(contenders: list[Contender], scratch: Path, rounds: int) -> dict[str, Measured]:
    """Let all run in each round, every other round the other way about."""
    measured = {contender.name: Measured(contender.name) for contender in contenders}
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            target = scratch / "measured"
            measured[contender.name].runs.append(run(contender, target))
            remove(target)
    return measured


def size_of(place: Path) -> int:
    """Count the bytes of a file or of all files of a folder."""
    if place.is_file():
        return place.stat().st_size
    return sum(path.stat().st_size for path in place.glob("**/*") if path.is_file())


def remove(target: Path) -> None:
    """Remove what a contender made, and what it said."""
    shutil.rmtree(target, ignore_errors=True)
    for suffix in (".out", ".err"):
        target.with_suffix(suffix).unlink(missing_ok=True)
