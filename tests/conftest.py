"""What all tests share: a kernel of these sources, files in memory, how much is generated, and a network that is closed except to this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
import traceback
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, settings

from translate.archive import units
from translate.engine import build, choice


def kernel_of_these_sources() -> None:
    """Compile the kernel where it is missing or outdated, before a test looks for it; here warnings are errors."""
    name = os.environ.get(choice.CHOICE) or "kernel"
    if name in choice.FILES and build.stale(choice.FILES[name]):
        with contextlib.suppress(build.NoCompilerError):
            build.build(choice.FILES[name], strict=True, sanitize=name == "sanitized")


def files_in_memory() -> None:
    """Have files of tests lie in memory where that has room: conversions ask a disk at each step, thousands of them wait for it."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK):
        space = os.statvfs(MEMORY)
        runs_programs = not space.f_flag & os.ST_NOEXEC  # as whole installations are
        memory_bytes = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        room_bytes = min(space.f_bavail * space.f_frsize, memory_bytes)
        if runs_programs and room_bytes > MEMORY_BYTES_MIN:
            os.environ["TMPDIR"] = MEMORY
            tempfile.tempdir = None  # pytest has asked for it already


MEMORY = "/dev/shm"
MEMORY_BYTES_MIN = 4_000_000_000  # several times what all tests leave behind

kernel_of_these_sources()
files_in_memory()
os.environ.pop("COLUMNS", None)  # pytest-xdist says 80 to its workers, of a terminal that there is not

MODEST = 25
QUICK = [
    Phase.explicit,
    Phase.generate,
]  # making a failing archive smaller takes minutes: HYPOTHESIS_PROFILE=shrink does
settings.register_profile(
    "default",
    max_examples=MODEST,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=QUICK,
    derandomize=True,
)
settings.register_profile(
    "ci", parent=settings.get_profile("default"), max_examples=8 * MODEST, derandomize=False, print_blob=True
)
settings.register_profile("shrink", parent=settings.get_profile("ci"), phases=list(Phase))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True, scope="session")
def closed_network() -> Any:
    """Refuse every connection that leaves this machine."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(original: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            outside = self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(
                LOOPBACK
            )
            if outside:
                raise OSError(f"tests may not reach the network: {address}")
            return original(self, address)

        return call

    patch.setattr(socket.socket, "connect", guarded(connect))
    patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    yield
    patch.undo()


@pytest.fixture(params=["kernel", "reference"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have either engine run."""
    if request.param == "kernel" and choice.library() is None:
        pytest.skip("there is no kernel")
    monkeypatch.setenv(choice.CHOICE, request.param)
    return str(request.param)


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read files as small ones, in groups, and as large ones, by the engine and by its salvage."""
    if request.param == "large":
        monkeypatch.setattr(units, "BUFFERED_MAX", 0)
    return str(request.param)


def is_of_scan() -> bool:
    """Tell whether the caller is the source of a scan, which the engine draws on a thread that it has made for that."""
    return any(frame.name == "hub_batches" for frame in traceback.extract_stack())


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_oneself() -> Any:
    """Refuse a query of the streaming engine on a thread of the streaming engine: both would wait without end, now and then."""
    patch = pytest.MonkeyPatch()

    def guarded(original: Any) -> Any:
        def call(*given: Any, engine: str = "auto", **named: Any) -> Any:
            is_called_back = isinstance(threading.current_thread(), threading._DummyThread)
            is_streamed = engine != "in-memory" or original.__name__.startswith("sink_")
            if is_streamed and is_called_back and not is_of_scan() and not named.get("lazy"):
                raise AssertionError('a callback of the engine asks the engine: say engine="in-memory" there')
            return original(*given, engine=engine, **named)

        return call

    # Frames are written by sinks, too, which are the streaming engine's whichever engine is named.
    for name in (
        "collect",
        "collect_batches",
        "sink_batches",
        "sink_csv",
        "sink_ipc",
        "sink_ndjson",
        "sink_parquet",
    ):
        patch.setattr(pl.LazyFrame, name, guarded(getattr(pl.LazyFrame, name)))
    patch.setattr(pl, "collect_all", guarded(pl.collect_all))
    yield
    patch.undo()
