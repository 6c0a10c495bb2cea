"""The accounts of a rehearsal, on disk: what was accepted, what was rejected, and when requests arrived."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from translate.errors import UsageError
from translate.rehearsal.digests import canonical
from translate.rehearsal.messages import Item, Refusal

KINDS = ("accepted", "rejected", "arrivals")
BLOCK_BYTES = 1 << 18
EVENT = b',"event":'  # last member of a line; inside a text its quotes would be escaped


class Ledger:
    """Three files of JSON lines; each is whole after every call, and read while it grows."""

    def __init__(self, keep: str | None) -> None:
        self._temporary = keep is None
        self.folder = tempfile.mkdtemp(prefix="translate-rehearsal-") if keep is None else keep
        os.makedirs(self.folder, exist_ok=True)
        self._files: dict[str, int] = {}
        for kind in KINDS:
            try:
                self._files[kind] = os.open(
                    self._path(kind), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600
                )
            except FileExistsError:
                self.close()
                raise UsageError(
                    f"{self._path(kind)} is there already: name a new or empty directory"
                ) from None

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
    head = json.dumps(
        {
            "target": target,
            "app": item.app,
            "id": item.id,
            "digest": hashlib.sha256(text).hexdigest(),
            "request": request_id,
        },
        separators=(",", ":"),
    )
    context = f',"context":{json.dumps(item.context, separators=(",", ":"))}' if item.context else ""
    return b"".join((head[:-1].encode(), context.encode(), reason.encode(), EVENT, text, b"}\n"))


def _refused(target: str, request_id: str, refusal: Refusal) -> bytes:
    reason = json.dumps(
        {"code": refusal.code, "message": refusal.message, "later": refusal.later}, separators=(",", ":")
    )
    return _line(target, request_id, refusal.item, f",{reason[1:-1]}")


def _chosen(line: bytes, names: list[str]) -> bytes:
    if "event" not in names and EVENT in line:
        line = line[: line.index(EVENT)] + b"}"
    record = json.loads(line)
    return json.dumps({name: record.get(name) for name in names}, separators=(",", ":")).encode() + b"\n"
