"""The program starts fast: nothing is imported before it is needed."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import translate

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_data" / "mobile_analytics" / "archive_minimal.jsonl"
CALL = """
import json, sys
from translate.cli import main
sys.argv = ["translate", *{words!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted(sys.modules)))
"""
VERSION_SECONDS = 0.2  # of this process's own time, above what Python takes: the machine may be busy
TRIES = 5


def run(code):
    """Run Python code in a process of its own; give the last line that it printed, as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def seconds(*arguments):
    """Give the least processor time that Python took with these arguments, of several tries."""
    took = []
    for _ in range(TRIES):
        process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        took.append(usage.ru_utime + usage.ru_stime)
    return min(took)


def packages(modules):
    return {module.partition(".")[0] for module in modules}


def test_version_imports_no_engine_and_no_client():
    """`translate --version` imports neither polars nor the clients of Amazon, and none of the commands."""
    modules = run(CALL.format(words=["--version"]))
    assert {"translate", "typer"} <= packages(modules)
    assert not packages(modules) & {"polars", "boto3", "botocore", "rich", "dateutil"}
    assert "translate.cli.conversion" not in modules


def test_the_package_imports_nothing_before_it_is_asked():
    """`import translate` imports none of its rooms."""
    modules = run("import json, sys, translate; print(json.dumps(sorted(sys.modules)))")
    assert [module for module in modules if module.startswith("translate.")] == []
    assert not packages(modules) & {"polars", "boto3", "botocore", "typer"}


def test_help_imports_no_engine():
    """The help names all commands and imports no polars."""
    modules = run(CALL.format(words=["--help"]))
    assert "translate.cli.conversion" in modules
    assert not packages(modules) & {"polars", "boto3", "botocore"}


def test_a_conversion_imports_no_client(tmp_path):
    """A conversion of local files imports no client of Amazon, no progress bar, and no checker of options."""
    words = ["convert", str(SAMPLE), "--to", "clickstream", "--out", str(tmp_path / "out")]
    modules = packages(run(CALL.format(words=words)))
    assert "polars" in modules
    assert not modules & {"boto3", "botocore", "rich", "pydantic"}


def test_a_conversion_of_a_file_imports_nothing_of_stores_and_rare_ways(tmp_path):
    """Converting a local file by the kernel imports no HTTP, no hashes, no processes, no census, and no reader of odd times.

    As from a wheel, whose sheets were proven before: to prove those of a checkout, each word is run, the hashing ones too.
    """
    words = ["convert", str(SAMPLE), "--to", "clickstream", "--out", str(tmp_path / "out")]
    code = CALL.format(words=words)
    modules = run(f"from translate import mapping; mapping.PACKAGED = mapping.CHECKOUT; {code.lstrip()}")
    rooms = ("archive.spool", "conversion.sinks", "engine.library")
    assert {f"translate.{room}" for room in rooms} <= set(modules)
    assert not packages(modules) & {"dateutil", "pickle", "polars_hash", "ssl", "xml"}
    rare = (
        "email.parser",
        "http.client",
        "stores.access",
        "stores.bucket",
        "conversion.bucket_output",
        "conversion.census",
        "conversion.workers",
    )
    assert not {*rare, *(f"translate.{room}" for room in rare)} & set(modules)


def test_version_answers_at_once():
    """`translate --version` takes little more than Python itself."""
    assert seconds("-m", "translate", "--version") - seconds("-c", "pass") < VERSION_SECONDS


def test_every_public_name_is_what_a_reader_sees():
    """Each name that is imported late is the one that the imports for type checkers name."""
    tree = ast.parse((ROOT / "translate" / "__init__.py").read_text())
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("translate.")
        for alias in node.names
    }
    assert set(translate.__all__) == {*seen, "__version__"} - {"VERSION"}
    for name in set(translate.__all__) - {"__version__"}:
        assert getattr(translate, name) is getattr(import_module(seen[name]), name), name
    assert set(translate.__all__) <= set(dir(translate))


def test_rooms_are_there_when_asked_for():
    """A room needs no import of its own, and what is not there says so."""
    assert run("import translate; print(len(translate.events.COLUMNS))") > 1
    with pytest.raises(AttributeError, match="has no attribute 'convrt'"):
        translate.convrt  # noqa: B018


def test_a_conversion_imports_no_room_of_other_commands(tmp_path):
    """A conversion imports none of the rooms that only other commands need."""
    words = ["convert", str(SAMPLE), "--to", "clickstream", "--out", str(tmp_path / "out")]
    modules = run(CALL.format(words=words))
    others = (
        "comparison",
        "delivery.replaying",
        "explanation",
        "figures",
        "inspection",
        "rehearsal",
        "tracing",
    )
    assert "translate.conversion.run" in modules
    assert not {f"translate.{room}" for room in others} & set(modules)
