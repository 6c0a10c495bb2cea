"""How a model's requests are delivered and what its service does with them; for one that its sheet describes, how they reach it and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlsplit

from translate.mapping.replies import ServiceAnswer, Way, json_of


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

    def answering(self, query: Mapping[str, str]) -> Self:
        """Give it with the answers alone that requests of these parameters may get."""
        answers = {name: each for name, each in self.answers.items() if each.query.items() <= query.items()}
        return self if len(answers) == len(self.answers) else replace(self, answers=answers)

    @property
    def own_query(self) -> dict[str, str]:
        """Give the parameters that every request has, whatever the settings say."""
        return {given.name: given.text for given in self.query if not given.setting}

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


# Numbers of the target's configuration that a user may have raised, each in the unit of the hazard that it overrides.
OVERRIDES = ("freshness_hours", "user_keep_days", "retention_days")
OF_SENDER = ("user_agent", "forwarded_address")


@dataclass(frozen=True)
class HazardCheck:
    """A check that looks for a hazard: what it looks for, the keys of its number, its other keys, and the places of its sentence.

    `implied` are hub columns that it looks at unasked. What is `of_age` a receiver may take and alter.
    """

    about: str
    number: tuple[str, ...] = ()
    columns: str | None = None
    names: str | None = None
    setting: tuple[str, ...] = ()
    setting_required: bool = False
    implied: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    of_age: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Give all keys that the check may have of its own."""
        setting, alters = "setting" if self.setting else None, "alters" if self.of_age else None
        return (*self.number, *filter(None, (self.columns, self.names, setting, alters)))


CHECKS: dict[str, HazardCheck] = {
    "older_than": HazardCheck("events that are older when they arrive", ("hours", "days"), names="except", setting=OVERRIDES, says=("value", "earliest"), of_age=True),
    "newer_than": HazardCheck("events that are younger when they arrive", ("hours", "days"), names="except", says=("value", "latest"), of_age=True),
    "users_last_seen_before": HazardCheck("users whose last event is older", ("days",), columns="column", setting=OVERRIDES, says=("value", "users")),
    "newer_than_now": HazardCheck("events that lie in the future", names="except", says=("latest",), of_age=True),
    "user_agent_matches": HazardCheck("user agents, of requests or of the run, that a pattern matches", names="patterns", implied=("user_agent",), says=("value",)),
    "setting_missing": HazardCheck("events that lack what neither they nor the setting say", setting=OF_SENDER, setting_required=True, says=("value",)),
    "column_missing": HazardCheck("events without it", columns="column"),
    "values_outside": HazardCheck("events whose value is none of those known", columns="column", names="known", says=("found",)),
    "spans_more_than": HazardCheck("events on more days", ("days",), says=("value", "found", "earliest", "latest")),
    "distinct_max": HazardCheck("more different values", ("most",), columns="column", says=("value", "found")),
    "fewer_events_than": HazardCheck("fewer events", ("least",), says=("value",)),
    "fewer_users_than": HazardCheck("fewer users with two events or more", ("least",), columns="column", says=("value", "found")),
    "repeated": HazardCheck("events that have all of it the same as an earlier one", columns="columns"),
    "repeated_ids": HazardCheck("events with the id of an earlier one", implied=("event_id",)),
    "endpoint_overwritten": HazardCheck("events beside an endpoint that says something, where the setting wants it written", setting=("fill_endpoints",), setting_required=True),
    "setting_wanted": HazardCheck("any event, where the setting wants what the receiver does with them", setting=("update_profiles", "locate_by_sender", "reach_destinations", "live_events"), setting_required=True),
    "support_ended": HazardCheck("any event, once the support has ended", says=("value",)),
}  # fmt: skip


@dataclass(frozen=True)
class Hazard:
    """One thing that the target does with data, asked before anything is sent.

    `check` is one of CHECKS; which of `value` (`unit` says of what), `columns`, `names`
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

    Lines of `layout` are requests, sent as one of translate.mapping.protocols.PROTOCOLS, or as `http` says, if anyhow. Events with equal values of the hub columns `order` are never in flight at once.
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
        hazards = self.preflight.items()
        return {name: each for name, each in hazards if each.alters and each.concerns(layout)}

    @property
    def reaches(self) -> bool:
        """Tell whether requests can be sent at all."""
        return self.protocol is not None or self.http is not None
