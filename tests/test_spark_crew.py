"""What executors make is what one machine makes, to the byte, for every kind of target and pass; Spark itself is not asked."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import polars as pl
import pytest
from in_one_process import Session
from test_bucket_output import held
from test_stores import archive, on_disk, store, written  # noqa: F401  a fixture is found by its name

import translate
from translate import spark
from translate.archive import spool, units
from translate.cli import commands
from translate.conversion import errands
from translate.errors import ConservationError, OutputError, UsageError
from translate.spark import arrow_batches, cluster
from translate.stores import refusals

ROOT = Path(translate.__file__).parent.parent

RECIPE = """
to = "clickstream/events"

[personal]
"attributes.level" = "hash"
"""
TO_PERSONALIZE = """
to = "personalize/interactions"

[[rule]]
when = "name IS NOT NULL"
set.item_id = "name"
set.user_id = "client_id"
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    """An archive on disk that makes several parts, with damaged records, a file that is none, and events that are there twice."""
    monkeypatch.setattr(units, "PART_BYTES", 2_500)
    objects = {**archive(), "awsma/2016/06/x.gz": b"%PDF-1.4 nothing"}
    first = next(iter(objects))
    objects["awsma/2016/05/again.gz"] = objects[first]
    objects["awsma/2016/05/damaged"] = b'{"event_type":"x"}\n{damaged\n'
    return on_disk(tmp_path / "in", objects) / "awsma"


def whole(folder):
    """Give all files of a folder, also those that are hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    "call",
    [
        {"to": "clickstream", "compression": "gzip", "examples": True},
        {"to": "clickstream/requests"},
        {"to": "clickstream/raw", "set_": ["day=2016-05-01"], "compression": "zstd"},
        {"to": "personalize", "recipe": "own.toml"},
        {"to": "hub", "dedupe": True},
        {
            "to": "clickstream",
            "dedupe": True,
            "add": ["first_open", "session_number", "engagement"],
            "fold": True,
        },
        {"to": "pinpoint", "census": True, "where": "name <> 'x'", "since": "2016-04-03"},
    ],
    ids=lambda call: "-".join(map(str, call.values())),
)
def test_it_is_the_same_to_the_byte(source, tmp_path, call):
    """Parts, rejects, report and the list of files are those of a local run, and nothing else is left."""
    (tmp_path / "own.toml").write_text(TO_PERSONALIZE)
    call = {**call, "recipe": tmp_path / call["recipe"]} if "recipe" in call else call
    here = translate.convert(source, out=tmp_path / "here", **call)
    there = spark.convert(Session(), source, out=tmp_path / "there", **call)
    assert dict(here) == dict(there)
    assert here["events"]["duplicates"] == (10 if "dedupe" in call else 0)
    assert here["events"]["rejected"] >= 2
    assert whole(tmp_path / "here") == whole(tmp_path / "there")
    assert len(written(tmp_path / "there")) >= 5
    assert spark.convert(Session(), source, out=tmp_path / "there", **call).finished_already


def test_numbers_go_on_over_units(source, tmp_path):
    """Requests that are numbered are counted first, in a job of its own; also after a run that was stopped."""
    translate.convert(source, to="clickstream/requests", out=tmp_path / "here")
    session = Session()
    stopped = stop_after(session, 3)
    with pytest.raises(OutputError, match=r"Spark gave up: stopped"):
        spark.convert(session, source, to="clickstream/requests", out=tmp_path / "there")
    assert session.sparkContext.described[-2:] == ["translate counts requests", "translate makes units"]
    assert len(list((tmp_path / "there" / ".translate").glob("unit-*.json"))) == 3
    stopped.clear()
    spark.convert(session, source, to="clickstream/requests", out=tmp_path / "there")
    assert whole(tmp_path / "here") == whole(tmp_path / "there")


def stop_after(session, count):
    """Have a task fail after so many units, for as long as the list that is given back holds something."""
    stopping, done = [True], []

    def before_each():
        if session.sparkContext.described[-1:] == ["translate makes units"]:
            done.append(True)
        if stopping and len(done) > count:
            raise RuntimeError("stopped")

    session.sparkContext.before_each = before_each
    return stopping


@pytest.mark.parametrize("resumed_by", ["local", "spark"])
def test_a_stopped_run_goes_on(source, tmp_path, resumed_by):
    """What executors finished is taken as it is, by a cluster or by one machine; half a unit is nowhere."""
    translate.convert(source, to="clickstream", out=tmp_path / "here")
    session = Session()
    stop_after(session, 3)
    with pytest.raises(OutputError, match=r"the same call goes on"):
        spark.convert(session, source, to="clickstream", out=tmp_path / "there")
    kept = {path: path.stat().st_ino for path in (tmp_path / "there" / "data").iterdir()}
    assert kept
    convert = translate.convert if resumed_by == "local" else spark.convert
    convert(*([] if resumed_by == "local" else [Session()]), source, to="clickstream", out=tmp_path / "there")
    assert whole(tmp_path / "here") == whole(tmp_path / "there")
    assert {path: path.stat().st_ino for path in kept} == kept


def test_a_unit_is_made_twice(source, tmp_path, monkeypatch):
    """Of an executor that was lost and one that took over, both may write: neither sees the other's scratch."""
    translate.convert(source, to="clickstream", out=tmp_path / "here")
    done = spark.work_on
    monkeypatch.setattr(spark, "work_on", lambda *given: (done(*given), done(*given))[0])
    spark.convert(Session(), source, to="clickstream", out=tmp_path / "there")
    assert whole(tmp_path / "here") == whole(tmp_path / "there")


@pytest.mark.parametrize("state", [None, "folder"])
def test_a_bucket_is_the_target(store, source, tmp_path, state):  # noqa: F811
    """Executors put parts into the bucket, and what the driver needs beside them."""
    call = {"to": "clickstream", "compression": "gzip", "state": state and str(tmp_path / state)}
    translate.convert(source, to="clickstream", compression="gzip", out=tmp_path / "here")
    spark.convert(Session(), source, out="s3://empty/rows", **call)
    assert held(store, "rows/") == written(tmp_path / "here")
    books = held(store, "rows-translate/") if state is None else whole(tmp_path / "folder")
    assert set(books) == {"report.json", "files.ndjson", "rejects.ndjson"}
    for name, book in books.items():
        assert book == (tmp_path / "here" / name).read_bytes()


@pytest.mark.parametrize("state", [None, "folder"])
@pytest.mark.parametrize("call", [{"to": "amplitude", "sort": True}, {"to": "hub", "lake": True}], ids=str)
def test_what_appears_as_a_whole_goes_into_a_bucket(store, source, tmp_path, call, state):  # noqa: F811
    """Parts that executors made are put in order by the driver, wherever they lie until then, and nothing of them stays."""
    translate.convert(source, out=tmp_path / "here", **call)
    folder = str(tmp_path / state) if state else None
    there = spark.convert(Session(), source, out="s3://empty/rows", state=folder, **call)
    assert held(store, "rows/") == written(tmp_path / "here")
    assert not [name for name in store.buckets["empty"] if "/.translate" in name]
    assert {finding["code"] for finding in there["findings"]}.isdisjoint({"files_unordered"})
    assert state is None or not [name for name in whole(tmp_path / state) if name.startswith((".", "data"))]


def test_passes_need_a_folder(store, source):  # noqa: F811
    """What passes found lies in a folder, so a bucket alone is refused by name, before anything is written."""
    before = dict(store.buckets["empty"])
    with pytest.raises(UsageError, match=r"dedupe=, add= and fold= .* name a folder as state="):
        spark.convert(Session(), source, to="clickstream", out="s3://empty/rows", dedupe=True)
    assert store.buckets["empty"] == before


@pytest.mark.parametrize("room", [1 << 30, 2_000])
def test_a_bucket_is_the_source(room, store, tmp_path, monkeypatch):  # noqa: F811
    """Executors ask the store as the driver was told to, and look at what the driver had no room for."""
    monkeypatch.setattr(spool, "KEPT_BYTES", room)
    translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "here")
    spark.convert(Session(), "s3://old/awsma", to="clickstream", out=tmp_path / "there")
    assert whole(tmp_path / "here") == whole(tmp_path / "there")


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_limit_is_refused(source, tmp_path):
    with pytest.raises(UsageError, match=r"limit= takes the first events"):
        spark.convert(Session(), source, to="clickstream", out=tmp_path / "there", limit=5)
    assert not (tmp_path / "there").exists()


def test_a_folder_that_is_not_shared_is_refused(source, tmp_path, monkeypatch):
    """A folder of the same name on another machine does not hold what the driver wrote; no unit is begun."""
    (tmp_path / "other" / ".translate").mkdir(parents=True)
    (tmp_path / "other" / ".translate" / "witness").write_text("of another run")
    monkeypatch.setattr(errands, "_spelled", lambda _: (str(tmp_path / "other"), None, None))
    with pytest.raises(
        OutputError, match=r"other: the executor on .* does not see what the driver wrote there"
    ):
        spark.convert(Session(), source, to="clickstream", out=tmp_path / "there")
    assert list(whole(tmp_path / "other")) == [".translate/witness"]


def test_another_key_is_refused(source, tmp_path, monkeypatch):
    """Hashes made by two keys would be two users."""
    (tmp_path / "recipe.toml").write_text(RECIPE)
    monkeypatch.setenv("TRANSLATE_HASH_KEY", "k" * 40)
    session = Session()

    def before_each():
        if session.sparkContext.described[-1:] == ["translate makes units"]:
            os.environ["TRANSLATE_HASH_KEY"] = "other" * 10

    session.sparkContext.before_each = before_each
    with pytest.raises(UsageError, match=r"TRANSLATE_HASH_KEY is another one on .* than on the driver"):
        spark.convert(
            session, source, to="clickstream", out=tmp_path / "there", recipe=tmp_path / "recipe.toml"
        )


def test_another_engine_is_refused(source, tmp_path, monkeypatch):
    """One engine runs a job, and one version."""
    session = Session()
    session.sparkContext.before_each = lambda: os.environ.update(TRANSLATE_ENGINE="reference")
    monkeypatch.setenv("TRANSLATE_ENGINE", "kernel")
    with pytest.raises(
        UsageError, match=r"executor on .*: engine is reference, .* the driver's kernel; give driver"
    ):
        spark.convert(session, source, to="clickstream", out=tmp_path / "there")


def test_what_an_executor_has_not_is_told(source, tmp_path):
    """An executor without this package tells so, instead of a trace of imports."""
    told = cluster.self_description()()
    driver, without = cluster.Member("driver", told), {**told, "translate": "missing", "engine": "x: y"}
    assert cluster.differences([driver, driver]) == []
    assert cluster.differences([driver, cluster.Member("executor", without)]) == [
        f"executor on {told['host']}: translate is missing, the driver's {told['translate']}",
        f"executor on {told['host']}: engine is x: y, the driver's {told['engine']}",
    ]


@pytest.mark.parametrize(
    "error", [UsageError("a: b"), ConservationError('"{quoted}" :translate>'), OutputError("full")]
)
def test_our_errors_come_home(error):
    """An error of ours arrives as it was raised, out of whatever text Spark puts around it."""
    with pytest.raises(type(error)) as raised, cluster.told_of_spark():
        try:
            with cluster.carried():
                raise error
        except cluster.CarriedError as carried:
            raise RuntimeError(f"Job aborted: {carried}\n\tat org.apache.spark") from None
    assert str(raised.value) == str(error)
    with (
        pytest.raises(OutputError, match=r"Spark gave up: ExecutorLostFailure .executor 1 exited"),
        cluster.told_of_spark(),
    ):
        raise RuntimeError("An error occurred\n: ExecutorLostFailure (executor 1 exited ...)\n at x")


def test_the_command(tmp_path, monkeypatch, source, capsys):
    """`--engine` names who makes the parts; a master is Spark's."""
    app = commands(["convert"])

    def call(*arguments):
        return app(
            ["convert", str(source), "--to", "clickstream", "--out", str(tmp_path / "o"), *arguments],
            standalone_mode=False,
        )

    for wrong, said in [
        (["--engine", "flink"], "--engine flink: is none .one of: local, spark"),
        (["--master", "local"], "--master is for --engine spark"),
        (["--engine", "spark", "--limit", "3"], "leave out --engine spark"),
    ]:
        with pytest.raises(UsageError) as refused:
            call(*wrong)
        assert re.search(said, refused.value.typed)
    assert not (tmp_path / "o").exists()
    assert json.dumps(capsys.readouterr().out) == '""'


# -- the page of services ---------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
SERVICES = re.findall(r"```(\w+)\n(.*?)```", PAGE.partition("## One environment for all")[2], re.DOTALL)
SCRIPTS = [text for _, text in SERVICES if text.startswith("# ")]
COMMANDS = [text for kind, text in SERVICES if kind == "text" and text not in SCRIPTS]
(POLICY,) = [json.loads(text) for kind, text in SERVICES if kind == "json"]


def test_the_commands_of_the_page_can_be_read(tmp_path):
    """A shell reads the commands, argument for argument; JSON in them is such, and what is called is our own command line."""
    assert {command.split()[0] for command in COMMANDS} == {"docker", "spark-submit", "aws"}
    structures = 0
    for command in COMMANDS:
        subprocess.run(["bash", "-n"], input=command, text=True, check=True)
        words = shlex.split(command)
        for word in words:
            if word.startswith("{"):
                structures += 1
                told = json.loads(word)
                words += told.get("sparkSubmit", {}).get("entryPointArguments", [])
        for script in words[1:]:  # what the container does is a script of its own
            if "\n" in script and not script.startswith("{"):
                subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        if "convert" in words:
            given = words[words.index("convert") + 1 :]
            assert given == ["s3://my-bucket/awsma/", "--to", "clickstream", "--out", "s3://my-bucket/clicks", "--engine", "spark"]  # fmt: skip
    assert structures == 3


def test_the_scripts_of_the_page_can_be_read():
    """They are Python, and what they import is there."""
    assert [script.split()[1] for script in SCRIPTS] == ["job.py:", "glue_job.py"]
    for script in SCRIPTS:
        for node in ast.walk(compile(script, "script", "exec", ast.PyCF_ONLY_AST)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)
            elif isinstance(node, ast.Import):
                assert all(importlib.import_module(alias.name) for alias in node.names)


def test_the_policy_of_the_page_is_what_is_asked_for():
    """It allows each action that a refusal can name, and what the tables say, and nothing else."""
    allowed = {action for statement in POLICY["Statement"] for action in statement["Action"]}
    table = set(re.findall(r"`(s3:\w+)`", PAGE.partition("## What the role may do")[2]))
    assert allowed == table
    assert set(refusals.ACTIONS.values()) <= allowed


# -- scans -----------------------------------------------------------------------------------------------------------


def test_batches_are_bounded_in_bytes():
    """However long some events are, a batch holds no more than it may, unless that is one event; none is lost."""
    file = ROOT / "sample_data" / "mobile_analytics" / "archive_full.jsonl"
    events = pl.concat([translate.scan(file).collect()] * 500)
    long = pl.Series(["x" * 30_000 if number % 100 == 0 else None for number in range(events.height)])
    events = events.with_columns(item_id=long)
    batches = list(arrow_batches(events, 50_000))
    assert all(batch.nbytes <= 50_000 or batch.num_rows == 1 for batch in batches)
    assert 10 < len(batches) < 200
    assert {str(field.type) for field in batches[0].schema} == {
        "string", "int64", "double", "timestamp[us, tz=UTC]", "map<string, string>",
    }  # fmt: skip
    assert pl.DataFrame(pl.concat([pl.from_arrow(batch) for batch in batches]))["line"].equals(events["line"])


def test_a_column_that_is_none_is_refused(source):
    with pytest.raises(UsageError, match=r'no column "attribute"; did you mean "attributes"'):
        spark.scan(Session(), source, columns=["attribute"])
