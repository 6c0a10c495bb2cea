"""The target directory: what `convert` leaves behind, complete or not at all, and how a run finds its way back."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, Self

from translate.conversion import persistence
from translate.conversion.persistence import make_folder, settle
from translate.conversion.report import RunReport
from translate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from translate.conversion.bucket_output import BucketTarget

STATE = ".translate"
OVER = f"{STATE}.over"  # a state that nobody needs any more
DATA = "data"
REPORT = "report.json"
FILES = "files.ndjson"
WITNESS = "witness"
JOB = "job.json"  # in the state: what the run is about
FORM = 2  # of the state: what is kept of units beside their rows, and how
BEFORE_ORDER = "parts"  # below the state: where the parts of a run lie whose rows are put in order at its end
OWNER_ONLY = 0o600
FULL = (errno.ENOSPC, errno.EDQUOT)
CONVERT_AGAIN = "remove this file, and the same call converts its unit again"
ANOTHER_PLACE = "put it back as it was, or name another directory"


@dataclass(frozen=True)
class WrittenUnit:
    """What came of a unit: its account, its files, and how many events lie in its parts by a count of their own."""

    report: RunReport
    parts: list[Path]
    rejects: Path
    events: int
    digests: dict[Path, str] = field(default_factory=dict)  # of files whose digest is known


class Output:
    """A target directory under construction.

    Finished units lie under their final names; what is under way lies in a hidden folder, with one record for each
    finished unit: its counts, and the size and digest of each of its files. The folder goes when the run is complete.
    What a record speaks of is on the disk before the record is, so that a loss of power leaves no record of nothing.
    Who makes single units for the run that holds the directory does it in a scratch folder of its own, an `attempt`.
    """

    kind = "directory"
    data_address: str | None = None  # if a store has the data

    def __init__(self, directory: Path, job: dict[str, Any], attempt: str = "") -> None:
        self.directory = directory
        self.state = directory / STATE
        self.rows = directory / DATA  # the folder of the units' parts
        self.scratch = self.state / "scratch" / attempt
        self.beside = self.scratch if attempt else self.state  # of what is kept of a unit beside its rows
        self._job = {**job, "state": FORM}
        self._lock: IO[str] | None = None
        self.resumed = False

    @property
    def shown(self) -> str:
        """Name the target as whoever called it did."""
        return str(self.directory)

    def place(self, name: str) -> str:
        """Say where a file beside the data lies for whoever looks for it."""
        return str(self.directory / name)

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

    def __exit__(self, *_: object) -> None:
        self._release()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _claim(self) -> None:
        """Use a missing or empty directory, or one that holds an unfinished run of the same job."""
        try:
            present = {path.name for path in self.directory.iterdir()} if self.directory.exists() else set()
            if present and STATE not in present:
                raise UsageError(f"{self.shown}: is not empty; name a new or empty {self.kind}")
            make_folder(self.scratch)
            self._take_lock()
            self._same_job_or_refuse(present)
            shutil.rmtree(self.scratch, ignore_errors=True)
            make_folder(self.scratch)
            make_folder(self.directory / DATA)
        except (NotADirectoryError, FileExistsError) as error:
            raise UsageError(f"{self.shown}: is no directory; name a new or empty directory") from error
        except OSError as error:
            way_out = "make room" if error.errno in FULL else "grant the right to write"
            raise OutputError(
                f"{self.shown}: cannot be written: {error.strerror}; {way_out} and repeat the call"
            ) from error

    def _take_lock(self) -> None:
        self._lock = (self.state / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"{self.shown}: another run is writing here; wait for it, or name another directory"
            ) from None

    def _same_job_or_refuse(self, present: Iterable[str]) -> None:
        file = self.state / JOB
        if file.exists():
            before = persistence.read_values(file, ANOTHER_PLACE)
            different = sorted(key for key in {*before, *self._job} if before.get(key) != self._job.get(key))
            if different:
                raise UsageError(
                    f"{self.shown}: holds an unfinished run of another job (different: {', '.join(different)}); "
                    "repeat that call, with its version of translate, to resume it, or name another directory"
                )
            self.resumed = True
        elif set(present) - {STATE}:
            raise UsageError(f"{self.shown}: is not empty; name a new or empty {self.kind}")
        else:
            self.write_whole(file, json.dumps(self._job, indent=1, sort_keys=True))

    # -- units ------------------------------------------------------------------------------------------------

    def kept(self, number: int, *, trusted: bool = False) -> tuple[RunReport, list[Path]] | None:
        """Give the account of a unit that was finished, and which of its files are not as they were written.

        They are known by their digests unless they are `trusted`. Raise UsageError if its record is damaged.
        """
        file = self._record(number)
        if not file.exists():
            return None
        values = persistence.unsealed(file, CONVERT_AGAIN)
        if values["unit"] != number:
            raise UsageError(f"{file}: is the record of unit {values['unit']}; {CONVERT_AGAIN}")
        files = {self.directory / name: about for name, about in values["holds"].items()}
        changed = [path for path, about in files.items() if not self._is_kept(path, about, trusted=trusted)]
        return RunReport.from_record(values), changed

    def finish_unit(self, number: int, written: WrittenUnit, beside: Iterable[Path] = ()) -> None:
        """Give a unit's files their final names, then write down that the unit is done."""
        rejects, report = written.rejects, written.report
        places = {rejects: self.state / f"rejects-{number:05}.ndjson"}
        places |= {part: self.rows / part.relative_to(self.scratch) for part in written.parts}
        places |= {file: self.state / file.name for file in beside}
        for file in places:
            settle(file)
        for file, place in places.items():
            if file != place:
                make_folder(place.parent)
                persistence.move(file, place)
        digests = {place: written.digests.get(file) for file, place in places.items()}
        holds = {
            file.relative_to(self.directory).as_posix(): self._keep(file, digests.get(file))
            for file in places.values()
        }
        values = {**report.to_record(), "unit": number, "holds": holds}
        self.write_whole(self._record(number), persistence.sealed(values))

    def catch_up(self) -> None:
        """Take note of what others have finished: here it lies already."""

    def witness(self) -> str | None:
        """Read what was laid down to prove that this place is reached; nothing where it is not."""
        try:
            return (self.state / WITNESS).read_text(encoding="utf-8")
        except OSError:
            return None

    def _keep(self, file: Path, digest: str | None) -> dict[str, Any]:
        """Have a unit's file lie where it will be found; give what it is known by."""
        return persistence.described(file, digest)

    def _is_kept(self, file: Path, about: dict[str, Any], *, trusted: bool = False) -> bool:
        """Tell whether a unit's file lies there as it was left; whoever is trusted needs no digest made."""
        return (persistence.is_as_long if trusted else persistence.is_as)(file, about)

    def _record(self, number: int) -> Path:
        return self.state / f"unit-{number:05}.json"

    # -- the end ----------------------------------------------------------------------------------------------

    def begin_whole(self) -> Path:
        """Give a folder for data that appear as a whole."""
        whole = self.state / "whole"
        shutil.rmtree(whole, ignore_errors=True)
        make_folder(whole)
        return whole

    def show_whole(self, whole: Path) -> None:
        """Let data appear that lie in a folder of their own, and are settled."""
        data = self.directory / "data"
        shutil.rmtree(data)  # empty, or what a run put there that was stopped before it could vouch for it
        persistence.move(whole, data)

    def complete(
        self, report: RunReport, head: dict[str, Any], count: int, schema: dict[str, Any] | None, files: Path,
        proof: Callable[[RunReport, dict[str, Any]], dict[str, Any]] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Write the files beside the data, the report last, which a `proof` adds to once the others are there; remove the run's own."""
        self._gather_rejects(count)
        settle(files)
        self._appear(files, self.directory / FILES)
        if schema is not None:
            self.write_whole(self.directory / "schema.json", json.dumps(schema, indent=2) + "\n")
        shown = {"erasure": proof(report, head)} if proof else {}
        values = {**report.to_json(), **head, **shown, "complete": True}
        self.write_whole(self.directory / REPORT, json.dumps(values, indent=2, ensure_ascii=False) + "\n")
        self._end_state()
        return values

    def _end_state(self) -> None:
        over = self.directory / OVER
        persistence.move(self.state, over)  # in one step: what is left may not look like an unfinished run
        shutil.rmtree(over, ignore_errors=True)

    def _gather_rejects(self, count: int) -> None:
        whole = self.scratch / "rejects.ndjson"
        with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as output:
            for number in range(count):
                part = self.state / f"rejects-{number:05}.ndjson"
                if part.exists():
                    with part.open("rb") as content:
                        shutil.copyfileobj(content, output)
        settle(whole)
        self._appear(whole, self.directory / "rejects.ndjson")

    def _appear(self, whole: Path, place: Path) -> None:
        """Give what is whole its final name."""
        persistence.move(whole, place)

    def write_whole(self, file: Path, text: str) -> None:
        """Write a file so that it appears only when it is complete, and then stays."""
        persistence.write_whole(file, text, self.scratch / f"{file.name}.new")

    def written(self) -> list[PurePath]:
        """Name all files that lie there."""
        return [file.relative_to(self.directory) for file in self.directory.rglob("*") if file.is_file()]

    @contextmanager
    def at_hand(self, name: str) -> Iterator[Path]:
        """Give one of these files, to be read."""
        yield self.directory / name

    # -- what is complete already -----------------------------------------------------------------------------

    def result(self) -> dict[str, Any] | None:
        """Give the report of a complete run that lies here; anything else is none."""
        try:
            values = json.loads((self.directory / REPORT).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return values if isinstance(values, dict) and values.get("complete") is True else None

    def told_files(self) -> Iterator[dict[str, Any]]:
        """Give what a complete run said of its source's files; raise OSError or ValueError if that is not to be read."""
        with (self.directory / FILES).open("rb") as lines:
            yield from map(json.loads, lines)

    def tidy(self) -> None:
        """Remove what a run that was killed after its report has left of its state."""
        if self.state.exists():
            try:
                self._take_lock()
                self._end_state()
            finally:
                self._release()
        shutil.rmtree(self.directory / OVER, ignore_errors=True)


def output_of(target: Path | BucketTarget, job: dict[str, Any], attempt: str = "") -> Output:
    """Give the output for a target: a folder, or a prefix of a bucket; or for an attempt at a unit of another's run."""
    return Output(target, job, attempt) if isinstance(target, Path) else target.output(job, attempt)
