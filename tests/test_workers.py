"""Workers: whatever their number, and whichever of them is killed, what is left behind is the same to the byte."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from test_bucket_output import held
from test_interruptions import tree
from test_parts import content
from test_personal_data import SECRET, hashed
from test_stores import archive, store  # noqa: F401  a fixture is found by its name
from waiting import wait_for

import translate
from translate.archive import spool, units
from translate.conversion import workers
from translate.conversion.reading import Step
from translate.conversion.workers import Worker, WorkerLostError
from translate.errors import ExitCode, OutputError, SourceError, UsageError
from translate.recipe.privacy import KEY

SIZE = 20_000
MANY = 300


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large file and two small ones, with damaged records."""
    folder = tmp_path_factory.mktemp("source")
    for name, count in (("a.json", 400), ("b.json", 20), ("c.json", 20)):
        (folder / name).write_bytes(content(count))
    return folder


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"to": "clickstream", "compression": "gzip", "examples": True, "census": True}, 2),
        ({"to": "hub", "dedupe": True}, 2),
        ({"to": "clickstream", "add": ["first_open", "session_number"], "fold": True}, 2),
        ({"to": "clickstream/requests"}, 3),
        ({"to": "clickstream", "limit": 100}, 2),
        ({"to": "clickstream", "erase": "left_out"}, 2),
    ],
    ids=str,
)
def test_it_is_the_same_for_any_number(options, count, source, tmp_path):
    """Parts, rejects, report and the list of files are those of a single process, and nothing else is left."""
    if "erase" in options:
        (tmp_path / "left_out").write_text("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\n")
        options = {**options, "erase": tmp_path / "left_out"}
    one = translate.convert(source, out=tmp_path / "one", part_size=SIZE, **options)
    steps: list[Step] = []
    several = translate.convert(
        source, out=tmp_path / "several", part_size=SIZE, workers=count, progress=steps.append, **options
    )
    assert dict(one) == dict(several)
    assert tree(tmp_path / "one") == tree(tmp_path / "several")
    if "limit" not in options and "erase" not in options:
        assert len([*(tmp_path / "one" / "data").iterdir()]) > 3
        assert (steps[-1].files, steps[-1].events) == (3, one["events"]["read"])
        assert [step.bytes for step in steps] == sorted(step.bytes for step in steps)
        assert steps[-1].bytes_total == steps[-1].bytes


@pytest.fixture
def killing(monkeypatch):
    """Kill the worker that is asked for the unit 1, as often as the list says."""
    send, times = Worker._send, [0]

    def sent(self, message):
        send(self, message)
        if isinstance(message, tuple) and message[1].unit.number == 1 and times[0]:
            times[0] -= 1
            self._process.kill()

    monkeypatch.setattr(Worker, "_send", sent)
    return times


def test_a_killed_worker_costs_a_second_attempt(source, tmp_path, killing):
    """Another one makes its unit; where that is killed too, the run ends, and the same call goes on."""
    translate.convert(source, to="clickstream", out=tmp_path / "one", part_size=SIZE)
    killing[0] = 1
    translate.convert(source, to="clickstream", out=tmp_path / "two", part_size=SIZE, workers=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    killing[0] = 2
    with pytest.raises(OutputError, match="killed twice while it made part 1"):
        translate.convert(source, to="clickstream", out=tmp_path / "three", part_size=SIZE, workers=2)
    assert killing[0] == 0
    assert not [*(tmp_path / "three" / ".translate" / "scratch").glob("*")]
    translate.convert(source, to="clickstream", out=tmp_path / "three", part_size=SIZE, workers=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "three")


def test_what_is_wrong_in_a_worker_is_raised_here(source, tmp_path, monkeypatch):
    """Also where an error cannot travel as it is."""
    monkeypatch.setattr(workers, "START", (sys.executable, "-c", BROKEN))
    with pytest.raises(OutputError, match="OddError: the disk is full of bees"):
        translate.convert(source, to="clickstream", out=tmp_path / "out", part_size=SIZE, workers=2)
    with pytest.raises(UsageError, match="at least one"):
        translate.convert(source, to="clickstream", out=tmp_path / "out", workers=0)


BROKEN = """
from translate.conversion import workers
class OddError(Exception):
    def __init__(self, what, where):
        super().__init__(f"{what} is full of {where}")
def done(*given):
    raise OddError("the disk", "bees")
workers.work_on = done
workers.work()
"""


def test_a_worker_that_does_not_start_is_lost(monkeypatch):
    """Whoever asks hears it."""
    monkeypatch.setattr(workers, "START", (sys.executable, "-c", ""))
    with pytest.raises(WorkerLostError):
        Worker(None, 1).ask("make", None, 1, lambda *_: None)


# -- objects of a bucket ----------------------------------------------------------------------------------------------


@pytest.fixture
def objects(store, tmp_path, monkeypatch):  # noqa: F811
    """An archive in a bucket that makes several parts: small objects, one in ranges, a table of its own kind, one that is none."""
    monkeypatch.setattr(units, "PART_BYTES", 2_500)
    monkeypatch.setattr(units, "BUFFERED_MAX", 20_000)
    monkeypatch.setattr(spool, "SMALL_BYTES", 10_000)
    monkeypatch.setattr(spool, "RANGE_BYTES", 10_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    store.buckets["old"] = {
        **archive(),
        "awsma/2016/05/damaged.json": content(60),
        "awsma/2016/05/large.json": content(200),
        "awsma/2016/06/x.gz": b"%PDF-1.4 nothing",
    }
    yield store
    spool._spools.clear()
    gc.collect()
    assert [*(tmp_path / "temporary").iterdir()] == []


@pytest.mark.parametrize("room", [1 << 30, 2_000])
@pytest.mark.parametrize(
    ("options", "count", "reads"),
    [
        ({"to": "clickstream", "compression": "gzip"}, 2, 1),
        ({"to": "hub", "dedupe": True}, 2, 2),
        ({"to": "clickstream/requests"}, 3, 2),
    ],
    ids=str,
)
def test_objects_are_fetched_once_for_all(options, count, reads, room, objects, tmp_path, monkeypatch):
    """What a bucket is asked for is what one process asks for, and what comes of it is the same; who reads twice asks twice where room is short."""
    monkeypatch.setattr(spool, "KEPT_BYTES", room)
    translate.convert("s3://old/awsma", out=tmp_path / "one", **options)
    by_one = dict(objects.asked)
    objects.asked.clear(), spool._spools.clear()
    translate.convert("s3://old/awsma", out=tmp_path / "several", workers=count, **options)
    assert tree(tmp_path / "one") == tree(tmp_path / "several")
    assert len([*(tmp_path / "one" / "data").rglob("part-*")]) >= 5
    gets = {call: times for call, times in objects.asked.items() if call.startswith("GET")}
    assert gets.keys() == {call for call in by_one if call.startswith("GET")}
    if room > 2_000:
        assert objects.asked == by_one
    assert max(gets.values()) <= (1 if room > 2_000 else reads)


def test_from_bucket_to_bucket(objects, tmp_path):
    """Workers put parts where they belong, and leave nothing on this machine."""
    translate.convert("s3://old/awsma", to="clickstream", out="s3://empty/one")
    translate.convert("s3://old/awsma", to="clickstream", out="s3://empty/several", workers=2)
    assert held(objects, "one/") == held(objects, "several/")
    assert held(objects, "one-translate/") == held(objects, "several-translate/")


def test_what_a_store_refuses_is_told_as_ever(objects, tmp_path, monkeypatch):
    """One object that is gone is a reject; what is wrong with all of them ends the run, and the same call goes on."""
    call = {"to": "clickstream", "from_": "mobile_analytics/archive"}
    gone = "2016/05/damaged.json"
    objects.faults = [{"verb": "GET", "key": gone, "do": {"status": 404, "code": "NoSuchKey"}}]
    one = translate.convert("s3://old/awsma", out=tmp_path / "one", **call)
    several = translate.convert("s3://old/awsma", out=tmp_path / "several", workers=2, **call)
    assert dict(one) == dict(several)
    assert one["rejects"]["unreadable_file"] == 1
    assert tree(tmp_path / "one") == tree(tmp_path / "several")
    spool._spools.clear()
    objects.faults = [{"verb": "GET", "key": "part-00030", "do": {"status": 400, "code": "ExpiredToken"}}]
    with pytest.raises(SourceError, match=r"part-00030.gz: .* expired; sign in again, and repeat the call"):
        translate.convert("s3://old/awsma", out=tmp_path / "stopped", workers=2, **call)
    objects.faults = []
    translate.convert("s3://old/awsma", out=tmp_path / "stopped", workers=2, **call)
    translate.convert("s3://old/awsma", out=tmp_path / "undisturbed", **call)
    assert tree(tmp_path / "stopped") == tree(tmp_path / "undisturbed")


def test_a_killed_worker_costs_no_request(objects, tmp_path, killing):
    """Its second attempt reads the copies that were lent to the first one."""
    translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "one")
    objects.asked.clear(), spool._spools.clear()
    killing[0] = 1
    translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "two", workers=2)
    assert killing[0] == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert set(objects.asked.values()) == {1}


# -- the whole run ----------------------------------------------------------------------------------------------------


def begin(source, out, people):
    """Start a run that takes a while, in a process group of its own; wait until some of it is done."""
    command = [sys.executable, "-m", "translate", "convert", source, "--to", "clickstream", "--out", out]
    process = subprocess.Popen(
        [*map(str, command), "--part-size", str(SIZE), "--workers", "2", "--erase", str(people)],
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    def done():
        assert process.poll() is None, process.communicate()
        return list(out.glob(".translate/unit-*.json"))

    wait_for(done, "a unit is done")
    return process


def of_two(number, count):
    """Give lines of one of two clients."""
    return content(count) if number % 2 else content(count).replace(b"aaaaaaaa-", b"bbbbbbbb-")


def members(process):
    """Give the processes of a run that live."""
    asked = ["ps", "-o", "pid=,stat=", "--sid", str(process.pid)]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return [line.split()[0] for line in found.splitlines() if "Z" not in line.split()[1]]


@pytest.mark.skipif(
    not Path("/proc").exists() or not shutil.which("ps"), reason="processes are looked up with it"
)
@pytest.mark.parametrize("where", ["disk", "bucket"])
@pytest.mark.parametrize("how", ["kill", "ctrl-c", "terminate"])
def test_a_stopped_run_goes_on(how, where, store, tmp_path, monkeypatch):  # noqa: F811
    """Its workers end with it, half a part is nowhere, and the same call finishes the work, and proves who was erased."""
    monkeypatch.setenv(KEY, SECRET)
    (tmp_path / "people").write_text(f"{hashed('aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee')}\n")
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.json").write_bytes(of_two(number, MANY * 4))
    if where == "bucket":  # objects are not cut
        store.buckets["old"] = {f"in/{number}.json": of_two(number, MANY) for number in range(12)}
    source = tmp_path / "in" if where == "disk" else "s3://old/in"
    process = begin(source, tmp_path / "out", tmp_path / "people")
    assert len(members(process)) == 3
    if how == "ctrl-c":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGKILL if how == "kill" else signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    if how != "kill":
        assert process.returncode == ExitCode.INTERRUPTED, said
        assert said.splitlines()[-1] == "translate: interrupted; repeat the call to resume it"
    wait_for(lambda: not members(process), "all its processes end")
    done = len(list((tmp_path / "out").glob(".translate/unit-*.json")))
    assert done
    call = {"to": "clickstream", "part_size": SIZE, "erase": tmp_path / "people"}
    report = translate.convert(source, out=tmp_path / "out", workers=2, **call)
    assert (report["erasure"]["met"], report["erasure"]["found"]) == (1, 0)
    translate.convert(source, out=tmp_path / "undisturbed", **call)
    assert tree(tmp_path / "out") == tree(tmp_path / "undisturbed")
