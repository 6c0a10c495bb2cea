"""Packs rows into requests, under count and byte limits, in the order of the source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import polars as pl

from translate.mapping.spec import Envelope
from translate.notation import quoted
from translate.writer import ROW


class PinpointBatches:
    """Packs events into PutEvents calls: one application a call, events under their endpoint's id and their own."""

    def __init__(self, envelope: Envelope, output: IO[bytes]) -> None:
        self._envelope = envelope
        self._output = output
        self._open: dict[str, list[tuple[str, str, str]]] = {}
        self._bytes: dict[str, int] = {}
        self.packed = 0

    def add(self, batch: pl.DataFrame) -> None:
        """Take in rows, writing each request that is full."""
        columns = (batch["_application"], batch["_endpoint"], batch["_event"], batch[ROW])
        for application, endpoint, event, row in zip(*columns, strict=True):
            size = len(row.encode()) + 2 * len(quoted(endpoint)) + len(quoted(event)) + 64
            waiting = self._open.setdefault(application, [])
            full = len(waiting) >= self._envelope.events_max
            if waiting and (full or self._bytes[application] + size > self._envelope.bytes_max):
                self._write(application)
                waiting = self._open.setdefault(application, [])
            if any(event == other and endpoint == elsewhere for elsewhere, other, _ in waiting):
                self._write(application)  # the same id twice in one request would be one event
                waiting = self._open.setdefault(application, [])
            waiting.append((endpoint, event, row))
            self._bytes[application] = self._bytes.get(application, 0) + size

    def finish(self) -> None:
        """Write what is left, in the order in which the applications first came."""
        for application in list(self._open):
            self._write(application)

    def _write(self, application: str) -> None:
        waiting = self._open.pop(application)
        self._bytes.pop(application, None)
        if waiting:
            self.packed += len(waiting)
            self._output.write(request(application, waiting).encode() + b"\n")


def request(application: str, rows: list[tuple[str, str, str]]) -> str:
    """Write one PutEvents call as boto3's put_events(**line) takes it.

    >>> request("a", [("e", "1", '{"EventType":"t"}')])
    '{"ApplicationId":"a","EventsRequest":{"BatchItem":{"e":{"Endpoint":{},"Events":{"1":{"EventType":"t"}}}}}}'
    """
    by_endpoint: dict[str, list[str]] = {}
    for endpoint, event, row in rows:
        by_endpoint.setdefault(endpoint, []).append(f"{quoted(event)}:{row}")
    return (
        f'{{"ApplicationId":{quoted(application)},"EventsRequest":{{"BatchItem":{{{",".join(_items(by_endpoint))}}}}}}}'
    )


def _items(by_endpoint: dict[str, list[str]]) -> Iterator[str]:
    for endpoint, found in by_endpoint.items():
        yield f'{quoted(endpoint)}:{{"Endpoint":{{}},"Events":{{{",".join(found)}}}}}'
