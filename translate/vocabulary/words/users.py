"""A user's id and properties, each with the time when it was set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from translate import events
from translate.conversion.report import FILLED_IN, Finding
from translate.vocabulary.notation import as_it_is, members, quoted
from translate.vocabulary.word import Scalar, Written


def _user_object(columns: Sequence[pl.Series], member: str) -> pl.Series:
    """Write the user's id and properties as `{name: {value, set_timestamp}}`; set with the event if unknown."""
    user_ids, properties, times, event_times = columns
    if user_ids.null_count() == len(user_ids) == properties.null_count():
        return pl.Series([None] * len(user_ids), dtype=pl.String)
    milliseconds = event_times.dt.timestamp("ms")
    rows = zip(user_ids, properties, times, milliseconds, strict=True)
    return pl.Series([_user(member, *row) for row in rows], dtype=pl.String)


def _user(
    member: str,
    user_id: str | None,
    properties: dict[str, str] | None,
    times: dict[str, str] | None,
    time: int,
) -> str | None:
    own = {} if user_id is None else {member: quoted(user_id)}
    set_times = times or {}
    inner = members(
        {
            name: f'{{"value":{value},"set_timestamp":{set_times.get(name, time)}}}'
            for name, value in {**own, **(properties or {})}.items()
        }
    )
    return None if inner is None else f"{{{inner}}}"


def _supplements(written: Written) -> Iterator[Finding]:
    """Tell of properties of the user that have no time of their own, or none but the event's."""
    user_id, properties, times, time = (pl.col(name) for name in written.hub)
    now = time.dt.timestamp("ms").cast(pl.String)
    untimed = properties.map.len() > times.map.len().fill_null(0)
    timed_now = times.map.values().list.contains(now).fill_null(value=False)
    some = (properties.map.len() > 0) & (untimed | timed_now)
    message = "user attributes without a time of their own have their event's"
    yield Finding(FILLED_IN, message, some, written.hub[2])
    others = times.map.keys().list.set_difference(properties.map.keys().fill_null([]))
    own = pl.when(user_id.is_not_null() & others.list.contains(written.member)).then(1).otherwise(0)
    message = "times of user attributes that the event does not have"
    yield Finding("not_written", message, others.list.len() > own, written.hub[2])


USER_OBJECT = Scalar(
    "user_object", "the user's properties, each with the time when it was set",
    types=(events.TEXT, events.MAP, events.MAP, events.TIME), columns=(4, 4), carries=3,
    stands_for=("user_id", "user_properties", "user_property_times", "time"), has_member=True,
    wire="json", form="user", read=as_it_is, rowwise=_user_object,
    example=(("u", None, None, events.EPOCH), '{"id":{"value":"u","set_timestamp":0}}'),
    supplements=_supplements, also_gives=("user_properties", "user_property_times"), takes_other_places=False,
)  # fmt: skip
