"""How a model's requests are delivered and what its service does with them; for one that its sheet describes, how they reach it and what it answers."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ANY = "*"
Way = tuple[str, ...]


@dataclass(frozen=True)
class Authentication:
    """How the sender proves who it is: one of translate.mapping.keys.KINDS_OF_AUTHENTICATION, with names of environment variables."""

    kind: str
    name: str = ""
    before: str = ""
    user: str = ""
    secret: str = ""
    answer: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """Name the environment variables that hold secrets."""
        return tuple(filter(None, (self.user, self.secret)))

    @property
    def needed(self) -> str:
        """Name the variable without which nothing can be sent."""
        return self.user or self.secret


@dataclass(frozen=True)
class Parameter:
    """A parameter or header: a text, or what a setting says, which may be `needed`."""

    name: str
    text: str = ""
    setting: str = ""
    needed: bool = False


@dataclass(frozen=True)
class ServiceAnswer:
    """One answer of a service: how it is known, and what it means (one of translate.mapping.keys.MEANINGS)."""

    name: str
    statuses: tuple[int, ...]
    means: str
    has: Way = ()
    text: re.Pattern[str] | None = None
    indexes: tuple[Way, ...] = ()
    counts: Way = ()
    wait_seconds: float | None = None
    says: str = ""
    body: Any = None

    def fits(self, status: int, text: str, tree: Any) -> bool:
        """Tell whether an answer is this one."""
        return (
            status in self.statuses
            and (not self.has or any(value for value, _ in _at(tree, self.has)))
            and (self.text is None or self.text.search(text) is not None)
        )

    def blamed(self, tree: Any, count: int) -> dict[int, str]:
        """Give the positions of the events that it is about, each with what it says of it."""
        found: dict[int, str] = {}
        for way in self.indexes:
            for value, why in _at(tree, way):
                if type(value) is int and 0 <= value < count:
                    found.setdefault(value, why)
        return found

    def counted(self, tree: Any) -> int | None:
        """Give the number of events that it says were taken."""
        return (
            next((value for value, _ in _at(tree, self.counts) if type(value) is int), None)
            if self.counts
            else None
        )

    def played(self, blamed: Mapping[int, tuple[str, str]], taken: int) -> str:
        """Write it: about these positions, each with the place that is wrong and why, after so many events were taken."""
        if isinstance(self.body, str):
            return self.body
        tree: Any = copy.deepcopy(self.body)
        if tree is None:
            tree = [] if self.indexes and self.indexes[0][0] == ANY else {}
        for index, (place, why) in sorted(blamed.items()) if self.indexes else ():
            _put(tree, self.indexes[0], index, place, why)
        if self.counts:
            *outer, last = self.counts
            node = tree
            for segment in outer:
                node = node.setdefault(segment, {})
            node[last] = taken
        return json.dumps(tree, separators=(",", ":"))


@dataclass(frozen=True)
class Sending:
    """How requests are sent over HTTP; `addresses` by region have one path, `each` is the way to the events of a request."""

    addresses: dict[str, str]
    each: Way
    method: str = "POST"
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    body: str = "json"
    form: str | None = None
    gzip: bool = False
    answers_first: bool = False
    authentication: Authentication | None = None
    answers: dict[str, ServiceAnswer] = field(default_factory=dict)
    source: str = ""

    @property
    def path(self) -> str:
        """Give the path of all its addresses."""
        return next((urlsplit(address).path for address in self.addresses.values()), "") or "/"

    @property
    def variables(self) -> tuple[str, ...]:
        """Name the environment variables that hold secrets."""
        return self.authentication.variables if self.authentication else ()

    @property
    def needs(self) -> dict[str, str]:
        """Name the settings without which nothing is sent, each with what it is sent as."""
        return {given.setting: given.name for given in (*self.query, *self.headers) if given.needed}

    @property
    def settings(self) -> tuple[str, ...]:
        """Name the settings that it asks."""
        said = {given.setting for given in (*self.query, *self.headers) if given.setting}
        return tuple(sorted(said | ({"region"} if len(self.addresses) > 1 else set())))

    def answer_of(self, status: int, text: str) -> ServiceAnswer | None:
        """Find the first answer that fits."""
        tree = json_of(text)
        return next((answer for answer in self.answers.values() if answer.fits(status, text, tree)), None)

    def meaning(self, *means: str) -> ServiceAnswer | None:
        """Find the first answer of these meanings, those of the first one before all others."""
        answers = [answer for mean in means for answer in self.answers.values() if answer.means == mean]
        return next(iter(answers), None)


@dataclass(frozen=True)
class Quota:
    """How many requests a second the target bears, and which share of it a replay takes by default.

    One that is not `documented` is no quota of the target's, but a pace of our own choice; `source` says why.
    """

    requests_per_second: float
    scope: str
    share: float
    source: str
    date: dt.date
    documented: bool = True

    @property
    def default_requests_per_second(self) -> float:
        """Give the rate that leaves headroom for live traffic."""
        return self.requests_per_second * self.share


@dataclass(frozen=True)
class Support:
    """When the service's support ended."""

    ended: dt.date
    source: str


@dataclass(frozen=True)
class Hazard:
    """One thing that the target does with data, asked before anything is sent.

    `check` is one of translate.mapping.keys.CHECKS; which of `value` (`unit` says of what), `columns`, `names`
    (names of events as the target spells them, or patterns) and `setting` it has depends on it. `says` and `instead`
    are sentences, `says` with places for what was found. What is of some age may be taken and altered: `alters` says how.
    """

    name: str
    check: str
    loses: bool
    says: str
    instead: str
    source: str
    date: dt.date
    value: int | None = None
    unit: str = ""
    columns: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    setting: str | None = None
    layouts: tuple[str, ...] = ()
    alters: str = ""

    def concerns(self, layout: str) -> bool:
        """Tell whether it threatens rows of a layout."""
        return not self.layouts or layout in self.layouts


@dataclass(frozen=True)
class Delivery:
    """How a model's requests are delivered, and what its service does with them.

    Lines of `layout` are requests, sent as one of translate.delivery.endpoints.protocols.PROTOCOLS, or as `http` says, if anyhow. Events with equal values of the hub columns `order` are never in flight at once.
    `verify` tells how to see what arrived, with places for what was sent.
    """

    layout: str
    protocol: str | None
    order: tuple[str, ...]
    quota: Quota
    support: Support | None = None
    verify: tuple[str, ...] = ()
    preflight: dict[str, Hazard] = field(default_factory=dict)
    http: Sending | None = None

    def altering(self, layout: str) -> dict[str, Hazard]:
        """Give what alters events of some age that are of a layout."""
        return {
            name: hazard
            for name, hazard in self.preflight.items()
            if hazard.alters and hazard.concerns(layout)
        }

    @property
    def reaches(self) -> bool:
        """Tell whether requests can be sent at all."""
        return self.protocol is not None or self.http is not None


def json_of(text: str) -> Any:
    """Read an answer's JSON; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


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
    return (
        str(*said.values())
        if len(said) == 1
        else ", ".join(f"{name}: {value}" for name, value in said.items())
    )


def _put(tree: Any, way: Way, index: int, place: str, why: str) -> None:
    """Put a position where a way leads."""
    first = way.index(ANY)
    names, tail = way[:first], way[first:]
    if tail == (ANY, ANY):
        names, tail = (*names, place), tail[1:]
    node = tree
    for name in names[:-1]:
        node = node.setdefault(name, {})
    if names:
        node = node.setdefault(names[-1], [])
    if tail != (ANY,):
        node.append({tail[1]: index, "message": why})
    elif index not in node:
        node.append(index)
