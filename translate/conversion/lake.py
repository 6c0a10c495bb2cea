"""Hub events as a lake: a folder for each day, each day's events by client and time, as engines over files like them.

A pass on disk behind a conversion to the hub.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from translate import events
from translate.conversion.ordered import Runs
from translate.conversion.output import DATA, Output
from translate.conversion.persistence import settle
from translate.errors import ConservationError

DAY = "day"
ROW_GROUP_ROWS = 50_000
ORDER = ("client_id", "time")
MICROSECONDS = pl.Datetime("us", "UTC")
SQL_TYPES = {
    events.TEXT: "string", events.WHOLE: "bigint", events.NUMBER: "double", events.TIME: "timestamp",
    events.MAP: "map<string,string>",
}  # fmt: skip


EPOCH_DAY = dt.date(1970, 1, 1)
UNKNOWN = "s3://BUCKET/PREFIX/data"
TO_DO = f" put the address of the folder `data` in the place of {UNKNOWN}, twice."
ATHENA = """-- Amazon Athena:{to_do}
-- No partitions have to be added: the days are computed. More days than these need a wider range.
CREATE EXTERNAL TABLE events (
{columns}
)
PARTITIONED BY (day string)
STORED AS PARQUET
LOCATION '{address}/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '{first},{last}',
  'storage.location.template' = '{address}/day=${{day}}'
);

"""
DUCKDB = """-- DuckDB{where}:
CREATE VIEW events AS SELECT * FROM read_parquet('{data}/*/*.parquet', hive_partitioning = true);
"""


def column_name(name: str) -> str:
    """Spell a hub column as every engine can: `app_id` for `app.id`."""
    return name.replace(".", "_")


def complete(output: Output, events_written: int) -> None:
    """Lay down what an output's parts hold as its data, which appear whole, with `schema.sql` beside them."""
    whole = output.begin_whole()
    days = lay_down(sorted(output.rows.glob("*.parquet")), whole, output.scratch)
    if sum(days.values()) != events_written:
        raise ConservationError(
            f"{events_written} events should be in the lake, but {sum(days.values())} are"
        )
    output.write_whole(output.directory / "schema.sql", schema_sql([*days], output.data_address))
    output.show_whole(whole)


def lay_down(parts: Iterable[Path], data: Path, scratch: Path) -> dict[dt.date, int]:
    """Write events of hub Parquet below `data`, as `day=YYYY-MM-DD/part-00000.parquet`; give the events of each day.

    Days are those of the events' own times, in UTC. Within a day events are sorted by client and time; times have microseconds.
    """
    runs = Runs(scratch / "runs", ORDER)
    days = {day: _write_day(runs, day, data / f"{DAY}={day}") for day in runs.take_in(parts, _plain())}
    settle(data)
    runs.remove()
    return days


def _write_day(runs: Runs, day: dt.date, folder: Path) -> int:
    """Write the events of a day; count them."""
    folder.mkdir()
    count = 0
    for number, found in enumerate(runs.of_day(day)):
        part = folder / f"part-{number:05}.parquet"
        found.write_parquet(part, compression="zstd", row_group_size=ROW_GROUP_ROWS, statistics=True)
        settle(part)
        count += found.height
    settle(folder)
    return count


def _plain() -> list[pl.Expr]:
    return [
        pl.col(name)
        .cast(MICROSECONDS if column.dtype == events.TIME else column.dtype)
        .alias(column_name(name))
        for name, column in events.COLUMNS.items()
    ]


# -- for those who ask ------------------------------------------------------------------------------------------------


def schema_sql(days: list[dt.date], address: str | None = None) -> str:
    """Give the statements by which Athena and DuckDB know the lake, of whose data one may know the address."""
    columns = ",\n".join(
        f"  {column_name(name)} {SQL_TYPES[column.dtype]}" for name, column in events.COLUMNS.items()
    )
    first, last = (days[0], days[-1]) if days else (EPOCH_DAY, EPOCH_DAY)
    athena = ATHENA.format(
        columns=columns, first=first, last=last, address=address or UNKNOWN, to_do="" if address else TO_DO
    )
    return athena + DUCKDB.format(
        where="" if address else ", in the folder of this file", data=address or DATA
    )
