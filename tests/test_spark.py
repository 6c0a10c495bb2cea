"""Spark itself, with two executors of their own processes: the same bytes, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from test_bucket_output import held
from test_erasure import EVE, KEY, SECRET, hashed, record
from test_spark_crew import source, whole  # noqa: F401  a fixture is found by its name
from test_stores import store, written  # noqa: F401
from waiting import wait_for

import translate
from translate import spark as on_spark

pytest.importorskip("pyspark.sql", reason="PySpark is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # whatever PySpark has to say of versions
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none"),
]
# A Java of some seconds is at its end before its second compiler has saved what it costs.
JAVA = ("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
TWO_EXECUTORS = "local-cluster[2,1,1024]"
EXECUTOR = b"CoarseGrainedExecutorBackend"


@pytest.fixture(scope="module", autouse=True)
def short_lived_java():
    """Have every Java that these tests start compile quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*JAVA)
        yield


@pytest.fixture(scope="module")
def spark(short_lived_java):
    """A session with two executors."""
    from translate.spark.cluster import session_of  # noqa: PLC0415

    patch = pytest.MonkeyPatch()
    patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    patch.setenv(KEY, SECRET)
    with session_of(TWO_EXECUTORS) as session:
        yield session
    patch.undo()


def executors(session):
    """Give the process ids of a session's executors, each by what it was started for."""
    named = session.sparkContext.applicationId.encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:  # it has just ended
                continue
            if EXECUTOR in words and named in words:
                yield int(entry.name)


def test_it_is_the_same_to_the_byte(spark, source, tmp_path):  # noqa: F811
    """Requests that are numbered over all units, made by two executors: parts, rejects and report are the same."""
    call = {"to": "clickstream/requests", "compression": "gzip", "dedupe": True}
    here = translate.convert(source, out=tmp_path / "here", **call)
    there = on_spark.convert(spark, source, out=tmp_path / "there", **call)
    assert dict(here) == dict(there)
    assert whole(tmp_path / "here") == whole(tmp_path / "there")
    assert len(list(executors(spark))) == 2


@pytest.mark.parametrize("listed", [EVE, hashed(EVE)], ids=["id", "hash"])
def test_executors_erase_and_read_again(spark, source, tmp_path, listed):  # noqa: F811
    """What one executor met stands for whom the other looks for: parts, rejects and proof are what one machine makes."""
    for name, members in {
        "2016/03/first": {},
        "2016/06/last": {"attributes": {"note": f"asked {EVE}"}},
    }.items():
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{json.dumps(record(who, **members))}\n" for who in (EVE, "c-1")))
    call = {"to": "clickstream", "erase": ["nobody", listed]}
    here = translate.convert(source, out=tmp_path / "here", **call)
    there = on_spark.convert(spark, source, out=tmp_path / "there", **call)
    assert dict(here) == dict(there)
    assert whole(tmp_path / "here") == whole(tmp_path / "there")
    assert [there["erasure"][name] for name in ("met", "events", "found")] == [1, 2, 1]
    assert len(list(executors(spark))) == 2


def test_a_killed_executor_changes_nothing(spark, source, tmp_path):  # noqa: F811
    """An executor that dies in mid-job costs a second attempt at what it had begun."""
    translate.convert(source, to="clickstream", out=tmp_path / "here")
    state = tmp_path / "there" / ".translate"

    def kill():
        wait_for(lambda: any(state.glob("unit-*.json")), "a unit is done", seconds=300)
        os.kill(next(executors(spark)), signal.SIGKILL)

    with ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill)
        on_spark.convert(spark, source, to="clickstream", out=tmp_path / "there")
        killing.result()
    assert whole(tmp_path / "here") == whole(tmp_path / "there")


def test_a_scan_gives_what_a_scan_here_gives(spark, source):  # noqa: F811
    """Rows in their order, maps as maps, times as instants, with file and line; a partition for each unit."""
    columns = ["event_id", "time", "session.start", "attributes", "metrics", "value", "file", "line"]
    frame = on_spark.scan(spark, source, columns=columns, where="name <> 'x'")
    assert frame.rdd.getNumPartitions() >= 5
    assert dict(frame.dtypes)["attributes"] == "map<string,string>"
    assert {dict(frame.dtypes)[name] for name in ("time", "session.start")} == {"timestamp"}
    with pytest.warns(UserWarning, match="records could not be read"):
        ours = translate.scan(source, where="name <> 'x'").select(columns).collect()
    here = ours.with_columns(pl.col("time", "session.start").dt.epoch("us")).rows()
    micros = frame.selectExpr(
        "event_id",
        "unix_micros(time)",
        "unix_micros(`session.start`)",
        "attributes",
        "metrics",
        "value",
        "file",
        "line",
    )
    assert [tuple(row) for row in micros.collect()] == here
    on_spark.scan(spark, source).createOrReplaceTempView("events")
    (counted,) = spark.sql("select count(*), count(distinct file) from events where name = 'x'").collect()
    assert tuple(counted) == (0, 0)


JOB = """
import json, sys
sys.path.insert(0, sys.argv[3])
from translate.spark.cluster import session_of
from translate import spark
with session_of("local-cluster[2,1,1024]") as session:
    told = session.sparkContext.parallelize(range(8), 8).map(lambda _: __import__("translate").__file__).collect()
    told += [member.told["python"] for member in spark.spark_check(session)[1:]]
    spark.convert(session, sys.argv[1], to="clickstream", out=sys.argv[2], part_size=2_500)
    print(json.dumps(told))
"""


def test_an_archive_is_the_environment_of_executors(source, tmp_path):  # noqa: F811
    """A wheel in an environment, packed and unpacked where nothing else of it is: executors work with that alone.

    What the wheel needs is taken from the environment of the tests, so that nothing is downloaded.
    """
    root, environment = Path(translate.__file__).parent.parent, tmp_path / "made" / "environment"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "wheel"]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    venv.create(environment, symlinks=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(ours))
    with tarfile.open(tmp_path / "environment.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(environment, ".")
    shutil.rmtree(environment)
    (tmp_path / "job.py").write_text(JOB)
    conf = {
        "spark.archives": f"{tmp_path}/environment.tar.gz#environment",
        "spark.executorEnv.PYSPARK_PYTHON": "./environment/bin/python",
        "spark.pyspark.python": "./environment/bin/python",
        "spark.pyspark.driver.python": sys.executable,
    }
    words = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    submitted = subprocess.run(
        [sys.executable, tmp_path / "job.py", source, tmp_path / "there", root], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": "", "PYSPARK_PYTHON": "./environment/bin/python",
             "PYSPARK_DRIVER_PYTHON": sys.executable, "PYSPARK_SUBMIT_ARGS": shlex.join([*map(str, words), "pyspark-shell"])},
    )  # fmt: skip
    assert submitted.returncode == 0, submitted.stderr
    told = json.loads(submitted.stdout)
    assert all("environment/lib/python" in place for place in told[:8]), told
    assert all("environment/bin/python" in place for place in told[8:]), told
    translate.convert(source, to="clickstream", out=tmp_path / "here", part_size=2_500)
    assert whole(tmp_path / "here") == whole(tmp_path / "there")


def test_the_command(source, tmp_path):  # noqa: F811
    """`--engine spark` starts a session of this machine where no master is named, and says what a local run says."""
    call = [sys.executable, "-m", "translate", "convert", source, "--to", "clickstream", "--out"]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "COLUMNS": "200"}
    here = subprocess.run(
        [*call, "here"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    there = subprocess.run(
        [*call, "there", "--engine", "spark", "--master", "local[1]"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (there.returncode, there.stdout) == (here.returncode, here.stdout.replace("here/", "there/"))
    assert whole(tmp_path / "here") == whole(tmp_path / "there")


def test_rows_in_order_go_into_a_bucket(source, store, tmp_path):  # noqa: F811
    """Processes of executors put parts into the bucket, from where the driver takes them to put them in order."""
    translate.convert(source, to="amplitude", sort=True, out=tmp_path / "here")
    call = ["convert", source, "--to", "amplitude", "--sort", "--out", "s3://empty/rows"]
    there = subprocess.run(
        [sys.executable, "-m", "translate", *call, "--engine", "spark", "--master", "local[2]"],
        cwd=tmp_path, env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert there.returncode == 1, there.stderr  # with records rejected
    assert held(store, "rows/") == written(tmp_path / "here")
    books = {name: (tmp_path / "here" / name).read_bytes() for name in held(store, "rows-translate/")}
    assert held(store, "rows-translate/") == books
    assert set(books) == {"report.json", "files.ndjson", "rejects.ndjson"}


def test_the_check(tmp_path):
    """`spark-check` tells of driver and executors, and that they are alike."""
    call = [sys.executable, "-m", "translate", "spark-check", "--master", "local[1]"]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    told = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    lines = told.stdout.splitlines()
    assert (told.returncode, lines[-1]) == (0, "all would make the same parts")
    assert [line for line in lines[:-1] if not line.startswith(" ")] == ["driver", "executor"]
    assert {line.split()[0] for line in lines[:-1]} >= {"host", "platform", "python", "polars", "engine"}
