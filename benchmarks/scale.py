"""Converts ten million records on this machine and on a cluster of one and of two executors, and plans from that.

    python benchmarks/scale.py --page docs/scale.md           the page of the documentation
    python benchmarks/scale.py --records 400000 --local       smaller, and without Spark

The archive is the one of the races (foreign.py): ten files that differ, each under several names, as .gz. Printed are
what was held in memory in each tenth of the local run, what two executors gained over one (each pinned to a core, its
pools with it; start-up excluded; the parts compared with the local run's), and a table of what archives of 100 GB, 1 TB
and 10 TB take, which is nothing but these figures multiplied.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from measuring import ROOT, Contender, Run, python, run, size_of, translate
from race import machine, table

DIFFERENT = 10
RECORDS_EACH = 100_000
TENTHS = 10
GIGABYTE = 1_000_000_000
ARCHIVES = {"100 GB": 100, "1 TB": 1_000, "10 TB": 10_000}
CORES = (2, 16, 64)
OBJECT_BYTES = 64 << 20  # of an object of the archives that are planned for, and of one GET
SMALL_BYTES = 1_000_000  # of an object of an archive of many small ones
LISTED_TOGETHER = 1_000
UPLOADED_TOGETHER = 16 << 20
# Dollars for a thousand, S3 Standard in us-east-1: https://aws.amazon.com/s3/pricing/
GET_DOLLARS, PUT_DOLLARS = 0.0004, 0.005
PAGE = """# Scale

What an archive takes, from figures that were measured and no others. Written by a run of

    {command}

{machine}

{text}
"""


@dataclass(frozen=True)
class Soak:
    """A long run of this machine: what it took, and the most megabytes held in each tenth of it."""

    run: Run
    held: list[int]
    source_bytes: int
    target_bytes: int


@dataclass(frozen=True)
class Job:
    """What executors took for a conversion, start-up excluded."""

    executors: int
    seconds: float
    cpu_seconds: float


def archive_of(records: int, scratch: Path) -> Path:
    """Make ten files that differ, each under as many names as it takes."""
    each = min(RECORDS_EACH, records // DIFFERENT)
    made, source = scratch / "made", scratch / "archive"
    command = python(
        ROOT / "benchmarks" / "foreign.py",
        made,
        "--records",
        each * DIFFERENT,
        "--files",
        DIFFERENT,
        "--gzip",
    )
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for time_around in range(max(1, records // (each * DIFFERENT))):
        folder = source / f"{time_around:03}"
        folder.mkdir(parents=True)
        for file in made.iterdir():
            os.link(file, folder / file.name)
    return source


# -- this machine -----------------------------------------------------------------------------------------------------


def soak(source: Path, target: Path) -> Soak:
    """Convert on this machine, and look at the memory meanwhile."""
    seen: list[int] = []
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(target.name, seen, over))
    contender = Contender(
        "convert",
        lambda out: translate("convert", source, "--to", "clickstream/events", "--out", out),
        (0, 1),
    )
    watching.start()
    took = run(contender, target)
    over.set()
    watching.join()
    share = max(1, ceil(len(seen) / TENTHS))
    held = [max(seen[begin : begin + share]) // 1_000 for begin in range(0, len(seen), share)]
    return Soak(took, held, size_of(source), size_of(target / "data"))


def _watch(named: str, seen: list[int], over: threading.Event) -> None:
    """Note the kilobytes that the conversion to a target holds."""
    while not over.wait(0.25):
        seen += [sum(held)] if (held := list(_held(named.encode()))) else []


def _held(named: bytes) -> Iterator[int]:
    for process in Path("/proc").iterdir():
        try:
            if (
                process.name.isdigit()
                and named in (words := (process / "cmdline").read_bytes())
                and b"convert" in words
            ):
                lines = (process / "status").read_text().splitlines()
                yield next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
        except (OSError, StopIteration):  # it has just ended
            continue


# -- a cluster --------------------------------------------------------------------------------------------------------


def on_executors(count: int, source: Path, target: Path) -> Job:
    """Convert by executors."""
    command = python(ROOT / "benchmarks" / "on_spark.py", source, target, count)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return Job(count, told["seconds"], told["cpu_seconds"])


def is_same(one: Path, other: Path) -> bool:
    """Tell whether two outputs have the same rows and books."""
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    others = sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    return names == others and not filecmp.cmpfiles(one, other, names, shallow=False)[1]


# -- what is said -----------------------------------------------------------------------------------------------------


def told_of_soak(soaked: Soak, records: int) -> str:
    """Say what this machine took."""
    rates = [
        ["events a second", f"{records / soaked.run.seconds:,.0f}"],
        ["wall clock, CPU seconds", f"{soaked.run.seconds:,.0f}, {soaked.run.cpu_seconds:,.0f}"],
        [
            "read (.gz), written (plain)",
            f"{soaked.source_bytes / GIGABYTE:,.2f} GB, {soaked.target_bytes / GIGABYTE:,.2f} GB",
        ],
        ["MB held at most, tenth by tenth", ", ".join(map(str, soaked.held))],
    ]
    return f"## {records:,} records on this machine\n\n{table(['what', 'measured'], rates)}"


def told_of_jobs(jobs: list[Job], soaked: Soak, records: int) -> str:
    """Say what executors took."""
    rows = [
        [
            str(job.executors),
            f"{job.seconds:,.0f}",
            f"{job.cpu_seconds:,.0f}",
            f"{jobs[0].seconds / job.seconds:.2f}",
        ]
        for job in jobs
    ]
    head = ["executors, a core each", "seconds", "their CPU seconds", "times as fast as one"]
    return (
        f"## The same {records:,} records by executors\n\n{table(head, rows)}\n\nStart-up excluded; parts, rejects and report are "
        f"those of the local run, which took {soaked.run.cpu_seconds:,.0f} CPU seconds with its start-up."
    )


def plan(soaked: Soak, speedup: float) -> str:
    """Tell what large archives take, by nothing but what was measured."""
    per_gigabyte = soaked.run.cpu_seconds / (soaked.source_bytes / GIGABYTE)
    grows = soaked.target_bytes / soaked.source_bytes
    rows = [_planned(name, size, per_gigabyte, grows, speedup) for name, size in ARCHIVES.items()]
    head = [
        "archive, .gz",
        "core hours",
        *(f"hours, {cores} cores" for cores in CORES),
        "written, plain",
        *_WHAT_S3_TAKES,
    ]
    return (
        f"## What an archive takes\n\n{table(head, rows)}\n\nCore hours are those of the run above a gigabyte of .gz. Hours on several "
        f"cores count {speedup:.2f} / 2 of each core, which is what the second one gave here; a machine whose cores are not two threads of one "
        "gives more. Requests: a GET for each 64 MB or object, a list for each thousand objects, a PUT for each 16 MB that is written back; "
        f"their price is that of S3 Standard in us-east-1 (${GET_DOLLARS} and ${PUT_DOLLARS} a thousand). In hourly objects of {SMALL_BYTES // 1_000_000} MB, "
        "the same archive takes as many GETs as it has objects, and lists for them: the second number."
    )


_WHAT_S3_TAKES = ("S3 requests: objects of 64 MB, of 1 MB", "their price")


def _planned(name: str, gigabytes: int, per_gigabyte: float, grows: float, speedup: float) -> list[str]:
    seconds, written = gigabytes * per_gigabyte, gigabytes * grows
    hours = [f"{seconds / 3_600 / (cores * speedup / 2):,.1f}" for cores in CORES]
    puts = ceil(written * GIGABYTE / UPLOADED_TOGETHER)
    requests, prices = [], []
    for size in (OBJECT_BYTES, SMALL_BYTES):
        gets = ceil(gigabytes * GIGABYTE / size)
        lists = ceil(gets / LISTED_TOGETHER)
        requests.append(f"{gets + lists + puts:,}")
        prices.append(f"${(gets * GET_DOLLARS + (lists + puts) * PUT_DOLLARS) / 1_000:,.2f}")
    return [
        name,
        f"{seconds / 3_600:,.0f}",
        *hours,
        f"{written:,.0f} GB",
        ", ".join(requests),
        ", ".join(prices),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=10_000_000, metavar="N")
    parser.add_argument("--local", action="store_true", help="leave Spark out")
    parser.add_argument("--page", type=Path, help="a page of the documentation to write")
    parser.add_argument("--directory", type=Path, help="where archive and outputs lie while they are needed")
    options = parser.parse_args()
    described = machine()
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="scale-") as folder:
        scratch = Path(folder)
        source = archive_of(options.records, scratch)
        begin = time.perf_counter()
        here = scratch / "here"
        soaked = soak(source, here)
        print(f"local: {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
        texts, speedup = [told_of_soak(soaked, options.records)], 1.0
        if not options.local:
            jobs = []
            for count in (1, 2):
                there = scratch / f"there-{count}"
                jobs.append(on_executors(count, source, there))
                print(f"{count} executors: {jobs[-1].seconds:.0f} s", file=sys.stderr, flush=True)
                if not is_same(here, there):
                    sys.exit(f"what {count} executors wrote is not what this machine wrote")
                shutil.rmtree(there)
            speedup = jobs[0].seconds / jobs[1].seconds
            texts.append(told_of_jobs(jobs, soaked, options.records))
        text = "\n\n".join([*texts, plan(soaked, speedup)])
    print(text)
    if options.page:
        command = shlex.join(["python", "benchmarks/scale.py", *sys.argv[1:]])
        options.page.write_text(PAGE.format(command=command, machine=described, text=text))


if __name__ == "__main__":
    main()
