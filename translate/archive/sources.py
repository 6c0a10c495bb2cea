"""Where an archive lies: files, folders, globs and S3, and the bytes of each file."""

from __future__ import annotations

import contextlib
import fnmatch
import glob as globbing
import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from translate.archive.absence import why_none
from translate.archive.piped import PIPE, laid_down, standard_input
from translate.archive.spool import SMALL_BYTES, spool
from translate.errors import SourceError, UsageError
from translate.stores.bucket import Listed
from translate.stores.refusals import StoreRefusedError

CHUNK = 2**20
ENDS = 8  # bytes: all magic numbers, and the length that gzip tells
REPORT = "report.json"


_Ends = bytes | None  # within the class `bytes` is a number


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the source: where it lies and how it is named in reports; `tag` changes with its bytes, where it is known.

    `ends` keeps what was seen of a small file, so that planning opens it once.
    """

    location: str
    shown: str
    bytes: int
    modified: int = 0
    tag: str = ""
    ends: _Ends = field(default=None, compare=False, repr=False)

    @property
    def is_remote(self) -> bool:
        """Tell whether the file lies on S3."""
        return self.location.startswith("s3://")


def find(sources: Iterable[str | os.PathLike[str]], *, drawn: bool = False) -> list[SourceFile]:
    """List the files of the sources in sorted order; raise SourceError where there are none.

    Standard input is laid down as a file, unless it is `drawn`: read once, as it comes.
    """
    given = [os.fspath(source) for source in sources]
    if not given:
        raise UsageError("no source given")
    if PIPE in given:
        if len(given) > 1:
            raise UsageError(f"{PIPE}: standard input is a source of its own; leave out the others")
        return [
            SourceFile(PIPE, PIPE, 0)
            if drawn
            else replace(_local(laid_down(), laid_down().parent), shown=PIPE)
        ]
    found: dict[str, SourceFile] = {}
    labels = _labels(given)
    if len(given) == 1 and given[0].startswith("s3://"):  # no key is listed twice, and there may be a million
        remote = sorted(_find_remote(given[0]), key=lambda file: file.shown)
        if not remote:
            raise SourceError(f"{given[0]}: {why_none(given[0])}")
        expect(remote)
        return remote
    for source in given:
        here = list(_find_remote(source) if source.startswith("s3://") else _find_local(source))
        if not here:
            raise SourceError(f"{source}: {why_none(source)}")
        label = labels[source]
        for file in here:
            several = label if file.shown == label.partition("#")[0] else f"{label}/{file.shown}"
            shown = file.shown if len(given) == 1 else several
            key = file.location if file.is_remote else os.path.abspath(file.location)
            found.setdefault(key, replace(file, shown=shown))
    files = sorted(found.values(), key=lambda file: file.shown)
    expect(files)
    return files


def expect(files: Iterable[SourceFile]) -> None:
    """Have the objects among some files fetched in this order, ahead of the work."""
    remote = [file for file in files if file.is_remote]
    if remote:
        spool().expect(remote)


def _labels(given: list[str]) -> dict[str, str]:
    """Name several sources apart, by nothing but their last segments and their order."""
    labels: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for source in dict.fromkeys(given):
        fixed = re.split(r"[*?\[]", source, maxsplit=1)[0]
        folder = source if fixed == source else fixed.rpartition("/")[0]
        name = PurePosixPath(folder.rstrip("/")).name or "source"
        counts[name] += 1
        labels[source] = name if counts[name] == 1 else f"{name}#{counts[name]}"
    return labels


def _find_local(source: str) -> Iterator[SourceFile]:
    path = Path(source)
    if path.is_dir():
        yield from _walk(path, path)
    elif path.exists() or path.is_symlink():
        yield _local(path, path.parent)
    else:
        root = Path(
            re.split(r"[*?\[]", source, maxsplit=1)[0].rpartition("/")[0]
            or ("/" if source.startswith("/") else ".")
        )
        for name in sorted(globbing.glob(source, recursive=True)):
            yield from _walk(Path(name), root) if Path(name).is_dir() else [_local(Path(name), root)]


def _walk(top: Path, root: Path) -> Iterator[SourceFile]:
    """List the files below a folder, each real folder once; what is hidden is left out."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(top, followlinks=True, onerror=_refuse_folder):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder that is listed anyway, or round in a circle
            folders.clear()
            continue
        seen.add(real)
        if _is_result(Path(folder), folders, names):
            folders[:], names[:] = ["data"], []
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield _local(Path(folder) / name, root)


def _is_result(folder: Path, folders: list[str], names: list[str]) -> bool:
    """Tell whether a folder is what a conversion left behind: its rows, with books kept beside them."""
    if "data" not in folders or REPORT not in names:
        return False
    try:
        report = json.loads((folder / REPORT).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(report, dict) and report.get("complete") is True and "events" in report


def _refuse_folder(error: OSError) -> None:
    reason = error.strerror or error
    raise SourceError(
        f"{error.filename}: the folder cannot be listed ({reason}); grant the right to read it, or name other sources"
    )


def _local(path: Path, root: Path) -> SourceFile:
    try:
        status = path.stat()
        size, modified = status.st_size, status.st_mtime_ns
    except OSError:
        size, modified = 0, 0
    return SourceFile(str(path), _printable(path.relative_to(root).as_posix()), size, modified)


def _printable(name: str) -> str:
    """Spell a file name that is not UTF-8 so that it can be written down."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _find_remote(source: str) -> Iterator[SourceFile]:
    """List an S3 object, everything below a folder, or what a glob names."""
    name, _, key = source.removeprefix("s3://").partition("/")
    prefix = re.split(r"[*?\[]", key, maxsplit=1)[0]
    is_glob = prefix != key
    folder = prefix.rpartition("/")[0] if is_glob else key.rstrip("/")
    for entry in _listed(source, name, prefix if is_glob else folder):
        below = not folder or entry.key.startswith(f"{folder}/")
        taken = (
            fnmatch.fnmatchcase(entry.key, key)
            if is_glob
            else entry.key == folder or (below and not _is_hidden(entry.key[len(folder) :]))
        )
        if taken and not entry.key.endswith("/"):
            base = folder if below else folder.rpartition("/")[0]
            shown = entry.key[len(base) :].lstrip("/")
            yield SourceFile(f"s3://{name}/{entry.key}", shown, entry.bytes, tag=entry.tag)


def _is_hidden(name: str) -> bool:
    return any(segment.startswith(".") for segment in name.split("/"))


def _listed(source: str, name: str, prefix: str) -> Iterator[Listed]:
    try:
        yield from spool().bucket(name, anew=True).listed(prefix)
    except StoreRefusedError as error:
        raise SourceError(f"{source}: {error}") from None


class ReadError(Exception):
    """A source file cannot be read; not an OSError, which would mean that the target cannot be written."""


def ends_of(file: SourceFile) -> tuple[bytes, bytes]:
    """Give the first and the last few bytes of a file; nothing of one that cannot be read.

    Of an object that nobody looked at yet its name tells what it is, for it is not fetched to make a plan.
    """
    if file.ends is None:
        try:
            if file.is_remote:
                return b"PAR1" if file.shown.endswith(".parquet") else b"", b""
            if not stat.S_ISREG(os.stat(file.location).st_mode):
                keep_ends(file, b"", b"")
            else:
                with open(file.location, "rb") as content:
                    first = content.read(ENDS)
                    content.seek(-min(ENDS, content.seek(0, os.SEEK_END)), os.SEEK_END)
                    keep_ends(file, first, content.read(ENDS))
        except (OSError, ReadError):
            keep_ends(file, b"", b"")
    ends = file.ends or b""
    return ends[:ENDS], ends[ENDS:]


def keep_ends(file: SourceFile, first: bytes, last: bytes) -> None:
    """Keep the first and last bytes of a file for `ends_of`."""
    object.__setattr__(
        file, "ends", first[:ENDS] + last[-ENDS:]
    )  # what is seen changes nothing of what it is


def chunks_of(file: SourceFile) -> Iterator[bytes]:
    """Read a file's bytes; raise ReadError if it cannot be read."""
    if file.location == PIPE:
        yield from standard_input().chunks()
        return
    if file.is_remote and file.bytes <= SMALL_BYTES:
        yield _small(file)
        return
    path = path_of(file)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ReadError("it is no regular file")
        with open(path, "rb") as content:
            while chunk := content.read(CHUNK):
                yield chunk
    except OSError as error:
        raise ReadError(error.strerror or str(error)) from error


def path_of(file: SourceFile) -> str:
    """Say where a file's bytes lie on this machine: those of an object once it is fetched; raise ReadError if it cannot be."""
    if not file.is_remote:
        return file.location
    with _told_of(file):
        return str(spool().path_of(file))


def _small(file: SourceFile) -> bytes:
    with _told_of(file):
        return spool().read(spool().copy_of(file))


@contextlib.contextmanager
def _told_of(file: SourceFile) -> Iterator[None]:
    """Tell what goes wrong with one object as with a file, and what goes wrong with all of them as the source's end."""
    try:
        yield
    except StoreRefusedError as error:
        if error.is_of_one_object:
            raise ReadError(str(error)) from None
        raise SourceError(f"{file.location}: {error}") from None


def digest_of(file: SourceFile) -> str:
    """Give a file's digest, with its algorithm's name; nothing if it cannot be read to its end."""
    digest = hashlib.sha256()
    try:
        for chunk in chunks_of(file):
            digest.update(chunk)
    except ReadError:
        return ""
    return named(digest)


def named(digest: hashlib._Hash) -> str:
    """Spell a digest with its algorithm's name, so that another one can follow it."""
    return f"{digest.name}:{digest.hexdigest()}"
