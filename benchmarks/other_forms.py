"""Writes an archive's records in the other forms in which archives come.

    python benchmarks/other_forms.py ARCHIVE DIR

makes of an archive of benchmarks/foreign.py `printed.json`, each record over several lines, as `jq` prints it, and
`table.csv`, the rows that Amazon's loader made of it in Redshift, unloaded: names in lower case, the commonest of the
attributes and metrics in columns of their own.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "\0"
MARKED = re.compile(r'"\\u0000([^"]*)\\u0000"')
OWN_COLUMNS = 60  # of attributes and metrics
PLACES = {
    "event_type": "event_type", "event_version": "event_version", "application_app_id": "application.app_id",
    "application_title": "application.title", "application_version_name": "application.version_name",
    "application_package_name": "application.package_name", "client_id": "client.client_id",
    "client_cognito_id": "client.cognito_id", "device_make": "device.make", "device_model": "device.model",
    "device_locale_code": "device.locale.code", "device_platform_name": "device.platform.name",
    "device_platform_version": "device.platform.version", "session_id": "session.session_id",
}  # fmt: skip
TIMES = {
    "event_timestamp": "event_timestamp", "arrival_timestamp": "arrival_timestamp",
    "session_start_timestamp": "session.start_timestamp", "session_stop_timestamp": "session.stop_timestamp",
}  # fmt: skip


def records(archive: Path) -> Iterator[dict[str, Any]]:
    """Give the records, each number as its digits between marks."""
    with archive.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(
                line, parse_float=f"{MARK}{{}}{MARK}".format, parse_int=f"{MARK}{{}}{MARK}".format
            )


def printed(record: dict[str, Any]) -> str:
    """Print a record over several lines, its numbers as they were spelled."""
    return MARKED.sub(r"\1", json.dumps(record, indent=2, ensure_ascii=False))


def at(record: Any, place: str) -> Any:
    """Give what stands in a place."""
    for name in place.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def row_of(record: dict[str, Any], own: set[str]) -> dict[str, Any]:
    """Give a record's cells."""
    row = {column: at(record, place) for column, place in PLACES.items()}
    for column, place in TIMES.items():
        told = at(record, place)
        if told is not None:
            time = dt.datetime.fromtimestamp(int(told.strip(MARK)) / 1000, dt.UTC)
            row[column] = time.replace(tzinfo=None).isoformat(" ", "milliseconds")
    values = {f"a_{name.lower()}": text for name, text in (record.get("attributes") or {}).items()}
    values |= {
        f"m_{name.lower()}": digits.strip(MARK) for name, digits in (record.get("metrics") or {}).items()
    }
    return row | {name: value for name, value in values.items() if name in own}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("directory", type=Path)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    keys: Counter[str] = Counter()
    with (options.directory / "printed.json").open("w", encoding="utf-8") as lines:
        for record in records(options.archive):
            lines.write(f"{printed(record)}\n")
            keys.update(f"a_{name.lower()}" for name in record.get("attributes") or ())
            keys.update(f"m_{name.lower()}" for name in record.get("metrics") or ())
    own = [name for name, _ in keys.most_common(OWN_COLUMNS)]
    with (options.directory / "table.csv").open("w", encoding="utf-8", newline="") as table:
        rows = csv.DictWriter(table, [*PLACES, *TIMES, *own], lineterminator="\n")
        rows.writeheader()
        rows.writerows(row_of(record, set(own)) for record in records(options.archive))


if __name__ == "__main__":
    main()
