"""A replay that is killed at any step, again and again, loses nothing, and never says that it sent what did not arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from kill_at import EVENTS, SECRET, SETTINGS, Driver, Scene, event_id, lines_of, steps, write_source

import translate
from translate.rehearsal import Rehearsal

PREPARING = ("unit converted", "source noted", "conversion told, its state left", "conversion complete")
REFUSING = ("before halves are queued", "after halves are queued", "while rejects are written")
# With one request in flight after the other each of these is passed at least as often.
SENDING = {
    "before the survey": 1, "survey written": 1, "before the head": 1, "head torn": 1, "head without its end of line": 1, "head written": 1,
    "before the line of a request": 2, "line of a request torn": 3, "line of a request without its end": 2, "after the line of a request": 3,
    "before sending": 2, "accepted, not written down": 2, "before the line of an answer": 3, "line of an answer torn": 2,
    "line of an answer without its end": 3, "after the line of an answer": 2, "before the last line": 1, "last line torn": 1,
    "after the last line": 1, "before the report": 1, "all looked through, not told": 1, "after the report": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    with Driver(tmp_path_factory.mktemp("driver")) as started:
        yield started


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What `convert` leaves for each model."""
    folders = {}
    for model in EVENTS:
        folder = tmp_path_factory.mktemp(model)
        translate.convert(
            write_source(folder, model), to=f"{model}/requests", out=folder / "out", set_=SETTINGS[model]
        )
        folders[model] = folder / "out"
    return folders


@pytest.fixture
def server() -> Iterator[Rehearsal]:
    with Rehearsal() as started:
        yield started


def scene_of(model: str, server: Rehearsal, folder: Path, converted: dict[str, Path]) -> Scene:
    """Replay what was converted beforehand."""
    return Scene(model, server, folder / "journal", converted[model] / "data", converted[model])


def kill(driver: Driver, scene: Scene, *deaths: tuple[str, int]) -> None:
    """Kill a replay at one step after the other, look at it each time, and let it come to its end."""
    call = scene.call()
    for step, passage in deaths:
        driver.run(call, step, passage)
        scene.check_truth()
    report = driver.run(call)
    assert report is not None
    assert "error" not in report, report
    scene.check_end(report)


def test_every_step_is_swept():
    """A step that is added is killed at, too."""
    assert steps().keys() == {*PREPARING, *REFUSING, *SENDING}


@pytest.mark.parametrize("step", SENDING)
def test_killed_at_each_step_and_while_resuming(
    step: str, driver: Driver, server: Rehearsal, converted: dict[str, Path], tmp_path: Path
):
    """Killed at a step, again when it comes to the step while resuming, and once more, a replay sends everything."""
    scene = scene_of("clickstream", server, tmp_path, converted)
    assert driver.run(scene.call(), step, SENDING[step]) is None
    scene.check_truth()
    kill(driver, scene, (step, 1), ("accepted, not written down", 1))


@pytest.mark.parametrize("step", PREPARING)
def test_killed_while_converting(step: str, driver: Driver, server: Rehearsal, tmp_path: Path):
    """Killed before anything was sent, twice, a replay converts what is missing and sends everything."""
    journal = tmp_path / "journal"
    scene = Scene(
        "clickstream", server, journal, journal / "converted" / "data", write_source(tmp_path, "clickstream")
    )
    assert driver.run(scene.call(), step) is None
    kill(driver, scene, (step, 1), ("after the line of an answer", 1))


@pytest.mark.parametrize(
    "step",
    [
        *PREPARING,
        "accepted, not written down",
        "before the report",
        "all looked through, not told",
        "after the report",
    ],
)
def test_killed_while_somebody_is_erased(step: str, driver: Driver, server: Rehearsal, tmp_path: Path):
    """The same list ends with the same proof, and with nothing kept of whom hashes stand for; once sent, another is refused."""
    source = write_source(tmp_path, "clickstream")
    text = source.read_text(encoding="utf-8").replace('"0 0"', '"asked u-2"').replace('"1 0"', '"asked u-4"')
    source.write_text(text, encoding="utf-8")
    erase = ["u-2", hmac.new(SECRET.encode(), b"u-4", hashlib.sha256).hexdigest()]
    ends = []
    with Rehearsal() as another:
        for receiver, deaths in ((another, ()), (server, (step, step))):
            journal = tmp_path / f"journal-{len(deaths)}"
            scene = Scene("clickstream", receiver, journal, journal / "converted" / "data", source)
            call = scene.call(erase=erase)
            call["accept"] = [*call["accept"], "listed-id-stands"]
            for death in deaths:
                driver.run(call, death)
                scene.check_truth()
            if (journal / "journal.ndjson").exists():
                refused = driver.run({**call, "erase": erase[:1]})
                assert "of another replay" in refused["text"], refused
            ends.append((driver.run(call), scene, scene.held().keys()))
    (whole, unbroken, sent), (report, broken, sent_too) = ends
    assert "error" not in report, report
    assert report["events"] == whole["events"] == {"total": 16, "sent": 16, "rejected": 0, "left": 0}
    assert sent_too == sent == set(broken.events().values())
    told, wanted = report["erasure"], whole["erasure"]
    assert (wanted["met"], wanted["events"], wanted["found"]) == (2, 8, 2)
    assert {**told, "looked_through": None} == {**wanted, "looked_through": None}
    for scene in (unbroken, broken):
        known = [file for file in scene.journal.rglob("*") if file.is_file() and b"u-4" in file.read_bytes()]
        assert known == [scene.parts / "part-00000.ndjson"]
        assert known[0].read_bytes() == (unbroken.parts / known[0].name).read_bytes()


@pytest.mark.parametrize("model", [model for model in EVENTS if model != "clickstream"])
def test_killed_on_the_way_to_each_receiver(
    model: str, driver: Driver, server: Rehearsal, converted: dict[str, Path], tmp_path: Path
):
    """Whatever the receiver, everything arrives, and twice only what an answer was lost of."""
    steps_ = (
        "accepted, not written down",
        "line of a request torn",
        "line of an answer without its end",
        "after the line of a request",
    )
    kill(
        driver,
        scene_of(model, server, tmp_path, converted),
        *((step, 2 - number % 2) for number, step in enumerate(steps_)),
    )


@pytest.mark.parametrize("seed", range(3))
def test_killed_anywhere(seed: int, driver: Driver, converted: dict[str, Path], tmp_path: Path):
    """Steps and passages drawn by seed: five kills in a row, a receiver that cuts connections, and nothing is lost."""
    drawn = random.Random(seed)
    deaths = [(drawn.choice(list(SENDING)), drawn.randint(1, 4)) for _ in range(5)]
    with Rehearsal(seed=seed, reset_after=0.2, reset_before=0.1, throttle=0.1) as server:
        kill(driver, scene_of("clickstream", server, tmp_path, converted), *deaths)


@pytest.mark.parametrize("step", [*REFUSING, "accepted, not written down", "line of an answer torn"])
def test_killed_while_a_refused_batch_is_split(
    step: str, driver: Driver, server: Rehearsal, converted: dict[str, Path], tmp_path: Path
):
    """Two events that Personalize refuses stand alone in the end, with the reason; all others arrive."""
    bad = {event_id(1, 2), event_id(4, 0)}
    folder = tmp_path / "converted"
    (folder / "data").mkdir(parents=True)
    (folder / "report.json").write_bytes((converted["personalize"] / "report.json").read_bytes())
    lines = []
    for text in (
        (converted["personalize"] / "data" / "part-00000.ndjson").read_text(encoding="utf-8").splitlines()
    ):
        line = json.loads(text)
        for event in line["eventList"]:
            event |= {"properties": '{"userId":"reserved"}'} if event["eventId"] in bad else {}
        lines.append(json.dumps(line))
    (folder / "data" / "part-00000.ndjson").write_text(
        "".join(f"{line}\n" for line in lines), encoding="utf-8"
    )
    scene = Scene("personalize", server, tmp_path / "journal", folder / "data", folder, frozenset(bad))
    assert driver.run(scene.call(), step, 2) is None
    kill(driver, scene, (step, 1))
    rejects = [
        json.loads(line)
        for line in (scene.journal / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    assert {json.loads(entry["raw"])["eventId"] for entry in rejects} == bad
    assert {entry["code"] for entry in rejects} == {"InvalidInputException"}
    assert [path.name for path in scene.journal.glob("*.new")] == []


def test_a_lost_answer_is_counted(
    driver: Driver, server: Rehearsal, converted: dict[str, Path], tmp_path: Path
):
    """What arrived without its answer being written down is said, and arrives twice with the same ids."""
    scene = scene_of("clickstream", server, tmp_path, converted)
    call = scene.call(max_in_flight=1)
    assert driver.run(call, "accepted, not written down", 3) is None
    report = driver.run(call)
    assert report
    assert (report["lost_answers"], report["lost_answers_before"], report["lost_events"]) == (1, 1, 4)
    assert sorted(scene.held().values()) == [1] * 20 + [2] * 4
    scene.check_end(report)


def test_the_journal_can_be_read_with_cat(
    driver: Driver, server: Rehearsal, converted: dict[str, Path], tmp_path: Path
):
    """Every line is JSON and one request has two: what went out, and what came back with the receiver's own id."""
    scene = scene_of("personalize", server, tmp_path, converted)
    assert driver.run(scene.call())
    lines = lines_of(scene.journal / "journal.ndjson")
    assert len(lines) == len((scene.journal / "journal.ndjson").read_text(encoding="utf-8").splitlines())
    sends, answers = ([line for line in lines if kind in line] for kind in ("send", "done"))
    assert [line["send"] for line in sends] == sorted(line["done"] for line in answers) == list(range(1, 7))
    assert all(line["digest"] and line["part"] and line["line"] and line["events"] == "0-3" for line in sends)
    known = {record["request"] for record in server.accepted("personalize")}
    assert {line["request_id"] for line in answers} == known
