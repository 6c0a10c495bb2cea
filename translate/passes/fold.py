"""Folds the beginning and the end of something into one event with a duration.

Two events are a pair if one has the phase START and the other END (said by the event, or by its name: a session's
start and stop), and both the same name, session, client, user and application, whatever their order in the files:
an END belongs to the nearest START before it, or at the same time, that has no END yet. Of those at one time, the end
of one and the start of the next, the order in the files counts. What stays alone, because a query or an export cut the
pair, stays as it is and is counted (`cut_pairs`).

What is folded stands at the beginning's time, so it keeps the beginning's name and place: a session's start and
stop become a session start that tells stop and duration, for which every target has a place (Clickstream takes
the longest duration that an event of the session tells; the Learning Context API gets a START that lacks its END,
which its readers have to bear with). It has no phase of its own. The end knows better how long it took: stop and
duration are what the END says, else what the START says, else the END's time and the time between. A START
without a session start begins its session.

Nothing that the END says is lost: keys and columns that only it has are taken over, what differs is kept under
`end_<key>`: texts among the attributes, numbers and times (in milliseconds) among the metrics, anything else in
`other`. What a START said of stop and duration and its END says differently is kept as `start_session_stop` and
`start_session_duration`. Only file and line of the END do not stay, nor an event id that its source did not give.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from translate import events
from translate.mapping.paths import shown
from translate.passes.sightings import END, EVENT, SHARD_ROWS, WHERE, in_order
from translate.vocabulary import notation

ENDS = ["end_unit", "end_row", "end_part"]
PAIRED = f"{END}time"
FREE_FORM = ("attributes", "metrics", "other")
TIMES = "user_property_times"

# What an END may say otherwise than its START; the other columns are equal, or have a rule of their own.
RULED = {*FREE_FORM, *"extra event_id name phase time session.stop session.duration file line".split()}
TOLD = [name for name in events.SCHEMA if name not in RULED]
# Hub columns that can hold something after folding, whatever the source.
FILLED = frozenset({"session.start", "session.stop", "session.duration", *FREE_FORM})


def pairs(halves: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the pairs among a bucket's halves: where START and END are; and of each half, if it is merged or cut."""
    here = halves.sort("pair", "time", *WHERE)
    moments = here.select(pl.struct("pair", "time").rle_id()).to_series().to_list()
    partner = _partners(here["pair"].rle_id().to_list(), moments, here["is_end"].to_list())
    here = here.with_columns(_partner=pl.Series(partner, dtype=pl.UInt32))
    starts = here.filter(~pl.col("is_end") & pl.col("_partner").is_not_null())
    ends = here.select(WHERE)[starts["_partner"]].rename(dict(zip(WHERE, ENDS, strict=True)))
    found = pl.concat([starts.select(WHERE), ends], how="horizontal").sort(ENDS)
    marks = here.with_columns(
        merged=pl.col("is_end") & pl.col("_partner").is_not_null(), cut=pl.col("_partner").is_null()
    )
    return found, marks.filter(pl.col("merged") | pl.col("cut")).select(*WHERE, "merged", "cut").sort(WHERE)


def _partners(groups: list[int], moments: list[int], are_ends: list[bool]) -> list[int | None]:
    """Give each half the place of its other half: an END that of the nearest open START of its group before it.

    An END that none is open for takes one of its own moment that stands behind it, unless that has an END of its own.
    """
    partner: list[int | None] = [None] * len(groups)
    open_starts: list[int] = []
    alone: list[int] = []
    for place, is_end in enumerate(are_ends):
        if not is_end:
            open_starts.append(place)
        elif open_starts and groups[open_starts[-1]] == groups[place]:
            start = open_starts.pop()
            partner[start], partner[place] = place, start
        else:
            alone.append(place)
    left: dict[int, list[int]] = {}
    for start in reversed(open_starts):
        left.setdefault(moments[start], []).append(start)
    for end in alone:
        if behind := left.get(moments[end]):
            start = behind.pop()
            partner[start], partner[end] = end, start
    return partner


def send_ends(sightings: pl.LazyFrame, unit: int, found: pl.LazyFrame, folder: Path) -> None:
    """Write the ENDs of a unit, stretch by stretch, into a folder for each unit that has their STARTs."""
    ends = sightings.filter("is_end").select(pl.exclude("unit", "client"))
    own = found.filter(pl.col("end_unit") == unit)
    last_row: int | None = own.select(pl.col("end_row").max()).collect(engine="streaming").item()
    whole = [name for name in sightings.collect_schema() if name.startswith(END)]
    for start in range(0, -1 if last_row is None else last_row + 1, SHARD_ROWS):
        stretch = pl.col("row").is_between(start, start + SHARD_ROWS, closed="left")
        wanted = own.filter(pl.col("end_row").is_between(start, start + SHARD_ROWS, closed="left")).collect(
            engine="streaming"
        )
        here = (
            ends.filter(stretch).select("row", "part", *whole).rename({"row": "end_row", "part": "end_part"})
        )
        joined = wanted.join(here.collect(engine="streaming"), on=["end_row", "end_part"], how="inner").drop(
            ENDS
        )
        for (target,), group in joined.sort(WHERE).group_by("unit", maintain_order=True):
            (folder / f"{target:05}").mkdir(parents=True, exist_ok=True)
            group.drop("unit").write_parquet(folder / f"{target:05}" / f"{unit:05}-{start:010}.parquet")


# -- folding ----------------------------------------------------------------------------------------------------


def folded(batch: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """Fold into a batch's STARTs their ENDs, which have `row` and `part` of the START."""
    both = batch.join(ends, on=EVENT, how="inner")
    if not both.height:
        return batch
    others = batch.join(ends, on=EVENT, how="anti")
    return pl.concat([others, _folded(both).select(batch.columns)]).sort(EVENT)


def _folded(both: pl.DataFrame) -> pl.DataFrame:
    both = _with_duration(both)
    said = {f"told:end_{name.replace('.', '_')}": (name, _differing(name)) for name in TOLD}
    both = both.with_columns(**{key: text for key, (_, text) in said.items()})
    is_taken_over = {
        name: ~_has_user() if name == TIMES else pl.lit(True) for name in [*TOLD, *FREE_FORM, "extra"]
    }
    both = both.with_columns(
        pl.col(name).fill_null(pl.when(taken).then(END + name)) for name, taken in is_taken_over.items()
    )
    homes = {key: _home(name) for key, (name, _) in said.items()}
    homes |= {"told:end_event_id": "attributes"}
    homes |= dict.fromkeys(
        ("told:end_time", "told:start_session_stop", "told:start_session_duration"), "metrics"
    )
    both = both.with_columns(
        pl.col(f"{END}event_id").alias("told:end_event_id"), phase=pl.lit(None, pl.String)
    )
    return _with_free_form(both, homes)


def _with_duration(both: pl.DataFrame) -> pl.DataFrame:
    """Fill start, stop and duration; keep what disagrees with them."""
    stop, duration = (pl.coalesce(f"{END}session.{name}", f"session.{name}") for name in ("stop", "duration"))
    milliseconds = (pl.col(PAIRED) - pl.col("time")).dt.total_milliseconds()
    begins = pl.when(pl.col(f"{END}session.start").is_null()).then(pl.col("time"))
    both = both.with_columns(_stop=stop.fill_null(pl.col(PAIRED)), _duration=duration.fill_null(milliseconds))
    return both.with_columns(
        _other_than("_stop", PAIRED).alias("told:end_time"),
        _other_than("_stop", "session.stop").alias("told:start_session_stop"),
        _other_than("_duration", "session.duration").alias("told:start_session_duration"),
        pl.col("session.start").fill_null(begins),
        pl.col("_stop").alias("session.stop"),
        pl.col("_duration").alias("session.duration"),
    ).drop("_stop", "_duration")


def _other_than(kept: str, name: str) -> pl.Expr:
    """Give a column as text where it is not what is kept."""
    return pl.when(pl.col(name) != pl.col(kept)).then(_text(pl.col(name), name))


def _differing(name: str) -> pl.Expr:
    """Give what the END says in a column, as text, where the START says something else."""
    start, end = pl.col(name), pl.col(END + name)
    differ = start != end
    if name in events.MAPS:
        differ = end.is_not_null() & (in_order(name) != in_order(END + name))
        differ = differ & (_has_user() if name == TIMES else start.is_not_null())
    return pl.when(differ).then(_text(end, name))


def _has_user() -> pl.Expr:
    """Tell whether a START says properties of its user: the times are theirs, and go with them."""
    return pl.col("user_properties").is_not_null()


def _text(column: pl.Expr, name: str) -> pl.Expr:
    dtype = events.SCHEMA[name.removeprefix(END)]
    if dtype == events.MAP:
        return notation.object_of_map(column)
    if dtype == events.TIME:
        return column.dt.timestamp("ms").cast(pl.String)
    if dtype == events.NUMBER:
        return notation.digits(column)
    return column.cast(pl.String)


def _home(name: str) -> str:
    """Name the map for what is kept of a column."""
    if name in events.MAPS or name in events.LISTS:
        return "other"
    return "attributes" if events.SCHEMA[name] == events.TEXT else "metrics"


def _with_free_form(both: pl.DataFrame, homes: Mapping[str, str]) -> pl.DataFrame:
    """Put together what is free-form; only pairs that say different things are looked at one by one."""
    told = [name for name in homes if both[name].null_count() < both.height]
    maps = [*FREE_FORM, "extra"]
    differing = [(in_order(name) != in_order(END + name)) & pl.col(END + name).is_not_null() for name in maps]
    is_odd = pl.any_horizontal(*differing, *(pl.col(name).is_not_null() for name in told))
    odd = both.with_columns(_odd=is_odd)
    rows = odd.filter("_odd").select(*maps, *(END + name for name in maps), *told)
    if not rows.height:
        return both
    joined = [_joined(row, {name: homes[name] for name in told}) for row in rows.iter_rows(named=True)]
    changed = pl.DataFrame(
        {name: pl.Series([row[name] for row in joined], dtype=events.MAP) for name in maps}
    )
    pieces = [
        odd.filter(~pl.col("_odd")),
        pl.concat([odd.filter("_odd").drop(maps), changed], how="horizontal").select(odd.columns),
    ]
    return pl.concat(pieces).drop("_odd")


def _joined(row: dict[str, Any], homes: Mapping[str, str]) -> dict[str, dict[str, str] | None]:
    """Give a pair's maps: the START's with what only the END has, and what differs under names of their own."""
    starts = {name: row[name] for name in (*FREE_FORM, "extra")}
    ends = {name: row[END + name] for name in (*FREE_FORM, "extra")}
    whole = {name: dict(starts[name] or {}) for name in starts}
    for name, values in whole.items():
        values |= {key: value for key, value in (ends[name] or {}).items() if key not in values}
    for name in FREE_FORM:
        for key, value in (ends[name] or {}).items():
            if whole[name][key] != value:
                _put(whole[name], f"end_{key}", value)
    for path, value in (ends["extra"] or {}).items():
        if whole["extra"][path] != value:
            _put(whole["other"], f"end_{shown(path)}", value)
    for told, home in homes.items():
        if row[told] is not None:
            _put(whole[home], told.removeprefix("told:"), row[told])
    absent = {name for name in starts if starts[name] is None and ends[name] is None}
    return {name: None if name in absent and not values else values for name, values in whole.items()}


def _put(values: dict[str, str], key: str, value: str) -> None:
    """Put a value under a key, or the first longer one that is free."""
    while key in values:
        key = f"end_{key}"
    values[key] = value
