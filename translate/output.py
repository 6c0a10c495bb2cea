"""The target directory: what `convert` leaves behind, complete or not at all, and how a run finds its way back."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from translate.errors import OutputError, UsageError
from translate.report import Report

STATE = ".translate"
OWNER_ONLY = 0o600


class Output:
    """A target directory under construction.

    Finished units lie under their final names; what is under way lies in a hidden folder, with one file of
    counts for each finished unit. The folder goes when the run is complete.
    """

    def __init__(self, directory: Path, job: dict[str, Any]) -> None:
        self.directory = directory
        self.state = directory / STATE
        self.scratch = self.state / "scratch"
        self._job = job
        self._lock: IO[str] | None = None
        self.resumed = False

    def __enter__(self) -> Self:
        try:
            self._claim()
        except BaseException:
            self._release()
            raise
        return self

    def _release(self) -> None:
        if self._lock:
            self._lock.close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._release()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _claim(self) -> None:
        """Use a missing or empty directory, or one that holds an unfinished run of the same job."""
        try:
            present = {path.name for path in self.directory.iterdir()} if self.directory.exists() else set()
            if present and STATE not in present:
                raise UsageError(f"{self.directory}: is not empty; name a new or empty directory")
            self.scratch.mkdir(parents=True, exist_ok=True)
            self._lock = (self.state / "lock").open("a")
            self._lock_or_refuse(self._lock)
            self._same_job_or_refuse(present)
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.scratch.mkdir(parents=True)
            (self.directory / "data").mkdir(exist_ok=True)
        except (NotADirectoryError, FileExistsError) as error:
            raise UsageError(f"{self.directory}: is no directory; name a new or empty directory") from error
        except OSError as error:
            way_out = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "grant the right to write"
            raise OutputError(f"{self.directory}: cannot be written: {error.strerror}; {way_out} and repeat the call") from error

    def _lock_or_refuse(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{self.directory}: another run is writing here; wait for it, or name another directory") from None

    def _same_job_or_refuse(self, present: Iterable[str]) -> None:
        file = self.state / "job.json"
        if file.exists():
            before = json.loads(file.read_text())
            different = sorted(key for key in {*before, *self._job} if before.get(key) != self._job.get(key))
            if different:
                raise UsageError(
                    f"{self.directory}: holds an unfinished run of another job (different: {', '.join(different)}); "
                    "repeat that call to resume it, or name another directory"
                )
            self.resumed = True
        elif set(present) - {STATE}:
            raise UsageError(f"{self.directory}: is not empty; name a new or empty directory")
        else:
            self.write_whole(file, json.dumps(self._job, indent=1, sort_keys=True))

    # -- units ------------------------------------------------------------------------------------------------

    def finished(self, number: int) -> Report | None:
        """Give the account of a unit that an earlier run finished."""
        file = self.state / f"unit-{number:05}.json"
        if not file.exists():
            return None
        values = json.loads(file.read_text())
        return Report.from_json(values, values["files"])

    def finish_unit(self, number: int, part: Path | None, rejects: Path, report: Report) -> None:
        """Give a unit's part its final name, then write down that the unit is done."""
        if part is not None:
            place = self.directory / "data" / part.relative_to(self.scratch)
            place.parent.mkdir(parents=True, exist_ok=True)
            part.replace(place)
        rejects.replace(self.state / f"rejects-{number:05}.ndjson")
        values = {**report.to_json(), "files": report.files}
        self.write_whole(self.state / f"unit-{number:05}.json", json.dumps(values))

    # -- the end ----------------------------------------------------------------------------------------------

    def complete(self, report: Report, head: dict[str, Any], count: int, schema: dict[str, Any] | None) -> dict[str, Any]:
        """Write the files beside the data, the report last, and remove what the run needed for itself."""
        self._gather_rejects(count)
        files = "".join(json.dumps(file, ensure_ascii=False) + "\n" for file in report.files)
        self.write_whole(self.directory / "files.ndjson", files)
        if schema is not None:
            self.write_whole(self.directory / "schema.json", json.dumps(schema, indent=2) + "\n")
        values = {**report.to_json(), **head, "complete": True}
        self.write_whole(self.directory / "report.json", json.dumps(values, indent=2, ensure_ascii=False) + "\n")
        over = self.state.with_name(f"{STATE}.over")
        self.state.rename(over)  # in one step: what is left of a state may not look like an unfinished run
        shutil.rmtree(over, ignore_errors=True)
        return values

    def _gather_rejects(self, count: int) -> None:
        whole = self.scratch / "rejects.ndjson"
        with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as output:
            for number in range(count):
                part = self.state / f"rejects-{number:05}.ndjson"
                if part.exists():
                    with part.open("rb") as content:
                        shutil.copyfileobj(content, output)
        whole.replace(self.directory / "rejects.ndjson")

    def write_whole(self, file: Path, text: str) -> None:
        """Write a file so that it appears only when it is complete."""
        temporary = self.scratch / f"{file.name}.new"
        with temporary.open("w", encoding="utf-8") as output:
            output.write(text)
            output.flush()
            os.fsync(output.fileno())
        temporary.replace(file)


def digest(value: Any) -> str:
    """Give the SHA-256 of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
