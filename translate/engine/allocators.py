"""What the allocators of C and of polars keep of freed memory for later: as little as costs next to nothing."""

from __future__ import annotations

import contextlib
import ctypes
import os
from functools import cache

ARENA_MAX, ARENAS = -8, 2  # M_ARENA_MAX of mallopt(3)
# Of jemalloc, which polars brings along and which reads it once, as it is loaded: else what is freed stays for half a
# second in the process, and after that as pages that the system may take, but counts as the process's.
OF_POLARS = "_RJEM_MALLOC_CONF", "dirty_decay_ms:100,muzzy_decay_ms:0"


def ask_polars_for_less() -> None:
    """Let polars' allocator give back what is freed, unless the environment says otherwise; for a process that has not loaded it."""
    os.environ.setdefault(*OF_POLARS)


def share_arenas() -> None:
    """Let glibc's threads share their memory: an arena each would keep the large, short-lived buffers of all of them."""
    with contextlib.suppress(AttributeError):  # other C libraries have no such thing
        _c_library().mallopt(ARENA_MAX, ARENAS)


def give_back() -> None:
    """Give the system what lies free between what is used: by itself glibc gives back no more than the end of its heap."""
    with contextlib.suppress(AttributeError):
        _c_library().malloc_trim(0)


@cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
