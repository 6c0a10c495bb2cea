"""Hub events as a lake: a folder for each day, each day's events by client and time, as engines over files like them.

A pass on disk behind a conversion to the hub. Events wait in memory until there are many, and then go to runs on disk, a few
for each day; a day's runs are put together at the end, in ranges of clients where they are more than memory should hold.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from translate import events
from translate.conversion.output import Output
from translate.conversion.persistence import make_folder, move, settle
from translate.errors import ConservationError

DAY = "day"
HUB_PARTS = "hub"  # below the state: where the parts of a run lie that ends in a lake
WAITING_BYTES = 32 * 2**20  # of events that wait for a run, and of events that are sorted at once
ROW_GROUP_ROWS = 50_000
RUN_GROUP_ROWS = 2_000  # small, so that of a run little more is read than the range that is wanted
ORDER = ("client_id", "time")
SAMPLE = 64  # of which clients divide a day: those of every 64th event
MICROSECONDS = pl.Datetime("us", "UTC")
SQL_TYPES = {
    events.TEXT: "string", events.WHOLE: "bigint", events.NUMBER: "double", events.TIME: "timestamp",
    events.MAP: "map<string,string>",
}  # fmt: skip


EPOCH_DAY = dt.date(1970, 1, 1)
ATHENA = """-- Amazon Athena: put the address of the folder `data` in the place of s3://BUCKET/PREFIX/data, twice.
-- No partitions have to be added: the days are computed. More days than these need a wider range.
CREATE EXTERNAL TABLE events (
{columns}
)
PARTITIONED BY (day string)
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/data/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '{first},{last}',
  'storage.location.template' = 's3://BUCKET/PREFIX/data/day=${{day}}'
);

"""
DUCKDB = """-- DuckDB, in the folder of this file:
CREATE VIEW events AS SELECT * FROM read_parquet('data/*/*.parquet', hive_partitioning = true);
"""


def column_name(name: str) -> str:
    """Spell a hub column as every engine can: `app_id` for `app.id`."""
    return name.replace(".", "_")


def complete(output: Output, events_written: int) -> None:
    """Lay down what an output's parts hold as its data, which appear whole, with `schema.sql` beside them."""
    whole, data = output.state / "lake", output.directory / "data"
    shutil.rmtree(whole, ignore_errors=True)
    make_folder(whole)
    days = lay_down(sorted(output.rows.glob("*.parquet")), whole, output.scratch)
    if sum(days.values()) != events_written:
        raise ConservationError(
            f"{events_written} events should be in the lake, but {sum(days.values())} are"
        )
    output.write_whole(output.directory / "schema.sql", schema_sql([*days]))
    shutil.rmtree(data)  # empty, or what a run put there that was stopped before it could vouch for it
    move(whole, data)


def lay_down(parts: Iterable[Path], data: Path, scratch: Path) -> dict[dt.date, int]:
    """Write events of hub Parquet below `data`, as `day=YYYY-MM-DD/part-00000.parquet`; give the events of each day.

    Days are those of the events' own times, in UTC. Within a day events are sorted by client and time; times have microseconds.
    """
    runs = _Runs(scratch / "lake-runs")
    for part in parts:
        for batch in pl.scan_parquet(part).collect_batches(engine="streaming"):
            runs.add(batch)
    runs.finish()
    days = {day: _write_day(runs, day, data / f"{DAY}={day}") for day in sorted(runs.files)}
    settle(data)
    shutil.rmtree(runs.folder, ignore_errors=True)
    return days


def _write_day(runs: _Runs, day: dt.date, folder: Path) -> int:
    """Write the events of a day; count them."""
    folder.mkdir()
    count = 0
    for number, found in enumerate(_in_order(runs, day)):
        part = folder / f"part-{number:05}.parquet"
        found.write_parquet(part, compression="zstd", row_group_size=ROW_GROUP_ROWS, statistics=True)
        settle(part)
        count += found.height
    settle(folder)
    return count


class _Runs:
    """Shares events out into sorted runs by day; `bytes` tells how much memory those of a day take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[dt.date, list[Path]] = {}
        self.bytes: dict[dt.date, int] = {}
        self.clients: dict[dt.date, list[pl.Series]] = {}  # a sample of each run's
        self._waiting: list[pl.DataFrame] = []
        self._waiting_bytes = 0
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def add(self, batch: pl.DataFrame) -> None:
        """Take in a batch of events."""
        self._waiting.append(batch.select(_plain()))
        self._waiting_bytes += int(batch.estimated_size())
        if self._waiting_bytes >= WAITING_BYTES:
            self.finish()

    def finish(self) -> None:
        """Put what waits into runs."""
        if not self._waiting:
            return
        together = pl.concat(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        days = together["time"].dt.date()
        for day in days.unique().sort():
            run = together.filter(days == day).sort(ORDER, maintain_order=True)
            known = self.files.setdefault(day, [])
            file = self.folder / f"{day}-{len(known):05}.parquet"
            run.write_parquet(file, compression="lz4", row_group_size=RUN_GROUP_ROWS)
            known.append(file)
            self.clients.setdefault(day, []).append(run[ORDER[0]].gather_every(SAMPLE).drop_nulls())
            self.bytes[day] = self.bytes.get(day, 0) + int(run.estimated_size())


def _plain() -> list[pl.Expr]:
    return [
        pl.col(name)
        .cast(MICROSECONDS if column.dtype == events.TIME else column.dtype)
        .alias(column_name(name))
        for name, column in events.COLUMNS.items()
    ]


def _in_order(runs: _Runs, day: dt.date) -> Iterator[pl.DataFrame]:
    """Give a day's events in their order, not more at once than memory should hold, unless they are one client's."""
    bounds = _bounds(pl.concat(runs.clients[day]), runs.bytes[day] // WAITING_BYTES)
    for low, high in zip([None, *bounds], [*bounds, None], strict=True):
        wanted = _lies_between(low, high)  # of one run after the other: all at once would be read ahead
        found = pl.concat(
            pl.scan_parquet(run).filter(wanted).collect(engine="in-memory") for run in runs.files[day]
        )
        if found.height:
            yield found.sort(ORDER, maintain_order=True)


def _bounds(clients: pl.Series, ranges: int) -> list[str]:
    """Give clients that divide a day into ranges of about one size."""
    if not ranges or not len(clients):
        return []
    together = max(1, len(clients) // (ranges + 1))
    return clients.sort().gather_every(together, offset=1).unique().sort().to_list()


def _lies_between(low: str | None, high: str | None) -> pl.Expr:
    """Tell whose events lie in a range; those of no client come first."""
    client = pl.col(ORDER[0])
    after = pl.lit(value=True) if low is None else client >= low
    before = pl.lit(value=True) if high is None else client < high
    return after & before if low is not None else before | client.is_null()


# -- for those who ask ------------------------------------------------------------------------------------------------


def schema_sql(days: list[dt.date]) -> str:
    """Give the statements by which Athena and DuckDB know the lake."""
    columns = ",\n".join(
        f"  {column_name(name)} {SQL_TYPES[column.dtype]}" for name, column in events.COLUMNS.items()
    )
    first, last = (days[0], days[-1]) if days else (EPOCH_DAY, EPOCH_DAY)
    return ATHENA.format(columns=columns, first=first, last=last) + DUCKDB
