"""What makes a run the same run, and whether what an earlier one left is of it, and read what lies there now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate import __version__
from translate.archive import units
from translate.archive.stored import SourceFile, digest_of
from translate.conversion.job import HUB_MODEL, Job
from translate.conversion.persistence import digest
from translate.errors import UsageError
from translate.passes import Asked
from translate.reader.hub import Hub
from translate.reader.recognition import Recognised
from translate.recipe.privacy import fingerprint, key_of_environment
from translate.writer.shape import avro_schema


@dataclass(frozen=True)
class Task:
    """What a run does: a job, upon a source, after passes over the whole of it."""

    job: Job
    recognised: Recognised
    asked: Asked
    compression: str

    @property
    def target(self) -> str:
        """Name the layout that is written."""
        return self.job.target_layout.address if self.job.target_layout else HUB_MODEL

    def identity(self) -> dict[str, Any]:
        """Say what makes a job the same job: inputs, mappings, recipe, settings, and how it is written."""
        job = self.job
        return {
            "inputs": digest_of_each(
                [file.shown, file.bytes, file.modified, file.tag] for file in self.recognised.files
            ),
            "from": self.recognised.address,
            "to": self.target,
            "mappings": self._mapping_digests(),
            "settings": digest(job.settings.described()),
            **self._own_columns(),
            "selection": job.selection.described() if job.selection else None,
            **self._options(),
            "part_size": job.part_bytes or units.PART_BYTES,
            "hash_key": fingerprint(key_of_environment()) if job.recipe and job.recipe.needs_key else None,
            "version": __version__,
        }

    def _options(self) -> dict[str, Any]:
        return {
            "compression": self.compression,
            **self.asked.described(),
            "examples": self.job.examples,
            "census": self.job.census,
            **({"lake": True} if self.job.lake else {}),
            **({"sort": True} if self.job.sort else {}),
            **({"part_size": self.job.part_bytes} if self.job.part_bytes else {}),
        }

    def _own_columns(self) -> dict[str, Any]:
        """Say which columns of its own the target gets, if it gets some: those of the source's tables are in no file of ours."""
        own = self.job.target_layout.own if self.job.target_layout else ()
        return {"columns": [[entry.place, entry.own.type] for entry in own if entry.own]} if own else {}

    def _mapping_digests(self) -> dict[str, str]:
        job = self.job
        digests = {source.mapping.file: source.mapping.digest for source in self.recognised.sources}
        if job.target:
            mapping, _ = job.target
            digests[mapping.file] = mapping.digest
        if job.recipe:
            digests[Path(job.recipe.file).name] = job.recipe.digest
        return dict(sorted(digests.items()))

    def head(self) -> dict[str, Any]:
        """Give what the report says of it first."""
        files = self.recognised.files
        return {
            "inputs": {"files": len(files), "bytes": sum(file.bytes for file in files)},
            "from": self.recognised.address,
            "to": self.target,
            "mapping": self._mapping_digests(),
            "settings": self.job.settings.described(),
            "selection": self.job.selection.described() if self.job.selection else {},
            "options": self._options(),
            **({"trusted_folders": self.recognised.trusted.described()} if self.recognised.trusted else {}),
            "version": __version__,
        }

    def schema(self) -> dict[str, Any] | None:
        """Give the Avro schema of what is written, for a layout that has one."""
        layout = self.job.target_layout
        if layout is None or layout.schema is None:
            return None
        told, sources = self.job.settings, self.recognised.sources
        provided = [Hub(source.mapping, source.layout, told).provided for source in sources]
        made = self.job.recipe.set_columns if self.job.recipe else ()
        return avro_schema(layout, layout.schema, frozenset().union(*provided, made))


def digest_of_each(values: Iterable[Any]) -> str:
    """Give the SHA-256 of a JSON list whose values come one by one: there may be a million."""
    made = hashlib.sha256(b"[")
    for number, value in enumerate(values):
        made.update(f"{', ' if number else ''}{json.dumps(value, sort_keys=True)}".encode())
    made.update(b"]")
    return made.hexdigest()


def is_same(head: dict[str, Any], report: dict[str, Any]) -> bool:
    """Tell whether a report is of a run that was asked for the same."""
    return all(report.get(name) == value for name, value in json.loads(json.dumps(head)).items())


def changed(told: Iterable[dict[str, Any]], files: Iterable[SourceFile]) -> Iterator[str]:
    """Name the files that hold other bytes than a run said, or are gone; what it could not read has no digest.

    Both are in one order, and none is held: there may be a million.
    """
    here = iter(files)
    for about in told:
        file = next((file for file in here if file.shown == about["path"]), None)
        if file is None or file.bytes != about["bytes"] or not _is_of(about, file):
            yield about["path"]


def _is_of(about: dict[str, Any], file: SourceFile) -> bool:
    """Tell whether a file is the one told of: an object by its tag, else by its digest, which older reports gave no name."""
    digest = about["digest"]
    if file.tag and "etag" in about:
        return bool(about["etag"] == file.tag)
    return not digest or digest_of(file).endswith(digest)


def refuse_changed(told: Iterable[dict[str, Any]], files: Iterable[SourceFile]) -> None:
    """Raise UsageError for a file that holds other bytes than when it was converted; one with a tag is known by that."""
    read = {file.shown: file for file in files}
    for path in changed((about for about in told if not read[about["path"]].tag), read.values()):
        raise UsageError(
            f"{read[path].location}: holds other bytes than when it was converted, at the same size and time; "
            "name a new directory to convert it as it is now"
        )
