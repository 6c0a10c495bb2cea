"""Where a replay stands: the records of its journal, and what they add up to, whether or not it is running."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import itertools
import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from translate.conversion import persistence
from translate.errors import UsageError
from translate.wording.arguments import checked

NAME = "journal.ndjson"
FORMAT = 2
DIGEST_LENGTH = 16
HEAD = re.compile(rb'\{"journal": (\d+)')
LINK = re.compile(rb', "chain": "([0-9a-f]{16})"\}')
PUT_BACK = "put it back as it was"
GO_ON = f"{PUT_BACK}; without a copy, keep only the lines before it, which are sound: what those do not settle is sent again"
SURVEY = "survey.json"
RECENT_ANSWERS = 200
HOUR_SECONDS = 3600


class Chain:
    """The running digest over a journal's bytes."""

    def __init__(self, digest: hashlib._Hash | None = None) -> None:
        self._digest = digest or hashlib.sha256()

    def copy(self) -> Chain:
        """Give a chain that is as long so far."""
        return Chain(self._digest.copy())

    def add(self, content: bytes) -> None:
        """Take in bytes that are no whole line."""
        self._digest.update(content)

    def line(self, record: dict[str, Any]) -> bytes:
        """Write a record as the next line."""
        body = json.dumps(record, ensure_ascii=False).encode(errors="backslashreplace")[:-1]
        self.add(body)
        end = f', "chain": "{self._link()}"}}\n'.encode()
        self.add(end)
        return body + end

    def holds(self, line: bytes, link: re.Match[bytes]) -> bool:
        """Take in a whole line; tell whether it stands where, and as, it was written."""
        self.add(line[: link.start()])
        is_sound = link[1] == self._link().encode()
        self.add(line[link.start() :])
        return is_sound

    def _link(self) -> str:
        return self._digest.hexdigest()[:DIGEST_LENGTH]


@dataclass
class Settled:
    """What needs no sending any more: of each part, all lines up to one, lines beyond it, and single events."""

    through: dict[str, int] = field(default_factory=dict)
    beyond: dict[str, set[int]] = field(default_factory=dict)
    positions: dict[tuple[str, int], set[int]] = field(default_factory=dict)

    def settle(self, part: str, line: int, events: Iterable[int], of: int) -> None:
        """Take down that these events of a line, which holds so many, were taken or refused for good."""
        if self.is_whole(part, line):
            return
        held = self.positions.get((part, line), set()).union(events)
        if len(held) < of:
            if held:
                self.positions[part, line] = held
            return
        self.positions.pop((part, line), None)
        beyond = self.beyond.setdefault(part, set())
        beyond.add(line)
        through = self.through.get(part, 0)
        while through + 1 in beyond:
            through += 1
            beyond.remove(through)
        self.through[part] = through

    def is_whole(self, part: str, line: int) -> bool:
        """Tell whether all events of a line are settled."""
        return line <= self.through.get(part, 0) or line in self.beyond.get(part, ())

    def of_line(self, part: str, line: int) -> set[int]:
        """Give the settled events of a line that is not whole."""
        return self.positions.get((part, line), set())


@dataclass
class Totals:
    """What a journal adds up to, in events, but for `requests`, `throttled` and `lost_answers`."""

    sent: int = 0
    never: int = 0
    again: int = 0
    requests: int = 0
    throttled: int = 0
    lost_answers: int = 0
    lost_events: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    first_at: str | None = None
    last_at: str | None = None
    last_stop: str | None = None


@dataclass
class Reading:
    """A journal as it was found: its head, what is settled, sums, the sends without an answer, the last number."""

    job: dict[str, Any] | None = None
    chain: Chain = field(default_factory=Chain)
    settled: Settled = field(default_factory=Settled)
    tally: Totals = field(default_factory=Totals)
    unanswered: dict[int, dict[str, Any]] = field(default_factory=dict)
    last_number: int = 0
    accepted: dict[str, str] = field(default_factory=dict)  # findings that lose data, and since when

    def take(self, record: dict[str, Any]) -> None:
        """Take in one record; before the head there is none."""
        if self.job is None:
            if "journal" in record:
                self.job = record["job"]
        elif "send" in record:
            self.last_number = max(self.last_number, record["send"])
            self.unanswered[record["send"]] = record
            self.tally.requests += 1
            self.tally.first_at = self.tally.first_at or record["at"]
        elif "done" in record:
            self._answer(record)
        elif "resumed" in record:
            self.close()
        elif "accepted" in record:
            self.accepted |= {name: record["at"] for name in record["accepted"] if name not in self.accepted}
        elif "stopped" in record:
            self.tally.last_stop = record["stopped"]

    def _answer(self, record: dict[str, Any]) -> None:
        send = self.unanswered.pop(record["done"], None)
        if send is None:
            return
        sent, never = positions_of(record["sent"]), record.get("never", {})
        tally = self.tally
        tally.sent += len(sent)
        tally.never += len(never)
        tally.again += len(positions_of(record.get("again", "")))
        tally.throttled += bool(record.get("throttled"))
        tally.last_at = record["at"]
        for code, _ in never.values():
            tally.codes[code] = tally.codes.get(code, 0) + 1
        if record.get("lost"):
            self._lose(send)
        self.settled.settle(send["part"], send["line"], [*sent, *map(int, never)], send["of"])

    def _lose(self, send: dict[str, Any]) -> None:
        self.tally.lost_answers += 1
        self.tally.lost_events += len(positions_of(send["events"]))

    def close(self) -> Self:
        """Count the sends whose answer never came as lost."""
        for send in self.unanswered.values():
            self._lose(send)
        self.unanswered.clear()
        return self


def read(file: Path) -> Reading:
    """Read a journal, whether or not somebody is writing it; raise UsageError if it is none, or was changed."""
    reading = Reading()
    for record in records(file, reading.chain):
        reading.take(record)
    return reading


def records(file: Path, chain: Chain | None = None) -> Iterator[dict[str, Any]]:
    """Give a journal's records in their order; one that lacks only the end of its line is one, a torn one is none."""
    chain = chain or Chain()
    torn: int | None = None  # the first of the lines right before this one that are no records
    with file.open("rb") as lines:
        head = lines.readline()
        _refuse_what_is_none(file, head)
        for number, line in enumerate(itertools.chain([head], lines), 1):
            link = LINK.search(line)
            if link is None:
                chain.add(line)
                torn = torn or number
                continue
            if line[link.end() :] not in (b"", b"\n") or not chain.holds(line, link):
                raise _changed(file, torn or number)
            torn = None
            yield json.loads(line)
    # Whoever goes on after a kill ends the torn line and writes the next at once.
    if torn and line.endswith(b"\n"):
        raise _changed(file, torn)


def _changed(file: Path, number: int) -> UsageError:
    return UsageError(f"{file}: line {number} is not as it was written; {GO_ON}")


def _refuse_what_is_none(file: Path, head: bytes) -> None:
    """Raise UsageError if a file does not begin as a journal of this form does: it got its name with its whole head."""
    form = HEAD.match(head)
    if form is None:
        what = "is no journal of a replay" if head else f"is empty; {PUT_BACK}"
        raise UsageError(f"{file}: {what}, or name another folder")
    if int(form[1]) != FORMAT:
        what = "was written by another version of translate; go on with that one"
        raise UsageError(f"{file}: {what}, or name another folder")
    if not head.endswith(b"}\n"):
        raise UsageError(f"{file}: is torn; {PUT_BACK}, or name another folder")


def text_of(positions: Iterable[int]) -> str:
    """Write positions as ranges, in their order."""
    spans: list[list[int]] = []
    for position in sorted(positions):
        if spans and position <= spans[-1][1] + 1:
            spans[-1][1] = position
        else:
            spans.append([position, position])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def positions_of(text: str) -> list[int]:
    """Read positions written as ranges."""
    found: list[int] = []
    for span in filter(None, text.split(",")):
        first, _, last = span.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


@checked
def status(journal_folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Tell what is done and left, in events, at which rate, and the hours to go; raise UsageError where no journal is.

    >>> import translate
    >>> translate.status("nowhere")
    Traceback (most recent call last):
    translate.errors.UsageError: nowhere: holds no journal; name the folder that was given as --journal
    """
    folder = Path(journal_folder)
    file = folder / NAME
    if not file.exists():
        what = "nothing was sent yet: its source is being converted and looked over; ask again later"
        none = "holds no journal; name the folder that was given as --journal"
        raise UsageError(f"{folder}: {what if _is_locked(folder) else none}")
    reading = Reading()
    recent: deque[tuple[dt.datetime, int]] = deque(maxlen=RECENT_ANSWERS)
    for record in records(file):
        reading.take(record)
        if "done" in record:
            recent.append((dt.datetime.fromisoformat(record["at"]), len(positions_of(record["sent"]))))
    if not (running := _is_locked(folder)):
        reading.close()
    job, tally, total = reading.job or {}, reading.tally, _events(folder)
    left = None if total is None else total - tally.sent - tally.never
    rate = _rate(recent)
    return {
        "journal": str(folder), "running": running, "to": job.get("to"), "endpoint": job.get("endpoint"),
        "events": {"total": total, "sent": tally.sent, "rejected": tally.never, "left": left},
        "rejects": dict(sorted(tally.codes.items())), "requests": tally.requests, "throttled": tally.throttled,
        "under_way": len(reading.unanswered), "lost_answers": tally.lost_answers, "lost_events": tally.lost_events,
        "first_at": tally.first_at, "last_at": tally.last_at, "stopped": None if running else tally.last_stop,
        "events_per_second": rate, "hours_left": left / rate / HOUR_SECONDS if left and rate else 0.0 if left == 0 else None,
    }  # fmt: skip


def _events(folder: Path) -> int | None:
    file, way_out = folder / SURVEY, "remove this file, and the next call of replay looks again"
    return int(persistence.unsealed(file, way_out)["events"]) if file.exists() else None


def _rate(recent: deque[tuple[dt.datetime, int]]) -> float | None:
    """Give the events a second over the last answers."""
    seconds = (recent[-1][0] - recent[0][0]).total_seconds() if recent else 0
    return sum(events for _, events in list(recent)[1:]) / seconds if seconds > 0 else None


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False
