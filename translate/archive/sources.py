"""Which files a source means: those of files, folders, globs and S3, and which of them are left out where someone trusts the names of hourly folders."""

from __future__ import annotations

import datetime as dt
import fnmatch
import glob as globbing
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from translate.archive.listing import SourceFiles
from translate.archive.spool import copies, spool
from translate.archive.stored import PIPE, SourceFile, laid_down
from translate.errors import SourceError, UsageError, suggest
from translate.stores import Listed, StoreRefusedError

REPORT = "report.json"
S3_SPELLED = ("s3", "s3a", "s3n")  # as Hadoop says it, and with a slash too few
NAME_OTHERS = "name a file, a folder, a glob or an s3:// URL of these"
HOUR_SECONDS, DAY_SECONDS = 3600, 86_400
HIDDEN = re.compile(r"(?:^|/)\.")
HOURLY = re.compile(
    r"(?:^|/)(?:year=)?(\d{4})/(?:month=)?(\d{2})/(?:day=)?(\d{2})(?:/(?:hour=)?(\d{2}))?(?=/)"
    r"|(?:^|/)(?:\w+=)?(\d{4})-(\d{2})-(\d{2})(?:/(?:\w+=)?(\d{2}))?(?=/)"
)


def find(
    sources: Iterable[str | os.PathLike[str]], *, drawn: bool = False, apart: Iterable[str | os.PathLike[str]] = ()
) -> SourceFiles:  # fmt: skip
    """List the files of the sources in sorted order, but for those in places `apart`; raise SourceError if there are none.

    Standard input is laid down as a file, unless it is `drawn`: read once, as it comes.
    """
    given = [os.fspath(source) for source in sources]
    if not given:
        raise UsageError("no source given")
    if "" in given:  # a variable of a shell that is not set; as a path, the folder that one stands in
        raise UsageError(f"a source is empty; {NAME_OTHERS}, or . for the folder that you are in")
    if PIPE in given:
        if len(given) > 1:
            raise UsageError(f"{PIPE}: standard input is a source of its own; leave out the others")
        return SourceFiles([SourceFile(PIPE, PIPE, 0) if drawn else _local(laid_down(), PIPE)])
    found, keys = SourceFiles(), set[str]()
    places = [os.fspath(place) for place in apart]
    stored = tuple(f"{place.rstrip('/')}/" for place in places if place.startswith("s3://"))
    target = next((os.path.realpath(place) for place in places if os.path.isdir(place)), None)
    names = {source: _printable(_last_segment(source)) for source in given}
    labels = _labels(names)
    for source in given:
        is_remote = source.startswith("s3://")
        here = SourceFiles(_find_remote(source, stored) if is_remote else _find_local(source, target))
        if not here:
            raise SourceError(f"{source}: {_why_none(source)}")
        if len(given) == 1 and (is_remote or os.path.isdir(source)):
            found = here  # nothing is listed twice, and there may be a million
            break
        label = labels[source]
        for file in here:
            several = label if file.shown == names[source] else f"{label}/{file.shown}"
            shown = file.shown if len(given) == 1 else several
            key = file.location if file.is_remote else os.path.realpath(file.location)
            if key not in keys:
                keys.add(key)
                found.append(SourceFile(file.location, shown, file.bytes, file.tag))
    files = found.in_order()
    expect(files)
    return files


def expect(files: Iterable[SourceFile]) -> None:
    """Have the objects among some files fetched in this order, ahead of the work."""
    remote = SourceFiles(file for file in files if file.is_remote)
    if remote:
        copies().expect(remote)


def _labels(names: dict[str, str]) -> dict[str, str]:
    """Tell several sources apart, by nothing but their names and their order."""
    labels: dict[str, str] = {}
    taken = set[str]()
    counts: Counter[str] = Counter()
    for source, name in names.items():
        label = name
        while label in taken or not counts[name]:
            counts[name] += 1
            label = name if counts[name] == 1 else f"{name}#{counts[name]}"
        taken.add(label)
        labels[source] = label
    return labels


def _last_segment(source: str) -> str:
    """Give the name of a file or a folder, of a glob that of the folder that it looks in."""
    fixed = re.split(r"[*?\[]", source, maxsplit=1)[0]
    folder = source if fixed == source else fixed.rpartition("/")[0]
    return PurePosixPath(folder.rstrip("/")).name or "source"


def _find_local(source: str, target: str | None) -> Iterator[SourceFile]:
    path = Path(source)
    if path.is_dir():
        yield from _walk(path, path, None if _is_within(path, target) else target)
    elif path.exists() or path.is_symlink():
        yield _local(path, path.name)
    else:
        fixed = re.split(r"[*?\[]", source, maxsplit=1)[0].rpartition("/")[0]
        root = Path(fixed or ("/" if source.startswith("/") else "."))
        target = None if _is_within(root, target) else target
        for path in map(Path, sorted(globbing.glob(source, recursive=True))):
            if not _is_within(path, target):
                shown = path.relative_to(root).as_posix()
                yield from _walk(path, root, target) if path.is_dir() else [_local(path, shown)]


def _is_within(path: str | Path, target: str | None) -> bool:
    return target is not None and Path(os.path.realpath(path)).is_relative_to(target)


def _walk(top: Path, root: Path, target: str | None) -> Iterator[SourceFile]:
    """List the files below a folder, each real folder and file once; what is hidden, and a call's target, is left out."""
    listed: dict[str, bool] = {}  # but for results, whose books are left out
    links: dict[str, SourceFile] = {}
    for folder, folders, names in os.walk(top, followlinks=True, onerror=_refuse_folder):
        real = os.path.realpath(folder)
        if real in listed or _is_within(real, target):  # or a link to what is here anyway, or in a circle
            folders.clear()
            continue
        here = Path(folder)
        within = "" if here == root else f"{here.relative_to(root).as_posix()}/"
        listed[real] = not _is_result(here, folders, names)
        if not listed[real]:
            folders[:], names[:] = ["data"], []
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                path = name if here == Path() else os.path.join(here, name)
                if os.path.islink(path):
                    links.setdefault(os.path.realpath(path), _local(path, within + name))
                else:
                    yield _local(path, within + name)
    for real, link in links.items():
        folder, name = os.path.split(real)
        is_read = listed.get(folder) and not name.startswith(".") and os.path.exists(real)
        if not is_read and not _is_within(real, target):
            yield link


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
    told = f"the folder cannot be listed ({error.strerror or error})"
    raise SourceError(f"{error.filename}: {told}; grant the right to read it, or name other sources")


def _local(path: str | Path, shown: str) -> SourceFile:
    try:
        size = os.stat(path).st_size
    except OSError:
        size = 0
    return SourceFile(os.fspath(path), _printable(shown), size)


def _printable(name: str) -> str:
    """Spell a file name that is not UTF-8 so that it can be written down."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _find_remote(source: str, apart: tuple[str, ...]) -> Iterator[SourceFile]:
    """List an S3 object, everything below a folder, or what a glob names."""
    name, _, key = source.removeprefix("s3://").partition("/")
    key = key.rstrip("/") or "*"
    prefix = re.split(r"[*?\[]", key, maxsplit=1)[0]
    folder = prefix.rpartition("/")[0] if prefix != key else key
    globs = [f"{named}{below}" for named in (key, globbing.escape(key)) for below in ("", "/*")]
    is_named = re.compile("|".join(map(fnmatch.translate, globs))).match
    elsewhere = tuple(place for place in apart if not f"s3://{name}/{folder}/".startswith(place))
    is_alone = True  # no object bears the folder's name, as "logs", which is listed before "logs/logs"
    for entry in _listed(source, name, prefix):
        within, location = entry.key[len(folder) :], f"s3://{name}/{entry.key}"
        if not is_named(entry.key) or (HIDDEN.search(within) and not HIDDEN.search(key[len(folder) :])):
            continue
        if location.startswith(elsewhere) or (entry.key.endswith("/") and not entry.bytes):
            continue
        is_alone = is_alone and within != ""
        is_below = is_alone and within.startswith("/") and within != "/"
        base = folder if is_below else folder.rpartition("/")[0]
        # One slash, no more: "a//b" and "a/b" are two objects.
        shown = entry.key[len(base) :].removeprefix("/") if base else entry.key
        yield SourceFile(location, shown, entry.bytes, tag=entry.tag)


def _listed(source: str, name: str, prefix: str) -> Iterator[Listed]:
    try:
        yield from spool().bucket(name, anew=True).listed(prefix)
    except StoreRefusedError as error:
        raise SourceError(f"{source}: {error}") from None


def _why_none(source: str) -> str:
    """Tell a folder that is empty, or that holds hidden files only, from what is not there, and from URLs of others."""
    scheme, colon, rest = source.partition(":/")
    if source.startswith("s3://"):
        return f"nothing there; {NAME_OTHERS}"
    if colon and scheme.lower() in S3_SPELLED:
        return f"write it as s3://{rest.lstrip('/')}"
    if colon and scheme.isalnum() and len(scheme) > 1:
        return f"nothing is read over {scheme}; copy it to a folder, or name an s3:// URL, s3://bucket/prefix"
    if not os.path.isdir(source):
        return f"nothing there{_nearest(Path(source)) or f'; {NAME_OTHERS}'}"
    hidden = any(names for _, _, names in os.walk(source))
    return f"{'holds hidden files only, which are left out' if hidden else 'is empty'}; {NAME_OTHERS}"


def _nearest(path: Path) -> str:
    """Give the clause that names what is spelt nearly so, beside the first part of a path that is not there."""
    # As reports and rejects show it: without the folder that was given.
    if not path.is_absolute() and ".." not in path.parts:
        within = next(Path().glob(f"*/{globbing.escape(os.fspath(path))}"), None)
        if within is not None:
            return f'; did you mean "{os.fspath(within)}"?'
    missing = next(part for part in (*reversed(path.parents), path) if not part.exists())
    folder = missing.parent
    beside = [entry.name for entry in folder.iterdir()] if os.access(folder, os.R_OK | os.X_OK) else []
    return suggest(missing.name, beside, about=lambda name: os.fspath(folder / name))


# -- hourly folders -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trusted:
    """Folders that were left out for their names, with the number and the bytes of their files."""

    days: float
    folders: dict[str, int]
    bytes: int

    def described(self) -> dict[str, Any]:
        """Give what the report says of it."""
        folders = [{"folder": name, "files": count} for name, count in sorted(self.folders.items())]
        files = sum(self.folders.values())
        return {"days": self.days, "files": files, "bytes": self.bytes, "folders": folders}


def near(
    files: Iterable[SourceFile], since: dt.datetime | None, until: dt.datetime | None, days: float
) -> tuple[SourceFiles, Trusted]:
    """Leave out the files whose hourly folder lies further than some days from the times asked for."""
    if since is None and until is None:
        raise UsageError("--trust-folders needs --since or --until: it leaves out what lies far from them")
    if not 0 <= days < math.inf:
        raise UsageError(f"--trust-folders {days:g}: a number of days, 0 or more")
    earliest = -math.inf if since is None else since.timestamp() - days * DAY_SECONDS
    latest = math.inf if until is None else until.timestamp() + days * DAY_SECONDS
    kept, folders, left_out_bytes = SourceFiles(), Counter[str](), 0
    for file in files:
        # The innermost: a copy's own day may stand before.
        *_, found = (None, *HOURLY.finditer(file.location))
        span = _span(found) if found else None
        is_far = span is not None and (span[1] <= earliest or span[0] >= latest)
        if found and is_far:
            folders[found[0].strip("/")] += 1
            left_out_bytes += file.bytes
        else:
            kept.append(file)
    if not kept:
        raise SourceError(
            f"--trust-folders {days:g}: each of the {sum(folders.values()):,} files lies in a folder that is further "
            "away from --since and --until than that; name more days, or leave it out"
        )
    expect(kept)
    return kept, Trusted(days, dict(folders), left_out_bytes)


def _span(found: re.Match[str]) -> tuple[float, float] | None:
    """Give the time that a folder's name speaks of, in Unix seconds; None where it is no time."""
    year, month, day, hour = (found[group] or found[group + 4] for group in (1, 2, 3, 4))
    try:
        begin = dt.datetime(int(year), int(month), int(day), int(hour or 0), tzinfo=dt.UTC)
    except ValueError:
        return None
    return begin.timestamp(), begin.timestamp() + (HOUR_SECONDS if hour else DAY_SECONDS)
