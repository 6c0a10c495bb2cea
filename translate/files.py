"""Bytes to lines: finding the sources, seeing through compression, and saving what precedes damage."""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import glob as globbing
import hashlib
import io
import itertools
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from translate import zstd
from translate.errors import SourceError, UsageError
from translate.reader import Damage, Lines

GZIP = b"\x1f\x8b"
ZLIB = (b"x\x01", b"x^", b"x\x9c", b"x\xda")  # the engine takes any text that begins so for compressed
BUFFERED_MAX = 16 * 2**20  # a file of more compressed bytes is read by the engine itself
GROUP_BYTES = 96 * 2**20  # small files are read together until their text is about this long
CHUNK = 2**20
LAYERS_MAX = 4
BLOCKS_TRIED = 3  # the last whole block may end within a character: so try one after the other at first
EXPANSION = 8  # how much text a compressed byte gives, where the file does not say
JOIN_LINES_MAX = 10_000
BLANKS = b"\xef\xbb\xbf \t"
TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]')
DEPTH = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}


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
        for file, base in here:
            shown = file.shown if len(given) == 1 else str(PurePosixPath(base) / file.shown)
            key = file.location if file.is_remote else os.path.abspath(file.location)
            found[key] = SourceFile(file.location, shown, file.bytes, file.modified)
    return sorted(found.values(), key=lambda file: file.shown)


Found = Iterator[tuple[SourceFile, str]]  # a file, and the part of the source that its shown name leaves out


def _find_local(source: str) -> Found:
    path = Path(source)
    if path.is_dir():
        yield from _walk(path, path)
    elif path.exists() or path.is_symlink():
        yield _local(path, path.parent)
    else:
        root = Path(re.split(r"[*?\[]", source, maxsplit=1)[0].rpartition("/")[0] or ("/" if source.startswith("/") else "."))
        for name in sorted(globbing.glob(source, recursive=True)):
            yield from _walk(Path(name), root) if Path(name).is_dir() else [_local(Path(name), root)]


def _walk(top: Path, root: Path) -> Found:
    """List the files below a folder, each real folder once; what is hidden is left out."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(top, followlinks=True, onerror=_refuse_folder):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder that is listed anyway, or round in a circle
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield _local(Path(folder) / name, root)


def _refuse_folder(error: OSError) -> None:
    reason = error.strerror or error
    raise SourceError(f"{error.filename}: the folder cannot be listed ({reason}); grant the right to read it, or name other sources")


def _local(path: Path, root: Path) -> tuple[SourceFile, str]:
    try:
        status = path.stat()
        size, modified = status.st_size, status.st_mtime_ns
    except OSError:
        size, modified = 0, 0
    return SourceFile(str(path), _printable(path.relative_to(root).as_posix()), size, modified), _printable(str(root))


def _printable(name: str) -> str:
    """Spell a file name that is not UTF-8 so that it can be written down."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _find_remote(source: str) -> Found:
    """List an S3 object, everything below a folder, or what a glob names."""
    bucket, _, key = source.removeprefix("s3://").partition("/")
    prefix = re.split(r"[*?\[]", key, maxsplit=1)[0]
    is_glob = prefix != key
    folder = prefix.rpartition("/")[0] if is_glob else key.rstrip("/")
    for entry in _list_bucket(bucket, prefix if is_glob else folder):
        name = str(entry["Key"])
        below = not folder or name.startswith(f"{folder}/")
        taken = fnmatch.fnmatchcase(name, key) if is_glob else name == folder or (below and not _is_hidden(name[len(folder) :]))
        if taken and not name.endswith("/"):
            base = folder if below else folder.rpartition("/")[0]
            modified = int(entry["LastModified"].timestamp() * 10**9)
            file = SourceFile(f"s3://{bucket}/{name}", name[len(base) :].lstrip("/"), int(entry["Size"]), modified)
            yield file, f"s3:/{bucket}/{base}".rstrip("/")


def _is_hidden(name: str) -> bool:
    return any(segment.startswith(".") for segment in name.split("/"))


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
        opened = _open_directly(unit.files[0], scratch)
        if opened:
            return opened
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
            stored = _digested(_chunks(file), digest)
            blocks = blocks_of_lines(layers(stored))
            for block in checked(join_records(blocks) if join else blocks):
                self._put(block)
            for _ in stored:  # what follows damage is not looked at, but digested
                pass
        except ReadError as error:
            self._put(Damage("unreadable_file", f"the file cannot be read: {error}", ""))
            return ""
        return digest.hexdigest()

    def _put(self, block: Block) -> None:
        if isinstance(block, Damage):
            self.damage[self.rows] = block
            block = b"\n"
        if self.rows == 0 and block.startswith(ZLIB):
            self._target.write(b" ")  # or the engine would take the text for compressed
        self._target.write(block)
        self.rows += block.count(b"\n")

    def finish(self) -> tuple[bytes | str, list[Path]]:
        if isinstance(self._target, io.BytesIO):
            return self._target.getvalue(), []
        self._target.close()
        return self._target.name, [Path(self._target.name)]


def _open_directly(file: SourceFile, scratch: Path) -> Opened | None:
    """Let the engine read a file, or a copy of a remote one; give nothing for what it would not read rightly."""
    copy = scratch / "remote"
    digest = hashlib.sha256()
    first = b""
    with copy.open("wb") if file.is_remote else contextlib.nullcontext() as output:
        try:
            for chunk in _digested(_chunks(file), digest):
                first = first or chunk
                if output:
                    output.write(chunk)
        except ReadError:
            return None
    location, temporary = (str(copy), [copy]) if file.is_remote else (file.location, [])
    if first.startswith(ZLIB) or not location.isprintable():
        return None
    frame = pl.scan_lines(location, name="text", row_index_name="row", glob=False)
    return Opened(Lines(frame, [file.shown], [0]), {file.shown: digest.hexdigest()}, temporary)


def head(file: SourceFile) -> bytes:
    """Give the beginning of a file's text, for recognition; raise ReadError if it cannot be read."""
    text = b""
    for block in layers(_chunks(file)):
        if isinstance(block, Damage) or len(text) >= CHUNK:
            break
        text = (text + block).lstrip()
    return text[:CHUNK]


# -- bytes ----------------------------------------------------------------------------------------------------

Block = bytes | Damage


class ReadError(Exception):
    """A source file cannot be read; not an OSError, which would mean that the target cannot be written."""


def _chunks(file: SourceFile) -> Iterator[bytes]:
    """Read a file's bytes; raise ReadError if it cannot be read."""
    if file.is_remote:
        yield from _remote_chunks(file)
        return
    try:
        if not stat.S_ISREG(os.stat(file.location).st_mode):
            raise ReadError("it is no regular file")
        with open(file.location, "rb") as content:
            while chunk := content.read(CHUNK):
                yield chunk
    except OSError as error:
        raise ReadError(error.strerror or str(error)) from error


def _remote_chunks(file: SourceFile) -> Iterator[bytes]:
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    bucket, _, key = file.location.removeprefix("s3://").partition("/")
    try:
        yield from boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK)
    except (BotoCoreError, ClientError) as error:
        raise ReadError(str(error)) from error


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
    elif first.startswith(zstd.MAGIC):
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
            if fresh:
                chunk = chunk.lstrip(b"\x00")  # noqa: PLW2901  padding with zeros is usual
            if fresh and not chunk.startswith(GZIP[: len(chunk)]):
                message = "bytes that are no gzip follow the compressed text"
                yield Damage("damaged_file", message, base64.b64encode(chunk))
                return
            fresh = fresh and not chunk
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
    """Decompress zstd with the engine's decoder, as a whole; where it fails, the whole blocks before the damage."""
    parts = list(chunks)
    stored = b"".join(part for part in parts if isinstance(part, bytes))
    damage = next((part for part in parts if isinstance(part, Damage)), None)
    try:
        yield _engine_text(stored) + b"\n"
    except (PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        damage = Damage("damaged_file", f"the compressed data is damaged ({reason}): what follows is lost", "")
        yield _text_before_damage(list(zstd.blocks(stored)))
    if damage:
        yield damage


def _engine_text(stored: bytes) -> bytes:
    """Decompress with the engine, which raises OSError or PolarsError; the last newline is left out."""
    lines = pl.scan_lines(stored, name="text").collect(engine="streaming")["text"]
    return "\n".join(lines).encode()


def _text_before_damage(blocks: list[zstd.Block]) -> bytes:
    """Find the most blocks that can be decompressed: usually all that are whole, else by halving."""
    sound, text = 0, b""
    damaged = len(blocks) + 1
    tried = len(blocks)
    while sound < tried < damaged:
        try:
            text = _engine_text(zstd.closed(blocks[:tried]))
            sound = tried
        except (PolarsError, OSError):
            damaged = tried
        tried = damaged - 1 if damaged > len(blocks) - BLOCKS_TRIED else (sound + damaged) // 2
    return text


def blocks_of_lines(chunks: Iterator[Block]) -> Iterator[Block]:
    """Cut a stream into blocks of whole lines; a record that damage cuts off is part of the damage."""
    carried: list[bytes] = []
    for chunk in chunks:
        if isinstance(chunk, Damage):
            yield from _cut_off(b"".join(carried), chunk)
            return
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline:
            yield b"".join([*carried, whole, newline])
            carried = [rest]
        else:
            carried.append(chunk)
    last = b"".join(carried)
    if last:
        yield last + b"\n"


def _cut_off(line: bytes, damage: Damage) -> Iterator[Block]:
    """Keep the whole records of the line before the damage; what has a text of its own cut nothing off."""
    end = len(line) if damage.raw else _end_of_records(line)
    if line[:end].strip():
        yield line[:end] + b"\n"
    yield Damage(damage.code, damage.message, damage.raw or _as_raw(line[end:]))


def _end_of_records(line: bytes) -> int:
    """Tell where the last whole record of a line ends."""
    end = depth = 0
    for token in TOKENS.finditer(line):
        depth += DEPTH.get(token[0], 0)
        if depth == 0 and token[0] == b"}":
            end = token.end()
    return end


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

    A record ends where its brackets are balanced. What never ends, or reaches to where the next record begins,
    is put together too, for the careful reader to refuse it as one.
    """
    waiting: list[bytes] = []
    still_open = b""
    for line in _single_lines(blocks):
        if waiting and (isinstance(line, Damage) or len(waiting) >= JOIN_LINES_MAX or _begins(line, waiting[-1], still_open)):
            yield _put_together(waiting)
            waiting, still_open = [], b""
        if isinstance(line, Damage):
            yield line
            continue
        if waiting or line.lstrip(BLANKS).startswith(b"{"):
            waiting.append(line)
            still_open = _brackets_after(line, still_open)
            if not still_open:
                yield _put_together(waiting)
                waiting = []
        else:
            yield line
    if waiting:
        yield _put_together(waiting)


def _begins(line: bytes, before: bytes, still_open: bytes) -> bool:
    """Tell whether a line begins another record though the last one has not ended: it cannot go on like this.

    Within an object an object can only follow a colon, and no text goes on in the next line. What begins at the
    margin is taken for a record in any case.
    """
    if not line.lstrip(BLANKS).startswith(b"{"):
        return False
    cannot_follow = still_open.endswith(b"{") and not before.rstrip().endswith(b":")
    return line.startswith(b'{"') or still_open.endswith(b'"') or cannot_follow


def _single_lines(blocks: Iterator[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Damage):
            yield block
        else:
            yield from (line + b"\n" for line in block.removesuffix(b"\n").split(b"\n"))


def _put_together(lines: list[bytes]) -> bytes:
    return b" ".join(line.rstrip(b"\r\n") for line in lines) + b"\n" * len(lines)


def _brackets_after(line: bytes, still_open: bytes) -> bytes:
    """Give the brackets that are open after a line; a quote at the end stands for a text that never ends."""
    for token in TOKENS.findall(line):
        change = DEPTH.get(token, 0)
        if token == b'"' or change > 0:
            still_open += token
        elif change < 0:
            still_open = still_open[:-1]
    return still_open


def text_bytes(file: SourceFile) -> int:
    """Estimate the length of a file's text: gzip tells it in its last four bytes."""
    if file.is_remote or file.bytes < 18:
        return file.bytes
    try:
        with open(file.location, "rb") as content:
            magic = content.read(4)
            if not magic.startswith(GZIP):
                return file.bytes * (EXPANSION if magic == zstd.MAGIC else 1)
            content.seek(-4, os.SEEK_END)
            return max(int.from_bytes(content.read(4), "little"), file.bytes)
    except OSError:
        return 0
