"""The hub: one row per event, in typed columns that know no vendor.

Times are UTC with millisecond precision. Maps hold text: `attributes` text as it is, `metrics` the exact
digits of a number (a double would round 64-bit integers), `other` and `extra` JSON text. An absent value is
null; empty text, zero and false are values.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from polars.datatypes import DataType

TEXT = pl.String()
WHOLE = pl.Int64()
NUMBER = pl.Float64()
TIME = pl.Datetime("ms", "UTC")
MAP = pl.Map(pl.String, pl.String)


@dataclass(frozen=True)
class HubColumn:
    """One column of the hub: its type and what it means."""

    name: str
    dtype: DataType
    meaning: str


def _columns(dtype: DataType, **meanings: str) -> list[HubColumn]:
    return [HubColumn(name.replace("__", "."), dtype, meaning) for name, meaning in meanings.items()]


COLUMNS: dict[str, HubColumn] = {
    column.name: column
    for column in [
        *_columns(
            TEXT,
            event_id="the source's own id, else a version 5 UUID of the event's content",
            user_id="only what the source names as its user",
            client_id="one installation of an app (where there are endpoints: the endpoint id)",
            cognito_id="the Amazon Cognito identity",
            device_id="one device, where the source tells it from the client",
            name="a well-known name (listed below) or the event's own",
            phase="START, UPDATE or END",
        ),
        *_columns(
            TIME,
            time="when the event happened, by the device's clock",
            arrival_time="when the service received it",
        ),
        *_columns(WHOLE, zone_offset="the device's offset from UTC, in milliseconds"),
        *_columns(TEXT, event_version="the version that the source's record names", session__id="session id"),
        *_columns(TIME, session__start="start of the session", session__stop="end of the session"),
        *_columns(
            WHOLE,
            session__duration="length of the session in milliseconds, as the source tells it",
            session__number="running number of the client's session, from 1",
        ),
        *_columns(
            TEXT,
            app__id="application id",
            app__title="application title",
            app__package="application package name",
            app__version="application version, for people",
            app__version_code="application version, for machines",
            app__identity_pool="Amazon Cognito identity pool",
            sdk__name="name of the SDK that sent the event",
            sdk__version="version of that SDK",
            device__platform="operating system",
            device__platform_version="version of the operating system",
            device__make="manufacturer",
            device__brand="brand",
            device__model="model",
            device__carrier="network operator",
            device__network_type="kind of network",
            device__locale="locale, as the source spells it",
            device__language="language",
            device__country="country",
        ),
        *_columns(
            WHOLE,
            device__screen_width="screen width in pixels",
            device__screen_height="screen height in pixels",
            device__viewport_width="width of the app's window in pixels",
            device__viewport_height="height of the app's window in pixels",
        ),
        *_columns(
            NUMBER,
            value="what the event is worth; a purchase without one is worth price times quantity",
            price="price of one item",
            quantity="how many items",
        ),
        *_columns(
            TEXT,
            currency="ISO 4217 code, or the name of a virtual currency",
            item_id="the item that the event is about",
            store="the store of a purchase; `Virtual` is no money",
            transaction_id="the store's id of a purchase",
            price_text="a price as the store formatted it",
            items="JSON text: a list of items, each an object",
            recommendation_id="the list of recommendations that led to the event",
            impression="JSON text: the list of item ids that were shown",
            attribution_source="who is credited with the event",
            forwarded_address="where the request with the event came from: an address, or several, the client's own first",
            user_agent="the program that sent the event, as its request names it",
            account="the account that the event was posted under",
        ),
        *_columns(
            MAP,
            user_properties="properties of the user: name to JSON text",
            user_property_times="when they were set: name to milliseconds since 1970",
            client_properties="properties of the installation: name to JSON text",
            attributes="free-form text: name to text",
            metrics="free-form numbers: name to the exact digits",
            other="free-form values of any other kind: name to JSON text",
            extra="members of the source's record that the hub has no column for: their path in it, after a `^` what lay around the events, to JSON text",
        ),
        *_columns(TEXT, file="the source file, relative to the source given"),
        *_columns(WHOLE, line="the line in that file's decompressed text, from 1"),
    ]
}

SCHEMA: dict[str, DataType] = {name: column.dtype for name, column in COLUMNS.items()}

# What the request around an event says of its sender.
ENVELOPE = ("forwarded_address", "user_agent", "account")

# What an event is, apart from how and when it came: the event id is made of these and of nothing else.
NO_CONTENT = ("event_id", "arrival_time", "client_properties", *ENVELOPE, "file", "line")
CONTENT = [name for name in COLUMNS if name not in NO_CONTENT]

# Columns that the hub did not have from the beginning: they count only where they are there, so that ids stay the same.
CONTENT_ADDED = ["client_properties"]

MAPS = [name for name, dtype in SCHEMA.items() if dtype == MAP]
LISTS = ("items", "impression")  # columns of text that is a JSON list

WELL_KNOWN: dict[str, str] = {
    "session.start": "a session begins",
    "session.stop": "a session ends",
    "session.pause": "a session is interrupted",
    "session.resume": "a session goes on",
    "purchase": "an item is bought",
    "sign_in": "a user signs in",
    "sign_up": "a user registers",
    "sign_in_failed": "a user fails to sign in",
    "screen_view": "a screen is shown",
}

PHASES = {"session.start": "START", "session.stop": "END"}

# An app's own event that happens to be called like a well-known one is told apart by this prefix.
OWN_PREFIX = "custom."
COLLIDES = rf"^(?:{re.escape(OWN_PREFIX)})*(?:{'|'.join(map(re.escape, WELL_KNOWN))})$"


def own_name(name: str) -> str:
    """Give an app's own name of an event without the prefix that tells it apart."""
    return name.removeprefix(OWN_PREFIX) if re.match(COLLIDES, name) else name


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# The namespace of made event ids: the version 5 UUID of "https://aws.amazon.com/mobileanalytics" in the URL namespace.
NAMESPACE = str(uuid.uuid5(uuid.NAMESPACE_URL, "https://aws.amazon.com/mobileanalytics"))
