"""Which engine runs: the kernel where one was compiled, else the reference; an environment variable insists on one of them."""

from __future__ import annotations

import ctypes
import os
from functools import cache

from translate.engine.allocators import share_arenas
from translate.engine.build import KERNEL, SANITIZED, stale
from translate.errors import UsageError, suggest

CHOICE = "TRANSLATE_ENGINE"
REFERENCE = "reference"
FILES = {"kernel": KERNEL, "sanitized": SANITIZED}  # the latter for tests: see translate.engine.build
BUILD = "python -m translate.engine.build"


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
    share_arenas()
    return loaded
