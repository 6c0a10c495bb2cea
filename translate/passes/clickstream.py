"""What Clickstream's reader counts by, and other sources do not say: first opens, session numbers, profiles.

`first_open`: new users are counted by `_first_open`. Each client (client id and app id) gets one, just before
its earliest event, with that event's time, app, device and session and nothing else of it; a client that has one
already gets none.

`session_number`: where a session's events have no number, they get the running number of the session among its
client's, from 1, by the sessions' starts (else by their first events). A number that an event of the session has
is taken before any that is counted.

`profile_set`: user properties are taken from the newest `_profile_set` only. Where an event knows a user id or
user properties that are not what the client's last `_profile_set` said, in the order of time, one is put before
it, with the user, the properties, and the event's time, app, device and session. The source's own count as said.
A new user id begins a new profile; an event that does not say properties does not change them.
"""

from __future__ import annotations

import polars as pl
import polars_hash

from translate import events
from translate.passes.sightings import SEPARATOR

ADDITIONS = ("first_open", "session_number", "profile_set")
WHERE = ["unit", "row", "part"]

# What an added event takes over from the one that it is made from.
TAKEN_OVER = [
    name
    for name in events.SCHEMA
    if name.startswith(("app.", "sdk.", "device.", "session."))
    or name in ("event_id", "user_id", "client_id", "cognito_id", "device_id", "name", "time", "zone_offset", "file", "line")
]
PROFILE = ["user_properties", "user_property_times"]


def find(here: pl.DataFrame, add: tuple[str, ...]) -> pl.DataFrame:
    """Say of a bucket's events which need what: `first_open`, `profile_set`, `session_number`."""
    here = here.sort("time", *WHERE).with_columns(
        first_open=_is_first_open() if "first_open" in add else pl.lit(False),
        session_number=pl.lit(None, pl.Int64),
        profile_set=pl.lit(False),
    )
    if "profile_set" in add:
        here = _with_profiles(here)
    if "session_number" in add:
        here = _with_numbers(here)
    wanted = pl.col("first_open") | pl.col("profile_set") | pl.col("session_number").is_not_null()
    return here.filter(wanted).select(*WHERE, "first_open", "profile_set", "session_number").sort(WHERE)


def _is_first_open() -> pl.Expr:
    return pl.col("client").is_first_distinct() & ~pl.col("is_first_open").any().over("client")


def _with_profiles(here: pl.DataFrame) -> pl.DataFrame:
    """Hold what each event knows of its user against what its client's events before it knew."""
    known = here.sort(pl.col("time"), ~pl.col("is_profile"), *WHERE)
    before = pl.col("user").forward_fill().shift(1).over("client")
    is_new_user = pl.col("user").is_not_null() & pl.col("user").ne_missing(before)
    known = known.with_columns(_new=is_new_user).with_columns(_run=pl.col("_new").cum_sum().over("client"))
    before = pl.col("profile").forward_fill().shift(1).over("client", "_run")
    is_new_profile = pl.col("profile").is_not_null() & pl.col("profile").ne_missing(before)
    return known.with_columns(profile_set=(pl.col("_new") | is_new_profile) & ~pl.col("is_profile")).drop("_new", "_run")


def _with_numbers(here: pl.DataFrame) -> pl.DataFrame:
    """Count each client's sessions; events come in the order of time."""
    in_sessions = here.filter(pl.col("session").is_not_null()).sort("time", *WHERE)
    sessions = in_sessions.group_by("client", "session", maintain_order=True).agg(
        begins=pl.coalesce(pl.col("start").min(), pl.col("time").min()), told=pl.col("number").min()
    )
    counted = sessions.sort("begins", maintain_order=True).with_columns(
        counted=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("client")
    )
    numbers = counted.select("session", _number=pl.coalesce("told", "counted"))
    filled = pl.when(pl.col("number").is_null()).then(pl.col("_number"))
    return here.join(numbers, on="session", how="left").with_columns(session_number=filled).drop("_number")


def added(batch: pl.DataFrame, add: tuple[str, ...]) -> list[pl.DataFrame]:
    """Make the events to be added before a batch's, each with the row and part of the event that it goes before."""
    made = []
    for kind in ("first_open", "profile_set"):
        if kind in add:
            before = batch.filter(pl.col(kind).fill_null(value=False))
            if before.height:
                made.append(_made(before, kind))
    return made


def _made(before: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Make events of a kind from the ones that they go before; their ids are made of those events' ids."""
    name = f"_{kind}"
    kept = [*TAKEN_OVER, *(PROFILE if kind == "profile_set" else [])]
    blank = {column: pl.lit(None, dtype) for column, dtype in events.SCHEMA.items() if column not in kept}
    named = before.with_columns(_id=pl.concat_str("event_id", pl.lit(SEPARATOR), pl.lit(name)))
    return named.with_columns(
        **blank,
        event_id=polars_hash.col("_id").uuidhash.uuid5(namespace=events.NAMESPACE),
        name=pl.lit(name),
        notes=pl.lit(None, before.schema["notes"]),
        nulls=pl.lit(0, before.schema["nulls"]),
        careful=pl.lit(False),
        _added=pl.lit(kind),
    ).drop("_id")
