"""Rows in the order that their receiver wants over all files: a pass on disk behind a conversion."""

from __future__ import annotations

import datetime as dt
from functools import partial

import polars as pl

from translate.conversion.lines_file import ENDINGS, LinesFile
from translate.conversion.output import Output
from translate.conversion.part import CutLines
from translate.conversion.persistence import settle
from translate.conversion.runs import Runs
from translate.errors import ConservationError
from translate.mapping.portions import Files
from translate.writer.packing import ROW

COLUMNS = ("time", ROW)  # what a part holds of a row that is yet to be put in order
ORDERS = {"time": ("time",)}
EPOCH_DAY = dt.date(1970, 1, 1)


def complete(output: Output, files: Files, compression: str, events_written: int) -> None:
    """Write the rows of an output's parts in order, in files as their receiver wants them, which appear as a whole."""
    whole = output.begin_whole()
    runs = Runs(output.scratch / "runs", ORDERS[files.order or "time"])
    begin = partial(LinesFile, compression=compression)
    lines = CutLines(begin, whole / f"part.ndjson{ENDINGS[compression]}", files)
    count, span = 0, None
    for day in runs.take_in(sorted(output.rows.glob("*.parquet")), map(pl.col, COLUMNS)):
        if files.days_max is not None and span != (span := (day - EPOCH_DAY).days // files.days_max):
            lines.cut()
        count += sum(lines.add(found[ROW]) for found in runs.of_day(day))
    paths, _ = lines.close()
    for path in (*paths, whole):
        settle(path)
    runs.remove()
    if count != events_written:
        raise ConservationError(f"{events_written} events should be in the files in order, but {count} are")
    output.show_whole(whole)
