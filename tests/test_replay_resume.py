"""Going on with a replay: what is refused, what may change, what is told of it, and what becomes of refused events."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kill_at import EVENTS, GROUP_EVENTS, GROUPS, SETTINGS, Driver, Scene, write_source
from waiting import wait_for

import translate
from translate.cli import main
from translate.delivery.journal import lock
from translate.delivery.pace import Bounds
from translate.delivery.records import status
from translate.errors import ExitCode, PreflightError, UsageError
from translate.rehearsal import Rehearsal

TOTAL = GROUPS * GROUP_EVENTS


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    with Driver(tmp_path_factory.mktemp("driver")) as started:
        yield started


@pytest.fixture
def server() -> Iterator[Rehearsal]:
    with Rehearsal() as started:
        yield started


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def scene_of(model: str, server: Rehearsal, folder: Path) -> Scene:
    """Replay from the archive itself."""
    journal = folder / "journal"
    return Scene(model, server, journal, journal / "converted" / "data", write_source(folder, model))


def left_by_convert(model: str, server: Rehearsal, folder: Path) -> Scene:
    """Replay what `convert` left."""
    out = folder / "out"
    translate.convert(write_source(folder, model), to=f"{model}/requests", out=out, set_=SETTINGS[model])
    return Scene(model, server, folder / "journal", out / "data", out)


def other_mappings(folder: Path, model: str) -> Path:
    """Copy the mappings, and change one by a comment."""
    shutil.copytree(Path(__file__).parent.parent / "mappings", folder / "mappings")
    with (folder / "mappings" / f"{model}.toml").open("a", encoding="utf-8") as sheet:
        sheet.write("\n# another edition\n")
    return folder / "mappings"


def everything(folder: Path) -> dict[str, bytes]:
    """Read all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["translate", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def a_byte_more(file: Path) -> None:
    with file.open("ab") as source:
        source.write(b"\n")


def another_time(file: Path) -> None:
    os.utime(file, ns=(1, 1))


@pytest.mark.parametrize("begin", [scene_of, left_by_convert])
def test_another_job_is_refused(begin: Callable[..., Scene], server: Rehearsal, tmp_path: Path):
    """Changed files, mappings, settings, endpoints are refused before anything happens; the same call goes on to the end."""
    scene = begin("clickstream", server, tmp_path)
    call = scene.call(bounds=Bounds(requests=2))
    assert translate.replay(**call)["events"]["sent"] == 2 * GROUP_EVENTS
    before, held = everything(scene.journal), scene.held()
    for word, changed in {
        "mappings": {"mappings": other_mappings(tmp_path, "clickstream")},
        "settings": {"set_": ["app_ids.shop_1=other"]},
        "whom it is sent to": {"set_": ["region=eu-west-1"]},
        "endpoint": {"endpoint": server.addresses["clickstream"].replace("127.0.0.1", "localhost")},
    }.items():
        with pytest.raises(
            UsageError,
            match=rf"this journal is of another replay \(changed: .*{word}|set_=.app_ids. comes too late",
        ):
            translate.replay(**{**call, **changed})
    file = scene.source if scene.source.is_file() else next(scene.parts.iterdir())
    content, seen = file.read_bytes(), file.stat()
    for change in (a_byte_more, another_time):
        change(file)
        with pytest.raises(UsageError, match=r"changed: .*(source's files|parts)"):
            translate.replay(**call)
        file.write_bytes(content)
        os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert (everything(scene.journal), scene.held()) == (before, held)
    scene.check_end(translate.replay(**scene.call()))


def test_a_journal_of_something_else(server: Rehearsal, tmp_path: Path):
    """A journal takes no second source, whether that needs converting or not, and keeps what it has."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    one, two = (
        left_by_convert("clickstream", server, tmp_path / "one"),
        scene_of("clickstream", server, tmp_path / "two"),
    )
    translate.replay(**one.call(bounds=Bounds(requests=1)))
    before = everything(one.journal)
    for other in (
        {"source": two.source},
        {"source": one.source, "to": "pinpoint", "set_": ["region=us-east-1"], "accept": ["support-ended"]},
    ):
        with pytest.raises(UsageError, match="another replay"):
            translate.replay(**{**one.call(), **other})
    assert everything(one.journal) == before


def test_the_account_is_part_of_the_job(server: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Half of a replay to one account of Learning Context cannot become a half to another."""
    monkeypatch.setenv("TRANSLATE_LEARNING_CONTEXT_SECRET", "hush")
    monkeypatch.setenv("TRANSLATE_LEARNING_CONTEXT_PASSWORD", "hush")
    scene = left_by_convert("learning_context", server, tmp_path)
    translate.replay(**scene.call(bounds=Bounds(requests=1), rate="60"))
    with pytest.raises(UsageError, match="whom it is sent to"):
        translate.replay(**scene.call(set_=["application_id=a", "account=another"]))


def test_what_was_stopped_before_sending_may_change(server: Rehearsal, tmp_path: Path):
    """As long as nothing was sent, the folder takes other settings, and another source."""
    scene = scene_of("pinpoint", server, tmp_path)
    with pytest.raises(PreflightError):
        translate.replay(**scene.call(accept=[]))
    translate.replay(**scene.call(dry_run=True))
    assert not (scene.journal / "journal.ndjson").exists()
    first = everything(scene.parts)
    another_time(scene.source)
    report = translate.replay(**scene.call(set_=["region=us-east-1", "app_ids.shop_1=other"]))
    assert everything(scene.parts) != first
    scene.check_end(report)
    assert {record["app"] for record in server.accepted()} == {
        "other",
        *(f"shop_{group}" for group in range(GROUPS) if group != 1),
    }


def test_what_was_converted_is_kept(server: Rehearsal, tmp_path: Path):
    """The same call converts nothing twice, whatever it asks of the conversion."""
    scene = scene_of("clickstream", server, tmp_path)
    asked = {"dedupe": True, "where": "name != 'other'", "since": "2001-01-01", "limit": 1000}
    translate.replay(**scene.call(bounds=Bounds(requests=1), **asked))
    times = {
        path: path.stat().st_mtime_ns
        for path in scene.journal.rglob("*")
        if path.is_file() and "converted" in path.parts
    }
    scene.check_end(translate.replay(**scene.call(**asked)))
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_second_process_and_the_status_of_the_first(
    driver: Driver, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """While a replay runs another one is turned away with exit code 2, and its status can be asked for."""
    with Rehearsal(slow=1, slow_seconds=0.3) as server:
        scene = left_by_convert("clickstream", server, tmp_path)
        driver.start(scene.call(max_in_flight=1))
        found = wait_for(lambda: _while_sending(scene.journal), "an event is sent")
        there = ("--endpoint", server.addresses["clickstream"], "--journal", scene.journal)
        assert command(monkeypatch, "replay", scene.source, "--to", "clickstream", *there) == ExitCode.USAGE
        assert "another process is replaying with this journal" in capsys.readouterr().err
        assert found["running"]
        assert found["under_way"] <= 1
        assert found["events"]["total"] == TOTAL == found["events"]["sent"] + found["events"]["left"]
        assert found["lost_answers"] == 0
        report = driver.end()
        assert report
        scene.check_end(report)
    assert command(monkeypatch, "replay", "--status", scene.journal, "--json") == ExitCode.DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["running"], found["under_way"], found["events"]["left"], found["hours_left"]) == (
        False,
        0,
        0,
        0,
    )


def _while_sending(journal: Path) -> dict[str, Any] | None:
    try:
        found = status(journal)
    except UsageError:
        return None
    return found if found["events"].get("sent") else None


def test_the_status_after_a_kill(
    driver: Driver,
    server: Rehearsal,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    """After a kill the status tells what is left, and the answer that was lost; asking changes nothing."""
    scene = left_by_convert("clickstream", server, tmp_path)
    assert driver.run(scene.call(max_in_flight=1), "accepted, not written down", 3) is None
    before = everything(scene.journal)
    assert command(monkeypatch, "replay", "--status", scene.journal, "--json") == ExitCode.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["events"] == {"total": TOTAL, "sent": 8, "rejected": 0, "left": TOTAL - 8}
    assert (found["running"], found["under_way"], found["lost_answers"], found["lost_events"]) == (
        False,
        0,
        1,
        4,
    )
    assert everything(scene.journal) == before


@pytest.mark.parametrize("how", ["empty", "torn", "edited"])
def test_a_damaged_state_is_told(
    server: Rehearsal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: str,
):
    """Whichever file of a replay's state is damaged, a sentence names it and the way out, and nothing is sent or lost."""
    scene = scene_of("clickstream", server, tmp_path)
    translate.replay(**scene.call(dry_run=True))
    for name in ("source.json", "survey.json", "journal.ndjson"):
        file = scene.journal / name
        whole = file.read_bytes()
        place = whole.index(b"0", len(whole) // 2)
        file.write_bytes(
            {
                "empty": b"",
                "torn": whole[: len(whole) // 2],
                "edited": whole[:place] + b"9" + whole[place + 1 :],
            }[how]
        )
        if (name, how) != ("source.json", "edited"):  # that of another source: it is converted anew
            before, held = everything(scene.journal), scene.held()
            assert command(monkeypatch, *line_of(scene)) == ExitCode.USAGE
            complaint = capsys.readouterr().err.splitlines()[-1]
            assert complaint.startswith(f"translate: {file}: ")
            assert "remove this file" in complaint or "put it back" in complaint
            assert (everything(scene.journal), scene.held()) == (before, held)
        file.write_bytes(whole)
        if name == "survey.json":
            translate.replay(**scene.call(bounds=Bounds(requests=2)))
    scene.check_end(translate.replay(**scene.call()))


def line_of(scene: Scene) -> list[Any]:
    """Give the command line of a scene's call."""
    call = scene.call()
    return ["replay", call["source"], "--to", scene.model, "--endpoint", call["endpoint"], "--journal", call["journal"], "--rate", call["rate"],
            "--accept", ",".join(call["accept"])]  # fmt: skip


def test_a_lost_note_of_the_source(server: Rehearsal, tmp_path: Path):
    """Once something was sent, the journal says what the source was: what was converted stays, and the rest is sent."""
    scene = scene_of("clickstream", server, tmp_path)
    translate.replay(**scene.call(bounds=Bounds(requests=2)))
    (scene.journal / "source.json").unlink()
    scene.check_end(translate.replay(**scene.call()))


def test_no_journal_no_status(tmp_path: Path):
    """A folder without a journal has no status, and gets nothing written into it."""
    with pytest.raises(UsageError, match="holds no journal"):
        status(tmp_path)
    assert not list(tmp_path.iterdir())
    with lock(tmp_path), pytest.raises(UsageError, match="nothing was sent yet"):
        status(tmp_path)


def test_a_full_disk_ends_a_replay(driver: Driver, server: Rehearsal, tmp_path: Path):
    """Where the journal cannot grow nothing more is sent; once it can, the same call sends the rest."""
    scene = left_by_convert("clickstream", server, tmp_path)
    translate.replay(**scene.call(bounds=Bounds(requests=1)))
    (scene.journal / "report.json").unlink()
    told = driver.run(scene.call(), RLIMIT_FSIZE=(scene.journal / "journal.ndjson").stat().st_size + 500)
    assert told is not None
    assert told["error"] == "OutputError"
    assert "make room" in told["text"]
    scene.check_truth()
    assert 0 < len(scene.held()) < TOTAL
    scene.check_end(translate.replay(**scene.call()))


def test_refused_events_are_replayed(tmp_path: Path):
    """Events that Pinpoint refused lie with their reasons in one file, and as requests in another that is replayed itself."""
    with Rehearsal(seed=3, partial=1, partial_codes=(400,)) as server:
        scene = scene_of("pinpoint", server, tmp_path)
        report = translate.replay(**scene.call())
        refused = {record["id"] for record in server.rejected()}
        assert report["events"] == {
            "total": TOTAL,
            "sent": TOTAL - len(refused),
            "rejected": len(refused),
            "left": 0,
        }
        entries = [
            json.loads(line)
            for line in (scene.journal / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
        ]
        assert {tuple(entry) for entry in entries} == {("file", "line", "code", "message", "raw")}
        assert {(entry["code"], entry["message"]) for entry in entries} == {("400", "Invalid event")}
        events = events_at(scene)
        assert all(json.loads(entry["raw"]) in events[entry["file"], entry["line"]] for entry in entries)
        server.change(partial=0)
        again = translate.replay(
            **{**scene.call(), "source": scene.journal / "rejected.ndjson", "journal": tmp_path / "again"}
        )
    assert again["events"] == {"total": len(refused), "sent": len(refused), "rejected": 0, "left": 0}


def events_at(scene: Scene) -> dict[tuple[str, int], list[Any]]:
    """Read the events of each line of the parts."""
    return {
        (file.name, line): [event for _, event in EVENTS[scene.model](json.loads(text))]
        for file in scene.parts.iterdir()
        for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    }


def test_refused_events_arrive_once_mended(server: Rehearsal, tmp_path: Path):
    """After what was refused has been mended in its file, the receiver has every event of the source."""
    scene = left_by_convert("personalize", server, tmp_path)
    part = next(scene.parts.iterdir())
    part.write_text(
        part.read_text(encoding="utf-8").replace(
            '"itemId":"i-2"', '"itemId":"i-2","properties":"{\\"userId\\":1}"'
        ),
        encoding="utf-8",
    )
    assert translate.replay(**scene.call())["events"]["rejected"] == GROUPS
    mended = tmp_path / "mended.ndjson"
    mended.write_text(
        (scene.journal / "rejected.ndjson").read_text(encoding="utf-8").replace("userId\\", "shade\\"),
        encoding="utf-8",
    )
    report = translate.replay(**replace(scene, source=mended, journal=tmp_path / "again").call())
    assert report["events"]["sent"] == GROUPS
    assert scene.held().keys() == set(scene.events().values())
    assert set(scene.held().values()) == {1}


def test_a_sending_that_raises_ends_the_run(
    server: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that raises in spite of its promise ends the run, instead of letting it wait for ever."""
    monkeypatch.setattr("translate.delivery.endpoints.clickstream.Clickstream.send", lambda *_: 1 / 0)
    scene = Scene(
        "clickstream",
        server,
        tmp_path / "j",
        tmp_path / "j/converted/data",
        write_source(tmp_path, "clickstream"),
    )
    with pytest.raises(ZeroDivisionError):
        translate.replay(**scene.call())
