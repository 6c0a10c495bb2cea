"""Replays in processes that kill themselves at a named step: the process that forks them, and a hand to drive it.

Run as a script it reads tasks from standard input, one JSON object a line, forks a child for each, and writes the
child's number and then how it ended. Children are forked from a process that never used the engine, so starting one
costs no import.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import translate
from translate.conversion.output import Output
from translate.delivery import journal, preparation, replaying
from translate.delivery.endpoints.clickstream import Clickstream
from translate.delivery.endpoints.learning_context import LearningContext
from translate.delivery.endpoints.services import MobileAnalytics, Personalize, Pinpoint
from translate.delivery.journal import Journal
from translate.delivery.preparation import destination_of
from translate.delivery.run import Run
from translate.delivery.turns import Turns
from translate.recipe import privacy
from translate.rehearsal import Rehearsal, digest_of

KILLED = -signal.SIGKILL
ROOT = Path(__file__).parent.parent
SECRET = "a key of the tests, long enough"

# -- in the process that is killed ---------------------------------------------------------------------------------


class Passage:
    """Kills its process when it is passed for the n-th time."""

    def __init__(self, number: int) -> None:
        self._left = number
        self._lock = threading.Lock()

    def is_last(self) -> bool:
        """Count one passage."""
        with self._lock:
            self._left -= 1
            return self._left == 0

    def go(self) -> None:
        """Count one passage, and die if it is the last."""
        if self.is_last():
            die()


def die() -> None:
    """End this process at once, with nothing cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def before(owner: Any, name: str) -> Callable[[Passage], None]:
    """Make a step of the moment before a function is called."""

    def install(passage: Passage) -> None:
        original = getattr(owner, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            passage.go()
            return original(*given, **named)

        setattr(owner, name, wrapped)

    return install


def after(owner: Any, name: str) -> Callable[[Passage], None]:
    """Make a step of the moment after a function has returned."""

    def install(passage: Passage) -> None:
        original = getattr(owner, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            result = original(*given, **named)
            passage.go()
            return result

        setattr(owner, name, wrapped)

    return install


def torn(kind: str, share: float) -> Callable[[Passage], None]:
    """Make a step of the moment when only a share of a record of this kind has reached the journal."""

    def install(passage: Passage) -> None:
        original = Journal._append

        def wrapped(self: Any, record: dict[str, Any]) -> None:
            if kind in record and passage.is_last():
                text = self.found.chain.line(record).removesuffix(b"\n")
                os.write(self._descriptor, text[: int(len(text) * share)])
                die()
            original(self, record)

        Journal._append = wrapped

    return install


def steps() -> dict[str, Callable[[Passage], None]]:
    """Name the steps of a replay."""

    def accepted(passage: Passage) -> None:
        for kind in (Clickstream, LearningContext, MobileAnalytics, Personalize, Pinpoint):
            after(kind, "send")(passage)

    return {
        "unit converted": after(Output, "finish_unit"),
        "source noted": after(preparation, "_keep_or_begin_anew"),
        "conversion told, its state left": before(Output, "_end_state"),
        "conversion complete": after(Output, "complete"),
        "before the survey": before(replaying, "_survey"),
        "survey written": after(replaying, "_survey"),
        "before the head": before(Journal, "__init__"),
        "head torn": torn("journal", 0.5),
        "head without its end of line": torn("journal", 1),
        "head written": after(Journal, "__init__"),
        "before the line of a request": before(Journal, "sending"),
        "line of a request torn": torn("send", 0.5),
        "line of a request without its end": torn("send", 1),
        "after the line of a request": after(Journal, "sending"),
        "before sending": before(Run, "_deliver"),
        "accepted, not written down": accepted,
        "before the line of an answer": before(Journal, "answered"),
        "line of an answer torn": torn("done", 0.5),
        "line of an answer without its end": torn("done", 1),
        "after the line of an answer": after(Journal, "answered"),
        "before halves are queued": before(Turns, "again"),
        "after halves are queued": after(Turns, "again"),
        "before the last line": before(Journal, "stopped"),
        "last line torn": torn("stopped", 0.5),
        "after the last line": after(Journal, "stopped"),
        "while rejects are written": after(journal, "_reasons"),
        "before the report": before(replaying, "_account"),
        "all looked through, not told": after(replaying, "with_erasure"),
        "after the report": after(replaying, "_send"),
    }


def _child(task: dict[str, Any]) -> int:
    if task["step"]:
        steps()[task["step"]](Passage(task["passage"]))
    for setting, value in task.get("limits", {}).items():
        _limit(setting, value)
    try:
        told = translate.replay(**task["call"])
    except Exception as error:  # noqa: BLE001  the test is told, whatever it is
        told = {"error": type(error).__name__, "text": str(error)}
    Path(task["told"]).write_text(json.dumps(told), encoding="utf-8")
    return 0


def _limit(name: str, value: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that what goes beyond is an error, as on a full disk
    resource.setrlimit(getattr(resource, name), (value, value))


def _serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_child(json.loads(line)))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


# -- in the test ---------------------------------------------------------------------------------------------------


class Driver:
    """Has replays run, and killed, one at a time."""

    def __init__(self, folder: Path) -> None:
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        environment |= {
            "TRANSLATE_LEARNING_CONTEXT_SECRET": "hush",
            "TRANSLATE_LEARNING_CONTEXT_PASSWORD": "hush",
            privacy.KEY: SECRET,
            "PYTHONPATH": str(ROOT),
        }
        self._told = folder / "told.json"
        self._running = False
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def start(self, call: dict[str, Any], step: str | None = None, passage: int = 1, **limits: int) -> int:
        """Begin a replay; give the number of its process."""
        if self._running:  # a test that failed left it behind
            self.end()
        self._told.unlink(missing_ok=True)
        task = {"call": call, "step": step, "passage": passage, "limits": limits, "told": str(self._told)}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        self._running = True
        return int(self._line())

    def end(self) -> dict[str, Any] | None:
        """Wait for its end; give what it told, None if it was killed."""
        ended = int(self._line())
        self._running = False
        assert ended in (0, KILLED), ended
        return json.loads(self._told.read_text(encoding="utf-8")) if ended == 0 else None

    def run(
        self, call: dict[str, Any], step: str | None = None, passage: int = 1, **limits: int
    ) -> dict[str, Any] | None:
        """Replay to the end, or to the kill."""
        self.start(call, step, passage, **limits)
        return self.end()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


@dataclass(frozen=True)
class Entry:
    """A request in a journal: its number, the events it was of, and those that its answer called sent."""

    number: int
    events: frozenset[tuple[str, int, int]]
    sent: frozenset[tuple[str, int, int]]
    lost: bool


def lines_of(journal: Path) -> list[dict[str, Any]]:
    """Read a journal as anybody would: the lines that are JSON."""
    found = []
    for line in journal.read_text(encoding="utf-8").split("\n") if journal.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def entries_of(journal: Path) -> list[Entry]:
    """Read what a journal says of its requests, apart from the code that wrote it."""
    lines = lines_of(journal)
    answers = {line["done"]: line for line in lines if "done" in line}
    return [_entry(line, answers.get(line["send"])) for line in lines if "send" in line]


def _entry(send: dict[str, Any], done: dict[str, Any] | None) -> Entry:
    def places(text: str) -> frozenset[tuple[str, int, int]]:
        spans = [span.split("-") for span in text.split(",") if span]
        return frozenset(
            (send["part"], send["line"], at)
            for span in spans
            for at in range(int(span[0]), int(span[-1]) + 1)
        )

    return Entry(
        send["send"],
        places(send["events"]),
        places(done["sent"] if done else ""),
        done is None or done.get("lost", False),
    )


def events_of(parts: Path, model: str) -> dict[tuple[str, int, int], Any]:
    """Read the events of converted parts: id and event at each place."""
    found = {}
    for file in sorted(parts.rglob("part-*")):
        for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for position, event in enumerate(EVENTS[model](json.loads(text))):
                found[file.relative_to(parts).as_posix(), line, position] = event
    return found


def _pinpoint(request: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for batch in request["EventsRequest"]["BatchItem"].values():
        yield from batch["Events"].items()


EVENTS: dict[str, Callable[[Any], Any]] = {
    "clickstream": lambda request: [(event["event_id"], event) for event in json.loads(request["body"])],
    "learning_context": lambda request: [(None, event) for event in request],
    "mobile_analytics": lambda request: [(None, event) for event in request["body"]["events"]],
    "personalize": lambda request: [(event["eventId"], event) for event in request["eventList"]],
    "pinpoint": _pinpoint,
}


# -- the source, and what is held against it -----------------------------------------------------------------------

GROUPS, GROUP_EVENTS = 6, 4
SETTINGS = {"clickstream": (), "learning_context": ("application_id=a", "account=u"), "mobile_analytics": ("region=us-east-1",),
            "personalize": ("tracking_id=t", "region=us-east-1"), "pinpoint": ("region=us-east-1",)}  # fmt: skip


def write_source(folder: Path, model: str) -> Path:
    """Write a small archive for a model: sessions of a few events, each with an id and a text of its own."""
    now_ms = time.time_ns() // 1_000_000
    make = _personalize_call if model == "personalize" else _clickstream_session
    file = folder / "source.jsonl"
    file.write_text(
        "".join(f"{json.dumps(line)}\n" for group in range(GROUPS) for line in make(group, now_ms)),
        encoding="utf-8",
    )
    return file


def _clickstream_session(group: int, now_ms: int) -> Iterator[dict[str, Any]]:
    for number in range(GROUP_EVENTS):
        yield {
            "event_type": "view", "event_id": event_id(group, number), "timestamp": now_ms + number, "app_id": f"shop_{group}",
            "unique_id": f"u-{group}", "zone_offset": 0, "device_id": f"d-{group}", "platform": "Android", "app_title": "Shop",
            "app_package_name": "com.example", "app_version": "1", "sdk_name": "s", "sdk_version": "1",
            "attributes": {"_session_id": f"session-{group:04}", "_session_start_timestamp": now_ms, "note": f"{group} {number}"},
        }  # fmt: skip


def _personalize_call(group: int, now_ms: int) -> Iterator[dict[str, Any]]:
    events = [
        {
            "eventId": event_id(group, number),
            "eventType": "view",
            "sentAt": (now_ms + number) / 1000,
            "itemId": f"i-{number}",
        }
        for number in range(GROUP_EVENTS)
    ]
    yield {"trackingId": "t", "userId": f"u-{group}", "sessionId": f"session-{group:04}", "eventList": events}


def event_id(group: int, number: int) -> str:
    """Give the id of an event of the source."""
    return f"00000000-0000-4000-8000-{group * GROUP_EVENTS + number:012x}"


@dataclass
class Scene:
    """A source on its way to a rehearsal by way of a journal, and what is true of the three at any moment."""

    model: str
    server: Rehearsal
    journal: Path
    parts: Path
    source: Path
    refused: frozenset[str] = frozenset()

    def call(self, **changed: Any) -> dict[str, Any]:
        """Give the call of `replay`."""
        accept = list(destination_of(self.model).delivery.preflight)
        rate = (
            "1500" if self.model == "learning_context" else "5000requests"
        )  # all in one request, unless the rate cuts it
        return {
            "source": str(self.source), "to": self.model, "endpoint": self.server.addresses[self.model], "rate": rate,
            "journal": str(self.journal), "set_": SETTINGS[self.model], "accept": accept, "max_in_flight": 2, "seed": 1, **changed,
        }  # fmt: skip

    def events(self) -> dict[tuple[str, int, int], str]:
        """Name the event at each place of the parts, by its id or its digest."""
        return {
            place: id_ or digest_of(event)
            for place, (id_, event) in events_of(self.parts, self.model).items()
        }

    def held(self) -> Counter[str]:
        """Count what the receiver has."""
        return Counter(record["id"] or record["digest"] for record in self.server.accepted(self.model))

    def check_truth(self) -> None:
        """Hold the journal against the receiver: it calls nothing sent that did not arrive, and uses no number twice."""
        entries = entries_of(self.journal / "journal.ndjson")
        numbers = [entry.number for entry in entries]
        assert numbers == sorted(set(numbers))
        sent = {place for entry in entries for place in entry.sent}
        if sent:
            events, held = self.events(), self.held()
            assert {events[place] for place in sent} <= held.keys()
        bundles = {
            (record["context"]["event_bundle_sequence_id"], record["request"])
            for record in self.server.accepted("clickstream")
        }
        assert len(dict(bundles)) == len(bundles)

    def check_end(self, report: dict[str, Any]) -> None:
        """Hold all three together: everything arrived, and twice only what a lost answer was of."""
        self.check_truth()
        events, held = self.events(), self.held()
        wanted = Counter(events.values())
        assert wanted.total() == GROUPS * GROUP_EVENTS
        assert held.keys() == wanted.keys() - self.refused
        assert not wanted - held - Counter(self.refused)
        again = held - wanted
        lost = Counter(
            events[place]
            for entry in entries_of(self.journal / "journal.ndjson")
            if entry.lost
            for place in entry.events
        )
        assert again <= lost
        assert lost.total() == report["lost_events"]
        assert report["events"] == {
            "total": wanted.total(),
            "sent": wanted.total() - len(self.refused),
            "rejected": len(self.refused),
            "left": 0,
        }
        assert report["stopped"] is None


if __name__ == "__main__":
    _serve()
