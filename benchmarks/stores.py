"""Measures what an archive in a bucket costs beside the same one on disk: python benchmarks/stores.py [--rounds 3].

A server of this machine (loopback.py) stands for S3; its own work is not counted. Printed are the least CPU seconds of
some rounds, what they come to beside one another, and the median of what they do in one and the same round, how often each kind of call was made as the server counted it, and what one GET costs each client that is
installed. `--keys N` lists and plans N synthetic objects of a record each, and prints the most memory that took; with
`--convert` they are converted, too, by as many workers as `--workers` says, and with `--disk` the same as files. `--page` puts
what was printed between two marks of a page, which has a place for each of both:

    python benchmarks/stores.py --rounds 5 --page docs/stores.md
    python benchmarks/stores.py --keys 1000000 --convert --disk --page docs/stores.md
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from loopback import synthetic_key
from measuring import ROOT, Contender, Measured, measure, python, run, translate

HERE = Path(__file__).resolve().parent
FLAWED = (0, 1)
MEGABYTE = 1_000_000
HOURLY = 100  # files a folder
OF_MANY, OF_EACH = "benchmarks/stores.py --keys", "benchmarks/stores.py"  # between whose marks it is written
LINKS = 10_000  # to a file, of which disks allow no more than so many
GET = """
import json, os, resource, sys
kind, base, keys = sys.argv[1], sys.argv[2], [f"events-{number:05}.gz" for number in range(int(sys.argv[3]))]
if kind == "boto3":
    import boto3
    client = boto3.client("s3")
    def get(key): return client.get_object(Bucket="archive", Key=key)["Body"].read()
elif kind == "obstore":
    import obstore
    from obstore.store import S3Store
    store = S3Store("archive", endpoint=base, client_options={"allow_http": True}, virtual_hosted_style_request=False,
                    aws_access_key_id="a", aws_secret_access_key="b", region="us-east-1")
    def get(key): return obstore.get(store, key).bytes()
else:
    from translate.stores.access import Access
    from translate.stores.bucket import Bucket
    bucket = Bucket("archive", Access())
    def get(key): return bucket.read(key)
get(keys[0])
begin = resource.getrusage(resource.RUSAGE_SELF)
for key in keys: get(key)
end = resource.getrusage(resource.RUSAGE_SELF)
print((end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime) / len(keys) * 1000)
"""
LIST = """
import json, resource, sys, time
from translate.archive.sources import find
from translate.archive.units import units_of
begin = time.process_time()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
files = find(["s3://synthetic"])
planned = units_of([files])
print(json.dumps([len(files), len(planned), time.process_time() - begin, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--files", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keys", type=int)
    parser.add_argument("--convert", action="store_true")
    parser.add_argument("--disk", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--page", type=Path, help="a page of the documentation to write what was measured to")
    told = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        lines = []
        for line in (of_many if told.keys else of_each)(told, scratch):
            print(line, flush=True)
            lines.append(line)
        if told.page:
            put_into(told.page, OF_MANY if told.keys else OF_EACH, lines)


def of_each(told: argparse.Namespace, scratch: Path) -> Iterator[str]:
    """Measure an archive of many objects and of one, from disk and from a bucket, and one GET."""
    archives = {count: scratch / str(count) for count in (told.files, 1)}
    for count, archive in archives.items():
        made = python(HERE / "foreign.py", archive, "--records", told.records, "--files", count, "--gzip")
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    yield from compare(archives, scratch, told.rounds)
    yield from gets(scratch / str(told.files), min(told.files, 2_000), told.rounds)


def compare(archives: dict[int, Path], scratch: Path, rounds: int) -> Iterator[str]:
    """Convert each archive from disk and from a bucket, all of them in each round."""
    with contextlib.ExitStack() as servers:
        addresses = {count: servers.enter_context(served(archive)) for count, archive in archives.items()}
        calls = {}
        for count, archive in archives.items():
            calls[count, "disk"] = (str(archive),)
            calls[count, "bucket"] = ("s3://archive/", "--endpoint-url", addresses[count])
        contenders = [
            Contender(f"{count:>6,} objects from {where:<7}", lambda target, words=words: translate("convert", *words, "--to", "clickstream", "--out", target), FLAWED)
            for (count, where), words in calls.items()
        ]  # fmt: skip
        measured = measure(contenders, scratch, rounds)
        told = [asked(address) for address in addresses.values()]
    for name, found in measured.items():
        yield f"{name}{found.least('cpu_seconds'):8.2f} s CPU{found.least('peak_bytes') / 2**20:8.0f} MB"
    yield f"        calls in {rounds} rounds: {', '.join(map(str, told))}"
    yield from ratios(dict(zip(calls, measured.values(), strict=True)), max(archives))


def ratios(took: dict[tuple[int, str], Measured], files: int) -> Iterator[str]:
    for count in (files, 1):
        yield f"{count:,} objects, bucket : disk  {beside(took[count, 'bucket'], took[count, 'disk'])}"
    for where in ("disk", "bucket"):
        yield f"{where}, {files:,} objects : 1  {beside(took[files, where], took[1, where])}"


def beside(one: Measured, other: Measured) -> str:
    """Tell how much CPU one took beside another: by the least of each, and in the same round, the median."""
    least = one.least("cpu_seconds") / other.least("cpu_seconds")
    rounds = [a.cpu_seconds / b.cpu_seconds for a, b in zip(one.runs, other.runs, strict=True)]
    return f"{least:.2f}, round by round {statistics.median(rounds):.2f} ({min(rounds):.2f} to {max(rounds):.2f})"


def gets(archive: Path, count: int, rounds: int) -> Iterator[str]:
    """Measure what one GET costs each client, one after the other."""
    with served(archive) as address:
        os.environ["AWS_ENDPOINT_URL_S3"] = address
        for kind in ("translate", "obstore", "boto3"):
            command = [sys.executable, "-c", GET, kind, address, str(count)]
            runs = [
                subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(rounds)
            ]
            said = [float(run.stdout) for run in runs if run.returncode == 0]
            yield f"one GET by {kind:<10}{f'{min(said):.3f} ms CPU' if said else 'not installed'}"


@contextlib.contextmanager
def many(keys: int, scratch: Path) -> Iterator[str]:
    """Serve synthetic objects, each of which holds one record."""
    with served(None, "--keys", str(keys), "--body", str(one_record(scratch))) as address:
        os.environ["AWS_ENDPOINT_URL_S3"] = address
        yield address


def laid_down(keys: int, scratch: Path) -> Path:
    """Lay the same down as files, many of which are one to the disk."""
    body, archive = one_record(scratch).read_bytes(), scratch / "archive"
    for number in range(keys):
        path = archive / synthetic_key(number)
        if number % HOURLY == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        if number % LINKS == 0:
            (first := path).write_bytes(body)
        else:
            path.hardlink_to(first)
    return archive


def one_record(scratch: Path) -> Path:
    made = python(HERE / "foreign.py", scratch / "one", "--records", 1, "--files", 1, "--gzip")
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    (body,) = (scratch / "one").rglob("*.gz")
    return body


def of_many(told: argparse.Namespace, scratch: Path) -> Iterator[str]:
    """Measure what many objects cost, and many files."""
    with many(told.keys, scratch) as address:
        yield plan_many(address)
        if told.convert:
            begin_to_count(address)
            yield convert_many("s3://synthetic/", told.keys, told.workers, scratch)
            yield f"calls: {asked(address)}"
    if told.disk:
        yield convert_many(str(laid_down(told.keys, scratch)), told.keys, told.workers, scratch)


def put_into(page: Path, name: str, lines: list[str]) -> None:
    """Put what was measured into a page, between the marks of that name."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, behind = rest.partition(end)
    command = " ".join(["python benchmarks/stores.py", *sys.argv[1:]])
    block = "\n".join(["", "```text", f"$ {command}", *lines, "```", ""])
    page.write_text(f"{before}{begin}{block}{end}{behind}", encoding="utf-8")


def plan_many(address: str) -> str:
    """List and plan synthetic objects."""
    found = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True)
    count, units, seconds, before, peak = json.loads(found.stdout)
    held = f"{peak * 1024 / MEGABYTE:.0f} MB, {before * 1024 / MEGABYTE:.0f} MB before"
    return f"{count:,} objects listed and planned ({units:,} units): {seconds:.1f} s CPU, {held}; {asked(address)}"


def begin_to_count(address: str) -> None:
    """Have the server forget what it was asked."""
    urllib.request.urlopen(urllib.request.Request(f"{address}/_faults", b"[]", method="PUT")).close()


def convert_many(source: str, keys: int, workers: int, scratch: Path) -> str:
    """Convert synthetic objects, or the same as files."""
    words = ("convert", source, "--to", "clickstream", "--workers", workers, "--out")
    where = "objects of a bucket" if source.startswith("s3://") else "files"
    took = run(Contender("convert", lambda target: translate(*words, target), FLAWED), scratch / where)
    held = f"{took.peak_bytes / MEGABYTE:.0f} MB held at most"
    return f"{keys:,} {where} converted: {took.cpu_seconds:.0f} s CPU, {took.seconds:.0f} s, {held}"


def asked(address: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{address}/_told") as answer:
        return dict(json.load(answer)["told"])


@contextlib.contextmanager
def served(folder: Path | None, *more: str) -> Iterator[str]:
    """Serve a folder, or synthetic keys, by a process of its own."""
    command = [sys.executable, str(HERE / "loopback.py"), *([str(folder)] if folder else []), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
