"""Generated hub events: every column, with whatever the hub can hold."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
from hypothesis import strategies as st

from translate import events
from translate.reader.literals import DECODER, canonical, number_digits

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# Text of any plane, but for halves of surrogate pairs, which no file can hold.
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "a",
            "ünï",
            "😀",
            '"',
            "\\",
            "\n",
            "a|b",
            "null",
            "1",
            "\u2028",
            "\x00",
            "x" * 51,
            "y" * 260,
            "_session_id",
            "#2",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
KEYS = st.one_of(
    st.sampled_from([
        "", "a", "a#2", "a#3", "a.b", "a b", "a_b", "3d", "level", "_session_id", "_is_first_time", "user_id", "event_id", "app", "package",
        "session_id", "purchase_price", "translate_names", "_user_id", "itemId", "timestamp", "NUM_RATINGS", "numRatings", "num_ratings",
        "_product_id", "_quantity", "_item_price", "a_metric", "key", "value", "k" * 51,
    ]),
    TEXTS,
)  # fmt: skip
NUMBERS = st.one_of(
    st.sampled_from(
        [
            "0",
            "1",
            "-1",
            "1.5",
            "9007199254740993",
            "18446744073709551616",
            "1" * 30,
            "0.1",
            "1e5",
            "-0.0000001",
        ]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
).map(lambda literal: number_digits(literal)[0])
SCALARS = st.one_of(st.booleans(), st.none(), st.integers(-5, 2**65), TEXTS)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
JSON = TREES.map(lambda value: canonical(DECODER.decode(json.dumps(value))))
ANYTHING = JSON.filter(lambda text: text != "null")
NO_TEXT_NO_NUMBER = ANYTHING.filter(lambda text: text[0] in "{[tf")
ITEMS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": TEXTS,
            "price": st.sampled_from([1, 2.5]),
            "quantity": st.integers(0, 3),
            "currency": st.sampled_from(["EUR", "x"]),
        },
    ),
    max_size=3,
).map(lambda items: canonical(DECODER.decode(json.dumps(items))))
TIMES = st.one_of(
    st.sampled_from([946_684_800_000, 1_460_000_000_123, 4_102_444_799_999]),
    st.integers(946_684_800_000, 4_102_444_799_999),
).map(lambda milliseconds: EPOCH + dt.timedelta(milliseconds=milliseconds))
NAMES = st.one_of(
    st.sampled_from(
        [
            *events.WELL_KNOWN,
            *(f"{events.OWN_PREFIX}{name}" for name in events.WELL_KNOWN),
            "Ad View",
            "_app_start",
            "_app_end",
            "APPSTART",
            "_first_open",
            "Purchase",
        ]
    ),
    TEXTS,
)
FLOATS = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 9.99, -1.5, 1e300]), st.floats(allow_nan=False, allow_infinity=False)
)

# What lay in the event, and, after a mark, what lay around it: in a request, or beside the events of one endpoint.
PATHS = st.sampled_from([
    "host_name", "monetization", "client\\.foo", "facets", "date", "\\^date", "*",
    "^date", "^odd.one", "^query.nonce", "^client_context.env.rooted", "^body.sent", "^EventsRequest.more", "^EventsRequest.*",
    "^EventsRequest.BatchItem.*.Extra", "^EventsRequest.BatchItem.*.Endpoint.OptOut", "^EventsRequest.BatchItem.*.Endpoint.Demographic.*",
])  # fmt: skip

COLUMNS: dict[str, st.SearchStrategy[object]] = {
    "name": NAMES,
    "phase": st.sampled_from(["START", "UPDATE", "END"]),
    "currency": st.one_of(st.sampled_from(["EUR", "USD", "Gold"]), TEXTS),
    "store": st.one_of(st.sampled_from(["Virtual", "Google Play"]), TEXTS),
    "device.platform": st.one_of(st.sampled_from(["ANDROID", "iOS", "Web", "webOS"]), TEXTS),
    "session.id": st.one_of(st.sampled_from(["8nc92io9q", "x", "e8ea8f94-b7a3-e754-c13f-e32608c45494"]), TEXTS),
    "items": ITEMS,
    "impression": st.lists(TEXTS, max_size=3).map(lambda texts: json.dumps(texts, ensure_ascii=False, separators=(",", ":"))),
    "user_properties": st.dictionaries(KEYS, ANYTHING, max_size=3),
    "user_property_times": st.dictionaries(KEYS, st.integers(-(2**40), 2**60).map(str), max_size=3),
    "client_properties": st.dictionaries(KEYS, ANYTHING, max_size=3),
    "attributes": st.dictionaries(KEYS, TEXTS, max_size=5),
    "metrics": st.dictionaries(KEYS, NUMBERS, max_size=5),
    "other": st.dictionaries(KEYS, NO_TEXT_NO_NUMBER, max_size=3),
    "extra": st.dictionaries(PATHS, ANYTHING, max_size=3),
}  # fmt: skip
BY_TYPE: dict[pl.DataType, st.SearchStrategy[object]] = {
    events.TEXT: TEXTS,
    events.WHOLE: st.one_of(st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)]), st.integers(-(2**40), 2**40)),
    events.NUMBER: FLOATS,
    events.TIME: TIMES,
}
NEEDED = ("name", "time", "client_id", "app.id", "app.title", "device.platform", "item_id", "session.id")


@st.composite
def hub_event(draw: st.DrawFn) -> dict[str, object]:
    """Draw one hub event: some columns are there, what most targets need in most cases."""
    event: dict[str, object] = {}
    for name, dtype in events.SCHEMA.items():
        strategy = COLUMNS.get(name, BY_TYPE.get(dtype, st.none()))
        there = name in ("name", "time") or draw(st.integers(0, 3 if name in NEEDED else 1)) > 0
        event[name] = draw(strategy) if there and name not in ("file", "line") else None
    properties, times = event["user_properties"], event["user_property_times"]
    if isinstance(times, dict):
        kept = {
            key: time for key, time in times.items() if isinstance(properties, dict) and key in properties
        }
        event["user_property_times"] = kept or None
    return event


def frame_of(drawn: list[dict[str, object]]) -> pl.DataFrame:
    """Make a hub frame of drawn events."""
    columns = {name: [event[name] for event in drawn] for name in events.SCHEMA}
    columns["line"] = list(range(1, len(drawn) + 1))
    columns["file"] = ["generated"] * len(drawn)
    return pl.DataFrame(columns, schema=events.SCHEMA)
