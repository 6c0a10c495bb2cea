"""What `convert` and `replay` left in a directory, as evidence: accounts, digests of files, places of rejects, hazards and who accepted them."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from translate.archive.sources import REPORT, find
from translate.archive.stored import ReadError, SourceFile, chunks_of, digest_of
from translate.conversion.erased import CONVERTED
from translate.conversion.output import STATE
from translate.delivery.records import NAME as JOURNAL
from translate.delivery.records import SURVEY, read
from translate.errors import UsageError, refuse_store

FILES, REJECTS, PAGE = "files.ndjson", "rejects.ndjson", ".html"
LISTED_MAX = 500  # files that are named; the digest of a list is of all of them
PLACES_MAX = 5  # rejects of each code that are named


@dataclass(frozen=True)
class Listing:
    """Files and their digests: how many, how large, one digest over the list of all, and the first of them."""

    files: int
    bytes: int
    digest: str
    first: list[dict[str, Any]]

    @classmethod
    def of(cls, entries: Iterable[dict[str, Any]]) -> Listing:
        """Go through files in the order of their paths' bytes; the digest is that of what `sha256sum` prints of them."""
        whole, files, size = hashlib.sha256(), 0, 0
        first: list[dict[str, Any]] = []
        for entry in entries:
            whole.update(f"{entry['digest'].removeprefix('sha256:')}  {entry['path']}\n".encode())
            files += 1
            size += entry["bytes"]
            if len(first) < LISTED_MAX:
                first.append(entry)
        return cls(files, size, f"sha256:{whole.hexdigest()}", first)


@dataclass(frozen=True)
class ConversionTrail:
    """A directory that `convert` filled: its report, its inputs and outputs, and where the first rejects of each code lie."""

    folder: str
    report: dict[str, Any]
    inputs: Listing
    outputs: Listing
    rejected: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """Say what was made of what."""
        return f"{self.report['from']} \N{RIGHTWARDS ARROW} {self.report['to']}"

    @property
    def is_lake(self) -> bool:
        """Tell whether its rows are asked by SQL: their columns have other names."""
        return bool(self.report.get("options", {}).get("lake"))

    @property
    def rows_are_elsewhere(self) -> bool:
        """Tell whether only the books of the run lie here, and its rows in a bucket."""
        return bool(self.report["events"]["written"]) and not (Path(self.folder) / "data").is_dir()

    @property
    def digests(self) -> list[tuple[str, str]]:
        """Name what was held fast, each with its digest."""
        return [
            (f"inputs ({self.inputs.files:,})", self.inputs.digest),
            *self.report["mapping"].items(),
            (f"outputs ({self.outputs.files:,})", self.outputs.digest),
        ]

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class ReplayTrail:
    """A journal of `replay`: where to, what was taken, what is left, and which losses somebody accepted, and when."""

    folder: str
    to: str
    endpoint: str
    events: dict[str, int]
    codes: dict[str, int]
    requests: int
    lost_events: int
    span: tuple[str | None, str | None]
    stopped: str | None
    accepted: dict[str, str]
    preflight: list[dict[str, Any]]
    verify: list[Any]

    @property
    def holds(self) -> tuple[str, str]:
        """Name the directories whose hazards its `accepted` are about: its own, and that of the conversion in it."""
        return self.folder, str(Path(self.folder) / CONVERTED)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "folder": self.folder, "to": self.to, "endpoint": self.endpoint, "events": self.events, "rejects": self.codes, "requests": self.requests,
            "lost_events": self.lost_events, "first_at": self.span[0], "last_at": self.span[1], "stopped": self.stopped, "accepted": self.accepted,
            "preflight": self.preflight, "verify": self.verify,
        }  # fmt: skip


def trails_of(folder: str | os.PathLike[str]) -> Iterator[ConversionTrail | ReplayTrail]:
    """Give what lies in a directory; of a journal also the conversion that it holds. Raise UsageError where there is nothing."""
    refuse_store(folder, "DIR")
    place, shown = Path(folder), os.fspath(folder)
    if (place / STATE).exists():
        raise UsageError(f"{shown}: holds an unfinished run; repeat the call of convert, then ask again")
    if (place / JOURNAL).is_file():
        if (place / CONVERTED / REPORT).is_file():
            yield _conversion(place / CONVERTED)
        yield _replay(place)
    elif (place / REPORT).is_file() and (place / FILES).is_file():
        yield _conversion(place)
    else:
        raise UsageError(
            f"{shown}: is no directory that convert left, nor a journal of replay; name one with report.json or {JOURNAL}"
        )


# -- conversions ----------------------------------------------------------------------------------------------------


def _conversion(folder: Path) -> ConversionTrail:
    report = _json(folder / REPORT)
    if report.get("complete") is not True or not {"events", "losses", "mapping"} <= report.keys():
        raise UsageError(f"{folder / REPORT}: is no report of a finished convert; name what convert left")
    return ConversionTrail(
        str(folder), report, Listing.of(_inputs(folder / FILES)), Listing.of(_outputs(folder)), _places(folder / REJECTS, report["rejects"])
    )  # fmt: skip


def _json(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: cannot be read: {error}; put it back as it was") from None
    if not isinstance(told, dict):
        raise UsageError(f"{file}: is no report; put it back as it was")
    return told


def _inputs(file: Path) -> Iterator[dict[str, Any]]:
    counted = ("path", "bytes", "digest", "model", "layout", "read", "written", "rejected")
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            yield {name: told.get(name) for name in counted} | {"digest": told.get("digest") or ""}


def _outputs(folder: Path) -> Iterator[dict[str, Any]]:
    """Hash what was written; a page in the directory is not of the run."""
    top = [path for path in folder.iterdir() if not path.name.startswith(".")]
    below = (path for each in top for path in ([each] if each.is_file() else each.rglob("*")))
    files = [path for path in below if path.is_file() and path.suffix != PAGE]
    shown = {os.fsencode(path.relative_to(folder).as_posix()): path for path in files}
    for name, path in sorted(shown.items()):
        digest, size = hashlib.sha256(), 0
        try:
            for chunk in chunks_of(SourceFile(str(path), "", 0)):
                digest.update(chunk)
                size += len(chunk)
        except ReadError as error:
            raise UsageError(f"{path}: cannot be read: {error}; put it back as it was") from None
        yield {"path": os.fsdecode(name), "bytes": size, "digest": f"sha256:{digest.hexdigest()}"}


def _places(file: Path, codes: dict[str, int]) -> list[dict[str, Any]]:
    """Name the first rejects of each code by file and line: their texts and messages may hold what people said."""
    if not codes or not file.is_file():
        return []
    wanted = Counter({code: min(count, PLACES_MAX) for code, count in codes.items()})
    found = []
    with file.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            told = json.loads(line)
            if wanted[told["code"]] > 0:
                wanted[told["code"]] -= 1
                found.append({name: told[name] for name in ("code", "file", "line")})
                if not wanted.total():
                    break
    return sorted(found, key=lambda entry: (-codes[entry["code"]], entry["code"]))


def changed_inputs(trail: ConversionTrail, source: str | os.PathLike[str]) -> list[str]:
    """Name the files of a source that are not those of a run any more; objects of a bucket are not fetched for it."""
    there = {file.shown: file for file in find([source])}
    changed = []
    for entry in _inputs(Path(trail.folder) / FILES):
        file = there.get(entry["path"])
        if file is None:
            changed.append(f"{entry['path']}: is not there")
        elif not file.is_remote and entry["digest"] and digest_of(file) != entry["digest"]:
            changed.append(f"{entry['path']}: has other bytes")
    return changed


# -- replays --------------------------------------------------------------------------------------------------------


def _replay(folder: Path) -> ReplayTrail:
    found = read(folder / JOURNAL).close()
    tally, job = found.tally, found.job or {}
    told = _json(folder / REPORT) if (folder / REPORT).is_file() else {}
    surveyed = _json(folder / SURVEY) if (folder / SURVEY).is_file() else {}
    total = int(surveyed.get("events", tally.sent + tally.never))
    return ReplayTrail(
        str(folder), str(job.get("to")), str(job.get("endpoint")),
        {"total": total, "sent": tally.sent, "rejected": tally.never, "left": total - tally.sent - tally.never},
        dict(sorted(tally.codes.items())), tally.requests, tally.lost_events, (tally.first_at, tally.last_at), tally.last_stop, found.accepted,
        list(told.get("preflight", ())), list(told.get("verify", ())),
    )  # fmt: skip
