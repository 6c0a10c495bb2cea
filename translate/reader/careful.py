"""The careful reader: one record at a time, by Python's own JSON rules, with a reason for everything.

It takes the lines that the fast reader does not fully understand. What both accept, both read alike: numbers
come out as the digits that the engine would write, texts as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from translate.mapping.paths import AROUND, path_around, path_of
from translate.mapping.settings import RECORD_BYTES
from translate.mapping.spec import Layout
from translate.reader import containers
from translate.reader.broken import end_of_record, is_beyond, too_large
from translate.reader.literals import (
    DECODER,
    INCOMPLETE,
    NUMBER,
    Pairs,
    Refused,
    an_object,
    canonical,
    constant,
    no_record,
    shown,
    syntax_error,
    too_deep,
)
from translate.reader.opening import body_of, peek
from translate.reader.originals import restore_names
from translate.reader.record import (
    EMPTIED,
    OVERRULED,
    Record,
    once,
    refuse_surrogates,
    refused,
    scalar_text,
    take_time,
    text_of,
    unquoted,
)
from translate.reader.request import NO_EVENT, OF_TRANSPORT, RequestReader
from translate.reader.tree import Leaf, Tree, overruled, places_of, slots
from translate.vocabulary.notation import Digits
from translate.vocabulary.notes import InSource
from translate.vocabulary.spelling import Spelling

BOM = "\ufeff"
FIRST_MEMBER = re.compile(r'\s*\{\s*("[^"\\]*(?:\\.[^"\\]*)*"\s*:)')

# What has to wait until the plain values of a record are known: a leaf, its path, its value.
Later = list[tuple[Leaf, tuple[str, ...], Any]]


class CarefulReader:
    """Reads records of one layout; `names` tells for which events a preset of some of them only is one."""

    def __init__(
        self, layout: Layout, names: Mapping[str, Spelling] | None = None, *, record_bytes: int = RECORD_BYTES
    ) -> None:
        self._record_bytes = record_bytes
        self._places = places_of(layout)
        self._heads = self._places.heads
        self._heads_around = self._places.heads_around
        self._time = next((entry.place for entry in layout.fields if "time" in entry.hub[:1]), "")
        self._name = next((entry.place for entry in layout.fields if "name" in entry.hub[:1]), "")
        self._spelled = {hub: spelling.name for hub, spelling in (names or {}).items()}
        found = dict(slots(layout))
        places = {slot: InSource(entry.path, slot.startswith(AROUND)) for slot, entry in found.items()}
        self._overruled = [(outer, inner, places[outer]) for outer, inner in overruled(layout)]
        self._emptied = {slot: places[slot] for slot, entry in found.items() if entry.word.empty_is_absent}
        self._bound = {
            place: [key for key, leaf in presets.items() if leaf.entry.when]
            for place, presets in self._places.presets.items()
        }
        self._named = [
            (key, leaf)
            for presets in self._places.presets.values()
            for key, leaf in presets.items()
            if leaf.entry.word.travels_with_names
        ]
        self._request = (
            RequestReader(layout.request, self._places, self._walk_request) if layout.request else None
        )

    # -- lines ------------------------------------------------------------------------------------------------------

    def read(self, line: str, begin: int = 0) -> Iterator[Record]:
        """Read the records of a line from a place on, one after the other; what cannot be read comes as a refused record."""
        line = line if begin else line.removeprefix(BOM)
        position = _skip_blanks(line, begin)
        number = 0
        is_long = is_beyond(line, self._record_bytes)
        while position < len(line):
            if is_long:
                raw = line[position : end_of_record(line, position)]
                if is_beyond(raw, self._record_bytes):
                    yield too_large(raw, self._record_bytes)
                    position = _skip_blanks(line, position + len(raw))
                    continue
            try:
                value, end = DECODER.raw_decode(line, position)
            except json.JSONDecodeError as error:
                try:
                    body = body_of(line) if self._request and not line[:position].strip() else None
                except Refused as reason:
                    yield refused(line[position:], reason, request=number, refuses="rest")
                    return
                if body is not None:
                    yield from self._records(line, body, number)
                    return
                fault = syntax_error(line, error)
                following = None if self._request or fault.code == INCOMPLETE else _next_like(line, position)
                if following is not None:
                    yield refused(line[position:following], fault)
                    position = following
                    continue
                yield refused(line[position:], fault, request=number, refuses="rest")
                return
            except RecursionError:
                yield refused(line[position:], too_deep(), request=number, refuses="rest")
                return
            raw = line[position:end]
            yield from self._records(raw, value, number)
            position = _skip_blanks(line, end)
            number += 1

    def read_cells(self, raw: str, header: list[str], cells: list[str | None]) -> Record:
        """Read a row of a table: absent cells are absent values, the others are taken as their columns want them."""
        if is_beyond(raw, self._record_bytes):
            return too_large(raw, self._record_bytes)
        if len(cells) != len(header):
            return refused(
                raw, Refused("bad_row", f"has {len(cells)} cells, but the header {len(header)} columns")
            )
        members = Pairs(
            (name, self._cell(name, cell))
            for name, cell in zip(header, cells, strict=True)
            if cell is not None
        )
        return self._record(Record(raw), members)

    def _cell(self, name: str, cell: str) -> str:
        leaf = self._places.event.get(name)
        prefix = next((entry for prefix, entry in self._places.prefixes if name.startswith(prefix)), None)
        if isinstance(leaf, Leaf):
            is_number = leaf.wire in ("whole", "number")
        else:
            is_number = prefix is not None and prefix.word.of_numbers
        return Digits(cell) if is_number and NUMBER.fullmatch(cell) else cell

    # -- records ----------------------------------------------------------------------------------------------------

    def _records(self, raw: str, value: Any, number: int) -> Iterator[Record]:
        if self._request is None:
            yield self._record(Record(raw), value)
            return
        try:
            for record, event in self._request.events(raw, value):
                if event is NO_EVENT:
                    yield Record(raw, holds_event=False)
                else:
                    found = self._record(record, event)
                    found.request = number
                    yield found
        except Refused as reason:
            yield refused(raw, reason, request=number, refuses="request")

    def _record(self, record: Record, value: Any) -> Record:
        try:
            if not isinstance(value, Pairs):
                raise no_record(value)
            later: Later = []
            self._walk(record, self._places.event, value, (), later)
            self._peek(record, value)
            self._finish(record, later)
            self._tell_overruled(record)
            self._tell_emptied(record)
            refuse_surrogates(record)
        except Refused as reason:
            return refused(record.raw, reason)
        return record

    def _walk_request(self, record: Record, tree: Tree, pairs: Pairs, path: tuple[str, ...]) -> None:
        later: Later = []
        self._walk(record, tree, pairs, path, later, around=True)
        self._finish(record, later, around=True)

    def _walk(
        self,
        record: Record,
        tree: Tree,
        pairs: Pairs,
        path: tuple[str, ...],
        later: Later,
        *,
        around: bool = False,
    ) -> None:
        place = InSource(path, around)
        for key, value in once(record, place, pairs).items():
            node = tree.get(key)
            here = (*path, key)
            if value is None:
                record.nulls += 1
            elif isinstance(node, dict):
                members = value if isinstance(value, Pairs) else an_object(value, place.member(key).shown)
                self._walk(record, node, members, here, later, around=around)
            elif isinstance(node, Leaf):
                self._leaf(record, node, here, value, later, around=around)
            elif path or around or not self._column(record, key, value):
                self._unknown(record, here, value, around=around)

    def _leaf(
        self, record: Record, leaf: Leaf, path: tuple[str, ...], value: Any, later: Later, *, around: bool
    ) -> None:
        way = leaf.way
        if way == "text" and type(value) is str:
            record.values[leaf.slot] = value
        elif way == "time":
            self._time_of(record, leaf, path, value, around=around)
        elif way in ("text", "scalar"):
            place = InSource(path, around)
            number = unquoted(record, leaf, place, value) if leaf.entry.texts else value
            record.values[leaf.slot] = scalar_text(record, leaf, place, number)
        elif way == "later":
            later.append((leaf, path, value))
        elif way == "map":
            containers.read_whole_map(record, leaf.entry, InSource(path, around), value)
        elif way == "const":
            self._const(record, leaf, path, value, around=around)
        elif way == "stamp":
            record.note("on_purpose", InSource(path, around), leaf.entry.word.why or OF_TRANSPORT)

    def _time_of(
        self, record: Record, leaf: Leaf, path: tuple[str, ...], value: Any, *, around: bool
    ) -> None:
        """Take in a time; what is none stays as it stood, among the unknown."""
        if not take_time(record, leaf, InSource(path, around), value):
            self._unknown(record, path, value, around=around)

    def _const(self, record: Record, leaf: Leaf, path: tuple[str, ...], value: Any, *, around: bool) -> None:
        """Take in what always stands there; anything else is unknown."""
        if canonical(value) == canonical(constant(leaf.entry.const)):
            record.values[leaf.slot] = canonical(value)
        else:
            self._unknown(record, path, value, around=around)

    def _finish(self, record: Record, later: Later, *, around: bool = False) -> None:
        """Read what had to wait: other places of values that are not there, the user, and the free-form values."""
        strays: list[containers.Stray] = []
        for leaf, path, value in later:
            if leaf.is_other:
                self._other(record, leaf, path, value, around=around)
        for leaf, _, value in later:
            entry = leaf.entry
            presets = self._presets(record, entry.place)
            if leaf.is_other:
                continue
            if entry.word.is_user:
                containers.read_user(record, leaf, value, record.values.get(self._time))
            elif entry.word.shared:
                containers.READERS[entry.word.form](record, entry, value, presets)
            else:
                strays += containers.read_map(record, entry, value, presets)
        for stray in strays:
            containers.take_in(record, *stray)
        self._restore_names(record)

    def _other(self, record: Record, leaf: Leaf, path: tuple[str, ...], value: Any, *, around: bool) -> None:
        """Read another place of a value, unless this is there already."""
        place = InSource(path, around)
        is_map = leaf.entry.word.holds_whole_map
        if leaf.slot in record.values or (is_map and leaf.entry.hub[0] in record.maps):
            self._unknown(record, path, value, around=around)
        elif is_map:
            containers.read_whole_map(record, leaf.entry, place, value)
        elif leaf.is_time:
            self._time_of(record, leaf, path, value, around=around)
        else:
            record.values[leaf.slot] = scalar_text(record, leaf, place, unquoted(record, leaf, place, value))

    def _presets(self, record: Record, place: str) -> dict[str, Leaf]:
        """Give the presets of a container that this event can have."""
        presets = self._places.presets.get(place, {})
        bound = self._bound.get(place, ())
        if not bound:
            return presets
        name = record.values.get(self._name)
        foreign = [
            key
            for key in bound
            if name not in [self._spelled.get(hub, hub) for hub in presets[key].entry.when]
        ]
        return {key: leaf for key, leaf in presets.items() if key not in foreign} if foreign else presets

    def _restore_names(self, record: Record) -> None:
        for key, leaf in self._named:
            if leaf.slot in record.values:
                restore_names(record, record.values.pop(leaf.slot), key)

    def _peek(self, record: Record, pairs: Pairs) -> None:
        """Look into what is carried whole for values that are nowhere else."""
        for path, leaf in self._places.peeked:
            if leaf.slot not in record.values:
                found = peek(pairs, path)
                if leaf.is_time and found is not None:
                    take_time(record, leaf, InSource(path), found)
                elif type(found) is str and leaf.wire == "text":
                    record.values[leaf.slot] = found
                elif (
                    isinstance(found, Pairs)
                    and leaf.entry.word.holds_whole_map
                    and leaf.entry.hub[0] not in record.maps
                ):
                    containers.read_whole_map(record, leaf.entry, InSource(path), found)

    def _column(self, record: Record, key: str, value: Any) -> bool:
        """Take in a column of a table whose name begins as the layout says."""
        for prefix, entry in self._places.prefixes:
            if key.startswith(prefix) and key != prefix:
                home = entry.hub[0]
                if home == "metrics" and not isinstance(value, Digits):
                    raise Refused("wrong_type", f"{key} should be a number, but is {shown(value)}")
                record.put(home, key.removeprefix(prefix), text_of(record, InSource((key,)), value))
                return True
        return False

    def _tell_overruled(self, record: Record) -> None:
        """Note what a request says of all its events where one of them says otherwise."""
        for outer, inner, place in self._overruled:
            if (
                inner in record.values
                and record.values.get(outer, record.values[inner]) != record.values[inner]
            ):
                record.note("on_purpose", place, OVERRULED)

    def _tell_emptied(self, record: Record) -> None:
        """Note an empty text that stands for no value."""
        for slot, place in self._emptied.items():
            if record.values.get(slot) == "":
                record.note("changed", place, EMPTIED)

    def _unknown(self, record: Record, path: tuple[str, ...], value: Any, *, around: bool) -> None:
        """Take a member along that the layout does not name."""
        name = path_around(path, self._heads_around) if around else path_of(path, self._heads)
        record.put("extra", name, canonical(value))


def _next_like(line: str, position: int) -> int | None:
    """Tell where, after a broken record, the next one begins that has the first member of the line's first; None if none does."""
    first = FIRST_MEMBER.match(line)
    found = re.compile(r"\{\s*" + re.escape(first[1])).search(line, position + 1) if first else None
    return found.start() if found else None


def _skip_blanks(line: str, position: int) -> int:
    while position < len(line) and line[position] in " \t\r\n":
        position += 1
    return position
