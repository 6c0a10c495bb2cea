"""What a layout is to the kernel: a tree of members, and what becomes of each."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import polars as pl

from translate import events
from translate.engine.tables import (
    Child,
    ColumnName,
    LeafTable,
    Node,
    Overruled,
    Peek,
    ProgramTable,
    Reason,
    Span,
    WayStep,
)
from translate.mapping.paths import AROUND
from translate.mapping.spec import Layout, Request
from translate.reader.literals import canonical, constant, reasons
from translate.reader.record import EMPTIED, OVERRULED
from translate.reader.request import CAPTURED, HEADERS, OF_TRANSPORT, QUERY, WHOLE_PARTS, has_parts
from translate.reader.tree import ANY, Leaf, Places, overruled, places_of, raw_type, slots
from translate.vocabulary.notes import RETYPED, ROUNDED, InSource, note, written
from translate.vocabulary.spelling import Spelling
from translate.vocabulary.times import FLOORED, WITHOUT_ZONE

NONE = -1
BYTES_ROWS_HEAP = 3  # of a batch that are told before its columns, as kernel/lines.c says
ANY_KEY = "\0"  # stands for a key in a note until the kernel puts one there
UNDECIDED = "undecided"
WAYS = (
    "text", "whole", "number", "json", "time", "constant", "stamp", "map", "text_map", "number_map", "mixed_map",
    "entities", "properties", "user_object", UNDECIDED,
)  # fmt: skip
UNITS = (
    None, "milliseconds", "seconds", "seconds_or_iso8601", "iso8601", "milliseconds as text", "seconds_or_milliseconds",
)  # fmt: skip
REQUIRED, OTHER, LIST, WHOLE_TEXT, NUMBER_TEXT, LONG_SESSION = 1, 2, 4, 8, 16, 32
TEXT, WHOLE, MAP, LIST_OF_TEXTS = range(4)
FIXED = {
    "batch_row": WHOLE,
    "part": WHOLE,
    "nulls": WHOLE,
    "odd": WHOLE,
    "text": TEXT,
    "notes": LIST_OF_TEXTS,
    "code": TEXT,
    "message": TEXT,
    "original_name": TEXT,
}


class Program:
    """The tables of one layout; `pointer` is what the kernel takes, for as long as the program lives, `told` how much became of a batch."""

    def __init__(self, layout: Layout, names: Mapping[str, Spelling], record_bytes: int) -> None:
        self._layout = layout
        self._spelled = {hub: spelling.name for hub, spelling in names.items()}
        self._texts = bytearray()
        self._nodes: list[Node] = []
        self._children: list[Child] = []
        self._leaves: list[LeafTable] = []
        self._names: list[Span] = []
        self._slots = dict(slots(layout))
        self.columns = self._columns_of(layout)
        self._numbers = {name: number for number, name in enumerate(self.columns)}
        self._kept: list[Any] = []
        places = places_of(layout)
        self._presets = {place: self._node(leaves, (place,)) for place, leaves in places.presets.items()}
        self.pointer = ctypes.byref(self._table(places, record_bytes))
        self.told = (ctypes.c_int64 * (BYTES_ROWS_HEAP + len(self.columns)))()

    def told_before(self) -> ctypes.Array[ctypes.c_int64]:
        """Give what the kernel told of a batch, of which it tells of another in the same place: batches are read side by side."""
        return type(self.told)(*self.told)

    @staticmethod
    def _columns_of(layout: Layout) -> dict[str, int]:
        of_slots = {
            f"${slot}": WHOLE if raw_type(entry) == pl.Int64 else TEXT for slot, entry in slots(layout)
        }
        return {**FIXED, **of_slots, **dict.fromkeys(events.MAPS, MAP)}

    # -- the tree -------------------------------------------------------------------------------------------------

    def _node(self, tree: Mapping[str, Any], path: tuple[str, ...], *, around: bool = False) -> int:
        """Add an object with all that lies in it; give its number."""
        found = []
        for key, inner in tree.items():
            is_object = isinstance(inner, dict)
            node = self._node(inner, (*path, key), around=around) if is_object else NONE
            leaf = NONE if is_object else self._leaf(inner, InSource((*path, key), around))
            found.append(Child(self._span(key), node, leaf))
        self._nodes.append(Node(len(self._children), len(found)))
        self._children.extend(found)
        return len(self._nodes) - 1

    def _leaf(self, leaf: Leaf, place: InSource) -> int:
        entry = leaf.entry
        names = [self._spelled.get(hub, hub) for hub in entry.when]
        table = LeafTable(
            way=WAYS.index(way_of(leaf)),
            unit=UNITS.index(unit_of(leaf)),
            flags=flags_of(leaf),
            column=self._numbers.get(column_of(leaf), NONE),
            presets=self._presets.get(entry.place, NONE) if entry.word.is_container else NONE,
            constant=self._span(canonical(constant(entry.const)) if entry.const is not None else ""),
            retyped=self._note("changed", place, WITHOUT_ZONE if leaf.is_time else RETYPED),
            floored=self._note("changed", place, FLOORED),
            strayed=self._note_of_key(place, RETYPED),
            rounded=self._note_of_key(place, ROUNDED),
            member=self._span(entry.member),
            beyond=self._note("on_purpose", place, entry.word.why or OF_TRANSPORT),
            first_name=len(self._names),
            n_names=len(names),
        )
        self._names.extend(map(self._span, names))
        self._leaves.append(table)
        return len(self._leaves) - 1

    def _note(self, kind: str, place: InSource, why: str) -> Span:
        return self._span(written(note(kind, place, why)))

    def _note_of_key(self, place: InSource, why: str) -> Span:
        beginning, _ = _around_key(written(note("changed", place.member(ANY_KEY), why)))
        return self._span(beginning)

    def _span(self, text: str) -> Span:
        content = text.encode()
        found = self._texts.find(content)
        if found < 0:
            found = len(self._texts)
            self._texts += content
        return Span(found, len(content))

    # -- the tables -----------------------------------------------------------------------------------------------

    def _table(self, places: Places, record_bytes: int) -> ProgramTable:
        event = self._node(places.event, ())
        request = NONE if self._layout.request is None else self._node(places.request, (), around=True)
        _, note_end = _around_key(written(note("changed", InSource(("", ANY_KEY)))))
        peeks = [peek for path, leaf in places.peeked if (peek := self._peek(path, leaf)) is not None]
        columns = [ColumnName(self._c_text(name), kind) for name, kind in self.columns.items()]
        session = next((slot for slot, entry in self._slots.items() if entry.word.empty_is_absent), None)
        emptied = self._note("changed", InSource(self._slots[session].path), EMPTIED) if session else Span()
        end = self._span(note_end)
        told = [self._overruled(*pair) for pair in overruled(self._layout)]
        steps, undecided, named, opened = self._of_request(self._layout.request, places)
        refusals = [Reason(self._span(said.code), self._span(said.message)) for said in reasons()]
        takes_list = (
            self._layout.request is not None
            and self._layout.request.bare
            and not (steps and steps[-1].is_any)
        )
        return ProgramTable(
            texts=bytes(self._texts), nodes=self._array(self._nodes), children=self._array(self._children),
            leaves=self._array(self._leaves), names=self._array(self._names), peeks=self._array(peeks),
            columns=self._array(columns), n_children=len(self._children), n_columns=len(columns), n_peeks=len(peeks),
            event=event, name_column=self._slot_of("name"), time_column=self._slot_of("time"),
            session_column=NONE if session is None else self._numbers[f"${session}"],
            attributes=self._numbers["attributes"], metrics=self._numbers["metrics"], other=self._numbers["other"],
            extra=self._numbers["extra"], user_properties=self._numbers["user_properties"],
            user_times=self._numbers["user_property_times"], emptied=emptied, note_end=end, record_bytes=record_bytes,
            request=request, n_steps=len(steps), n_overruled=len(told), n_undecided=len(undecided), n_opened=len(opened),
            takes_list=takes_list, n_named=len(named), named=self._array(named),
            reasons=self._array(refusals),
            steps=self._array(steps), overruled=self._array(told), undecided=self._array(undecided), opened=self._array(opened),
        )  # fmt: skip

    def _of_request(
        self, request: Request | None, places: Places
    ) -> tuple[list[WayStep], list[Span], list[Span], list[Span]]:
        """Tell the way to a request's events, and which of its members the kernel leaves to the reference."""
        if request is None:
            return [], [], [], []
        steps = [self._step(request.each[: depth + 1], places) for depth in range(len(request.each))]
        heads = {place.partition(".")[0] for others in request.also.values() for place in others}
        takes_apart = has_parts(request)
        undecided = (
            heads
            | (CAPTURED if request.bare else set())
            | ({HEADERS, *WHOLE_PARTS} if takes_apart else set())
        )
        return (
            steps,
            [self._span(name) for name in sorted(undecided)],
            [self._span(name) for name in ([QUERY] if takes_apart else [])],
            [self._span(name) for name in request.opened],
        )

    def _overruled(self, outer: str, inner: str) -> Overruled:
        place = InSource(self._slots[outer].path, outer.startswith(AROUND))
        return Overruled(
            self._numbers[f"${outer}"], self._numbers[f"${inner}"], self._note("on_purpose", place, OVERRULED)
        )

    def _step(self, path: tuple[str, ...], places: Places) -> WayStep:
        leaf = places.names.get(path)
        is_any = path[-1] == ANY
        return WayStep(
            self._span(path[-1]), is_any, self._numbers[f"${leaf.slot}"] if is_any and leaf else NONE
        )

    def _slot_of(self, hub: str) -> int:
        return next(
            (self._numbers[f"${slot}"] for slot, entry in self._slots.items() if hub in entry.hub[:1]), NONE
        )

    def _peek(self, path: tuple[str, ...], leaf: Leaf) -> Peek:
        """Find the map that holds a path, and the key that leads on from there."""
        carried = next(entry for entry in self._slots.values() if entry.path == path[: len(entry.path)])
        key = self._span(path[len(carried.path)])
        return Peek(self._numbers[column_of(leaf)], self._numbers[carried.hub[0]], key)

    def _c_text(self, text: str) -> int:
        self._texts += b"\0"
        start = len(self._texts)
        self._texts += text.encode() + b"\0"
        return start

    def _array(self, rows: list[Any]) -> int:
        """Lay rows out one behind the other; give where."""
        array = (type(rows[0]) * len(rows))(*rows) if rows else (Span * 1)()
        self._kept.append(array)
        return ctypes.addressof(array)


def _around_key(text: str) -> tuple[str, str]:
    before, _, after = text.partition('"\\u0000"')
    return before, after


def column_of(leaf: Leaf) -> str:
    """Name the column that a value goes to: of a map the hub's own, of anything else that of its slot."""
    is_map = leaf.entry.word.is_container or leaf.entry.word.holds_whole_map
    return leaf.entry.hub[0] if is_map else f"${leaf.slot}"


def way_of(leaf: Leaf) -> str:
    """Name the way in which the kernel reads a value; what it has no way for is for the reference to read."""
    entry = leaf.entry
    if entry.word.way:
        return entry.word.way if entry.word.way in WAYS else UNDECIDED
    if entry.word.holds_whole_map or leaf.way == "stamp":
        return "map" if entry.word.holds_whole_map else "stamp"
    if leaf.way == "const" or entry.const is not None:
        return "constant"
    if entry.word.confirms is not None and not entry.word.confirms_session:
        return UNDECIDED
    if leaf.is_time:
        return "time"
    return leaf.wire if leaf.wire in WAYS else "whole"


def unit_of(leaf: Leaf) -> str | None:
    """Name the unit of a time's place."""
    word = leaf.entry.word
    return "milliseconds as text" if word.wire == "text" and word.unit == "milliseconds" else word.unit


def flags_of(leaf: Leaf) -> int:
    """Tell what else the kernel has to know of a value."""
    entry = leaf.entry
    flags = {
        REQUIRED: entry.required, OTHER: leaf.is_other, LIST: entry.holds_list,
        WHOLE_TEXT: entry.word.digits_as_text, NUMBER_TEXT: entry.texts,
        LONG_SESSION: entry.word.confirms_session,
    }  # fmt: skip
    return sum(flag for flag, is_so in flags.items() if is_so)
