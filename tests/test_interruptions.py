"""Killed, interrupted or refused: nothing half is ever left behind, and the same call finishes the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import strategies

import translate
from translate import files, mapping
from translate.errors import ExitCode

ROOT = Path(__file__).parent.parent
PARTS = 9
# Runs the command line with small units; waits in `finish_unit` of the given one, where a kill is to find it.
DRIVER = """
import sys, time
from translate import files
from translate.output import Output
files.GROUP_BYTES = 1
stop_at, moment = int(sys.argv.pop(1)), sys.argv.pop(1)
finish_unit, write_whole, complete = Output.finish_unit, Output.write_whole, Output.complete

def wait():
    print("here", flush=True)
    time.sleep(60)

def finish(self, number, part, rejects, report):
    if number == stop_at and moment == "before":
        wait()
    finish_unit(self, number, part, rejects, report)
    if number == stop_at and moment == "after":
        wait()

def write(self, file, text):
    if file.name == f"unit-{stop_at:05}.json" and moment == "between":
        wait()
    write_whole(self, file, text)
    if file.name == "files.ndjson" and moment == "at the end":
        wait()

Output.finish_unit, Output.write_whole = finish, write
sys.argv[0] = "translate"
from translate.cli import main
main()
"""
MOMENTS = [(0, "before"), (4, "after"), (6, "between"), (PARTS - 1, "after"), (99, "at the end")]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive of as many units as files, some of them with a record to reject."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(PARTS):
        values = {**strategies.ORDINARY, "event_timestamp": str(strategies.TIME + number)}
        line = strategies.render(strategies.tree(values), ("", "", ""))
        bad = "" if number % 3 else "junk\n"
        (folder / f"{number:02}.json").write_text(f"{line}\n{bad}{line}\n")
    return folder


@pytest.fixture(scope="module")
def undisturbed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Convert the archive without any disturbance."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    with small_units():
        translate.convert(archive, to="clickstream", out=out)
    return tree(out)


def small_units() -> Any:
    patch = pytest.MonkeyPatch.context()
    monkeypatch = patch.__enter__()
    monkeypatch.setattr(files, "GROUP_BYTES", 1)

    class Closing:
        def __enter__(self) -> None: ...

        def __exit__(self, *error: object) -> None:
            patch.__exit__(None, None, None)

    return Closing()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def start(archive: Path, out: Path, unit: int = -1, moment: str = "never", *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, str(unit), moment, "convert", str(archive), "--to", "clickstream", "--out", str(out), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def await_moment(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline().strip() == "here", process.communicate()


def finished_parts(out: Path) -> dict[str, tuple[int, int]]:
    """Give inode and time of each part."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted((out / "data").iterdir())}


def assert_sound(out: Path, whole: dict[str, bytes]) -> None:
    """What lies under its final name is complete, and there is no report yet."""
    assert not (out / "report.json").exists()
    assert not (out / "rejects.ndjson").exists() or (out / "rejects.ndjson").read_bytes() == whole["rejects.ndjson"]
    for path in (out / "data").iterdir():
        assert path.read_bytes() == whole[f"data/{path.name}"]


@pytest.mark.parametrize(("unit", "moment"), MOMENTS)
def test_a_killed_run_is_resumed(archive: Path, undisturbed: dict[str, bytes], tmp_path: Path, unit: int, moment: str) -> None:
    """After kill -9, nothing half lies about; the same call does the rest, and only the rest, to the same bytes."""
    out = tmp_path / "out"
    process = start(archive, out, unit, moment)
    await_moment(process)
    process.kill()
    process.communicate()
    assert_sound(out, undisturbed)
    noted = sorted((out / ".translate").glob("unit-*.json"))
    done = {name: about for name, about in finished_parts(out).items() if len(noted) > int(name.split("-")[1].split(".")[0])}
    assert len(done) == len(noted) == min(unit + (moment == "after"), PARTS)
    with small_units():
        report = translate.convert(archive, to="clickstream", out=out)
    assert report["complete"]
    assert tree(out) == undisturbed
    assert {name: about for name, about in finished_parts(out).items() if name in done} == done


def test_kills_at_any_moment_leave_nothing_half(archive: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """Killed again and again, wherever it happens to be, the run still gets to the same end."""
    out = tmp_path / "out"
    for count in (1, 4):
        process = start(archive, out)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            for name, content in _data(out):
                assert undisturbed[f"data/{name}"] == content
            if len(list(out.glob("data/*"))) >= count:
                break
        process.kill()
        process.communicate()
        if not (out / "report.json").exists():
            assert_sound(out, undisturbed)
    if not (out / "report.json").exists():
        with small_units():
            translate.convert(archive, to="clickstream", out=out)
    assert tree(out) == undisturbed


def _data(out: Path) -> Iterator[tuple[str, bytes]]:
    for path in out.glob("data/*"):
        yield path.name, path.read_bytes()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(archive: Path, undisturbed: dict[str, bytes], tmp_path: Path, sent: signal.Signals) -> None:
    """Ctrl-C ends with 130 and one line that says to repeat the call; the repeated call finishes."""
    out = tmp_path / "out"
    process = start(archive, out, 5, "before")
    await_moment(process)
    process.send_signal(sent)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert complaint == "translate: interrupted; repeat the call to resume it\n"
    assert_sound(out, undisturbed)
    again = start(archive, out)
    again.communicate(timeout=60)
    assert again.returncode == ExitCode.FLAWED
    assert tree(out) == undisturbed


@pytest.fixture(scope="module")
def unfinished(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leave an unfinished run behind."""
    out = tmp_path_factory.mktemp("unfinished") / "out"
    process = start(archive, out, 3, "before")
    await_moment(process)
    process.kill()
    process.communicate()
    return out


OTHER_JOBS = {
    "another target": {"to": "mobile_analytics"},
    "another setting": {"set_": ["keep_names=true"]},
    "another compression": {"compression": "gzip"},
    "other duplicates": {"dedupe": True},
    "another selection": {"limit": 5},
    "examples": {"examples": True},
}


@pytest.mark.parametrize("difference", OTHER_JOBS)
def test_another_job_is_refused(archive: Path, unfinished: Path, difference: str) -> None:
    """An unfinished run is resumed by its own call only; any other changes nothing."""
    before = tree(unfinished)
    with pytest.raises(translate.UsageError, match="another job") as refused:
        translate.convert(archive, out=unfinished, **{"to": "clickstream", **OTHER_JOBS[difference]})
    assert refused.value.exit_code == ExitCode.USAGE
    assert {name: content for name, content in tree(unfinished).items() if "scratch" not in name} == {
        name: content for name, content in before.items() if "scratch" not in name
    }


def test_another_recipe_is_refused(archive: Path, tmp_path: Path) -> None:
    """A recipe that says something else makes another job."""
    recipe = tmp_path / "own.toml"
    rule = '\n[[rule]]\nwhen = "name = \'{}\'"\ndrop = "noise"\n'
    recipe.write_text('to = "clickstream/events"\n' + rule.format("a"))
    process = start(archive, tmp_path / "out", 3, "before", "--recipe", str(recipe))
    await_moment(process)
    process.kill()
    process.communicate()
    recipe.write_text('to = "clickstream/events"\n' + rule.format("b"))
    with pytest.raises(translate.UsageError, match=r"different: mappings"):
        translate.convert(archive, to="clickstream", out=tmp_path / "out", recipe=recipe)


def test_another_mapping_and_other_inputs_are_refused(archive: Path, unfinished: Path, tmp_path: Path) -> None:
    """A changed mapping, and a file more, make another job."""
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    for name in mapping.models():
        text = (ROOT / "mappings" / f"{name}.toml").read_text()
        (mappings / f"{name}.toml").write_text(text + "# changed\n")
    with pytest.raises(translate.UsageError, match=r"different: mappings"):
        translate.convert(archive, to="clickstream", out=unfinished, mappings=mappings)
    more = tmp_path / "more"
    more.mkdir()
    for path in [*archive.iterdir()][1:]:
        os.link(path, more / path.name)
    with pytest.raises(translate.UsageError, match=r"different: inputs"):
        translate.convert(more, to="clickstream", out=unfinished)


def test_two_runs_do_not_share_a_directory(archive: Path, tmp_path: Path) -> None:
    """While a run writes, a second one is refused, and the first is not disturbed."""
    out = tmp_path / "out"
    process = start(archive, out, 2, "before")
    await_moment(process)
    with pytest.raises(translate.UsageError, match="another run is writing here"):
        translate.convert(archive, to="clickstream", out=out)
    second = start(archive, out)
    _, complaint = second.communicate(timeout=60)
    assert (second.returncode, complaint.count("\n")) == (ExitCode.USAGE, 1)
    process.kill()
    process.communicate()


def test_a_complete_run_is_not_repeated(archive: Path, tmp_path: Path) -> None:
    """A directory with a report is done: the same call is refused and leaves it alone."""
    out = tmp_path / "out"
    translate.convert(archive, to="clickstream", out=out)
    before = tree(out)
    assert json.loads(before["report.json"])["complete"]
    with pytest.raises(translate.UsageError, match="not empty"):
        translate.convert(archive, to="clickstream", out=out)
    assert tree(out) == before
