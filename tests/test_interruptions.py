"""Killed, interrupted or refused: nothing half is ever left behind, and the same call finishes the work."""

from __future__ import annotations

import json
import os
import shutil
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
from translate import mapping
from translate.archive import units as files
from translate.errors import ExitCode

ROOT = Path(__file__).parent.parent
PARTS = 9
# Runs the command line with small units; waits in `finish_unit` of the given one, where a kill is to find it.
DRIVER = """
import shutil, sys, time
from translate.archive import units as files
from translate.conversion.output import Output
files.FILES_MAX = 1
stop_at, moment = int(sys.argv.pop(1)), sys.argv.pop(1)
finish_unit, write_whole, complete = Output.finish_unit, Output.write_whole, Output.complete

def wait():
    print("here", flush=True)
    time.sleep(60)

def finish(self, number, *given):
    if number == stop_at and moment == "before":
        wait()
    finish_unit(self, number, *given)
    if number == stop_at and moment == "after":
        wait()

def write(self, file, text):
    if file.name == f"unit-{stop_at:05}.json" and moment == "between":
        wait()
    write_whole(self, file, text)
    if file.name == "report.json" and moment == "after the report":
        wait()

def appear(self, whole, place):
    appears(self, whole, place)
    if place.name == "files.ndjson" and moment == "at the end":
        wait()

def remove(folder, **options):
    if str(folder).endswith(".over") and moment == "after the state":
        wait()
    rmtree(folder, **options)

appears = Output._appear
Output.finish_unit, Output.write_whole, Output._appear = finish, write, appear
rmtree, shutil.rmtree = shutil.rmtree, remove
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
    monkeypatch.setattr(files, "FILES_MAX", 1)

    class Closing:
        def __enter__(self) -> None: ...

        def __exit__(self, *error: object) -> None:
            patch.__exit__(None, None, None)

    return Closing()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def start(
    archive: Path, out: Path, unit: int = -1, moment: str = "never", *options: str
) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        DRIVER,
        str(unit),
        moment,
        "convert",
        str(archive),
        "--to",
        "clickstream",
        "--out",
        str(out),
        *options,
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def await_moment(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline().strip() == "here", process.communicate()


def finished_parts(out: Path) -> dict[str, tuple[int, int]]:
    """Give inode and time of each part."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted((out / "data").iterdir())
    }


def assert_sound(out: Path, whole: dict[str, bytes]) -> None:
    """What lies under its final name is complete, and there is no report yet."""
    assert not (out / "report.json").exists()
    assert (
        not (out / "rejects.ndjson").exists()
        or (out / "rejects.ndjson").read_bytes() == whole["rejects.ndjson"]
    )
    for path in (out / "data").iterdir():
        assert path.read_bytes() == whole[f"data/{path.name}"]


@pytest.mark.parametrize(("unit", "moment"), MOMENTS)
def test_a_killed_run_is_resumed(
    archive: Path, undisturbed: dict[str, bytes], tmp_path: Path, unit: int, moment: str
) -> None:
    """After kill -9, nothing half lies about; the same call does the rest, and only the rest, to the same bytes."""
    out = tmp_path / "out"
    process = start(archive, out, unit, moment)
    await_moment(process)
    process.kill()
    process.communicate()
    assert_sound(out, undisturbed)
    noted = sorted((out / ".translate").glob("unit-*.json"))
    done = {
        name: about
        for name, about in finished_parts(out).items()
        if len(noted) > int(name.split("-")[1].split(".")[0])
    }
    assert len(done) == len(noted) == min(unit + (moment == "after"), PARTS)
    with small_units():
        report = translate.convert(archive, to="clickstream", out=out)
    assert report["complete"]
    assert tree(out) == undisturbed
    assert {name: about for name, about in finished_parts(out).items() if name in done} == done


def test_kills_at_any_moment_leave_nothing_half(
    archive: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
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
def test_an_interrupted_run_says_how_to_go_on(
    archive: Path, undisturbed: dict[str, bytes], tmp_path: Path, sent: signal.Signals
) -> None:
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


def test_a_state_of_another_form_is_refused(archive: Path, unfinished: Path) -> None:
    """What an older version kept beside the rows this one may not know: it would miss the answers of finished units."""
    file = unfinished / ".translate" / "job.json"
    job = json.loads(file.read_text())
    job.pop("state", None)
    file.write_text(json.dumps(job))
    with pytest.raises(
        translate.UsageError, match=r"different: state\); repeat that call, with its version of translate,"
    ):
        translate.convert(archive, to="clickstream", out=unfinished)


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


def test_another_mapping_and_other_inputs_are_refused(
    archive: Path, unfinished: Path, tmp_path: Path
) -> None:
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


# -- finished already ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["after the report", "after the state"])
def test_a_run_killed_after_its_report_is_finished(
    archive: Path, undisturbed: dict[str, bytes], tmp_path: Path, moment: str
) -> None:
    """Killed between its completion and its exit, a run says so when it is called again, and what is left of its state goes."""
    out = tmp_path / "out"
    process = start(archive, out, 99, moment)
    await_moment(process)
    process.kill()
    process.communicate()
    again = start(archive, out)
    told, complaint = again.communicate(timeout=60)
    assert (again.returncode, complaint) == (
        ExitCode.DONE,
        f"translate: {out}: finished already; nothing was done\n",
    )
    assert f"report: {out / 'report.json'}" in told
    assert tree(out) == undisturbed
    assert not list(out.glob(".translate*"))


def test_a_complete_run_is_not_repeated(archive: Path, tmp_path: Path) -> None:
    """A directory with a report is done: the same call gives its report and leaves it alone, any other is refused."""
    out = tmp_path / "out"
    report = translate.convert(archive, to="clickstream", out=out)
    before = tree(out)
    assert json.loads(before["report.json"])["complete"]
    again = translate.convert(archive, to="clickstream", out=out)
    assert (again, again.finished_already, report.finished_already) == (report, True, False)
    for difference in OTHER_JOBS.values():
        with pytest.raises(translate.UsageError, match="not empty"):
            translate.convert(archive, out=out, **{"to": "clickstream", **difference})
    assert tree(out) == before


def test_a_finished_part_of_a_source(archive: Path, tmp_path: Path) -> None:
    """A run that took only so many events is finished with these."""
    for finished in (False, True):
        with small_units():
            assert (
                translate.convert(archive, to="clickstream", out=tmp_path / "out", limit=3).finished_already
                == finished
            )


# -- what lies there is checked ------------------------------------------------------------------------------------


def spoil(file: Path, how: str) -> None:
    """Change a file as people, editors and power cuts do; its time stays."""
    before, content = file.stat(), file.read_bytes()
    file.write_bytes(
        {"empty": b"", "torn": content[: len(content) // 2], "edited": content.replace(b"1", b"2")}[how]
    )
    assert file.read_bytes() != content
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture(scope="module")
def killed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leave an archive, and a run that was killed after its fifth unit."""
    folder = tmp_path_factory.mktemp("killed")
    shutil.copytree(archive, folder / "in")
    process = start(folder / "in", folder / "out", 4, "after")
    await_moment(process)
    process.kill()
    process.communicate()
    return folder


@pytest.fixture
def half_done(killed: Path, tmp_path: Path) -> Path:
    """Give a copy of the two: the directory of the run, beside its archive."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


def go_on(out: Path) -> None:
    with small_units():
        translate.convert(out.parent / "in", to="clickstream", out=out)


def kept_tree(out: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(out).items() if "scratch" not in path}


@pytest.mark.parametrize("how", ["empty", "torn", "edited"])
@pytest.mark.parametrize("name", ["data/part-00003.ndjson", ".translate/rejects-00003.ndjson"])
def test_a_changed_part_is_made_again(
    half_done: Path, undisturbed: dict[str, bytes], name: str, how: str
) -> None:
    """A part or rejects that are not as they were written are made again, and it is said; the others stay."""
    before = finished_parts(half_done)
    spoil(half_done / name, how)
    with pytest.warns(UserWarning, match=f"{name}: is not as it was written; it is made again$"):
        go_on(half_done)
    assert tree(half_done) == undisturbed
    after = finished_parts(half_done)
    assert {part for part, about in before.items() if after[part] != about} == {"part-00003.ndjson"}


def test_a_missing_part_is_made_again(half_done: Path, undisturbed: dict[str, bytes]) -> None:
    """A part that somebody took away is made again; the command line says so in one line."""
    (half_done / "data/part-00003.ndjson").unlink()
    again = start(half_done.parent / "in", half_done)
    _, complaint = again.communicate(timeout=60)
    told = f"translate: {half_done / 'data/part-00003.ndjson'}: is not as it was written; it is made again\n"
    assert (again.returncode, complaint) == (ExitCode.FLAWED, told)
    assert tree(half_done) == undisturbed


@pytest.mark.parametrize("how", ["empty", "torn", "edited"])
@pytest.mark.parametrize("name", ["unit-00003.json", "job.json"])
def test_a_damaged_state_is_told(half_done: Path, undisturbed: dict[str, bytes], name: str, how: str) -> None:
    """A file of the state that is empty, torn or edited is named with the way out, and nothing is touched."""
    file = half_done / ".translate" / name
    whole = file.read_bytes()
    spoil(file, how)
    before = kept_tree(half_done)
    said = (
        "holds an unfinished run of another job" if (name, how) == ("job.json", "edited") else f"{name}: is "
    )
    with pytest.raises(translate.UsageError, match=said) as told:
        go_on(half_done)
    assert kept_tree(half_done) == before
    if name == "job.json":
        file.write_bytes(whole)
    else:
        assert "remove this file, and the same call converts its unit again" in str(told.value)
        file.unlink()
    go_on(half_done)
    assert tree(half_done) == undisturbed


def test_records_that_changed_places_are_told(half_done: Path) -> None:
    """A record of another unit is none."""
    (half_done / ".translate/unit-00003.json").write_bytes(
        (half_done / ".translate/unit-00002.json").read_bytes()
    )
    with pytest.raises(translate.UsageError, match=r"unit-00003\.json: is the record of unit 2"):
        go_on(half_done)


@pytest.mark.parametrize("complete", [False, True])
def test_a_source_of_other_bytes_is_told(half_done: Path, complete: bool) -> None:
    """A source of the same size and time but other bytes is no longer what was converted."""
    if complete:
        go_on(half_done)
    spoil(half_done.parent / "in/02.json", "edited")
    before = kept_tree(half_done)
    with pytest.raises(
        translate.UsageError,
        match="is not empty" if complete else r"02\.json: holds other bytes than when it was converted",
    ):
        go_on(half_done)
    assert kept_tree(half_done) == before


def test_digests_of_rows_are_checked(archive: Path, tmp_path: Path) -> None:
    """What a run keeps to find identical rows is checked as well: without it, they would be counted wrongly."""
    whole = translate.convert(archive, to="personalize/interactions", out=tmp_path / "whole")
    process = start(archive, tmp_path / "out", 4, "after", "--to", "personalize/interactions")
    await_moment(process)
    process.kill()
    process.communicate()
    (tmp_path / "out/.translate/digests-00001.arrows").write_bytes(b"another")
    with small_units(), pytest.warns(UserWarning, match=r"digests-00001\.arrows: is not as it was written"):
        resumed = translate.convert(archive, to="personalize/interactions", out=tmp_path / "out")
    assert resumed["findings"] == whole["findings"]


def test_whoever_passes_over_an_interruption_does_not_hide_it() -> None:
    """The engine does so where it takes its arguments, and complains of one that is missing."""
    script = (
        "import os, signal, sys\n"
        "from translate import cli\n"
        "def app(**_):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n"
        "        raise TypeError('argument schema: no type') from None\n"
        "cli.app, sys.argv = app, ['translate', '--version']\n"
        "cli.main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        ExitCode.INTERRUPTED,
        "translate: interrupted; repeat the call to resume it\n",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_last_moment_is_none(number: int) -> None:
    """What cleans up at the end of the process is not stopped by it, and nothing is said of that."""
    # The script's own comes last of all, as that of Python's logging does.
    script = (
        "import atexit, os, sys\n"
        f"atexit.register(os.kill, os.getpid(), {int(number)})\n"
        "from translate.cli import main\n"
        "sys.argv = ['translate', '--version']\n"
        "main()"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_second_interruption_while_the_last_unit_ends(archive: Path, tmp_path: Path) -> None:
    """A unit that is on its way is waited for; who is interrupted in that hears of it once, in one line."""
    script = (
        "import os, signal, sys, threading, time\n"
        "from translate import cli\n"
        "from translate.archive import units\n"
        "from translate.conversion.run import Conversion\n"
        "units.FILES_MAX, written = 1, Conversion._written\n"
        "def slowly(self, unit, *rest, **named):\n"
        "    if unit.number:\n"
        "        named['on_drawn']()\n"
        "        time.sleep(1.5)\n"
        "    return written(self, unit, *rest, **named)\n"
        "def interrupt(self, unit):\n"
        "    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "Conversion._written, Conversion._take_answers = slowly, interrupt\n"
        f"sys.argv = ['translate', 'convert', {str(archive)!r}, '--to', 'clickstream', '--out', {str(tmp_path / 'out')!r}]\n"
        "cli.main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        ExitCode.INTERRUPTED,
        "translate: interrupted; repeat the call to resume it\n",
    )
