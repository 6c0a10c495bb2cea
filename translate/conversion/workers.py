"""Processes of this machine as a crew: each makes units of a run that this process holds, with its share of the cores."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from translate.archive.sources import expect
from translate.archive.spool import spool
from translate.archive.units import Unit
from translate.conversion.errands import Crew, Errand, Portion, Portions, is_numbered_through, work_on
from translate.conversion.run import Conversion
from translate.errors import OutputError, UsageError
from translate.passes import Passes
from translate.stores.transfers import NAP_SECONDS, Carriers

ATTEMPTS = 2  # at a unit, if its worker is killed
PACKAGES = Path(__file__).parent.parent.parent
START = (sys.executable, "-c", "from translate.conversion.workers import work; work()")
KILLED = (
    "a worker was killed twice while it made part {number} (is there enough memory?); say --workers 1, and the same call "
    "goes on: what is finished stays"
)


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def crew_of(asked: int | None, run: Conversion) -> Workers | None:
    """Give as many workers as are asked for and of use; None where this process makes all units itself.

    It does so for events that are counted one after the other (`--limit`), and for numbered requests, which are made twice,
    unless there are many workers.
    """
    if asked is not None and asked < 1:
        raise UsageError(f"--workers {asked}: at least one has to work")
    count = min(asked or 1, len(run.units))
    is_limited = run.job.selection.limit is not None
    if is_limited or count <= (2 if is_numbered_through(run) else 1):
        return None
    return Workers(count)


# -- in the process that holds the run ----------------------------------------------------------------------------------


class WorkerLostError(Exception):
    """A worker ended before its work did."""


class Worker:
    """A process that makes one unit after the other."""

    def __init__(self, errand: Errand, threads: int) -> None:
        paths = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH")]))
        given = os.environ.get("POLARS_MAX_THREADS", str(threads))
        environment = {
            **os.environ, "PYTHONPATH": paths, "POLARS_MAX_THREADS": given, "POLARS_LINES_CHUNK_PREFETCH_LIMIT": given,
        }  # fmt: skip
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(START, env=environment, stdin=pipe, stdout=pipe)  # noqa: S603  this program
        self._send(errand)

    def ask(self, what: str, portion: Portion, first: int, told: Callable[[str, Any], None]) -> Any:
        """Have something done with a unit, and give the answer; raise what was raised there, or WorkerLostError."""
        self._send((what, portion, first))
        while True:
            try:
                kind, value = pickle.load(self._pipe(self._process.stdout))  # noqa: S301  our own process
            except (EOFError, OSError, pickle.UnpicklingError) as error:
                raise WorkerLostError from error
            if kind == "raised":
                raise value
            if kind == "done":
                return value
            told(kind, value)

    def _send(self, message: Any) -> None:
        try:
            pickle.dump(message, pipe := self._pipe(self._process.stdin))
            pipe.flush()
        except OSError as error:
            raise WorkerLostError from error

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None  # all that are used are asked for
        return pipe

    def close(self) -> None:
        """End the process, which may be at work: what it has not finished is nowhere."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                self._pipe(pipe).close()


class Workers(Crew):
    """Makes the units of a run by processes, in their order as far as that goes."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._guard = threading.Lock()
        self._begun: list[Worker] = []
        self._is_over = False

    def _each(
        self, run: Conversion, passes: Passes | None, what: str, units: Iterator[Unit], first: dict[int, int]
    ) -> dict[int, Any]:
        errand = Errand.of(run, passes)
        answers: dict[int, Any] = {}
        self._is_over = False
        if any(file.is_remote for file in run.recognised.files):
            spool().serve(self.count)
            expect(file for unit in run.units for file in unit.files)
        ahead = Portions(units, run.recognised, self.is_over)

        def work_off() -> None:
            worker: Worker | None = None
            while (portion := ahead.next()) is not None:
                number = portion.unit.number
                begin = first.get(number, 1)
                worker, answers[number] = self._answer(worker, run, errand, what, portion, begin)
                if portion.lent:
                    spool().take_back(portion.lent)

        beside = Carriers[None](self.count)
        waiting: set[Future[None]] = {beside.want(work_off) for _ in range(self.count)}
        beside.go_on()
        try:
            while waiting:
                done, waiting = wait(waiting, NAP_SECONDS, FIRST_EXCEPTION)
                for future in done:
                    future.result()
        finally:
            self.close()
        return answers

    def _answer(
        self, worker: Worker | None, run: Conversion, errand: Errand, what: str, portion: Portion, first: int
    ) -> tuple[Worker, Any]:
        """Ask a worker, and another one where it is killed; give the one that answers, and the answer."""
        for _ in range(ATTEMPTS):
            try:
                worker = worker or self._begin(errand)
                answer = worker.ask(what, portion, first, _seen_by(run))
            except WorkerLostError:
                worker = None
            else:
                if what == "make":
                    run.course.finish(portion.unit.files)
                return worker, answer
        raise OutputError(KILLED.format(number=portion.unit.number))

    def _begin(self, errand: Errand) -> Worker:
        """Start a worker, unless all is over."""
        with self._guard:
            if self.is_over():
                raise WorkerLostError
            worker = Worker(errand, max(1, cores() // self.count))
            self._begun.append(worker)
        return worker

    def close(self) -> None:
        """End all workers."""
        with self._guard:
            self._is_over = True
            for worker in self._begun:
                worker.close()
            self._begun.clear()

    def is_over(self) -> bool:
        """Tell whether nothing more is wanted."""
        return self._is_over


def _seen_by(run: Conversion) -> Callable[[str, Any], None]:
    """Take what a worker tells of a unit while it works, how far it is, or a warning, and pass it on."""
    bytes_before = events_before = 0

    def told(kind: str, value: Any) -> None:
        nonlocal bytes_before, events_before
        if kind == "warned":
            warnings.warn(value, stacklevel=2)
            return
        bytes_, events = value
        run.course.count(bytes_ - bytes_before, events - events_before)
        bytes_before, events_before = bytes_, events

    return told


# -- in a worker ----------------------------------------------------------------------------------------------------------


def work() -> None:
    """Make units until nobody asks any more; whoever asked may end at any time, and with him the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the one that asks decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed by mistake is no answer
    guard = threading.Lock()

    def tell(kind: str, value: Any = None) -> None:
        with guard:
            pickle.dump((kind, value), answers)
            answers.flush()

    asked: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    warnings.showwarning = lambda message, *_, **__: tell("warned", str(message))
    errand: Errand = asked.get()
    while True:
        what, portion, first = asked.get()
        try:
            tell(
                "done",
                work_on(errand, what, portion, first, lambda step: tell("step", (step.bytes, step.events))),
            )
        except Exception as error:  # noqa: BLE001  whatever it is, it is raised where it was asked for
            tell("raised", _that_travels(error))


def _listen(asked: SimpleQueue[Any]) -> None:
    with contextlib.suppress(EOFError, OSError), os.fdopen(os.dup(0), "rb") as questions:
        while True:
            asked.put(pickle.load(questions))  # noqa: S301  from the process that began this one
    os._exit(0)


def _that_travels(error: Exception) -> Exception:
    """Give an error that another process can read."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    except Exception:  # noqa: BLE001  some cannot be made anew
        return OutputError(f"{type(error).__name__}: {error}")
    return error
