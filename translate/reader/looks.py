"""What a look into a file tells: how it begins, and which layouts its records are like; and the objects that are looked at late."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from translate.archive import spool
from translate.archive.compression import DamagedError, layers, text_in
from translate.archive.lines import Block, Damage
from translate.archive.listing import SourceFiles
from translate.archive.stored import CHUNK, ReadError, SourceFile, chunks_of, keep_ends
from translate.engine.texts import Search
from translate.errors import SourceError
from translate.mapping.spec import Layout, Request
from translate.reader.literals import Pairs, Refused
from translate.reader.opening import MARGIN, peek
from translate.reader.request import PARTS, WHOLE_PARTS, RequestReader
from translate.reader.tree import ANY, places_of

# -- the beginning of a file's text ---------------------------------------------------------------------------

MARGIN_BYTES = MARGIN.encode() + b"\n"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # what such a text begins with
TAR_MARK = slice(257, 262)
SCHEMA_ENDINGS = ("schema.json", ".avsc")
STORED_BYTES = 1 << 12  # that are looked at first: of few of them less is inflated, whatever is asked for
LINES = 20  # that are looked at: of most files the first one shows what they are
LINES_MAX = 100  # where these show nothing


def head(file: SourceFile, lines: int = LINES) -> bytes:
    """Give the beginning of a file's text, with so many lines if it has them; raise ReadError if it cannot be read."""
    try:
        return _begun(text_in(_in_pieces(_noticed(file))), lines)
    except DamagedError:
        return _begun(layers(_in_pieces(_noticed(file))), lines)


def without_schemas(files: SourceFiles) -> SourceFiles:
    """Pass over the Avro schemas that lie beside the data that they describe."""
    return SourceFiles(file for file in files if not _is_schema(file)) or files


def schema_in(file: SourceFile) -> Any:
    """Give what a schema says; raise ReadError if it cannot be read, ValueError if it is no JSON."""
    return json.loads(head(file, CHUNK))


def _is_schema(file: SourceFile) -> bool:
    try:
        schema = schema_in(file) if file.shown.endswith(SCHEMA_ENDINGS) else None
    except (ReadError, ValueError, RecursionError):
        return False
    return (
        isinstance(schema, dict) and schema.get("type") == "record" and isinstance(schema.get("fields"), list)
    )


def packed(file: SourceFile) -> str | None:
    """Say what a file is that has to be unpacked or turned into UTF-8 first, and how, if it is one; a compressed one is looked into."""
    try:
        start = head(file)
    except ReadError:
        return None
    if start.startswith(b"PK\x03\x04"):
        return "is a ZIP archive: unpack it first"
    if start.startswith(UTF_16):
        return "is UTF-16 text: turn it into UTF-8 first, as iconv -f UTF-16 -t UTF-8 does"
    return "is a tar archive: unpack it first" if start[TAR_MARK] == b"ustar" else None


def _begun(blocks: Iterator[Block], lines: int) -> bytes:
    text = b""
    for block in blocks:
        if isinstance(block, Damage):
            break
        text = (text + block).lstrip()
        if len(text) >= CHUNK or (b"\n" in block and _has_lines(text, lines)):
            break
    return text[:CHUNK]


def _has_lines(text: bytes, count: int) -> bool:
    """Tell whether a text has so many lines, in whole, that say anything."""
    if text.count(b"\n") < count:
        return False
    whole = io.BytesIO(text).readlines()[:-1]
    return len([*islice((line for line in whole if line.strip(MARGIN_BYTES)), count)]) == count


def _in_pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut the bytes of a file into pieces, each twice as long as the one before."""
    size = STORED_BYTES
    for chunk in chunks:
        place = 0
        while place < len(chunk):
            yield chunk[place : place + size]
            place += size
            size *= 2


def _noticed(file: SourceFile) -> Iterator[bytes]:
    """Read a file's bytes; of one that is read whole at once, keep what tells its kind and length."""
    for chunk in chunks_of(file):
        if file.is_remote:
            if file.ends is None:
                keep_ends(file, chunk, b"")
        elif len(chunk) == file.bytes:
            keep_ends(file, chunk, chunk)
        yield chunk


# -- a glimpse -----------------------------------------------------------------------------------------------


class Glimpsed:
    """Records that are parsed when they are first asked for, once."""

    def __init__(self, records: Iterator[Any]) -> None:
        self._records = records
        self._seen: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        yield from self._seen
        for record in self._records:
            self._seen.append(record)
            yield record


def lines_in(content: bytes) -> Iterator[str]:
    """Give the lines that are not empty, one by one: of most files the first one shows what they are."""
    for line in io.BytesIO(content):
        text = line.decode(errors="replace").removesuffix("\n")
        if text.strip(MARGIN):
            yield text


NEEDED = ("name", "time")


class Likeness:
    """What every record, or every event, of a layout of JSON records holds, and what marks some of them."""

    def __init__(self, layout: Layout) -> None:
        self.address = layout.address
        self.is_marked_only = bool(layout.marks or layout.mark_names)
        self.holds_requests = layout.request is not None
        needed = [
            entry
            for entry in layout.fields
            if entry.required and (layout.request is None or entry.hub[0] in NEEDED)
        ]
        self._ways = [[entry.path, *(tuple(other.split(".")) for other in entry.also)] for entry in needed]
        self._reader = (
            RequestReader(layout.request, places_of(layout), lambda *_: None) if layout.request else None
        )
        self._heads = _heads(layout.request) if layout.request else None
        self._name = next((entry.path for entry in layout.fields if entry.hub[:1] == ("name",)), ())
        self._marks, self._mark_names = layout.marks, layout.mark_names
        spelled = [*(f'"{mark}"' for mark in layout.marks), *(f'"{name}' for name in layout.mark_names or ())]
        self._search = Search([text.encode() for text in spelled])

    def may_fit(self, names: set[str] | frozenset[str]) -> bool:
        """Tell whether an object that has such members, whatever they hold, may fit."""
        if self.holds_requests:
            return self._heads is None or not self._heads.isdisjoint(names)
        return all(any(way[0] in names for way in ways) for ways in self._ways)

    def fits(self, record: Any) -> bool:
        """Tell whether a record, or one of its events, holds all that the layout requires."""
        return any(isinstance(event, Pairs) and self._has_all(event) for event in self._events(record))

    def is_marked(self, content: bytes, records: Iterable[Any]) -> bool:
        """Tell whether one of the records that a text holds shows a mark; most texts do not even spell one."""
        events = (event for record in records for event in self._events(record))
        return self._search.finds_one(content) and any(map(self._shows_mark, events))

    def _events(self, record: Any) -> Iterator[Any]:
        if self._reader is None:
            yield record
            return
        if isinstance(record, Pairs) and not self.may_fit(record.names()):
            return
        try:
            yield from [event for _, event in self._reader.events("", record)]
        except Refused:
            return

    def _has_all(self, record: Pairs) -> bool:
        return all(any(peek(record, way) is not None for way in ways) for ways in self._ways)

    def _shows_mark(self, record: Any) -> bool:
        if not isinstance(record, Pairs):
            return False
        name = peek(record, self._name)
        named = isinstance(name, str) and name.startswith(self._mark_names) if self._mark_names else False
        return named or any(record.get(mark) is not None for mark in self._marks)


def _heads(request: Request) -> frozenset[str] | None:
    """Give the names of which a request that is an object has one; None where it may lead to its events without any."""
    if not request.each:  # it is a list
        return frozenset()
    if request.each[0] == ANY:
        return None
    others = (place.partition(".")[0] for places in request.also.values() for place in places)
    return frozenset({*request.each, *request.also, *others, *PARTS, *WHOLE_PARTS})


def the_only(file: SourceFile, fitting: list[str]) -> str:
    """Give the one layout that fits a file; raise SourceError where several do."""
    if len(fitting) > 1:
        raise SourceError(f"{file.shown}: may be {' or '.join(fitting)}; say with --from which it is")
    return fitting[0]


def form_of(layout: Layout) -> frozenset[str]:
    """Give what tells a layout's records from others': layouts of one form are read in one run."""
    needed = {entry.place for entry in layout.fields if entry.required}
    return frozenset({layout.records, *needed, *(layout.request.each if layout.request else ())})


# -- objects that are looked at only when they are read ------------------------------------------------------

FOREIGN = "foreign"  # no records


@dataclass
class Unseen:
    """Objects that are looked at only when they are read, for there was no room to keep them from the look to the reading."""

    layout_of: Callable[[SourceFile], str]
    address: str
    others: Container[str]  # layouts that are known
    message: str

    def look_at(self, files: Iterable[SourceFile], refused: dict[str, Damage]) -> None:
        """Refuse those that are no records; raise SourceError for one that is of another layout than all before."""
        for file in files:
            if not file.is_remote or file.ends is not None:  # then it was looked at
                continue
            name = self.layout_of(file)
            if name == FOREIGN:
                refused[file.shown] = Damage("not_recognised", self.message, "")
            elif name != self.address and name in self.others:
                raise SourceError(
                    f"{file.location}: is {name}, and what was looked at before the work is {self.address}; convert "
                    "the two one by one with --from, each from a folder or a glob of its own"
                )


def by_room(files: Iterable[SourceFile]) -> tuple[SourceFiles, SourceFiles]:
    """Part the files that are looked at before the work from the objects that could not be kept until they are read."""
    early, late = SourceFiles(), SourceFiles()
    room, count = spool.KEPT_BYTES, spool.KEPT_FILES
    for file in files:
        if file.is_remote:
            room -= file.bytes
            count -= 1
        (early if min(room, count) >= 0 or not file.is_remote else late).append(file)
    return (early, late) if early else (late[:1], late[1:])
