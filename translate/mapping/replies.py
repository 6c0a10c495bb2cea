"""The answers of a service that a sheet describes: read from [delivery.http.answers], known when one comes, and played by a rehearsal."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from translate.mapping import keys
from translate.mapping.sheet import Sheet, Table, join

if TYPE_CHECKING:
    from translate.mapping.sending import Sending
    from translate.mapping.spec import Layout

ANY = "*"
Way = tuple[str, ...]
OF_MEANINGS = {
    "indexes": ("partly", "refused", "slower"),
    "ids": ("partly", "refused", "slower"),
    "answers_first": ("done",),
    "counts": ("done", "partly"),
    "wait_seconds": ("again", "slower"),
    "says": ("stop",),
}
_PATH = "delivery.http.answers"


def json_of(text: str | bytes) -> Any:
    """Read an answer's JSON; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True)
class ServiceAnswer:
    """One answer of a service: how it is known, and what it means (one of translate.mapping.keys.MEANINGS)."""

    name: str
    statuses: tuple[int, ...]
    means: str
    has: Way = ()
    text: re.Pattern[str] | None = None
    indexes: tuple[Way, ...] = ()
    ids: tuple[Way, ...] = ()
    counts: Way = ()
    wait_seconds: float | None = None
    says: str = ""
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    answers_first: bool = False

    @property
    def names_events(self) -> bool:
        """Tell whether it says which events it is about."""
        return bool(self.indexes or self.ids)

    def fits(self, status: int, text: str, tree: Any) -> bool:
        """Tell whether an answer is this one."""
        return (
            status in self.statuses
            and (not self.has or any(value for value, _ in _at(tree, self.has)))
            and (self.text is None or self.text.search(text) is not None)
        )

    def blamed(self, tree: Any, ids: Sequence[Any]) -> dict[int, str]:
        """Give the positions of the events that it is about, by these or by the events' ids, each with what it says of it."""
        found: dict[int, str] = {}
        for way in self.indexes:
            for value, why in _at(tree, way):
                if type(value) is int and 0 <= value < len(ids):
                    found.setdefault(value, why)
        named = {str(value): why for way in reversed(self.ids) for value, why in _at(tree, way)}
        for position, identity in enumerate(ids) if named else ():
            if identity is not None and str(identity) in named:
                found.setdefault(position, named[str(identity)])
        return found

    def counted(self, tree: Any) -> int | None:
        """Give the number of events that it says were taken."""
        values = _at(tree, self.counts) if self.counts else ()
        return next((value for value, _ in values if type(value) is int), None)

    def played(
        self, blamed: Mapping[int, tuple[str, str]], taken: int, ids: Mapping[int, Any] | None = None
    ) -> str:
        """Write it: about these positions, each with the place that is wrong and why, after so many events were taken.

        Where it names events by their ids, those that have none are not named.
        """
        if isinstance(self.body, str):
            return self.body
        ways = (*self.indexes[:1], *self.ids[:1])
        tree: Any = copy.deepcopy(self.body)
        if tree is None:
            tree = [] if ways and ways[0][0] == ANY else {}
        for index, (place, why) in sorted(blamed.items()):
            told: dict[Way, dict[str, Any]] = {}  # what is said of this event, by the list that it stands in
            for way, name in zip(ways, _names(self, index, ids or {}), strict=True):
                if name is not None:
                    _put(tree, way, name, place, why, told)
        if self.counts:
            *outer, last = self.counts
            node = tree
            for segment in outer:
                node = node.setdefault(segment, {})
            node[last] = taken
        return json.dumps(tree, separators=(",", ":"))


class AnswersReader:
    """Reads the table of one mapping; complains to its sheet."""

    def __init__(self, sheet: Sheet, layout: Layout | None) -> None:
        self.sheet = sheet
        self._has_ids = layout is not None and any("event_id" in entry.hub for entry in layout.fields)

    def answers(self, table: Table) -> dict[str, ServiceAnswer]:
        """Read the table."""
        inner = self.sheet.tables(table, _PATH)
        return {name: self._answer(name, answer) for name, answer in inner.items()}

    def _answer(self, name: str, table: Table) -> ServiceAnswer:
        sheet, path = self.sheet, join(_PATH, name)
        sheet.known_keys(table, path, keys.ANSWER)
        means = sheet.need(table, path, "means", str, "")
        is_said = isinstance(table.get("means"), str)
        known = is_said and sheet.one_of(means, f"{path}.means", "meaning", keys.MEANINGS)
        for key, meanings in OF_MEANINGS.items() if known else ():
            if key in table and means not in meanings:
                sheet.complain(f"{path}.{key}", f'has no effect where it means "{means}"')
        if "ids" in table and not self._has_ids:
            sheet.complain(f"{path}.ids", "has no effect: the events of the layout have no event_id")
        if means == "partly" and not table.keys() & {"indexes", "ids"}:
            sheet.complain(f"{path}.indexes", "is missing: they tell which events were refused")
        if means == "stop" and not table.get("says"):
            sheet.complain(f"{path}.says", "is missing")
        wait = table.get("wait_seconds")
        if wait is not None and (isinstance(wait, bool) or not isinstance(wait, int | float) or not wait > 0):
            sheet.complain(f"{path}.wait_seconds", f"should be a number above 0, but is {wait!r}")
        body = table.get("body")
        if body is not None and not isinstance(body, str | dict | list):
            sheet.complain(f"{path}.body", f"should be a table, a list or text, but is {body!r}")
        return ServiceAnswer(
            name, self._statuses(table, path), means, _way(sheet.get(table, path, "has", str, "")), self._pattern(table, path),
            self._ways(table, path, "indexes"), self._ways(table, path, "ids"), _way(sheet.get(table, path, "counts", str, "")), wait,
            sheet.get(table, path, "says", str, ""), body, self._query(table, path), sheet.get(table, path, "answers_first", bool, default=False),
        )  # fmt: skip

    def _query(self, table: Table, path: str) -> dict[str, str]:
        found: dict[str, Any] = self.sheet.get(table, path, "query", dict, {})
        if table.get("query") == {}:
            self.sheet.complain(f"{path}.query", "names nothing")
        for name, text in found.items():
            if not isinstance(text, str):
                self.sheet.complain(join(f"{path}.query", name), f"should be text, but is {text!r}")
        return {name: text for name, text in found.items() if isinstance(text, str)}

    def _ways(self, table: Table, path: str, key: str) -> tuple[Way, ...]:
        """Read the ways to what events are named by."""
        texts = self.sheet.texts(table, path, key) or ()
        return tuple(filter(None, (self._index(text, f"{path}.{key}") for text in texts)))

    def _statuses(self, table: Table, path: str) -> tuple[int, ...]:
        given = table.get("status")
        found = given if isinstance(given, list) else [given]
        if "status" not in table:
            self.sheet.complain(f"{path}.status", "is missing")
        elif not found or not all(type(status) is int and 200 <= status <= 599 for status in found):
            told = f"should be whole numbers from 200 to 599, but is {given!r}"
            self.sheet.complain(f"{path}.status", told)
        else:
            return tuple(found)
        return ()

    def _pattern(self, table: Table, path: str) -> re.Pattern[str] | None:
        text = self.sheet.get(table, path, "text", str)
        try:
            return None if text is None else re.compile(text)
        except re.error as error:
            self.sheet.complain(f"{path}.text", f'"{text}" is no regular expression: {error}')
            return None

    def _index(self, text: str, path: str) -> Way:
        way = _way(text)
        tail = way[way.index(ANY) :] if ANY in way else ()
        if tail not in ((ANY,), (ANY, ANY)) and (len(tail) != 2 or tail[1] == ANY):
            self.sheet.complain(path, f'"{text}" should end in *, in *.NAME or in *.*, and have no other *')
            return ()
        return way

    def endless(self, sending: Sending) -> None:
        """Complain where the sender, whose parameters are these, is never told that all is well."""
        own = sending.answering(sending.own_query).answers.values()
        if not any(answer.means in ("done", "partly") for answer in own):
            others = ' to what it is asked: each such answer has another "query"'
            to_others = others if sending.meaning("done", "partly") else ""
            self.sheet.complain(_PATH, f"none means done{to_others}: nothing would ever be sent")

    def played(self, sending: Sending) -> None:
        """Complain about each answer that would never be taken for itself: play it, and read it."""
        if self.sheet.complaints:
            return
        for name, answer in sending.answers.items():
            path = join(_PATH, name)
            heard = sending.answering(answer.query)
            for status in answer.statuses:
                try:
                    text = answer.played({0: ("place", "why")}, 1, {0: "id"})
                except (AttributeError, TypeError):
                    self.sheet.complain(f"{path}.body", "has no room for what indexes and counts lead to")
                    break
                read = heard.answer_of(status, text)
                if read is answer:
                    continue
                if read is None:
                    told = "is not what has and text look for, so that no rehearsal could play it"
                    self.sheet.complain(f"{path}.body", told)
                else:
                    told = f'has no effect for {status}: "{read.name}" stands before it, and fits'
                    self.sheet.complain(path, told)
                break


def _way(text: str) -> Way:
    """Read a way of names."""
    return tuple(text.split(".")) if text else ()


def _at(node: Any, way: Way, said: Way = ()) -> Iterator[tuple[Any, str]]:
    """Give the values at the end of a way, each with the names on it, and what stands beside it in its object."""
    if not way:
        yield node, ".".join(said)
        return
    head, rest = way[0], way[1:]
    if head != ANY:
        if isinstance(node, dict) and head in node:
            beside = _told({name: value for name, value in node.items() if name != head})
            is_in_list = not rest and said and said[-1] == ANY
            yield from ((node[head], beside),) if is_in_list else _at(node[head], rest, (*said, head))
    elif isinstance(node, dict):
        for name, inner in node.items():
            yield from _at(inner, rest, (*said, name))
    elif isinstance(node, list):
        for inner in node:
            yield from _at(inner, rest, (*said, ANY) if rest else said)


def _told(members: Mapping[str, Any]) -> str:
    said = {name: value for name, value in members.items() if isinstance(value, str | int | float)}
    if len(said) == 1:
        return str(*said.values())
    return ", ".join(f"{name}: {value}" for name, value in said.items())


def _names(answer: ServiceAnswer, index: int, ids: Mapping[int, Any]) -> tuple[Any, ...]:
    """Give what an event is named by, where an answer names it: its position, its id."""
    return (*((index,) if answer.indexes else ()), *((ids.get(index),) if answer.ids else ()))


def _put(tree: Any, way: Way, name: Any, place: str, why: str, told: dict[Way, dict[str, Any]]) -> None:
    """Put a position or an id where a way leads; in a list of objects, into the one that is of the event already."""
    first = way.index(ANY)
    names, tail = way[:first], way[first:]
    if tail == (ANY, ANY):
        names, tail = (*names, place), tail[1:]
    node = tree
    for segment in names[:-1]:
        node = node.setdefault(segment, {})
    if names:
        node = node.setdefault(names[-1], [])
    if tail == (ANY,):
        node += [] if name in node else [name]
    elif names in told:
        told[names][tail[1]] = name
    else:
        told[names] = {tail[1]: name, "message": why}
        node.append(told[names])
