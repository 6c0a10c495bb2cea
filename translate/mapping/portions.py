"""In which files a receiver wants the rows of a layout: how large, how many rows, in which order."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from translate.mapping.sheet import Sheet, Table, join

if TYPE_CHECKING:
    from translate.mapping.spec import Layout

KEYS = {
    "bytes_max": "the most bytes of a written file, before it is compressed: it is cut between rows",
    "events_max": "the most rows of a written file",
    "order": "the order of the rows, over all files: with `--sort` they are written in it",
    "days_max": "in that order, the most days (UTC) that a file's rows are of",
    "bytes_min": "in that order, the fewest bytes of a written file, before it is compressed, unless all rows have less",
    "source": "who says so",
}

ORDERS = {"time": "by the times of the events, the oldest first; equal ones as they come"}

FOLDER = re.compile(r"[\w=-]+")
ROW = "."  # the place of a limit that holds for a whole row


@dataclass(frozen=True)
class Files:
    """What a receiver wants of each file: at most so many bytes, before they are compressed, and so many rows.

    In an `order` its rows are of at most so many days, and it has at least so many bytes, unless all have less.
    """

    source: str
    bytes_max: int | None = None
    events_max: int | None = None
    order: str | None = None
    days_max: int | None = None
    bytes_min: int | None = None

    @property
    def cuts(self) -> bool:
        """Tell whether there is an end to how large a file may be."""
        return self.bytes_max is not None or self.events_max is not None


def read_files(sheet: Sheet, path: str, layout: Table) -> Files | None:
    """Read the table of a layout, or None where it has none; complain to the sheet."""
    table = sheet.get(layout, path, "files", dict)
    if table is None:
        return None
    where = join(path, "files")
    sheet.known_keys(table, where, KEYS)
    order = sheet.choice(table, where, "order", "order", ORDERS)
    most = {key: sheet.most(table, where, key) for key in KEYS if key not in ("order", "source")}
    if order is None and not any(key in table for key in most):
        sheet.complain(where, "says nothing of a file")
    return Files(sheet.need(table, where, "source", str, ""), order=order, **most)


def read_folder(sheet: Sheet, path: str, table: Table) -> str | None:
    """Read the folder that files of a day lie in; complain about one that leads elsewhere, or that no day makes."""
    folder: str | None = sheet.get(table, path, "folder", str)
    if folder is None:
        return None
    try:
        made = folder.format(day=dt.date(2000, 1, 1))
    except (KeyError, IndexError, ValueError, AttributeError):
        made = ""
    if not all(FOLDER.fullmatch(name) for name in made.split("/")):
        told = f"should be names with / between, and with {{day:%Y}} and the like in them, but is {folder!r}"
        sheet.complain(join(path, "folder"), told)
    return folder


def in_vain(layout: Layout) -> Iterator[tuple[tuple[str, ...], str]]:
    """Tell what is said of a layout's files and cannot take effect."""
    files = layout.files
    if files is None:
        return
    if not layout.write:
        yield ("files",), "has no effect: the layout is only read"
    if layout.records not in ("json-lines", "csv"):
        yield ("files",), "has no effect: only files of JSON lines and tables are cut"
    if layout.records == "csv" and files.order is not None:
        yield ("files", "order"), "has no effect: only JSON lines are put in order"
    if layout.request is not None:
        yield ("files",), "has no effect: what holds many events is sent, and taken in one by one"
    if files.days_max is not None and files.order is None:
        yield ("files", "days_max"), "has no effect without an order"
    yield from _unkept(files)
    if layout.folder is not None and files.order is not None:
        told = "has no effect: its files lie in the folder of the day on which they come in"
        yield ("files", "order"), told
    most = files.bytes_max
    for limit in (*layout.limits.values(), *layout.checks.values()):
        is_of_rows = limit.judge == "bytes_max" and ROW in limit.places and limit.hard
        if is_of_rows and isinstance(limit.value, int) and most is not None and most < limit.value:
            yield ("files", "bytes_max"), f"a single row may have more: {limit.value:,} bytes"


def _unkept(files: Files) -> Iterator[tuple[tuple[str, ...], str]]:
    """Tell why the fewest bytes of a file cannot be kept: what is left for the last one is known by `bytes_max` alone."""
    where = ("files", "bytes_min")
    if files.bytes_min is None:
        return
    if files.order is None or files.bytes_max is None:
        yield where, "has no effect without an order and bytes_max"
    elif files.events_max is not None or files.days_max is not None:
        yield where, "cannot be kept beside events_max and days_max"
    elif 2 * files.bytes_min > files.bytes_max:
        yield where, "should be at most half of bytes_max"
