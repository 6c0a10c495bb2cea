"""Local endpoints that behave, and misbehave, as the targets are documented to: a server in a thread of its own, and what it knows at hand."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Self

from translate.errors import CallError, OutputError, UsageError, suggest
from translate.rehearsal.desk import Desk
from translate.rehearsal.ledger import canonical, digest_of
from translate.rehearsal.options import NAMES, Options
from translate.rehearsal.wire import Connection

__all__ = ["Options", "Rehearsal", "canonical", "digest_of"]

BACKLOG = 512
FIXED = frozenset({"host", "port", "expose", "keep", "seed", "play", "mappings"})


class Rehearsal:
    """Local endpoints for several targets on one port: `with Rehearsal(seed=1, throttle=0.1) as server: ...`.

    They are those of the five models of known protocols, or of the models that `play` names.

    Takes `Options`, or the fields of `Options` by name. In the block `url`, `port` and `addresses` are known.
    """

    def __init__(self, options: Options | None = None, **named: Any) -> None:
        for name in sorted(named.keys() - NAMES):
            raise CallError(f'Rehearsal() has no option "{name}"{suggest(name, NAMES)}')
        if not isinstance(options, Options | None):
            raise CallError("Rehearsal() takes its options by name: Rehearsal(seed=1, throttle=0.1)")
        self.options = replace(options, **named) if options else Options(**named)
        self.port = self.options.port
        self._connections: set[Connection] = set()
        self._ready = threading.Event()
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        self._desk = Desk(self.options)
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(),), name="rehearsal", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if self._failure:
            self._desk.ledger.close()
            taken = getattr(self._failure, "errno", None) == errno.EADDRINUSE
            reason = getattr(self._failure, "strerror", None) or self._failure
            told = (
                "somebody else listens there; name another --port, or 0 for a free one" if taken else reason
            )
            raise OutputError(f"{self.options.host}:{self.options.port}: {told}") from self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._desk.ledger.close()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            made = partial(Connection, self._desk.answer, self._connections)
            host, port = self.options.host, self.options.port
            server = await self._loop.create_server(made, host, port, backlog=BACKLOG)
        except (OSError, OverflowError, ValueError) as error:  # whatever it is, somebody waits for the word
            self._failure = error
            self._ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in list(self._connections):
            connection.close()
        await asyncio.sleep(0)  # lets the transports close their sockets

    @property
    def url(self) -> str:
        """Give the address of the server, without a slash at its end."""
        host = self.options.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def addresses(self) -> dict[str, str]:
        """Give what each target's client is told as its endpoint."""
        desk = self._desk
        return {target: f"{self.url}{desk.path(target, self.options)}" for target in desk.targets}

    def change(self, **named: Any) -> None:
        """Change options while it runs, its misbehaviour for instance; the next request meets the new ones."""
        fixed = named.keys() & FIXED
        if fixed:
            raise UsageError(f"cannot be changed while it runs: {', '.join(sorted(fixed))}")
        self.options = self._desk.options = replace(self.options, **named)

    def stats(self) -> dict[str, Any]:
        """Give the counts that `/_stats` tells."""
        return self._desk.stats()

    def accepted(self, target: str | None = None) -> Iterator[dict[str, Any]]:
        """Give what was accepted, in the order in which it was."""
        return map(json.loads, self._desk.ledger.lines("accepted", target))

    def rejected(self, target: str | None = None) -> Iterator[dict[str, Any]]:
        """Give what was rejected, or would be lost later, with `code`, `message` and `later`."""
        return map(json.loads, self._desk.ledger.lines("rejected", target))

    def arrivals(self, target: str | None = None) -> Iterator[dict[str, Any]]:
        """Give each request's arrival: `at` in monotonic seconds from the start, `events`, and the `status` it was given."""
        return map(json.loads, self._desk.ledger.lines("arrivals", target))

    def serve_forever(self) -> None:
        """Serve until interrupted."""
        with self, contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
