"""An order over all events that does not take memory: sorted runs on disk, a few for each day, put together day by day.

So come the files whose rows their receiver wants in order, and a lake: a folder for each day, each day's hub events by
client and time, as engines over files like them.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from translate import events
from translate.conversion.job import Job
from translate.conversion.lines_file import ENDINGS, LinesFile
from translate.conversion.output import DATA, Output
from translate.conversion.part import CutLines
from translate.conversion.persistence import settle
from translate.errors import ConservationError
from translate.mapping.portions import Files
from translate.writer.packing import ROW

WAITING_BYTES = 32 * 2**20  # of events that wait for a run, and of events that are sorted at once
RUN_GROUP_ROWS = 2_000  # small, so that of a run little more is read than the range that is wanted
SAMPLE = 64  # of which keys divide a day: those of every 64th event
COLUMNS = ("time", ROW)  # what a part holds of a row that is yet to be put in order
ORDERS = {"time": ("time",)}
EPOCH_DAY = dt.date(1970, 1, 1)


class Runs:
    """Shares events out by the day (UTC) of their `time`, and gives those of a day in an order, equal ones as they came.

    They wait in memory until there are many, and then go to runs on disk. A day's runs are put together in ranges of what
    it is sorted by first, where they are more than memory should hold.
    """

    def __init__(self, folder: Path, order: tuple[str, ...]) -> None:
        self._folder = folder
        self._order = order
        self._files: dict[dt.date, list[Path]] = {}
        self._bytes: dict[dt.date, int] = {}  # how much memory the events of a day take
        self._keys: dict[dt.date, list[pl.Series]] = {}  # a sample of each run's
        self._waiting: list[pl.DataFrame] = []
        self._waiting_bytes = 0
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def take_in(self, parts: Iterable[Path], columns: Iterable[pl.Expr]) -> list[dt.date]:
        """Take in columns of Parquet files, one after the other; give the days."""
        wanted = list(columns)
        for part in parts:
            for batch in pl.scan_parquet(part).collect_batches(maintain_order=True, engine="streaming"):
                self._add(batch.select(wanted))
        self._put_away()
        return sorted(self._files)

    def remove(self) -> None:
        """Remove the runs."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _add(self, batch: pl.DataFrame) -> None:
        self._waiting.append(batch)
        self._waiting_bytes += int(batch.estimated_size())
        if self._waiting_bytes >= WAITING_BYTES:
            self._put_away()

    def _put_away(self) -> None:
        """Put what waits into runs."""
        if not self._waiting:
            return
        together = pl.concat(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        days = together["time"].dt.date()
        for day in days.unique().sort():
            run = together.filter(days == day).sort(self._order, maintain_order=True)
            known = self._files.setdefault(day, [])
            file = self._folder / f"{day}-{len(known):05}.parquet"
            run.write_parquet(file, compression="lz4", row_group_size=RUN_GROUP_ROWS)
            known.append(file)
            self._keys.setdefault(day, []).append(run[self._order[0]].gather_every(SAMPLE).drop_nulls())
            self._bytes[day] = self._bytes.get(day, 0) + int(run.estimated_size())

    def of_day(self, day: dt.date) -> Iterator[pl.DataFrame]:
        """Give a day's events in their order, not more at once than memory should hold, unless they have one key."""
        bounds = _bounds(pl.concat(self._keys[day]), self._bytes[day] // WAITING_BYTES)
        for low, high in zip([None, *bounds], [*bounds, None], strict=True):
            wanted = _lies_between(pl.col(self._order[0]), low, high)
            found = pl.concat(  # of one run after the other: all at once would be read ahead
                pl.scan_parquet(run).filter(wanted).collect(engine="in-memory") for run in self._files[day]
            )
            if found.height:
                yield found.sort(self._order, maintain_order=True)


def _bounds(keys: pl.Series, ranges: int) -> list[Any]:
    """Give keys that divide a day into ranges of about one size."""
    if not ranges or not len(keys):
        return []
    together = max(1, len(keys) // (ranges + 1))
    return keys.sort().gather_every(together, offset=1).unique().sort().to_list()


def _lies_between(key: pl.Expr, low: Any, high: Any) -> pl.Expr:
    """Tell whose key lies in a range; those of none come first."""
    after = pl.lit(value=True) if low is None else key >= low
    before = pl.lit(value=True) if high is None else key < high
    return after & before if low is not None else before | key.is_null()


def complete(output: Output, job: Job, compression: str, events_written: int) -> None:
    """Write what an output's parts hold in order, in files that appear as a whole."""
    whole = output.begin_whole()
    parts = sorted(output.rows.glob("*.parquet"))
    if job.order:
        count, where = _write_rows(parts, whole, output.scratch, job.order, compression), "files in order"
    else:
        days = lay_down(parts, whole, output.scratch)
        count, where = sum(days.values()), "lake"
    if count != events_written:
        raise ConservationError(f"{events_written} events should be in the {where}, but {count} are")
    if not job.order:
        output.write_whole(output.directory / "schema.sql", schema_sql([*days], output.data_address))
    output.show_whole(whole)


def _write_rows(parts: list[Path], whole: Path, scratch: Path, files: Files, compression: str) -> int:
    """Write rows in files as their receiver wants them; count them."""
    runs = Runs(scratch / "runs", ORDERS[files.order or "time"])
    begin = partial(LinesFile, compression=compression)
    total_bytes = _bytes_of(parts) if parts and files.bytes_min is not None else None
    path = whole / f"part.ndjson{ENDINGS[compression]}"
    lines = CutLines(begin, path, files, total_bytes=total_bytes)
    count, span = 0, None
    for day in runs.take_in(parts, map(pl.col, COLUMNS)):
        if files.days_max is not None and span != (span := (day - EPOCH_DAY).days // files.days_max):
            lines.cut()
        count += sum(lines.add(found[ROW]) for found in runs.of_day(day))
    paths, _ = lines.close()
    for path in (*paths, whole):
        settle(path)
    runs.remove()
    return count


def _bytes_of(parts: list[Path]) -> int:
    """Count the bytes of all rows, as lines."""
    lines = pl.scan_parquet(parts).select((pl.col(ROW).str.len_bytes() + 1).cast(pl.Int64).sum())
    return int(lines.collect(engine="streaming").item())


# -- a lake ------------------------------------------------------------------------------------------------------------

DAY = "day"
ROW_GROUP_ROWS = 50_000
LAKE_ORDER = ("client_id", "time")
MICROSECONDS = pl.Datetime("us", "UTC")
SQL_TYPES = {
    events.TEXT: "string", events.WHOLE: "bigint", events.NUMBER: "double", events.TIME: "timestamp",
    events.MAP: "map<string,string>",
}  # fmt: skip
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


def lay_down(parts: Iterable[Path], data: Path, scratch: Path) -> dict[dt.date, int]:
    """Write events of hub Parquet below `data`, as `day=YYYY-MM-DD/part-00000.parquet`; give the events of each day.

    Days are those of the events' own times, in UTC. Within a day events are sorted by client and time; times have microseconds.
    """
    runs = Runs(scratch / "runs", LAKE_ORDER)
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
