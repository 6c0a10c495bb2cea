"""Bytes to lines: finding the sources, seeing through compression, and saving what precedes damage."""

from __future__ import annotations

import base64
import fnmatch
import glob as globbing
import hashlib
import io
import itertools
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from translate.errors import SourceError, UsageError
from translate.reader import Damage, Lines

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
BUFFERED_MAX = 16 * 2**20  # a file of more compressed bytes is read by the engine itself
GROUP_BYTES = 96 * 2**20  # small files are read together until their text is about this long
CHUNK = 2**20
LAYERS_MAX = 4
EXPANSION = 8  # how much text a compressed byte gives, where the file does not say
JOIN_LINES_MAX = 10_000
BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]')


@dataclass(frozen=True)
class SourceFile:
    """One file of the source: where it lies and how it is named in reports."""

    location: str
    shown: str
    bytes: int
    modified: int = 0

    @property
    def is_remote(self) -> bool:
        """Tell whether the file lies on S3."""
        return self.location.startswith("s3://")


@dataclass(frozen=True)
class Unit:
    """A unit of work: one large file, or a group of small ones, in sorted order."""

    number: int
    files: tuple[SourceFile, ...]

    @property
    def bytes(self) -> int:
        """Sum the files' bytes."""
        return sum(file.bytes for file in self.files)


# -- finding --------------------------------------------------------------------------------------------------


def find(sources: Iterable[str | os.PathLike[str]]) -> list[SourceFile]:
    """List the files of the sources in sorted order; raise SourceError where there are none."""
    given = [os.fspath(source) for source in sources]
    if not given:
        raise UsageError("no source given")
    found: dict[str, SourceFile] = {}
    for source in given:
        here = list(_find_remote(source) if source.startswith("s3://") else _find_local(source))
        if not here:
            raise SourceError(f"{source}: nothing there; name a file, a folder, a glob or an s3:// URL of these")
        for file in here:
            shown = file.shown if len(given) == 1 else str(PurePosixPath(_base(source)) / file.shown)
            found[file.location] = SourceFile(file.location, shown, file.bytes, file.modified)
    return sorted(found.values(), key=lambda file: file.shown)


def _base(source: str) -> str:
    return source.removeprefix("s3://").rstrip("/") if os.path.isdir(source) else os.path.dirname(source)


def _find_local(source: str) -> Iterator[SourceFile]:
    path = Path(source)
    if path.is_dir():
        for folder, folders, names in os.walk(path, followlinks=True):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith("."):
                    yield _local(Path(folder) / name, path)
    elif path.exists() or path.is_symlink():
        yield _local(path, path.parent)
    else:
        fixed = Path(re.split(r"[*?\[]", source, maxsplit=1)[0] or ".")
        root = fixed if fixed.is_dir() else fixed.parent
        for name in sorted(globbing.glob(source, recursive=True)):
            if Path(name).is_file():
                yield _local(Path(name), root)


def _local(path: Path, root: Path) -> SourceFile:
    try:
        status = path.stat()
        size, modified = status.st_size, status.st_mtime_ns
    except OSError:
        size, modified = 0, 0
    return SourceFile(str(path), path.relative_to(root).as_posix(), size, modified)


def _find_remote(source: str) -> Iterator[SourceFile]:
    """List an S3 object, everything below a folder, or what a glob names."""
    bucket, _, key = source.removeprefix("s3://").partition("/")
    prefix = re.split(r"[*?\[]", key, maxsplit=1)[0]
    is_glob = prefix != key
    folder = prefix.rpartition("/")[0] if is_glob else key.rstrip("/")
    for entry in _list_bucket(bucket, prefix if is_glob else folder):
        name = str(entry["Key"])
        if name.endswith("/"):
            continue
        below = not folder or name.startswith(f"{folder}/")
        if fnmatch.fnmatchcase(name, key) if is_glob else below or name == folder:
            shown = name[len(folder) + 1 :] if folder and below else name.rpartition("/")[2] if name == folder else name
            modified = int(entry["LastModified"].timestamp() * 10**9)
            yield SourceFile(f"s3://{bucket}/{name}", shown, int(entry["Size"]), modified)


def _list_bucket(bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    import boto3  # noqa: PLC0415  slow to import, and few runs need it
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", [])
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"s3://{bucket}/{prefix}: {error}") from error


# -- units ----------------------------------------------------------------------------------------------------


def units(files: Iterable[SourceFile]) -> list[Unit]:
    """Share sorted files out into units of work, by nothing but their names and sizes."""
    groups: list[list[SourceFile]] = []
    room = 0
    for file in files:
        text_bytes = file.bytes * (1 if file.shown.endswith((".json", ".jsonl", ".ndjson")) else EXPANSION)
        alone = file.bytes > BUFFERED_MAX
        if alone or not groups or text_bytes > room:
            groups.append([])
            room = 0 if alone else GROUP_BYTES
        groups[-1].append(file)
        room -= text_bytes
    return [Unit(number, tuple(group)) for number, group in enumerate(groups)]


# -- opening --------------------------------------------------------------------------------------------------


@dataclass
class Opened:
    """The lines of a unit, what they were read from by digest, and the temporary files that hold them."""

    lines: Lines
    digests: dict[str, str]
    temporary: list[Path] = field(default_factory=list)

    def close(self) -> None:
        """Remove what was written for reading."""
        for path in self.temporary:
            path.unlink(missing_ok=True)


def open_unit(
    unit: Unit, scratch: Path, *, joined: frozenset[str] = frozenset(), salvage: bool = False,
    refused: dict[str, Damage] | None = None,
) -> Opened:  # fmt: skip
    """Open a unit's lines.

    A large file is read by the engine itself, unless it is to be salvaged or its records joined: then a clean
    copy of its text is. Files that are `refused` count as one damaged record each.
    """
    large = len(unit.files) == 1 and unit.files[0].bytes > BUFFERED_MAX
    if large and not (salvage or joined or refused):
        return _open_directly(unit.files[0], scratch)
    gathered = _Gathered((scratch / f"text-{unit.number:05}").open("wb") if large else io.BytesIO())
    digests = {}
    for file in unit.files:
        damage = (refused or {}).get(file.shown)
        digests[file.shown] = gathered.add(file, damage, join=file.shown in joined)
    source, temporary = gathered.finish()
    frame = pl.scan_lines(source, name="text", row_index_name="row") if gathered.rows else _NO_LINES.lazy()
    lines = Lines(frame, [file.shown for file in unit.files], gathered.first_rows, gathered.damage, joined)
    return Opened(lines, digests, temporary)


_NO_LINES = pl.DataFrame(schema={"row": pl.UInt32, "text": pl.String})


class _Gathered:
    """The text of several files, one after the other, with the damage in the places of lines."""

    def __init__(self, target: io.BytesIO | io.BufferedWriter) -> None:
        self._target = target
        self.rows = 0
        self.first_rows: list[int] = []
        self.damage: dict[int, Damage] = {}

    def add(self, file: SourceFile, damage: Damage | None, *, join: bool) -> str:
        """Add a file's lines; give its digest."""
        self.first_rows.append(self.rows)
        if damage is not None:
            self._put(damage)
            return ""
        digest = hashlib.sha256()
        try:
            blocks = checked(blocks_of_lines(layers(_digested(_chunks(file), digest))))
            for block in join_records(blocks) if join else blocks:
                self._put(block)
        except OSError as error:
            self._put(Damage("unreadable_file", f"the file cannot be read: {error.strerror or error}", ""))
            return ""
        return digest.hexdigest()

    def _put(self, block: Block) -> None:
        if isinstance(block, Damage):
            self.damage[self.rows] = block
            block = b"\n"
        self._target.write(block)
        self.rows += block.count(b"\n")

    def finish(self) -> tuple[bytes | str, list[Path]]:
        if isinstance(self._target, io.BytesIO):
            return self._target.getvalue(), []
        self._target.close()
        return self._target.name, [Path(self._target.name)]


def _open_directly(file: SourceFile, scratch: Path) -> Opened:
    location, temporary = file.location, []
    digest = hashlib.sha256()
    if file.is_remote:
        copy = scratch / "remote"
        with copy.open("wb") as output:
            for chunk in _digested(_chunks(file), digest):
                output.write(chunk)
        location, temporary = str(copy), [copy]
    else:
        for _ in _digested(_chunks(file), digest):
            pass
    frame = pl.scan_lines(location, name="text", row_index_name="row", glob=False)
    return Opened(Lines(frame, [file.shown], [0]), {file.shown: digest.hexdigest()}, temporary)


def head(file: SourceFile) -> bytes:
    """Give the beginning of a file's text, for recognition; raise OSError if it cannot be read."""
    for block in blocks_of_lines(layers(_chunks(file))):
        if not isinstance(block, Damage) and block.strip():
            return block[:CHUNK]
    return b""


# -- bytes ----------------------------------------------------------------------------------------------------

Block = bytes | Damage


def _chunks(file: SourceFile) -> Iterator[bytes]:
    """Read a file's bytes; raise OSError if it cannot be read."""
    if file.is_remote:
        yield from _remote_chunks(file)
        return
    with open(file.location, "rb") as content:
        while chunk := content.read(CHUNK):
            yield chunk


def _remote_chunks(file: SourceFile) -> Iterator[bytes]:
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    bucket, _, key = file.location.removeprefix("s3://").partition("/")
    try:
        yield from boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK)
    except (BotoCoreError, ClientError) as error:
        raise OSError(str(error)) from error


def _digested(chunks: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def layers(chunks: Iterator[Block], depth: int = LAYERS_MAX) -> Iterator[Block]:
    """See through compression by content, also where it was applied twice."""
    first = next(chunks, b"")
    rest = itertools.chain([first], chunks)
    if isinstance(first, Damage) or depth == 0:
        yield from rest
    elif first.startswith(GZIP):
        yield from layers(inflate(rest), depth - 1)
    elif first.startswith(ZSTD):
        yield from layers(_unzstd(rest), depth - 1)
    else:
        yield from rest


def inflate(chunks: Iterator[Block]) -> Iterator[Block]:
    """Decompress the members of a gzip file; what is damaged comes last, as a damage."""
    inflater = zlib.decompressobj(wbits=31)
    fresh = True
    for chunk in chunks:
        if isinstance(chunk, Damage):
            yield chunk
            return
        while chunk:
            if fresh and not chunk.startswith(GZIP[: len(chunk)]):
                if chunk.strip(b"\x00"):  # padding with zeros is usual
                    message = "bytes that are no gzip follow the compressed text"
                    yield Damage("damaged_file", message, base64.b64encode(chunk))
                    return
                break
            fresh = False
            before = inflater.copy()
            try:
                text = inflater.decompress(chunk)
            except zlib.error as error:
                yield from _up_to_damage(before, chunk)
                reason = str(error).rpartition(": ")[2]
                yield Damage("damaged_file", f"the compressed data is damaged ({reason}): what follows is lost", "")
                return
            if text:
                yield text
            chunk = inflater.unused_data  # noqa: PLW2901
            if inflater.eof:
                inflater, fresh = zlib.decompressobj(wbits=31), True
    if not fresh:
        yield Damage("damaged_file", "the compressed data ends too early: what follows is lost", "")


def _up_to_damage(inflater: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """Decompress byte by byte, so that everything before the damage is kept."""
    for position in range(len(chunk)):
        try:
            text = inflater.decompress(chunk[position : position + 1])
        except zlib.error:
            return
        if text:
            yield text


def _unzstd(chunks: Iterator[Block]) -> Iterator[Block]:
    """Decompress zstd with the engine's decoder, as a whole."""
    stored = b"".join(chunk for chunk in chunks if isinstance(chunk, bytes))
    try:
        lines = pl.scan_lines(stored, name="text").collect(engine="streaming")["text"]
    except PolarsError as error:
        reason = str(error).splitlines()[0]
        yield Damage("damaged_file", f"the compressed data is damaged ({reason}): all of it is lost", "")
        return
    yield "".join(f"{line}\n" for line in lines).encode()


def blocks_of_lines(chunks: Iterator[Block]) -> Iterator[Block]:
    """Cut a stream into blocks of whole lines; a line that damage cuts off is part of the damage."""
    carried = b""
    for chunk in chunks:
        if isinstance(chunk, Damage):
            if carried.rstrip().endswith(b"}"):
                yield carried + b"\n"
                carried = b""
            yield Damage(chunk.code, chunk.message, chunk.raw or _as_raw(carried))
            return
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline:
            yield carried + whole + newline
            carried = rest
        else:
            carried += chunk
    if carried:
        yield carried + b"\n"


def _as_raw(line: bytes) -> str | bytes:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return base64.b64encode(line)


def checked(blocks: Iterator[Block]) -> Iterator[Block]:
    """Put a damage into the place of each line that is not UTF-8."""
    for block in blocks:
        if isinstance(block, Damage):
            yield block
            continue
        try:
            block.decode()
            yield block
        except UnicodeDecodeError:
            yield from _line_by_line(block)


def _line_by_line(block: bytes) -> Iterator[Block]:
    for line in block.removesuffix(b"\n").split(b"\n"):
        try:
            line.decode()
            yield line + b"\n"
        except UnicodeDecodeError as error:
            message = f"is not UTF-8 text: {error.reason} at byte {error.start + 1} of the line"
            yield Damage("bad_encoding", message, base64.b64encode(line))


def join_records(blocks: Iterator[Block]) -> Iterator[Block]:
    """Put each record that reaches over several lines onto its first one; the line numbers stay.

    A record ends where its brackets are balanced. What never ends, or reaches to where the next record begins
    at the margin, is put together too, for the careful reader to refuse it as one.
    """
    waiting: list[bytes] = []
    depth = 0
    for line in _single_lines(blocks):
        at_margin = isinstance(line, bytes) and line.startswith(b'{"')
        if waiting and (isinstance(line, Damage) or at_margin or len(waiting) >= JOIN_LINES_MAX):
            yield _put_together(waiting)
            waiting, depth = [], 0
        if isinstance(line, Damage):
            yield line
            continue
        if waiting or line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
            waiting.append(line)
            depth += _depth_change(line)
            if depth <= 0:
                yield _put_together(waiting)
                waiting, depth = [], 0
        else:
            yield line
    if waiting:
        yield _put_together(waiting)


def _single_lines(blocks: Iterator[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Damage):
            yield block
        else:
            yield from (line + b"\n" for line in block.removesuffix(b"\n").split(b"\n"))


def _put_together(lines: list[bytes]) -> bytes:
    return b" ".join(line.rstrip(b"\r\n") for line in lines) + b"\n" * len(lines)


def _depth_change(line: bytes) -> int:
    brackets = [match for match in BRACKETS.findall(line) if len(match) == 1]
    return sum(1 if bracket in b"{[" else -1 for bracket in brackets)


def text_bytes(file: SourceFile) -> int:
    """Estimate the length of a file's text: gzip tells it in its last four bytes."""
    if file.is_remote or file.bytes < 18:
        return file.bytes
    try:
        with open(file.location, "rb") as content:
            magic = content.read(4)
            if not magic.startswith(GZIP):
                return file.bytes * (EXPANSION if magic == ZSTD else 1)
            content.seek(-4, os.SEEK_END)
            return max(int.from_bytes(content.read(4), "little"), file.bytes)
    except OSError:
        return 0
