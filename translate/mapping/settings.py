"""Settings: what a run needs to know that neither the archive nor a mapping says."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from translate.errors import Complaint, MappingError, UsageError, refuse_bytes, suggest
from translate.mapping.columns import Column, read_columns
from translate.mapping.keys import SETTINGS as WRITTEN_TEXTS
from translate.mapping.keys import WISHES as WRITTEN_FLAGS
from translate.mapping.sending import OVERRIDES
from translate.mapping.sheet import located, read_toml, refuse_other
from translate.wording.arguments import checked_fields

EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
RECORD_BYTES = 64 * 2**20
RECORD_BYTES_MAX = 2**32  # no text of the engine has more
SECRETS = re.compile(r"secret|password|token$|cookie|credential", re.IGNORECASE)

KEYS = {
    "app_ids": "a table: old application id to new",
    "app_id": "the application id of events that have none",
    "client_id": "the client of events that have none, in requests that need one",
    "app_title": "the application's title of events that have none, in requests that need one",
    "platform": "the operating system of events that have none, in requests that need one",
    "tracking_id": "the id of the event tracker that requests go to",
    "user_agent": "the user agent of events whose request named none",
    "forwarded_address": "the address of events whose request named none",
    "fill_endpoints": "true puts into requests what creates or updates endpoints",
    "update_profiles": "true lets what is written set properties of people whom the receiver knows already",
    "locate_by_sender": "true lets the receiver place events where the request comes from, if they have no address",
    "reach_destinations": "true lets the receiver pass events on to whatever is connected to it, which may mail people",
    "live_events": "true sends events as those of today, not as history",
    "day": "the day (YYYY-MM-DD) in whose folder the rows of a buffer are to lie",
    "columns": "a table: the columns of a dataset's own, each with its source and type, as in columns.DEVICE=device.platform:string",
    "keep_names": "true keeps names as they are where the target would want legal ones",
    "region": "the AWS region that requests are signed for, or which of a receiver's addresses they go to",
    "application_id": "the id of the application or project that the receiver knows",
    "account": "the account (user) that events are posted under",
    "plain_bodies": "true sends bodies as they are, not compressed",
    "freshness_hours": "the age in hours beyond which the receiver drops events, if it was changed there",
    "user_keep_days": "the days for which the receiver keeps users, if that was changed there",
    "retention_days": "the days for which the receiver keeps events, if that was changed there",
    "missing_quantity": "the quantity of purchases that tell a price and none, where the app's SDK meant one",
    "record_bytes": "the largest size of a record in bytes, beyond which it is rejected; 64 MB unless said",
    "earliest": "the first plausible time of an event (ISO 8601)",
    "latest": "the first time that is not plausible any more (ISO 8601)",
    "mappings": "a folder of data sheets that are added to the shipped ones, or replace them; in a file, relative to it",
}

# What only a replay asks for changes nothing of what is written.
TEXTS = (*WRITTEN_TEXTS, "region", "application_id", "account")
FLAGS = (*WRITTEN_FLAGS, "plain_bodies")
WRITTEN_NUMBERS = ("missing_quantity", "record_bytes")


@checked_fields
@dataclass(frozen=True)
class Settings:
    """What a run was told: ids, names, what a target wants to know, and the window of plausible times.

    `overrides` are numbers of the target's configuration that differ from what its mapping says.
    """

    app_ids: dict[str, str] = field(default_factory=dict)
    keep_names: bool = False
    app_id: str | None = None
    client_id: str | None = None
    app_title: str | None = None
    platform: str | None = None
    tracking_id: str | None = None
    user_agent: str | None = None
    forwarded_address: str | None = None
    fill_endpoints: bool = False
    update_profiles: bool = False
    locate_by_sender: bool = False
    reach_destinations: bool = False
    live_events: bool = False
    day: dt.date | None = None
    region: str | None = None
    application_id: str | None = None
    account: str | None = None
    plain_bodies: bool = False
    missing_quantity: float | None = None
    columns: tuple[Column, ...] = ()
    record_bytes: int = RECORD_BYTES
    overrides: dict[str, float] = field(default_factory=dict)
    mappings: Path | None = None
    time_window: tuple[dt.datetime, dt.datetime] = (EARLIEST, LATEST)

    def described(self) -> dict[str, Any]:
        """Give the settings as JSON values, for digests."""
        said = {
            name: getattr(self, name)
            for name in (*WRITTEN_TEXTS, *WRITTEN_FLAGS, *WRITTEN_NUMBERS, "day")
            if getattr(self, name) not in (None, False, RECORD_BYTES)
        }
        if self.columns:
            said["columns"] = {
                column.name: {"type": column.type, "source": column.source} for column in self.columns
            }
        return {
            "app_ids": dict(sorted(self.app_ids.items())),
            "keep_names": self.keep_names,
            **{
                name: value.isoformat() if isinstance(value, dt.date) else value
                for name, value in said.items()
            },
            "time_window": [bound.isoformat() for bound in self.time_window],
        }


def read_settings(said: Path | Mapping[str, Any] | None, assignments: Iterable[str] | str = ()) -> Settings:
    """Read settings, a file or a table, and `key=value` assignments, the latter winning; raise MappingError or UsageError.

    A file may say `app_ids.old = "new"` and the like at its top level; an assignment says
    `app_ids.old=new`.
    """
    file = said if isinstance(said, Path) else None
    table: dict[str, Any] = _unfolded(said) if isinstance(said, Mapping) else {}
    shown = "settings" if table else "--set"
    if file is not None and file.is_dir():
        raise UsageError(
            f"--settings {file}: is a folder; name a file in it, such as {file / 'settings.toml'}"
        )
    if file is not None:
        table, _ = read_toml(file, file.name)
        refuse_other(table, file, "settings")
        shown = file.name
        if isinstance(table.get("mappings"), str):
            table["mappings"] = os.path.join(file.parent, table["mappings"])
    for assignment in [assignments] if isinstance(assignments, str) else assignments:
        refuse_bytes(assignment, "--set")
        key, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"--set {assignment}: write it as key=value, for example app_ids.OLD=new")
        _assign(table, key.strip(), value.strip())
    try:
        return _Reader(table, shown).settings()
    except MappingError as error:
        raise MappingError(error.complaints if file is None else located(error.complaints, file)) from None


def _unfolded(said: Mapping[str, Any]) -> dict[str, Any]:
    """Give a table as a file would say it: `{"app_ids.old": "new"}` too, and paths as texts."""
    table: dict[str, Any] = {}
    for key, value in said.items():
        head, dot, rest = str(key).partition(".")
        plain = os.fspath(value) if isinstance(value, os.PathLike) else value
        if dot and head in ("app_ids", "columns"):
            table[head] = {**table.get(head, {}), rest: plain}
        elif isinstance(plain, Mapping):
            table[str(key)] = {**table.get(str(key), {}), **plain}
        else:
            table[str(key)] = plain
    return table


def _assign(table: dict[str, Any], key: str, value: str) -> None:
    head, dot, rest = key.partition(".")
    if dot and head in ("app_ids", "columns"):
        table.setdefault(head, {})[rest] = value
    elif head in FLAGS:
        table[head] = {"true": True, "false": False}.get(value.lower(), value)
    else:
        table[key] = value


class _Reader:
    """A table of settings under reading, and every complaint about it."""

    def __init__(self, table: dict[str, Any], shown: str) -> None:
        self.table = table
        self.shown = shown
        self.complaints: list[Complaint] = []

    def complain(self, key: str, message: str) -> None:
        self.complaints.append(Complaint(self.shown, key, message))

    def settings(self) -> Settings:
        """Read all settings; raise MappingError."""
        table = self.table
        self._look_at_keys()
        app_ids = table.get("app_ids", {})
        if not isinstance(app_ids, dict) or not all(isinstance(new, str) for new in app_ids.values()):
            self.complain("app_ids", f"should be {KEYS['app_ids']}; write app_ids.OLD=new")
        for name in FLAGS:
            if not isinstance(table.get(name, False), bool):
                self.complain(name, "should be true or false")
        for name in (*TEXTS, "mappings"):
            if name in table and not (isinstance(table[name], str) and table[name]):
                self.complain(name, f"should be a text that is not empty: {KEYS[name]}")
        columns = read_columns(table.get("columns", {}), self.complain)
        overrides = {name: number for name in OVERRIDES if (number := self._number(name)) is not None}
        quantity, record_bytes = self._number("missing_quantity"), self._number("record_bytes")
        day = self._day()
        window = self._time("earliest", EARLIEST), self._time("latest", LATEST)
        if self.complaints:
            raise MappingError(self.complaints)
        plain: dict[str, Any] = {name: table[name] for name in (*TEXTS, *FLAGS) if name in table}
        plain |= {} if record_bytes is None else {"record_bytes": int(min(record_bytes, RECORD_BYTES_MAX))}
        return Settings(
            dict(app_ids), mappings=Path(table["mappings"]) if "mappings" in table else None, day=day,
            missing_quantity=quantity, columns=columns, overrides=overrides, time_window=window, **plain,
        )  # fmt: skip

    def _look_at_keys(self) -> None:
        for key in self.table:
            if SECRETS.search(key):
                self.complain(key, "secrets come from the environment, never from settings")
            elif key not in KEYS:
                near, known = suggest(key.partition(".")[0], KEYS), ", ".join(sorted(KEYS))
                self.complain(key, f'no such setting "{key}"{near} (settings: {known})')

    def _number(self, key: str) -> float | None:
        value = self.table.get(key)
        try:
            number = None if value is None else float(value)
        except (TypeError, ValueError):
            number = 0.0
        if number is not None and not number > 0:
            self.complain(key, f"should be a number above 0, but is {value!r}: {KEYS[key]}")
        return number

    def _day(self) -> dt.date | None:
        value = self.table.get("day")
        if value is None or type(value) is dt.date:
            return value
        try:
            return dt.datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007  a date has no zone
        except (ValueError, TypeError):
            self.complain("day", f"should be a date, YYYY-MM-DD, but is {value!r}")
            return None

    def _time(self, key: str, default: dt.datetime) -> dt.datetime:
        value = self.table.get(key, default)
        try:
            if isinstance(value, str):
                return parse_time(value)
            is_day = type(value) is dt.date
            return in_range(dt.datetime.combine(value, dt.time(), dt.UTC) if is_day else value)
        except (ValueError, AttributeError):
            self.complain(key, f"should be an ISO 8601 time, but is {value!r}")
            return default


def parse_time(text: str) -> dt.datetime:
    """Read an ISO 8601 date or time; without a zone it is UTC. Raise ValueError."""
    from dateutil import parser  # noqa: PLC0415

    return in_range(parser.isoparse(text))


def in_range(time: dt.datetime) -> dt.datetime:
    """Give a time with its zone, UTC if it has none; raise ValueError where it is before the year 1 or after 9999 in UTC."""
    time = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    try:
        time.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError(str(time)) from None
    return time
