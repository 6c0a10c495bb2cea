"""Folders of this machine for what is on its way from a store, or to one: they go with their owner, or after it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path

NAME = "translate-staging-"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def folder_of(owner: object) -> Path:
    """Make a folder that is there as long as its owner; those of killed processes go."""
    remove_abandoned()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=NAME))
        try:
            held = os.open(folder, FOLDER)
        except FileNotFoundError:  # another process found it before it was held
            continue
        # Some file systems know no locks, and nothing is ever abandoned there.
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)  # let go of when the process ends, however it does
        if folder.exists():
            break
        os.close(held)
    weakref.finalize(owner, _remove, folder, held)
    return folder


def remove_abandoned() -> None:
    """Remove the folders that nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{NAME}*"):
        held = _opened(folder)
        if held is None:
            continue
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _opened(folder: Path) -> int | None:
    """Open a folder of one's own; nothing where it is none, or gone."""
    try:
        held = os.open(folder, FOLDER)
    except OSError:
        return None
    if os.fstat(held).st_uid != os.geteuid():
        os.close(held)
        return None
    return held


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)
    remove_abandoned()  # workers are killed when they are not needed any more
