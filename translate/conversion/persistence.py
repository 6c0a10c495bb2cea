"""What survives a loss of power, and how it is known again: content first, then its name, then what vouches for both."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from translate.errors import UsageError

ALGORITHM = "sha256"
SEAL = "seal"
WITHOUT_FOLDERS = (errno.EINVAL, errno.ENOTSUP)  # file systems that keep names by themselves


def settle(path: Path) -> None:
    """Have a file's content, or the names in a folder, put onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in WITHOUT_FOLDERS or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, with names that stay."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        settle(path.parent)


def move(file: Path, place: Path) -> None:
    """Give a file that is settled another name, which stays."""
    file.replace(place)
    settle(place.parent)


def write_whole(file: Path, text: str, temporary: Path | None = None) -> None:
    """Write a file so that it appears only when it is complete, and then stays."""
    temporary = temporary or file.with_name(f"{file.name}.new")
    with temporary.open("w", encoding="utf-8") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    move(temporary, file)


# -- what is known again ---------------------------------------------------------------------------------------------


def described(file: Path, digest: str | None = None) -> dict[str, Any]:
    """Give a file's size and digest, by which it is known again; a digest that was made while it was written is taken."""
    if digest is None:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, ALGORITHM).hexdigest()
    return {"bytes": file.stat().st_size, "digest": f"{ALGORITHM}:{digest}"}


def is_as(file: Path, about: dict[str, Any]) -> bool:
    """Tell whether a file is there and as it was described."""
    return is_as_long(file, about) and described(file) == about


def is_as_long(file: Path, about: dict[str, Any]) -> bool:
    """Tell whether a file is there, with the length that was described."""
    return file.is_file() and file.stat().st_size == about["bytes"]


def digest(value: Any) -> str:
    """Give the SHA-256 of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def sealed(values: dict[str, Any]) -> str:
    """Write a record of the run's state so that it is noticed if it is changed."""
    return json.dumps({**values, SEAL: _seal(values)})  # indented, it would be Python that writes it


def unsealed(file: Path, way_out: str) -> dict[str, Any]:
    """Read a record of the run's state; raise UsageError, with the way out, if it is empty, torn or changed."""
    values = read_values(file, way_out)
    if values.pop(SEAL, None) != _seal(values):
        raise UsageError(f"{file}: is not as it was written; {way_out}")
    return values


def read_values(file: Path, way_out: str) -> dict[str, Any]:
    """Read a JSON object; raise UsageError, with the way out, if the file holds none."""
    try:
        values = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        what = "is torn" if file.stat().st_size else "is empty"
        raise UsageError(f"{file}: {what}; {way_out}")
    return values


def _seal(values: dict[str, Any]) -> str:
    return f"{ALGORITHM}:{digest(values)}"
