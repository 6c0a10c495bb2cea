"""Which engine runs, by what is there or an environment variable insists on, and what the allocators beside it keep of freed memory.

None of it needs polars, which reads its allocator's options as it is loaded.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from functools import cache

from translate.engine.build import KERNEL, SANITIZED, stale
from translate.errors import UsageError, suggest

CHOICE = "TRANSLATE_ENGINE"
REFERENCE = "reference"
FILES = {"kernel": KERNEL, "sanitized": SANITIZED}  # the latter for tests: see translate.engine.build
BUILD = "python -m translate.engine.build"
# M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of mallopt(3). The latter two would grow with what is freed, until
# large memory came from between small one, and left holes there; below half a megabyte asking the system costs more.
OF_C = {-8: 2, -3: 512 << 10, -1: 1 << 20}
# Of jemalloc, which polars brings along and which reads it once, as it is loaded: else what is freed stays for half a
# second in the process, and after that as pages that the system may take, but counts as the process's; and each of its
# arenas, four to a processor, keeps some of its own.
ARENAS = max(1, (os.cpu_count() or 1) // 2)
OF_POLARS = "_RJEM_MALLOC_CONF", f"dirty_decay_ms:100,muzzy_decay_ms:0,narenas:{ARENAS}"


def library() -> ctypes.CDLL | None:
    """Give the kernel; None where the reference runs. Raise UsageError where the environment asks for what is not there."""
    chosen = os.environ.get(CHOICE) or None
    if chosen == REFERENCE:
        return None
    if chosen is not None and chosen not in FILES:
        raise UsageError(
            f'{CHOICE}: no engine "{chosen}"{suggest(chosen, [*FILES, REFERENCE])}; say kernel or reference'
        )
    loaded = _load(chosen or "kernel")
    if isinstance(loaded, ctypes.CDLL):
        return loaded
    if chosen is not None:
        raise UsageError(f"{CHOICE}={chosen}: {loaded}; build it by `{BUILD}`, or leave the variable out")
    return None


def engine_name(*, careful: bool = False) -> str:
    """Name the engine that reads and writes; a careful run has the reference read."""
    return REFERENCE if careful or library() is None else os.environ.get(CHOICE) or "kernel"


def engine() -> str:
    """Name the engine that runs, and why, where it is the slower one."""
    chosen = os.environ.get(CHOICE) or "kernel"
    if library() is not None:
        return f"engine: {chosen}"
    if chosen == REFERENCE:
        return f"engine: reference, slower: {CHOICE} asks for it"
    return f"engine: reference, slower: {_load('kernel')}"


@cache
def _load(name: str) -> ctypes.CDLL | str:
    """Load a library, once; where that fails, say why."""
    file = FILES[name]
    if not file.exists():
        return "no compiled kernel"
    if stale(file):
        return "the compiled kernel is older than its sources"
    try:
        loaded = ctypes.CDLL(str(file))
    except OSError:
        return "the compiled kernel does not load on this machine"
    ask_c_for_less()
    return loaded


def ask_polars_for_less() -> None:
    """Let polars' allocator give back what is freed, unless the environment says otherwise; for a process that has not loaded it."""
    os.environ.setdefault(*OF_POLARS)


def ask_c_for_less() -> None:
    """Let glibc's threads share their memory, and large memory be the system's again once it is freed."""
    with contextlib.suppress(AttributeError):  # other C libraries have no such thing
        for option, value in OF_C.items():
            _c_library().mallopt(option, value)


def give_back() -> None:
    """Give the system what lies free between what is used: by itself glibc gives back no more than the end of its heap."""
    with contextlib.suppress(AttributeError):
        _c_library().malloc_trim(0)


@cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
