"""The accounts of a rehearsal: every event on disk, in its canonical form, and counts, in total and by target."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any

from translate.errors import UsageError
from translate.rehearsal.messages import Item, Refusal

# Numbers that are spelled in more than one way: whole ones with a fraction or an exponent.
MANY_SPELLINGS = re.compile(r"[0-9](?:\.0[,\]}]|e[+-]?[0-9])")

KINDS = ("accepted", "rejected", "arrivals")
BLOCK_BYTES = 1 << 18
EVENT = b',"event":'  # last member of a line; inside a text its quotes would be escaped

WINDOW_SECONDS = 1.0
COUNTED = ("requests", "events", "accepted", "rejected", "deferred", "lost_later", "answers_lost", "bytes")


def canonical(event: Any) -> bytes:
    """Write JSON in its canonical form: keys sorted, nothing between, 1.0 as 1, UTF-8."""
    text = _written(event)
    if MANY_SPELLINGS.search(text):
        text = _written(json.loads(text, parse_float=_number))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")).encode()


def digest_of(event: Any) -> str:
    """Give the SHA-256 of an event's canonical form, in hexadecimal digits."""
    return hashlib.sha256(canonical(event)).hexdigest()


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


class Ledger:
    """Three files of JSON lines; each is whole after every call, and read while it grows."""

    def __init__(self, keep: str | None) -> None:
        self._temporary = keep is None
        self.folder = tempfile.mkdtemp(prefix="translate-rehearsal-") if keep is None else keep
        os.makedirs(self.folder, exist_ok=True)
        self._files: dict[str, int] = {}
        for kind in KINDS:
            file = self._path(kind)
            try:
                self._files[kind] = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            except FileExistsError:
                self.close()
                raise UsageError(f"{file} is there already: name a new or empty directory") from None

    def _path(self, kind: str) -> str:
        return os.path.join(self.folder, f"{kind}.ndjson")

    def accept(self, target: str, request_id: str, items: Iterable[Item]) -> None:
        """Write down events that were taken."""
        self._write("accepted", b"".join(_line(target, request_id, item, "") for item in items))

    def reject(self, target: str, request_id: str, refusals: Iterable[Refusal]) -> None:
        """Write down events that are lost, with the reason."""
        self._write("rejected", b"".join(_refused(target, request_id, refusal) for refusal in refusals))

    def arrive(self, arrival: dict[str, Any]) -> None:
        """Write down that a request arrived."""
        self._write("arrivals", json.dumps(arrival, separators=(",", ":")).encode() + b"\n")

    def _write(self, kind: str, lines: bytes) -> None:
        view = memoryview(lines)
        while view:
            view = view[os.write(self._files[kind], view) :]

    def lines(self, kind: str, target: str | None = None) -> Iterator[bytes]:
        """Give the lines that are there now, of one target or of all."""
        start = json.dumps({"target": target}, separators=(",", ":"))[:-1].encode() + b"," if target else b""
        with open(self._path(kind), "rb") as file:
            left = os.fstat(file.fileno()).st_size
            for line in file:
                left -= len(line)
                if line.startswith(start):
                    yield line
                if left <= 0:
                    return

    def blocks(self, kind: str, target: str | None, names: list[str] | None) -> Iterator[bytes]:
        """Give the lines as blocks of bytes, with the members that are asked for."""
        block = bytearray()
        for line in self.lines(kind, target):
            block += line if names is None else _chosen(line, names)
            if len(block) >= BLOCK_BYTES:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)

    def close(self) -> None:
        """Close the files; a temporary folder goes with them."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def _line(target: str, request_id: str, item: Item, reason: str) -> bytes:
    text = canonical(item.event)
    # Built by hand: the event's canonical text is there already, and writing it twice would be most of the work.
    digest = hashlib.sha256(text).hexdigest()
    about = {"target": target, "app": item.app, "id": item.id, "digest": digest, "request": request_id}
    head = json.dumps(about, separators=(",", ":"))
    context = f',"context":{json.dumps(item.context, separators=(",", ":"))}' if item.context else ""
    return b"".join((head[:-1].encode(), context.encode(), reason.encode(), EVENT, text, b"}\n"))


def _refused(target: str, request_id: str, refusal: Refusal) -> bytes:
    why = {"code": refusal.code, "message": refusal.message, "later": refusal.later}
    reason = json.dumps(why, separators=(",", ":"))
    return _line(target, request_id, refusal.item, f",{reason[1:-1]}")


def _chosen(line: bytes, names: list[str]) -> bytes:
    if "event" not in names and EVENT in line:
        line = line[: line.index(EVENT)] + b"}"
    record = json.loads(line)
    return json.dumps({name: record.get(name) for name in names}, separators=(",", ":")).encode() + b"\n"


class Busiest:
    """The most requests and events in any window of a second, wherever it begins; memory for one second only."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()
        self._events = self._latest = 0.0
        self.requests = self.events = 0

    def add(self, at_seconds: float, events: int) -> None:
        """Count a request that arrived at this monotonic time."""
        # Two connections may finish in another order than they began.
        self._latest = at = max(at_seconds, self._latest)
        recent = self._recent
        while recent and recent[0][0] <= at - WINDOW_SECONDS:
            self._events -= recent.popleft()[1]
        recent.append((at, events))
        self._events += events
        self.requests = max(self.requests, len(recent))
        self.events = max(self.events, int(self._events))


class TargetCounts:
    """Counts of one target, or of all: events = accepted + rejected + deferred."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.misbehaviour: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.busiest = Busiest()

    def to_json(self) -> dict[str, Any]:
        """Give the counts as `/_stats` tells them."""
        by_name = ("statuses", "reasons", "misbehaviour", "notes")
        return {
            **{name: self.counts[name] for name in COUNTED},
            **{name: dict(sorted(getattr(self, name).items())) for name in by_name},
            "busiest_second": {"requests": self.busiest.requests, "events": self.busiest.events},
        }


class Gate:
    """Lets a number of requests through in any second."""

    def __init__(self) -> None:
        self._passed: deque[float] = deque()

    def lets(self, at_seconds: float, per_second: int) -> bool:
        """Tell whether a request that comes at this monotonic time is within the quota; count it if it is."""
        while self._passed and self._passed[0] <= at_seconds - WINDOW_SECONDS:
            self._passed.popleft()
        if len(self._passed) >= per_second:
            return False
        self._passed.append(at_seconds)
        return True
