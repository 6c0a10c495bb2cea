"""The journal of a replay: an append-only file of what was sent and what came back, one JSON object a line.

    {"journal": 1, "job": {...}}                                   what is replayed, where to, from which files
    {"send": 7, "at", "part", "line", "events": "0-99", "of": 100, "digest", "attempt"}       written before sending
    {"done": 7, "at", "status", "request_id", "sent": "0-98", "never": {"99": [code, message]}, "again": "", "lost": false}
    {"accepted": [name, ...], "at"}                                what the preflight found and somebody accepted
    {"resumed": at, "lost_answers": 1}                             a process went on; what it found unanswered is lost
    {"stopped": why, "at"}                                         a run ended, for this reason or at its end (null)

Each line ends with a `chain`: the digest of all bytes before it, its own record included. So a line that somebody changed,
doubled, moved or took out of the middle is noticed. A line that a kill tore is none, and the next one vouches for it.
A `send` without a `done` is an answer that was lost: its events count as not sent. So the journal is never ahead of
the receiver, whenever the process dies. Beside it lie the refused events, and the requests that a dry run shows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from translate.conversion.persistence import move
from translate.delivery.answers import Answer, Pile
from translate.delivery.records import DIGEST_LENGTH, FORMAT, NAME, PUT_BACK, Reading, read, records, text_of
from translate.errors import OutputError, UsageError
from translate.reader.shipments import PackedRequest, Shipment, closed
from translate.vocabulary.notation import quoted

if TYPE_CHECKING:
    from translate.delivery.endpoints import Endpoint
    from translate.delivery.turns import Parts

OWNER_ONLY = 0o600
REASONS = "rejects.ndjson"
REQUESTS = "rejected.ndjson"
SHOWN_FOLDER = "dry-run"
SHOWN_FILES_MAX = 100
SYNC_SECONDS = 1.0
WORDS = {"inputs": "the source's files", "parts": "the converted parts", "receiver": "whom it is sent to"}
LOCK_ATTEMPTS = 10
LOCK_PAUSE_SECONDS = 0.05

Refusals = dict[tuple[str, int], dict[int, tuple[str, str]]]


class Journal:
    """A journal that is being written, by the one process that holds its folder's lock."""

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        self.file = folder / NAME
        self.found = read(self.file).close() if self.file.exists() else Reading()
        refuse_another_job(folder, self.found.job, job)
        self._synced = time.monotonic()
        self.number = self.found.last_number
        self.settled = self.found.settled
        self.tally = self.found.tally
        self._torn = self.found.job is not None and _is_torn(self.file)
        if self.found.job is None:
            self._begin(job)
        else:
            self._descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND)
            self._append({"resumed": _now(), "lost_answers": self.tally.lost_answers})

    def _begin(self, job: dict[str, Any]) -> None:
        """Make the file: it gets its name when its head is on the disk."""
        new = self.file.with_suffix(".new")
        self._descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, OWNER_ONLY)
        self._append({"journal": FORMAT, "at": _now(), "job": job})
        os.fsync(self._descriptor)
        move(new, self.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Put what was written last beyond a loss of power."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)

    def sending(self, shipment: Shipment, of: int, digest: str, attempt: int) -> int:
        """Write down that a shipment is about to go; give its number."""
        self.number += 1
        self._append({"send": self.number, "at": _now(), "part": shipment.part, "line": shipment.line,
                      "events": text_of(shipment.events), "of": of, "digest": digest, "attempt": attempt})  # fmt: skip
        return self.number

    def answered(self, number: int, shipment: Shipment, answer: Answer) -> None:
        """Write down what came back."""
        piles = answer.piles(shipment.events)
        said = dict(zip(shipment.events, answer.verdicts, strict=True))
        record: dict[str, Any] = {"done": number, "at": _now(), "status": answer.status, "request_id": answer.request_id,
                                  "sent": text_of(piles[Pile.SENT])}  # fmt: skip
        if piles[Pile.NEVER]:
            record["never"] = {str(at): [said[at].code, said[at].message] for at in piles[Pile.NEVER]}
        if piles[Pile.AGAIN]:
            record |= {"again": text_of(piles[Pile.AGAIN]), "why": said[piles[Pile.AGAIN][0]].message}
        record |= {name: True for name in ("lost", "throttled") if getattr(answer, name)}
        self._append(record)

    def accepted(self, names: Iterable[str]) -> None:
        """Write down which findings somebody accepted by their names, once each."""
        new = [name for name in names if name not in self.found.accepted]
        if new:
            self._append({"accepted": new, "at": _now()})

    def stopped(self, why: str | None) -> None:
        """Write down why the run ended before its end, or that it did not."""
        self._append({"stopped": why, "at": _now()})

    def _append(self, record: dict[str, Any]) -> None:
        """Write one line; after a torn one, the end of that comes first."""
        end = b"\n" * self._torn
        chain = self.found.chain.copy()
        chain.add(end)
        self._write(end + chain.line(record))
        self._torn, self.found.chain = False, chain
        self.found.take(record)
        now = time.monotonic()
        if now - self._synced >= SYNC_SECONDS:
            os.fsync(self._descriptor)
            self._synced = now

    def _write(self, line: bytes) -> None:
        """Write a line, or nothing of it."""
        before, left = os.fstat(self._descriptor).st_size, memoryview(line)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, before)
                is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
                way_out = "make room" if is_full else "see to the disk"
                said = f"{self.file}: cannot be written: {error.strerror}; {way_out} and repeat the call: it goes on"
                raise OutputError(said) from error


def lock(folder: Path) -> IO[str]:
    """Keep other processes off a journal; raise UsageError where one is at work."""
    file = (folder / "lock").open("a")
    for _ in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_SECONDS)  # whoever asks for the status holds the lock for a moment, too
        else:
            return file
    file.close()
    raise UsageError(f"{folder}: another process is replaying with this journal; wait for it, or stop it")


def refuse_without_end(reading: Reading, file: Path, requests: int) -> None:
    """Raise UsageError if a journal knows of fewer requests than the report that was written after it."""
    if reading.tally.requests < requests:
        said = f"its last report tells of {requests} requests, but it ends after {reading.tally.requests}; {PUT_BACK}"
        raise UsageError(f"{file}: {said}, or what its end settled would be sent again")


def refuse_another_job(folder: Path, before: dict[str, Any] | None, job: dict[str, Any]) -> None:
    """Raise UsageError if the journal is of another job."""
    if before is None:
        return
    different = sorted(key for key in {*before, *job} if before.get(key) != job.get(key))
    if different:
        raise UsageError(
            f"{folder}: this journal is of another replay (changed: {', '.join(WORDS.get(key, key) for key in different)}); "
            "repeat that call, on the same files, to go on with it, or name another folder"
        )


def digest_of(shipment: Shipment) -> str:
    """Give the digest of what a shipment holds."""
    text = shipment.body or json.dumps(shipment.request, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGEST_LENGTH]


def _is_torn(file: Path) -> bool:
    with file.open("rb") as content:
        content.seek(max(0, content.seek(0, os.SEEK_END) - 1))
        return content.read(1) not in (b"", b"\n")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- what lies beside it --------------------------------------------------------------------------------------------


def refusals(journal: Path) -> Refusals:
    """Find the refused events of a journal: by part and line, the code and message of each position."""
    found: Refusals = {}
    places: dict[int, tuple[str, int]] = {}
    for record in records(journal):
        if "send" in record:
            places[record["send"]] = (record["part"], record["line"])
        elif "done" in record and (place := places.pop(record["done"], None)) and "never" in record:
            never = {int(position): (code, message) for position, (code, message) in record["never"].items()}
            found.setdefault(place, {}).update(never)
    return found


def write_refused(folder: Path, journal: Path, parts: Parts) -> None:
    """Write the refused events anew, in the order of the source: `rejects.ndjson` as `convert` does, and `rejected.ndjson`."""
    found = refusals(journal)
    if not found:
        return
    with _replaced(folder / REASONS) as reasons, _replaced(folder / REQUESTS) as requests:
        for packed in parts.requests():
            here = found.pop((packed.part, packed.line), None)
            if here:
                reasons.writelines(_reasons(packed, here))
                requests.write(closed(packed.shipment(list(here)).request, packed.layout) + "\n")
            if not found:
                break


def write_requests(folder: Path, parts: Parts, endpoint: Endpoint) -> list[dict[str, Any]]:
    """Write the first requests that are left to `dry-run/NNNNNN.json` below the journal, a file each; give what they hold."""
    target = folder / SHOWN_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    journal = folder / NAME
    found = read(journal) if journal.exists() else Reading()
    settled, first = found.settled, found.last_number + 1
    shown = []
    for number, packed in enumerate(itertools.islice(parts.requests(settled), SHOWN_FILES_MAX), first):
        done = settled.of_line(packed.part, packed.line)
        positions = [position for position in range(len(packed.ways)) if position not in done]
        request = endpoint.show(packed.shipment(positions), number)
        descriptor = os.open(target / f"{number:06}.json", os.O_WRONLY | os.O_CREAT, OWNER_ONLY)
        with open(descriptor, "w", encoding="utf-8") as output:
            json.dump(request, output, indent=1, ensure_ascii=False)
        shown.append(request)
    return shown


def _reasons(packed: PackedRequest, refused: dict[int, tuple[str, str]]) -> Iterator[str]:
    for position, (code, message) in sorted(refused.items()):
        raw = quoted(packed.event(packed.ways[position]))
        about = {"file": packed.part, "line": packed.line, "code": code, "message": message}
        yield json.dumps({**about, "raw": raw}, ensure_ascii=False) + "\n"


@contextlib.contextmanager
def _replaced(file: Path) -> Iterator[IO[str]]:
    """Open a file that appears under its name only when it is complete."""
    temporary = file.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as output:
        yield output
        output.flush()
        os.fsync(output.fileno())
    move(temporary, file)
