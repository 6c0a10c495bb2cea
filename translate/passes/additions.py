"""What a target's reader counts by, and the source does not say: first opens, session numbers, profiles, engagement.

`first_open`: each client (client id and app id) gets one event, just before its earliest event, with that event's
time, app, device and session and nothing else of it; a client that has one already gets none. And every event of the
client gets a property of its user: when the client was first seen, by its earliest event, or as the source states it.

`session_number`: where a session's events have no number, they get the running number of the session among its
client's, from 1, by the sessions' starts (else by their first events). A number that an event of the session has
is taken before any that is counted.

`profile_set`: where an event knows a user id or user properties that are not what the client's last such event said,
in the order of time, one is put before it, with the user, the properties, and the event's time, app, device and
session. The source's own count as said. A new user id begins a new profile; an event that does not say properties
does not change them.

`engagement`: how long a session lasted, and how much of that somebody was engaged: only what is recorded, or can be measured.

A session (of a client and an application) lasted as long as its stop says; else from its start to its stop, as their
columns or the times of these events say; else as long as any of its events says. Every event of it that says no
length, and has not both start and stop, gets this one.

Engaged is the length without the pauses that have a resume, each from the last pause before the resume. SDKs differ in
what they record: where the length is not stop minus start, it is taken as it is, for it knows of the pauses already.
One event of engagement goes before the session's stop, else before its last event; a session that has one gets none,
and without a length, or with one of nothing, none is made.

How the reader calls all of these is what the target's mapping says under [additions].
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from translate import events
from translate.mapping.spec import Addition
from translate.passes.sightings import SEPARATOR, WHERE
from translate.vocabulary.notation import hashing

FOUND = ["first_open", "first_touch", "session_number", "profile_set", "engagement", "session_duration"]

# What an added event takes over from the one that it is made from.
TAKEN_OVER = [
    *(name for name in events.SCHEMA if name.startswith(("app.", "sdk.", "device.", "session."))),
    *"event_id user_id client_id cognito_id device_id name time zone_offset file line".split(),
]
PROFILE = ["user_properties", "user_property_times"]


def found(here: pl.DataFrame) -> pl.DataFrame:
    """Say of a bucket's events which length their session has, and before which of them how much engagement goes."""
    in_sessions = here.filter(pl.col("session").is_not_null())
    sessions = _lengths(in_sessions).join(_paused(in_sessions), on="session", how="left")
    is_wall = pl.col("length").eq_missing(pl.col("wall"))
    engaged = pl.col("length") - pl.when(is_wall).then(pl.col("paused").fill_null(0)).otherwise(0)
    sessions = sessions.with_columns(_engaged=pl.when((engaged > 0) & ~pl.col("has_own")).then(engaged))
    ordered = in_sessions.sort(pl.col("turn").eq_missing("stop"), "time", *WHERE)
    last = ordered.group_by("session").agg(pl.col(WHERE).last())
    at_last = last.join(sessions.select("session", "_engaged"), on="session").select(*WHERE, "_engaged")
    lengths = sessions.select("session", "length")
    found = here.join(lengths, on="session", how="left", maintain_order="left")
    found = found.join(at_last, on=WHERE, how="left", maintain_order="left")
    duration, start, stop = (pl.col(name).is_not_null() for name in ("duration", "start", "stop"))
    wanted = pl.when(~(duration | (start & stop))).then(pl.col("length"))
    found = found.with_columns(session_duration=wanted, engagement=pl.col("_engaged"))
    return found.drop("length", "_engaged")


def _lengths(in_sessions: pl.DataFrame) -> pl.DataFrame:
    """Give each session's `begins` and `ends`, its `length`, and `wall`: stop minus start."""
    turn, duration = pl.col("turn"), pl.col("duration").filter(pl.col("duration") >= 0)
    is_stop = turn.eq_missing("stop")
    sessions = in_sessions.group_by("session").agg(
        begins=pl.coalesce(pl.col("start").min(), pl.col("time").filter(turn == "start").min()),
        ends=pl.coalesce(pl.col("stop").max(), pl.col("time").filter(is_stop).max()),
        recorded=pl.col("duration").filter(is_stop & (pl.col("duration") >= 0)).max(),
        elsewhere=duration.max(),
        has_own=pl.col("is_engagement").any(),
    )
    wall = (pl.col("ends") - pl.col("begins")).dt.total_milliseconds()
    sessions = sessions.with_columns(wall=pl.when(wall >= 0).then(wall))
    return sessions.with_columns(length=pl.coalesce("recorded", "wall", "elsewhere"))


def _paused(in_sessions: pl.DataFrame) -> pl.DataFrame:
    """Give the milliseconds for which each session was paused, up to a resume."""
    turns = in_sessions.filter(pl.col("turn").is_in(["pause", "resume"]))
    turns = turns.sort("session", "time", "turn", *WHERE)
    before = {
        "_turn": pl.col("turn").shift(1).over("session"),
        "_since": pl.col("time").shift(1).over("session"),
    }
    ended = turns.with_columns(**before).filter((pl.col("turn") == "resume") & (pl.col("_turn") == "pause"))
    paused = (pl.col("time") - pl.col("_since")).dt.total_milliseconds().sum()
    return ended.group_by("session").agg(paused=paused)


def find(here: pl.DataFrame, add: Mapping[str, Addition]) -> pl.DataFrame:
    """Say of a bucket's events which need what."""
    here = here.sort("time", *WHERE).with_columns(
        first_open=pl.lit(False), first_touch=pl.lit(None, pl.Int64), session_number=pl.lit(None, pl.Int64),
        profile_set=pl.lit(False), engagement=pl.lit(None, pl.Int64), session_duration=pl.lit(None, pl.Int64),
    )  # fmt: skip
    if "first_open" in add:
        here = here.with_columns(first_open=_is_first_open(), first_touch=_first_touch())
    if "profile_set" in add:
        here = _with_profiles(here)
    if "session_number" in add:
        here = _with_numbers(here)
    if "engagement" in add:
        here = found(here)
    others = (pl.col(name).is_not_null() for name in FOUND)
    wanted = pl.any_horizontal(pl.col("first_open"), pl.col("profile_set"), *others)
    return here.filter(wanted).select(*WHERE, *FOUND).sort(WHERE)


def _is_first_open() -> pl.Expr:
    return pl.col("client").is_first_distinct() & ~pl.col("is_first_open").any().over("client")


def _first_touch() -> pl.Expr:
    """Give when a client was first seen, in milliseconds: what the source states of it, else its earliest event."""
    earliest = pl.col("time").min().over("client").dt.timestamp("ms")
    return pl.col("touch").min().over("client").fill_null(earliest)


def _with_profiles(here: pl.DataFrame) -> pl.DataFrame:
    """Hold what each event knows of its user against what its client's events before it knew."""
    known = here.sort(pl.col("time"), ~pl.col("is_profile"), *WHERE)
    before = pl.col("user").forward_fill().shift(1).over("client")
    is_new_user = pl.col("user").is_not_null() & pl.col("user").ne_missing(before)
    known = known.with_columns(_new=is_new_user).with_columns(_run=pl.col("_new").cum_sum().over("client"))
    before = pl.col("profile").forward_fill().shift(1).over("client", "_run")
    is_new_profile = pl.col("profile").is_not_null() & pl.col("profile").ne_missing(before)
    is_set = (pl.col("_new") | is_new_profile) & ~pl.col("is_profile")
    return known.with_columns(profile_set=is_set).drop("_new", "_run")


def _with_numbers(here: pl.DataFrame) -> pl.DataFrame:
    """Count each client's sessions; events come in the order of time."""
    in_sessions = here.filter(pl.col("session").is_not_null()).sort("time", *WHERE)
    sessions = in_sessions.group_by("client", "session", maintain_order=True).agg(
        begins=pl.coalesce(pl.col("start").min(), pl.col("time").min()), told=pl.col("number").min()
    )
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("client")
    counted = sessions.sort("begins", maintain_order=True).with_columns(counted=number)
    numbers = counted.select("session", _number=pl.coalesce("told", "counted"))
    filled = pl.when(pl.col("number").is_null()).then(pl.col("_number"))
    return here.join(numbers, on="session", how="left").with_columns(session_number=filled).drop("_number")


# -- filling in -------------------------------------------------------------------------------------------------


def filled_columns(add: Mapping[str, Addition]) -> frozenset[str]:
    """Name the hub columns that may hold something by what is added, whatever the source."""
    columns = {
        "session_number": {"session.number"},
        "first_open": set(PROFILE),
        "engagement": {"session.duration", "metrics"},
    }
    return frozenset(name for kind in add for name in columns.get(kind, ()))


def with_sessions(batch: pl.DataFrame) -> pl.DataFrame:
    """Fill in what was found of the sessions of a batch's events."""
    number, duration = pl.col("session_number"), pl.col("session_duration")
    return batch.with_columns(
        pl.coalesce("session.number", number).alias("session.number"),
        pl.coalesce("session.duration", duration).alias("session.duration"),
        _numbered=number.is_not_null(),
        _measured=duration.is_not_null(),
    )


def with_first_touch(batch: pl.DataFrame, add: Mapping[str, Addition]) -> pl.DataFrame:
    """Put into the users of a batch's events when they were first seen; what an event says itself stays."""
    if "first_open" not in add:
        return batch
    key, milliseconds = pl.lit(add["first_open"].user_property), pl.col("first_touch").cast(pl.String)
    says = pl.col("user_properties").map.keys().list.contains(key).fill_null(value=False)
    entry = pl.concat_list(pl.struct(key=key, value=milliseconds))
    with_entry = {
        name: pl.concat_list(pl.col(name).map.entries().fill_null([]), entry).list.to_map()
        for name in PROFILE
    }
    batch = batch.with_columns(_touched=milliseconds.is_not_null() & ~says)
    return batch.with_columns(
        pl.when("_touched").then(whole).otherwise(pl.col(name)).alias(name)
        for name, whole in with_entry.items()
    )


# -- making events ----------------------------------------------------------------------------------------------


def made(batch: pl.DataFrame, add: Mapping[str, Addition]) -> list[pl.DataFrame]:
    """Make the events to be added before a batch's, each with the row and part of the event that it goes before."""
    wanted = {
        "first_open": pl.col("first_open"),
        "profile_set": pl.col("profile_set"),
        "engagement": pl.col("engagement").is_not_null(),
    }
    found = {kind: batch.filter(wanted[kind].fill_null(value=False)) for kind in wanted if kind in add}
    return [_made(before, add[kind]) for kind, before in found.items() if before.height]


def _made(before: pl.DataFrame, addition: Addition) -> pl.DataFrame:
    """Make events of a kind from the ones that they go before; their ids are made of those events' ids."""
    kept = [*TAKEN_OVER, *(PROFILE if addition.name == "profile_set" else [])]
    told = {name: pl.lit(None, dtype) for name, dtype in events.SCHEMA.items() if name not in kept}
    if addition.metric:
        metric = pl.struct(key=pl.lit(addition.metric), value=pl.col("engagement").cast(pl.String))
        told["metrics"] = pl.concat_list(metric).list.to_map()
    named = before.with_columns(_id=pl.concat_str("event_id", pl.lit(SEPARATOR), pl.lit(addition.event)))
    return named.with_columns(
        **told,
        event_id=hashing(pl.col("_id")).uuidhash.uuid5(namespace=events.NAMESPACE),
        name=pl.lit(addition.event),
        notes=pl.lit(None, before.schema["notes"]),
        nulls=pl.lit(0, before.schema["nulls"]),
        careful=pl.lit(False),
        _added=pl.lit(addition.name),
    ).drop("_id")
